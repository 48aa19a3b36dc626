"""Embeddings: a lightweight handle on word vectors from any source."""

import contextlib
import difflib
import numbers
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from sktextcnn._vectors.encoders import EncodedWords, encoded_words, is_encoder
from sktextcnn._vectors.file_cache import VectorFile, cached_file, file_stamp
from sktextcnn._vectors.formats import is_gensim_file
from sktextcnn._vectors.gensim_objects import as_keyed_vectors, is_gensim_object
from sktextcnn._vectors.in_memory import as_in_memory, is_in_memory, is_pair, words_in_memory
from sktextcnn._vectors.objects import ObjectVectors
from sktextcnn._vectors.other_files import folder_hint
from sktextcnn._vectors.renaming import as_rename, check_can_be_pickled
from sktextcnn._vectors.word2vec_format import write_word2vec_binary

_DEFAULT_ENCODING = "utf-8"


class Embeddings:
    """A lightweight, immutable handle on word vectors.

    Making a handle reads nothing. The vectors are read when a vectorizer is fitted, and then
    only those of its vocabulary. :func:`sklearn.base.clone` and ``copy.deepcopy`` return
    the handle itself, so a grid search never copies vectors, and a handle on a file pickles
    as the path. The process remembers what was read from a file, and the positions of the
    file's other words, until the size or the modification time of the file changes.

    Parameters
    ----------
    source : str, path-like, gensim object, mapping, pair, DataFrame, encoder or Embeddings
        One of

        - the path of a file of vectors: word2vec binary or text, GloVe text with or without
          header, each plain or compressed with gzip; fastText ``.bin``; gensim's own ``.kv``
          or ``.model`` (memory-mapped; a pickle, so load it only if you trust its author).
          The format is recognised from the content, not from the name;
        - a gensim ``KeyedVectors``, ``Word2Vec`` or ``FastText`` object;
        - a mapping of words to their vectors, such as ``{"the": [0.1, 0.2]}``;
        - a pair of words and a matrix with a row for each, or a DataFrame whose index has the
          words. The words may be a mapping to the numbers of their rows;
        - an encoder: an object whose ``encode(words)`` takes a list of str and returns a matrix
          with a row for each, such as a ``SentenceTransformer`` or a Model2Vec
          ``StaticModel``. It encodes single words, 256 at a time, and each word once: the handle
          remembers the rows, also in the processes of a parallel search. Make a new handle
          after a change of the encoder. A word whose row is zeros has no vector;
        - the name of vectors in gensim-data, such as ``"glove-wiki-gigaword-100"``, which are
          downloaded once, when they are first read, with a progress bar. The command
          ``sktextcnn vectors list`` shows the names and sizes;
        - another handle.
    encoding : str or None, default=None
        The encoding of the words in a file. None means that of `source` if it is a handle,
        and "utf-8" otherwise. Has no effect on vectors in memory and gensim's own files.
    width : int or None, default=None
        Reduce the vectors to so many numbers by PCA, when a vectorizer is fitted. The PCA is
        fitted on the words of its texts, of which more than `width` must have a vector. None
        means that of `source` if it is a handle, and to keep the width otherwise.
    verbose : int or None, default=None
        With 1, a progress bar counts the words that an encoder encodes. None means that of
        `source` if it is a handle, and 0 otherwise. Has no effect on other sources.
    word : str, callable or None, default=None
        How a word of the source becomes one of the texts, where it has a tag or a prefix. A str
        is a regular expression that matches the whole word of the source and has one group,
        which is the word of the texts: ``"/c/en/(.+)"`` for "/c/en/king", ``"(.+)_[A-Z]+"`` for
        "king_NOUN". Words that do not match are left out. A callable takes a word of the source
        and returns that of the texts, or None to leave it out: ``str.lower``. It is pickled by
        its name in a module. The first of several words of the source counts. None means that
        of `source` if it is a handle, and to keep words as they are otherwise.

    Attributes
    ----------
    name : str
        The name of the file, of the vectors or of the encoder's class, for display.
    width : int or None
        The width to which vectors are reduced.
    word : str, callable or None
        How words of the source become those of texts.
    is_encoder : bool
        Whether the source is an encoder.

    Raises
    ------
    FileNotFoundError
        If `source` is a path that does not exist.
    TypeError
        If `source` is none of the above, `encoding` is not a string, `width` or `verbose` is
        not an integer, or `word` is neither a str nor callable.
    ValueError
        If Python does not know the encoding, `width` is less than 1, `verbose` is negative,
        `word` is not a regular expression with one group, or the vectors of a mapping or a pair
        differ in width.

    See Also
    --------
    TextVectorizer : Its parameter `embeddings` takes a handle, or anything that `source` may be.

    Notes
    -----
    A handle on an object in memory pickles the object. To keep the object out of a deployed
    model, which does not need it, set the vectorizer's parameter `embeddings` to None before it
    is stored. The tasks of a parallel search carry the object too. :meth:`save` writes its vectors
    to a file and returns a handle that ships as the path.

    The vectors of an encoder are scaled so that their numbers have the standard deviation 0.5,
    about that of GloVe's, when a vectorizer is fitted. Sentence encoders return vectors of
    length one, whose numbers are much smaller.

    Examples
    --------
    >>> from gensim.test.utils import datapath
    >>> from sktextcnn import Embeddings
    >>> vectors = Embeddings(datapath("test_glove.txt"))
    >>> vectors
    Embeddings('test_glove.txt')
    >>> rows = vectors.lookup(["the", "of", "nosuchword"])
    >>> sorted(rows), rows["the"].shape
    (['of', 'the'], (50,))

    An encoder needs only a method ``encode``:

    >>> import numpy as np
    >>> class Lengths:
    ...     def encode(self, words):
    ...         return np.array([[len(word), 1] for word in words])
    >>> vectors = Embeddings(Lengths())
    >>> vectors
    Embeddings('Lengths')
    >>> vectors.lookup(["the"])
    {'the': array([3., 1.], dtype=float32)}
    """

    __slots__ = (
        "__weakref__",
        "_encoded",
        "_encoding",
        "_object",
        "_path",
        "_reads_pickles",
        "_vectors",
        "_verbose",
        "name",
        "width",
        "word",
    )

    # Pickles and skops name the class by this, so it stays the same wherever the class is.
    __module__ = "sktextcnn"

    name: str
    width: int | None
    word: Any
    _encoded: EncodedWords | None
    _encoding: str
    _object: ObjectVectors | None
    _path: str | None
    _reads_pickles: bool
    _vectors: Any
    _verbose: int

    def __init__(
        self,
        source: Any,
        *,
        encoding: str | None = None,
        width: int | None = None,
        verbose: int | None = None,
        word: str | Callable[[str], str | None] | None = None,
    ) -> None:
        if encoding is not None:
            _check_encoding(encoding)
        _check_integer("width", width, least=1)
        _check_integer("verbose", verbose, least=0)
        # Numbers of NumPy are no JSON.
        width = None if width is None else int(width)
        verbose = None if verbose is None else int(verbose)
        path, vectors, encoded, reads_pickles = None, None, None, True
        if isinstance(source, Embeddings):
            name, path, vectors = source.name, source._path, source._vectors
            encoded, reads_pickles = source._encoded, source._reads_pickles
            encoding = encoding or source._encoding
            width = source.width if width is None else width
            verbose = source._verbose if verbose is None else verbose
            word = source.word if word is None else word
        elif isinstance(source, str | os.PathLike):
            name, path = _name_and_path(source)
            if path is None:
                _check_gensim_data_name(os.fspath(source))
            elif not os.path.isfile(path):
                raise FileNotFoundError(_missing_file_message(path))
        elif is_in_memory(source):
            vectors = as_in_memory(source)
            kind = "matrix" if isinstance(vectors, tuple) else type(source).__name__
            name = f"{kind} of {len(words_in_memory(vectors)):,} words"
        elif is_encoder(source) and not is_gensim_object(source):
            name, vectors, encoded = type(source).__name__, source, EncodedWords()
        else:
            vectors = as_keyed_vectors(source)
            name = f"{type(source).__name__} of {len(vectors):,} words"
        if encoded is not None and word is not None:
            raise ValueError(
                f"word has no effect on {name}, which encodes any word and has no list of words. "
                f"Leave it out."
            )
        self._set(
            name=name,
            path=path,
            vectors=vectors,
            encoded=encoded,
            encoding=encoding or _DEFAULT_ENCODING,
            reads_pickles=reads_pickles,
            width=width,
            verbose=verbose or 0,
            word=word,
        )

    def _set(
        self,
        *,
        name: str,
        path: str | None,
        vectors: Any = None,
        encoded: EncodedWords | None = None,
        encoding: str,
        reads_pickles: bool,
        width: int | None = None,
        verbose: int = 0,
        word: Any = None,
    ) -> None:
        rename = as_rename(word)
        is_object = vectors is not None and encoded is None
        for attribute, value in (
            ("name", name),
            ("_path", path),
            ("_vectors", vectors),
            ("_encoded", encoded),
            ("_encoding", encoding),
            ("_reads_pickles", reads_pickles),
            ("width", width),
            ("_verbose", verbose),
            ("word", word),
            ("_object", ObjectVectors(vectors, rename) if is_object else None),
        ):
            object.__setattr__(self, attribute, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(
            f"An Embeddings handle is immutable, so {name!r} cannot be set. Make a new handle: "
            f"Embeddings(source, encoding=..., width=..., word=...)."
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"An Embeddings handle is immutable, so {name!r} cannot be deleted.")

    @property
    def is_encoder(self) -> bool:
        """Whether the vectors are those of an encoder, which has no list of words."""
        return self._encoded is not None

    def lookup(self, words: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the vectors of the words that have one, as the source has them.

        The vectors are neither reduced to `width` nor scaled, since that depends on the texts.

        Parameters
        ----------
        words : iterable of str
            The words to look up. Case matters. A word that is not found is looked up in other
            spellings: with composed or decomposed accents, with other apostrophes, without
            joiners, and in Hebrew and Arabic without vowels.

        Returns
        -------
        dict of str to ndarray of shape (vector_size,), dtype float32
            The vector of each word that has one.

        Raises
        ------
        ValueError
            If the file is damaged or is not a file of vectors; the message names the file, the
            position in it and what was expected there. If vectors of gensim-data cannot be
            downloaded. If an encoder does not return a matrix of finite numbers with a row for
            each word.
        """
        if self._encoded is not None:
            return self._encoded.lookup(self._vectors, words, self._verbose)
        if self._object is not None:
            return self._object.lookup(words)
        with self._file() as file:
            return file.lookup(words)

    def words(self, n: int) -> list[str]:
        """Return the first words, which are the most frequent ones in most files.

        Parameters
        ----------
        n : int
            The number of words; fewer are returned if there are fewer. Words that are not
            valid text are skipped.

        Returns
        -------
        list of str
            The words in the order of the vectors.

        Raises
        ------
        ValueError
            If `n` is negative, or the source is an encoder; and as for :meth:`lookup`.
        """
        if n < 0:
            raise ValueError(f"n must be 0 or more; got {n}.")
        if self.is_encoder:
            raise ValueError(f"{self.name} encodes any word, so it has no list of words.")
        if self._object is not None:
            return self._object.words(n)
        with self._file() as file:
            return file.words(n)

    def save(self, path: str | os.PathLike[str]) -> "Embeddings":
        """Write vectors that are in memory to a file, and return a handle on it.

        A handle on an object ships the object with each task of a parallel search, and with each
        pickle. The handle on the file ships the path, and each process reads the file once. The
        vectors, and so the models, are the same.

        Parameters
        ----------
        path : str or path-like
            The file to write, completely or not at all, in the binary format of word2vec. On
            several machines it must be a path that all of them have, such as one on a shared
            disk.

        Returns
        -------
        Embeddings
            A handle on the file, with the same `width`. The words are those of texts, so `word`
            is None.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If the source is a file or an encoder; if it has no words; if it is a fastText object,
            whose subwords have no place in the file; if a vector is not finite; or if the format
            cannot hold a word, such as one with a space.

        Examples
        --------
        >>> import pickle, tempfile
        >>> from pathlib import Path
        >>> from sktextcnn import Embeddings
        >>> vectors = Embeddings({"the": [0.1, 0.2], "of": [0.3, 0.4]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     saved = vectors.save(Path(folder, "vectors.bin"))
        ...     rows = saved.lookup(["of"])
        >>> saved
        Embeddings('vectors.bin')
        >>> rows
        {'of': array([0.3, 0.4], dtype=float32)}
        """
        from sktextcnn._state import atomic_write

        if self._object is None:
            why = "encodes any word" if self.is_encoder else "is a file, so use it as it is"
            raise ValueError(f"Only vectors in memory can be saved; {self.name} {why}.")
        if self._object.has_subwords:
            raise ValueError(
                f"{self.name} gives vectors to all words by their subwords, which the format of "
                f"word2vec cannot hold. Save it by its own method, "
                f"vectors.save({os.fspath(path)!r}), and pass the path."
            )
        words = self.words(sys.maxsize)
        if not words:
            raise ValueError(f"{self.name} has no words to save. Check the rule for its words.")
        (first,) = self.lookup(words[:1]).values()
        rows = ((word, self.lookup([word])[word]) for word in words)
        with atomic_write(path) as file:
            write_word2vec_binary(file, len(words), len(first), rows)
        return Embeddings(Path(path), width=self.width, verbose=self._verbose)

    @contextlib.contextmanager
    def _file(self) -> Iterator[VectorFile]:
        path = self._path or _fetched(self.name)
        try:
            # gensim-data has none, so what was downloaded is never loaded as one.
            if not (self._reads_pickles and self._path) and is_gensim_file(path):
                origin = "its path comes from a model file" if self._path else "it was downloaded"
                raise ValueError(
                    f"{path} is a file in gensim's own format, which is a pickle and may run "
                    f"code, and {origin}. If you trust the file, set "
                    f"embeddings=Embeddings({path!r})."
                )
            yield cached_file(path, self._encoding, self.word)
        except FileNotFoundError:
            raise FileNotFoundError(_missing_file_message(path)) from None

    def __sklearn_clone__(self) -> "Embeddings":
        return self

    def __copy__(self) -> "Embeddings":
        return self

    def __deepcopy__(self, memo: dict) -> "Embeddings":
        return self

    def __getstate__(self) -> dict[str, Any]:
        check_can_be_pickled(self.word)
        # The stamp is not restored. With it, caches that hash their arguments, such as
        # Pipeline(memory=...), notice that a file has changed.
        stamp = file_stamp(self._path) if self._path and os.path.isfile(self._path) else None
        return {
            "name": self.name,
            "path": self._path,
            "vectors": self._vectors,
            "encoding": self._encoding,
            "reads_pickles": self._reads_pickles,
            "width": self.width,
            "verbose": self._verbose,
            "word": self.word,
            "key": None if self._encoded is None else self._encoded.key,
            "stamp": stamp,
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # Without __init__, which checks that the file exists: a deployed model may not have it.
        names = ("name", "path", "vectors", "encoding", "reads_pickles")
        key = state.get("key")
        self._set(
            **{name: state[name] for name in names},
            width=state.get("width"),
            verbose=state.get("verbose", 0),
            word=state.get("word"),
            encoded=None if key is None else encoded_words(key),
        )

    def __repr__(self) -> str:
        width = "" if self.width is None else f", width={self.width}"
        word = getattr(self.word, "__qualname__", repr(self.word))
        return f"Embeddings({self.name!r}{width}{'' if self.word is None else f', word={word}'})"


def as_embeddings(source: Any) -> Embeddings:
    """Return the handle itself, or a new one on anything that `Embeddings` takes."""
    return source if isinstance(source, Embeddings) else Embeddings(source)


def without_rule(source: Embeddings) -> Embeddings:
    """Return a handle on the same vectors by the words of the source itself."""
    if source.word is None:
        return source
    handle = Embeddings.__new__(Embeddings)
    handle._set(
        name=source.name,
        path=source._path,
        vectors=source._vectors,
        encoding=source._encoding,
        reads_pickles=source._reads_pickles,
    )
    return handle


def list_sources(embeddings: Any) -> list[Any]:
    """Return the sources of a parameter `embeddings`, which is one or a list of them.

    A pair of words and a matrix is one source.
    """
    several = isinstance(embeddings, list | tuple) and not is_pair(embeddings)
    return list(embeddings) if several else [embeddings]


def shared(embeddings: Any) -> Any:
    """Return a parameter `embeddings` with handles for the sources that are in memory.

    A handle is not copied, and its repr is short, where that of a dict takes minutes. What needs
    no handle, or is not valid, is returned as it is.
    """
    sources = list_sources(embeddings)
    light = (str, os.PathLike, Embeddings, type(None))
    if all(isinstance(source, light) for source in sources):
        return embeddings
    try:
        handles = [
            source if isinstance(source, light) else Embeddings(source) for source in sources
        ]
    except (TypeError, ValueError):
        return embeddings
    return handles[0] if sources[0] is embeddings else handles


def first_words(sources: Iterable[Embeddings], n: int) -> list[str]:
    """Return the first words of the first source that has a list of words."""
    return next((source.words(n) for source in sources if not source.is_encoder), [])


# Handles as configurations ------------------------------------------------------------


def embeddings_config(source: Any) -> dict[str, Any] | None:
    """Return what identifies a file, or vectors of gensim-data.

    Parameters
    ----------
    source : str, path-like or Embeddings
        The file need not exist.

    Returns
    -------
    dict or None
        `name`, `path` (None for vectors of gensim-data) and `encoding`, and `width` and `word`
        if given; None for an object in memory, or if `word` is a function.
    """
    if isinstance(source, Embeddings):
        if source._vectors is not None:
            return None
        config = {"name": source.name, "path": source._path, "encoding": source._encoding}
        if callable(source.word):
            return None
        options = {"width": source.width, "word": source.word}
        return config | {name: value for name, value in options.items() if value is not None}
    if not isinstance(source, str | os.PathLike):
        return None
    name, path = _name_and_path(source)
    return {"name": name, "path": path, "encoding": _DEFAULT_ENCODING}


def embeddings_from_config(
    name: str,
    path: str | None,
    encoding: str,
    width: int | None = None,
    word: str | None = None,
) -> Embeddings:
    """Return a handle that reads no pickles, since the configuration may be anybody's.

    Raises
    ------
    TypeError
        If the width is not an integer, or `word` is not a str.
    ValueError
        If Python does not know the encoding, the width is less than 1, or `word` is not a
        regular expression with one group.
    """
    _check_encoding(encoding)
    _check_integer("width", width, least=1)
    handle = Embeddings.__new__(Embeddings)
    handle._set(
        name=name, path=path, encoding=encoding, reads_pickles=False, width=width, word=word
    )
    return handle


# Names, paths and other parameters ----------------------------------------------------


def _check_integer(name: str, value: int | None, least: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{name} must be an integer or None; got {value!r:.60} of type {type(value).__name__}."
        )
    if value < least:
        raise ValueError(f"{name} must be {least} or more; got {value}.")


def _check_encoding(encoding: str) -> None:
    if not isinstance(encoding, str):
        raise TypeError(
            f"encoding must be the name of an encoding, such as 'utf-8' or 'latin-1'; got "
            f"{encoding!r:.60} of type {type(encoding).__name__}."
        )
    try:
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise ValueError(
            f"encoding must be the name of a text encoding of Python, such as 'utf-8' or "
            f"'latin-1'; got {encoding!r:.60} ({error})."
        ) from error


def _name_and_path(source: str | os.PathLike) -> tuple[str, str | None]:
    """Return the name for display, and the absolute path or None for a name of gensim-data."""
    text = os.fspath(source)
    name = os.path.basename(os.path.normpath(text))
    # A folder as gensim-data has them stands for its file, in the working directory too.
    downloaded = os.path.join(text, f"{name}.gz")
    if os.path.isfile(downloaded):
        return name, os.path.abspath(downloaded)
    is_path = isinstance(source, os.PathLike) or _is_path(text)
    return os.path.basename(text), os.path.abspath(text) if is_path else None


def _is_path(text: str) -> bool:
    return os.path.exists(text) or os.path.basename(text) != text or "." in text


def _missing_file_message(path: str) -> str:
    from sktextcnn._gensim_data import download_hint

    folder, name = os.path.split(path)
    if os.path.isdir(path):
        return f"{path!r} is a folder; {folder_hint(path)}."
    if not os.path.isdir(folder):
        message = f"The file of vectors {name!r} does not exist: there is no folder {folder!r}."
        return f"{message} {download_hint(name)}"
    similar = difflib.get_close_matches(name, os.listdir(folder), n=1)
    hint = f" Did you mean {similar[0]!r}?" if similar else ""
    return f"There is no file of vectors {path!r}.{hint} {download_hint(name)}"


# Few handles need what follows, and it imports the modules of HTTP.


def _fetched(name: str) -> str:
    from sktextcnn._gensim_data import fetch

    return fetch(name)


def _check_gensim_data_name(name: str) -> None:
    if not name or len(name.split()) != 1:
        raise FileNotFoundError(
            f"embeddings={name!r} is neither a file nor a name of vectors in gensim-data, "
            f"such as 'glove-wiki-gigaword-100'. The command sktextcnn vectors list shows all of "
            f"them."
        )
