"""The file format of models: tensors, tables of words, and a description in JSON.

The file is a safetensors file. Its tensors are the weights, the word vectors, and the words
as UTF-8 bytes of a JSON list; its metadata are

``format``, ``format_version``
    "sktextcnn" and a number, which grows when older versions could not read the file.
``config``
    JSON: versions, parameters and fitted attributes.
``sha256``
    The digest of the whole file with 64 zeros in this place.
"""

import contextlib
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from sktextcnn._state.atomic import atomic_write
from sktextcnn._token_ids import RESERVED_WORDS, TokenTable, words_as_json

FORMAT, FORMAT_VERSION = "sktextcnn", 2
# Models of version 1 have no wide part.
_READABLE = ("1", str(FORMAT_VERSION))

# What safetensors allows for a header.
_LONGEST_HEADER = 100_000_000
_NO_DIGEST = "0" * 64

# By safetensors' names. Networks of the user may hold others than float32.
_DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}


class ContainerWriter:
    """Collects the tensors and vocabularies of a model, and writes the file.

    Attributes
    ----------
    tensors : dict of str to ndarray
        What the file will hold.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, np.ndarray] = {}
        self._tables: list[dict[str, Any]] = []
        self._numbers: dict[tuple[str, str | None], int] = {}

    def add_table(self, table: TokenTable | None) -> int | None:
        """Add a vocabulary with its vectors, once; returns its number in the file."""
        if table is None:
            return None
        key = (table.key, table.source)
        if key not in self._numbers:
            number = self._numbers[key] = len(self._tables)
            words = words_as_json(table.words)
            self.tensors[f"tables.{number}.words"] = np.frombuffer(words, dtype=np.uint8)
            if table.vectors is not None:
                self.tensors[f"tables.{number}.vectors"] = table.vectors
            self._tables.append({"source": table.source, "has_vectors": table.vectors is not None})
        return self._numbers[key]

    def write(self, path: str | os.PathLike[str], model: Mapping[str, Any]) -> None:
        """Write the file with the description of a model."""
        metadata = {
            "format": FORMAT,
            "format_version": str(FORMAT_VERSION),
            "sha256": _NO_DIGEST,
            "config": json.dumps({"model": model, "tables": self._tables}, allow_nan=False),
        }
        from safetensors.numpy import save as serialize

        data = bytearray(serialize(self.tensors, metadata))
        digest = hashlib.sha256(data).hexdigest()
        start = data.index(_digest_field(_NO_DIGEST))
        data[start : start + len(_digest_field(digest))] = _digest_field(digest)
        with atomic_write(path) as file:
            file.write(data)


class Container:
    """What is in a model file, read without running any code.

    Parameters
    ----------
    path : str or path-like
        The file.

    Attributes
    ----------
    path : str
        The file.
    tensors : dict of str to ndarray
        float32 weights by name. Read-only.
    model : dict
        The description that `ContainerWriter.write` was given.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a model file, is damaged, or comes from a newer format.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if not os.path.exists(self.path):
            raise FileNotFoundError(f"There is no model file {self.path!r}.")
        # Opening a pipe would wait for somebody to write to it.
        if not stat.S_ISREG(os.stat(self.path).st_mode):
            raise ValueError(f"{self.path!r} is not a file.")
        with open(self.path, "rb") as file:
            header = _read_header(file, self.path)
            file.seek(0)
            data = file.read()
        metadata = header["__metadata__"]
        _check_digest(data, metadata["sha256"], self.path)
        with self.content_errors():
            from safetensors import deserialize

            self.tensors = {name: _array(tensor) for name, tensor in deserialize(data)}
            config = json.loads(metadata["config"])
            self.model: dict[str, Any] = config["model"]
            self._tables = [self._table(i, **table) for i, table in enumerate(config["tables"])]

    @contextlib.contextmanager
    def content_errors(self, hint: str = "") -> Iterator[None]:
        """Name the file in errors of whatever validates its content."""
        try:
            yield
        except (Warning, MemoryError):
            # A warning of versions that the user has made an error says nothing against the file.
            raise
        except Exception as error:
            raise ValueError(
                f"{self.path!r} is not a valid model file, though its checksum is right "
                f"({type(error).__name__}: {error}). Save the model again{hint}."
            ) from error

    def table(self, number: int | None) -> TokenTable | None:
        """Return the vocabulary of a number."""
        return None if number is None else self._tables[number]

    def _table(self, number: int, source: str | None, has_vectors: bool) -> TokenTable:
        words = json.loads(self.tensors.pop(f"tables.{number}.words").tobytes())
        if not all(isinstance(word, str) for word in words) or len(set(words)) != len(words):
            raise ValueError("the words are not a list of different str")
        if tuple(words[: len(RESERVED_WORDS)]) != RESERVED_WORDS:
            raise ValueError("the first words are not those for padding and unknown words")
        vectors = None
        if has_vectors:
            vectors = self.tensors.pop(f"tables.{number}.vectors")
            if vectors.ndim != 2 or len(vectors) != len(words) or vectors.dtype != np.float32:
                raise ValueError("the word vectors do not belong to the words")
            if not np.isfinite(vectors).all() or vectors[0].any():
                raise ValueError("the word vectors are not finite, or padding has one")
        return TokenTable(words, vectors, source)


