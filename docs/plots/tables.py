"""Plots of the tables in benchmarks/measured.json, and of those in docs/defaults.md.

Panels stand below each other, so that their texts can be read on a phone too.
"""

import json
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt

# The directive that runs this does so in the folder of this file.
DOCS = Path.cwd().parent
OURS, THEIRS, OTHER = "C0", "0.65", "C1"
WIDTH = 5.6
_IN_POINTS = {"textcoords": "offset points"}


def table(name: str) -> list[list[str]]:
    """Return the rows of a measured table; the first one names the columns."""
    file = DOCS.parent / "benchmarks" / "measured.json"
    return json.loads(file.read_text(encoding="utf-8"))[name]["rows"]


def columns(name: str, *wanted: str) -> list[list[str]]:
    """Return the names of the rows of a measured table, and some of its columns."""
    header, *rows = table(name)
    return [[row[0], *(row[header.index(column)] for column in wanted)] for row in rows]


def number(cell: str) -> float:
    """Return the number that a cell begins with; NaN if it is empty."""
    return float(cell.split()[0].replace(",", "")) if cell else float("nan")


def deviation(cell: str) -> float:
    """Return the number after the ± of a cell; NaN if it is empty."""
    return float(cell.split("±")[1]) if cell else float("nan")


# Accuracy ------------------------------------------------------------------------------


def methods() -> None:
    """Mean accuracies of all methods."""
    _methods("accuracy", "Accuracy, %, mean of seven corpora")


def calibration_errors() -> None:
    """Mean calibration errors of all methods."""
    _methods("calibration error", "Calibration error, %, mean of seven corpora")


def _methods(column: str, what: str) -> None:
    _, axes = _panels(2, 2.3, sharex=True)
    for ax, labels in zip(axes, ("all labels", "1,000 labels"), strict=True):
        rows = columns(f"Methods, {labels}", column)
        _dots(ax, [(name, number(value)) for name, value in rows])
        ax.set_title(labels.capitalize())
    axes[-1].set_xlabel(what)


def by_corpus() -> None:
    """Accuracy of each method on each corpus."""
    _by_corpus("Accuracy", "Accuracy, %")


def log_losses() -> None:
    """Log loss of each method on each corpus."""
    _by_corpus("Log loss", "Log loss")


def _by_corpus(prefix: str, what: str) -> None:
    figure, axes = _panels(2, 2.8)
    markers = ["D", "o", "s", "^", "v", "X", "P"]
    for ax, labels in zip(axes, ("all labels", "1,000 labels"), strict=True):
        (_, *corpora), *rows = table(f"{prefix} by corpus, {labels}")
        for (name, *cells), marker in zip(rows, markers, strict=True):
            ours = name.startswith("sktextcnn")
            colour = OURS if ours else "0.35"
            values = [number(cell) for cell in cells]
            ax.plot(corpora, values, marker, color=colour, label=name, zorder=2 + ours)
        ax.set(title=labels.capitalize(), ylabel=what)
        ax.grid(axis="y", alpha=0.3)
    _legend_below(figure, axes[0], 2)


def whole_corpora() -> None:
    """Accuracies on the three corpora of Kim (2014)."""
    figure, axes = _panels(3, 2.5)
    for ax, corpus in zip(axes, ("MR", "Subj", "TREC"), strict=True):
        rows = table(f"Accuracy on {corpus}")[:0:-1]
        for place, (name, accuracy, spread, *_, kim) in enumerate(rows):
            ours = name.startswith("CNN")
            label = "sktextcnn, the network alone" if ours else "TF-IDF and fastText"
            ax.errorbar(
                number(accuracy),
                place,
                xerr=number(spread),
                fmt="o",
                color=OURS if ours else "0.4",
                label=label,
            )
            ax.plot(number(kim), place, "x", color=OTHER, label="Kim (2014)")
        ax.set_yticks(range(len(rows)), [row[0] for row in rows])
        ax.set_title(corpus)
        ax.grid(axis="x", alpha=0.3)
    axes[-1].set_xlabel("Accuracy, %")
    _legend_below(figure, axes[0], 2)


