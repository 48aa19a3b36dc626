"""A file is passed over once; its index finds all other words."""

import pytest
from gensim.models.fasttext import load_facebook_vectors

from sktextcnn._vectors import formats, records, text_format, word2vec_format
from tests.vector_files import (
    NY,
    OF,
    STREAMED,
    THE,
    UNKNOWN,
    assert_bits,
    binary_rows,
    compress,
    random_vectors,
    text_rows,
    write,
)


@pytest.fixture
def one_pass(monkeypatch):
    """Fails what passes over a file more than once."""
    detect_format = formats._detect_format
    passed = set()

    def once(file, path):
        assert path not in passed
        passed.add(path)
        return detect_format(file, path)

    monkeypatch.setattr(formats, "_detect_format", once)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("save", STREAMED)
@pytest.mark.usefixtures("one_pass")
def test_all_words_of_a_file_are_found_in_one_pass(save, packed, tmp_path):
    vectors = random_vectors(n_words=400, size=4, seed=11)
    path = str(tmp_path / "vectors")
    save(vectors, path)
    if packed:
        compress(tmp_path / "vectors")
    words, reader = [*vectors.index_to_key, "nosuchword", "\ud800"], None
    for part in (words[:1], words[1:50], words[50:], words, [], ["nosuchword"], ["\ud800"]):
        size, rows, reader = formats.read_vectors(path, part, reader=reader)
        assert size == 4
        assert_bits(rows, part, vectors)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.usefixtures("one_pass")
def test_all_words_and_subwords_of_a_fasttext_file_are_found_in_one_pass(
    packed, fasttext_file, tmp_path
):
    truth = load_facebook_vectors(str(fasttext_file))
    path = write(tmp_path / "model.bin", fasttext_file.read_bytes())
    if packed:
        compress(path)
    words, reader = [*truth.index_to_key, *UNKNOWN], None
    for part in (words[:1], words[1:8], words[8:], words, []):
        _, rows, reader = formats.read_vectors(str(path), part, reader=reader)
        assert_bits(rows, part, {word: truth.get_vector(word) for word in part})


@pytest.mark.parametrize("save", STREAMED)
def test_words_whose_hashes_are_the_same_are_told_apart(save, tmp_path, monkeypatch):
    for module in (records, text_format, word2vec_format):
        monkeypatch.setattr(module, "hash", lambda word: len(word) % 2, raising=False)
    vectors = random_vectors(n_words=200, size=4, seed=12)
    path = str(tmp_path / "vectors")
    save(vectors, path)
    words = vectors.index_to_key
    reader = formats.read_vectors(path, ["nosuchword"]).reader
    for part in (words[:1], words[1:50], [*words, "nosuchword"], ["nosuchword"]):
        assert_bits(formats.read_vectors(path, part, reader=reader).vectors, part, vectors)


@pytest.mark.parametrize("save", ["text", "binary"])
def test_a_reader_takes_the_first_of_rows_of_the_same_word(save, tmp_path):
    first, second = {"the": THE, "of": OF}, {"the": NY, "and": NY}
    if save == "binary":
        content = binary_rows(first, header=b"4 3\n") + binary_rows(second, header=b"\n")
    else:
        content = text_rows(first) + "\n" + text_rows(second)
    path = str(write(tmp_path / "vectors", content))
    reader = formats.read_vectors(path, ["of"]).reader
    words = ["and", "of", "the"]
    rows = formats.read_vectors(path, words, reader=reader).vectors
    assert {word: rows[word].tolist() for word in words} == {"and": NY, "of": OF, "the": THE}
