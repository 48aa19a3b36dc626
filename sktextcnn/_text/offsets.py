"""Where in a text, as its author wrote it, each of its tokens lies."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sktextcnn._text.analyzer import build_analyzer
from sktextcnn._text.tokenizers import named_tokenizer

Token = tuple[str, int, int]


class _Processed(NamedTuple):
    """A text after preprocessing, and the place in the original of each character."""

    text: str
    places: Sequence[int]


def token_finder(analysis: dict[str, Any]) -> Callable[[str], list[Token]]:
    """Make a function that tokenizes a text and finds its tokens in it.

    Parameters
    ----------
    analysis : dict
        The parameters of ``build_analyzer``.

    Returns
    -------
    callable
        From a text to a list of (str, int, int): every token as the vectorizer sees it, with
        where it begins in the text and where it ends. A token that a tokenizer made up lies
        between its neighbours.
    """
    analyzer = build_analyzer(**analysis)

    def find(text: str) -> list[Token]:
        pieces = [text] if analyzer.pieces is None else analyzer.pieces(text)
        tokens = [token for piece in pieces for token in analyzer.tokens(piece)]
        return _found(text, tokens, analysis)

    return find


def _found(text: str, tokens: list[str], analysis: dict[str, Any]) -> list[Token]:
    candidates = iter(_candidates(text, tokens, analysis))
    found = []
    marks = range(0)
    # Stop words are among the candidates and not among the tokens; nothing else is.
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
        # Nobody knows what a function makes of which character.
        yield from _aligned(tokens, text)
        return
    processed = _preprocessed(text, analysis["lowercase"], analysis["strip_accents"])
    if analyzer == "char":
        processed = _rewritten(processed, _collapsed)
        spans: Iterable[Token] = ((c, i, i + 1) for i, c in enumerate(processed.text))
    elif tokenizer is None:
        pattern = re.compile(analysis["token_pattern"])
        group = min(pattern.groups, 1)
        spans = ((m[group], *m.span(group)) for m in pattern.finditer(processed.text))
    else:
        cut = named_tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer
        spans = _aligned(list(cut(processed.text)), processed.text)
    places = processed.places
    for token, start, end in spans:
        if start == end:
            place = places[start] if start < len(places) else len(text)
            yield token, place, place
        else:
            yield token, places[start], places[end - 1] + 1


def _preprocessed(text: str, lowercase: bool, strip_accents: str | None) -> _Processed:
    """What scikit-learn's preprocessor returns, character by character."""
    processed = _Processed(text, range(len(text)))
    if lowercase:
        places = [i for i, c in enumerate(text) for _ in c.lower()]
        # As a whole, since a capital sigma becomes another letter at the end of a word.
        processed = _Processed(text.lower(), places)
    if strip_accents == "unicode":
        processed = _rewritten(processed, _each(_without_marks))
    elif strip_accents == "ascii":
        processed = _rewritten(processed, _each(_ascii))
    return processed


def _rewritten(
    processed: _Processed, rewrite: Callable[[str], Iterator[tuple[str, int]]]
) -> _Processed:
    characters, places = [], []
    for piece, index in rewrite(processed.text):
        characters.append(piece)
        places += [processed.places[index]] * len(piece)
    return _Processed("".join(characters), places)


def _each(change: Callable[[str], str]) -> Callable[[str], Iterator[tuple[str, int]]]:
    return lambda text: ((change(character), i) for i, character in enumerate(text))


def _without_marks(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _ascii(character: str) -> str:
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")


def _collapsed(text: str) -> Iterator[tuple[str, int]]:
    """Runs of whitespace as one space, as scikit-learn's analyzer of characters has them."""
    end = 0
    for match in re.finditer(r"\s\s+", text):
        yield from ((text[i], i) for i in range(end, match.start()))
        yield " ", match.start()
        end = match.end()
    yield from ((text[i], i) for i in range(end, len(text)))


def _aligned(tokens: Sequence[str], text: str) -> Iterator[Token]:
    """Find tokens one behind the other; those that are not there lie in the gap."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    waiting: list[str] = []
    # What is not there from some place on is not there later; to look for it takes long.
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
    gap = text[start:end]
    start += len(gap) - len(gap.lstrip())
    end = max(start, end - len(gap) + len(gap.rstrip()))
    for token in tokens:
        yield token, start, end


def _end_of_marks(text: str, end: int) -> int:
    """The end of the marks that belong to the last character of a token that ends there."""
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end
