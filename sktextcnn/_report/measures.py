"""The numbers of a report, as plain data.

Shapes: N texts, C classes.
"""

from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from sktextcnn._report import intervals
from sktextcnn._report.outcomes import Outcomes

N_BINS = 10


def measure(outcomes: Outcomes) -> dict[str, Any]:
    """Return all measures of a model, and of those that it is compared with.

    Parameters
    ----------
    outcomes : Outcomes
        Of at least one text.

    Returns
    -------
    dict
        Plain data; see `sktextcnn.report`.
    """
    return _of_several(outcomes) if outcomes.multilabel else _of_single(outcomes)


def _of_single(outcomes: Outcomes) -> dict[str, Any]:
    true, predicted = outcomes.column("true"), outcomes.column("predicted")
    n, right = len(true), true == predicted
    matrix = np.zeros((outcomes.n_classes, outcomes.n_classes), dtype=np.int64)
    np.add.at(matrix, (true, predicted), 1)
    references = []
    for name in outcomes.references:
        by_other = outcomes.column(f"by {name}")
        other = by_other == true
        only = int((right & ~other).sum()), int((other & ~right).sum())
        references.append(
            {
                "name": name,
                "accuracy": intervals.share(int(other.sum()), n),
                "difference": intervals.difference(*only, n),
                "p_value": intervals.p_of_difference(*only),
                "n_different": int((by_other != predicted).sum()),
            }
        )
    classes = _classes(true, predicted, range(outcomes.n_classes))
    f1 = np.array([each["f1"] for each in classes])
    squares = outcomes.column("squares")
    of_true = outcomes.column("of_true").clip(np.finfo(np.float64).eps, 1)
    return {
        "n_texts": n,
        "accuracy": intervals.share(int(right.sum()), n),
        # As scikit-learn has it: of the classes that some text has or is predicted to have.
        "macro_f1": float(f1[matrix.any(axis=0) | matrix.any(axis=1)].mean()),
        "references": references,
        "classes": classes,
        "confusion_matrix": matrix.tolist(),
        # As scikit-learn has it: of two classes, the square for one of them.
        "brier_score": float(squares.mean()) / (2 if outcomes.n_classes == 2 else 1),
        "log_loss": float(-np.log(of_true).mean()),
        **calibration(outcomes.column("surest"), right),
    }


def _of_several(outcomes: Outcomes) -> dict[str, Any]:
    true, proba = outcomes.column("true"), outcomes.column("proba")
    predicted = proba > 0.5
    n, counts = len(true), _f1_counts(true, predicted)
    references = []
    for name in outcomes.references:
        other = outcomes.column(f"by {name}")
        of_other = _f1_counts(true, other)
        references.append(
            {
                "name": name,
                "micro_f1": intervals.ratio(*of_other),
                "difference": intervals.difference_of_ratios(counts, of_other),
                "subset_accuracy": intervals.share(int((true == other).all(axis=1).sum()), n),
                "n_different": int((other != predicted).any(axis=1).sum()),
            }
        )
    classes = _classes(true, predicted, None)
    p = proba.astype(np.float64)
    of_true = np.where(true, p, 1 - p).clip(np.finfo(np.float64).eps, 1)
    return {
        "n_texts": n,
        "micro_f1": intervals.ratio(*counts),
        "macro_f1": float(np.mean([each["f1"] for each in classes])),
        "subset_accuracy": intervals.share(int((true == predicted).all(axis=1).sum()), n),
        "hamming_loss": float((true != predicted).mean()),
        "references": references,
        "classes": classes,
        "brier_score": float(((p - true) ** 2).mean()),
        "log_loss": float(-np.log(of_true).mean()),
        **calibration(proba.ravel(), true.ravel()),
    }


def _f1_counts(true: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each text adds to the two sums of micro F1."""
    both = 2 * (true & predicted).sum(axis=1)
    return both.astype(np.float64), (true.sum(axis=1) + predicted.sum(axis=1)).astype(np.float64)


def _classes(true: np.ndarray, predicted: np.ndarray, labels: Any) -> list[dict[str, Any]]:
    measures = precision_recall_fscore_support(true, predicted, labels=labels, zero_division=0.0)
    names = ("precision", "recall", "f1", "n_texts")
    rows = zip(*(np.asarray(values).tolist() for values in measures), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def calibration(probabilities: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Compare probabilities with how often what they are of is true.

    Parameters
    ----------
    probabilities : ndarray of shape (N,)
        The probabilities.
    right : ndarray of bool, shape (N,)
        Whether each came true.

    Returns
    -------
    dict
        ``calibration``, for each bin the mean probability, the share that came true with its
        interval, and the count; and ``calibration_error``, the mean distance of these two, weighted
        by the counts. The bins have the same number of probabilities, except that equal
        probabilities are in the same one.
    """
    probabilities = probabilities.astype(np.float64)
    edges = np.unique(np.quantile(probabilities, np.arange(1, N_BINS) / N_BINS))
    places = np.searchsorted(edges, probabilities, side="right")
    bins: list[dict[str, Any]] = []
    for place in np.unique(places):
        inside = places == place
        bins.append(
            {
                "probability": float(probabilities[inside].mean()),
                "share": intervals.share(int(right[inside].sum()), int(inside.sum())),
                "n": int(inside.sum()),
            }
        )
    n = len(probabilities)
    error = sum(each["n"] / n * abs(each["probability"] - each["share"].value) for each in bins)
    return {"calibration": bins, "calibration_error": error}
