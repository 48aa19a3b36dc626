"""The default normalization and tokens, found by a loop over the characters."""

import unicodedata

from sktextcnn._text.normalization import composed

INVISIBLE = {
    *"\u00ad\u034f\u061c\u17b4\u17b5\u200e\u200f\ufeff\U000e0001",
    *map(chr, range(0x180B, 0x1810)),
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2060, 0x2070)),
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0x1BCA0, 0x1BCA4)),
    *map(chr, range(0x1D173, 0x1D17B)),
    *map(chr, range(0xE0100, 0xE01F0)),
}
SPACES = {
    *"\u200b\u0f0b\u0f0c\u1361\u2e31\U00010100\U00010101\U0001039f\U000103d0",
    *"\U0001091f\U0001123a\U00011a41\U00011a44\U00011a9a\U00011c43\U00012470",
}
JOINERS = "\u200c\u200d"
TONES = {
    *"˂˃˄˅˒˓˔˕˖˗˞˟˭",
    *map(chr, range(0x2E5, 0x2EC)),
    *map(chr, range(0x2EF, 0x300)),
    *map(chr, range(0xA708, 0xA717)),
    *"\ua720\ua721\ua789\ua78a",
}
CLITICS = ("ll", "re", "ve", "s", "m", "d")


def normalized(text, lowercase=True, strip=lambda text: text):
    """Without ``strip``, what ``normalize="NFC"`` does."""
    text = composed(text)
    text = "".join(c for c in text if c not in INVISIBLE)
    text = "".join(c for i, c in enumerate(text) if not _is_loose_joiner(text, i))
    text = "".join(" " if c in SPACES else c for c in text)
    text = "".join(_plain(text, i) for i in range(len(text)))
    text = composed("".join("-" if c in "\u2010\u2011" else c for c in text))
    if lowercase:
        text = text.lower().replace("i\u0307", "i")
    return composed(strip(text))


def _is_loose_joiner(text, i):
    if text[i] not in JOINERS:
        return False
    before = text[:i].rstrip(JOINERS)
    after = text[i:].lstrip("\u200c")
    starts = not before or before[-1].isspace()
    ends = text[i] == "\u200c" and (not after or after[0].isspace())
    return starts or ends


def _plain(text, i):
    c, before, after = text[i], text[i - 1 : i] or " ", text[i + 1 : i + 2] or " "
    if c in "’＇" and not before.isspace() and _is_letter(after):
        return "'"
    if c == "‘" and _is_letter(before) and _is_letter(after):
        return "'"
    if c == "ʼ" and "\u0400" <= before <= "\u052f" and "\u0400" <= after <= "\u052f":
        return "'"
    if c == "\u05f3" and "\u0591" <= before <= "\u05ea":
        return "'"
    if c in "\u05f4”" and "\u0591" <= before <= "\u05ea" and "\u05d0" <= after <= "\u05ea":
        return '"'
    return c


def _is_letter(c):
    return c.isalnum() or c == "_"


def _is_mark(c):
    return unicodedata.category(c).startswith("M")


def _joins(text, i):
    """Whether a punctuation mark is between two letters of one word."""
    c, before, after = text[i], text[i - 1], text[i + 1 : i + 2] or " "
    if c == "'" and "\u0400" <= before <= "\u052f" and "\u0400" <= after <= "\u052f":
        return True
    if c in "'\"" and "\u0591" <= before <= "\u05ea" and "\u05d0" <= after <= "\u05ea":
        return True
    return c == "·" and before in "lL" and after in "lL"


def tokens(text):
    """What the default pattern finds."""
    found, start = [], 0
    while start < len(text):
        end = start + 1
        if not text[start].isspace():
            end = _end_of_token(text, start)
            found.append(text[start:end])
        start = end
    return found


def _end_of_token(text, start):
    if _is_letter(text[start]):
        end = start
        while end < len(text) and (
            _is_letter(text[end])
            or _is_mark(text[end])
            or text[end] in {*JOINERS, *"\u055a\u055b\u055c\u055e", *TONES}
            or _joins(text, end)
        ):
            end += 1
        if text[end : end + 1] != "'":
            return end
        if _folded(text, end - 1, "n't"):
            return end - 1 if end - 1 > start else end + 2
        is_hebrew = "\u0591" <= text[end - 1] <= "\u05ea"
        is_last = not _is_letter(text[end + 1 : end + 2])
        if text[start - 1 : start] != "'" and is_hebrew and is_last:
            return end + 1
        return end
    for clitic in CLITICS:
        if _folded(text, start, f"'{clitic}"):
            return start + 1 + len(clitic)
    if _is_flag(text[start]) and start + 1 < len(text) and _is_flag(text[start + 1]):
        return start + 2
    end = _end_of_modifiers(text, start + 1)
    while (
        text[end : end + 1] == "\u200d"
        and (next_one := text[end + 1 : end + 2])
        and not (_is_letter(next_one) or next_one.isspace())
    ):
        end = _end_of_modifiers(text, end + 2)
    return end


def _folded(text, start, expected):
    end = start + len(expected)
    after = text[end : end + 1] or " "
    is_end = not (_is_letter(after) or _is_mark(after))
    return text[start:end].casefold() == expected and is_end


def _is_flag(c):
    return "\U0001f1e6" <= c <= "\U0001f1ff"


def _end_of_modifiers(text, end):
    while end < len(text) and (
        _is_mark(text[end])
        or "\U0001f3fb" <= text[end] <= "\U0001f3ff"
        or "\U000e0020" <= text[end] <= "\U000e007f"
    ):
        end += 1
    return end
