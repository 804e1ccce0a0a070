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

from model_files import chain, hop_of, write_graph, write_tensors

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


def pool(i, k, s, op="avg_pool"):
    return {"op": op, "inputs": i, "outputs": i, "kernel": k, "stride": s}, None


class Recurrent(nn.Module):
    """What torch has no module for, one step after the other, from the definitions in docs/model-format.md."""

    def __init__(self, i, h, gates):
        super().__init__()
        for name, shape in (("weight_ih_l0", (gates * h, i)), ("weight_hh_l0", (gates * h, h)), ("bias_ih_l0", (gates * h,)),
                            ("bias_hh_l0", (gates * h,))):
            setattr(self, name, nn.Parameter(torch.empty(shape).uniform_(-1, 1) / h ** 0.5))

    def forward(self, x):
        h, rows = torch.zeros(self.weight_hh_l0.shape[1], dtype=x.dtype), []
        for row in x[0]:
            h = self.step(self.weight_ih_l0 @ row + self.bias_ih_l0, h)
            rows.append(h)
        return torch.stack(rows)[None], h


class Mgu(Recurrent):
    def step(self, a, h):
        b = self.weight_hh_l0 @ h + self.bias_hh_l0
        f = torch.sigmoid(a[:len(h)] + b[:len(h)])
        return (1 - f) * h + f * torch.tanh(a[len(h):] + f * b[len(h):])


class GruResetBefore(Recurrent):
    def step(self, a, h):
        n = len(h)
        b = self.weight_hh_l0[:2 * n] @ h + self.bias_hh_l0[:2 * n]
        r, z = torch.sigmoid(a[:n] + b[:n]), torch.sigmoid(a[n:2 * n] + b[n:])
        candidate = torch.tanh(a[2 * n:] + self.weight_hh_l0[2 * n:] @ (r * h) + self.bias_hh_l0[2 * n:])
        return (1 - z) * candidate + z * h


class MinGru(nn.Linear):
    def forward(self, x):
        z, n = super().forward(x).chunk(2, 2)
        h, rows = torch.zeros_like(z[0, 0]), []
        for zt, nt in zip(torch.sigmoid(z[0]), torch.tanh(n[0])):
            h = (1 - zt) * nt + zt * h
            rows.append(h)
        return torch.stack(rows)[None], h


def gru(i, o):
    return {"op": "gru", "inputs": i, "outputs": o}, nn.GRU(i, o, batch_first=True)


def lstm(i, o):
    return {"op": "lstm", "inputs": i, "outputs": o}, nn.LSTM(i, o, batch_first=True)


def mgu(i, o):
    return {"op": "mgu", "inputs": i, "outputs": o}, Mgu(i, o, 2)


def reset_before(i, o):
    return {"op": "gru", "inputs": i, "outputs": o, "reset_before": True}, GruResetBefore(i, o, 3)


def min_gru(i, o):
    return {"op": "min_gru", "inputs": i, "outputs": o}, MinGru(i, 2 * o)


def plain(op, i, o=None, **more):
    return {"op": op, "inputs": i, "outputs": o or i, **more}, None


def graph(name, reads, layer):
    layer[0].update({"name": name, "from": reads.split()})
    return layer


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
    "float_graph": lambda: (4, 3, [
        graph("stem", "input", conv(4, 6, k=3, s=2)), graph("soft", "stem", plain("hard_tanh", 6)),
        graph("left", "soft", conv(6, 6, k=3, depthwise=True)), graph("normed", "left", norm(6)),
        graph("bent", "normed", plain("relu6", 6)), graph("right", "soft", conv(6, 6)), graph("maybe", "right", dropout(6, 0.25)),
        graph("sum", "soft bent maybe", plain("add", 6)),
        graph("positive", "sum", plain("relu", 6)), graph("top", "positive", pool(6, 3, 2, "max_pool")),
        graph("mean", "positive", pool(6, 4, 2)), graph("way", "sum", conv(6, 3, k=2, s=2)), graph("round", "way", plain("tanh", 3)),
        graph("all", "top mean round", plain("concat", 15)), graph("slow", "all", plain("ema", 15, ema_shift=3)),
        graph("squeeze", "slow", dense(15, 5)), graph("some", "squeeze", plain("hard_sigmoid", 5)),
        graph("excite", "some", dense(5, 15)), graph("gate", "excite", plain("sigmoid", 15)),
        graph("scaled", "all gate", plain("multiply", 15)), graph("scores", "scaled", dense(15, 3))]),
    "float_recurrent": lambda: (3, 3, [
        lstm(3, 5), mgu(5, 6), graph("before", "mgu_2", reset_before(6, 4)), graph("light", "input", min_gru(3, 4)),
        graph("all", "lstm_1 before light input", plain("concat", 16)), graph("scores", "all", dense(16, 3))]),
}


