"""Steps of a training in one process and in several: ms, bytes, and the model of both.

A step takes ``a + b * texts / N`` ms of a process and ``c + d * MB`` ms of exchange. Each size of
batch is measured in fresh processes on this machine, which share its cores.
"""

import argparse
import multiprocessing
import pathlib
import statistics
import tempfile
import time
from typing import Any

import numpy as np
import torch
from corpora import read
from torch import distributed

from sktextcnn import TextCNNClassifier, TextVectorizer, data_parallel
from sktextcnn._data_parallel import Group

_BYTES = 4  # of a float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    parser.add_argument("--data", type=pathlib.Path, required=True, help="lines: label, tab, text")
    parser.add_argument("--vectors", type=pathlib.Path, help="default: random vectors")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 128, 512, 1024, 4096])
    parser.add_argument("--steps", type=int, default=40, help="measured for each size")


def run(args: argparse.Namespace) -> list:
    """Return the tables."""
    context = multiprocessing.get_context("spawn")
    rows, found = [], {}
    for size in args.processes:
        queue = context.SimpleQueue()
        with tempfile.TemporaryDirectory() as folder:
            started = [
                context.Process(target=_measure, args=(rank, size, args, folder, queue))
                for rank in range(size)
            ]
            for process in started:
                process.start()
            for process in started:
                process.join()
            if any(process.exitcode for process in started):
                raise SystemExit("A process failed; see above.")
            measured = queue.get()
        for batch, step in measured.items():
            found[size, batch] = step
            rows.append(
                {
                    "processes": size,
                    "texts a step": batch,
                    "ms a step": f"{step['step']:.1f}",
                    "of these exchange": f"{step['exchange']:.1f}",
                    "MB of dense gradients": f"{step['dense'] / 1e6:.2f}",
                    "MB of word vectors": f"{step['sparse'] / 1e6:.2f}",
                }
            )
    name = args.data.stem
    return [(f"Data-parallel steps, {name}", rows), (f"Model of steps, {name}", _model(found))]


def _measure(rank: int, size: int, args: argparse.Namespace, folder: str, queue: Any) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/group", rank=rank, world_size=size
    )
    texts, labels = read(args.data)
    X = TextVectorizer(embeddings=args.vectors, random_state=0).fit_transform(texts)
    labels = np.asarray(labels)
    measured = {}
    for batch in args.batches:
        # As many texts as the steps need, over and over; a file may be sorted by class.
        order = np.random.default_rng(0).permutation(len(labels))
        chosen = order[np.arange(batch * args.steps) % len(labels)]
        measured[batch] = _steps(X[chosen], labels[chosen], batch)
    if rank == 0:
        queue.put(measured)


def _steps(X: Any, labels: np.ndarray, batch: int) -> dict[str, float]:
    """Medians of the steps of an epoch, and their mean bytes."""
    starts, exchanges, bytes_of = [], [], {"dense": 0, "sparse": 0}
    add_gradients = Group.add_gradients

    def timed(group: Group, module: Any, *rest: Any) -> Any:
        start = time.perf_counter()
        loss = add_gradients(group, module, *rest)
        starts.append(start)
        exchanges.append(time.perf_counter() - start)
        for param in module.parameters():
            if param.grad is not None:
                kind = "sparse" if param.grad.is_sparse else "dense"
                values = param.grad._values() if param.grad.is_sparse else param.grad
                bytes_of[kind] += _BYTES * values.numel()
                # Which rows there are is told by a byte for each word of the vocabulary.
                bytes_of[kind] += len(param) if param.grad.is_sparse else 0
        return loss

    classifier = TextCNNClassifier(wide=False, batch_size=batch, max_epochs=1, random_state=0)
    Group.add_gradients = timed  # type: ignore[method-assign]
    try:
        with data_parallel():
            classifier.fit(X, labels)
    finally:
        Group.add_gradients = add_gradients  # type: ignore[method-assign]
    return {
        "step": 1000 * statistics.median(np.diff(starts)),
        "exchange": 1000 * statistics.median(exchanges),
        **{kind: n_bytes / len(starts) for kind, n_bytes in bytes_of.items()},
    }


def _model(found: dict[tuple[int, int], dict[str, float]]) -> list[dict[str, str]]:
    """The constants by least squares, and the batch from which several processes are faster."""
    own = np.array([(1.0, batch / size) for size, batch in found])
    ms = np.array([step["step"] - step["exchange"] for step in found.values()])
    a, b = np.linalg.lstsq(own, ms, rcond=None)[0]
    shared = [(size, step) for (size, _), step in found.items() if size > 1]
    if not shared:
        return [{"a, ms": f"{a:.2f}", "b, ms a text": f"{b:.4f}"}]
    sent = np.array(
        [(1.0, 2 * (n - 1) / n * (step["dense"] + step["sparse"]) / 1e6) for n, step in shared]
    )
    c, d = np.linalg.lstsq(sent, np.array([step["exchange"] for _, step in shared]), rcond=None)[0]
    rows = []
    for size in sorted({size for size, _ in shared} | {4, 8, 64}):
        row = {"processes": str(size), "a, ms": f"{a:.2f}", "b, ms a text": f"{b:.4f}"}
        row |= {"c, ms": f"{c:.2f}", "d, ms an MB sent": f"{d:.2f}"}
        for (n, batch), step in found.items():
            if n == max(n for n, _ in found):
                sent_mb = 2 * (size - 1) / size * (step["dense"] + step["sparse"]) / 1e6
                together = a + b * batch / size + c + d * sent_mb
                row[f"speed-up at {batch}"] = f"{(a + b * batch) / together:.2f}"
        rows.append(row)
    return rows
