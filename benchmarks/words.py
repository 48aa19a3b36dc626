"""Tokens compared with Unicode's words, and the time of two libraries: python benchmarks/words.py.

The file has a label, such as a language, a tab and a text in each line.
"""

import argparse
import re
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path

import regex

from sktextcnn import TextVectorizer
from sktextcnn._text import build_analyzer, describe_analyzer, tokenize
from sktextcnn._text.normalization import normalized

REPEATS = 5


def unicode_words(text: str) -> list[str]:
    """Return the words and marks of UAX 29, as the package regex finds them."""
    pieces = regex.split(r"(?w)\b", text, flags=regex.V1)
    return [word for piece in pieces for word in piece.split()]


def differences(own: list[str], other: list[str]) -> list[str]:
    parts = SequenceMatcher(None, own, other, autojunk=False).get_opcodes()
    return [
        f"{' '.join(own[a:b])} -> {' '.join(other[c:d])}"
        for kind, a, b, c, d in parts
        if kind != "equal"
    ]


def warning_of(texts: list[str]) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        TextVectorizer().fit(texts)
    return "".join(str(warning.message)[:60] for warning in caught)


def microseconds(find: Callable[[str], list[str]], pieces: list[str]) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        began = time.process_time()
        for piece in pieces:
            find(piece)
        best = min(best, time.process_time() - began)
    return best / len(pieces) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    texts_of = defaultdict(list)
    for line in parser.parse_args().file.read_text(encoding="utf-8").splitlines():
        label, _, text = line.partition("\t")
        texts_of[label].append(normalized(text))
    analysis = TextVectorizer(lowercase=False)._analysis()
    analyzer = build_analyzer(**analysis)
    pattern = describe_analyzer(**analysis)["token_pattern"]
    with_re, with_regex = re.compile(pattern), regex.compile(analysis["token_pattern"])
    for label, texts in texts_of.items():
        tokens = [tokenize(text, analyzer) for text in texts]
        other = [
            difference
            for text, own in zip(texts, tokens, strict=True)
            for difference in differences(own, unicode_words(text))
        ]
        # Other pieces are words as a whole, and need no pattern.
        pieces = [piece for text in texts for piece in text.split() if not piece.isalnum()]
        times = [microseconds(each.findall, pieces) for each in (with_re, with_regex)]
        print(
            f"{label:6} {sum(map(len, tokens)):6} tokens, {len(other):4} differences {other[:2]}, "
            f"re {times[0]:.1f} us and regex {times[1]:.1f} us a piece {warning_of(texts)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
