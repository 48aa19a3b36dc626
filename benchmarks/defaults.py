"""Compare settings on validation parts of training data, one change from the base at a time.

    python benchmarks/defaults.py --data DIR --vectors glove.6B.100d.txt

DIR holds mr.tsv, subj.tsv and trec-train.tsv, with a label, a tab and a text a line. Of each
only a part for training is used: a fifth of it validates, the rest trains. No test data is
touched. Prints the mean validation accuracy over seeds, at the best epoch and at the default
number of epochs.
"""

import argparse
import json
import pathlib
import warnings
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer

CORPORA = {"MR": "mr.tsv", "Subj": "subj.tsv", "TREC": "trec-train.tsv"}
EPOCHS = 15
TEXTS = 8000

COUNT_VECTORIZER_PATTERN = r"(?u)\b\w\w+\b"

VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "token_dropout=0.1": {"token_dropout": 0.1},
    "token_dropout=0.2": {"token_dropout": 0.2},
    "token_dropout=0.3": {"token_dropout": 0.3},
    "max_norm=3": {"max_norm": 3.0},
    "learning_rate=5e-4": {"learning_rate": 5e-4},
    "learning_rate=2e-3": {"learning_rate": 2e-3},
    "dropout=0.3": {"dropout": 0.3},
    "batch_size=32": {"batch_size": 32},
    "batch_size=100": {"batch_size": 100},
    "num_filters=200": {"num_filters": 200},
    "kernels 2,3,4,5": {"kernel_sizes": (2, 3, 4, 5)},
    "adadelta, rate 1": {"optimizer": "adadelta", "learning_rate": 1.0},
    "finetune_lr=3e-4": {"finetune_lr": 3e-4},
    "finetune=3": {"finetune": 3},
    "finetune=3, finetune_lr=1e-3": {"finetune": 3, "finetune_lr": 1e-3},
    "finetune=False": {"finetune": False},
    "multichannel": {"finetune": "multichannel"},
    "gradual": {"finetune": "gradual"},
    "CountVectorizer's pattern": {"token_pattern": COUNT_VECTORIZER_PATTERN},
    "min_df=2": {"min_df": 2},
    "random vectors": {"embeddings": None},
    "random, token_dropout=0.2": {"embeddings": None, "token_dropout": 0.2},
}


def read(path: pathlib.Path) -> tuple[list[str], list[str]]:
    labels, texts = zip(*(line.split("\t", 1) for line in path.open(encoding="utf-8")), strict=True)
    return [text.strip() for text in texts], list(labels)


def curve(
    corpus: tuple[list[str], list[str]],
    vectors: Embeddings,
    change: dict[str, Any],
    seed: int,
) -> list[float]:
    texts, labels = corpus
    # The other fifth stays for tests.
    texts, _, labels, _ = train_test_split(
        texts, labels, test_size=0.2, random_state=0, stratify=labels
    )
    texts, labels = texts[:TEXTS], labels[:TEXTS]
    train, valid, y_train, y_valid = train_test_split(
        texts, labels, test_size=0.2, random_state=seed, stratify=labels
    )
    text_params = {"embeddings": vectors, "random_state": seed}
    net_params: dict[str, Any] = {"random_state": seed, "max_epochs": EPOCHS}
    for name, value in change.items():
        target = text_params if name in TextVectorizer().get_params() else net_params
        target[name] = value
    vectorizer = TextVectorizer(**text_params)
    X = vectorizer.fit_transform(train)
    model = TextCNNClassifier(**net_params)
    model.fit(X, y_train, X_val=vectorizer.transform(valid), y_val=y_valid)
    return model.history_[:, "valid_acc"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", required=True)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS))
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    vectors = Embeddings(args.vectors)
    corpora = {name: read(args.data / file) for name, file in CORPORA.items()}
    n_default = TextCNNClassifier().max_epochs
    print(f"{'':30}" + "".join(f"{name:>26}" for name in corpora))
    results: dict[str, dict[str, list[list[float]]]] = {}
    for variant in args.only:
        cells = []
        for name, corpus in corpora.items():
            curves = [curve(corpus, vectors, VARIANTS[variant], seed) for seed in range(args.seeds)]
            results.setdefault(variant, {})[name] = curves
            mean = 100 * np.mean(curves, axis=0)
            cells.append(
                f"{mean.max():.1f} at {mean.argmax() + 1:2}, "
                f"{mean[n_default - 1]:.1f} at {n_default}"
            )
        print(f"{variant:30}" + "".join(f"{cell:>26}" for cell in cells), flush=True)
        if args.json:
            args.json.write_text(json.dumps(results))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
