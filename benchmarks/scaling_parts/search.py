"""Searches in processes, on Dask and on Ray: seconds, bytes of a task, and workers that are killed.

Bytes are those that pass the machine's loopback, between the client, the scheduler and the workers
of Dask, so that a task counts on each of its ways.
"""

import argparse
import contextlib
import importlib.util
import logging
import os
import pathlib
import signal
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
from corpora import read
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer

_RATES = {"textcnnclassifier__learning_rate": [1e-3, 2e-3, 4e-3]}
_FOLDS = 2
_FITS = _FOLDS * len(_RATES["textcnnclassifier__learning_rate"])


class KilledAt(TransformerMixin, BaseEstimator):
    """Gives texts back. The process of the fit of that number is killed, once.

    Parameters
    ----------
    folder : str or None, default=None
        Has a file for each fit that has begun. None kills nothing.
    number : int, default=0
        The fit, from 0.
    """

    def __init__(self, folder: str | None = None, number: int = 0) -> None:
        self.folder = folder
        self.number = number

    def fit(self, texts: Any, labels: Any = None) -> "KilledAt":
        """Kill the process, or do nothing."""
        number = 0
        while self.folder is not None:
            with contextlib.suppress(FileExistsError):
                pathlib.Path(self.folder, str(number)).open("x").close()
                break
            number += 1
        if self.folder is not None and number == self.number:
            os.kill(os.getpid(), signal.SIGKILL)
        return self

    def transform(self, texts: Any) -> Any:
        """Return the texts."""
        return texts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    parser.add_argument("--data", type=pathlib.Path, required=True, help="lines: label, tab, text")
    parser.add_argument("--texts", type=int, help="so many, drawn at random; default: all")
    parser.add_argument("--max-epochs", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20, help="searches with a killed worker")
    parser.add_argument("--words", type=int, default=50_000, help="with vectors in memory")


def run(args: argparse.Namespace) -> list:
    """Return the tables."""
    texts, labels = read(args.data)
    chosen = np.random.default_rng(0).permutation(len(texts))[: args.texts]
    texts, labels = [texts[i] for i in chosen], np.asarray(labels)[chosen]
    model = _model(args.max_epochs)
    return [
        (f"Searches on engines, {args.data.stem}", _seconds(model, texts, labels)),
        ("Bytes of a fit on Dask", _bytes(texts, labels, args.words)),
        ("Searches with a killed worker", _killed(texts, labels, args.kills)),
    ]


def _model(max_epochs: int, embeddings: Any = None, **killed: Any) -> Any:
    return make_pipeline(
        KilledAt(**killed),
        TextVectorizer(embeddings=embeddings, random_state=0),
        TextCNNClassifier(max_epochs=max_epochs, random_state=0),
    )


def _search(model: Any, cv: Any = _FOLDS) -> GridSearchCV:
    return GridSearchCV(model, _RATES, cv=cv, refit=False, error_score="raise")


def _as_array(texts: list[str]) -> np.ndarray:
    return np.array(texts, dtype=object)


# Seconds ------------------------------------------------------------------------------


def _seconds(model: Any, texts: list[str], labels: np.ndarray) -> list[dict[str, Any]]:
    array = _as_array(texts)
    rows, scores = [], []
    for engine in ("loky", "dask", "ray"):
        if engine != "loky" and importlib.util.find_spec(engine) is None:
            continue
        seconds = {}
        for n_workers in (1, 2):
            with _ENGINES[engine](n_workers, array, labels):
                # Workers import the package in their first fit.
                _search(model).fit(array, labels)
                start = time.perf_counter()
                search = _search(model).fit(array, labels)
                seconds[n_workers] = time.perf_counter() - start
            scores.append(search.cv_results_["mean_test_score"])
        rows.append(
            {
                "engine": engine,
                "one process, s": f"{seconds[1]:.1f}",
                "two processes, s": f"{seconds[2]:.1f}",
                "speed-up": f"{seconds[1] / seconds[2]:.2f}",
                "the same bits": "yes" if (scores[-1] == scores[0]).all() else "no",
            }
        )
    return rows


