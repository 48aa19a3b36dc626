"""Interrupts at any moment of training: raised, and the estimator is as it was or unfitted."""

import pickle
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from skorch.callbacks import EpochScoring

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer

OURS = str(Path(sktextcnn.__file__).parent)
SKORCH = str(Path(sys.modules["skorch"].__file__).parent)
TEXTS = ["a gem", "so dull", "a witty gem", "a dull, dull film"]
LABELS = ["good", "bad", "good", "bad"]
OTHER_TEXTS = ["the gem of films", "duller than dull", "nothing"]
OTHER_LABELS = ["good", "bad", "ugly"]
SMALL = {
    "num_filters": 2,
    "embedding_dim": 2,
    "max_epochs": 1,
    "batch_size": 2,
    "max_norm": 3.0,
    "random_state": 0,
}


class Interrupts:
    """Counts the lines that run, of this package and of skorch, and interrupts at one of them."""

    def __init__(self, at=-1):
        self.at = at
        self.n_lines = 0
        self.interrupted = False

    def __enter__(self):
        self.handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.tracer = sys.gettrace()
        sys.settrace(self.call)
        return self

    def __exit__(self, *error):
        sys.settrace(self.tracer)
        signal.signal(signal.SIGINT, self.handler)

    def call(self, frame, event, argument):
        return self.line if frame.f_code.co_filename.startswith((OURS, SKORCH)) else None

    def line(self, frame, event, argument):
        if event == "line":
            if self.n_lines == self.at:
                sys.settrace(None)
                self.interrupted = True
                signal.raise_signal(signal.SIGINT)
            self.n_lines += 1
        return self.line


# At how many lines, chosen at random, each test interrupts. `make soak` tries many more.
SOME = pytest.mark.parametrize("some", [4, pytest.param(300, marks=pytest.mark.soak)])


def places(action, some):
    """At which lines to interrupt: some at random, and the last ones, where results are kept."""
    action()  # What is remembered in the process from now on is no part of the count.
    with Interrupts() as lines:
        action()
    n_lines = lines.n_lines
    assert n_lines > 200
    at_random = np.random.default_rng(0).choice(n_lines, size=min(some, n_lines), replace=False)
    return sorted({*at_random.tolist(), *range(n_lines - 10, n_lines)})


def interrupt(action, at):
    """Run an action whose interrupt has to reach the user; say whether it came so far."""
    with Interrupts(at) as lines:
        try:
            action()
        except KeyboardInterrupt:
            assert lines.interrupted
            return True
    assert not lines.interrupted, "the interrupt did not reach the user"
    return False


def state(model, texts):
    """What a model says of texts, or None if it is not fitted."""
    try:
        return (
            model.predict_proba(texts).tolist(),
            model.classes_.tolist(),
            model.n_features_in_,
            model.n_iter_,
            len(model.history_),
            model.words_,
        )
    except NotFittedError:
        return None


@pytest.fixture(scope="module")
def matrices():
    return TextVectorizer().fit_transform(TEXTS), TextVectorizer().fit_transform(OTHER_TEXTS)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"early_stopping": True, "validation_fraction": 0.5, "wide": False, "max_epochs": 2},
        {
            "callbacks": [("accuracy", EpochScoring("accuracy", on_train=True))],
            "verbose": 1,
            "wide": False,
        },
    ],
    ids=["plain", "early stopping", "callbacks"],
)
@SOME
def test_a_first_fit_that_is_interrupted_leaves_the_classifier_unfitted(matrices, params, some):
    X, _ = matrices
    classifier = TextCNNClassifier(**SMALL | params)
    fitted = clone(classifier).fit(X, LABELS)
    ends = []
    for at in places(lambda: clone(classifier).fit(X, LABELS), some):
        model = clone(classifier)
        interrupt(lambda model=model: model.fit(X, LABELS), at)
        ends.append(state(model, X))
    # Behind the last step but one all is there.
    assert set(map(str, ends)) == {str(None), str(state(fitted, X))}
    assert ends.index(None) == 0
    assert ends[-1] is not None


