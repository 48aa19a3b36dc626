"""Vectors in gensim's own objects, and in the files that gensim saves them to."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sktextcnn._vectors.fasttext_format import subword_buckets
from sktextcnn._vectors.formats import is_compressed


def is_gensim_object(source: Any) -> bool:
    """Whether an object has vectors of gensim, or is some."""
    vectors = getattr(source, "wv", source)
    return hasattr(vectors, "key_to_index") and hasattr(vectors, "get_vector")


def as_keyed_vectors(source: Any) -> Any:
    """Return the vectors of a gensim object, which are the object itself or its `wv`."""
    if not is_gensim_object(source):
        hint = ""
        if isinstance(source, list | tuple):
            hint = " TextVectorizer takes a list of them."
        elif hasattr(source, "ndim"):
            hint = " Give the words of a matrix with it: (words, matrix)."
        raise TypeError(
            f"embeddings must be a path, the name of vectors in gensim-data, a gensim "
            f"KeyedVectors, Word2Vec or FastText object, a dict of words and vectors, a pair "
            f"(words, matrix), a DataFrame whose index has the words, an object that encodes a "
            f"list of words by its method encode, or an Embeddings handle; got "
            f"{type(source).__name__}.{hint}"
        )
    return getattr(source, "wv", source)


def keys_of_object(vectors: Any) -> Iterator[str]:
    """Return the words of gensim's vectors."""
    # Some objects of gensim have keys that are not words.
    return (key for key in vectors.key_to_index if isinstance(key, str))


def has_subwords(vectors: Any) -> bool:
    """Whether n-grams have rows, which give vectors to unknown words, as only fastText's do."""
    return getattr(vectors, "vectors_ngrams", None) is not None and vectors.bucket > 0


def lookup_in_object(vectors: Any, words: Iterable[str]) -> dict[str, np.ndarray]:
    """Return float32 copies of the vectors of the words that have one."""
    by_subwords = has_subwords(vectors)
    rows: dict[str, np.ndarray] = {}
    for word in words:
        if word in vectors.key_to_index or (by_subwords and _has_subwords(vectors, word)):
            row = np.array(vectors.get_vector(word), dtype=np.float32)
            if not np.isfinite(row).all():
                raise ValueError(
                    f"The vector of {word!r:.60} in the given {type(vectors).__name__} is not "
                    f"finite; expected finite numbers."
                )
            rows[word] = row
    return rows


def _has_subwords(vectors: Any, word: str) -> bool:
    if not is_encodable(word):
        return False
    return bool(subword_buckets(word, vectors.min_n, vectors.max_n, vectors.bucket))


def is_encodable(word: str) -> bool:
    """Whether a word can be encoded in UTF-8; a word with a lone surrogate cannot."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def load_gensim(path: str) -> Any:
    """Load the vectors of a file that gensim saved, memory-mapped where possible."""
    from gensim.models import KeyedVectors

    # gensim decompresses a file if its name ends so.
    if path.endswith((".gz", ".gzip")) != is_compressed(path):
        right = "must end in .gz" if is_compressed(path) else "must not end in .gz"
        raise ValueError(
            f"{path}: the name of a file in gensim's own format {right}, since gensim decides by "
            f"the name whether to decompress it. Rename the file."
        )
    try:
        # A file compressed with gzip cannot be mapped.
        loaded = KeyedVectors.load(path, mmap=None if path.endswith(".gz") else "r")
        return as_keyed_vectors(loaded)
    except Exception as error:
        raise ValueError(
            f"{path} looks like a file in gensim's own format, but contains no word vectors that "
            f"this version of gensim can load ({type(error).__name__}: {error})."
        ) from error
