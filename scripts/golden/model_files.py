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
    """Layers (dicts) that each read the one before, with the names that the program gives."""
    before, named = "input", []
    for i, layer in enumerate(layers):
        name = "%s_%d" % (layer["op"], i + 1)
        graph = {"name": name, "from": [before], **layer}
        if layer["op"] == "gru":
            graph["reset_before"] = layer.get("reset_before", False)
        named.append(graph)
        before = name
    return named


def write_graph(path, graph):
    with open(path, "w") as file:
        json.dump(graph, file, indent=1)
        file.write("\n")
