"""Compare settings that differ from the defaults, by cross-validation on training data.

    python benchmarks/defaults.py --data DIR --vectors glove.6B.100d.txt

DIR has files whose lines have a label, a tab and a text: NAME-train.tsv, or NAME.tsv, of which a
fifth is left out for tests. The rest is divided into five folds, of which the first --folds are
validated on; --labels is the number of training texts, 0 for all. Two fits run at a time, each with
one thread. Every result is a line in the file of --json, so a run that was stopped continues where
it stopped. Use another file after the code has changed.
"""

import argparse
import json
import pathlib
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

import joblib
import numpy as np
import torch
from accuracy import names_of
from corpora import read
from models import DenseAdam
from report import results_of, table
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split
from skorch.callbacks import Callback
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer, TokenIds
from sktextcnn._network.max_over_time import max_over_time
from sktextcnn._network.modules import KimCNN
from sktextcnn._token_ids import TokenTable

FOLDS = 5


class AverageOfEpochs(Callback):
    """Mean of the weights after each epoch from the third one on."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Add the weights of this epoch."""
        n_averaged = len(net.history) - 2
        if n_averaged == 1:
            self.mean_ = [p.detach().clone() for p in net.module_.parameters()]
        elif n_averaged > 1:
            for mean, p in zip(self.mean_, net.module_.parameters(), strict=True):
                mean.lerp_(p.detach(), 1 / n_averaged)

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Set the weights to their mean."""
        with torch.no_grad():
            for mean, p in zip(self.mean_, net.module_.parameters(), strict=True):
                p.copy_(mean)


class DroppedVectors(KimCNN):
    """KimCNN with dropout of 0.2 on the word vectors."""

    def features(self, ids: Tensor) -> Tensor:
        """Return the input of the head; (B, F * number of kernels)."""
        if not self.training:
            return super().features(ids)
        rows, positions = self.embedding.distinct(self.embedding.drop(ids))
        weights = [conv.weight for conv in self.convs]
        pooled = max_over_time(positions, functional.dropout(rows, 0.2), weights)
        return self.activation(pooled + torch.cat([conv.bias for conv in self.convs]))


Vectors = np.ndarray


def unit(vectors: Vectors) -> Vectors:
    """Scale every vector to a length of 3."""
    return 3 * vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)


def scaled(vectors: Vectors) -> Vectors:
    """Scale all vectors to a standard deviation of 0.25."""
    return vectors * (0.25 / vectors[2:].std())


HYPHENS = r"(?ui)\w+(?:-\w+)+|\w+(?=n't\b)|n't\b|'(?:s|m|d|ll|re|ve)\b|\w+|[^\w\s]"
# Older defaults, with which some variants were measured.
OF_THEN: dict[str, Any] = {"unseen_words": 0, "wide": False}
OF_BEFORE: dict[str, Any] = {**OF_THEN, "token_dropout": 0.1}
RANDOM: dict[str, Any] = {"embeddings": None, "wide": False}

# Beside the wide part.
VARIANTS: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "wide=False": {"wide": False},
    "dropout=0.3": {"dropout": 0.3},
    "dropout=0.7": {"dropout": 0.7},
    "num_filters=200": {"num_filters": 200},
    "num_filters=50": {"num_filters": 50},
    "kernel_sizes=(1, 2, 3)": {"kernel_sizes": (1, 2, 3)},
    "kernel_sizes=(2, 3, 4)": {"kernel_sizes": (2, 3, 4)},
    "token_dropout=0.1": {"token_dropout": 0.1},
    "token_dropout=0.3": {"token_dropout": 0.3},
    "learning_rate=2e-3": {"learning_rate": 2e-3},
    "learning_rate=5e-4": {"learning_rate": 5e-4},
    "batch_size=64": {"batch_size": 64},
    "max_norm=3": {"max_norm": 3.0},
    "finetune=False": {"finetune": False},
    "finetune='multichannel'": {"finetune": "multichannel"},
    "pool_size=None": {"pool_size": None},
    "pool_size=32": {"pool_size": 32},
    "pool_size=128": {"pool_size": 128},
    "wide=False, pool_size=None": {"wide": False, "pool_size": None},
    "unseen_words=20_000": {"unseen_words": 20_000},
    "unseen_words=100_000": {"unseen_words": 100_000},
    "unseen_words=400_000": {"unseen_words": 400_000},
    # For few --labels, where "auto" is at most 300 epochs.
    "max_epochs=30": {"max_epochs": 30},
    "max_epochs=100": {"max_epochs": 100},
}
# The network alone. Compare with one of the first two, or with the first of random vectors.
ALONE: dict[str, dict[str, Any]] = {
    "unseen_words=0": OF_THEN,
    "unseen_words=0, token_dropout=0.1": OF_BEFORE,
    "token_dropout=0.3": {**OF_THEN, "token_dropout": 0.3},
    "max_epochs=10": {**OF_BEFORE, "max_epochs": 10},
    "max_epochs=20": {**OF_BEFORE, "max_epochs": 20},
    "dense Adam": {**OF_BEFORE, "optimizer": DenseAdam},
    "num_filters=200": {**OF_BEFORE, "num_filters": 200},
    "kernel_sizes=(2, 3, 4, 5)": {**OF_BEFORE, "kernel_sizes": (2, 3, 4, 5)},
    "words with their hyphens": {**OF_BEFORE, "token_pattern": HYPHENS},
    "dropout of vectors' numbers": {**OF_BEFORE, "architecture": DroppedVectors},
    "the same, deviation 0.25": {**OF_BEFORE, "architecture": DroppedVectors, "change": scaled},
    "vectors of length 3, 10 epochs": {**OF_BEFORE, "max_epochs": 10, "change": unit},
    "mean of epochs' weights, constant rate, 10 epochs": {
        **OF_BEFORE,
        "max_epochs": 10,
        "callbacks": [AverageOfEpochs()],
        "lr_schedule": "constant",
    },
    "learning_rate=2e-3": {**OF_THEN, "learning_rate": 2e-3},
    "learning_rate=5e-4": {**OF_THEN, "learning_rate": 5e-4},
    "batch_size=16": {**OF_THEN, "batch_size": 16},
    "batch_size=64": {**OF_THEN, "batch_size": 64},
    "num_filters=300": {**OF_THEN, "num_filters": 300},
    "kernel_sizes=(2, 3, 4)": {**OF_THEN, "kernel_sizes": (2, 3, 4)},
    "kernel_sizes=(1, 2, 3, 4, 5)": {**OF_THEN, "kernel_sizes": (1, 2, 3, 4, 5)},
    "activation='tanh'": {**OF_THEN, "activation": "tanh"},
    "activation='gelu'": {**OF_THEN, "activation": "gelu"},
    "max_norm=3": {**OF_THEN, "max_norm": 3.0},
    "dropout=0.7": {**OF_THEN, "dropout": 0.7},
    "finetune=False": {**OF_THEN, "finetune": False},
    "finetune=3": {**OF_THEN, "finetune": 3},
    "finetune=3, finetune_lr=1e-4": {**OF_THEN, "finetune": 3, "finetune_lr": 1e-4},
    "finetune='gradual'": {**OF_THEN, "finetune": "gradual"},
    "finetune='gradual', finetune_lr=1e-4": {**OF_THEN, "finetune": "gradual", "finetune_lr": 1e-4},
    "finetune='multichannel'": {**OF_THEN, "finetune": "multichannel"},
    # Compare all variants below with this one, but the last with the one before it.
    "embeddings=None": RANDOM,
    "embeddings=None, token_dropout=0.05": {**RANDOM, "token_dropout": 0.05},
    "embeddings=None, token_dropout=0.2": {**RANDOM, "token_dropout": 0.2},
    "embeddings=None, embedding_dim=200": {**RANDOM, "embedding_dim": 200},
    "embeddings=None, embedding_dim=100": {**RANDOM, "embedding_dim": 100},
    "the same, dense Adam": {**RANDOM, "embedding_dim": 100, "optimizer": DenseAdam},
}
VARIANTS |= {f"{name}, alone": changes for name, changes in ALONE.items()}


def parts(texts: list[str], labels: np.ndarray, n_train: int) -> Iterator[list[Any]]:
    """Yield training texts, validation texts and the labels of both."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(texts, labels)
    for seed, (train, valid) in enumerate(folds):
        if n_train:
            train, _ = train_test_split(
                train, train_size=n_train, random_state=seed, stratify=labels[train]
            )
        rows = train, valid
        yield [*([texts[i] for i in part] for part in rows), *(labels[part] for part in rows)]


