"""Vectors of gensim-data in gensim's folder: downloaded once, by one process at a time."""

import contextlib
import os
import shutil
from collections.abc import Iterator

from sktextcnn._gensim_data.catalogue import VectorsEntry, file_hint, megabytes, read_catalogue
from sktextcnn._gensim_data.places import (
    FOLDER_VARIABLE,
    address,
    folder,
    is_name,
    is_stored,
    stored_path,
)
from sktextcnn._gensim_data.transfer import (
    DiskError,
    TransferError,
    download,
    file_checksum,
    sync,
)
from sktextcnn._progress import say

# gensim.downloader.load imports this module to read the vectors. It is never imported here. Of
# vectors in word2vec's format, which all those of gensim-data have, some are binary: their numbers
# are not separated by spaces.
_READER = '''\
"""Reads the vectors beside it, for gensim.downloader.load."""

import gzip
import os

from gensim.models import KeyedVectors


def load_data():
    folder = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(folder, os.path.basename(folder) + ".gz")
    with gzip.open(path) as file:
        width = int(file.readline().split()[1])
        n_fields = len(file.readline().split())
    return KeyedVectors.load_word2vec_format(path, binary=n_fields <= width)
'''


def fetch(name: str, *, quiet: bool = False) -> str:
    """Return the path of vectors, which are downloaded if they are not there.

    Nothing that is downloaded is run. The name of the file appears when it is complete. What was
    received before an error or an interrupt stays beside it, and the next call goes on from
    there.

    Parameters
    ----------
    name : str
        A name of gensim-data.
    quiet : bool, default=False
        Whether to print no progress on stderr.

    Returns
    -------
    str
        The path of the file.

    Raises
    ------
    ValueError
        If gensim-data has no vectors of this name, or they cannot be downloaded. The message has
        the address, and the path to save the file to by hand.
    """
    if is_stored(name):
        return stored_path(name)
    if not is_name(name):
        raise ValueError(f"{name!r} is neither a file nor a name of vectors in gensim-data.")
    try:
        catalogue = read_catalogue(quiet=quiet)
    except TransferError as error:
        reason = f"the catalogue cannot be read, since {error}"
        raise _by_hand(name, [address(name, f"{name}.gz")], reason) from error
    entry = catalogue.entry(name)
    try:
        os.makedirs(folder(), exist_ok=True)
        with _alone(name, quiet):
            if not is_stored(name):
                if catalogue.why_old:
                    say(
                        f"The catalogue is that of the last time: {catalogue.why_old}.",
                        shown=not quiet,
                    )
                _download(entry, quiet)
    except DiskError as error:
        raise _no_room(entry, str(error)) from error
    except TransferError as error:
        raise _by_hand(name, entry.addresses, str(error), _received(entry)) from error
    except OSError as error:
        reason = f"{error.filename or folder()} cannot be written ({error.strerror or error})"
        raise _no_room(entry, reason) from error
    except (KeyboardInterrupt, SystemExit):
        if kept := _received(entry):
            say(f"{megabytes(kept)} of {name} were received. The next try goes on from there.")
        raise
    return stored_path(name)


def check_stored(name: str) -> bool:
    """Compare vectors that are there with the catalogue.

    Parameters
    ----------
    name : str
        A name whose file is there.

    Returns
    -------
    bool
        True if the file has the checksum of the catalogue, False if there is none to compare.

    Raises
    ------
    ValueError
        If the file has another checksum.
    """
    path = stored_path(name)
    try:
        entry = read_catalogue(quiet=True).vectors.get(name)
    except TransferError:
        return False
    checksum = _checksum(entry) if entry else None
    if checksum is None:
        return False
    found = file_checksum(path)
    if found != checksum:
        raise ValueError(
            f"{path} has the checksum {found}, and it should be {checksum}: it is damaged or "
            f"another file. To download it again, delete it first."
        )
    return True


def _checksum(entry: VectorsEntry) -> str | None:
    """Return the checksum of the whole file. If it was put together of several, it has none."""
    checksum, *others = entry.files.values()
    return checksum.lower() if checksum and not others else None


