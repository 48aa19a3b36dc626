"""Files of vectors as text: clean and unclean ones, in blocks of any size, and their errors."""

from pathlib import Path

import numpy as np
import pytest
from gensim.test.utils import datapath

from sktextcnn import Embeddings
from tests.vector_files import (
    GLOVE,
    NY,
    OF,
    ROWS,
    THE,
    assert_bits,
    binary_rows,
    compress,
    text_rows,
    write,
)


@pytest.mark.parametrize(
    "content",
    [
        text_rows(ROWS),
        "3 3\n" + text_rows(ROWS),
        text_rows(ROWS, end="\r\n"),
        "3 3\r\n" + text_rows(ROWS, end="\r\n"),
        "\ufeff" + text_rows(ROWS),
        "\ufeff3 3\n" + text_rows(ROWS),
        "\ufeff3 3\r\n" + text_rows(ROWS, end="\r\n"),
        text_rows(ROWS, separator="\t"),
        "3\t3\n" + text_rows(ROWS, separator="\t"),
        text_rows(ROWS, end=" \n"),
        text_rows(ROWS, end=" \t \r\n"),
        text_rows(ROWS, separator="  "),
        text_rows(ROWS).rstrip("\n"),
        text_rows(ROWS) + "\n",
        text_rows(ROWS) + "   \n\r\n\n",
        text_rows(ROWS, end="\n\n"),
        "3 3 \n" + text_rows(ROWS),
    ],
    ids=[
        "glove",
        "header",
        "crlf",
        "header crlf",
        "byte order mark",
        "byte order mark before header",
        "byte order mark header crlf",
        "tabs",
        "header tabs",
        "trailing space",
        "trailing blanks crlf",
        "two spaces",
        "no newline at the end",
        "blank last line",
        "blank last lines",
        "blank lines between",
        "header with trailing space",
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_unclean_text_is_read(content, packed, tmp_path):
    path = write(tmp_path / "vectors.txt", content)
    if packed:
        compress(path)
    words = ["New York", "of", "the", "New", "York"]
    assert_bits(Embeddings(path).lookup(words), words, ROWS)


@pytest.mark.parametrize("header", ["", "6 3\n"], ids=["glove", "header"])
def test_words_with_spaces_are_split_from_the_right_as_those_of_glove_840b(header, tmp_path):
    rows = {
        "the": THE,
        ". . .": NY,
        "at name@domain.com": OF,
        "1 1/2": THE,
        "a\xa0b": NY,
        "New York City": OF,
    }
    path = write(tmp_path / "glove.840B.txt", header + text_rows(rows))
    words = [*rows, ".", "at", "New", "1"]
    assert_bits(Embeddings(path).lookup(words), words, rows)


def test_a_first_row_whose_word_has_spaces_does_not_set_the_width(tmp_path):
    rows = {". . .": NY, "the": THE, "of": OF}
    path = write(tmp_path / "glove.txt", text_rows(rows))
    assert_bits(Embeddings(path).lookup(list(rows)), list(rows), rows)


@pytest.mark.parametrize("save", ["text", "glove", "binary"])
def test_the_first_of_rows_of_the_same_word_counts(save, tmp_path):
    rows = {"the": THE, "of": OF}
    again = {"the": NY, "and": NY}
    if save == "binary":
        content = binary_rows(rows, header=b"4 3\n") + binary_rows(again, header=b"\n")
    else:
        content = ("4 3\n" if save == "text" else "") + text_rows(rows) + text_rows(again)
    path = write(tmp_path / "vectors", content)
    words = ["and", "of", "the"]
    assert_bits(Embeddings(path).lookup(words), words, {**rows, "and": NY})


@pytest.mark.parametrize("word", ["2010", "1.5", "-3", "1e5", "nan", "#", "<unk>", '"', "\\n"])
def test_words_that_look_like_numbers_or_marks_are_words(word, tmp_path):
    rows = {word: THE, "of": OF, "and": NY}
    for name, header in (("glove.txt", ""), ("word2vec.txt", "3 3\n")):
        path = write(tmp_path / name, header + text_rows(rows))
        assert_bits(Embeddings(path).lookup(list(rows)), list(rows), rows)


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_words_that_are_no_utf_8_do_no_harm_to_the_others(binary, tmp_path):
    broken = "привет".encode()[:-1]
    if binary:
        content = binary_rows({"the": THE, broken: NY, "of": OF})
    else:
        content = b"3 3\nthe 0.5 -0.25 1.0\n" + broken + b" 1 2 3\nof 0.125 2.0 -8.0\n"
    path = write(tmp_path / "vectors", content)
    words = ["of", "the", "привет", "приве"]
    assert_bits(Embeddings(path).lookup(words), words, ROWS)


def test_text_that_gensim_ships_with_words_cut_within_a_letter_is_read():
    path = datapath("w2v_keyedvectors_load_test.modeldata")
    assert Embeddings(path).lookup(["ありがとう", "どういたしまして"]) == {}


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_encoding_says_how_the_file_writes_its_words(binary, tmp_path):
    cafe = "café".encode("latin-1")
    if binary:
        content = binary_rows({"the": THE, cafe: NY})
    else:
        content = b"the 0.5 -0.25 1.0\n" + cafe + b" 3.0 0.75 0.0625\n"
    path = write(tmp_path / "vectors", content)
    words = ["café", "the", "кафе", "\ud800"]
    rows = Embeddings(path, encoding="latin-1").lookup(words)
    assert_bits(rows, words, {"the": THE, "café": NY})
    assert_bits(Embeddings(path).lookup(words), words, {"the": THE})


def test_numbers_in_any_notation_are_read_as_numpy_reads_them(tmp_path):
    written = ["1e-3", "+.5", "-0", "1E+2", "0.1000000014901161", "3.4028235e38", "1e-50"]
    numbers = {f"w{i}": number for i, number in enumerate(written)}
    rows = "".join(f"{word} {number}\n" for word, number in numbers.items())
    path = write(tmp_path / "vectors.txt", f"{len(written)} 1\n{rows}")
    expected = {word: np.array([float(n)]).astype(np.float32) for word, n in numbers.items()}
    assert_bits(Embeddings(path).lookup(list(numbers)), list(numbers), expected)


def test_more_rows_than_the_header_says_are_read_as_well(tmp_path):
    path = write(tmp_path / "vectors.txt", "1 3\n" + text_rows(ROWS))
    assert_bits(Embeddings(path).lookup(list(ROWS)), list(ROWS), ROWS)


def test_rows_of_words_that_are_not_asked_for_are_not_parsed(tmp_path):
    text = write(tmp_path / "text", text_rows(ROWS) + "a 1 x 2\nb nan inf 1\n")
    binary = write(tmp_path / "binary", binary_rows({**ROWS, "b": [np.nan] * 3}))
    for path in (text, binary):
        assert_bits(Embeddings(path).lookup(["the"]), ["the"], ROWS)


@pytest.mark.parametrize("header", ["", "3 3\n"], ids=["glove", "header"])
def test_a_word_that_is_a_control_character_does_not_make_text_binary(header, tmp_path):
    path = write(tmp_path / "vectors.txt", header + text_rows({"the": THE, "\x10": NY, "of": OF}))
    assert_bits(Embeddings(path).lookup(["the", "of"]), ["the", "of"], ROWS)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("in 1 2", "expected a word and 3 numbers, got 2 numbers after 'in'"),
        ("in", "expected a word and 3 numbers, got 0 numbers after 'in'"),
        ("in 1 2 3 4", "expected a word and 3 numbers, got 4 numbers after 'in'"),
        ("in 1 2 3 4 5 6", "expected a word and 3 numbers, got 6 numbers after 'in'"),
        ("in 1 x 3", "expected 3 numbers for 'in', but 'x' is not a number"),
        ("in 1 2,5 3", "expected 3 numbers for 'in', but '2,5' is not a number"),
        ("in 1  3", "expected .*3 numbers .*'in'.* got 2"),
        ("in nan 2 3", "the vector of 'in' has the value nan; expected finite numbers"),
        ("in 1 inf 3", "the vector of 'in' has the value inf; expected finite numbers"),
        ("in 1 2 -inf", "the vector of 'in' has the value -inf; expected finite numbers"),
    ],
)
@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("header", ["", "4 3\n"], ids=["glove", "header"])
def test_a_broken_row_is_named_by_file_line_and_word(row, expected, place, header, tmp_path):
    rows = row + "\n" + GLOVE if place == "first" else GLOVE + row + "\n"
    line = (1 if place == "first" else 4) + bool(header)
    path = write(tmp_path / "vectors.txt", header + rows)
    with pytest.raises(ValueError, match=rf"vectors\.txt, line {line}: {expected}"):
        Embeddings(path).lookup(["the", "in"])


