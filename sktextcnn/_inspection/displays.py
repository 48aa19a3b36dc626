"""Displays in scikit-learn's convention: from_estimator, plot, ax_, figure_."""

from collections.abc import Iterable
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
        self.ax_ = _axes(ax, len(top))
        _bars(self.ax_, [ngram for ngram, _ in top], np.array([value for _, value in top]))
        self.ax_.set(
            xlabel=_shortened(f"Evidence for {label}"), title=_shortened(self.explanation.text)
        )
        self.figure_ = self.ax_.figure
        return self

    def _repr_html_(self) -> str:
        return self.explanation.to_html(self.label)

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
        """Draw the curves, and mark the epochs in which parts of the network were thawed.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            The axes to draw on; None for a new figure.

        Returns
        -------
        self : TrainingHistoryDisplay
        """
        _need_matplotlib(type(self).__name__)
        from matplotlib.ticker import MaxNLocator

        self.ax_ = _axes(ax)
        self.figure_ = self.ax_.figure
        self.accuracy_ax_ = None
        lines = []
        for name, (label, style) in _CURVES.items():
            points = [(i, row[name]) for i, row in enumerate(self.history, 1) if name in row]
            if not points:
                continue
            target = self.ax_
            if name == "valid_acc":
                target = self.accuracy_ax_ = self.ax_.twinx()
                target.set_ylabel("Accuracy")
            lines += target.plot(*zip(*points, strict=True), label=label, marker=".", **style)
        for epoch, what in self.thawed.items():
            if epoch <= len(self.history):
                self.ax_.axvline(epoch, color="gray", linestyle=":")
                self.ax_.annotate(
                    f"{what} thawed",
                    (epoch, 1),
                    xycoords=("data", "axes fraction"),
                    xytext=(3, -3),
                    textcoords="offset points",
                    va="top",
                    rotation=90,
                    color="gray",
                )
        self.ax_.set(xlabel="Epoch", ylabel="Loss")
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True))
        self.ax_.legend(handles=lines)
        return self


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
        self.ax_ = _axes(ax, len(shown))
        names = [f"{ngram.text}  ({ngram.count})" for ngram in shown]
        _bars(self.ax_, names, np.array([ngram.total for ngram in shown]))
        self.ax_.set(xlabel=_shortened(f"Evidence for {self.label}, over all texts"))
        self.figure_ = self.ax_.figure
        return self


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


def _axes(ax: Any, n_bars: int = 0) -> Any:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    size = (7, 1.2 + 0.28 * n_bars) if n_bars else None
    return plt.subplots(figsize=size, layout="constrained")[1]


def _bars(ax: Any, names: list[str], values: np.ndarray) -> None:
    colours = [[c / 255 for c in (FOR if value > 0 else AGAINST)] for value in values]
    places = np.arange(len(names))
    ax.barh(places, values, color=colours)
    ax.set_yticks(places, [_shortened(name) for name in names])
    ax.axvline(0, color="gray", linewidth=0.8)
    ax.set_ylim(-0.6, max(len(names), 1) - 0.4)


def _shortened(text: str, length: int = 60) -> str:
    """Shorten a text to one line, and escape the dollar signs that would begin a formula."""
    shown = text if len(text) <= length else text[: length - 3] + "..."
    return " ".join(printable(shown).split("\n")).replace("\t", " ").replace("$", r"\$")
