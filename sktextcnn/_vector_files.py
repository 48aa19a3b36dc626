"""Read the wanted rows of a file of word vectors, in one streaming pass.

Words are compared as bytes, so a file may hold words that are no valid text without harm
to the others. Every reader takes the words that are wanted, by their bytes in the file, and
returns the width of the vectors, the rows that it found, and a reader for more words of
the file. That one goes straight to their rows, since the pass noted where each row lies.
"""

import gzip
import io
import os
import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from typing import BinaryIO, NamedTuple

import numpy as np

# Small enough that what is computed of it stays in the processor's cache.
_CHUNK = 1 << 17
_SAMPLE = 100
_LONGEST_WORD = 1 << 16
_LONGEST_LINE = 1 << 22
# Blank lines beyond the number of rows; each takes as much memory as a row.
_MOST_BLANK = 1_000
_WIDEST_VECTOR = 1 << 20
# Of a word whose subwords make its vector, which are as many as its letters.
_LONGEST_SUBWORDED = 1 << 12
_LONGEST_SUBWORD = 100

# Vectors of real words become a few times larger when they are decompressed.
_LARGEST_GROWTH = 100
_ALWAYS_DECOMPRESSED = 1 << 22

_DAMAGED = "The file is damaged."

_GZIP = b"\x1f\x8b"
_GZIP_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
_PICKLE = b"\x80"
_FASTTEXT = struct.pack("<i", 793712314)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KNOWN_STRANGERS = {
    b"PK\x03\x04": "a zip archive; unzip it and give the file inside",
    b"\x89HDF": "an HDF5 file; export the vectors as word2vec or GloVe text",
    b"\x93NUMPY": "a bare NumPy array, which has no words",
    b"\xff\xfe": "UTF-16 text; convert it to UTF-8",
    b"\xfe\xff": "UTF-16 text; convert it to UTF-8",
    b"BZh": "compressed with bzip2; decompress it or use gzip",
    b"\xfd7zX": "compressed with xz; decompress it or use gzip",
}


class Rows(NamedTuple):
    """What was found: the width of the vectors, a float32 row for each word, and a reader."""

    vector_size: int
    of: dict[str, np.ndarray]
    reader: "Reader"


_Wanted = Mapping[bytes, str]
Reader = Callable[[BinaryIO, str, _Wanted], Rows]


def is_gensim_file(path: str) -> bool:
    """Tell whether a file was saved by gensim itself (``.kv``, ``.model``)."""
    with _open(path) as file:
        try:
            return file.read(1) == _PICKLE
        except _GZIP_ERRORS:
            return False  # read_rows says what is wrong with it.


def read_rows(
    path: str, words: Iterable[str], encoding: str = "utf-8", reader: Reader | None = None
) -> Rows:
    """Read the vectors of the wanted words.

    The format is recognised from the content: word2vec binary, fastText ``.bin``, and
    text with one word and its vector a line (GloVe, word2vec and fastText ``.vec``), with
    or without a header of two numbers; each of them may be compressed with gzip.

    Parameters
    ----------
    path : str
        The file.
    words : iterable of str
        The words whose rows are returned.
    encoding : str, default="utf-8"
        How the file encodes its words.
    reader : callable, optional
        The reader among the rows of an earlier call for the same file, which spares this
        call the pass over it.

    Returns
    -------
    Rows
        The width of the vectors, one float32 array of shape (vector_size,) for each word
        that was found, and a reader for other words. The first of rows of the same word
        counts.

    Raises
    ------
    ValueError
        If the file is none of these formats, is empty or truncated, or has a row of the
        wrong width or a value that is no finite number. Names the file, and the line or
        the offset in (decompressed) bytes.
    """
    wanted = {encoded: word for word in words if (encoded := _encode(word, encoding)) is not None}
    with _open(path) as file:
        try:
            return (reader or _reader_for(file, path))(file, path, wanted)
        except _GZIP_ERRORS as error:
            raise _broken_gzip(path, error) from error


