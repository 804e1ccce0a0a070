#!/usr/bin/env python3
"""Golden figures of frames and events for tests/evaluate/test_evaluate_golden.c, by other means than the C code:
frames by scikit-learn; events by a naive reading of docs/metrics.md that looks at every event and frame for every trigger.

    pip install scikit-learn==1.9.1 numpy==2.4.6
    python3 scripts/golden/evaluate_metrics.py > tests/evaluate/files/metrics.json"""
import json
import warnings

import numpy as np
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

warnings.simplefilter("ignore")  # predictions of classes that no frame has
IGNORE = -1


def scene(rng, n_frames, n_classes, events_classes, n_events):
    """Labels, events and a detector's triggers and segments that follow the events badly."""
    cuts = np.sort(rng.choice(np.arange(2, n_frames - 2), 2 * n_events, replace=False))
    events = [(int(a), int(b), int(rng.choice(events_classes))) for a, b in cuts.reshape(-1, 2)]
    labels = np.zeros(n_frames, int)
    for a, b in rng.integers(0, n_frames, (3, 2)):
        labels[min(a, b):min(a, b) + 15] = IGNORE
    for a, b, k in events:
        labels[a:b] = k
    cuts = np.sort(rng.choice(np.arange(1, n_frames), 2 * n_events, replace=False))
    segments = []
    for (a, b), (c, d, k) in zip(cuts.reshape(-1, 2), events):
        if rng.random() < 0.6:  # near the event
            a, b = c + rng.integers(-4, 5), d + rng.integers(-4, 5)
        if rng.random() < 0.2:
            k = int(rng.choice(events_classes))
        a = max(int(a), segments[-1][1] if segments else 0)
        b = min(int(b), n_frames)
        if a < b:
            segments.append((a, b, int(k)))
    triggers = {a: k for a, b, k in segments}
    for t in rng.integers(0, n_frames, n_events):
        triggers.setdefault(int(t), int(rng.choice(events_classes)))
    predictions = np.where(rng.random(n_frames) < 0.8, np.maximum(labels, 0), rng.integers(0, n_classes, n_frames))
    return labels, events, segments, sorted(triggers.items()), predictions


def frame_figures(labels, predictions, events, early, late, n_classes):
    keep = labels != IGNORE
    y, p = labels[keep], predictions[keep]
    none = lambda values: [None if np.isnan(v) else float(v) for v in values]
    forgiven = labels.copy()
    for t in np.flatnonzero(keep & (labels != predictions)):
        if any(k == predictions[t] and (s - early[k] <= t < s or e <= t < e + late[k]) for s, e, k in events):
            forgiven[t] = predictions[t]

    def scores(y):
        precision, recall, f1, _ = precision_recall_fscore_support(y, p, labels=range(n_classes), zero_division=np.nan)
        return dict(accuracy=float((y == p).mean()), balanced_accuracy=float(balanced_accuracy_score(y, p)),
                    macro_f1=float(f1_score(y, p, average="macro")), precision=none(precision), recall=none(recall))

    return dict(scores(y), confusion=confusion_matrix(y, p, labels=range(n_classes)).tolist(), with_margins=scores(forgiven[keep]))


def pairs_by_overlap(events, segments, percent):
    """Segments matched to events of their class one to one, the greatest IoU first."""
    pairs = []
    for j, (a, b, k) in enumerate(segments):
        for i, (s, e, c) in enumerate(events):
            common = len(set(range(a, b)) & set(range(s, e)))
            united = len(set(range(a, b)) | set(range(s, e)))
            if k == c and common and 100 * common >= percent * united:
                pairs.append((-common / united, j, i))
    segments_left, events_left, matched = set(range(len(segments))), set(range(len(events))), []
    for _, j, i in sorted(pairs):
        if j in segments_left and i in events_left:
            segments_left.remove(j)
            events_left.remove(i)
            matched.append((j, i))
    return matched


