"""Models for the tests of ONNX files, fitted once."""

import sys
from pathlib import Path

import pytest

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
