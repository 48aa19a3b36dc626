"""The numbers of a report: compared with scikit-learn and with loops."""

import numpy as np
import pytest
from sklearn import metrics

from sktextcnn._report.measures import calibration, measure
from sktextcnn._report.outcomes import N_ERRORS, N_EXAMPLES, N_SAMPLED, Outcomes


def outcomes_of(true, proba, multilabel=False, chunk=7, **predicted_by):
    found = Outcomes(proba.shape[1], multilabel, list(predicted_by))
    texts = [f"text {i}" for i in range(len(true))]
    for start in range(0, len(true), chunk):
        part = slice(start, start + chunk)
        each = {name: values[part] for name, values in predicted_by.items()}
        found.add(texts[part], true[part], proba[part], each)
    return found


def random_outcomes(n_classes, n=500, seed=0):
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(n_classes, 0.4), n)
    true = np.array([rng.choice(n_classes, p=row) for row in proba])
    return true, proba


@pytest.mark.parametrize("n_classes", [2, 5])
def test_measures_are_those_of_scikit_learn(n_classes):
    true, proba = random_outcomes(n_classes)
    predicted = proba.argmax(axis=1)
    found = measure(outcomes_of(true, proba))
    assert found["n_texts"] == 500
    assert found["accuracy"].value == metrics.accuracy_score(true, predicted)
    labels = range(n_classes)
    given = proba[:, 1] if n_classes == 2 else proba
    assert found["brier_score"] == pytest.approx(
        metrics.brier_score_loss(true, given, labels=labels)
    )
    assert found["log_loss"] == pytest.approx(metrics.log_loss(true, proba, labels=labels))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(true, predicted, average="macro"))
    np.testing.assert_array_equal(
        found["confusion_matrix"], metrics.confusion_matrix(true, predicted)
    )
    for i, each in enumerate(found["classes"]):
        assert each["n_texts"] == (true == i).sum()
        assert each["recall"] == pytest.approx(np.mean(predicted[true == i] == i))
        assert each["precision"] == pytest.approx(np.mean(true[predicted == i] == i))


def test_measures_of_several_labels_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    proba = rng.random((200, 4))
    true = rng.random((200, 4)) < proba
    predicted = proba > 0.5
    other = rng.random((200, 4)) < 0.5
    found = measure(outcomes_of(true, proba, multilabel=True, other=other))
    micro = metrics.f1_score(true, predicted, average="micro")
    assert found["micro_f1"].value == pytest.approx(micro)
    assert found["micro_f1"].low < micro < found["micro_f1"].high
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(true, predicted, average="macro"))
    assert found["subset_accuracy"].value == metrics.accuracy_score(true, predicted)
    assert found["hamming_loss"] == pytest.approx(metrics.hamming_loss(true, predicted))
    flat = metrics.log_loss(true.ravel(), proba.ravel())
    assert found["log_loss"] == pytest.approx(flat, rel=1e-5)
    assert found["brier_score"] == pytest.approx(np.mean((proba - true) ** 2), rel=1e-5)
    reference = found["references"][0]
    of_other = metrics.f1_score(true, other, average="micro")
    assert reference["micro_f1"].value == pytest.approx(of_other)
    assert reference["difference"].value == pytest.approx(micro - of_other)


def test_a_reference_is_compared_text_by_text():
    true, proba = random_outcomes(3)
    other = np.roll(true, 1)
    found = measure(outcomes_of(true, proba, other=other))["references"][0]
    right, other_right = proba.argmax(axis=1) == true, other == true
    assert found["accuracy"].value == other_right.mean()
    assert found["difference"].value == pytest.approx(right.mean() - other_right.mean())
    assert found["p_value"] < 1e-6


def test_the_mean_f1_is_of_the_classes_that_are_true_or_predicted():
    proba = np.eye(4)[[0, 1, 1, 2]]
    true = np.array([0, 1, 0, 0])  # 2 is only predicted, and nothing is 3.
    found = measure(outcomes_of(true, proba))
    expected = metrics.f1_score(true, proba.argmax(axis=1), average="macro")
    assert found["macro_f1"] == pytest.approx(expected)
    assert found["macro_f1"] == pytest.approx((0.5 + 2 / 3 + 0) / 3)


@pytest.mark.parametrize("multilabel", [False, True])
def test_texts_for_which_a_reference_predicts_something_else_are_counted(multilabel):
    proba = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    of_class = np.array([0, 1, 0])
    true = np.array([1, 1, 0])
    if multilabel:
        of_class, true = np.eye(2)[of_class] > 0, np.eye(2)[true] > 0
    found = measure(outcomes_of(true, proba, multilabel, other=of_class))["references"][0]
    assert found["n_different"] == 1


