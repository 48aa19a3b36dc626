"""Explanation: what each piece of a text adds to the logit of each class."""

import numbers
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from sktextcnn._inspection.rendering import Rendering, cut


@dataclass(frozen=True, eq=False)
class Explanation:
    """What each n-gram and each token of a text adds to its logits.

    Attributes
    ----------
    text : str
        The text as it was given.
    classes : ndarray of shape (n_classes,)
        The classes, in the order of the columns of all arrays.
    logits : ndarray of shape (n_classes,), float64
        The outputs of the network, before softmax or, for multilabel targets, the logistic
        function.
    probabilities : ndarray of shape (n_classes,), float64
        The probabilities of the classes. They are those of ``predict_proba``, except for the
        rounding of bfloat16.
    spans : ndarray of shape (n_spans, 2), int
        Where each n-gram begins and ends in `text`, in characters.
    span_tokens : ndarray of shape (n_spans, 2), int
        The first token of each n-gram, and the one after its last.
    contributions : ndarray of shape (n_spans, n_classes), float64
        What each n-gram adds to each logit.
    remainder : ndarray of shape (n_classes,), float64
        The part of each logit that belongs to no n-gram: the biases, and for a text without
        tokens the whole logit. ``contributions.sum(axis=0) + remainder`` is equal to `logits`.
    tokens : tuple of str
        The tokens that the network saw, without those beyond `max_length_`.
    token_spans : ndarray of shape (n_tokens, 2), int
        Where each token begins and ends in `text`, in characters.
    token_contributions : ndarray of shape (n_tokens, n_classes), float64
        What each token adds to each logit. The term of a filter is shared among the tokens of
        its window in proportion to their products with the filter, that of a pair of words
        equally among both.
    token_remainder : ndarray of shape (n_classes,), float64
        The part of each logit that belongs to no token: the biases of the class, the filters'
        activation for zero input, and what their own biases add.
    method : {"exact", "integrated gradients"}
        How the contributions were computed. If "exact", they are the terms of the logit.
    multilabel : bool
        Whether a text may have several classes or none.

    See Also
    --------
    explain : Makes explanations, with an example.
    ExplanationDisplay : Draws one.
    """

    text: str
    classes: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    spans: np.ndarray
    span_tokens: np.ndarray
    contributions: np.ndarray
    remainder: np.ndarray
    tokens: tuple[str, ...]
    token_spans: np.ndarray
    token_contributions: np.ndarray
    token_remainder: np.ndarray
    method: str
    multilabel: bool

    @property
    def prediction(self) -> Any:
        """The predicted class; for multilabel targets an array of the predicted classes."""
        if self.multilabel:
            return self.classes[self.logits > 0]
        return self.classes[[self.logits.argmax()]].tolist()[0]

    def evidence(self, label: Any = None, *, by: str = "span") -> np.ndarray:
        """Return the evidence for a class.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`; None for the class of the largest logit.
        by : {"span", "token"}, default="span"
            Whether to return the evidence of n-grams or of tokens.

        Returns
        -------
        ndarray of shape (n_spans,) or (n_tokens,), float64
            Contributions to the logit of the class, minus the mean contribution to the other
            classes, as only differences of logits matter. For multilabel targets, the
            contributions themselves.

        Raises
        ------
        ValueError
            If `label` is not one of the classes, or `by` is neither "span" nor "token".
        """
        if by not in ("span", "token"):
            raise ValueError(f"by must be 'span' or 'token'; got {by!r}.")
        values = self.contributions if by == "span" else self.token_contributions
        column = self.column(label)
        if self.multilabel:
            return values[:, column]
        others = np.delete(values, column, axis=1)
        return values[:, column] - others.mean(axis=1)

    def top(self, label: Any = None, *, n: int = 10, by: str = "span") -> list[tuple[str, float]]:
        """Return the n-grams or tokens that matter most for a class.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`; None for the class of the largest logit.
        n : int, default=10
            How many to return at most.
        by : {"span", "token"}, default="span"
            Whether to return n-grams or tokens.

        Returns
        -------
        list of (str, float)
            Pieces of the text and their `evidence`, the largest absolute value first.

        Raises
        ------
        TypeError
            If `n` is not an int.
        ValueError
            If `n` is negative, `label` is not one of the classes, or `by` is neither "span" nor
            "token".
        """
        check_scalar(n, "n", numbers.Integral, min_val=0)
        evidence = self.evidence(label, by=by)
        spans = self.spans if by == "span" else self.token_spans
        order = np.argsort(-np.abs(evidence), kind="stable")[:n]
        return [(self.text[slice(*spans[i])], float(evidence[i])) for i in order]

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self, label: Any = None, *, n: int = 8) -> str:
        """Return the text with its words coloured by their evidence, as HTML.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`; None for the class of the largest logit.
        n : int, default=8
            How many n-grams to list at most.

        Returns
        -------
        str
            A ``div``, with all text escaped.
        """
        return self._rendering(label, n).html()

    def to_ansi(self, label: Any = None, *, n: int = 8) -> str:
        """Return the text with its words coloured by their evidence, for a terminal.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`; None for the class of the largest logit.
        n : int, default=8
            How many n-grams to list at most.

        Returns
        -------
        str
            Lines with ANSI colours; control characters of the text are replaced.
        """
        return self._rendering(label, n).ansi()

    def _rendering(self, label: Any, n: int) -> Rendering:
        column = self.column(label)
        evidence = self.evidence(label, by="token")
        return Rendering(
            label=self.classes[column],
            probability=self.probabilities[column],
            method=self.method,
            pieces=cut(self.text, self.token_spans, evidence),
            ngrams=self.top(label, n=n),
        )

    def column(self, label: Any = None) -> int:
        """Return the column of a class in all arrays.

        Parameters
        ----------
        label : object or None, default=None
            One of the classes; None for that of the largest logit.

        Returns
        -------
        column : int
            The column of the class.

        Raises
        ------
        ValueError
            If `label` is not one of the classes.
        """
        if label is None:
            return int(self.logits.argmax())
        return column_of(label, self.classes)

    def __repr__(self) -> str:
        shown = self.text if len(self.text) <= 40 else self.text[:37] + "..."
        return (
            f"<Explanation of {shown!r}: {self.prediction!r}, {len(self.spans)} n-grams, "
            f"{self.method}>"
        )


def column_of(label: Any, classes: np.ndarray) -> int:
    """Return the column of a class; a ValueError if it is not one of the classes."""
    columns = {each: i for i, each in enumerate(classes.tolist())}
    if not isinstance(label, Hashable) or label not in columns:
        raise ValueError(f"label={label!r} is not one of the classes {classes.tolist()}.")
    return columns[label]
