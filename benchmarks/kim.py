"""Compare TextCNNClassifier, TF-IDF and fastText with Kim (2014), on three of his corpora.

    python benchmarks/kim.py --data DIR --vectors glove.6B.100d.txt

TextCNNClassifier has its defaults; the settings of the others are chosen on training data. DIR has
mr.tsv and subj.tsv, which are cross-validated in ten folds, and trec-train.tsv and trec-test.tsv.
Each line has a label, a tab and a text. Every result is a line in the file of --json, so a run that
was stopped continues where it stopped. Use another file after the code has changed. Install
fastText from benchmarks/requirements.txt.
"""

import argparse
import importlib
import json
import pathlib
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from corpora import read
from models import kim_cnn
from report import Row, add_record_option, machine, results_of, show, table
from sklearn.model_selection import StratifiedKFold
from tqdm import tqdm

from sktextcnn import Embeddings

FOLDS = 10
FROZEN_EPOCHS = 3

# Kim (2014), Table 2, with 300-d word2vec vectors of 100 billion words.
KIM = {
    "CNN-rand": {"MR": 76.1, "Subj": 89.6, "TREC": 91.2},
    "CNN-static": {"MR": 81.0, "Subj": 93.0, "TREC": 92.8},
    "CNN-non-static": {"MR": 81.5, "Subj": 93.4, "TREC": 93.6},
    "CNN-multichannel": {"MR": 81.1, "Subj": 93.2, "TREC": 92.2},
}
CNNS: dict[str, dict[str, Any]] = {
    "CNN-rand": {"finetune": True},
    "CNN-static": {"finetune": False},
    "CNN-non-static": {"finetune": True},
    "CNN-multichannel": {"finetune": "multichannel"},
    f"CNN, vectors frozen for {FROZEN_EPOCHS} epochs": {"finetune": FROZEN_EPOCHS},
    "CNN, gradual": {"finetune": "gradual"},
}
DEFAULT = "CNN-non-static"
# The module of each in the folder peers.
PEERS = {"TF-IDF + logistic regression": "tfidf", "fastText": "fasttext_model"}
METHODS = (*CNNS, *PEERS)

Texts = list[str]


class Part(NamedTuple):
    """Texts to train and to test on."""

    corpus: str
    seed: int
    fold: int
    texts: Texts
    labels: np.ndarray
    test_texts: Texts
    test_labels: np.ndarray


def parts(data: pathlib.Path, corpora: list[str], seeds: int) -> Iterator[Part]:
    """Yield the parts of all corpora, seed by seed."""
    for seed in range(seeds):
        for corpus in corpora:
            if corpus == "TREC":
                train, test = read(data / "trec-train.tsv"), read(data / "trec-test.tsv")
                yield Part(corpus, seed, 0, *train, *test)
                continue
            texts, labels = read(data / f"{corpus.lower()}.tsv")
            folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
            for fold, rows in enumerate(folds.split(texts, labels)):
                (train, y), (test, y_test) = (([texts[i] for i in r], labels[r]) for r in rows)
                yield Part(corpus, seed, fold, train, y, test, y_test)


def fitted(method: str, part: Part, vectors: Embeddings) -> Callable[[Texts], np.ndarray]:
    """Fit a method and return its function from texts to labels."""
    seed = FOLDS * part.seed + part.fold
    model: Any
    if method in CNNS:
        model = kim_cnn(None if method == "CNN-rand" else vectors, seed, **CNNS[method])
    else:
        model = importlib.import_module(f"peers.{PEERS[method]}").classifier(seed)
    return model.fit(part.texts, part.labels).predict


def measure(args: argparse.Namespace) -> None:
    """Fit each method on each part that has no result yet."""
    vectors = Embeddings(args.vectors)
    done = {(r["method"], r["corpus"], r["seed"], r["fold"]) for r in results_of(args.json)}
    todo = [
        (method, part)
        for part in parts(args.data, args.corpora, args.seeds)
        for method in args.methods
        if (method, part.corpus, part.seed, part.fold) not in done
    ]
    with args.json.open("a", encoding="utf-8") as file:
        for method, part in (bar := tqdm(todo)):
            bar.set_postfix_str(f"{part.corpus}, {method}")
            start = time.perf_counter()
            found = fitted(method, part, vectors)(part.test_texts)
            result = {
                "method": method,
                "corpus": part.corpus,
                "seed": part.seed,
                "fold": part.fold,
                "accuracy": 100 * float(np.mean(found == part.test_labels)),
                "seconds": time.perf_counter() - start,
            }
            file.write(json.dumps(result) + "\n")
            file.flush()


def report(args: argparse.Namespace) -> None:
    """Show the means over folds and seeds."""
    results = [r for r in results_of(args.json) if r["seed"] < args.seeds]
    for corpus in args.corpora:
        rows = []
        for method in args.methods:
            of_method = [r for r in results if (r["method"], r["corpus"]) == (method, corpus)]
            if of_method:
                rows.append(_row(method, corpus, of_method))
        show(f"Accuracy on {corpus}", rows, args.record)


def _row(method: str, corpus: str, results: list[Row]) -> Row:
    accuracies = [r["accuracy"] for r in results]
    # TREC has one part for tests, so that its results differ by the seed alone.
    of_what = "seeds" if corpus == "TREC" else "folds"
    seconds = np.median([r["seconds"] for r in results])
    deviation = f"{np.std(accuracies, ddof=1):.1f}" if len(accuracies) > 1 else ""
    return {
        "": f"{method} (the default)" if method == DEFAULT else method,
        "accuracy": f"{np.mean(accuracies):.1f}",
        f"deviation of {of_what}": deviation,
        "seeds": len({r["seed"] for r in results}),
        "seconds a fit": f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}",
        "Kim (2014)": str(KIM.get(method, {}).get(corpus, "")),
    }


def main() -> None:
    """Measure, and show the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True, help="GloVe 6B.100d")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("kim.jsonl"))
    parser.add_argument("--seeds", type=int, default=3)
    corpora = ("TREC", "MR", "Subj")
    parser.add_argument("--corpora", nargs="*", choices=corpora, default=corpora)
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    add_record_option(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print(table("Machine", [{"": key, " ": value} for key, value in machine().items()]))
    measure(args)
    report(args)


if __name__ == "__main__":
    main()
