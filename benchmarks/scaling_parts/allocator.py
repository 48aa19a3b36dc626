"""A fit and a prediction where a variable has malloc return memory, as in Dask's workers.

Dask starts its workers with ``MALLOC_TRIM_THRESHOLD_=65536``. Each fit and prediction is made in a
process of its own: without the variable, with it, and with it where the engine does not keep
memory during its calls. Processor time is compared, that of the system included, which clears the
pages; other programs of the machine disturb it less than they disturb the time of a clock.
"""

import argparse
import os
import pathlib
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import numpy as np
import torch
from corpora import read

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._compat import malloc

_VARIABLE = "MALLOC_TRIM_THRESHOLD_"
_VALUE = "65536"
_UNSET, _SET, _NOT_KEPT = "unset", _VALUE, f"{_VALUE}, and no memory is kept"
_PREDICTIONS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    parser.add_argument("--data", type=pathlib.Path, required=True, help="lines: label, tab, text")
    parser.add_argument("--vectors", type=pathlib.Path, help="default: random vectors")
    parser.add_argument("--max-epochs", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)


def run(args: argparse.Namespace) -> list:
    """Return the table."""
    rows = []
    for name, wide, work in (
        ("fit, the network alone", False, _fit),
        ("fit, with the linear model", True, _fit),
        ("prediction, the network alone", False, _predict),
        ("prediction, with the linear model", True, _predict),
    ):
        found: dict[str, list] = {_UNSET: [], _SET: [], _NOT_KEPT: []}
        for _ in range(args.turns):
            for setting, figures in found.items():
                figures.append(_in_new_process(work, setting, wide, args))
        medians = {setting: np.median(figures, axis=0) for setting, figures in found.items()}
        for setting, (seconds, of_system, faults) in medians.items():
            rows.append(
                {
                    "": name,
                    _VARIABLE: setting,
                    "processor time, s": f"{seconds:.2f}",
                    "of these the system, s": f"{of_system:.2f}",
                    "page faults": f"{faults:,.0f}",
                    "times that of unset": f"{seconds / medians[_UNSET][0]:.2f}",
                }
            )
    return [(f"Memory that malloc returns, {args.data.stem}", rows)]


def _in_new_process(work, setting: str, wide: bool, args: argparse.Namespace) -> tuple:
    # The variable is read when a process starts.
    with _variable(None if setting == _UNSET else _VALUE):
        pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        with pool:
            return pool.submit(
                work, setting != _NOT_KEPT, wide, args.data, args.vectors, args.max_epochs
            ).result()


@contextmanager
def _variable(value: str | None) -> Iterator[None]:
    before = os.environ.pop(_VARIABLE, None)
    if value is not None:
        os.environ[_VARIABLE] = value
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE, None)
        if before is not None:
            os.environ[_VARIABLE] = before


def _fit(kept: bool, wide: bool, data: pathlib.Path, vectors: pathlib.Path, epochs: int) -> tuple:
    texts, labels = _prepare(kept, data)
    X = TextVectorizer(embeddings=vectors, random_state=0).fit_transform(texts)
    classifier = TextCNNClassifier(wide=wide, max_epochs=epochs, random_state=0, device="cpu")
    classifier.fit(X[:500], labels[:500])
    before = _used()
    classifier.fit(X, labels)
    return tuple(_used() - before)


def _predict(
    kept: bool, wide: bool, data: pathlib.Path, vectors: pathlib.Path, epochs: int
) -> tuple:
    texts, labels = _prepare(kept, data)
    vectorizer = TextVectorizer(embeddings=vectors, random_state=0)
    X = vectorizer.fit_transform(texts[:1000])
    classifier = TextCNNClassifier(wide=wide, max_epochs=1, random_state=0, device="cpu")
    classifier.fit(X, labels[:1000])
    classifier.predict(vectorizer.transform(texts))
    before = _used()
    for _ in range(_PREDICTIONS):
        classifier.predict(vectorizer.transform(texts))
    return tuple((_used() - before) / _PREDICTIONS)


def _prepare(kept: bool, data: pathlib.Path) -> tuple:
    torch.set_num_threads(1)
    if not kept:
        malloc._low_thresholds = dict  # no thresholds to raise
    texts, labels = read(data)
    # Files may be sorted by class.
    order = np.random.default_rng(0).permutation(len(texts))
    return [texts[i] for i in order], labels[order]


def _used() -> np.ndarray:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return np.array([time.process_time(), usage.ru_stime, usage.ru_minflt])
