"""``sktextcnn evaluate``."""

import argparse
import json

from sktextcnn._cli.arguments import (
    Commands,
    add_chunk_size,
    add_command,
    add_data,
    add_model,
    add_quiet,
    add_rows,
)
from sktextcnn._cli.errors import InputError
from sktextcnn._cli.messages import MAX_LISTED_CLASSES, one_line
from sktextcnn._cli.models import classes_by_name, load_model
from sktextcnn._cli.rows import open_reader
from sktextcnn._cli.texts_and_labels import (
    known_labels_of,
    read_options,
    texts_of,
    with_progress,
)

_EPILOG = """\
A label that is not a class of the model is an error.

examples:
  sktextcnn evaluate model.sktextcnn test.csv --text review --label sentiment
  sktextcnn evaluate model.sktextcnn test.csv --text review --label sentiment --json > scores.json
"""


def add_to(commands: Commands) -> None:
    """Add the command to the program."""
    parser = add_command(
        commands, "evaluate", "measure a model on labelled texts", _EPILOG, evaluate
    )
    add_model(parser)
    add_data(parser)
    add_rows(parser, label=True)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_quiet(parser)
    add_chunk_size(parser)
    parser.set_defaults(output=None)


def evaluate(args: argparse.Namespace) -> None:
    """Print the accuracy, the measures of each class and the confusion matrix."""
    with open_reader(args.data, read_options(args)) as reader:
        reader.check_column(args.text, "--text")
        reader.check_column(args.label, "--label")
        model = load_model(args.model)
        classifier = model.steps[-1][1]
        if classifier.net_.multilabel:
            raise InputError(
                f"{args.model}: evaluate does not support multilabel models; measure them in "
                f"Python."
            )
        classes = classes_by_name(classifier.classes_.tolist())
        index = {name: i for i, name in enumerate(classes)}
        true: list[int] = []
        predicted: list[int] = []
        for chunk in with_progress(reader.chunks(args.chunk_size), args):
            labels = known_labels_of(chunk, args.label, classes)
            true += [index[str(label)] for label in labels]
            predicted += model.predict_proba(texts_of(chunk, args)).argmax(axis=1).tolist()
        if not true:
            raise InputError(f"{reader.name} has no rows.")
    report = _as_json if args.json else _as_text
    print(report(true, predicted, list(classes)))


def _as_json(true: list[int], predicted: list[int], names: list[str]) -> str:
    from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

    numbers = range(len(names))
    measures = precision_recall_fscore_support(true, predicted, labels=numbers, zero_division=0.0)
    keys = ("precision", "recall", "f1", "support")
    rows = zip(*(values.tolist() for values in measures), strict=True)
    classes = {
        name: dict(zip(keys, row, strict=True)) for name, row in zip(names, rows, strict=True)
    }
    result = {
        "n_texts": len(true),
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": sum(measures[2].tolist()) / len(names),
        "classes": classes,
        "confusion_matrix": confusion_matrix(true, predicted, labels=numbers).tolist(),
    }
    return json.dumps(result, indent=2)


def _as_text(true: list[int], predicted: list[int], names: list[str]) -> str:
    from sklearn.metrics import accuracy_score, classification_report, confusion_matrix

    numbers = range(len(names))
    names = [one_line(name) for name in names]
    report = classification_report(
        true, predicted, labels=numbers, target_names=names, digits=3, zero_division=0.0
    )
    lines = [
        f"accuracy {accuracy_score(true, predicted):.4f} on {len(true):,} texts",
        "",
        report,
    ]
    if len(names) <= MAX_LISTED_CLASSES:
        matrix = confusion_matrix(true, predicted, labels=numbers).tolist()
        cells = [["", *names]]
        cells += [[name, *map(str, row)] for name, row in zip(names, matrix, strict=True)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines += ["Rows are true classes, columns are predicted classes:", ""]
        lines += [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in cells
        ]
    return "\n".join(lines)
