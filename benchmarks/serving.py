"""Measure the HTTP service of examples/serve_http.py: requests per second, memory of its workers.

    python benchmarks/serving.py

The texts are docstrings of installed libraries, so nothing is downloaded. Install the service with
``pip install 'sktextcnn[serve]'``. Clients run on the same cores as the service.
"""

import argparse
import contextlib
import functools
import gc
import http.client
import json
import multiprocessing
import multiprocessing.synchronize
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import joblib
import numpy as np
import torch
from memory import private_and_share
from report import Row, add_record_option, machine, show, table
from settings import SEED
from sklearn.pipeline import Pipeline, make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn.datasets import load_docstrings

_EXAMPLE = pathlib.Path(__file__).parents[1] / "examples" / "serve_http.py"
_BATCHES = (1, 32)
# Numbers of workers, threads of each worker, and clients.
_SERVICES = {
    "one worker, one client": (1, 1, 1),
    "one worker, eight clients": (1, 1, 8),
    "one worker of two threads, eight clients": (1, 2, 8),
    "two workers, eight clients": (2, 1, 8),
}
_ROUNDS = 5
_DIRECT = "the Pipeline, without HTTP"
_SHARING_WORKERS = 4
_IDS, _DIM = 200_000, 100

Ask = Callable[[list[str]], list[list[float]]]


def measure(asks: list[Ask], batches: list[list[str]], seconds: float) -> tuple[float, list[float]]:
    """Return the number of calls per second, and the seconds of each call.

    Parameters
    ----------
    asks : list of callable
        One for each client. Clients run at the same time.
    batches : list of list of str
        Requests. Each is sent by the first client that is free.
    seconds : float
        No call begins after this time.
    """
    waiting = iter(batches)
    start = time.perf_counter()

    def work(ask: Ask) -> list[float]:
        took = []
        for batch in waiting:
            before = time.perf_counter()
            if before > start + seconds:
                break
            ask(batch)
            took.append(time.perf_counter() - before)
        return took

    with ThreadPoolExecutor(len(asks)) as pool:
        each = [one for took in pool.map(work, asks) for one in took]
    return len(each) / (time.perf_counter() - start), each


@contextlib.contextmanager
def service(model: pathlib.Path, workers: int, threads: int) -> Iterator[tuple[str, int]]:
    """Run the service, and yield its address."""
    options = ["--port", "0", "--workers", str(workers), "--threads", str(threads)]
    process = subprocess.Popen(
        [sys.executable, str(_EXAMPLE), str(model), *options], stdout=subprocess.PIPE, text=True
    )
    try:
        host, port = process.stdout.readline().strip().rpartition("//")[2].split(":")
        yield host, int(port)
    finally:
        process.terminate()
        process.wait()


def clients_of(address: tuple[str, int], n_clients: int) -> list[Ask]:
    """Return clients that keep their connections, which the service closes when they are idle."""
    return [functools.partial(_ask, http.client.HTTPConnection(*address)) for _ in range(n_clients)]


def _ask(connection: http.client.HTTPConnection, texts: list[str]) -> list[list[float]]:
    connection.request("POST", "/predict", json.dumps({"texts": texts}))
    answer = connection.getresponse()
    content = json.loads(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"The service refused a request: {content}")
    return content["probabilities"]


def speed(folder: pathlib.Path, args: argparse.Namespace) -> None:
    """Show the rates and latencies of the service and of the Pipeline without it."""
    texts, labels = load_docstrings()
    classifier = TextCNNClassifier(max_epochs=1, wide=False, random_state=SEED)
    model = make_pipeline(TextVectorizer(), classifier)
    joblib.dump(model.fit(texts, labels), folder / "model.joblib")
    rng = np.random.default_rng(SEED)

    def directly(batch: list[str]) -> list[list[float]]:
        return model.predict_proba(batch).tolist()

    competitors: dict[str, Callable[[], list[Ask]]] = {_DIRECT: lambda: [directly]}
    rows = []
    with contextlib.ExitStack() as stack:
        for name, (workers, threads, clients) in _SERVICES.items():
            address = stack.enter_context(service(folder / "model.joblib", workers, threads))
            competitors[name] = functools.partial(clients_of, address, clients)
        for size in _BATCHES:
            batches = [
                [texts[i] for i in rng.integers(len(texts), size=size)]
                for _ in range(args.requests)
            ]
            for name, connect in competitors.items():
                if any(ask(batches[0]) != directly(batches[0]) for ask in connect()):
                    raise AssertionError(f"{name} and the Pipeline differ.")
                measure(connect(), batches, args.seconds / 2)  # fills the caches of words
            rounds: dict[str, list] = {name: [] for name in competitors}
            for _ in range(_ROUNDS):
                for name, connect in competitors.items():
                    rounds[name].append(measure(connect(), batches, args.seconds / _ROUNDS))
            direct = np.median([rate for rate, _ in rounds[_DIRECT]])
            for name, found in rounds.items():
                rate = float(np.median([rate for rate, _ in found]))
                took = np.concatenate([each for _, each in found]) * 1e3
                rows.append(
                    {
                        "docstrings a request": size,
                        "": name,
                        "requests/s": rate,
                        "texts/s": rate * size,
                        "of the Pipeline's": rate / float(direct),
                        **{f"p{q}, ms": float(np.percentile(took, q)) for q in (50, 95, 99)},
                    }
                )
    show("Speed on loopback", rows, args.record)


