"""What the documentation promises of every fitted model."""

import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, TokenIds

SMALL = {"num_filters": 6, "max_epochs": 2, "wide": False}


def small_model(vectors_file, **params):
    return make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(random_state=0, **{**SMALL, **params}),
    )


@pytest.mark.parametrize(
    "params",
    [
        {"wide": True},
        {"token_dropout": 0.2, "early_stopping": True},
        {"finetune": "multichannel"},
        {"finetune": "gradual"},
        {"architecture": "stacked"},
        {"optimizer": "adadelta", "max_norm": 1.0},
    ],
    ids=str,
)
def test_the_same_random_state_gives_the_same_bits(corpus, vectors_file, params):
    texts, labels = corpus
    first = small_model(vectors_file, **params).fit(texts, labels).predict_proba(texts)
    np.random.seed(12345)
    torch.manual_seed(12345)
    second = small_model(vectors_file, **params).fit(texts, labels).predict_proba(texts)
    np.testing.assert_array_equal(first, second)
    other = small_model(vectors_file, **params).set_params(textcnnclassifier__random_state=1)
    assert not np.array_equal(first, other.fit(texts, labels).predict_proba(texts))


def test_global_generators_are_left_untouched(corpus, vectors_file):
    texts, labels = corpus
    np.random.seed(3)
    torch.manual_seed(3)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    model = small_model(vectors_file, early_stopping=True, token_dropout=0.1, wide=True)
    for random_state in (0, None):
        model.set_params(
            textcnnclassifier__random_state=random_state, textvectorizer__random_state=0
        )
        torch.manual_seed(3)
        model.fit(texts, labels).predict_proba(texts)
        assert torch.equal(torch.get_rng_state(), torch_state)
        if random_state is not None:
            np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)


@pytest.mark.soak
def test_one_job_and_two_jobs_give_the_same_bits(corpus, vectors_file):
    texts, labels = corpus
    grid = [
        {"textvectorizer__min_df": [1], "textcnnclassifier__finetune": [False]},
        {"textvectorizer__min_df": [2], "textcnnclassifier__wide": [True]},
    ]
    searches = [
        GridSearchCV(small_model(vectors_file), grid, cv=2, n_jobs=n_jobs).fit(texts, labels)
        for n_jobs in (1, 2)
    ]
    one, two = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_array_equal(one, two)
    one, two = (search.predict_proba(texts) for search in searches)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("finetune", [True, "multichannel"])
def test_probabilities_do_not_depend_on_batch_mates(corpus, vectors_file, finetune):
    texts, labels = corpus
    model = small_model(vectors_file, finetune=finetune).fit(texts, labels)
    together = model.predict_proba(texts)
    alone = np.concatenate([model.predict_proba([text]) for text in texts])
    # The last layer is computed in float64; its rounding is all that may differ.
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    np.testing.assert_allclose(together[::-1], model.predict_proba(texts[::-1]), rtol=1e-12)


def test_neither_training_nor_probabilities_depend_on_padding(corpus, vectors_file):
    texts, labels = corpus
    model = small_model(vectors_file, token_dropout=0.0, wide=True).fit(texts, labels)
    expected = model.predict_proba(texts[:20])
    width = model[0].max_length_
    for padding, wider in (("pre", width), ("pre", width + 30), ("post", width + 30)):
        other = clone(model).set_params(
            textvectorizer__max_length=wider, textvectorizer__padding=padding
        )
        other.fit(texts, labels)
        np.testing.assert_array_equal(other.predict_proba(texts[:20]), expected)


def test_weight_two_equals_the_row_given_twice(corpus):
    texts, labels = corpus
    X = TextVectorizer().fit_transform(texts)
    weight = np.random.default_rng(0).integers(0, 3, len(labels))
    rows = np.repeat(np.arange(len(labels)), weight)
    params = {**SMALL, "max_epochs": 5, "dropout": 0.0, "token_dropout": 0.0, "batch_size": 1000}
    classifier = TextCNNClassifier(random_state=0, **params)
    weighted = clone(classifier).fit(X, labels, sample_weight=weight)
    repeated = clone(classifier).fit(X[rows], np.array(labels)[rows])
    unweighted = clone(classifier).fit(X, labels)
    expected = repeated.predict_proba(X)
    np.testing.assert_allclose(weighted.predict_proba(X), expected, atol=1e-5)
    assert np.abs(unweighted.predict_proba(X) - expected).max() > 1e-3


