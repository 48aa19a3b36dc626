"""Fuzz sktextcnn.load: python -m fuzz.fuzz_model_file -max_total_time=60."""

import copy
import json
import random
import warnings
from collections.abc import Iterator
from typing import Any

import atheris

_READERS = [
    "sktextcnn._files.model_file",
    "sktextcnn._state.plain",
    "sktextcnn._training.net_storage",
]
with atheris.instrument_imports(include=_READERS):
    import sktextcnn._files.model_file  # noqa: F401

from fuzz import harness, seeds  # noqa: E402
from fuzz.properties import check_model_file  # noqa: E402

_VALUES = [None, True, False, 0, 1, -1, 2, 1 << 31, 1 << 63, 1e308, 0.5, "", "a", "\ud800", [], {}]
_VALUES += [[0], [[]], {"tuple": []}, {"dict": [["a", 1]]}, {"set": ["a"]}, {"float": "nan"}]
_VALUES += [{"array": [1, 2], "dtype": "int64"}, {"array": ["a"], "dtype": "O"}, {"omitted": "a"}]


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change one value of JSON into another one, so that what is behind its parser is tried."""
    rng = random.Random(seed)
    try:
        root = {"": json.loads(data[1:])}
    except (ValueError, RecursionError):
        return atheris.Mutate(data, max_size)
    if rng.random() < 0.1:
        return atheris.Mutate(data, max_size)
    places = list(_places(root))
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        container, key = rng.choice(places)
        other_container, other_key = rng.choice(places)
        try:
            if rng.random() < 0.1 and container is not root:
                del container[key]
            else:
                value = rng.choice([*_VALUES, other_container[other_key]])
                container[key] = copy.deepcopy(value)
        except (KeyError, IndexError):
            continue  # A change before this one took the place away.
    changed = data[:1] + json.dumps(root[""]).encode()
    return changed if len(changed) <= max_size else data


def _places(container: Any) -> Iterator[tuple[Any, Any]]:
    keys = container if isinstance(container, dict) else range(len(container))
    for key in keys:
        yield container, key
        if isinstance(container[key], dict | list):
            yield from _places(container[key])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    bases = seeds.models()
    harness.run(
        "model_file",
        seeds.model_files(bases),
        lambda data, folder: check_model_file(data, bases, folder),
        longest=16384,
        custom_mutator=mutate,
    )
