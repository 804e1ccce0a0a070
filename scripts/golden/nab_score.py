#!/usr/bin/env python3
"""Golden scores for tests/metrics/test_nab_score.c by the scorer of the Numenta Anomaly Benchmark, profile "standard". NAB is the repository
numenta/NAB at v1.1.

    PYTHONPATH=NAB python3 scripts/golden/nab_score.py > tests/metrics/files/nab.json

Of one class: windows [start, end) of its events, and triggers. Its reader of labels merges windows that overlap before the scorer
sees them; so does this."""
import json
import random

from nab.sweeper import Sweeper

STANDARD = {"tpWeight": 1.0, "fnWeight": 1.0, "fpWeight": 0.11}


def merged(windows):
    result = []
    for start, end in windows:
        if result and start < result[-1][1]:
            result[-1][1] = end
        else:
            result.append([start, end])
    return result


def main():
    rng = random.Random(11)
    cases = []
    for number in range(40):
        n_frames = rng.randint(60, 500)
        early, late = rng.randint(0, 12), rng.randint(0, 25)
        cuts = sorted(rng.sample(range(n_frames), 2 * rng.randint(1, 8)))
        events = list(zip(cuts[::2], cuts[1::2]))
        triggers = sorted(rng.sample(range(n_frames), rng.randint(0, 20)))
        windows = merged([(max(0, s - early), min(n_frames, e + late)) for s, e in events])
        windows = [w for w in windows if w[1] - w[0] > 1]  # the scorer divides by the width less 1
        if len(windows) < len(merged([(max(0, s - early), min(n_frames, e + late)) for s, e in events])):
            continue
        sweeper = Sweeper(probationPercent=0, costMatrix=STANDARD)
        said = [1.0 if t in triggers else 0.0 for t in range(n_frames)]
        _, row = sweeper.scoreDataSet(list(range(n_frames)), said, [(s, e - 1) for s, e in windows], "file", 1.0)
        if not triggers:  # no threshold is 1.0 then; the score of one that never speaks
            row = Sweeper(0, STANDARD).calcScoreByThreshold(sweeper.calcSweepScore(list(range(n_frames)), said, [(s, e - 1) for s, e in windows], "file"))[0]
        cases.append(dict(n_frames=n_frames, early=early, late=late, events=events, triggers=triggers, n_windows=len(windows), score=row.score))
    print(json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{"))


main()
