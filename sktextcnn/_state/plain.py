"""Parameters as JSON, and back, with nothing in it that could run code."""

import math
from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

_NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")


class NotPlainError(TypeError):
    """A value has no plain form."""


def to_plain(value: Any) -> Any:
    """Turn a value into what JSON can hold.

    Numbers, strings, None, and lists of these stay as they are; other containers become an
    object of one key that names their type.

    Raises
    ------
    NotPlainError
        If the value, or one inside of it, is of another type.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list):
        return [to_plain(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [to_plain(item) for item in value]}
    if isinstance(value, set | frozenset):
        return {"set": sorted((to_plain(item) for item in value), key=repr)}
    if isinstance(value, Mapping):
        return {"dict": [[to_plain(key), to_plain(item)] for key, item in value.items()]}
    if isinstance(value, np.ndarray) and value.ndim == 1:
        if value.dtype.kind in "UO" and all(isinstance(item, str) for item in value):
            return {"array": value.tolist(), "dtype": value.dtype.kind}
        if value.dtype.name in _NUMBERS:
            return {"array": to_plain(value.tolist()), "dtype": value.dtype.name}
    raise NotPlainError(f"{type(value).__name__} {value!r:.80}")


def from_plain(value: Any) -> Any:
    """Turn what `to_plain` returned into the value again.

    Raises
    ------
    ValueError
        If `to_plain` cannot have returned it.
    """
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    keys = set(value)
    if keys == {"float"} and value["float"] in ("nan", "inf", "-inf"):
        return float(value["float"])
    if keys == {"tuple"}:
        return tuple(_items(value["tuple"]))
    if keys == {"set"}:
        return set(_items(value["set"]))
    if keys == {"dict"}:
        return dict(_items(value["dict"]))
    if keys == {"array", "dtype"}:
        return _array(_items(value["array"]), value["dtype"])
    raise ValueError(f"nothing is stored as {value!r:.80}")


def _items(value: Any) -> list:
    if not isinstance(value, list):
        raise ValueError(f"expected a list, not {value!r:.80}")
    return from_plain(value)


def _array(items: Collection[Any], dtype: Any) -> np.ndarray:
    if dtype in ("U", "O"):
        if not all(isinstance(item, str) for item in items):
            raise ValueError("expected an array of str")
        return np.array(items, dtype=object if dtype == "O" else str)
    if dtype not in _NUMBERS or not all(isinstance(item, int | float) for item in items):
        raise ValueError(f"expected an array of numbers, not of {dtype!r:.80}")
    return np.array(items, dtype=dtype)
