"""Scorer on Dask, Spark and Ray: texts per second of a worker, beside a single process.

All read the same Parquet files, score them in processes of one thread, and add up the
probabilities. A turn of each follows a turn of the others. The first turn, in which processes
import torch, load the model and meet each word for the first time, does not count.
"""

import argparse
import contextlib
import importlib.util
import multiprocessing
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
from corpora import read
from report import reached
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import Scorer, TextCNNClassifier, TextVectorizer

# The share of a single process's rate that a worker of each engine should have.
_TARGET = 0.85
_ALONE, _POOL = "a single process", "processes without an engine"
# What glibc does without Dask's nanny, or nearly.
_AS_GLIBC = {
    "MALLOC_TRIM_THRESHOLD_": 2**30,
    "MALLOC_MMAP_THRESHOLD_": 2**30,
    "OMP_NUM_THREADS": 1,
}

Turn = Callable[[], float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    parser.add_argument("--data", type=pathlib.Path, required=True, help="lines: label, tab, text")
    parser.add_argument("--vectors", type=pathlib.Path, help="default: random vectors")
    parser.add_argument("--rows", type=int, default=400_000, help="texts to score, repeated")
    parser.add_argument("--partition", type=int, default=25_000, help="texts of a file")
    parser.add_argument("--workers", type=int, default=2, help="processes of each engine")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--engines", nargs="*", default=["dask", "spark", "ray"])


def run(args: argparse.Namespace) -> list:
    """Return the table."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as engines:
        score, files = _prepared(args, pathlib.Path(folder))
        turns: dict[str, Turn] = {_ALONE: lambda: _summed(score, files)}
        pool = engines.enter_context(_pool(args.workers))
        turns[_POOL] = lambda: sum(pool.map(_summed_file, [score] * len(files), files))
        for name in args.engines:
            module = "pyspark" if name == "spark" else name
            if importlib.util.find_spec(module) is None:
                print(f"{name} is left out, as it is not installed.", file=sys.stderr)
                continue
            turns.update(_ENGINES[name](score, files, args.workers, engines))
        seconds: dict[str, list[float]] = {name: [] for name in turns}
        wanted = turns[_ALONE]()
        for number in range(args.turns + 1):
            for name, turn in turns.items():
                start = time.perf_counter()
                total = turn()
                if number:
                    seconds[name].append(time.perf_counter() - start)
                assert np.isclose(total, wanted), name
    rows = []
    alone = args.rows / np.array(seconds[_ALONE])
    for name, found in seconds.items():
        workers = 1 if name == _ALONE else args.workers
        rates = args.rows / np.array(found) / workers
        ratio = float(np.median(rates / alone))
        row = {
            "": name,
            "processes": workers,
            "texts/s of a process": f"{np.median(rates):,.0f}",
            "of a single one": f"{ratio:.2f}",
        }
        target = None if name in (_ALONE, _POOL) else _TARGET
        rows.append({**row, **reached(ratio, target, at_least=True)})
    return [(f"Scoring, {args.rows:,} texts of {args.data.stem}", rows)]


def _prepared(args: argparse.Namespace, folder: pathlib.Path) -> tuple[Scorer, list[str]]:
    """Return a scorer and the files to score."""
    texts, labels = read(args.data)
    model = make_pipeline(
        TextVectorizer(embeddings=args.vectors),
        TextCNNClassifier(max_epochs=1, random_state=0, device="cpu"),
    )
    sktextcnn.save(model.fit(texts, labels), folder / "model.sktextcnn")
    # In another order each time, as no two parts of a table are the same.
    rng, order = np.random.default_rng(0), np.empty(0, int)
    while len(order) < args.rows:
        order = np.concatenate([order, rng.permutation(len(texts))])
    column = pa.array(texts).take(order[: args.rows])
    (folder / "texts").mkdir()
    files = []
    for start in range(0, args.rows, args.partition):
        file = folder / "texts" / f"{start:09}.parquet"
        pa.parquet.write_table(pa.table({"text": column.slice(start, args.partition)}), file)
        files.append(str(file))
    return Scorer(folder / "model.sktextcnn", "text", keep=[], prediction=None), files


def _summed_file(score: Scorer, file: str) -> float:
    return _summed(score, [file])


def _summed(score: Scorer, files: list[str]) -> float:
    frames = score.batches(pa.dataset.dataset(files))
    return sum(frame["probability"].to_numpy().sum() for frame in frames)


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))


def _on_dask(
    score: Scorer, files: list[str], workers: int, engines: contextlib.ExitStack
) -> Iterator[tuple[str, Turn]]:
    import dask
    import dask.dataframe as dd
    from dask.distributed import Client, LocalCluster

    for label, environment in (
        ("Dask", {}),
        ("Dask, MALLOC_ thresholds raised", _AS_GLIBC),
    ):
        settings = {"distributed.nanny.pre-spawn-environ": environment} if environment else {}
        with dask.config.set(settings):
            cluster = engines.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")
            )
        client = engines.enter_context(Client(cluster, set_as_default=False))
        ddf = dd.read_parquet(files)
        total = ddf.map_partitions(score, meta=score.meta(ddf))["probability"].sum()
        yield label, lambda client=client, total=total: client.compute(total).result()


def _on_spark(
    score: Scorer, files: list[str], workers: int, engines: contextlib.ExitStack
) -> Iterator[tuple[str, Turn]]:
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master(f"local[{workers}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    engines.callback(spark.stop)
    spark.sparkContext.setLogLevel("ERROR")
    schema = score.schema(spark.read.parquet(*files))

    def total(method: str) -> float:
        # A new frame each time, as Spark keeps what it has computed of one.
        sdf = spark.read.parquet(*files)
        scored = getattr(sdf, method)(score.batches, schema)
        return scored.groupBy().sum("probability").collect()[0][0]

    for method in ("mapInArrow", "mapInPandas"):
        yield f"Spark, {method}", partial(total, method)


def _on_ray(
    score: Scorer, files: list[str], workers: int, engines: contextlib.ExitStack
) -> Iterator[tuple[str, Turn]]:
    import ray

    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    engines.callback(ray.shutdown)
    settings = ray.data.DataContext.get_current()
    settings.enable_progress_bars = False
    # The newer reader makes one block of small files, whatever the number that is wanted.
    settings.use_datasource_v2 = False

    def total() -> float:
        # The folder: of several paths, Ray imports file systems in threads that disturb each other.
        folder = str(pathlib.Path(files[0]).parent)
        dataset = ray.data.read_parquet(folder, override_num_blocks=len(files))
        scored = dataset.map_batches(score, batch_format="pyarrow", batch_size=None)
        tables = scored.iter_batches(batch_format="pyarrow", batch_size=None)
        return sum(table["probability"].to_numpy().sum() for table in tables)

    yield "Ray", total


_ENGINES = {"dask": _on_dask, "spark": _on_spark, "ray": _on_ray}
