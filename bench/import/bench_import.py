#!/usr/bin/env python3
"""bench_import.py PATH_OF_BENCH_IMPORT FOLDER [MB]: MB/s of reading CSV files over pandas.read_csv (C engine) in the same run, turn by
turn, the fastest of 5 rounds each. Prints `id value unit`.

Two files as common loggers write them, made in FOLDER: six signals, a time in ms, a label; numbers with all digits of a float, and with
six decimals. Both sides end with all numbers, times and labels in memory. pandas reads the way that it is mostly called, whose numbers may
differ from the text in the last bits (its float_precision "round_trip", which does not, takes more than twice as long); bench_import's
numbers are exact. The figures are bytes of both files over seconds for both: one thread each, and all cores for one file at a time, which
pandas' C engine cannot use."""
import os
import subprocess
import sys
import time

import pandas

bench, folder = sys.argv[1], sys.argv[2]
megabytes = sys.argv[3] if len(sys.argv) > 3 else "60"
ROUNDS = 5


def ours(path, threads):
    """Seconds for the file, and the sum of its numbers."""
    words = subprocess.run([bench, "read", path, str(threads), "1"], check=True, capture_output=True, text=True).stdout.split()
    return os.path.getsize(path) / 1e6 / float(words[0]), float(words[-1])


def theirs(path):
    start = time.perf_counter()
    table = pandas.read_csv(path, engine="c")
    return time.perf_counter() - start, table.iloc[:, :6].to_numpy().sum()


seconds = {"one": 0.0, "all": 0.0, "pandas": 0.0}
for kind in ("long", "short"):
    path = os.path.join(folder, f"{kind}.csv")
    subprocess.run([bench, "make", path, megabytes, kind], check=True)
    best = dict.fromkeys(seconds, float("inf"))
    for _ in range(ROUNDS):
        sums = {}
        for name, (took, total) in (("one", ours(path, 1)), ("all", ours(path, 0)), ("pandas", theirs(path))):
            best[name] = min(best[name], took)
            sums[name] = total
        if max(sums.values()) - min(sums.values()) > 1e-4:
            sys.exit(f"bench_import: the sums differ: {sums}")
    for name in seconds:
        seconds[name] += best[name]
    os.remove(path)
print(f"data.csv_import_ratio {seconds['pandas'] / seconds['one']:.2f} ratio")
print(f"data.csv_import_ratio_all_cores {seconds['pandas'] / seconds['all']:.2f} ratio")
