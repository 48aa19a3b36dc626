"""Compare TextCNNClassifier with other text classifiers, on every corpus of a folder.

    python benchmarks/accuracy.py --data DIR --vectors glove.6B.100d.txt --labels 1000 0 --seeds 3

DIR has files whose lines have a label, a tab and a text: NAME-train.tsv with NAME-test.tsv, or
NAME.tsv, of which each seed tests on another fold. --labels are numbers of training texts, 0 for
all. TextCNNClassifier has its defaults. The settings of the others are chosen on training texts.

Install benchmarks/requirements.txt, or leave out with --methods what you don't have. Every result
is a line in the file of --json, so a run that was stopped continues where it stopped. Use another
file after the code has changed. Set OMP_NUM_THREADS=1 for seconds that can be compared.
"""

import argparse
import importlib
import json
import os
import pathlib
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from corpora import read
from models import text_cnn
from report import Row, add_record_option, machine, results_of, show, table
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from tqdm import tqdm

from sktextcnn import Embeddings

FOLDS, FOLDS_OF_FEW = 10, 5
# Corpora of fewer texts are tested on larger folds, as accuracies of 200 texts vary too much.
FEW = 8000
BINS = 15
# Corpora that are not for classification: the label of udhr is the language, to test tokenizers.
LEFT_OUT = ("udhr",)

# Whether TextCNNClassifier has a wide part, and whether it has vectors.
OURS = {
    "sktextcnn, wide": (True, True),
    "sktextcnn": (False, True),
    "sktextcnn, wide, no vectors": (True, False),
    "sktextcnn, no vectors": (False, False),
}
# The module of each in the folder peers.
MODEL2VEC = "Model2Vec, fine-tuned"
PEERS = {
    "TF-IDF + logistic regression": "tfidf",
    "NB-SVM": "nb_svm",
    "fastText": "fasttext_model",
    MODEL2VEC: "model2vec_static",
    "MiniLM + logistic regression": "minilm",
}
METHODS = (*OURS, *PEERS)
# How each figure is shown.
FIGURES = {
    "accuracy": ".1f",
    "macro F1": ".1f",
    "log loss": ".3f",
    "Brier": ".3f",
    "calibration error": ".1f",
    "seconds to fit": ".1f",
    "texts a second": ",.0f",
}


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
    """Return the corpora in a folder that are for classification."""
    names = {
        path.stem.removesuffix("-train").removesuffix("-test") for path in folder.glob("*.tsv")
    }
    return sorted(names.difference(LEFT_OUT))


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


def import_peers(methods: list[str]) -> None:
    """Import what the methods need, or say what is missing before anything is measured."""
    for method in methods:
        if method in PEERS:
            try:
                importlib.import_module(f"peers.{PEERS[method]}")
            except ImportError as error:
                raise SystemExit(
                    f"{method} cannot be imported: {error}. Install "
                    "benchmarks/requirements.txt, or choose other methods with --methods."
                ) from error


def classifier(method: str, seed: int, vectors: Embeddings, cache: pathlib.Path) -> Any:
    """Return a model to fit, which has loaded what it starts from."""
    if method in OURS:
        wide, pretrained = OURS[method]
        return text_cnn(vectors if pretrained else None, seed, wide=wide)
    peer = importlib.import_module(f"peers.{PEERS[method]}")
    return peer.classifier(seed, cache) if method == MODEL2VEC else peer.classifier(seed)


def result_of(method: str, part: Part, model: Any) -> dict[str, Any]:
    """Fit a model and measure it."""
    start = time.perf_counter()
    model = model.fit(part.texts, part.y)
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
        "seconds to fit": fitted - start,
        "texts a second": len(part.test_texts) / (predicted - fitted),
    }


def measure(args: argparse.Namespace) -> None:
    """Fit each method on each part that has no result yet."""
    import_peers(args.methods)
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
            model = classifier(method, part.seed, vectors, args.cache)
            file.write(json.dumps(result_of(method, part, model)) + "\n")
            file.flush()


def report(args: argparse.Namespace) -> None:
    """Show tables for each number of labels: means over the corpora, and each corpus."""
    results = [r for r in results_of(args.json) if r["seed"] < args.seeds]
    for labels in args.labels:
        of_corpora: dict[str, dict[str, Row]] = {method: {} for method in args.methods}
        for method, of_method in of_corpora.items():
            for corpus in args.corpora:
                key = (method, corpus, labels)
                seeds = [r for r in results if (r["method"], r["corpus"], r["labels"]) == key]
                if seeds:
                    of_method[corpus] = _mean(seeds) | {"seeds": len({r["seed"] for r in seeds})}
        name = f"{labels:,} labels" if labels else "all labels"
        # Means over some of the corpora cannot be compared.
        means = [
            _row(method, _mean(list(each.values())))
            | {"seeds": min(of_corpus["seeds"] for of_corpus in each.values())}
            for method, each in of_corpora.items()
            if len(each) == len(args.corpora)
        ]
        if means:
            show(f"Methods, {name}", means, args.record)
        for figure in ("accuracy", "log loss"):
            rows = [_by_corpus(method, each, figure, args) for method, each in of_corpora.items()]
            show(f"{figure.capitalize()} by corpus, {name}", rows, args.record)


def _mean(results: list[Row]) -> Row:
    return {name: float(np.mean([r[name] for r in results])) for name in FIGURES}


def _row(method: str, mean: Row) -> Row:
    return {"": method, **{name: format(mean[name], how) for name, how in FIGURES.items()}}


def _by_corpus(method: str, results: dict[str, Row], figure: str, args: argparse.Namespace) -> Row:
    cells = {corpus: format(row[figure], FIGURES[figure]) for corpus, row in results.items()}
    return {"": method, **{corpus: cells.get(corpus, "") for corpus in args.corpora}}


def main() -> None:
    """Measure, and show the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True, help="GloVe 6B.100d")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("accuracy.jsonl"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", type=int, nargs="*", default=[0, 1000, 200])
    parser.add_argument("--corpora", nargs="*", help=f"default: all but {LEFT_OUT[0]}")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    parser.add_argument(
        "--cache",
        type=pathlib.Path,
        help="folder of the distilled model; default: distilled, beside the file of --json",
    )
    add_record_option(parser)
    args = parser.parse_args()
    args.corpora = args.corpora or names_of(args.data)
    args.cache = args.cache or args.json.parent / "distilled"
    warnings.simplefilter("ignore")
    # It would compute in as many threads as there are cores.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    print(table("Machine", [{"": key, " ": value} for key, value in machine().items()]))
    measure(args)
    report(args)


if __name__ == "__main__":
    main()