@contextlib.contextmanager
def _loky(n_workers: int, texts: Any, labels: Any) -> Iterator[None]:
    with joblib.parallel_config("loky", n_jobs=n_workers):
        yield


@contextlib.contextmanager
def _dask(n_workers: int, texts: Any, labels: Any) -> Iterator[None]:
    with _client(n_workers), joblib.parallel_config("dask", scatter=[texts, labels]):
        yield


@contextlib.contextmanager
def _ray(n_workers: int, texts: Any, labels: Any) -> Iterator[None]:
    import ray
    from ray.util.joblib import register_ray

    path = os.pathsep.join([str(pathlib.Path(__file__).parents[1]), os.getcwd()])
    environment = {"env_vars": {"PYTHONPATH": path}}
    ray.init(
        num_cpus=n_workers, include_dashboard=False, log_to_driver=False, runtime_env=environment
    )
    register_ray()
    with joblib.parallel_config("ray", n_jobs=n_workers):
        yield
    ray.shutdown()


_ENGINES = {"loky": _loky, "dask": _dask, "ray": _ray}


@contextlib.contextmanager
def _client(n_workers: int = 2) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


# Bytes --------------------------------------------------------------------------------


def _bytes(texts: list[str], labels: np.ndarray, n_words: int) -> list[dict[str, Any]]:
    matrix = np.random.default_rng(0).normal(size=(n_words, 100)).astype(np.float32)
    known = sorted({word for text in texts for word in text.lower().split()})[: n_words // 2]
    words = known + [f"word{i}" for i in range(n_words - len(known))]
    in_memory = Embeddings((words, matrix))
    array = _as_array(texts)
    rows = []
    with tempfile.TemporaryDirectory() as folder, _client():
        saved = in_memory.save(pathlib.Path(folder, "vectors.bin"))
        for what, given, scatter, embeddings in (
            ("a list", texts, [], None),
            ("an object array", array, [], None),
            ("an object array, scattered", array, [array, labels], None),
            ("the same, and vectors in memory", array, [array, labels], in_memory),
            ("the same, and vectors that were saved", array, [array, labels], saved),
        ):
            before = _loopback()
            with joblib.parallel_config("dask", scatter=scatter):
                _search(_model(1, embeddings)).fit(given, labels)
            sent = (_loopback() - before) / _FITS
            rows.append({"texts": what, "MB a fit": f"{sent / 1e6:.2f}"})
    size = sum(len(text.encode()) for text in texts)
    rows.append({"texts": "for comparison: the texts themselves", "MB a fit": f"{size / 1e6:.2f}"})
    rows.append({"texts": "and the vectors", "MB a fit": f"{matrix.nbytes / 1e6:.2f}"})
    return rows


def _loopback() -> int:
    import psutil

    return psutil.net_io_counters(pernic=True)["lo"].bytes_sent


# Killed workers -----------------------------------------------------------------------


def _killed(texts: list[str], labels: np.ndarray, n_kills: int) -> list[dict[str, Any]]:
    array = _as_array(texts)
    numbers = np.random.default_rng(0).integers(_FITS, size=n_kills)
    rows = []
    splits = list(StratifiedKFold(_FOLDS).split(array, labels))
    of_folds = [numbers_of_texts for split in splits for numbers_of_texts in split]
    for what, given, cv, scatter in (
        ("a list", texts, _FOLDS, []),
        ("an object array", array, _FOLDS, []),
        ("an object array, scattered", array, _FOLDS, [array, labels]),
        ("the same, and the folds", array, splits, [array, labels, *of_folds]),
    ):
        survived, errors = 0, set()
        for number in numbers:
            # A cluster of its own for each search, as an error can leave one without workers.
            with tempfile.TemporaryDirectory() as folder, _client():
                model = _model(1, folder=folder, number=int(number))
                try:
                    with joblib.parallel_config("dask", scatter=scatter):
                        _search(model, cv).fit(given, labels)
                    survived += 1
                except Exception as error:  # Whatever ends a search.
                    errors.add(type(error).__name__)
        rows.append(
            {
                "sent": what,
                "searches that end well": f"{survived} of {n_kills}",
                "errors": ", ".join(sorted(errors)) or "none",
            }
        )
    return rows
