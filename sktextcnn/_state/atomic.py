"""Files that are either there as a whole or not at all."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Write a file that replaces the one at `path` when all of it is on the disk.

    On an error, and when the process is killed, the file that was there stays as it was.

    Parameters
    ----------
    path : str or path-like
        Where the file shall be. A link is followed; an existing file's permissions are kept.

    Yields
    ------
    file : binary file
        Lies in the same folder until it is complete.

    Raises
    ------
    OSError
        If the folder is missing or not writable, or the disk is full.
    """
    target = os.path.realpath(os.fspath(path))
    if os.path.isdir(target):
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; give the path of a file.")
    if os.path.exists(target) and not os.path.isfile(target):
        # A device or a pipe would be replaced by the file.
        raise OSError(f"{os.fspath(path)!r} is no regular file; give the path of a file.")
    folder, name = os.path.split(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"There is no folder {folder!r} to write {name!r} to.")
    temporary = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(4)}.part")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            if os.path.exists(target):
                shutil.copymode(target, temporary)
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename == temporary:
            error.filename = os.fspath(path)  # The name that the caller knows.
            error.filename2 = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Make the new name last, where folders can be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
