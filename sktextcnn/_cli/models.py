"""Loading and saving models."""

from typing import TYPE_CHECKING

from sktextcnn._cli.errors import InputError, as_input_error

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def load_model(path: str) -> "Pipeline":
    """Load a Pipeline of a vectorizer and a classifier."""
    from sktextcnn._files import load
    from sktextcnn._pipeline import fitted_parts

    with as_input_error():
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
