"""Token ids in a file, for more texts than memory holds."""

import errno
import mmap
import os
import tempfile
from array import array
from typing import Any

import numpy as np

# Bytes that are written or read at once.
_BLOCK = 1 << 22
# Pages that were read count as memory of the process until they are given back.
_MOST_MAPPED = 1 << 26


class IdsFile:
    """An array of int32 that grows at its end and lies in a file without a name.

    The system deletes the file when nobody has it open any more, also if the process is killed.

    Parameters
    ----------
    folder : str, path-like or None
        Where the file is; None for the system's folder of temporary files.

    Raises
    ------
    OSError
        If no file can be made there, or the disk is full.
    """

    def __init__(self, folder: Any = None) -> None:
        self.folder = tempfile.gettempdir() if folder is None else os.fspath(folder)
        try:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115
                dir=folder, prefix="sktextcnn-", buffering=0
            )
        except OSError as error:
            raise type(error)(
                error.errno,
                f"folder: no temporary file can be made in {self.folder!r} ({error.strerror}). "
                f"Choose a folder that exists and that you may write to",
            ) from error
        self._waiting = bytearray()
        self._n_written = 0
        self._mapped: np.ndarray | None = None
        self._map: mmap.mmap | None = None
        self._n_read = 0

    def __len__(self) -> int:
        return (self._n_written + len(self._waiting)) // 4

    def frombytes(self, ids: bytes) -> None:
        """Append ids, given as the bytes of int32."""
        self._waiting += ids
        if len(self._waiting) > _BLOCK:
            self._write()

    def extend(self, ids: Any) -> None:
        """Append ids."""
        self.frombytes(memoryview(ids if isinstance(ids, array) else array("i", ids)).tobytes())

    def _write(self) -> None:
        view = memoryview(self._waiting)
        done = 0
        try:
            while done < len(view):
                done += os.pwrite(self._file.fileno(), view[done:], self._n_written + done)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise OSError(
                error.errno,
                f"folder: the disk of {self.folder!r} is full ({error.strerror}) after "
                f"{self._n_written + done:,} bytes of token ids, which need 4 bytes a token. "
                f"Choose a folder with more space",
            ) from error
        finally:
            view.release()
        self._n_written += len(self._waiting)
        self._waiting = bytearray()
        self._mapped = self._map = None

    def ids(self) -> np.ndarray:
        """Return all ids, read-only; (n,), int32."""
        if self._waiting:
            self._write()
        if self._mapped is None:
            if not self._n_written:
                return np.empty(0, dtype=np.int32)
            self._map = mmap.mmap(self._file.fileno(), self._n_written, access=mmap.ACCESS_READ)
            self._mapped = np.frombuffer(self._map, dtype=np.int32)
        return self._mapped

    def renumber(self, new_id: np.ndarray, begin: int, end: int) -> None:
        """Replace each id i from `begin` until `end` by ``new_id[i]``."""
        ids = self.ids()
        for start in range(begin, end, _BLOCK // 4):
            part = new_id[ids[start : min(start + _BLOCK // 4, end)]].astype(np.int32)
            view = memoryview(part).cast("B")
            done = 0
            # Not through the map, where a full disk would end the process.
            while done < len(view):
                done += os.pwrite(self._file.fileno(), view[done:], start * 4 + done)
            self.was_read(len(part))

    def close(self) -> None:
        """Let the system delete the file, as soon as nobody has its ids any more."""
        self._mapped = self._map = None
        self._file.close()

    def was_read(self, n_ids: int) -> None:
        """Give pages back to the system, which has them in its cache, after so many more ids."""
        # A page at least is read for each text.
        self._n_read += max(n_ids * 4, mmap.PAGESIZE)
        if self._n_read > _MOST_MAPPED and self._map is not None:
            self._n_read = 0
            if hasattr(mmap, "MADV_DONTNEED"):
                self._map.madvise(mmap.MADV_DONTNEED)
