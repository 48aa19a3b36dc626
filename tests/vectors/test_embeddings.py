"""The handle on word vectors: light, shared, and remembered for the process."""

import copy
import logging
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from pathlib import Path
from urllib.error import URLError

import gensim.downloader
import joblib
import numpy as np
import pytest
from gensim.models import Doc2Vec, FastText, KeyedVectors, Word2Vec
from gensim.models.doc2vec import TaggedDocument
from gensim.models.fasttext import save_facebook_model
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from sktextcnn._vectors import embeddings_from_config, file_cache, formats

SENTENCES = [
    ["the", "cat", "sat", "on", "the", "mat"],
    ["a", "graph", "of", "minors", "and", "trees"],
] * 5
WORDS = ["the", "of", "and", "cat", "mat"]
UNKNOWN = ["catlike", "graphs"]


def write_vectors(path, words=WORDS, size=4, seed=0):
    """A file in GloVe's format, and what is in it."""
    rows = np.random.default_rng(seed).normal(size=(len(words), size)).astype(np.float32)
    lines = (f"{word} {' '.join(map(str, row))}\n" for word, row in zip(words, rows, strict=True))
    path.write_text("".join(lines), encoding="utf-8")
    return dict(zip(words, rows, strict=True))


def assert_rows(rows, expected):
    assert list(rows) == list(expected)
    for word, row in rows.items():
        assert row.dtype == np.float32
        np.testing.assert_array_equal(row, expected[word])


@pytest.fixture
def glove(tmp_path):
    path = tmp_path / "glove.txt"
    write_vectors(path)
    return path


@pytest.fixture
def reads(monkeypatch):
    """What is read of files: (name, words) of each time that one is opened for its rows."""
    opened = []
    read_vectors = file_cache.read_vectors

    def counted(path, words, *how):
        words = list(words)
        opened.append((os.path.basename(path), sorted(words)))
        return read_vectors(path, words, *how)

    monkeypatch.setattr(file_cache, "read_vectors", counted)
    return opened


@pytest.fixture(scope="module")
def large_vectors():
    vectors = KeyedVectors(100)
    rows = np.random.default_rng(0).normal(size=(5000, 100)).astype(np.float32)
    vectors.add_vectors([*WORDS, *(f"word{i}" for i in range(4995))], rows)
    return vectors


# A light handle -----------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [clone, copy.copy, copy.deepcopy], ids=lambda f: f.__name__)
@pytest.mark.parametrize("source", ["file", "object", "name"])
def test_clones_and_copies_are_the_handle_itself(duplicate, source, glove, large_vectors):
    source = {"file": glove, "object": large_vectors, "name": "glove-wiki-gigaword-100"}[source]
    handle = Embeddings(source)
    assert duplicate(handle) is handle
    nested = copy.deepcopy([{"embeddings": handle}])
    assert nested[0]["embeddings"] is handle


def test_vectorizers_and_pipelines_that_are_cloned_share_the_handle(glove):
    handle = Embeddings(glove)
    model = make_pipeline(TextVectorizer(embeddings=handle))
    assert clone(model)[0].embeddings is handle
    assert clone(TextVectorizer(embeddings=handle)).get_params()["embeddings"] is handle


def test_a_handle_on_a_file_pickles_as_its_path_however_large_the_file(tmp_path, large_vectors):
    path = tmp_path / "vectors.kv"
    large_vectors.save(str(path), sep_limit=0)
    handle = Embeddings(path)
    handle.lookup(large_vectors.index_to_key)
    assert len(pickle.dumps(handle)) < 500 + 2 * len(str(path))
    vectorizer = TextVectorizer(embeddings=handle)
    assert len(pickle.dumps(vectorizer)) < 3000 + 2 * len(str(path))


def test_a_pickled_handle_gives_the_same_vectors(glove):
    handle = pickle.loads(pickle.dumps(Embeddings(glove)))
    assert_rows(handle.lookup(["of", "nosuchword"]), {"of": write_vectors(glove)["of"]})
    assert repr(handle) == "Embeddings('glove.txt')"
    assert handle.name == "glove.txt"


