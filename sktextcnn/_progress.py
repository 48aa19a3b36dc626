"""What is shown on stderr while something takes long: bars, and what one is waiting for.

In a terminal and in a notebook a bar is drawn anew in its place. A file, such as the log of a
job, gets lines instead, and few of them.
"""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, TextIO

# What takes less time is not worth a word.
_DELAY = 2.0
_SECONDS_OF_LINES = 10.0
_SECONDS_OF_WAITING = 1.0

# Of a terminal that does not know its size.
_COLUMNS, _ROWS = 80, 24

_COUNT = "{desc}: {n:,}{unit} [{elapsed}, {rate_fmt}{postfix}]"
_SHARE = "{desc}: {percentage:3.0f}%|{bar}| {n:,}/{total:,}{unit} [{elapsed}<{remaining}{postfix}]"
_SHARE_IN_LINES = "{desc}: {percentage:.0f}%, {n:,}/{total:,}{unit} [{elapsed}{postfix}]"


def progress_bar(*, shown: bool = True, slow: bool = False, **kwargs: Any) -> Any:
    """Make a bar of tqdm, which shows nothing where there is no stderr.

    Parameters
    ----------
    shown : bool, default=True
        Whether there is anything to see. If not, the bar costs nothing.
    slow : bool, default=False
        Whether it appears only after two seconds.
    **kwargs
        Arguments of tqdm. The `unit` follows a number, so it begins with a space. With
        `unit_scale`, it follows the letter of "k", "M" or "G".

    Returns
    -------
    tqdm
        It ends its line when it is closed, so use it in ``with``.
    """
    bar = _bar()
    if not shown or not _has_stderr():
        return bar(disable=True, **kwargs)
    in_lines = not _is_drawn()
    counts_up = kwargs.get("total") is None and not hasattr(kwargs.get("iterable"), "__len__")
    bar_format = _COUNT if counts_up else _SHARE_IN_LINES if in_lines else _SHARE
    if kwargs.get("unit_scale"):
        bar_format = bar_format.replace("n:,", "n_fmt").replace("total:,", "total_fmt")
    settings: dict[str, Any] = {"bar_format": bar_format}
    if slow:
        settings["delay"] = _DELAY
    if not in_lines and not _has_size():
        # Else tqdm would draw in no rows and columns at all.
        settings |= {"ncols": _COLUMNS, "nrows": _ROWS}
    if in_lines:
        settings |= {"file": _Lines(sys.stderr), "mininterval": _SECONDS_OF_LINES}
    return bar(**{**settings, **kwargs})


@functools.cache
def _bar() -> Any:
    from tqdm.auto import tqdm

    class Bar(tqdm):
        @property
        def format_dict(self) -> dict[str, Any]:
            state: dict[str, Any] = super().format_dict
            # tqdm has no share of nothing, nor if more is done than was to do, which happens: a
            # callback changes the size of batches, or the length of a sequence is wrong.
            if state["total"]:
                state["total"] = max(state["total"], state["n"])
            elif state["bar_format"] in (_SHARE, _SHARE_IN_LINES):
                state["bar_format"] = _COUNT
            return state

    return Bar


@contextlib.contextmanager
def waiting(what: str, *, shown: bool = True) -> Iterator[None]:
    """Say what takes so long, and for how many seconds already, if it takes more than two.

    Parameters
    ----------
    what : str
        What is done in the block.
    shown : bool, default=True
        Whether to say anything.
    """
    if not shown or not _has_stderr():
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_tell, args=(what, over), name=what, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _tell(what: str, over: threading.Event) -> None:
    if over.wait(_DELAY):
        return
    if not _is_drawn():
        say(f"{what} ...")
        return
    with progress_bar(total=0, desc=what, bar_format="{desc} [{elapsed}]") as bar:
        bar.start_t -= _DELAY
        while not over.wait(_SECONDS_OF_WAITING):
            bar.refresh()


def say(line: str, *, shown: bool = True) -> None:
    """Print a line on stderr, above a bar if there is one.

    Parameters
    ----------
    line : str
        The line. Control characters in it are shown as escape sequences.
    shown : bool, default=True
        Whether to say anything.
    """
    from tqdm.auto import tqdm

    if shown and _has_stderr():
        tqdm.write(one_line(line), file=sys.stderr)
        _flush(sys.stderr)


def one_line(text: str) -> str:
    """Return a text without line ends, and with control characters as escape sequences."""
    text = " ".join(text.split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _has_stderr() -> bool:
    """Whether there is a stderr, which a service may not have, or have closed."""
    return sys.stderr is not None and not getattr(sys.stderr, "closed", False)


def _is_drawn() -> bool:
    """Whether a bar can be drawn anew: by a widget of a notebook, or in a terminal."""
    from tqdm.auto import tqdm

    is_widget = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)
    # A stream that takes the place of stderr may have the method to write and no other.
    return is_widget or bool(getattr(sys.stderr, "isatty", lambda: False)())


def _flush(stream: Any) -> None:
    getattr(stream, "flush", lambda: None)()


def _has_size() -> bool:
    """Whether the terminal says how large it is, which some in containers do not."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError, AttributeError):  # Such as io.UnsupportedOperation.
        return True


class _Lines:
    """A stream in which each state of a bar is a line.

    Parameters
    ----------
    stream : text file
        Where the lines go.
    """

    encoding = "utf-8"

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._last = stream, ""

    def write(self, text: str) -> None:
        # tqdm moves up and down between bars, and writes over what it has written.
        line = text.replace("\x1b[A", "").strip()
        if line and line != self._last:
            self._stream.write(f"{line}\n")
            self._last = line

    def flush(self) -> None:
        _flush(self._stream)
