"""Embeddings: a light handle on word vectors, wherever they come from."""

import contextlib
import difflib
import logging
import os
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from sktextcnn._vectors.fasttext_format import subword_buckets
from sktextcnn._vectors.formats import first_words, is_compressed, is_gensim_file, read_rows
from sktextcnn._vectors.records import Reader

#: Names of `TextVectorizer(embeddings=...)` that train vectors on the fitted texts.
TRAINED = ("word2vec", "fasttext")

# gensim drops what lies behind this many tokens of a sentence.
_GENSIM_SENTENCE = 10_000


class Embeddings:
    """A light, immutable handle on word vectors.

    Naming the vectors costs nothing; they are read when a vectorizer is fitted, and then
    only the rows of its vocabulary. ``sklearn.base.clone`` and ``copy.deepcopy`` return the
    handle itself, so a grid search never copies vectors, and a handle on a file pickles
    as its path. What was read from a file is remembered for the process, and so is where
    its other words lie, as long as the file's size and time of change stay the same.

    Parameters
    ----------
    source : str, path-like, gensim object or Embeddings
        Another handle, or one of

        - the path of a file of vectors: word2vec binary or text, GloVe text with or without
          header, each of them plain or compressed with gzip; fastText ``.bin``; gensim's
          own ``.kv`` or ``.model`` (memory-mapped; a pickle, so only from those you trust).
          The format is recognised from the content, not from the name;
        - a gensim ``KeyedVectors``, ``Word2Vec`` or ``FastText`` object;
        - the name of vectors in gensim-data, such as ``"glove-wiki-gigaword-100"``, which
          gensim downloads once.
    encoding : str, default="utf-8"
        How a file of vectors encodes its words.

    Attributes
    ----------
    name : str
        The name of the file or of the vectors, for people.

    Raises
    ------
    FileNotFoundError
        If `source` is a path that does not exist.
    TypeError
        If `source` is none of the above.

    See Also
    --------
    TextVectorizer : Takes a handle, or a path or object that it makes one of, as `embeddings`.

    Notes
    -----
    A handle on an object in memory pickles the object. To keep that out of a deployed
    model, save the vectors to a file and name the file.

    Examples
    --------
    >>> from gensim.test.utils import datapath
    >>> vectors = Embeddings(datapath("test_glove.txt"))
    >>> vectors
    Embeddings('test_glove.txt')
    >>> rows = vectors.lookup(["the", "of", "nosuchword"])
    >>> sorted(rows), rows["the"].shape
    (['of', 'the'], (50,))
    """

    __slots__ = ("__weakref__", "_encoding", "_path", "_reads_pickles", "_vectors", "name")

    # Pickles and skops name the class by this, so that it stays where it is for them.
    __module__ = "sktextcnn"

    name: str

    def __init__(self, source: Any, *, encoding: str = "utf-8") -> None:
        self._encoding = encoding
        self._path: str | None = None
        self._vectors: Any = None
        self._reads_pickles = True
        if isinstance(source, Embeddings):
            self._path, self._vectors, self.name = source._path, source._vectors, source.name
            self._reads_pickles = source._reads_pickles
        elif isinstance(source, str | os.PathLike):
            text = os.fspath(source)
            self.name = os.path.basename(text)
            is_path = isinstance(source, os.PathLike) or _is_path(text)
            self._path = os.path.abspath(text) if is_path else None
            if self._path is None:
                _check_gensim_data_name(text)
            elif not os.path.isfile(self._path):
                raise FileNotFoundError(_no_such_file(self._path))
        else:
            self._vectors = _keyed_vectors(source)
            self.name = f"{type(source).__name__} of {len(self._vectors):,} words"

    def lookup(self, words: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the vectors of the words that have one.

        Parameters
        ----------
        words : iterable of str
            The words to look up, as they are (case counts).

        Returns
        -------
        dict of str to ndarray of shape (vector_size,), dtype float32
            The vector of each word that has one.

        Raises
        ------
        ValueError
            If the file is damaged or no file of vectors; names file, place and what was
            expected. If vectors of gensim-data are not here and cannot be downloaded.
        """
        if self._vectors is not None:
            return _rows_of_object(self._vectors, words)
        with self._file() as file:
            return file.lookup(words)

    def words(self, n: int) -> list[str]:
        """Return the first words, which in usual files are the most frequent ones.

        Parameters
        ----------
        n : int
            How many; all, if there are fewer. Those that are no valid text do not count.

        Returns
        -------
        list of str
            In the order of the vectors.

        Raises
        ------
        ValueError
            If `n` is negative, and as for :meth:`lookup`.
        """
        if n < 0:
            raise ValueError(f"n must be 0 or more; got {n}.")
        if self._vectors is not None:
            return _words_of_object(self._vectors, n)
        with self._file() as file:
            return file.words(n)

    @contextlib.contextmanager
    def _file(self) -> Iterator["_VectorFile"]:
        path = self._path or _download(self.name)
        try:
            if not self._reads_pickles and is_gensim_file(path):
                raise ValueError(
                    f"{path} is a file of gensim's own, which is a pickle and may run code, and "
                    f"it is named by a model file. If you trust it, set "
                    f"embeddings=Embeddings({path!r})."
                )
            yield _remembered(path, self._encoding)
        except FileNotFoundError:
            raise FileNotFoundError(_no_such_file(path)) from None

    def __sklearn_clone__(self) -> "Embeddings":
        return self

    def __copy__(self) -> "Embeddings":
        return self

    def __deepcopy__(self, memo: dict) -> "Embeddings":
        return self

    def __getstate__(self) -> dict[str, Any]:
        # The stamp is not read back: it makes caches that hash their arguments, such as
        # Pipeline(memory=...), notice that a file has changed.
        stamp = _stamp(self._path) if self._path and os.path.isfile(self._path) else None
        return {
            "name": self.name,
            "path": self._path,
            "vectors": self._vectors,
            "encoding": self._encoding,
            "reads_pickles": self._reads_pickles,
            "stamp": stamp,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # Not through __init__: a deployed model need not have the file of its vectors.
        self.name, self._path = state["name"], state["path"]
        self._vectors, self._encoding = state["vectors"], state["encoding"]
        self._reads_pickles = state["reads_pickles"]

    def __repr__(self) -> str:
        return f"Embeddings({self.name!r})"


def description(source: Any) -> dict[str, Any] | None:
    """Say in plain words which file or vectors of gensim-data are meant.

    Parameters
    ----------
    source : str, path-like or Embeddings
        The file need not exist.

    Returns
    -------
    dict or None
        `name`, `path` (None: vectors of gensim-data) and `encoding`; None for an object in
        memory.
    """
    if isinstance(source, Embeddings):
        if source._vectors is not None:
            return None
        return {"name": source.name, "path": source._path, "encoding": source._encoding}
    if not isinstance(source, str | os.PathLike):
        return None
    text = os.fspath(source)
    is_path = isinstance(source, os.PathLike) or _is_path(text)
    path = os.path.abspath(text) if is_path else None
    return {"name": os.path.basename(text), "path": path, "encoding": "utf-8"}


def described(name: str, path: str | None, encoding: str) -> Embeddings:
    """The handle of a description, which reads no pickles, whoever made the description."""
    handle = Embeddings.__new__(Embeddings)
    handle.__setstate__(
        {
            "name": name,
            "path": path,
            "vectors": None,
            "encoding": encoding,
            "reads_pickles": False,
        }
    )
    return handle


def as_embeddings(source: Any) -> Embeddings:
    """Return the handle itself, or a new one on anything that `Embeddings` takes."""
    return source if isinstance(source, Embeddings) else Embeddings(source)


# Paths and names ----------------------------------------------------------------------


def _is_path(text: str) -> bool:
    """Whether a text names a file, rather than vectors of gensim-data."""
    return os.path.exists(text) or os.path.basename(text) != text or "." in text


def _no_such_file(path: str) -> str:
    folder, name = os.path.split(path)
    if os.path.isdir(path):
        return f"{path!r} is a folder; give a file of vectors in it."
    if not os.path.isdir(folder):
        return f"There is no folder {folder!r}, so no file of vectors {name!r} in it."
    similar = difflib.get_close_matches(name, os.listdir(folder), n=1)
    hint = f" Did you mean {similar[0]!r}?" if similar else ""
    return f"There is no file of vectors {path!r}.{hint}"


def _check_gensim_data_name(name: str) -> None:
    if not name or len(name.split()) != 1:
        raise FileNotFoundError(
            f"embeddings={name!r} is neither a file nor a name of vectors in gensim-data, "
            f"such as 'glove-wiki-gigaword-100'."
        )


def _download(name: str) -> str:
    """Path of vectors of gensim-data, which gensim downloads if they are not here yet."""
    import gensim.downloader

    logger = logging.getLogger("gensim.downloader")
    disabled, logger.disabled = logger.disabled, True
    try:
        return gensim.downloader.load(name, return_path=True)
    except Exception as error:
        raise ValueError(
            f"embeddings={name!r} is not a file in {os.getcwd()!r}, and as the name of "
            f"vectors in gensim-data it could not be had ({type(error).__name__}: {error}). "
            f"Give the path of a file of vectors, or a name of "
            f"gensim.downloader.info(name_only=True) with a network."
        ) from error
    finally:
        logger.disabled = disabled


# Vectors in gensim's own objects ------------------------------------------------------


def _keyed_vectors(source: Any) -> Any:
    vectors = getattr(source, "wv", source)
    if not (hasattr(vectors, "key_to_index") and hasattr(vectors, "get_vector")):
        raise TypeError(
            f"embeddings must be a path, the name of vectors in gensim-data, a gensim "
            f"KeyedVectors, Word2Vec or FastText object, or an Embeddings handle; got "
            f"{type(source).__name__}."
        )
    return vectors


def _words_of_object(vectors: Any, n: int) -> list[str]:
    # Other objects of gensim may have keys that are no words.
    return list(islice((key for key in vectors.key_to_index if isinstance(key, str)), n))


def _rows_of_object(vectors: Any, words: Iterable[str]) -> dict[str, np.ndarray]:
    # Only fastText's vectors have rows of n-grams, for words that they do not know.
    has_subwords = getattr(vectors, "vectors_ngrams", None) is not None and vectors.bucket > 0
    rows: dict[str, np.ndarray] = {}
    for word in words:
        if word in vectors.key_to_index or (has_subwords and _has_subwords(vectors, word)):
            row = np.array(vectors.get_vector(word), dtype=np.float32)
            if not np.isfinite(row).all():
                raise ValueError(
                    f"The vector of {word!r:.60} in the given {type(vectors).__name__} is not "
                    f"finite; expected finite numbers."
                )
            rows[word] = row
    return rows


def _has_subwords(vectors: Any, word: str) -> bool:
    if not _is_encodable(word):
        return False
    return bool(subword_buckets(word, vectors.min_n, vectors.max_n, vectors.bucket))


def _is_encodable(word: str) -> bool:
    """Whether a word can be written in UTF-8, as none with a lone surrogate can."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


# Files, remembered --------------------------------------------------------------------


class _VectorFile:
    """One file, and the rows of it that were asked for so far."""

    def __init__(self, path: str, encoding: str) -> None:
        self.path, self.encoding = path, encoding
        self.lock = threading.Lock()
        self.rows: dict[str, np.ndarray] = {}
        self.asked: set[str] = set()
        self.first: list[str] = []
        self.n_first = 0
        self.vectors: Any = None
        self.reader: Reader | None = None

    def words(self, n: int) -> list[str]:
        with self.lock:
            if self._is_gensims():
                return _words_of_object(self.vectors, n)
            if n > self.n_first:
                self.first = first_words(self.path, n, self.encoding)
                self.n_first = n
            return self.first[:n]

    def _is_gensims(self) -> bool:
        if self.vectors is None and is_gensim_file(self.path):
            self.vectors = _load_gensim(self.path)
        return self.vectors is not None

    def lookup(self, words: Iterable[str]) -> dict[str, np.ndarray]:
        words = list(words)
        with self.lock:
            if self._is_gensims():
                return _rows_of_object(self.vectors, words)
            new = set(words) - self.asked
            if new:
                _, rows, self.reader = read_rows(self.path, sorted(new), self.encoding, self.reader)
                for row in rows.values():
                    row.setflags(write=False)
                self.rows.update(rows)
                self.asked |= new
            return {word: self.rows[word] for word in words if word in self.rows}


_FILES_REMEMBERED = 4
_files: OrderedDict[tuple, _VectorFile] = OrderedDict()
_files_lock = threading.Lock()


def _stamp(path: str) -> tuple[str, int, int]:
    status = os.stat(path)
    return os.path.realpath(path), status.st_mtime_ns, status.st_size


def _remembered(path: str, encoding: str) -> _VectorFile:
    key = (*_stamp(path), encoding)
    with _files_lock:
        file = _files.setdefault(key, _VectorFile(path, encoding))
        _files.move_to_end(key)
        while len(_files) > _FILES_REMEMBERED:
            _files.popitem(last=False)
    return file


def _load_gensim(path: str) -> Any:
    from gensim.models import KeyedVectors

    # gensim decompresses by the name.
    if path.endswith((".gz", ".gzip")) != is_compressed(path):
        right = "must end in .gz" if is_compressed(path) else "must not end in .gz"
        raise ValueError(
            f"{path}: a file of gensim's own {right}, since gensim goes by the name. Rename it."
        )
    try:
        # A file compressed with gzip cannot be mapped.
        loaded = KeyedVectors.load(path, mmap=None if path.endswith(".gz") else "r")
        return _keyed_vectors(loaded)
    except Exception as error:
        raise ValueError(
            f"{path} looks like a file of gensim's own, but holds no word vectors that this "
            f"version of gensim can load ({type(error).__name__}: {error})."
        ) from error


# Vectors trained on the fitted texts --------------------------------------------------


def _stable_hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def train_embeddings(
    algorithm: str,
    documents: Iterable[list[str]],
    params: Mapping[str, Any],
    seed: int,
) -> Embeddings:
    """Train Word2Vec or FastText on documents.

    Parameters
    ----------
    algorithm : {"word2vec", "fasttext"}
        What to train.
    documents : iterable of list of str
        The tokens of each document; iterated over several times.
    params : mapping
        Parameters of gensim's class that replace the defaults chosen here.
    seed : int
        With one worker, the same seed gives the same bits.

    Returns
    -------
    Embeddings
        A handle on the trained vectors.
    """
    from gensim.models import FastText, Word2Vec

    model_class = {"word2vec": Word2Vec, "fasttext": FastText}[algorithm]
    settings = {
        "vector_size": 100,
        "min_count": 1,
        "sg": 1,
        "epochs": 10,
        "workers": 1,
        "hashfxn": _stable_hash,
        "seed": seed,
        **params,
    }
    try:
        if settings["vector_size"] < 1:
            raise ValueError(f"vector_size must be at least 1, got {settings['vector_size']}")
        sentences = _Sentences(documents, encodable=algorithm == "fasttext")
        model = model_class(sentences=sentences, **settings)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"embeddings={algorithm!r} could not be trained on the texts with "
            f"embeddings_params={dict(params)!r}: {error}"
        ) from error
    return Embeddings(model.wv)


class _Sentences:
    """Documents cut into the sentence lengths that gensim reads whole.

    Where they have to be `encodable`, words with lone surrogates are left out: gensim's
    fastText hashes the bytes of n-grams in UTF-8.
    """

    def __init__(self, documents: Iterable[list[str]], encodable: bool) -> None:
        self.documents, self.encodable = documents, encodable

    def __iter__(self) -> Any:
        for document in self.documents:
            if self.encodable:
                document = [word for word in document if _is_encodable(word)]
            for start in range(0, len(document), _GENSIM_SENTENCE):
                yield document[start : start + _GENSIM_SENTENCE]
