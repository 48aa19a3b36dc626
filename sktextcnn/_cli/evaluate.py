"""``sktextcnn evaluate``."""

import argparse
import json
from typing import Any

from sktextcnn._cli.arguments import (
    Commands,
    add_chunk_size,
    add_command,
    add_data,
    add_model,
    add_quiet,
    add_rows,
)
from sktextcnn._cli.labels import Classes
from sktextcnn._cli.messages import MAX_LISTED_CLASSES, one_line
from sktextcnn._cli.models import load_model
from sktextcnn._cli.rows import open_reader
from sktextcnn._cli.texts_and_labels import (
    SampleReader,
    check_any,
    class_indices,
    read_options,
    with_progress,
)

_EPILOG = """\
A label that is not a class of the model is an error. A multilabel model is measured by F1 over
all labels (micro) and their mean (macro), by the texts with all labels right, and by Hamming loss.

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


def evaluate(args: argparse.Namespace) -> None:
    """Print the measures of a model, over all texts and of each class."""
    with open_reader(args.data, read_options(args)) as reader:
        # A column that does not exist is told before the model is loaded.
        sample_reader = SampleReader(reader, args, labelled=True)
        model = load_model(args.model, quiet=args.quiet)
        classifier = model.steps[-1][1]
        sample_reader.multilabel = multilabel = classifier.net_.multilabel
        classes = Classes(classifier.classes_.tolist())
        true: list[Any] = []
        predicted: list[Any] = []
        for samples in with_progress(sample_reader.chunks(args.chunk_size), args, "Predicting"):
            rows = class_indices(samples, classes, args)
            if not rows:
                continue
            proba = model.predict_proba(samples.texts)
            if multilabel:
                true += rows
                predicted += [row.nonzero()[0].tolist() for row in proba > 0.5]
            else:
                true += [row[0] for row in rows]
                predicted += proba.argmax(axis=1).tolist()
        check_any(true, reader)
        n_left_out = reader.bad_rows.count
    if args.json:
        report = _several_as_json if multilabel else _as_json
        counts = {"n_texts": len(true), "n_left_out": n_left_out}
        print(json.dumps(counts | report(true, predicted, classes.names), indent=2))
    else:
        as_text = _several_as_text if multilabel else _as_text
        print(as_text(true, predicted, [one_line(name) for name in classes.names]))


def _as_json(true: list[int], predicted: list[int], names: list[str]) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, confusion_matrix

    numbers = range(len(names))
    classes = _of_classes(true, predicted, names)
    return {
        "accuracy": accuracy_score(true, predicted),
        "macro_f1": sum(each["f1"] for each in classes.values()) / len(names),
        "classes": classes,
        "confusion_matrix": confusion_matrix(true, predicted, labels=numbers).tolist(),
    }


def _several_as_json(
    true: list[list[int]], predicted: list[list[int]], names: list[str]
) -> dict[str, Any]:
    from sklearn.metrics import accuracy_score, f1_score, hamming_loss

    y = _indicators(true, predicted, len(names))
    return {
        "subset_accuracy": accuracy_score(*y),
        "hamming_loss": hamming_loss(*y),
        "micro_f1": f1_score(*y, average="micro", zero_division=0.0),
        "macro_f1": f1_score(*y, average="macro", zero_division=0.0),
        "classes": _of_classes(*y, names),
    }


def _of_classes(true: Any, predicted: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the measures of each class."""
    from sklearn.metrics import precision_recall_fscore_support

    numbers = range(len(names))
    measures = precision_recall_fscore_support(true, predicted, labels=numbers, zero_division=0.0)
    keys = ("precision", "recall", "f1", "support")
    rows = zip(*(values.tolist() for values in measures), strict=True)
    return {name: dict(zip(keys, row, strict=True)) for name, row in zip(names, rows, strict=True)}


def _indicators(
    true: list[list[int]], predicted: list[list[int]], n_classes: int
) -> tuple[Any, Any]:
    from sklearn.preprocessing import MultiLabelBinarizer

    binarizer = MultiLabelBinarizer(classes=range(n_classes))
    return binarizer.fit_transform(true), binarizer.fit_transform(predicted)


def _several_as_text(true: list[list[int]], predicted: list[list[int]], names: list[str]) -> str:
    from sklearn.metrics import classification_report

    measures = _several_as_json(true, predicted, names)
    y = _indicators(true, predicted, len(names))
    report = classification_report(*y, target_names=names, digits=3, zero_division=0.0)
    return (
        f"micro F1 {measures['micro_f1']:.4f}, macro F1 {measures['macro_f1']:.4f} on "
        f"{len(true):,} texts\n"
        f"all labels of a text are right in {measures['subset_accuracy']:.4f} of the texts; "
        f"{measures['hamming_loss']:.4f} of all decisions are wrong (Hamming loss)\n\n{report}"
    )


def _as_text(true: list[int], predicted: list[int], names: list[str]) -> str:
    from sklearn.metrics import accuracy_score, classification_report, confusion_matrix

    numbers = range(len(names))
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
