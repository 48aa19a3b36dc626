"""Searches on a Dask cluster of two processes."""

import os
import sys
from collections import Counter

import joblib
import numpy as np
import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from tests.embeddings import write_vectors
from tests.search.in_workers import KilledOnce, note_in, noted

TEXTS = ["a good film", "a bad film", "the warm and good one", "dull and bad of it"] * 6
LABELS = ["good", "bad", "good", "bad"] * 6
RATES = {"textcnnclassifier__learning_rate": [1e-3, 1e-2, 3e-2]}


def small_model(embeddings=None, first=()):
    return make_pipeline(
        *first,
        TextVectorizer(embeddings=embeddings, min_df=1, unseen_words=0, random_state=0),
        TextCNNClassifier(max_epochs=2, num_filters=4, random_state=0),
    )


def grid_search(model, cv=2):
    return GridSearchCV(model, RATES, cv=cv, error_score="raise")


def halving_search(model):
    return HalvingRandomSearchCV(
        model, RATES, n_candidates=3, cv=2, min_resources=8, random_state=0, error_score="raise"
    )


def assert_same_bits(search, other):
    for name, values in search.cv_results_.items():
        if "time" not in name:
            np.testing.assert_array_equal(values, other.cv_results_[name], err_msg=name)
    np.testing.assert_array_equal(search.predict_proba(TEXTS), other.predict_proba(TEXTS))


@pytest.mark.parametrize("search", [grid_search, halving_search])
def test_a_search_has_the_bits_of_one_in_this_process(search, dask_client):
    alone = search(small_model()).fit(TEXTS, LABELS)
    texts = np.array(TEXTS, dtype=object)
    with joblib.parallel_config("dask", scatter=[texts, LABELS]):
        spread = search(small_model()).fit(texts, LABELS)
    assert_same_bits(spread, alone)


@pytest.mark.parametrize("saved", [False, True], ids=["file", "vectors that were saved"])
def test_a_worker_reads_vectors_once(saved, dask_client, tmp_path, monkeypatch):
    vectors = write_vectors(tmp_path / "glove.txt")
    path = tmp_path / "glove.txt"
    if saved:
        path = Embeddings(vectors).save(tmp_path / "saved.bin")
    note = str(tmp_path / "note")
    dask_client.run(note_in, note)
    monkeypatch.setenv("NOTED", note)
    with joblib.parallel_config("dask"):
        grid_search(small_model(Embeddings(path, word=noted))).fit(TEXTS, LABELS)
    reads = Counter(map(int, (tmp_path / "note").read_text().split()))
    workers = set(dask_client.run(os.getpid).values())
    assert set(reads) - {os.getpid()} <= workers
    # This process fits once, with the best parameters; the others fit several times.
    assert set(reads.values()) == {reads[os.getpid()]}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_search_survives_a_worker_that_is_killed(dask_client, tmp_path):
    # joblib sends arrays above 1 kB, as the rows of these folds are, to one worker by itself.
    texts, labels = np.array(TEXTS * 17, dtype=object), np.array(LABELS * 17)
    folds = list(StratifiedKFold(2).split(texts, labels))
    rows = [rows for fold in folds for rows in fold]
    assert min(each.nbytes for each in rows) > 1000
    alone = grid_search(small_model(first=[KilledOnce()])).fit(texts, labels)
    before = set(dask_client.run(os.getpid).values())
    model = small_model(first=[KilledOnce(str(tmp_path / "mark"))])
    with joblib.parallel_config("dask", scatter=[texts, labels, *rows]):
        spread = grid_search(model, folds).fit(texts, labels)
    assert_same_bits(spread, alone)
    assert (tmp_path / "mark").exists()
    assert set(dask_client.run(os.getpid).values()) != before
