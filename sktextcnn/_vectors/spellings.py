"""Other spellings of a token, under which files of vectors may have it."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from itertools import chain

import numpy as np

_JOINERS = re.compile("[\u200c\u200d]")
# The vowels of Hebrew and Arabic, which most texts leave out.
_VOWELS = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0652\u0670]")
_HEBREW = re.compile("[\u05d0-\u05ea]")
# The marks of Vietnamese tones. Older programs write them as characters of their own.
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_MODIFIERS = re.compile("[\ufe0f\u200d\U0001f3fb-\U0001f3ff].*", re.DOTALL)


# Of keyboards, of typesetting, and the letter.
_APOSTROPHES = frozenset("'’ʼ")


def other_spellings(token: str) -> list[str]:
    """Return spellings of a normalized token that mean the same, the most similar first.

    Parameters
    ----------
    token : str
        A token of the default analyzer.

    Returns
    -------
    list of str
        With composed and decomposed letters, other apostrophes, without joiners, without vowels in
        Hebrew and Arabic, and of an emoji the first part alone, without the tone of its skin.
        `token` is not among them.
    """
    spellings = []
    if len(token) > 1 and not _APOSTROPHES.isdisjoint(token):
        spellings = [re.sub("['’ʼ]", other, token) for other in "'’ʼ"]
    if token.isascii():
        return [spelling for spelling in spellings if spelling != token]
    # A tokenizer of the user may not have composed the letters.
    spellings += [
        unicodedata.normalize(form, each)
        for form in ("NFC", "NFD")
        for each in spellings or [token]
    ]
    spellings += [_with_excluded(token), _with_tones(token)]
    if _HEBREW.search(token):
        spellings.append(token.replace("'", "\u05f3").replace('"', "\u05f4"))
    spellings.append(_JOINERS.sub("", token))
    if token[0].isalpha():
        spellings.append(_VOWELS.sub("", token))
    elif not token[0].isalnum():
        spellings += [f"{token}\ufe0f", _MODIFIERS.sub("", token)]
    return [spelling for spelling in dict.fromkeys(spellings) if spelling not in ("", token)]


def lookup_spelled(
    lookup: Callable[[list[str]], dict[str, np.ndarray]], words: Iterable[str]
) -> dict[str, np.ndarray]:
    """Look words up, and those that are not found in their other spellings.

    All are looked up in one call, since a file is passed over in each.
    """
    words = list(words)
    spellings = {word: others for word in words if (others := other_spellings(word))}
    found = lookup(list(dict.fromkeys([*words, *chain(*spellings.values())])))
    for word, others in spellings.items():
        spelled = next((each for each in others if each in found), None)
        if word not in found and spelled is not None:
            found[word] = found[spelled]
    return {word: found[word] for word in words if word in found}


def _with_tones(token: str) -> str:
    """Decompose the tones of vowels alone."""
    parts = []
    for letter in token:
        apart = unicodedata.normalize("NFD", letter)
        vowel = "".join(mark for mark in apart if mark not in _TONES)
        tones = "".join(mark for mark in apart if mark in _TONES)
        parts.append(unicodedata.normalize("NFC", vowel) + tones)
    return "".join(parts)


def _with_excluded(token: str) -> str:
    """Compose what NFC leaves apart, such as letters of Hindi and Bengali with a dot."""
    pattern, letters = _excluded()
    return pattern.sub(lambda match: letters[match[0]], token)


@cache
def _excluded() -> tuple[re.Pattern[str], dict[str, str]]:
    # The letters of Indian scripts, Tibetan and Hebrew that NFC decomposes.
    letters = {
        unicodedata.normalize("NFC", chr(code)): chr(code)
        for code in (*range(0x900, 0x1000), *range(0xFB1D, 0xFB50))
    }
    letters = {apart: one for apart, one in letters.items() if apart != one}
    return re.compile("|".join(sorted(letters, key=len, reverse=True))), letters
