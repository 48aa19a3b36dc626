"""``sktextcnn explain``."""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from sktextcnn._cli.arguments import (
    Commands,
    add_chunk_size,
    add_color,
    add_command,
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
from sktextcnn._cli.rows import json_line, open_output, open_reader
from sktextcnn._cli.texts_and_labels import SampleReader, Samples, read_options, with_progress

if TYPE_CHECKING:
    import numpy as np

    from sktextcnn._inspection import Explanation

_EPILOG = """\
In a terminal, blue words are evidence for the class, orange words against it. The number next
to an n-gram is its contribution to the logit of the class, minus the mean of its contributions to
the logits of the other classes.

examples:
  sktextcnn explain model.sktextcnn "a gorgeous, witty movie" "so dull"
  sktextcnn explain model.sktextcnn "a gorgeous, witty movie" --label negative --n 3
  sktextcnn explain model.sktextcnn --file new.csv --text review -o page.html
  sktextcnn explain model.sktextcnn --file new.csv --text review --json > explanations.jsonl
"""

#: The escape sequences that colour a text.
COLOR_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")

_TEXTS_AT_ONCE = 50

_PAGE_HEAD = b"""<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Explanations</title>
<style>
:root { color-scheme: light dark }
body { margin: 2em auto; max-width: 60em; padding: 0 1em }
hr { border: 0; border-top: 1px solid; opacity: .3 }
</style>
</head>
<body>
"""
_PAGE_END = b"</body>\n</html>\n"


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
    add_quiet(parser)
    add_chunk_size(parser)


def explain(args: argparse.Namespace) -> None:
    """Print explanations, or write them as an HTML page or as JSON lines."""
    if bool(args.texts) == (args.file is not None):
        args.usage("give either texts or --file")
    if args.output is not None:
        check_not_input(args.output, args.model, args.file)
    model = load_model(args.model, quiet=args.quiet)
    label = None if args.label is None else _class_of(model, args.label)
    color = args.output is None and wants_color(args.color, sys.stdout)
    is_page = args.output is not None and not args.json
    n_written = 0
    with open_output(args.output) as file:
        if is_page:
            file.write(_PAGE_HEAD)
        for explanation in _explanations(model, args):
            n_written += 1
            if args.json:
                file.write(json_line(_as_json(explanation)))
            elif is_page:
                html = explanation.to_html(label, n=args.n)
                file.write(html.encode("utf-8", "replace") + b"\n<hr>\n")
            else:
                print(as_text(explanation, label, args.n, color=color), end="\n\n")
        if is_page:
            file.write(_PAGE_END)
    if args.output not in (None, "-"):
        print_summary(args, f"Wrote {counted(n_written, 'explanation')} to {args.output}.")


def _class_of(model: Any, name: str) -> Any:
    classes = Classes(model.steps[-1][1].classes_.tolist())
    index = classes.index(name)
    if index is None:
        raise InputError(
            f"--label {name}: this is not a class of the model; its classes are "
            f"{listed(classes.names)}."
        )
    return classes.labels[index]


def _explanations(model: Any, args: argparse.Namespace) -> Iterator["Explanation"]:
    from sktextcnn import _inspection

    try:
        if args.file is None:
            yield from _inspection.explain(model, args.texts)
            return
        with open_reader(args.file, read_options(args)) as reader:
            chunks = SampleReader(reader, args).chunks(args.chunk_size)
            printing = args.output is None
            for samples in with_progress(_few(chunks), args, "Explaining", printing=printing):
                yield from _inspection.explain(model, samples.texts)
    except ImportError as error:  # Captum, which networks without exact terms need.
        raise InputError(str(error)) from error


def _few(chunks: Iterable[Samples]) -> Iterator[Samples]:
    """Yield samples with fewer texts at a time, each of which takes longer than a prediction."""
    for samples in chunks:
        for start in range(0, len(samples.texts), _TEXTS_AT_ONCE):
            yield samples._replace(texts=samples.texts[start : start + _TEXTS_AT_ONCE])


def wants_color(choice: str, stream: TextIO) -> bool:
    """Return whether --color says that a stream gets colours."""
    if choice == "auto":
        return stream.isatty() and not os.environ.get("NO_COLOR")
    return choice == "always"


def as_text(explanation: "Explanation", label: Any, n: int, *, color: bool) -> str:
    """Return an explanation for a terminal, or without colours."""
    text = explanation.to_ansi(label, n=n)
    # to_ansi has replaced the escape sequences of the text itself.
    return text if color else COLOR_SEQUENCE.sub("", text)


def _as_json(explanation: "Explanation") -> dict[str, Any]:
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
