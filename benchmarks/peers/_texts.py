"""Time the prediction of raw texts, for all competitors."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from corpora import Task

_HELD_OUT = 0.1
_TEXTS_OF_A_TURN = 50

Label = Callable[[list[str]], Any]


def split(task: Task) -> tuple[list[str], np.ndarray, list[str]]:
    """Return training texts, their labels, and texts that no competitor is trained on."""
    texts, labels = task.texts()
    n_train = round(len(texts) * (1 - _HELD_OUT))
    return texts[:n_train], labels[:n_train], texts[n_train:]


def seconds_of_all(label: Label, texts: list[str]) -> Iterator[float]:
    """Yield the seconds to predict all texts."""
    while True:
        start = time.perf_counter()
        label(texts)
        yield time.perf_counter() - start


def seconds_of_one(label: Label, texts: list[str]) -> Iterator[float]:
    """Yield the median seconds to predict one text, of some other texts in each turn."""
    first = 0
    while True:
        seconds = []
        for _ in range(_TEXTS_OF_A_TURN):
            start = time.perf_counter()
            label([texts[first % len(texts)]])
            seconds.append(time.perf_counter() - start)
            first += 1
        yield float(np.median(seconds))


def fastest(ways: dict[str, Label], texts: list[str]) -> Label:
    """Return the way to predict that takes the least time on these texts."""
    seconds = {}
    for name, label in ways.items():
        label(texts)
        start = time.perf_counter()
        label(texts)
        seconds[name] = time.perf_counter() - start
    return ways[min(seconds, key=seconds.__getitem__)]
