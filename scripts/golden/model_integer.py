#!/usr/bin/env python3
"""Golden vectors for the integer interpreter: random integer models and the scores that this second implementation gives them.
It is written from the text of docs/integer-arithmetic.md, with Python's unbounded integers, and looks at nothing of src/ but the
words of the sigmoid table.

    python3 scripts/golden/model_integer.py tests/model/files src/model/sigmoid_table.c       (numpy 1.26)
"""
import hashlib
import itertools
import re
import struct
import sys

import numpy as np

from model_files import chain, hop_of, write_graph, write_tensors
from model_log_energy import log_energy

OPS = ["conv1d", "gru", "dense", "avg_pool", "batch_norm", "relu", "dropout", "lstm", "mgu", "min_gru", "max_pool", "ema", "add",
       "multiply", "concat", "relu6", "hard_sigmoid", "hard_tanh", "sigmoid", "tanh", "log_energy"]
ACTIVATIONS = ["none", "relu", "sigmoid", "tanh"]
GATES = {"gru": 3, "lstm": 4, "mgu": 2, "min_gru": 2}
HALF = 1 << 27
ARRAYS = {"mult": np.int32, "bias": np.int32, "weight": np.int8, "hidden_mult": np.int32, "hidden_bias": np.int32,
          "hidden_weight": np.int8}
TABLE = []
USED = {}  # greatest |q| of each layer: a layer that stays at 0 would test nothing


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


def saturate(v, q):
    most = 127 if q["output_bits"] == 8 else 32767
    return clamp(v, -most, most)


def activate(q, v):
    if q["activation"] == "sigmoid":
        return min(127, sigmoid(v) + (1 << 20) >> 21)
    if q["activation"] == "tanh":
        return min(127, sigmoid(v) - HALF + (1 << 19) >> 20)
    return saturate(max(v, 0) if q["activation"] == "relu" else v, q)


def run_conv1d(q, state, x):
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
        y.append(activate(q, requantize(acc, q["mult"][o], q["shift"])))
    return y


def run_avg_pool(q, state, x):
    sums = [sum(column) for column in zip(*state.rows)]
    return [saturate(requantize(v, q["mult"][0], q["shift"]), q) for v in sums]


def run_max_pool(q, state, x):
    return [max(column) for column in zip(*state.rows)]


def run_ema(q, state, x):
    k = q["ema_shift"]
    state["a"] = [fits(a + 256 * v - (a + (1 << k - 1) >> k), 32) for a, v in zip(state["a"], x)]
    return [saturate(requantize(a, q["mult"][0], q["shift"]), q) for a in state["a"]]


def run_add(q, state, *rows):
    y = []
    for values in zip(*rows):
        v = fits(sum(x * m for x, m in zip(values, q["mult"])) + (1 << q["shift"] - 1), 32) >> q["shift"]
        y.append(activate(q, v))
    return y


def run_concat(q, state, *rows):
    least, most = (-128, 127) if q["output_bits"] == 8 else (-32767, 32767)
    return [clamp(fits(x * m + (1 << q["shift"] - 1), 32) >> q["shift"], least, most)
            for row, m in zip(rows, q["mult"]) for x in row]


def run_multiply(q, state, left, right):
    return [saturate(requantize(a * b, q["mult"][0], q["shift"]), q) for a, b in zip(left, right)]


def dense_sums(q, x):
    return [requantize(b + sum(w * v for w, v in zip(row, x)), m, q["shift"])
            for row, b, m in zip(q["weight"], q["bias"], q["mult"])]


def run_dense(q, state, x):
    return [activate(q, v) for v in dense_sums(q, x)]


def hidden_sums(q, h8, gate):
    """b of all units of one gate"""
    units = q["outputs"]
    bias = q["hidden_bias"] if "hidden_bias" in q and gate == GATES[q["op"]] - 1 else [0] * units
    rows = range(gate * units, (gate + 1) * units)
    return [requantize(c + sum(w * v for w, v in zip(q["hidden_weight"][row], h8)), q["hidden_mult"][row], q["hidden_shift"])
            for row, c in zip(rows, bias)]


