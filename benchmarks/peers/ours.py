"""TextCNNClassifier, through its public interface."""

import copy
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from corpora import Task
from equality import largest_difference
from settings import BATCH_SIZE, DROPOUT, KERNEL_SIZES, LEARNING_RATE, NUM_FILTERS, SEED, THREADS
from sklearn.pipeline import Pipeline, make_pipeline
from torch import Tensor

from peers._texts import seconds_of_all, seconds_of_one, split
from sktextcnn import TextCNNClassifier

# The first epoch of a fit warms up, as the peers' first turn does.
_EPOCHS = 3


def classifier(**params: Any) -> TextCNNClassifier:
    """Return the classifier with the network and training of all competitors."""
    torch.set_num_threads(THREADS)
    return TextCNNClassifier(
        kernel_sizes=KERNEL_SIZES,
        num_filters=NUM_FILTERS,
        dropout=DROPOUT,
        token_dropout=0.0,
        pool_size=None,
        wide=False,
        batch_size=BATCH_SIZE,
        learning_rate=LEARNING_RATE,
        lr_schedule="constant",
        random_state=SEED,
        device="cpu",
    ).set_params(**params)


def training(task: Task) -> Iterator[float | None]:
    yield from _training(task)


def training_bfloat16(task: Task) -> Iterator[float | None]:
    """Train with products in bfloat16, whose probabilities may exceed the tolerance."""
    yield from _training(task, precision="bfloat16")


def training_dense(task: Task) -> Iterator[float | None]:
    """Train with torch's convolutions."""
    yield from _training(task, convolution="dense")


def _training(task: Task, **params: Any) -> Iterator[float | None]:
    X, y = task.ids()
    yield None
    params |= {"finetune": task.tuned, "max_epochs": _EPOCHS, "device": task.device}
    checked = "precision" in params
    while True:
        model = classifier(**params).fit(X, y)
        if not checked:
            largest_difference(model, X, y)
            checked = True
        yield float(np.median(model.history_[1:, "dur"]))


def training_in_batches(task: Task, batch_size: int) -> Iterator[float | None]:
    yield from _training(task, batch_size=batch_size)


def training_dense_in_batches(task: Task, batch_size: int) -> Iterator[float | None]:
    yield from _training(task, batch_size=batch_size, convolution="dense")


def whole_fit(task: Task) -> Iterator[float | None]:
    """Run a whole fit of one epoch."""
    X, y = task.ids()
    yield None
    while True:
        start = time.perf_counter()
        classifier(finetune=task.tuned, max_epochs=1).fit(X, y)
        yield time.perf_counter() - start


def labelling(task: Task) -> Iterator[float | None]:
    model, texts = _fitted(task), task.texts()[0]
    yield None
    yield from seconds_of_all(model.predict, texts)


def first_labelling(task: Task) -> Iterator[float | None]:
    """Predict with a model that has not cached products of words."""
    model, texts = _fitted(task), task.texts()[0]
    yield None
    while True:
        # Copies have no cache.
        fresh = copy.deepcopy(model)
        start = time.perf_counter()
        fresh.predict(texts)
        yield time.perf_counter() - start


def latency(task: Task) -> Iterator[float | None]:
    model, texts = _fitted(task), split(task)[2]
    yield None
    yield from seconds_of_one(model.predict, texts)


def rate_of_mm(task: Task) -> Iterator[float | None]:
    """Yield multiply-adds per second of ``torch.mm``, for a batch's words and kernels."""
    yield from _rate(task, lambda rows, kernels: torch.mm(rows, kernels.T))


def rate_of_engine(task: Task) -> Iterator[float | None]:
    """Yield multiply-adds per second of the product that the engine uses."""
    from sktextcnn._network.max_over_time import _multiply

    yield from _rate(task, _multiply)


def _rate(task: Task, multiply: Callable[[Tensor, Tensor], Tensor]) -> Iterator[float | None]:
    torch.set_num_threads(THREADS)
    dim = task.vectorizer(task.texts()[0][:100]).embedding_matrix_.shape[1]
    rows, kernels = torch.rand(512, dim), torch.rand(sum(KERNEL_SIZES) * NUM_FILTERS, dim)
    n_products = 300
    yield None
    while True:
        start = time.perf_counter()
        for _ in range(n_products):
            multiply(rows, kernels)
        yield n_products * kernels.numel() * len(rows) / (time.perf_counter() - start)


def _fitted(task: Task) -> Pipeline:
    train, labels, _ = split(task)
    vectorizer = task.vectorizer(train)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = classifier(max_epochs=1).fit(vectorizer.transform(train), labels)
    texts, labels = task.texts()
    largest_difference(model, vectorizer.transform(texts), labels)
    return make_pipeline(vectorizer, model)
