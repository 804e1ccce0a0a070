#!/usr/bin/env python3
"""Golden vectors for the op log_energy: whole signals at once, from the text of docs/integer-arithmetic.md.

    python3 scripts/golden/model_log_energy.py tests/model/files       (numpy 1.26)
"""
import sys

import numpy as np

from model_files import write_tensors

SHAPES = [(5, 1, 32), (8, 2, 128), (7, 1, 128), (3, 5, 8), (5, 8, 16), (6, 12, 16), (1, 1, 8), (4, 3, 1024)]  # levels, kernel, stride


def eighths(v):
    n = v.bit_length() - 1
    return 8 * n + (v >> (n - 3)) - 8


def log_energy(counts, levels, kernel, stride):
    """counts [frames][channels] -> q [blocks][channels * levels]"""
    n_blocks = len(counts) // stride
    a, out = counts.astype(np.int64), []
    for level in range(1, levels + 1):
        a = a[:len(a) // 2 * 2]
        d, a = a[1::2] - a[0::2], a[1::2] + a[0::2]
        block = ((np.arange(len(d)) + 1) * 2 ** level - 1) // stride  # where detail i ends
        sums = np.zeros((n_blocks, counts.shape[1]), object)
        for i, b in enumerate(block):
            if b < n_blocks:
                sums[b] += (d[i] * d[i]).astype(object)
        shift = stride.bit_length() - 1 + level - 4
        e = np.minimum(sums >> shift, 2 ** 32 - 1)
        q = [[eighths(int(v) + 16 * kernel) - eighths(16 * kernel) - 112 for v in e[max(0, b - kernel + 1):b + 1].sum(axis=0)]
             for b in range(n_blocks)]
        out.append(np.array(q, np.int8))
    return np.stack(out, axis=2).reshape(n_blocks, -1)


def main():
    rng = np.random.default_rng(5)
    n = 4096
    t = np.arange(n)
    counts = np.stack([
        np.where(t // 700 % 2 == 0, rng.normal(4000, 3, n), rng.normal(0, 3000, n)),  # at rest, in motion
        np.where(t // (1 << (t // 512)) % 2 == 0, 32767, -32768),  # the greatest energy that there is, level after level
        np.full(n, -5000),  # silence
        200 * np.sin(t / 9) + rng.normal(0, 1, n)], axis=1)
    counts = np.clip(np.rint(counts), -32768, 32767).astype(np.int16)
    tensors = {"counts": counts}
    for levels, kernel, stride in SHAPES:
        tensors["q.%d.%d.%d" % (levels, kernel, stride)] = log_energy(counts, levels, kernel, stride)
    write_tensors("%s/log_energy.golden.safetensors" % sys.argv[1], tensors)


if __name__ == "__main__":
    main()
