"""Measure accuracy by number of labels: random vectors, GloVe, and another corpus' model.

    python benchmarks/learning_curves.py --data DIR --vectors glove.6B.100d.txt

DIR has mr.tsv and subj.tsv. Each line has a label, a tab and a text. The models are trained on few
labels of one corpus; transfer starts from a model that is trained on all of the other corpus. A
fifth of each corpus is for tests.
"""

import argparse
import json
import pathlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from corpora import read
from models import kim_cnn
from report import add_record_option, show
from settings import SEED
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from tqdm import tqdm

from sktextcnn import Embeddings

SIZES = (50, 100, 200, 500, 2000)
SOURCES = {"MR": "Subj", "Subj": "MR"}


def methods(vectors: Embeddings, source: Pipeline) -> dict[str, Callable[[int], BaseEstimator]]:
    """Return the compared methods: functions from a seed to a model."""
    pretrained = FrozenEstimator(source)
    return {
        "TF-IDF + logistic regression": lambda seed: make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10)
        ),
        "from scratch": lambda seed: kim_cnn(None, seed),
        "frozen vectors": lambda seed: kim_cnn(vectors, seed, finetune=False),
        "tuned vectors": lambda seed: kim_cnn(vectors, seed),
        "tuned vectors, `unseen_words=0`": lambda seed: kim_cnn(vectors, seed).set_params(
            textvectorizer__unseen_words=0
        ),
        "frozen for 3 epochs, then tuned": lambda seed: kim_cnn(vectors, seed, finetune=3),
        "other corpus' model, tuned": lambda seed: kim_cnn(vectors, seed, pretrained=pretrained),
        "other corpus' model, gradual": lambda seed: kim_cnn(
            vectors, seed, pretrained=pretrained, finetune="gradual"
        ),
        "other corpus' model, vectors frozen": lambda seed: kim_cnn(
            vectors, seed, pretrained=pretrained, finetune=False
        ),
    }


def main() -> None:
    """Measure the learning curves, and show them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--corpora", nargs="*", choices=SOURCES, default=list(SOURCES))
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", help="names of the methods; default: all")
    add_record_option(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    vectors = Embeddings(args.vectors)
    corpora = {name: read(args.data / f"{name.lower()}.tsv") for name in SOURCES}
    tables = {}
    for target in args.corpora:
        source = SOURCES[target]
        other = kim_cnn(vectors, SEED).fit(*corpora[source])
        train, test, y_train, y_test = train_test_split(
            *corpora[target], test_size=0.2, random_state=SEED, stratify=corpora[target][1]
        )
        rows = []
        compared = methods(vectors, other)
        for name in tqdm(args.only or compared, desc=target):
            make = compared[name]
            row: dict[str, Any] = {"": name}
            for size in SIZES:
                accuracies = []
                for seed in range(args.seeds):
                    texts, _, labels, _ = train_test_split(
                        train, y_train, train_size=size, random_state=seed, stratify=y_train
                    )
                    accuracies.append(100 * make(seed).fit(texts, labels).score(test, y_test))
                row[f"{size:,} labels"] = f"{np.mean(accuracies):.1f} ± {np.std(accuracies):.1f}"
            rows.append(row)
        tables[target] = rows
        show(f"Few labels of {target}", rows, args.record)
        if args.json:
            args.json.write_text(json.dumps(tables, indent=1))


if __name__ == "__main__":
    main()
