"""Labels as values of one type, which a column of any engine can hold."""

import datetime
from typing import Any

import numpy as np

# A datetime is a date and a bool is an int, so those come first.
_KINDS: tuple[type, ...] = (bool, int, float, str, datetime.datetime, datetime.date)


def plain_labels(classes: np.ndarray, path: str) -> tuple[list[Any], type]:
    """Return classes as values of Python, and their type.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
    path : str
        The file of the model, for messages.

    Returns
    -------
    labels : list
        Of bool, int, float, str, datetime or date.
    kind : type

    Raises
    ------
    TypeError
        If they are of several types or of another one.
    """
    if classes.dtype.kind == "M" and np.datetime_data(classes.dtype)[0] not in ("D", "W", "M", "Y"):
        # Nanoseconds would become integers.
        classes = classes.astype("datetime64[us]")
    labels = [
        label.item() if isinstance(label, np.generic) else label for label in classes.tolist()
    ]
    kinds = {next((k for k in _KINDS if isinstance(each, k)), type(each)) for each in labels}
    kind = next(iter(kinds))
    if len(kinds) > 1 or kind not in _KINDS:
        names = " and ".join(sorted(each.__name__ for each in kinds))
        raise TypeError(
            f"Scorer puts labels in a column of one type, but the classes of {path!r} are {names}. "
            f"Train the model with labels that are all str, bool, int, float or dates."
        )
    return labels, kind
