#!/usr/bin/env python3
"""pareto.py: what each way of compression costs and saves on the device, on HAPT activities and SPSW.

    pareto.py run TINAMOU WORK HAPT_FOLDER SPSW_FOLDER    # adds the runs that are missing to pareto.csv, then draws
    pareto.py draw                                        # docs/compression.svg and the tables, from pareto.csv

Every run is `tinamou deploy` on hapt.yaml or spsw.yaml with other settings; figures are those that it prints with --json. Runs that
train the same network share the training: its checkpoint is put into the new run's folder, from which it goes on; so is the
second measurement of seed 1, with `deploy: {optimize: size}`. To measure the same models with another code generator, empty
pareto.csv and run again in the same WORK folder: all but deploy is done then. Needs Python alone. 76 runs, some 20 minutes on two cores
with AMX."""

import csv
import hashlib
import json
import math
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TABLE = os.path.join(HERE, "pareto.csv")
COLUMNS = ["data", "variant", "seed", "parameters", "nonzero", "flash_bytes", "weight_bytes", "ram_bytes", "insn_per_frame",
           "size_flash_bytes", "size_insn_per_frame", "frame_accuracy", "macro_f1", "iou50_f1", "fnr", "fcr", "fp_per_hour", "float_frame_accuracy"]
DATA = ("hapt", "spsw")
TEACHER = """layers: [{op: conv1d, units: 48, kernel: 7, stride: 2}, {op: batch_norm}, {op: relu}, {op: conv1d, units: 64, kernel: 5, stride: 2},
      {op: batch_norm}, {op: relu}, {op: gru, units: 64}, {op: dropout, rate: 0.2}, {op: dense}]"""
PRUNE = "{method: prune, keep: %s}"
SPARSE = "{method: sparse, keep: %s, steps: 2000}"
SHARE = "{method: share, entries: %s}"
RANK = "{method: low_rank, keep: %s}"
NINE = "{method: distill, teachers: 9, weight: 1, temperature: 1, steps: 4000, learning_rate: 4e-3}"  # of the model's own layers

# variant: (steps of compress, other changes of the settings as (pattern, text))
INT4 = [("quantize: {steps: 300}", "quantize: {steps: 1000, weight_bits: 4}")]


def narrow(conv, middle, units):
    return [("units: 24, kernel: 7", f"units: {conv}, kernel: 7"), ("conv1d, units: 32", f"conv1d, units: {middle}"),
            ("gru, units: 32", f"gru, units: {units}")]


VARIANTS = {
    "base": ([], []),
    "longer": (["{method: prune, keep: 1, steps: 2000}"], []),  # the fine-tuning alone
    "narrow 20": ([], narrow(16, 20, 20)),
    "narrow 16": ([], narrow(12, 16, 16)),
    "narrow 12": ([], narrow(12, 12, 12)),
    "prune .75": ([PRUNE % 0.75], []),
    "prune .5": ([PRUNE % 0.5], []),
    "prune .35": ([PRUNE % 0.35], []),
    "sparse .7": ([SPARSE % 0.7], []),
    "sparse .5": ([SPARSE % 0.5], []),
    "sparse .3": ([SPARSE % 0.3], []),
    "low_rank .8": ([RANK % 0.8], []),
    "low_rank .6": ([RANK % 0.6], []),
    "share 16": ([SHARE % 16], []),
    "int4": ([], INT4),
    "distill": (["{method: distill, weight: 0.5, steps: 2000, %s}" % TEACHER], []),
    "distill late": (["{method: distill, weight: 0.5, steps: 2000, delay_ms: 320, %s}" % TEACHER], []),
    "distill 9": ([NINE], []),
    "prune .5 + distill": ([PRUNE % 0.5, "{method: distill, weight: 0.5, steps: 2000, %s}" % TEACHER], []),
    "prune .5 + distill 9": ([PRUNE % 0.5, NINE], []),
    "prune .5 + share 16": ([PRUNE % 0.5, SHARE % 16], []),
    "prune .5 + int4": ([PRUNE % 0.5], INT4),
    "prune .35 + int4": ([PRUNE % 0.35], INT4),
    "prune .5 + sparse .6": ([PRUNE % 0.5, SPARSE % 0.6], []),
}
CHOSEN = ["base", "narrow 16", "prune .5", "sparse .5", "share 16", "int4", "prune .5 + int4"]  # three seeds


