"""Labels from the containers and types that hold them, as arrays that scikit-learn sorts."""

import enum
from typing import Any

import numpy as np


class CodedLabels:
    """Labels as numbers, for many texts of few labels.

    Parameters
    ----------
    codes : ndarray of shape (n_texts,), int32
        The place of each text's label in `distinct`.
    distinct : array-like
        The labels, in the container that those of all texts would be in.
    """

    def __init__(self, codes: np.ndarray, distinct: Any) -> None:
        self.codes, self.distinct = codes, distinct

    def __len__(self) -> int:
        return len(self.codes)


def as_labels(y: Any, name: str = "y") -> Any:
    """Return labels as scikit-learn takes them.

    Columns of pandas and Arrow with bools, ints or floats, and object arrays of them, become
    arrays of these types. Members of an enumeration of str or int become their values, to which
    they are equal. Other targets are returned as they are.

    Parameters
    ----------
    y : array-like
        The targets.
    name : str, default="y"
        The name of the parameter in error messages.

    Returns
    -------
    array-like
        The targets.

    Raises
    ------
    TypeError, ValueError
        If a label is missing or infinite, if labels are of several types, or of a type that has no
        order or that scikit-learn does not take.
    """
    values = np.asarray(y, dtype=object) if isinstance(y, list | tuple) else np.asarray(y)
    if values.dtype.kind == "T":  # NumPy's StringDType
        _check_present(values.tolist(), name)
        return np.array(values.tolist())
    if values.ndim != 1:
        return y
    labels = values.tolist() if values.dtype.kind in "Of" else []
    # Objects may be NumPy's own numbers.
    labels = [
        label.item() if isinstance(label, np.number | np.bool_) else label for label in labels
    ]
    _check_present(labels, name)
    if labels and values.dtype.kind == "O":
        return _of_one_type(y, labels, name)
    # scikit-learn makes floats of pandas' own types.
    return y if isinstance(getattr(y, "dtype", values.dtype), np.dtype) else values


def _check_present(labels: list[Any], name: str) -> None:
    for position, label in enumerate(labels):
        if _is_missing(label):
            raise ValueError(
                f"{name} has no label for text {position} (counting from 0): got "
                f"{label}. Input contains NaN or None; drop the text or label it."
            )
        if isinstance(label, float) and np.isinf(label):
            raise ValueError(
                f"{name} has the label {label} for text {position} (counting from 0). Input "
                f"contains infinity; labels must be finite."
            )


def _of_one_type(y: Any, labels: list[Any], name: str) -> Any:
    first = labels[0]
    words = [isinstance(label, str) for label in labels]
    if any(words) and not all(words):
        word, other = labels[words.index(True)], labels[words.index(False)]
        raise TypeError(
            f"{name} mixes labels of type str, such as {word!r}, with {other!r} of type "
            f"{type(other).__name__}. Make all of them str, or none."
        )
    if all(words):
        # The text of a member of (str, Enum) is its name, not its value.
        if any(isinstance(label, enum.Enum) for label in labels):
            return np.array([str.__str__(label) for label in labels], dtype=object)
        return y
    if all(isinstance(label, bool) for label in labels):
        return np.array(labels)
    if all(isinstance(label, int | float) for label in labels):
        # A member of an enumeration becomes its value.
        return np.array(
            [int(label) if isinstance(label, int) else float(label) for label in labels]
        )
    if isinstance(first, enum.Enum) or not isinstance(first, (int, float, bytes, list, tuple)):
        remedy = "label.name" if isinstance(first, enum.Enum) else "str(label)"
        raise TypeError(
            f"{name} has labels of type {type(first).__name__}, such as {first!r:.60}, which "
            f"scikit-learn does not take. Convert them: [{remedy} for label in {name}]. (Unknown "
            f"label type: labels must be str, bool or numbers.)"
        )
    return y


def _is_missing(label: Any) -> bool:
    if label is None:
        return True
    try:
        return bool(label != label)  # NaN differs from itself.
    except (TypeError, ValueError):  # pandas.NA, and an array.
        return type(label).__name__ == "NAType"
