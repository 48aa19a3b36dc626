"""fit_chunks: training on texts that come in chunks and do not fit into memory."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._pipeline import are_our_two, inference_steps, part_to_pass
from sktextcnn._text import Documents, IdsFile, read_texts
from sktextcnn._training import CodedLabels, as_labels
from sktextcnn._vectorizer import TextVectorizer


def fit_chunks(
    model: Any,
    chunks: Iterable[Any],
    *,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    weight: str | None = None,
    X_val: Iterable[str] | None = None,
    y_val: Any = None,
    sample_weight_val: Any = None,
    folder: Any = None,
) -> Any:
    """Fit a Pipeline to texts that come in chunks, with the same bits as ``model.fit``.

    The chunks are read once. Their texts are stored as token ids in a temporary file, of 4 bytes a
    token, and the classifier pads a batch of them when it needs it. In memory are the vocabulary
    and about 30 bytes a text. So a corpus may be many times larger than the memory, and its order
    does not matter, unlike with ``partial_fit``.

    Parameters
    ----------
    model : Pipeline
        A TextVectorizer and a TextCNNClassifier.
    chunks : iterable
        Each chunk is a tuple of texts and labels, or of texts, labels and weights. With `text` and
        `label`, it is anything that has columns by name: a data frame of pandas or Polars, a Table
        or RecordBatch of Arrow, a dict of lists, or one row, such as those of Spark.
    text, label, weight : str or None, default=None
        The names of the columns. `label` may be a list of columns of zeros and ones, which make the
        targets multilabel.
    X_val, y_val, sample_weight_val : default=None
        Texts for validation, their labels and weights, in memory; as those of
        :meth:`TextCNNClassifier.fit`.
    folder : str, path-like or None, default=None
        Where the temporary file is; None for the system's folder of temporary files. Choose one on
        a disk, if that folder is in memory.

    Returns
    -------
    model : Pipeline
        The fitted model. After an error or an interrupt it is as it was before.

    Raises
    ------
    TypeError, ValueError
        If the model is another one, or a chunk is not valid; the message or a note says which one.
    OSError
        If the file cannot be written.

    See Also
    --------
    TextCNNClassifier.partial_fit : Go on with a model when the texts change over time.

    Notes
    -----
    The file has no name where the system allows it, so that nothing is left of it, even if the
    process is killed.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, fit_chunks
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> chunks = ((["a gem", "so dull"], ["good", "bad"]) for _ in range(10))
    >>> fit_chunks(model, chunks).predict(["what a gem"])
    array(['good'], dtype='<U4')
    """
    vectorizer, classifier = _parts(model)
    if (text is None) != (label is None) or (weight is not None and text is None):
        raise ValueError(
            f"text and label go together, and weight needs both; got text={text!r}, "
            f"label={label!r}, weight={weight!r}."
        )
    names = None if text is None else (text, label, weight)
    file = IdsFile(folder)
    try:
        documents = Documents(file)
        read = _Chunks(chunks, names)
        # Copies that share all parameters, so that the model stays as it is until both are fitted.
        new_vectorizer, new_classifier = _shallow_copy(vectorizer), _shallow_copy(classifier)
        new_vectorizer._fit(read.texts(), None, documents)
        rows = new_vectorizer._padded_rows(documents)
        if X_val is not None:
            X_val = new_vectorizer.transform(X_val)
        new_classifier.fit(rows, read.labels(), read.weights(), X_val, y_val, sample_weight_val)
        vectorizer.__dict__, classifier.__dict__ = vars(new_vectorizer), vars(new_classifier)
    finally:
        file.close()
    return model


def _parts(model: Any) -> tuple[TextVectorizer, TextCNNClassifier]:
    steps = inference_steps(model)
    if not are_our_two(steps):
        names = ", ".join(type(step.estimator).__name__ for step in steps)
        raise TypeError(
            f"fit_chunks takes a Pipeline of a TextVectorizer and a TextCNNClassifier; got "
            f"{type(model).__name__}{f' of {names}' if steps else ''}."
            f"{part_to_pass(steps, 'model')}"
        )
    vectorizer, classifier = (step.estimator for step in steps)
    return vectorizer, classifier


def _shallow_copy(estimator: Any) -> Any:
    copied = object.__new__(type(estimator))
    copied.__dict__.update(vars(estimator))
    return copied


class _Chunks:
    """The texts of chunks, one by one; and, after them, their labels and weights."""

    def __init__(self, chunks: Iterable[Any], names: tuple[str, Any, str | None] | None) -> None:
        if isinstance(chunks, str | bytes | dict) or not isinstance(chunks, Iterable):
            raise TypeError(
                f"chunks must be an iterable of chunks, such as a generator of pairs of texts and "
                f"labels; got {type(chunks).__name__}."
            )
        self._chunks, self._names = chunks, names
        self._code_of: dict[Any, int] = {}
        self._codes = array("i")
        self._indicators: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        self._n_without_weights = 0

    def texts(self) -> Iterator[str]:
        """Yield the texts."""
        position, chunk = 0, None
        iterator = iter(self._chunks)
        while True:
            try:
                chunk = next(iterator, self)
                if chunk is self:
                    return
                texts, labels, weights = self._columns(chunk)
                n_texts = 0
                for n_texts, each in enumerate(read_texts(texts), 1):  # noqa: B007
                    yield each
                self._add(labels, weights, n_texts)
            except Exception as error:
                error.add_note(f"This is about chunk {position} (counting from 0).")
                raise
            position += 1

    def _columns(self, chunk: Any) -> tuple[Any, Any, Any]:
        if self._names is None:
            if not isinstance(chunk, tuple | list) or len(chunk) not in (2, 3):
                raise TypeError(
                    f"A chunk must be a tuple of texts and labels, or of texts, labels and "
                    f"weights; got {type(chunk).__name__}. For data frames and other chunks with "
                    f"named columns, pass text and label, the names of two of them."
                )
            return (*chunk, None) if len(chunk) == 2 else tuple(chunk)
        text, label, weight = self._names
        texts = _column(chunk, text)
        several = not isinstance(label, str)
        labels = [_column(chunk, name) for name in label] if several else _column(chunk, label)
        weights = None if weight is None else _column(chunk, weight)
        if isinstance(texts, str):  # A row.
            texts, labels = [texts], [labels]
            weights = None if weights is None else [weights]
        elif several:
            labels = np.column_stack([np.asarray(each) for each in labels])
        return texts, labels, weights

    def _add(self, labels: Any, weights: Any, n_texts: int) -> None:
        """Add the labels and weights of a chunk."""
        if hasattr(labels, "toarray"):
            labels = labels.toarray()
        labels = as_labels(labels, "labels")
        values = np.asarray(labels)
        if values.ndim not in (1, 2) or len(values) != n_texts:
            raise ValueError(f"The chunk has {n_texts} texts, but labels of shape {values.shape}.")
        n_columns = {each.shape[1] for each in self._indicators}
        if n_texts and (bool(n_columns) if values.ndim == 1 else bool(self._codes)):
            raise ValueError("The labels are an indicator matrix in some chunks, but not in all.")
        if values.ndim == 2:
            if n_columns - {values.shape[1]}:
                raise ValueError(
                    f"The labels have {values.shape[1]} columns; before, {n_columns.pop()}."
                )
            is_small = values.dtype.kind in "biuf" and bool(np.isin(values, (0, 1)).all())
            self._indicators.append(values.astype(np.uint8) if is_small else values)
        else:
            code_of = self._code_of
            self._codes.extend(code_of.setdefault(each, len(code_of)) for each in values.tolist())
        if weights is None:
            self._n_without_weights += n_texts
        else:
            found = np.asarray(weights, dtype=np.float64)
            if found.shape != (n_texts,):
                raise ValueError(
                    f"The chunk has {n_texts} texts, but weights of shape {found.shape}."
                )
            self._weights.append(found)
        if self._weights and self._n_without_weights:
            raise ValueError("Some chunks have weights, but not all.")

    def labels(self) -> Any:
        """Return the labels of all texts."""
        if self._indicators:
            return np.concatenate(self._indicators)
        return CodedLabels(np.frombuffer(self._codes, dtype=np.int32), list(self._code_of))

    def weights(self) -> np.ndarray | None:
        """Return the weights of all texts, if they have any."""
        return np.concatenate(self._weights) if self._weights else None


def _column(chunk: Any, name: str) -> Any:
    try:
        return chunk[name]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        # Arrow says only that there is no such field.
        columns = next(
            (
                list(found)
                for attribute in ("column_names", "columns", "keys", "__fields__")
                if (found := getattr(chunk, attribute, None)) is not None and not callable(found)
            ),
            list(chunk) if isinstance(chunk, dict) else None,
        )
        there = "" if columns is None else f"; it has {', '.join(map(str, columns))}"
        if getattr(chunk, "schema", None) is not None:
            there = f"; it has {', '.join(chunk.schema.names)}" if columns is None else there
        raise ValueError(
            f"A chunk of type {type(chunk).__name__} has no column {name!r}{there}."
        ) from error
