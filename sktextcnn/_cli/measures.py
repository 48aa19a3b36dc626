"""How good predictions are: over all texts, for each class, and which classes are confused."""

from typing import Any


def of_one_label(true: list[int], predicted: list[int], names: list[str]) -> dict[str, Any]:
    """Return the measures of predictions of one class for each text.

    Parameters
    ----------
    true, predicted : list of int
        The index of the class of each text.
    names : list of str
        The classes.

    Returns
    -------
    dict
        `accuracy`, `macro_f1`; `classes`, the measures of each; `confusions`, pairs of classes,
        the most frequent first; and `confusion_matrix`, with a row for each true class.
    """
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    classes = _of_classes(true, predicted, names)
    matrix = confusion_matrix(true, predicted, labels=range(len(names))).tolist()
    return {
        "accuracy": accuracy_score(true, predicted),
        # Classes that are neither in the file nor predicted do not count.
        "macro_f1": f1_score(true, predicted, average="macro", zero_division=0.0),
        "classes": classes,
        "confusions": _confusions(matrix, names),
        "confusion_matrix": matrix,
    }


def of_several_labels(
    true: list[list[int]], predicted: list[list[int]], names: list[str]
) -> dict[str, Any]:
    """Return the measures of predictions of any number of labels.

    Parameters
    ----------
    true, predicted : list of list of int
        The indices of the labels of each text.
    names : list of str
        The labels.
    """
    from sklearn.metrics import accuracy_score, f1_score, hamming_loss
    from sklearn.preprocessing import MultiLabelBinarizer

    binarizer = MultiLabelBinarizer(classes=range(len(names)))
    y = binarizer.fit_transform(true), binarizer.fit_transform(predicted)
    return {
        "subset_accuracy": accuracy_score(*y),
        "hamming_loss": hamming_loss(*y),
        "micro_f1": f1_score(*y, average="micro", zero_division=0.0),
        "macro_f1": f1_score(*y, average="macro", zero_division=0.0),
        "classes": _of_classes(*y, names),
    }


def _of_classes(true: Any, predicted: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the measures of each class."""
    from sklearn.metrics import precision_recall_fscore_support

    numbers = range(len(names))
    measures = precision_recall_fscore_support(true, predicted, labels=numbers, zero_division=0.0)
    keys = ("precision", "recall", "f1", "support")
    rows = zip(*(values.tolist() for values in measures), strict=True)
    return {name: dict(zip(keys, row, strict=True)) for name, row in zip(names, rows, strict=True)}


def _confusions(matrix: list[list[int]], names: list[str]) -> list[dict[str, Any]]:
    """Return the pairs of classes that were confused, the most frequent first.

    The share is that of the texts of the true class.
    """
    pairs = []
    for true, row in zip(names, matrix, strict=True):
        n_texts = sum(row)
        pairs += [
            {"true": true, "predicted": predicted, "count": count, "share": count / n_texts}
            for predicted, count in zip(names, row, strict=True)
            if count and true != predicted
        ]
    return sorted(pairs, key=lambda pair: (-pair["count"], -pair["share"]))
