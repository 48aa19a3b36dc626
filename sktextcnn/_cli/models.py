"""Loading, saving and naming the classes of models."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

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


def classes_by_name(classes: Iterable[Any]) -> dict[str, Any]:
    """Return the classes of a model by their names: csv and the shell have 1 as a string."""
    return {str(label): label for label in classes}
