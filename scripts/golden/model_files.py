"""Reading and writing the two files of a model in plain Python (docs/model-format.md), for the golden vectors."""
import hashlib
import json
import struct

import numpy as np

NAMES = {"float32": "F32", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "uint8": "U8"}


def write_tensors(path, tensors):
    """tensors: {name: numpy array}. Returns the SHA-256 of the file."""
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": NAMES[str(array.dtype)], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    whole = struct.pack("<Q", len(text)) + text + data
    with open(path, "wb") as file:
        file.write(whole)
    return hashlib.sha256(whole).hexdigest()


def chain(layers):
    """Layers (dicts); those without name and from read the one before, with the name that the program gives."""
    before, named = "input", []
    for i, layer in enumerate(layers):
        graph = {"name": "%s_%d" % (layer["op"], i + 1), "op": layer["op"], "from": [before]}
        graph.update((key, value) for key, value in layer.items() if value is not None)
        if layer["op"] == "gru":
            graph.setdefault("reset_before", False)
        named.append(graph)
        before = graph["name"]
    return named


def hop_of(layers):
    """Frames per row of the last of these layers."""
    periods = {"input": 1}
    for layer in layers:
        periods[layer["name"]] = periods[layer["from"][0]] * layer["stride"]
    return periods[layers[-1]["name"]]


def write_graph(path, graph):
    with open(path, "w") as file:
        json.dump(graph, file, indent=1)
        file.write("\n")
