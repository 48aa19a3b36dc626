"""Vectors that gensim trains on the fitted texts."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

from sktextcnn import TextVectorizer
from tests.embeddings import SENTENCES

TRAINING = {"vector_size": 4, "epochs": 2}


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_vectors_trained_here_have_the_bits_of_their_random_state(algorithm):
    texts = [" ".join(sentence) for sentence in SENTENCES]
    params = {**TRAINING, "bucket": 50} if algorithm == "fasttext" else TRAINING
    matrices = []
    for random_state in (0, 0, 1):
        # Another state of the global generator each time, which must not matter.
        np.random.seed(len(matrices))
        vectorizer = TextVectorizer(
            embeddings=algorithm, embeddings_params=params, random_state=random_state
        )
        matrices.append(vectorizer.fit(texts).embedding_matrix_)
    assert matrices[0].shape == (2 + len(set().union(*SENTENCES)), 4)
    assert matrices[0].tobytes() == matrices[1].tobytes()
    assert matrices[0].tobytes() != matrices[2].tobytes()
    assert not matrices[0][0].any()


def test_a_text_longer_than_gensims_sentences_is_trained_on_to_its_end():
    rng = np.random.default_rng(0)
    first = " ".join(f"a{i}" for i in rng.integers(50, size=10_000))
    second = " ".join(f"b{i}" for i in rng.integers(50, size=10_000))
    whole, halves = (
        TextVectorizer(embeddings="word2vec", embeddings_params=TRAINING, random_state=0).fit(texts)
        for texts in ([f"{first} {second}"], [first, second])
    )
    assert whole.vocabulary_ == halves.vocabulary_
    np.testing.assert_array_equal(whole.embedding_matrix_, halves.embedding_matrix_)


@pytest.mark.parametrize(
    "params",
    [
        {"windw": 3},
        {"min_count": 1000},
        pytest.param({"vector_size": 0}),
    ],
    ids=str,
)
def test_parameters_that_train_nothing_are_shown_with_the_reason(params):
    vectorizer = TextVectorizer(embeddings="word2vec", embeddings_params=params)
    match = rf"embeddings='word2vec' could not be trained .* with embeddings_params=.*{min(params)}"
    with pytest.raises(ValueError, match=match):
        vectorizer.fit(["the cat", "the mat"])


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_vectors_are_trained_on_texts_with_lone_surrogates(algorithm):
    params = {"vector_size": 3, "epochs": 1} | ({"bucket": 9} if algorithm == "fasttext" else {})
    vectorizer = TextVectorizer(embeddings=algorithm, embeddings_params=params, random_state=0)
    vectorizer.fit(["a \ud800 gem", "a gem"])
    has_vector = {word for word, _ in vectorizer.coverage_.missing} ^ set(vectorizer.vocabulary_)
    assert has_vector == {"a", "gem"} | ({"\ud800"} if algorithm == "word2vec" else set())
    assert np.isfinite(vectorizer.embedding_matrix_).all()


@pytest.mark.soak
def test_vectors_trained_here_are_the_same_in_every_process(corpus):
    texts = corpus[0][:60]
    vectorizers, matrices = [], []
    for algorithm, params in (("word2vec", {}), ("fasttext", {"bucket": 100})):
        params = {"vector_size": 6, "epochs": 2, **params}
        vectorizer = TextVectorizer(embeddings=algorithm, embeddings_params=params, random_state=3)
        matrix = vectorizer.fit(texts).embedding_matrix_
        assert matrix.shape == (len(vectorizer.vocabulary_) + 2, 6)
        assert vectorizer.coverage_.types == 1
        other = clone(vectorizer).set_params(random_state=4).fit(texts).embedding_matrix_
        assert not np.array_equal(matrix, other)
        vectorizers.append(clone(vectorizer))
        matrices.append(matrix)
    code = (
        "import pickle, sys; vectorizers, texts = pickle.load(sys.stdin.buffer);"
        "found = [v.fit(texts).embedding_matrix_ for v in vectorizers];"
        "sys.stdout.buffer.write(pickle.dumps(found))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps((vectorizers, texts)),
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        check=True,
    )
    for found, matrix in zip(pickle.loads(answer.stdout), matrices, strict=True):
        np.testing.assert_array_equal(found, matrix)


def test_global_generators_are_left_untouched(corpus):
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    TextVectorizer(
        embeddings="word2vec", embeddings_params={"vector_size": 4, "epochs": 1}, random_state=0
    ).fit(corpus[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before)
