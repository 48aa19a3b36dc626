"""Real texts and a real file of vectors, small enough for tests."""

import re
from importlib.metadata import version

import numpy as np
import pytest
from gensim.models import Word2Vec
from hypothesis import HealthCheck, settings

from sktextcnn.datasets import load_docstrings

SIZE = 16

# The same examples every time, and no measuring of time. `make soak` looks for new ones.
_ALWAYS = {"deadline": None, "suppress_health_check": list(HealthCheck), "print_blob": True}
settings.register_profile("suite", max_examples=40, derandomize=True, database=None, **_ALWAYS)
settings.register_profile("long", max_examples=2_000, **_ALWAYS)
settings.load_profile("suite")


def pytest_report_header():
    names = ("torch", "skorch", "scikit-learn", "gensim", "scipy", "numpy")
    return ", ".join(f"{name} {version(name)}" for name in names)


def pytest_make_parametrize_id(val):
    # Without addresses, so that all processes that share the tests have the same names.
    return re.sub(" at 0x[0-9a-f]+", "", str(val)) if isinstance(val, dict) else None


@pytest.fixture(scope="session")
def docstrings():
    """The whole corpus, which takes seconds to collect."""
    return load_docstrings()


@pytest.fixture(scope="session")
def corpus(docstrings):
    """Summaries of docstrings and the library of each: 240 texts, five classes."""
    texts, libraries = docstrings
    chosen = np.random.default_rng(0).permutation(len(texts))[:240]
    return [texts[i] for i in chosen], [libraries[i] for i in chosen]


@pytest.fixture(scope="session")
def two_classes(corpus):
    texts, libraries = corpus
    return texts, ["torch" if library == "torch" else "other" for library in libraries]


@pytest.fixture(scope="session")
def vectors_file(docstrings, tmp_path_factory):
    """word2vec vectors of the docstrings, as gensim writes them in text."""
    texts, _ = docstrings
    model = Word2Vec(
        [text.lower().split() for text in texts], vector_size=SIZE, min_count=2, epochs=2, seed=1
    )
    path = tmp_path_factory.mktemp("vectors") / "docstrings.txt"
    model.wv.save_word2vec_format(str(path))
    return str(path)
