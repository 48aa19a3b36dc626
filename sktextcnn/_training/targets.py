"""Validation and encoding of targets and weights, and the split for validation."""

import numbers
import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from sktextcnn._training.labels import CodedLabels, as_labels

# One-hot labels are only told from labels of several questions if there are so many rows.
_TELLING_ROWS = 10


class Targets(NamedTuple):
    """Encoded labels: int64 of shape (n,), or float32 of (n, n_labels) if multilabel."""

    encoded: np.ndarray
    classes: np.ndarray
    multilabel: bool


def encode_targets(
    y: Any,
    n_texts: int,
    classes: np.ndarray | None = None,
    multilabel: bool | None = None,
    names: tuple[str, str] = ("X", "y"),
) -> Targets:
    """Validate and encode labels of any type, or an indicator matrix.

    Parameters
    ----------
    y : CodedLabels, or array-like of shape (n_texts,) or (n_texts, n_labels)
        The targets.
    n_texts : int
        The number of texts.
    classes : ndarray or None
        The classes that may occur, sorted; None for those of `y`.
    multilabel : bool or None
        Whether it must be an indicator matrix or must not; None for either.
    names : tuple of str, default=("X", "y")
        The names of the parameters in error messages.

    Raises
    ------
    TypeError, ValueError
        If `y` is missing, has another length, has a missing label, has only one class or one
        that is not among `classes`, or is not a classification target.
    """
    X_name, y_name = names
    if y is None:
        raise ValueError("TextCNNClassifier requires y to be passed, but the target y is None.")
    n_labels = _n_labels(y, y_name)
    if n_labels != n_texts:
        raise ValueError(f"{X_name} has {n_texts} texts, but {y_name} has {n_labels} labels.")
    if isinstance(y, CodedLabels):
        # Each twice, as scikit-learn warns of labels most of which occur once.
        twice = np.concatenate([y.distinct, y.distinct]) if n_labels else y.distinct
        targets = encode_targets(twice, len(twice), classes, multilabel, names)
        return targets._replace(encoded=targets.encoded[y.codes])
    y = as_labels(y, y_name)
    kind = type_of_target(y, input_name=y_name)
    check_classification_targets(y)
    if multilabel is not None and multilabel != (kind == "multilabel-indicator"):
        expected, given = "an indicator matrix", "labels"
        if not multilabel:
            expected, given = given, expected
        raise ValueError(
            f"{y_name} must be {expected}, as in the training so far; got {given}. "
            f"MultiLabelBinarizer makes an indicator matrix."
        )
    if kind == "multilabel-indicator":
        dense = check_array(y, accept_sparse=True, input_name=y_name)
        dense = dense.toarray() if hasattr(dense, "toarray") else dense
        n_columns = dense.shape[1]
        if classes is not None and len(classes) != n_columns:
            raise ValueError(
                f"{y_name} has {n_columns} columns of labels; expected {len(classes)}."
            )
        if classes is None and len(dense) >= _TELLING_ROWS and (dense.sum(axis=1) == 1).all():
            warnings.warn(
                f"{y_name} is an indicator matrix with one label in each row, and is learned as "
                f"{n_columns} questions that do not exclude each other. For one of "
                f"{n_columns} classes, pass the labels themselves: {y_name}.argmax(axis=1).",
                UserWarning,
                stacklevel=4,
            )
        # Those of a model of the command line have names, which further training keeps.
        columns = np.arange(n_columns) if classes is None else classes
        return Targets(dense.astype(np.float32), columns, True)
    if kind == "multiclass-multioutput":
        raise ValueError(
            f"{y_name} has several columns of classes. Give one label for each text, or an "
            f"indicator matrix of zeros and ones, such as MultiLabelBinarizer makes."
        )
    labels = column_or_1d(y, warn=True)
    if classes is None:
        classes, index = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"{y_name} has only one class, {classes.tolist()[0]!r}; a classifier needs at "
                f"least two classes to tell apart."
            )
        return Targets(index.astype(np.int64), classes, False)
    unknown = ~np.isin(labels, classes)
    if unknown.any():
        first = labels[unknown].tolist()[0]
        raise ValueError(
            f"{y_name} has the label {first!r}, which is not one of the classes {classes.tolist()}."
        )
    return Targets(np.searchsorted(classes, labels).astype(np.int64), classes, False)


