#!/usr/bin/env python3
"""ablation.py: what each augmentation and each kind of soft label is worth, on SPSW and on the transitions of HAPT.

    ablation.py run TINAMOU WORK HAPT_FOLDER SPSW_FOLDER [ROW...]    # adds the runs that are missing to ablation.csv, then draws
    ablation.py draw                                                 # docs/augmentation.svg and the table, from ablation.csv

Every run is `tinamou train` on the settings of examples/spsw or examples/hapt-transitions with another `augment` or `border`; figures are
those of the last weights on the validation people (the last row of train_curve.csv), so nothing is chosen by them, and the test people
are never read. Three seeds. Needs Python alone. 171 runs, 45 minutes of one core."""

import csv
import glob
import json
import math
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TABLE = os.path.join(HERE, "ablation.csv")
FIGURES = ["accuracy", "macro_f1", "event_f1", "iou_f1"]
COLUMNS = ["data", "row", "seed"] + FIGURES + ["seconds"]
DATA = {"spsw": "spsw", "hapt": "hapt-transitions"}
STEPS = {"spsw": 2000, "hapt": 2500}  # not those of the examples
SEEDS = (1, 2, 3)
G = {"spsw": 9.81, "hapt": 1}  # one g in the unit of the accelerometer
OFF = {"probability": 0}


def usual(data):
    """What the examples have: the base of the rows with + and -."""
    if data == "spsw":
        return {"mirror": {"probability": 0.5}, "rotate": {"degrees": 20}, "scale": {"by": 0.1}, "speed": {"by": 0.1},
                "noise": {"accel": 0.2, "gyro": 0.05}}
    return {"rotate": {"degrees": 30}, "scale": {"by": 0.1}, "speed": {"by": 0.1}, "noise": {"accel": 0.005, "gyro": 0.01}}


def added(data):
    """What is added to the base, one at a time."""
    g = G[data]
    more = {} if data == "spsw" else {"mirror": {"probability": 0.5}}
    return more | {
        "warp": {"by": 0.2, "period_ms": 1000},
        "shift": {"ms": 100},
        "background": {"probability": 0.3, "snr_db": [5, 25]},
        "splice": {"probability": 0.3},
        "bias": {"accel": 0.03 * g, "gyro": 0.03},
        "drift": {"accel": 0.005 * g, "gyro": 0.005},
        "range": {"probability": 0.3, "share": [0.2, 1]},
        "resolution": {"probability": 0.3, "bits": [8, 12]},
        "drop": {"probability": 0.3, "per_minute": 20, "ms": [20, 300]},
        "mute": {"probability": 0.1},
    }


def changed(data):
    """Other values of what the base has."""
    g = G[data]
    return {"rotate 60 degrees": {"rotate": {"degrees": 60}},
            "strong noise": {"noise": {"accel": 0.03 * g, "gyro": 0.05 * (1 if data == "hapt" else 4)}},
            "noise of a data sheet": {"noise": {"accel_density": 150, "gyro_density": 10}}}


LABELS = {"labels ignored 100 ms": "ignored 100", "labels ramp 60 ms": "ramp 60", "labels ramp 200 ms": "ramp 200",
          "labels gaussian 200 ms": "gaussian 200"}


def rows(data):
    """name: (augment, border or None), in the order of the table."""
    base, none = usual(data), {"rotate": OFF, "scale": OFF, "speed": OFF}
    result = {"base": (base, None), "none": (none, None)}
    for op, values in base.items():
        result["only " + op] = (none | {op: values}, None)
    for op in base:
        result["- " + op] = ({**base, op: OFF}, None)
    for op, values in added(data).items():
        result["+ " + op] = (base | {op: values}, None)
    for name, values in changed(data).items():
        result[name] = (base | values, None)
    for name, border in LABELS.items():
        result[name] = (base, border)
    return result


