"""``sktextcnn explain``."""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from sktextcnn._cli.arguments import (
    Commands,
    add_chunk_size,
    add_color,
    add_command,
    add_label_separator,
    add_model,
    add_quiet,
    add_rows,
    positive_integer,
)
from sktextcnn._cli.errors import InputError
from sktextcnn._cli.labels import Classes
from sktextcnn._cli.messages import counted, listed, print_summary
from sktextcnn._cli.models import load_model
from sktextcnn._cli.outputs import check_not_input
from sktextcnn._cli.rows import RowReader, json_line, open_output, open_reader
from sktextcnn._cli.texts_and_labels import (
    SampleReader,
    class_indices,
    read_options,
    with_progress,
)

if TYPE_CHECKING:
    import numpy as np

    from sktextcnn._inspection import Explanation

    #: Explanations, and the true labels of their texts or None.
    Explained = Iterator[tuple[Explanation, Any]]

_EPILOG = """\
In a terminal, blue or bold words are evidence for the class, orange, underlined words against it.
The number next to an n-gram is its contribution to the logit of the class, minus the mean of its
contributions to the logits of the other classes. A colour stands for the same numbers in all texts;
a legend ends what is printed to a terminal.

examples:
  sktextcnn explain model.sktextcnn "a gorgeous, witty movie" "so dull"
  sktextcnn explain model.sktextcnn "a gorgeous, witty movie" --label negative --n 3
  sktextcnn explain model.sktextcnn --file new.csv --text review -o page.html
  sktextcnn explain model.sktextcnn --file test.csv --text review --true-label sentiment
  sktextcnn explain model.sktextcnn --file new.csv --text review --json > explanations.jsonl
"""

#: The escape sequences that colour a text.
COLOR_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")

# Each text takes longer than a prediction.
_TEXTS_AT_ONCE = 50

