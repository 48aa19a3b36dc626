"""The model that most people use: TF-IDF and logistic regression."""

from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

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


class _OneForEachClass(OneVsRestClassifier):
    def fit(self, X: Any, y: Any) -> "_OneForEachClass":
        # liblinear adds vectors by BLAS. On a busy machine, its threads wait for each other so long
        # that they take ten times the processor time of one.
        with threadpool_limits(limits=1, user_api="blas"):
            return super().fit(X, y)
