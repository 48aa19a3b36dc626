"""What a handle may be on: paths, objects of gensim and handles; and sources that are refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from gensim.models import Doc2Vec, FastText, KeyedVectors, Word2Vec
from gensim.models.doc2vec import TaggedDocument

from sktextcnn import Embeddings, TextVectorizer
from sktextcnn._vectors import embeddings_from_config
from tests.embeddings import SENTENCES, WORDS, assert_rows, write_vectors

UNKNOWN = ["catlike", "graphs"]


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
    "source", [5, None, b"glove.txt", ["glove.txt"], {"the"}, np.zeros((2, 3)), Word2Vec]
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


def test_the_vectorizer_takes_whatever_the_handle_takes(glove, large_vectors):
    for source in (str(glove), glove, Embeddings(glove), large_vectors):
        fitted = TextVectorizer(embeddings=source).fit(["the cat"])
        expected = Embeddings(glove) if source is not large_vectors else Embeddings(large_vectors)
        rows = expected.lookup(["the", "cat"])
        for word, row in rows.items():
            np.testing.assert_array_equal(fitted.embedding_matrix_[fitted.vocabulary_[word]], row)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_missing_file_is_refused_at_once_with_one_of_a_similar_name(kind, glove):
    match = r"There is no file of vectors '.*glvoe\.txt'\. Did you mean 'glove\.txt'\?"
    with pytest.raises(FileNotFoundError, match=match):
        Embeddings(kind(glove.with_name("glvoe.txt")))


def test_a_missing_file_with_no_similar_name_around_is_refused_without_a_guess(glove):
    with pytest.raises(FileNotFoundError, match=r"no file of vectors '.*wiki\.bin'\. The command"):
        Embeddings(glove.with_name("wiki.bin"))


def test_a_missing_file_in_a_missing_folder_names_the_folder(tmp_path):
    match = r"The file of vectors 'glove\.txt' does not exist: there is no folder '.*nowhere'"
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