def test_a_pickled_handle_remembers_the_encoding(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes("café 1 2\nthe 3 4\n".encode("latin-1"))
    handle = pickle.loads(pickle.dumps(Embeddings(path, encoding="latin-1")))
    assert_rows(handle.lookup(["café"]), {"café": np.array([1, 2], dtype=np.float32)})


def test_a_pickled_handle_loads_where_the_file_is_gone_and_says_so_when_asked(glove):
    pickled = pickle.dumps(Embeddings(glove))
    glove.unlink()
    handle = pickle.loads(pickled)
    assert repr(handle) == "Embeddings('glove.txt')"
    assert clone(handle) is handle
    again = pickle.loads(pickle.dumps(handle))
    with pytest.raises(FileNotFoundError, match=r"no file of vectors '.*glove\.txt'"):
        again.lookup(["the"])


def test_a_fitted_vectorizer_transforms_where_the_file_is_gone(glove):
    fitted = TextVectorizer(embeddings=glove).fit(["the cat", "the mat"])
    pickled, ids = pickle.dumps(fitted), fitted.transform(["the cat"])
    glove.unlink()
    loaded = pickle.loads(pickled)
    np.testing.assert_array_equal(loaded.transform(["the cat"]), ids)
    np.testing.assert_array_equal(loaded.embedding_matrix_, fitted.embedding_matrix_)


def test_a_handle_on_an_object_pickles_the_object(large_vectors):
    handle = pickle.loads(pickle.dumps(Embeddings(large_vectors)))
    assert_rows(handle.lookup(["the"]), {"the": large_vectors["the"]})


def test_a_handle_on_a_name_pickles_as_the_name():
    pickled = pickle.dumps(Embeddings("glove-wiki-gigaword-100"))
    assert len(pickled) < 300
    assert repr(pickle.loads(pickled)) == "Embeddings('glove-wiki-gigaword-100')"


@pytest.mark.parametrize("as_handle", [True, False], ids=["handle", "path"])
def test_a_grid_search_loads_the_vectors_once_and_never_copies_them(
    as_handle, tmp_path, large_vectors, monkeypatch
):
    path = tmp_path / "vectors.kv"
    large_vectors.save(str(path), sep_limit=0)
    loads = []
    load = file_cache.load_gensim
    monkeypatch.setattr(file_cache, "load_gensim", lambda path: loads.append(path) or load(path))
    embeddings = Embeddings(path) if as_handle else str(path)
    vectorizer = TextVectorizer(embeddings=embeddings, unseen_words=0)
    model = make_pipeline(vectorizer, DummyClassifier())
    grid = GridSearchCV(model, {"textvectorizer__max_length": [1, 2]}, cv=2)
    grid.fit(["the cat", "of the mat", "and cat", "cat the"] * 3, [0, 1, 0, 1] * 3)
    assert len(loads) == 1
    assert len(pickle.dumps(clone(model))) < large_vectors.vectors.nbytes / 100
    assert len(pickle.dumps(grid)) < large_vectors.vectors.nbytes / 50
    # The parameter stays what the user gave, as clone() wants it.
    assert grid.best_estimator_[0].embeddings == embeddings


@pytest.mark.parametrize("kind", ["text", "word2vec", "fasttext"])
def test_a_grid_search_passes_once_over_a_file_though_each_fold_has_other_words(
    kind, tmp_path, monkeypatch
):
    path = tmp_path / "vectors"
    texts = [f"word{i} word{i + 1}" for i in range(30)]
    if kind == "fasttext":
        documents = [text.split() for text in texts]
        model = FastText(documents, vector_size=4, min_count=1, bucket=50, workers=1)
        save_facebook_model(model, str(path))
    else:
        vectors = KeyedVectors(4)
        words = [f"word{i}" for i in range(31)]
        vectors.add_vectors(words, np.random.default_rng(0).normal(size=(31, 4)))
        vectors.save_word2vec_format(path, binary=kind == "word2vec")
    passes = []
    detect_format = formats._detect_format

    def spy(file, path):
        passes.append(path)
        return detect_format(file, path)

    monkeypatch.setattr(formats, "_detect_format", spy)
    classifier = TextCNNClassifier(max_epochs=1, num_filters=2, random_state=0)
    model = make_pipeline(TextVectorizer(embeddings=str(path)), classifier)
    grid = GridSearchCV(model, {"textcnnclassifier__dropout": [0.1, 0.5]}, cv=3)
    grid.fit(texts, [0, 1] * 15)
    # For the first words, and for the vectors.
    assert passes == [str(path)] * 2
    assert grid.best_estimator_[0].coverage_.types == 1.0


# Repr and name ------------------------------------------------------------------------


def test_the_name_of_a_file_is_shown_without_its_folder(glove):
    assert Embeddings(glove).name == "glove.txt"
    assert repr(Embeddings(str(glove))) == "Embeddings('glove.txt')"


def test_the_name_of_an_object_says_what_it_is_and_how_large(large_vectors):
    assert Embeddings(large_vectors).name == "KeyedVectors of 5,000 words"
    model = Word2Vec(SENTENCES, vector_size=4, min_count=1, workers=1)
    assert repr(Embeddings(model)) == f"Embeddings('Word2Vec of {len(model.wv)} words')"


# What a handle may be on --------------------------------------------------------------


class SomePath:
    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return str(self.path)


@pytest.mark.parametrize("kind", [str, Path, SomePath])
def test_a_path_may_be_a_str_or_path_like(kind, glove):
    assert_rows(Embeddings(kind(glove)).lookup(["the"]), {"the": write_vectors(glove)["the"]})


@pytest.mark.parametrize("name", ["glove.txt", "./glove.txt", "vectors", "with spaces.txt"])
def test_a_relative_path_is_that_of_the_folder_where_the_handle_was_made(
    name, tmp_path, monkeypatch
):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    rows = write_vectors(here / name)
    write_vectors(there / name, seed=1)
    monkeypatch.chdir(here)
    handle = Embeddings(name)
    monkeypatch.chdir(there)
    assert_rows(handle.lookup(["the"]), {"the": rows["the"]})
    assert_rows(pickle.loads(pickle.dumps(handle)).lookup(["of"]), {"of": rows["of"]})


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_keyed_vectors_are_looked_up_as_float32_copies(dtype):
    vectors = KeyedVectors(3, dtype=dtype)
    vectors.add_vectors(WORDS, np.random.default_rng(0).normal(size=(5, 3)).astype(dtype))
    rows = Embeddings(vectors).lookup(["of", "nosuchword", "the"])
    assert_rows(rows, {word: vectors[word].astype(np.float32) for word in ("of", "the")})
    before = vectors["of"].copy()
    rows["of"][:] = 0
    np.testing.assert_array_equal(vectors["of"], before)


@pytest.mark.parametrize("part", ["model", "wv"])
def test_word2vec_is_looked_up(part):
    model = Word2Vec(SENTENCES, vector_size=4, min_count=1, workers=1, seed=1)
    rows = Embeddings(model if part == "model" else model.wv).lookup(["cat", "nosuchword"])
    assert_rows(rows, {"cat": model.wv["cat"]})


def test_doc2vec_is_looked_up_for_its_words():
    documents = [TaggedDocument(sentence, [i]) for i, sentence in enumerate(SENTENCES)]
    model = Doc2Vec(documents, vector_size=4, min_count=1, workers=1, seed=1)
    assert_rows(Embeddings(model).lookup(["cat", "nosuchword"]), {"cat": model.wv["cat"]})


@pytest.mark.parametrize("part", ["model", "wv"])
def test_fasttext_gives_unknown_words_the_vectors_of_their_subwords(part):
    model = FastText(SENTENCES, vector_size=4, min_count=1, bucket=50, workers=1, seed=1)
    rows = Embeddings(model if part == "model" else model.wv).lookup(
        ["cat", *UNKNOWN, "", "\ud800"]
    )
    assert_rows(rows, {word: model.wv[word] for word in ("cat", *UNKNOWN)})
    assert np.abs(rows["catlike"]).max() > 0


def test_fasttext_without_subwords_gives_unknown_words_none():
    model = FastText(SENTENCES, vector_size=4, min_count=1, max_n=0, workers=1, seed=1)
    assert_rows(Embeddings(model).lookup(["cat", *UNKNOWN]), {"cat": model.wv["cat"]})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_vector_of_an_object_that_is_not_finite_is_named_by_its_word(value):
    vectors = KeyedVectors(2)
    vectors.add_vectors(["the", "of"], np.array([[1, 2], [value, 3]], dtype=np.float32))
    handle = Embeddings(vectors)
    with pytest.raises(ValueError, match="vector of 'of' in the given KeyedVectors is not finite"):
        handle.lookup(["the", "of"])
    assert list(handle.lookup(["the"])) == ["the"]


@pytest.mark.parametrize(
    "source", [5, None, b"glove.txt", ["glove.txt"], {"the": [1.0]}, np.zeros((2, 3)), Word2Vec]
)
def test_anything_else_is_a_type_error_that_lists_what_it_may_be(source):
    match = rf"must be a path, the name .*, a gensim KeyedVectors.* got {type(source).__name__}\."
    with pytest.raises(TypeError, match=match):
        Embeddings(source)


def test_a_handle_may_be_given_where_a_source_is_wanted(glove, large_vectors):
    rows = write_vectors(glove)
    assert_rows(Embeddings(Embeddings(glove)).lookup(["the"]), {"the": rows["the"]})
    for encoding in (None, "latin-1"):
        handle = Embeddings(Embeddings(large_vectors), encoding=encoding)
        assert handle.name == "KeyedVectors of 5,000 words"
        assert_rows(handle.lookup(["the"]), {"the": large_vectors["the"]})


@pytest.mark.parametrize("source", ["path", "handle of utf-8", "handle of latin-1"])
@pytest.mark.parametrize("encoding", [None, "utf-8", "latin-1"])
def test_the_encoding_is_the_given_one_or_else_that_of_the_handle(source, encoding, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes("café 1 2\nthe 3 4\n".encode("latin-1"))
    given = {
        "path": path,
        "handle of utf-8": Embeddings(path),
        "handle of latin-1": Embeddings(path, encoding="latin-1"),
    }[source]
    handle = Embeddings(given, encoding=encoding)
    is_latin = "latin-1" in (encoding or source)
    assert list(handle.lookup(["café", "the"])) == (["café", "the"] if is_latin else ["the"])
    assert handle.name == "vectors.txt"
    # The given handle is as before.
    if source != "path":
        own = ["café", "the"] if "latin-1" in source else ["the"]
        assert list(given.lookup(["café", "the"])) == own


@pytest.mark.parametrize(
    ("encoding", "error", "message"),
    [
        ("utf-9", ValueError, r"encoding must be .* such as 'utf-8' .*; got 'utf-9' \(unknown enc"),
        ("rot13", ValueError, "encoding must be the name of a text encoding.* got 'rot13'"),
        ("", ValueError, "encoding must be the name of a text encoding.* got ''"),
        ("a\0b", ValueError, r"encoding must be the name of a text encoding.* got 'a\\x00b'"),
        (b"utf-8", TypeError, "encoding must be the name of an encoding.* b'utf-8' of type bytes"),
        (8, TypeError, "encoding must be the name of an encoding.* got 8 of type int"),
    ],
)
def test_an_encoding_that_python_does_not_know_is_refused_at_once(encoding, error, message, glove):
    for source in (glove, Embeddings(glove)):
        with pytest.raises(error, match=message):
            Embeddings(source, encoding=encoding)


def test_a_handle_of_a_handle_that_reads_no_pickles_reads_none(tmp_path, large_vectors):
    path = tmp_path / "vectors.kv"
    large_vectors.save(str(path))
    handle = embeddings_from_config("vectors.kv", str(path), "utf-8")
    for other in (
        handle,
        Embeddings(handle),
        Embeddings(handle, encoding="latin-1"),
        pickle.loads(pickle.dumps(handle)),
        Embeddings(pickle.loads(pickle.dumps(handle))),
    ):
        with pytest.raises(
            ValueError, match=r"vectors\.kv .* is a pickle and may run code.*If you"
        ):
            other.lookup(["the"])
    assert list(Embeddings(path).lookup(["the"])) == ["the"]


# An immutable handle ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["name", "_path", "_vectors", "_encoding", "_reads_pickles", "new"]
)
def test_attributes_can_be_neither_set_nor_deleted(name, glove):
    handle = Embeddings(glove)
    for other in (handle, pickle.loads(pickle.dumps(handle)), Embeddings(handle)):
        with pytest.raises(AttributeError, match=f"is immutable, so '{name}' cannot be set"):
            setattr(other, name, "other")
        with pytest.raises(AttributeError, match=f"is immutable, so '{name}' cannot be deleted"):
            delattr(other, name)
        assert_rows(other.lookup(["the"]), {"the": write_vectors(glove)["the"]})


def test_the_vectorizer_takes_whatever_the_handle_takes(glove, large_vectors):
    for source in (str(glove), glove, Embeddings(glove), large_vectors):
        fitted = TextVectorizer(embeddings=source).fit(["the cat"])
        expected = Embeddings(glove) if source is not large_vectors else Embeddings(large_vectors)
        rows = expected.lookup(["the", "cat"])
        for word, row in rows.items():
            np.testing.assert_array_equal(fitted.embedding_matrix_[fitted.vocabulary_[word]], row)


# Files that are missing ---------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, Path])
def test_a_missing_file_is_refused_at_once_with_one_of_a_similar_name(kind, glove):
    match = r"There is no file of vectors '.*glvoe\.txt'\. Did you mean 'glove\.txt'\?"
    with pytest.raises(FileNotFoundError, match=match):
        Embeddings(kind(glove.with_name("glvoe.txt")))


def test_a_missing_file_with_no_similar_name_around_is_refused_without_a_guess(glove):
    with pytest.raises(FileNotFoundError, match=r"no file of vectors '.*wiki\.bin'\.$"):
        Embeddings(glove.with_name("wiki.bin"))


def test_a_missing_file_in_a_missing_folder_names_the_folder(tmp_path):
    match = r"There is no folder '.*nowhere', so there is no file of vectors 'glove\.txt' in it"
    with pytest.raises(FileNotFoundError, match=match):
        Embeddings(tmp_path / "nowhere" / "glove.txt")


def test_a_missing_file_is_refused_by_the_vectorizer_before_it_reads_a_text(glove):
    def texts():
        raise AssertionError("a text was read")
        yield

    with pytest.raises(FileNotFoundError, match=r"Did you mean 'glove\.txt'"):
        TextVectorizer(embeddings=str(glove.with_name("glove.tx"))).fit(texts())


@pytest.mark.parametrize("name", ["", "two words", " "])
def test_a_text_that_is_neither_path_nor_name_is_refused_at_once(name):
    match = rf"embeddings='{name}' is neither a file nor a name of vectors in gensim-data"
    with pytest.raises(FileNotFoundError, match=match):
        Embeddings(name)


def test_a_file_that_went_after_it_was_read_is_missed(glove):
    handle = Embeddings(glove)
    handle.lookup(["the"])
    glove.rename(glove.with_name("glove.old.txt"))
    match = r"no file of vectors '.*glove\.txt'\. Did you mean 'glove\.old\.txt'"
    with pytest.raises(FileNotFoundError, match=match):
        handle.lookup(["the"])


def test_a_path_object_is_a_path_whatever_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file of vectors '.*vectors'"):
        Embeddings(Path("vectors"))


def test_a_folder_is_refused_as_a_folder(tmp_path):
    (tmp_path / "vectors").mkdir()
    with pytest.raises(
        (FileNotFoundError, IsADirectoryError), match=r"vectors' is a (folder|directory)"
    ):
        Embeddings(tmp_path / "vectors")


# Names of gensim-data -----------------------------------------------------------------


def test_a_name_of_gensim_data_is_looked_up_in_the_file_that_gensim_has(
    glove, monkeypatch, reads, tmp_path
):
    rows = write_vectors(glove)
    asked = []

    def load(name, return_path=False):
        asked.append((name, return_path))
        return str(glove)

    monkeypatch.setattr(gensim.downloader, "load", load)
    monkeypatch.chdir(tmp_path)
    handle = Embeddings("glove-wiki-gigaword-100")
    assert asked == []
    assert repr(handle) == "Embeddings('glove-wiki-gigaword-100')"
    for _ in range(2):
        assert_rows(handle.lookup(["the", "nosuchword"]), {"the": rows["the"]})
    assert set(asked) == {("glove-wiki-gigaword-100", True)}
    assert len(reads) == 1
    fitted = TextVectorizer(embeddings="glove-wiki-gigaword-100").fit(["the"])
    np.testing.assert_array_equal(fitted.embedding_matrix_[2], rows["the"])


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (URLError("no route to host"), "URLError: .*no route to host"),
        (ValueError("Incorrect model/corpus name"), "ValueError: Incorrect model/corpus name"),
        (TimeoutError("timed out"), "TimeoutError: timed out"),
    ],
)
def test_a_name_that_cannot_be_downloaded_is_an_error_with_its_cause_and_the_remedy(
    error, shown, monkeypatch
):
    def load(name, return_path=False):
        raise error

    monkeypatch.setattr(gensim.downloader, "load", load)
    match = (
        rf"embeddings='glove-wiki-gigaword-10' is not a file in .*, and vectors of this name could "
        rf"not be downloaded from gensim-data \({shown}.*\)\. Give the path of a file of vectors, "
        r"or one of the names that gensim\.downloader\.info\(name_only=True\) lists"
    )
    with pytest.raises(ValueError, match=match) as raised:
        Embeddings("glove-wiki-gigaword-10").lookup(["the"])
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("fails", [True, False])
def test_the_logger_of_gensims_downloader_is_left_as_it_was(fails, glove, monkeypatch):
    logger = logging.getLogger("gensim.downloader")

    def load(name, return_path=False):
        if fails:
            raise URLError("no route to host")
        return str(glove)

    monkeypatch.setattr(gensim.downloader, "load", load)
    monkeypatch.setattr(logger, "disabled", False)
    with pytest.raises(ValueError, match="could not be downloaded") if fails else nullcontext():
        Embeddings("glove-wiki-gigaword-100").lookup(["the"])
    assert not logger.disabled


