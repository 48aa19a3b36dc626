"""FastText's Python binding."""

import itertools
import pathlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import fasttext
import numpy as np
from corpora import Task
from settings import EMBEDDING_DIM, SEED, THREADS
from sklearn.model_selection import train_test_split

from peers._texts import seconds_of_all, seconds_of_one, split

# What its authors advise for accuracy, and the width of the competitors' vectors.
_PAIRS = {"wordNgrams": 2, "dim": EMBEDDING_DIM}
_EPOCHS = (5, 25)
_NGRAMS = (1, 2)


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


def fit_chosen(texts: list[str], labels: np.ndarray, seed: int) -> Callable[..., np.ndarray]:
    """Fit with the epochs and n-grams that are best on a tenth of the training texts.

    Returns
    -------
    callable
        From texts to labels.
    """
    train, valid, y_train, y_valid = train_test_split(
        texts, labels, test_size=0.1, random_state=seed, stratify=labels
    )
    scores = {}
    for choice in itertools.product(_EPOCHS, _NGRAMS):
        found = _labels(_train(train, y_train, *choice, seed), valid)
        scores[choice] = np.mean(found == y_valid)
    model = _train(texts, labels, *max(scores, key=scores.__getitem__), seed)
    return lambda texts: _labels(model, texts)


def _train(texts: list[str], labels: np.ndarray, epochs: int, ngrams: int, seed: int) -> Any:
    # One thread, since with several the results are never the same.
    params = {"epoch": epochs, "wordNgrams": ngrams, "lr": 0.5, "thread": 1, "seed": seed}
    return _supervised(texts, labels, **params)


def _labels(model: Any, texts: list[str]) -> np.ndarray:
    return np.array([label.removeprefix("__label__") for (label,) in model.predict(texts)[0]])


def _fitted(task: Task, **params: Any) -> Any:
    train, labels, _ = split(task)
    return _supervised(train, labels, thread=THREADS, seed=SEED, **params)


def _supervised(texts: list[str], labels: np.ndarray, **params: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "train.txt"
        lines = [f"__label__{label} {text}\n" for label, text in zip(labels, texts, strict=True)]
        # It reads them in their order, epoch by epoch, and learns nothing from sorted classes.
        np.random.default_rng(SEED).shuffle(lines)
        file.write_text("".join(lines), encoding="utf-8")
        return fasttext.train_supervised(str(file), verbose=0, **params)
