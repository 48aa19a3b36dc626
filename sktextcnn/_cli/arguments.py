"""The arguments of the command line, and its help."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sktextcnn._cli.tables import FORMATS
from sktextcnn._version import __version__

Command = Callable[[argparse.Namespace], None]

_ROWS_AT_ONCE = 4_000

_EXAMPLES = """\
examples:
  sktextcnn demo
  sktextcnn train reviews.csv --text review --label sentiment -o model.sktextcnn
  sktextcnn predict model.sktextcnn new.csv --text review -o labelled.csv
  sktextcnn evaluate model.sktextcnn test.csv --text review --label sentiment
  sktextcnn explain model.sktextcnn "a gorgeous, witty movie"
"""

_TRAIN_EXAMPLES = """\
Labels of csv and tsv are strings; json lines and Parquet keep their types. A text has one label;
for several use Python.

examples:
  sktextcnn train reviews.csv --text review --label sentiment --vectors glove.txt -o m.sktextcnn
  sktextcnn train reviews.csv --text review --label sentiment --test-size 0.2 -o m.sktextcnn
  sktextcnn train reviews.csv --text review --label sentiment --vectors word2vec --seed 1 \\
      --set vectorizer.min_df=2 --set 'classifier.kernel_sizes=[2,3]' -o m.sktextcnn
  cat reviews.csv | sktextcnn train --text review --label sentiment -o m.sktextcnn --quiet
"""

_PREDICT_EXAMPLES = """\
The rows are copied with two further columns: prediction, and its probability. Memory does not
grow with the number of rows. Labels of a multilabel model are joined by spaces.

examples:
  sktextcnn predict model.sktextcnn new.csv --text review -o labelled.csv
  sktextcnn predict model.sktextcnn new.csv --text review --proba -o labelled.parquet
  cat new.csv | sktextcnn predict model.sktextcnn --text review > labelled.csv
  echo "a gorgeous, witty movie" | sktextcnn predict model.sktextcnn --format txt
"""

_EVALUATE_EXAMPLES = """\
A label that the model does not know is an error.

examples:
  sktextcnn evaluate model.sktextcnn test.csv --text review --label sentiment
  sktextcnn evaluate model.sktextcnn test.csv --text review --label sentiment --json > scores.json
"""

_EXPLAIN_EXAMPLES = """\
In a terminal blue speaks for the class, orange against it. The numbers are what an n-gram adds to
the logit of the class, less the mean of what it adds to the others'.

examples:
  sktextcnn explain model.sktextcnn "a gorgeous, witty movie" "so dull"
  sktextcnn explain model.sktextcnn "a gorgeous, witty movie" --label negative --n 3
  sktextcnn explain model.sktextcnn --file new.csv --text review -o page.html
  sktextcnn explain model.sktextcnn --file new.csv --text review --json > explanations.jsonl
"""

_DEMO_EXAMPLES = """\
examples:
  sktextcnn demo
  sktextcnn demo -o demo.sktextcnn
