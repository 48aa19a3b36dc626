"""The first words of files and objects."""

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from sktextcnn import Embeddings
from tests.vector_files import binary_rows, compress, random_vectors, write


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("crime-and-punishment.vec", {}),
        ("word2vec_pre_kv_c", {}),
        ("euclidean_vectors.bin", {"binary": True}),
        ("test_glove.txt", {"no_header": True}),
    ],
)
# gensim leaves the file open that it reads twice.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_the_first_words_are_those_of_gensim(name, load):
    truth = KeyedVectors.load_word2vec_format(datapath(name), **load).index_to_key
    for n in (3, 0, len(truth) + 5):
        assert Embeddings(datapath(name)).words(n) == truth[:n]


def test_the_first_words_of_fasttext_files_and_of_objects(fasttext_model, fasttext_file):
    truth = fasttext_model.wv.index_to_key
    for source in (fasttext_file, fasttext_model, fasttext_model.wv):
        for n in (1, 4, 1000):
            assert Embeddings(source).words(n) == truth[:n]


def test_the_first_words_of_compressed_files_and_of_gensims_own(tmp_path):
    vectors = random_vectors(300, 3, seed=5)
    vectors.save(str(tmp_path / "own.kv"))
    vectors.save_word2vec_format(tmp_path / "text.gz")
    vectors.save_word2vec_format(tmp_path / "binary", binary=True)
    compress(tmp_path / "binary")
    for name in ("own.kv", "text.gz", "binary"):
        handle = Embeddings(tmp_path / name)
        assert handle.words(250) == vectors.index_to_key[:250]
        assert handle.words(20) == vectors.index_to_key[:20]


def test_first_words_come_once_and_without_what_is_no_text(tmp_path):
    path = write(
        tmp_path / "odd.txt", b"\xef\xbb\xbfa 1 2\n\xff 1 2\n\na 3 4\nnew york 5 6\nb 7 8\n"
    )
    handle = Embeddings(path)
    assert handle.words(2) == ["a", "new york"]
    assert handle.words(9) == ["a", "new york", "b"]
    assert handle.words(2) == ["a", "new york"]
    with pytest.raises(ValueError, match="n must be 0 or more; got -1"):
        handle.words(-1)
    latin = Embeddings(
        write(tmp_path / "latin.txt", "é 1 2\n".encode("latin-1")), encoding="latin-1"
    )
    assert latin.words(1) == ["é"]


def test_keys_that_are_no_words_are_no_first_words():
    vectors = KeyedVectors(2)
    vectors.add_vectors([0, "a", 1], np.eye(3, 2))
    assert Embeddings(vectors).words(3) == Embeddings(vectors).words(1) == ["a"]


def test_trouble_before_the_last_of_the_first_words_is_told(tmp_path, fasttext_file):
    lines = "".join(f"w{i} 1 2\n" for i in range(200)) + "broken 1\n"
    text = write(tmp_path / "text", lines)
    assert len(Embeddings(text).words(200)) == 200
    with pytest.raises(ValueError, match="text, line 201: expected a word and 2 numbers, got 1"):
        Embeddings(text).words(201)
    binary = write(tmp_path / "binary", binary_rows({"a": [1, 2], "b": [3, 4]})[:-1])
    assert Embeddings(binary).words(1) == ["a"]
    with pytest.raises(ValueError, match=r"binary is truncated .* of row 2 of 2"):
        Embeddings(binary).words(2)
    cut = write(tmp_path / "cut.bin", fasttext_file.read_bytes()[:150])
    with pytest.raises(ValueError, match=r"cut\.bin is truncated .* of fastText's dictionary"):
        Embeddings(cut).words(1000)
    packed = compress(write(tmp_path / "packed", lines.removesuffix("broken 1\n") * 99))
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(ValueError, match="packed: the gzip stream is damaged or truncated"):
        Embeddings(packed).words(10**6)