def first_words(path: str, n: int, encoding: str = "utf-8") -> list[str]:
    """Return the first words of a file, each once; the most frequent ones in usual files.

    Parameters
    ----------
    path : str
        The file, of any format of :func:`read_rows`.
    n : int
        How many words. Those that are no valid text are passed over.
    encoding : str, default="utf-8"
        How the file encodes its words.

    Raises
    ------
    ValueError
        As :func:`read_rows`, if the trouble lies before the last of these words.
    """
    with _open(path) as file:
        try:
            words: dict[str, None] = {}
            encoded = iter(_WORDS_OF[_reader_for(file, path)](file, path))
            while len(words) < n and (next_word := next(encoded, None)) is not None:
                word = _decode(next_word, encoding)
                if word is not None:
                    words[word] = None
            return list(words)
        except _GZIP_ERRORS as error:
            raise _broken_gzip(path, error) from error


def _broken_gzip(path: str, error: Exception) -> ValueError:
    return ValueError(
        f"{path}: the gzip stream is damaged or cut off ({error}); fetch the file again."
    )


def _decode(word: bytes, encoding: str) -> str | None:
    try:
        text = word.decode(encoding)
    except UnicodeDecodeError:
        return None
    # Some encodings have two codes for a letter, of which words are looked up by one.
    return text if _encode(text, encoding) == word else None


def _encode(word: str, encoding: str) -> bytes | None:
    try:
        return word.encode(encoding)
    except UnicodeEncodeError:
        return None  # No file in this encoding can hold the word.


def is_compressed(path: str) -> bool:
    """Tell whether a file is compressed with gzip."""
    with open(path, "rb") as file:
        return file.read(2) == _GZIP


def _open(path: str) -> BinaryIO:
    return _GzipFile(path) if is_compressed(path) else open(path, "rb")  # type: ignore[return-value]