def ema(x, shift):
    y, rows = torch.zeros_like(x[:, :, 0]), []
    for t in range(x.shape[2]):
        y = y + (x[:, :, t] - y) / 2 ** shift
        rows.append(y)
    return torch.stack(rows, 2)


ACTIVATIONS = {"relu": torch.relu, "relu6": F.relu6, "hard_sigmoid": F.hardsigmoid, "hard_tanh": F.hardtanh,
               "sigmoid": torch.sigmoid, "tanh": torch.tanh}


def run_layer(facts, layer, x, others):
    op = facts["op"]
    if op in ("conv1d", "avg_pool", "max_pool"):
        k, s = facts["kernel"], facts["stride"]
        x = Shift((k - 1) * facts["dilation"] + 1, s)(x)
        return layer(x) if op == "conv1d" else F.avg_pool1d(x, k, s) if op == "avg_pool" else F.max_pool1d(x, k, s)
    if op in ("gru", "lstm", "mgu", "min_gru"):
        return layer(x.transpose(1, 2))[0].transpose(1, 2)
    if op == "dense":
        return layer(x.transpose(1, 2)).transpose(1, 2)
    if op == "batch_norm":
        return layer(x)
    if op == "ema":
        return ema(x, facts["ema_shift"])
    if op == "add":
        return x + sum(others)
    if op == "multiply":
        return x * others[0]
    if op == "concat":
        return torch.cat([x, *others], 1)
    return ACTIVATIONS[op](x) if op in ACTIVATIONS else x  # dropout acts in training only


def forward(layers, x):
    """x [rows, channels] -> scores [decisions, classes]"""
    rows = {"input": x.T[None]}
    for facts, layer in layers:
        reads = [rows[name] for name in facts["from"]]
        assert len({row.shape[2] for row in reads}) == 1
        rows[facts["name"]] = run_layer(facts, layer, reads[0], reads[1:])
    return rows[layers[-1][0]["name"]][0].T


def make(folder, name, n_rows):
    n_channels, n_classes, layers = MODELS[name]()
    rng = np.random.default_rng(abs(sum(map(ord, name))))
    offset = rng.integers(-500, 500, n_channels)
    scale = rng.uniform(0.0005, 0.002, n_channels).astype(np.float32)
    counts = np.clip(rng.normal(0, 1500, (n_rows, n_channels)), -32768, 32767).astype(np.int16)
    tensors = {}
    defaults = {"kernel": 1, "stride": 1, "dilation": 1, "groups": 1}
    described = chain([{**facts, **{k: facts.get(k, v) for k, v in defaults.items()}} for facts, _ in layers])
    layers = [(facts, layer) for facts, (_, layer) in zip(described, layers)]
    for i, (facts, layer) in enumerate(layers):
        if layer is not None:
            layer.eval()
            for key, value in layer.state_dict().items():
                if key != "num_batches_tracked":
                    tensors["layers.%d.%s" % (i, key)] = value.numpy()
    with torch.no_grad():
        x = (torch.from_numpy(counts.astype(np.float32)) - torch.from_numpy(offset.astype(np.float32))) * torch.from_numpy(scale)
        scores = forward([(f, l.double() if l is not None else None) for f, l in layers], x.double()).numpy()
    hop = hop_of(described)
    assert scores.shape == (n_rows // hop, n_classes), scores.shape
    digest = write_tensors("%s/%s.safetensors" % (folder, name), tensors)
    write_graph("%s/%s.json" % (folder, name), {
        "format": "tinamou-model", "version": 1, "rate_hz": RATE_HZ,
        "channels": [{"name": "c%d" % c, "unit": "g", "scale": 0.001} for c in range(n_channels)],
        "classes": [{"name": "k%d" % k, "event": k > 0} for k in range(n_classes)],
        "input": {"offset": offset.tolist(), "scale": [float(s) for s in scale]},
        "layers": described, "hop": hop, "delay": 0, "tensors_sha256": digest})
    write_tensors("%s/%s.golden.safetensors" % (folder, name), {"counts": counts, "scores": scores.astype(np.float32)})


def main():
    torch.manual_seed(20260101)
    torch.set_num_threads(1)
    for name in MODELS:
        make(sys.argv[1], name, 61 if name == "float_wide" else 127)


main()