def settings(data, row, seed, folder):
    with open(os.path.join(ROOT, "examples", DATA[data], "tinamou.yaml")) as f:
        text = f.read()
    augment, border = rows(data)[row]
    text = re.sub(r"(?m)^  augment:\n(    .*\n)*", f"  augment: {json.dumps(augment)}\n", text)
    text = re.sub(r"(?m)^  (keep_last|cross_validation): .*\n", "", text)
    keep = f"  steps: {STEPS[data]}\n  keep_last: true\n  evaluate_every: {STEPS[data]}\n"
    if border:
        kind, ms = border.split()
        keep += f"  border: {kind}\n  border_ms: {ms}\n"
    text = re.sub(r"(?m)^  steps: .*\n", keep, text, count=1)
    text = re.sub(r"(?m)^  path: .*$", f"  path: {folder}", text)
    return re.sub(r"(?m)^seed: .*$", f"seed: {seed}", text)


def load():
    if not os.path.exists(TABLE):
        return []
    with open(TABLE) as f:
        return list(csv.DictReader(f))


def train(tinamou, work, data, row, seed, folder):
    project = os.path.join(work, data)
    os.makedirs(project, exist_ok=True)
    with open(os.path.join(project, "tinamou.yaml"), "w") as f:
        f.write(settings(data, row, seed, folder))
    out = subprocess.run([tinamou, "train", project, "--json", "--quiet", "--threads", "1"], check=True, capture_output=True, text=True)
    result = json.loads(out.stdout)
    curve = os.path.join(project, "runs", result["run"]["id"], "train_curve.csv")
    if not os.path.exists(curve):
        curve = glob.glob(os.path.join(result["run"]["folder"], "train_curve.csv"))[0]
    with open(curve) as f:
        last = list(csv.DictReader(f))[-1]
    assert int(last["step"]) == STEPS[data], last
    return {"data": data, "row": row, "seed": seed, **{k: last["validation_" + k] for k in FIGURES},
            "seconds": "%.1f" % result["train"]["seconds"]}


def run(tinamou, work, hapt, spsw, wanted):
    table = load()
    done = {(r["data"], r["row"], int(r["seed"])) for r in table}
    for row in wanted or names():
        for data, folder in (("spsw", spsw), ("hapt", hapt)):
            for seed in SEEDS if row in rows(data) else ():
                if (data, row, seed) in done:
                    continue
                table.append(train(tinamou, work, data, row, seed, folder))
                print(table[-1], file=sys.stderr, flush=True)
                with open(TABLE, "w", newline="") as f:
                    writer = csv.DictWriter(f, COLUMNS, lineterminator="\n")
                    writer.writeheader()
                    writer.writerows(table)


# ---- the table and the picture ----

SHOWN = (("spsw", "accuracy"), ("spsw", "iou_f1"), ("hapt", "accuracy"), ("hapt", "iou_f1"))
NAMES = {"accuracy": "frames right", "iou_f1": "events, IoU.5 F1", "spsw": "SPSW", "hapt": "HAPT transitions"}
NOISE = {"accuracy": 1, "iou_f1": 4}  # points; less is noise
BEGIN, END = "<!-- ablation.py writes this table -->", "<!-- end of the table -->"


def mean_spread(values):
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else float("nan")


def by_row():
    """{(data, row): {figure: [points of each seed]}} of the rows with all seeds"""
    groups = {}
    for r in load():
        groups.setdefault((r["data"], r["row"]), []).append(r)
    return {key: {f: [100 * float(r[f]) for r in sorted(g, key=lambda r: int(r["seed"]))] for f in FIGURES}
            for key, g in groups.items() if len(g) == len(SEEDS)}


def names():
    """All rows: base and none, one operation alone, without one, with one more, then the others."""
    every = list(dict.fromkeys(list(rows("spsw")) + list(rows("hapt"))))
    kind = lambda row: next((i for i, k in enumerate(("base", "none", "only ", "- ", "+ ")) if row.startswith(k)), 5)
    return sorted(every, key=kind)


