"""The texts and labels of rows, validated."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sktextcnn._cli.errors import InputError
from sktextcnn._cli.messages import listed
from sktextcnn._cli.rows import Chunk, ReadOptions, open_reader


def read_options(args: argparse.Namespace) -> ReadOptions:
    """Return how the arguments of a command say that a file is read."""
    return ReadOptions(args.format, args.encoding, args.delimiter, not args.no_quotes)


def texts_of(chunk: Chunk, args: argparse.Namespace) -> list[str]:
    """Return the texts of a chunk.

    Raises
    ------
    InputError
        If a text is missing and --empty-ok is not given, or is not a string.
    """
    texts = chunk.values(args.text)
    # In csv a missing text is an empty field.
    empty_is_missing = chunk.format in ("csv", "tsv")
    for i, text in enumerate(texts):
        if text is None or (empty_is_missing and not text):
            if not args.empty_ok:
                raise InputError(
                    f"{chunk.location(i, args.text)}: the text is missing. Give --empty-ok to "
                    f"treat missing texts as empty."
                )
            texts[i] = ""
        elif not isinstance(text, str):
            raise InputError(
                f"{chunk.location(i, args.text)}: expected a text; got {text!r:.40} of type "
                f"{type(text).__name__}."
            )
    return texts


def known_labels_of(chunk: Chunk, column: str, classes: Mapping[str, Any]) -> list[Any]:
    """Return the labels of a chunk as the classes of a model that have the same names.

    Raises
    ------
    InputError
        If a label is missing, or is not a class of the model.
    """
    labels = _labels_of(chunk, column)
    for i, label in enumerate(labels):
        if str(label) not in classes:
            raise InputError(
                f"{chunk.location(i, column)}: the label {label!r} is not a class of the model; "
                f"its classes are {listed(classes)}."
            )
    return [classes[str(label)] for label in labels]


def read_labelled_texts(
    path: str | None, args: argparse.Namespace, classes: Mapping[str, Any] | None = None
) -> tuple[list[str], list[Any]]:
    """Read all texts and labels of a file.

    Parameters
    ----------
    path : str or None
        None and "-" are standard input.
    args : argparse.Namespace
        The arguments of the command.
    classes : mapping of str to label, default=None
        The classes that labels must be of, by name. None: labels must be of one type, and
        numbers must be integers.
    """
    texts: list[str] = []
    labels: list[Any] = []
    with open_reader(path, read_options(args)) as reader:
        reader.check_column(args.text, "--text")
        reader.check_column(args.label, "--label")
        for chunk in reader.chunks(args.chunk_size):
            texts += texts_of(chunk, args)
            if classes is not None:
                labels += known_labels_of(chunk, args.label, classes)
                continue
            new = _labels_of(chunk, args.label)
            _check_types(new, (labels or new)[0], chunk, args.label)
            labels += new
        if not texts:
            raise InputError(f"{reader.name} has no rows.")
    return texts, labels


def with_progress(chunks: Iterable[Chunk], args: argparse.Namespace) -> Iterator[Chunk]:
    """Yield chunks, and count their rows on stderr if a terminal shows nothing else."""
    from tqdm import tqdm

    shown = sys.stderr.isatty() and not (args.output is None and sys.stdout.isatty())
    with tqdm(unit=" rows", disable=args.quiet or not shown) as bar:
        for chunk in chunks:
            yield chunk
            bar.update(len(chunk))


def _labels_of(chunk: Chunk, column: str) -> list[Any]:
    labels = chunk.values(column)
    for i, label in enumerate(labels):
        if label is None or label == "" or label != label:
            raise InputError(f"{chunk.location(i, column)}: the label is missing.")
        if not isinstance(label, str | int | float):
            raise InputError(
                f"{chunk.location(i, column)}: a label must be a string or a number; got "
                f"{label!r:.40} of type {type(label).__name__}."
            )
    return labels


def _check_types(labels: list[Any], first: Any, chunk: Chunk, column: str) -> None:
    """Raise an `InputError` if labels are not of one type, or not classes for scikit-learn."""
    for i, label in enumerate(labels):
        if not isinstance(label, str) and not (label % 1 == 0 and -(2**63) <= label < 2**63):
            raise InputError(
                f"{chunk.location(i, column)}: a label that is a number must be an integer of at "
                f"most 64 bits; got {label!r:.40}. Write other labels as strings."
            )
    for i, label in enumerate(labels):
        if type(label) is not type(first):
            raise InputError(
                f"{chunk.location(i, column)}: the label {label!r} is of type "
                f"{type(label).__name__}, but that of row 1 is of type {type(first).__name__}."
            )
