"""The rows of ids that were made in this process, by which a plain array of them is recognised.

Samplers, data frames and lists keep the values of a matrix and nothing else. A digest of each row
says which TokenTable the values belong to.
"""

import itertools
import threading
from functools import lru_cache
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from sktextcnn._compat.locks import ForkSafeLock
from sktextcnn._token_ids.table import PADDING_ID, TokenTable

# Of each table, so many of the latest rows are remembered, at 8 bytes each; the latest matrix is
# remembered as a whole.
_MOST_ROWS = 1 << 20
# The surprise, in bits, at finding a row among those of a table by chance, from which on the row
# tells that the ids are of the table.
_TELLING = 20
# The share of the rows from which on an array is one whose other rows were changed.
_SHARE_OF_CHANGED = 0.1
# So many matrices of a table are remembered apart; older ones become one.
_MOST_MATRICES = 32
# Foreign columns are looked for in so many rows, and up to so many of them before the ids.
_ROWS_TO_TRY, _COLUMNS_TO_TRY = 20, 64
_ROWS_AT_ONCE = 4096


class _Made(NamedTuple):
    """The digests of a matrix, sorted, and when and in which thread it was made."""

    time: int
    thread: int
    digests: np.ndarray


_made: "WeakKeyDictionary[TokenTable, list[_Made]]" = WeakKeyDictionary()
_lock = ForkSafeLock()
_clock = itertools.count()


def remember_rows(ids: np.ndarray, table: TokenTable) -> None:
    """Note that the rows are ids of a table.

    Parameters
    ----------
    ids : ndarray of shape (n_texts, n_tokens), int32
        The ids. Other shapes, and a single text, are not noted: there is no training on them.
    table : TokenTable
        What they refer to. The rows are forgotten when it is no longer in use.
    """
    if ids.ndim != 2 or len(ids) < 2:
        return
    made = _Made(next(_clock), threading.get_ident(), np.unique(_digests(ids)))
    with _lock.current:
        matrices = [*_made.get(table, ()), made]
        if len(matrices) > _MOST_MATRICES:
            half = _MOST_MATRICES // 2
            older = np.unique(np.concatenate([matrix.digests for matrix in matrices[:half]]))
            matrices = [matrices[half - 1]._replace(digests=older), *matrices[half:]]
        n_rows = sum(len(matrix.digests) for matrix in matrices)
        while len(matrices) > 1 and n_rows > _MOST_ROWS:
            n_rows -= len(matrices.pop(0).digests)
        _made[table] = matrices


def table_of_rows(
    ids: np.ndarray, key: str | None = None, *, surely: bool = True
) -> TokenTable | None:
    """Return the table of an array, all of whose rows were made with one.

    Equal rows of several tables are those of the matrix that was made last in this thread, as the
    steps of a pipeline run in one thread, one after the other.

    Parameters
    ----------
    ids : ndarray of shape (n_texts, n_tokens), int
        The array, which may have further columns of padding.
    key : str or None
        The key of the table, if it is known.
    surely : bool, default=True
        Whether rows of few tokens do not count, as they may be equal by chance.

    Returns
    -------
    TokenTable or None
        None if there is none.

    Raises
    ------
    ValueError
        If there are several with other words or vectors, all made in other threads.
    """
    digests = np.unique(_digests(ids))
    lengths = np.count_nonzero(ids, axis=1)
    here = threading.get_ident()
    found = []
    for table, matrices in _candidates(key):
        known = np.zeros(len(digests), dtype=bool)
        latest = (False, -1)
        for matrix in matrices:
            inside = _contains(matrix.digests, digests)
            known |= inside
            if inside.any():
                latest = max(latest, (matrix.thread == here, matrix.time))
        if known.all() and _telling(lengths, table, matrices, surely).any():
            found.append((latest, table))
    if not found:
        return None
    (made_here, _), table = max(found, key=lambda each: each[0])
    if not made_here and len({other.key for _, other in found}) > 1:
        raise ValueError(
            "The rows of X are equal to those of several vectorizers with other words or vectors, "
            "all in other threads than this one. Pass what TextVectorizer returns, or transform "
            "the texts in the thread that fits the classifier."
        )
    return table


