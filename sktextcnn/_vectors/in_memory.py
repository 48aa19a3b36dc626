"""Vectors in containers of Python: a mapping of words to vectors, or words and a matrix."""

import operator
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

# A mapping of words to vectors, or the row of each word and a matrix. Plain containers, so that
# pickles and skops need no class for them.
InMemory = Mapping[str, Any] | tuple[Mapping[str, int], np.ndarray]


def is_in_memory(source: Any) -> bool:
    """Whether this is a mapping, a pair of words and a matrix, or a DataFrame."""
    return isinstance(source, Mapping) or is_pair(source) or _is_data_frame(source)


def is_pair(source: Any) -> bool:
    """Whether this is a pair of words and a matrix, and not two sources."""
    if not isinstance(source, list | tuple) or len(source) != 2:
        return False
    words, matrix = source
    if isinstance(words, Mapping):
        # The vectors of one source are not whole numbers, as the rows of words are.
        are_words = not words or _is_row(next(iter(words.values())))
    else:
        are_words = isinstance(words, Collection) and not isinstance(
            words, str | bytes | set | frozenset
        )
        are_words = are_words and _n_axes(words) == 1
    return are_words and _n_axes(matrix) == 2


def as_in_memory(source: Any) -> InMemory:
    """Check words and widths; the numbers are checked when words are looked up.

    Nothing is copied. A pair becomes the row of each word and an array.

    Raises
    ------
    TypeError
        If a word is not a str, or a row is not an integer.
    ValueError
        If there are no words, vectors differ in width, or there is not a row for each word.
    """
    if isinstance(source, Mapping):
        return _checked_mapping(source)
    words, matrix = (source.index, source) if _is_data_frame(source) else source
    matrix = as_array(matrix, "The matrix of the words")
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
        raise ValueError(
            f"embeddings=(words, matrix): expected a matrix of numbers with a row for each word; "
            f"got an array of {matrix.dtype} of shape {matrix.shape}."
        )
    if not matrix.shape[1]:
        raise ValueError("embeddings=(words, matrix): the matrix has no columns.")
    _check_words(words)
    if isinstance(words, Mapping):
        _check_rows(words, len(matrix))
        return words, matrix
    if len(words) != len(matrix):
        raise ValueError(
            f"embeddings=(words, matrix): there are {len(words):,} words, but the matrix has "
            f"{len(matrix):,} rows. Give a row for each word."
        )
    rows: dict[str, int] = {}
    for row, word in enumerate(words):
        rows.setdefault(word, row)
    return rows, matrix


def lookup_in_memory(vectors: InMemory, words: Iterable[str]) -> dict[str, np.ndarray]:
    """Return float32 copies of the vectors of the words that have one."""
    rows, matrix = vectors if isinstance(vectors, tuple) else (vectors, None)
    found = {}
    for word in words:
        if word in rows:
            value = rows[word] if matrix is None else matrix[rows[word]]
            found[word] = _float_row(value, word)
    return found


def words_in_memory(vectors: InMemory) -> Collection[str]:
    """Return the words."""
    return vectors[0] if isinstance(vectors, tuple) else vectors


def as_array(value: Any, what: str, expected: str = "numbers") -> np.ndarray:
    """Return an array of a tensor, on any device, or of anything that NumPy converts.

    Raises
    ------
    ValueError
        If NumPy cannot convert it.
    """
    try:
        if callable(getattr(value, "detach", None)):  # A tensor of torch.
            value = value.detach().cpu()
            # NumPy has no bfloat16.
            value = value.float() if value.is_floating_point() else value
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ValueError(
            f"{what}: expected {expected}; got {type(value).__name__} ({error})."
        ) from error


def _checked_mapping(source: Mapping[Any, Any]) -> Mapping[str, Any]:
    _check_words(source)
    widths = {word: _width(vector) for word, vector in source.items()}
    width = Counter(widths.values()).most_common(1)[0][0]
    for word, of_word in widths.items():
        if not of_word:
            raise ValueError(
                f"embeddings={{word: vector}}: the vector of {word!r:.60} is "
                f"{source[word]!r:.60}, of type {type(source[word]).__name__}; expected a list "
                f"or an array of one or more numbers."
            )
        if of_word != width:
            raise ValueError(
                f"embeddings={{word: vector}}: the vector of {word!r:.60} has {of_word:,} numbers, "
                f"but those of most words have {width:,}. Make them equal, or leave it out."
            )
    return source


def _check_rows(rows: Mapping[str, Any], n_rows: int) -> None:
    for word, row in rows.items():
        if not _is_row(row) or not 0 <= row < n_rows:
            raise ValueError(
                f"embeddings=(words, matrix): the row of {word!r:.60} is {row!r:.60}; expected "
                f"an integer from 0 to {n_rows - 1:,}, since the matrix has {n_rows:,} rows. "
                f"Leave out words without a row."
            )


def _check_words(words: Collection[Any]) -> None:
    if not len(words):
        raise ValueError("embeddings is empty: it has no words. Give the vectors of some words.")
    for word in words:
        if not isinstance(word, str):
            raise TypeError(
                f"The words of embeddings must be str; got {word!r:.60} of type "
                f"{type(word).__name__}."
            )


def _width(vector: Any) -> int | None:
    """Return the number of numbers; None if these are not the numbers of one word."""
    shape = getattr(vector, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) == 1 else None
    return len(vector) if isinstance(vector, Collection) and not _is_text(vector) else None


def _float_row(value: Any, word: str) -> np.ndarray:
    row = as_array(value, f"The vector of {word!r:.60} in embeddings")
    if row.dtype.kind not in "biuf" or row.ndim != 1:
        raise ValueError(
            f"The vector of {word!r:.60} in embeddings is not a vector of numbers, but an array "
            f"of {row.dtype} of shape {row.shape}."
        )
    with np.errstate(over="ignore"):
        row = np.array(row, dtype=np.float32)
    if not np.isfinite(row).all():
        raise ValueError(
            f"The vector of {word!r:.60} in embeddings has the value "
            f"{row[~np.isfinite(row)][0]}; expected finite numbers."
        )
    return row


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes | Mapping)


def _is_row(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def _n_axes(value: Any) -> int:
    """Return the number of axes of an array, or of nested lists."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return len(shape)
    first = next(iter(value), None) if isinstance(value, Collection) else None
    return 1 + (isinstance(value, list | tuple) and _is_numbers(first))


def _is_numbers(value: Any) -> bool:
    return isinstance(value, Collection) and not _is_text(value)


def _is_data_frame(source: Any) -> bool:
    return all(hasattr(source, name) for name in ("index", "columns", "to_numpy", "dtypes"))
