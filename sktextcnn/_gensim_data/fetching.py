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
    read,
    say,
)


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
                    say(f"The catalogue is that of the last time: {catalogue.why_old}.", quiet)
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
    # Several files that were put together have no checksum.
    checksum = next(iter(entry.files.values())) if entry and len(entry.files) == 1 else None
    if checksum is None:
        return False
    found = file_checksum(path)
    if found != checksum.lower():
        raise ValueError(
            f"{path} has the checksum {found}, and it should be {checksum}: it is damaged or "
            f"another file. To download it again, delete it first."
        )
    return True


@contextlib.contextmanager
def _alone(name: str, quiet: bool) -> Iterator[None]:
    """Wait for another process that downloads the same vectors. A dead one is not waited for."""
    from filelock import FileLock, Timeout

    lock = FileLock(os.path.join(folder(), f".{name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another process downloads {name}. Waiting for it.", quiet)
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
    n_words = f"{entry.n_words:,} words" if entry.n_words else "the words"
    width = f" of {entry.width} numbers" if entry.width else ""
    size = f", {megabytes(entry.size)}" if entry.size else ""
    say(f"Downloading {name}: {n_words}{width}{size}, to {stored_path(name)}", quiet)
    if kept := _received(entry):
        say(f"Going on after the {megabytes(kept)} that were received before.", quiet)
    parts = _parts(entry)
    for (file, checksum), part in zip(entry.files.items(), parts, strict=True):
        size_of_file = entry.size if len(parts) == 1 else None
        download(
            address(name, file),
            part,
            checksum=checksum,
            size=size_of_file,
            label=name if len(parts) == 1 else file,
            quiet=quiet,
        )
    _store(name, parts)
    checked = None not in entry.files.values()
    size = megabytes(os.path.getsize(stored_path(name)))
    checked_by = "The checksum is right" if checked else "The catalogue has no checksum"
    say(f"{checked_by}: {size} in {stored_path(name)}", quiet)


def _store(name: str, parts: list[str]) -> None:
    """Move a complete file to where gensim looks for it.

    gensim takes any folder of the name for complete, so that the folder appears with the file.
    """
    target = os.path.dirname(stored_path(name))
    new = os.path.join(folder(), f".{name}.new")
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new)
    file = os.path.join(new, f"{name}.gz")
    if len(parts) == 1:
        os.replace(parts[0], file)
    else:
        with open(file, "wb") as whole:
            for part in parts:
                with open(part, "rb") as piece:
                    shutil.copyfileobj(piece, whole, 1 << 20)
        for part in parts:
            os.unlink(part)
    # gensim.downloader.load runs this module to read the vectors. It is never run here, and the
    # vectors are found without it.
    with contextlib.suppress(TransferError, OSError):
        reader = read(address(name, "__init__.py"), attempts=1, quiet=True)
        if b"def load_data" in reader:
            with open(os.path.join(new, "__init__.py"), "wb") as module:
                module.write(reader)
    if os.path.isdir(target):
        for each in os.listdir(new):
            os.replace(os.path.join(new, each), os.path.join(target, each))
        os.rmdir(new)
    else:
        os.rename(new, target)


def _parts(entry: VectorsEntry) -> list[str]:
    """Return where files are until they are complete: beside gensim's folders, not in one."""
    return [os.path.join(folder(), f"{file}.part") for file in entry.files]


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
