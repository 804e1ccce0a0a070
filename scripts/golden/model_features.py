#!/usr/bin/env python3
"""Golden vectors for the ops log_variance, high_pass, difference and magnitude: whole signals at once, from the text of
docs/integer-arithmetic.md.

    python3 scripts/golden/model_features.py tests/model/files       (numpy 1.26)
"""
import math
import sys

import numpy as np

from model_files import write_tensors

BLOCKS = [(1, 8), (5, 20), (2, 150), (16, 1)]  # kernel, stride
SHIFTS, LAGS = [1, 4, 12], [1, 7]


def eighths(v):
    n = v.bit_length() - 1
    return 8 * n + (v >> (n - 3)) - 8


def log_variance(x, kernel, stride):
    n, rows = kernel * stride, []
    for end in range(stride, len(x) + 1, stride):
        window = [int(v) for v in x[max(0, end - n):end]]
        v = n * sum(a * a for a in window) - sum(window) ** 2
        rows.append(min(127, eighths(v + n * n) - eighths(n * n) - 112))
    return rows


def high_pass(x, shift):
    mean, out = int(x[0]) << (shift + 3), []
    for v in x:
        out.append(8 * int(v) - ((mean + (1 << (shift - 1))) >> shift))
        mean += out[-1]
    return out


def difference(x, lag):
    before = np.concatenate([np.full(lag, x[0]), x[:-lag]])
    return 8 * (x.astype(np.int64) - before.astype(np.int64))


def magnitude(xyz, shift):
    d = xyz.astype(np.int64)
    if shift:
        d = np.stack([(np.array(high_pass(xyz[:, c], shift)) + 4) >> 3 for c in range(3)], axis=1)
        d = np.clip(d, -32767, 32767)
    sums = [int(s) for s in (d * d).sum(axis=1)]
    return [math.isqrt(64 * s) if s < 2 ** 26 else 8 * math.isqrt(s) for s in sums]


def main():
    rng = np.random.default_rng(11)
    n = 600
    t = np.arange(n)
    counts = np.stack([
        4000 + np.where(t // 100 % 2 == 0, rng.normal(0, 2, n), rng.normal(0, 3000, n)),
        np.where(t // (1 << (t // 80)) % 2 == 0, 32767, -32768),
        np.where(t < 200, -5000, 200 * np.sin(t / 9)),
        np.full(n, -32768), np.full(n, -32768), np.where(t < 250, -32768, rng.integers(-40, 41, n))], axis=1)
    counts = np.clip(np.rint(counts), -32768, 32767).astype(np.int16)
    tensors = {"counts": counts}

    def columns(rows):
        return np.array(rows, np.int32).T

    for kernel, stride in BLOCKS:
        tensors["log_variance.%d.%d" % (kernel, stride)] = columns([log_variance(counts[:, c], kernel, stride) for c in range(6)])
    for shift in SHIFTS:
        tensors["high_pass.%d" % shift] = columns([high_pass(counts[:, c], shift) for c in range(6)])
    for lag in LAGS:
        tensors["difference.%d" % lag] = columns([difference(counts[:, c], lag) for c in range(6)])
    for shift in [0, 5]:
        tensors["magnitude.%d" % shift] = columns([magnitude(counts[:, c:c + 3], shift) for c in (0, 3)])
    write_tensors("%s/features.golden.safetensors" % sys.argv[1], tensors)


if __name__ == "__main__":
    main()
