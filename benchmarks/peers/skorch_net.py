"""The network of torch in skorch's NeuralNetClassifier, with its default loader."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from corpora import Task
from settings import BATCH_SIZE, LEARNING_RATE, SEED, THREADS
from skorch import NeuralNetClassifier

from peers._texts import Label, fastest, seconds_of_all, seconds_of_one, split
from peers.torch_loop import TextCNN


def training(task: Task) -> Iterator[float | None]:
    ids, y, vectors = task.arrays()
    net = _net(vectors, task.tuned)
    yield None
    while True:
        net.partial_fit(ids, y)
        yield net.history[-1, "dur"]


def labelling(task: Task) -> Iterator[float | None]:
    """Predict the ids of our vectorizer, with the fastest of some batch sizes."""
    train, labels, _ = split(task)
    texts = task.texts()[0]
    vectorizer = task.vectorizer(train)
    classes = np.unique(labels)

    def in_batches(size: int) -> Label:
        net = _net(vectorizer.embedding_matrix_, True, iterator_valid__batch_size=size)
        return lambda texts: classes[net.predict(np.asarray(vectorizer.transform(texts)))]

    label = fastest({str(n): in_batches(n) for n in (50, 128, 512)}, texts[:2000])
    yield None
    yield from seconds_of_all(label, texts)


def latency(task: Task) -> Iterator[float | None]:
    train, labels, texts = split(task)
    vectorizer = task.vectorizer(train)
    classes = np.unique(labels)
    net = _net(vectorizer.embedding_matrix_, tuned=True)
    yield None
    yield from seconds_of_one(
        lambda texts: classes[net.predict(np.asarray(vectorizer.transform(texts)))], texts
    )


def _net(vectors: np.ndarray, tuned: bool, **params: Any) -> NeuralNetClassifier:
    torch.set_num_threads(THREADS)
    torch.manual_seed(SEED)
    return NeuralNetClassifier(
        TextCNN,
        module__vectors=vectors,
        module__tuned=tuned,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=LEARNING_RATE,
        batch_size=BATCH_SIZE,
        max_epochs=1,
        iterator_train__shuffle=True,
        train_split=None,
        classes=[0, 1],
        verbose=0,
        **params,
    ).initialize()
