"""Ranges that tests/quantize/test_histogram.c expects: each method straight from its definition, over the values themselves.

    python3 scripts/golden/quantize_ranges.py

prints the rows of the table there. Nothing but Python is needed.
"""
import math

N = 20000


def places():
    return [(i + 0.5) / N for i in range(N)]


DISTRIBUTIONS = {
    "laplace": [-math.log(1 - u) for u in places()],
    "half zeros": [0.0 if i % 2 else -math.log(1 - u) for i, u in enumerate(places())],
    "heavy tail": [math.sqrt(u / (1 - u)) for u in places()],
    "uniform": [3 * u for u in places()],
    "knocks": [20.0 if i >= N - 10 else u for i, u in enumerate(places())],
}


def percentile(values, share):
    return sorted(values)[math.ceil(share * len(values)) - 1]


def mse(values):
    best = None
    for j in range(256):
        limit = max(values) * 2 ** (-j / 32)
        scale = limit / 127
        error = sum((min(127, round(x / scale)) * scale - x) ** 2 for x in values)
        if best is None or error < best[0]:
            best = (error, limit)
    return best[1]


def kl(values, n_bins=2048, steps=128):
    width = max(values) / n_bins
    bins = [0] * n_bins
    for x in values:
        bins[min(n_bins - 1, int(x / width))] += 1
    bins[0] = bins[1]
    best = None
    for n in range(steps, n_bins + 1):
        p = [float(b) for b in bins[:n]]
        p[-1] += sum(bins[n:])
        q = [0.0] * n
        for step in range(steps):
            start, end = step * (n // steps), n if step == steps - 1 else (step + 1) * (n // steps)
            filled = [i for i in range(start, end) if p[i] > 0]
            for i in filled:
                q[i] = sum(bins[start:end]) / len(filled)
        if any(b > 0 and c == 0 for b, c in zip(p, q)):
            continue
        p_sum, q_sum = sum(p), sum(q)
        d = sum(b / p_sum * math.log((b / p_sum) / (c / q_sum)) for b, c in zip(p, q) if b > 0)
        if best is None or d <= best[0]:
            best = (d, n * width)
    return best[1]


for name, values in DISTRIBUTIONS.items():
    print('    {"%s", %.9g, %.9g, %.9g, %.9g},' % (name, percentile(values, 0.999), max(values), mse(values), kl(values)))
