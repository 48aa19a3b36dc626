"""What has to hold of every file, whatever is in it."""

import gzip
import hashlib
import json
import re
import struct
import time
import tracemalloc
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np

import sktextcnn
from sktextcnn import Embeddings
from sktextcnn._text.analyzer import TOKEN_PATTERN
from sktextcnn._vectors import file_cache, formats, records, text_format
from sktextcnn._vectors.fasttext_format import FASTTEXT, is_old_fasttext

# Words of the seeds, and some that no file should make trouble of.
WORDS = [
    "the",
    "cat",
    "naïve",
    "マット",
    "sat on",
    "",
    "1.5",
    "catlike",
    "🚑",
    "\ud800",
    "x" * 5000,
]

# The first byte of an input says what is made of the others.
PACKED, IN_SMALL_BLOCKS, REPEATED, REPAIRED = 1, 2, 4, 8

_LEAST_MEMORY, _MEMORY_FOR_A_BYTE = 1 << 25, 50
_MOST_SECONDS = 10  # Of the processor, for files of some kilobytes.


def check_vector_file(data: bytes, folder: Path) -> bool:
    """Read a file of vectors, and raise an AssertionError if that does anything unexpected.

    Parameters
    ----------
    data : bytes
        One byte that tells how to make a file of the others, and how to read it.
    folder : Path
        Where the file is written.

    Returns
    -------
    bool
        Whether there are vectors in it; else it was refused by name.
    """
    mode, content = data[0] if data else 0, data[1:]
    if mode & REPAIRED:
        content = _repaired(content)
    if mode & REPEATED:
        content += content[-32:] * 1024
    words = [*WORDS, *_words_in(content)]
    if mode & PACKED:
        content = gzip.compress(content, 1, mtime=0)
    path = folder / "vectors"
    path.write_bytes(content)
    if formats.is_gensim_file(str(path)):
        return False  # A pickle, which runs code.
    small = mode & IN_SMALL_BLOCKS and not mode & REPEATED
    chunk, sample = (61, 3) if small else (1 << 17, 100)
    with (
        mock.patch.object(records, "CHUNK", chunk),
        mock.patch.object(text_format, "_SAMPLE", sample),
        np.errstate(over="ignore"),
    ):
        file_cache._files.clear()
        size = len(content)
        if content.startswith(b"\x1f\x8b"):
            size = max(formats._ALWAYS_DECOMPRESSED, formats._MAX_COMPRESSION_RATIO * size)
        with _memory_and_time_bounded(size):
            together = _lookup(path, words)
        file_cache._files.clear()
        first, second = _lookup(path, words[::2]), _lookup(path, words[1::2])
        in_parts = None if first is None or second is None else {**first, **second}
    assert together == in_parts, "the parts of the words have other rows than all of them"
    return together is not None


def _repaired(content: bytes) -> bytes:
    """Make the sizes of fastText's matrix agree with its arguments, whatever these are.

    Changes of single numbers would otherwise all be refused at the same place.
    """
    if not (content.startswith(FASTTEXT) or is_old_fasttext(content)):
        return content
    try:
        start = 8 if content.startswith(FASTTEXT) else 0
        size, n_buckets = struct.unpack_from("<i28xi", content, start)
        n_entries, n_words = struct.unpack_from("<2i", content, start + 56)
        end = start + 56 + (28 if start else 20)
        for _ in range(n_entries):
            end = content.index(b"\0", end) + 10
    except (struct.error, ValueError):
        return content
    end += 1 if start else 0
    return content[:end] + struct.pack("<2q", n_words + n_buckets, size) + content[end + 16 :]


def _words_in(content: bytes) -> list[str]:
    found = re.findall(rb"[^\s\0]{1,40}", content[:1000])[:20]
    return [word.decode("utf-8", "ignore") for word in found]


