"""The Python binding of fastText."""

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

# The n-grams that its authors recommend for accuracy, and the width of the other competitors.
_PAIRS = {"wordNgrams": 2, "dim": EMBEDDING_DIM}
_EPOCHS = (5, 25)
_NGRAMS = (1, 2)


def labelling(task: Task) -> Iterator[float | None]:
    """Predict with words and pairs of words, and vectors as wide as those of the others."""
    model, texts = _fitted(task, **_PAIRS), task.texts()[0]
    yield None
    yield from seconds_of_all(model.predict, texts)


def labelling_by_default(task: Task) -> Iterator[float | None]:
    """Predict with the defaults of fastText: words alone, vectors a third as wide."""
    model, texts = _fitted(task), task.texts()[0]
    yield None
    yield from seconds_of_all(model.predict, texts)


def latency(task: Task) -> Iterator[float | None]:
    """Predict with words and pairs of words, one text at a time."""
    model, texts = _fitted(task, **_PAIRS), split(task)[2]
    yield None
    # Texts are in lists, since the binding fails with NumPy 2 on a single str.
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
    # One thread, since results with several threads are not reproducible.
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
        # fastText does not shuffle, and learns nothing from sorted classes.
        np.random.default_rng(SEED).shuffle(lines)
        file.write_text("".join(lines), encoding="utf-8")
        return fasttext.train_supervised(str(file), verbose=0, **params)
