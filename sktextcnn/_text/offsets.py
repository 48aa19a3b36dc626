"""The position of each token in the text before preprocessing."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sktextcnn._text.analyzer import build_analyzer, tokenize
from sktextcnn._text.normalization import (
    DOTTED_I,
    REPLACERS,
    composed,
    continues,
    with_marks,
)
from sktextcnn._text.tokenizers import named_tokenizer

Token = tuple[str, int, int]


class _Processed(NamedTuple):
    """A text after preprocessing, and where each character begins and ends in the original text."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


# The characters of a text, each with the part of the text that it comes from.
_Pieces = Iterable[tuple[str, int, int]]


def token_finder(analysis: dict[str, Any]) -> Callable[[str], list[Token]]:
    """Make a function that tokenizes a text and finds the positions of its tokens.

    Parameters
    ----------
    analysis : dict
        The parameters of ``build_analyzer``.

    Returns
    -------
    callable
        Takes a text and returns a list of (str, int, int): each token as the vectorizer sees
        it, and the positions in the text at which it begins and ends. A token that does not
        occur in the text, because a tokenizer rewrote it, gets the text between its neighbours.
    """
    analyzer = build_analyzer(**analysis)

    def find(text: str) -> list[Token]:
        return _positions(text, tokenize(text, analyzer), analysis)

    return find


def _positions(text: str, tokens: list[str], analysis: dict[str, Any]) -> list[Token]:
    candidates = iter(_candidates(text, tokens, analysis))
    found = []
    marks = range(0)
    # The candidates are the tokens and the stop words, in the order of the text.
    for token in tokens:
        for name, start, end in candidates:
            if name == token:
                if end not in marks:
                    marks = range(end, _end_of_marks(text, end))
                found.append((token, start, marks.stop))
                break
    if len(found) != len(tokens):
        return list(_aligned(tokens, text))
    return found


def _candidates(text: str, tokens: list[str], analysis: dict[str, Any]) -> Iterator[Token]:
    analyzer, tokenizer = analysis["analyzer"], analysis["tokenizer"]
    if any(map(callable, (analyzer, analysis["preprocessor"], analysis["strip_accents"]))):
        # It is not known which characters a function changes.
        yield from _aligned(tokens, text)
        return
    processed = _preprocessed(text, analysis)
    if analyzer == "char":
        processed = _rewritten(processed, _collapsed)
        spans: Iterable[Token] = ((c, i, i + 1) for i, c in enumerate(processed.text))
    elif tokenizer is None:
        pattern = re.compile(with_marks(analysis["token_pattern"]))
        group = min(pattern.groups, 1)
        spans = ((m[group], *m.span(group)) for m in pattern.finditer(processed.text))
    else:
        cut = named_tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer
        spans = _aligned(list(cut(processed.text)), processed.text)
    starts, ends = processed.starts, processed.ends
    for token, start, end in spans:
        if start == end:
            position = starts[start] if start < len(starts) else len(text)
            yield token, position, position
        else:
            yield token, starts[start], ends[end - 1]


def _preprocessed(text: str, analysis: dict[str, Any]) -> _Processed:
    """Preprocess a text as the analyzer does, and follow the positions of its characters."""
    processed = _Processed(text, range(len(text)), range(1, len(text) + 1))
    normalizes = analysis["normalize"] is not None and not text.isascii()
    if normalizes:
        processed = _rewritten(processed, _composed)
        for pattern, new in REPLACERS:
            processed = _rewritten(processed, _replaced(pattern, new))
        processed = _rewritten(processed, _composed)
    if analysis["lowercase"]:
        # The text as a whole, since a capital sigma has another lower case at the end of a word.
        lowered = processed.text.lower()
        processed = _rewritten(processed, _each(str.lower))._replace(text=lowered)
        if normalizes:
            processed = _rewritten(processed, _replaced(re.compile(DOTTED_I[0]), DOTTED_I[1]))
    if analysis["strip_accents"] == "unicode":
        processed = _rewritten(processed, _each(_without_marks))
    elif analysis["strip_accents"] == "ascii":
        processed = _rewritten(processed, _each(_ascii))
    return _rewritten(processed, _composed) if normalizes else processed


def _rewritten(processed: _Processed, rewrite: Callable[[str], _Pieces]) -> _Processed:
    """Rewrite a text; `rewrite` yields new characters and the part of the old ones of each."""
    characters, starts, ends = [], [], []
    for new, start, end in rewrite(processed.text):
        characters.append(new)
        starts += [processed.starts[start]] * len(new)
        ends += [processed.ends[end - 1]] * len(new)
    return _Processed("".join(characters), starts, ends)


def _each(change: Callable[[str], str]) -> Callable[[str], _Pieces]:
    return lambda text: ((change(character), i, i + 1) for i, character in enumerate(text))


def _composed(text: str) -> _Pieces:
    """Compose each letter with the marks after it."""
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and continues(text[end]):
            end += 1
        new = composed(text[start:end])
        if new == text[start:end]:
            yield from ((text[i], i, i + 1) for i in range(start, end))
        else:
            yield new, start, end
        start = end


def _replaced(pattern: re.Pattern[str], new: str) -> Callable[[str], _Pieces]:
    def rewrite(text: str) -> _Pieces:
        end = 0
        for match in pattern.finditer(text):
            yield from ((text[i], i, i + 1) for i in range(end, match.start()))
            yield new, *match.span()
            end = match.end()
        yield from ((text[i], i, i + 1) for i in range(end, len(text)))

    return rewrite


def _without_marks(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _ascii(character: str) -> str:
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")


def _collapsed(text: str) -> _Pieces:
    """Replace runs of whitespace by one space, as scikit-learn's analyzer of characters does."""
    for character, start, _ in _replaced(re.compile(r"\s\s+"), " ")(text):
        yield character, start, start + 1


def _aligned(tokens: Sequence[str], text: str) -> Iterator[Token]:
    """Find tokens in their order; one that does not occur gets the gap between its neighbours."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    waiting: list[str] = []
    # Tokens that do not occur in the rest of the text, which are not searched for again.
    absent = {""}
    end = 0
    for token in tokens:
        start = -1 if token in absent else text.find(token, end)
        if start < 0 and token not in absent:
            start = lowered.find(token.lower(), end)
        if start < 0:
            absent.add(token)
            waiting.append(token)
            continue
        yield from _in_gap(waiting, text, end, start)
        waiting = []
        end = start + len(token)
        yield token, start, end
    yield from _in_gap(waiting, text, end, len(text))


def _in_gap(tokens: Iterable[str], text: str, start: int, end: int) -> Iterator[Token]:
    """Give tokens the positions of a part of the text, without the whitespace around it."""
    gap = text[start:end]
    start += len(gap) - len(gap.lstrip())
    end = max(start, end - len(gap) + len(gap.rstrip()))
    for token in tokens:
        yield token, start, end


def _end_of_marks(text: str, end: int) -> int:
    """Return the end of the combining marks that follow a token."""
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end
