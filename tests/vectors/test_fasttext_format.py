"""fastText's binary format: subwords, and errors."""

import struct

import numpy as np
import pytest
from gensim.models import FastText
from gensim.models.fasttext import load_facebook_vectors, save_facebook_model
from gensim.test.utils import datapath

from sktextcnn import Embeddings
from tests.vector_files import (
    ARGUMENTS,
    DICTIONARY,
    SENTENCES,
    UNKNOWN,
    assert_bits,
    compress,
    fasttext_with,
    matrix_start,
    write,
)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_fasttext_binary_that_gensim_writes_comes_back_with_subwords(
    packed, fasttext_model, fasttext_file, tmp_path
):
    path = write(tmp_path / "model.bin", fasttext_file.read_bytes())
    if packed:
        compress(path)
    words = [*fasttext_model.wv.index_to_key, *UNKNOWN]
    expected = {word: fasttext_model.wv.get_vector(word) for word in words}
    from_gensim = load_facebook_vectors(str(fasttext_file))
    rows = Embeddings(path).lookup(words)
    assert_bits(rows, words, {word: from_gensim.get_vector(word) for word in words})
    assert_bits(rows, words, expected)


def test_fasttext_without_subwords_gives_unknown_words_no_vector(tmp_path):
    model = FastText(SENTENCES, vector_size=6, min_count=1, max_n=0, epochs=1, workers=1, seed=1)
    path = tmp_path / "model.bin"
    save_facebook_model(model, str(path))
    words = [*model.wv.index_to_key, *UNKNOWN]
    assert_bits(Embeddings(path).lookup(words), words, {w: model.wv[w] for w in words[:-7]})


def test_a_word_too_short_for_any_subword_has_no_vector(tmp_path):
    model = FastText(SENTENCES, vector_size=6, min_count=1, min_n=5, bucket=40, epochs=1, workers=1)
    path = tmp_path / "model.bin"
    save_facebook_model(model, str(path))
    assert list(Embeddings(path).lookup(["q", "", "on", "quiver"])) == ["on", "quiver"]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("magic number", "fastText's arguments"),
        ("arguments", "fastText's arguments"),
        ("sizes of the dictionary", "fastText's dictionary"),
        ("first word", "entry 1 of 13 of fastText's dictionary"),
        ("count of the last word", "entry 13 of 13 of fastText's dictionary"),
        ("flag", "fastText's vectors"),
        ("sizes of the matrix", "fastText's vectors"),
        ("matrix", r"(53 vectors of 6 float32 numbers|vectors 1 to 53 of 53)"),
    ],
)
def test_a_truncated_fasttext_file_names_the_byte_and_what_was_expected(
    part, expected, packed, fasttext_file, tmp_path
):
    content = fasttext_file.read_bytes()
    start = matrix_start(content)
    length = {
        "magic number": 4,
        "arguments": ARGUMENTS - 3,
        "sizes of the dictionary": DICTIONARY - 1,
        "first word": DICTIONARY + 1,
        "count of the last word": start - 4,
        "flag": start,
        "sizes of the matrix": start + 5,
        "matrix": start + 17 + 4 * 6 * 53 - 1,
    }[part]
    path = write(tmp_path / "model.bin", content[:length])
    if packed:
        compress(path)
    match = rf"model\.bin is truncated at byte {length:,}: expected {expected}.*Download the"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the", "catlike"])


def test_a_quantized_fasttext_file_is_refused_with_the_remedy(fasttext_file, tmp_path):
    content = bytearray(fasttext_file.read_bytes())
    content[matrix_start(content)] = 1
    path = write(tmp_path / "model.ftz", bytes(content))
    with pytest.raises(ValueError, match=r"model\.ftz is a quantized .*expected the full .*\.bin"):
        Embeddings(path).lookup(["the"])


def test_a_supervised_fasttext_file_is_refused_with_the_remedy():
    path = datapath("pang_lee_polarity_fasttext.bin")
    with pytest.raises(ValueError, match=r"fasttext\.bin is a supervised .*'fasttext skipgram'"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("field", [0, 1])
def test_a_fasttext_matrix_of_another_shape_is_refused(field, fasttext_file, tmp_path):
    content = bytearray(fasttext_file.read_bytes())
    start = matrix_start(content) + 1
    struct.pack_into("<q", content, start + 8 * field, 7)
    path = write(tmp_path / "model.bin", bytes(content))
    shape = ["7 x 6", "53 x 7"][field]
    match = rf"model\.bin, byte {start}: expected a matrix of 53 x 6 vectors, got {shape}"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the"])


def test_a_fasttext_vector_that_is_not_finite_is_named_by_its_word(fasttext_file, tmp_path):
    content = bytearray(fasttext_file.read_bytes())
    struct.pack_into("<f", content, matrix_start(content) + 17, np.nan)
    path = write(tmp_path / "model.bin", bytes(content))
    first = load_facebook_vectors(str(fasttext_file)).index_to_key[0]
    with pytest.raises(ValueError, match=rf"model\.bin.*the vector of '{first}' has the value nan"):
        Embeddings(path).lookup([first])


@pytest.mark.parametrize("field", ["minn", "maxn"])
def test_a_negative_length_of_subwords_in_a_fasttext_file_is_refused(
    field, fasttext_file, tmp_path
):
    content = bytearray(fasttext_file.read_bytes())
    struct.pack_into("<i", content, 8 + 4 * (9 if field == "minn" else 10), -1)
    path = write(tmp_path / "model.bin", bytes(content))
    with pytest.raises(ValueError, match=r"model\.bin"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("size", 0, "vectors of 1 to 1,048,576 numbers, got 0"),
        ("size", -1, "vectors of 1 to 1,048,576 numbers, got -1"),
        ("size", 2**31 - 1, "vectors of 1 to 1,048,576 numbers, got 2147483647"),
        ("bucket", -5, "0 or more rows for subwords; got 13 words and -5 rows"),
        (
            "n_words",
            -1,
            "0 to 13 words among the 13 entries .* got -1 words and 40 rows",
        ),
        (
            "n_words",
            14,
            "0 to 13 words among the 13 entries .* got 14 words and 40 rows",
        ),
        ("maxn", 2**31 - 1, "subwords of 0 to 100 letters, got 3 to 2147483647"),
    ],
)
def test_numbers_of_a_fasttext_file_that_cannot_be_are_refused(
    field, value, message, packed, fasttext_file, tmp_path
):
    content = fasttext_with(fasttext_file.read_bytes(), field, value)
    path = write(tmp_path / "model.bin", content)
    if packed:
        compress(path)
    with pytest.raises(ValueError, match=rf"model\.bin: expected .*{message}\. The file is dam"):
        Embeddings(path).lookup(["the", "x" * 5_000])


def test_labels_of_a_fasttext_file_are_no_words(fasttext_file, tmp_path):
    names = load_facebook_vectors(str(fasttext_file)).index_to_key
    # Two words fewer, so the last two entries are what fastText has labels for.
    content = fasttext_with(fasttext_file.read_bytes(), "n_words", len(names) - 2)
    content = fasttext_with(content, "bucket", 0)
    path = write(tmp_path / "model.bin", content)
    assert list(Embeddings(path).lookup(names)) == names[:-2]


def test_what_is_too_long_for_a_word_has_no_subwords(fasttext_model, fasttext_file):
    words = ["a" * 4_096, "a" * 4_097]
    for source in (fasttext_file, fasttext_model):
        assert list(Embeddings(source).lookup(words)) == words[:1]
