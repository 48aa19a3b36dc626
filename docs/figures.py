"""Put measured figures into the README and the pages: python docs/figures.py, or make figures.

The benchmarks write their tables into benchmarks/measured.json when they are run with --record.
Two kinds of marks say where a page shows them:

A whole table stands between two lines of its own:

    <!-- table: Accuracy on MR -->

    <!-- end -->

A single figure stands directly before its mark, which names a table, a row and a column. Without a
column it is the first one after the names of the rows. Of a cell such as "57.9 ± 3.3" the figure is
57.9:

    80.1<!-- Accuracy on MR / CNN-rand / accuracy -->
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "benchmarks" / "measured.json"

_TABLE = re.compile(r"^<!-- table: (.+?) -->\n.*?^<!-- end -->$", re.M | re.S)
_FIGURE = re.compile(r"(\d[\d.,]*)?<!-- ([^>]+? / [^>]+?) -->")

Rows = list[list[str]]


def measured() -> dict[str, Rows]:
    """Return the rows of each table; the first row names the columns."""
    entries = json.loads(MEASURED.read_text(encoding="utf-8"))
    return {name: entry["rows"] for name, entry in entries.items()}


def filled(text: str, tables: dict[str, Rows]) -> str:
    """Return the text of a page with the present figures at its marks."""
    text = _TABLE.sub(lambda mark: _table(mark[1], tables), text)
    return _FIGURE.sub(lambda mark: _figure(*mark.groups(), tables), text)


def _table(name: str, tables: dict[str, Rows]) -> str:
    header, *rows = _rows(name, tables)
    lines = [header, ["---"] * len(header), *rows]
    markdown = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    markdown = markdown.replace("| --- ", "|---").replace("--- |", "---|")
    return f"<!-- table: {name} -->\n\n{markdown}\n\n<!-- end -->"


def _figure(old: str | None, mark: str, tables: dict[str, Rows]) -> str:
    # Markdown takes a line that begins with a mark for HTML, all of it.
    if old is None:
        raise ValueError(f"The mark {mark!r} must stand directly after a number.")
    name, row_name, *column = mark.split(" / ", 2)
    header, *rows = _rows(name, tables)
    found = [row for row in rows if row[0] == row_name]
    if len(found) != 1 or (column and column[0] not in header):
        raise KeyError(f"{MEASURED.name} must have one figure {mark!r}.")
    value = found[0][header.index(column[0]) if column else 1].split()[0]
    return f"{value}<!-- {mark} -->"


def _rows(name: str, tables: dict[str, Rows]) -> Rows:
    if name not in tables:
        raise KeyError(f"{MEASURED.name} has no table {name!r}.")
    return tables[name]


def pages() -> list[Path]:
    """Return the pages that may have marks."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def main() -> None:
    """Rewrite the pages whose figures have changed."""
    tables = measured()
    for page in pages():
        text = page.read_text(encoding="utf-8")
        new = filled(text, tables)
        if new != text:
            page.write_text(new, encoding="utf-8")
            print(f"{page.relative_to(ROOT)}: changed")


if __name__ == "__main__":
    main()
