"""How a text becomes tokens, by scikit-learn's analyzer."""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from sklearn.feature_extraction.text import (
    CountVectorizer,
    strip_accents_ascii,
    strip_accents_unicode,
)

from sktextcnn._text.tokenizers import named_tokenizer, stop_words_of_language

# Words with the English clitics that GloVe and word2vec know as words of their own (do n't,
# it 's), and every punctuation mark, since vectors know these too. The first alternative
# changes nothing but the time: it takes most words without a look for clitics in them.
TOKEN_PATTERN = r"(?ui)\w++(?!')|\w+(?=n't\b)|n't\b|'(?:s|m|d|ll|re|ve)\b|\w+|[^\w\s]"

_STRIP_ACCENTS = {"ascii": strip_accents_ascii, "unicode": strip_accents_unicode}
_LETTERS_AT_ONCE = 256

# Tokens of a longer piece are made one by one; a list of all takes some ten times its memory.
_LONG_PIECE = 1 << 16


class Analyzer(NamedTuple):
    """From a text to its tokens.

    Attributes
    ----------
    tokens : callable
        The tokens of a text or, if there are `pieces`, of a piece.
    pieces : callable or None
        Cuts a text into parts whose tokens do not depend on each other. Since parts come
        again and again, their tokens can be remembered.
    """

    tokens: Callable[[str], Iterable[str]]
    pieces: Callable[[str], list[str]] | None = None


def build_analyzer(**params: Any) -> Analyzer:
    """Make the analyzer of a vectorizer's parameters.

    Parameters
    ----------
    **params
        Those of :class:`TextVectorizer` that tell how a text becomes tokens.

    Raises
    ------
    ImportError
        If a named tokenizer or a language's stop words need a package that is missing.
    ValueError
        If `token_pattern` is no regular expression, or there are no such stop words.
    """
    try:
        vectorizer = _count_vectorizer(**params)
        tokens = vectorizer.build_analyzer()
        if (
            vectorizer.analyzer == "word"
            and vectorizer.tokenizer is None
            and vectorizer.token_pattern == TOKEN_PATTERN
        ):
            return _by_whitespace(vectorizer)
        return Analyzer(tokens)
    except re.error as error:
        raise ValueError(
            f"token_pattern={params['token_pattern']!r} is no regular expression: {error}."
        ) from error


def tokens_of(text: str, analyzer: Analyzer) -> list[str]:
    """All tokens of a text."""
    if analyzer.pieces is None:
        return list(analyzer.tokens(text))
    return [token for piece in analyzer.pieces(text) for token in analyzer.tokens(piece)]


def _strip_accents(strip: Callable[[str], str]) -> Callable[[str], str]:
    """Strip accents from some letters at a time, with the same result.

    Unicode's normal form has combining marks in a certain order, and sorting a run of them
    takes Python the square of its length. Since they are dropped, their order does not matter.
    """

    def stripped(text: str) -> str:
        starts = range(0, len(text), _LETTERS_AT_ONCE)
        return "".join(strip(text[start : start + _LETTERS_AT_ONCE]) for start in starts)

    return stripped


def describe_analyzer(**params: Any) -> dict[str, Any]:
    """Say what the analyzer of a vectorizer's parameters does.

    Parameters
    ----------
    **params
        As for :func:`build_analyzer`.

    Returns
    -------
    dict
        The same parameters. Those that another one makes void are None or False, and stop
        words are a list.
    """
    vectorizer = _count_vectorizer(**params)
    analyzer, tokenizer = params["analyzer"], params["tokenizer"]
    preprocesses = not callable(analyzer) and params["preprocessor"] is None
    by_words = analyzer == "word"
    return {
        "analyzer": analyzer,
        "preprocessor": None if callable(analyzer) else params["preprocessor"],
        "lowercase": preprocesses and bool(params["lowercase"]),
        "strip_accents": params["strip_accents"] if preprocesses else None,
        "tokenizer": tokenizer if by_words else None,
        "token_pattern": params["token_pattern"] if by_words and tokenizer is None else None,
        "stop_words": sorted(vectorizer.get_stop_words() or ()) if by_words else [],
    }


def _count_vectorizer(
    *,
    strip_accents: str | Callable[[str], str] | None,
    tokenizer: str | Callable[[str], Iterable[str]] | None,
    stop_words: str | Collection[str] | None,
    **others: Any,
) -> CountVectorizer:
    """Make scikit-learn's vectorizer, with names replaced by what they stand for."""
    if isinstance(strip_accents, str):
        strip_accents = _strip_accents(_STRIP_ACCENTS[strip_accents])
    others["strip_accents"] = strip_accents
    others["tokenizer"] = named_tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer
    if isinstance(stop_words, str):
        if stop_words != "english":
            pieces = CountVectorizer(**others).build_analyzer()
            stop_words = stop_words_of_language(stop_words, pieces)
    elif stop_words is not None:
        stop_words = list(stop_words)
    return CountVectorizer(**others, stop_words=stop_words)


def _by_whitespace(vectorizer: CountVectorizer) -> Analyzer:
    """For a pattern that neither matches whitespace nor looks beyond it."""
    preprocess, pattern = vectorizer.build_preprocessor(), re.compile(TOKEN_PATTERN)
    stop_words = vectorizer.get_stop_words() or frozenset()

    def tokens(piece: str) -> Iterable[str]:
        # Most pieces are one word, which the pattern would find as a whole.
        if piece.isalnum():
            return [] if piece in stop_words else [piece]
        if len(piece) > _LONG_PIECE:
            found = (match[0] for match in pattern.finditer(piece))
            return (token for token in found if token not in stop_words)
        return [token for token in pattern.findall(piece) if token not in stop_words]

    return Analyzer(tokens, lambda text: preprocess(text).split())
