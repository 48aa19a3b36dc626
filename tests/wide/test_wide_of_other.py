"""The wide part of a pretrained model, which becomes a part of the new one's."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

import sktextcnn
from sktextcnn import TextCNNClassifier, TextVectorizer
from sktextcnn._wide import WideModel, fit_wide

SMALL = {"num_filters": 4, "kernel_sizes": (1, 2), "max_epochs": 2, "random_state": 0}
WORDS = {"bad": ("dull", "stale"), "good": ("warm", "witty")}
LABELS = np.array(["bad", "good"] * 40)
TEXTS = [f"a {WORDS[label][i // 2 % 2]} film {i}" for i, label in enumerate(LABELS)]
# What they say of the label is in words of the source, which are here in one text each.
OTHER_TEXTS = [f"the book {i} was {WORDS[label][i // 2 % 2]}" for i, label in enumerate(LABELS)]


def random_ids(n_texts=60, n_ids=30, seed=0):
    ids = np.random.default_rng(seed).integers(1, n_ids, (n_texts, 9)).astype(np.int32)
    ids[::3, 5:] = 0
    return ids


@pytest.fixture(scope="module")
def wide():
    ids = random_ids()
    ((_, model),) = fit_wide(ids, (ids == 5).any(axis=1).astype(int), 2, strengths=(10.0,))
    return model


@pytest.fixture(scope="module")
def source():
    return make_pipeline(TextVectorizer(), TextCNNClassifier(**SMALL)).fit(TEXTS, LABELS)


def test_another_vocabulary_has_the_same_logits(wide):
    new_ids = np.append([0, 1], 2 + np.random.default_rng(1).permutation(28)).astype(np.int64)
    ids = random_ids(seed=2)
    recoded = wide.recoded(new_ids)
    assert (np.diff(recoded.ngrams.codes) > 0).all()
    np.testing.assert_allclose(recoded.logits(new_ids[ids]), wide.logits(ids), atol=1e-6)


def test_ngrams_of_words_that_are_unknown_there_are_left_out(wide):
    new_ids = np.arange(30)
    new_ids[[3, 7]] = 0
    ids = random_ids(seed=2)
    without = np.where(np.isin(ids, [3, 7]), 1, ids)
    np.testing.assert_allclose(wide.recoded(new_ids).logits(ids), wide.logits(without), atol=1e-6)


def test_the_ngrams_of_both_have_the_frequencies_of_the_other(wide):
    ids, targets = random_ids(seed=3) + 8, np.arange(60) % 2  # ids 1 to 8 are only the other's
    ((_, own),) = fit_wide(ids, targets, 2, strengths=(10.0,))
    ((_, larger),) = fit_wide(ids, targets, 2, strengths=(10.0,), other=wide)
    codes = larger.ngrams.codes
    assert set(codes) == set(own.ngrams.codes) | set(wide.ngrams.codes)
    of_other, of_own = (dict(zip(m.ngrams.codes, m.idf, strict=True)) for m in (wide, own))
    assert dict(zip(codes, larger.idf, strict=True)) == of_own | of_other


def test_an_extended_model_has_logits_whose_mean_is_zero(wide):
    ids, weight = random_ids(seed=3), np.linspace(0, 2, 60)
    codes = np.unique(np.concatenate([wide.ngrams.codes, np.arange(2, 40)]))
    n_ngrams = len(codes)
    larger = WideModel(
        codes,
        np.ones(n_ngrams, "f4"),
        np.zeros((n_ngrams, 2), "f4"),
        np.zeros(2, "f4"),
        np.zeros(4),
    )
    extended = wide.extended(larger, ids, weight)
    logits = extended.logits(ids)
    np.testing.assert_allclose(np.average(logits, axis=0, weights=weight), 0, atol=1e-6)
    kept = np.isin(codes, wide.ngrams.codes)
    np.testing.assert_array_equal(extended.coef[kept], wide.coef)
    assert not extended.coef[~kept].any()


def test_the_sum_of_two_models(wide):
    doubled = wide.plus(wide.scaled(0.5))
    ids = random_ids(seed=2)
    np.testing.assert_allclose(doubled.logits(ids), 1.5 * wide.logits(ids), rtol=1e-5)


@pytest.mark.parametrize("saved", [False, True], ids=["frozen", "file"])
@pytest.mark.parametrize("n_texts", [80, 10], ids=["held out", "none held out"])
def test_words_of_the_source_count_that_no_text_has(source, tmp_path, saved, n_texts):
    pretrained = FrozenEstimator(source)
    if saved:
        pretrained = tmp_path / "source.sktextcnn"
        sktextcnn.save(source, pretrained)
    # Two of the four words that matter; the vectorizer knows the others from other texts.
    few = [i for i in range(160) if i % 4 < 2][:n_texts]
    vectorizer = TextVectorizer().fit(OTHER_TEXTS)
    X, y = vectorizer.transform([(OTHER_TEXTS * 2)[i] for i in few]), np.tile(LABELS, 2)[few]
    unseen = vectorizer.transform(["stale", "witty"])

    def evidence(classifier):
        logits = classifier.fit(X, y)._wide.logits(np.asarray(unseen))
        return (logits[:, 1] - logits[:, 0]) - (logits[0, 1] - logits[0, 0])

    alone, started = TextCNNClassifier(**SMALL), TextCNNClassifier(pretrained=pretrained, **SMALL)
    assert evidence(alone)[1] == 0
    assert evidence(started)[1] > 1


def test_the_wide_part_of_another_question_is_not_taken(source):
    X = TextVectorizer().fit_transform(OTHER_TEXTS)
    opposite = np.where(LABELS == "good", "bad", "good")
    unrelated = np.repeat(["bad", "good"], 40)
    others = np.where(LABELS == "good", "great", "bad")
    for labels in (opposite, unrelated, others):
        alone = TextCNNClassifier(**SMALL).fit(X, labels)
        started = TextCNNClassifier(pretrained=FrozenEstimator(source), **SMALL).fit(X, labels)
        np.testing.assert_array_equal(started._wide.ngrams.codes, alone._wide.ngrams.codes)
        np.testing.assert_array_equal(started._wide.idf, alone._wide.idf)


def test_a_model_with_both_is_explained_and_stored_like_any_other(source, tmp_path):
    model = make_pipeline(
        TextVectorizer(), TextCNNClassifier(pretrained=FrozenEstimator(source), **SMALL)
    ).fit(OTHER_TEXTS, LABELS)
    probabilities = model.predict_proba(TEXTS)
    (explanation,) = sktextcnn.explain(model, TEXTS[:1])
    logits = model[-1]._logits(model[0].transform(TEXTS))
    np.testing.assert_allclose(explanation.logits, logits[0], atol=1e-5)
    sums = explanation.contributions.sum(axis=0) + explanation.remainder
    np.testing.assert_allclose(sums, explanation.logits, atol=1e-5)
    np.testing.assert_allclose(probabilities, softmax(logits, axis=1))
    model[-1].set_params(pretrained=None)
    sktextcnn.save(model, tmp_path / "model.sktextcnn")
    loaded = sktextcnn.load(tmp_path / "model.sktextcnn")
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), probabilities)


def test_a_source_without_a_wide_part_gives_none():
    X = TextVectorizer().fit_transform(TEXTS)
    source = TextCNNClassifier(wide=False, **SMALL).fit(X, LABELS)
    started = TextCNNClassifier(pretrained=FrozenEstimator(source), **SMALL).fit(X, LABELS)
    alone = TextCNNClassifier(**SMALL).fit(X, LABELS)
    np.testing.assert_array_equal(started._wide.ngrams.codes, alone._wide.ngrams.codes)


def test_several_labels_and_given_validation_texts():
    labels = np.stack([LABELS == "good", np.arange(80) % 4 < 2], axis=1).astype(int)
    vectorizer = TextVectorizer().fit(TEXTS + OTHER_TEXTS)
    X, X_other = vectorizer.transform(TEXTS), vectorizer.transform(OTHER_TEXTS)
    source = FrozenEstimator(TextCNNClassifier(**SMALL).fit(X, labels))
    alone = TextCNNClassifier(**SMALL)
    started = TextCNNClassifier(pretrained=source, **SMALL)
    validation = {"X_val": X_other[60:], "y_val": labels[60:]}
    for params in ({}, validation):
        n_ngrams = [
            len(each.fit(X_other[:60], labels[:60], **params)._wide.ngrams)
            for each in (alone, started)
        ]
        assert n_ngrams[1] > n_ngrams[0]
