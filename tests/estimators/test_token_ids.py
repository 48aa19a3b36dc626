"""TokenIds keeps its words and vectors wherever ids stay ids, and loses them where they do not."""

import copy
import gc
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import polars
import pytest
import torch
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle

from sktextcnn import TextCNNClassifier, TextVectorizer, TokenIds
from sktextcnn._compat import numpy as compat
from sktextcnn._token_ids import lost_table, rows

TEXTS = ["a gem", "a witty gem of a film", "so dull", "dull, dull and long", "witty", "long film"]


def fitted(vectors_file, texts=TEXTS, **params):
    vectorizer = TextVectorizer(embeddings=vectors_file, random_state=0, **params)
    return vectorizer, vectorizer.fit_transform(texts)


@pytest.fixture(name="X")
def ids_with_vectors(vectors_file):
    return fitted(vectors_file)[1]


@pytest.fixture
def long_texts(vectors_file):
    """Texts that hardly anyone else has."""
    texts = [f"{text}, and {len(text)} times as long as a film of wit" for text in TEXTS]
    return fitted(vectors_file, texts)[1]


def assert_carries(result, table, expected):
    assert isinstance(result, TokenIds)
    assert result.table is table
    assert result.dtype == np.int32
    np.testing.assert_array_equal(np.asarray(result), expected)