def test_a_number_beyond_float32_is_refused_as_not_finite(tmp_path):
    path = write(tmp_path / "vectors.txt", GLOVE + "in 1 1e39 3\n")
    with pytest.raises(ValueError, match=r"vectors\.txt, line 4: the vector of 'in' .*finite"):
        Embeddings(path).lookup(["in"])


def test_the_line_of_a_broken_row_counts_blank_lines_too(tmp_path):
    path = write(tmp_path / "vectors.txt", GLOVE + "\n\nin 1 2 x\n")
    with pytest.raises(ValueError, match="line 6: expected 3 numbers for 'in'"):
        Embeddings(path).lookup(["in"])


def test_a_broken_row_far_down_a_compressed_file_is_named_by_its_line(tmp_path):
    rows = "".join(f"w{i} 1 2 3\n" for i in range(5000))
    path = compress(write(tmp_path / "vectors.txt.gz", rows + "in 1 2\n"))
    with pytest.raises(ValueError, match=r"vectors\.txt\.gz, line 5001: .*got 2 numbers"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    ("content", "says", "there"),
    [
        ("4 3\n" + GLOVE, "4", "3"),
        ("2000000 3\n" + GLOVE + "\n", "2,000,000", "3"),
        ("4 3\n" + GLOVE.rstrip("\n"), "4", "3"),
        (Path(datapath("pretrained.vec")).read_bytes(), "3", "1"),
    ],
    ids=["one less", "many less", "no newline", "gensim's pretrained.vec"],
)
def test_complete_rows_are_read_though_the_header_counts_more(content, says, there, tmp_path):
    path = write(tmp_path / "vectors.txt", content)
    match = rf"vectors\.txt: its header says {says} rows, but there are {there}, .* are used"
    with pytest.warns(UserWarning, match=match):
        Embeddings(path).lookup(["the"])
    assert Embeddings(path).words(1)
    # Once for a file: what was read is remembered.
    Embeddings(path).lookup(["the", "of"])


