"""The two estimators of a Pipeline from texts to classes."""

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._vectorizer import TextVectorizer


def fitted_parts(model: Any, caller: str) -> tuple[TextVectorizer, TextCNNClassifier]:
    """Return the vectorizer and the classifier of a fitted Pipeline.

    Parameters
    ----------
    model : Pipeline, or a search over one
        What the user gave.
    caller : str
        The function that it was given to, for errors.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    TypeError
        If it is another model.
    """
    pipeline = best_model(model, caller)
    steps = [step for _, step in getattr(pipeline, "steps", ())]
    if [type(step) for step in steps] != [TextVectorizer, TextCNNClassifier]:
        names = ", ".join(type(step).__name__ for step in steps)
        raise TypeError(
            f"{caller} takes a Pipeline of a TextVectorizer and a TextCNNClassifier; got "
            f"{type(model).__name__}{f' of {names}' if steps else ''}."
        )
    vectorizer, classifier = steps
    for step in steps:
        check_is_fitted(step)
    return vectorizer, classifier


def best_model(model: Any, caller: str) -> Any:
    """Return the best model of a search, and other models as they are.

    Parameters
    ----------
    model : estimator
        What the user gave.
    caller : str
        The function that it was given to, for errors.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is a search without a best model.
    """
    if hasattr(model, "refit") and not hasattr(model, "best_estimator_"):
        raise NotFittedError(
            f"{caller} takes the best model of a search, but this {type(model).__name__} has none. "
            f"Fit it first, with refit=True."
        )
    return getattr(model, "best_estimator_", model)
