#!/usr/bin/env python3
"""bench_replay.py PATH_OF_BENCH_REPLAY: frames per second of the integer model on the host over PyTorch's (2.2.2) of the same
network in float, in the same run, one thread each, turn by turn. Prints `id value unit`.

PyTorch runs 500 frames of one recording per call, from the state that the call before left, in inference mode."""
import statistics
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CHUNK, CHANNELS, CLASSES, ROUNDS = 500, 6, 6, 5


class ModelA(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv1d(CHANNELS, 16, 5, 2), nn.Conv1d(16, 24, 5, 2)
        self.g, self.d = nn.GRU(24, 24, batch_first=True), nn.Linear(24, CLASSES)

    def forward(self, x, state):
        x = F.relu(self.c1(F.pad(x.transpose(1, 2), (3, 0))))
        x = F.relu(self.c2(F.pad(x, (3, 0)))).transpose(1, 2)
        x, state = self.g(x, state)
        return self.d(x), state


def peer(recordings, seconds=1.0):
    m, x, state = ModelA().eval(), torch.randn(recordings, CHUNK, CHANNELS), None
    times, start = [], time.perf_counter()
    with torch.inference_mode():
        for _ in range(3):
            _, state = m(x, state)
        while time.perf_counter() - start < seconds or len(times) < 5:
            before = time.perf_counter()
            _, state = m(x, state)
            times.append(time.perf_counter() - before)
    return recordings * CHUNK / statistics.median(times)


def own(program, *arguments):
    return float(subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout)


def main():
    program = sys.argv[1]
    torch.set_num_threads(1)
    rounds = [(own(program), peer(1), peer(64), own(program, "plain")) for _ in range(ROUNDS)]
    ours, theirs, batch, plain = (statistics.median(column) for column in zip(*rounds))
    print("replay.ratio %.1f x" % (ours / theirs), flush=True)
    print("replay.ratio: %.0f frames/s, PyTorch %.0f (64 recordings per call: %.0f), the interpreter %.0f"
          % (ours, theirs, batch, plain), file=sys.stderr)


if __name__ == "__main__":
    main()
