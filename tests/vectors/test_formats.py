"""Every format gives the vectors that gensim reads and writes, bit by bit."""

import gzip

import pytest
from gensim.models import KeyedVectors
from gensim.models.fasttext import load_facebook_vectors
from gensim.test.utils import datapath

from sktextcnn import Embeddings
from sktextcnn._vectors import records
from tests.vector_files import (
    STREAMED,
    UNKNOWN,
    assert_bits,
    compress,
    random_vectors,
    save_binary_as_word2vec_c,
    save_own,
    save_own_apart,
)


@pytest.mark.parametrize(
    "name",
    [
        "EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt",
        "crime-and-punishment.vec",
        "high_precision.kv.txt",
        "lee_fasttext.vec",
        "pang_lee_polarity_fasttext.vec",
        "toy-model.vec",
        "word2vec_pre_kv_c",
    ],
)
def test_word2vec_text_that_gensim_ships_is_read_as_gensim_reads_it(name):
    truth = KeyedVectors.load_word2vec_format(datapath(name), unicode_errors="replace")
    words = [word for word in truth.index_to_key if "\ufffd" not in word]
    assert len(words) >= 2
    words.append("nosuchword")
    assert_bits(Embeddings(datapath(name)).lookup(words), words, truth)


@pytest.mark.parametrize(
    "name", ["euclidean_vectors.bin", "high_precision.kv.bin", "poincare_vectors.bin"]
)
def test_word2vec_binary_that_gensim_ships_is_read_as_gensim_reads_it(name):
    truth = KeyedVectors.load_word2vec_format(datapath(name), binary=True)
    words = [*truth.index_to_key, "nosuchword"]
    assert_bits(Embeddings(datapath(name)).lookup(words), words, truth)


# gensim leaves the file open that it reads twice.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_glove_text_that_gensim_ships_is_read_as_gensim_reads_it():
    path = datapath("test_glove.txt")
    truth = KeyedVectors.load_word2vec_format(path, no_header=True)
    words = [*truth.index_to_key, "nosuchword"]
    assert_bits(Embeddings(path).lookup(words), words, truth)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("cp852_fasttext.bin", "cp852"),
        ("crime-and-punishment.bin", "utf-8"),
        ("lee_fasttext.bin", "utf-8"),
        ("lee_fasttext_new.bin", "utf-8"),
        ("non_ascii_fasttext.bin", "utf-8"),
        ("toy-model-pretrained.bin", "utf-8"),
        ("toy-model.bin", "utf-8"),
    ],
)
def test_fasttext_binary_that_gensim_ships_is_read_with_subwords_as_gensim_reads_it(name, encoding):
    truth = load_facebook_vectors(datapath(name), encoding=encoding)
    # Words of bytes that are no text get another name in gensim.
    words = [word for word in truth.index_to_key if "\\x" not in word]
    if encoding != "utf-8":
        words += ["the", "catlike"]
    else:
        words += UNKNOWN
    expected = {word: truth.get_vector(word) for word in words}
    assert_bits(Embeddings(datapath(name), encoding=encoding).lookup(words), words, expected)


@pytest.mark.parametrize("save", [*STREAMED, save_own, save_own_apart])
@pytest.mark.parametrize("seed", range(4))
def test_random_words_and_bits_come_back_from_every_format(save, seed, tmp_path):
    vectors = random_vectors(n_words=60, size=1 + 5 * seed, seed=seed)
    path = str(tmp_path / "vectors")
    save(vectors, path)
    words = vectors.index_to_key
    assert_bits(Embeddings(path).lookup(words), words, vectors)
    assert_bits(Embeddings(path).lookup([words[7], "nosuchword"]), [words[7]], vectors)


@pytest.mark.parametrize("name", ["vectors.gz", "vectors.txt", "vectors.bin", "vectors"])
@pytest.mark.parametrize("save", STREAMED)
def test_gzip_is_recognised_from_the_content_whatever_the_suffix(save, name, tmp_path):
    vectors = random_vectors(n_words=40, size=5, seed=5)
    path = tmp_path / name
    save(vectors, str(tmp_path / "plain"))
    path.write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
    words = vectors.index_to_key
    assert_bits(Embeddings(path).lookup(words), words, vectors)


@pytest.mark.parametrize("name", ["vectors.gz", "vectors.zip", "vectors.kv", "vectors.npy"])
@pytest.mark.parametrize("save", STREAMED)
def test_the_suffix_of_a_plain_file_may_say_anything(save, name, tmp_path):
    vectors = random_vectors(n_words=40, size=5, seed=6)
    save(vectors, str(tmp_path / "plain"))
    path = (tmp_path / "plain").rename(tmp_path / name)
    words = vectors.index_to_key
    assert_bits(Embeddings(path).lookup(words), words, vectors)


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_rows_may_lie_across_the_chunks_that_are_read(chunk, packed, fasttext_file, tmp_path):
    vectors = random_vectors(n_words=30, size=5, seed=7)
    word2vec, fasttext = tmp_path / "word2vec.bin", tmp_path / "fasttext.bin"
    save_binary_as_word2vec_c(vectors, word2vec)
    fasttext.write_bytes(fasttext_file.read_bytes())
    truth = load_facebook_vectors(str(fasttext))
    for path in (word2vec, fasttext) if packed else ():
        compress(path)
    words = vectors.index_to_key
    subworded = [*truth.index_to_key, *UNKNOWN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "CHUNK", chunk)
        assert_bits(Embeddings(word2vec).lookup(words), words, vectors)
        rows = Embeddings(fasttext).lookup(subworded)
    assert_bits(rows, subworded, {word: truth.get_vector(word) for word in subworded})
