#!/usr/bin/env python3
"""recover.py TINAMOU DATA WORK: plants wrong labels and counts how many of them `tinamou report --relabel` finds.

DATA holds hapt/ and spsw/. Of the labels of events of the validation and test people one in ten is made wrong, drawn by a fixed seed: every second one
is removed (it becomes what is labelled before it), the others become another event class. Training labels stay. Then three runs
(seeds 1 to 3) look for them. Prints a CSV line per run:

    project,seed,planted,rows,found,restored,first_n_right

rows: of the list; found: planted labels that share at least half of their time with a row; restored: of these, the row gives back the class that
was there; first_n_right: of the first `planted` rows, those that are planted labels.
"""

import csv
import json
import pathlib
import random
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECTS = [("hapt-transitions", "hapt"), ("spsw", "spsw")]
SEEDS = [1, 2, 3]
SHARE = 0.1
COLUMNS = ["stream", "start", "end", "label", "suggested"]


def tinamou(program, *arguments):
    done = subprocess.run([program, *map(str, arguments), "--quiet", "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def labels_of(run):
    """(stream, start, end, class, class before) in seconds of every label of an event of validation and test people."""
    metrics = json.loads((run / "metrics.json").read_text())
    timelines = json.loads((run / "timelines.json").read_text())
    classes, rate = metrics["classes"], metrics["rate_hz"]
    for stream in timelines["validation"] + timelines["streams"]:
        before = None
        for start, end, k in stream["intervals"]:
            if k >= 0 and classes[k]["event"] and before is not None:
                yield stream["id"], start / rate, end / rate, classes[k]["name"], before
            before = classes[k]["name"] if k >= 0 and not classes[k]["event"] else before
    return


def plant(labels, path):
    draw = random.Random(1)
    events = sorted({label[3] for label in labels})
    planted = draw.sample(labels, round(SHARE * len(labels)))
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for i, (stream, start, end, name, before) in enumerate(planted):
            wrong = before if i % 2 == 0 else draw.choice([e for e in events if e != name])
            out.writerow([stream, f"{start:.3f}", f"{end:.3f}", name, wrong])
    return planted


def shares(row, label):
    """Whether the row covers half of the label, or the other way round."""
    if row["stream"] != label[0]:
        return False
    start, end = float(row["start"]), float(row["end"])
    common = min(end, label[2]) - max(start, label[1])
    return common >= 0.5 * min(end - start, label[2] - label[1])


def judge(path, planted):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    hits = {label: [row for row in rows if shares(row, label)] for label in planted}
    found = [label for label, seen in hits.items() if seen]
    restored = [label for label in found if any(row["suggested"] == label[3] for row in hits[label])]
    first = [row for row in rows[: len(planted)] if any(shares(row, label) for label in planted)]
    return len(rows), len(found), len(restored), len(first)


def main():
    program, data, work = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    print("project,seed,planted,rows,found,restored,first_n_right", flush=True)
    for name, source in PROJECTS:
        project = work / name
        project.mkdir(parents=True, exist_ok=True)
        example = (ROOT / "examples" / name / "tinamou.yaml").read_text()
        example = re.sub(r"(?m)^  cross_validation: .*$", "  keep_last: true", example)
        (project / "tinamou.yaml").write_text(re.sub(r"(?ms)^compress:.*?(?=^quantize:)", "", example))
        result = tinamou(program, "evaluate", project, "--data", data / source, "--seed", SEEDS[0])
        planted = plant(list(labels_of(pathlib.Path(result["run"]["folder"]))), project / "planted.csv")
        settings = (project / "tinamou.yaml").read_text()
        (project / "tinamou.yaml").write_text(settings.replace("\ndata:\n", "\ndata:\n  relabel: planted.csv\n", 1))
        for seed in SEEDS:
            suspects = project / f"suspects_{seed}.csv"
            tinamou(program, "report", project, "--data", data / source, "--seed", seed, "--relabel", suspects)
            print(name, seed, len(planted), *judge(suspects, planted), sep=",", flush=True)


main()
