"""Damaged and forged model files are refused."""

import copy
import json

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

import sktextcnn


def test_no_change_goes_unnoticed(saved, tmp_path):
    """Flipped bits, lost ends, added, swapped and zeroed parts, by the thousand."""
    data = saved.read_bytes()
    rng = np.random.default_rng(0)
    damaged = tmp_path / "damaged"
    header = 8 + int.from_bytes(data[:8], "little")
    places = [*range(200), *rng.integers(0, header, 200), *rng.integers(0, len(data), 300)]
    kinds = ["flip"] * len(places) + ["cut", "grow", "swap", "zero"] * 75
    places += rng.integers(0, len(data), 300).tolist()
    for place, kind in zip(places, kinds, strict=True):
        changed = bytearray(data)
        length = int(rng.integers(1, 200))
        if kind == "flip":
            changed[place] ^= 1 << int(rng.integers(8))
        elif kind == "cut":
            del changed[place:]
        elif kind == "grow":
            changed[place:place] = rng.bytes(length)
        elif kind == "swap":
            other = int(rng.integers(0, len(data)))
            a, b = changed[place : place + length], changed[other : other + length]
            changed[place : place + length], changed[other : other + length] = b, a
        else:
            changed[place : place + length] = bytes(len(changed[place : place + length]))
        if changed == data:
            continue
        damaged.write_bytes(changed)
        with pytest.raises(ValueError, match=r"damaged|truncated|too long|not a model|version"):
            sktextcnn.load(damaged)


def forged(saved, change):
    """A file with another header and the right checksum, as an attacker would write it."""
    import hashlib

    data = saved.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    config = json.loads(header["__metadata__"]["config"])
    tensors = load_tensors(data)
    change(config, tensors)
    metadata = {**header["__metadata__"], "config": json.dumps(config), "sha256": "0" * 64}
    new = bytearray(save_tensors(tensors, metadata))
    digest = hashlib.sha256(new).hexdigest().encode()
    return bytes(new).replace(b'"sha256":"' + b"0" * 64, b'"sha256":"' + digest)


def classifier_of(config):
    return config["model"]["steps"][1][1]


EMBEDDING = "textcnnclassifier__embedding.weight"


def settings_of(config):
    return classifier_of(config)["fitted"]["net_"]["settings"]


