"""Prediction of raw texts, a whole corpus in one call."""

import argparse
from collections.abc import Iterator

from contest import interleave
from corpora import Task
from report import Row, race
from settings import EMBEDDING_DIM

OURS = "sktextcnn"
FASTTEXT = f"fastText, words and pairs, {EMBEDDING_DIM}-d"
COMPETITORS = {
    OURS: "peers.ours:labelling",
    "sktextcnn, first call of a model": "peers.ours:first_labelling",
    FASTTEXT: "peers.fasttext_model:labelling",
    "fastText, its defaults: words, 100-d": "peers.fasttext_model:labelling_by_default",
    "Keras": "peers.keras_cnn:labelling",
    "skorch, ids of our vectorizer": "peers.skorch_net:labelling",
    "torch loop, bucketed, ids of our vectorizer": "peers.torch_loop:labelling",
    "TF-IDF + logistic regression": "peers.tfidf:labelling",
}
TARGETS = {FASTTEXT: 1, "Keras": 25, "skorch, ids of our vectorizer": 25}


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    task = Task(args.data, args.texts)
    title = "Raw text to label, MR sentences"
    figures = interleave(COMPETITORS, (task,), args.repeats, title)
    yield title, race(figures, OURS, TARGETS, len(task.texts()[0]))
