"""Vectors of words from objects that encode texts, such as a SentenceTransformer."""

import uuid
import weakref
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sktextcnn._compat.locks import ForkSafeLock
from sktextcnn._progress import progress_bar
from sktextcnn._vectors.gensim_objects import is_encodable
from sktextcnn._vectors.in_memory import as_array

# So many words are encoded at once.
_BATCH = 256
_MOST_UNPICKLED = 4


def is_encoder(source: Any) -> bool:
    """Whether an object, not a class, has a method `encode`."""
    return callable(getattr(source, "encode", None)) and not isinstance(source, type)


class EncodedWords:
    """The rows of the words that an object has encoded so far.

    Parameters
    ----------
    key : str or None, default=None
        What identifies the object in other processes, which get copies of it. None makes a key.
    """

    def __init__(self, key: str | None = None) -> None:
        self.key = key or uuid.uuid4().hex
        self.lock = ForkSafeLock()
        self.rows: dict[str, np.ndarray | None] = {}
        self.size: int | None = None
        _alive[self.key] = self

    def lookup(self, encoder: Any, words: Iterable[str], verbose: int) -> dict[str, np.ndarray]:
        """Return the rows of words; only words that are not yet encoded are encoded.

        Tokenizers refuse words that are not valid text, so these have no row. Neither have words
        whose row is zeros: Model2Vec returns zeros for words that it does not know.
        """
        words = [word for word in words if is_encodable(word)]
        with self.lock.current:
            new = [word for word in dict.fromkeys(words) if word not in self.rows]
            for batch in _batches(new, type(encoder).__name__, verbose):
                matrix = _encode(encoder, batch, self.size)
                self.size = matrix.shape[1]
                # After an interrupt, the batches before it are not encoded again.
                for word, row in zip(batch, matrix, strict=True):
                    self.rows[word] = row if row.any() else None
            found = ((word, self.rows[word]) for word in words)
            return {word: row for word, row in found if row is not None}


def _batches(words: list[str], name: str, verbose: int) -> Iterator[list[str]]:
    shown = bool(verbose and words)
    with progress_bar(shown=shown, total=len(words), desc=name, unit=" words") as bar:
        for start in range(0, len(words), _BATCH):
            batch = words[start : start + _BATCH]
            yield batch
            bar.update(len(batch))


def _encode(encoder: Any, words: list[str], size: int | None) -> np.ndarray:
    """Return a read-only float32 matrix with the row of each word."""
    result = encoder.encode(list(words))
    where = f"{type(encoder).__name__}.encode, for {len(words):,} words from {words[0]!r:.60}"
    matrix = as_array(result, where, "a matrix of numbers")
    if matrix.dtype.kind not in "iuf" or matrix.ndim != 2:
        raise ValueError(
            f"{where}: expected a dense matrix of numbers; got {type(result).__name__}, which "
            f"is an array of {matrix.dtype} of shape {matrix.shape}."
        )
    if matrix.shape[0] != len(words) or matrix.shape[1] != (size or max(1, matrix.shape[1])):
        raise ValueError(
            f"{where}: expected {len(words):,} rows of {size or 'one or more'} numbers; got a "
            f"matrix of shape {matrix.shape}."
        )
    with np.errstate(over="ignore"):
        matrix = matrix.astype(np.float32)
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        word = words[int(finite.argmin())]
        raise ValueError(f"{where}: expected finite numbers; the row of {word!r:.60} has others.")
    matrix.setflags(write=False)
    return matrix


# Rows that are remembered -------------------------------------------------------------

_alive: weakref.WeakValueDictionary[str, EncodedWords] = weakref.WeakValueDictionary()
# Those of handles that were unpickled, as each task of a parallel search unpickles its own.
_unpickled: OrderedDict[str, EncodedWords] = OrderedDict()
_lock = ForkSafeLock()


def encoded_words(key: str) -> EncodedWords:
    """Return the rows that this process has of the object of a handle that was pickled."""
    with _lock.current:
        encoded = _alive.get(key) or EncodedWords(key)
        _unpickled[key] = encoded
        _unpickled.move_to_end(key)
        while len(_unpickled) > _MOST_UNPICKLED:
            _unpickled.popitem(last=False)
    return encoded
