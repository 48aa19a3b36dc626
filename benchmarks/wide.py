"""Measure the network, the network with a wide part, and TF-IDF, on every corpus of a folder.

    python benchmarks/wide.py --data DIR --vectors glove.6B.100d.txt --labels 1000 0

DIR has files whose lines have a label, a tab and a text: NAME-train.tsv with NAME-test.tsv, or
NAME.tsv, of which each seed tests on another fold. --labels are numbers of training texts, 0 for
all. Every result is a line in the file of --json, so a run that was stopped continues where it
stopped. Use another file after the code has changed.
"""

import argparse
import json
import pathlib
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from accuracy import tfidf
from corpora import read
from models import text_cnn
from report import Row, add_record_option, results_of, show
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from tqdm import tqdm

from sktextcnn import Embeddings

FOLDS, FOLDS_OF_FEW = 10, 5
# Corpora of fewer texts are tested on larger folds, as accuracies of 200 texts vary too much.
FEW = 8000
BINS = 15

WIDE, PLAIN, TFIDF = "wide and deep", "the network alone", "TF-IDF + logistic regression"
METHODS = (WIDE, PLAIN, TFIDF)


class Part(NamedTuple):
    """Texts to train and to test on."""

    corpus: str
    labels: int
    seed: int
    texts: list[str]
    y: np.ndarray
    test_texts: list[str]
    test_y: np.ndarray


def names_of(folder: pathlib.Path) -> list[str]:
    """Return the corpora in a folder."""
    return sorted(
        {path.stem.removesuffix("-train").removesuffix("-test") for path in folder.glob("*.tsv")}
    )


def parts(
    folder: pathlib.Path, corpora: list[str], labels: list[int], seeds: int
) -> Iterator[Part]:
    """Yield the parts of all corpora, seed by seed."""
    for seed in range(seeds):
        for corpus in corpora:
            train, test = _train_and_test(folder, corpus, seed)
            for number in labels:
                texts, y = _some(*train, number, seed)
                # Labels that a small sample lacks cannot be predicted.
                known = np.isin(test[1], y)
                test_texts = [text for text, keep in zip(test[0], known, strict=True) if keep]
                yield Part(corpus, number, seed, texts, y, test_texts, test[1][known])


def _train_and_test(folder: pathlib.Path, corpus: str, seed: int) -> tuple:
    if (folder / f"{corpus}-train.tsv").exists():
        return read(folder / f"{corpus}-train.tsv"), read(folder / f"{corpus}-test.tsv")
    texts, y = read(folder / f"{corpus}.tsv")
    folds = StratifiedKFold(
        FOLDS_OF_FEW if len(texts) < FEW else FOLDS, shuffle=True, random_state=0
    )
    rows = list(folds.split(texts, y))[seed % folds.n_splits]
    return tuple(([texts[i] for i in some], y[some]) for some in rows)


def _some(texts: list[str], y: np.ndarray, number: int, seed: int) -> tuple[list[str], np.ndarray]:
    if number == 0 or number >= len(texts):
        return texts, y
    counts = np.unique(y, return_counts=True)[1]
    stratify = y if number >= len(counts) and counts.min() > 1 else None
    rows, _ = train_test_split(
        np.arange(len(y)), train_size=number, stratify=stratify, random_state=seed
    )
    return [texts[i] for i in rows], y[rows]


def calibration_error(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error, in percent (Guo et al., 2017)."""
    sure = probabilities.max(axis=1)
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        abs(right[bins == each].mean() - sure[bins == each].mean()) * (bins == each).mean()
        for each in np.unique(bins)
    ]
    return 100 * float(sum(gaps))


def result_of(method: str, part: Part, vectors: Embeddings) -> dict[str, Any]:
    """Fit a method and measure it."""
    model: Any = tfidf() if method == TFIDF else text_cnn(vectors, part.seed, wide=method == WIDE)
    start = time.perf_counter()
    model.fit(part.texts, part.y)
    fitted = time.perf_counter()
    probabilities = model.predict_proba(part.test_texts)
    predicted = time.perf_counter()
    columns = np.searchsorted(model.classes_, part.test_y)
    of_truth = probabilities[np.arange(len(columns)), columns]
    found = model.classes_[probabilities.argmax(axis=1)]
    truth = np.eye(len(model.classes_))[columns]
    return {
        "method": method,
        "corpus": part.corpus,
        "labels": part.labels,
        "seed": part.seed,
        "accuracy": 100 * float(np.mean(found == part.test_y)),
        "macro F1": 100 * float(f1_score(part.test_y, found, average="macro")),
        "log loss": float(-np.log(of_truth.clip(1e-15)).mean()),
        "Brier": float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        "calibration error": calibration_error(probabilities, found == part.test_y),
        "fit": fitted - start,
        "texts a second": len(part.test_texts) / (predicted - fitted),
    }


def measure(args: argparse.Namespace) -> None:
    """Fit each method on each part that has no result yet."""
    vectors = Embeddings(args.vectors)
    done = {(r["method"], r["corpus"], r["labels"], r["seed"]) for r in results_of(args.json)}
    todo = [
        (method, part)
        for part in parts(args.data, args.corpora, args.labels, args.seeds)
        for method in args.methods
        if (method, part.corpus, part.labels, part.seed) not in done
    ]
    with args.json.open("a", encoding="utf-8") as file:
        for method, part in (bar := tqdm(todo)):
            bar.set_postfix_str(f"{part.corpus}, {part.labels or 'all'}, {method}")
            file.write(json.dumps(result_of(method, part, vectors)) + "\n")
            file.flush()


FIGURES = {
    "accuracy": ".1f",
    "macro F1": ".1f",
    "log loss": ".3f",
    "Brier": ".3f",
    "calibration error": ".1f",
    "fit": ".1f",
    "texts a second": ",.0f",
}


def report(args: argparse.Namespace) -> None:
    """Show a table for each number of labels, with the means over the corpora."""
    results = [r for r in results_of(args.json) if r["seed"] < args.seeds]
    for labels in args.labels:
        rows: list[Row] = []
        means: dict[str, list[dict[str, float]]] = {method: [] for method in args.methods}
        for corpus in args.corpora:
            for method in args.methods:
                key = (method, corpus, labels)
                of_key = [r for r in results if (r["method"], r["corpus"], r["labels"]) == key]
                if of_key:
                    mean = {name: float(np.mean([r[name] for r in of_key])) for name in FIGURES}
                    means[method].append(mean)
                    rows.append(_row(corpus, method, len(of_key), mean))
        complete = max(map(len, means.values()), default=0)
        for method, of_method in means.items():
            if of_method and len(of_method) == complete:
                mean = {
                    name: float(np.mean([each[name] for each in of_method])) for name in FIGURES
                }
                rows.append(_row("mean", method, args.seeds, mean))
        show(f"Wide and deep, {labels or 'all'} labels", rows, args.record)


def _row(corpus: str, method: str, seeds: int, mean: dict[str, float]) -> Row:
    figures = {name: format(mean[name], how) for name, how in FIGURES.items()}
    return {"corpus": corpus, "": method, "seeds": seeds, **figures}


def main() -> None:
    """Measure, and show the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True, help="GloVe 6B.100d")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("wide.jsonl"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", type=int, nargs="*", default=[0, 1000, 200])
    parser.add_argument("--corpora", nargs="*", help="default: every file of the folder")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    add_record_option(parser)
    args = parser.parse_args()
    args.corpora = args.corpora or names_of(args.data)
    warnings.simplefilter("ignore")
    measure(args)
    report(args)


if __name__ == "__main__":
    main()
