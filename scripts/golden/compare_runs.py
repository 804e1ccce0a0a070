#!/usr/bin/env python3
"""Two sides of two seeds each as small metrics.json files, and what a paired bootstrap written with numpy says of them: the golden
values of tests/evaluate/test_compare.c. Needs numpy. Writes tests/evaluate/files/compare/."""
import json
import pathlib

import numpy as np

CLASSES, PEOPLE, RATE, DRAWS = 3, 8, 50.0, 50000
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "tests/evaluate/files/compare"
FIGURES = ["frame_accuracy", "macro_f1", "fnr", "worst_fnr", "fcr", "fp_per_hour", "deadline_recall", "latency_mean_s", "event_f1", "segment_f1",
           "iou50_f1"]


def person(rng, labels, n_events, hours, skill):
    """Counts of one person under one model."""
    said = np.where(rng.random(len(labels)) < skill, labels, rng.integers(0, CLASSES, len(labels)))
    classes = [[int((labels == k).sum()), int((said == k).sum()), int(((labels == k) & (said == k)).sum())] for k in range(CLASSES)]
    found, wrong, missed = rng.multinomial(n_events, [skill, (1 - skill) / 3, 2 * (1 - skill) / 3])
    segments = int(found + wrong + rng.poisson(1))
    return {
        "classes": classes,
        "events": {
            "n_events": n_events, "missed": int(missed), "wrong_class": int(wrong), "true_positives": int(found),
            "false_positives": int(rng.poisson(6 * (1 - skill))), "n_segments": segments,
            "overlap50": int(rng.binomial(min(segments, n_events), skill)), "rejection_hours": hours,
            "in_time": int(rng.binomial(found, skill)), "units_true": 3 * n_events, "units_said": 3 * segments,
            "units_right": int(rng.binomial(3 * min(segments, n_events), skill)),
            "latency_mean_s": int(rng.gamma(4, 0.08) * RATE * found) / RATE / int(found) if found else None,
        },
    }


def world():
    rng = np.random.default_rng(7)
    labels = [rng.integers(0, CLASSES, int(rng.integers(300, 900))) for _ in range(PEOPLE)]
    events = [int(rng.integers(3, 25)) for _ in range(PEOPLE)]
    hours = [round(float(rng.uniform(0.1, 0.5)), 4) for _ in range(PEOPLE)]
    ease = rng.uniform(-0.12, 0.12, PEOPLE)
    sides = {}
    for name, skill in {"a1": 0.72, "a2": 0.74, "b1": 0.80, "b2": 0.77}.items():
        sides[name] = [person(rng, labels[i], events[i], hours[i], skill + ease[i]) for i in range(PEOPLE)]
    return sides


def figures(people, drawn):
    """All figures from the summed counts of those drawn."""
    classes = sum(np.array(people[i]["classes"]) for i in drawn)
    e = {k: sum((people[i]["events"][k] or 0) for i in drawn) for k in people[0]["events"] if k != "latency_mean_s"}
    latency = sum((people[i]["events"]["latency_mean_s"] or 0) * people[i]["events"]["true_positives"] for i in drawn)
    return np.array([
        classes[:, 2].sum() / classes[:, 0].sum(),
        np.mean(2 * classes[:, 2] / (classes[:, 0] + classes[:, 1])),
        e["missed"] / e["n_events"], max(people[i]["events"]["missed"] / people[i]["events"]["n_events"] for i in drawn), e["wrong_class"] / e["n_events"], e["false_positives"] / e["rejection_hours"],
        e["in_time"] / e["n_events"], latency / e["true_positives"],
        2 * e["true_positives"] / (e["true_positives"] + e["wrong_class"] + e["false_positives"] + e["n_events"]),
        2 * e["units_right"] / (e["units_true"] + e["units_said"]), 2 * e["overlap50"] / (e["n_segments"] + e["n_events"]),
    ])


def bootstrap(sides, a, b, draws):
    rng = np.random.default_rng(11)
    differences = np.empty((draws, len(FIGURES)))
    for r in range(draws):
        drawn = rng.integers(0, PEOPLE, PEOPLE)
        mean = [np.mean([figures(sides[group[s]], drawn) for s in rng.integers(0, len(group), len(group))], axis=0) for group in (a, b)]
        differences[r] = mean[1] - mean[0]
    return differences


def main():
    sides = world()
    for name, people in sides.items():
        metrics = {
            "format": 1, "data_hash": "d" * 64, "rate_hz": RATE, "has_events": True,
            "classes": [{"name": f"c{k}", "event": k > 0} for k in range(CLASSES)],
            "settings": {"early_ms": 200.0, "late_ms": 500.0, "deadline_ms": 1000.0, "allow_repeats": True},
            "test": {"integer": {"people": [{"name": f"p{i}", **people[i]} for i in range(PEOPLE)]}},
        }
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
        (FOLDER / name / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    better = np.array([1, 1, -1, -1, -1, -1, 1, -1, 1, 1, 1])
    with open(FOLDER / "expected.txt", "w") as out:
        for a, b in ((["a1"], ["b1"]), (["a1", "a2"], ["b1", "b2"])):
            d = bootstrap(sides, a, b, DRAWS)
            gain = d * better
            everybody = range(PEOPLE)
            fa, fb = (np.mean([figures(sides[s], everybody) for s in group], axis=0) for group in (a, b))
            low, high = np.percentile(d, [2.5, 97.5], axis=0)
            wins = (gain > 0).mean(axis=0) + (gain == 0).mean(axis=0) / 2
            for f, name in enumerate(FIGURES):
                print(name, *(f"{x:.9g}" for x in (fa[f], fb[f], low[f], high[f], wins[f])), file=out)


main()
