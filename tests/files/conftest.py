"""Models for the tests of ONNX and model files, fitted once."""

import sys
from pathlib import Path

import pytest

import sktextcnn
from tests.files.model_helpers import make_model
from tests.files.onnx_helpers import fitted

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def docstrings_model(corpus):
    return fitted(*corpus)


@pytest.fixture(scope="session")
def small_model():
    """A model of few words, which is fitted in no time."""
    texts = ["a gem", "so dull", "a witty gem", "a dull film"] * 3
    # With more products of a word than numbers in its vector, as in usual models.
    return fitted(texts, [1, 0, 1, 0] * 3, num_filters=100)


@pytest.fixture(scope="session")
def serve_onnx():
    sys.path.insert(0, str(EXAMPLES))
    try:
        yield __import__("serve_onnx")
    finally:
        sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="session")
def model(corpus, vectors_file):
    return make_model(vectors_file).fit(*corpus)


@pytest.fixture(scope="session")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.sktextcnn"
    sktextcnn.save(model, path)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.sktextcnn"