def large_model() -> tuple[Pipeline, list[list[str]]]:
    """Return a model with a large embedding, trained for one epoch, and batches of texts."""
    rng = np.random.default_rng(SEED)
    words = [f"word{i}" for i in range(_IDS)]
    batches = [
        [" ".join(words[i % _IDS] for i in rng.zipf(1.3, 30)) for _ in range(50)] for _ in range(40)
    ]
    classifier = TextCNNClassifier(max_epochs=1, embedding_dim=_DIM, wide=False, random_state=SEED)
    model = make_pipeline(TextVectorizer(vocabulary=words), classifier)
    return model.fit(batches[0], np.arange(len(batches[0])) % 2), batches


def _work(
    model: Any,
    batches: list[list[str]],
    mmap_mode: str | None,
    together: multiprocessing.synchronize.Barrier,
    answers: Any,
) -> None:
    if isinstance(model, pathlib.Path):
        model = joblib.load(model, mmap_mode=mmap_mode)
    for batch in batches:
        model.predict_proba(batch)
    # Garbage of the oldest generation is collected sooner or later.
    gc.collect()
    together.wait()
    answers.put(private_and_share())
    together.wait()


def _preload(kind: str, path: pathlib.Path, batches: list[list[str]], answers: Any) -> None:
    """Start workers, and put the memory of each worker and of all processes into `answers`."""
    torch.set_num_threads(1)
    forked = kind.startswith("forked")
    model = joblib.load(path) if forked else path
    if kind.endswith("freeze"):
        gc.collect()
        gc.freeze()
    context = multiprocessing.get_context("fork" if forked else "spawn")
    together, theirs = context.Barrier(_SHARING_WORKERS + 1), context.SimpleQueue()
    mmap_mode = "r" if "mapped" in kind else None
    workers = [
        context.Process(target=_work, args=(model, batches, mmap_mode, together, theirs))
        for _ in range(_SHARING_WORKERS)
    ]
    for worker in workers:
        worker.start()
    together.wait()
    found = [theirs.get() for _ in workers]
    share = private_and_share()[1] if forked else 0
    together.wait()
    for worker in workers:
        worker.join()
    answers.put(([private for private, _ in found], sum(pss for _, pss in found) + share))


def sharing(folder: pathlib.Path, args: argparse.Namespace) -> None:
    """Show the memory of workers that are forked, and of workers that load the model."""
    model, batches = large_model()
    path = folder / "large.joblib"
    joblib.dump(model, path)
    weights = sum(p.nbytes for p in model[-1].net_.module_.parameters())
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    rows: list[Row] = []
    for kind in ("loaded by each", "loaded by each, mapped", "forked", "forked after gc.freeze"):
        process = context.Process(target=_preload, args=(kind, path, batches, answers))
        process.start()
        privates, total = answers.get()
        process.join()
        rows.append(
            {
                "": kind,
                "private of a worker, MB": float(np.median(privates)) / 1e6,
                "all processes, MB": total / 1e6,
            }
        )
    print(f"The weights of the large model have {weights / 1e6:.0f} MB.")
    show(f"Memory of {_SHARING_WORKERS} workers", rows, args.record)


def main() -> None:
    """Measure speed and memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000, help="most requests of a turn")
    parser.add_argument("--seconds", type=float, default=10, help="most seconds of a row")
    add_record_option(parser)
    args = parser.parse_args()
    torch.set_num_threads(1)
    facts = {**machine(), "threads": torch.get_num_threads()}
    print(table("Machine", [{"": name, "is": value} for name, value in facts.items()]))
    with tempfile.TemporaryDirectory() as folder:
        speed(pathlib.Path(folder), args)
        sharing(pathlib.Path(folder), args)


if __name__ == "__main__":
    main()