READER = """
import sys, joblib, numpy as np
for kind in ("kim", "stacked"):
    model = joblib.load(kind + ".model")
    texts, expected = joblib.load(kind + ".expected")
    np.testing.assert_array_equal(model.predict_proba(texts), expected)
    print(model.predict([sys.argv[1]])[0])
"""


@pytest.mark.soak
def test_models_predict_the_same_in_a_fresh_process(corpus, vectors_file, tmp_path):
    texts, labels = corpus
    answers = []
    for kind in ("kim", "stacked"):
        model = small_model(vectors_file, architecture=kind, wide=True).fit(texts, labels)
        joblib.dump(model, tmp_path / f"{kind}.model")
        joblib.dump((texts, model.predict_proba(texts)), tmp_path / f"{kind}.expected")
        answers.append(model.predict(texts[:1])[0])
    # From another folder, where neither the vectors nor the tests are at hand.
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", READER, texts[0]],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert process.stdout.split() == answers


def test_a_saved_model_does_not_need_the_file_of_its_vectors(corpus, vectors_file, tmp_path):
    texts, labels = corpus
    copy = tmp_path / "copy.txt"
    with open(vectors_file, "rb") as file:
        copy.write_bytes(file.read())
    model = small_model(str(copy)).fit(texts, labels)
    joblib.dump(model, tmp_path / "model.joblib")
    expected = model.predict_proba(texts)
    copy.unlink()
    np.testing.assert_array_equal(
        joblib.load(tmp_path / "model.joblib").predict_proba(texts), expected
    )


def test_a_model_trained_on_cuda_is_loaded_without(corpus, vectors_file, tmp_path):
    texts, labels = corpus
    model = small_model(vectors_file).fit(texts, labels)
    expected = model.predict_proba(texts)
    # There is no CUDA here. What a pickle says of the device is the parameter alone.
    model[-1].net_.device = "cuda"
    model.set_params(textcnnclassifier__device="cuda")
    joblib.dump(model, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    assert loaded[-1].net_.device == "cpu"
    np.testing.assert_array_equal(loaded.predict_proba(texts), expected)


@pytest.mark.parametrize("architecture", ["kim", "stacked"])
def test_odd_texts_get_probabilities(corpus, vectors_file, architecture):
    texts, labels = corpus
    model = small_model(vectors_file, architecture=architecture, kernel_sizes=(2, 7))
    odd = ["", "   ", "zzyzx qwertyuiop", "array", "a b", "word " * 1_000_000]
    model.fit([*texts, *odd], [*labels, *labels[: len(odd)]])
    together = model.predict_proba(odd)
    assert np.isfinite(together).all()
    np.testing.assert_allclose(together.sum(axis=1), 1)
    for text, row in zip(odd, together, strict=True):
        np.testing.assert_allclose(model.predict_proba([text])[0], row, atol=1e-6)
    np.testing.assert_array_equal(together[0], together[1])


def test_a_million_tokens_are_read_whole_if_asked_for(corpus):
    texts, _ = corpus
    giant = " ".join(np.random.default_rng(0).choice(["array", "tensor", "graph"], 1_000_000))
    vectorizer = TextVectorizer(max_length=None).fit([*texts[:5], giant])
    X = vectorizer.transform([*texts[:5], giant])
    assert X.shape == (6, 1_000_000)
    classifier = TextCNNClassifier(
        num_filters=2, kernel_sizes=(3,), embedding_dim=4, max_epochs=1, batch_size=1
    )
    classifier.fit(X, [0, 1, 0, 1, 0, 1])
    assert classifier.predict_proba(X).shape == (6, 2)


def test_predict_leaves_the_model_as_it_was(corpus, vectors_file):
    texts, labels = corpus
    model = small_model(vectors_file).fit(texts, labels)
    before = joblib.hash(model)
    model.predict(texts)
    assert joblib.hash(model) == before
    assert isinstance(model[0].transform(texts[:2]), TokenIds)