def is_container(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file begins as a safetensors file does."""
    with open(path, "rb") as file:
        return file.read(9)[8:] == b"{"


def _digest_field(digest: str) -> bytes:
    # Inside of `config` the quotes are escaped, so that this occurs once.
    return f'"sha256":"{digest}"'.encode()


def _read_header(file: BinaryIO, name: str) -> dict[str, Any]:
    """Read and check the header before anything of the size that it claims is allocated."""
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    foreign = (
        f"{name!r} is not a model file of sktextcnn.save. If it is a pickle, such as joblib "
        f"writes, and you trust it, use joblib.load."
    )
    if len(prefix) < 8 or length > min(_LONGEST_HEADER, size - 8):
        raise ValueError(foreign + " It may also be truncated.")
    try:
        header = json.loads(file.read(length))
        metadata = header["__metadata__"]
        is_ours = metadata["format"] == FORMAT
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(foreign + " It may also be damaged.") from error
    if not is_ours:
        raise ValueError(foreign)
    version = metadata.get("format_version")
    if version not in _READABLE:
        if isinstance(version, str) and re.fullmatch("[0-9]{1,6}", version):
            raise ValueError(
                f"{name!r} has version {version} of the format, but this sktextcnn knows only "
                f"{FORMAT_VERSION}. Install a newer sktextcnn."
            )
        raise ValueError(f"{name!r} is damaged: it has no version of its format.")
    try:
        ends = [int(tensor["data_offsets"][1]) for key, tensor in header.items() if key[:2] != "__"]
        expected = 8 + length + max(ends, default=0)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise ValueError(f"{name!r} is damaged: its header lists no tensors.") from error
    if size != expected:
        what = "truncated" if size < expected else "too long"
        raise ValueError(f"{name!r} is {what}: it has {size:,} bytes instead of {expected:,}.")
    if not isinstance(metadata.get("sha256"), str) or not isinstance(metadata.get("config"), str):
        raise ValueError(f"{name!r} is damaged: its header has no checksum or no parameters.")
    return header


def _check_digest(data: bytes, digest: str, name: str) -> None:
    field, view = _digest_field(digest), memoryview(data)
    start = max(data.find(field), 0)
    found = hashlib.sha256(view[:start])
    found.update(_digest_field(_NO_DIGEST))
    found.update(view[start + len(field) :])
    if found.hexdigest() != digest:
        raise ValueError(
            f"{name!r} is damaged: its checksum does not match. Copy or save it again."
        )


def _array(description: Mapping[str, Any]) -> np.ndarray:
    return np.frombuffer(description["data"], dtype=_DTYPES[description["dtype"]]).reshape(
        description["shape"]
    )
