"""The text formats of GloVe, word2vec and fastText ``.vec``, with or without a header."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import BinaryIO, NamedTuple

import numpy as np

from sktextcnn._vectors import records as records
from sktextcnn._vectors.records import (
    DAMAGED,
    LONGEST_WORD,
    WIDEST_VECTOR,
    FoundVectors,
    RecordIndex,
    Wanted,
    check_finite,
    parse_header,
    quote,
    warn_of_missing_rows,
)

# Rows whose width decides that of a file without a header.
_SAMPLE = 100
_LONGEST_LINE = 1 << 22
# How many more blank lines than rows there may be; each takes as much memory as a row.
_MOST_BLANK = 1_000

OF_COMMAS = (
    "Fields are separated by blanks; read a table with commas or semicolons by pandas, and give "
    "the DataFrame: "
    "Embeddings(pandas.read_csv(path, sep=None, header=None, index_col=0, keep_default_na=False, "
    "quoting=3, engine='python'))."
)

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _FirstLines(NamedTuple):
    """The first lines of a file, without its header."""

    lines: list[bytes]
    first_line: int  # The number of the first of these lines.
    n_rows: int  # From the header; 0 without one.
    size: int  # The width of the vectors.


def _read_first_lines(file: BinaryIO, path: str) -> _FirstLines:
    first = _read_line(file, path, 1).removeprefix(BYTE_ORDER_MARK)
    lines = [first]
    while len(lines) <= _SAMPLE and (line := _read_line(file, path, len(lines) + 1)):
        lines.append(line)
    header = parse_header(first)
    if header and (len(lines) > 1 or header[0]):
        n_rows, size = header
        del lines[0]
    else:
        header, n_rows, size = None, 0, _most_common_width(lines)
    if not 0 < size <= WIDEST_VECTOR:
        raise ValueError(
            f"{path}, line 1: expected a word and its numbers, or a header with the number "
            f"of rows and the width of the vectors; got {quote(first)}."
            f"{' ' + OF_COMMAS if b',' in first or b';' in first else ''}"
        )
    return _FirstLines(lines, 2 if header else 1, n_rows, size)


def text_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    lines, number, _, size = _read_first_lines(file, path)
    more = iter(lambda: _read_line(file, path, number), b"")
    for line in chain(lines, more):
        word, _ = _split_line(line, size, path, number)
        if word:
            yield word
        number += 1


def read_text(file: BinaryIO, path: str, wanted: Wanted) -> FoundVectors:
    lines, first_line, n_rows, size = _read_first_lines(file, path)
    start = file.tell() - sum(map(len, lines))
    scan = _TextScan(path, size, wanted, start, first_line)
    scan.read_lines(lines)
    while block := file.read(records.CHUNK):
        block += _read_line(file, path, scan.next_line + block.count(b"\n"))
        if not scan.read_uniform(block):
            scan.read_lines(list(io.BytesIO(block)))
    if not scan.n_rows:
        raise ValueError(
            f"{path} is truncated after line {scan.next_line - 1}: its header says {n_rows:,} "
            f"rows, but there are none. Download the file again."
        )
    if scan.n_rows < n_rows:
        # Some files that are complete count one row too many.
        warn_of_missing_rows(path, n_rows, scan.n_rows)
    return FoundVectors(size, scan.found, scan.reader())


def _read_line(file: BinaryIO, path: str, number: int) -> bytes:
    line = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise ValueError(
            f"{path}, line {number}: expected a word and its numbers, but the line does not end "
            f"within {_LONGEST_LINE:,} bytes."
        )
    return line


class _TextScan:
    """One pass over the lines of a file: collects the wanted rows and indexes all lines."""

    def __init__(self, path: str, size: int, wanted: Wanted, start: int, first_line: int) -> None:
        self.path, self.size, self.wanted = path, size, wanted
        self.first_line = self.next_line = first_line
        self.n_rows = self.n_blank = 0  # Lines with a row, and lines without one.
        self.found: dict[str, np.ndarray] = {}
        self.end = start
        self.hashes: list[np.ndarray] = []
        self.bounds = [np.array([start])]

    def reader(self) -> "_IndexedTextReader":
        index = RecordIndex(np.concatenate(self.hashes), np.concatenate(self.bounds))
        return _IndexedTextReader(self.size, self.first_line, index)

    def read_lines(self, lines: Sequence[bytes]) -> None:
        """Read lines one by one; they may differ in their whitespace."""
        words: list[bytes | None] = []
        rename = self.wanted.rename
        for number, line in enumerate(lines, start=self.next_line):
            word, values = _split_line(line, self.size, self.path, number)
            ours = word if rename is None else rename(word)
            words.append(ours)
            if not values:
                self.n_blank += 1
                if self.n_blank > _MOST_BLANK + self.n_rows:
                    raise ValueError(
                        f"{self.path}, line {number}: there are more blank lines than rows so far. "
                        f"{DAMAGED}"
                    )
                continue
            self.n_rows += 1
            if self.n_rows == 1:  # Files that are not vectors have lines too.
                _parse_row(values, self.size, self.path, number, word)
            if ours in self.wanted and self.wanted[ours] not in self.found:
                row = _parse_finite_row(values, self.size, self.path, number, word)
                self.found[self.wanted[ours]] = row
        self._index(words, np.fromiter(accumulate(map(len, lines)), dtype=np.int64))

    def read_uniform(self, block: bytes) -> bool:
        """Read lines whose whitespace is the same in each, about ten times as fast.

        Returns False, without having read any, if a line differs or a wanted row is broken.
        `read_lines` then reads the block, and raises the error if there is one.
        """
        blanks = _uniform_whitespace(block, self.size) if self.n_rows else None
        if blanks is None:
            return False
        ends = blanks[:, -1] + 1
        starts = [0, *ends[:-1].tolist()]
        of_file = [block[i:j] for i, j in zip(starts, blanks[:, 0].tolist(), strict=True)]
        rename = self.wanted.rename
        words = of_file if rename is None else list(map(rename, of_file))
        lines: dict[str, int] = {}
        for i, word in enumerate(words):
            if word in self.wanted:
                lines.setdefault(self.wanted[word], i)
        new = [word for word in lines if word not in self.found]
        if new:
            spans = blanks[[lines[word] for word in new]][:, [0, self.size]].tolist()
            matrix = _parse_uniform_rows([block[i + 1 : j] for i, j in spans])
            if matrix is None:
                return False
            self.found.update(zip(new, matrix, strict=True))
        self.n_rows += len(words)
        self._index(words, ends)
        return True

    def _index(self, words: Sequence[bytes | None], ends: np.ndarray) -> None:
        """Index lines by their words; `ends` counts from the end of the lines before."""
        self.next_line += len(words)
        self.hashes.append(np.fromiter(map(hash, words), dtype=np.int64, count=len(words)))
        self.bounds.append(self.end + ends)
        self.end = int(self.bounds[-1][-1]) if len(ends) else self.end


@dataclass(frozen=True)
class _IndexedTextReader:
    """Reads words of a text file by its index."""

    size: int
    first_line: int
    index: RecordIndex

    def __call__(self, file: BinaryIO, path: str, wanted: Wanted) -> FoundVectors:
        found: dict[str, np.ndarray] = {}
        for i, line in self.index.read(file, wanted):
            number = self.first_line + i
            word, values = _split_line(line, self.size, path, number)
            ours = word if wanted.rename is None else wanted.rename(word)
            if values and ours in wanted and wanted[ours] not in found:
                found[wanted[ours]] = _parse_finite_row(values, self.size, path, number, word)
        return FoundVectors(self.size, found, self)


def _split_line(line: bytes, size: int, path: str, number: int) -> tuple[bytes, bytes]:
    """Return the word of a line and its values; both are empty if the line is blank."""
    is_whole = line.endswith(b"\n")
    line = line.rstrip()
    if line.count(b" ") == size:
        word, _, values = line.partition(b" ")
        return word, values
    return _split_from_the_right(line, size, path, number, is_whole) if line else (b"", b"")


def _uniform_whitespace(block: bytes, size: int) -> np.ndarray | None:
    """Return the positions of a block's whitespace, if each line has the same whitespace.

    Each line must consist of a word, `size` values with one space before each, and the line
    end of the block's last line: a newline, that of Windows, or a space and a newline, which
    word2vec and fastText write.

    Returns
    -------
    ndarray of shape (n_lines, size + length of the line end), or None
        The first column has the ends of the words, column `size` the ends of the vectors,
        and the last column the ends of the lines.
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


