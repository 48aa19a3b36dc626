"""A model in a process of its own, as a server would have it.

    python benchmarks/served.py PEER FILE TEXTS PROBABILITIES

FILE is the model, TEXTS a JSON list; the probabilities of all texts are written to PROBABILITIES,
as NumPy has them, and the figures printed as JSON. Until the peer loads its model nothing but the
standard library is imported, so that the process has what the peer needs and no more.
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


# Peers: from the file of a model to a function from texts to probabilities.


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


#: What is installed for each peer.
PACKAGES = {
    joblib: ["sktextcnn"],
    sktextcnn: ["sktextcnn"],
    onnx: ["numpy", "onnxruntime"],
}


# Measures: from a peer that has warmed up and texts that it has not seen to a figure.


def in_batch(predict: Predict, texts: list[str]) -> float:
    """Return documents a second, all in one call."""
    start = time.perf_counter()
    predict(texts)
    return len(texts) / (time.perf_counter() - start)


def one_by_one(predict: Predict, texts: list[str]) -> float:
    """Return documents a second, one in a call."""
    start = time.perf_counter()
    for text in texts[:_ONE_BY_ONE]:
        predict([text])
    return min(len(texts), _ONE_BY_ONE) / (time.perf_counter() - start)


def most_memory(predict: Predict, texts: list[str]) -> float:
    """Return the most megabytes that were resident up to now."""
    return peak() / 1e6


MEASURES = {
    # One by one first: what a call of all texts remembers would be known already.
    "documents/s, one by one": one_by_one,
    "documents/s, in one call": in_batch,
    "peak memory, MB": most_memory,
}


def installed_bytes(packages: list[str]) -> int:
    """Return the size of packages and of all that they require."""
    seen: set[str] = set()
    waiting = list(packages)
    while waiting:
        name = re.sub("[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        # Requirements of extras and other systems have a marker behind a semicolon.
        required = importlib.metadata.requires(name) or ()
        waiting += [re.match(r"[\w.-]+", line)[0] for line in required if ";" not in line]
    files = [file for name in seen for file in importlib.metadata.files(name) or ()]
    return sum(file.locate().stat().st_size for file in files if file.locate().is_file())


def main(name: str, path: str, texts_path: str, probabilities_path: str) -> None:
    """Load a model, ask it, and print the figures."""
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