def write_table(groups):
    lines = ["| row | " + " | ".join(f"{NAMES[d]}: {NAMES[f]}" for d, f in SHOWN) + " |", "|---|" + "---|" * len(SHOWN)]
    for row in names():
        cells = []
        for data, figure in SHOWN:
            group = groups.get((data, row))
            if not group:
                cells.append("")
                continue
            text = "%.1f +-%.1f" % mean_spread(group[figure])
            if row != "base":
                base = groups[(data, "base")][figure]
                difference, spread = mean_spread([a - b for a, b in zip(group[figure], base)])
                clear = abs(difference) >= NOISE[figure] and abs(difference) > 2 * spread / math.sqrt(len(base))
                text += (" (**%+.1f**)" if clear else " (%+.1f)") % difference
            cells.append(text)
        if any(cells):
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
    path = os.path.join(ROOT, "docs", "augmentation.md")
    with open(path) as f:
        page = f.read()
    before, rest = page.split(BEGIN)
    with open(path, "w") as f:
        f.write(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])


def draw(groups):
    shown = [r for r in names() if any((d, r) in groups for d in DATA)]
    line, left, width, top, gap = 19, 175, 180, 54, 44
    total = left + len(SHOWN) * (width + gap), top + line * len(shown) + 44
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total[0]} {total[1]}" font-family="sans-serif" font-size="11">',
           f'<rect width="{total[0]}" height="{total[1]}" fill="white"/>']
    for i, row in enumerate(shown):
        y = top + line * i
        if i % 2 == 0:
            out.append(f'<rect x="4" y="{y}" width="{total[0] - 8}" height="{line}" fill="#f4f6f8"/>')
        out.append(f'<text x="12" y="{y + 13}"{" font-weight=" + chr(34) + "bold" + chr(34) if row == "base" else ""}>{row}</text>')
    for k, (data, figure) in enumerate(SHOWN):
        x0, span = left + k * (width + gap), 5 if figure == "accuracy" else 20
        at = lambda v: x0 + width / 2 + max(-span, min(span, v)) / span * width / 2
        bottom = top + line * len(shown)
        out.append(f'<text x="{x0}" y="22" font-weight="bold">{NAMES[data]}</text><text x="{x0}" y="38">{NAMES[figure]}, points to base</text>')
        out.append(f'<rect x="{at(-NOISE[figure]):.1f}" y="{top}" width="{at(NOISE[figure]) - at(-NOISE[figure]):.1f}" '
                   f'height="{bottom - top}" fill="#888" fill-opacity="0.18"/>')
        for v in (-span, 0, span):
            out.append(f'<line x1="{at(v):.1f}" x2="{at(v):.1f}" y1="{top}" y2="{bottom}" stroke="{"#666" if v == 0 else "#ddd"}"/>'
                       f'<text x="{at(v):.1f}" y="{bottom + 14}" text-anchor="middle">{"%+d" % v if v else "0"}</text>')
        base = groups.get((data, "base"))
        for i, row in enumerate(shown):
            group = groups.get((data, row))
            if not group or row == "base":
                continue
            y = top + line * i + line / 2
            differences = [a - b for a, b in zip(group[figure], base[figure])]
            mean, _ = mean_spread(differences)
            colour = "#0072b2" if mean >= 0 else "#d55e00"
            for v in differences:
                out.append(f'<circle cx="{at(v):.1f}" cy="{y}" r="2" fill="{colour}" fill-opacity="0.45"/>')
            out.append(f'<line x1="{at(0):.1f}" x2="{at(mean):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
                       f'<circle cx="{at(mean):.1f}" cy="{y}" r="4" fill="{colour}"><title>{row}: {mean:+.1f}</title></circle>')
    out.append(f'<text x="12" y="{total[1] - 8}">great dots: mean of three seeds; small: each seed, against the base with the same seed; '
               'grey: noise; what is beyond the frame stands at its edge</text></svg>\n')
    with open(os.path.join(ROOT, "docs", "augmentation.svg"), "w") as f:
        f.write("\n".join(out))


if __name__ == "__main__":
    if len(sys.argv) >= 6 and sys.argv[1] == "run":
        run(*sys.argv[2:6], sys.argv[6:])
    elif sys.argv[1:] != ["draw"]:
        sys.exit(__doc__)
    draw(by_row())
    write_table(by_row())
