"""Read the wanted rows of a file of word vectors, in one streaming pass.

Words are compared as bytes, so a file may hold words that are no valid text without harm
to the others. Every reader takes the words that are wanted, by their bytes in the file, and
returns the width of the vectors and the rows that it found.
"""

import gzip
import os
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

import numpy as np

_CHUNK = 1 << 22
_LONGEST_WORD = 1 << 16
_WIDEST_VECTOR = 1 << 20

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
    """What was found: the width of the vectors, and a float32 row for each word."""

    vector_size: int
    of: dict[str, np.ndarray]


_Wanted = Mapping[bytes, str]


def is_gensim_file(path: str) -> bool:
    """Tell whether a file was saved by gensim itself (``.kv``, ``.model``)."""
    with _open(path) as file:
        try:
            return file.read(1) == _PICKLE
        except _GZIP_ERRORS:
            return False  # read_rows says what is wrong with it.


def read_rows(path: str, words: Iterable[str], encoding: str = "utf-8") -> Rows:
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

    Returns
    -------
    Rows
        The width of the vectors, and one float32 array of shape (vector_size,) for each
        word that was found. The first of rows of the same word counts.

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
            return _reader_for(file, path)(file, path, wanted)
        except _GZIP_ERRORS as error:
            raise ValueError(
                f"{path}: the gzip stream is damaged or cut off ({error}); fetch the file again."
            ) from error


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
    return gzip.open(path, "rb") if is_compressed(path) else open(path, "rb")  # type: ignore[return-value]


def _reader_for(file: BinaryIO, path: str) -> Callable[[BinaryIO, str, _Wanted], Rows]:
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
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        return int(fields[0]), int(fields[1])
    return None


# Text ---------------------------------------------------------------------------------


def _read_text(file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
    first = file.readline().removeprefix(_BYTE_ORDER_MARK)
    sample = list(islice(file, 100))
    header = _header(first)
    if header and (sample or header[0]):
        n_rows, size = header
        lines = enumerate(chain(sample, file), start=2)
    else:
        n_rows, size = 0, _text_width([first, *sample])
        lines = enumerate(chain([first], sample, file), start=1)
    if not 0 < size <= _WIDEST_VECTOR:
        raise ValueError(
            f"{path}, line 1: expected a word and its numbers, or a header with the number "
            f"of rows and the width of the vectors; got {_shown(first)}."
        )
    found: dict[str, np.ndarray] = {}
    number, n_read = 1, 0
    for number, line in lines:
        line = line.rstrip()
        if line.count(b" ") == size:
            word, _, values = line.partition(b" ")
        elif line:
            word, values = _split_from_the_right(line, size, path, number)
        else:
            continue
        n_read += 1
        if n_read == 1:  # Other texts have lines too.
            _parsed(values, size, path, number, word)
        if word in wanted and wanted[word] not in found:
            found[wanted[word]] = _numbers(values, size, path, number, word)
    if n_read < n_rows:
        raise ValueError(
            f"{path} is cut off after line {number}: its header says {n_rows:,} rows, "
            f"and there are {n_read:,}. Fetch the file again."
        )
    return Rows(size, found)


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


def _read_word2vec_binary(file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
    header = _header(file.readline(_LONGEST_WORD))
    assert header is not None
    n_rows, size = header
    if not 0 < size <= _WIDEST_VECTOR:
        raise ValueError(f"{path}: the header says vectors of {size} numbers.")
    n_bytes = 4 * size
    found: dict[str, np.ndarray] = {}
    stream = _Window(file, path, file.tell())
    for index in range(n_rows):
        expected = f"row {index + 1:,} of {n_rows:,}"
        word = stream.until(b" ", expected).lstrip(b"\n")
        offset = stream.offset
        values = stream.take(n_bytes, f"{size} float32 numbers of {expected}")
        if word in wanted and wanted[word] not in found:
            row = np.frombuffer(values, dtype="<f4").astype(np.float32)
            found[wanted[word]] = _finite(row, f"{path}, byte {offset:,}", word)
    return Rows(size, found)


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


def _read_fasttext(file: BinaryIO, path: str, wanted: _Wanted) -> Rows:
    """Word vectors with subwords: the mean of the rows of a word and of its n-grams.

    Bojanowski et al. (2017), Enriching Word Vectors with Subword Information, section
    3.2; words that the file does not know get the mean of their n-grams' rows.
    """
    from gensim.models.fasttext import ft_ngram_hashes

    stream = _Window(file, path, 0)
    arguments = "fastText's arguments"
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
    if minn < 0 or maxn < 0:
        raise ValueError(
            f"{path}: expected subwords of some number of letters, got {minn} to {maxn}. The "
            f"file is damaged."
        )
    if versioned:
        stream.numbers("q", "fastText's dictionary")
    word_row: dict[bytes, int] = {}
    for index in range(n_entries):
        expected = f"entry {index + 1:,} of {n_entries:,} of fastText's dictionary"
        word = stream.until(b"\0", expected)
        stream.take(9, expected)
        if word in wanted:
            word_row.setdefault(word, index)
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
    rows_of: dict[bytes, list[int]] = {}
    for word, text in wanted.items():
        hashes = ft_ngram_hashes(text, minn, maxn, n_buckets) if n_buckets else []
        rows = [int(n_words + bucket) for bucket in hashes]
        rows_of[word] = [word_row[word], *rows] if word in word_row else rows
    matrix = _matrix_rows(stream, n_rows, size, sorted(set(chain.from_iterable(rows_of.values()))))
    found: dict[str, np.ndarray] = {}
    for word, rows in rows_of.items():
        if rows:
            mean = np.asarray(np.mean([matrix[row] for row in rows], axis=0, dtype=np.float32))
            found[wanted[word]] = _finite(mean, path, word)
    return Rows(size, found)


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