FORGERIES = {
    "giant": lambda c, t: classifier_of(c)["fitted"]["net_"]["module_params"]["dict"].append(
        ["num_filters", 10**12]
    ),
    "many kernels": lambda c, t: classifier_of(c)["fitted"]["net_"]["module_params"]["dict"].append(
        ["kernel_sizes", [3] * 10**5]
    ),
    "no pool": lambda c, t: classifier_of(c)["fitted"]["net_"]["module_params"]["dict"].append(
        ["pool_size", 0]
    ),
    "another architecture": lambda c, t: classifier_of(c)["fitted"]["net_"].update(
        architecture="stacked"
    ),
    "unknown architecture": lambda c, t: classifier_of(c)["fitted"]["net_"].update(
        architecture="os.system"
    ),
    "unknown kind": lambda c, t: classifier_of(c).update(kind="os.system"),
    "nested": lambda c, t: c["model"]["steps"].append(["again", copy.deepcopy(c["model"])]),
    "fewer classes": lambda c, t: classifier_of(c)["fitted"]["classes_"]["array"].pop(),
    "nan": lambda c, t: t.update(
        {k: np.full_like(v, np.nan) for k, v in t.items() if "embedding" in k}
    ),
    "transposed": lambda c, t: t.update(
        {k: np.ascontiguousarray(v.T) for k, v in t.items() if "embedding" in k}
    ),
    "fewer words": lambda c, t: t.update(
        {"tables.0.words": np.frombuffer(b'["<pad>", "<unk>"]', dtype=np.uint8)}
    ),
    "no words": lambda c, t: t.update({"tables.0.words": np.frombuffer(b"7", dtype=np.uint8)}),
    "deep": lambda c, t: t.update({"tables.0.words": np.frombuffer(b"[" * 10**5, dtype=np.uint8)}),
    "a path of pickles": lambda c, t: c["model"]["params"].update(memory="/tmp/cache"),
    "a pretrained pickle": lambda c, t: classifier_of(c)["params"].update(pretrained="/tmp/x"),
    "an unknown parameter": lambda c, t: classifier_of(c)["params"].update(nonsense=1),
    "a wrong parameter": lambda c, t: classifier_of(c)["params"].update(dropout="high"),
    "a wrong setting": lambda c, t: classifier_of(c)["fitted"]["net_"]["settings"].update(
        optimizer="os.system"
    ),
    "an unknown fact": lambda c, t: classifier_of(c)["fitted"].update(__class__="x"),
    "a wrong length": lambda c, t: c["model"]["steps"][0][1]["fitted"].update(max_length_=-1),
    "no table": lambda c, t: classifier_of(c)["fitted"].update(_table=7),
    "a shared layer": lambda c, t: classifier_of(c)["fitted"]["net_"]["shared"].append(
        "head.1.weight"
    ),
    "many shared": lambda c, t: classifier_of(c)["fitted"]["net_"]["shared"].extend(
        f"embedding.{i}" for i in range(10**5)
    ),
    "shared twice": lambda c, t: classifier_of(c)["fitted"]["net_"]["shared"].append(
        "embedding.weight"
    ),
    "shared narrow": lambda c, t: t.update({EMBEDDING: t[EMBEDDING][:, :3].copy()}),
    "shared long": lambda c, t: t.update({EMBEDDING: np.tile(t[EMBEDDING], (9, 1))}),
    "shared bytes": lambda c, t: t.update({EMBEDDING: t[EMBEDDING].astype(np.uint8)}),
    "a length of zero": lambda c, t: c["model"]["steps"][0][1]["fitted"].update(max_length_=0),
    "classes in a matrix": lambda c, t: classifier_of(c)["fitted"]["classes_"].update(
        shape=[-1, 1]
    ),
    "a further setting": lambda c, t: settings_of(c).update(nonsense=1),
    "a number for a bool": lambda c, t: settings_of(c).update(multilabel=1),
    "a wrong patience": lambda c, t: settings_of(c).update(patience=-1),
    "a number for a name": lambda c, t: classifier_of(c)["fitted"].update(embedding_source_=7),
    "an unknown method": lambda c, t: classifier_of(c).update(requests={"exit": {"X_val": True}}),
    "a wrong request": lambda c, t: classifier_of(c).update(requests={"fit": {"X_val": 3}}),
    "nothing frozen": lambda c, t: classifier_of(c)["fitted"]["net_"]["frozen"].append("nothing"),
    "unknown container": lambda c, t: classifier_of(c)["params"].update(seed={"eval": "1"}),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_files_are_refused(saved, path, name):
    path.write_bytes(forged(saved, lambda config, tensors: None))
    sktextcnn.load(path)
    path.write_bytes(forged(saved, FORGERIES[name]))
    with pytest.raises(ValueError, match="not a valid model file, though its checksum is right"):
        sktextcnn.load(path)


def test_a_newer_format_is_named(saved, path):
    data = saved.read_bytes().replace(b'"format_version":"2"', b'"format_version":"3"')
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"has version 3 of the format.*Install a newer sktextcnn"):
        sktextcnn.load(path)


def test_a_header_that_claims_gigabytes_is_refused_at_once(saved, path):
    data = bytearray(saved.read_bytes())
    data[:8] = (2**40).to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(ValueError, match="not a model file"):
        sktextcnn.load(path)


def test_an_infinite_offset_is_damage(saved, path):
    data = saved.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    name = next(name for name in header if name != "__metadata__")
    header[name]["data_offsets"] = [0, float("inf")]
    changed = json.dumps(header).encode()
    path.write_bytes(len(changed).to_bytes(8, "little") + changed + data[8 + length :])
    with pytest.raises(ValueError, match="damaged: its header lists no tensors"):
        sktextcnn.load(path)
