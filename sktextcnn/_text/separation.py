"""A warning for texts whose tokens are not words."""

import re
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class _Language(NamedTuple):
    """A language that is written without spaces between words."""

    name: str
    characters: re.Pattern[str]
    # The mean length of words is below it, and that of the parts between punctuation above.
    longest_words: int
    remedy: str


_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"


def _language(name: str, characters: str, longest_words: int, remedy: str) -> _Language:
    return _Language(name, re.compile(f"[{characters}]"), longest_words, remedy)


_CHINESE = _language("Chinese", _HAN, 3, "jieba.lcut")
_JAPANESE = _language("Japanese", _HAN + _KANA, 3, "that of fugashi or janome")
_OTHERS = [
    _language("Thai", "\u0e00-\u0e7f", 8, "pythainlp.word_tokenize"),
    _language("Lao", "\u0e80-\u0eff", 8, "laonlp.word_tokenize"),
    _language("Khmer", "\u1780-\u17ff", 9, "khmernltk.word_tokenize"),
    _language("Burmese", "\u1000-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f", 8, "that of pyidaungsu"),
    _language("Tai", "\u1950-\u19df\u1a20-\u1aad\uaa80-\uaadf", 8, "one for the language"),
    _language("Javanese", "\ua980-\ua9df", 12, "one for the language"),
    _language("Balinese", "\u1b00-\u1b7f", 12, "one for the language"),
]
_IS_KANA = re.compile(f"[{_KANA}]")
_WITHOUT_SPACES = re.compile("|".join(each.characters.pattern for each in (_JAPANESE, *_OTHERS)))

# Of all characters of words; and of the Chinese and Japanese ones that make a text Japanese.
_LEAST_SHARE = 0.1
_LEAST_KANA = 0.1

# With fewer texts or words, it is usual that most words occur once.
_LEAST_TEXTS, _LEAST_WORDS = 20, 200
_MOST_ONCE = 0.85
_SHOWN = 3


def warn_of_tokens(tokens: Sequence[str], counts: np.ndarray, n_texts: int) -> bool:
    """Warn if tokens are not words, because their script has no spaces or they do not recur.

    Parameters
    ----------
    tokens : sequence of str
        The distinct tokens of the fitted texts.
    counts : ndarray of shape (n_tokens,)
        How often each occurs.
    n_texts : int
        The number of texts.

    Returns
    -------
    bool
        Whether there was a warning; there is one at most.
    """
    # The tokens of an analyzer may be anything.
    is_word = np.array([str(token)[:1].isalnum() for token in tokens], dtype=bool)
    words = [str(tokens[i]) for i in np.flatnonzero(is_word).tolist()]
    of_words = counts[is_word]
    message = _without_spaces(words, of_words)
    if message is None and n_texts >= _LEAST_TEXTS:
        message = _without_recurrence(words, of_words)
    if message is not None:
        warnings.warn(message, UserWarning, stacklevel=4)
    return message is not None


def _without_spaces(words: Sequence[str], counts: np.ndarray) -> str | None:
    others = [i for i, word in enumerate(words) if not word.isascii()]
    if not any(_WITHOUT_SPACES.search(words[i]) for i in others):
        return None
    foreign, of_foreign = [words[i] for i in others], counts[others]
    total = np.dot(counts, [len(word) for word in words])

    def n_characters(pattern: re.Pattern[str]) -> np.ndarray:
        return np.array([len(pattern.findall(word)) for word in foreign])

    east_asian, kana = n_characters(_JAPANESE.characters), n_characters(_IS_KANA)
    is_japanese = np.dot(of_foreign, kana) > _LEAST_KANA * np.dot(of_foreign, east_asian)
    for language in (_JAPANESE if is_japanese else _CHINESE, *_OTHERS):
        lengths = n_characters(language.characters)
        n, n_words = np.dot(of_foreign, lengths), of_foreign[lengths > 0].sum()
        if n >= _LEAST_SHARE * total and n > language.longest_words * n_words:
            example = foreign[int(np.argmax(lengths))]
            return (
                f"{n / total:.0%} of the characters of words are {language.name}, which has no "
                f"spaces between words. Its tokens have {n / n_words:.0f} characters on average, "
                f"such as {example!r:.60}. Set analyzer='char', or set tokenizer to a function "
                f"that finds words, such as {language.remedy}."
            )
    return None


def _without_recurrence(words: Sequence[str], counts: np.ndarray) -> str | None:
    once, total = int((counts == 1).sum()), int(counts.sum())
    if total < _LEAST_WORDS or once < _MOST_ONCE * total:
        return None
    examples = ", ".join(f"{words[i]!r:.60}" for i in np.flatnonzero(counts == 1)[:_SHOWN])
    return (
        f"{once / total:.0%} of the {total:,} words of the texts occur only once ({examples}, "
        f"...). A classifier learns little from words that do not occur again. Check that the "
        f"tokens are words; set analyzer='char', or tokenizer or token_pattern to what splits "
        f"these texts."
    )
