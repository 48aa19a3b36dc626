"""Speed and memory by size of the corpus, each size in fresh processes."""

import argparse
import gc
import time
from collections.abc import Iterator

import numpy as np
from contest import in_turn
from corpora import zipfian
from memory import forget_peak, peak
from report import Row, reached
from settings import SEED

LEAST_SHARE = 0.85
MOST_GIGABYTES = 1
_LEAST_TEXTS_IN_ALL = 50_000
_TEXTS_CHECKED = 2_000

_PARAMS = {"embedding_dim": 100, "max_epochs": 1, "wide": False, "random_state": SEED}

STEPS = ("vectorize", "train", "label")
Figure = dict[str, float]


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    title = "Growth, Zipfian texts of 50 words, default network, 100-d random vectors"
    figures: dict[int, list[Figure]] = {size: [] for size in args.sizes}
    for size in args.sizes:
        # Small sizes take little time, so they are measured more often.
        repeats = min(args.repeats, max(1, _LEAST_TEXTS_IN_ALL // size))
        call = {f"{size:,}": ("measures.growth:steps", size)}
        for _, figure in in_turn(call, repeats, f"{title}, {size:,}"):
            figures[size].append(figure)
    medians = {
        size: {key: float(np.median([f[key] for f in values])) for key in values[0]}
        for size, values in figures.items()
    }
    speeds, memory = [], []
    smallest = args.sizes[0]
    for size, median in medians.items():
        for step in STEPS:
            seconds = [figure[step] for figure in figures[size]]
            rate = size / median[step]
            share = rate / (smallest / medians[smallest][step])
            target = LEAST_SHARE if size == args.sizes[-1] != smallest else None
            speeds.append(
                {
                    "": f"{step}, {size:,} texts",
                    "median, s": median[step],
                    "least": min(seconds),
                    "most": max(seconds),
                    "texts/s": rate,
                    f"share of {smallest:,}": share,
                    **reached(share, target, at_least=True),
                }
            )
        beyond = (median["peak"] - median["matrix"]) / 1e9
        memory.append(
            {
                "texts": f"{size:,}",
                "texts, MB": median["texts"] / 1e6,
                "token matrix, MB": median["matrix"] / 1e6,
                "added at the peak, MB": median["peak"] / 1e6,
                "beyond the matrix, GB": beyond,
                **reached(beyond, MOST_GIGABYTES, at_least=False),
            }
        )
    yield title, speeds
    yield f"{title}, memory beside the texts", memory


def steps(size: int) -> Iterator[Figure | None]:
    """Vectorize, train for an epoch and label."""
    from equality import largest_difference

    from sktextcnn import TextCNNClassifier, TextVectorizer

    labels = np.random.default_rng(SEED).integers(2, size=size)
    # The cost of imports and first calls does not depend on the size.
    few = list(zipfian(100))
    X = TextVectorizer().fit_transform(few)
    TextCNNClassifier(**_PARAMS).fit(X, labels[:100]).predict(X)
    gc.collect()
    empty = forget_peak()
    texts = list(zipfian(size))
    yield None
    gc.collect()
    before = forget_peak()
    marks = [time.perf_counter()]
    vectorizer = TextVectorizer()
    X = vectorizer.fit_transform(texts)
    marks.append(time.perf_counter())
    model = TextCNNClassifier(**_PARAMS).fit(X, labels)
    marks.append(time.perf_counter())
    model.predict(vectorizer.transform(texts))
    marks.append(time.perf_counter())
    figure = dict(zip(STEPS, np.diff(marks).tolist(), strict=True))
    figure |= {"peak": peak() - before, "matrix": X.nbytes, "texts": before - empty}
    largest_difference(model, X[:_TEXTS_CHECKED], labels[:_TEXTS_CHECKED])
    yield figure
