"""Weights of samples and of classes."""

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer

# Of the network alone; tests/wide has trainings of both parts.
SMALL = {"num_filters": 6, "wide": False, "random_state": 0}


def test_class_weight_is_the_sample_weight_of_each_label(data):
    X, y = data
    weight = {label: i + 1 for i, label in enumerate(np.unique(y))}
    by_class = TextCNNClassifier(max_epochs=2, class_weight=weight, **SMALL).fit(X, y)
    by_sample = TextCNNClassifier(max_epochs=2, **SMALL)
    by_sample.fit(X, y, sample_weight=[weight[label] for label in y])
    np.testing.assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))
    both = TextCNNClassifier(max_epochs=2, class_weight=weight, **SMALL)
    both.fit(X, y, sample_weight=[1 / weight[label] for label in y])
    unweighted = TextCNNClassifier(max_epochs=2, **SMALL).fit(X, y)
    np.testing.assert_allclose(both.predict_proba(X), unweighted.predict_proba(X), atol=1e-6)


def test_balanced_classes_raise_the_recall_of_the_rare_one(data):
    X, y = data
    rare, others_of_rare = np.split(np.flatnonzero(y == "torch"), [6])
    others = np.flatnonzero(y == "scikit-learn")
    rows = np.concatenate([rare, others])
    plain = TextCNNClassifier(max_epochs=4, random_state=0)
    balanced = clone(plain).set_params(class_weight="balanced")
    probability = [
        model.fit(X[rows], y[rows]).predict_proba(X[others_of_rare])[:, 1].mean()
        for model in (plain, balanced)
    ]
    assert probability[1] > 1.1 * probability[0]


def test_the_scale_of_the_weights_does_not_matter(data):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    classifier = TextCNNClassifier(max_epochs=2, **SMALL)
    first = classifier.fit(X, y, sample_weight=weight).predict_proba(X)
    second = classifier.fit(X, y, sample_weight=1000 * weight).predict_proba(X)
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_sample_weight_is_routed_through_a_pipeline(corpus):
    texts, labels = corpus
    weight = np.random.default_rng(0).integers(1, 4, len(labels))
    X = TextVectorizer().fit_transform(texts)
    expected = TextCNNClassifier(max_epochs=1, **SMALL).fit(X, labels, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        classifier = TextCNNClassifier(max_epochs=1, **SMALL).set_fit_request(sample_weight=True)
        model = make_pipeline(TextVectorizer(), classifier)
        model.fit(texts, labels, sample_weight=weight)
    np.testing.assert_array_equal(model.predict_proba(texts), expected.predict_proba(X))
    old_way = make_pipeline(TextVectorizer(), TextCNNClassifier(max_epochs=1, **SMALL))
    old_way.fit(texts, labels, textcnnclassifier__sample_weight=weight)
    np.testing.assert_array_equal(old_way.predict_proba(texts), expected.predict_proba(X))
