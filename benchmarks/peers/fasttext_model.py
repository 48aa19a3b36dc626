"""FastText's Python binding."""

import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

import fasttext
from corpora import Task
from settings import EMBEDDING_DIM, SEED, THREADS

from peers._texts import seconds_of_all, seconds_of_one, split

# What its authors advise for accuracy, and the width of the competitors' vectors.
_PAIRS = {"wordNgrams": 2, "dim": EMBEDDING_DIM}


def labelling(task: Task) -> Iterator[float | None]:
    """Words and pairs of words, with vectors as wide as the competitors'."""
    model, texts = _fitted(task, **_PAIRS), task.texts()[0]
    yield None
    yield from seconds_of_all(model.predict, texts)


def labelling_by_default(task: Task) -> Iterator[float | None]:
    """Words alone, with vectors a third as wide: fastText's defaults."""
    model, texts = _fitted(task), task.texts()[0]
    yield None
    yield from seconds_of_all(model.predict, texts)


def latency(task: Task) -> Iterator[float | None]:
    """Words and pairs of words, one text at a time."""
    model, texts = _fitted(task, **_PAIRS), split(task)[2]
    yield None
    # A list of one, since for a bare text the binding does not work with NumPy 2.
    yield from seconds_of_one(model.predict, texts)


def _fitted(task: Task, **params: Any) -> Any:
    train, labels, _ = split(task)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "train.txt"
        lines = [f"__label__{label} {text}\n" for label, text in zip(labels, train, strict=True)]
        file.write_text("".join(lines), encoding="utf-8")
        return fasttext.train_supervised(str(file), thread=THREADS, seed=SEED, verbose=0, **params)
