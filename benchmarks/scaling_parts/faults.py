"""Faults in the middle of a job, each caused several times: what becomes of the job.

A process that is killed gets SIGKILL, and "interrupted" is Ctrl-C. The disk that is full is a limit
on the size of a file. Workers that are killed in a search are a table of the part "search".
"""

import argparse
import contextlib
import importlib.util
import multiprocessing
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from corpora import read
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback
from torch import distributed

import sktextcnn
from sktextcnn import Scorer, TextCNNClassifier, TextVectorizer, data_parallel, fit_chunks

_ROWS = 500  # of a chunk, or of a frame that is scored
_TIMEOUT = 5  # of a step in data_parallel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    parser.add_argument("--data", type=pathlib.Path, required=True, help="lines: label, tab, text")
    parser.add_argument("--times", type=int, default=5, help="how often each fault is caused")


def run(args: argparse.Namespace) -> list:
    """Return the tables."""
    texts, labels = read(args.data)
    with tempfile.TemporaryDirectory() as folder:
        # Of processes that this one starts.
        here = str(pathlib.Path(__file__).parents[1])
        os.environ["PYTHONPATH"] = os.pathsep.join([here, *filter(None, sys.path)])
        os.environ["OMP_NUM_THREADS"] = "1"
        return [
            ("Faults while reading and training on chunks", _of_chunks(args, folder)),
            ("Lost processes of data_parallel", _of_groups(args)),
            ("Workers that are killed while they score", _of_scoring(texts, labels, args, folder)),
        ]


# Chunks -------------------------------------------------------------------------------


def _of_chunks(args: argparse.Namespace, folder: str) -> list[dict[str, str]]:
    rows = []
    for fault in ("disk full", "unreadable", "interrupted", "killed", "killed in an epoch"):
        where = pathlib.Path(folder, fault.replace(" ", "-"))
        where.mkdir()
        clean = 0
        for _ in range(args.times):
            command = [sys.executable, __file__, str(args.data), fault, str(where)]
            process = subprocess.run(command, stdout=subprocess.PIPE)
            as_it_was = process.returncode == -signal.SIGKILL or process.stdout == b"as it was\n"
            clean += as_it_was and not any(where.iterdir())
        rows.append({"fault": fault, "no files and an unchanged model": f"{clean} of {args.times}"})
    return rows


class _KillAtStep(Callback):
    def on_batch_end(self, net: Any, **kwargs: Any) -> None:
        if len(net.history[-1]["batches"]) == 20:
            os.kill(os.getpid(), signal.SIGKILL)


def _chunks_with(data: str, fault: str, folder: str) -> None:
    """Fit a model that is there, in this process, and say what the fault left of it."""
    # A process in the background may ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    texts, labels = read(pathlib.Path(data))
    # Both classes from the first chunk on.
    order = np.random.default_rng(0).permutation(len(texts))
    texts, labels = [texts[i] for i in order], np.asarray(labels)[order]
    settings = {"max_epochs": 1, "random_state": 0, "wide": False}
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**settings, embedding_dim=20))
    model.fit(texts[:_ROWS], labels[:_ROWS])
    before = model.predict_proba(texts[:100])
    if fault == "disk full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    if fault == "killed in an epoch":
        model[-1].set_params(callbacks=[("kill", _KillAtStep())])

    def chunks() -> Iterator[tuple]:
        for start in range(0, len(texts), _ROWS):
            if start == 10 * _ROWS:
                if fault == "unreadable":
                    raise OSError("no such block")
                if fault == "interrupted":
                    os.kill(os.getpid(), signal.SIGINT)
                if fault == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
            yield texts[start : start + _ROWS], labels[start : start + _ROWS]

    try:
        fit_chunks(model, chunks(), folder=folder)
    except (OSError, KeyboardInterrupt):
        same = np.array_equal(model.predict_proba(texts[:100]), before)
        print("as it was" if same else "changed", flush=True)


# Data-parallel training ---------------------------------------------------------------


class _LostAtStep(Callback):
    def __init__(self, how: int) -> None:
        self.how = how

    def on_batch_end(self, net: Any, **kwargs: Any) -> None:
        last = distributed.get_world_size() - 1
        if distributed.get_rank() == last and len(net.history[-1]["batches"]) == 20:
            os.kill(os.getpid(), self.how)


def _of_groups(args: argparse.Namespace) -> list[dict[str, str]]:
    rows = []
    context = multiprocessing.get_context("spawn")
    for what, how in (("killed", signal.SIGKILL), ("stopped", signal.SIGSTOP)):
        for size in (2, 3):
            seconds = []
            for _ in range(args.times):
                queue = context.SimpleQueue()
                with tempfile.TemporaryDirectory() as folder:
                    started = [
                        context.Process(target=_member, args=(rank, size, how, args, folder, queue))
                        for rank in range(size)
                    ]
                    for process in started:
                        process.start()
                    for process in started[:-1]:
                        process.join(120)
                    for process in started:
                        process.kill()
                        process.join()
                    while not queue.empty():
                        seconds.append(queue.get())
            rows.append(
                {
                    "a process of": size,
                    "is": what,
                    "others that raise an error": f"{len(seconds)} of {args.times * (size - 1)}",
                    "s until then, median": f"{np.median(seconds):.1f}",
                    "at most": f"{max(seconds, default=np.nan):.1f}",
                }
            )
    return rows


