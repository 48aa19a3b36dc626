"""Models that were loaded from files, once for all threads of a process."""

import os
import socket
import time
from collections import OrderedDict
from typing import Any

from sktextcnn._compat.locks import ForkSafeLock
from sktextcnn._scoring.labels import plain_labels

# A process that takes turns with more models loads them anew.
_MOST_MODELS = 8
_Stamp = tuple[int, int, int]


class ScoringModel:
    """A fitted model that predicts labels of one type.

    Parameters
    ----------
    model : Pipeline, or a search over one
        From texts to probabilities. Its last step is a TextCNNClassifier.
    path : str
        Its file, for messages.

    Attributes
    ----------
    labels : list
        The classes, as values of Python.
    kind : type
        Their type.
    multilabel : bool
        Whether a text can have several labels.
    predict_proba : callable
        Returns the probabilities of texts.

    Raises
    ------
    TypeError
        If it is another model, or its labels do not fit in a column of one type.
    """

    def __init__(self, model: Any, path: str) -> None:
        from sktextcnn._classifier import TextCNNClassifier
        from sktextcnn._pipeline import best_model, inference_steps

        model = best_model(model, "Scorer")
        steps = inference_steps(model)
        if len(steps) < 2 or not isinstance(steps[-1].estimator, TextCNNClassifier):
            raise TypeError(
                f"Scorer needs a Pipeline that takes texts and ends with a TextCNNClassifier; "
                f"{path!r} has a {type(model).__name__}. Save the whole Pipeline."
            )
        classifier = steps[-1].estimator
        self.labels, self.kind = plain_labels(classifier.classes_, path)
        self.multilabel: bool = classifier.net_.multilabel
        self.predict_proba = model.predict_proba


class _Entry:
    """A file, and the model that was last loaded from it."""

    def __init__(self) -> None:
        self.lock = ForkSafeLock()
        self.stamp: _Stamp | None = None
        self.model: ScoringModel | None = None


_entries: OrderedDict[tuple[str, bool], _Entry] = OrderedDict()
_entries_lock = ForkSafeLock()


def loaded_model(path: str, *, trusted: bool) -> ScoringModel:
    """Return the model of a file, which is read when it is new or has changed.

    Threads that ask for it at the same time wait for the first one to load it. A model whose file
    has changed is released when the last call that uses it has ended.

    Parameters
    ----------
    path : str
        The file.
    trusted : bool
        Whether the file may be a pickle.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    ValueError
        If it is not a model file, or a pickle that is not trusted.
    TypeError
        If it has another model.
    """
    key = (path, trusted)
    with _entries_lock.current:
        entry = _entries.setdefault(key, _Entry())
        _entries.move_to_end(key)
        while len(_entries) > _MOST_MODELS:
            _entries.popitem(last=False)
    with entry.lock.current:
        stamp = _stamp(path)
        if entry.model is None or entry.stamp != stamp:
            # The old one goes first, so that there is never room for two.
            entry.model = None
            entry.model, entry.stamp = _load(path, stamp, trusted)
        return entry.model


def _stamp(path: str) -> _Stamp:
    """Return what changes when a file does. A file that was renamed to the path has a new inode."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no model file {path!r} on {socket.gethostname()}. Each worker reads it by "
            f"itself: put it in a folder that all machines share, or at this path on each."
        ) from None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _load(path: str, stamp: _Stamp, trusted: bool) -> tuple[ScoringModel, _Stamp]:
    """Load a file that others may be writing or replacing in the meantime."""
    while True:
        try:
            model = ScoringModel(_read(path, trusted), path)
        except Exception:
            if _stamp(path) == stamp:
                raise
            # What was read was not complete. Whoever writes needs a moment.
            time.sleep(0.05)
            stamp = _stamp(path)
        else:
            # The model may be newer than this stamp, and is loaded again then; never older.
            return model, stamp


def _read(path: str, trusted: bool) -> Any:
    from sktextcnn._files import load
    from sktextcnn._state import is_container

    if is_container(path):
        try:
            return load(path)
        except ValueError as error:
            if "load(path, params=" not in str(error):
                raise
            raise ValueError(
                f"{path!r} was saved with omit=, and Scorer does not know the parameters that it "
                f"lacks. Store the model with joblib, and give trusted=True."
            ) from None
    if not trusted:
        raise ValueError(
            f"{path!r} is not a model file of sktextcnn.save. If it is a pickle, such as joblib "
            f"writes, and you trust it, give trusted=True. It may also be truncated."
        )
    import joblib

    try:
        return joblib.load(path)
    except Exception as error:
        raise ValueError(
            f"{path!r} is neither a model file of sktextcnn.save nor a pickle that can be loaded "
            f"here ({type(error).__name__}: {error})."
        ) from error