def _parse_uniform_rows(rows: list[bytes]) -> np.ndarray | None:
    """Parse rows with one space between numbers; None if a number is not valid or not finite."""
    try:
        # The same bits as with float(), in half the time. Outside ASCII, NumPy accepts numbers
        # that float() does not.
        matrix = np.loadtxt(
            rows, np.float32, comments=None, delimiter=" ", encoding="ascii", ndmin=2
        )
    except ValueError:
        return None
    return matrix if np.isfinite(matrix).all() else None


def _most_common_width(lines: list[bytes]) -> int:
    """The width of most rows, since a single row may have a word with spaces, or be broken."""
    widths = Counter(_width(line.split()) for line in lines if line.strip())
    return max(widths, key=lambda width: (widths[width], -width), default=0)


def _width(fields: list[bytes]) -> int:
    """The number of numbers after the word, which may have spaces."""
    first = len(fields)
    while first > 1 and is_number(fields[first - 1]):
        first -= 1
    # What is nearly a number is not part of a word, but makes an error that names it.
    is_broken = first == len(fields) or is_number(fields[first - 1].strip(b",;:[](){}\"'"))
    return len(fields) - (1 if is_broken else first)


def _split_from_the_right(
    line: bytes, size: int, path: str, number: int, is_whole: bool
) -> tuple[bytes, bytes]:
    """Take the last `size` fields as the values, and all before them as the word."""
    fields = line.split()
    surplus = len(fields) - 1 - size
    values = b" ".join(fields[surplus + 1 :])
    if surplus == -1 and line[:1].isspace():
        return _blank_word(line, fields), values
    if surplus < 0 or (surplus > 0 and _is_value(fields[surplus], fields[surplus + 1 :])):
        # Only the last line has no end.
        is_cut = surplus < 0 and not is_whole
        raise ValueError(
            f"{path}, line {number}: expected a word and {size} numbers, got "
            f"{len(fields) - 1} numbers after {quote(fields[0])}."
            f"{' The file is truncated. Download it again.' if is_cut else ''}"
        )
    return line.rsplit(None, size)[0], values


