"""The model that most people use: TF-IDF and logistic regression."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from sktextcnn._blas import one_blas_thread

#: How the model is called where its accuracy is shown.
BASELINE = "TF-IDF and logistic regression"


def tfidf_baseline() -> Pipeline:
    """Make the model that others are compared with.

    It has one logistic regression for each class, which takes seconds where a joint one takes a
    minute (77 classes), and which serves multilabel targets too.

    Returns
    -------
    Pipeline
        Words and pairs of words, weighted by TF-IDF, and logistic regression.
    """
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        _OneForEachClass(LogisticRegression(C=10, solver="liblinear")),
    )


def fit_baseline(texts: Sequence[str], targets: Any) -> Pipeline:
    """Fit the model that others are compared with.

    Parameters
    ----------
    texts : sequence of str
        The training texts.
    targets : array-like of shape (n_texts,) or (n_texts, n_classes)
        The class of each, or whether it has each label.

    Returns
    -------
    Pipeline
        The fitted model.

    Raises
    ------
    ValueError
        If the texts have no words or one class only, or there is too little memory for them.
    """
    targets = np.asarray(targets)
    if targets.ndim == 1 and len(np.unique(targets)) < 2:
        raise ValueError("all training texts have the same label; give those of two or more.")
    with warnings.catch_warnings():
        # Such as of a label that all texts have, or none; the user has not chosen this model.
        warnings.simplefilter("ignore")
        try:
            return tfidf_baseline().fit(texts, targets)
        except ValueError as error:
            if "empty vocabulary" not in str(error):
                raise
            raise ValueError(
                "the training texts have no words of two or more characters, which TF-IDF needs."
            ) from error
        except MemoryError as error:
            raise ValueError(
                f"{len(texts):,} training texts need more memory than there is."
            ) from error


class _OneForEachClass(OneVsRestClassifier):
    def fit(self, X: Any, y: Any) -> "_OneForEachClass":
        # liblinear adds vectors by BLAS. On a busy machine, its threads wait for each other so long
        # that they take ten times the processor time of one.
        with one_blas_thread():
            return super().fit(X, y)
