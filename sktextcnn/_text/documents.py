"""Tokenized texts as numbers: one array of ids for all of them, and its padding."""

import copy
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sktextcnn._text.analyzer import Analyzer, build_analyzer
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID

# The automatic length is that of the longest text, unless it is both beyond this and
# beyond a multiple of what nearly all texts need.
_ALWAYS_WHOLE = 256
_OUTLIER_QUANTILE = 0.95
_OUTLIER_FACTOR = 4

# Of which frequent pieces soon are a part, as words are; some 50 MB at most.
_PIECES_REMEMBERED = 1 << 17
_LONGEST_REMEMBERED = 40

# Texts padded or counted, and pieces joined, at a time, which bounds the temporary arrays.
_BLOCK = 4_096


class Documents:
    """The ids of many documents, one behind the other in one array."""

    def __init__(self) -> None:
        self._ids = array("i")
        self._ends = array("q", [0])

    def append(self, ids: Iterable[int] | bytes) -> None:
        """Add a document: its ids, or the bytes of their int32."""
        if isinstance(ids, bytes):
            self._ids.frombytes(ids)
        else:
            self._ids.extend(ids)
        self._ends.append(len(self._ids))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def ids(self) -> np.ndarray:
        return np.frombuffer(self._ids, dtype=np.int32)

    def lengths(self) -> np.ndarray:
        return np.diff(np.frombuffer(self._ends, dtype=np.int64))

    def renumber(self, new_id: np.ndarray) -> None:
        ids = self.ids()
        for start in range(0, len(ids), _BLOCK):
            ids[start : start + _BLOCK] = new_id[ids[start : start + _BLOCK]]

    def __iter__(self) -> Iterator[np.ndarray]:
        ids = self.ids()
        for i in range(len(self)):
            yield ids[self._ends[i] : self._ends[i + 1]]

    def document_frequency(self, n_tokens: int) -> np.ndarray:
        """In how many documents each token occurs; (n_tokens,)."""
        ids, ends = self.ids(), np.frombuffer(self._ends, dtype=np.int64)
        frequency = np.zeros(n_tokens, dtype=np.int64)
        for first in range(0, len(self), _BLOCK):
            end = ends[first : first + _BLOCK + 1]
            owner = np.repeat(np.arange(len(end) - 1), np.diff(end))
            pairs = np.unique(owner * n_tokens + ids[end[0] : end[-1]])
            frequency += np.bincount(pairs % n_tokens, minlength=n_tokens)
        return frequency

    def padded(self, width: int, padding: str, truncating: str) -> np.ndarray:
        """Cut or pad every document to one width; (n_documents, width), int32."""
        ids, ends = self.ids(), np.frombuffer(self._ends, dtype=np.int64)
        matrix = np.full((len(self), width), PADDING_ID, dtype=np.int32)
        columns = np.arange(width)
        for first in range(0, len(self), _BLOCK):
            begin = ends[first : first + _BLOCK][: len(self) - first]
            end = ends[first + 1 : first + 1 + _BLOCK]
            kept = np.minimum(end - begin, width)
            tokens = ids[begin[0] : end[-1]]
            if (kept < end - begin).any():
                # Where each token is in its document, from the end that is kept.
                place = np.arange(begin[0], end[-1]) - np.repeat(begin, end - begin)
                if truncating == "pre":
                    place = np.repeat(end - begin, end - begin) - 1 - place
                tokens = tokens[place < width]
            shown = columns if padding == "post" else columns[::-1]
            matrix[first : first + _BLOCK][shown < kept[:, None]] = tokens
        return matrix


class WordsOf:
    """The documents as lists of known words, made anew at each pass."""

    def __init__(self, documents: Documents, words: Sequence[str]) -> None:
        self.documents, self.words = documents, words

    def __iter__(self) -> Iterator[list[str]]:
        words = self.words
        for ids in self.documents:
            yield [words[i] for i in ids.tolist() if i != UNKNOWN_ID]


class Reader:
    """Turns texts into ids, and remembers those of pieces that come again and again.

    Parameters
    ----------
    analyzer : Analyzer
        From a text to its tokens.
    id_of : callable
        From a token to its id, always the same.
    """

    def __init__(self, analyzer: Analyzer, id_of: Callable[[str], int]) -> None:
        self._tokens, self._pieces = analyzer
        self._id_of = id_of
        self._ids_of = _Pieces(self._tokens, id_of)

    def read(self, texts: Iterable[str]) -> Documents:
        """Tokenize texts in one pass."""
        documents = Documents()
        if self._pieces is None:
            for text in texts:
                documents.append(map(self._id_of, self._tokens(text)))
        else:
            pieces, ids_of = self._pieces, self._ids_of.__getitem__
            for text in texts:
                parts = pieces(text)
                blocks = (parts[i : i + _BLOCK] for i in range(0, len(parts), _BLOCK))
                documents.append(b"".join(b"".join(map(ids_of, block)) for block in blocks))
        return documents


class _Pieces(dict[str, bytes]):
    """The ids of pieces of texts, made when they are first seen.

    As the bytes of their int32, which are joined several times faster than numbers.
    """

    def __init__(self, tokens: Callable[[str], Iterable[str]], id_of: Callable[[str], int]) -> None:
        self.tokens, self.id_of = tokens, id_of

    def __missing__(self, piece: str) -> bytes:
        ids = array("i", map(self.id_of, self.tokens(piece))).tobytes()
        if len(piece) <= _LONGEST_REMEMBERED and len(self) < _PIECES_REMEMBERED:
            self[piece] = ids
        return ids


def tokenize(texts: Iterable[str], analyzer: Analyzer) -> tuple[Documents, list[str]]:
    """Tokenize texts in one pass; ids are those of the list of tokens, as first seen."""
    index: defaultdict[str, int] = defaultdict()
    index.default_factory = index.__len__
    documents = Reader(analyzer, index.__getitem__).read(texts)
    if not len(documents):
        raise ValueError("There are no texts: X is empty. Give at least one.")
    return documents, list(index)


class KnownReader:
    """Reads texts as ids of a vocabulary, and remembers their pieces from call to call.

    What it remembers is forgotten when a parameter changes.
    """

    def __init__(self) -> None:
        self._memory: tuple[dict[str, Any], Mapping[str, int], Reader] | None = None

    def read(
        self, texts: Iterable[str], analysis: Mapping[str, Any], vocabulary: Mapping[str, int]
    ) -> Documents:
        """Tokenize texts in one pass.

        Parameters
        ----------
        texts : iterable of str
            The texts.
        analysis : mapping
            The parameters of ``build_analyzer``.
        vocabulary : mapping of str to int
            The ids; other tokens are unknown.
        """
        # Read once: another thread may replace it meanwhile.
        memory = self._memory
        if memory is None or memory[0] != analysis or memory[1] is not vocabulary:
            known = vocabulary.get
            reader = Reader(build_analyzer(**analysis), lambda token: known(token, UNKNOWN_ID))
            # A list of stop words may change in its place.
            made_for = {**analysis, "stop_words": copy.copy(analysis["stop_words"])}
            self._memory = memory = (made_for, vocabulary, reader)
        return memory[2].read(texts)


def choose_length(max_length: int | str | None, lengths: np.ndarray) -> int:
    longest = max(1, int(lengths.max()))
    if max_length is None:
        return longest
    if max_length == "auto":
        usual = np.quantile(lengths, _OUTLIER_QUANTILE, method="lower")
        return min(longest, max(_ALWAYS_WHOLE, _OUTLIER_FACTOR * int(usual)))
    return int(max_length)