def _blank_word(line: bytes, fields: list[bytes]) -> bytes:
    """Return the blanks before the values without the separator, as characters are words too."""
    blanks = line[: line.index(fields[0])]
    rest = line[len(blanks) + len(fields[0]) :]
    separator = rest[: len(rest) - len(rest.lstrip())] or blanks[-1:]
    return blanks.removesuffix(separator)


def _is_value(field: bytes, values: list[bytes]) -> bool:
    """Whether a field before the values is one more of them, and not the end of a word.

    A word may end with a number, as "windows 10" and "web 2.0" do, but such a number is shorter
    than the values are.
    """
    typical = sorted(map(len, values))[len(values) // 2]
    return is_number(field) and 2 * len(field) > typical


def _parse_finite_row(values: bytes, size: int, path: str, number: int, word: bytes) -> np.ndarray:
    return check_finite(
        _parse_row(values, size, path, number, word), f"{path}, line {number}", word
    )


def _parse_row(values: bytes, size: int, path: str, number: int, word: bytes) -> np.ndarray:
    fields = values.split()
    try:
        with np.errstate(over="ignore"):
            row = np.array([float(field) for field in fields], dtype=np.float32)
    except ValueError:
        culprit = next(field for field in fields if not is_number(field))
        raise ValueError(
            f"{path}, line {number}: expected {size} numbers for {quote(word)}, but "
            f"{quote(culprit)} is not a number.{_remedy(culprit)}"
        ) from None
    if len(row) != size:
        raise ValueError(
            f"{path}, line {number}: expected {size} numbers for {quote(word)}, got {len(row)}."
        )
    return row


def _remedy(field: bytes) -> str:
    if is_number(field.replace(b",", b".", 1)) and not field.endswith(b","):
        return " Write decimals with a point."
    if b"," in field:
        return " " + OF_COMMAS
    return ""


def is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
