"""Plots of the tables that accuracy.md and engine.md have."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

# The directive that runs this does so in the folder of this file.
DOCS = Path.cwd().parent
OURS, THEIRS = "C0", "0.65"


def table(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading, that of the names first."""
    text = (DOCS / page).read_text(encoding="utf-8")
    _, found, rest = text.partition(f"### {heading}\n")
    if not found:
        raise ValueError(f"{page} has no heading {heading!r}.")
    lines = re.search(r"(?:^\|.*\n)+", rest, re.M).group().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def number(cell: str) -> float:
    """Return the number that a cell begins with; NaN if it is empty."""
    return float(cell.split()[0].replace(",", "")) if cell else float("nan")


def whole_corpora() -> None:
    """Accuracies on the three corpora."""
    headings = ["MR, 10-fold cross-validation", "Subj, 10-fold cross-validation", "TREC, test part"]
    _, axes = plt.subplots(1, 3, figsize=(9, 4), sharey=True, layout="constrained")
    for ax, heading in zip(axes, headings, strict=True):
        rows = table("accuracy.md", heading)[:0:-1]
        for place, (name, accuracy, deviation, _, kim) in enumerate(rows):
            colour = OURS if name.startswith("CNN") else THEIRS
            ax.errorbar(number(accuracy), place, xerr=number(deviation), fmt="o", color=colour)
            ax.plot(number(kim), place, "x", color="C1")
        ax.set_yticks(range(len(rows)), [row[0] for row in rows])
        ax.set(title=heading.split(",")[0], xlabel="Accuracy, %")
        ax.grid(axis="x", alpha=0.3)


def learning_curves() -> None:
    """Accuracy by the number of labels."""
    headings = {
        "MR": "MR, tested on 2,133 sentences; the other corpus is Subj",
        "Subj": "Subj, tested on 2,000 sentences; the other corpus is MR",
    }
    shown = ["TF-IDF + logistic regression", "from scratch", "frozen vectors", "tuned vectors"]
    _, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for ax, (corpus, heading) in zip(axes, headings.items(), strict=True):
        (_, *sizes), *rows = table("accuracy.md", heading)
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
        rows = table("engine.md", f"Training epoch, MR sentences, {vectors} vectors")[1:]
        _bars(ax, [(row[0], number(row[1])) for row in rows], "Seconds")
        ax.set_title(f"{vectors.capitalize()} vectors")


def labelling() -> None:
    """Texts that are labelled in a second."""
    rows = table("engine.md", "Raw text to label, MR sentences")[1:]
    _, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    _bars(ax, [(row[0], number(row[4]) / 1000) for row in rows], "Thousands of texts a second")


def _bars(ax, rows: list[tuple[str, float]], what: str) -> None:
    rows = rows[::-1]
    colours = [OURS if name.startswith("sktextcnn") else THEIRS for name, _ in rows]
    bars = ax.barh([name for name, _ in rows], [value for _, value in rows], color=colours)
    ax.bar_label(bars, fmt="%.3g", padding=3)
    ax.set_xlim(right=1.15 * max(value for _, value in rows))
    ax.set_xlabel(what)
