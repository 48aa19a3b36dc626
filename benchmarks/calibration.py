"""Measure the calibration of predict_proba on MR, without and with CalibratedClassifierCV.

    python benchmarks/calibration.py --data DIR --vectors glove.6B.100d.txt

DIR has mr.tsv. Each line has a label, a tab and a text. A fifth of the texts is for tests. The
expected calibration error is that of Guo et al. (2017), On Calibration of Modern Neural Networks,
section 2, with 15 bins of equal width.
"""

import argparse
import pathlib
import warnings
from collections.abc import Callable

import numpy as np
from corpora import read
from models import kim_cnn
from report import add_record_option, show
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import train_test_split

from sktextcnn import Embeddings

BINS = 15


def expected_calibration_error(y: np.ndarray, proba: np.ndarray, classes: np.ndarray) -> float:
    """Return the mean difference of confidence and accuracy over bins of confidence."""
    confidence, right = proba.max(axis=1), classes[proba.argmax(axis=1)] == y
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(confidence[bins == i].mean() - right[bins == i].mean()) * np.mean(bins == i)
        for i in np.unique(bins)
    ]
    return float(np.sum(gaps))


def best_temperature(log_proba: np.ndarray, y: np.ndarray, classes: np.ndarray) -> float:
    """Return the temperature that divides the logits for the smallest log loss."""

    def loss(temperature: float) -> float:
        return log_loss(y, softmax(log_proba / temperature, axis=1), labels=classes)

    return float(minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x)


def main() -> None:
    """Fit and calibrate, and show the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--vectors", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    add_record_option(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    vectors = Embeddings(args.vectors)
    texts, labels = read(args.data / "mr.tsv")

    ways: dict[str, Callable[[int], BaseEstimator]] = {
        "as trained": lambda seed: kim_cnn(vectors, seed),
        **{
            f"CalibratedClassifierCV, {method}": lambda seed, method=method: CalibratedClassifierCV(
                kim_cnn(vectors, seed), method=method, cv=5, ensemble=False
            )
            for method in ("sigmoid", "isotonic", "temperature")
        },
    }
    rows = []
    for name, make in ways.items():
        figures = []
        for seed in range(args.seeds):
            train, test, y_train, y_test = train_test_split(
                texts, labels, test_size=0.2, random_state=seed, stratify=labels
            )
            fitted = make(seed).fit(train, y_train)
            proba = fitted.predict_proba(test)
            figures.append(
                (
                    100 * expected_calibration_error(y_test, proba, fitted.classes_),
                    log_loss(y_test, proba, labels=fitted.classes_),
                    brier_score_loss(y_test == fitted.classes_[1], proba[:, 1]),
                    100 * np.mean(fitted.classes_[proba.argmax(axis=1)] == y_test),
                    best_temperature(np.log(proba.clip(1e-12)), y_test, fitted.classes_),
                )
            )
        names = ("calibration error, %", "log loss", "Brier score", "accuracy, %", "temperature")
        rows.append({"": name, **dict(zip(names, np.mean(figures, axis=0).tolist(), strict=True))})
    show("Calibration on MR", rows, args.record)


if __name__ == "__main__":
    main()
