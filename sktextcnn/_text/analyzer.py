"""Analyzers, which split a text into tokens, made by scikit-learn."""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from sklearn.feature_extraction.text import (
    CountVectorizer,
    strip_accents_ascii,
    strip_accents_unicode,
)

from sktextcnn._text.normalization import (
    DOTTED_I,
    REPLACEMENTS,
    composed,
    normalized,
    with_marks,
)
from sktextcnn._text.tokenizers import named_tokenizer, stop_words_of_language

# A word: letters, digits and underscores; then also combining marks, joiners, tone letters and the
# marks that Armenian writes within words. An apostrophe is part of words in Cyrillic and Hebrew, a
# quotation mark in Hebrew abbreviations, and a raised dot in Catalan. This follows Unicode's rules
# for words (UAX 29), except that punctuation and apostrophes cut words of Latin letters.
_WITHIN = (
    r"(?:[\p{M}\u200c\u200d\u02c2-\u02c5\u02d2-\u02d7\u02de\u02df\u02e5-\u02eb\u02ed"
    r"\u02ef-\u02ff\u055a-\u055c\u055e\ua708-\ua716\ua720\ua721\ua789\ua78a]++"
    r"|(?<=[\u0400-\u052f])'(?=[\u0400-\u052f])|(?<=[\u0591-\u05ea])['\"](?=[\u05d0-\u05ea])"
    r"|(?<=l)\xb7(?=l))"
)
_WORD = rf"\w+(?:{_WITHIN}\w*)*"
# The same in less time and memory, without what the match would need to become shorter again.
_WHOLE_WORD = rf"\w++(?:{_WITHIN}\w*+)*+"
_END = r"(?![\w\p{M}])"
# One punctuation mark or symbol with what belongs to it, so that a flag or a family is one token.
_MODIFIERS = r"[\p{M}\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*+"
_MARK = rf"[\U0001f1e6-\U0001f1ff]{{2}}|[^\w\s]{_MODIFIERS}(?:\u200d[^\w\s]{_MODIFIERS})*+"

# Words, English clitics, which GloVe and word2vec have as words of their own (do n't, it 's), and
# punctuation marks, which they have too. The first alternative only saves time: it matches most
# words without a search for clitics in them. The fifth is for Hebrew abbreviations such as "פרופ'",
# not in quotation marks.
TOKEN_PATTERN = (
    rf"(?ui){_WHOLE_WORD}(?!')|{_WORD}(?=n't{_END})|n't{_END}|'(?:s|m|d|ll|re|ve){_END}"
    rf"|(?<!'){_WHOLE_WORD}(?<=[\u0591-\u05ea])'(?!\w)|{_WORD}|{_MARK}"
)
# That of version 0.1.0, which stored models have.
_PATTERN_OF_BEFORE = r"(?ui)\w++(?!')|\w+(?=n't\b)|n't\b|'(?:s|m|d|ll|re|ve)\b|\w+|[^\w\s]"

_STRIP_ACCENTS = {"ascii": strip_accents_ascii, "unicode": strip_accents_unicode}
_LETTERS_AT_ONCE = 256

# The tokens of a longer piece are generated one by one; a list takes ten times its memory.
_LONG_PIECE = 1 << 16


class Analyzer(NamedTuple):
    """Splits a text into tokens.

    Attributes
    ----------
    tokens : callable
        Returns the tokens of a text or, if there is `pieces`, of a piece.
    pieces : callable or None
        Splits a text into pieces whose tokens do not depend on each other. Since most pieces
        occur many times, their tokens can be remembered.
    """

    tokens: Callable[[str], Iterable[str]]
    pieces: Callable[[str], list[str]] | None = None


def build_analyzer(**params: Any) -> Analyzer:
    """Make the analyzer for a vectorizer's parameters.

    Parameters
    ----------
    **params
        The parameters of :class:`TextVectorizer` that control how a text is split into tokens.

    Raises
    ------
    ImportError
        If a named tokenizer or the stop words of a language need a package that is missing.
    ValueError
        If `token_pattern` is not a valid regular expression, or there are no such stop words.
    """
    try:
        vectorizer = _count_vectorizer(**params)
        tokens = vectorizer.build_analyzer()
        if (
            vectorizer.analyzer == "word"
            and vectorizer.tokenizer is None
            and params["token_pattern"] in (TOKEN_PATTERN, _PATTERN_OF_BEFORE)
        ):
            return _whitespace_analyzer(vectorizer, params["token_pattern"])
        return Analyzer(tokens)
    except re.error as error:
        raise ValueError(
            f"token_pattern={params['token_pattern']!r} is not a valid regular expression: {error}."
        ) from error


def tokenize(text: str, analyzer: Analyzer) -> list[str]:
    """Return all tokens of a text."""
    if analyzer.pieces is None:
        return list(analyzer.tokens(text))
    return [token for piece in analyzer.pieces(text) for token in analyzer.tokens(piece)]


