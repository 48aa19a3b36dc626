"""``sktextcnn vectors``."""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sktextcnn._cli.arguments import Commands, add_command, add_quiet
from sktextcnn._cli.errors import InputError, as_input_error
from sktextcnn._cli.messages import print_message, print_summary

if TYPE_CHECKING:
    from sktextcnn._gensim_data import VectorsEntry

_EPILOG = """\
The vectors are those of gensim-data: GloVe, word2vec, fastText and ConceptNet. They are stored in
the folder gensim-data of the home folder, or in that of the environment variable GENSIM_DATA_DIR,
and are found there by their names: --vectors glove-wiki-gigaword-100, or in Python
embeddings="glove-wiki-gigaword-100". A download that broke off goes on when it is started again.

examples:
  sktextcnn vectors list
  sktextcnn vectors list glove
  sktextcnn vectors get glove-wiki-gigaword-100
"""

_INDENT = " " * 6


def add_to(commands: Commands) -> None:
    """Add the command to the program."""
    parser = add_command(
        commands, "vectors", "list and download pretrained word vectors", _EPILOG, vectors
    )
    parser.add_argument(
        "action", choices=("list", "get"), help="list the vectors there are, or download some"
    )
    parser.add_argument(
        "name", nargs="?", help="the vectors to get; for list, a part of the names to show"
    )
    parser.add_argument(
        "--installed", action="store_true", help="list only vectors that were downloaded"
    )
    add_quiet(parser)


def vectors(args: argparse.Namespace) -> None:
    """List or download vectors."""
    if args.action == "list":
        _list(args)
    elif args.name is None:
        args.usage("get needs the name of vectors, such as: get glove-wiki-gigaword-100")
    elif args.installed:
        args.usage("--installed is for list")
    else:
        _get(args)


def _get(args: argparse.Namespace) -> None:
    from sktextcnn._gensim_data import check_stored, fetch, is_stored

    was_there = is_stored(args.name)
    with as_input_error():
        path = fetch(args.name, quiet=args.quiet)
        if was_there:
            checked = check_stored(args.name)
            state = "its checksum is right" if checked else "there is no checksum to compare"
            print_summary(args, f"{args.name} is there already, and {state}.")
    # For scripts: FILE=$(sktextcnn vectors get NAME)
    print(path, flush=True)
    print_summary(
        args, f"Now train: sktextcnn train FILE.csv --vectors {args.name} -o model.sktextcnn"
    )


def _list(args: argparse.Namespace) -> None:
    from sktextcnn._gensim_data import RECOMMENDED, is_stored, megabytes, read_catalogue

    try:
        catalogue = read_catalogue(quiet=args.quiet)
    except ValueError as error:
        raise InputError(
            f"The list of vectors cannot be read, since {error}. The names are also in the "
            f"documentation, on the page on word vectors."
        ) from error
    if catalogue.why_old:
        print_message(f"warning: this is the list of the last time, since {catalogue.why_old}")
    # Those of gensim's own tests begin with underscores.
    names = [name for name in catalogue.vectors if not name.startswith("_")]
    shown = [name for name in names if args.name is None or args.name.lower() in name.lower()]
    if not shown:
        raise InputError(f"No name has {args.name!r}. There are: {', '.join(sorted(names))}.")
    there = {name for name in shown if is_stored(name)}
    if args.installed:
        shown = [name for name in shown if name in there]
        if not shown:
            print_summary(args, "None of these vectors were downloaded yet.")
            return
    entries = [catalogue.vectors[name] for name in shown]
    entries.sort(key=lambda entry: (entry.size or 0, entry.name))
    for line in _table(entries, there):
        print(line)
    sys.stdout.flush()
    if there:
        print_summary(args, "* is downloaded.")
    best = catalogue.vectors.get(RECOMMENDED)
    if best is not None and RECOMMENDED not in there:
        size = f", {megabytes(best.size)}" if best.size else ""
        print_summary(
            args, f"For English, begin with: sktextcnn vectors get {RECOMMENDED} (uncased{size})"
        )


def _table(entries: "Iterable[VectorsEntry]", there: set[str]) -> Iterable[str]:
    """Yield the lines of a table. In a narrow terminal, its last column is below each row."""
    head = ("", "name", "words", "width", "MB", "trained on; licence")
    rows = [head, *(_row(entry, entry.name in there) for entry in entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    # Two spaces stand between columns, and one after the mark.
    too_wide = columns is not None and columns < sum(widths) + 2 * len(widths) - 3
    for mark, name, *numbers, what in rows:
        cells = [f"{n:>{width}}" for n, width in zip(numbers, widths[2:-1], strict=True)]
        line = "  ".join([f"{mark:<1} {name:<{widths[1]}}", *cells])
        if columns is None or not too_wide:
            yield f"{line}  {what}"
        else:
            yield line
            yield from textwrap.wrap(
                what,
                columns - 1,
                initial_indent=_INDENT,
                subsequent_indent=_INDENT,
                break_long_words=False,
                break_on_hyphens=False,
            )


def _row(entry: "VectorsEntry", is_there: bool) -> tuple[str, ...]:
    return (
        "*" if is_there else "",
        entry.name,
        f"{entry.n_words:,}" if entry.n_words else "?",
        f"{entry.width}" if entry.width else "?",
        f"{entry.size / 1e6:,.0f}" if entry.size else "?",
        "; ".join(filter(None, (entry.corpus, _short(entry.licence)))) or "?",
    )


def _short(licence: str) -> str:
    """Return the address of a licence without what all addresses have."""
    return licence.removeprefix("https://").removeprefix("http://").rstrip("/")
