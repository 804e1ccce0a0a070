#!/usr/bin/env python3
"""crossval.py: recipes for SPSW and HAPT compared by cross-validation of the people that are no test people. Test people are never read.

    crossval.py run TINAMOU WORK HAPT_FOLDER SPSW_FOLDER [ROW...]    # adds the trainings that are missing to crossval.csv, then the table
    crossval.py table                                                # the table of docs/quality.md from crossval.csv

A row is an example with changes (rows.py). It is trained for each fold and seed on the people of the other folds, quantised, and read at the
last weights on the people of its own fold: half of them are called validation people, the others test people, and nothing is chosen by
either but the decision rule of events, which the first half chooses and the other half is read with. Needs Python alone; two at a time."""

import concurrent.futures
import csv
import json
import os
import re
import statistics
import subprocess
import sys

from rows import ROWS

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TABLE = os.path.join(HERE, "crossval.csv")
COUNTS = ["n_events", "n_segments", "overlap50", "missed", "wrong_class", "false_positives", "rejection_hours"]
COLUMNS = ["row", "fold", "seed", "frames", "right"] + COUNTS
FOLDS = {
    "spsw": [["s01", "s05", "s08", "s14", "s17"], ["s03", "s06", "s10", "s15", "s21"], ["s07", "s12", "s16", "s19", "s23"]],
    "hapt": [["1", "6", "11", "16", "21", "25", "28"], ["3", "7", "14", "17", "22", "26", "29"], ["5", "8", "15", "19", "23", "27", "30"]],
}
TEST = {"spsw": ["s02", "s11", "s20"], "hapt": ["2", "4", "9", "10", "12", "13", "18", "20", "24"]}
SEEDS = (1, 2, 3)
PAGE = os.path.join(ROOT, "docs", "quality.md")
BEGIN, END = "<!-- crossval.py writes this table -->", "<!-- end of the table -->"
SHOWN = ["frames right", "IoU.5 F1", "missed or wrong", "false per hour"]


def settings(row, fold, seed):
    """The example's text with the changes of the row, the people of the fold and the seed."""
    example, changes = ROWS[row]
    with open(os.path.join(ROOT, "examples", example, "tinamou.yaml")) as f:
        text = f.read()
    data = example.split("-")[0]
    people = FOLDS[data][fold - 1]
    half = (len(people) + 1) // 2
    # one model that is trained once, with the class weights of before, and last weights; then what the row says
    text = re.sub(r"(?m)^  (keep_last|cross_validation|class_weight_power): .*\n", "", text)
    text = re.sub(r"(?ms)^compress:.*?(?=^quantize:)", "", text)
    changes = changes + [
        (r"(?m)^  validation: .*$", "  validation: [%s]" % ", ".join(people[:half])),
        (r"(?m)^  test: .*$", "  test: [%s]" % ", ".join(people[half:])),
        (r"(?m)^seed: .*$", "seed: %d" % seed),
        (r"(?m)^train:\n", "train:\n  keep_last: true\n"),
    ]
    for pattern, new in changes:
        text, n = re.subn(pattern, new, text)
        if n == 0:
            sys.exit(f"crossval: row '{row}': nothing in examples/{example}/tinamou.yaml is like '{pattern}'; mend rows.py")
    return text


def without_test_people(data, folder, work):
    """A folder like the published one, of links, that lacks the test people."""
    name = {"spsw": r"DATA/(s\d+)", "hapt": r"RawData/(?:acc|gyro)_exp\d+_user0*(\d+)\.txt"}[data]
    result = os.path.join(work, "data-" + data)
    for base, folders, files in os.walk(folder):
        inside = os.path.relpath(base, folder)
        os.makedirs(os.path.join(result, inside), exist_ok=True)
        for item in files:
            path = os.path.normpath(os.path.join(inside, item))
            person = re.match(name, path)
            link = os.path.join(result, path)
            if not (person and person[1] in TEST[data]) and not os.path.lexists(link):
                os.symlink(os.path.abspath(os.path.join(base, item)), link)
    return result