def _strip_accents(strip: Callable[[str], str]) -> Callable[[str], str]:
    """Strip accents from short parts of a text, with the same result as from the whole.

    Normalization sorts each run of combining marks, in a time that grows with the square of the
    run's length. The marks are dropped afterwards, so their order does not matter.
    """

    def stripped(text: str) -> str:
        starts = range(0, len(text), _LETTERS_AT_ONCE)
        return "".join(strip(text[start : start + _LETTERS_AT_ONCE]) for start in starts)

    return stripped


def describe_analyzer(**params: Any) -> dict[str, Any]:
    """Return the parameters that have an effect on how a text is split into tokens.

    Parameters
    ----------
    **params
        As for :func:`build_analyzer`.

    Returns
    -------
    dict
        The same parameters. Those that another parameter overrides are None or False. Stop
        words are a list, `token_pattern` is one that `re` compiles, and `replacements` are the
        pairs of a pattern and its replacement that belong to `normalize`.
    """
    vectorizer = _count_vectorizer(**params)
    analyzer, tokenizer = params["analyzer"], params["tokenizer"]
    preprocesses = not callable(analyzer) and params["preprocessor"] is None
    by_words = analyzer == "word"
    return {
        "analyzer": analyzer,
        "preprocessor": None if callable(analyzer) else params["preprocessor"],
        "normalize": params["normalize"] if preprocesses else None,
        "replacements": [*map(list, REPLACEMENTS)] if preprocesses and params["normalize"] else [],
        "lowercase": preprocesses and bool(params["lowercase"]),
        "strip_accents": params["strip_accents"] if preprocesses else None,
        "tokenizer": tokenizer if by_words else None,
        "token_pattern": vectorizer.token_pattern if by_words and tokenizer is None else None,
        "stop_words": sorted(vectorizer.get_stop_words() or ()) if by_words else [],
    }


def _count_vectorizer(
    *,
    normalize: str | None,
    strip_accents: str | Callable[[str], str] | None,
    tokenizer: str | Callable[[str], Iterable[str]] | None,
    stop_words: str | Collection[str] | None,
    token_pattern: str,
    **others: Any,
) -> CountVectorizer:
    """Make scikit-learn's vectorizer, with names of tokenizers and stop words resolved."""
    if isinstance(strip_accents, str):
        strip_accents = _strip_accents(_STRIP_ACCENTS[strip_accents])
    if normalize is not None and others["preprocessor"] is None:
        others["preprocessor"] = _preprocessor(others["lowercase"], strip_accents)
    others["strip_accents"] = strip_accents
    others["tokenizer"] = named_tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer
    others["token_pattern"] = with_marks(token_pattern)
    if isinstance(stop_words, str):
        if stop_words != "english":
            pieces = CountVectorizer(**others).build_analyzer()
            stop_words = stop_words_of_language(stop_words, pieces)
    elif stop_words is not None:
        stop_words = list(stop_words)
        if normalize is not None:
            stop_words = list(map(normalized, stop_words))
    return CountVectorizer(**others, stop_words=stop_words)


def _preprocessor(
    lowercase: bool, strip_accents: Callable[[str], str] | None
) -> Callable[[str], str]:
    """Make the function that prepares texts for tokenizing, as `normalize="NFC"` says."""

    def preprocess(text: str) -> str:
        if text.isascii() and strip_accents is None:
            return text.lower() if lowercase else text
        text = normalized(text)
        prepared = text.lower().replace(*DOTTED_I) if lowercase else text
        if strip_accents is not None:
            prepared = strip_accents(prepared)
        if prepared == text:
            return text
        # Small letters may be composed where capitals are not, and so may parts of syllables.
        return composed(prepared)

    return preprocess


def _whitespace_analyzer(vectorizer: CountVectorizer, pattern: str) -> Analyzer:
    """Make an analyzer that splits at whitespace first, as the default pattern never matches it."""
    preprocess = vectorizer.build_preprocessor()
    in_ascii, in_all = re.compile(with_marks(pattern, "")), re.compile(vectorizer.token_pattern)
    stop_words = vectorizer.get_stop_words() or frozenset()

    def tokens(piece: str) -> Iterable[str]:
        # Most pieces are a single word, which the pattern would match as a whole.
        if piece.isalnum():
            return [] if piece in stop_words else [piece]
        # A search for marks takes its time, and ASCII has none.
        pattern = in_ascii if piece.isascii() else in_all
        if len(piece) > _LONG_PIECE:
            found = (match[0] for match in pattern.finditer(piece))
            return (token for token in found if token not in stop_words)
        return [token for token in pattern.findall(piece) if token not in stop_words]

    return Analyzer(tokens, lambda text: preprocess(text).split())