class _GzipFile(gzip.GzipFile):
    """A file that does not decompress to more than a multiple of its size."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "rb")
        self.path = path
        self.most = max(_ALWAYS_DECOMPRESSED, _LARGEST_GROWTH * os.path.getsize(path))

    def read(self, size: int | None = -1) -> bytes:
        return self._checked(super().read(size))

    def readline(self, size: int | None = -1) -> bytes:
        return self._checked(super().readline(size))

    def _checked(self, content: bytes) -> bytes:
        if self.tell() > self.most:
            raise ValueError(
                f"{self.path} decompresses to more than {_LARGEST_GROWTH} times its size, which "
                f"vectors of words do not. If you trust it, decompress it first."
            )
        return content


def _reader_for(file: BinaryIO, path: str) -> Reader:
    head = file.read(_LONGEST_WORD)
    file.seek(0)
    if not head.strip():
        raise ValueError(f"{path} is empty; expected a file of word vectors.")
    for magic, what in _KNOWN_STRANGERS.items():
        if head.startswith(magic):
            raise ValueError(f"{path} is {what}.")
    if head.removeprefix(_BYTE_ORDER_MARK).lstrip()[:4].lower() in (b"<!do", b"<htm"):
        raise ValueError(f"{path} is a web page, so the download of the vectors went wrong.")
    if head.startswith(_FASTTEXT) or _is_old_fasttext(head):
        return _read_fasttext
    line, _, rest = head.partition(b"\n")
    header = _header(line)
    first_row = (rest if header else head).partition(b"\n")[0].split()
    if len(first_row) > 1 and _is_number(first_row[-1]):
        return _read_text
    if header and (_has_control_bytes(rest) or _is_word2vec_binary(rest, *header)):
        return _read_word2vec_binary
    if _has_control_bytes(head):
        raise ValueError(
            f"{path}: this binary format is not known. Expected word2vec, fastText .bin, "
            f"gensim .kv/.model, or text with one word and its numbers a line."
        )
    return _read_text


def _has_control_bytes(sample: bytes) -> bool:
    # Float32 values hold them sooner or later, text hardly ever.
    return bool(set(sample[:8192]) & (set(range(32)) - set(b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f")))


def _is_word2vec_binary(rows: bytes, n_rows: int, size: int) -> bool:
    """Whether a file so small that it may lack control bytes has rows of that size."""
    end = 0
    for _ in range(n_rows):
        space = rows.find(b" ", end)
        if space < 0:
            return False
        end = space + 1 + 4 * size
        if end > len(rows):
            return False
    return end > 0 and not rows[end:].strip()


def _header(line: bytes) -> tuple[int, int] | None:
    """The number of rows and their width, if this first line says so."""
    fields = line.split()
    if len(fields) == 2 and all(field.isdigit() and len(field) < 19 for field in fields):
        return int(fields[0]), int(fields[1])
    return None


class _Places(NamedTuple):
    """Where the records of a file lie, in 16 bytes a record, however long its word.

    Records lie one behind the other, record i from ``bounds[i]`` to ``bounds[i + 1]``.
    """

    hashes: np.ndarray  # Of their words, shape (n_records,), int64.
    bounds: np.ndarray  # Shape (n_records + 1,), int64.

    @classmethod
    def of(cls, hashes: array, bounds: array) -> "_Places":
        return cls(np.frombuffer(hashes, dtype=np.int64), np.frombuffer(bounds, dtype=np.int64))

    def records(self, file: BinaryIO, words: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """The records of these words by their indices, and maybe a few of other words.

        A file compressed with gzip is decompressed again, up to the last of them.
        """
        wanted = np.sort(np.array([hash(word) for word in words], dtype=np.int64))
        if not len(wanted):
            return
        nearest = wanted.take(np.searchsorted(wanted, self.hashes), mode="clip")
        indices = np.flatnonzero(nearest == self.hashes)
        starts, ends = self.bounds[indices], self.bounds[indices + 1]
        for i, start, end in zip(indices.tolist(), starts.tolist(), ends.tolist(), strict=True):
            file.seek(start)
            yield i, file.read(end - start)


# Text ---------------------------------------------------------------------------------


class _TextStart(NamedTuple):
    """The first lines of a text, without its header."""

    lines: list[bytes]
    first_line: int  # The number of the first of them.
    n_rows: int  # What the header says, 0 without one.
    size: int


def _text_start(file: BinaryIO, path: str) -> _TextStart:
    first = _read_line(file, path, 1).removeprefix(_BYTE_ORDER_MARK)
    lines = [first]
    while len(lines) <= _SAMPLE and (line := _read_line(file, path, len(lines) + 1)):
        lines.append(line)
    header = _header(first)
    if header and (len(lines) > 1 or header[0]):
        n_rows, size = header
        del lines[0]
    else:
        header, n_rows, size = None, 0, _text_width(lines)
    if not 0 < size <= _WIDEST_VECTOR:
        raise ValueError(
            f"{path}, line 1: expected a word and its numbers, or a header with the number "
            f"of rows and the width of the vectors; got {_shown(first)}."
        )
    return _TextStart(lines, 2 if header else 1, n_rows, size)


def _text_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    lines, number, _, size = _text_start(file, path)
    more = iter(lambda: _read_line(file, path, number), b"")
    for line in chain(lines, more):
        word, _ = _split_line(line, size, path, number)
        if word:
            yield word
        number += 1


def _read_text(file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
    lines, first_line, n_rows, size = _text_start(file, path)
    start = file.tell() - sum(map(len, lines))
    text = _TextPass(path, size, wanted, start, first_line)
    text.read_lines(lines)
    while block := file.read(_CHUNK):
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

    def __init__(self, path: str, size: int, wanted: _Wanted, start: int, first_line: int) -> None:
        self.path, self.size, self.wanted = path, size, wanted
        self.first_line = self.next_line = first_line
        self.n_rows = self.n_blank = 0  # Lines of either kind.
        self.found: dict[str, np.ndarray] = {}
        self.end = start
        self.hashes: list[np.ndarray] = []
        self.bounds = [np.array([start])]

    def reader(self) -> "_TextReader":
        places = _Places(np.concatenate(self.hashes), np.concatenate(self.bounds))
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
    places: _Places

    def __call__(self, file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
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
    if end not in (b"\n", b"\r\n", b" \n") or len(block) > _CHUNK + _LONGEST_WORD:
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
    if surplus < 0 or (surplus > 0 and _is_number(fields[surplus])):
        raise ValueError(
            f"{path}, line {number}: expected a word and {size} numbers, got "
            f"{len(fields) - 1} numbers after {_shown(fields[0])}."
        )
    word = line if surplus < 0 else line.rsplit(None, size)[0]
    return word, b" ".join(fields[surplus + 1 :])


def _numbers(values: bytes, size: int, path: str, number: int, word: bytes) -> np.ndarray:
    return _finite(_parsed(values, size, path, number, word), f"{path}, line {number}", word)


def _parsed(values: bytes, size: int, path: str, number: int, word: bytes) -> np.ndarray:
    fields = values.split()
    try:
        with np.errstate(over="ignore"):
            row = np.array([float(field) for field in fields], dtype=np.float32)
    except ValueError:
        culprit = next(field for field in fields if not _is_number(field))
        raise ValueError(
            f"{path}, line {number}: expected {size} numbers for {_shown(word)}, but "
            f"{_shown(culprit)} is not a number."
        ) from None
    if len(row) != size:
        raise ValueError(
            f"{path}, line {number}: expected {size} numbers for {_shown(word)}, got {len(row)}."
        )
    return row


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _finite(row: np.ndarray, where: str, word: bytes) -> np.ndarray:
    if not np.isfinite(row).all():
        value = row[~np.isfinite(row)][0]
        raise ValueError(
            f"{where}: the vector of {_shown(word)} has the value {value}; expected finite "
            f"numbers. The file is damaged, or its training diverged."
        )
    return row


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", "replace").strip())


# word2vec binary ----------------------------------------------------------------------


def _word2vec_header(file: BinaryIO, path: str) -> tuple[int, int]:
    header = _header(file.readline(_LONGEST_WORD))
    assert header is not None
    if not 0 < header[1] <= _WIDEST_VECTOR:
        raise ValueError(f"{path}: the header says vectors of {header[1]} numbers.")
    return header


def _word2vec_records(
    stream: "_Window", n_rows: int, size: int
) -> Iterator[tuple[bytes, bytes, int]]:
    """The word of each record, its values, and the offset at which these begin."""
    for index in range(n_rows):
        expected = f"row {index + 1:,} of {n_rows:,}"
        word = stream.until(b" ", expected).lstrip(b"\n")
        offset = stream.offset
        yield word, stream.take(4 * size, f"{size} float32 numbers of {expected}"), offset


def _word2vec_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    header = _word2vec_header(file, path)
    for word, _, _ in _word2vec_records(_Window(file, path, file.tell()), *header):
        yield word


def _read_word2vec_binary(file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
    n_rows, size = _word2vec_header(file, path)
    found: dict[str, np.ndarray] = {}
    stream = _Window(file, path, file.tell())
    hashes, bounds = array("q"), array("q", [stream.offset])
    for word, values, offset in _word2vec_records(stream, n_rows, size):
        hashes.append(hash(word))
        bounds.append(stream.offset)
        if word in wanted and wanted[word] not in found:
            found[wanted[word]] = _binary_row(values, path, offset, word)
    return Rows(size, found, _Word2vecReader(size, _Places.of(hashes, bounds)))


def _binary_row(values: bytes, path: str, offset: int, word: bytes) -> np.ndarray:
    row = np.frombuffer(values, dtype="<f4").astype(np.float32)
    return _finite(row, f"{path}, byte {offset:,}", word)


@dataclass(frozen=True)
class _Word2vecReader:
    """Reads further words of a word2vec binary file that has been passed over once."""

    size: int
    places: _Places

    def __call__(self, file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
        found: dict[str, np.ndarray] = {}
        n_bytes = 4 * self.size
        for i, record in self.places.records(file, wanted):
            word = record[: -n_bytes - 1].lstrip(b"\n")
            if word in wanted and wanted[word] not in found:
                offset = int(self.places.bounds[i + 1]) - n_bytes
                found[wanted[word]] = _binary_row(record[-n_bytes:], path, offset, word)
        return Rows(self.size, found, self)


class _Window:
    """A file seen through a buffer, with the offset and an error at its end."""

    def __init__(self, file: BinaryIO, path: str, offset: int) -> None:
        self.file, self.path = file, path
        self.buffer, self.start, self.base = b"", 0, offset

    @property
    def offset(self) -> int:
        return self.base + self.start

    def _fill(self, n_bytes: int, expected: str) -> None:
        rest = self.buffer[self.start :]
        more = self.file.read(max(_CHUNK, n_bytes))
        if not more:
            raise ValueError(
                f"{self.path} is cut off at byte {self.offset + len(rest):,}: "
                f"expected {expected}. Fetch the file again."
            )
        self.base, self.start, self.buffer = self.offset, 0, rest + more

    def take(self, n_bytes: int, expected: str) -> bytes:
        while len(self.buffer) - self.start < n_bytes:
            self._fill(n_bytes, expected)
        self.start += n_bytes
        return self.buffer[self.start - n_bytes : self.start]

    def until(self, end: bytes, expected: str) -> bytes:
        while (stop := self.buffer.find(end, self.start)) < 0:
            if len(self.buffer) - self.start > _LONGEST_WORD:
                raise ValueError(
                    f"{self.path}, byte {self.offset:,}: expected a word, {expected}, but "
                    f"none ends within {_LONGEST_WORD:,} bytes. The file is damaged."
                )
            self._fill(1, expected)
        word = self.buffer[self.start : stop]
        self.start = stop + len(end)
        return word

    def numbers(self, layout: str, expected: str) -> tuple:
        layout = "<" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout), expected))


# fastText .bin ------------------------------------------------------------------------

_MODEL_SUPERVISED = 3
_ENTRY_TAIL = 9  # The count and the kind of an entry of the dictionary.


def _is_old_fasttext(head: bytes) -> bool:
    """Files from before fastText's format had a magic number begin with the arguments."""
    if len(head) < 56:
        return False
    size, window, epoch, min_count, _, _, loss, model, _, minn, maxn, _ = struct.unpack(
        "<12i", head[:48]
    )
    return (
        0 < size <= _WIDEST_VECTOR
        and 0 < window < 1000
        and 0 < epoch < 1_000_000
        and min_count >= 0
        and loss in (1, 2, 3, 4)
        and model in (1, 2, 3)
        and 0 <= minn <= 100
        and 0 <= maxn <= 100
    )


