"""From texts to ids: tokenizers with a vocabulary, which remember frequent pieces of texts."""

import copy
from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sktextcnn._text.analyzer import Analyzer, build_analyzer
from sktextcnn._text.documents import Documents
from sktextcnn._token_ids import UNKNOWN_ID

# Frequent pieces, such as words, soon are among so many; they take 50 MB at most.
_PIECES_REMEMBERED = 1 << 17
_LONGEST_REMEMBERED = 40

# Pieces whose ids are joined at a time, which bounds the temporary arrays.
_BLOCK = 4_096


class Encoder:
    """Encodes texts as token ids, and remembers the ids of pieces that may occur again.

    Parameters
    ----------
    analyzer : Analyzer
        Splits a text into tokens.
    id_of : callable
        Returns the id of a token, which must not change until `forget` is called.
    """

    def __init__(self, analyzer: Analyzer, id_of: Callable[[str], int]) -> None:
        self._tokens, self._pieces = analyzer
        self._id_of = id_of
        self._ids_of = _PieceCache(self._tokens, id_of)

    def ids(self, text: str) -> Iterable[int] | bytes:
        """Return the ids of the tokens of a text, or their bytes in int32."""
        if self._pieces is None:
            return map(self._id_of, self._tokens(text))
        parts, ids_of = self._pieces(text), self._ids_of.__getitem__
        if len(parts) <= _BLOCK:
            return b"".join(map(ids_of, parts))
        blocks = (parts[i : i + _BLOCK] for i in range(0, len(parts), _BLOCK))
        return b"".join(b"".join(map(ids_of, block)) for block in blocks)

    def encode(self, texts: Iterable[str]) -> Documents:
        """Encode texts in one pass."""
        documents = Documents()
        for text in texts:
            documents.append(self.ids(text))
        return documents

    def forget(self) -> None:
        """Forget the ids of all pieces, since those of some tokens have changed."""
        self._ids_of.clear()


class _PieceCache(dict[str, bytes]):
    """The ids of pieces of texts, computed when a piece is first seen.

    They are stored as the bytes of int32, which are joined several times faster than numbers.
    """

    def __init__(self, tokens: Callable[[str], Iterable[str]], id_of: Callable[[str], int]) -> None:
        self.tokens, self.id_of = tokens, id_of

    def __missing__(self, piece: str) -> bytes:
        ids = array("i", map(self.id_of, self.tokens(piece))).tobytes()
        if len(piece) <= _LONGEST_REMEMBERED and len(self) < _PIECES_REMEMBERED:
            self[piece] = ids
        return ids


class CachedEncoder:
    """Encodes texts with a vocabulary, and keeps the encoder for later calls.

    A call with other parameters makes a new encoder.
    """

    def __init__(self) -> None:
        self._cached: tuple[dict[str, Any], Mapping[str, int], Encoder] | None = None

    def encode(
        self, texts: Iterable[str], analysis: Mapping[str, Any], vocabulary: Mapping[str, int]
    ) -> Documents:
        """Encode texts in one pass.

        Parameters
        ----------
        texts : iterable of str
            The texts.
        analysis : mapping
            The parameters of ``build_analyzer``.
        vocabulary : mapping of str to int
            The id of each word. Other tokens get that of unknown words.
        """
        # The attribute is read once, as another thread may replace it.
        cached = self._cached
        if cached is None or cached[0] != analysis or cached[1] is not vocabulary:
            known = vocabulary.get
            encoder = Encoder(build_analyzer(**analysis), lambda token: known(token, UNKNOWN_ID))
            # A copy, since the user may change a list of stop words in place.
            made_for = {**analysis, "stop_words": copy.copy(analysis["stop_words"])}
            self._cached = cached = (made_for, vocabulary, encoder)
        return cached[2].encode(texts)
