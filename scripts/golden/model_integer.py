#!/usr/bin/env python3
"""Golden vectors for the integer interpreter: random integer models and the scores that this second implementation gives them.
It is written from the text of docs/integer-arithmetic.md, with Python's unbounded integers, and looks at nothing of src/ but the
words of the sigmoid table.

    python3 scripts/golden/model_integer.py tests/model/files src/model/sigmoid_table.c       (numpy 1.26)
"""
import hashlib
import re
import struct
import sys

import numpy as np

from model_files import write_graph, write_tensors

OPS = ["conv1d", "gru", "dense", "avg_pool", "batch_norm", "relu", "dropout"]
TABLE = []


def fits(v, bits):
    assert -(1 << (bits - 1)) <= v < 1 << (bits - 1), v
    return v


def low16(v):
    v &= 0xFFFF
    return v - 0x10000 if v & 0x8000 else v


def multiply_high(a, m):
    return (fits(a, 32) * fits(m, 32) + (1 << 31)) >> 32


def requantize(acc, m, shift):
    return multiply_high(fits(acc, 32) << shift, m)


def clamp(v, low, high):
    return max(low, min(high, v))


def sigmoid(t):
    p = TABLE[clamp(fits(t, 32) >> 8, -128, 127) + 128]
    return fits(p + low16(t) * low16(p), 32)


class Window:
    """The last L rows of a conv1d or avg_pool, and when it is due."""

    def __init__(self, q):
        self.length = (q["kernel"] - 1) * q["dilation"] + 1
        self.rows = [[0] * q["inputs"] for _ in range(self.length)]
        self.stride = q["stride"]
        self.fill = self.length - self.stride

    def push(self, x):
        self.rows = [list(x)] + self.rows[:-1]
        self.fill += 1
        if self.fill < self.length:
            return False
        self.fill = self.length - self.stride
        return True


def run_conv1d(q, state, x):
    if not state.push(x):
        return None
    outputs = q["outputs"]
    per_group, inputs = outputs // q["groups"], q["inputs"] // q["groups"]
    y = []
    for o in range(outputs):
        first = o // per_group * inputs
        acc = q["bias"][o]
        for k in range(q["kernel"]):
            row = state.rows[(q["kernel"] - 1 - k) * q["dilation"]]
            for i in range(inputs):
                acc += q["weight"][o][k][i] * row[first + i]
        y.append(clamp(requantize(acc, q["mult"][o], q["shift"]), 0 if q["relu"] else -127, 127))
    return y


def run_avg_pool(q, state, x):
    if not state.push(x):
        return None
    sums = [sum(column) for column in zip(*state.rows)]
    return [clamp(requantize(v, q["mult"][0], q["shift"]), -127, 127) for v in sums]


def dense_sums(q, x):
    return [requantize(b + sum(w * v for w, v in zip(row, x)), m, q["shift"])
            for row, b, m in zip(q["weight"], q["bias"], q["mult"])]


def run_gru(q, state, x):
    h, h8, units = state["h"], state["h8"], q["outputs"]
    a = dense_sums(q, x)
    b = []
    for row in range(3 * units):
        c = q["hidden_bias"][row - 2 * units] if row >= 2 * units else 0
        acc = c + sum(w * v for w, v in zip(q["hidden_weight"][row], h8))
        b.append(requantize(acc, q["hidden_mult"][row], q["hidden_shift"]))
    new = []
    for j in range(units):
        r = sigmoid(a[j] + b[j])
        z = sigmoid(a[units + j] + b[units + j])
        n = sigmoid(a[2 * units + j] + multiply_high(b[2 * units + j], r)) - (1 << 27)
        new.append(fits(n + multiply_high(h[j] * 4096 - n, z) * 16 + 2048 >> 12, 16))
    state["h"] = new
    state["h8"] = [min(127, v + 128 >> 8) for v in new]
    return state["h8"]


def run(model, counts):
    """counts [frames][channels] -> scores [decisions][classes]"""
    states = []
    for q in model["layers"]:
        zeros = [0] * q["outputs"]
        states.append({"h": zeros, "h8": zeros} if q["op"] == "gru" else Window(q))
    scores = []
    for frame in counts:
        x = [clamp(requantize(int(v) - o, m, model["shift"]), -127, 127)
             for v, o, m in zip(frame, model["offset"], model["mult"])]
        for q, state in zip(model["layers"][:-1], states):
            if q["op"] == "dense":
                x = [clamp(v, 0 if q["relu"] else -127, 127) for v in dense_sums(q, x)]
            else:
                x = {"conv1d": run_conv1d, "avg_pool": run_avg_pool, "gru": run_gru}[q["op"]](q, state, x)
            if x is None:
                break
        else:
            scores.append([clamp(v, -32768, 32767) for v in dense_sums(model["layers"][-1], x)])
    return scores


# ---- random models ----

def multipliers(rng, n, gain, shift):
    return [int(v) for v in np.minimum(rng.uniform(0.5, 1.5, n) * gain * 2.0 ** (32 - shift), 2.0 ** 31 - 1)]


