"""Messages on stderr, and how texts, labels and counts are shown in a line."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from sktextcnn._progress import one_line as one_line

#: More classes than this are not listed one by one.
MAX_LISTED_CLASSES = 12


def print_message(message: str) -> None:
    """Print an error or a warning as one line on stderr."""
    print("sktextcnn:", one_line(message), file=sys.stderr)


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as one line, without its place in the code (for `warnings`)."""
    print_message(f"warning: {message}")


def print_summary(args: argparse.Namespace, line: str) -> None:
    """Print a line of the summary on stderr, unless --quiet is given."""
    if not args.quiet:
        print(one_line(line), file=sys.stderr)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 epoch" or "1,200 epochs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_of(n_bytes: int) -> str:
    """Return the size of a file, such as "36 kB" or "1,204.5 MB"."""
    return f"{n_bytes / 1e3:.0f} kB" if n_bytes < 1e6 else f"{n_bytes / 1e6:,.1f} MB"


def listed(names: Iterable[str]) -> str:
    """Return the first names, separated by commas."""
    names = list(names)
    shown = ", ".join(names[:MAX_LISTED_CLASSES])
    return shown + (", ..." if len(names) > MAX_LISTED_CLASSES else "")


def class_counts(counts: Mapping[Any, int], n_texts: int | None = None) -> str:
    """Return the number of texts, of all and of each class, as a sentence.

    Parameters
    ----------
    counts : mapping of label to int
        The number of texts of each class.
    n_texts : int or None, default=None
        The number of texts, if they may have several labels or none.
    """
    if n_texts is None:
        total = f"{sum(counts.values()):,} texts of {len(counts)} classes"
    else:
        total = f"{n_texts:,} texts with any of {len(counts)} labels"
    if len(counts) > MAX_LISTED_CLASSES:
        return f"{total}, with {min(counts.values()):,} to {max(counts.values()):,} texts each."
    return f"{total}: {', '.join(f'{label} {n:,}' for label, n in sorted(counts.items()))}."
