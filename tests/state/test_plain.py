"""Values as JSON: what comes back, and what is refused."""

import json

import numpy as np
import pytest

from sktextcnn._state import NotPlainError, from_plain, to_plain


def back(value):
    return from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -1.5,
        "\ud800",
        [1, [2.0, None]],
        (1, ("a",)),
        {1: {"a": (2,)}},
        {frozenset({1, 2}), 3},
        float("inf"),
    ],
    ids=repr,
)
def test_builtin_values_come_back(value):
    assert back(value) == value
    assert type(back(value)) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.array([0.5, np.nan, -np.inf], dtype=np.float16),
        np.array([2**64 - 1], dtype=np.uint64),
        np.array([True, False]),
        np.array(["NaT", "2020-01-01"], dtype="datetime64[D]"),
        np.array([1, 2], dtype="timedelta64[ms]"),
        np.array([1, 2], dtype=">i4"),
        np.array(["a", "ab"]),
        np.array(["a", None, 1, (2, 3)], dtype=object),
        np.array([], dtype=object),
    ],
    ids=lambda array: str(array.dtype),
)
def test_arrays_come_back(array):
    found = back(array)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_scalars_of_numpy_come_back_as_numbers_and_dates():
    assert back(np.float32(0.5)) == 0.5
    assert back(np.datetime64("2020-01-01")) == np.datetime64("2020-01-01")
    assert back(np.timedelta64(3, "s")) == np.timedelta64(3, "s")


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="needs NumPy 2")
def test_strings_of_any_length_come_back():
    array = np.array(["a", "b" * 99], dtype=np.dtypes.StringDType())
    assert back(array).dtype == array.dtype
    assert back(array).tolist() == array.tolist()


@pytest.mark.parametrize(
    "value",
    [1j, b"a", object(), range(3), np.array([1j]), np.array([object()]), 10**5000, len],
    ids=lambda value: type(value).__name__,
)
def test_other_values_are_refused(value):
    with pytest.raises(NotPlainError):
        to_plain(value)
    with pytest.raises(NotPlainError):
        to_plain([value])


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"eval": "1"}, "nothing is stored as"),
        ({"float": "1"}, "nothing is stored as"),
        ({"tuple": 1}, "expected a list"),
        ({"array": 1, "dtype": "int64"}, "expected a list"),
        ({"array": ["a"], "dtype": "int64"}, "expected numbers"),
        ({"array": [1], "dtype": "U"}, "expected an array of str"),
        ({"array": [1], "dtype": "complex128"}, "expected an array of numbers or dates"),
        ({"array": [1], "dtype": "nonsense"}, "expected an array of numbers or dates"),
        ({"array": [1], "dtype": "i8"}, "expected an array of numbers or dates"),
        ({"array": [1], "dtype": 3}, "expected an array of numbers or dates"),
        ({"array": [1, 2], "dtype": "int64", "shape": [3]}, "cannot reshape"),
    ],
)
def test_what_is_never_stored_is_refused(stored, message):
    with pytest.raises(ValueError, match=message):
        from_plain(stored)