def learning_curves() -> None:
    """Accuracy by the number of labels."""
    shown = ["tuned vectors", "frozen vectors", "from scratch", "TF-IDF + logistic regression"]
    figure, axes = _panels(2, 2.8)
    for ax, corpus in zip(axes, ("MR", "Subj"), strict=True):
        _curves(ax, f"Few labels of {corpus}", shown, corpus)
    axes[-1].set_xlabel("Labels")
    _legend_below(figure, axes[0], 2)


def transfer() -> None:
    """Accuracy with few labels and another corpus of the same question."""
    shown = ["sktextcnn, `pretrained` by the other corpus", "sktextcnn"]
    shown += ["TF-IDF, both corpora together", "TF-IDF + logistic regression"]
    figure, axes = _panels(2, 2.8)
    names = {"MR": "MR: sentences", "movies": "Movies: whole reviews"}
    for ax, (corpus, title) in zip(axes, names.items(), strict=True):
        _curves(ax, f"Transfer to {corpus}", shown, title)
    axes[-1].set_xlabel("Labels of this corpus")
    _legend_below(figure, axes[0], 1)


def _curves(ax, name: str, shown: list[str], title: str) -> None:
    (_, *sizes), *rows = table(name)
    labels = [number(size) for size in sizes]
    found = {row_name: cells for row_name, *cells in rows}
    for i, row_name in enumerate(shown):
        cells = found[row_name]
        means = [number(cell) for cell in cells]
        spreads = [deviation(cell) for cell in cells]
        style = {"marker": "osv^"[i], "capsize": 2, "label": row_name.replace("`", "")}
        ax.errorbar(labels, means, yerr=spreads, **style)
    ax.set(title=title, xscale="log", ylabel="Accuracy, %")
    ax.set_xticks(labels, [f"{label:,.0f}" for label in labels], minor=False)
    ax.minorticks_off()
    ax.grid(alpha=0.3)


def rare_class() -> None:
    """Recall, precision and F1 of a rare class by class_weight."""
    figure, axes = _panels(2, 2)
    titles = {"against the rest": "ABBR against the rest", "among six classes": "All six classes"}
    for ax, (which, title) in zip(axes, titles.items(), strict=True):
        scores = ("recall", "precision", "F1")
        for i, (weight, *cells) in enumerate(columns(f"Rare class ABBR {which}", *scores)):
            places = [place + 0.2 - 0.4 * (1 - i) for place in range(len(scores))]
            bars = ax.bar(
                places,
                [number(cell) for cell in cells],
                width=0.38,
                yerr=[deviation(cell) for cell in cells],
                color=(THEIRS, OURS)[i],
                label=f"class_weight={weight}",
            )
            ax.bar_label(bars, fmt="%.0f", label_type="center")
        ax.set_xticks(range(len(scores)), scores)
        ax.set(title=title, ylabel="%", ylim=(0, 100))
    _legend_below(figure, axes[0], 2)


def calibration() -> None:
    """Calibration errors of the network alone, and after each calibration of scikit-learn."""
    _, (ax,) = _panels(1, 2.2)
    rows = columns("Calibration on MR", "calibration error, %")
    _bars(ax, [(name, number(error)) for name, error in rows], "Calibration error, %")


# Time and memory -----------------------------------------------------------------------


def epochs() -> None:
    """Seconds of a training epoch."""
    _, axes = _panels(2, 2.5)
    for ax, vectors in zip(axes, ("frozen", "tuned"), strict=True):
        rows = columns(f"Training epoch, MR sentences, {vectors} vectors", "median, s")
        _bars(ax, [(name, number(seconds)) for name, seconds in rows], "Seconds")
        ax.set_title(f"{vectors.capitalize()} vectors")


def epochs_of_documents() -> None:
    """Seconds of a training epoch of long documents."""
    _, axes = _panels(2, 1.5, sharex=True)
    for ax, vectors in zip(axes, ("frozen", "tuned"), strict=True):
        name = f"Training epoch, documents of 700 words, {vectors} vectors"
        rows = columns(name, "median, s")
        _bars(ax, [(row_name, number(seconds)) for row_name, seconds in rows], "Seconds")
        ax.set_title(f"{vectors.capitalize()} vectors")


def labelling() -> None:
    """Texts that are labelled in a second."""
    rows = columns("Raw text to label, MR sentences", "texts/s")
    _, (ax,) = _panels(1, 3)
    _bars(ax, [(row[0], number(row[1]) / 1000) for row in rows], "Thousands of texts a second")