@SOME
def test_a_refit_that_is_interrupted_leaves_the_classifier_as_it_was(matrices, some):
    X, other = matrices
    classifier = TextCNNClassifier(**SMALL)
    before = state(clone(classifier).fit(X, LABELS), X)
    after = state(clone(classifier).fit(other, OTHER_LABELS), other)
    for at in places(lambda: clone(classifier).fit(other, OTHER_LABELS), some):
        model = clone(classifier).fit(X, LABELS)
        interrupt(lambda model=model: model.fit(other, OTHER_LABELS), at)
        assert state(model, X if model.n_features_in_ == X.shape[1] else other) in (before, after)
        assert len(model.classes_) == (2 if model.n_features_in_ == X.shape[1] else 3)


@SOME
def test_a_warm_start_that_is_interrupted_leaves_the_classifier_as_it_was(matrices, some):
    X, _ = matrices
    classifier = TextCNNClassifier(warm_start=True, **SMALL).fit(X, LABELS)
    before, after = state(classifier, X), state(copy_of(classifier).fit(X, LABELS), X)
    for at in places(lambda: copy_of(classifier).fit(X, LABELS), some):
        model = copy_of(classifier)
        interrupt(lambda model=model: model.fit(X, LABELS), at)
        assert state(model, X) in (before, after)


def copy_of(model):
    return pickle.loads(pickle.dumps(model))


@SOME
def test_an_interrupted_vectorizer_is_as_it_was_or_unfitted(some):
    def shown(vectorizer):
        names = ("vocabulary_", "max_length_", "truncated_fraction_", "coverage_", "token_table_")
        return {name: vars(vectorizer).get(name) for name in names}

    before, after = (shown(TextVectorizer().fit(texts)) for texts in (TEXTS, OTHER_TEXTS))
    for at in places(lambda: TextVectorizer().fit(OTHER_TEXTS), some):
        first, second = TextVectorizer(), TextVectorizer().fit(TEXTS)
        for vectorizer in (first, second):
            interrupt(lambda vectorizer=vectorizer: vectorizer.fit(OTHER_TEXTS), at)
        assert shown(first) in (dict.fromkeys(before), after)
        assert shown(second) in (before, after)


@SOME
def test_an_interrupted_pipeline_predicts_as_before_or_says_why_not(some):
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL, wide=False))
    before = clone(model).fit(TEXTS, LABELS).predict_proba(TEXTS)
    after = clone(model).fit(OTHER_TEXTS, OTHER_LABELS).predict_proba(TEXTS)
    refused = 0
    for at in places(lambda: clone(model).fit(OTHER_TEXTS, OTHER_LABELS), some):
        first, second = clone(model), clone(model).fit(TEXTS, LABELS)
        for pipeline in (first, second):
            interrupt(lambda pipeline=pipeline: pipeline.fit(OTHER_TEXTS, OTHER_LABELS), at)
        if state(first[-1], TextVectorizer().fit_transform(OTHER_TEXTS)) is None:
            with pytest.raises(NotFittedError):
                first.predict_proba(TEXTS)
        if second[0].token_table_.words != second[-1].words_:
            # The vectorizer was fitted anew already, the classifier not yet.
            with pytest.raises(ValueError, match=r"another vocabulary than|is expecting"):
                second.predict_proba(TEXTS)
            refused += 1
        else:
            assert second.predict_proba(TEXTS).tolist() in (before.tolist(), after.tolist())
        second.fit(OTHER_TEXTS, OTHER_LABELS)
        np.testing.assert_array_equal(second.predict_proba(TEXTS), after)
    assert refused


@SOME
def test_an_interrupted_partial_fit_can_be_called_again(matrices, some):
    X, _ = matrices
    classes = np.unique(LABELS)
    whole = TextCNNClassifier(**SMALL).partial_fit(X, LABELS, classes=classes)
    for at in places(lambda: copy_of(whole).partial_fit(X, LABELS), some):
        first, later = TextCNNClassifier(**SMALL), copy_of(whole)
        interrupt(lambda model=first: model.partial_fit(X, LABELS, classes=classes), at)
        assert state(first, X) in (None, state(whole, X))
        interrupt(lambda model=later: model.partial_fit(X, LABELS), at)
        assert len(later.history_) in (1, 2)
        assert all("train_loss" in epoch for epoch in later.history_)
        assert np.isfinite(later.predict_proba(X)).all()
        later.partial_fit(X, LABELS)
        assert later.n_iter_ == len(later.history_)
