#!/usr/bin/env python3
"""Golden values for tests/train/test_golden.c, from PyTorch 2.2.2 (CPU), which does not share a line with the engine.

    python3 scripts/golden/train_step.py tests/train/files

Writes train_float.safetensors and train_quant.safetensors: a model, three chunks of a few sequences with carried state
and resets, and after each training step (AdamW, clipping) the loss, the gradient before clipping and the parameters.
"""
import json
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

assert torch.__version__.startswith("2.2.2"), torch.__version__
LANES, CHUNK, CHANNELS, CLASSES, STEPS = 5, 24, 3, 4, 3
RATE, DECAY, CLIP = 1e-2, 1e-1, 0.05
RESET = [[1, 1, 1, 1, 1], [0, 1, 0, 0, 0], [0, 0, 0, 1, 1]]

# (op, inputs, outputs, kernel, stride, dilation, groups); "relu" has no parameters
FLOAT = [("conv1d", 3, 7, 5, 2, 1, 1), ("batch_norm", 7, 7), ("relu",), ("conv1d", 7, 14, 3, 2, 1, 7),
         ("conv1d", 14, 6, 2, 1, 3, 1), ("relu",), ("avg_pool", 6, 6, 3, 1), ("gru", 6, 5), ("dense", 5, 4)]
QUANT = [("conv1d", 3, 7, 5, 2, 1, 1), ("relu",), ("conv1d", 7, 14, 3, 2, 1, 7), ("conv1d", 14, 6, 2, 1, 3, 1), ("relu",),
         ("avg_pool", 6, 6, 3, 1), ("gru", 6, 5), ("dense", 5, 4)]
SCALES = [0, 0.02, 0.03, 0, 0.025, 0.025, 1 / 128, 0]  # after each layer of QUANT
INPUT_SCALE = 0.015


def write(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        value = np.ascontiguousarray(value, dtype="<f4")
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + value.nbytes]}
        data += value.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


class Round(torch.autograd.Function):
    """To multiples of scale in low..high; the gradient passes inside the open range, after relu only where x > 0."""

    @staticmethod
    def forward(ctx, x, scale, relu):
        q = torch.clamp(torch.round(torch.clamp(x * (1 / scale), 0.0 if relu else -127.0, 127.0)), -127, 127)
        ctx.mask = (q < 127) & ((x > 0) if relu else (q > -127))
        return q * scale

    @staticmethod
    def backward(ctx, g):
        return g * ctx.mask, None, None


class RoundState(torch.autograd.Function):
    @staticmethod
    def forward(ctx, h):
        return torch.clamp(torch.round(h * 128), -128, 127) / 128

    @staticmethod
    def backward(ctx, g):
        return g


class RoundRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        flat = w.flatten(1)
        scale = flat.abs().amax(1, keepdim=True) / 127
        return (torch.round(flat * (1 / scale)) * scale).reshape(w.shape)

    @staticmethod
    def backward(ctx, g):
        return g


