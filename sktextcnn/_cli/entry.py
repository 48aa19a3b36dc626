"""The program ``sktextcnn``: its commands, and its exit codes.

Commands import torch and the like when they run, so that ``--help`` is quick.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence

from sktextcnn._cli import demo, evaluate, explain, info, predict, report, train, vectors
from sktextcnn._cli.arguments import CommandParser
from sktextcnn._cli.errors import InputError
from sktextcnn._cli.messages import print_message, show_warning
from sktextcnn._cli.process import discard_stdout, prepare_streams, signals_as_exit
from sktextcnn._version import __version__

_EPILOG = """\
examples:
  sktextcnn demo
  sktextcnn train reviews.csv --text review --label sentiment -o model.sktextcnn
  sktextcnn vectors get glove-wiki-gigaword-100
  sktextcnn predict model.sktextcnn new.csv --text review -o labelled.csv
  sktextcnn evaluate model.sktextcnn test.csv --text review --label sentiment
  sktextcnn report model.sktextcnn test.csv --text review --label sentiment -o report.html
  sktextcnn explain model.sktextcnn "a gorgeous, witty movie"
  sktextcnn info model.sktextcnn
"""

_FAILED, _INTERRUPTED, _PIPE_CLOSED = 1, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        The arguments; None for those of the process.

    Returns
    -------
    int
        0 if the command succeeded; 1 for a user error, which is printed as one line on stderr;
        130 if the command was interrupted; 141 if the reader of its output closed the pipe.

    Raises
    ------
    SystemExit
        With 2 for wrong usage; with 0 for ``--help`` and ``--version``; with 143 or 129 if
        SIGTERM or SIGHUP ends the process.
    """
    prepare_streams()
    args = _parser().parse_args(argv)
    with warnings.catch_warnings(), signals_as_exit():
        warnings.showwarning = show_warning
        try:
            args.run(args)
            sys.stdout.flush()
        except InputError as error:
            print_message(str(error))
        except BrokenPipeError:
            discard_stdout()
            return _PIPE_CLOSED
        except OSError as error:
            discard_stdout()
            reason = error.strerror or str(error)
            print_message(f"{error.filename}: {reason}" if error.filename else reason)
        except KeyboardInterrupt:
            print_message("interrupted")
            return _INTERRUPTED
        else:
            return 0
    return _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sktextcnn",
        description="Convolutional text classification: train, predict, evaluate, report, explain.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sktextcnn {__version__}")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=CommandParser
    )
    for command in (train, predict, evaluate, explain, report, info, vectors, demo):
        command.add_to(commands)
    return parser
