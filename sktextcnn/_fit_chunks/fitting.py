"""``fit_chunks``: the same fit, for texts that are larger than the memory."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from typing import Any

from sktextcnn._fit_chunks.reading import Chunks
from sktextcnn._pipeline import are_our_two, inference_steps, part_to_pass
from sktextcnn._text import Documents, IdsInFile, PaddedDocuments


def fit_chunks(
    model: Any,
    chunks: Any,
    *,
    text: str | None = None,
    label: str | Sequence[str] | None = None,
    weight: str | None = None,
    X_val: Iterable[str] | None = None,
    y_val: Any = None,
    sample_weight_val: Any = None,
    folder: str | os.PathLike | None = None,
) -> Any:
    """Fit a Pipeline to chunks of texts, which are read once and are never all in memory.

    The result has the same bits as that of ``model.fit`` with all texts at once, whatever the size
    of the chunks. The token ids of the texts are kept in a file instead of in memory, and rows of
    them are padded for each batch.

    Parameters
    ----------
    model : Pipeline of TextVectorizer and TextCNNClassifier
        The model. As in its `fit`, both steps are fitted in place.
    chunks : iterable, or dataset of pyarrow
        The texts with their labels. Either tuples ``(texts, labels)`` or ``(texts, labels,
        weights)``; or tables with named columns, if `text` and `label` are given: data frames,
        Arrow batches, dicts of lists, or single rows. A chunk may have any number of texts. Of a
        dataset of pyarrow, one group of rows after the other is read.
    text : str or None, default=None
        The column of the texts. None: the chunks are tuples.
    label : str, sequence of str or None, default=None
        The column of the labels. Several columns are an indicator matrix, for multilabel targets.
    weight : str or None, default=None
        The column of the weights, which are the `sample_weight` of
        :meth:`TextCNNClassifier.fit`. None: tables have none.
    X_val : iterable of str or None, default=None
        Texts to validate on, which are held in memory; see :meth:`TextCNNClassifier.fit`.
    y_val : array-like or None, default=None
        Their labels.
    sample_weight_val : array-like or None, default=None
        Their weights.
    folder : str, path-like or None, default=None
        Where the file of token ids is: 4 bytes for each token, on a local disk. It has no name,
        where the system allows that, so nothing is left of it however the process ends. None: the
        folder of temporary files, which on some systems is in memory.

    Returns
    -------
    model : Pipeline
        The fitted model. If fitting fails or is interrupted, it is as it was before.

    Raises
    ------
    TypeError, ValueError
        If a parameter or a chunk is not valid. A note to the error names the chunk.
    OSError
        If the disk is full, or `folder` is not a folder that can be written to.

    See Also
    --------
    TextCNNClassifier.partial_fit : For texts that change over time, an epoch for each part.

    Notes
    -----
    Up to 100 bytes for each text stay in memory, and the vocabulary with its vectors. If distinct
    words are too many, limit them by `max_vocab_size` of :class:`TextVectorizer`. What `wide` adds
    is fitted to texts of at most 2**22 tokens in all, drawn at random, here and in `fit`.

    The order of the texts does not matter much, since each epoch shuffles all of them.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, fit_chunks
    >>> chunks = [
    ...     (["a gem", "a witty gem"] * 5, ["good", "good"] * 5),
    ...     (["so dull", "a dull, dull film"] * 5, ["bad", "bad"] * 5),
    ... ]
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> fit_chunks(model, chunks).predict(["what a gem", "dull as ever"])
    array(['good', 'bad'], dtype='<U4')
    """
    steps = inference_steps(model)
    if not are_our_two(steps):
        raise TypeError(
            f"fit_chunks takes a Pipeline of a TextVectorizer and a TextCNNClassifier; got "
            f"{type(model).__name__}.{part_to_pass(steps, 'model')}"
        )
    given = [step.estimator for step in steps]
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val go together; give both or none.")
    for each in given:
        each._validate_params()
    source = Chunks(chunks, text, label, weight)
    vectorizer, classifier = (_twin(each) for each in given)
    with contextlib.closing(_new_file(folder)) as storage:
        documents = Documents(storage)
        vectorizer._fit(source.texts(), None, documents)
        rows = PaddedDocuments(
            documents,
            vectorizer.max_length_,
            vectorizer.padding,
            vectorizer.truncating,
            vectorizer.token_table_,
        )
        classifier.fit(
            rows,
            source.labels.gathered(),
            source.weights.gathered(),
            None if X_val is None else vectorizer.transform(X_val),
            y_val,
            sample_weight_val,
        )
    _take_over(given, (vectorizer, classifier))
    return model


def _twin(estimator: Any) -> Any:
    """An estimator with the same attributes, to be fitted in its place."""
    twin = object.__new__(type(estimator))
    twin.__dict__.update(vars(estimator))
    return twin


def _take_over(estimators: Sequence[Any], fitted: Sequence[Any]) -> None:
    """Give estimators the attributes of their twins: all of them, or none after an interrupt."""
    before = [each.__dict__ for each in estimators]
    try:
        for estimator, twin in zip(estimators, fitted, strict=True):
            estimator.__dict__ = twin.__dict__
    except BaseException:
        for estimator, attributes in zip(estimators, before, strict=True):
            estimator.__dict__ = attributes
        raise


def _new_file(folder: str | os.PathLike | None) -> IdsInFile:
    try:
        return IdsInFile(folder)
    except OSError as error:
        where = "the folder of temporary files" if folder is None else f"folder={str(folder)!r}"
        raise type(error)(
            error.errno,
            f"No file can be made in {where}: {error.strerror}. Pass as `folder` a folder on a "
            f"local disk that can be written to",
        ) from error
