"""Time and memory of long texts of one character or two: python benchmarks/hostile_text.py."""

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from sktextcnn import TextVectorizer, datasets
from sktextcnn._cli.explain import COLOR_SEQUENCE
from sktextcnn._cli.rows.text_file import UNDECODED
from sktextcnn._report.page import fit
from sktextcnn._text.offsets import token_finder

# One of every class of characters that a pattern tells apart, and pairs that make two of its
# branches try by turns.
RUNS = [
    *"a1_-.,!?'\"`:;#@&<>()[]/\\+*~^ \n\0é",
    "\u0301",
    "\u3000",
    "マ",
    "👍",
    "\ud800",
    "n't",
    "'n",
    "a'",
    "a ",
    "1 ",
    "1-",
    "a.",
    "a-",
    ". ",
    "' ",
    "(1",
    "<a",
    "&#",
    ":a",
    "`a",
    "`<",
    "a@",
    "\u0301\u0323",
    "e\u0301\u0323",
    "कि",
    "\u200d",
    "a\u200c",
    "а'",
    "א'",
    "l·",
    "’",
    "a’",
    "i\u0307",
    "\u1100\u1161",
    "\u00ad",
    "\u200b",
    "🇩",
    "Σ\u0301",
    "👍🏿\u200d",
    "\x1b[1;",
]


def transform(**params: Any) -> Callable[[str], Any]:
    vectorizer = TextVectorizer(max_length=5, **params).fit(["a film"])
    return lambda text: vectorizer.transform([text])


def offsets(**params: Any) -> Callable[[str], Any]:
    analysis = TextVectorizer(**params)._analysis()
    return token_finder(analysis)


WORK = {
    "default": transform(),
    "stop words": transform(stop_words="english"),
    "unicode": transform(strip_accents="unicode"),
    "ascii": transform(strip_accents="ascii"),
    "char": transform(analyzer="char"),
    "treebank": transform(tokenizer="treebank"),
    "tweet": transform(tokenizer="tweet"),
    "wordpunct": transform(tokenizer="wordpunct"),
    "offsets": offsets(),
    "offsets without accents": offsets(strip_accents="unicode"),
    "offsets of characters": offsets(analyzer="char"),
    "offsets of treebank": offsets(tokenizer="treebank"),
    "bytes that are no text": UNDECODED.search,
    "colours": lambda text: COLOR_SEQUENCE.sub("", text),
    "page": fit,
    "docstring": datasets._first_sentence,
}


def peak() -> float:
    """The most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(connection: Any, name: str, text: str) -> None:
    before, began = peak(), time.process_time()
    WORK[name](text)
    connection.send((time.process_time() - began, peak() - before))


def grows_too_fast(name: str, run: str) -> bool:
    """Whether four times the text takes more than eight times the time, three times in a row."""
    n_letters = 3_000 if name in ("treebank", "tweet") or name.startswith("offsets") else 10_000
    few, many = (run * (n // len(run)) for n in (n_letters, 4 * n_letters))
    return all(seconds(name, many) > 8 * max(seconds(name, few), 0.005) for _ in range(3))


def seconds(name: str, text: str) -> float:
    began = time.process_time()
    WORK[name](text)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=10_000_000)
    parser.add_argument("--work", nargs="*", choices=WORK, default=["default", "unicode", "char"])
    options = parser.parse_args()
    too_fast = [(name, run) for name in WORK for run in RUNS if grows_too_fast(name, run)]
    if too_fast:
        sys.exit(f"The time grows faster than the text: {too_fast}")
    # A process of its own for each, since a peak of memory stays.
    context = multiprocessing.get_context("fork")
    for name in options.work:
        for run in RUNS:
            text = run * (options.letters // len(run))
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=measure, args=(sender, name, text))
            process.start()
            seconds, megabytes = receiver.recv()
            process.join()
            print(
                f"{name:24} {run!r:20} {seconds:8.2f} CPU s {megabytes:8.0f} MB "
                f"{megabytes * 1e6 / options.letters:6.0f} bytes a letter",
                flush=True,
            )


if __name__ == "__main__":
    main()
