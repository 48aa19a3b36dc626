"""One spelling for texts that are written alike."""

import re
import unicodedata
from functools import cache

# Replaced in this order, in texts that are not ASCII. A reader of ONNX files is given the list.
# Each pattern begins with a class of characters, which is searched for several times faster.
REPLACEMENTS = (
    # What is not seen: soft hyphens, marks of direction, selectors of a glyph's variant. The
    # joiners stay within words, as they are part of the spelling in Persian and in the scripts of
    # India, and so do the tags, which tell flags apart.
    (
        r"[\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200e\u200f\u202a-\u202e\u2060-\u206f"
        r"\ufe00-\ufe0f\ufeff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
        r"\U000e0100-\U000e01ef]+",
        "",
    ),
    (r"[\u200c\u200d](?<!\S.)[\u200c\u200d]*", ""),
    (r"[\u200c]+(?!\S)", ""),
    # What separates words as a space does: the space of no width, the word space of Ethiopia, the
    # tsheg of Tibet, and the word dividers of old scripts.
    (
        r"[\u200b\u0f0b\u0f0c\u1361\u2e31\U00010100\U00010101\U0001039f\U000103d0\U0001091f"
        r"\U0001123a\U00011a41\U00011a44\U00011a9a\U00011c43\U00012470]",
        " ",
    ),
    # An apostrophe, but not the mark that ends a quotation. U+02BC is a letter in many languages;
    # in Ukrainian it is another spelling of the apostrophe.
    (r"[\u2019\uff07](?=\w)(?<=\S.)", "'"),
    (r"[\u2018](?=\w)(?<=\w.)", "'"),
    (r"[\u02bc](?=[\u0400-\u052f])(?<=[\u0400-\u052f].)", "'"),
    (r"[\u05f3](?<=[\u0591-\u05ea].)", "'"),
    # The mark of Hebrew abbreviations.
    (r"[\u05f4\u201d](?=[\u05d0-\u05ea])(?<=[\u0591-\u05ea].)", '"'),
    (r"[\u2010\u2011]", "-"),
)

#: What lower-casing makes of "İ", and what it becomes here: the letter of Turkish.
DOTTED_I = ("i\u0307", "i")

REPLACERS = [(re.compile(pattern), new) for pattern, new in REPLACEMENTS]
_CLASSES = [pattern[: pattern.index("]") + 1] for pattern, _ in REPLACEMENTS]
_IN_CLASS = [re.compile(characters).match for characters in _CLASSES]
# All of them, and more characters beyond the basic plane, where many ranges take their time.
_MAY_BE_REPLACED = re.compile(
    re.sub(r"\\U\w{8}-?|\]\[", "", "".join(_CLASSES)).replace("]", r"\U00010100-\U000e01ef]")
)
_LETTERS_AT_ONCE = 256

# No marks are assigned in the planes between.
_PLANES = (range(0x20000), range(0xE0000, 0xE0200))


def normalized(text: str) -> str:
    """Compose letters with their marks (NFC), and replace what `REPLACEMENTS` lists."""
    if text.isascii():
        return text
    text = composed(text)
    found = {match[0] for match in _MAY_BE_REPLACED.finditer(text)}
    if found:
        for in_class, (pattern, new) in zip(_IN_CLASS, REPLACERS, strict=True):
            if any(map(in_class, found)):
                text = pattern.sub(new, text)
        # Marks may follow each other now.
        text = composed(text)
    return text


def composed(text: str) -> str:
    """Return the NFC of a text.

    Normalization sorts each run of combining marks, in a time that grows with the square of the
    run's length; so a run of hundreds of marks is composed in parts.
    """
    if len(text) <= _LETTERS_AT_ONCE:
        return unicodedata.normalize("NFC", text)
    parts, start = [], 0
    while start < len(text):
        end = start + _LETTERS_AT_ONCE
        most = min(len(text), end + _LETTERS_AT_ONCE)
        while end < most and continues(text[end]):
            end += 1
        parts.append(unicodedata.normalize("NFC", text[start:end]))
        start = end
    return "".join(parts)


def continues(character: str) -> bool:
    """Return whether a character may be composed with the one before it."""
    # A mark, or a vowel or a final consonant of Korean.
    return character > "\u02ff" and (
        unicodedata.category(character).startswith("M") or "\u1160" <= character <= "\u11ff"
    )


@cache
def marks() -> str:
    r"""Return the combining marks as ranges of a class in a regular expression.

    Python's ``\w`` has none of them, though no word of most scripts of India can be written
    without, nor a word of Arabic or Hebrew with vowels.
    """
    ranges: list[list[int]] = []
    for plane in _PLANES:
        for code in plane:
            if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me"):
                if ranges and ranges[-1][1] == code - 1:
                    ranges[-1][1] = code
                else:
                    ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


def with_marks(pattern: str, ranges: str | None = None) -> str:
    r"""Replace ``\p{M}`` in a regular expression, which `re` does not have, by `marks()`."""
    if r"\p{M}" not in pattern:
        return pattern
    ranges = marks() if ranges is None else ranges
    inside = False

    def replaced(match: re.Match[str]) -> str:
        nonlocal inside
        part = match[0]
        if part == r"\p{M}":
            return ranges if inside else f"[{ranges}]"
        if not part.startswith("\\"):
            inside = part != "]" and not (inside and part.endswith("]"))
        return part

    return re.sub(r"\\p\{M\}|\\.|\[\^?\]?|\]", replaced, pattern, flags=re.DOTALL)
