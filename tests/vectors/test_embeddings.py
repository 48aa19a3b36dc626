"""The handle on word vectors: light, immutable, copied and pickled without vectors."""

import copy
import pickle

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors, Word2Vec
from gensim.models.fasttext import save_facebook_model
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktextcnn import Embeddings, TextCNNClassifier, TextVectorizer
from sktextcnn._vectors import file_cache, formats
from tests.embeddings import SENTENCES, assert_rows, write_vectors


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


def test_the_name_of_a_file_is_shown_without_its_folder(glove):
    assert Embeddings(glove).name == "glove.txt"
    assert repr(Embeddings(str(glove))) == "Embeddings('glove.txt')"


def test_the_name_of_an_object_says_what_it_is_and_how_large(large_vectors):
    assert Embeddings(large_vectors).name == "KeyedVectors of 5,000 words"
    model = Word2Vec(SENTENCES, vector_size=4, min_count=1, workers=1)
    assert repr(Embeddings(model)) == f"Embeddings('Word2Vec of {len(model.wv)} words')"


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
