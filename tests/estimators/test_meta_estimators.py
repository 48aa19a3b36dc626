"""The pipeline inside scikit-learn's meta-estimators, and what these may not do to it."""

import os
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer, TokenIds


@pytest.fixture
def model(vectors_file):
    return make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(
            random_state=0, num_filters=10, max_epochs=3, learning_rate=3e-3, wide=False
        ),
    )


def majority(labels):
    return max(labels.count(label) for label in set(labels)) / len(labels)


@pytest.mark.soak
def test_cross_validation_beats_the_majority(docstrings):
    texts, labels = (values[::9] for values in docstrings)
    learner = TextCNNClassifier(
        random_state=0,
        num_filters=10,
        embedding_dim=30,
        max_epochs=12,
        learning_rate=0.01,
        dropout=0,
        wide=False,
    )
    model = make_pipeline(TextVectorizer(), learner)
    scores = cross_val_score(model, texts, labels, cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 2 * majority(labels)
    proba = cross_val_predict(model, texts, labels, cv=3, method="predict_proba")
    right = np.unique(labels)[proba.argmax(axis=1)] == labels
    assert right.mean() == pytest.approx(scores.mean(), abs=0.01)


@pytest.mark.parametrize("container", [np.array, pd.Series, pd.array], ids=lambda c: c.__name__)
def test_texts_and_labels_come_in_any_container(model, two_classes, container):
    texts, labels = two_classes
    expected = model.fit(texts, labels).predict_proba(texts[:20])
    fitted = clone(model).fit(container(texts), container(labels))
    np.testing.assert_array_equal(fitted.predict_proba(container(texts[:20])), expected)
    generator = (text for text in texts[:20])
    np.testing.assert_array_equal(fitted.predict_proba(generator), expected)


@pytest.mark.soak
def test_grid_search_over_both_steps_in_two_processes(model, two_classes, vectors_file):
    texts, labels = two_classes
    grid = {
        "textvectorizer__max_length": [10, "auto"],
        "textvectorizer__embeddings": [None, vectors_file, Embeddings(vectors_file)],
        "textcnnclassifier__finetune": [True],
        "textcnnclassifier__kernel_sizes": [(2,)],
    }
    search = GridSearchCV(model, grid, cv=2, n_jobs=2, error_score="raise").fit(texts, labels)
    results = pd.DataFrame(search.cv_results_)
    assert len(results) == 6
    assert results["mean_test_score"].notna().all()
    # A path and a handle on it are the same vectors.
    by_source = results[results["param_textvectorizer__embeddings"].notna()].groupby(
        results["param_textvectorizer__embeddings"].map(lambda e: isinstance(e, Embeddings))
    )
    as_path, as_handle = (group["mean_test_score"].tolist() for _, group in by_source)
    assert as_path == as_handle
    assert search.predict(texts[:3]).shape == (3,)


def test_a_search_hands_no_vectors_to_its_candidates(vectors_file):
    handle = Embeddings(vectors_file)
    model = make_pipeline(TextVectorizer(embeddings=handle), TextCNNClassifier())
    assert clone(model)[0].embeddings is handle
    assert len(pickle.dumps(clone(model))) < 10_000 < os.path.getsize(vectors_file)


def test_randomized_search(model, two_classes):
    texts, labels = two_classes
    search = RandomizedSearchCV(
        model,
        {"textcnnclassifier__num_filters": [4, 8], "textcnnclassifier__dropout": [0.0, 0.3]},
        n_iter=2,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(texts, labels)
    assert search.best_score_ > 0


def test_halving_search_gives_the_best_more_epochs(model, two_classes):
    texts, labels = two_classes
    search = HalvingGridSearchCV(
        model,
        {"textcnnclassifier__finetune": [False, True]},
        resource="textcnnclassifier__max_epochs",
        max_resources=4,
        min_resources=2,
        factor=2,
        cv=2,
        error_score="raise",
    ).fit(texts, labels)
    assert search.n_resources_ == [2, 4]
    assert search.best_estimator_[-1].n_iter_ == 4


def test_learning_curve(model, two_classes):
    texts, labels = two_classes
    sizes, train, test = learning_curve(
        model, texts, labels, train_sizes=[0.5, 1.0], cv=2, error_score="raise"
    )
    assert sizes.tolist() == [60, 120]
    assert np.isfinite(train).all()
    assert np.isfinite(test).all()


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(model, two_classes, method):
    texts, labels = two_classes
    calibrated = CalibratedClassifierCV(model, cv=2, method=method).fit(texts, labels)
    np.testing.assert_allclose(calibrated.predict_proba(texts[:5]).sum(axis=1), 1)


def test_calibration_of_the_classifier_on_token_ids(model, two_classes):
    texts, labels = two_classes
    X = model[0].fit_transform(texts)
    calibrated = CalibratedClassifierCV(model[1], cv=2).fit(X, labels)
    inner = calibrated.calibrated_classifiers_[0].estimator
    assert inner.embedding_source_ == "docstrings.txt"


def test_one_vs_rest(model, corpus):
    texts, labels = corpus
    one_vs_rest = OneVsRestClassifier(model).fit(texts, labels)
    assert len(one_vs_rest.estimators_) == 5
    assert one_vs_rest.predict(texts[:4]).shape == (4,)


def test_many_labels_a_text(model, two_classes):
    texts, labels = two_classes
    labels = np.array(
        [[label == "torch", len(text) > 60] for text, label in zip(texts, labels, strict=True)]
    )
    labels = labels.astype(int)
    assert model.fit(texts, labels).predict(texts).shape == labels.shape
    assert MultiOutputClassifier(model).fit(texts, labels).predict(texts).shape == labels.shape
    sets = [["long"] * row[1] + ["torch"] * row[0] for row in labels]
    binary = MultiLabelBinarizer().fit_transform(sets)
    assert model.fit(texts, binary).score(texts, binary) > 0


def test_bagging_of_classifiers_on_token_ids(model, two_classes):
    texts, labels = two_classes
    # BaggingClassifier turns X into an array and chooses rows of it.
    bag = BaggingClassifier(model[-1], n_estimators=2, random_state=0)
    inside = make_pipeline(model[0], bag).fit(texts, labels)
    assert inside.predict_proba(texts).shape == (len(texts), 2)
    assert {member.embedding_source_ for member in inside[-1].estimators_} == {"docstrings.txt"}


def test_bagging_of_pipelines_on_a_column_of_texts(model, two_classes):
    texts, labels = two_classes
    column = ColumnTransformer([("text", "passthrough", [0])], verbose_feature_names_out=False)
    frame = np.array(texts, dtype=object)[:, None]
    with pytest.raises(ValueError, match=r"one-dimensional.*Select the column"):
        make_pipeline(column, model).fit(frame, labels)


def test_voting_and_stacking_beside_a_linear_model(model, corpus):
    texts, labels = corpus
    linear = make_pipeline(TfidfVectorizer(), LogisticRegression())
    members = [("cnn", model), ("linear", linear)]
    voting = VotingClassifier(members, voting="soft").fit(texts, labels)
    expected = (
        voting.estimators_[0].predict_proba(texts) + voting.estimators_[1].predict_proba(texts)
    ) / 2
    np.testing.assert_allclose(voting.predict_proba(texts), expected)
    model.set_params(textcnnclassifier__max_epochs=10)
    stacking = StackingClassifier(members, cv=2).fit(texts, labels)
    assert stacking.score(texts, labels) > majority(labels)


def test_permutation_importance_over_positions(model, corpus):
    texts, labels = corpus
    X = model[0].set_params(max_length=6).fit_transform(texts)
    classifier = model[-1].set_params(max_epochs=15).fit(X, labels)
    importance = permutation_importance(
        classifier, np.asarray(X), labels, n_repeats=2, random_state=0
    )
    assert importance.importances_mean.shape == (6,)
    assert importance.importances_mean.max() > 0


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_the_vectors_reach_the_classifier_in_a_data_frame(model, two_classes, container):
    texts, labels = two_classes
    with config_context(transform_output=container):
        frame = model[0].fit_transform(texts)
        assert type(frame).__name__ == "DataFrame"
        assert list(frame.columns[:2]) == ["token0", "token1"]
        model.fit(texts, labels)
    assert model[-1].embedding_source_ == "docstrings.txt"
    assert list(model[-1].feature_names_in_[:2]) == ["token0", "token1"]
    model[0].set_output(transform="default")
    assert isinstance(model[0].transform(texts), TokenIds)


def test_a_union_of_features_is_refused(vectors_file, two_classes):
    texts, labels = two_classes
    vectorizer = TextVectorizer(embeddings=vectors_file, random_state=0)
    union = FeatureUnion([("a", vectorizer), ("b", TextVectorizer(analyzer="char"))])
    with pytest.raises(
        ValueError, match=r"columns beside .*lost the 16-d word vectors.*FeatureUnion"
    ):
        make_pipeline(union, TextCNNClassifier()).fit(texts, labels)
    single = ColumnTransformer([("text", vectorizer, "text")])
    model = make_pipeline(single, TextCNNClassifier(max_epochs=1, num_filters=4))
    model.fit(pd.DataFrame({"text": texts}), labels)
    assert model[-1].embedding_source_ == "docstrings.txt"


def test_metadata_routing_through_a_search(model, two_classes):
    texts, labels = two_classes
    weight = np.linspace(0.5, 1.5, len(labels))
    with config_context(enable_metadata_routing=True):
        routed = clone(model)
        routed[-1].set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        # A score of a pipeline has weights of its own in scikit-learn before 1.8.
        routed.set_score_request(sample_weight=True)
        search = GridSearchCV(
            routed, {"textcnnclassifier__num_filters": [4]}, cv=2, error_score="raise"
        )
        search.fit(texts, labels, sample_weight=weight)
    unweighted = GridSearchCV(model, {"textcnnclassifier__num_filters": [4]}, cv=2)
    unweighted.fit(texts, labels)
    difference = search.predict_proba(texts) - unweighted.predict_proba(texts)
    assert np.abs(difference).max() > 0


def test_a_pipeline_with_memory_notices_other_vectors(vectors_file, two_classes, tmp_path):
    texts, labels = two_classes
    model = make_pipeline(
        TextVectorizer(embeddings="word2vec", random_state=0),
        TextCNNClassifier(num_filters=4, max_epochs=1),
        memory=str(tmp_path),
    )
    for size in (5, 8, 5):
        model.set_params(textvectorizer__embeddings_params={"vector_size": size}).fit(texts, labels)
        assert model[-1].net_.module_.embedding.embedding_dim == size
    model.set_params(
        textvectorizer__embeddings=vectors_file, textvectorizer__embeddings_params=None
    ).fit(texts, labels)
    assert model[-1].net_.module_.embedding.embedding_dim == 16
