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
    """Add how the file is read, with the columns of labels if there are any."""
    rows = parser.add_argument_group("rows")
    rows.add_argument(
        "--text",
        action="append",
        metavar="COLUMN",
        help="column of the texts, by its name or its number from 1; given several times, the "
        "columns are joined by spaces (default text)",
    )
    if label:
        rows.add_argument(
            "--label",
            action="append",
            metavar="COLUMN",
            help="column of the labels, by its name or its number from 1; given several times, "
            "each column says by 1 or 0 whether a text has the label of its name (default label)",
        )
        add_label_separator(
            rows, "what separates the labels of a text, if it can have several, such as ','"
        )
    rows.add_argument(
        "--format",
        choices=FORMATS,
        help="format of the file; txt has a text on each line (default: by the suffix of the "
        "file; csv for standard input)",
    )
    rows.add_argument(
        "--encoding",
        metavar="NAME",
        help="encoding of the file (default: that of the byte order mark, or UTF-8)",
    )
    rows.add_argument(
        "--no-header",
        action="store_true",
        help="the first line of csv and tsv is a row; columns are given by their numbers",
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
        "--escape",
        type=escape_character,
        metavar="CHAR",
        help="character before quotation marks, delimiters and line ends that belong to a field "
        "of csv and tsv, such as a backslash",
    )
    rows.add_argument(
        "--empty-ok",
        action="store_true",
        help="treat missing texts as empty, instead of as an error",
    )
    rows.add_argument(
        "--skip-bad-rows",
        action="store_true",
        help="leave out rows that cannot be read or have no text or label, and count them, "
        "instead of an error",
    )


def add_label_separator(parser: Any, summary: str) -> None:
    """Add --label-separator."""
    parser.add_argument("--label-separator", type=separator, metavar="TEXT", help=summary)


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


def separator(text: str) -> str:
    r"""Convert a text that is not empty; ``\t`` and ``tab`` are a tabulator."""
    if not text:
        raise argparse.ArgumentTypeError("expected one or more characters; got ''")
    return {"\\t": "\t", "tab": "\t"}.get(text, text)


def escape_character(text: str) -> str:
    """Convert the character before quotation marks."""
    if text == '"':
        raise argparse.ArgumentTypeError("doubled quotation marks are read without this option")
    return character(text)


def character(text: str) -> str:
    r"""Convert a delimiter; ``\t`` and ``tab`` are a tabulator."""
    text = separator(text)
    if len(text) != 1 or text in '\r\n"':
        raise argparse.ArgumentTypeError(f"expected one character; got {text!r}")
    return text
