#!/usr/bin/env python3
"""Files for tests/data/test_table.c, each written by the tool of its origin: numpy, soundfile, wave, h5py; those of
Edge Impulse's acquisition format as its specification does it, with json, cbor2 and hmac.

    pip install numpy soundfile h5py cbor2 && python3 scripts/golden/table_files.py tests/data/files/tables

Beside them goes values.txt, what each file holds: "FILE ENTRY ROWS COLUMNS RATE TOLERANCE" ("-": no entry), then a line per row.
The values are those that were written, never those read back.
"""
import hashlib
import hmac
import json
import pathlib
import sys
import wave

import cbor2
import h5py
import numpy as np
import soundfile

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
values_file = open(folder / "values.txt", "w")
random = np.random.default_rng(5)


def holds(name, values, entry="-", rate=0, tolerance=0):
    values = np.asarray(values)
    values = values.reshape(len(values), -1)
    print(name, entry, *values.shape, rate, tolerance, file=values_file)
    for row in values:
        print(*(repr(float(v)) for v in row), file=values_file)


def numbers(dtype, shape):
    """Some of everything that the type can hold, its limits among them."""
    dtype = np.dtype(dtype)
    n = int(np.prod(shape))
    if dtype.kind == "b":
        flat = random.integers(0, 2, n).astype(dtype)
    elif dtype.kind in "iu":
        limits = np.iinfo(dtype)
        flat = random.integers(max(limits.min, -1000), min(limits.max, 1000), n).astype(dtype)
        flat[:2] = limits.min, limits.max
    else:
        flat = random.normal(0, 10, n).astype(dtype)
        limits = np.finfo(dtype)
        flat[:6] = limits.max, -limits.max, limits.tiny, limits.smallest_subnormal, -0.0, np.inf
    return flat.reshape(shape)


def write_npy():
    a = numbers("<f4", (5, 3))
    np.save(folder / "c_order.npy", a)
    holds("c_order.npy", a)
    a = numbers(">i2", (4, 3))
    np.save(folder / "fortran_order.npy", np.asfortranarray(a))
    holds("fortran_order.npy", a)
    for version in (1, 2, 3):
        a = numbers("<f8", 7)
        with open(folder / f"version{version}.npy", "wb") as file:
            np.lib.format.write_array(file, a, version=(version, 0))
        holds(f"version{version}.npy", a)


