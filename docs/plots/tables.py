"""Plots of the tables in benchmarks/measured.json."""

import json
from pathlib import Path

import matplotlib.pyplot as plt

# The directive that runs this does so in the folder of this file.
DOCS = Path.cwd().parent
OURS, THEIRS = "C0", "0.65"


def table(name: str) -> list[list[str]]:
    """Return the rows of a measured table; the first one names the columns."""
    file = DOCS.parent / "benchmarks" / "measured.json"
    return json.loads(file.read_text(encoding="utf-8"))[name]["rows"]


def number(cell: str) -> float:
    """Return the number that a cell begins with; NaN if it is empty."""
    return float(cell.split()[0].replace(",", "")) if cell else float("nan")


def whole_corpora() -> None:
    """Accuracies on the three corpora."""
    _, axes = plt.subplots(1, 3, figsize=(9, 4), sharey=True, layout="constrained")
    for ax, corpus in zip(axes, ("MR", "Subj", "TREC"), strict=True):
        rows = table(f"Accuracy on {corpus}")[:0:-1]
        for place, (name, accuracy, deviation, *_, kim) in enumerate(rows):
            colour = OURS if name.startswith("CNN") else THEIRS
            ax.errorbar(number(accuracy), place, xerr=number(deviation), fmt="o", color=colour)
            ax.plot(number(kim), place, "x", color="C1")
        ax.set_yticks(range(len(rows)), [row[0] for row in rows])
        ax.set(title=corpus, xlabel="Accuracy, %")
        ax.grid(axis="x", alpha=0.3)


def learning_curves() -> None:
    """Accuracy by the number of labels."""
    shown = ["TF-IDF + logistic regression", "from scratch", "frozen vectors", "tuned vectors"]
    _, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for ax, corpus in zip(axes, ("MR", "Subj"), strict=True):
        (_, *sizes), *rows = table(f"Few labels of {corpus}")
        labels = [number(size) for size in sizes]
        for name, *cells in rows:
            if name in shown:
                means = [number(cell) for cell in cells]
                deviations = [number(cell.split("±")[1]) for cell in cells]
                ax.errorbar(labels, means, yerr=deviations, marker="o", capsize=2, label=name)
        ax.set(title=corpus, xscale="log", xlabel="Labels", ylabel="Accuracy, %")
        ax.set_xticks(labels, [f"{label:,.0f}" for label in labels], minor=False)
        ax.minorticks_off()
        ax.grid(alpha=0.3)
    axes[0].legend()


def epochs() -> None:
    """Seconds of a training epoch."""
    _, axes = plt.subplots(2, 1, figsize=(7, 5), layout="constrained")
    for ax, vectors in zip(axes, ("frozen", "tuned"), strict=True):
        rows = table(f"Training epoch, MR sentences, {vectors} vectors")[1:]
        _bars(ax, [(row[0], number(row[1])) for row in rows], "Seconds")
        ax.set_title(f"{vectors.capitalize()} vectors")


def labelling() -> None:
    """Texts that are labelled in a second."""
    rows = table("Raw text to label, MR sentences")[1:]
    _, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    _bars(ax, [(row[0], number(row[4]) / 1000) for row in rows], "Thousands of texts a second")


def _bars(ax, rows: list[tuple[str, float]], what: str) -> None:
    rows = rows[::-1]
    colours = [OURS if name.startswith("sktextcnn") else THEIRS for name, _ in rows]
    bars = ax.barh([name for name, _ in rows], [value for _, value in rows], color=colours)
    ax.bar_label(bars, fmt="%.3g", padding=3)
    ax.set_xlim(right=1.15 * max(value for _, value in rows))
    ax.set_xlabel(what)
