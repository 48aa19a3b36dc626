"""Serve a model in a process of its own, and print its figures.

    python benchmarks/served.py SERVER FILE TEXTS PROBABILITIES

SERVER is a function below, FILE the model, TEXTS a JSON list. The probabilities of all texts are
written to PROBABILITIES in the format of NumPy, and the figures are printed as JSON. Only the
standard library is imported before the model is loaded, so that the process has only what this
server needs.
"""

import importlib.metadata
import json
import os
import pathlib
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from memory import peak

_ONE_BY_ONE = 500

Predict = Callable[[list[str]], Any]


# Servers: functions from the file of a model to a function from texts to probabilities.


def joblib(path: str) -> Predict:
    import joblib

    return joblib.load(path).predict_proba


def sktextcnn(path: str) -> Predict:
    import sktextcnn

    return sktextcnn.load(path).predict_proba


def onnx(path: str) -> Predict:
    sys.path.append(str(pathlib.Path(__file__).parents[1] / "examples"))
    from serve_onnx import TextModel

    return TextModel(path, threads=int(os.environ["OMP_NUM_THREADS"])).predict_proba


#: The packages that each server needs.
PACKAGES = {
    joblib: ["sktextcnn"],
    sktextcnn: ["sktextcnn"],
    onnx: ["numpy", "onnxruntime"],
}


# Measures: functions from a warm server, and texts that are new to it, to a figure.


def in_batch(predict: Predict, texts: list[str]) -> float:
    """Return documents per second, all in one call."""
    start = time.perf_counter()
    predict(texts)
    return len(texts) / (time.perf_counter() - start)


def one_by_one(predict: Predict, texts: list[str]) -> float:
    """Return documents per second, one in each call."""
    start = time.perf_counter()
    for text in texts[:_ONE_BY_ONE]:
        predict([text])
    return min(len(texts), _ONE_BY_ONE) / (time.perf_counter() - start)


def most_memory(predict: Predict, texts: list[str]) -> float:
    """Return the peak of resident memory in megabytes."""
    return peak() / 1e6


MEASURES = {
    # One by one first, before a call of all texts fills the caches.
    "documents/s, one by one": one_by_one,
    "documents/s, in one call": in_batch,
    "peak memory, MB": most_memory,
}


def installed_bytes(packages: list[str]) -> int:
    """Return the size of packages and of all packages that they require."""
    seen: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = re.sub("[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        # Requirements of extras and of other systems have a marker after a semicolon.
        required = importlib.metadata.requires(name) or ()
        waiting += [re.match(r"[\w.-]+", line)[0] for line in required if ";" not in line]
    files = [file for name in seen for file in importlib.metadata.files(name) or ()]
    return sum(file.locate().stat().st_size for file in files if file.locate().is_file())


def main(name: str, path: str, texts_path: str, probabilities_path: str) -> None:
    """Load a model, measure it, and print the figures."""
    texts = json.loads(pathlib.Path(texts_path).read_text())
    peer = {peer.__name__: peer for peer in PACKAGES}[name]
    predict = peer(path)
    predict(texts[:1])
    figures = {"ready": time.time(), "peak memory to the first label, MB": peak() / 1e6}
    half = len(texts) // 2
    predict(texts[:half])
    for label, measure in MEASURES.items():
        figures[label] = measure(predict, texts[half:])
    figures["installed, MB"] = installed_bytes(PACKAGES[peer]) / 1e6
    print(json.dumps(figures))
    predict(texts).dump(probabilities_path)


if __name__ == "__main__":
    main(*sys.argv[1:])
