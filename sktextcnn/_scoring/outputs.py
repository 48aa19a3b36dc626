"""The columns that are added to a frame."""

from typing import Any, NamedTuple

import numpy as np

from sktextcnn._scoring.loaded import ScoringModel


class Column(NamedTuple):
    """A column of predictions.

    Attributes
    ----------
    name : str
    values : list or ndarray of float64, shape (n_rows,)
        Values of Python. A missing one is None in a list and NaN in an array.
    kind : type
        The type of the values.
    several : bool
        Whether each row has a list of them.
    nullable : bool
        Whether values may be missing in other frames, if not in this one.
    """

    name: str
    values: Any
    kind: type
    several: bool
    nullable: bool


class OutputNames(NamedTuple):
    """What the new columns are called, and which there are.

    Attributes
    ----------
    prediction, probability : str or None
        None for no such column.
    all_classes : bool
        Whether `probability` begins the names of columns, one for each class.
    """

    prediction: str | None
    probability: str | None
    all_classes: bool

    def of(self, model: ScoringModel) -> list[str]:
        """Return the names of all columns for a model."""
        names = [] if self.prediction is None else [self.prediction]
        if self.probability is None:
            return names
        if self.all_classes:
            return names + [f"{self.probability}_{label}" for label in model.labels]
        return [*names, self.probability]


def output_columns(
    model: ScoringModel, proba: np.ndarray, known: np.ndarray, names: OutputNames, nullable: bool
) -> list[Column]:
    """Return the columns for the probabilities of rows.

    Parameters
    ----------
    model : ScoringModel
    proba : ndarray of shape (n_rows, n_classes)
    known : ndarray of bool, shape (n_rows,)
        Rows that have a text; the others have no prediction.
    names : OutputNames
    nullable : bool
        Whether there may be rows without a text.
    """
    labels, several = model.labels, model.multilabel
    if several:
        chosen = [np.flatnonzero(row > 0.5).tolist() for row in proba]
        predicted: list[Any] = [[labels[i] for i in row] for row in chosen]
        of_predicted: Any = [row[some].tolist() for row, some in zip(proba, chosen, strict=True)]
        of_predicted = _where(known, of_predicted)
    else:
        predicted = [labels[i] for i in proba.argmax(axis=1).tolist()]
        of_predicted = proba.max(axis=1)
    columns = []
    if names.prediction is not None:
        values = _where(known, predicted)
        columns.append(Column(names.prediction, values, model.kind, several, nullable))
    if names.probability is not None and names.all_classes:
        of_classes = zip(names.of(model)[-len(labels) :], proba.T, strict=True)
        columns += [Column(name, of, float, False, nullable) for name, of in of_classes]
    elif names.probability is not None:
        columns.append(Column(names.probability, of_predicted, float, several, nullable))
    return columns


def _where(known: np.ndarray, values: list[Any]) -> list[Any]:
    return [value if has else None for value, has in zip(values, known.tolist(), strict=True)]
