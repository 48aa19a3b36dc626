"""A grid search with vectors, compared with its fits alone."""

import argparse
import pathlib
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from contest import in_turn
from corpora import Task
from equality import largest_difference
from report import Row, reached
from settings import BATCH_SIZE, SEED
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline

SEARCH = "GridSearchCV"
FITS = "the same 36 fits of the Pipeline alone"
NETWORKS = "the 36 fits of the classifier alone, ids ready"
GRID = {
    "num_filters": [50, 100],
    "dropout": [0.3, 0.5],
    "learning_rate": [5e-4, 1e-3, 2e-3],
}
FOLDS = StratifiedKFold(3)
EPOCHS = 3
MOST_TIMES = 1.1
_TEXTS_CHECKED = 1000


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    call = (Task(args.data, args.texts), args.vectors)
    competitors = {
        SEARCH: ("measures.search:search", *call),
        FITS: ("measures.search:fits", *call),
        NETWORKS: ("measures.search:networks", *call),
    }
    title = f"Grid search, 12 candidates x 3 folds, {EPOCHS} epochs, n_jobs=1"
    figures: dict[str, list[float]] = {label: [] for label in competitors}
    for label, figure in in_turn(competitors, (args.repeats + 2) // 3, title):
        figures[label].append(figure)
    rows = []
    for label, seconds in figures.items():
        ratio = float(np.median(figures[SEARCH]) / np.median(seconds))
        target = MOST_TIMES if label == FITS else None
        rows.append(
            {
                "": label,
                "median, s": float(np.median(seconds)),
                "least": min(seconds),
                "most": max(seconds),
                "the search takes, times": ratio,
                **reached(ratio, target, at_least=False),
            }
        )
    yield title, rows


def search(task: Task, path: pathlib.Path) -> Iterator[float | None]:
    """Run the search without refit, in a process that has not read the file of vectors."""
    texts, labels = task.texts()
    grid = {f"textcnnclassifier__{name}": values for name, values in GRID.items()}
    model = make_pipeline(_vectorizer(path), _classifier())
    yield None
    start = time.perf_counter()
    GridSearchCV(model, grid, cv=FOLDS, n_jobs=1, refit=False).fit(texts, labels)
    yield time.perf_counter() - start


def fits(task: Task, path: pathlib.Path) -> Iterator[float | None]:
    """Run the fits of the Pipeline without scores, after the file of vectors was read."""
    texts, labels = task.texts()
    _vectorizer(path).fit(texts)
    # A search copies its texts in the same way.
    parts = [([texts[i] for i in rows], labels[rows]) for rows, _ in FOLDS.split(texts, labels)]
    yield None
    seconds = 0.0
    for params in ParameterGrid(GRID):
        for part, y in parts:
            model: Pipeline = make_pipeline(_vectorizer(path), _classifier(**params))
            start = time.perf_counter()
            model.fit(part, y)
            seconds += time.perf_counter() - start
    yield seconds


def networks(task: Task, path: pathlib.Path) -> Iterator[float | None]:
    """Run the fits of the classifier on ids that are ready."""
    texts, labels = task.texts()
    parts = []
    for rows, _ in FOLDS.split(texts, labels):
        part = [texts[i] for i in rows]
        parts.append((_vectorizer(path).fit_transform(part), labels[rows]))
    yield None
    seconds = 0.0
    for params in ParameterGrid(GRID):
        for X, y in parts:
            model = _classifier(**params)
            start = time.perf_counter()
            model.fit(X, y)
            seconds += time.perf_counter() - start
            largest_difference(model, X[:_TEXTS_CHECKED], y[:_TEXTS_CHECKED])
    yield seconds


def _vectorizer(path: pathlib.Path) -> Any:
    from sktextcnn import TextVectorizer

    return TextVectorizer(embeddings=str(path), random_state=SEED)


def _classifier(**params: Any) -> Any:
    from sktextcnn import TextCNNClassifier

    return TextCNNClassifier(
        batch_size=BATCH_SIZE, max_epochs=EPOCHS, wide=False, random_state=SEED, **params
    )
