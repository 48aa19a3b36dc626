"""Errors in word2vec's binary format."""

import numpy as np
import pytest
from gensim.models import KeyedVectors

from sktextcnn import Embeddings
from sktextcnn._vectors import formats, records
from tests.vector_files import OF, ROWS, THE, assert_bits, binary_rows, compress, write


@pytest.mark.parametrize("value", [0.3, 0.7])
@pytest.mark.parametrize("n_words", [1, 2])
def test_binary_rows_that_happen_to_hold_no_control_byte_are_binary_still(value, n_words, tmp_path):
    rows = {word: [value, value] for word in ("the", "of")[:n_words]}
    path = write(tmp_path / "vectors.bin", binary_rows(rows))
    truth = KeyedVectors.load_word2vec_format(str(path), binary=True)
    assert_bits(Embeddings(path).lookup(list(rows)), list(rows), truth)


BINARY = binary_rows({"the": THE, "of": OF})


# "2 3\n", "the ", 12 bytes, "of ", 12 bytes.
SECOND_WORD, SECOND_VECTOR, END = 20, 23, 35


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (END - 1, "3 float32 numbers of row 2 of 2"),
        (SECOND_VECTOR + 1, "3 float32 numbers of row 2 of 2"),
        (SECOND_VECTOR, "3 float32 numbers of row 2 of 2"),
        (SECOND_VECTOR - 1, "row 2 of 2"),
        (SECOND_WORD + 1, "row 2 of 2"),
        (SECOND_WORD - 1, "3 float32 numbers of row 1 of 2"),
    ],
)
def test_a_truncated_binary_file_names_the_byte_and_what_was_expected(
    length, expected, packed, tmp_path
):
    assert len(BINARY) == END
    path = write(tmp_path / "vectors.bin", BINARY[:length])
    if packed:
        compress(path)
    match = rf"vectors\.bin is truncated at byte {length}: expected {expected}\. Download the"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_binary_vector_that_is_not_finite_is_named_by_word_and_byte(value, tmp_path):
    path = write(tmp_path / "vectors.bin", binary_rows({"the": THE, "of": [1.0, value, 2.0]}))
    match = rf"vectors\.bin, byte {SECOND_VECTOR}: the vector of 'of' has the value {value}"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["of"])
    assert_bits(Embeddings(path).lookup(["the"]), ["the"], ROWS)


def test_a_binary_vector_that_is_not_finite_is_named_by_its_byte_to_a_reader_too(tmp_path):
    path = str(write(tmp_path / "vectors.bin", binary_rows({"the": THE, "of": [1.0, np.inf, 2.0]})))
    reader = formats.read_vectors(path, ["the"]).reader
    match = rf"vectors\.bin, byte {SECOND_VECTOR}: the vector of 'of' has the value inf"
    with pytest.raises(ValueError, match=match):
        formats.read_vectors(path, ["of"], reader=reader)


@pytest.mark.parametrize("size", ["0", "99999999999"])
def test_an_invalid_width_in_a_binary_header_is_refused(size, tmp_path):
    path = write(tmp_path / "vectors.bin", f"2 {size}\n".encode() + BINARY[4:])
    with pytest.raises(
        ValueError,
        match=rf"vectors\.bin, line 1: expected vectors of 1 to 1,048,576 numbers, got {size} in",
    ):
        Embeddings(path).lookup(["the"])


def test_a_binary_file_with_no_end_of_a_word_is_refused_without_reading_it_all(tmp_path):
    path = write(tmp_path / "vectors.bin", b"2 3\n" + b"\x01" * 200_000)
    with pytest.raises(ValueError, match=r"vectors\.bin, byte 4: expected a word, row 1 of 2"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize("chunk", [1, records.CHUNK])
@pytest.mark.parametrize("newline", [b"", b"\n"], ids=["gensim", "word2vec.c"])
@pytest.mark.parametrize("n_rows", [3, 10**12])
def test_complete_rows_are_read_though_the_header_counts_more(
    n_rows, newline, chunk, tmp_path, monkeypatch
):
    monkeypatch.setattr(records, "CHUNK", chunk)
    rows = {"the": THE, "of": OF}
    path = write(
        tmp_path / "vectors.bin", binary_rows(rows, newline, header=f"{n_rows} 3\n".encode())
    )
    with pytest.warns(UserWarning, match=rf"vectors\.bin: its header says {n_rows:,} rows.* are 2"):
        assert_bits(Embeddings(path).lookup(list(rows)), list(rows), rows)
    assert Embeddings(path).words(9) == list(rows)
