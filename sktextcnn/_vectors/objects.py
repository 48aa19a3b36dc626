"""Vectors of objects in memory: those of gensim, and containers of Python."""

from collections.abc import Iterable
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from sktextcnn._vectors.gensim_objects import has_subwords, keys_of_object, lookup_in_object
from sktextcnn._vectors.in_memory import is_in_memory, lookup_in_memory, words_in_memory
from sktextcnn._vectors.renaming import Rename, keys_by_word
from sktextcnn._vectors.spellings import lookup_spelled


class ObjectVectors:
    """The vectors of an object, by the words of texts.

    Parameters
    ----------
    vectors : object
        What `as_keyed_vectors` or `as_in_memory` returned.
    rename : callable or None
        From a word of the object to that of texts.
    """

    def __init__(self, vectors: Any, rename: Rename | None) -> None:
        self.vectors, self.rename = vectors, rename
        self.is_in_memory = is_in_memory(vectors)
        self.has_subwords = not self.is_in_memory and has_subwords(vectors)

    def lookup(self, words: Iterable[str]) -> dict[str, np.ndarray]:
        """Return float32 copies of the vectors of the words that have one."""
        # Subwords give vectors to words in any spelling.
        return self._lookup(words) if self.has_subwords else lookup_spelled(self._lookup, words)

    def words(self, n: int) -> list[str]:
        """Return the first words."""
        return list(islice(self._keys() if self.rename is None else self.by_word, n))

    @cached_property
    def by_word(self) -> dict[str, str]:
        """The key of each word of texts."""
        assert self.rename is not None
        return keys_by_word(self._keys(), self.rename)

    def _keys(self) -> Iterable[str]:
        return words_in_memory(self.vectors) if self.is_in_memory else keys_of_object(self.vectors)

    def _lookup(self, words: Iterable[str]) -> dict[str, np.ndarray]:
        if self.rename is None:
            return self._lookup_keys(words)
        asked = {
            word: self.by_word.get(word, word)
            for word in words
            if self.has_subwords or word in self.by_word
        }
        found = self._lookup_keys(asked.values())
        return {word: found[key] for word, key in asked.items() if key in found}

    def _lookup_keys(self, keys: Iterable[str]) -> dict[str, np.ndarray]:
        lookup = lookup_in_memory if self.is_in_memory else lookup_in_object
        return lookup(self.vectors, keys)
