#!/usr/bin/env python3
"""bench_train.py PATH_OF_BENCH_TRAIN [--kernels NAME] [ID...]: speed of a training step over PyTorch's (2.2.2) in the same run, one thread
each, turn by turn, with the best instructions of the machine or those of NAME (avx2, avx512, amx). Prints `id value unit`.

The step: forward, cross-entropy of every decision, backward, AdamW, chunks of 500 frames. PyTorch runs the same network at
its best: conv1d over the whole batch, nn.GRU, fused where it fuses by itself."""
import statistics
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CHUNK, CHANNELS, CLASSES, ROUNDS = 500, 6, 5, 3


class ModelA(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv1d(CHANNELS, 16, 5, 2), nn.Conv1d(16, 24, 5, 2)
        self.g, self.d = nn.GRU(24, 24, batch_first=True), nn.Linear(24, CLASSES)

    def forward(self, x):
        x = F.relu(self.c1(F.pad(x.transpose(1, 2), (3, 0))))
        x = F.relu(self.c2(F.pad(x, (3, 0)))).transpose(1, 2)
        return self.d(self.g(x)[0])


class ModelB(nn.Module):
    def __init__(self):
        super().__init__()
        self.g, self.d = nn.GRU(CHANNELS, 32, batch_first=True), nn.Linear(32, CLASSES)

    def forward(self, x):
        return self.d(self.g(x)[0])


def peer(model, batch, seconds=2.0):
    m = ModelA() if model == "a" else ModelB()
    adam = torch.optim.AdamW(m.parameters(), 1e-3)
    x = torch.randn(batch, CHUNK, CHANNELS)
    n = m(x).shape[1]
    y = torch.randint(0, CLASSES, (batch, n)).reshape(-1)

    def step():
        loss = F.cross_entropy(m(x).reshape(-1, CLASSES), y)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        adam.step()

    for _ in range(3):
        step()
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 5:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return batch * CHUNK / statistics.median(times)


def own(program, *arguments):
    arguments = [a for a in arguments if a]
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit("bench_train.py: %s" % done.stderr.strip())
    return float(done.stdout)


def main():
    program, wanted, kernels = sys.argv[1], sys.argv[2:], ""
    if wanted == ["--kernels"]:
        sys.exit("bench_train.py: --kernels needs a name: baseline, avx2, avx512 or amx")
    if wanted[:1] == ["--kernels"]:
        kernels, wanted = wanted[1], wanted[2:]
    torch.set_num_threads(1)
    for model in "ab":
        for batch in (16, 64):
            name = "train.%s%d.ratio" % (model, batch)
            if wanted and name not in wanted:
                continue
            rounds = [(own(program, model, batch, kernels), peer(model, batch)) for _ in range(ROUNDS)]
            ours, theirs = (statistics.median(r[k] for r in rounds) for k in (0, 1))
            print("%s %.1f x" % (name, ours / theirs), flush=True)
            print("%s: %.0f frames/s, PyTorch %.0f" % (name, ours, theirs), file=sys.stderr)
    if not wanted or "qat.cost_ratio" in wanted:
        costs = [own(program, "a", 16, kernels) / own(program, "a", 16, kernels, "quant") for _ in range(ROUNDS)]
        print("qat.cost_ratio %.2f x" % statistics.median(costs), flush=True)


if __name__ == "__main__":
    main()
