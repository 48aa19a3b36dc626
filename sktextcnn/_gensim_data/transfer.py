"""A file over HTTP: resumed where it broke off, and compared with its checksum."""

import contextlib
import hashlib
import http.client
import os
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import IO, Any

from sktextcnn._progress import one_line, progress_bar, say
from sktextcnn._version import __version__

# Seconds without a byte after which a connection counts as broken.
_TIMEOUT = 20.0
# Seconds before each further attempt, after those that brought nothing.
_WAITS = (1.0, 2.0, 4.0, 8.0)
_BLOCK = 1 << 16
# No catalogue is as large.
_LARGEST_READ = 1 << 25
# Answers of a server that may be another one a moment later.
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_PROXY_PASSWORD = (
    "the proxy wants a user and a password: set the environment variable HTTPS_PROXY to "
    "http://USER:PASSWORD@HOST:PORT"
)


class TransferError(ValueError):
    """A file was not received. The message is a clause that says why."""


class DiskError(TransferError):
    """A file was not received, since it cannot be written."""


class _BrokenOffError(Exception):
    """An attempt failed, and another one may not.

    `unreachable` says that there was no connection to the server at all.
    """

    def __init__(self, message: str, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


def read(url: str, *, quiet: bool = False) -> bytes:
    """Return the content of a small file.

    Parameters
    ----------
    url : str
        Its address.
    quiet : bool, default=False
        Whether to print nothing on stderr.

    Raises
    ------
    TransferError
        If it cannot be received.
    """

    def attempt() -> bytes:
        with _errors_of(url), _open(url) as response:
            return response.read(_LARGEST_READ)

    return _persistently(attempt, waits=_WAITS[:2], quiet=quiet)


def download(
    url: str,
    path: str,
    *,
    checksum: str | None,
    size: int | None = None,
    label: str = "",
    quiet: bool = False,
) -> None:
    """Receive a file, and go on with what is there of it already.

    Parameters
    ----------
    url : str
        Its address.
    path : str
        The file to write. It is complete only if no exception is raised. It stays if the
        connection breaks off, so that the next call goes on from there, and is deleted if it is
        not the file of the checksum.
    checksum : str or None
        The MD5 of the file; None if it is not known.
    size : int or None, default=None
        The number of bytes, if the server does not say it.
    label : str, default=""
        What stands before the progress bar.
    quiet : bool, default=False
        Whether to print nothing on stderr.

    Raises
    ------
    TransferError
        If the file cannot be received or written, or has another checksum.
    """
    with _PartialFile(path) as part:
        resumed = part.size > 0
        with progress_bar(
            shown=not quiet,
            desc=label,
            total=size,
            initial=part.size,
            unit="B",
            unit_scale=True,
        ) as bar:
            while True:
                _persistently(
                    lambda: _receive(url, part, size, bar),
                    waits=_WAITS,
                    progress=lambda: part.size,
                    quiet=quiet,
                )
                found = part.digest.hexdigest()
                if checksum is None or found == checksum.lower():
                    sync(part.file)
                    return
                part.restart()
                if not resumed:
                    raise TransferError(
                        f"the checksum of what {_host(url)} sent is {found}, and it should be "
                        f"{checksum}, so it was deleted; a proxy may have changed it"
                    )
                # What was there may be of another file of this name.
                resumed = False
                say("The checksum is wrong; starting again from the beginning.", shown=not quiet)


class _PartialFile:
    """A file that grows over some connections, with its size and its checksum so far."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        self.n_connections = 0
        self.digest = _md5()
        # Without a buffer, so that the size is what the disk has taken.
        self.file = open(path, "ab", buffering=0)  # noqa: SIM115
        if os.fstat(self.file.fileno()).st_size:
            with open(path, "rb") as file:
                for block in iter(lambda: file.read(1 << 20), b""):
                    self.digest.update(block)
                    self.size += len(block)

    def __enter__(self) -> "_PartialFile":
        return self

    def __exit__(self, *_: Any) -> None:
        self.file.close()
        if self.size == 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)

    def write(self, block: bytes) -> None:
        """Append bytes. A disk that is nearly full takes some of them."""
        rest = memoryview(block)
        while rest:
            with self._disk_errors():
                n = self.file.write(rest)
            self.digest.update(rest[:n])
            self.size += n
            rest = rest[n:]

    def restart(self) -> None:
        """Drop what was received."""
        if self.size:
            with self._disk_errors():
                self.file.truncate(0)
        self.size = 0
        self.digest = _md5()

    @contextlib.contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise DiskError(f"{self.path} cannot be written ({reason})") from error


def sync(file: IO[bytes]) -> None:
    """Let the disk have a file before it gets its name."""
    file.flush()
    with contextlib.suppress(OSError):  # Some file systems cannot.
        os.fsync(file.fileno())


def file_checksum(path: str) -> str:
    """Return the MD5 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, _md5).hexdigest()


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


# Attempts -----------------------------------------------------------------------------


def _persistently(
    attempt: Callable[[], Any],
    *,
    waits: tuple[float, ...],
    progress: Callable[[], int] = lambda: 0,
    quiet: bool,
) -> Any:
    """Repeat an attempt that may succeed the next time, at once if it made some progress."""
    failures, start = 0, progress()
    furthest = start
    while True:
        try:
            return attempt()
        except _BrokenOffError as error:
            if progress() > furthest:
                # More than ever: a server that begins anew each time makes no progress.
                furthest, failures = progress(), 0
                continue
            if (error.unreachable and furthest == start) or failures >= len(waits):
                raise TransferError(str(error)) from error
            wait = waits[failures]
            failures += 1
            what = f"{str(error)[0].upper()}{str(error)[1:]}"
            say(f"{what}; trying again in {wait:g} s.", shown=not quiet)
            time.sleep(wait)