_PAGE_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font-family: system-ui, sans-serif }}
body {{ margin: 2em auto; max-width: 60em; padding: 0 1em }}
h1 {{ font-size: 1.4em; overflow-wrap: anywhere }}
hr {{ border: 0; border-top: 1px solid; opacity: .3; margin: 1.2em 0 }}
</style>
</head>
<body>
<h1>{title}</h1>
"""
_PAGE_END = "</body>\n</html>\n"


def add_to(commands: Commands) -> None:
    """Add the command to the program."""
    parser = add_command(
        commands, "explain", "show which words a prediction comes from", _EPILOG, explain
    )
    add_model(parser)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="text to explain")
    parser.add_argument(
        "--file", metavar="DATA", help="file of texts to explain; - is standard input"
    )
    parser.add_argument("--label", help="class to explain (default: the predicted class)")
    parser.add_argument(
        "--n",
        type=positive_integer,
        default=8,
        help="number of n-grams to show (default %(default)s)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write an HTML page to this file")
    parser.add_argument("--json", action="store_true", help="write a JSON object for each text")
    add_color(parser)
    add_rows(parser)
    parser.add_argument(
        "--true-label",
        action="append",
        metavar="COLUMN",
        help="column of the true labels, to show them and whether the prediction is right; given "
        "several times, each column says by 1 or 0 whether a text has the label of its name",
    )
    add_label_separator(
        parser, "what separates the true labels of a text, for a multilabel model, such as ','"
    )
    add_quiet(parser)
    add_chunk_size(parser)


def explain(args: argparse.Namespace) -> None:
    """Print explanations, or write them as an HTML page or as JSON lines."""
    if bool(args.texts) == (args.file is not None):
        args.usage("give either texts or --file")
    if args.true_label is not None and args.file is None:
        args.usage("--true-label is a column of --file; give --file")
    if args.label_separator is not None and args.true_label is None:
        args.usage("--label-separator is for the column of --true-label; give --true-label")
    if args.output is not None:
        check_not_input(args.output, args.model, args.file)
    model = load_model(args.model, quiet=args.quiet)
    label = None if args.label is None else _class_of(model, args.label)
    if args.output is None and not args.json:
        _print(args, label, _explanations(model, args))
        return
    with open_output(args.output) as file:
        explanations = _explanations(model, args)
        if args.json:
            n_written = _write_json(file, explanations)
        else:
            n_written = _write_page(file, args, label, explanations)
    if args.output not in (None, "-"):
        print_summary(args, f"Wrote {counted(n_written, 'explanation')} to {args.output}.")


def _print(args: argparse.Namespace, label: Any, explanations: "Explained") -> None:
    """Print explanations, and in a terminal a legend."""
    color = wants_color(args.color, sys.stdout)
    explanation = None
    for explanation, true in explanations:
        print(as_text(explanation, label, args.n, true=true, color=color), end="\n\n")
    if explanation is not None:
        print_legend(explanation, color=color)


def _write_page(
    file: BinaryIO, args: argparse.Namespace, label: Any, explanations: "Explained"
) -> int:
    """Write a page of explanations, and return their number."""

    def write(html: str) -> None:
        file.write(html.encode("utf-8", "replace"))

    n_written = 0
    write(_PAGE_HEAD.format(title=escape(_title(args))))
    for explanation, true in explanations:
        if n_written == 0:
            write(f"{explanation.html_legend()}\n<hr>\n")
        write(f"{explanation.to_html(label, n=args.n, true=true)}\n<hr>\n")
        n_written += 1
    write(_PAGE_END)
    return n_written


def _title(args: argparse.Namespace) -> str:
    model = os.path.basename(args.model)
    if args.file is None:
        return f"Explanations by {model}"
    data = "standard input" if args.file == "-" else os.path.basename(args.file)
    return f"{data} explained by {model}"


def _class_of(model: Any, name: str) -> Any:
    classes = Classes(model.steps[-1][1].classes_.tolist())
    index = classes.index(name)
    if index is None:
        raise InputError(
            f"--label {name}: this is not a class of the model; its classes are "
            f"{listed(classes.names)}."
        )
    return classes.labels[index]


def _explanations(model: Any, args: argparse.Namespace) -> "Explained":
    """Yield explanations, and the true labels of their texts or None."""
    from sktextcnn import _inspection

    try:
        if args.file is None:
            yield from ((each, None) for each in _inspection.explain(model, args.texts))
            return
        with open_reader(args.file, read_options(args)) as reader:
            for texts, true in _texts_and_true_labels(model, reader, args):
                yield from zip(_inspection.explain(model, texts), true, strict=True)
    except ImportError as error:  # Captum, which networks without exact terms need.
        raise InputError(str(error)) from error


def _texts_and_true_labels(
    model: Any, reader: RowReader, args: argparse.Namespace
) -> Iterator[tuple[list[str], list[Any]]]:
    classifier = model.steps[-1][1]
    multilabel = classifier.net_.multilabel
    classes = Classes(classifier.classes_.tolist())
    # --label is the class to explain here, so the columns of labels have another option.
    columns = argparse.Namespace(**{**vars(args), "label": args.true_label})
    sample_reader = SampleReader(
        reader,
        columns,
        labelled=args.true_label is not None,
        multilabel=multilabel,
        label_option="--true-label",
    )
    chunks = sample_reader.chunks(min(args.chunk_size, _TEXTS_AT_ONCE))
    printing = args.output is None
    for samples in with_progress(chunks, args, "Explaining", printing=printing):
        if args.true_label is None:
            yield samples.texts, [None] * len(samples.texts)
            continue
        rows = class_indices(samples, classes, columns)
        true = [[classes.labels[i] for i in row] for row in rows]
        yield samples.texts, true if multilabel else [row[0] for row in true]


def is_terminal(stream: TextIO) -> bool:
    """Return whether a person reads what is printed to a stream."""
    return stream.isatty()


def wants_color(choice: str, stream: TextIO) -> bool:
    """Return whether --color says that a stream gets colours."""
    if choice == "auto":
        has_colors = os.environ.get("TERM") != "dumb"
        return is_terminal(stream) and has_colors and not os.environ.get("NO_COLOR")
    return choice == "always"


def as_text(
    explanation: "Explanation", label: Any, n: int, *, true: Any = None, color: bool
) -> str:
    """Return an explanation for a terminal, or without colours."""
    text = explanation.to_ansi(label, n=n, true=true)
    # to_ansi has replaced the escape sequences of the text itself.
    return text if color else COLOR_SEQUENCE.sub("", text)


def print_legend(explanation: "Explanation", *, color: bool) -> None:
    """Print what the colours and the numbers mean, if a person may read it.

    Without colours, only the numbers are explained.
    """
    if color or is_terminal(sys.stdout):
        colors, numbers = explanation.ansi_legend().split("\n", 1)
        print(f"{colors}\n{numbers}" if color else numbers)


def _write_json(file: BinaryIO, explanations: "Explained") -> int:
    """Write a line of JSON for each explanation, and return their number."""
    n_written = 0
    for explanation, true in explanations:
        row = _row(explanation)
        file.write(json_line(row if true is None else {**row, "true": true}))
        n_written += 1
    return n_written


def _row(explanation: "Explanation") -> dict[str, Any]:
    classes = [str(label) for label in explanation.classes.tolist()]

    def by_class(values: "np.ndarray") -> dict[str, float]:
        return dict(zip(classes, values.tolist(), strict=True))

    def parts(spans: "np.ndarray", contributions: "np.ndarray") -> list[dict[str, Any]]:
        return [
            {
                "text": explanation.text[start:end],
                "start": start,
                "end": end,
                "contributions": by_class(values),
            }
            for (start, end), values in zip(spans.tolist(), contributions, strict=True)
        ]

    prediction = explanation.prediction
    return {
        "text": explanation.text,
        "prediction": prediction.tolist() if hasattr(prediction, "tolist") else prediction,
        "probabilities": by_class(explanation.probabilities),
        "logits": by_class(explanation.logits),
        "spans": parts(explanation.spans, explanation.contributions),
        "remainder": by_class(explanation.remainder),
        "tokens": parts(explanation.token_spans, explanation.token_contributions),
        "token_remainder": by_class(explanation.token_remainder),
        "method": explanation.method,
    }
