"""Compare settings on validation parts of training data, one change from the defaults at a time.

    python benchmarks/defaults.py --data DIR --vectors glove.6B.100d.txt

DIR holds mr.tsv, subj.tsv and trec-train.tsv, with a label, a tab and a text a line. A fifth of
each stays for tests and is not touched; of the rest, at most 8,000 texts, a fifth validates. Prints
the validation accuracy behind the last epoch, as the mean over seeds, beside that of TF-IDF and
logistic regression on the same parts.
"""

import argparse
import json
import pathlib
import warnings
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer

CORPORA = {"MR": "mr.tsv", "Subj": "subj.tsv", "TREC": "trec-train.tsv"}
TEXTS = 8000

VARIANTS: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "lr_schedule='constant'": {"lr_schedule": "constant"},
    "max_epochs=5": {"max_epochs": 5},
    "max_epochs=20": {"max_epochs": 20},
    "learning_rate=5e-4": {"learning_rate": 5e-4},
    "learning_rate=2e-3": {"learning_rate": 2e-3},
    "batch_size=50": {"batch_size": 50},
    "batch_size=100": {"batch_size": 100},
    "token_dropout=0": {"token_dropout": 0.0},
    "token_dropout=0.2": {"token_dropout": 0.2},
    "dropout=0.3": {"dropout": 0.3},
    "max_norm=3": {"max_norm": 3.0},
    "num_filters=200": {"num_filters": 200},
    "kernel_sizes=(2, 3, 4, 5)": {"kernel_sizes": (2, 3, 4, 5)},
    "kernel_sizes=(1, 2, 3)": {"kernel_sizes": (1, 2, 3)},
    "optimizer='adadelta', rate 1": {"optimizer": "adadelta", "learning_rate": 1.0},
    "finetune=False": {"finetune": False},
    "finetune=3": {"finetune": 3},
    "finetune='gradual'": {"finetune": "gradual"},
    "finetune='multichannel'": {"finetune": "multichannel"},
    "CountVectorizer's token_pattern": {"token_pattern": r"(?u)\b\w\w+\b"},
    "min_df=2": {"min_df": 2},
    "embeddings=None": {"embeddings": None},
}


def read(path: pathlib.Path) -> tuple[list[str], list[str]]:
    labels, texts = zip(*(line.split("\t", 1) for line in path.open(encoding="utf-8")), strict=True)
    return [text.strip() for text in texts], list(labels)


def split(corpus: tuple[list[str], list[str]], seed: int) -> list[list[str]]:
    texts, labels = corpus
    texts, _, labels, _ = train_test_split(
        texts, labels, test_size=0.2, random_state=0, stratify=labels
    )
    texts, labels = texts[:TEXTS], labels[:TEXTS]
    return train_test_split(texts, labels, test_size=0.2, random_state=seed, stratify=labels)


def text_cnn(vectors: Embeddings, change: dict[str, Any], seed: int) -> Pipeline:
    vectorizer = TextVectorizer(embeddings=vectors, random_state=seed)
    classifier = TextCNNClassifier(random_state=seed)
    for name, value in change.items():
        step = vectorizer if name in vectorizer.get_params() else classifier
        step.set_params(**{name: value})
    return make_pipeline(vectorizer, classifier)


def tfidf() -> Pipeline:
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )


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
    results: dict[str, dict[str, list[float]]] = {}
    print(f"{'':34}" + "".join(f"{name:>8}" for name in corpora))
    for variant in ["TF-IDF + logistic regression", *args.only]:
        scores: dict[str, list[float]] = {}
        for name, corpus in corpora.items():
            scores[name] = []
            for seed in range(args.seeds):
                train, valid, y_train, y_valid = split(corpus, seed)
                model = (
                    text_cnn(vectors, VARIANTS[variant], seed) if variant in VARIANTS else tfidf()
                )
                scores[name].append(100 * model.fit(train, y_train).score(valid, y_valid))
        results[variant] = scores
        cells = "".join(f"{np.mean(values):8.1f}" for values in scores.values())
        print(f"{variant:34}{cells}", flush=True)
        if args.json:
            args.json.write_text(json.dumps(results))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
