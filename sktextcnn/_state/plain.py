"""Values as JSON, and back, with nothing in it that could run code."""

import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

# Arrays of these kinds of dtype are stored: bool, int, unsigned, float, datetime, timedelta.
_NUMBERS, _TIMES = "biuf", "mM"
# Bits; Python refuses to write ints of more than 4,300 digits.
_LONGEST_INT = 10_000


class NotPlainError(TypeError):
    """A value has no plain form."""


def to_plain(value: Any) -> Any:
    """Turn a value into what JSON can hold.

    Numbers, strings, None, and lists of these stay as they are; other containers, arrays, and
    dates of NumPy become an object that names their type.

    Parameters
    ----------
    value : object
        A number, str, None, path, list, tuple, set, mapping, NumPy scalar, or NumPy array of
        numbers, str, dates, or objects of these types.

    Raises
    ------
    NotPlainError
        If the value, or one inside of it, is of another type.
    """
    if isinstance(value, np.datetime64 | np.timedelta64):
        return _array_to_plain(np.asarray(value))
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, bool | int | str) and _is_builtin(value)):
        return value
    if isinstance(value, float) and _is_builtin(value):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, PurePath):
        return str(value)
    if type(value) is list:
        return [to_plain(item) for item in value]
    if type(value) is tuple:
        return {"tuple": [to_plain(item) for item in value]}
    if type(value) in (set, frozenset):
        items = sorted((to_plain(item) for item in value), key=repr)
        return {type(value).__name__: items}
    if isinstance(value, Mapping):
        return {"dict": [[to_plain(key), to_plain(item)] for key, item in value.items()]}
    if type(value) is np.ndarray:  # Masked arrays and matrices would become others.
        return _array_to_plain(value)
    if type(value) is int:
        raise NotPlainError(f"int of {value.bit_length()} bits")
    raise NotPlainError(f"{type(value).__name__} {value!r:.80}")


def _is_builtin(value: Any) -> bool:
    """Whether JSON keeps a value: no subclass, such as an Enum, and no giant int."""
    return type(value) in (bool, float, str) or (
        type(value) is int and value.bit_length() <= _LONGEST_INT
    )


def _array_to_plain(array: np.ndarray) -> dict[str, Any]:
    kind, flat = array.dtype.kind, array.ravel()
    if kind in _NUMBERS and array.dtype.itemsize <= 8:
        plain = {"array": [to_plain(item) for item in flat.tolist()], "dtype": _name(array.dtype)}
    elif kind in _TIMES:
        plain = {"array": flat.astype(np.int64).tolist(), "dtype": _name(array.dtype)}
    elif kind in "UO":
        plain = {"array": [to_plain(item) for item in flat.tolist()], "dtype": kind}
    elif kind == "T":  # NumPy's strings of any length.
        plain = {"array": [to_plain(str(item)) for item in flat.tolist()], "dtype": kind}
    else:
        raise NotPlainError(f"array of dtype {array.dtype}")
    return plain if array.ndim == 1 else {**plain, "shape": list(array.shape)}


def _name(dtype: np.dtype) -> str:
    """The name of a dtype, with its order of bytes where that is not the machine's."""
    return dtype.name if dtype.isnative else dtype.str


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
    if keys == {"frozenset"}:
        return frozenset(_items(value["frozenset"]))
    if keys == {"dict"}:
        return dict(_items(value["dict"]))
    if keys in ({"array", "dtype"}, {"array", "dtype", "shape"}):
        array = _array_from_plain(_items(value["array"]), value["dtype"])
        if "shape" not in value:
            return array
        # A scalar was one of NumPy's dates: other scalars are numbers of Python.
        array = array.reshape(_items(value["shape"]))
        return array if array.ndim else array[()]
    raise ValueError(f"nothing is stored as {value!r:.80}")


def _items(value: Any) -> list:
    if not isinstance(value, list):
        raise ValueError(f"expected a list, not {value!r:.80}")
    return from_plain(value)


def _array_from_plain(items: list, dtype: Any) -> np.ndarray:
    if dtype == "O":
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array
    if dtype in ("U", "T"):
        if not all(isinstance(item, str) for item in items):
            raise ValueError("expected an array of str")
        return np.array(items, dtype=str if dtype == "U" else _string_dtype())
    try:
        expected = np.dtype(dtype) if isinstance(dtype, str) else None
    except TypeError:
        expected = None
    if expected is None or _name(expected) != dtype or expected.kind not in _NUMBERS + _TIMES:
        raise ValueError(f"expected an array of numbers or dates, not of {dtype!r:.80}")
    if not all(isinstance(item, int | float) for item in items):
        raise ValueError(f"expected numbers for an array of {dtype!r:.80}")
    if expected.kind in _TIMES:
        return np.array(items, dtype=np.int64).astype(expected)
    return np.array(items, dtype=expected)


def _string_dtype() -> Any:
    if not hasattr(np.dtypes, "StringDType"):
        raise ValueError("labels of NumPy's StringDType need NumPy 2")
    return np.dtypes.StringDType()