# Remembered for the process -----------------------------------------------------------


def test_a_second_lookup_does_not_read_the_file_again(glove, reads):
    rows = write_vectors(glove)
    for _ in range(3):
        assert_rows(Embeddings(glove).lookup(["of", "the"]), {w: rows[w] for w in ("of", "the")})
    assert reads == [("glove.txt", ["of", "the"])]


def test_only_words_that_are_new_are_read(glove, reads):
    rows = write_vectors(glove)
    handle = Embeddings(glove)
    handle.lookup(["of", "the"])
    expected = {word: rows[word] for word in ("the", "cat")}
    assert_rows(handle.lookup(["the", "cat", "nosuchword"]), expected)
    assert_rows(handle.lookup(["nosuchword", "the"]), {"the": rows["the"]})
    assert reads == [("glove.txt", ["of", "the"]), ("glove.txt", ["cat", "nosuchword"])]


def test_words_may_come_twice_and_from_a_generator(glove):
    rows = write_vectors(glove)
    found = Embeddings(glove).lookup(word for word in ["the", "of", "the"])
    assert_rows(found, {word: rows[word] for word in ("the", "of")})
    assert Embeddings(glove).lookup([]) == {}


def test_handles_of_every_spelling_of_a_path_share_what_was_read(glove, reads, monkeypatch):
    monkeypatch.chdir(glove.parent)
    link = glove.with_name("link.txt")
    link.symlink_to(glove)
    folder = glove.parent.name
    for path in (glove, "glove.txt", "./glove.txt", f"../{folder}/glove.txt", link):
        assert list(Embeddings(path).lookup(["the"])) == ["the"]
    assert len(reads) == 1