class _FastTextStart(NamedTuple):
    """What a file of fastText says before its dictionary."""

    versioned: bool
    size: int
    n_buckets: int
    minn: int
    maxn: int
    n_entries: int
    n_words: int


def _fasttext_start(stream: _Window) -> _FastTextStart:
    path, arguments = stream.path, "fastText's arguments"
    versioned = stream.take(4, arguments) == _FASTTEXT
    if versioned:
        stream.numbers("i", arguments)
    else:
        stream.start = 0
    size, *_, model, n_buckets, minn, maxn, _, _ = stream.numbers("12id", arguments)
    if model == _MODEL_SUPERVISED:
        raise ValueError(
            f"{path} is a supervised fastText classifier; expected word vectors, as "
            f"'fasttext skipgram' or 'fasttext cbow' write them."
        )
    n_entries, n_words, _, _ = stream.numbers("3iq", "fastText's dictionary")
    if not 0 < size <= _WIDEST_VECTOR:
        raise ValueError(f"{path}: expected vectors of some numbers, got {size}. {_DAMAGED}")
    if not (0 <= minn <= _LONGEST_SUBWORD and 0 <= maxn <= _LONGEST_SUBWORD):
        raise ValueError(
            f"{path}: expected subwords of some number of letters, got {minn} to {maxn}. {_DAMAGED}"
        )
    if not (0 <= n_words <= n_entries and n_buckets >= 0):
        raise ValueError(
            f"{path}: expected words among the dictionary's entries, and rows for subwords; got "
            f"{n_words:,} of {n_entries:,} and {n_buckets:,}. {_DAMAGED}"
        )
    if versioned:
        stream.numbers("q", "fastText's dictionary")
    return _FastTextStart(versioned, size, n_buckets, minn, maxn, n_entries, n_words)


