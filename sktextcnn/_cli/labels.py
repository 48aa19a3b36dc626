"""Labels: their names, which are the same in every format, and the classes that they are."""

import re
from collections.abc import Iterable
from typing import Any

_WHOLE_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")


def label_key(label: Any) -> str:
    """Return what a label is compared by.

    csv has all labels as strings, and programs write whole numbers as 1 or 1.0, and truth values
    as True, true or TRUE. Labels that differ only in this are the same.

    Parameters
    ----------
    label : str, bool, int or float
        The label.
    """
    text = str(label)
    if text.lower() in ("true", "false"):
        return text.lower()
    if whole := _WHOLE_NUMBER.fullmatch(text):
        text = whole[1]
    return "0" if text == "-0" else text


class Classes:
    """The classes of a model, found by labels of any format.

    Parameters
    ----------
    classes : iterable of label
        The classes, in the order of the model.
    """

    def __init__(self, classes: Iterable[Any]) -> None:
        self.labels = list(classes)
        self.names = [str(label) for label in self.labels]
        # A model that was trained in Python may have both "1" and "1.0".
        self._index = {label_key(label): i for i, label in reversed([*enumerate(self.labels)])}
        self._index |= {name: i for i, name in enumerate(self.names)}

    def index(self, label: Any) -> int | None:
        """Return the index of the class that a label is, or None."""
        found = self._index.get(str(label))
        return self._index.get(label_key(label)) if found is None else found