"""


class _Command(argparse.ArgumentParser):
    """A parser that finds files and texts between and behind options too."""

    _intermixed = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self._intermixed:  # Some versions of Python come back here from below.
            return super().parse_known_args(args, namespace)
        self._intermixed = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._intermixed = False


def parse(argv: Sequence[str] | None, commands: Mapping[str, Command]) -> argparse.Namespace:
    """Read the arguments of a command.

    Parameters
    ----------
    argv : sequence of str or None
        The arguments; None for those of the process.
    commands : mapping of str to function
        What each command does with them.

    Returns
    -------
    argparse.Namespace
        With the function as `run`, and `usage`, which ends the process with an error of usage.

    Raises
    ------
    SystemExit
        With 2 for wrong usage, with 0 for ``--help`` and ``--version``.
    """
    parser = argparse.ArgumentParser(
        prog="sktextcnn",
        description="Convolutional text classification: train, predict, evaluate, explain.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sktextcnn {__version__}")
    subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=_Command
    )

    def command(name: str, summary: str, epilog: str) -> _Command:
        added = subparsers.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=commands[name], usage=added.error, chunk_size=_ROWS_AT_ONCE)
        return added

    train = command("train", "train a model on labelled texts", _TRAIN_EXAMPLES)
    _add_data(train)
    _add_rows(train, label=True)
    _add_training(train)
    predict = command("predict", "add predictions to a table", _PREDICT_EXAMPLES)
    _add_model(predict)
    _add_data(predict)
    _add_rows(predict)
    _add_prediction(predict)
    evaluate = command("evaluate", "measure a model on labelled texts", _EVALUATE_EXAMPLES)
    _add_model(evaluate)
    _add_data(evaluate)
    _add_rows(evaluate, label=True)
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    evaluate.set_defaults(output=None)
    explain = command("explain", "show why a model says what it says", _EXPLAIN_EXAMPLES)
    _add_model(explain)
    _add_explanation(explain)
    demo = command("demo", "train and explain on texts that are here", _DEMO_EXAMPLES)
    demo.add_argument("-o", "--output", metavar="FILE", help="save the model")
    _add_colour(demo)
    for each in (train, predict, evaluate, demo):
        each.add_argument(
            "--quiet", action="store_true", help="no progress and no summary on stderr"
        )
    for each in (predict, evaluate, explain):
        each.add_argument(
            "--chunk-size",
            type=_positive,
            metavar="N",
            help="rows in memory at a time (default %(default)s)",
        )
    return parser.parse_args(argv)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="what train or sktextcnn.save has written")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", nargs="?", help="a file; - or nothing is standard input")


def _add_rows(parser: argparse.ArgumentParser, *, label: bool = False) -> None:
    rows = parser.add_argument_group("rows")
    rows.add_argument(
        "--text", default="text", metavar="COLUMN", help="the texts (default %(default)s)"
    )
    if label:
        rows.add_argument(
            "--label", default="label", metavar="COLUMN", help="the labels (default %(default)s)"
        )
    rows.add_argument(
        "--format",
        choices=FORMATS,
        help="default: by the end of the name; csv for standard input. txt: a text on each line",
    )
    rows.add_argument(
        "--encoding", default="utf-8-sig", metavar="NAME", help="default: UTF-8, with BOM or not"
    )
    rows.add_argument(
        "--delimiter", type=_character, metavar="CHAR", help="between fields of csv and tsv"
    )
    rows.add_argument(
        "--no-quotes",
        action="store_true",
        help="quotation marks of csv and tsv are characters like others",
    )
    rows.add_argument("--empty-ok", action="store_true", help="take missing texts as empty ones")


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="the model, such as m.sktextcnn"
    )
    training = parser.add_argument_group("training")
    training.add_argument(
        "--vectors",
        metavar="FILE",
        help="word vectors of word2vec, GloVe or fastText; or word2vec or fasttext, which trains "
        "them here (default: random ones)",
    )
    training.add_argument(
        "--finetune",
        type=_finetune,
        default=True,
        metavar="HOW",
        help="of the vectors: true, false, a number of epochs that keep them frozen, gradual or "
        "multichannel (default true)",
    )
    training.add_argument(
        "--max-epochs", type=_epochs, default="auto", metavar="N", help="default auto"
    )
    training.add_argument("--seed", type=_seed, default=0, metavar="N", help="default 0")
    training.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        type=_setting,
        metavar="STEP.NAME=VALUE",
        help="another parameter of the vectorizer or the classifier, its value as JSON",
    )
    test = training.add_mutually_exclusive_group()
    test.add_argument(
        "--test-size",
        type=_share,
        metavar="SHARE",
        help="hold out this share of the texts, in proportion to the classes, and report the "
        "accuracy on it",
    )
    test.add_argument("--test", metavar="FILE", help="report the accuracy on this file")


def _add_prediction(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="default: standard output, in the format of data"
    )
    parser.add_argument("--output-format", choices=FORMATS[:-1], help="default: by the name")
    parser.add_argument("--proba", action="store_true", help="the probability of each class")
    parser.add_argument("--prefix", default="", help="of the names of the new columns")


def _add_explanation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text")
    parser.add_argument("--file", metavar="DATA", help="a file of texts; - is standard input")
    parser.add_argument("--label", help="the class (default: the one predicted)")
    parser.add_argument(
        "--n", type=_positive, default=8, help="how many n-grams (default %(default)s)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write a page of HTML")
    parser.add_argument("--json", action="store_true", help="an object on each line")
    _add_colour(parser)
    _add_rows(parser)


def _add_colour(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="auto: in a terminal, unless NO_COLOR is set",
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 1,000,000,000; got {text!r}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {2**32 - 1}; got {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"expected a number between 0 and 1; got {text!r}")
    return share


def _epochs(text: str) -> int | str:
    return text if text == "auto" else _positive(text)


def _finetune(text: str) -> bool | int | str:
    if text in ("true", "false"):
        return text == "true"
    if text in ("gradual", "multichannel"):
        return text
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(
            f"expected true, false, a number, gradual or multichannel; got {text!r}"
        )
    return _positive(text)


def _character(text: str) -> str:
    text = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1 or text in '\r\n"':
        raise argparse.ArgumentTypeError(f"expected one character; got {text!r}")
    return text


def _setting(text: str) -> tuple[str, Any]:
    name, is_there, value = text.partition("=")
    if not is_there or "." not in name:
        raise argparse.ArgumentTypeError(
            f"expected STEP.NAME=VALUE, such as vectorizer.min_df=2; got {text!r}"
        )
    try:
        return name, json.loads(value)
    except ValueError:  # Such as vectorizer.stop_words=english.
        return name, value
