"""Tables for people, and what the figures were measured on."""

import importlib.metadata
import json
import os
import pathlib
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from settings import THREADS

Row = dict[str, Any]

_PACKAGES = (
    "sktextcnn",
    "torch",
    "skorch",
    "scikit-learn",
    "numpy",
    "gensim",
    "keras",
    "tensorflow-cpu",
    "fasttext-wheel",
    "captum",
    "lime",
)


def machine() -> Row:
    """Return processor, cores, threads and versions."""
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load before": os.getloadavg()[0],
        "threads": THREADS,
        "system": platform.platform(),
        "python": platform.python_version(),
        **versions,
    }


def results_of(file: pathlib.Path) -> list[Row]:
    """Read the results of the runs so far."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _processor() -> str:
    info = pathlib.Path("/proc/cpuinfo")
    if info.exists():
        fields = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
        names = {key.strip(): value.strip() for key, value in fields.items()}
        family = " ".join(names.get(key, "?") for key in ("cpu family", "model"))
        return f"{names.get('model name', '?')} (family and model {family})"
    return platform.processor()


def race(
    figures: Mapping[str, Sequence[float]],
    ours: str,
    targets: Mapping[str, float],
    n_texts: int | None = None,
    scale: float = 1,
    unit: str = "s",
) -> list[Row]:
    """Return a table of competitors' seconds, and by how much we are faster.

    Parameters
    ----------
    figures : mapping of str to sequence of float
        The seconds of each competitor's turns.
    ours : str
        The competitor that the others are compared with.
    targets : mapping of str to float
        How many times as long as ours each of these should take at least.
    n_texts : int or None
        Texts of a turn, for texts a second.
    scale, unit
        In which unit seconds are shown, and what a second is in it.
    """
    seconds = {label: np.asarray(values) for label, values in figures.items()}
    rows = []
    for label, values in seconds.items():
        ratio = float(np.median(values) / np.median(seconds[ours]))
        row: Row = {
            "": label,
            f"median, {unit}": float(np.median(values)) * scale,
            "least": float(values.min()) * scale,
            "most": float(values.max()) * scale,
        }
        if n_texts is not None:
            row["texts/s"] = n_texts / float(np.median(values))
        row |= {"times ours": ratio, **reached(ratio, targets.get(label), at_least=True)}
        rows.append(row)
    return rows


def reached(value: float, target: float | None, *, at_least: bool) -> Row:
    """Return the columns that hold a value against a target."""
    if target is None:
        return {"target": "", "reached": ""}
    right = value >= target if at_least else value <= target
    return {
        "target": f"{'at least' if at_least else 'at most'} {target:.3g}",
        "reached": "yes" if right else "no",
    }


def table(title: str, rows: Sequence[Row]) -> str:
    """Return a table in Markdown."""
    columns = list(rows[0])
    cells = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([f"### {title}", "", *lines, ""])


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
