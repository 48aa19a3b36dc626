"""The surest errors with their explanations, and the n-grams of classes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from sktextcnn._inspection import Explanation, NGram, explain, has_exact_terms, top_ngrams
from sktextcnn._pipeline import fitted_parts
from sktextcnn._report.outcomes import Error

#: How much of a text is shown with its explanation.
WINDOW = 600


class ExplainedErrors(NamedTuple):
    """Errors with their explanations, and what the colours of these mean as HTML."""

    each: "list[ExplainedError]"
    legend: str


class ExplainedError(NamedTuple):
    """An error, its explanation as HTML, and how much of the text that shows."""

    error: Error
    html: str
    n_shown: int
    n_characters: int


def explained_errors(
    model: Any, errors: Sequence[Error], labels: Sequence[str]
) -> ExplainedErrors | None:
    """Explain errors for what was predicted, or, of a multilabel model, for the label.

    Parameters
    ----------
    model : Pipeline
        The model.
    errors : sequence of Error
        What it did wrong.
    labels : sequence of str
        What the classes are called; no two are alike.

    Returns
    -------
    ExplainedErrors or None
        None if the network has no exact explanation and Captum, which others need, is missing.
    """
    classes = np.array(labels, dtype=object)
    try:
        explanations = explain(model, [error.text for error in errors])
    except ImportError:
        return None
    found = []
    for error, explanation in zip(errors, explanations, strict=True):
        label = labels[error.predicted if error.predicted >= 0 else error.true]
        part = shortened(replace(explanation, classes=classes), label)
        found.append(
            ExplainedError(error, part.to_html(label), len(part.text), len(explanation.text))
        )
    return ExplainedErrors(found, explanations[0].html_legend() if explanations else "")


def shortened(explanation: Explanation, label: Any) -> Explanation:
    """Return the part of an explanation that is around the strongest evidence.

    Parameters
    ----------
    explanation : Explanation
        Of a whole text.
    label : object
        The class whose evidence counts.

    Returns
    -------
    Explanation
        The same if the text is short. Otherwise that of a part of the text; its logits stay those
        of the whole text.
    """
    n = len(explanation.text)
    if n <= WINDOW:
        return explanation
    start = _start_of_window(explanation, label)
    end = start + WINDOW
    # A token may be longer than what is shown.
    tokens = (explanation.token_spans[:, 0] < end) & (explanation.token_spans[:, 1] > start)
    spans = (explanation.spans[:, 0] >= start) & (explanation.spans[:, 1] <= end)
    return replace(
        explanation,
        text=explanation.text[start:end],
        tokens=tuple(explanation.tokens[i] for i in tokens.nonzero()[0]),
        token_spans=explanation.token_spans[tokens].clip(start, end) - start,
        token_contributions=explanation.token_contributions[tokens],
        spans=explanation.spans[spans] - start,
        span_tokens=explanation.span_tokens[spans],
        contributions=explanation.contributions[spans],
    )


def _start_of_window(explanation: Explanation, label: Any) -> int:
    """Where the window begins whose tokens have most evidence, for or against."""
    last = len(explanation.text) - WINDOW
    starts = explanation.token_spans[:, 0]
    if not len(starts):
        return 0
    sums = np.concatenate([[0], np.abs(explanation.evidence(label, by="token")).cumsum()])
    ends = np.searchsorted(starts, starts + WINDOW)
    best = int((sums[ends] - sums[:-1]).argmax())
    return min(int(starts[best]), last)


def ngrams_of_classes(
    model: Any, texts_of: Mapping[int, Sequence[str]], n: int
) -> dict[int, list[NGram]] | None:
    """Return the n-grams with most evidence for classes, or None if the network has none.

    Parameters
    ----------
    model : Pipeline
        The model.
    texts_of : mapping of int to sequence of str
        Texts that are predicted to be of a class, by its index.
    n : int
        How many n-grams of each class.
    """
    classifier = fitted_parts(model, "report")[1]
    if not has_exact_terms(classifier.net_.module_):
        return None
    labels = classifier.classes_.tolist()
    found = {
        i: top_ngrams(model, texts, labels[i], n=n)[labels[i]] if texts else []
        for i, texts in texts_of.items()
    }
    return {i: [each for each in ngrams if each.total > 0] for i, ngrams in found.items()}