def single_text() -> None:
    """Milliseconds for a single text."""
    rows = columns("Raw text to label, one MR sentence, not seen before", "median, ms")
    _, (ax,) = _panels(1, 2.2)
    _bars(ax, [(name, number(value)) for name, value in rows], "Milliseconds for one text")


def reading_vectors() -> None:
    """Seconds and memory to read a file of vectors."""
    name = "glove.6B.100d.txt into the matrix of MR's words"
    _, (above, below) = _panels(2, 1.3)
    _bars(above, [(row, number(value)) for row, value in columns(name, "median, s")], "Seconds")
    rows = columns(f"{name}, memory", "added at the peak, MB")
    _bars(below, [(row, number(value)) for row, value in rows], "MB added at the peak")


def imports() -> None:
    """Seconds of imports."""
    _, (ax,) = _panels(1, 2.2)
    rows = columns("Imports in fresh interpreters", "median, s")
    _bars(ax, [(name, number(value)) for name, value in rows], "Seconds")


def search() -> None:
    """Seconds of a grid search and of its fits alone."""
    _, (ax,) = _panels(1, 1.6)
    rows = columns("Grid search, 12 candidates x 3 folds, 3 epochs, n_jobs=1", "median, s")
    _bars(ax, [(name, number(value)) for name, value in rows], "Seconds")


def growth() -> None:
    """Texts a second, by the number of texts."""
    name = "Growth, Zipfian texts of 50 words, default network, 100-d random vectors"
    _, (ax,) = _panels(1, 2.8)
    speeds: dict[str, list[tuple[float, float]]] = {}
    for row, value in columns(name, "texts/s"):
        operation, size = row.split(", ", 1)
        speeds.setdefault(operation, []).append((number(size), number(value)))
    for (operation, points), marker in zip(speeds.items(), "sov", strict=True):
        sizes, values = zip(*points, strict=True)
        ax.plot(sizes, values, marker=marker)
        ax.annotate(operation, (sizes[-1], values[-1]), (8, 0), va="center", **_IN_POINTS)
    ax.set(xscale="log", yscale="log", xlabel="Texts", ylabel="Texts a second")
    ax.set_xlim(right=3.2 * sizes[-1])
    ax.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    ax.minorticks_off()
    ax.grid(alpha=0.3)


def memory_growth() -> None:
    """Memory beside the texts, by their number."""
    name = "Growth, Zipfian texts of 50 words, default network, 100-d random vectors"
    rows = columns(f"{name}, memory beside the texts", "beyond the matrix, GB")
    _, (ax,) = _panels(1, 1.7)
    _bars(ax, [(f"{row} texts", number(value)) for row, value in rows], "GB", ours="")


def adam() -> None:
    """Accuracy of two ways to update the vectors, and of bfloat16."""
    _, axes = _panels(2, 1.6)
    for ax, name in zip(axes, ("Accuracy, MR, 5 folds", "Accuracy, TREC, 5 seeds"), strict=True):
        rows = columns(name, "accuracy", "standard deviation")[::-1]
        for place, (_, accuracy, spread) in enumerate(rows):
            ax.errorbar(number(accuracy), place, xerr=number(spread), fmt="o", color=OURS)
        ax.set_yticks(range(len(rows)), [row[0] for row in rows])
        ax.margins(y=0.3)
        ax.set_title(name)
        ax.grid(axis="x", alpha=0.3)
    axes[-1].set_xlabel("Accuracy, %")


def single_texts_of_model_files() -> None:
    """Single texts that model files predict in a second."""
    rows = columns("Model files of MR", "documents/s, one by one")
    _, (ax,) = _panels(1, 2.3)
    shown = [(name.replace("`", ""), number(value)) for name, value in rows]
    _bars(ax, shown, "Texts a second, one by one", ours="ONNX")


def starts_of_model_files() -> None:
    """Seconds that model files take to the first label."""
    rows = columns("Model files of MR", "start to first label, s")
    _, (ax,) = _panels(1, 2.3)
    shown = [(name.replace("`", ""), number(value)) for name, value in rows]
    _bars(ax, shown, "Seconds to the first label", ours="ONNX")


