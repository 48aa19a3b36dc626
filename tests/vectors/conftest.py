"""Fixtures of the tests of vectors."""

import os

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import save_facebook_model

from sktextcnn._vectors import file_cache
from tests.embeddings import WORDS, write_vectors
from tests.vector_files import SENTENCES


@pytest.fixture(scope="session")
def fasttext_model():
    return FastText(SENTENCES, vector_size=6, min_count=1, bucket=40, epochs=2, workers=1, seed=1)


@pytest.fixture(scope="session")
def fasttext_file(fasttext_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(fasttext_model, str(path))
    return path


@pytest.fixture
def glove(tmp_path):
    path = tmp_path / "glove.txt"
    write_vectors(path)
    return path


@pytest.fixture
def reads(monkeypatch):
    """What is read of files: (name, words) of each time that one is opened for its rows."""
    opened = []
    read_vectors = file_cache.read_vectors

    def counted(path, words, *how):
        words = list(words)
        opened.append((os.path.basename(path), sorted(words)))
        return read_vectors(path, words, *how)

    monkeypatch.setattr(file_cache, "read_vectors", counted)
    return opened


@pytest.fixture(scope="module")
def large_vectors():
    vectors = KeyedVectors(100)
    rows = np.random.default_rng(0).normal(size=(5000, 100)).astype(np.float32)
    vectors.add_vectors([*WORDS, *(f"word{i}" for i in range(4995))], rows)
    return vectors