def to_h8(values, shift):
    return [min(127, v + (1 << shift - 1) >> shift) for v in values]


def run_recurrent(q, state, x):
    op, units, h8 = q["op"], q["outputs"], state["h8"]
    sums = dense_sums(q, x)
    a = [sums[g * units:(g + 1) * units] for g in range(GATES[op])]

    def gate(g):
        return [sigmoid(u + v) for u, v in zip(a[g], hidden_sums(q, h8, g))]

    def tanh(values):
        return [sigmoid(v) - HALF for v in values]

    def gated(g, by):
        return tanh(u + multiply_high(b, f) for u, b, f in zip(a[g], hidden_sums(q, h8, g), by))

    if op == "lstm":
        i, f, o = gate(0), gate(1), gate(3)
        g = tanh(u + b for u, b in zip(a[2], hidden_sums(q, h8, 2)))
        state["c"] = [clamp(multiply_high(16 * c, ff) + multiply_high(gg, ii), -HALF, HALF - 1)
                      for c, ff, gg, ii in zip(state["c"], f, g, i)]
        state["h8"] = to_h8([multiply_high(t, oo) for t, oo in zip(tanh(c + 512 >> 10 for c in state["c"]), o)], 16)
        return state["h8"]
    if op == "gru":
        r, z = gate(0), gate(1)
        if q["reset_before"]:
            kept = to_h8([multiply_high(h * 4096, rr) for h, rr in zip(state["h"], r)], 16)
            n = tanh(u + b for u, b in zip(a[2], hidden_sums(q, kept, 2)))
        else:
            n = gated(2, r)
    elif op == "mgu":
        f = gate(0)
        n = gated(1, f)
        z = [(1 << 28) - v for v in f]
    else:
        z, n = [sigmoid(v) for v in a[0]], tanh(a[1])
    state["h"] = [fits(nn + multiply_high(h * 4096 - nn, zz) * 16 + 2048 >> 12, 16) for h, nn, zz in zip(state["h"], n, z)]
    state["h8"] = to_h8(state["h"], 8)
    return state["h8"]


RUN = {"conv1d": run_conv1d, "dense": run_dense, "avg_pool": run_avg_pool, "max_pool": run_max_pool, "ema": run_ema,
       "add": run_add, "concat": run_concat, "multiply": run_multiply, "gru": run_recurrent, "lstm": run_recurrent,
       "mgu": run_recurrent, "min_gru": run_recurrent}


