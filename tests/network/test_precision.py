"""bfloat16: results are close to those of float32, and only products are rounded."""

import pickle

import numpy as np
import pytest
import torch

from sktextcnn import TextCNNClassifier, TextVectorizer

SMALL = {"num_filters": 8, "max_epochs": 4, "random_state": 0}
NETWORKS = [{}, {"convolution": "dense"}, {"architecture": "stacked"}, {"finetune": "multichannel"}]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Texts of made-up words, of which each class uses thirty, and random vectors."""
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(60)]
    vectors = tmp_path_factory.mktemp("vectors") / "random.txt"
    rows = (" ".join(map(str, row)) for row in rng.normal(0, 0.5, (60, 16)).round(3))
    vectors.write_text("".join(f"{word} {row}\n" for word, row in zip(words, rows, strict=True)))
    y = np.arange(150) % 3
    texts = [
        " ".join(words[10 * label + i] for i in rng.integers(0, 30, rng.integers(2, 15)))
        for label in y
    ]
    return TextVectorizer(embeddings=str(vectors)).fit_transform(texts), y


@pytest.mark.parametrize("params", NETWORKS, ids=str)
def test_bfloat16_is_close_to_float32(data, params):
    X, y = data
    exact = TextCNNClassifier(**SMALL, **params).fit(X, y)
    rough = TextCNNClassifier(**SMALL, **params, precision="bfloat16").fit(X, y)
    difference = np.abs(exact.predict_proba(X) - rough.predict_proba(X)).max()
    assert 0 < difference < 0.05
    assert all(value.dtype == torch.float32 for value in rough.net_.module_.parameters())
    restored = pickle.loads(pickle.dumps(rough))
    np.testing.assert_array_equal(restored.predict_proba(X), rough.predict_proba(X))


@pytest.mark.parametrize("params", NETWORKS[:2], ids=str)
def test_the_rounding_of_predictions_is_that_of_bfloat16(data, params):
    X, y = data
    classifier = TextCNNClassifier(**SMALL, **params).fit(X, y)
    exact = classifier.decision_function(X)
    classifier.net_.precision = "bfloat16"
    rough = classifier.decision_function(X)
    # 8 bits: a relative error of 1 in 256 at most, in sums of some values.
    np.testing.assert_allclose(rough, exact, atol=0.02 * np.abs(exact).max())
    assert np.abs(rough - exact).max() > 1e-5


def test_the_remembered_products_are_those_of_the_precision(data):
    X, y = data
    classifier = TextCNNClassifier(**SMALL).fit(X, y)
    exact = classifier.predict_proba(X)
    classifier.net_.precision = "bfloat16"
    assert np.abs(classifier.predict_proba(X) - exact).max() > 1e-6
    classifier.net_.precision = "float32"
    np.testing.assert_array_equal(classifier.predict_proba(X), exact)


def test_bfloat16_leaves_the_users_autocast_alone(data):
    X, y = data
    TextCNNClassifier(**SMALL, precision="bfloat16").fit(X, y).predict(X)
    assert not torch.is_autocast_enabled("cpu")


def test_other_precisions_are_refused(data):
    X, y = data
    with pytest.raises(ValueError, match="'precision' parameter of TextCNNClassifier"):
        TextCNNClassifier(precision="float16").fit(X, y)