def class_figures(number, labels, events, segments, triggers, kinds, matched, window, deadline, allow_repeats, corrected):
    """The part of one class: its events, its triggers, its segments."""
    mine = [i for i, e in enumerate(events) if e[2] == number]
    found = [i for i in mine if matched[i] is not None and matched[i][1] == number]
    kind = [name for name, (t, k) in zip(kinds, triggers) if k == number]
    late = [matched[i][0] - events[i][0] for i in found]
    active = [t for a, b, k in segments for t in range(a, b) if k == number]
    return dict(n_events=len(mine), true=len(found), missed=sum(matched[i] is None for i in mine),
                wrong=len(mine) - len(found) - sum(matched[i] is None for i in mine),
                corrected=sum(corrected[i] for i in mine), wrong_triggers=kind.count("wrong"), n_triggers=len(kind),
                latency=sum(late), in_time=sum(t <= deadline for t in late), false=kind.count("false"),
                false_positives=kind.count("false") + kind.count("duplicate") + (0 if allow_repeats else kind.count("repeat")),
                false_active=sum(not any(events[i][2] == number and t in window[i] for i in range(len(events))) for t in active),
                n_segments=sum(k == number for _, _, k in segments),
                overlap50=sum(events[i][2] == number for _, i in pairs_by_overlap(events, segments, 50)))


def event_figures(n_classes, labels, events, segments, triggers, early, late, allow_repeats, deadline):
    window = [set(range(s - early[k], e + late[k])) for s, e, k in events]
    matched = [None] * len(events)
    r = dict(true=0, wrong=0, false=0, false_unlabelled=0, repeats=0, duplicates=0)
    kinds = []
    for t, k in triggers:
        inside = [i for i in range(len(events)) if t in window[i]]
        free = [i for i in inside if matched[i] is None]
        own = [i for i in free if events[i][2] == k]
        if own or free:
            i = (own or free)[0]
            matched[i] = (t, k)
            kinds.append("true" if own else "wrong")
            r[kinds[-1]] += 1
        elif any(events[i][2] == k for i in inside):
            r["repeats"] += 1
            kinds.append("repeat")
        elif inside:
            r["duplicates"] += 1
            kinds.append("duplicate")
        else:
            r["false"] += 1
            kinds.append("false")
            r["false_unlabelled"] += int(labels[t] == IGNORE)
    r["missed"] = sum(m is None for m in matched)
    corrected = [m is not None and m[1] != e[2] and any(t > m[0] and k == e[2] and t in w for t, k in triggers)
                 for m, e, w in zip(matched, events, window)]
    r["corrected"] = sum(corrected)
    r["latencies"] = [m[0] - e[0] for m, e in zip(matched, events) if m is not None and m[1] == e[2]]
    r["in_time"] = sum(t <= deadline for t in r["latencies"])
    r["false_positives"] = r["false"] + r["duplicates"] + (0 if allow_repeats else r["repeats"])
    everywhere = set().union(*window)
    outside = [t for t in range(len(labels)) if t not in everywhere]
    r["rejection_frames"] = len(outside)
    r["rejection_unlabelled"] = int(sum(labels[t] == IGNORE for t in outside))
    active = {t: k for a, b, k in segments for t in range(a, b)}
    r["false_active"] = sum(not any(e[2] == k and t in w for e, w in zip(events, window)) for t, k in active.items())
    r["segments_unlabelled"] = int(sum(
        not any(a < e and s < b for s, e, _ in events) and 2 * sum(labels[t] == IGNORE for t in range(a, b)) > b - a
        for a, b, _ in segments))
    for percent in (50, 75):
        r["overlap%d" % percent] = len(pairs_by_overlap(events, segments, percent))
    r["classes"] = [class_figures(number, labels, events, segments, triggers, kinds, matched, window, deadline, allow_repeats,
                                  corrected) for number in range(n_classes)]
    return r


def main():
    rng = np.random.default_rng(20261123)
    cases = []
    for number in range(24):
        n_classes, events_classes = (4, [1, 2, 3]) if number % 2 else (5, [2, 4])
        labels, events, segments, triggers, predictions = scene(rng, 240 + 40 * (number % 12), n_classes, events_classes, 4 + number % 12)
        own = number >= 12  # each class has margins of its own, wide enough that windows begin in another order than events
        early = rng.integers(0, 30, n_classes).tolist() if own else [int(rng.integers(0, 8))] * n_classes
        late = rng.integers(0, 40, n_classes).tolist() if own else [int(rng.integers(0, 12))] * n_classes
        allow = bool(number % 3 == 0)
        deadline = 3 * (number % 5)
        cases.append(dict(n_classes=n_classes, deadline=deadline, early=early, late=late, allow_repeats=allow, labels=labels.tolist(),
                          predictions=predictions.tolist(), events=events, segments=segments, triggers=triggers,
                          frames=frame_figures(labels, predictions, events, early, late, n_classes),
                          result=event_figures(n_classes, labels, events, segments, triggers, early, late, allow, deadline)))
    print(json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{"))


main()