def run(model, counts):
    """counts [frames][channels] -> scores [decisions][classes]"""
    states, last = {}, model["layers"][-1]
    for q in model["layers"]:
        windowed = q["op"] in ("conv1d", "avg_pool", "max_pool")
        states[q["name"]] = Window(q) if windowed else {key: [0] * q["outputs"] for key in ("h", "h8", "c", "a")}
    energies = {q["name"]: log_energy(np.array(counts), q["levels"], q["kernel"], q["stride"]).tolist()
                for q in model["layers"] if q["op"] == "log_energy"}
    scores = []
    for t, frame in enumerate(counts):
        rows = {"input": [saturate(requantize(int(v) - o, m, model["shift"]), {"output_bits": model["bits"]})
                          for v, o, m in zip(frame, model["offset"], model["mult"])]}
        for q in model["layers"]:
            if q["op"] == "log_energy":
                rows[q["name"]] = energies[q["name"]][t // q["stride"]] if (t + 1) % q["stride"] == 0 else None
                continue
            x, state = [rows[name] for name in q["from"]], states[q["name"]]
            assert all(row is None for row in x) or None not in x
            if x[0] is None or (isinstance(state, Window) and not state.push(x[0])):
                rows[q["name"]] = None
            elif q is last:
                scores.append([clamp(v, -32768, 32767) for v in dense_sums(q, x[0])])
            else:
                rows[q["name"]] = RUN[q["op"]](q, state, *x)
                USED[q["name"]] = max(USED.get(q["name"], 0), max(abs(v) for v in rows[q["name"]]))
    return scores


# ---- random models ----

def multipliers(rng, n, gain, shift):
    return [int(v) for v in np.minimum(rng.uniform(0.5, 1.5, n) * gain * 2.0 ** (32 - shift), 2.0 ** 31 - 1)]


def layer(rng, op, inputs, outputs, kernel=1, stride=1, dilation=1, groups=1, relu=False, shift=0, hidden_shift=0,
          gain=70, activation="none", bits=8, x=60, reset_before=False, ema_shift=0, levels=0, mults=None, name=None,
          reads=None):
    """x: usual size of what it reads; gain: of what it gives"""
    recurrent = op in GATES
    q = {"name": name, "op": op, "from": reads, "inputs": inputs, "outputs": outputs, "kernel": kernel, "stride": stride,
         "dilation": dilation, "groups": groups, "activation": "relu" if relu else activation, "output_bits": bits,
         "output_scale": 0.03125}
    if op == "gru":
        q["reset_before"] = reset_before
    if op == "ema":
        q["ema_shift"] = ema_shift
    if op == "log_energy":
        q["levels"] = levels
        return q
    if op != "max_pool":
        q["shift"] = shift
    if mults:
        q["mult"] = mults
    if op == "avg_pool":
        q["mult"] = multipliers(rng, 1, 1.0 / kernel, shift)
    if op == "ema":
        q["mult"] = multipliers(rng, 1, 2.0 ** -(ema_shift + 8) * gain / x, shift)
    if op == "multiply":
        q["mult"] = multipliers(rng, 1, 1.0 / x, shift)
    if op in ("avg_pool", "max_pool", "ema", "multiply", "add", "concat"):
        return q
    rows = GATES.get(op, 1) * outputs
    weights = (kernel, inputs // groups) if op == "conv1d" else (inputs,)
    size = 73 * x * np.sqrt(np.prod(weights))  # usual size of a sum of products
    wanted = 9000 if recurrent or activation in ("sigmoid", "tanh") else gain
    q["weight"] = rng.integers(-127, 128, (rows,) + weights).tolist()
    q["bias"] = rng.integers(-int(size), int(size), rows).tolist()
    q["mult"] = multipliers(rng, rows, wanted / size, shift)
    if recurrent and op != "min_gru":
        gated = op == "mgu" or (op == "gru" and not reset_before)
        size = 73 * 60 * np.sqrt(outputs)
        q["hidden_shift"] = hidden_shift
        q["hidden_weight"] = rng.integers(-127, 128, (rows, outputs)).tolist()
        if gated:
            q["hidden_bias"] = rng.integers(-int(size), int(size), outputs).tolist()
        q["hidden_mult"] = multipliers(rng, rows - outputs, 9000 / size, hidden_shift) + \
            multipliers(rng, outputs, (9000 * 16 if gated else 9000) / size, hidden_shift)
    return q


def models(rng):
    def make(*args, **kwargs):
        return layer(rng, *args, **kwargs)

    yield "integer_all", 6, 5, 8, [make("conv1d", 6, 8, 5, 2, relu=True), make("conv1d", 8, 16, 3, 1, 2, groups=8),
                                make("conv1d", 16, 7, 3, 2, 3, relu=True, shift=3), make("gru", 7, 9, shift=4, hidden_shift=6),
                                make("avg_pool", 9, 9, 3, 2), make("dense", 9, 6, relu=True), make("dense", 6, 5, shift=2)]
    yield "integer_gru", 3, 4, 8, [make("gru", 3, 8, shift=5, hidden_shift=6), make("gru", 8, 5, shift=4, hidden_shift=6),
                                make("dense", 5, 4)]
    yield "integer_long_stride", 2, 3, 8, [make("conv1d", 2, 4, 1, 3), make("conv1d", 4, 4, 2, 5, groups=4), make("dense", 4, 3, shift=3, gain=30000)]
    yield "integer_one", 1, 1, 8, [make("conv1d", 1, 1, 4, 1, 2), make("avg_pool", 1, 1, 2, 3), make("dense", 1, 1)]
    yield "integer_wide", 64, 200, 8, [make("conv1d", 64, 4, 2, 2, relu=True), make("dense", 4, 200)]


def graphs(rng):
    def make(name, reads, *args, **kwargs):
        return layer(rng, *args, name=name, reads=reads.split(), **kwargs)

    # a residual block, three branches, squeeze and excite
    yield "integer_graph", 4, 4, 8, [
        make("stem", "input", "conv1d", 4, 6, 3, 2, relu=True), make("left", "stem", "conv1d", 6, 6, 3, groups=6),
        make("sum", "stem left", "add", 6, 6, relu=True, shift=12, mults=[3000, 2500]),
        make("top", "sum", "max_pool", 6, 6, 3, 2), make("mean", "sum", "avg_pool", 6, 6, 4, 2, shift=1),
        make("bend", "sum", "conv1d", 6, 3, 2, 2, activation="tanh"),
        make("all", "top mean bend", "concat", 15, 15, shift=10, mults=[1024, 1500, 1024]),
        make("slow", "all", "ema", 15, 15, ema_shift=3, shift=2, gain=110), make("squeeze", "slow", "dense", 15, 5, relu=True),
        make("excite", "squeeze", "dense", 5, 15, activation="sigmoid", shift=5),
        make("scaled", "all excite", "multiply", 15, 15),
        make("scores", "scaled", "dense", 15, 4, gain=3000, shift=1, bits=16)]
    # each kind of recurrent layer; their h8 goes down to -128 and is copied by concat
    yield "integer_recurrent", 3, 3, 8, [
        make("lstm", "input", "lstm", 3, 5, shift=5, hidden_shift=6), make("mgu", "lstm", "mgu", 5, 6, shift=4, hidden_shift=6),
        make("min_gru", "input", "min_gru", 3, 4, shift=5),
        make("before", "mgu", "gru", 6, 4, reset_before=True, shift=4, hidden_shift=4),
        make("all", "lstm before min_gru input", "concat", 16, 16, shift=1, mults=[2, 2, 2, 3]),
        make("top", "all", "max_pool", 16, 16, 2, 2), make("after", "all", "gru", 16, 5, shift=4, hidden_shift=6, stride=1),
        make("fast", "after", "ema", 5, 5, ema_shift=1), make("late", "fast", "max_pool", 5, 5, 3, 2),
        make("both", "top late", "concat", 21, 21, shift=3, mults=[8, 9]),
        make("scores", "both", "dense", 21, 3, gain=3000, shift=1, bits=16)]
    # 16 bits wherever they may be
    yield "integer_16_bits", 3, 3, 16, [
        make("stem", "input", "conv1d", 3, 5, 3, 1, relu=True, bits=16, x=9000, gain=9000),
        make("point", "stem", "conv1d", 5, 5, bits=16, x=9000, gain=9000), make("sum", "stem point", "add", 5, 5, bits=16, shift=15, mults=[30000, 17000]),
        make("mean", "sum", "avg_pool", 5, 5, 3, 2, bits=16), make("narrow", "sum", "conv1d", 5, 4, 2, 2, x=9000),
        make("all", "mean narrow", "concat", 9, 9, bits=16, shift=6, mults=[64, 16384]), make("gru", "all", "gru", 9, 4, shift=1, hidden_shift=6, x=9000),
        make("lstm", "all", "lstm", 9, 3, x=9000, hidden_shift=6), make("flat", "all", "avg_pool", 9, 9, 2, bits=8, shift=1),
        make("dense", "all", "dense", 9, 4, relu=True, x=9000, bits=16, gain=9000),
        make("few", "gru dense", "add", 4, 4, shift=14, mults=[16384, 120]),
        make("end", "few lstm flat", "concat", 16, 16, shift=9, mults=[512, 512, 700]),
        make("scores", "end", "dense", 16, 3, gain=3000, shift=1, bits=16)]
    # log energies join a branch that reads the scaled input
    yield "integer_energy", 3, 3, 8, [
        make("now", "input", "log_energy", 3, 15, 2, 16, levels=5), make("long", "input", "log_energy", 3, 6, 6, 16, levels=2),
        make("mean", "input", "avg_pool", 3, 3, 16, 16), make("all", "now long mean", "concat", 24, 24, shift=4, mults=[16, 16, 24]),
        make("hidden", "all", "dense", 24, 6, relu=True), make("scores", "hidden", "dense", 6, 3, gain=3000, shift=1, bits=16)]


def model_hash(model):
    """The hash of docs/model-format.md."""
    def ints(values):
        return struct.pack("<%di" % len(values), *values)

    data = b"tinamou integer model 2\0"
    data += ints([len(model["offset"]), len(model["events"]), model["hop"], model["shift"], model["bits"], len(model["layers"])])
    data += ints(model["offset"]) + ints(model["mult"]) + ints([int(e) for e in model["events"]])
    place = {"input": -1}
    for i, q in enumerate(model["layers"]):
        data += ints([OPS.index(q["op"]), q["inputs"], q["outputs"], q["kernel"], q["stride"], q["dilation"], q["groups"],
                      q.get("ema_shift", 0), q.get("levels", 0), int(q.get("reset_before", False)), ACTIVATIONS.index(q["activation"]),
                      q["output_bits"], q.get("shift", 0), q.get("hidden_shift", 0), len(q["from"])])
        data += ints([place[name] for name in q["from"]])
        for key, dtype in ARRAYS.items():
            if key in q:
                data += np.array(q[key], dtype).tobytes()
        place[q["name"]] = i
    return hashlib.sha256(data).hexdigest()


def write(folder, name, model, counts, scores):
    tensors = {"layers.%d.%s" % (i, key): np.array(q[key], dtype)
               for i, q in enumerate(model["layers"]) for key, dtype in ARRAYS.items() if key in q}
    digest = write_tensors("%s/%s.safetensors" % (folder, name), tensors)
    write_graph("%s/%s.json" % (folder, name), {
        "format": "tinamou-integer-model", "version": 1, "hash": model_hash(model), "rate_hz": 50.0,
        "channels": [{"name": "c%d" % c, "unit": "g", "scale": 0.001} for c in range(len(model["offset"]))],
        "classes": [{"name": "k%d" % k, "event": e} for k, e in enumerate(model["events"])],
        "input": {"offset": model["offset"], "mult": model["mult"], "shift": model["shift"], "bits": model["bits"], "scale": 0.03125},
        "layers": [{k: v for k, v in q.items() if k not in ARRAYS} for q in model["layers"]],
        "hop": model["hop"], "delay": model["delay"], "tensors_sha256": digest})
    write_tensors("%s/%s.golden.safetensors" % (folder, name),
                  {"counts": counts, "scores": np.array(scores, np.int16)})


def main():
    folder, table = sys.argv[1:]
    TABLE.extend(int(word, 16) for word in re.findall(r"0x([0-9a-f]{8})u", open(table).read()))
    rng = np.random.default_rng(7)
    for name, n_channels, n_classes, bits, layers in itertools.chain(models(rng), graphs(rng)):
        layers = chain(layers)
        layers[-1]["output_bits"] = 16
        hop = hop_of(layers)
        gain = 9000 if bits == 16 else 60
        model = {"layers": layers, "offset": rng.integers(-500, 500, n_channels).tolist(), "shift": 1 if bits == 8 else 3,
                 "bits": bits, "mult": multipliers(rng, n_channels, gain / 3000.0, 1 if bits == 8 else 3),
                 "events": [k > 0 for k in range(n_classes)], "hop": hop, "delay": 0 if bits == 8 else 3 * hop}
        n_frames = 61 if n_channels == 64 else 400
        walk = rng.normal(0, 3000, (n_frames, n_channels))
        walk[::50] *= 20  # beyond the int8 range now and then
        counts = np.clip(walk, -32768, 32767).astype(np.int16)
        scores = run(model, counts.tolist())
        assert len(scores) == n_frames // hop
        print(name, USED, "scores", np.array(scores).min(), np.array(scores).max(), np.array(scores).std(0).astype(int).tolist())
        USED.clear()
        write(folder, name, model, counts, scores)


main()
