"""Seconds of an import, and of an import with a first small fit, in fresh interpreters."""

import argparse
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
from report import Row, reached
from tqdm import tqdm

FIT = """
from sklearn.pipeline import make_pipeline
from sktextcnn import TextCNNClassifier, TextVectorizer
classifier = TextCNNClassifier(max_epochs=1, wide=False)
make_pipeline(TextVectorizer(), classifier).fit(["a", "b"] * 5, [0, 1] * 5)
"""
STATEMENTS = {
    "import sktextcnn": "import sktextcnn",
    "import sklearn": "import sklearn",
    "import torch": "import torch",
    "import sklearn and torch": "import sklearn, torch",
    "import sktextcnn and a fit": FIT,
}
MOST_SECONDS_BEYOND_TORCH = 0.5
TURNS = 3


def measure(args: argparse.Namespace) -> Iterator[tuple[str, list[Row]]]:
    seconds: dict[str, list[float]] = {label: [] for label in STATEMENTS}
    # The first turn is not counted: it brings all compiled files into the system's cache.
    for turn in tqdm(range(-1, TURNS * args.repeats), desc="Imports", leave=False):
        for label, statement in STATEMENTS.items():
            figure = _seconds(statement)
            if turn >= 0:
                seconds[label].append(figure)
    median = {label: float(np.median(values)) for label, values in seconds.items()}
    limits = {
        "import sktextcnn": median["import sklearn"],
        "import sktextcnn and a fit": median["import torch"] + MOST_SECONDS_BEYOND_TORCH,
    }
    yield (
        "Imports in fresh interpreters",
        [
            {
                "": label,
                "median, s": median[label],
                "least": min(values),
                "most": max(values),
                **reached(median[label], limits.get(label), at_least=False),
            }
            for label, values in seconds.items()
        ],
    )


def _seconds(statement: str) -> float:
    code = (
        f"import time; start = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    return float(run.stdout)
