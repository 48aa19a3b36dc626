"""Displays in scikit-learn's convention: from_estimator, plot, ax_, figure_."""

import textwrap
from collections.abc import Iterable
from itertools import cycle
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sktextcnn._classifier import TextCNNClassifier
from sktextcnn._inspection.explainer import explain
from sktextcnn._inspection.explanation import Explanation, column_of
from sktextcnn._inspection.ngrams import NGram, top_ngrams
from sktextcnn._inspection.rendering import AGAINST, FOR, printable
from sktextcnn._pipeline import best_model, fitted_parts, inference_steps


class ExplanationDisplay:
    """The evidence for and against a class in a text.

    A notebook shows the display as the text with its words coloured, and ``print`` shows the same
    in a terminal. :meth:`plot` draws the n-grams that matter most. The default font of matplotlib
    has no Chinese, Japanese or Korean and few emoji; set a font that has them in
    ``matplotlib.rcParams["font.family"]``.

    Parameters
    ----------
    explanation : Explanation
        The explanation of a text, from `explain`.
    label : object or None, default=None
        One of the classes; None for the class of the largest logit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.

    See Also
    --------
    explain : Returns the numbers that are drawn.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import ExplanationDisplay, TextCNNClassifier, TextVectorizer
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> model = model.fit(texts, labels)
    >>> display = ExplanationDisplay.from_estimator(model, "A witty GEM.")
    >>> display.ax_.get_xlabel()
    'Evidence for good'
    """

    ax_: Any
    figure_: Any

    def __init__(self, explanation: Explanation, *, label: Any = None) -> None:
        self.explanation = explanation
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        text: str,
        *,
        label: Any = None,
        n: int = 10,
        by: str = "span",
        ax: Any = None,
    ) -> "ExplanationDisplay":
        """Explain a text and draw it.

        Parameters
        ----------
        estimator : Pipeline
            A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`, or a search over
            one.
        text : str
            The text.
        label : object or None, default=None
            One of the classes; None for the class of the largest logit.
        n : int, default=10
            How many n-grams or tokens to draw at most.
        by : {"span", "token"}, default="span"
            Whether to draw n-grams or tokens.
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None for a new figure.

        Returns
        -------
        ExplanationDisplay

        Raises
        ------
        TypeError
            If `text` is not a str.
        """
        _need_matplotlib(cls.__name__)
        if not isinstance(text, str):
            raise TypeError(f"text must be one text, a str; got {type(text).__name__}.")
        return cls(explain(estimator, [text])[0], label=label).plot(n=n, by=by, ax=ax)

    def plot(self, *, n: int = 10, by: str = "span", ax: Any = None) -> "ExplanationDisplay":
        """Draw the n-grams that matter most.

        Parameters
        ----------
        n : int, default=10
            How many n-grams or tokens to draw at most.
        by : {"span", "token"}, default="span"
            Whether to draw n-grams or tokens.
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None for a new figure.

        Returns
        -------
        self : ExplanationDisplay
        """
        _need_matplotlib(type(self).__name__)
        top = self.explanation.top(self.label, n=n, by=by)[::-1]
        label = self.explanation.classes[self.explanation.column(self.label)]
        names = [_wrapped(ngram, _NAME_WIDTH) for ngram, _ in top]
        self.ax_ = _axes(ax, names)
        _bars(self.ax_, names, np.array([value for _, value in top]))
        self.ax_.set_xlabel(_wrapped(f"Evidence for {label}", _TITLE_WIDTH))
        self.ax_.set_title(_wrapped(self.explanation.text, _TITLE_WIDTH), fontsize="medium")
        self.figure_ = self.ax_.figure
        return self

    def _repr_html_(self) -> str:
        return self.explanation.to_html(self.label, legend=True)

    def __str__(self) -> str:
        return self.explanation.to_ansi(self.label)


