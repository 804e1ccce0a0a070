#!/usr/bin/env python3
"""Golden values for tests/data/test_resample_filter.c: the filters of src/data/resample.h straight from their formulas.

    pip install numpy scipy && python3 scripts/golden/resample.py >tests/data/files/resample.txt

A header line "MODE N RATE START N_FRAMES FRAME_RATE FRAME_START", then the N samples, then the frames; one number a line.
"""
import numpy as np
from scipy.special import i0

random = np.random.default_rng(3)


def weights(mode, age):
    if mode == "sinc":
        inside = np.abs(age) <= 16 + 1e-9
        return np.where(inside, np.sinc(0.9 * age) * i0(6.755 * np.sqrt(np.maximum(0, 1 - (age / 16) ** 2))) / i0(6.755), 0)
    return np.where((age >= 0) & (age < 2), (1 - np.cos(np.pi * age)) / 2, 0)


for mode, n, rate, start, n_frames, frame_rate, frame_start in [
    ("sinc", 120, 100.0, 0.0, 59, 50.0, 0.0),
    ("sinc", 300, 104.2, 1.25, 140, 50.0, 1.2537),
    ("sinc", 400, 441.0, 0.0, 100, 160.0, 0.1),
    ("causal", 120, 100.0, 0.0, 59, 50.0, 0.01),
    ("causal", 300, 104.2, 1.25, 140, 50.0, 1.26),
    ("causal", 400, 1000.0, -3.0, 19, 50.0, -2.999),
]:
    x = np.cumsum(random.normal(0, 1, n)) + 9.81
    times = start + np.arange(n) / rate
    print(mode, n, rate, start, n_frames, frame_rate, frame_start)
    print(*x, sep="\n")
    for k in range(n_frames):
        w = weights(mode, (frame_start + k / frame_rate - times) * frame_rate)
        print(w @ x / w.sum())
