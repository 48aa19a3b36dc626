"""TokenIds: the matrix of token ids that carries its vocabulary and vectors."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex
from weakref import WeakValueDictionary

import numpy as np

PADDING_ID = 0
UNKNOWN_ID = 1
#: What stands for ids 0 and 1 where tokens are shown.
RESERVED_WORDS = ("<pad>", "<unk>")

# The mark lives in the metadata of the dtype, which is the one thing that NumPy,
# pandas and pickle hand on when the subclass is lost, and that joblib.hash reads.
_KEY = "sktextcnn_table"
_VECTOR_SIZE = "sktextcnn_vector_size"

_interned: WeakValueDictionary[str, "TokenTable"] = WeakValueDictionary()


class TokenTable:
    """The words behind token ids, and their vectors if there are any.

    Immutable. Tables of equal content are one object in a process, whichever way they
    came into it, so that models and matrices never hold vectors twice.

    Parameters
    ----------
    words : sequence of str of length n_ids, or bytes
        The word of each id; ids 0 and 1 are padding and the unknown word. Bytes are their
        list in JSON.
    vectors : ndarray of shape (n_ids, vector_size), dtype float32, or None
        The vector of each id; row 0 is zeros. Becomes read-only.
    source : str or None
        What the vectors come from, in words for people.

    Attributes
    ----------
    key : str
        A digest of words and vectors.
    """

    __slots__ = ("__weakref__", "key", "source", "vectors", "words")

    words: tuple[str, ...]
    vectors: np.ndarray | None
    source: str | None
    key: str

    def __new__(
        cls,
        words: Iterable[str] | bytes,
        vectors: np.ndarray | None = None,
        source: str | None = None,
    ) -> "TokenTable":
        words = tuple(json.loads(words) if isinstance(words, bytes) else words)
        digest = hashlib.blake2b(words_as_json(words), digest_size=16)
        if vectors is not None:
            vectors = np.ascontiguousarray(vectors, dtype=np.float32)
            digest.update(repr(vectors.shape).encode())
            digest.update(vectors.data)
        return cls._intern(digest.hexdigest(), words, vectors, source)

    @classmethod
    def _intern(
        cls,
        key: str,
        words: tuple[str, ...],
        vectors: np.ndarray | None,
        source: str | None,
    ) -> "TokenTable":
        table = _interned.get(key)
        if table is None:
            table = super().__new__(cls)
            if vectors is not None:
                vectors.flags.writeable = False
            for name, value in zip(
                ("key", "words", "vectors", "source"),
                (key, words, vectors, source),
                strict=True,
            ):
                object.__setattr__(table, name, value)
            table = _interned.setdefault(key, table)
        return table

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a TokenTable is immutable")

    def __reduce__(self) -> tuple:
        # The words in one piece, which is smaller and read faster than thousands.
        return TokenTable, (words_as_json(self.words), self.vectors, self.source)

    def __copy__(self) -> "TokenTable":
        return self

    def __deepcopy__(self, memo: dict) -> "TokenTable":
        return self

    def __len__(self) -> int:
        return len(self.words)

    @property
    def vector_size(self) -> int:
        """The width of the vectors, 0 where there are none."""
        return 0 if self.vectors is None else self.vectors.shape[1]

    def __repr__(self) -> str:
        vectors = f"{self.vector_size}-d vectors" if self.vector_size else "no vectors"
        return f"<TokenTable of {len(self)} ids, {vectors}, key {self.key[:8]}>"


def words_as_json(words: tuple[str, ...]) -> bytes:
    """Words as bytes that ``json.loads`` turns into the same words."""
    # Not in ASCII, where two halves of a surrogate pair would become the letter of the pair.
    return json.dumps(words, ensure_ascii=False).encode("utf-8", "surrogatepass")


class TokenIds(np.ndarray):
    """A padded matrix of token ids that refers to its vocabulary and vectors.

    What :meth:`TextVectorizer.transform` returns: an int32 ndarray in everything, plus
    the attribute `table`. Indexing, copying, pickling, ``train_test_split``, memory
    mapping and worker processes keep the table, as does the concatenation of matrices
    of the same table. Arithmetic, which makes something else of ids, gives a plain
    ndarray, and so do ``np.asarray`` and the containers of other libraries.

    Parameters
    ----------
    ids : array-like of int, shape (n_texts, max_length)
        Token ids; 0 is padding, 1 any unknown word.
    table : TokenTable
        The words and vectors that the ids refer to.

    Attributes
    ----------
    table : TokenTable or None
        Words, and vectors or None. One immutable object for all matrices of the same
        vectorizer.

    See Also
    --------
    TextVectorizer : Makes them.

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
        plain = np.asarray(ids, dtype=np.int32)
        self = plain.view(_marked(np.int32, table.key, table.vector_size)).view(cls)
        self.table = table
        return self

    def __array_finalize__(self, obj: Any) -> None:
        self.table = getattr(obj, "table", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if "out" in kwargs:
            kwargs["out"] = tuple(_plain(x) for x in kwargs["out"])
        return getattr(ufunc, method)(*(_plain(x) for x in inputs), **kwargs)

    def __array_function__(self, func: Any, types: Iterable[type], args: Any, kwargs: Any) -> Any:
        if func is np.concatenate:
            return _concatenate(*args, **kwargs)
        return super().__array_function__(func, types, args, kwargs)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Copy to another type: int32 stays TokenIds, another type is a plain array."""
        dtype = np.dtype(dtype)
        if dtype == np.int32:
            return super().astype(self.dtype, *args, **kwargs)
        plain = _plain(self)
        if dtype.kind not in "iuf":
            return plain.astype(dtype, *args, **kwargs)
        return plain.astype(dtype, *args, **kwargs).view(
            _marked(dtype, *(lost_table(plain) or ("", 0)))
        )

    def __reduce__(self) -> tuple:
        return _rebuild, (_plain(self), self.table)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple:
        # ndarray's own pickles the buffer out of band and would skip __reduce__.
        return self.__reduce__()

    def __deepcopy__(self, memo: dict | None) -> "TokenIds":
        return self.copy()


def lost_table(X: Any) -> tuple[str, int] | None:
    """Tell whether an array or data frame was TokenIds once.

    Parameters
    ----------
    X : object
        Anything; arrays and data frames are looked at.

    Returns
    -------
    (key, vector_size) or None
        The key of the table it had and the width of its vectors (0: it had none);
        None if it never had one, as far as can be told.
    """
    to_numpy = getattr(X, "to_numpy", None)
    dtype = getattr(to_numpy() if to_numpy is not None else X, "dtype", None)
    metadata = getattr(dtype, "metadata", None) or {}
    return (metadata[_KEY], metadata[_VECTOR_SIZE]) if _KEY in metadata else None


def _marked(dtype: Any, key: str, vector_size: int) -> np.dtype:
    return np.dtype(dtype, metadata={_KEY: key, _VECTOR_SIZE: vector_size})


def _plain(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, TokenIds) else x


def _rebuild(plain: np.ndarray, table: TokenTable | None) -> np.ndarray:
    return plain if table is None else TokenIds(plain, table)


def _concatenate(arrays: Sequence[Any], *args: Any, **kwargs: Any) -> np.ndarray:
    arrays = list(arrays)
    joined = np.concatenate([_plain(x) for x in arrays], *args, **kwargs)
    tables = [x.table for x in arrays if isinstance(x, TokenIds)]
    table = tables[0] if tables else None
    if table is None:
        return joined
    same = len(tables) == len(arrays) and all(other is table for other in tables)
    if same and joined.dtype == np.int32:
        return TokenIds(joined, table)
    lost = max(tables, key=lambda t: t.vector_size if t is not None else -1) or table
    if joined.dtype.kind not in "iuf":
        return joined
    return joined.view(_marked(joined.dtype, lost.key, lost.vector_size))