class TrainingHistoryDisplay:
    """The losses and accuracies of each epoch of a training.

    Parameters
    ----------
    history : list of dict
        One entry for each epoch, with ``train_loss`` and, if there was validation data,
        ``valid_loss`` and ``valid_acc``.
    thawed : dict of int to str
        The parts of the network that were frozen at first, by the epoch from which on they were
        trained.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the losses, after `plot`.
    accuracy_ax_ : matplotlib Axes or None
        The axes of the accuracy, after `plot`; None if there was no validation data.
    figure_ : matplotlib Figure
        The figure, after `plot`.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer
    >>> from sktextcnn import TrainingHistoryDisplay
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> display = TrainingHistoryDisplay.from_estimator(model.fit(texts, labels))
    >>> display.ax_.get_xlabel()
    'Epoch'
    """

    ax_: Any
    accuracy_ax_: Any
    figure_: Any

    def __init__(self, history: list[dict[str, Any]], thawed: dict[int, str]) -> None:
        self.history = history
        self.thawed = thawed

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> "TrainingHistoryDisplay":
        """Draw the training of a fitted classifier.

        Parameters
        ----------
        estimator : TextCNNClassifier or Pipeline
            A fitted classifier, a Pipeline that ends in one, or a search over either.
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None for a new figure.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        TypeError
            If `estimator` is neither a TextCNNClassifier nor a Pipeline that ends in one.
        """
        _need_matplotlib(cls.__name__)
        estimator = best_model(estimator, cls.__name__)
        steps = inference_steps(estimator)
        classifier = steps[-1].estimator if steps else estimator
        if not isinstance(classifier, TextCNNClassifier):
            raise TypeError(
                f"{cls.__name__} takes a TextCNNClassifier or a Pipeline that ends in one; got "
                f"{type(classifier).__name__}."
            )
        check_is_fitted(classifier, "net_")
        finetune = classifier.net_.plan.settings["finetune"]
        thawed: dict[int, str] = {}
        if finetune == "gradual":
            thawed = {2: "convolutions", 3: "word vectors"}
        elif isinstance(finetune, int | np.integer) and not isinstance(finetune, bool):
            thawed = {int(finetune) + 1: "word vectors"}
        history = [
            {name: epoch[name] for name in _CURVES if name in epoch}
            for epoch in classifier.history_
        ]
        return cls(history, thawed).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> "TrainingHistoryDisplay":
        """Draw the curves, and mark the best epoch and those in which parts were thawed.

        The best epoch is that of the lowest validation loss. The curves of more than 40 epochs are
        smoothed, by the mean of the epochs around each; what they were is drawn thin.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None for a new figure.

        Returns
        -------
        self : TrainingHistoryDisplay
        """
        _need_matplotlib(type(self).__name__)
        from matplotlib.ticker import MaxNLocator, StrMethodFormatter

        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        self.accuracy_ax_ = None
        lines = []
        for name, (label, style) in _CURVES.items():
            epochs = [i for i, row in enumerate(self.history, 1) if name in row]
            if not epochs:
                continue
            target = self.ax_
            if name == "valid_acc":
                target = self.accuracy_ax_ = self.ax_.twinx()
                target.set_ylabel("Accuracy")
            values = [self.history[i - 1][name] for i in epochs]
            lines.append(_curve(target, epochs, values, label, style))
        lines += self._best_epoch() + self._thawing()
        self.ax_.set(xlabel="Epoch", ylabel="Loss")
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        self.ax_.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        if len(self.history) == 1:
            self.ax_.set_xlim(0.5, 1.5)
        # Above the axes, where it covers no curve.
        self.ax_.legend(
            handles=lines, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False
        )
        return self

    def _best_epoch(self) -> list[Any]:
        """Mark the epoch with the lowest validation loss, if there is one."""
        losses = {i: row["valid_loss"] for i, row in enumerate(self.history, 1) if _VALID in row}
        if not losses:
            return []
        best = min(losses, key=losses.__getitem__)
        return self.ax_.plot(
            [best],
            [losses[best]],
            label=f"lowest validation loss, epoch {best:,}",
            linestyle="none",
            marker="o",
            markersize=9,
            markerfacecolor="none",
            color=_CURVES[_VALID][1]["color"],
        )

    def _thawing(self) -> list[Any]:
        """Mark the epochs from which on a part of the network was trained too."""
        return [
            self.ax_.axvline(epoch, color="gray", linestyle=style, label=f"{what} thawed")
            for (epoch, what), style in zip(self.thawed.items(), cycle((":", "-.")))
            if epoch <= len(self.history)
        ]


