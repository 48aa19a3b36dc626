"""The curves of benchmarks/faithfulness.py, on texts whose areas are known by hand."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sktextcnn import TextCNNClassifier, TextVectorizer, explain
from sktextcnn._token_ids import PADDING_ID, UNKNOWN_ID

WEIGHTS = np.array([0.2, 0.5, 0.3])


@pytest.fixture
def faithfulness(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("faithfulness")


@pytest.mark.parametrize(
    ("curve", "expected"), [([1, 1], 1), ([1, 0.5, 0], 0.5), ([1, 0, 0, 0, 0], 0.125)], ids=str
)
def test_area_of_known_curves(faithfulness, curve, expected):
    assert faithfulness.area(np.array(curve)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("scores", "deletion", "insertion"),
    [
        # 1, .5, .2, 0 and 0, .5, .8, 1; in the worst order the other way round.
        (WEIGHTS, 0.4, 0.6),
        (-WEIGHTS, 0.6, 0.4),
        # Ties go from left to right: 1, .8, .3, 0 and 0, .2, .7, 1.
        (np.zeros(3), 1.6 / 3, 1.4 / 3),
    ],
    ids=["best", "worst", "ties"],
)
def test_areas_where_the_probability_is_a_sum_over_tokens(
    faithfulness, scores, deletion, insertion
):
    areas = [faithfulness.area(kept @ WEIGHTS) for kept in faithfulness.masks(scores)]
    np.testing.assert_allclose(areas, [deletion, insertion])


def test_tokens_are_hidden_in_their_places(faithfulness):
    kept = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]], dtype=bool)
    ids, pad, unk = np.array([7, 5, 9]), PADDING_ID, UNKNOWN_ID
    np.testing.assert_array_equal(
        faithfulness.variants(ids, kept, faithfulness.REMOVED, 4),
        [[7, 5, 9, pad], [7, 9, pad, pad], [5, pad, pad, pad], [pad] * 4],
    )
    np.testing.assert_array_equal(
        faithfulness.variants(ids, kept, faithfulness.UNKNOWN, 4),
        [[7, 5, 9, pad], [7, unk, 9, pad], [unk, 5, unk, pad], [unk, unk, unk, pad]],
    )


def test_evidence_of_ngrams_is_shared_by_their_tokens(faithfulness, two_classes):
    texts, labels = two_classes
    model = make_pipeline(
        TextVectorizer(),
        TextCNNClassifier(kernel_sizes=(1, 3), num_filters=4, max_epochs=2, random_state=0),
    )
    model.fit(texts, labels)
    asked = texts[:5]
    for scores, e in zip(
        faithfulness.exact(model, asked, "span"), explain(model, asked), strict=True
    ):
        expected = [
            sum(
                value / (stop - start)
                for (start, stop), value in zip(e.span_tokens, e.evidence(), strict=True)
                if start <= token < stop
            )
            for token in range(len(e.tokens))
        ]
        np.testing.assert_allclose(scores, expected)
        assert scores.sum() == pytest.approx(e.evidence().sum())


def test_sums_that_are_not_the_logits_are_an_error(faithfulness, two_classes, monkeypatch):
    texts, labels = two_classes
    model = make_pipeline(TextVectorizer(), TextCNNClassifier(max_epochs=1, random_state=0))
    model.fit(texts, labels)
    assert faithfulness.check_sums(model, texts[:3]) <= 1e-5
    monkeypatch.setattr(model[-1], "decision_function", lambda X: np.full(3, 7.0))
    with pytest.raises(SystemExit, match="decision_function differ"):
        faithfulness.check_sums(model, texts[:3])