Job = tuple[str, str, int, int]


def validate(
    vectors: Embeddings, changes: dict[str, Any], part: list[Any], seed: int
) -> dict[str, float]:
    """Return the accuracy in percent and the log loss on the validation texts."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    changes = dict(changes)
    change: Callable[[Vectors], Vectors] | None = changes.pop("change", None)
    vectorizer = TextVectorizer(embeddings=vectors, random_state=seed)
    classifier = TextCNNClassifier(random_state=seed, device="cpu")
    for name, value in changes.items():
        step = vectorizer if name in vectorizer.get_params() else classifier
        step.set_params(**{name: value})
    train, valid, y_train, y_valid = part
    X, X_valid = vectorizer.fit_transform(train), vectorizer.transform(valid)
    if change is not None:
        words = TokenTable(X.table.words, change(np.array(X.table.vectors)), X.table.source)
        X, X_valid = (TokenIds(np.asarray(ids), words) for ids in (X, X_valid))
    probabilities = classifier.fit(X, y_train).predict_proba(X_valid)
    predicted = classifier.classes_[probabilities.argmax(axis=1)]
    return {
        "accuracy": 100 * np.mean(predicted == y_valid),
        "log loss": log_loss(y_valid, probabilities, labels=classifier.classes_),
    }


def measure(args: argparse.Namespace) -> None:
    """Fit each variant on each fold that has no result yet."""
    vectors = Embeddings(args.vectors)
    todo: list[tuple[Job, list[Any]]] = []
    done = {(r["variant"], r["corpus"], r["labels"], r["fold"]) for r in results_of(args.json)}
    for corpus, n_train in product(args.corpora, args.labels):
        if (args.data / f"{corpus}-train.tsv").exists():
            texts, labels = read(args.data / f"{corpus}-train.tsv")
        else:
            texts, labels = read(args.data / f"{corpus}.tsv")
            texts, _, labels, _ = train_test_split(
                texts, labels, test_size=0.2, random_state=0, stratify=labels
            )
        for fold, part in enumerate(islice(parts(texts, labels, n_train), args.folds)):
            jobs = ((variant, corpus, n_train, fold) for variant in args.only)
            todo += [(job, part) for job in jobs if job not in done]
    # In the order of the table, so that its first rows are complete first.
    todo.sort(key=lambda job: args.only.index(job[0][0]))

    def result_of(job: Job, part: list[Any]) -> dict[str, Any]:
        variant, corpus, n_train, fold = job
        found = validate(vectors, VARIANTS[variant], part, seed=fold)
        return {"variant": variant, "corpus": corpus, "labels": n_train, "fold": fold, **found}

    results = joblib.Parallel(2, return_as="generator_unordered")(
        joblib.delayed(result_of)(*job) for job in todo
    )
    with args.json.open("a", encoding="utf-8") as file:
        for result in tqdm(results, total=len(todo)):
            file.write(json.dumps(result) + "\n")
            file.flush()


def report(args: argparse.Namespace) -> None:
    """Print the means over folds, and over the corpora."""
    found: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for r in results_of(args.json):
        found[r["variant"], r["corpus"], r["labels"]].append(r)
    for n_train in args.labels:
        rows = []
        for variant in args.only:
            results = [found[variant, corpus, n_train] for corpus in args.corpora]
            means = [np.mean([r["accuracy"] for r in rs]) if rs else np.nan for rs in results]
            losses = [np.mean([r["log loss"] for r in rs]) if rs else np.nan for rs in results]
            cells = [*means, np.mean(means), 100 * np.mean(losses)]
            names = [*args.corpora, "mean", "100 log loss"]
            filled = ("" if np.isnan(cell) else f"{cell:.1f}" for cell in cells)
            rows.append({"": variant, **dict(zip(names, filled, strict=True))})
        texts = f"{n_train or 'all'} labels"
        print(table(f"Accuracy on validation parts of the training data, {texts}", rows))


def main() -> None:
    """Measure, and show the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--only", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--corpora", nargs="*", help="default: every file of the folder")
    parser.add_argument("--folds", type=int, default=FOLDS)
    parser.add_argument("--labels", type=int, nargs="*", default=[0], help="0 for all")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("defaults.jsonl"))
    args = parser.parse_args()
    args.corpora = args.corpora or names_of(args.data)
    measure(args)
    report(args)


if __name__ == "__main__":
    main()
