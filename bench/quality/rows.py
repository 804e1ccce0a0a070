"""The rows of crossval.py: example, and what is changed in its text: (regular expression, replacement). Each expression must be found."""


def under(section, text):
    """A line more at the beginning of a section."""
    return (r"(?m)^%s:\n" % section, f"{section}:\n  {text}\n")


def later(delay_ms=200):
    return under("model", f"delay_ms: {delay_ms}")


def teachers(n, weight=1, steps=4000, rate=4e-3):
    """Fine-tuning with n teachers of the model's own layers."""
    step = f"method: distill, teachers: {n}, temperature: 1, weight: {weight}, steps: {steps}, learning_rate: {rate}"
    return (r"(?m)^quantize:", f"compress:\n  - {{{step}}}\nquantize:")


def layers(text):
    """Other layers."""
    return (r"(?m)^  layers:\n(    - .*\n)*", "  layers:\n" + "".join(f"    - {{{one}}}\n" for one in text.strip().split("\n")))


# a learnt product of gravity (a slow mean) and the rest: w . g, the rotation about the vertical, is one of them
PRODUCTS = """
op: conv1d, units: 24, kernel: 7, stride: 2
op: batch_norm
op: relu, name: stem
op: ema, shift: 4, from: [input]
op: conv1d, units: 8, kernel: 1, stride: 2
op: batch_norm, name: gravity
op: conv1d, units: 8, kernel: 3, stride: 2, from: [input]
op: batch_norm, name: motion
op: multiply, from: [gravity, motion], name: product
op: concat, from: [stem, product]
op: conv1d, kernel: 5, dilation: 2, depthwise: true
op: conv1d, units: 32
op: batch_norm
op: relu
op: gru, units: 30
op: dropout, rate: 0.1
op: dense
"""
MAGNITUDES = """
op: magnitude, name: length, from: [input]
op: concat, from: [input, length]
op: conv1d, units: 24, kernel: 7, stride: 2
op: batch_norm
op: relu
op: conv1d, kernel: 5, dilation: 2, depthwise: true
op: conv1d, units: 32
op: batch_norm
op: relu
op: gru, units: 31
op: dropout, rate: 0.1
op: dense
"""
NO_WEIGHTS = under("train", "class_weight_power: 0")
SPSW, TRANSITIONS = "spsw", "hapt-transitions"
ROWS = {
    "spsw": (SPSW, []),
    "spsw, no class weights": (SPSW, [NO_WEIGHTS]),
    "spsw, class weights 0.25": (SPSW, [under("train", "class_weight_power: 0.25")]),
    "spsw, hop 1": (SPSW, [(r"kernel: 7, stride: 2", "kernel: 13"), (r"kernel: 5, dilation: 2", "kernel: 9, dilation: 2")]),
    "spsw, hop 1, dilated": (SPSW, [(r"kernel: 7, stride: 2", "kernel: 7, dilation: 2"), (r"kernel: 5, dilation: 2", "kernel: 5, dilation: 4")]),
    "spsw, wide": (SPSW, [(r"units: 24", "units: 48"), (r"conv1d, units: 32", "conv1d, units: 64"), (r"gru, units: 32", "gru, units: 64")]),
    "spsw, mixup": (SPSW, [under("train", "mixup: 0.3")]),
    "spsw, smoothing": (SPSW, [under("train", "label_smoothing: 0.05")]),
    "spsw, ramp 60": (SPSW, [under("train", "border_ms: 60")]),
    "spsw, dropout 0.3": (SPSW, [(r"rate: 0.1", "rate: 0.3")]),
    "spsw, speed 0.2": (SPSW, [(r"speed: {by: 0.1}", "speed: {by: 0.2}")]),
    "spsw, warp": (SPSW, [(r"speed: {by: 0.1}", "speed: {by: 0.1}\n    warp: {by: 0.2}")]),
    "spsw, rate 8e-3": (SPSW, [(r"learning_rate: 4e-3", "learning_rate: 8e-3")]),
    "spsw, batch 64": (SPSW, [(r"batch: 32", "batch: 64")]),
    "spsw, chunk 250": (SPSW, [(r"chunk: 500", "chunk: 250")]),
    "spsw, decay 1e-2": (SPSW, [(r"weight_decay: 1e-5", "weight_decay: 1e-2")]),
    "spsw, 600 steps": (SPSW, [(r"steps: 1000", "steps: 600")]),
    "spsw, stateful": (SPSW, [(r"stateful: false", "stateful: true")]),
    "spsw, scale 0.2": (SPSW, [(r"scale: {by: 0.1}", "scale: {by: 0.2}")]),
    "spsw, noise": (SPSW, [(r"accel: 0.2, gyro: 0.05", "accel: 0.6, gyro: 0.15")]),
    "spsw, mask": (SPSW, [(r"    - {op: gru, units: 32}", "    - {op: mask, count: 1, rows: 10, bands: 8}\n    - {op: gru, units: 32}")]),
    "spsw, products": (SPSW, [layers(PRODUCTS)]),
    "spsw, products, no class weights": (SPSW, [layers(PRODUCTS), NO_WEIGHTS]),
    "spsw, magnitudes": (SPSW, [layers(MAGNITUDES)]),
    "spsw, no class weights, 9 teachers": (SPSW, [NO_WEIGHTS, teachers(9)]),
    "spsw, 0.2 s later": (SPSW, [later()]),
    "spsw, 0.2 s later, no class weights": (SPSW, [later(), NO_WEIGHTS]),
    "spsw, 0.2 s later, no class weights, 9 teachers, weight 0.9, 1000 steps": (SPSW, [later(), NO_WEIGHTS, teachers(9, 0.9, 1000, 2e-3)]),
    "spsw, 0.2 s later, no class weights, 9 teachers": (SPSW, [later(), NO_WEIGHTS, teachers(9)]),
    "hapt-transitions": (TRANSITIONS, []),
}