def combine_weights(
    n_texts: int,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    *,
    name: str = "sample_weight",
    balanced_by: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray | None:
    """Multiply the weights of texts and of classes.

    Parameters
    ----------
    n_texts : int
        The number of texts.
    y : CodedLabels or array-like
        Their targets.
    sample_weight : array-like of shape (n_texts,) or None
        The weight of each text.
    class_weight : dict, list of dict, "balanced" or None
        As in scikit-learn.
    name : str, default="sample_weight"
        The name of the parameter in error messages.
    balanced_by : pair of ndarray, or None
        Encoded targets of the training and of these texts: "balanced" is by the former. None: by
        `y` itself.

    Returns
    -------
    ndarray of shape (n_texts,), float64, or None
        None if there are neither weights of texts nor of classes.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are 0.
    """
    if sample_weight is None and class_weight is None:
        return None
    weight = np.ones(n_texts)
    if sample_weight is not None:
        weight = _checked_weights(sample_weight, n_texts, name)
    if class_weight is not None:
        if isinstance(y, CodedLabels) and isinstance(class_weight, str):
            of_classes = compute_sample_weight(class_weight, y.codes)
        elif isinstance(y, CodedLabels):
            of_classes = compute_sample_weight(class_weight, as_labels(y.distinct))[y.codes]
        elif balanced_by is None or not isinstance(class_weight, str):
            of_classes = compute_sample_weight(class_weight, as_labels(y))
        else:
            n_train = len(balanced_by[0])
            both = np.concatenate(balanced_by)
            of_classes = compute_sample_weight(class_weight, both, indices=range(n_train))[n_train:]
        if not (np.isfinite(of_classes) & (of_classes >= 0)).all():
            raise ValueError(
                f"class_weight must hold finite weights of at least 0; got {class_weight!r}."
            )
        weight = weight * of_classes
    if not weight.any():
        raise ValueError(
            f"{name} and class_weight give every text a weight of zero; at least one weight must "
            f"be above zero."
        )
    return weight


def _checked_weights(sample_weight: Any, n_texts: int, name: str) -> np.ndarray:
    if isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(n_texts, sample_weight)
    weight = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name=name, accept_sparse=False
    )
    if weight.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar: {name} has {weight.ndim}.")
    if len(weight) != n_texts:
        raise ValueError(f"{name}.shape == {weight.shape}, expected {(n_texts,)}!")
    if (weight < 0).any():
        raise ValueError(f"Negative values in data passed to `{name}`.")
    return weight


def _n_labels(y: Any, name: str) -> int:
    """Return the number of targets."""
    if isinstance(y, str | bytes) or not any(
        hasattr(y, attribute) for attribute in ("__len__", "shape", "__array__")
    ):
        raise TypeError(f"{name} must be an array-like of labels; got {y!r:.60}.")
    shape = y.shape if isinstance(getattr(y, "shape", None), tuple) else None
    if shape is None and not hasattr(y, "__len__"):
        shape = np.asarray(y).shape
    if shape == ():
        raise TypeError(f"{name} must be an array-like of labels; got {y!r:.60}.")
    return len(y) if shape is None else int(shape[0])


def split_off_validation(
    targets: Targets, fraction: float, random_state: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the rows for training and for validation, stratified by class."""
    try:
        train, valid = train_test_split(
            np.arange(len(targets.encoded)),
            test_size=fraction,
            random_state=random_state,
            stratify=None if targets.multilabel else targets.encoded,
        )
    except ValueError as error:
        raise ValueError(
            f"early_stopping=True cannot hold out validation_fraction={fraction} of the texts, "
            f"stratified by class: {error} Pass X_val and y_val to fit, or more texts of each "
            f"class."
        ) from error
    return train, valid
