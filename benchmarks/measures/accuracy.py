"""Accuracy of the default Adam and of bfloat16, with the same folds and seeds as dense Adam."""

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from corpora import read
from equality import largest_difference
from models import NETWORK_ALONE, DenseAdam
from report import Row
from settings import SEED, THREADS
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer

_TEXTS_CHECKED = 500

DENSE = "Adam of all rows"
VARIANTS: dict[str, dict[str, Any]] = {
    "Adam of the batch's rows (the default)": {},
    DENSE: {"optimizer": DenseAdam},
    "the default, bfloat16": {"precision": "bfloat16"},
}


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    torch.set_num_threads(THREADS)
    vectors = Embeddings(args.vectors)
    texts, labels = read(args.data / "mr.tsv")
    chosen = np.random.default_rng(SEED).permutation(len(texts))[: args.texts]
    texts, labels = [texts[i] for i in chosen], labels[chosen]
    folds = StratifiedKFold(args.folds).split(texts, labels)
    parts = [
        (
            ([texts[i] for i in train], labels[train]),
            ([texts[i] for i in test], labels[test]),
            seed,
        )
        for seed, (train, test) in enumerate(folds)
    ]
    yield _compare(f"Accuracy, MR, {args.folds} folds", vectors, parts)
    train, test = read(args.data / "trec-train.tsv"), read(args.data / "trec-test.tsv")
    parts = [(train, test, seed) for seed in range(args.seeds)]
    yield _compare(f"Accuracy, TREC, {args.seeds} seeds", vectors, parts)


def _compare(title: str, vectors: Embeddings, parts: list[tuple]) -> tuple[str, list[Row]]:
    accuracies: dict[str, list[float]] = {label: [] for label in VARIANTS}
    for (texts, labels), (test_texts, test_labels), seed in tqdm(parts, desc=title, leave=False):
        vectorizer = TextVectorizer(embeddings=vectors, random_state=seed).fit(texts)
        X, X_test = vectorizer.transform(texts), vectorizer.transform(test_texts)
        for label, params in VARIANTS.items():
            params = {**NETWORK_ALONE, **params}
            model = TextCNNClassifier(random_state=seed, **params).fit(X, labels)
            accuracies[label].append(100 * model.score(X_test, test_labels))
            if model.precision == "float32":
                largest_difference(model, X_test[:_TEXTS_CHECKED], test_labels[:_TEXTS_CHECKED])
    rows, dense = [], np.array(accuracies[DENSE])
    for label, values in accuracies.items():
        difference = np.array(values) - dense
        error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
        rows.append(
            {
                "": label,
                "accuracy": float(np.mean(values)),
                "standard deviation": float(np.std(values, ddof=1)),
                "less that of all rows": float(difference.mean()),
                "its standard error": error,
            }
        )
    return title, rows