def _fasttext_entries(stream: _Window, n_entries: int) -> Iterator[bytes]:
    for index in range(n_entries):
        expected = f"entry {index + 1:,} of {n_entries:,} of fastText's dictionary"
        word = stream.until(b"\0", expected)
        stream.take(_ENTRY_TAIL, expected)
        yield word


def _fasttext_words(file: BinaryIO, path: str) -> Iterator[bytes]:
    stream = _Window(file, path, 0)
    start = _fasttext_start(stream)
    # What comes behind the words are labels.
    return islice(_fasttext_entries(stream, start.n_entries), start.n_words)


def _read_fasttext(file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
    stream = _Window(file, path, 0)
    versioned, size, n_buckets, minn, maxn, n_entries, n_words = _fasttext_start(stream)
    hashes, bounds = array("q"), array("q", [stream.offset])
    for word in _fasttext_entries(stream, n_entries):
        hashes.append(hash(word))
        bounds.append(stream.offset)
    if versioned and stream.numbers("?", "fastText's vectors")[0]:
        raise ValueError(
            f"{path} is a quantized fastText model (.ftz); expected the full model (.bin)."
        )
    n_rows, width = stream.numbers("2q", "fastText's vectors")
    if width != size or n_rows != n_words + n_buckets:
        raise ValueError(
            f"{path}, byte {stream.offset - 16:,}: expected a matrix of {n_words + n_buckets:,} "
            f"x {size} vectors, got {n_rows:,} x {width}. The file is damaged."
        )
    dictionary = _Places.of(hashes[:n_words], bounds[: n_words + 1])
    reader = _FastTextReader(size, n_words, n_buckets, minn, maxn, dictionary, stream.offset)
    return reader(file, path, wanted)


@dataclass(frozen=True)
class _FastTextReader:
    """Word vectors with subwords: the mean of the rows of a word and of its n-grams.

    Bojanowski et al. (2017), Enriching Word Vectors with Subword Information, section
    3.2; words that the file does not know get the mean of their n-grams' rows.
    """

    size: int
    n_words: int
    n_buckets: int
    minn: int
    maxn: int
    dictionary: _Places
    matrix_start: int

    def __call__(self, file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
        rows_of = self._rows_of(file, wanted)
        n_rows = self.n_words + self.n_buckets
        file.seek(self.matrix_start)
        stream = _Window(file, path, self.matrix_start)
        needed = np.unique(np.concatenate([*rows_of.values(), np.array([], dtype=np.int64)]))
        matrix = _matrix_rows(stream, n_rows, self.size, needed.tolist())
        found: dict[str, np.ndarray] = {}
        for word, rows in rows_of.items():
            if len(rows):
                parts = [matrix[row] for row in rows.tolist()]
                mean = np.asarray(np.mean(parts, axis=0, dtype=np.float32))
                found[wanted[word]] = _finite(mean, path, word)
        return Rows(self.size, found, self)

    def _rows_of(self, file: BinaryIO, wanted: _Wanted) -> dict[bytes, np.ndarray]:
        """The rows of the matrix that make up each word."""
        word_row: dict[bytes, int] = {}
        for row, entry in self.dictionary.records(file, wanted):
            word_row.setdefault(entry[: -_ENTRY_TAIL - 1], row)
        rows_of: dict[bytes, np.ndarray] = {}
        for word, text in wanted.items():
            buckets = subword_buckets(text, self.minn, self.maxn, self.n_buckets)
            rows = np.array(buckets, dtype=np.int64) + self.n_words
            own = [word_row[word]] if word in word_row else []
            rows_of[word] = np.concatenate([np.array(own, dtype=np.int64), rows])
        return rows_of


def subword_buckets(word: str, minn: int, maxn: int, n_buckets: int) -> list[int]:
    """Return the buckets of a word's n-grams, none for what is too long to be a word."""
    from gensim.models.fasttext import ft_ngram_hashes

    if not n_buckets or len(word) > _LONGEST_SUBWORDED:
        return []
    return ft_ngram_hashes(word, minn, maxn, n_buckets)


def _matrix_rows(
    stream: _Window, n_rows: int, size: int, wanted: list[int]
) -> dict[int, np.ndarray]:
    """Pick rows of a float32 matrix of shape (n_rows, size) that starts here."""
    file, start = stream.file, stream.offset
    if isinstance(file, gzip.GzipFile):
        return dict(_streamed_rows(stream, n_rows, size, wanted))
    end = start + 4 * n_rows * size
    length = os.fstat(file.fileno()).st_size
    if length < end:
        raise ValueError(
            f"{stream.path} is cut off at byte {length:,}: expected {n_rows:,} vectors of "
            f"{size} float32 numbers up to byte {end:,}. Fetch the file again."
        )
    matrix = np.memmap(file, dtype="<f4", mode="r", offset=start, shape=(n_rows, size))
    return {row: np.array(matrix[row], dtype=np.float32) for row in wanted}


def _streamed_rows(
    stream: _Window, n_rows: int, size: int, wanted: list[int]
) -> Iterator[tuple[int, np.ndarray]]:
    per_block = max(1, _CHUNK // (4 * size))
    pending = iter([*wanted, n_rows])
    row = next(pending)
    for first in range(0, n_rows, per_block):
        n_block = min(per_block, n_rows - first)
        expected = f"vectors {first + 1:,} to {first + n_block:,} of {n_rows:,}"
        block = np.frombuffer(stream.take(4 * n_block * size, expected), dtype="<f4")
        while row < first + n_block:
            yield row, block.reshape(n_block, size)[row - first].astype(np.float32)
            row = next(pending)


_WORDS_OF: dict[Reader, Callable[[BinaryIO, str], Iterator[bytes]]] = {
    _read_text: _text_words,
    _read_word2vec_binary: _word2vec_words,
    _read_fasttext: _fasttext_words,
}
