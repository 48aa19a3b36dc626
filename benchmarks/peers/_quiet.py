"""Keep the progress bars and notes of other libraries out of the benchmark's own bar."""

import contextlib
import os
from collections.abc import Iterator

from transformers.utils import logging


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Show nothing on the standard error stream."""
    logging.set_verbosity_error()
    with open(os.devnull, "w") as nothing, contextlib.redirect_stderr(nothing):
        yield
