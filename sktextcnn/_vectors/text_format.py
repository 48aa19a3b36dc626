"""Word vectors in text: GloVe, word2vec and fastText ``.vec``, with or without a header."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import BinaryIO, NamedTuple

import numpy as np

from sktextcnn._vectors import records as records
from sktextcnn._vectors.records import (
    LONGEST_WORD,
    WIDEST_VECTOR,
    Places,
    Rows,
    Wanted,
    finite,
    read_header,
    shown,
)

_SAMPLE = 100
_LONGEST_LINE = 1 << 22
# Blank lines beyond the number of rows; each takes as much memory as a row.
_MOST_BLANK = 1_000

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _TextStart(NamedTuple):
    """The first lines of a text, without its header."""

    lines: list[bytes]
    first_line: int  # The number of the first of them.
    n_rows: int  # What the header says, 0 without one.
    size: int


def _text_start(file: BinaryIO, path: str) -> _TextStart:
    first = _read_line(file, path, 1).removeprefix(BYTE_ORDER_MARK)
    lines = [first]
    while len(lines) <= _SAMPLE and (line := _read_line(file, path, len(lines) + 1)):
        lines.append(line)
    header = read_header(first)
    if header and (len(lines) > 1 or header[0]):
        n_rows, size = header
        del lines[0]
    else:
        header, n_rows, size = None, 0, _text_width(lines)
    if not 0 < size <= WIDEST_VECTOR:
        raise ValueError(
            f"{path}, line 1: expected a word and its numbers, or a header with the number "
            f"of rows and the width of the vectors; got {shown(first)}."
        )
    return _TextStart(lines, 2 if header else 1, n_rows, size)


def text_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    lines, number, _, size = _text_start(file, path)
    more = iter(lambda: _read_line(file, path, number), b"")
    for line in chain(lines, more):
        word, _ = _split_line(line, size, path, number)
        if word:
            yield word
        number += 1


def read_text(file: BinaryIO, path: str, wanted: Wanted) -> Rows:
    lines, first_line, n_rows, size = _text_start(file, path)
    start = file.tell() - sum(map(len, lines))
    text = _TextPass(path, size, wanted, start, first_line)
    text.read_lines(lines)
    while block := file.read(records.CHUNK):
        block += _read_line(file, path, text.next_line + block.count(b"\n"))
        if not text.read_uniform(block):
            text.read_lines(list(io.BytesIO(block)))
    if text.n_rows < n_rows:
        raise ValueError(
            f"{path} is cut off after line {text.next_line - 1}: its header says {n_rows:,} "
            f"rows, and there are {text.n_rows:,}. Fetch the file again."
        )
    return Rows(size, text.found, text.reader())


def _read_line(file: BinaryIO, path: str, number: int) -> bytes:
    line = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise ValueError(
            f"{path}, line {number}: expected a word and its numbers, but the line does not end "
            f"within {_LONGEST_LINE:,} bytes."
        )
    return line


class _TextPass:
    """A pass over the lines of a text: the rows found, and where every line lies."""

    def __init__(self, path: str, size: int, wanted: Wanted, start: int, first_line: int) -> None:
        self.path, self.size, self.wanted = path, size, wanted
        self.first_line = self.next_line = first_line
        self.n_rows = self.n_blank = 0  # Lines of either kind.
        self.found: dict[str, np.ndarray] = {}
        self.end = start
        self.hashes: list[np.ndarray] = []
        self.bounds = [np.array([start])]

    def reader(self) -> "_TextReader":
        places = Places(np.concatenate(self.hashes), np.concatenate(self.bounds))
        return _TextReader(self.size, self.first_line, places)

    def read_lines(self, lines: Sequence[bytes]) -> None:
        """Read lines of any kind, one by one."""
        words = []
        for number, line in enumerate(lines, start=self.next_line):
            word, values = _split_line(line, self.size, self.path, number)
            words.append(word)
            if not values:
                self.n_blank += 1
                if self.n_blank > _MOST_BLANK + self.n_rows:
                    raise ValueError(
                        f"{self.path}, line {number}: there are more blank lines than rows so far. "
                        f"The file is damaged."
                    )
                continue
            self.n_rows += 1
            if self.n_rows == 1:  # Other texts have lines too.
                _parsed(values, self.size, self.path, number, word)
            if word in self.wanted and self.wanted[word] not in self.found:
                row = _numbers(values, self.size, self.path, number, word)
                self.found[self.wanted[word]] = row
        self._note(words, np.fromiter(accumulate(map(len, lines)), dtype=np.int64))

    def read_uniform(self, block: bytes) -> bool:
        """Read lines that are all alike, some ten times as fast.

        Returns False, and has read nothing, where a line differs or a wanted row is broken;
        `read_lines` says what is wrong with it, if anything is.
        """
        blanks = _uniform_blanks(block, self.size) if self.n_rows else None
        if blanks is None:
            return False
        ends = blanks[:, -1] + 1
        starts = [0, *ends[:-1].tolist()]
        words = [block[i:j] for i, j in zip(starts, blanks[:, 0].tolist(), strict=True)]
        lines: dict[str, int] = {}
        for i, word in enumerate(words):
            if word in self.wanted:
                lines.setdefault(self.wanted[word], i)
        new = [word for word in lines if word not in self.found]
        if new:
            places = blanks[[lines[word] for word in new]][:, [0, self.size]].tolist()
            matrix = _matrix([block[i + 1 : j] for i, j in places])
            if matrix is None:
                return False
            self.found.update(zip(new, matrix, strict=True))
        self.n_rows += len(words)
        self._note(words, ends)
        return True

    def _note(self, words: list[bytes], ends: np.ndarray) -> None:
        """Note the words of lines, and where the lines end in what was read of the file."""
        self.next_line += len(words)
        self.hashes.append(np.fromiter(map(hash, words), dtype=np.int64, count=len(words)))
        self.bounds.append(self.end + ends)
        self.end = int(self.bounds[-1][-1]) if len(ends) else self.end


@dataclass(frozen=True)
class _TextReader:
    """Reads further words of a text whose lines have been passed over once."""

    size: int
    first_line: int
    places: Places

    def __call__(self, file: BinaryIO, path: str, wanted: Wanted) -> Rows:
        found: dict[str, np.ndarray] = {}
        for i, line in self.places.records(file, wanted):
            number = self.first_line + i
            word, values = _split_line(line, self.size, path, number)
            if values and word in wanted and wanted[word] not in found:
                found[wanted[word]] = _numbers(values, self.size, path, number, word)
        return Rows(self.size, found, self)


def _split_line(line: bytes, size: int, path: str, number: int) -> tuple[bytes, bytes]:
    """The word of a line, and its values; both are empty if the line is blank."""
    line = line.rstrip()
    if line.count(b" ") == size:
        word, _, values = line.partition(b" ")
        return word, values
    return _split_from_the_right(line, size, path, number) if line else (b"", b"")


def _uniform_blanks(block: bytes, size: int) -> np.ndarray | None:
    """Where the blanks of a block of lines are, if they are the same in each line.

    Each line has to be a word and `size` values with one space before each value, and the
    end of the block's last line: a newline, or that of Windows, or one after a space, as
    word2vec and fastText write.

    Returns
    -------
    ndarray of shape (n_lines, size + length of the end), or None
        The first column has the ends of the words, column `size` those of the vectors,
        and the last one those of the lines.
    """
    end = block[len(block.rstrip()) :]
    if end not in (b"\n", b"\r\n", b" \n") or len(block) > records.CHUNK + LONGEST_WORD:
        return None
    text = np.frombuffer(block, dtype=np.uint8)
    pattern = np.frombuffer(b" " * size + end, dtype=np.uint8)
    blanks = np.flatnonzero(text <= ord(" "))
    if len(blanks) % len(pattern):
        return None
    by_line = blanks.reshape(-1, len(pattern))
    is_uniform = (
        (text[by_line] == pattern).all()
        and (by_line[:, size] - by_line[:, size - 1] > 1).all()
        and (by_line[:, -1] - by_line[:, size] == len(end) - 1).all()
    )
    return by_line if is_uniform else None


def _matrix(rows: list[bytes]) -> np.ndarray | None:
    """The numbers of rows that have a space between each two, if they are finite all."""
    try:
        # The bits are those of float(), at twice its speed. Only beyond ASCII would NumPy
        # take something for a number that float() does not.
        matrix = np.loadtxt(
            rows, np.float32, comments=None, delimiter=" ", encoding="ascii", ndmin=2
        )
    except ValueError:
        return None
    return matrix if np.isfinite(matrix).all() else None


def _text_width(lines: list[bytes]) -> int:
    """Width of the vectors of a file without header: that of most of its first rows.

    Of most rows, since any single row may have spaces in its word, or be broken.
    """
    widths = Counter(len(line.split()) - 1 for line in lines if line.strip())
    return max(widths, key=lambda width: (widths[width], -width), default=0)


def _split_from_the_right(line: bytes, size: int, path: str, number: int) -> tuple[bytes, bytes]:
    fields = line.split()
    surplus = len(fields) - 1 - size
    # A number before the vector is one value too many, other things are a word with spaces.
    if surplus < 0 or (surplus > 0 and is_number(fields[surplus])):
        raise ValueError(
            f"{path}, line {number}: expected a word and {size} numbers, got "
            f"{len(fields) - 1} numbers after {shown(fields[0])}."
        )
    word = line if surplus < 0 else line.rsplit(None, size)[0]
    return word, b" ".join(fields[surplus + 1 :])


def _numbers(values: bytes, size: int, path: str, number: int, word: bytes) -> np.ndarray:
    return finite(_parsed(values, size, path, number, word), f"{path}, line {number}", word)


def _parsed(values: bytes, size: int, path: str, number: int, word: bytes) -> np.ndarray:
    fields = values.split()
    try:
        with np.errstate(over="ignore"):
            row = np.array([float(field) for field in fields], dtype=np.float32)
    except ValueError:
        culprit = next(field for field in fields if not is_number(field))
        raise ValueError(
            f"{path}, line {number}: expected {size} numbers for {shown(word)}, but "
            f"{shown(culprit)} is not a number."
        ) from None
    if len(row) != size:
        raise ValueError(
            f"{path}, line {number}: expected {size} numbers for {shown(word)}, got {len(row)}."
        )
    return row


def is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
