"""Tables of plain text whose columns are aligned, also with letters of two columns."""

import unicodedata
from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], *, n_left: int = 1) -> str:
    """Return rows as lines with aligned columns.

    Parameters
    ----------
    rows : sequence of sequence of str
        The cells, those of the head in the first row.
    n_left : int, default=1
        How many columns are aligned to the left; the others are to the right.
    """
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - columns_of(cell))
            cells.append(cell + space if i < n_left else space + cell)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: none for marks, two for CJK and emoji."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )
