"""Measure training and prediction while other programs use the cores.

    python benchmarks/busy_machine.py [--data mr.tsv] [--busy 0 2] [--texts 8000] [--repeats 3]

For each number of busy loops that run beside it, in processes of their own: the default, one
thread, and all threads by OpenMP, in turns. Prints seconds, and how many times those of one thread
they are. mr.tsv has a label, a tab and a text on each line; without it, the texts are docstrings.
"""

import argparse
import multiprocessing
import pathlib
import time
import warnings

import joblib
import numpy as np
from corpora import read
from report import table


def busy(stop: "multiprocessing.synchronize.Event") -> None:
    while not stop.is_set():
        sum(range(1 << 16))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--texts", type=int, default=8000)
    parser.add_argument("--length", type=int, help="join the texts to documents of so many words")
    parser.add_argument("--busy", type=int, nargs="*", default=[0, joblib.cpu_count()])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--architecture", choices=["kim", "stacked"], default="kim")
    parser.add_argument("--convolution", choices=["lookup", "dense"], default="lookup")
    return parser.parse_args()


def texts_of(args: argparse.Namespace) -> tuple[list[str], np.ndarray]:
    from sktextcnn.datasets import load_docstrings

    texts, labels = load_docstrings() if args.data is None else read(args.data)
    labels = np.asarray(labels)
    if args.length:
        words = " ".join(texts).split()
        starts = range(0, len(words) - args.length + 1, args.length)
        texts, labels = [" ".join(words[i : i + args.length]) for i in starts], None
    chosen = np.random.default_rng(0).permutation(len(texts))[: args.texts]
    texts = [texts[i] for i in chosen]
    return texts, np.arange(len(texts)) % 2 if labels is None else labels[chosen]


def seconds(args: argparse.Namespace, X: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    """Train, predict with a new model, and predict again."""
    from sktextcnn import TextCNNClassifier

    model = TextCNNClassifier(
        architecture=args.architecture,
        convolution=args.convolution,
        max_epochs=args.epochs,
        wide=False,
        random_state=0,
        device="cpu",
    )
    times = [time.perf_counter()]
    for work in (lambda: model.fit(X, y), lambda: model.predict(X), lambda: model.predict(X)):
        work()
        times.append(time.perf_counter())
    return tuple(np.diff(times))


def main() -> None:
    args = arguments()
    warnings.simplefilter("ignore")
    import torch

    from sktextcnn import TextVectorizer
    from sktextcnn._network import threads

    texts, y = texts_of(args)
    X = TextVectorizer(max_length=args.length).fit_transform(texts)
    n_threads = joblib.cpu_count()
    # Threads of torch, and those that our calls are made to use.
    settings = {
        "one thread": (1, None),
        "default": (n_threads, None),
        f"OpenMP, {n_threads} threads": (n_threads, n_threads),
    }
    context = multiprocessing.get_context("spawn")
    for n_busy in args.busy:
        stop = context.Event()
        processes = [context.Process(target=busy, args=(stop,)) for _ in range(n_busy)]
        for process in processes:
            process.start()
        figures: dict[str, list] = {name: [] for name in settings}
        try:
            for _ in range(args.repeats):
                for name, (of_torch, forced) in settings.items():
                    torch.set_num_threads(of_torch)
                    threads._forced = forced
                    figures[name].append(seconds(args, X, y))
        finally:
            stop.set()
            for process in processes:
                process.join()
        medians = {name: np.median(values, axis=0) for name, values in figures.items()}
        rows = []
        for name, values in medians.items():
            row = {"": name}
            for step, value, one in zip(
                ("fit", "predict", "predict again"), values, medians["one thread"], strict=True
            ):
                row |= {f"{step}, s": float(value), f"{step}, times one thread": float(value / one)}
            rows.append(row)
        print(table(f"{len(texts)} texts beside {n_busy} busy loops", rows), flush=True)


if __name__ == "__main__":
    main()