def _member(rank: int, size: int, how: int, args: argparse.Namespace, folder: str, queue: Any):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/group", rank=rank, world_size=size
    )
    texts, labels = read(args.data)
    X = TextVectorizer().fit_transform(texts)
    steps: list[float] = []

    class Clock(Callback):
        def on_batch_end(self, net: Any, **kwargs: Any) -> None:
            steps.append(time.monotonic())

    callbacks = [("clock", Clock()), ("lost", _LostAtStep(how))]
    classifier = TextCNNClassifier(
        embedding_dim=20, max_epochs=1, random_state=0, wide=False, callbacks=callbacks
    )
    with contextlib.suppress(RuntimeError), data_parallel(timeout=_TIMEOUT, start_timeout=30):
        classifier.fit(X, labels)
        return
    queue.put(time.monotonic() - steps[-1])
    # The group has lost a process, and cannot be destroyed.
    os._exit(0)


# Scoring ------------------------------------------------------------------------------


class _Dying:
    """Scores frames. The process of the third one is killed, once.

    Parameters
    ----------
    score : Scorer
    folder : str
        Has a file for each frame that was begun.
    """

    def __init__(self, score: Scorer, folder: str) -> None:
        self.score, self.folder = score, folder

    def __call__(self, frame: Any) -> Any:
        for number in range(3):
            with contextlib.suppress(FileExistsError):
                pathlib.Path(self.folder, str(number)).open("x").close()
                if number == 2:
                    os.kill(os.getpid(), signal.SIGKILL)
                break
        return self.score(frame)

    def batches(self, frames: Any) -> Iterator[Any]:
        for frame in frames:
            yield self(frame)


def _of_scoring(
    texts: list[str], labels: np.ndarray, args: argparse.Namespace, folder: str
) -> list[dict[str, str]]:
    model = make_pipeline(
        TextVectorizer(), TextCNNClassifier(max_epochs=1, random_state=0, device="cpu")
    )
    path = pathlib.Path(folder, "model.sktextcnn")
    sktextcnn.save(model.fit(texts, labels), path)
    score = Scorer(path, "text", keep=["id"])
    frame = pd.DataFrame({"id": range(len(texts)), "text": texts})
    wanted = score(frame).set_index("id")
    rows = []
    for name, (module, scored) in _ENGINES.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name} is left out, as it is not installed.", file=sys.stderr)
            continue
        survived, errors = 0, set()
        for _ in range(args.times):
            with tempfile.TemporaryDirectory() as begun:
                try:
                    found = scored(_Dying(score, begun), frame, score)
                    assert len(list(pathlib.Path(begun).iterdir())) == 3
                    found = found.set_index("id").sort_index()
                    # Each engine has types of its own.
                    survived += all(
                        found[name].tolist() == wanted[name].tolist() for name in wanted
                    )
                except Exception as error:  # Whatever ends a job.
                    errors.add(type(error).__name__)
        rows.append(
            {
                "a worker of": name,
                "jobs that give every row": f"{survived} of {args.times}",
                "errors": ", ".join(sorted(errors)) or "none",
            }
        )
    return rows


def _on_dask(dying: _Dying, frame: pd.DataFrame, score: Scorer) -> pd.DataFrame:
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
        Client(cluster),
    ):
        ddf = dd.from_pandas(frame, npartitions=max(4, len(frame) // _ROWS))
        return ddf.map_partitions(dying, meta=score.meta(ddf)).compute()


def _on_spark(dying: _Dying, frame: pd.DataFrame, score: Scorer) -> pd.DataFrame:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    # As on a cluster, a task that fails is tried again, up to four times in all.
    session = SparkSession.builder.master("local[2, 4]").config("spark.ui.enabled", "false")
    spark = session.config("spark.driver.host", "127.0.0.1").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    sdf = spark.createDataFrame(frame, "id long, text string").repartition(8)
    return sdf.mapInPandas(dying.batches, score.schema(sdf)).toPandas()


def _on_ray(dying: _Dying, frame: pd.DataFrame, score: Scorer, **how: Any) -> pd.DataFrame:
    import ray

    if not ray.is_initialized():
        environment = {"env_vars": {"PYTHONPATH": os.environ["PYTHONPATH"]}}
        ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, runtime_env=environment)
        ray.data.DataContext.get_current().enable_progress_bars = False
    dataset = ray.data.from_pandas(
        [frame[start : start + _ROWS] for start in range(0, len(frame), _ROWS)]
    )
    return dataset.map_batches(dying, batch_format="pandas", batch_size=_ROWS, **how).to_pandas()


def _on_actors(dying: _Dying, frame: pd.DataFrame, score: Scorer) -> pd.DataFrame:
    class Actor:
        def __call__(self, part: Any) -> Any:
            return dying(part)

    return _on_ray(Actor, frame, score, concurrency=2)  # type: ignore[arg-type]


_ENGINES: dict[str, tuple[str, Callable]] = {
    "Dask": ("dask", _on_dask),
    "Ray, tasks": ("ray", _on_ray),
    "Ray, actors": ("ray", _on_actors),
    "Spark": ("pyspark", _on_spark),
}


if __name__ == "__main__":
    _chunks_with(*sys.argv[1:])
