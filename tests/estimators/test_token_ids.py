"""TokenIds keeps its words and vectors wherever ids stay ids, and loses them where they do not."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split
from sklearn.utils import shuffle

from sktextcnn import TextCNNClassifier, TextVectorizer, TokenIds
from sktextcnn._compat import numpy as compat
from sktextcnn._token_ids import TokenTable, lost_table

TEXTS = ["a gem", "a witty gem of a film", "so dull", "dull, dull and long", "witty", "long film"]


def fitted(vectors_file, texts=TEXTS, **params):
    vectorizer = TextVectorizer(embeddings=vectors_file, random_state=0, **params)
    return vectorizer, vectorizer.fit_transform(texts)


@pytest.fixture(name="X")
def ids_with_vectors(vectors_file):
    return fitted(vectors_file)[1]


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


def test_concatenation_with_another_table_or_with_plain_ids_loses_the_table(X, vectors_file):
    _, other = fitted(vectors_file, TEXTS[:3], max_length=X.shape[1])
    for parts in ([X, other], [X, np.asarray(X).copy()]):
        joined = np.concatenate(parts)
        assert type(joined) is np.ndarray
        with pytest.raises(ValueError, match="has lost the 16-d word vectors"):
            TextCNNClassifier().fit(joined, [0, 1, 0] * 4 if len(joined) == 12 else [0, 1, 0] * 3)


LOSES = {
    "asarray": np.asarray,
    "asarray of a slice": lambda X: np.asarray(X[:6]),
    "float": lambda X: X.astype(np.float64),
    "int64": lambda X: np.asarray(X).astype(X.dtype),
    "data frame": pd.DataFrame,
    "contiguous": np.ascontiguousarray,
    "pickled array": lambda X: pickle.loads(pickle.dumps(np.asarray(X))),
}


@pytest.mark.parametrize("name", LOSES)
def test_a_classifier_never_trains_quietly_on_random_vectors(X, name):
    lost = LOSES[name](X)
    with pytest.raises(ValueError, match=r"X has lost the 16-d word vectors.*embeddings=None"):
        TextCNNClassifier().fit(lost, [0, 1] * 3)


@pytest.mark.parametrize("name", LOSES)
def test_ids_that_never_had_vectors_mean_random_ones(name):
    lost = LOSES[name](TextVectorizer().fit_transform(TEXTS))
    classifier = TextCNNClassifier(max_epochs=1, num_filters=2).fit(lost, [0, 1] * 3)
    assert classifier.embedding_source_ == "random"


def test_a_fitted_classifier_predicts_from_plain_ids(X):
    classifier = TextCNNClassifier(max_epochs=1, num_filters=2, random_state=0).fit(X, [0, 1] * 3)
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
@pytest.mark.parametrize("name", LOSES)
def test_without_marks_lost_vectors_go_unnoticed_and_nothing_else_changes(name, vectors_file):
    X = fitted(vectors_file)[1]
    lost = LOSES[name](X)
    assert lost_table(lost) is None
    np.testing.assert_array_equal(np.asarray(lost), np.asarray(X))
    classifier = TextCNNClassifier(max_epochs=1, num_filters=2, random_state=0)
    assert classifier.fit(lost, [0, 1] * 3).embedding_source_ == "random"
    assert classifier.fit(X, [0, 1] * 3).embedding_source_ == "docstrings.txt"


# Identity -----------------------------------------------------------------------------


def test_tables_of_equal_content_are_one_object(vectors_file):
    (_, first), (_, second) = fitted(vectors_file), fitted(vectors_file)
    assert first.table is second.table
    assert first.table is not fitted(vectors_file, TEXTS[:3])[1].table


def same_vectors_of_two_files(vectors_file, tmp_path):
    """The ids of two vectorizers whose files differ in their names only."""
    copied = tmp_path / "copied.txt"
    copied.write_bytes(Path(vectors_file).read_bytes())
    return fitted(vectors_file)[1], fitted(copied)[1]


def test_tables_of_two_files_share_their_content_and_keep_their_sources(vectors_file, tmp_path):
    first, second = same_vectors_of_two_files(vectors_file, tmp_path)
    assert first.table is not second.table
    assert (first.table.source, second.table.source) == ("docstrings.txt", "copied.txt")
    assert first.table.key == second.table.key
    assert first.table.vectors is second.table.vectors
    assert first.table.words is second.table.words
    for X in (first, second):
        assert pickle.loads(pickle.dumps(X)).table is X.table
    assert joblib.hash(first) == joblib.hash(second)


def test_ids_of_two_files_of_the_same_vectors_may_be_joined_and_classified(vectors_file, tmp_path):
    first, second = same_vectors_of_two_files(vectors_file, tmp_path)
    assert_carries(
        np.concatenate([first, second]), first.table, np.concatenate([first.tolist()] * 2)
    )
    classifier = TextCNNClassifier(max_epochs=1, num_filters=2, random_state=0)
    classifier.fit(first, [0, 1] * 3)
    assert classifier.embedding_source_ == "docstrings.txt"
    np.testing.assert_array_equal(classifier.predict_proba(second), classifier.predict_proba(first))
    assert classifier.fit(second, [0, 1] * 3).embedding_source_ == "copied.txt"
    assert classifier.partial_fit(first, [0, 1] * 3).embedding_source_ == "copied.txt"


def test_the_key_of_a_table_is_that_of_its_words_and_vectors():
    # Caches of joblib hold hashes of it, so it stays the same from version to version.
    words = ("<pad>", "<unk>", "gem")
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert TokenTable(words).key == "eab7a2524faa238766c3ef19ef5761ee"
    assert TokenTable(words, vectors).key == "bcdf3e20659ab6aa665a56a6e1521cb2"
    assert TokenTable(words, vectors, "a file").key == "bcdf3e20659ab6aa665a56a6e1521cb2"


def test_joblib_hashes_ids_with_their_table(vectors_file):
    same = [fitted(vectors_file)[1] for _ in range(2)]
    assert joblib.hash(same[0]) == joblib.hash(same[1])
    plain = TextVectorizer().fit_transform(TEXTS)
    renamed = TextVectorizer().fit_transform([text.replace("gem", "jam") for text in TEXTS])
    np.testing.assert_array_equal(np.asarray(plain), np.asarray(same[0]))
    np.testing.assert_array_equal(np.asarray(plain), np.asarray(renamed))
    trained = [
        TextVectorizer(
            embeddings="word2vec", embeddings_params={"vector_size": size}, random_state=0
        ).fit_transform(TEXTS)
        for size in (5, 8)
    ]
    hashes = {joblib.hash(ids) for ids in (same[0], plain, renamed, *trained)}
    assert len(hashes) == 5


def test_a_table_cannot_be_changed(X):
    for name in ("words", "source", "new"):
        with pytest.raises(AttributeError, match=f"is immutable, so '{name}' cannot be set"):
            setattr(X.table, name, ())
        with pytest.raises(AttributeError, match=f"is immutable, so '{name}' cannot be deleted"):
            delattr(X.table, name)
    with pytest.raises(ValueError, match="read-only"):
        X.table.vectors[0] = 1


def test_a_table_says_what_it_is(X):
    assert repr(X.table).startswith(f"<TokenTable of {len(X.table)} ids, 16-d vectors, key ")
    assert len(X.table) == len(X.table.words) == len(X.table.vectors)


def test_halves_of_a_surrogate_pair_are_not_the_letter_of_the_pair():
    halves, letter = (
        TextVectorizer(tokenizer=str.split).fit([text]) for text in ("\ud83d\ude00", "\U0001f600")
    )
    assert list(halves.vocabulary_) == ["\ud83d\ude00"]
    assert list(letter.vocabulary_) == ["\U0001f600"]
    assert halves.token_table_.key != letter.token_table_.key
    loaded = pickle.loads(pickle.dumps(halves))
    assert loaded.vocabulary_ == halves.vocabulary_
    assert loaded.token_table_ is halves.token_table_
