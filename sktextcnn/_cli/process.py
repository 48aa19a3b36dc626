"""The process of a command: its standard streams, and the signals that end it."""

import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any


def prepare_streams() -> None:
    """Open standard streams that are closed, and let stdout replace unknown characters."""
    # A file that is opened later must not get the number of a closed standard stream.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # For what is printed to a terminal; rows are written to its buffer, always in UTF-8.
        sys.stdout.reconfigure(errors="backslashreplace")


def discard_stdout() -> None:
    """Drop what a broken pipe or a full disk did not take, which Python would write at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def signals_as_exit() -> Iterator[None]:
    """Raise SystemExit at SIGTERM and SIGHUP, so that partial files are removed."""

    def leave(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            # Windows does not have SIGHUP. An ignored signal, as under nohup, stays ignored.
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) == signal.SIG_DFL:
                before[getattr(signal, name)] = signal.signal(getattr(signal, name), leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
