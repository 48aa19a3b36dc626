"""Files in gensim's own format: mapped, and refused where they are something else."""

import pickle

import numpy as np
import pytest
from gensim.models import KeyedVectors, Word2Vec
from gensim.test.utils import datapath

from sktextcnn import Embeddings
from sktextcnn._vectors import file_cache
from tests.vector_files import (
    SENTENCES,
    UNKNOWN,
    assert_bits,
    compress,
    random_vectors,
    save_own_apart,
    write,
)


@pytest.mark.parametrize(
    "name",
    [
        "model-from-gensim-3.8.0.w2v",
        "old_keyedvectors_320.dat",
        "old_w2v_models/w2v_3.4.0.mdl",
        "word2vec_3.3",
        "word2vec_old",
    ],
)
def test_older_files_of_gensims_own_are_read_as_gensim_reads_them(name):
    loaded = KeyedVectors.load(datapath(name))
    truth = getattr(loaded, "wv", loaded)
    words = [*truth.index_to_key, "nosuchword"]
    assert_bits(Embeddings(datapath(name)).lookup(words), words, truth)


@pytest.fixture
def loaded_by_gensim(monkeypatch):
    """The objects that gensim loads, in order."""
    loaded = []
    load = file_cache.load_gensim

    def spy(path):
        loaded.append(load(path))
        return loaded[-1]

    monkeypatch.setattr(file_cache, "load_gensim", spy)
    return loaded


def test_kv_with_arrays_in_files_of_their_own_is_mapped_not_read(tmp_path, loaded_by_gensim):
    vectors = random_vectors(n_words=30, size=5, seed=8)
    save_own_apart(vectors, str(tmp_path / "vectors.kv"))
    words = vectors.index_to_key
    rows = Embeddings(tmp_path / "vectors.kv").lookup(words)
    assert isinstance(loaded_by_gensim[0].vectors, np.memmap)
    assert_bits(rows, words, vectors)
    assert not any(isinstance(row, np.memmap) for row in rows.values())


def test_model_of_word2vec_is_mapped_not_read(tmp_path, loaded_by_gensim):
    model = Word2Vec(SENTENCES, vector_size=6, min_count=1, epochs=1, workers=1, seed=1)
    model.save(str(tmp_path / "word2vec.model"), sep_limit=0)
    words = [*model.wv.index_to_key, "nosuchword"]
    rows = Embeddings(tmp_path / "word2vec.model").lookup(words)
    assert isinstance(loaded_by_gensim[0].vectors, np.memmap)
    assert_bits(rows, words, model.wv)


@pytest.mark.parametrize("what", ["model", "kv"])
def test_own_file_of_fasttext_is_mapped_and_gives_subwords(
    what, fasttext_model, tmp_path, loaded_by_gensim
):
    path = tmp_path / f"fasttext.{what}"
    (fasttext_model if what == "model" else fasttext_model.wv).save(str(path), sep_limit=0)
    words = [*fasttext_model.wv.index_to_key, *UNKNOWN]
    rows = Embeddings(path).lookup(words)
    assert isinstance(loaded_by_gensim[0].vectors_ngrams, np.memmap)
    assert_bits(rows, words, {word: fasttext_model.wv.get_vector(word) for word in words})


def test_own_file_that_gensim_compressed_is_read(tmp_path):
    vectors = random_vectors(n_words=30, size=5, seed=9)
    vectors.save(str(tmp_path / "vectors.kv.gz"))
    words = vectors.index_to_key
    assert_bits(Embeddings(tmp_path / "vectors.kv.gz").lookup(words), words, vectors)


@pytest.mark.parametrize(
    ("compressed", "name", "expected"),
    [(True, "own.kv", "must end in .gz"), (False, "own.gz", "must not end in .gz")],
)
def test_own_file_whose_name_and_content_disagree_is_to_be_renamed(
    compressed, name, expected, tmp_path
):
    vectors = random_vectors(n_words=30, size=5, seed=9)
    vectors.save(str(tmp_path / "vectors.kv"))
    path = tmp_path / "vectors.kv"
    path = (compress(path) if compressed else path).rename(tmp_path / name)
    with pytest.raises(ValueError, match=rf"{name}: .*{expected}.*Rename the file"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(KeyedVectors(3))[:60],
        b"\x80",
        b"\x80\x04\xff\xff",
    ],
    ids=["cut off", "one byte", "damaged"],
)
def test_a_pickle_that_is_no_vectors_is_refused_by_its_name(content, tmp_path):
    path = write(tmp_path / "vectors.kv", content)
    with pytest.raises(
        ValueError, match=r"vectors\.kv looks like a file in gensim's own format, but"
    ):
        Embeddings(path).lookup(["the"])


def test_own_file_without_the_file_of_its_array_names_the_file_that_is_missing(tmp_path):
    save_own_apart(random_vectors(n_words=30, size=5, seed=9), str(tmp_path / "vectors.kv"))
    (tmp_path / "vectors.kv.vectors.npy").unlink()
    with pytest.raises(ValueError, match=r"vectors\.kv looks like.*vectors\.kv\.vectors\.npy"):
        Embeddings(tmp_path / "vectors.kv").lookup(["the"])


@pytest.mark.parametrize("name", ["lda_3_0_1_model", "phraser-3.6.0.model", "tfidf_model.tst"])
def test_own_file_of_another_model_of_gensim_is_refused(name):
    with pytest.raises(
        ValueError, match=rf"{name} looks like a file in gensim's own format, but contains"
    ):
        Embeddings(datapath(name)).lookup(["the"])