def test_a_pickled_handle_shares_what_was_read(glove, reads):
    handle = Embeddings(glove)
    handle.lookup(["the"])
    pickle.loads(pickle.dumps(handle)).lookup(["the"])
    assert len(reads) == 1


def test_a_file_of_another_size_is_read_again(glove, reads):
    handle = Embeddings(glove)
    handle.lookup(["the"])
    times = os.stat(glove)
    rows = write_vectors(glove, size=7, seed=1)
    os.utime(glove, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert_rows(handle.lookup(["the"]), {"the": rows["the"]})
    assert len(reads) == 2


def test_a_file_of_another_time_is_read_again(glove, reads):
    glove.write_text("the 1 2\n")
    handle = Embeddings(glove)
    handle.lookup(["the"])
    times = os.stat(glove)
    glove.write_text("the 3 4\n")
    os.utime(glove, ns=(times.st_atime_ns, times.st_mtime_ns + 1_000))
    assert_rows(handle.lookup(["the"]), {"the": np.array([3, 4], dtype=np.float32)})
    assert len(reads) == 2


def test_a_gensim_file_that_changed_is_loaded_again(tmp_path):
    path = tmp_path / "vectors.kv"
    for value in (1.0, 2.0):
        vectors = KeyedVectors(2)
        vectors.add_vectors(["the"], np.full((1, 2), value, dtype=np.float32))
        vectors.save(str(path))
        os.utime(path, (value, value))
        assert_rows(Embeddings(path).lookup(["the"]), {"the": vectors["the"]})


def test_each_encoding_of_a_file_is_remembered_apart(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes("café 1 2\nthe 3 4\n".encode("latin-1"))
    assert list(Embeddings(path).lookup(["café", "the"])) == ["the"]
    assert list(Embeddings(path, encoding="latin-1").lookup(["café", "the"])) == ["café", "the"]


def test_the_four_files_that_were_used_last_are_remembered(tmp_path, reads):
    handles = []
    for i in range(5):
        write_vectors(tmp_path / f"{i}.txt", seed=i)
        handles.append(Embeddings(tmp_path / f"{i}.txt"))
    for i in (0, 1, 2, 3):
        handles[i].lookup(["the"])
    handles[0].lookup(["the"])
    handles[4].lookup(["the"])
    assert [name for name, _ in reads] == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]
    for i in (0, 2, 3, 4):
        handles[i].lookup(["the"])
    assert len(reads) == 5
    handles[1].lookup(["the"])
    assert [name for name, _ in reads[5:]] == ["1.txt"]


def test_a_word_whose_row_is_broken_raises_each_time_that_it_is_asked_for(glove):
    glove.write_text("the 1 2\nof 3 x\n")
    handle = Embeddings(glove)
    for _ in range(2):
        with pytest.raises(ValueError, match="line 2: expected 2 numbers for 'of'"):
            handle.lookup(["the", "of"])
    assert_rows(handle.lookup(["the"]), {"the": np.array([1, 2], dtype=np.float32)})


def test_who_writes_into_the_rows_does_not_change_those_of_the_next(glove):
    rows = write_vectors(glove)
    with suppress(ValueError):
        Embeddings(glove).lookup(["the"])["the"][:] = 0
    assert_rows(Embeddings(glove).lookup(["the"]), {"the": rows["the"]})


def test_who_changes_the_dict_does_not_change_that_of_the_next(glove):
    Embeddings(glove).lookup(["the", "of"]).clear()
    assert list(Embeddings(glove).lookup(["the", "of"])) == ["the", "of"]


# Threads ------------------------------------------------------------------------------


def in_threads(function, n_threads=8):
    """What the function returns for 0, 1, ..., from threads that start at once."""
    barrier = threading.Barrier(n_threads)

    def work(i):
        barrier.wait()
        return function(i)

    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(work, range(n_threads)))


