"""TextCNNClassifier(wide=True): in every promise of the estimator."""

import copy
import pickle

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer, explain, top_ngrams
from sktextcnn._training import logits, training_data
from sktextcnn._training.data import hold_out

SMALL = {"num_filters": 8, "max_epochs": 4, "random_state": 0, "wide": True}


def make_model(**params):
    return make_pipeline(TextVectorizer(), TextCNNClassifier(**{**SMALL, **params}))


@pytest.fixture(scope="module")
def model(corpus):
    return make_model().fit(*corpus)


@pytest.fixture(scope="module")
def labels_of_each(corpus):
    """An indicator matrix: the library, and whether the summary is long."""
    texts, labels = corpus
    return np.stack(
        [[label == "torch" for label in labels], [len(text) > 60 for text in texts]], axis=1
    ).astype(int)


def test_the_logits_are_the_sum_of_both_parts(corpus, model):
    vectorizer, classifier = model
    ids = vectorizer.transform(corpus[0])
    deep = logits(classifier.net_, np.asarray(ids))
    wide = classifier._wide.logits(np.asarray(ids))
    assert np.abs(wide).max() > 0.1
    np.testing.assert_allclose(classifier.decision_function(ids), deep + wide, rtol=1e-12)
    np.testing.assert_allclose(classifier.predict_proba(ids), softmax(deep + wide, axis=1))


def test_probabilities_of_new_texts_are_better_than_the_network_s(docstrings):
    texts, labels = docstrings
    train, test = slice(None, None, 12), slice(1, None, 10)
    losses = {}
    for wide in (False, True):
        fitted = make_model(wide=wide, max_epochs=10).fit(texts[train], labels[train])
        losses[wide] = log_loss(labels[test], fitted.predict_proba(texts[test]))
    assert losses[True] < 0.9 * losses[False]


def test_without_it_nothing_changes(corpus):
    plain = make_model(wide=False).fit(*corpus)
    assert plain[-1]._wide is None
    assert plain[-1].n_iter_ == SMALL["max_epochs"]


def test_the_network_is_the_one_without_it_with_a_scaled_output(corpus, model):
    plain = make_model(wide=False).fit(*corpus)[-1]
    assert model[-1].n_iter_ == plain.n_iter_
    mine, of_plain = (each.net_.module_.state_dict() for each in (model[-1], plain))
    *others, weight, bias = of_plain
    for name in others:
        np.testing.assert_array_equal(mine[name], of_plain[name])
    ratios = np.concatenate([(mine[name] / of_plain[name]).flatten() for name in (weight, bias)])
    assert 0 < ratios[0] != 1
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-5)


def test_callbacks_of_the_user_hear_of_one_training(corpus):
    heard = []

    class Listener(Callback):
        def on_train_begin(self, net, **kwargs):
            heard.append(len(kwargs["X"]))

    make_model(callbacks=[Listener()]).fit(*corpus)
    assert heard == [len(corpus[0])]


def test_the_same_seed_has_the_same_bits(corpus, model):
    again = clone(model).fit(*corpus)
    np.testing.assert_array_equal(again.predict_proba(corpus[0]), model.predict_proba(corpus[0]))


def test_it_is_stored_in_every_way(corpus, model, tmp_path):
    texts = [*corpus[0], "", "words that nobody has seen"]
    expected = model.predict_proba(texts)
    path = tmp_path / "model.sktextcnn"
    sktextcnn.save(model, path)
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model), sktextcnn.load(path)]
    for each in copies:
        np.testing.assert_array_equal(each.predict_proba(texts), expected)
        assert each[-1].wide is True