def settings(data, variant, folder, seed, optimize):
    with open(os.path.join(HERE, data + ".yaml")) as f:
        text = f.read()
    steps, changes = VARIANTS[variant]
    changes = changes + [(re.search("path: recordings.*", text).group(), f"path: {folder}"), ("seed: 1", f"seed: {seed}")]
    for pattern, replacement in changes:
        assert pattern in text, pattern
        text = text.replace(pattern, replacement, 1)
    if steps:
        text += "compress:\n" + "".join(f"  - {s}\n" for s in steps)
    return text + f"deploy: {{verify_frames: 20000, optimize: {optimize}}}\n"


def tinamou(program, command, project, *options):
    done = subprocess.run([program, command, project, "--json", "--quiet", *options], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def prepare(program, project, text):
    """The folder of the run with these settings."""
    os.makedirs(project, exist_ok=True)
    with open(os.path.join(project, "tinamou.yaml"), "w") as f:
        f.write(text)
    return tinamou(program, "data", project)["run"]["folder"]


def checkpoints(folder):
    return [name for name in os.listdir(folder) if name.endswith("_checkpoint.safetensors")]


def by_size(program, project, text, done):
    """Flash and instructions of the same model with `optimize: size`; every training is done in the run `done`."""
    place = prepare(program, project, text)
    for name in checkpoints(done):
        shutil.copy(os.path.join(done, name), os.path.join(place, name))
    result = tinamou(program, "deploy", project, "--force")["deploy"]
    return {"size_flash_bytes": result["flash_bytes"], "size_insn_per_frame": result["insn_per_frame"]}


def run(program, work, data, variant, seed, folder):
    project = os.path.join(work, data)
    text = settings(data, variant, folder, seed, "balanced")
    place = prepare(program, project, text)
    network = re.sub(r"\W+", "_", text[text.index("model:"):text.index("train:")]) + str(seed)
    shared = os.path.join(work, f"{data}_{hashlib.sha256(network.encode()).hexdigest()[:12]}.safetensors")
    checkpoint = os.path.join(place, "train_checkpoint.safetensors")
    if os.path.exists(shared) and not os.path.exists(checkpoint):
        shutil.copy(shared, checkpoint)
    result = tinamou(program, "deploy", project, "--force")  # anew: runs are not named by the generator's version
    shutil.copy(checkpoint, shared)
    size = result.get("compress", {}).get("steps", [{}])[-1]
    row = {"data": data, "variant": variant, "seed": seed,
           "parameters": size.get("parameters", result["train"]["parameters"]),
           "nonzero": size.get("nonzero", result["train"]["parameters"]),
           **{k: result["deploy"][k] for k in ("flash_bytes", "weight_bytes", "ram_bytes", "insn_per_frame")},
           **{k: result["evaluate"][k] for k in COLUMNS[COLUMNS.index("frame_accuracy"):]}}
    if seed == 1:
        row.update(by_size(program, project, settings(data, variant, folder, seed, "size"), place))
    return row


def read_table():
    if not os.path.exists(TABLE):
        return []
    with open(TABLE) as f:
        return list(csv.DictReader(f))


def write_table(rows):
    order = {v: i for i, v in enumerate(VARIANTS)}
    rows.sort(key=lambda r: (r["data"], order[r["variant"]], int(r["seed"])))
    with open(TABLE, "w", newline="") as f:
        out = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        out.writeheader()
        for r in rows:
            out.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in r.items()})


