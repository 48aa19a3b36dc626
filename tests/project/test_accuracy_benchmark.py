"""What benchmarks/accuracy.py computes by itself, on cases that are known by hand."""

import importlib
import json
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def module(monkeypatch):
    """A function that imports a module of the benchmarks."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield importlib.import_module
    # Names as general as theirs must not be found by other tests.
    for name, module in list(sys.modules.items()):
        if BENCHMARKS in Path(getattr(module, "__file__", None) or "/").parents:
            del sys.modules[name]


def result(method, corpus, seed, accuracy):
    figures = ("macro F1", "log loss", "Brier", "calibration error", "seconds to fit")
    return {
        "method": method,
        "corpus": corpus,
        "labels": 200,
        "seed": seed,
        "accuracy": accuracy,
        "texts a second": 1000.0,
        **dict.fromkeys(figures, 0.5),
    }


def test_tables_have_means_of_methods_with_all_corpora(module, tmp_path, capsys):
    results = [
        *(result("fastText", corpus, 0, 80.0) for corpus in ("a", "b")),
        result("fastText", "b", 1, 90.0),
        # A mean over one of two corpora could not be compared. Seed 2 was not asked for.
        result("NB-SVM", "a", 0, 70.0),
        result("NB-SVM", "a", 2, 10.0),
    ]
    file = tmp_path / "accuracy.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in results))
    args = {"labels": [200], "seeds": 2, "corpora": ["a", "b"], "methods": ["fastText", "NB-SVM"]}
    module("accuracy").report(Namespace(**args, json=file, record=False))
    means, accuracies, losses = capsys.readouterr().out.split("### ")[1:]
    (row,) = [line for line in means.splitlines() if line.startswith("| ")][1:]
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells == ["fastText", "82.5", "0.5", "0.500", "0.500", "0.5", "0.5", "1,000", "1"]
    assert accuracies.startswith("Accuracy by corpus, 200 labels")
    assert "| fastText | 80.0 | 85.0 |" in accuracies
    assert "| NB-SVM   | 70.0 |      |" in accuracies
    assert losses.startswith("Log loss by corpus, 200 labels")


def test_the_default_corpora_are_for_classification(module, tmp_path):
    for name in ("trec-train", "trec-test", "mr", "udhr"):
        (tmp_path / f"{name}.tsv").write_text("")
    assert module("accuracy").names_of(tmp_path) == ["mr", "trec"]


def test_calibration_error_of_two_bins(module):
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    right = np.array([True, True, True, False])
    # Half of the texts at 0.9, all right, and half at 0.6, half of them right.
    error = module("accuracy").calibration_error(probabilities, right)
    assert error == pytest.approx(100 * (0.5 * 0.1 + 0.5 * 0.1))


def test_log_probability_leaves_out_classes_that_no_training_text_has(module):
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["a", "a", "c", "c"])
    model = LogisticRegression().fit(X, y)
    score = module("peers._choice").log_probability(model, X, np.array(["a", "b", "c", "d"]))
    assert score == pytest.approx(-log_loss(["a", "c"], model.predict_proba(X[[0, 2]])))


@pytest.mark.parametrize("beta", [0.25, 1])
def test_nb_svm_is_logistic_regression_over_weighted_features(module, beta):
    X = np.random.default_rng(0).integers(0, 2, (30, 4))
    y = np.where(X[:, 0] + X[:, 1] > 1, "yes", "no")
    within, without = 1 + X[y == "yes"].sum(axis=0), 1 + X[y == "no"].sum(axis=0)
    ratios = np.log(within / within.sum() / (without / without.sum()))
    linear = LogisticRegression(solver="liblinear", C=2).fit(X * ratios, y)
    weights = (1 - beta) * np.abs(linear.coef_).mean() + beta * linear.coef_[0]
    logits = (X * ratios) @ weights + linear.intercept_
    model = module("peers.nb_svm").NaiveBayesWeights(C=2, beta=beta)
    found = model.fit(sparse.csr_matrix(X), y).predict_proba(sparse.csr_matrix(X))
    np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-logits)))


def test_few_labels_of_a_corpus_are_not_tested_on(module, tmp_path):
    transfer = module("transfer")
    lines = [f"{'positive' if i % 2 else 'negative'}\ttext {i}" for i in range(200)]
    (tmp_path / "mr.tsv").write_text("\n".join(lines))
    texts, y = transfer.corpus(tmp_path, "MR")
    assert set(y) == {"pos", "neg"}
    label_of = dict(zip(texts, y, strict=True))
    parts = list(transfer.parts({"MR": transfer.Texts(texts, y)}, ["MR"], [10, 500], 2))
    assert [(part.labels, part.seed) for part in parts] == [(10, 0), (500, 0), (10, 1), (500, 1)]
    for part in parts:
        assert len(part.few.texts) == min(part.labels, 100)
        assert len(set(part.few.texts) | set(part.test.texts)) == len(part.few.texts) + 100
        assert list(part.few.y) == [label_of[text] for text in part.few.texts]
