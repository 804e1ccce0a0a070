#!/usr/bin/env python3
"""Makes src/model/sigmoid_table.c: the logistic function as 256 chords in fixed point.

Entry i (i = -128..127) serves t in [256 i, 256 i + 255], where t is Q12 (x = t / 4096), and gives
    p + t * slope,   p = intercept * 65536 + slope          in Q28
so that one 32-bit word holds both numbers and the whole word is the addend. For each entry all slopes near the true one
are tried; the pair (slope, intercept) with the least greatest error over its 256 arguments is taken. The first and last
entry have slope 0 (they also serve everything beyond), and are the nearest values above 0 and below 1.

    python3 scripts/golden/model_sigmoid_table.py > src/model/sigmoid_table.c      (numpy 1.26)
"""
import numpy as np

ONE = float(1 << 28)


def logistic(t):
    return ONE / (1.0 + np.exp(-t / 4096.0))


def entry(i):
    if i == -128:
        return 1, 0
    if i == 127:
        return 4095, 0
    t = np.arange(256 * i, 256 * i + 256, dtype=np.float64)
    y = logistic(t)
    chord = (logistic(256.0 * i + 256) - logistic(256.0 * i)) / 256
    best = None
    for slope in range(max(0, int(chord) - 300), int(chord) + 301):
        rest = y - slope * (t + 1)
        intercept = int(np.floor((rest.max() + rest.min()) / 2 / 65536 + 0.5))
        error = np.abs(rest - intercept * 65536.0).max()
        if best is None or error < best[0]:
            best = (error, intercept, slope)
    return best[1], best[2]


def main():
    words = ["0x%08xu" % (intercept * 65536 + slope) for intercept, slope in map(entry, range(-128, 128))]
    print("/* Made by scripts/golden/model_sigmoid_table.py: do not edit. Entry i + 128 is the chord of the logistic function on")
    print(" * [i/16, (i+1)/16): intercept * 65536 + slope, see tin_sigmoid_q28. */")
    print('#include "model/qmodel.h"\n')
    print("/* clang-format off */\nconst uint32_t tin_sigmoid_table[256] = {")
    for at in range(0, 256, 8):
        print("    " + ", ".join(words[at:at + 8]) + ",")
    print("};")


main()