@pytest.mark.parametrize("header", ["", "9 3\n"], ids=["glove", "header"])
@pytest.mark.parametrize("cut", ["in", "in 1", "in 1 2"])
def test_a_file_whose_last_row_is_cut_off_is_truncated(cut, header, tmp_path):
    path = write(tmp_path / "vectors.txt", header + GLOVE + cut)
    match = rf"line {4 + bool(header)}: expected .* after 'in'\. The file is truncated. Download"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    "word", [" ", "  ", "\t", "\r", "\x0b", "\xa0", "\u3000", "\u2028", "\x85", "\x1e"]
)
@pytest.mark.parametrize("separator", [" ", "\t"], ids=["space", "tab"])
@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"], ids=["newline", "space", "crlf"])
@pytest.mark.parametrize("header", ["", "4 3\n"], ids=["glove", "header"])
def test_a_word_may_be_a_blank_as_a_character_is(word, separator, end, header, tmp_path):
    rows = {"a": THE, "b": OF, "c": NY, word: [1.5, 2.5, -3.5]}
    for order in (list(rows), [word, "a", "b", "c"]):
        text = text_rows({each: rows[each] for each in order}, separator, end)
        path = write(tmp_path / f"{order.index(word)}.txt", header + text)
        assert_bits(Embeddings(path).lookup(order), order, rows)
        assert Embeddings(path).words(9) == order