def test_lookups_in_threads_give_the_right_rows_and_read_no_word_twice(tmp_path, reads):
    path = tmp_path / "glove.txt"
    words = [f"word{i}" for i in range(300)]
    rows = write_vectors(path, words)
    wanted = [words[30 * i : 30 * i + 80] for i in range(8)]
    found = in_threads(lambda i: Embeddings(path).lookup(wanted[i]))
    for i in range(8):
        assert_rows(found[i], {word: rows[word] for word in wanted[i]})
    read = [word for _, asked in reads for word in asked]
    assert len(read) == len(set(read)) == len(set().union(*wanted))


def test_a_gensim_file_is_loaded_once_for_all_threads(tmp_path, large_vectors, monkeypatch):
    path = tmp_path / "vectors.kv"
    large_vectors.save(str(path), sep_limit=0)
    loads = []
    load = file_cache.load_gensim
    monkeypatch.setattr(file_cache, "load_gensim", lambda path: loads.append(path) or load(path))
    for found in in_threads(lambda i: Embeddings(path).lookup(["the", f"word{i}"])):
        np.testing.assert_array_equal(found["the"], large_vectors["the"])
    assert len(loads) == 1


def test_threads_on_more_files_than_are_remembered_give_the_right_rows(tmp_path):
    rows = [write_vectors(tmp_path / f"{i}.txt", seed=i) for i in range(8)]
    found = in_threads(
        lambda i: [Embeddings(tmp_path / f"{(i + j) % 8}.txt").lookup(["the"]) for j in range(8)]
    )
    for i in range(8):
        for j in range(8):
            assert_rows(found[i][j], {"the": rows[(i + j) % 8]["the"]})