class LearnedNGramsDisplay:
    """The n-grams of a corpus with the largest evidence for a class.

    For scripts that the font of matplotlib lacks, see :class:`ExplanationDisplay`.

    Parameters
    ----------
    ngrams : list of NGram
        The n-grams of a class, from `top_ngrams`.
    label : object
        The class.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes, after `plot`.
    figure_ : matplotlib Figure
        The figure, after `plot`.

    See Also
    --------
    top_ngrams : Returns the numbers that are drawn.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktextcnn import LearnedNGramsDisplay
    >>> from sktextcnn import TextCNNClassifier, TextVectorizer
    >>> texts = ["a gem", "so dull", "a witty gem", "a dull, dull film"] * 5
    >>> labels = ["good", "bad", "good", "bad"] * 5
    >>> model = make_pipeline(TextVectorizer(), TextCNNClassifier(random_state=0))
    >>> model = model.fit(texts, labels)
    >>> display = LearnedNGramsDisplay.from_estimator(model, texts, "good", n=5)
    >>> len(display.ngrams)
    5
    """

    ax_: Any
    figure_: Any

    def __init__(self, ngrams: list[NGram], label: Any) -> None:
        self.ngrams = ngrams
        self.label = label

    @classmethod
    def from_estimator(
        cls, estimator: Any, texts: Iterable[str], label: Any, *, n: int = 20, ax: Any = None
    ) -> "LearnedNGramsDisplay":
        """Find the n-grams and draw them.

        Parameters
        ----------
        estimator : Pipeline
            A fitted Pipeline of a `TextVectorizer` and a `TextCNNClassifier`, or a search over
            one.
        texts : iterable of str
            The corpus.
        label : object
            One of the classes.
        n : int, default=20
            How many n-grams to draw at most.
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None for a new figure.

        Returns
        -------
        LearnedNGramsDisplay
        """
        _need_matplotlib(cls.__name__)
        _, classifier = fitted_parts(estimator, f"{cls.__name__}.from_estimator")
        column_of(label, classifier.classes_)
        return cls(top_ngrams(estimator, texts, label, n=n)[label], label).plot(ax=ax)

    def plot(self, *, ax: Any = None) -> "LearnedNGramsDisplay":
        """Draw the evidence of each n-gram, with the number of texts where it activated a filter.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None for a new figure.

        Returns
        -------
        self : LearnedNGramsDisplay
        """
        _need_matplotlib(type(self).__name__)
        shown = self.ngrams[::-1]
        names = [_wrapped(f"{ngram.text}  ({ngram.count:,})", _NAME_WIDTH) for ngram in shown]
        self.ax_ = _axes(ax, names)
        _bars(self.ax_, names, np.array([ngram.total for ngram in shown]))
        xlabel = f"Evidence for {self.label}, over all texts"
        self.ax_.set(xlabel=_wrapped(xlabel, _TITLE_WIDTH))
        self.figure_ = self.ax_.figure
        return self


_VALID = "valid_loss"
# More epochs than this are smoothed, by the mean of this share of them.
_MOST_RAW, _SMOOTHED_SHARE = 40, 0.05

_CURVES: dict[str, tuple[str, dict[str, Any]]] = {
    "train_loss": ("training loss", {"color": "C0"}),
    "valid_loss": ("validation loss", {"color": "C1"}),
    "valid_acc": ("validation accuracy", {"color": "C2", "linestyle": "--"}),
}


def _need_matplotlib(name: str) -> None:
    """Raise an ImportError that names the extra, before anything is computed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{name} draws with matplotlib, which is not installed: pip install 'sktextcnn[plot]'."
        ) from error


def _axes(ax: Any, names: list[str] | None = None) -> Any:
    """Return the axes; for bars with names, new ones are as high as the names need."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    size = None
    if names is not None:
        size = (7, 1.4 + 0.12 * len(names) + 0.18 * sum(name.count("\n") + 1 for name in names))
    return plt.subplots(figsize=size, layout="constrained")[1]


def _curve(
    ax: Any, epochs: list[int], values: list[float], label: str, style: dict[str, Any]
) -> Any:
    """Draw a curve, smoothed if it has many epochs, and return the line for the legend."""
    if len(epochs) <= _MOST_RAW:
        return ax.plot(epochs, values, label=label, marker=".", **style)[0]
    ax.plot(epochs, values, linewidth=0.6, alpha=0.5, **{**style, "linestyle": "-"})
    half = max(1, round(len(epochs) * _SMOOTHED_SHARE / 2))
    label = f"{label}, mean of {2 * half + 1} epochs"
    return ax.plot(epochs, smoothed(values, half), label=label, linewidth=2, **style)[0]


def smoothed(values: list[float], half: int) -> np.ndarray:
    """Return the mean of each value and up to `half` on either side; fewer at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    first, last = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    return (sums[last] - sums[first]) / (last - first)


def _bars(ax: Any, names: list[str], values: np.ndarray) -> None:
    colours = [[c / 255 for c in (FOR if value > 0 else AGAINST)] for value in values]
    places = np.arange(len(names))
    ax.barh(places, values, color=colours)
    ax.set_yticks(places, names)
    ax.axvline(0, color="gray", linewidth=0.8)
    ax.set_ylim(-0.6, max(len(names), 1) - 0.4)


# How many characters of names and titles are in a line, and how many lines they have at most.
_NAME_WIDTH, _TITLE_WIDTH, _MOST_LINES = 44, 48, 3


def _wrapped(text: str, width: int) -> str:
    """Break a text into a few lines, and escape the dollar signs that would begin a formula."""
    lines = textwrap.wrap(
        printable(text[: width * _MOST_LINES + width]),
        width,
        max_lines=_MOST_LINES,
        placeholder=" ...",
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("$", r"\$")