@pytest.mark.parametrize(
    "word",
    ["New York", "windows 10", "web 2.0", "a\u2028b c", "7 up", ". . 5", "x\x85y", "1 800 55"],
)
@pytest.mark.parametrize("header", ["", "4 4\n"], ids=["glove", "header"])
def test_a_word_with_spaces_may_end_with_a_number(word, header, tmp_path):
    rng = np.random.default_rng(0)
    rows = {each: rng.normal(size=4).round(6) for each in ("a", "b", "c", word)}
    path = write(tmp_path / "vectors.txt", header + text_rows(rows))
    assert_bits(Embeddings(path).lookup(list(rows)), list(rows), rows)


def test_all_words_of_a_file_of_phrases_may_have_spaces(tmp_path):
    rows = {"New York": THE, "Los Angeles": OF, "San Marino": NY, "Rio": THE}
    path = write(tmp_path / "phrases.txt", text_rows(rows))
    assert_bits(Embeddings(path).lookup(list(rows)), list(rows), rows)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "the,0.1,0.2\nof,0.3,0.4\n",
            r"line 1: .*read a table with commas .*by pandas, .*DataFrame",
        ),
        (
            "the, 0.1, 0.2\nof, 0.3, 0.4\n",
            r"line 1: .*'0.1,' is not .*with commas or semicolons by pandas",
        ),
        ("word,x,y\nthe,0.1,0.2\n", r"line 1: .*read a table with commas"),
        ("the;0.1;0.2\nof;0.3;0.4\n", r"line 1: .*read a table with commas or semicolons"),
        ("the 0,1 0,2\nof 0,3 0,4\n", r"line 1: .*'0,1' is not a number\. Write decimals with a p"),
        ("the [0.1 0.2]\nof [0.3 0.4]\n", r"line 1: .*'\[0.1' is not a number"),
    ],
)
def test_other_ways_to_write_rows_are_refused_with_what_to_do(content, expected, tmp_path):
    path = write(tmp_path / "vectors.csv", content)
    with pytest.raises(ValueError, match=r"vectors\.csv, " + expected):
        Embeddings(path).lookup(["the"])


def test_a_header_with_no_rows_behind_it_is_refused_as_cut_off(tmp_path):
    path = write(tmp_path / "vectors.txt", "400000 300\n")
    with pytest.raises(ValueError, match=r"vectors\.txt is truncated"):
        Embeddings(path).lookup(["the"])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("3 0", "line 1: expected a word and its numbers, or a header with the number of rows"),
        ("3 99999999999", "line 1: expected a word and its numbers, or a header"),
        ("3 4", "line 2: expected a word and 4 numbers, got 3"),
        ("3 2", "line 2: expected a word and 2 numbers, got 3"),
        ("-3 3", "line 1: expected a word and 3 numbers, got 1"),
        ("3 3.0", "line 1: expected a word and 3 numbers, got 1"),
        ("3", "line 1: expected a word and 3 numbers, got 0"),
        ("3 3 3", "line 1: expected a word and 3 numbers, got 2"),
    ],
)
def test_an_invalid_header_is_named_by_its_line(header, expected, tmp_path):
    path = write(tmp_path / "vectors.txt", header + "\n" + GLOVE)
    with pytest.raises(ValueError, match=rf"vectors\.txt.*{expected}"):
        Embeddings(path).lookup(["the"])
