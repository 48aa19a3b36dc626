"""Other spellings of a word, for words that a source does not have."""

import unicodedata
from collections.abc import Callable, Iterable
from itertools import chain

import numpy as np

# Of keyboards, of typesetting, and the letter.
_APOSTROPHES = "'’ʼ"
_TO_EACH = [str.maketrans(dict.fromkeys(_APOSTROPHES, apostrophe)) for apostrophe in _APOSTROPHES]


def other_spellings(word: str) -> list[str]:
    """Return the word with composed and decomposed accents, and with each apostrophe."""
    spellings = [word]
    if any(apostrophe in word for apostrophe in _APOSTROPHES):
        spellings += [word.translate(table) for table in _TO_EACH]
    if not word.isascii():
        spellings = [
            unicodedata.normalize(form, each) for each in spellings for form in ("NFC", "NFD")
        ]
    return [each for each in dict.fromkeys(spellings) if each != word]


def lookup_spelled(
    lookup: Callable[[list[str]], dict[str, np.ndarray]], words: Iterable[str]
) -> dict[str, np.ndarray]:
    """Look words up, and those that are not found in their other spellings.

    All are looked up in one call, since a file is passed over in each.
    """
    spellings = {word: other_spellings(word) for word in words}
    found = lookup(list(dict.fromkeys([*spellings, *chain(*spellings.values())])))
    rows = {}
    for word, others in spellings.items():
        spelled = next((each for each in (word, *others) if each in found), None)
        if spelled is not None:
            rows[word] = found[spelled]
    return rows
