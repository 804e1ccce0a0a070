#!/usr/bin/env python3
"""Golden figures of segments for tests/metrics/test_span_metrics.c: segment-based and event-based figures as sed_eval computes them.

    pip install sed_eval==0.2.1
    python3 scripts/golden/segment_metrics.py > tests/metrics/files/segments.json

Times are multiples of 1/64 s, so that sed_eval, which compares seconds in floats, decides every border exactly."""
import json

import numpy as np
import sed_eval
from dcase_util.containers import MetaDataContainer

RATE, COLLAR = 64, 0.25


def intervals(rng, n_frames, n, classes, longest):
    """Sorted, not overlapping, some of them touching."""
    result, at = [], 0
    for _ in range(n):
        a = at + int(rng.integers(0, 90)) * int(rng.integers(0, 2))
        b = a + int(rng.integers(1, longest))
        if b > n_frames:
            break
        result.append((a, b, int(rng.choice(classes))))
        at = b
    return result


def said(rng, n_frames, events, classes):
    """What a detector makes of it: borders off, classes exchanged, pieces, some out of nothing."""
    spread, at, result = int(rng.integers(1, 40)), 0, []
    for a, b, k in events:
        if rng.random() < 0.15:
            continue
        k = int(rng.choice(classes)) if rng.random() < 0.2 else k
        a, b = a + int(rng.integers(-spread, spread + 1)), b + int(rng.integers(-spread, spread + 1))
        cuts = [a, (a + b) // 2, b] if rng.random() < 0.2 else [a, b]
        for c, d in zip(cuts, cuts[1:]):
            c, d = max(c, at), min(d, n_frames)
            if c < d:
                result.append((c, d, k))
                at = d
    return result


def listed(items):
    return MetaDataContainer([dict(file="f", event_label="c%d" % k, onset=a / RATE, offset=b / RATE) for a, b, k in items])


def figure(value, exists=True):
    return float(value) if exists and np.isfinite(value) else None


def class_figures(metrics, label):
    counts = metrics.class_wise[label]
    return dict(f1=figure(metrics.class_wise_f_measure(label)["f_measure"]),
                # of no reference sed_eval takes 2^-52 instead
                error_rate=figure(metrics.class_wise_error_rate(label)["error_rate"], counts["Nref"] > 0),
                right=int(counts["Ntp"]), true=int(counts["Nref"]), said=int(counts["Nsys"]))


def evaluated(metrics, classes):
    return dict(f1=figure(metrics.overall_f_measure()["f_measure"]), error_rate=figure(metrics.overall_error_rate()["error_rate"]),
                classes=[class_figures(metrics, "c%d" % k) for k in classes],
                right=int(metrics.overall["Ntp"]), substituted=int(metrics.overall.get("Nsubs", metrics.overall.get("S"))))


def main():
    rng = np.random.default_rng(64)
    cases = []
    for number in range(60):
        classes = list(range(1, 2 + number % 4))
        n_frames = int(rng.integers(200, 4000))
        events = intervals(rng, n_frames, int(rng.integers(1, 30)), classes, 100 if number % 2 else 30)
        segments = said(rng, n_frames, events, classes)
        if not events or not segments:  # by hand in the test: sed_eval does not know what to do with them
            continue
        labels = ["c%d" % k for k in classes]
        units = sed_eval.sound_event.SegmentBasedMetrics(labels, time_resolution=1.0)
        onset = sed_eval.sound_event.EventBasedMetrics(labels, evaluate_offset=False, t_collar=COLLAR)
        both = sed_eval.sound_event.EventBasedMetrics(labels, t_collar=COLLAR, percentage_of_length=0.5)
        units.evaluate(listed(events), listed(segments), evaluated_length_seconds=n_frames / RATE)
        onset.evaluate(listed(events), listed(segments))
        both.evaluate(listed(events), listed(segments))
        cases.append(dict(n_frames=n_frames, classes=classes, events=events, segments=segments, units=evaluated(units, classes),
                          onset=evaluated(onset, classes), onset_offset=evaluated(both, classes)))
    print(json.dumps(cases, separators=(",", ":")).replace("},{\"n_frames", "},\n{\"n_frames"))


main()
