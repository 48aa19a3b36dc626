"""TokenTable: the words and vectors that token ids refer to."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NoReturn
from weakref import WeakValueDictionary

import numpy as np

PADDING_ID = 0
UNKNOWN_ID = 1
#: The names of ids 0 and 1 where tokens are shown.
RESERVED_WORDS = ("<pad>", "<unk>")

_interned: WeakValueDictionary[tuple[str, str | None], "TokenTable"] = WeakValueDictionary()


class TokenTable:
    """The word of each token id, and its vector if there are vectors.

    Immutable. Tables with the same words and vectors share them in a process, and are one object
    if their `source` is the same too, also after unpickling. Models and matrices therefore never
    hold vectors twice.

    Parameters
    ----------
    words : sequence of str of length n_ids, or bytes
        The word of each id; ids 0 and 1 are padding and the unknown word. Bytes are a JSON
        list of the words.
    vectors : ndarray of shape (n_ids, vector_size), dtype float32, or None
        The vector of each id; row 0 is zeros. The array becomes read-only.
    source : str or None
        The name of the file or object that the vectors come from, for display.

    Attributes
    ----------
    key : str
        A digest of words and vectors. Tables with the same key have the same content.
    """

    # The name by which pickles, and those who load them with skops, know it.
    __module__ = "sktextcnn._token_ids"
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
        table = _interned.get((key, source))
        if table is None:
            table = super().__new__(cls)
            for other in (reference() for reference in _interned.valuerefs()):
                if other is not None and other.key == key:
                    words, vectors = other.words, other.vectors
            if vectors is not None:
                vectors.flags.writeable = False
            for name, value in zip(
                ("key", "words", "vectors", "source"),
                (key, words, vectors, source),
                strict=True,
            ):
                object.__setattr__(table, name, value)
            table = _interned.setdefault((key, source), table)
        return table

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"A TokenTable is immutable, so {name!r} cannot be set.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"A TokenTable is immutable, so {name!r} cannot be deleted.")

    def __reduce__(self) -> tuple:
        # One string of all words is smaller, and loads faster, than a string for each.
        return TokenTable, (words_as_json(self.words), self.vectors, self.source)

    def __copy__(self) -> "TokenTable":
        return self

    def __deepcopy__(self, memo: dict) -> "TokenTable":
        return self

    def __len__(self) -> int:
        return len(self.words)

    @property
    def vector_size(self) -> int:
        """The width of the vectors; 0 without vectors."""
        return 0 if self.vectors is None else self.vectors.shape[1]

    def __repr__(self) -> str:
        vectors = f"{self.vector_size}-d vectors" if self.vector_size else "no vectors"
        return f"<TokenTable of {len(self)} ids, {vectors}, key {self.key[:8]}>"


def words_as_json(words: tuple[str, ...]) -> bytes:
    """Return a JSON list that ``json.loads`` turns into the same words."""
    # Not in ASCII, from which two lone surrogates would be loaded as the letter of the pair.
    return json.dumps(words, ensure_ascii=False).encode("utf-8", "surrogatepass")
