"""How a text becomes tokens, by scikit-learn's analyzer."""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from sklearn.feature_extraction.text import (
    CountVectorizer,
    strip_accents_ascii,
    strip_accents_unicode,
)

from sktextcnn._tokenizers import named_tokenizer, stop_words_of_language

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


def build_analyzer(
    *,
    strip_accents: str | Callable[[str], str] | None,
    tokenizer: str | Callable[[str], Iterable[str]] | None,
    stop_words: str | Collection[str] | None,
    token_pattern: str,
    analyzer: str | Callable[[str], Iterable[str]],
    **others: Any,
) -> Analyzer:
    """Make the analyzer of a vectorizer's parameters.

    Parameters
    ----------
    strip_accents, tokenizer, stop_words, token_pattern, analyzer
        As for :class:`TextVectorizer`.
    **others
        Further parameters of scikit-learn's ``CountVectorizer``.

    Raises
    ------
    ImportError
        If a named tokenizer or a language's stop words need a package that is missing.
    ValueError
        If `token_pattern` is no regular expression, or there are no such stop words.
    """
    options = {
        **others,
        "strip_accents": (
            _strip_accents(_STRIP_ACCENTS[strip_accents])
            if isinstance(strip_accents, str)
            else strip_accents
        ),
        "tokenizer": named_tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer,
        "token_pattern": token_pattern,
        "analyzer": analyzer,
    }
    try:
        if isinstance(stop_words, str):
            if stop_words != "english":
                pieces = CountVectorizer(**options).build_analyzer()
                stop_words = stop_words_of_language(stop_words, pieces)
        elif stop_words is not None:
            stop_words = list(stop_words)
        vectorizer = CountVectorizer(**options, stop_words=stop_words)
        tokens = vectorizer.build_analyzer()
        if analyzer == "word" and tokenizer is None and token_pattern == TOKEN_PATTERN:
            return _by_whitespace(vectorizer)
        return Analyzer(tokens)
    except re.error as error:
        raise ValueError(
            f"token_pattern={token_pattern!r} is no regular expression: {error}."
        ) from error


def _strip_accents(strip: Callable[[str], str]) -> Callable[[str], str]:
    """Strip accents from some letters at a time, with the same result.

    Unicode's normal form has combining marks in a certain order, and sorting a run of them
    takes Python the square of its length. Since they are dropped, their order does not matter.
    """

    def stripped(text: str) -> str:
        starts = range(0, len(text), _LETTERS_AT_ONCE)
        return "".join(strip(text[start : start + _LETTERS_AT_ONCE]) for start in starts)

    return stripped


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