def _receive(url: str, part: _PartialFile, size: int | None, bar: Any) -> None:
    """Receive the rest of a file."""
    host = _host(url)
    part.n_connections += 1
    if part.n_connections > 1:
        bar.set_postfix_str(f"connection {part.n_connections}")
    with _errors_of(url), _open(url, part.size) as response:
        total = _begin(response, part, host) or size
        if total is not None:
            _check_space(part.path, total - part.size)
        bar.total, bar.n = total, part.size
        # The speed is that of what comes now. A bar that is not shown has no beginning.
        bar.initial = min(getattr(bar, "initial", 0), part.size)
        bar.refresh()
        while block := response.read1(_BLOCK):
            if part.size == 0 and block.lstrip()[:1] == b"<":
                raise TransferError(_sent_a_page(host))
            part.write(block)
            bar.update(len(block))
    if part.size == 0 or (total is not None and part.size < total):
        raise _BrokenOffError(f"the connection to {host} broke off")


def _begin(response: Any, part: _PartialFile, host: str) -> int | None:
    """Set the part to where an answer begins, and return the size of the whole file if known."""
    content_range = response.headers.get("Content-Range", "")
    where, _, total = content_range.removeprefix("bytes ").partition("/")
    if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        # Nothing comes after what is there. The checksum tells whether it is the file.
        if _number(total) not in (None, part.size):
            part.restart()
            raise _BrokenOffError(f"{host} has a smaller file now")
        response.read()
        return part.size
    if "text/html" in response.headers.get("Content-Type", ""):
        raise TransferError(_sent_a_page(host))
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        if _number(where.partition("-")[0]) == part.size:
            return _number(total)
        part.restart()
        raise _BrokenOffError(f"{host} sent another part of the file than was asked for")
    # The server sends the whole file, whatever it is asked for.
    part.restart()
    return _number(response.headers.get("Content-Length"))


def _check_space(path: str, needed: int) -> None:
    try:
        free = shutil.disk_usage(os.path.dirname(path)).free
    except OSError:
        return  # It is not known. Writing will tell.
    if free < needed:
        raise DiskError(
            f"{needed / 1e6:,.1f} MB are to be received, and the disk of {os.path.dirname(path)} "
            f"has {free / 1e6:,.1f} MB free"
        )


# Connections --------------------------------------------------------------------------


def _open(url: str, start: int = 0) -> Any:
    """Ask for a file from a byte on, and return the answer."""
    headers = {"User-Agent": f"sktextcnn/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        # A new opener, since that of urlopen keeps the proxies that it found first.
        opener = urllib.request.build_opener()
        return opener.open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return error
        with error:
            raise _answered(error, _host(url)) from error


def _answered(error: urllib.error.HTTPError, host: str) -> Exception:
    # A server may send anything as its reason, such as control characters for a terminal.
    answer = one_line(f"{host} answered {error.code} {error.reason}")
    if error.code in _PASSING:
        return _BrokenOffError(answer)
    if error.code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return TransferError(f"{answer}; {_PROXY_PASSWORD}")
    return TransferError(answer)


@contextlib.contextmanager
def _errors_of(url: str) -> Iterator[None]:
    """Say of what fails between here and the server whether another attempt may succeed."""
    host = _host(url)
    try:
        yield
    except urllib.error.URLError as error:
        # There was no connection. What the system says is its reason.
        raise _not_connected(error.reason, url) from error
    except TimeoutError as error:
        raise _BrokenOffError(f"{host} sent nothing for {_TIMEOUT:g} s") from error
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOffError(f"the connection to {host} broke off ({_reason(error)})") from error
    except ValueError as error:
        if isinstance(error, TransferError):
            raise
        raise TransferError(f"{url} is not an address ({error})") from error


def _not_connected(reason: Any, url: str) -> Exception:
    host = _host(url)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return TransferError(
            f"the certificate of {host} is not trusted ({reason.verify_message}); if a proxy reads "
            f"along, set the environment variable SSL_CERT_FILE to a file with its certificate"
        )
    if isinstance(reason, ssl.SSLError):
        return _BrokenOffError(f"there is no secure connection to {host} ({_reason(reason)})")
    why = _reason(reason)
    if " 407" in why:  # A proxy's answer for an address of https
        why = f"{why}; {_PROXY_PASSWORD}"
    proxy = urllib.request.getproxies().get(urllib.parse.urlsplit(url).scheme)
    used = proxy is not None and not urllib.request.proxy_bypass(host)
    through = f" through the proxy {_host(proxy)}" if proxy and used else ""
    return _BrokenOffError(f"there is no connection to {host}{through} ({why})", unreachable=True)


def _reason(error: Any) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer for {_TIMEOUT:g} s"
    return one_line(str(getattr(error, "strerror", None) or error or type(error).__name__))


def _sent_a_page(host: str) -> str:
    return (
        f"a web page came instead of the file of {host}, such as that of a proxy or the login page "
        f"of a network"
    )


def _host(url: str) -> str:
    """Return the server of an address, without a user and a password."""
    return (urllib.parse.urlsplit(url).netloc or url).rpartition("@")[2]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
