"""TF-IDF of words and pairs of words, with logistic regression: a Pipeline of scikit-learn."""

from collections.abc import Iterator

from corpora import Task
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from peers._choice import CS, chosen
from peers._texts import seconds_of_all, seconds_of_one, split


def labelling(task: Task) -> Iterator[float | None]:
    model, texts = _fitted(task), task.texts()[0]
    yield None
    yield from seconds_of_all(model.predict, texts)


def latency(task: Task) -> Iterator[float | None]:
    model, texts = _fitted(task), split(task)[2]
    yield None
    yield from seconds_of_one(model.predict, texts)


def classifier(seed: int) -> Pipeline:
    """Return the classifier, whose C is chosen on inner folds.

    The features are computed once for all folds. saga takes up to a tenth of the time of lbfgs, the
    default, and finds models of the same accuracy and log loss.
    """
    model = LogisticRegression(solver="saga", tol=1e-3, max_iter=1000, random_state=seed)
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), chosen(model, {"C": CS}, seed)
    )


def _fitted(task: Task) -> Pipeline:
    train, labels, _ = split(task)
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    ).fit(train, labels)