@contextlib.contextmanager
def _alone(name: str, quiet: bool) -> Iterator[None]:
    """Wait for another process that downloads the same vectors. A dead one is not waited for."""
    from filelock import FileLock, Timeout

    lock = FileLock(os.path.join(folder(), f".{name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another process downloads {name}. Waiting for it.", shown=not quiet)
        lock.acquire()
    except NotImplementedError:
        # Some network file systems have no locks. The checksum still tells a mixture apart.
        yield
        return
    try:
        yield
    finally:
        lock.release()


def _download(entry: VectorsEntry, quiet: bool) -> None:
    name = entry.name
    if not _is_complete(entry):
        n_words = f"{entry.n_words:,} words" if entry.n_words else "the words"
        width = f" of {entry.width} numbers" if entry.width else ""
        size = f", {megabytes(entry.size)}" if entry.size else ""
        say(
            f"Downloading {name}: {n_words}{width}{size}, to {stored_path(name)}",
            shown=not quiet,
        )
        if kept := _received(entry):
            say(
                f"Going on after the {megabytes(kept)} that were received before.",
                shown=not quiet,
            )
        _receive_all(entry, quiet)
    for part in _parts(entry):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
    _publish(name)
    checked = None not in entry.files.values()
    size = megabytes(os.path.getsize(stored_path(name)))
    checked_by = "The checksum is right" if checked else "The catalogue has no checksum"
    say(f"{checked_by}: {size} in {stored_path(name)}", shown=not quiet)


def _receive_all(entry: VectorsEntry, quiet: bool) -> None:
    """Receive the files of vectors, and move them as a complete one to where it is published."""
    name = entry.name
    parts = _parts(entry)
    for (file, checksum), part in zip(entry.files.items(), parts, strict=True):
        download(
            address(name, file),
            part,
            checksum=checksum,
            size=entry.size if len(parts) == 1 else None,
            label=name if len(parts) == 1 else file,
            quiet=quiet,
        )
    whole = _part(f"{name}.gz")
    if len(parts) > 1:
        with open(whole, "wb") as file_of_all:
            for part in parts:
                with open(part, "rb") as piece:
                    shutil.copyfileobj(piece, file_of_all, 1 << 20)
            sync(file_of_all)
    os.makedirs(os.path.dirname(_complete(name)), exist_ok=True)
    os.replace(whole, _complete(name))


def _publish(name: str) -> None:
    """Move a complete file to where gensim looks for it.

    gensim takes any folder of the name for complete, so that the folder appears with the file.
    Whatever interrupts this, the complete file is there, and the next call publishes it.
    """
    target = os.path.dirname(stored_path(name))
    new = os.path.dirname(_complete(name))
    with open(os.path.join(new, "__init__.py"), "w", encoding="utf-8") as module:
        module.write(_READER)
    if not os.path.isdir(target):
        os.rename(new, target)
        return
    if not os.path.exists(os.path.join(target, "__init__.py")):
        os.replace(os.path.join(new, "__init__.py"), os.path.join(target, "__init__.py"))
    os.replace(_complete(name), stored_path(name))
    shutil.rmtree(new, ignore_errors=True)


def _is_complete(entry: VectorsEntry) -> bool:
    """Return whether a call that was interrupted has left only the last step to do."""
    file, checksum = _complete(entry.name), _checksum(entry)
    return os.path.isfile(file) and checksum in (None, file_checksum(file))


def _complete(name: str) -> str:
    """Return where a file is that is complete, until gensim's folder is there."""
    return os.path.join(folder(), f".{name}.new", f"{name}.gz")


def _part(file: str) -> str:
    """Return where a file is until it is complete: beside gensim's folders, not in one."""
    return os.path.join(folder(), f"{file}.part")


def _parts(entry: VectorsEntry) -> list[str]:
    return [_part(file) for file in entry.files]


def _received(entry: VectorsEntry) -> int:
    """Return the number of bytes that are there of files that are not complete."""
    return sum(os.path.getsize(part) for part in _parts(entry) if os.path.isfile(part))


# Errors -------------------------------------------------------------------------------


def _by_hand(name: str, addresses: list[str], reason: str, received: int = 0) -> ValueError:
    kept = f" ({megabytes(received)} were received, and it goes on from there)" if received else ""
    together = "" if len(addresses) == 1 else ", put together in this order,"
    return ValueError(
        f"{name} could not be downloaded: {reason}. Try again{kept}, or download "
        f"{' and '.join(addresses)} by other means and save it{together} as {stored_path(name)}, "
        f"where it is found by its name.{file_hint(name)}"
    )


def _no_room(entry: VectorsEntry, reason: str) -> ValueError:
    received = _received(entry)
    kept = f" {megabytes(received)} of it are in {_parts(entry)[0]}." if received else ""
    return ValueError(
        f"{entry.name} could not be stored: {reason}.{kept} Make room in {folder()} and try again, "
        f"or set the environment variable {FOLDER_VARIABLE} to another folder."
    )