def run_all(program, work, folders):
    for seed in (1, 2, 3):
        for data in DATA:
            for variant in VARIANTS if seed == 1 else CHOSEN:
                rows = read_table()
                if any((r["data"], r["variant"], r["seed"]) == (data, variant, str(seed)) for r in rows):
                    continue
                print(data, variant, seed, file=sys.stderr, flush=True)
                rows.append(run(program, work, data, variant, seed, folders[data]))
                write_table(rows)


def mean(rows, column):
    values = [float(r[column]) for r in rows if r[column] not in ("", "None")]
    return sum(values) / len(values) if values else float("nan")


def figures(data, seeds):
    """[(variant, runs, {column: mean})] of variants with a run of each seed, in the order of VARIANTS"""
    table = [r for r in read_table() if r["data"] == data and r["seed"] in seeds]
    groups = [(v, [r for r in table if r["variant"] == v]) for v in VARIANTS]
    return [(v, len(g), {c: mean(g, c) for c in COLUMNS[3:]}) for v, g in groups if len(g) == len(seeds)]


FAMILIES = [("narrow", "#888888"), ("prune", "#1f77b4"), ("sparse", "#ff7f0e"), ("low_rank", "#9467bd"), ("share", "#2ca02c"),
            ("int4", "#d62728"), ("distill", "#8c564b"), ("combined", "#e377c2"), ("base", "#000000")]


def family(variant):
    return "combined" if "+" in variant else {"longer": "base"}.get(variant, variant.split()[0])


def place(taken, x, y, width, left, right):
    """The box for a name beside a point: the first around it that hits the fewest names and points."""
    boxes = [(x + dx, y + dy - 5, x + dx + width, y + dy + 5)
             for dx, dy in ((7, 10), (7, -8), (-7 - width, -8), (-7 - width, 10), (9, 1), (-9 - width, 1), (-width / 2, -13), (-width / 2, 15),
                            (7, 20), (7, -18), (-7 - width, -18), (-7 - width, 20))]
    boxes = [b for b in boxes if left < b[0] and b[2] < right]
    hits = lambda b, t: b[0] < t[2] and t[0] < b[2] and b[1] < t[3] and t[1] < b[3]
    return min(boxes, key=lambda b: sum((5 if t[2] - t[0] > 8 else 1) * hits(b, t) for t in taken))


def panel(out, left, top, points, column, label, title):
    width, height = 420, 300
    points = [(v, f[c], 100 * f["frame_accuracy"], c != column) for v, _, f in points for c in (column, "size_" + column)]
    xs, ys = [p[1] for p in points], [p[2] for p in points]
    x0, x1, y0, y1 = 0.95 * min(xs), 1.03 * max(xs), min(ys) - 0.4, max(ys) + 0.4
    sx, sy = lambda v: left + math.log(v / x0) / math.log(x1 / x0) * width, lambda v: top + height - (v - y0) / (y1 - y0) * height
    out.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999"/>')
    out.append(f'<text x="{left}" y="{top - 8}" font-weight="bold">{title}</text>')
    out.append(f'<text x="{left + width / 2}" y="{top + height + 34}" text-anchor="middle">{label}</text>')
    for v in range(int(y0) + 1, int(y1) + 1):
        out.append(f'<text x="{left - 6}" y="{sy(v) + 4:.0f}" text-anchor="end">{v}</text>'
                   f'<line x1="{left}" x2="{left + width}" y1="{sy(v):.1f}" y2="{sy(v):.1f}" stroke="#eee"/>')
    for v in (v for v in (1000, 1500, 2000, 3000, 4000, 5000, 6000, 8000, 10000, 14000, 20000) if x0 < v < x1):
        out.append(f'<text x="{sx(v):.0f}" y="{top + height + 16}" text-anchor="middle">{v}</text>')
    best = -1.0
    front = []
    for x, y in sorted(zip(xs, ys), key=lambda p: (p[0], -p[1])):
        if y > best:
            front.append((x, y))
            best = y
    out.append('<polyline fill="none" stroke="#bbb" stroke-dasharray="4 3" points="%s"/>' %
               " ".join(f"{sx(x):.1f},{sy(y):.1f}" for x, y in front))
    for variant, x, y, small in points:
        colour = dict(FAMILIES)[family(variant)]
        out.append(f'<circle cx="{sx(x):.1f}" cy="{sy(y):.1f}" r="4" fill="{"white" if small else colour}" stroke="{colour}">'
                   f'<title>{variant}{", size" if small else ""}: {x:.0f}, {y:.2f} %</title></circle>')
    taken = [(sx(x) - 4, sy(y) - 4, sx(x) + 4, sy(y) + 4) for _, x, y, _ in points]
    for variant, x, y, _ in points:
        if (x, y) in front:
            colour = dict(FAMILIES)[family(variant)]
            box = place(taken, sx(x), sy(y), 4.7 * len(variant), left, left + width)
            taken.append(box)
            out.append(f'<text x="{box[0]:.1f}" y="{box[3] - 2:.1f}" font-size="9" fill="{colour}">{variant}</text>')


