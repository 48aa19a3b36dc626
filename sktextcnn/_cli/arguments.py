"""Arguments that commands share, the types of values, and the parser of a command."""

import argparse
from collections.abc import Callable
from typing import Any

from sktextcnn._cli.rows import FORMATS

#: What ``add_subparsers`` returns.
Commands = Any

_CHUNK_SIZE = 4_000


class CommandParser(argparse.ArgumentParser):
    """A parser that takes positional arguments between and after options too."""

    _intermixed = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # Some versions of Python call this method from parse_known_intermixed_args.
        if self._intermixed:
            return super().parse_known_args(args, namespace)
        self._intermixed = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixed = False


def add_command(
    commands: Commands,
    name: str,
    summary: str,
    epilog: str,
    run: Callable[[argparse.Namespace], None],
) -> CommandParser:
    """Add a command to the program.

    Parameters
    ----------
    commands : object
        What ``add_subparsers`` returned.
    name : str
        The command.
    summary : str
        What it does, in a few words.
    epilog : str
        Notes and examples, which end its help.
    run : callable
        What is called with the parsed arguments. Their `usage` is a function that ends the
        process with an error of usage.

    Returns
    -------
    CommandParser
        The parser, without arguments yet.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run, usage=parser.error, chunk_size=_CHUNK_SIZE)
    return parser


# Arguments ----------------------------------------------------------------------------


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model to load."""
    parser.add_argument("model", help="model file written by train or sktextcnn.save")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the file to read."""
    parser.add_argument("data", nargs="?", help="file to read (default, or -: standard input)")


def add_rows(parser: argparse.ArgumentParser, *, label: bool = False) -> None:
    """Add how the file is read, with the column of labels if there is one."""
    rows = parser.add_argument_group("rows")
    rows.add_argument(
        "--text", default="text", metavar="COLUMN", help="column of the texts (default %(default)s)"
    )
    if label:
        rows.add_argument(
            "--label",
            default="label",
            metavar="COLUMN",
            help="column of the labels (default %(default)s)",
        )
    rows.add_argument(
        "--format",
        choices=FORMATS,
        help="format of the file; txt has a text on each line (default: by the suffix of the "
        "file; csv for standard input)",
    )
    rows.add_argument(
        "--encoding",
        default="utf-8-sig",
        metavar="NAME",
        help="encoding of the file (default: UTF-8 with or without a byte order mark)",
    )
    rows.add_argument(
        "--delimiter",
        type=character,
        metavar="CHAR",
        help="delimiter of fields in csv and tsv",
    )
    rows.add_argument(
        "--no-quotes",
        action="store_true",
        help="read quotation marks in csv and tsv as ordinary characters",
    )
    rows.add_argument(
        "--empty-ok",
        action="store_true",
        help="treat missing texts as empty, instead of as an error",
    )


def add_chunk_size(parser: argparse.ArgumentParser) -> None:
    """Add the number of rows in memory."""
    parser.add_argument(
        "--chunk-size",
        type=positive_integer,
        metavar="N",
        help="number of rows to hold in memory (default %(default)s)",
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add --quiet."""
    parser.add_argument(
        "--quiet", action="store_true", help="print no progress and no summary on stderr"
    )


def add_color(parser: argparse.ArgumentParser) -> None:
    """Add --color."""
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="when to print colours; auto: to a terminal, unless NO_COLOR is set "
        "(default %(default)s)",
    )


# Types of values ----------------------------------------------------------------------


def positive_integer(text: str) -> int:
    """Convert a number from 1."""
    if not text.isdecimal() or not 1 <= int(text) <= 10**9:
        raise argparse.ArgumentTypeError(
            f"expected an integer from 1 to 1,000,000,000; got {text!r}"
        )
    return int(text)


def character(text: str) -> str:
    r"""Convert a delimiter; ``\t`` and ``tab`` are a tabulator."""
    text = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1 or text in '\r\n"':
        raise argparse.ArgumentTypeError(f"expected one character; got {text!r}")
    return text