def layer(rng, op, inputs, outputs, kernel=1, stride=1, dilation=1, groups=1, relu=False, shift=0, hidden_shift=0,
          gain=70):
    q = {"op": op, "inputs": inputs, "outputs": outputs, "kernel": kernel, "stride": stride, "dilation": dilation,
         "groups": groups, "relu": relu, "shift": shift, "output_scale": 0.03125}
    rows = 3 * outputs if op == "gru" else outputs
    if op == "avg_pool":
        q["mult"] = multipliers(rng, 1, 1.0 / kernel, shift)
        return q
    reads = (kernel, inputs // groups) if op == "conv1d" else (inputs,)
    size = 73 * 60 * np.sqrt(np.prod(reads))  # usual size of a sum of products
    q["weight"] = rng.integers(-127, 128, (rows,) + reads).tolist()
    q["bias"] = rng.integers(-int(size), int(size), rows).tolist()
    q["mult"] = multipliers(rng, rows, (9000 if op == "gru" else gain) / size, shift)
    if op == "gru":
        size = 73 * 60 * np.sqrt(outputs)
        q["hidden_shift"] = hidden_shift
        q["hidden_weight"] = rng.integers(-127, 128, (rows, outputs)).tolist()
        q["hidden_bias"] = rng.integers(-int(size), int(size), outputs).tolist()
        q["hidden_mult"] = multipliers(rng, 2 * outputs, 9000 / size, hidden_shift) + \
            multipliers(rng, outputs, 9000 * 16 / size, hidden_shift)
    return q


def models(rng):
    def make(*args, **kwargs):
        return layer(rng, *args, **kwargs)

    yield "integer_all", 6, 5, [make("conv1d", 6, 8, 5, 2, relu=True), make("conv1d", 8, 16, 3, 1, 2, groups=8),
                                make("conv1d", 16, 7, 3, 2, 3, relu=True, shift=3), make("gru", 7, 9, shift=4, hidden_shift=6),
                                make("avg_pool", 9, 9, 3, 2), make("dense", 9, 6, relu=True), make("dense", 6, 5, shift=2)]
    yield "integer_gru", 3, 4, [make("gru", 3, 8, shift=5, hidden_shift=6), make("gru", 8, 5, shift=4, hidden_shift=6),
                                make("dense", 5, 4)]
    yield "integer_long_stride", 2, 3, [make("conv1d", 2, 4, 1, 3), make("conv1d", 4, 4, 2, 5, groups=4), make("dense", 4, 3, shift=3, gain=30000)]
    yield "integer_one", 1, 1, [make("conv1d", 1, 1, 4, 1, 2), make("avg_pool", 1, 1, 2, 3), make("dense", 1, 1)]
    yield "integer_wide", 64, 200, [make("conv1d", 64, 4, 2, 2, relu=True), make("dense", 4, 200)]


def model_hash(model):
    """The hash of docs/model-format.md."""
    def ints(values):
        return struct.pack("<%di" % len(values), *values)

    data = b"tinamou integer model 1\0"
    data += ints([len(model["offset"]), len(model["events"]), model["hop"], model["shift"], len(model["layers"])])
    data += ints(model["offset"]) + ints(model["mult"]) + ints([int(e) for e in model["events"]])
    for q in model["layers"]:
        data += ints([OPS.index(q["op"]), q["inputs"], q["outputs"], q["kernel"], q["stride"], q["dilation"], q["groups"],
                      int(q["relu"]), q["shift"], q.get("hidden_shift", 0)])
        data += ints(q["mult"])
        if q["op"] != "avg_pool":
            data += np.array(q["weight"], np.int8).tobytes() + ints(q["bias"])
        if q["op"] == "gru":
            data += np.array(q["hidden_weight"], np.int8).tobytes() + ints(q["hidden_bias"]) + ints(q["hidden_mult"])
    return hashlib.sha256(data).hexdigest()


def write(folder, name, model, counts, scores):
    arrays = {"mult": np.int32, "bias": np.int32, "weight": np.int8, "hidden_mult": np.int32, "hidden_bias": np.int32,
              "hidden_weight": np.int8}
    tensors = {"layers.%d.%s" % (i, key): np.array(q[key], dtype)
               for i, q in enumerate(model["layers"]) for key, dtype in arrays.items() if key in q}
    digest = write_tensors("%s/%s.safetensors" % (folder, name), tensors)
    write_graph("%s/%s.json" % (folder, name), {
        "format": "tinamou-integer-model", "version": 1, "hash": model_hash(model), "rate_hz": 50.0,
        "channels": [{"name": "c%d" % c, "unit": "g", "scale": 0.001} for c in range(len(model["offset"]))],
        "classes": [{"name": "k%d" % k, "event": e} for k, e in enumerate(model["events"])],
        "input": {"offset": model["offset"], "mult": model["mult"], "shift": model["shift"], "scale": 0.03125},
        "layers": [{k: v for k, v in q.items() if k not in arrays} for q in model["layers"]],
        "hop": model["hop"], "tensors_sha256": digest})
    write_tensors("%s/%s.golden.safetensors" % (folder, name),
                  {"counts": counts, "scores": np.array(scores, np.int16)})


def main():
    folder, table = sys.argv[1:]
    TABLE.extend(int(word, 16) for word in re.findall(r"0x([0-9a-f]{8})u", open(table).read()))
    rng = np.random.default_rng(7)
    for name, n_channels, n_classes, layers in models(rng):
        model = {"layers": layers, "offset": rng.integers(-500, 500, n_channels).tolist(), "shift": 1,
                 "mult": multipliers(rng, n_channels, 60 / 3000.0, 1), "events": [k > 0 for k in range(n_classes)],
                 "hop": int(np.prod([q["stride"] for q in layers]))}
        n_frames = 61 if n_channels == 64 else 400
        walk = rng.normal(0, 3000, (n_frames, n_channels))
        walk[::50] *= 20  # beyond the int8 range now and then
        counts = np.clip(walk, -32768, 32767).astype(np.int16)
        scores = run(model, counts.tolist())
        assert len(scores) == n_frames // model["hop"]
        write(folder, name, model, counts, scores)


main()
