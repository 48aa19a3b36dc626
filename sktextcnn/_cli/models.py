"""Loading and saving models."""

import sys
from typing import TYPE_CHECKING

from sktextcnn._cli.errors import InputError, as_input_error
from sktextcnn._progress import waiting

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def load_model(path: str, *, quiet: bool) -> "Pipeline":
    """Load a Pipeline of a vectorizer and a classifier, and say so if it takes long."""
    # Imports count, too, which take seconds where the disk is slow. A log needs no line of it.
    shown = not quiet and sys.stderr.isatty()
    with waiting(f"Loading {path}", shown=shown), as_input_error():
        from sktextcnn._files import load
        from sktextcnn._pipeline import fitted_parts

        model = load(path)
    try:
        fitted_parts(model, "the command line")
    except TypeError as error:
        raise InputError(f"{path}: {error}") from error
    return model


def save_model(model: "Pipeline", path: str) -> None:
    """Save a Pipeline."""
    from sktextcnn._files import save

    with as_input_error():
        save(model, path)
