"""The linear model over n-grams of ids, against scikit-learn's."""

import itertools
import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from sktextcnn._wide import Mixture, WideModel, check_arrays, fit_wide, fitting


def words_of(row):
    return " ".join(f"w{i}" for i in row if i != 0)


@pytest.fixture(scope="module")
def ids():
    rng = np.random.default_rng(0)
    rows = rng.zipf(1.3, (120, 14)).clip(max=40).astype(np.int32) + 1
    rows[np.arange(14) >= rng.integers(0, 15, 120)[:, None]] = 0
    return rows


@pytest.fixture(scope="module")
def targets(ids):
    return np.minimum((ids == 3).sum(axis=1) + (ids == 2).sum(axis=1) // 3, 2)


def features_of_scikit_learn(ids):
    """TF-IDF of the words, and of the pairs of at least two texts, without unknown words."""
    texts = [words_of(row) for row in ids]

    def analyze(text):
        words = text.split()
        pairs = [f"{a} {b}" for a, b in itertools.pairwise(words)]
        return [gram for gram in words + pairs if "w1" not in gram.split()]

    counts = TfidfVectorizer(analyzer=analyze, use_idf=False, norm=None).fit_transform(texts)
    names = TfidfVectorizer(analyzer=analyze).fit(texts).get_feature_names_out()
    n_texts = np.asarray((counts > 0).sum(axis=0)).ravel()
    kept = [name for name, n in zip(names, n_texts, strict=True) if " " not in name or n >= 2]
    kept.sort(key=lambda name: [len(name.split()), *(int(word[1:]) for word in name.split())])
    vectorizer = TfidfVectorizer(analyzer=analyze, vocabulary=kept, sublinear_tf=True)
    return vectorizer.fit_transform(texts), kept, vectorizer


def code_of(name):
    numbers = [int(word[1:]) for word in name.split()]
    return numbers[0] if len(numbers) == 1 else (numbers[0] << 32) | numbers[1]


def test_the_bits_do_not_depend_on_threads():
    rng = np.random.default_rng(0)
    ids = rng.integers(2, 6000, (900, 12)).astype(np.int32)
    found = []
    for limit in (1, 2):
        with threadpool_limits(limits=limit, user_api="blas"):
            ((_, model),) = fit_wide(ids, ids[:, 0] % 3, 3, strengths=(1.0,))
        found.append(model.coef)
    assert found[0].size > 15_000
    np.testing.assert_array_equal(*found)


def test_rare_ngrams_are_left_out_where_there_are_too_many(ids, targets, monkeypatch):
    ((_, model),) = fit_wide(ids, targets, 3, strengths=(1.0,))
    monkeypatch.setattr(fitting, "_MOST_COEFFICIENTS", 32)
    ((_, small),) = fit_wide(ids, targets, 3, strengths=(1.0,))
    assert len(small.ngrams) == 10
    left_out = np.setdiff1d(model.ngrams.codes, small.ngrams.codes)
    idf = dict(zip(model.ngrams.codes.tolist(), model.idf.tolist(), strict=True))
    assert small.idf.max() <= min(idf[code] for code in left_out.tolist())
    np.testing.assert_array_equal(small.idf, [idf[code] for code in small.ngrams.codes.tolist()])


@pytest.mark.parametrize("strength", [1.0, 30.0])
def test_logits_are_those_of_scikit_learn(ids, targets, strength):
    ((given, model),) = fit_wide(ids, targets, 3, strengths=(strength,))
    assert given == strength
    matrix, names, vectorizer = features_of_scikit_learn(ids)
    assert model.ngrams.codes.tolist() == [code_of(name) for name in names]
    np.testing.assert_allclose(model.idf, vectorizer.idf_, rtol=1e-6)
    theirs = LogisticRegression(C=strength, tol=1e-4).fit(matrix, targets)
    np.testing.assert_allclose(model.logits(ids), theirs.decision_function(matrix), atol=1e-4)


def test_two_classes_have_the_log_odds_as_their_difference(ids, targets):
    ((_, model),) = fit_wide(ids, (targets > 0).astype(int), 2, strengths=(10.0,))
    matrix, _, _ = features_of_scikit_learn(ids)
    theirs = LogisticRegression(C=10.0, tol=1e-4).fit(matrix, targets > 0)
    ours = model.logits(ids)
    np.testing.assert_allclose(ours[:, 1] - ours[:, 0], theirs.decision_function(matrix), atol=1e-4)


def test_each_label_has_a_model_of_its_own(ids, targets):
    labels = np.stack([targets == 0, targets == 1, np.zeros(len(ids))], axis=1).astype(np.float32)
    ((_, model),) = fit_wide(ids, labels, 3, strengths=(10.0,))
    matrix, _, _ = features_of_scikit_learn(ids)
    logits = model.logits(ids)
    for column in (0, 1):
        theirs = LogisticRegression(C=10.0, tol=1e-4).fit(matrix, labels[:, column])
        np.testing.assert_allclose(logits[:, column], theirs.decision_function(matrix), atol=1e-4)
    assert (logits[:, 2] < -5).all()


def test_a_weight_of_two_is_a_text_given_twice(ids, targets):
    weight = np.ones(len(ids))
    weight[:30] = 2
    ((_, weighted),) = fit_wide(ids, targets, 3, weight, strengths=(10.0,))
    twice = np.concatenate([ids, ids[:30]])
    ((_, repeated),) = fit_wide(
        twice, np.concatenate([targets, targets[:30]]), 3, strengths=(10.0,)
    )
    np.testing.assert_array_equal(weighted.ngrams.codes, repeated.ngrams.codes)
    np.testing.assert_allclose(weighted.logits(ids), repeated.logits(ids), atol=2e-3)


def test_padding_batches_and_ids_that_are_not_known_do_not_matter(ids, targets):
    ((_, model),) = fit_wide(ids, targets, 3, strengths=(10.0,))
    expected = model.logits(ids)
    padded = np.pad(ids, ((0, 0), (3, 5)))
    np.testing.assert_array_equal(model.logits(padded), expected)
    np.testing.assert_array_equal(model.logits(ids[7:8]), expected[7:8])
    # A word without a weight parts its neighbours.
    strange = np.array([[2, 3, 999, 2, 3]], dtype=np.int32)
    unknown = np.where(strange == 999, 1, strange)
    np.testing.assert_array_equal(model.logits(strange), model.logits(unknown))
    empty = np.zeros((2, 4), dtype=np.int32)
    np.testing.assert_array_equal(model.logits(empty), np.stack([model.intercept] * 2))


def test_many_long_texts_are_counted_in_parts(ids, targets):
    ((_, model),) = fit_wide(ids, targets, 3, strengths=(10.0,))
    many = np.tile(ids, (300, 1))
    np.testing.assert_array_equal(model.logits(many), np.tile(model.logits(ids), (300, 1)))


def test_terms_sum_to_the_logits(ids, targets):
    ((_, model),) = fit_wide(ids, targets, 3, strengths=(10.0,))
    for row, logits in zip(ids, model.logits(ids), strict=True):
        terms = model.terms(row[row != 0])
        np.testing.assert_allclose(
            terms.contributions.sum(axis=0) + model.intercept, logits, atol=1e-12
        )
        assert set(np.diff(terms.spans, axis=1).ravel()) <= {1, 2}


@pytest.mark.parametrize("n_classes", [2, 3])
def test_texts_without_a_known_word_leave_the_shares_of_the_classes(n_classes):
    ids = np.ones((40, 3), dtype=np.int32)
    targets = np.arange(40) % 4 % n_classes
    ((_, model),) = fit_wide(ids, targets, n_classes, strengths=(1.0,))
    assert len(model.ngrams) == 0
    shares = np.bincount(targets) / 40
    np.testing.assert_allclose(softmax(model.logits(ids), axis=1)[0], shares, atol=1e-6)


def test_a_class_that_no_text_has_is_improbable(ids, targets):
    ((_, model),) = fit_wide(ids, targets, 4, strengths=(1.0,))
    assert (model.logits(ids).argmax(axis=1) < 3).all()


def test_it_pickles_and_is_scaled(ids, targets):
    ((_, model),) = fit_wide(ids, targets, 3, strengths=(1.0,))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.logits(ids), model.logits(ids))
    mixed = model.scaled(0.5).of_mixture(Mixture(1.0, 3.0, 0.5))
    np.testing.assert_allclose(mixed.logits(ids), model.logits(ids) / 2, rtol=1e-6)
    assert pickle.loads(pickle.dumps(mixed)).mixture.tolist() == [1.0, 3.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"codes": np.array([3, 2])}, "not sorted"),
        ({"codes": np.array([2, 50])}, "not of the words"),
        ({"codes": np.array([2, (3 << 32) | 50])}, "not of the words"),
        ({"codes": np.array([2, 3], dtype=np.int32)}, "not int64"),
        ({"coef": np.zeros((2, 4), dtype=np.float32)}, "weights of n-grams"),
        ({"coef": np.full((2, 3), np.nan, dtype=np.float32)}, "weights of n-grams"),
        ({"idf": np.zeros(2)}, "weights of n-grams"),
        ({"mixture": np.zeros(2)}, "four numbers"),
        ({"mixture": np.full(4, np.inf)}, "four numbers"),
        ({"mixture": np.array([0.0, 1, 1, 0])}, "positive numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, said):
    arrays = {
        "codes": np.array([2, (2 << 32) | 3]),
        "idf": np.ones(2, dtype=np.float32),
        "coef": np.zeros((2, 3), dtype=np.float32),
        "intercept": np.zeros(3, dtype=np.float32),
        "mixture": np.ones(4),
    }
    check_arrays(arrays, 50, 3)
    WideModel(**arrays).logits(np.array([[2, 3]], dtype=np.int32))
    with pytest.raises(ValueError, match=said):
        check_arrays({**arrays, **change}, 50, 3)


def test_counts_are_those_of_a_loop(ids, targets):
    ((_, model),) = fit_wide(ids, targets, 3, strengths=(1.0,))
    counts = model.ngrams.counts(ids)
    shape = (len(ids), len(model.ngrams))
    dense = csr_array((counts.times, counts.ngram, counts.offsets()), shape=shape).toarray()
    place = {code: i for i, code in enumerate(model.ngrams.codes.tolist())}
    expected = np.zeros(shape)
    for i, row in enumerate(ids.tolist()):
        for a, b in zip(row, [*row[1:], 0], strict=True):
            for code in (a, (a << 32) | b):
                if a > 1 and (code == a or b > 1) and code in place:
                    expected[i, place[code]] += 1
    np.testing.assert_array_equal(dense, expected)
