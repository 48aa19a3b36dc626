"""Validation of parameters, with scikit-learn's private part and without it."""

import subprocess
import sys
import types

import numpy as np
import pytest
from sklearn.utils import _param_validation

from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._compat import sklearn as compat


@pytest.fixture(params=["private", "fallback"])
def validation(request, monkeypatch):
    """The classes of constraints, and that `check_parameters` uses them."""
    if request.param == "private":
        return compat.Interval, compat.StrOptions
    monkeypatch.setattr(compat, "_validate", compat._validate_publicly)
    return compat._Interval, compat._StrOptions


def with_constraints(estimator, validation):
    """The constraints of an estimator, made of the given classes."""
    interval, options = validation

    def remade(constraint):
        kind = type(constraint).__name__.strip("_")
        if kind == "Interval":
            bounds = constraint.type, constraint.left, constraint.right
            return interval(*bounds, closed=constraint.closed)
        return options(set(constraint.options)) if kind == "StrOptions" else constraint

    return {
        name: allowed if isinstance(allowed, str) else [remade(each) for each in allowed]
        for name, allowed in estimator._parameter_constraints.items()
    }


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (TextCNNClassifier(batch_size=0), r"'batch_size' parameter of TextCNNClassifier must be"),
        (TextCNNClassifier(batch_size=True), r"'batch_size' .* not a bool\. Got True instead"),
        (TextCNNClassifier(max_epochs=np.True_), "'max_epochs' parameter .*Got .*True_? instead"),
        (TextCNNClassifier(learning_rate=False), "'learning_rate' parameter"),
        (TextCNNClassifier(dropout=1.0), r"'dropout' .* range \[0(\.0)?, 1(\.0)?\)"),
        (TextCNNClassifier(finetune="always"), "'finetune' .* Got 'always' instead"),
        (TextCNNClassifier(optimizer=3), "'optimizer' parameter"),
        (TextCNNClassifier(kernel_sizes=3), "'kernel_sizes' .* array-like"),
        (TextCNNClassifier(random_state="0"), "'random_state' parameter"),
        (TextCNNClassifier(warm_start="yes"), "'warm_start' parameter"),
        (TextCNNClassifier(class_weight=3), "'class_weight' parameter"),
        (TextVectorizer(min_df=-1), "'min_df' parameter of TextVectorizer must be"),
        (TextVectorizer(min_df=True), "'min_df' .* not a bool"),
        (TextVectorizer(unseen_words=True), "'unseen_words' .* not a bool"),
        (TextVectorizer(analyzer="words"), "'analyzer' parameter .*'char'.*Got 'words' instead"),
        (TextVectorizer(tokenizer=3), "'tokenizer' parameter"),
    ],
    ids=lambda each: each.split("'")[1] if isinstance(each, str) else type(each).__name__,
)
def test_a_parameter_that_is_not_valid_is_named(validation, estimator, message):
    with pytest.raises(ValueError, match=message):
        compat.check_parameters(estimator, with_constraints(estimator, validation))


@pytest.mark.parametrize(
    "estimator",
    [
        TextCNNClassifier(),
        TextCNNClassifier(finetune=True, verbose=True, random_state=np.random.RandomState(0)),
        TextCNNClassifier(finetune=2, kernel_sizes=[2], max_epochs=3, class_weight="balanced"),
        TextCNNClassifier(architecture=dict, optimizer=dict, random_state=np.int64(3)),
        TextVectorizer(),
        TextVectorizer(min_df=0.5, max_df=3, tokenizer=str.split, vocabulary={"a": 2}),
    ],
    ids=["classifier", "bools", "numbers", "classes", "vectorizer", "containers"],
)
def test_parameters_that_are_valid_pass(validation, estimator):
    compat.check_parameters(estimator, with_constraints(estimator, validation))


class RefusesNothing:
    Interval, StrOptions = _param_validation.Interval, _param_validation.StrOptions

    @staticmethod
    def validate_parameter_constraints(constraints, params, caller_name):
        pass


class Raises(RefusesNothing):
    @staticmethod
    def validate_parameter_constraints(*args, **kwargs):
        raise RuntimeError("moved")


def test_the_probe_accepts_what_works_and_nothing_else():
    assert compat._sklearn_validates(_param_validation)
    for broken in (None, types.SimpleNamespace(), RefusesNothing, Raises):
        assert not compat._sklearn_validates(broken)


@pytest.mark.soak
def test_estimators_work_where_the_private_part_is_absent():
    script = """
import skorch.callbacks, sklearn.feature_extraction.text, sklearn.frozen, sklearn.pipeline
from sklearn.utils import _param_validation
del _param_validation.Interval
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._compat import sklearn as compat
assert compat.Interval is compat._Interval
ids = TextVectorizer(min_df=1).fit_transform(["a gem", "so dull"] * 3)
params = {"num_filters": 1, "embedding_dim": 1, "max_epochs": 1, "wide": False}
TextCNNClassifier(**params).fit(ids, [0, 1] * 3).predict(ids)
try:
    TextCNNClassifier(dropout=2).fit(ids, [0, 1] * 3)
except ValueError as error:
    print(error)
"""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert "'dropout' parameter of TextCNNClassifier must be a float in the range [0, 1)" in (
        process.stdout
    )
