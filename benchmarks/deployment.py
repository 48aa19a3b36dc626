"""Measure what serving a model needs: file size, start-up time, memory, documents per second.

    python benchmarks/deployment.py --data DIR --vectors glove.6B.100d.txt --python PYTHON

DIR has mr.tsv. Each line has a label, a tab and a text. PYTHON is the interpreter of an environment
with only NumPy and onnxruntime, which runs the ONNX files. Every turn of a server is a fresh
process, and the servers take turns. All probabilities are compared with those of the Pipeline; a
difference of more than 1e-5 is an error.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import joblib
import numpy as np
import onnx
import served
from corpora import Task
from models import kim_cnn
from report import Row, add_record_option, machine, show, table
from settings import SEED, TOLERANCE
from sklearn.pipeline import Pipeline
from tqdm import tqdm

import sktextcnn
from sktextcnn import Embeddings


class Peer(NamedTuple):
    """A way to store and serve a model.

    Parameters
    ----------
    write : callable
        Writes the Pipeline to a path.
    serve : callable
        A function of served.py that loads the file.
    bare : bool, default=False
        Whether it runs in the environment without torch and scikit-learn.
    """

    write: Callable[[Pipeline, pathlib.Path], Any]
    serve: Callable[[str], served.Predict]
    bare: bool = False


def stored(model: Pipeline, path: pathlib.Path) -> None:
    sktextcnn.export_onnx(model, path, tables="stored")


def mapped(model: Pipeline, path: pathlib.Path) -> None:
    """Write the products of words to a file of their own, which onnxruntime maps into memory."""
    stored(model, path)
    data = f"{path.name}.data"
    onnx.save(onnx.load(path), path, save_as_external_data=True, location=data)


def computed(model: Pipeline, path: pathlib.Path) -> None:
    sktextcnn.export_onnx(model, path, tables="computed")


PIPELINE = "Pipeline, joblib"
PEERS = {
    PIPELINE: Peer(joblib.dump, served.joblib),
    "Pipeline, sktextcnn.save": Peer(sktextcnn.save, served.sktextcnn),
    "ONNX, stored": Peer(stored, served.onnx, bare=True),
    "ONNX, stored and mapped": Peer(mapped, served.onnx, bare=True),
    "ONNX, computed": Peer(computed, served.onnx, bare=True),
}


def turn(peer: Peer, python: str, folder: pathlib.Path, expected: np.ndarray) -> dict[str, float]:
    """Serve a model in a fresh process, and return its figures."""
    paths = [str(folder / name) for name in (peer.write.__name__, "texts.json", "probabilities")]
    command = [python, "-W", "ignore", served.__file__, peer.serve.__name__, *paths]
    start = time.time()
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(process.stdout)
    figures["start to first label, s"] = figures.pop("ready") - start
    difference = float(np.abs(np.load(paths[-1], allow_pickle=True) - expected).max())
    if not difference <= TOLERANCE:
        raise AssertionError(f"Probabilities of {peer} differ by {difference:.2g}.")
    return figures | {"largest difference": difference}


def ratios(rows: list[Row]) -> list[Row]:
    """Return each server's figures divided by those of the Pipeline."""
    base = rows[0]
    return [
        {
            name: value if isinstance(value, str) or not base[name] else value / base[name]
            for name, value in row.items()
            if name != "largest difference"
        }
        for row in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--python", default=sys.executable, help="default: this one")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5, help="turns of each peer")
    parser.add_argument("--texts", type=int, help="number of sentences of MR to use; default: all")
    add_record_option(parser)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    texts, labels = Task(args.data, args.texts).texts()
    model = kim_cnn(Embeddings(args.vectors), SEED)
    # Small files leave out the words that no text has.
    model.set_params(textvectorizer__unseen_words=0).fit(texts, labels)
    expected = model.predict_proba(texts)
    figures: dict[str, list[dict[str, float]]] = {label: [] for label in PEERS}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "texts.json").write_text(json.dumps(texts))
        for peer in PEERS.values():
            peer.write(model, folder / peer.write.__name__)
        sizes = {
            label: sum(file.stat().st_size for file in folder.glob(f"{peer.write.__name__}*"))
            for label, peer in PEERS.items()
        }
        # The first turn is not counted: it brings all files into the system's cache.
        for repeat in tqdm(range(-1, args.repeats), desc="Turns", leave=False):
            for label, peer in PEERS.items():
                python = args.python if peer.bare else sys.executable
                figure = turn(peer, python, folder, expected)
                if repeat >= 0:
                    figures[label].append(figure)
    rows = [
        {"": label, "file, MB": sizes[label] / 1e6}
        | {name: float(np.median([turn[name] for turn in turns])) for name in turns[0]}
        for label, turns in figures.items()
    ]
    facts = machine() | {"threads": args.threads, "environment of ONNX": args.python}
    print(table("Machine", [{"": key, " ": value} for key, value in facts.items()]))
    show("Model files of MR", rows, args.record)
    show("Model files of MR, as ratios", ratios(rows), args.record)


if __name__ == "__main__":
    main()
