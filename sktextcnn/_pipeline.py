"""The vectorizer and the classifier of a Pipeline."""

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
        The argument of the user.
    caller : str
        The name of the function that the user called, for error messages.

    Returns
    -------
    vectorizer : TextVectorizer
    classifier : TextCNNClassifier

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If it is not a Pipeline of these two steps.
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
    """Return the best model of a search; return other models unchanged.

    Parameters
    ----------
    model : estimator
        The argument of the user.
    caller : str
        The name of the function that the user called, for error messages.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is a search without a best model.
    """
    if hasattr(model, "refit") and not hasattr(model, "best_estimator_"):
        raise NotFittedError(
            f"{caller} takes the best model of a search, but this {type(model).__name__} has none. "
            f"Fit it first, with refit=True."
        )
    return getattr(model, "best_estimator_", model)
