"""Explanation: what each piece of a text adds to the logit of each class."""

import numbers
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_scalar

from sktextcnn._inspection.rendering import (
    STEPS,
    Rendering,
    Rival,
    Truth,
    ansi_legend,
    cut,
    html_legend,
)

# So many classes are named with their probabilities, and so many n-grams in each direction tell
# the first two apart.
_NAMED, _TELLING = 3, 3


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

    def evidence(
        self, label: Any = None, *, by: str = "span", rather_than: Any = None
    ) -> np.ndarray:
        """Return the evidence for a class.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`; None for the class of the largest logit.
        by : {"span", "token"}, default="span"
            Whether to return the evidence of n-grams or of tokens.
        rather_than : object or None, default=None
            Another of `classes`, to compare with it alone; None for all others.

        Returns
        -------
        ndarray of shape (n_spans,) or (n_tokens,), float64
            Contributions to the logit of the class, minus the mean contribution to the other
            classes, as only differences of logits matter. For multilabel targets, the
            contributions themselves. With `rather_than`, the contributions minus those to that
            class.

        Raises
        ------
        ValueError
            If `label` or `rather_than` is not one of the classes, both are the same, or `by` is
            neither "span" nor "token".
        """
        if by not in ("span", "token"):
            raise ValueError(f"by must be 'span' or 'token'; got {by!r}.")
        values = self.contributions if by == "span" else self.token_contributions
        column = self.column(label)
        if rather_than is not None:
            other = column_of(rather_than, self.classes, "rather_than")
            if other == column:
                raise ValueError(
                    f"rather_than={rather_than!r} is the class that is explained. Give another "
                    f"one of {self.classes.tolist()}."
                )
            return values[:, column] - values[:, other]
        if self.multilabel:
            return values[:, column]
        others = np.delete(values, column, axis=1)
        return values[:, column] - others.mean(axis=1)

    def top(
        self, label: Any = None, *, n: int = 10, by: str = "span", rather_than: Any = None
    ) -> list[tuple[str, float]]:
        """Return the n-grams or tokens that matter most for a class.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`; None for the class of the largest logit.
        n : int, default=10
            How many to return at most.
        by : {"span", "token"}, default="span"
            Whether to return n-grams or tokens.
        rather_than : object or None, default=None
            Another of `classes`, to compare with it alone; None for all others.

        Returns
        -------
        list of (str, float)
            Pieces of the text and their `evidence`, the largest absolute value first.

        Raises
        ------
        TypeError
            If `n` is not an int.
        ValueError
            If `n` is negative, or for the reasons of `evidence`.
        """
        check_scalar(n, "n", numbers.Integral, min_val=0)
        evidence = self.evidence(label, by=by, rather_than=rather_than)
        spans = self.spans if by == "span" else self.token_spans
        order = np.argsort(-np.abs(evidence), kind="stable")[:n]
        return [(self.text[slice(*spans[i])], float(evidence[i])) for i in order]

    def _repr_html_(self) -> str:
        return self.to_html(legend=True)

    def to_html(
        self, label: Any = None, *, n: int = 8, true: Any = None, legend: bool = False
    ) -> str:
        """Return the text with its words coloured by their evidence, as HTML.

        Above the text are the three most probable classes, or for multilabel targets the
        predicted ones and at least three. Below it is a table of the `n` n-grams with most
        evidence, as `top` returns them. If a text has one of more than two classes, a line before
        the table begins with "rather than" and compares the class with its most probable rival
        alone: it has the n-grams that tell both apart, at most three in each direction. The colours
        have the same meaning for all texts.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`; None for the class of the largest logit.
        n : int, default=8
            How many n-grams to list at most; 0 for none, and no comparison with a rival.
        true : object or None, default=None
            The true label of the text, to be shown; for multilabel targets a list of labels. None
            if it is not known.
        legend : bool, default=False
            Whether what the colours and numbers mean is at the end, as in a notebook.

        Returns
        -------
        str
            A ``div``, with all text escaped.

        Raises
        ------
        TypeError
            If `n` is not an int, or `true` is not a list for multilabel targets.
        ValueError
            If `n` is negative, or `label` or `true` is not one of the classes.
        """
        return self._rendering(label, n, true).html(self.html_legend() if legend else "")

    def to_ansi(self, label: Any = None, *, n: int = 8, true: Any = None) -> str:
        """Return the same as `to_html` for a terminal, with the comparison after the n-grams.

        Parameters
        ----------
        label : object or None, default=None
            One of `classes`; None for the class of the largest logit.
        n : int, default=8
            How many n-grams to list at most; 0 for none, and no comparison with a rival.
        true : object or None, default=None
            The true label of the text, to be shown; for multilabel targets a list of labels. None
            if it is not known.

        Returns
        -------
        str
            Lines with the colours of terminals of 256 colours; control characters of the text are
            replaced.

        Raises
        ------
        TypeError
            If `n` is not an int, or `true` is not a list for multilabel targets.
        ValueError
            If `n` is negative, or `label` or `true` is not one of the classes.
        """
        return self._rendering(label, n, true).ansi()

    def html_legend(self) -> str:
        """Return what the colours and numbers of `to_html` mean, as HTML.

        It is the same for all texts of a model.

        Returns
        -------
        str
            A ``div``.
        """
        return html_legend(self._meaning())

    def ansi_legend(self) -> str:
        """Return what the colours and numbers of `to_ansi` mean, for a terminal.

        Returns
        -------
        str
            Lines with the colours of terminals of 256 colours.
        """
        return ansi_legend(self._meaning())

    def _meaning(self) -> str:
        odds = " +1 multiplies the odds of the class by 2.7."
        if self.multilabel:
            what, total = "the logit of the class", "it"
        elif len(self.classes) == 2:
            what = "the logit of the class, minus what they add to that of the other class"
            total = "the difference of the logits"
        else:
            what = "the logit of the class, minus the mean of what they add to those of the others"
            total, odds = "the difference", ""
        parts = f"those of all n-grams and of the biases sum to {total}"
        method = f"exact: {parts}" if self.method == "exact" else f"{self.method}: {parts}, almost"
        return f"The numbers are what words and n-grams add to {what}.{odds} They are {method}."

    def _rendering(self, label: Any, n: int, true: Any) -> Rendering:
        column = self.column(label)
        evidence = self.evidence(label, by="token")
        classes = self.classes.tolist()
        order = np.argsort(-self.logits, kind="stable").tolist()
        n_predicted = int((self.logits > 0).sum()) if self.multilabel else 1
        named = order[: max(_NAMED, n_predicted)]
        named += [column] if column not in named else []
        return Rendering(
            label=classes[column],
            probabilities=[(classes[i], float(self.probabilities[i])) for i in named],
            none_predicted=n_predicted == 0,
            truth=None if true is None else self._truth(true),
            pieces=cut(self.text, self.token_spans, evidence),
            ngrams=self.top(label, n=n),
            rival=self._rival(order[1] if column == order[0] else order[0], column, n),
        )

    def _truth(self, true: Any) -> Truth:
        if not self.multilabel:
            column = column_of(true, self.classes, "true")
            return Truth([true], column == self.column())
        if isinstance(true, str) or not isinstance(true, Collection | np.ndarray):
            raise TypeError(
                f"true must be a list of the true labels for multilabel targets; got {true!r}."
            )
        columns = sorted({column_of(each, self.classes, "an entry of true") for each in true})
        predicted = np.flatnonzero(self.logits > 0).tolist()
        return Truth([self.classes.tolist()[i] for i in columns], columns == predicted)

    def _rival(self, rival: int, column: int, n: int) -> Rival | None:
        # Of two classes, the evidence is already the difference; labels have no rivals.
        if n == 0 or self.multilabel or len(self.classes) == 2:
            return None
        classes = self.classes.tolist()
        ngrams = self.top(classes[column], n=len(self.spans), rather_than=classes[rival])
        n = min(n, _TELLING)
        telling = [each for each in ngrams if each[1] >= STEPS[0]][:n]
        telling += [each for each in ngrams if each[1] <= -STEPS[0]][:n]
        return Rival(classes[rival], float(self.probabilities[rival]), telling)

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


def column_of(label: Any, classes: np.ndarray, name: str = "label") -> int:
    """Return the column of a class; a ValueError if it is not one of the classes.

    Parameters
    ----------
    label : object
        The class.
    classes : ndarray of shape (n_classes,)
        All classes.
    name : str, default="label"
        The parameter, for the message.
    """
    columns = {each: i for i, each in enumerate(classes.tolist())}
    if not isinstance(label, Hashable) or label not in columns:
        raise ValueError(f"{name}={label!r} is not one of the classes {classes.tolist()}.")
    return columns[label]
