"""Files of vectors and what was read from them, remembered for the process."""

import os
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

from sktextcnn._compat.locks import ForkSafeLock
from sktextcnn._vectors.formats import first_words, is_gensim_file, read_vectors
from sktextcnn._vectors.gensim_objects import load_gensim
from sktextcnn._vectors.objects import ObjectVectors
from sktextcnn._vectors.records import VectorReader
from sktextcnn._vectors.renaming import as_rename

_MOST_FILES = 4


class VectorFile:
    """A file, and the vectors that were looked up in it so far."""

    def __init__(self, path: str, encoding: str, word: Any) -> None:
        self.path, self.encoding, self.rename = path, encoding, as_rename(word)
        self.lock = ForkSafeLock()
        self.vectors: dict[str, np.ndarray] = {}
        self.looked_up: set[str] = set()
        self.first: list[str] = []
        self.n_first = 0
        self.gensim_vectors: ObjectVectors | None = None
        self.reader: VectorReader | None = None

    def words(self, n: int) -> list[str]:
        """Return the first words of the file."""
        with self.lock.current:
            if gensim_vectors := self._gensim_vectors():
                return gensim_vectors.words(n)
            if n > self.n_first:
                self.first = first_words(self.path, n, self.encoding, self.rename)
                self.n_first = n
            return self.first[:n]

    def lookup(self, words: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the vectors of the words that have one; only words not yet looked up are read."""
        words = list(words)
        with self.lock.current:
            if gensim_vectors := self._gensim_vectors():
                return gensim_vectors.lookup(words)
            new = set(words) - self.looked_up
            if new:
                _, vectors, self.reader = read_vectors(
                    self.path, sorted(new), self.encoding, self.reader, self.rename
                )
                for row in vectors.values():
                    row.setflags(write=False)
                self.vectors.update(vectors)
                self.looked_up |= new
            return {word: self.vectors[word] for word in words if word in self.vectors}

    def _gensim_vectors(self) -> ObjectVectors | None:
        if self.gensim_vectors is None and is_gensim_file(self.path):
            self.gensim_vectors = ObjectVectors(load_gensim(self.path), self.rename)
        return self.gensim_vectors


_files: OrderedDict[tuple, VectorFile] = OrderedDict()
_files_lock = ForkSafeLock()


def file_stamp(path: str) -> tuple[str, int, int]:
    """Return what changes when a file does: its real path, modification time and size."""
    status = os.stat(path)
    return os.path.realpath(path), status.st_mtime_ns, status.st_size


def cached_file(path: str, encoding: str, word: Any = None) -> VectorFile:
    """Return the file, with what was read from it if it is one of the last that were used."""
    key = (*file_stamp(path), encoding, word)
    with _files_lock.current:
        file = _files.setdefault(key, VectorFile(path, encoding, word))
        _files.move_to_end(key)
        while len(_files) > _MOST_FILES:
            _files.popitem(last=False)
    return file
