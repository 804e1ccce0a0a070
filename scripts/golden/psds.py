#!/usr/bin/env python3
"""Golden values for tests/metrics/test_psds.c by psds_eval, the implementation of the authors of the score.

    pip install psds_eval==0.5.3 pandas==2.1.4 numpy==1.26.4 matplotlib==3.8.4
    python3 scripts/golden/psds.py > tests/metrics/files/psds.json

Some recordings with events, and what a detector says of them at some thresholds. Times are multiples of 1/64 s."""
import json
import warnings

import numpy as np
import pandas as pd
from psds_eval import PSDSEval

warnings.simplefilter("ignore", FutureWarning)
RATE = 64
KINDS = [dict(dtc=0.7, gtc=0.7, cttc=0.0, alpha_ct=0.0, alpha_st=1.0, max_fp_per_hour=1500.0),
         dict(dtc=0.1, gtc=0.1, cttc=0.3, alpha_ct=0.5, alpha_st=1.0, max_fp_per_hour=3000.0),
         dict(dtc=0.5, gtc=0.5, cttc=0.3, alpha_ct=0.25, alpha_st=0.5, max_fp_per_hour=700.0)]


def events_of(rng, n_frames, classes):
    result, at = [], 0
    while True:
        a = at + int(rng.integers(0, 60))
        b = a + int(rng.integers(4, 120))
        if b > n_frames:
            return result
        result.append((a, b, int(rng.choice(classes))))
        at = b + int(rng.integers(0, 200)) * int(rng.integers(0, 2))


def said(rng, n_frames, events, classes, eager):
    """At a threshold that lets more through the greater `eager` is."""
    result, at = [], 0
    for a, b, k in events + [(n_frames, n_frames, 1)]:
        if rng.random() < eager * 0.4 and a - at > 12:  # out of nothing, reaching into what follows
            c = at + int(rng.integers(0, a - at - 8))
            d = min(n_frames, c + int(rng.integers(4, 90)))
            result.append((c, d, int(rng.choice(classes))))
            at = d
        if a < n_frames and rng.random() < eager:
            k = int(rng.choice(classes)) if rng.random() < 0.2 else k
            c, d = max(at, a + int(rng.integers(-15, 16))), min(n_frames, b + int(rng.integers(-25, 26)))
            if d - c > 1:
                middle = (c + d) // 2
                result += [(c, middle, k), (middle, d, k)] if rng.random() < 0.2 else [(c, d, k)]
                at = d
    return result


def table(files):
    rows = [dict(filename="f%d" % f, onset=a / RATE, offset=b / RATE, event_label="c%d" % k) for f, items in enumerate(files) for a, b, k in items]
    return pd.DataFrame(rows, columns=["filename", "onset", "offset", "event_label"])


def main():
    rng = np.random.default_rng(5)
    cases = []
    for number in range(12):
        classes = list(range(1, 3 + number % 4))
        lengths = [int(rng.integers(800, 6000)) for _ in range(1 + number % 3)]
        files = [events_of(rng, n, classes) for n in lengths]
        if {k for items in files for _, _, k in items} != set(classes):
            continue
        points = [[said(rng, n, items, classes, eager) for n, items in zip(lengths, files)] for eager in np.linspace(0.1, 1, 7)]
        points = [p for p in points if any(p)]
        metadata = pd.DataFrame([dict(filename="f%d" % f, duration=n / RATE) for f, n in enumerate(lengths)])
        values = []
        for kind in KINDS:
            e = PSDSEval(dtc_threshold=kind["dtc"], gtc_threshold=kind["gtc"], cttc_threshold=kind["cttc"], ground_truth=table(files),
                         metadata=metadata)
            for point in points:
                e.add_operating_point(table(point))
            score = e.psds(alpha_ct=kind["alpha_ct"], alpha_st=kind["alpha_st"], max_efpr=kind["max_fp_per_hour"])
            values.append(dict(kind, value=float(score.value)))
        cases.append(dict(n_classes=max(classes) + 1, lengths=lengths, events=files, points=points, values=values))
    print(json.dumps(cases, separators=(",", ":")).replace('},{"n_classes', '},\n{"n_classes'))


main()
