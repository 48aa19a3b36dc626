"""User errors: what is wrong with the input, and how to fix it."""

import contextlib
from collections.abc import Iterator


class InputError(Exception):
    """A user error. The message names the file or option and says how to fix it."""


@contextlib.contextmanager
def as_input_error(prefix: str = "") -> Iterator[None]:
    """Raise a ValueError or an ImportError of the library as an `InputError`.

    Parameters
    ----------
    prefix : str, default=""
        What the message begins with, such as the option that has the wrong value.
    """
    try:
        yield
    except (ValueError, ImportError) as error:
        raise InputError(f"{prefix}{error}") from error
