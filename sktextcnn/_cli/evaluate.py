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
from sktextcnn._cli.measures import of_one_label, of_several_labels
from sktextcnn._cli.messages import MAX_LISTED_CLASSES, counted, one_line
from sktextcnn._cli.models import load_model
from sktextcnn._cli.rows import open_reader
from sktextcnn._cli.tables import table
from sktextcnn._cli.texts_and_labels import (
    SampleReader,
    check_any,
    class_indices,
    read_options,
    with_progress,
)

# So many of many classes are shown, and of their confusions.
_WORST = 10

_EPILOG = """\
Of more than 12 classes, those with the lowest F1 are printed, and the pairs that are confused most
often; --all prints all of them. A label that is not a class of the model is an error. A multilabel
model is measured by F1 over all labels (micro) and their mean (macro), by the texts with all labels
right, and by Hamming loss.

examples:
  sktextcnn evaluate model.sktextcnn test.csv --text review --label sentiment
  sktextcnn evaluate model.sktextcnn test.csv --text review --label sentiment --all
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
    parser.add_argument(
        "--all",
        action="store_true",
        help="print all classes and all pairs that are confused, however many there are",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, with all classes")
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
    of = of_several_labels if multilabel else of_one_label
    measures = of(true, predicted, classes.names)
    if args.json:
        counts = {"n_texts": len(true), "n_left_out": n_left_out}
        print(json.dumps(counts | measures, indent=2))
    else:
        print(_as_text(measures, len(true), everything=args.all))


def _as_text(measures: dict[str, Any], n_texts: int, *, everything: bool) -> str:
    """Return measures as lines: all of few classes, and the worst of many."""
    texts = counted(n_texts, "text")
    if "accuracy" in measures:
        accuracy = f"accuracy {measures['accuracy']:.4f}"
        lines = [f"{accuracy}, macro F1 {measures['macro_f1']:.4f} on {texts}"]
    else:
        lines = [
            f"micro F1 {measures['micro_f1']:.4f}, macro F1 {measures['macro_f1']:.4f} on {texts}",
            f"all labels of a text are right in {measures['subset_accuracy']:.4f} of the texts; "
            f"{measures['hamming_loss']:.4f} of all decisions are wrong (Hamming loss)",
        ]
    names = list(measures["classes"])
    confusions = measures.get("confusions")
    if len(names) <= MAX_LISTED_CLASSES:
        lines += ["", _classes(measures, names)]
        if confusions is not None:
            matrix = [["", *map(one_line, names)]]
            for name, row in zip(names, measures["confusion_matrix"], strict=True):
                matrix.append([one_line(name), *(f"{count:,}" for count in row)])
            lines += [
                "",
                "Rows are true classes, columns are predicted classes:",
                "",
                table(matrix),
            ]
        return "\n".join(lines)
    seen = [name for name in names if measures["classes"][name]["support"]]
    if absent := len(names) - len(seen):
        lines.append(f"{absent:,} of {len(names):,} classes are not in the file.")
    worst = sorted(seen, key=lambda name: measures["classes"][name]["f1"])
    left_out = []
    if everything:
        lines += ["", "All classes, the worst first:", ""]
        lines.append(_classes(measures, [*worst, *(name for name in names if name not in seen)]))
    elif len(worst) > _WORST:
        left_out.append("classes")
        lines += ["", f"The {_WORST} worst of {len(worst):,} classes, by F1:", ""]
        lines.append(_classes(measures, worst[:_WORST]))
    elif worst:
        lines += ["", "The classes of the file, the worst first:", ""]
        lines.append(_classes(measures, worst))
    if confusions and (everything or len(confusions) <= _WORST):
        lines += ["", "All confusions, with their share of the texts of the true class:", ""]
        lines.append(_confusions(confusions))
    elif confusions:
        left_out.append("confusions")
        which = f"The {_WORST} most frequent of {len(confusions):,} confusions"
        lines += ["", f"{which}, with their share of the texts of the true class:", ""]
        lines.append(_confusions(confusions[:_WORST]))
    if left_out:
        lines += ["", f"--all prints all {' and '.join(left_out)}."]
    return "\n".join(lines)


def _classes(measures: dict[str, Any], names: list[str]) -> str:
    rows = [["", "precision", "recall", "F1", "texts"]]
    for name in names:
        of_class = measures["classes"][name]
        values = [f"{of_class[key]:.3f}" for key in ("precision", "recall", "f1")]
        rows.append([one_line(name), *values, f"{of_class['support']:,}"])
    return table(rows)


def _confusions(confusions: list[dict[str, Any]]) -> str:
    rows = [["true", "predicted", "texts", "share"]]
    for pair in confusions:
        names = one_line(pair["true"]), one_line(pair["predicted"])
        rows.append([*names, f"{pair['count']:,}", f"{pair['share']:.1%}"])
    return table(rows, n_left=2)
