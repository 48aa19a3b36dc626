"""Text read in blocks has the rows and the errors of text read line by line."""

from contextlib import nullcontext

import numpy as np
import pytest

from sktextcnn import Embeddings
from sktextcnn._vectors import formats, records, text_format
from tests.vector_files import assert_bits, compress, naive_text, write


def many_rows(n_rows=300, seed=0):
    """The text of many rows of three numbers, of words of which some come again."""
    rng = np.random.default_rng(seed)
    words = [f"{'wéя'[i % 3]}{i}" for i in rng.integers(n_rows, size=n_rows)]
    values = rng.normal(size=(n_rows, 3))
    return "".join(
        f"{word} {' '.join(map(repr, row.tolist()))}\n"
        for word, row in zip(words, values, strict=True)
    )


def some_lines(text, change, every=17):
    """The text with every so manieth line changed."""
    lines = text.splitlines(keepends=True)
    return "".join(change(line) if i % every == every - 1 else line for i, line in enumerate(lines))


MANY = many_rows()
SPACED = MANY.replace("\n", " \n")
MESSY = {
    "clean": MANY,
    "header": "300 3\n" + MANY,
    "byte order mark": "\ufeff" + MANY,
    "byte order mark before header": "\ufeff300 3\n" + MANY,
    "crlf": MANY.replace("\n", "\r\n"),
    "header crlf": "300 3\r\n" + MANY.replace("\n", "\r\n"),
    "trailing space": SPACED,
    "header trailing space": "300 3\n" + SPACED,
    "tabs": MANY.replace(" ", "\t"),
    "two spaces": MANY.replace(" ", "  "),
    "no newline at the end": MANY.rstrip("\n"),
    "blank lines between": MANY.replace("\n", "\n\n"),
    "blank lines at the end": MANY + "\n \n\r\n",
    "some crlf": some_lines(MANY, lambda line: line.replace("\n", "\r\n")),
    "some trailing space": some_lines(MANY, lambda line: line.replace("\n", " \n")),
    "some trailing spaces": some_lines(MANY, lambda line: line.replace("\n", "  \n")),
    "some without trailing space": some_lines(SPACED, lambda line: line.rstrip() + "\n"),
    "some tabs": some_lines(MANY, lambda line: line.replace(" ", "\t")),
    "some blank lines": some_lines(MANY, lambda line: line + "\n"),
    "some words with spaces": some_lines(MANY, lambda line: "at the " + line),
    "some words with spaces, trailing space": some_lines(SPACED, lambda line: "at " + line),
    "some words with spaces, without trailing space": some_lines(
        SPACED, lambda line: "at " + line.rstrip() + "\n"
    ),
    "some words with control characters": some_lines(MANY, lambda line: "\x10\0" + line),
    "some words with other blanks": some_lines(MANY, lambda line: "a\xa0b\u2003" + line),
    "some in other notation": some_lines(MANY, lambda line: f"{line.split()[0]} 1_0 +.5 -1E-3\n"),
}


@pytest.fixture(params=[7, 500, records.CHUNK])
def small_chunks(request, monkeypatch):
    """Blocks that begin at the third line, of one line or more."""
    monkeypatch.setattr(records, "CHUNK", request.param)
    monkeypatch.setattr(text_format, "_SAMPLE", 1)


@pytest.mark.parametrize(
    ("small_chunks", "packed"),
    [(7, False), (500, False), (records.CHUNK, False), (500, True)],
    indirect=["small_chunks"],
)
@pytest.mark.parametrize("kind", MESSY)
def test_text_in_blocks_of_any_size_is_read_as_line_by_line(kind, small_chunks, packed, tmp_path):
    path = write(tmp_path / "vectors.txt", MESSY[kind])
    truth = naive_text(path.read_bytes())
    assert len(truth) > 150
    if packed:
        compress(path)
    words = list(truth)
    assert_bits(Embeddings(path).lookup(words), words, truth)
    rows = formats.read_vectors(str(path), words[::2])
    assert_bits(rows.vectors, words[::2], truth)
    # What is left is found without another pass.
    assert_bits(formats.read_vectors(str(path), words, reader=rows.reader).vectors, words, truth)


BROKEN_WIDTHS = {
    "in 1 2": "expected a word and 3 numbers, got 2 numbers after 'in'",
    "in 1 2 ": "expected a word and 3 numbers, got 2 numbers after 'in'",
    "in 1 2 3 4": "expected a word and 3 numbers, got 4 numbers after 'in'",
    "in 1 2 3 4\nof 1 2": "expected a word and 3 numbers, got 4 numbers after 'in'",
}


