"""Where the ids of documents are: in memory, or in a file that has no name."""

import errno
import os
import tempfile
import threading
from array import array
from typing import Protocol

import numpy as np

_BYTES_OF_ID = 4


class IdStorage(Protocol):
    """A sequence of int32 that grows at its end."""

    def __len__(self) -> int: ...

    def append(self, ids: bytes) -> None:
        """Append ids, given as their bytes."""

    def read(self, start: int, end: int) -> np.ndarray:
        """Return ids, which are not to be changed."""

    def write(self, start: int, ids: np.ndarray) -> None:
        """Replace the ids from `start` on."""


class IdsInMemory:
    """Ids in one array."""

    def __init__(self) -> None:
        self._ids = array("i")

    def __len__(self) -> int:
        return len(self._ids)

    def append(self, ids: bytes) -> None:
        self._ids.frombytes(ids)

    def read(self, start: int, end: int) -> np.ndarray:
        return np.frombuffer(self._ids, dtype=np.int32)[start:end]

    def write(self, start: int, ids: np.ndarray) -> None:
        np.frombuffer(self._ids, dtype=np.int32)[start : start + len(ids)] = ids


class IdsInFile:
    """Ids in a temporary file, which goes away when it is closed or the process ends.

    It is read and not mapped into memory: a disk that fails then raises an error instead of ending
    the process, and the pages of the file do not count as memory of the process.

    Parameters
    ----------
    folder : str, path-like or None
        Where the file is; None for the folder of temporary files.

    Raises
    ------
    OSError
        If no file can be made there, or if the disk is full.
    """

    def __init__(self, folder: str | os.PathLike | None) -> None:
        self._folder = os.fspath(tempfile.gettempdir() if folder is None else folder)
        # Where the system allows it, the file has no name, so that nothing is left of a process
        # that is killed.
        self._file = tempfile.TemporaryFile(  # noqa: SIM115
            dir=self._folder, prefix="sktextcnn-", buffering=0
        )
        self._n_ids = 0
        # Systems without `pread` have one position for all threads.
        self._position = threading.Lock()

    def __len__(self) -> int:
        return self._n_ids

    def append(self, ids: bytes) -> None:
        self._write(self._n_ids, ids)
        self._n_ids += len(ids) // _BYTES_OF_ID

    def read(self, start: int, end: int) -> np.ndarray:
        place, size = start * _BYTES_OF_ID, (end - start) * _BYTES_OF_ID
        data = self._read(place, size)
        while len(data) < size:  # A signal, or more than a system reads at once.
            more = self._read(place + len(data), size - len(data))
            if not more:
                raise OSError(errno.EIO, f"the file of token ids in {self._folder} was cut off")
            data += more
        return np.frombuffer(data, dtype=np.int32)

    def write(self, start: int, ids: np.ndarray) -> None:
        self._write(start, np.ascontiguousarray(ids, dtype=np.int32).tobytes())

    def close(self) -> None:
        self._file.close()

    def _read(self, place: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), size, place)
        with self._position:
            self._file.seek(place)
            return self._file.read(size)

    def _write(self, start: int, data: bytes) -> None:
        left = memoryview(data)
        with self._position:
            try:
                self._file.seek(start * _BYTES_OF_ID)
                while left:
                    left = left[self._file.write(left) :]
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise
                n_bytes = start * _BYTES_OF_ID + len(data)
                raise OSError(
                    error.errno,
                    f"{os.strerror(error.errno)} in {self._folder!r}, where the token ids of the "
                    f"texts so far take {n_bytes:,} bytes. Pass as `folder` one of a larger disk; "
                    f"each token takes {_BYTES_OF_ID} bytes.",
                ) from error