# Explanations --------------------------------------------------------------------------


def faithfulness() -> None:
    """Areas under the curves of deletion and insertion."""
    _, axes = _panels(2, 2.3, sharex=True)
    titles = ("Deletion: small is good", "Insertion: large is good")
    for ax, column, title in zip(axes, ("deletion area", "insertion area"), titles, strict=True):
        rows = columns("Faithfulness, tokens removed", column)[::-1]
        for place, (name, cell) in enumerate(rows):
            colour = OURS if name.startswith("exact") else "0.4"
            ax.errorbar(number(cell), place, xerr=deviation(cell), fmt="o", color=colour)
            label = f"{number(cell):.3f}"
            ax.annotate(label, (number(cell), place), (14, 0), va="center", **_IN_POINTS)
        ax.set_yticks(range(len(rows)), [row[0] for row in rows])
        ax.margins(y=0.2)
        ax.set(title=title, xlim=(0, 1.15))
        ax.grid(axis="x", alpha=0.3)
    axes[-1].set_xlabel("Area under the curve")


def explaining_time() -> None:
    """Milliseconds to explain a text."""
    _, (ax,) = _panels(1, 2.3)
    rows = columns("Faithfulness, tokens removed", "CPU ms a text")
    rows = [(name, number(value)) for name, value in rows if name != "random"]
    _bars(ax, rows, "Milliseconds of a text", ours="exact")


# Defaults ------------------------------------------------------------------------------


def defaults() -> None:
    """What other values of the parameters change, on average over the corpora."""
    text = (DOCS / "defaults.md").read_text(encoding="utf-8")
    lines = text[text.index("| **the defaults** |") :].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    means = [sum(map(float, row[1:])) / len(row[1:]) for row in cells]
    names = [row[0].replace("`", "").replace("the same,", "such dropout,") for row in cells]
    changes = []
    for i, name in enumerate(names[1:], 1):
        # As the page says: which row of the table has all but this parameter.
        compared = 0 if i < 5 else 5 if name.endswith("(before)") and i > 5 else 4
        changes.append((name.replace(" (before)", ""), means[i] - means[compared]))
    changes = sorted(changes, key=lambda change: change[1])
    _, (ax,) = _panels(1, 9)
    names = [textwrap.fill(name, 36) for name, _ in changes]
    ax.barh(names, [change for _, change in changes], color=THEIRS)
    ax.axvspan(-0.5, 0.5, color=OURS, alpha=0.15, lw=0)
    ax.axvline(0, color=OURS)
    ax.margins(y=0.01)
    ax.set_xlabel("Change of the accuracy, points")


# Parts of plots ------------------------------------------------------------------------


def _panels(n: int, height: float, **options) -> tuple:
    figure, axes = plt.subplots(
        n, 1, figsize=(WIDTH, n * height), layout="constrained", squeeze=False, **options
    )
    return figure, axes[:, 0]


def _legend_below(figure, ax, n_columns: int) -> None:
    """Put a legend outside of all axes, with each label once."""
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    figure.legend(unique.values(), unique, loc="outside lower center", ncols=n_columns)


def _dots(ax, rows: list[tuple[str, float]]) -> None:
    for place, (name, value) in enumerate(rows[::-1]):
        colour = OURS if name.startswith("sktextcnn") else "0.4"
        ax.plot(value, place, "o", color=colour)
        ax.annotate(f"{value:.1f}", (value, place), (8, 0), va="center", color=colour, **_IN_POINTS)
    ax.set_yticks(range(len(rows)), [name for name, _ in rows[::-1]])
    ax.margins(x=0.2, y=0.1)
    ax.grid(axis="x", alpha=0.3)


def _bars(ax, rows: list[tuple[str, float]], what: str, ours: str = "sktextcnn") -> None:
    rows = rows[::-1]
    colours = [OURS if name.startswith(ours) else THEIRS for name, _ in rows]
    bars = ax.barh([name for name, _ in rows], [value for _, value in rows], color=colours)
    ax.bar_label(bars, fmt=_as_text, padding=3)
    ax.set_xlim(right=1.25 * max(value for _, value in rows))
    ax.locator_params(axis="x", nbins=5)
    ax.set_xlabel(what)


def _as_text(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
