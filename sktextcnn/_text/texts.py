"""Validation of texts."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

_VALUES_AT_ONCE = 1 << 14


def read_texts(X: Any) -> Iterator[str]:
    """Yield the texts, each after a check that it is a str."""
    if isinstance(X, str | bytes):
        raise TypeError(
            f"X must be an iterable of texts, such as a list; got a single {type(X).__name__}. "
            f"Put it in a list: [text]."
        )
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) != 1:
        raise ValueError(
            f"X must be one-dimensional, with one text per entry; got {type(X).__name__} of shape "
            f"{tuple(shape)}. Select the column of the texts, such as df['text'] or X[:, 0]."
        )
    if isinstance(X, Mapping | set | frozenset):
        raise TypeError(
            f"X must be an iterable of texts in a fixed order; got {type(X).__name__}. Pass a list."
        )
    try:
        texts = _python_strings(X) if hasattr(X, "to_pylist") else iter(X)
    except TypeError:
        raise TypeError(
            f"X must be an iterable of texts, such as a list; got {type(X).__name__}."
        ) from None
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(_not_a_text_message(position, text))
        yield text


def _python_strings(X: Any) -> Iterator[Any]:
    """Yield the values of an Arrow array, which iterates over scalars of its own types."""
    for start in range(0, len(X), _VALUES_AT_ONCE):
        yield from X.slice(start, _VALUES_AT_ONCE).to_pylist()


def _not_a_text_message(position: int, value: Any) -> str:
    what = f"Text {position} (counting from 0) is {value!r:.60} of type {type(value).__name__}"
    if isinstance(value, bytes):
        return f"{what}; texts must be str. Decode it first: text.decode('utf-8')."
    if isinstance(value, Collection):
        return (
            f"{what}; texts must be str. Join tokens with spaces, or select the column of "
            f"the texts. For lists of tokens, set analyzer to a function that returns them."
        )
    # pandas.NA is tested by its name, as a comparison with it does not give a bool.
    if type(value).__name__ in ("NAType", "NoneType") or value != value:
        return f"{what}; texts must be str. Drop missing texts, or replace them with ''."
    return f"{what}; texts must be str. Convert it with str()."