def draw():
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="1000" height="840" font-family="sans-serif" font-size="11">',
           '<rect width="1000" height="840" fill="white"/>']
    for i, (data, name) in enumerate((("hapt", "HAPT activities"), ("spsw", "SPSW"))):
        points = figures(data, "1")
        if points:
            for j, (column, label) in enumerate((("flash_bytes", "flash, bytes"), ("insn_per_frame", "Cortex-M4 instructions per frame"))):
                panel(out, 50 + 490 * j, 40 + 380 * i, points, column, label, f"{name}: frame accuracy of int8, seed 1, %")
    for i, (name, colour) in enumerate(FAMILIES):
        out.append(f'<circle cx="{60 + 100 * i}" cy="805" r="4" fill="{colour}"/><text x="{70 + 100 * i}" y="809">{name}</text>')
    out.append('<text x="60" y="825">filled: optimize balanced; hollow: optimize size; dashed: what nothing else beats</text></svg>\n')
    with open(os.path.join(ROOT, "docs", "compression.svg"), "w") as f:
        f.write("\n".join(out))
    for data in DATA:
        print(f"\n| {data}, seed 1 | not zero | flash | instructions | size: flash | instructions | frame accuracy | macro F1 "
              "| IoU.5 F1 | missed | false positives per hour |\n|---|---|---|---|---|---|---|---|---|---|---|")
        for variant, _, f in figures(data, "1"):
            print(f"| {variant} | {f['nonzero']:.0f} | {f['flash_bytes']:.0f} | {f['insn_per_frame']:.0f} | {f['size_flash_bytes']:.0f} | "
                  f"{f['size_insn_per_frame']:.0f} | {scores(f)} |")
        print(f"\n| {data}, mean of 3 seeds | flash | instructions | frame accuracy | macro F1 | IoU.5 F1 | missed "
              "| false positives per hour |\n|---|---|---|---|---|---|---|---|")
        for variant, _, f in figures(data, "123"):
            print(f"| {variant} | {f['flash_bytes']:.0f} | {f['insn_per_frame']:.0f} | {scores(f)} |")


def scores(f):
    return f"{100 * f['frame_accuracy']:.1f} | {f['macro_f1']:.3f} | {f['iou50_f1']:.3f} | {f['fnr']:.3f} | {f['fp_per_hour']:.1f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"] and len(sys.argv) == 6:
        run_all(sys.argv[2], sys.argv[3], {"hapt": sys.argv[4], "spsw": sys.argv[5]})
    elif sys.argv[1:] != ["draw"]:
        sys.exit(__doc__)
    draw()
