"""Prediction of raw texts, one text in a call."""

import argparse
from collections.abc import Iterator

import numpy as np
from contest import interleave
from corpora import Task
from report import Row, race, reached

OURS = "sktextcnn"
LINEAR = "TF-IDF + logistic regression"
COMPETITORS = {
    OURS: "peers.ours:latency",
    LINEAR: "peers.tfidf:latency",
    "fastText, words and pairs": "peers.fasttext_model:latency",
    "Keras": "peers.keras_cnn:latency",
    "skorch, ids of our vectorizer": "peers.skorch_net:latency",
}
MOST_TIMES_LINEAR = 1.5


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    task = Task(args.data, args.texts)
    title = "Raw text to label, one MR sentence, not seen before"
    figures = interleave(COMPETITORS, (task,), 2 * args.repeats, title)
    rows = race(figures, OURS, {}, scale=1e3, unit="ms")
    ratio = float(np.median(figures[OURS]) / np.median(figures[LINEAR]))
    for row in rows:
        del row["target"], row["reached"]
    yield title, rows
    yield (
        f"{title}, against TF-IDF",
        [{"ours / TF-IDF's": ratio, **reached(ratio, MOST_TIMES_LINEAR, at_least=False)}],
    )
