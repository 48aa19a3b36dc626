"""Report: a page and its numbers."""

import os
from html import escape
from typing import Any

from sktextcnn._state import atomic_write


class Report:
    """A report on a model, from `report`.

    A notebook shows the page in a frame.

    Attributes
    ----------
    html : str
        The page.
    measures : dict
        The numbers of the page as plain data. See Notes of `report`.

    See Also
    --------
    sktextcnn.report : Makes reports, with an example.
    """

    def __init__(self, html: str, measures: dict[str, Any]) -> None:
        self.html = html
        self.measures = measures

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, completely or not at all.

        Parameters
        ----------
        path : str or path-like
            The file, such as "report.html".

        Raises
        ------
        OSError
            If `path` is a folder, its folder does not exist, or the disk is full.
        """
        with atomic_write(path) as file:
            file.write(self.html.encode("utf-8"))

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="Report" sandbox="allow-scripts" srcdoc="{escape(self.html)}" '
            f'style="width:100%;height:40em;border:1px solid"></iframe>'
        )

    def __repr__(self) -> str:
        name = "accuracy" if "accuracy" in self.measures else "micro_f1"
        return (
            f"<Report on {self.measures['n_texts']:,} texts: {name} "
            f"{self.measures[name].value:.3f}>"
        )