def _lookup(path: Path, words: list[str]) -> dict[str, bytes] | None:
    """The bits of the rows, or None if the file is refused as it should be."""
    refusal, rows = path.name, None
    try:
        with warnings.catch_warnings():
            # Of headers that count more rows than there are.
            warnings.simplefilter("ignore", UserWarning)
            rows = Embeddings(path).lookup(words)
    except ValueError as error:
        refusal = str(error)
    assert path.name in refusal, f"the file is not named: {refusal}"
    if rows is None:
        return None
    assert set(rows) <= set(words)
    assert len({row.shape for row in rows.values()}) <= 1
    for word, row in rows.items():
        assert row.dtype == np.float32, word
        assert row.ndim == 1, word
        assert np.isfinite(row).all(), word
    return {word: row.tobytes() for word, row in rows.items()}


# The first byte of an input of `check_model_file` says which part of a file the others are.
WHOLE, HEADER, CONFIG = range(3)

_DIGEST = re.compile(rb'"sha256":"[^"]{64}"')


def check_model_file(data: bytes, bases: Sequence[bytes], folder: Path) -> bool:
    """Load a model, and raise an AssertionError if that does anything unexpected.

    Parameters
    ----------
    data : bytes
        One byte that tells what the others are: a whole file, the header of one with its
        tensors, or its parameters, and which of the bases has the rest. Checksums of files put
        together here are right.
    bases : sequence of bytes
        Valid files.
    folder : Path
        Where the file is written.

    Returns
    -------
    bool
        Whether a model was loaded; else it was refused by name.
    """
    number, content = data[0] if data else WHOLE, data[1:]
    header, tensors = header_of(bases[number // 3 % len(bases)])
    if number % 3 == HEADER:
        content = with_header(content, tensors)
    elif number % 3 == CONFIG:
        header["__metadata__"]["config"] = content.decode("utf-8", "replace")
        content = with_header(json.dumps(header, separators=(",", ":")).encode(), tensors)
    path = folder / "model"
    path.write_bytes(content)
    refusal, model = path.name, None
    with _memory_and_time_bounded(len(content)):
        try:
            model = sktextcnn.load(path)
        except ValueError as error:
            refusal = str(error)
    assert path.name in refusal, f"the file is not named: {refusal}"
    if model is None:
        return False
    _check_predictions(model)
    return True


def header_of(content: bytes) -> tuple[dict, bytes]:
    """The header of a safetensors file, and its tensors."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def with_header(header: bytes, tensors: bytes) -> bytes:
    """A safetensors file of these, with the right checksum."""
    header += b" " * (-len(header) % 8)
    content = len(header).to_bytes(8, "little") + header + tensors
    found = _DIGEST.search(content)
    if found is None:
        return content
    head, rest = content[: found.start()], content[found.end() :]
    field = b'"sha256":"%s"'
    digest = hashlib.sha256(head + field % (b"0" * 64) + rest).hexdigest().encode()
    return head + field % digest + rest


def _check_predictions(model: object) -> None:
    """Whoever can write a file may choose what it predicts, and how long that takes."""
    vectorizer = model[0] if hasattr(model, "steps") else model
    if not (
        getattr(vectorizer, "token_pattern", None) == TOKEN_PATTERN
        and vectorizer.max_length_ < 10_000
        and hasattr(model, "predict_proba")
    ):
        return
    try:
        probabilities = model.predict_proba(["a gem", "", "\ud800 unknown"])
    except ValueError:
        return
    assert np.isfinite(probabilities).all()
    assert (probabilities >= 0).all()


@contextmanager
def _memory_and_time_bounded(size: int) -> Iterator[None]:
    tracemalloc.start()
    began = time.process_time()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
        seconds = time.process_time() - began
    finally:
        tracemalloc.stop()
    assert seconds < _MOST_SECONDS, f"{seconds:.0f} seconds"
    most = _LEAST_MEMORY + _MEMORY_FOR_A_BYTE * size
    assert peak < most, f"{peak:,} bytes of memory for {size:,} of the file"