# Hashes, for caches of transformers ---------------------------------------------------


def test_the_hash_of_a_handle_changes_with_its_file(glove):
    handle = Embeddings(glove)
    before = joblib.hash(handle)
    assert joblib.hash(Embeddings(glove)) == before
    write_vectors(glove, size=7)
    assert joblib.hash(handle) != before
    changed = joblib.hash(handle)
    times = os.stat(glove)
    os.utime(glove, ns=(times.st_atime_ns, times.st_mtime_ns + 1_000))
    assert joblib.hash(handle) != changed


def test_handles_on_different_vectors_have_different_hashes(glove, large_vectors):
    write_vectors(glove.with_name("other.txt"), seed=1)
    handles = [
        Embeddings(glove),
        Embeddings(glove, encoding="latin-1"),
        Embeddings(glove.with_name("other.txt")),
        Embeddings(large_vectors),
        Embeddings("glove-wiki-gigaword-100"),
    ]
    assert len({joblib.hash(handle) for handle in handles}) == len(handles)


def test_a_pipeline_with_memory_fits_anew_where_the_file_changed(glove, tmp_path):
    model = make_pipeline(
        TextVectorizer(embeddings=Embeddings(glove)),
        FunctionTransformer(),
        memory=str(tmp_path / "cache"),
    )
    texts = ["the cat", "the mat"]
    widths = []
    for size in (4, 7):
        write_vectors(glove, size=size)
        widths.append(clone(model).fit(texts)[0].embedding_matrix_.shape[1])
    assert widths == [4, 7]


