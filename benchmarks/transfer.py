"""Measure what another corpus of the same question is worth, with few labels of one's own.

    python benchmarks/transfer.py --data DIR --vectors glove.6B.100d.txt

DIR has mr.tsv, sentences of film reviews, and movies.tsv, whole film reviews. Each line has a
label, a tab and a text. The labels positive and pos, negative and neg are the same ones: the first
three letters count. Each corpus in turn is the one with few labels, and all of the other one is
the source. Each seed draws other labels, and tests on other texts.

Every result is a line in the file of --json, so a run that was stopped continues where it stopped.
The models of the sources are stored beside it. Use another file after the code has changed.
"""

import argparse
import json
import pathlib
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import joblib
import numpy as np
from corpora import read
from models import text_cnn
from report import Row, add_record_option, results_of, show
from settings import SEED
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from tqdm import tqdm

from sktextcnn import Embeddings

SOURCES = {"movies": "MR", "MR": "movies"}
MOST_TESTED = 2000
LETTERS_OF_LABEL = 3

TFIDF, TFIDF_SOURCE, TFIDF_BOTH = (
    "TF-IDF + logistic regression",
    "TF-IDF, the other corpus alone",
    "TF-IDF, both corpora together",
)
ALONE, SOURCE, BOTH, PRETRAINED = (
    "sktextcnn",
    "sktextcnn, the other corpus alone",
    "sktextcnn, both corpora together",
    "sktextcnn, `pretrained` by the other corpus",
)
METHODS = (TFIDF, TFIDF_SOURCE, TFIDF_BOTH, ALONE, SOURCE, BOTH, PRETRAINED)


class Texts(NamedTuple):
    """Texts and their labels."""

    texts: list[str]
    y: np.ndarray


class Part(NamedTuple):
    """A few texts to train on, those to test on, and the name of the target."""

    target: str
    labels: int
    seed: int
    few: Texts
    test: Texts


def corpus(folder: pathlib.Path, name: str) -> Texts:
    """Read a corpus, with labels that all corpora share."""
    texts, labels = read(folder / f"{name.lower()}.tsv")
    return Texts(texts, np.array([label[:LETTERS_OF_LABEL] for label in labels]))


def parts(
    corpora: dict[str, Texts], targets: list[str], labels: list[int], seeds: int
) -> Iterator[Part]:
    """Yield the parts of each target, seed by seed."""
    for seed in range(seeds):
        for target in targets:
            texts, y = corpora[target]
            n_test = min(MOST_TESTED, len(texts) // 2)
            rest, test, y_rest, y_test = train_test_split(
                texts, y, test_size=n_test, random_state=seed, stratify=y
            )
            for size in labels:
                few = Texts(rest, y_rest)
                if size < len(rest):
                    few = Texts(
                        *train_test_split(
                            rest, y_rest, train_size=size, random_state=seed, stratify=y_rest
                        )[::2]
                    )
                yield Part(target, size, seed, few, Texts(test, y_test))


class Models:
    """The compared models.

    Parameters
    ----------
    corpora : dict of str to Texts
        All texts of each corpus.
    vectors : Embeddings
        Word vectors of all networks.
    folder : Path
        Where the networks of the sources are stored.
    """

    def __init__(
        self, corpora: dict[str, Texts], vectors: Embeddings, folder: pathlib.Path
    ) -> None:
        self._corpora, self._vectors, self._folder = corpora, vectors, folder
        self._linear: dict[str, Pipeline] = {}

    def fitted(self, method: str, part: Part) -> Pipeline:
        """Return a model that is fitted as the method says."""
        source, seed = SOURCES[part.target], part.seed
        if method == TFIDF:
            return _tfidf().fit(*part.few)
        if method == TFIDF_SOURCE:
            if source not in self._linear:
                self._linear[source] = _tfidf().fit(*self._corpora[source])
            return self._linear[source]
        if method in (TFIDF_BOTH, BOTH):
            texts, y = self._corpora[source]
            both = Texts(texts + part.few.texts, np.concatenate([y, part.few.y]))
            model = _tfidf() if method == TFIDF_BOTH else text_cnn(self._vectors, seed)
            return model.fit(*both)
        if method == ALONE:
            return text_cnn(self._vectors, seed).fit(*part.few)
        path = self._source_model(source)
        if method == SOURCE:
            return joblib.load(path)
        return text_cnn(self._vectors, seed, pretrained=str(path)).fit(*part.few)

    def _source_model(self, source: str) -> pathlib.Path:
        path = self._folder / f"transfer-{source}.joblib"
        if not path.exists():
            joblib.dump(text_cnn(self._vectors, SEED).fit(*self._corpora[source]), path)
        return path


def _tfidf() -> Pipeline:
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )


def measure(args: argparse.Namespace) -> None:
    """Fit each method on each part that has no result yet."""
    corpora = {name: corpus(args.data, name) for name in SOURCES}
    models = Models(corpora, Embeddings(args.vectors), args.json.parent)
    done = {(r["method"], r["target"], r["labels"], r["seed"]) for r in results_of(args.json)}
    todo = [
        (method, part)
        for part in parts(corpora, args.targets, args.labels, args.seeds)
        for method in args.methods
        if (method, part.target, part.labels, part.seed) not in done
    ]
    with args.json.open("a", encoding="utf-8") as file:
        for method, part in (bar := tqdm(todo)):
            bar.set_postfix_str(f"{part.target}, {part.labels:,}, {method}")
            start = time.perf_counter()
            model = models.fitted(method, part)
            result = {
                "method": method,
                "target": part.target,
                "labels": part.labels,
                "seed": part.seed,
                "accuracy": 100 * float(model.score(*part.test)),
                "seconds": time.perf_counter() - start,
            }
            file.write(json.dumps(result) + "\n")
            file.flush()


def report(args: argparse.Namespace) -> None:
    """Show a table for each target: the mean and the deviation of the seeds."""
    results = [r for r in results_of(args.json) if r["seed"] < args.seeds]
    for target in args.targets:
        rows: list[Row] = []
        for method in args.methods:
            row: dict[str, Any] = {"": method}
            for size in args.labels:
                key = (method, target, size)
                found = [
                    r["accuracy"] for r in results if (r["method"], r["target"], r["labels"]) == key
                ]
                row[f"{size:,} labels"] = (
                    f"{np.mean(found):.1f} ± {np.std(found):.1f}" if found else ""
                )
            rows.append(row)
        show(f"Transfer to {target}", rows, args.record)


def main() -> None:
    """Measure, and show the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("transfer.jsonl"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--labels", type=int, nargs="*", default=[100, 300, 1000])
    parser.add_argument("--targets", nargs="*", choices=SOURCES, default=list(SOURCES))
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    add_record_option(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    measure(args)
    report(args)


if __name__ == "__main__":
    main()