def table_of_some_rows(
    ids: np.ndarray, key: str | None = None, *, surely: bool = True
) -> tuple[TokenTable, int] | None:
    """Return the table that some of the rows were made with, and the number of the other rows.

    Parameters
    ----------
    ids, key, surely
        As for :func:`table_of_rows`.

    Returns
    -------
    (table, n_changed) or None
        None if no table has made a tenth of the rows, or if one has made all rows.
    """
    digests = _digests(ids)
    lengths = np.count_nonzero(ids, axis=1)
    best, most = None, _SHARE_OF_CHANGED
    for table, matrices in _candidates(key):
        telling = _telling(lengths, table, matrices, surely)
        known = _known(matrices, digests)
        share = known[telling].mean() if telling.any() else 0.0
        if share > most:
            best, most = (table, int(np.count_nonzero(~known))), share
    return best if best is not None and best[1] else None


def foreign_columns(
    ids: np.ndarray, key: str | None = None, *, surely: bool = True
) -> tuple[TokenTable, int, int] | None:
    """Return the table of an array that has other columns before or after the ids.

    Parameters
    ----------
    ids, key, surely
        As for :func:`table_of_rows`.

    Returns
    -------
    (table, before, after) or None
        The table, and how many columns there are before the ids and after them.
    """
    longest = np.argsort(-np.count_nonzero(ids, axis=1), kind="stable")[:_ROWS_TO_TRY]
    rows = ids[np.sort(longest)]
    for before in range(min(_COLUMNS_TO_TRY, ids.shape[1])):
        part = rows[:, before:]
        # The digest of the columns up to each one; (n_rows, n_columns).
        digests = np.cumsum(part.astype(np.uint64) * _multipliers(part.shape[1]), axis=1)
        lengths = np.cumsum(part != PADDING_ID, axis=1)
        for table, matrices in _candidates(key):
            fits = _known(matrices, digests.ravel()).reshape(digests.shape) & (lengths > 0)
            tells = (fits & _telling(lengths, table, matrices, surely)).any(axis=1)
            if fits.any(axis=1).all() and tells.mean() >= 0.5:
                # The last column that fits, of each row: padding does, but for foreign columns.
                ends = fits.cumsum(axis=1).argmax(axis=1)
                after = part.shape[1] - 1 - int(ends.min())
                return (table, before, after) if before + after else None
    return None


def _telling(
    lengths: np.ndarray, table: TokenTable, matrices: list[_Made], surely: bool
) -> np.ndarray:
    """Whether rows of so many tokens would hardly be among those of a table by chance."""
    if not surely:
        return lengths > 0
    n_rows = sum(len(matrix.digests) for matrix in matrices)
    return lengths * np.log2(len(table)) >= _TELLING + np.log2(n_rows)


def _candidates(key: str | None) -> list[tuple[TokenTable, list[_Made]]]:
    with _lock.current:
        return [
            (table, list(matrices))
            for table, matrices in _made.items()
            if key is None or table.key == key
        ]


def _known(matrices: list[_Made], digests: np.ndarray) -> np.ndarray:
    known = np.zeros(len(digests), dtype=bool)
    for matrix in matrices:
        known |= _contains(matrix.digests, digests)
    return known


def _contains(in_order: np.ndarray, digests: np.ndarray) -> np.ndarray:
    places = np.searchsorted(in_order, digests).clip(max=len(in_order) - 1)
    return in_order[places] == digests


def _digests(ids: np.ndarray) -> np.ndarray:
    """Return a number for each row that does not depend on padding at its end; (n,), uint64."""
    factors = _multipliers(ids.shape[1])
    blocks = [
        np.einsum("ij,j->i", ids[start : start + _ROWS_AT_ONCE].astype(np.uint64), factors)
        for start in range(0, len(ids), _ROWS_AT_ONCE)
    ]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.uint64)


def _multipliers(n_columns: int) -> np.ndarray:
    return _drawn(1 << max(6, (n_columns - 1).bit_length()))[:n_columns]


@lru_cache(maxsize=32)
def _drawn(n_columns: int) -> np.ndarray:
    """Return random odd numbers; those of fewer columns are the first of those of more."""
    rng = np.random.Generator(np.random.PCG64(0))
    return rng.integers(0, 1 << 64, n_columns, dtype=np.uint64) | np.uint64(1)
