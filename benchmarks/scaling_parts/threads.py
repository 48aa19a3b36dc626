"""Trainings in threads of one process, beside the same ones one after another.

A search over threads (joblib's threading backend, Dask's threaded workers, ``OptunaSearchCV`` with
``n_jobs``) trains several models in one process.
"""

import argparse
import pathlib
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from corpora import read

from sktextcnn import TextCNNClassifier, TextVectorizer

_TURNS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    parser.add_argument("--data", type=pathlib.Path, required=True, help="lines: label, tab, text")
    parser.add_argument("--vectors", type=pathlib.Path, help="default: random vectors")
    parser.add_argument("--max-epochs", type=int, default=3)


def run(args: argparse.Namespace) -> list:
    """Return the table."""
    texts, labels = read(args.data)
    X = TextVectorizer(embeddings=args.vectors, random_state=0).fit_transform(texts)

    def fit(seed: int, wide: bool) -> None:
        TextCNNClassifier(
            wide=wide, max_epochs=args.max_epochs, random_state=seed, device="cpu"
        ).fit(X, labels)

    rows = []
    for wide in (True, False):
        times: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(_TURNS):
            for n_threads, found in times.items():
                start = time.perf_counter()
                with ThreadPoolExecutor(n_threads) as pool:
                    list(pool.map(fit, range(4), [wide] * 4))
                found.append(time.perf_counter() - start)
        one, two = (np.median(found) for found in times.values())
        ratio = np.median(np.divide(times[1], times[2]))
        name = "with the linear model" if wide else "the network alone"
        rows.append(
            {
                "four trainings": name,
                "one thread, s": f"{one:.1f}",
                "two threads, s": f"{two:.1f}",
                "speed-up": f"{ratio:.2f}",
            }
        )
    return [(f"Trainings in threads, {args.data.stem}", rows)]
