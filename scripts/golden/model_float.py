#!/usr/bin/env python3
"""Golden vectors for the float reference: small models in Tinamou's files, and the scores that PyTorch gives them.

    python3 scripts/golden/model_float.py tests/model/files       (torch 2.2.2, numpy 1.26)

The timing of strides: a layer with history L = (k - 1) * d + 1 and stride s sees L - s zeros before the stream (for L < s the
first s - L rows are dropped instead), so that its first output falls on row s - 1.
"""
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from model_files import chain, write_graph, write_tensors

RATE_HZ = 50.0


class Shift(nn.Module):
    """[1, channels, rows], aligned for a layer with this history and stride."""

    def __init__(self, history, stride):
        super().__init__()
        self.zeros = history - stride

    def forward(self, x):
        return F.pad(x, (self.zeros, 0))  # a negative count crops


def conv(i, o, k=1, s=1, d=1, depthwise=False):
    layer = nn.Conv1d(i, o, k, stride=s, dilation=d, groups=i if depthwise else 1)
    return {"op": "conv1d", "inputs": i, "outputs": o, "kernel": k, "stride": s, "dilation": d,
            "groups": i if depthwise else 1}, layer


def pool(i, k, s):
    return {"op": "avg_pool", "inputs": i, "outputs": i, "kernel": k, "stride": s}, None


def gru(i, o):
    return {"op": "gru", "inputs": i, "outputs": o}, nn.GRU(i, o, batch_first=True)


def dense(i, o):
    return {"op": "dense", "inputs": i, "outputs": o}, nn.Linear(i, o)


def norm(i):
    layer = nn.BatchNorm1d(i)
    with torch.no_grad():
        layer.weight.uniform_(0.5, 1.5)
        layer.bias.uniform_(-0.5, 0.5)
        layer.running_mean.uniform_(-0.5, 0.5)
        layer.running_var.uniform_(0.3, 2.0)
    return {"op": "batch_norm", "inputs": i, "outputs": i}, layer


def relu(i):
    return {"op": "relu", "inputs": i, "outputs": i}, None


def dropout(i, rate):
    return {"op": "dropout", "inputs": i, "outputs": i, "rate": rate}, None


# Channels, classes, layers.
MODELS = {
    "float_conv": lambda: (6, 5, [conv(6, 8, k=5, s=2), relu(8), conv(8, 8, k=3, d=2, depthwise=True), norm(8), relu(8),
                                  conv(8, 10, k=3, s=2, d=3), norm(10), dropout(10, 0.25), pool(10, 4, 2), dense(10, 6), relu(6),
                                  dense(6, 5)]),
    "float_gru": lambda: (3, 4, [conv(3, 6, k=3), relu(6), gru(6, 7), gru(7, 5), dense(5, 4)]),
    "float_long_stride": lambda: (2, 3, [conv(2, 4, k=1, s=3), conv(4, 8, k=2, s=5, depthwise=True), dense(8, 3)]),
    "float_one": lambda: (1, 1, [conv(1, 1, k=4, d=2), pool(1, 2, 3), dense(1, 1)]),
    "float_wide": lambda: (64, 200, [conv(64, 4, k=2, s=2), norm(4), relu(4), dense(4, 200)]),
}


def forward(layers, x):
    """x [rows, channels] -> scores [decisions, classes]"""
    x = x.T[None]
    for facts, layer in layers:
        op = facts["op"]
        if op in ("conv1d", "avg_pool"):
            k, s = facts["kernel"], facts["stride"]
            history = (k - 1) * facts.get("dilation", 1) + 1
            x = Shift(history, s)(x)
            x = layer(x) if layer is not None else F.avg_pool1d(x, k, s)
        elif op == "gru":
            x = layer(x.transpose(1, 2))[0].transpose(1, 2)
        elif op == "dense":
            x = layer(x.transpose(1, 2)).transpose(1, 2)
        elif op == "batch_norm":
            x = layer(x)
        elif op == "relu":
            x = torch.relu(x)
    return x[0].T


def make(folder, name, n_rows):
    n_channels, n_classes, layers = MODELS[name]()
    rng = np.random.default_rng(abs(sum(map(ord, name))))
    offset = rng.integers(-500, 500, n_channels)
    scale = rng.uniform(0.0005, 0.002, n_channels).astype(np.float32)
    counts = np.clip(rng.normal(0, 1500, (n_rows, n_channels)), -32768, 32767).astype(np.int16)
    tensors = {}
    for i, (facts, layer) in enumerate(layers):
        for key, default in (("kernel", 1), ("stride", 1), ("dilation", 1), ("groups", 1)):
            facts.setdefault(key, default)
        if layer is not None:
            layer.eval()
            for key, value in layer.state_dict().items():
                if key != "num_batches_tracked":
                    tensors["layers.%d.%s" % (i, key)] = value.numpy()
    with torch.no_grad():
        x = (torch.from_numpy(counts.astype(np.float32)) - torch.from_numpy(offset.astype(np.float32))) * torch.from_numpy(scale)
        scores = forward([(f, l.double() if l is not None else None) for f, l in layers], x.double()).numpy()
    hop = int(np.prod([facts["stride"] for facts, _ in layers]))
    assert scores.shape == (n_rows // hop, n_classes), scores.shape
    digest = write_tensors("%s/%s.safetensors" % (folder, name), tensors)
    write_graph("%s/%s.json" % (folder, name), {
        "format": "tinamou-model", "version": 1, "rate_hz": RATE_HZ,
        "channels": [{"name": "c%d" % c, "unit": "g", "scale": 0.001} for c in range(n_channels)],
        "classes": [{"name": "k%d" % k, "event": k > 0} for k in range(n_classes)],
        "input": {"offset": offset.tolist(), "scale": [float(s) for s in scale]},
        "layers": chain([facts for facts, _ in layers]), "hop": hop, "delay": 0, "tensors_sha256": digest})
    write_tensors("%s/%s.golden.safetensors" % (folder, name), {"counts": counts, "scores": scores.astype(np.float32)})


def main():
    torch.manual_seed(20260101)
    torch.set_num_threads(1)
    for name in MODELS:
        make(sys.argv[1], name, 61 if name == "float_wide" else 127)


main()