def make_params(layers, gen):
    params = []  # per layer: list of (tensor, trainable)
    rnd = lambda *s: (torch.rand(*s, generator=gen) - 0.5)
    for l in layers:
        if l[0] == "conv1d":
            p = [rnd(l[2], l[1] // l[6], l[3]), rnd(l[2])]
        elif l[0] == "gru":
            p = [rnd(3 * l[2], l[1]), rnd(3 * l[2], l[2]), rnd(3 * l[2]), rnd(3 * l[2])]
        elif l[0] == "dense":
            p = [rnd(l[2], l[1]), rnd(l[2])]
        elif l[0] == "batch_norm":
            p = [1 + rnd(l[2]), rnd(l[2]), rnd(l[2]), 1 + rnd(l[2])]
        else:
            p = []
        params.append([q.requires_grad_(not (l[0] == "batch_norm" and k >= 2)) for k, q in enumerate(p)])
    return params


def window(l, x, state):
    """Rows that came before the chunk in front; they get no gradient. Returns the rows and the new history."""
    kernel, stride = l[3], l[4]
    dilation = l[5] if l[0] == "conv1d" else 1
    rows = (kernel - 1) * dilation + 1 - stride
    full = torch.cat([state, x], 2)
    return full, full[:, :, full.shape[2] - rows:].detach()


def forward(layers, params, x, states, keep, scales):
    quant = scales is not None
    new = []
    if quant:
        x = Round.apply(x, INPUT_SCALE, False)
    wq = (lambda w: RoundRows.apply(w)) if quant else (lambda w: w)
    for i, (l, p) in enumerate(zip(layers, params)):
        if l[0] in ("conv1d", "avg_pool"):
            dilation = l[5] if l[0] == "conv1d" else 1
            rows = (l[3] - 1) * dilation + 1 - l[4]
            s = states[i] if states else torch.zeros(LANES, l[1], rows)
            full, s = window(l, x, s * keep[:, None, None])
            new.append(s)
            if l[0] == "conv1d":
                x = F.conv1d(full, wq(p[0]), p[1], stride=l[4], dilation=l[5], groups=l[6])
            else:
                x = F.avg_pool1d(full, l[3], l[4])
        elif l[0] == "batch_norm":
            x = F.batch_norm(x, p[2], p[3], p[0], p[1], training=True, momentum=0.1, eps=1e-5)
            new.append(None)
        elif l[0] == "relu":
            new.append(None)
            if not quant:
                x = F.relu(x)
        elif l[0] == "gru":
            h = states[i] if states else torch.zeros(LANES, l[2])
            h = h * keep[:, None]
            out, n = [], l[2]
            wi, wh = wq(p[0]), wq(p[1])
            for t in range(x.shape[2]):
                read = RoundState.apply(h) if quant else h
                a, b = x[:, :, t] @ wi.T + p[2], read @ wh.T + p[3]
                r, z = torch.sigmoid(a[:, :n] + b[:, :n]), torch.sigmoid(a[:, n:2 * n] + b[:, n:2 * n])
                c = torch.tanh(a[:, 2 * n:] + r * b[:, 2 * n:])
                h = c + z * (h - c)
                out.append(RoundState.apply(h) if quant else h)
            new.append(h.detach())
            x = torch.stack(out, 2)
        elif l[0] == "dense":
            x = torch.einsum("bit,oi->bot", x, wq(p[0])) + p[1][None, :, None]
            new.append(None)
        if quant and l[0] != "gru" and scales[i] > 0:
            x = Round.apply(x, scales[i], l[0] == "relu")
    return x, new


def check_gru():
    """The loop above is torch.nn.GRU."""
    g = torch.nn.GRU(6, 5, batch_first=True)
    x = torch.randn(2, 4, 6)
    p = [q for q in g.parameters()]
    h = torch.zeros(2, 5)
    for t in range(4):
        a, b = x[:, t] @ p[0].T + p[2], h @ p[1].T + p[3]
        r, z = torch.sigmoid(a[:, :5] + b[:, :5]), torch.sigmoid(a[:, 5:10] + b[:, 5:10])
        c = torch.tanh(a[:, 10:] + r * b[:, 10:])
        h = c + z * (h - c)
    assert torch.allclose(g(x)[0][:, -1], h, atol=1e-6)


def flat(params, get=lambda q: q.detach()):
    return np.concatenate([get(q).numpy().ravel() for p in params for q in p]).astype("f4")


def run(layers, scales, path):
    gen = torch.Generator().manual_seed(4)
    params = make_params(layers, gen)
    hop = int(np.prod([l[4] for l in layers if l[0] in ("conv1d", "avg_pool")]))
    decay = [q for l, p in zip(layers, params) for k, q in enumerate(p)
             if q.requires_grad and l[0] != "batch_norm" and (k == 0 or (l[0] == "gru" and k == 1))]
    rest = [q for p in params for q in p if q.requires_grad and all(q is not d for d in decay)]
    adam = torch.optim.AdamW([{"params": decay, "weight_decay": DECAY}, {"params": rest, "weight_decay": 0.0}], lr=RATE)
    x = torch.randn(STEPS, LANES, CHUNK, CHANNELS, generator=gen)
    target = torch.rand(STEPS, LANES, CHUNK // hop, CLASSES, generator=gen)
    target[:, 0, :2] = 0  # decisions without weight
    tensors = {"x": x.numpy(), "target": target.numpy(), "reset": np.array(RESET), "params.0": flat(params)}
    states = None
    for step in range(STEPS):
        keep = 1 - torch.tensor(RESET[step], dtype=torch.float32)
        y, states = forward(layers, params, x[step].transpose(1, 2), states, keep, scales)
        loss = -(target[step] * F.log_softmax(y.transpose(1, 2), 2)).sum() / target[step].sum()
        adam.zero_grad(set_to_none=True)
        loss.backward()
        zero = lambda q: torch.zeros_like(q) if q.grad is None else q.grad.clone()
        tensors["gradient.%d" % (step + 1)] = flat(params, zero)
        torch.nn.utils.clip_grad_norm_(decay + rest, CLIP)
        adam.step()
        tensors["params.%d" % (step + 1)] = flat(params)
        tensors["loss.%d" % (step + 1)] = np.array([loss.item()])
    write(path, tensors)


if __name__ == "__main__":
    torch.set_num_threads(1)
    check_gru()
    run(FLOAT, None, sys.argv[1] + "/train_float.safetensors")
    run(QUANT, SCALES, sys.argv[1] + "/train_quant.safetensors")