def write_npz():
    arrays = {}
    for order in "<>":
        for name in "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split():
            arrays[("little_" if order == "<" else "big_") + name] = numbers(order + name, (4, 2))
    np.savez_compressed(folder / "types.npz", **arrays)
    for name, a in arrays.items():
        holds("types.npz", a, entry=name)
    single = numbers("<f4", (6, 2))
    np.savez(folder / "single.npz", walk=single)
    holds("single.npz", single)
    # Refused:
    np.save(folder / "bad_object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.save(folder / "bad_record.npy", np.zeros(3, dtype=[("x", "<f4"), ("y", "<i2")]))
    np.save(folder / "bad_complex.npy", np.zeros(3, dtype="<c8"))
    np.save(folder / "bad_text.npy", np.array(["a", "bc"]))
    np.save(folder / "bad_dimensions.npy", np.zeros((2, 3, 4)))
    np.save(folder / "bad_scalar.npy", np.float64(3))
    np.save(folder / "bad_empty.npy", np.zeros((0, 3)))


def write_audio():
    n = 40
    counts = random.integers(-32768, 32768, (n, 2))
    counts[0] = -32768, 32767
    with wave.open(str(folder / "python_wave.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(counts.astype("<i2").tobytes())
    holds("python_wave.wav", counts / 32768, rate=16000)
    wide = random.integers(-(2**23), 2**23, (n, 3))
    for name, subtype, container, endian, scale in [
        ("pcm_u8.wav", "PCM_U8", "WAV", "FILE", 2**16),
        ("pcm_24.wav", "PCM_24", "WAV", "FILE", 1),
        ("extensible.wav", "PCM_24", "WAVEX", "FILE", 1),
        ("big_endian.wav", "PCM_16", "WAV", "BIG", 2**8),
        ("pcm_24.flac", "PCM_24", "FLAC", "FILE", 1),
        ("pcm_16.flac", "PCM_16", "FLAC", "FILE", 2**8),
    ]:
        kept = wide // scale * scale
        soundfile.write(folder / name, (kept * 2**8).astype(np.int32), 8000, subtype, endian, container)
        holds(name, kept / 2**23, rate=8000)
    floats = random.normal(0, 1, n)
    soundfile.write(folder / "float.wav", floats, 44100, "DOUBLE")
    holds("float.wav", floats, rate=44100)
    # soundfile writes no 64-bit WAV (EBU Tech 3306); this is one by its definition
    samples = counts[:, :1].astype("<i2").tobytes()
    form = b"WAVEds64" + (28).to_bytes(4, "little") + (72 + len(samples)).to_bytes(8, "little")
    form += len(samples).to_bytes(8, "little") + n.to_bytes(8, "little") + bytes(4)
    form += b"fmt " + (16).to_bytes(4, "little") + b"\1\0\1\0" + (16000).to_bytes(4, "little") + (32000).to_bytes(4, "little") + b"\2\0\x10\0"
    form += b"data\xff\xff\xff\xff" + samples
    (folder / "rf64.wav").write_bytes(b"RF64\xff\xff\xff\xff" + form)
    holds("rf64.wav", counts[:, :1] / 32768, rate=16000)
    tone = 0.5 * np.sin(2 * np.pi * 440 / 16000 * np.arange(320))
    soundfile.write(folder / "vorbis.ogg", tone, 16000, "VORBIS", format="OGG")
    holds("vorbis.ogg", tone.round(3), rate=16000, tolerance=0.03)
    tone = 0.5 * np.sin(2 * np.pi * 440 / 48000 * np.arange(1920))
    soundfile.write(folder / "opus.ogg", tone, 48000, "OPUS", format="OGG")
    holds("opus.ogg", tone.round(3), rate=48000, tolerance=0.1)


def acquisition(values, sensors, interval_ms, algorithm="HS256"):
    return {
        "protected": {"ver": "v1", "alg": algorithm, "iat": 1564128599},
        "signature": "0" * 64,
        "payload": {
            "device_name": "ac:87:a3:0a:2d:1b",
            "device_type": "DISCO-L475VG-IOT01A",
            "interval_ms": interval_ms,
            "sensors": [{"name": name, "units": units} for name, units in sensors],
            "values": values,
        },
    }


def write_acquisition(name, data, encode, **holding):
    """As the specification signs: encode with a signature of zeros, sign those bytes, put the signature in."""
    if data["protected"]["alg"] == "HS256":
        signature = hmac.new(b"fed53116f20684c067774ebf9e7bcbdc", encode(data), hashlib.sha256).hexdigest()
        data = {**data, "signature": signature}
    (folder / name).write_bytes(encode(data))
    holds(name, data["payload"]["values"], rate=1000 / data["payload"]["interval_ms"], **holding)


def write_acquisitions():
    axes = [("accX", "m/s2"), ("accY", "m/s2"), ("accZ", "m/s2")]
    rows = [[-9.81, 0.03, 1.21], [-9.83, 0.04, 1.27], [-9.12, 0.03, 1.23], [-9.14, 0.01, 1.25]]
    as_json = lambda data: json.dumps(data).encode()
    write_acquisition("signed.json", acquisition(rows, axes, 10), as_json)
    write_acquisition("unsigned.json", acquisition([[1], [-2], [3]], [("light", "lx")], 62.5, "none"), as_json)
    write_acquisition("signed.cbor", acquisition(rows, axes, 10), cbor2.dumps)
    # as devices write it: one axis without lists, the shortest floats, a list without a length
    device = lambda data: cbor2.dumps(data, canonical=True, indefinite_containers=True)
    sound = [1.5, -2.0, 100000.0, 0.1, 7, -300, 70000, 2**40, -(2**40), 0]
    write_acquisition("device.cbor", acquisition(sound, [("audio", "wav")], 0.0625), device)


def write_hdf5():
    walk = random.normal(0, 10, (30, 3)).astype("<f4")
    steps = random.integers(-30000, 30000, 9).astype(">i2")
    with h5py.File(folder / "recording.h5", "w") as file:
        file.create_dataset("session/walk", data=walk, chunks=(8, 3), compression="gzip", shuffle=True, fletcher32=True)
        file["steps"] = steps
        file["time"] = np.arange(2**53 - 2, 2**53 + 1)
        file["text"] = "a walk"
        file["cube"] = np.zeros((2, 2, 2))
        file["elsewhere"] = h5py.ExternalLink("one.h5", "x")
        file.create_dataset("never", (5, 2), "f8")
    holds("recording.h5", walk, entry="session/walk")
    holds("recording.h5", steps, entry="steps")
    holds("recording.h5", np.arange(2**53 - 2, 2**53 + 1), entry="/time")
    with h5py.File(folder / "one.h5", "w", libver="latest") as file:
        file["x"] = walk[:4]
    holds("one.h5", walk[:4])


write_npy()
write_npz()
write_audio()
write_acquisitions()
write_hdf5()
