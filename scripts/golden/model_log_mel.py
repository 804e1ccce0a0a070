#!/usr/bin/env python3
"""Golden vectors for the op log_mel: all windows at once, from the text of docs/integer-arithmetic.md; and the same in floating
point, without any rounding, which bounds the error.

    python3 scripts/golden/model_log_mel.py tests/model/files       (numpy 1.26)
"""
import sys

import numpy as np

from model_files import write_tensors

# kernel, stride, bands, low_hz, high_hz, rate_hz
SHAPES = [(400, 160, 40, 20, 8000, 16000), (512, 320, 32, 60, 7600, 16000), (1024, 480, 64, 100, 16000, 48000),
          (252, 252, 20, 60, 4000, 8000), (64, 32, 12, 0, 100, 200), (20, 13, 6, 0, 1600, 3200)]


def mel(hz):
    return 2595 * np.log10(1 + hz / 700)


def places(shape, n):
    kernel, stride, bands, low, high, rate = shape
    step = (mel(high) - mel(low)) / (bands + 1)
    return (mel(np.arange(n // 2) * rate / n) - mel(low)) / step


def points(kernel):
    return max(32, 1 << (kernel - 1).bit_length())


def hann(kernel):
    return np.sin(np.pi * (np.arange(kernel) + 0.5) / kernel) ** 2


def windows(counts, shape):
    kernel, stride = shape[:2]
    padded = np.concatenate([np.zeros(kernel - stride, np.int64), counts.astype(np.int64)])
    return np.stack([padded[i * stride:i * stride + kernel] for i in range(len(counts) // stride)])


def half_up(x):
    return np.floor(x + 0.5).astype(np.int64)


def spectrum(y, n):
    """y [windows][n] integers -> power of the bins 0..n/2-1, the first 0."""
    m = n // 2
    order = [int(format(i, "0%db" % (m.bit_length() - 1))[::-1], 2) for i in range(m)]
    re, im = y[:, 0::2][:, order], y[:, 1::2][:, order]
    angle = 2 * np.pi * np.arange(m) / n
    cos, sin = half_up(32768 * np.cos(angle)), half_up(32768 * np.sin(angle))
    half = 1
    while half < m:
        a = np.array([i for i in range(m) if i & half == 0])
        c, d = cos[(a % half) * (m // half)], sin[(a % half) * (m // half)]
        b = a + half
        tr, ti = re[:, b] * c + im[:, b] * d, im[:, b] * c - re[:, b] * d
        assert max(np.abs(re).max(), np.abs(im).max()) < 2 ** 15 and max(np.abs(tr).max(), np.abs(ti).max()) < 2 ** 30
        new_re, new_im = re.copy(), im.copy()
        new_re[:, a], new_im[:, a] = (re[:, a] * 32768 + tr + 32768) >> 16, (im[:, a] * 32768 + ti + 32768) >> 16
        new_re[:, b], new_im[:, b] = (re[:, a] * 32768 - tr + 32768) >> 16, (im[:, a] * 32768 - ti + 32768) >> 16
        re, im, half = new_re, new_im, half * 2
    p = np.zeros((len(y), m), np.int64)
    for k in range(1, m // 2 + 1):
        er, ei = re[:, k] + re[:, m - k], im[:, k] - im[:, m - k]
        odd_r, odd_i = im[:, k] + im[:, m - k], re[:, m - k] - re[:, k]
        tr, ti = (odd_r * cos[k] + odd_i * sin[k]) >> 1, (odd_i * cos[k] - odd_r * sin[k]) >> 1
        for bin, sign in ((k, 1), (m - k, -1)):
            if bin == k or k < m - k:
                p[:, bin] = ((er * 16384 + sign * tr + 16384) >> 15) ** 2 + ((ei * 16384 + sign * ti + 16384) >> 15) ** 2
    return p


def eighths(v):
    n = v.bit_length() - 1
    return 8 * n + (v >> (n - 3)) - 8


def log_mel(counts, shape):
    kernel, stride, bands = shape[:3]
    n = points(kernel)
    w = np.minimum(32767, half_up(32768 * hann(kernel)))
    place = places(shape, n)
    out = []
    for x in windows(counts, shape):
        m = int(np.maximum(x, -1 - x).max())
        s = min(14, 13 - (m.bit_length() - 1)) if m > 0 else 14
        y = np.zeros((1, n), np.int64)
        y[0, :kernel] = (x * w + (1 << (14 - s))) >> (15 - s)
        p = spectrum(y, n)[0]
        power = np.zeros(bands, np.int64)
        for k in range(1, n // 2):
            if 0 < place[k] < bands + 1:
                j = int(place[k])
                share = int(p[k]) * min(65535, int(half_up((place[k] - j) * 65536))) >> 16
                if j < bands:
                    power[j] += share
                if j > 0:
                    power[j - 1] += p[k] - share
        assert power.sum() < 2 ** 31
        out.append([min(127, eighths(8 * (int(v) + (1 << max(0, 2 * s - 8)))) - 16 * s - 87) for v in power])
    return np.array(out, np.int8)


def exact(counts, shape):
    """log2 of the bands' power and of the window's greatest count."""
    kernel, stride, bands = shape[:3]
    n = points(kernel)
    x = windows(counts, shape).astype(float)
    p = np.abs(np.fft.rfft(x * hann(kernel), n)[:, :n // 2] / (n // 2)) ** 2
    place = places(shape, n)
    power = np.zeros((len(x), bands))
    for m in range(bands):
        power[:, m] = p @ np.clip(1 - np.abs(place - m - 1), 0, 1)
    peak = np.maximum(1, np.abs(x).max(axis=1))
    return np.log2(power + 2.0 ** -8), np.log2(peak)


def signals():
    rng = np.random.default_rng(7)
    t = np.arange(3072)
    chirp = 9000 * np.sin(2 * np.pi * (0.005 * t + 0.00006 * t * t))
    speech = 6000 * np.sin(t * 0.05) + 700 * np.sin(t * 0.31) + 60 * np.sin(t * 1.3) + rng.normal(0, 2, len(t))
    kinds = np.stack([
        np.where(t % 1024 < 512, chirp, rng.normal(0, 1500, len(t))),
        np.where(t < 1100, 0, np.where(t == 1200, 32767, np.where(t < 2300, 0, rng.integers(-1, 2, len(t))))),  # silence, impulse, last bit
        np.where(t // (4 << (t // 400)) % 2 == 0, 32767, -32768),  # full scale
        speech], axis=1)
    return np.clip(np.rint(kinds), -32768, 32767).astype(np.int16)


def main():
    counts = signals()
    tensors = {"counts": counts}
    for i, shape in enumerate(SHAPES):
        q = np.stack([log_mel(counts[:, c], shape) for c in range(counts.shape[1])])
        log2, peak = (np.stack(part) for part in zip(*[exact(counts[:, c], shape) for c in range(counts.shape[1])]))
        tensors["q.%d" % i] = q
        tensors["log2.%d" % i] = np.rint(256 * log2).astype(np.int16)
        error = np.where(q < 127, (q.astype(int) + 63) / 8 - log2, 0)
        for depth in (16, 18, 20, 22, 24, 60):
            near = log2 >= 2 * peak[:, :, None] - depth
            print(shape, "2^-%d of the peak and more: error %.3f to %.3f" % (depth, error[near].min(initial=0), error[near].max(initial=0)))
    write_tensors("%s/log_mel.golden.safetensors" % sys.argv[1], tensors)


if __name__ == "__main__":
    main()
