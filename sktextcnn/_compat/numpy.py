"""Metadata of NumPy's dtypes; their propagation may change, according to NumPy."""

import pickle
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np


def mark_array(array: np.ndarray, mark: Mapping[str, Any]) -> np.ndarray:
    """Return a view whose dtype has the mark as metadata, or the array if metadata is lost."""
    return array.view(_marked_dtype(array.dtype, mark)) if marks_last() else array


def mark_of(array: Any) -> Mapping[str, Any]:
    """Return the mark of an array, or an empty mapping."""
    return getattr(getattr(array, "dtype", None), "metadata", None) or {}


@cache
def marks_last() -> bool:
    """Return whether views, slices, copies and pickles of a marked array keep the mark."""
    mark = {"sktextcnn_probe": 1}
    kept_by: list[Callable[[np.ndarray], np.ndarray]] = [
        np.asarray,
        lambda array: array.view(np.ndarray),
        lambda array: array[1:],
        lambda array: array[[2, 0]],
        np.copy,
        lambda array: pickle.loads(pickle.dumps(array)),
    ]
    try:
        array = np.arange(3, dtype=np.int32)
        marked = array.view(_marked_dtype(array.dtype, mark))
        return all(mark_of(keep(marked)) == mark for keep in kept_by)
    except (AttributeError, TypeError, ValueError):
        return False


def _marked_dtype(dtype: np.dtype, mark: Mapping[str, Any]) -> np.dtype:
    return np.dtype(dtype, metadata=dict(mark))
