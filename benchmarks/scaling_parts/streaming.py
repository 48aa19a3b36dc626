"""Training on chunks of Parquet: memory and texts a second of corpora of several sizes.

Texts are synthetic: 50 words each, drawn by Zipf's law. Each size has two processes of its own, one
that writes the file and one that reads and trains, whose memory is measured.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

_N_WORDS, _LENGTH, _ROWS = 100_000, 50, 20_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this part."""
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 5_000_000])
    parser.add_argument("--network-alone", action="store_true", help="without the linear model")
    parser.add_argument("--folder", type=pathlib.Path, help="default: that of temporary files")


def run(args: argparse.Namespace) -> list:
    """Return the table."""
    found = []
    for size in args.sizes:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            file = str(pathlib.Path(folder, "texts.parquet"))
            command = [sys.executable, __file__]
            subprocess.run([*command, "write", file, str(size)], check=True)
            kind = "alone" if args.network_alone else "wide"
            output = subprocess.run(
                [*command, "train", file, kind], check=True, stdout=subprocess.PIPE
            )
        found.append(json.loads(output.stdout))
    first = found[0]
    rows = [
        {
            "texts": f"{size:,}",
            "largest memory, MB": f"{each['peak'] / 1e6:,.0f}",
            "of that not in files, MB": f"{each['anonymous'] / 1e6:,.0f}",
            "read and made ids, texts/s": f"{each['vectorized']:,.0f}",
            "ratio": f"{each['vectorized'] / first['vectorized']:.2f}",
            "an epoch, texts/s": f"{each['trained']:,.0f}",
            "its ratio": f"{each['trained'] / first['trained']:.2f}",
            "all, s": f"{each['seconds']:,.0f}",
        }
        for size, each in zip(args.sizes, found, strict=True)
    ]
    bytes_a_text = (found[-1]["anonymous"] - first["anonymous"]) / max(
        1, args.sizes[-1] - args.sizes[0]
    )
    print(f"{bytes_a_text:.0f} bytes of memory for each further text")
    return [("Training on chunks", rows)]


def write(file: str, size: int) -> None:
    """Write a corpus of two classes, which some words tell apart."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(_N_WORDS)], dtype=object)
    limits = np.cumsum(1 / np.arange(1, _N_WORDS + 1))
    limits /= limits[-1]
    schema = pa.schema([("text", pa.string()), ("label", pa.string())])
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, size, _ROWS):
            n = min(_ROWS, size - start)
            ids = limits.searchsorted(rng.random((n, _LENGTH)))
            labels = np.where((ids % 7 == 0).sum(axis=1) > _LENGTH // 7, "many", "few")
            texts = [" ".join(row) for row in words[ids].tolist()]
            writer.write_table(pa.table([texts, labels.tolist()], schema=schema))


def train(file: str, *, wide: bool) -> None:
    """Train for one epoch, and print what it took as JSON."""
    import pyarrow.parquet as pq
    from sklearn.pipeline import make_pipeline

    from sktextcnn import TextCNNClassifier, TextVectorizer, fit_chunks

    # Else pyarrow keeps all that it has read.
    parquet = pq.ParquetFile(file, pre_buffer=False)
    n_texts = parquet.metadata.num_rows
    read_at = []

    def chunks():
        yield from parquet.iter_batches(batch_size=_ROWS, columns=["text", "label"])
        read_at.append(time.perf_counter())

    largest, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(largest, done), daemon=True)
    watcher.start()
    model = make_pipeline(
        TextVectorizer(),
        TextCNNClassifier(embedding_dim=100, wide=wide, max_epochs=1, random_state=0, device="cpu"),
    )
    start = time.perf_counter()
    fit_chunks(model, chunks(), text="text", label="label", folder=str(pathlib.Path(file).parent))
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    result = {
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "anonymous": largest[0],
        "vectorized": n_texts / (read_at[0] - start),
        "trained": n_texts / model[-1].history_[0, "dur"],
        "seconds": seconds,
    }
    print(json.dumps(result))


def _watch(largest: list[int], done: threading.Event) -> None:
    """Note the most memory that is not that of a file."""
    while not done.wait(0.05):
        for line in pathlib.Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                largest[0] = max(largest[0], int(line.split()[1]) * 1024)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2], int(sys.argv[3]))
    else:
        train(sys.argv[2], wide=sys.argv[3] == "wide")
