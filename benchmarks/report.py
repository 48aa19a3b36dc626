"""Tables of results: printed, and recorded in measured.json, which README and pages show."""

import argparse
import importlib.metadata
import json
import os
import pathlib
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from settings import THREADS

Row = dict[str, Any]

MEASURED = pathlib.Path(__file__).with_name("measured.json")

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
    "model2vec",
    "sentence-transformers",
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
    """Return the results of earlier runs; none if there is no file."""
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
    """Return a table of the competitors' seconds, and how many times as long as ours they are.

    Parameters
    ----------
    figures : mapping of str to sequence of float
        Seconds of each competitor's turns.
    ours : str
        The competitor that the others are compared with.
    targets : mapping of str to float
        Least number of times as long as ours that each of these should take.
    n_texts : int or None
        Number of texts of a turn, for the texts per second.
    scale, unit
        Unit in which seconds are shown, and the number of these units in a second.
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
    """Return the columns that compare a value with a target."""
    if target is None:
        return {"target": "", "reached": ""}
    right = value >= target if at_least else value <= target
    return {
        "target": f"{'at least' if at_least else 'at most'} {target:.3g}",
        "reached": "yes" if right else "no",
    }


def add_record_option(parser: argparse.ArgumentParser) -> None:
    """Give a benchmark the option ``--record``."""
    parser.add_argument(
        "--record",
        action="store_true",
        help="also write the tables to benchmarks/measured.json; `make figures` puts them into "
        "the pages",
    )


def show(title: str, rows: Sequence[Row], record: bool) -> None:
    """Print a table, and record it if asked to."""
    print(table(title, rows), flush=True)
    if record:
        record_table(title, rows)


def record_table(title: str, rows: Sequence[Row], path: pathlib.Path = MEASURED) -> None:
    """Write a table to measured.json, in place of the whole table of this title.

    Parameters
    ----------
    title : str
        Name of the table. Marks in the pages refer to it, see docs/figures.py.
    rows : sequence of dict
        Cells by column. They are stored as they are printed.
    path : Path
        The file.
    """
    entries = json.loads(path.read_text(encoding="utf-8"))
    # Paths of this machine without their folders.
    args = [pathlib.Path(arg).name if os.sep in arg else arg for arg in sys.argv[1:]]
    facts = {name: value for name, value in machine().items() if value != "not installed"}
    entries[title] = {
        "command": shlex.join(["python", f"benchmarks/{pathlib.Path(sys.argv[0]).name}", *args]),
        "machine": ", ".join(f"{name} {value}" for name, value in facts.items()),
        "rows": _cells(rows),
    }
    path.write_text(_dumped(entries), encoding="utf-8")


def _dumped(entries: dict[str, Row]) -> str:
    """Return JSON with a row of a table on each line."""
    blocks = []
    for title, entry in entries.items():
        facts = [
            f"  {_json(name)}: {_json(value)}" for name, value in entry.items() if name != "rows"
        ]
        rows = ",\n".join(f"   {_json(row)}" for row in entry["rows"])
        lines = ",\n".join([*facts, f'  "rows": [\n{rows}\n  ]'])
        blocks.append(f" {_json(title)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def table(title: str, rows: Sequence[Row]) -> str:
    """Return a table in Markdown."""
    cells = _cells(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([f"### {title}", "", *lines, ""])


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return the names of the columns, and the cells of each row, as they are printed."""
    columns = list(rows[0])
    return [columns, *([_cell(row[column]) for column in columns] for row in rows)]


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
