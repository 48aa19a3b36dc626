"""TokenIds: a matrix of token ids that keeps a reference to its vocabulary and vectors."""

from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex

import numpy as np

from sktextcnn._compat.numpy import mark_array, mark_of
from sktextcnn._token_ids.rows import remember_rows
from sktextcnn._token_ids.table import RESERVED_WORDS, TokenTable

# The arrays of TokenIds are marked with these, in the metadata of the dtype. NumPy, pandas and
# pickle keep nothing else when they drop the subclass, and joblib.hash reads nothing else.
_KEY = "sktextcnn_table"
_VECTOR_SIZE = "sktextcnn_vector_size"


class TokenIds(np.ndarray):
    """A padded matrix of token ids that keeps a reference to its vocabulary and vectors.

    :meth:`TextVectorizer.transform` returns it. It is an int32 ndarray with one more attribute,
    `table`. Indexing, copying, pickling, ``train_test_split``, memory mapping and worker
    processes keep the table, as does the concatenation of matrices whose tables have the same
    content. Arithmetic, ``np.asarray`` and the containers of other libraries do not. In the process
    that made the rows, `fit` recognises them in a plain array too, if they were only chosen,
    repeated or put in another order.

    Parameters
    ----------
    ids : array-like of int, shape (n_texts, max_length)
        Token ids; 0 is padding, 1 is any unknown word.
    table : TokenTable
        The words and vectors of the ids.

    Attributes
    ----------
    table : TokenTable or None
        The words, and the vectors or None: one immutable object for all matrices of a
        vectorizer.

    See Also
    --------
    TextVectorizer : Returns such matrices.

    Examples
    --------
    >>> from sktextcnn import TextVectorizer
    >>> X = TextVectorizer().fit_transform(["a gem", "a gem of a film"])
    >>> X[1:].table is X.table
    True
    >>> type(X + 1).__name__
    'ndarray'
    """

    table: TokenTable | None

    def __new__(cls, ids: Any, table: TokenTable) -> "TokenIds":
        self = _marked(np.asarray(ids, dtype=np.int32), table.key, table.vector_size).view(cls)
        self.table = table
        remember_rows(self.view(np.ndarray), table)
        return self

    def __array_finalize__(self, obj: Any) -> None:
        self.table = getattr(obj, "table", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if "out" in kwargs:
            kwargs["out"] = tuple(_as_ndarray(x) for x in kwargs["out"])
        return getattr(ufunc, method)(*(_as_ndarray(x) for x in inputs), **kwargs)

    def __array_function__(self, func: Any, types: Iterable[type], args: Any, kwargs: Any) -> Any:
        if func is np.concatenate:
            return _concatenate(*args, **kwargs)
        return super().__array_function__(func, types, args, kwargs)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Copy to another type: int32 stays TokenIds, another type is a plain array.

        Parameters
        ----------
        dtype : dtype
            The type of the copy.
        *args, **kwargs
            Those of :meth:`numpy.ndarray.astype`.

        Returns
        -------
        ids : TokenIds of int32, or ndarray of shape (n_texts, max_length)
            The ids. An ndarray has lost the words and their vectors.
        """
        dtype = np.dtype(dtype)
        if dtype == np.int32:
            return super().astype(self.dtype, *args, **kwargs)
        array = _as_ndarray(self).astype(dtype, *args, **kwargs)
        mark = lost_table(self)
        return array if mark is None or dtype.kind not in "iuf" else _marked(array, *mark)

    def __repr__(self) -> str:
        """Return the first and last ids, what they are ids of, and their shape."""
        facts = [f"shape={self.shape}", f"dtype={self.dtype.name}"]
        if self.table is not None:
            facts.append(f"n_words={len(self.table) - len(RESERVED_WORDS)}")
            if self.table.vector_size:
                facts.append(f"vector_size={self.table.vector_size}")
        return f"TokenIds({self._shown('TokenIds(', ', ')},\n         {', '.join(facts)})"

    def __str__(self) -> str:
        return self._shown("", " ")

    def _shown(self, prefix: str, separator: str) -> str:
        # A row of many columns would fill a screen, so more than six are always abbreviated.
        return np.array2string(
            _as_ndarray(self),
            max_line_width=80,
            separator=separator,
            prefix=prefix,
            threshold=0,
            edgeitems=3 if self.ndim <= 2 else 1,
        )

    def __reduce__(self) -> tuple:
        return _rebuild, (_as_ndarray(self), self.table)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple:
        # That of ndarray can pickle the buffer out of band, without __reduce__.
        return self.__reduce__()

    def __deepcopy__(self, memo: dict | None) -> "TokenIds":
        return self.copy()


def lost_table(X: Any) -> tuple[str, int] | None:
    """Return the mark of an array or data frame that was made from TokenIds.

    Parameters
    ----------
    X : object
        An array, a data frame, or anything else, which has no mark.

    Returns
    -------
    (key, vector_size) or None
        The key of the table of the TokenIds, and the width of its vectors (0 without vectors).
        None without a mark.
    """
    to_numpy = getattr(X, "to_numpy", None)
    mark = mark_of(to_numpy() if to_numpy is not None else X)
    return (mark[_KEY], mark[_VECTOR_SIZE]) if _KEY in mark else None


def _marked(array: np.ndarray, key: str, vector_size: int) -> np.ndarray:
    return mark_array(array, {_KEY: key, _VECTOR_SIZE: vector_size})


def _as_ndarray(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, TokenIds) else x


def _rebuild(ids: np.ndarray, table: TokenTable | None) -> np.ndarray:
    return ids if table is None else TokenIds(ids, table)


# The name by which pickles know it.
_rebuild.__module__ = "sktextcnn._token_ids"


def _concatenate(arrays: Sequence[Any], *args: Any, **kwargs: Any) -> np.ndarray:
    arrays = list(arrays)
    joined = np.concatenate([_as_ndarray(x) for x in arrays], *args, **kwargs)
    tables = [x.table for x in arrays if isinstance(x, TokenIds)]
    table = tables[0] if tables else None
    if table is None:
        return joined
    same = len(tables) == len(arrays) and all(
        other is not None and other.key == table.key for other in tables
    )
    if same and joined.dtype == np.int32:
        return TokenIds(joined, table)
    lost = max(tables, key=lambda t: t.vector_size if t is not None else -1) or table
    if joined.dtype.kind not in "iuf":
        return joined
    return _marked(joined, lost.key, lost.vector_size)