# Vectors trained on the fitted texts --------------------------------------------------

TRAINING = {"vector_size": 4, "epochs": 2}


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_vectors_trained_here_have_the_bits_of_their_random_state(algorithm):
    texts = [" ".join(sentence) for sentence in SENTENCES]
    params = {**TRAINING, "bucket": 50} if algorithm == "fasttext" else TRAINING
    matrices = []
    for random_state in (0, 0, 1):
        # Another state of the global generator each time, which must not matter.
        np.random.seed(len(matrices))
        vectorizer = TextVectorizer(
            embeddings=algorithm, embeddings_params=params, random_state=random_state
        )
        matrices.append(vectorizer.fit(texts).embedding_matrix_)
    assert matrices[0].shape == (2 + len(set().union(*SENTENCES)), 4)
    assert matrices[0].tobytes() == matrices[1].tobytes()
    assert matrices[0].tobytes() != matrices[2].tobytes()
    assert not matrices[0][0].any()


def test_a_text_longer_than_gensims_sentences_is_trained_on_to_its_end():
    rng = np.random.default_rng(0)
    first = " ".join(f"a{i}" for i in rng.integers(50, size=10_000))
    second = " ".join(f"b{i}" for i in rng.integers(50, size=10_000))
    whole, halves = (
        TextVectorizer(embeddings="word2vec", embeddings_params=TRAINING, random_state=0).fit(texts)
        for texts in ([f"{first} {second}"], [first, second])
    )
    assert whole.vocabulary_ == halves.vocabulary_
    np.testing.assert_array_equal(whole.embedding_matrix_, halves.embedding_matrix_)


@pytest.mark.parametrize(
    "params",
    [
        {"windw": 3},
        {"min_count": 1000},
        pytest.param({"vector_size": 0}),
    ],
    ids=str,
)
def test_parameters_that_train_nothing_are_shown_with_the_reason(params):
    vectorizer = TextVectorizer(embeddings="word2vec", embeddings_params=params)
    match = rf"embeddings='word2vec' could not be trained .* with embeddings_params=.*{min(params)}"
    with pytest.raises(ValueError, match=match):
        vectorizer.fit(["the cat", "the mat"])


@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_vectors_are_trained_on_texts_with_lone_surrogates(algorithm):
    params = {"vector_size": 3, "epochs": 1} | ({"bucket": 9} if algorithm == "fasttext" else {})
    vectorizer = TextVectorizer(embeddings=algorithm, embeddings_params=params, random_state=0)
    vectorizer.fit(["a \ud800 gem", "a gem"])
    has_vector = {word for word, _ in vectorizer.coverage_.missing} ^ set(vectorizer.vocabulary_)
    assert has_vector == {"a", "gem"} | ({"\ud800"} if algorithm == "word2vec" else set())
    assert np.isfinite(vectorizer.embedding_matrix_).all()