def test_padding_and_other_texts_do_not_matter(corpus, model):
    vectorizer, classifier = model
    ids = np.asarray(vectorizer.transform(corpus[0]))
    expected = classifier.decision_function(ids)
    np.testing.assert_allclose(
        classifier.decision_function(np.roll(ids, 3, axis=0)), np.roll(expected, 3, axis=0)
    )
    one = [classifier.decision_function(row[None])[0] for row in ids[:20]]
    np.testing.assert_allclose(one, expected[:20], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("params", [{}, {"hidden_units": 5}])
def test_explanations_sum_to_the_logits(corpus, params):
    texts, labels = corpus
    fitted = make_model(**params, max_epochs=2).fit(texts, labels)
    shown = [*texts[: 20 if not params else 3], "", "xyzzy", "return the the array array"]
    expected = fitted.decision_function(shown)
    for explanation, of_text in zip(explain(fitted, shown), expected, strict=True):
        np.testing.assert_allclose(explanation.logits, of_text, atol=1e-5)
        sums = explanation.contributions.sum(axis=0) + explanation.remainder
        np.testing.assert_allclose(sums, of_text, atol=2e-3 if params else 1e-5)
        by_token = explanation.token_contributions.sum(axis=0) + explanation.token_remainder
        np.testing.assert_allclose(by_token, of_text, atol=2e-3 if params else 1e-5)
        assert len(np.unique(explanation.span_tokens, axis=0)) == len(explanation.spans)


def test_the_evidence_of_ngrams_is_that_of_explanations(corpus, model):
    texts, _ = corpus
    found = top_ngrams(model, texts, "torch", n=100_000)["torch"]
    explanations = explain(model, texts)
    total = sum(each.evidence("torch").sum() for each in explanations)
    assert sum(each.total for each in found) == pytest.approx(total, rel=1e-6)


def test_several_labels(corpus, labels_of_each):
    fitted = make_model().fit(corpus[0], labels_of_each)
    vectorizer, classifier = fitted
    ids = np.asarray(vectorizer.transform(corpus[0]))
    summed = logits(classifier.net_, ids) + classifier._wide.logits(ids)
    np.testing.assert_allclose(fitted.predict_proba(corpus[0]), expit(summed))
    assert (fitted.predict(corpus[0]) == labels_of_each).mean() > 0.8


def test_texts_of_weight_zero_are_ignored(corpus):
    texts, labels = corpus
    vectorizer = TextVectorizer().fit(texts)
    ids = vectorizer.transform(texts)
    weight = np.ones(len(texts))
    weight[::5] = 0
    kept = weight > 0
    weighted = TextCNNClassifier(**SMALL).fit(ids, labels, sample_weight=weight)
    fewer = TextCNNClassifier(**SMALL).fit(ids[kept], np.array(labels)[kept])
    np.testing.assert_array_equal(weighted.predict_proba(ids), fewer.predict_proba(ids))


def test_a_weight_of_two_is_a_text_given_twice(corpus):
    texts, labels = corpus
    ids = TextVectorizer().fit_transform(texts)
    chosen = np.arange(0, len(texts), 3)
    weight = np.ones(len(texts))
    weight[chosen] = 2
    twice = np.concatenate([np.arange(len(texts)), chosen])
    params = {**SMALL, "dropout": 0, "token_dropout": 0, "batch_size": 1000, "learning_rate": 1e-2}
    weighted = TextCNNClassifier(**params).fit(ids, labels, sample_weight=weight)
    repeated = TextCNNClassifier(**params).fit(ids[twice], np.array(labels)[twice])
    np.testing.assert_allclose(weighted.predict_proba(ids), repeated.predict_proba(ids), atol=5e-3)


def test_classes_weigh_in_the_wide_part_too(corpus):
    texts, labels = corpus
    plain, torch_first = (
        make_model(class_weight=weight).fit(texts, labels)
        for weight in (None, dict.fromkeys(set(labels), 1.0) | {"torch": 30.0})
    )
    column = list(plain.classes_).index("torch")
    ids = np.asarray(plain[0].transform(texts))
    more, before = (each[-1]._wide.logits(ids) for each in (torch_first, plain))
    share = softmax(more, axis=1)[:, column].mean()
    assert share > softmax(before, axis=1)[:, column].mean()


def test_given_validation_texts_choose_the_scales(corpus):
    texts, labels = corpus
    vectorizer = TextVectorizer().fit(texts)
    ids = vectorizer.transform(texts)
    labels = np.array(labels)
    fitted = TextCNNClassifier(**SMALL).fit(
        ids[40:], labels[40:], X_val=ids[:40], y_val=labels[:40]
    )
    assert fitted.n_iter_ == SMALL["max_epochs"]
    # No text is held out from training, and those for validation are not trained on.
    other = TextCNNClassifier(**SMALL).fit(ids[40:], labels[40:], X_val=ids[:9], y_val=labels[:9])
    kernels = [each.net_.module_.convs.state_dict() for each in (fitted, other)]
    for name, value in kernels[0].items():
        np.testing.assert_array_equal(value, kernels[1][name])
    stopped = TextCNNClassifier(**SMALL, early_stopping=True).fit(ids, labels)
    assert stopped._wide is not None


@pytest.mark.parametrize("finetune", [2, "gradual", "multichannel", False])
def test_each_way_to_tune_works(corpus, vectors_file, finetune):
    texts, labels = corpus[0][:100], corpus[1][:100]
    fitted = make_pipeline(
        TextVectorizer(embeddings=vectors_file, random_state=0),
        TextCNNClassifier(**SMALL, finetune=finetune),
    ).fit(texts, labels)
    assert fitted[-1].net_.module_.embedding.weight.requires_grad is (finetune is not False)
    plain = clone(fitted).set_params(textcnnclassifier__wide=False).fit(texts, labels)
    start = fitted[0].embedding_matrix_
    for each in (fitted, plain):
        moved = not np.array_equal(each[-1].net_.module_.embedding.weight.detach(), start)
        assert moved is (finetune is not False)


def test_a_warm_start_fits_the_wide_part_anew(corpus, model):
    again = copy.deepcopy(model).set_params(
        textcnnclassifier__warm_start=True, textcnnclassifier__max_epochs=3
    )
    again.set_params(textcnnclassifier__learning_rate=1e-5).fit(*corpus)
    assert again[-1]._wide is not model[-1]._wide
    # The network counts as before, though it learns next to nothing now.
    np.testing.assert_array_equal(again[-1]._wide.mixture, model[-1]._wide.mixture)
    np.testing.assert_allclose(
        again.decision_function(corpus[0]), model.decision_function(corpus[0]), atol=0.1
    )


def test_early_stopping_after_a_warm_start_keeps_the_mixture(corpus, model):
    again = copy.deepcopy(model).set_params(
        textcnnclassifier__warm_start=True, textcnnclassifier__early_stopping=True
    )
    again.fit(*corpus)
    np.testing.assert_array_equal(again[-1]._wide.mixture, model[-1]._wide.mixture)


def test_a_warm_start_chooses_a_mixture_where_there_was_none(corpus):
    few = slice(None, 40)
    fitted = make_model(warm_start=True).fit(corpus[0][few], corpus[1][few])
    assert not fitted[-1]._wide.mixture.any()
    assert fitted.fit(*corpus)[-1]._wide.mixture[:3].all()


def test_small_weights_are_taken_for_weights_of_mean_one(corpus):
    weights = np.random.default_rng(0).uniform(0.1, 0.4, len(corpus[0]))
    first, second = (
        make_model().fit(*corpus, textcnnclassifier__sample_weight=scale * weights)
        for scale in (1.0, 1e-3)
    )
    np.testing.assert_allclose(
        first.predict_proba(corpus[0]), second.predict_proba(corpus[0]), atol=1e-4
    )


def test_the_first_network_learns_enough_to_be_scaled_by(corpus):
    few_epochs = make_model(max_epochs=2, num_filters=20, learning_rate=3e-3).fit(*corpus)[-1]
    many = make_model(max_epochs=15, num_filters=20, learning_rate=3e-3).fit(*corpus)[-1]
    assert 0 < few_epochs._wide.mixture[1] < many._wide.mixture[1]


def test_partial_fit_trains_the_network_beside_the_wide_part(corpus, model):
    texts, labels = corpus
    ids = model[0].transform(texts)
    classifier = copy.deepcopy(model[-1])
    before = classifier._wide
    first = log_loss(labels, classifier.predict_proba(ids))
    for _ in range(5):
        classifier.partial_fit(ids, labels)
    assert classifier._wide is before
    assert log_loss(labels, classifier.predict_proba(ids)) < first
    # The first loss is that of the sum, in training mode, and not that of the network alone.
    assert classifier.history_[-5, "train_loss"] < 1.5 * first + 0.5
    alone = TextCNNClassifier(**SMALL).partial_fit(ids, labels, classes=sorted(set(labels)))
    assert alone._wide is None


def test_few_texts_are_all_trained_on():
    texts, labels = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5, [1, 0, 1, 0] * 5
    fitted = make_model(max_epochs=30).fit(texts, labels)
    assert fitted.predict(texts).tolist() == labels


def test_it_is_searched(corpus):
    search = GridSearchCV(
        make_model(max_epochs=2), {"textcnnclassifier__wide": [False, True]}, cv=2
    )
    search.fit(*corpus)
    assert search.cv_results_["mean_test_score"][1] > search.cv_results_["mean_test_score"][0]


# The texts that are held out --------------------------------------------------------------


@pytest.fixture(scope="module")
def data(docstrings):
    texts, labels = docstrings
    return training_data(TextVectorizer().fit_transform(texts), labels, None, None)


def rows(data):
    return sorted(map(bytes, np.column_stack([data.ids, data.targets.encoded]).astype(np.int32)))


def test_some_are_held_out_of_each_class(data):
    train, held = hold_out(data, 0)
    assert sorted(rows(train) + rows(held)) == rows(data)
    counts, of_held = (np.bincount(each.targets.encoded) for each in (data, held))
    np.testing.assert_allclose(of_held / counts, 500 / len(data.ids), atol=0.005)
    assert rows(hold_out(data, 0)[1]) == rows(held)
    assert rows(hold_out(data, 1)[1]) != rows(held)


def test_a_fifth_of_few_is_held_out(data):
    _, held = hold_out(data[np.arange(0, len(data.ids), 9)], 0)
    assert len(held.ids) == pytest.approx(len(data.ids) / 45, rel=0.1)


def test_order_and_repetition_do_not_change_which(data):
    few = data[np.arange(0, len(data.ids), 4)]
    _, held = hold_out(few, 0)
    _, of_reversed = hold_out(few[np.arange(len(few.ids))[::-1]], 0)
    assert rows(of_reversed) == rows(held)
    _, of_twice = hold_out(few[np.repeat(np.arange(len(few.ids)), 2)], 0)
    assert set(rows(of_twice)) == set(rows(held))
    assert len(of_twice.ids) == 2 * len(held.ids)


def test_equal_texts_are_not_parted_and_each_class_stays_in_training(data):
    few = data[np.repeat(np.arange(0, len(data.ids), 40), 4)]
    train, held = hold_out(few, 0)
    assert not set(rows(train)) & set(rows(held))
    assert set(train.targets.encoded) == set(few.targets.encoded)


def test_nothing_is_held_out_of_a_handful(data):
    assert hold_out(data[np.arange(49)], 0) is None
    assert hold_out(data[np.tile(np.arange(20), 20)], 0) is None
