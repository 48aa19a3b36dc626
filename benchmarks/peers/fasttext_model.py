"""The Python binding of fastText."""

import pathlib
import re
import tempfile
from collections.abc import Iterator
from typing import Any

import fasttext
import numpy as np
from corpora import Task
from settings import EMBEDDING_DIM, SEED, THREADS
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV

from peers._choice import chosen
from peers._texts import seconds_of_all, seconds_of_one, split

# The n-grams that its authors recommend for accuracy, and the width of the other competitors.
_PAIRS = {"wordNgrams": 2, "dim": EMBEDDING_DIM}
_GRID = {"epochs": (5, 25), "ngrams": (1, 2)}
_TEXTS = 2000
_RATE, _LEAST_RATE = 0.5, 0.01


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


class FastText(ClassifierMixin, BaseEstimator):
    """The supervised model as an estimator over texts.

    Parameters
    ----------
    epochs : int, default=5
        Number of epochs. Fewer than 2,000 texts get more, for as many updates.
    ngrams : int, default=1
        Longest n-grams of words.
    seed : int, default=0
        Seed of its random numbers.
    """

    def __init__(self, epochs: int = 5, ngrams: int = 1, seed: int = 0) -> None:
        self.epochs = epochs
        self.ngrams = ngrams
        self.seed = seed

    def fit(self, X: list[str], y: np.ndarray) -> "FastText":
        """Train, with a smaller learning rate if the first one leads to NaN."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        # One thread, since results with several threads are not reproducible.
        params = {
            "epoch": max(self.epochs, self.epochs * _TEXTS // len(X)),
            "wordNgrams": self.ngrams,
            "thread": 1,
            "seed": self.seed,
        }
        rate = _RATE
        while True:
            try:
                self.model_ = _supervised(_prepared(X), codes, lr=rate, **params)
            except RuntimeError as error:
                if "NaN" not in str(error) or rate < _LEAST_RATE:
                    raise
                rate /= 2
            else:
                return self

    def predict_proba(self, X: list[str]) -> np.ndarray:
        """Return the probabilities of the classes."""
        probabilities = np.zeros((len(X), len(self.classes_)))
        for row, text in zip(probabilities, _prepared(X), strict=True):
            # The public method fails with NumPy 2 on one text, and repeats the first probability
            # for all labels in lists of texts.
            for probability, label in self.model_.f.predict(text + "\n", -1, 0.0, "strict"):
                row[int(label.removeprefix("__label__"))] = probability
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def predict(self, X: list[str]) -> np.ndarray:
        """Return the most probable classes."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def classifier(seed: int) -> GridSearchCV:
    """Return the classifier, whose epochs and n-grams are chosen on inner folds.

    They are chosen by accuracy. The least log loss often belongs to a model that has hardly been
    trained and knows only the most frequent class.
    """
    return chosen(FastText(seed=seed), _GRID, seed, scoring="accuracy")


def _prepared(texts: list[str]) -> list[str]:
    """Return texts in lower case with separate punctuation, as in the tutorial of fastText."""
    return [re.sub(r"([.!?,'/()])", r" \1 ", " ".join(text.lower().split())) for text in texts]


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
