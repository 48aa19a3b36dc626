"""The vectorizer and the classifier of a Pipeline."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._vectorizer import TextVectorizer


class Step(NamedTuple):
    """A step of a Pipeline.

    Attributes
    ----------
    place : tuple of int
        Its index in each Pipeline, from the outermost one.
    path : tuple of str
        The same, by names.
    estimator : estimator
    """

    place: tuple[int, ...]
    path: tuple[str, ...]
    estimator: Any


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
    steps = inference_steps(pipeline)
    if not are_our_two(steps):
        names = ", ".join(type(step.estimator).__name__ for step in steps)
        name = "model" if pipeline is model else "model.best_estimator_"
        raise TypeError(
            f"{caller} takes a Pipeline of a TextVectorizer and a TextCNNClassifier; got "
            f"{type(model).__name__}{f' of {names}' if steps else ''}.{part_to_pass(steps, name)}"
        )
    for step in steps:
        check_is_fitted(step.estimator)
    vectorizer, classifier = (step.estimator for step in steps)
    return vectorizer, classifier


def inference_steps(pipeline: Any) -> list[Step]:
    """Return the steps that act in a prediction, those of inner Pipelines too.

    Steps that pass everything through, and samplers, which only act in ``fit``, are left out.

    Parameters
    ----------
    pipeline : Pipeline
        Of scikit-learn or imbalanced-learn. Any other object has no steps.

    Returns
    -------
    list of Step
    """
    return list(_steps(pipeline, (), ()))


def _steps(pipeline: Any, place: tuple[int, ...], path: tuple[str, ...]) -> Iterator[Step]:
    for index, (name, estimator) in enumerate(getattr(pipeline, "steps", ())):
        if hasattr(estimator, "steps"):
            yield from _steps(estimator, (*place, index), (*path, name))
        elif not (
            estimator is None or estimator == "passthrough" or hasattr(estimator, "fit_resample")
        ):
            yield Step((*place, index), (*path, name), estimator)


def are_our_two(steps: list[Step]) -> bool:
    """Whether steps are a TextVectorizer and a TextCNNClassifier."""
    return [type(step.estimator) for step in steps] == [TextVectorizer, TextCNNClassifier]


def part_to_pass(steps: list[Step], name: str) -> str:
    """Say which part of a Pipeline with steps before our two to pass instead.

    Parameters
    ----------
    steps : list of Step
        All steps.
    name : str
        What to call the Pipeline.

    Returns
    -------
    str
        A sentence, after a space. Empty if the last two steps are not ours.
    """
    if not are_our_two(steps[-2:]):
        return ""
    *before, first, last = (step.place for step in steps)
    indices = ["".join(f"[{index}]" for index in place) for place in (first, last)]
    outer = first[:-1]
    if outer != last[:-1]:
        part = f"make_pipeline({name}{indices[0]}, {name}{indices[1]})"
    else:
        part = name + "".join(f"[{index}]" for index in outer)
        if any(place[: len(outer)] == outer for place in before):
            part += f"[{first[-1]}:]"
    return f" Pass its last two steps, {part}, and texts as the steps before return them."


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