def measure(tinamou, work, folders, row, fold, seed):
    """One training: its line of the table."""
    data = data_of(row)
    project = os.path.join(work, re.sub(r"\W+", "_", f"{row}_{fold}_{seed}"))
    os.makedirs(project, exist_ok=True)
    with open(os.path.join(project, "tinamou.yaml"), "w") as f:
        f.write(settings(row, fold, seed))
    out = subprocess.run([tinamou, "evaluate", project, "--data", folders[data], "--json", "--quiet", "--threads", "1"],
                         capture_output=True, text=True)
    if out.returncode:
        raise SystemExit(f"crossval: {row}, fold {fold}, seed {seed}: {out.stderr}")
    with open(os.path.join(json.loads(out.stdout)["run"]["folder"], "metrics.json")) as f:
        metrics = json.load(f)
    halves = [metrics[half]["integer"] for half in ("validation", "test")]
    result = {"row": row, "fold": fold, "seed": seed}
    confusions = [half["frames"]["confusion"] for half in halves]
    result["frames"] = sum(sum(map(sum, c)) for c in confusions)
    result["right"] = sum(c[k][k] for c in confusions for k in range(len(c)))
    if "events" in halves[1]:
        result |= {count: halves[1]["events"][count] for count in COUNTS}
    return result


def data_of(row):
    return ROWS[row][0].split("-")[0]


def load():
    if not os.path.exists(TABLE):
        return []
    with open(TABLE) as f:
        return list(csv.DictReader(f))


def save(table):
    order = list(ROWS)
    table.sort(key=lambda r: (order.index(r["row"]) if r["row"] in ROWS else len(order), int(r["fold"]), int(r["seed"])))
    with open(TABLE + ".part", "w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    os.replace(TABLE + ".part", TABLE)


def run(tinamou, work, hapt, spsw, wanted):
    folders = {data: without_test_people(data, folder, work) for data, folder in (("hapt", hapt), ("spsw", spsw))}
    table = load()
    done = {(r["row"], int(r["fold"]), int(r["seed"])) for r in table}
    todo = [(row, fold, seed) for row in wanted or ROWS for seed in SEEDS for fold in (1, 2, 3) if (row, fold, seed) not in done]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for future in concurrent.futures.as_completed([pool.submit(measure, tinamou, work, folders, *one) for one in todo]):
            table.append(future.result())
            save(table)
            print(future.result(), file=sys.stderr, flush=True)


# ---- the table ----

def figures(lines):
    """Of the folds of one seed, as if one model had been read on all their people."""
    sums = {c: sum(float(line[c] or 0) for line in lines) for c in COLUMNS[3:]}
    result = {"frames right": 100 * sums["right"] / sums["frames"]}
    if sums["n_events"]:
        result |= {"IoU.5 F1": 200 * sums["overlap50"] / (sums["n_events"] + sums["n_segments"]),
                   "missed or wrong": 100 * (sums["missed"] + sums["wrong_class"]) / sums["n_events"],
                   "false per hour": sums["false_positives"] / sums["rejection_hours"]}
    return result


def lines_of(row, table):
    """The row of the Markdown table over the seeds of which all folds are there; none: no line."""
    seeds = []
    for seed in SEEDS:
        lines = [r for r in table if r["row"] == row and int(r["seed"]) == seed]
        seeds += [figures(lines)] if len(lines) == 3 else []
    if not seeds:
        return []
    cells = [row, str(len(seeds))]
    for name in SHOWN:
        values = [s[name] for s in seeds if name in s]
        spread = " +-%.1f" % statistics.stdev(values) if len(values) > 1 else ""
        cells.append("%.1f%s" % (statistics.mean(values), spread) if values else "")
    return ["| " + " | ".join(cells) + " |"]


def write_table():
    table = load()
    lines = ["| row | seeds | " + " | ".join(SHOWN) + " |", "|---|---|" + "---|" * len(SHOWN)]
    lines += [line for row in ROWS for line in lines_of(row, table)]
    with open(PAGE) as f:
        before, rest = f.read().split(BEGIN)
    with open(PAGE, "w") as f:
        f.write(before + BEGIN + "\n" + "\n".join(lines) + "\n" + END + rest.split(END)[1])


if __name__ == "__main__":
    if len(sys.argv) >= 6 and sys.argv[1] == "run":
        run(*sys.argv[2:6], sys.argv[6:])
    elif sys.argv[1:] != ["table"]:
        sys.exit(__doc__)
    write_table()
