"""What has to hold of every file, whatever is in it."""

import gzip
import hashlib
import json
import re
import struct
import time
import tracemalloc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np

import sktextcnn
from sktextcnn import Embeddings, _embeddings, _vector_files

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
    if _vector_files.is_gensim_file(str(path)):
        return False  # A pickle, which runs code.
    small = mode & IN_SMALL_BLOCKS and not mode & REPEATED
    chunk, sample = (61, 3) if small else (1 << 17, 100)
    with (
        mock.patch.object(_vector_files, "_CHUNK", chunk),
        mock.patch.object(_vector_files, "_SAMPLE", sample),
        np.errstate(over="ignore"),
    ):
        _embeddings._files.clear()
        with _memory_and_time_bounded(content):
            together = _lookup(path, words)
        _embeddings._files.clear()
        first, second = _lookup(path, words[::2]), _lookup(path, words[1::2])
        in_parts = None if first is None or second is None else {**first, **second}
    assert together == in_parts, "the parts of the words have other rows than all of them"
    return together is not None


# What is made of an input to `check_model_file`: a file as it is, one whose checksum is made right
# again, or the JSON of its parameters, put into a header of which the rest is as it was.
AS_IT_IS, SEALED, CONFIG = 0, 1, 2

_DIGEST = re.compile(rb'"sha256":"[^"]{64}"')


def check_model_file(data: bytes, folder: Path) -> bool:
    """Load a model file, and raise an AssertionError if that does anything unexpected.

    Parameters
    ----------
    data : bytes
        One byte that tells how to make a file of the others.
    folder : Path
        Where the file is written.

    Returns
    -------
    bool
        Whether there is a model in it; else it was refused by a ValueError.
    """
    mode, content = data[0] % 3 if data else 0, data[1:]
    if mode == CONFIG:
        config, _, tensors = content.partition(b"\0")
        content = _with_config(tensors, config)
    if mode != AS_IT_IS:
        content = sealed(content)
    path = folder / "model.sktextcnn"
    path.write_bytes(content)
    with warnings.catch_warnings(), _memory_and_time_bounded(content):
        warnings.simplefilter("ignore")
        try:
            model = sktextcnn.load(path)
        except ValueError as error:
            refusal, model = str(error), None
    if model is None:
        assert "model.sktextcnn" in refusal, f"the error does not name the file: {refusal}"
        return False
    for step in getattr(model, "named_steps", {"": model}).values():
        if hasattr(step, "net_"):
            values = step.net_.module_.state_dict().values()
            assert all(value.isfinite().all() for value in values), "weights are not finite"
    return True


def sealed(content: bytes) -> bytes:
    """A model file with a checksum that is right."""
    blank = b'"sha256":"' + b"0" * 64 + b'"'
    content = _DIGEST.sub(blank, content, count=1)
    digest = hashlib.sha256(content).hexdigest().encode()
    return content.replace(blank, blank.replace(b"0" * 64, digest), 1)


def _with_config(tensors: bytes, config: bytes) -> bytes:
    """A file of JSON parameters and the tensors of a valid file."""
    try:
        length = int.from_bytes(tensors[:8], "little")
        header = json.loads(tensors[8 : 8 + length])
        header["__metadata__"]["config"] = config.decode("utf-8", "replace")
        head = json.dumps(header, separators=(",", ":")).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return tensors
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + tensors[8 + length :]


def _repaired(content: bytes) -> bytes:
    """Make the sizes of fastText's matrix agree with its arguments, whatever these are.

    Changes of single numbers would otherwise all be refused at the same place.
    """
    if not (content.startswith(_vector_files._FASTTEXT) or _vector_files._is_old_fasttext(content)):
        return content
    try:
        start = 8 if content.startswith(_vector_files._FASTTEXT) else 0
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


@contextmanager
def _memory_and_time_bounded(content: bytes) -> Iterator[None]:
    size = len(content)
    if content.startswith(b"\x1f\x8b"):
        size = max(_vector_files._ALWAYS_DECOMPRESSED, _vector_files._LARGEST_GROWTH * size)
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
    assert peak < most, f"{peak:,} bytes of memory for {len(content):,} of the file"
