"""report: a page on how good a model is."""

from collections.abc import Iterable
from typing import Any

from sktextcnn._pipeline import fitted_parts
from sktextcnn._report.builder import ReportBuilder
from sktextcnn._report.result import Report
from sktextcnn._text import read_texts
from sktextcnn._training import encode_targets

_TEXTS_AT_ONCE = 4_000


def report(
    model: Any,
    texts: Iterable[str],
    labels: Any,
    *,
    train_texts: Iterable[str] | None = None,
    train_labels: Any = None,
    model_name: str = "the model",
    data_name: str = "test texts",
) -> Report:
    """Write a page on how good a model is, to read or to send.

    The page says how often the model is right, with intervals and beside simpler models, which
    classes are weak and which are confused, whether its probabilities can be used, and shows and
    explains its surest errors. It is one HTML file that loads nothing. It contains some of the
    texts.

    Parameters
    ----------
    model : Pipeline
        A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`, or a search over one.
    texts : iterable of str
        Texts that the model was not trained on.
    labels : array-like of shape (n_texts,) or (n_texts, n_labels)
        Their labels, or an indicator matrix for a multilabel model.
    train_texts : iterable of str or None, default=None
        The training texts. If they are given, TF-IDF and logistic regression are trained on them
        too, and compared with the model.
    train_labels : array-like of shape (n_train_texts,) or (n_train_texts, n_labels), or None, \
            default=None
        Their labels.
    model_name, data_name : str, default="the model", "test texts"
        How the page calls the model and the texts.

    Returns
    -------
    Report
        Its `html` is the page, its `measures` has the numbers, and its ``save(path)`` writes the
        page to a file. A notebook shows it in a frame.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If the model is of another type, or the texts are not an iterable of str.
    ValueError
        If there are no texts, there are not as many labels as texts, a label is not a class of the
        model, or only one of `train_texts` and `train_labels` is given.

    See Also
    --------
    explain : Explains the predictions of texts.

    Notes
    -----
    The measures are ``n_texts``, ``accuracy``, ``macro_f1``, ``references``, ``classes``,
    ``confusion_matrix``, ``log_loss``, ``brier_score``, ``calibration_error`` and ``calibration``;
    those of a multilabel model have ``micro_f1``, ``subset_accuracy`` and ``hamming_loss`` in place
    of the accuracy and the matrix. ``macro_f1`` is the default of scikit-learn's ``f1_score`` with
    ``average="macro"``: the mean of the classes that some text has or is predicted to have, and of
    all labels of a multilabel model. Each of the references has its score, the difference, and in
    ``n_different`` for how many texts it predicts something else than the model.

    Intervals are of 95 %: Wilson's for proportions, that of Agresti and Min (2005) for a difference
    of accuracies, and for F1 that of the delta method with the added observations of Agresti and
    Coull (1998). A value with an interval has the attributes `value`, `low` and `high`. The
    p-values are those of McNemar's exact test. Each bin of the calibration has the same number of
    texts.

    References
    ----------
    Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference, JASA.

    Agresti and Coull (1998), Approximate is better than "exact" for interval estimation of binomial
    proportions, The American Statistician.

    Agresti and Min (2005), Simple improved confidence intervals for comparing matched proportions,
    Statistics in Medicine.

    McNemar (1947), Note on the sampling error of the difference between correlated proportions or
    percentages, Psychometrika.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer, report
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> model = model.fit(texts, labels)
    >>> page = report(model, ["what a gem", "a dull story"], ["good", "bad"])
    >>> page
    <Report on 2 texts: accuracy 1.000>
    >>> page.measures["accuracy"].low > 0.3
    True
    >>> page.save(os.path.join(tempfile.mkdtemp(), "report.html"))
    """
    _, classifier = fitted_parts(model, "report")
    given = _checked(texts, labels, classifier, ("texts", "labels"))
    if (train_texts is None) != (train_labels is None):
        missing = "train_labels" if train_labels is None else "train_texts"
        raise ValueError(f"{missing} is missing. Give both train_texts and train_labels, or none.")
    train = None
    if train_texts is not None:
        train = _checked(train_texts, train_labels, classifier, ("train_texts", "train_labels"))
    builder = ReportBuilder(model, train)
    for start in range(0, len(given[0]), _TEXTS_AT_ONCE):
        chosen = slice(start, start + _TEXTS_AT_ONCE)
        builder.add(given[0][chosen], given[1][chosen])
    names = {"model": model_name, "data": data_name, "train": "train_texts", "n_left_out": 0}
    return builder.finish(names)


def _checked(
    texts: Iterable[str], labels: Any, classifier: Any, names: tuple[str, str]
) -> tuple[list[str], Any]:
    """Return texts and their targets as indices of classes or indicators."""
    found = list(read_texts(texts))
    if not found:
        raise ValueError(f"{names[0]} is empty; a report needs at least one text.")
    if labels is None:
        raise ValueError(f"{names[1]} is None; a report needs the label of each text.")
    multilabel = classifier.net_.multilabel
    targets = encode_targets(labels, len(found), classifier.classes_, multilabel, names=names)
    return found, targets.encoded.astype(bool) if multilabel else targets.encoded