KEEPS = {
    "slice": lambda X: X[1:4],
    "mask": lambda X: X[np.arange(len(X)) % 2 == 0],
    "fancy index": lambda X: X[[3, 0, 0]],
    "columns": lambda X: X[:, :2],
    "take": lambda X: X.take([1, 2], axis=0),
    "reshape": lambda X: X.reshape(len(X), -1),
    "copy": lambda X: X.copy(),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "astype int32": lambda X: X.astype(np.int32),
    "np.array subok": lambda X: np.array(X, subok=True),
    "train_test_split": lambda X: train_test_split(X, random_state=0)[0],
    "shuffle": lambda X: shuffle(X, random_state=0),
    "concatenate": lambda X: np.concatenate([X[:2], X[2:]]),
    "vstack": lambda X: np.vstack([X[:2], X[4:]]),
    **{
        f"pickle {protocol}": lambda X, protocol=protocol: pickle.loads(pickle.dumps(X, protocol))
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("name", KEEPS)
def test_what_leaves_ids_as_ids_keeps_the_table(X, name):
    table = X.table
    assert_carries(KEEPS[name](X), table, KEEPS[name](np.asarray(X)))


DROPS = {
    "sum": lambda X: X + 1,
    "reflected": lambda X: 2 * X,
    "comparison": lambda X: X > 1,
    "ufunc": lambda X: np.sqrt(X),
    "reduction": lambda X: X.sum(axis=1),
    "maximum": lambda X: np.maximum.reduce(X, axis=0),
    "accumulate": lambda X: np.add.accumulate(X),
    "asarray": np.asarray,
    "where": lambda X: np.where(np.asarray(X) > 0, X, 1),
    "astype float": lambda X: X.astype(float),
    "data frame": lambda X: pd.DataFrame(X).to_numpy(),
}


@pytest.mark.parametrize("name", DROPS)
def test_what_makes_something_else_of_ids_is_a_plain_array(X, name):
    result = DROPS[name](X)
    assert type(result) is np.ndarray
    np.testing.assert_array_equal(result, DROPS[name](np.array(X.tolist(), dtype=np.int32)))


def test_arithmetic_in_place_changes_the_ids_as_an_array_would(X):
    plain = np.array(X.tolist())
    out = X.copy()
    np.add(out, 1, out=out)
    np.testing.assert_array_equal(np.asarray(out), plain + 1)


def quick(**params):
    return TextCNNClassifier(max_epochs=1, num_filters=2, wide=False, random_state=0, **params)


def test_a_concatenation_with_another_table_is_a_plain_array_and_is_refused(X, vectors_file):
    _, other = fitted(vectors_file, TEXTS[:3], max_length=X.shape[1])
    joined = np.concatenate([X, other])
    assert type(joined) is np.ndarray
    with pytest.raises(ValueError, match="lost the 16-d word vectors"):
        quick().fit(joined, [0, 1, 0] * 3)


def test_a_concatenation_with_plain_ids_of_the_same_rows_has_the_vectors(X):
    joined = np.concatenate([X, np.asarray(X).copy()])
    assert type(joined) is np.ndarray
    assert quick().fit(joined, [0, 1, 0] * 4).embedding_source_ == "docstrings.txt"


ARRIVES = {
    "asarray": np.asarray,
    "asarray of a slice": lambda X: np.asarray(X[:6]),
    "float": lambda X: X.astype(np.float64),
    "float32": lambda X: np.array(X.tolist(), dtype=np.float32),
    "int64": lambda X: np.asarray(X).astype(np.int64),
    "data frame": pd.DataFrame,
    "polars": lambda X: polars.DataFrame(np.asarray(X)),
    "contiguous": np.ascontiguousarray,
    "pickled array": lambda X: pickle.loads(pickle.dumps(np.asarray(X))),
    "list": lambda X: X.tolist(),
    "tensor": lambda X: torch.tensor(X.tolist()),
    "stacked": lambda X: np.vstack([np.array(X.tolist())[:2], np.array(X.tolist())[2:]]),
    "other order": lambda X: np.array(X.tolist())[::-1],
    "repeated": lambda X: np.array(X.tolist())[[0, 1, 2, 3, 1, 1]],
    "more padding": lambda X: np.pad(np.array(X.tolist()), [(0, 0), (0, 9)]),
}


@pytest.mark.parametrize("name", ARRIVES)
def test_rows_that_were_chosen_repeated_or_converted_have_their_vectors(X, name):
    plain = ARRIVES[name](X)
    assert not isinstance(plain, TokenIds)
    for learn in (quick().fit, lambda X, y: quick().partial_fit(X, y, classes=[0, 1])):
        classifier = learn(plain, [0, 1] * 3)
        assert classifier.embedding_source_ == "docstrings.txt"
        assert classifier.words_ is X.table.words
    ids = TokenIds(plain, X.table)
    expected = quick().partial_fit(ids, [0, 1] * 3, classes=[0, 1]).predict_proba(ids)
    np.testing.assert_array_equal(classifier.predict_proba(plain), expected)


CHANGES = {
    "a column after": (
        lambda X: np.hstack([X, [[1]] * 6]),
        "1 columns .*0 before them and 1 after",
    ),
    "a year before": (lambda X: np.hstack([[[1999]] * 6, X]), "1 columns .*1 before them and 0"),
    "a union": (lambda X: np.hstack([X, np.asarray(X)]), "columns beside those of TextVectorizer"),
    "interpolated": (
        lambda X: np.vstack([X, (np.asarray(X)[:3] + np.asarray(X)[3:]) // 2]),
        "3 of 9 rows of X are not as TextVectorizer made them",
    ),
    "arithmetic": (lambda X: X + 1, "X has lost the 16-d word vectors"),
}


@pytest.mark.parametrize("embedding_dim", [None, 16])
@pytest.mark.parametrize("name", CHANGES)
def test_rows_that_were_changed_are_refused(long_texts, name, embedding_dim):
    change, message = CHANGES[name]
    changed = change(long_texts)
    with pytest.raises(ValueError, match=message):
        quick(embedding_dim=embedding_dim).fit(changed, ([0, 1] * 5)[: len(changed)])


def test_a_few_tokens_of_ones_own_are_not_taken_for_those_of_a_vectorizer(X):
    # Short rows of small numbers are equal to some texts by chance.
    own = np.array(X.tolist())[:, :2]
    assert quick(embedding_dim=5).fit(own, [0, 1] * 3).embedding_source_ == "random"
    with pytest.raises(ValueError, match=r"not as TextVectorizer|columns beside|a plain matrix"):
        quick().fit(np.hstack([own, own]), [0, 1] * 3)


@pytest.mark.parametrize("embedding_dim", [None, 16])
def test_changed_rows_are_refused_without_marks_too(long_texts, embedding_dim):
    column = np.array(np.hstack([long_texts, [[1]] * 6]).tolist())
    with pytest.raises(ValueError, match=r"1 columns beside .*lost the 16-d word vectors"):
        quick(embedding_dim=embedding_dim).fit(column, [0, 1] * 3)


def test_numbers_beside_texts_without_vectors_are_no_words_either():
    X = TextVectorizer().fit_transform([f"{text} as the long, dull film" for text in TEXTS])
    with pytest.raises(ValueError, match=r"values would be taken for words; it has lost the words"):
        quick(embedding_dim=8).fit(np.hstack([X, [[30_000_000]] * 6]), [0, 1] * 3)


@pytest.mark.soak  # In this process: test_rows_are_forgotten_with_their_vectorizer.
def test_another_process_refuses_what_has_lost_its_vectors(X, tmp_path):
    np.save(tmp_path / "X.npy", np.array(X.tolist()))
    code = (
        "import numpy; from sktextcnn import TextCNNClassifier\n"
        "try: TextCNNClassifier().fit(numpy.load('X.npy'), [0, 1] * 3)\n"
        "except ValueError as error: print(error)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "X is a plain matrix of token ids" in answer.stdout
    assert "TextCNNClassifier(embedding_dim=300)" in answer.stdout


def test_a_mark_without_its_table_is_refused(X):
    plain = pickle.dumps(np.asarray(X))
    mark, table = lost_table(X), X.table
    lost = pickle.loads(plain)
    assert lost_table(lost) == mark == (table.key, 16)
    lost += 1
    with pytest.raises(ValueError, match=r"X has lost the 16-d word vectors .*by joblib or pickle"):
        quick().fit(lost, [0, 1] * 3)


def test_plain_ids_mean_random_vectors_only_if_one_says_so():
    ids = [[2, 3, 4], [5, 6, 0]] * 3
    with pytest.raises(ValueError, match=r"X is a plain matrix .*embedding_dim=300"):
        quick().fit(ids, [0, 1] * 3)
    with pytest.raises(ValueError, match=r"X is a plain matrix .*embedding_dim=300"):
        quick().partial_fit(ids, [0, 1] * 3, classes=[0, 1])
    classifier = quick(embedding_dim=7, warm_start=True).fit(ids, [0, 1] * 3)
    assert classifier.embedding_source_ == "random"
    classifier.set_params(embedding_dim=None).fit(ids, [0, 1] * 3)
    assert classifier.net_.module_.embedding.embedding_dim == 7


@pytest.mark.parametrize("name", ARRIVES)
def test_ids_that_never_had_vectors_mean_random_ones(name):
    X = TextVectorizer().fit_transform(TEXTS)
    classifier = quick().fit(ARRIVES[name](X), [0, 1] * 3)
    assert classifier.embedding_source_ == "random"
    assert classifier.net_.module_.embedding.embedding_dim == 300


def test_equal_rows_of_two_vectorizers_are_those_of_the_one_that_came_last(vectors_file):
    with_vectors, X = fitted(vectors_file)
    _others, X_random = fitted(None)
    np.testing.assert_array_equal(X, X_random)
    assert quick().fit(X_random.tolist(), [0, 1] * 3).embedding_source_ == "random"
    X = with_vectors.transform(TEXTS)
    assert quick().fit(X.tolist(), [0, 1] * 3).embedding_source_ == "docstrings.txt"
    # A mark says which one.
    assert quick().fit(np.asarray(X_random), [0, 1] * 3).embedding_source_ == "random"


def test_equal_rows_that_other_threads_made_are_refused_if_they_differ(vectors_file):
    def in_thread(function, *args):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(function, *args).result()

    texts = [f"{text}, and {len(text)} times as dull as other long films" for text in TEXTS]
    _, X = in_thread(fitted, vectors_file, texts)
    assert quick().fit(X.tolist(), [0, 1] * 3).embedding_source_ == "docstrings.txt"
    other = in_thread(fitted, None, texts)
    for learner in (quick(), quick(embedding_dim=5)):
        with pytest.raises(ValueError, match="rows of X are equal to those of several vectorizers"):
            learner.fit(X.tolist(), [0, 1] * 3)
    del other


def test_rows_are_forgotten_with_their_vectorizer(vectors_file):
    X = fitted(vectors_file)[1].tolist()
    gc.collect()
    # Some rows may be those of another vectorizer, which another test has kept.
    with pytest.raises(ValueError, match=r"rows of X are not|X is a plain matrix"):
        quick().fit(X, [0, 1] * 3)


def test_only_the_latest_rows_are_remembered(vectors_file, monkeypatch):
    monkeypatch.setattr(rows, "_MOST_ROWS", 20)
    vectorizer, X = fitted(vectors_file)
    for number in range(5):
        vectorizer.transform([f"{' gem' * number} {' film' * each}" for each in range(9)])
    with pytest.raises(ValueError, match=r"rows of X are not|X is a plain matrix"):
        quick().fit(X.tolist(), [0, 1] * 3)
    large = vectorizer.transform([" gem" * number for number in range(30)])
    assert quick().fit(large.tolist(), [0, 1] * 15).embedding_source_ == "docstrings.txt"


def test_many_small_matrices_are_remembered_in_few(vectors_file):
    vectorizer, X = fitted(vectors_file)
    for number in range(200):
        vectorizer.transform([f"{' gem' * (number % 40)} film", "film"])
    assert len(rows._made[X.table]) <= rows._MOST_MATRICES
    assert quick().fit(X.tolist(), [0, 1] * 3).embedding_source_ == "docstrings.txt"


def test_few_ids_with_large_numbers_are_refused():
    ids = np.array([[2, 3, 30_000_000]] * 6)
    with pytest.raises(ValueError, match=r"ids up to 30000000, but only 3 different .*leave them"):
        quick(embedding_dim=300).fit(ids, [0, 1] * 3)


def test_a_fitted_classifier_predicts_from_plain_ids(X):
    classifier = quick().fit(X, [0, 1] * 3)
    expected = classifier.predict_proba(X)
    np.testing.assert_array_equal(classifier.predict_proba(np.asarray(X)), expected)
    np.testing.assert_array_equal(classifier.predict_proba(X.tolist()), expected)


# Processes and files ------------------------------------------------------------------


@pytest.mark.parametrize("mmap_mode", [None, "r"])
def test_joblib_dump_and_load(X, tmp_path, mmap_mode):
    joblib.dump(X, tmp_path / "X.joblib")
    loaded = joblib.load(tmp_path / "X.joblib", mmap_mode=mmap_mode)
    assert_carries(loaded, X.table, np.asarray(X))


def test_a_fresh_process_has_equal_words_and_vectors(X, tmp_path):
    joblib.dump(X, tmp_path / "X.joblib")
    code = (
        "import joblib; X = joblib.load('X.joblib'); print(type(X).__name__, X.table.key,"
        " float(X.table.vectors.sum()), X.table.vectors.flags.writeable)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    expected = ["TokenIds", X.table.key, str(float(X.table.vectors.sum())), "False"]
    assert answer.stdout.split() == expected


def test_workers_get_and_return_the_table(X):
    # Above a size, joblib hands arrays to workers through memory-mapped files.
    large = np.concatenate([X] * 20_000)
    assert large.nbytes > 1_000_000
    results = joblib.Parallel(n_jobs=2, max_nbytes="1M")(
        joblib.delayed(copy.copy)(part) for part in (X, large)
    )
    for part, result in zip((X, large), results, strict=True):
        assert_carries(result, X.table, np.asarray(part))


# A NumPy that loses marks ---------------------------------------------------------------


def no_mark(dtype, mark):
    return np.dtype(dtype)


def mark_is_refused(dtype, mark):
    raise TypeError("dtype() got an unexpected keyword argument 'metadata'")


@pytest.fixture(params=[no_mark, mark_is_refused])
def without_marks(request, monkeypatch):
    monkeypatch.setattr(compat, "_marked_dtype", request.param)
    compat.marks_last.cache_clear()
    yield
    compat.marks_last.cache_clear()


def test_this_numpy_keeps_marks():
    assert compat.marks_last()


@pytest.mark.usefixtures("without_marks")
@pytest.mark.parametrize("name", KEEPS)
def test_without_marks_the_table_is_kept_all_the_same(name, vectors_file):
    X = fitted(vectors_file)[1]
    assert X.dtype.metadata is None
    assert_carries(KEEPS[name](X), X.table, KEEPS[name](np.asarray(X)))


@pytest.mark.usefixtures("without_marks")
@pytest.mark.parametrize("name", ARRIVES)
def test_without_marks_the_rows_say_what_they_are(name, vectors_file):
    X = fitted(vectors_file)[1]
    plain = ARRIVES[name](X)
    assert lost_table(plain) is None
    assert quick().fit(plain, [0, 1] * 3).embedding_source_ == "docstrings.txt"
    with pytest.raises(ValueError, match="1 columns beside"):
        quick().fit(np.hstack([X, [[1]] * 6]), [0, 1] * 3)


@pytest.mark.parametrize("n_texts", [0, 1, 6, 7, 5000])
@pytest.mark.parametrize("width", [1, 5, 300])
def test_ids_are_shown_on_a_few_lines(X, n_texts, width):
    ids = TokenIds(np.full((n_texts, width), 123_456), X.table)
    lines = repr(ids).splitlines()
    n_words, size = len(X.table) - 2, X.table.vector_size
    facts = f"shape=({n_texts}, {width}), dtype=int32, n_words={n_words}, vector_size={size})"
    assert lines[-1].strip() == facts
    assert lines[0].startswith("TokenIds([")
    for shown in (repr(ids), str(ids), repr(ids[:1].ravel()), repr(ids[None]), f"{ids}"):
        assert all(len(line) <= 80 for line in shown.splitlines())
        assert len(shown.splitlines()) <= 10


def test_the_first_and_last_ids_are_shown(X):
    ids = TokenIds(np.arange(2 * 300).reshape(2, 300), X.table)
    assert str(ids) == "[[  0   1   2 ... 297 298 299]\n [300 301 302 ... 597 598 599]]"
    few = TokenIds([[2, 3, 0]], X.table)
    assert repr(few).splitlines()[0] == "TokenIds([[2, 3, 0]],"
    assert "n_words" not in repr(np.zeros(2, dtype=np.int32).view(TokenIds))
    assert repr(few[0, 0]) == repr(np.int32(2))
