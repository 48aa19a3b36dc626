"""Files that are written completely or not at all."""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from typing import BinaryIO

# How systems say that a folder cannot be opened or synced: a folder that may be written but not
# read; network and FUSE file systems without fsync for folders.
_FOLDER_SYNC_UNSUPPORTED = {
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
    errno.EBADF,
    errno.EINVAL,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
}


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Write a file that replaces the one at `path` when it is complete and on the disk.

    If an error is raised or the process is killed, the file at `path` stays as it was.

    Parameters
    ----------
    path : str or path-like
        The file to write. A symbolic link is followed; the permissions of an existing file are
        kept.

    Yields
    ------
    file : binary file
        A temporary file in the same folder.

    Raises
    ------
    IsADirectoryError
        If `path` is a folder.
    FileNotFoundError
        If the folder of `path` does not exist.
    OSError
        If `path` is a device or a pipe, the folder is not writable, or the disk is full.

    Examples
    --------
    >>> import os, tempfile
    >>> from sktextcnn._state import atomic_write
    >>> path = os.path.join(tempfile.mkdtemp(), "data.bin")
    >>> with atomic_write(path) as file:
    ...     _ = file.write(b"data")
    >>> os.path.getsize(path)
    4
    """
    target = os.path.realpath(os.fspath(path))
    if os.path.isdir(target):
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; give the path of a file.")
    if os.path.exists(target) and not os.path.isfile(target):
        # The file would replace a device or a pipe.
        raise OSError(f"{os.fspath(path)!r} is not a regular file; give the path of a file.")
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
    """Write the new name to the disk, so that it survives a power failure.

    The file is complete and in its place already. A folder that cannot be synced is no error,
    but one whose sync fails (EIO) is.
    """
    if os.name != "posix":  # Windows cannot open folders.
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _FOLDER_SYNC_UNSUPPORTED:
            raise
