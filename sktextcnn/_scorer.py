"""Scorer: predictions for data frames, on the engines that have them in parts."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, Literal

import numpy as np

from sktextcnn._compat.arrow import batches_of_dataset, is_arrow_dataset
from sktextcnn._scoring import (
    Column,
    OutputNames,
    ScoringModel,
    empty_like,
    frames_of,
    is_of_spark,
    loaded_model,
    output_columns,
    spark_schema,
)

# So many texts are converted to ids at once, so that a large partition needs little memory.
_ROWS_AT_ONCE = 1 << 13


class Scorer:
    """Adds the predictions of a saved model to data frames, wherever they are.

    A scorer is a function of a data frame that any engine can send to its workers: it is pickled
    as the path of the model and its own parameters. Each process loads the model once, when its
    first frame arrives, and shares it among its threads.

    Parameters
    ----------
    path : str or path-like
        The file of a fitted Pipeline from texts to labels, as `save` has written it. All workers
        must find it under the same path.
    text : str
        The column of the texts.
    keep : list of str or None, default=None
        The columns of the frame that are kept, such as a key. None keeps all of them.
    prediction : str or None, default="prediction"
        The name of the new column of labels. A multilabel model gives a list for each row. None
        leaves the column out.
    probability : str or None, default="probability"
        The name of the new column with the probability of the predicted label. A multilabel model
        gives a list, in the order of the labels. None leaves it out.
    all_classes : bool, default=False
        Whether there is a column for each class instead, named ``"probability_"`` and the class.
    missing : {"error", "null", "empty"}, default="error"
        What to do about missing texts (None, NaN, null). "error" raises a ValueError, so that
        mistakes in earlier steps are found. "null" keeps the row; its prediction and probability
        are missing too. "empty" predicts as for an empty text.
    n_jobs : {1, -1}, default=1
        The number of threads for a frame. 1 is right where an engine scores a frame on each core.
        -1 uses as many threads as torch is set to.
    trusted : bool, default=False
        Whether `path` may also be a file of joblib or pickle. Loading such a file can run any code.

    Raises
    ------
    TypeError
        If a name is not a str, or `keep` is not a list of them.
    ValueError
        If a parameter has none of its values, names are the same, or `path` is an URL.

    See Also
    --------
    save : Write the file.

    Notes
    -----
    Frames of pandas, Polars and pyarrow (tables and record batches) and dicts of columns (lists, or
    arrays of NumPy) are returned as what they are. Rows keep their order and their index.

    A file that changes is loaded again with the next frame, and the earlier model is released. The
    rows of a job may then be from both models: give a new model a new name, and let the old file be
    while it is in use.

    Probabilities are float64, labels what the classes are: str, bool, int64, float64, dates or
    times. In frames of pandas, bool and int are nullable if ``missing="null"``.

    Examples
    --------
    >>> import os, pickle, tempfile
    >>> import pandas as pd
    >>> import sktextcnn
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import Scorer, TextCNNClassifier, TextVectorizer
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> path = os.path.join(tempfile.mkdtemp(), "model.sktextcnn")
    >>> sktextcnn.save(model.fit(texts, labels), path)
    >>> score = Scorer(path, text="review", probability=None)
    >>> score(pd.DataFrame({"review": ["what a gem", "dull"]}))
           review prediction
    0  what a gem       good
    1        dull        bad
    >>> len(pickle.dumps(score)) < 500
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        text: str,
        *,
        keep: Sequence[str] | None = None,
        prediction: str | None = "prediction",
        probability: str | None = "probability",
        all_classes: bool = False,
        missing: Literal["error", "null", "empty"] = "error",
        n_jobs: Literal[1, -1] = 1,
        trusted: bool = False,
    ) -> None:
        path = os.fspath(path)
        if not isinstance(path, str):
            raise TypeError(f"path must be a str or a path; got {path!r:.80}.")
        if re.match("[A-Za-z][A-Za-z0-9+.-]+://", path):
            raise ValueError(
                f"path={path!r} is an URL, but a model is read from a file. Download it to a "
                f"folder that all workers share, or to the same path on each."
            )
        _check_str("text", text)
        if keep is not None and not (
            isinstance(keep, list | tuple) and all(isinstance(name, str) for name in keep)
        ):
            raise TypeError(f"keep must be a list of the names of columns, or None; got {keep!r}.")
        for name, value in (("prediction", prediction), ("probability", probability)):
            if value is not None:
                _check_str(name, value)
        if prediction is None and probability is None:
            raise ValueError("prediction=None and probability=None leave nothing to add.")
        if prediction == probability:
            raise ValueError(f"prediction and probability are both {prediction!r}; give two names.")
        if missing not in ("error", "null", "empty"):
            raise ValueError(f"missing must be 'error', 'null' or 'empty'; got {missing!r}.")
        if n_jobs not in (1, -1):
            raise ValueError(
                f"n_jobs must be 1, or -1 for as many threads as torch is set to; got {n_jobs!r}."
            )
        for name, flag in (("all_classes", all_classes), ("trusted", trusted)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name} must be a bool; got {flag!r:.80}.")
        # Workers have folders of their own.
        self.path = os.path.abspath(path)
        self.text = text
        self.keep = None if keep is None else list(keep)
        self.prediction = prediction
        self.probability = probability
        self.all_classes = all_classes
        self.missing = missing
        self.n_jobs = n_jobs
        self.trusted = trusted

    def __repr__(self) -> str:
        return f"Scorer({self.path!r}, text={self.text!r})"

    def __call__(self, frame: Any) -> Any:
        """Add predictions to a frame.

        Parameters
        ----------
        frame : data frame of pandas or Polars, Table or RecordBatch of pyarrow, or dict
            It is not changed. It may be empty.

        Returns
        -------
        scored : as `frame`
            The columns that are kept, and the new ones.

        Raises
        ------
        TypeError
            If `frame` is something else, or its texts are no strings.
        ValueError
            If a column is missing, a new column has the name of one that is there, a text is
            missing and ``missing="error"``, or the file is no valid model file.
        FileNotFoundError
            If there is no file at `path`.
        """
        frames = frames_of(frame)
        model = self._model()
        self._check_names(frames.names(frame), model)
        texts = frames.texts(frame, self.text)
        return frames.joined(frame, self.keep, self._columns(model, texts))

    def batches(self, frames: Any) -> Iterator[Any]:
        """Add predictions to each frame of an iterable.

        This is the function for ``mapInArrow`` and ``mapInPandas`` of Spark, and for datasets of
        pyarrow.

        Parameters
        ----------
        frames : iterable of frames, or dataset of pyarrow
            Each frame is scored when it is asked for. Of a dataset, one group of rows after the
            other is read.

        Yields
        ------
        scored : as the frame
        """
        if is_arrow_dataset(frames):
            columns = None if self.keep is None else [self.text, *self.keep]
            frames = batches_of_dataset(frames, columns)
        for frame in frames:
            yield self(frame)

    def meta(self, frame: Any) -> Any:
        """Return a scored frame without rows, which is the `meta` of Dask.

        Parameters
        ----------
        frame : Dask DataFrame, or any frame that can be scored
            Its columns and types are looked at.

        Returns
        -------
        scored : data frame
            Of pandas for a Dask DataFrame. No rows are computed.
        """
        return self(empty_like(frame))

    def schema(self, frame: Any) -> Any:
        """Return the schema of scored frames, for Spark, Polars and pyarrow.

        Parameters
        ----------
        frame : DataFrame of Spark, frame or LazyFrame of Polars, table or dataset of pyarrow
            Or its schema.

        Returns
        -------
        schema : StructType of Spark, or Schema of Polars or pyarrow

        Raises
        ------
        TypeError
            If `frame` is something else.
        """
        if is_of_spark(frame):
            model = self._model()
            self._check_names(getattr(frame, "schema", frame).fieldNames(), model)
            return spark_schema(frame, self.text, self.keep, self._columns(model, []))
        scored = self(empty_like(frame))
        if not hasattr(scored, "schema"):
            raise TypeError(
                f"schema takes frames and schemas of Spark, Polars and pyarrow; got a "
                f"{type(frame).__name__}. For Dask and pandas there is meta."
            )
        return scored.schema

    def _model(self) -> ScoringModel:
        return loaded_model(self.path, trusted=self.trusted)

    def _check_names(self, names: Sequence[Any], model: ScoringModel) -> None:
        """Refuse a frame that lacks a column or has one of the new ones."""
        for parameter, name in [("text", self.text), *(("keep", each) for each in self.keep or ())]:
            if names.count(name) != 1:
                found = "several columns" if name in names else "no column"
                raise ValueError(
                    f"The frame has {found} {name!r}, which {parameter} names. It has "
                    f"{_listed(names)}."
                )
        kept = names if self.keep is None else self.keep
        new = OutputNames(self.prediction, self.probability, self.all_classes).of(model)
        taken = [name for name in new if name in kept or new.count(name) > 1]
        if taken:
            parameter = "prediction" if taken[0] == self.prediction else "probability"
            raise ValueError(
                f"There would be two columns {taken[0]!r}. Give another name as {parameter}, or "
                f"leave the old column out by keep."
            )

    def _columns(self, model: ScoringModel, texts: list[Any]) -> list[Column]:
        known = np.array([text is not None for text in texts], bool)
        if not known.all():
            if self.missing == "error":
                n_missing, row = len(texts) - known.sum(), int(known.argmin())
                raise ValueError(
                    f"The column {self.text!r} has {n_missing:,} missing of {len(texts):,} texts; "
                    f"the first one is in row {row} (counting from 0). Drop these rows, or give "
                    f"missing='null' to keep them without a prediction, or missing='empty'."
                )
            if self.missing == "empty":
                texts = ["" if text is None else text for text in texts]
                known[:] = True
        for row, text in enumerate(texts):
            if not isinstance(text, str) and text is not None:
                raise TypeError(
                    f"The column {self.text!r} has {text!r:.60} of type {type(text).__name__} in "
                    f"row {row} (counting from 0); texts must be str. Convert or decode it first."
                )
        proba = np.full((len(texts), len(model.labels)), np.nan)
        proba[known] = self._predict_proba(model, [text for text in texts if text is not None])
        names = OutputNames(self.prediction, self.probability, self.all_classes)
        return output_columns(model, proba, known, names, nullable=self.missing == "null")

    def _predict_proba(self, model: ScoringModel, texts: list[str]) -> np.ndarray:
        if not texts:
            return np.empty((0, len(model.labels)))
        # torch is loaded in the workers, not where a scorer is made and sent.
        from sktextcnn._network import single_thread

        blocks = (texts[i : i + _ROWS_AT_ONCE] for i in range(0, len(texts), _ROWS_AT_ONCE))
        with single_thread() if self.n_jobs == 1 else nullcontext():
            return np.concatenate([model.predict_proba(block) for block in blocks])


def _check_str(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be the name of a column, a str; got {value!r:.80}.")


def _listed(names: Sequence[Any]) -> str:
    shown = ", ".join(repr(name) for name in names[:20])
    return (shown or "no columns") + (", ..." if len(names) > 20 else "")