BROKEN_NUMBERS = {
    "in 1  3": "expected 3 numbers for 'in', got 2",
    "in 1 2 3,5": "expected 3 numbers for 'in', but '3,5' is not a number",
    "in 1 2 \xa03": "expected 3 numbers for 'in', but '3' is not a number",
    "in 1 2 \x1c3": "expected 3 numbers for 'in', but '3' is not a number",
    "in 1 2 0x3": "expected 3 numbers for 'in', but '0x3' is not a number",
    'in 1 2 "3"': "expected 3 numbers for 'in', but '\"3\"' is not a number",
    "in 1 2 3#4": "expected 3 numbers for 'in', but '3#4' is not a number",
    "in 1 nan 3": "the vector of 'in' has the value nan; expected finite numbers",
    "in 1 1e39 3": "the vector of 'in' has the value inf; expected finite numbers",
}


BROKEN = {**BROKEN_WIDTHS, **BROKEN_NUMBERS}


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"], ids=["newline", "crlf", "space"])
@pytest.mark.parametrize("row", BROKEN)
@pytest.mark.usefixtures("small_chunks")
def test_a_broken_row_far_down_is_named_by_line_and_word(row, end, tmp_path):
    content = (MANY + row + "\n" + MANY).replace("\n", end)
    path = write(tmp_path / "vectors.txt", content)
    match = rf"vectors\.txt, line 301: {BROKEN[row]}"
    with pytest.raises(ValueError, match=match):
        Embeddings(path).lookup(["in", "w3"])
    # The width of every row is checked, the numbers only of those that are wanted.
    with pytest.raises(ValueError, match=match) if row in BROKEN_WIDTHS else nullcontext():
        Embeddings(path).lookup(["w3"])


@pytest.mark.parametrize("row", BROKEN_NUMBERS)
@pytest.mark.usefixtures("small_chunks")
def test_a_row_whose_numbers_are_broken_is_named_whenever_its_word_is_asked_for(row, tmp_path):
    path = write(tmp_path / "vectors.txt", "600 3\n" + MANY + "\n" + row + "\n" + MANY)
    truth = naive_text(MANY.encode())
    for _ in range(2):
        assert_bits(Embeddings(path).lookup(list(truth)), list(truth), truth)
        with pytest.raises(ValueError, match=rf"vectors\.txt, line 303: {BROKEN_NUMBERS[row]}"):
            Embeddings(path).lookup(["in"])


@pytest.mark.usefixtures("small_chunks")
def test_the_first_row_has_to_be_of_numbers_whatever_blank_lines_are_before_it(tmp_path):
    path = write(tmp_path / "vectors.txt", "3 3\n" + "\n" * 9 + "this is no row\n" * 3)
    with pytest.raises(ValueError, match=r"line 11: expected 3 numbers for 'this', but 'is' is"):
        Embeddings(path).lookup(["the"])


def test_the_first_of_several_broken_rows_is_named(tmp_path):
    path = write(tmp_path / "vectors.txt", MANY + "in 1 x 3\n" + MANY + "of 1 2\n" + MANY)
    with pytest.raises(ValueError, match=r"line 301: expected 3 numbers for 'in', but 'x'"):
        Embeddings(path).lookup(["of", "in"])
    with pytest.raises(ValueError, match=r"line 602: expected a word and 3 numbers, got 2"):
        Embeddings(path).lookup(["of"])


def outcome(path, words):
    """The bits of the rows, or the error."""
    try:
        return {
            word: row.tobytes()
            for word, row in formats.read_vectors(str(path), words).vectors.items()
        }
    except ValueError as error:
        return str(error)


def test_damaged_text_has_the_same_rows_or_error_in_blocks_as_line_by_line(tmp_path, monkeypatch):
    monkeypatch.setattr(text_format, "_SAMPLE", 5)
    monkeypatch.setattr(records, "CHUNK", 500)
    rng = np.random.default_rng(0)
    words = list(naive_text(MANY.encode()))
    outcomes = []
    for i in range(90):
        content = bytearray(MANY.replace("\n", ["\n", " \n", "\r\n"][i % 3]).encode())
        for place in rng.integers(len(content), size=3):
            content[place] = rng.choice(list(b" \t\n\r\v\f\x1c\0.0e-_x\xa0\x85"))
        path = write(tmp_path / "vectors.txt", bytes(content))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_format._TextScan, "read_uniform", lambda text, block: False)
            outcomes.append(outcome(path, words))
        assert outcome(path, words) == outcomes[-1]
    assert 5 <= sum(isinstance(found, str) for found in outcomes) <= 85