def test_a_sure_error_has_a_finite_loss():
    found = measure(outcomes_of(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])))
    assert 10 < found["log_loss"] < 20


def test_bins_have_equal_counts_and_their_mean_distance_is_the_error():
    rng = np.random.default_rng(0)
    probabilities = rng.random(1000)
    right = rng.random(1000) < probabilities**2
    found = calibration(probabilities, right)
    assert [each["n"] for each in found["calibration"]] == [100] * 10
    order = np.argsort(probabilities).reshape(10, 100)
    distances = [abs(probabilities[part].mean() - right[part].mean()) for part in order]
    assert found["calibration_error"] == pytest.approx(np.mean(distances))
    each = found["calibration"][3]
    assert each["probability"] == pytest.approx(probabilities[order[3]].mean())
    assert each["share"].value == right[order[3]].mean()


@pytest.mark.parametrize("values", [[0.5], [1.0] * 30, [0.2] * 25 + [0.9] * 5])
def test_equal_probabilities_are_in_one_bin(values):
    probabilities = np.array(values)
    found = calibration(probabilities, np.ones(len(values), dtype=bool))["calibration"]
    assert sum(each["n"] for each in found) == len(values)
    assert len(found) == len(set(values))


# What is kept of the texts ------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_the_surest_errors_and_examples_are_kept(chunk):
    true, proba = random_outcomes(4)
    found = outcomes_of(true, proba, chunk=chunk)
    predicted, surest = proba.argmax(axis=1), proba.max(axis=1)
    wrong = np.flatnonzero(predicted != true)
    order = wrong[np.argsort(-surest[wrong])]
    assert [each.text for each in found.errors] == [f"text {i}" for i in order[:N_ERRORS]]
    first = found.errors[0]
    assert (first.true, first.predicted) == (true[order[0]], predicted[order[0]])
    assert first.probability == pytest.approx(surest[order[0]])
    pair = true[order[0]], predicted[order[0]]
    alike = [i for i in order if (true[i], predicted[i]) == pair]
    assert found.confusions()[pair] == len(alike)
    examples = found.examples(*pair)
    assert [text for _, text in examples] == [f"text {i}" for i in alike[:N_EXAMPLES]]
    assert found.confusions().trace() == 0


@pytest.mark.parametrize("multilabel", [False, True])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_text_that_is_wrong_in_two_ways_is_shown_once_with_its_surest_error(order, multilabel):
    proba = np.array([[0.7, 0.1, 0.2], [0.1, 0.8, 0.1]])
    true = np.array([[0, 1, 0], [0, 0, 1]], dtype=bool) if multilabel else np.array([1, 2])
    found = Outcomes(3, multilabel)
    for i in order:
        found.add(["same"], true[[i]], proba[[i]])
    assert [each.text for each in found.errors] == ["same"]
    expected = 0.9 if multilabel else 0.8  # One label was missed: it has a probability of 0.1.
    assert found.errors[0].probability == pytest.approx(expected)


def test_a_text_that_occurs_often_is_one_error_and_one_example():
    proba = np.tile([[0.1, 0.9]], (50, 1))
    found = Outcomes(2, False)
    found.add(["same"] * 49 + ["other"], np.zeros(50, dtype=int), proba)
    assert sorted(each.text for each in found.errors) == ["other", "same"]
    assert sorted(text for _, text in found.examples(0, 1)) == ["other", "same"]
    assert found.confusions()[0, 1] == 50


def test_wrong_decisions_about_several_labels():
    true = np.array([[1, 0, 0], [0, 1, 1]], dtype=bool)
    proba = np.array([[0.1, 0.8, 0.3], [0.95, 0.7, 0.6]])
    found = outcomes_of(true, proba, multilabel=True)
    assert [(each.text, each.true, each.predicted) for each in found.errors] == [
        ("text 1", 0, 0),
        ("text 0", 0, -1),
    ]
    assert [each.probability for each in found.errors] == pytest.approx([0.95, 0.9])
    assert found.confusions().tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]


def test_samples_are_of_all_texts_alike():
    n = 20 * N_SAMPLED
    proba = np.tile([[0.9, 0.1], [0.2, 0.8]], (n // 2, 1))
    found = outcomes_of(np.zeros(n, dtype=int), proba, chunk=4000)
    places = [int(text.split()[1]) for text in found.sample]
    assert len(places) == N_SAMPLED
    assert places == sorted(set(places))
    assert abs(np.mean(places) / n - 0.5) < 0.05
    for label in (0, 1):
        of_class = [int(text.split()[1]) for text in found.sample_of_class(label)]
        assert len(of_class) == found.n_of_class
        assert {place % 2 for place in of_class} == {label}
