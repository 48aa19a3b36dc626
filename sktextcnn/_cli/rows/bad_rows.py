"""Rows that cannot be used: an error, or counted and left out."""

from sktextcnn._cli.errors import InputError

_OPTION = "--skip-bad-rows"
# So many of the rows that were left out are told one by one.
_MAX_TOLD = 3


class BadRows:
    """What happens to rows that cannot be used.

    Parameters
    ----------
    skip : bool
        Whether they are counted and left out. If not, the first is an error.

    Attributes
    ----------
    count : int
        The number of rows that were left out.
    """

    def __init__(self, skip: bool) -> None:
        self.skip = skip
        self.count = 0
        self._first: list[tuple[int, str]] = []

    def add(self, row: int, location: str, problem: str, remedy: str = "") -> None:
        """Count a row, or raise an `InputError`.

        Parameters
        ----------
        row : int
            The number of the row.
        location : str
            The file and the row.
        problem : str
            What is wrong with it.
        remedy : str, default=""
            What to do about it, as a sentence. That rows can be left out is said anyway.
        """
        if not self.skip:
            remedy = f"{remedy} Or give" if remedy else "Give"
            raise InputError(f"{location}: {problem}. {remedy} {_OPTION} to leave out such rows.")
        self.count += 1
        # Not in their order: a row without a text is found after the others of its chunk.
        if len(self._first) < _MAX_TOLD or row < self._first[-1][0]:
            self._first = sorted([*self._first, (row, f"{location}: {problem}")])[:_MAX_TOLD]

    def summary(self) -> str:
        """Return how many rows were left out, and where the first were."""
        rows = "1 row was" if self.count == 1 else f"{self.count:,} rows were"
        which = "" if self.count <= len(self._first) else "the first are "
        return f"{rows} left out ({_OPTION}): {which}{'; '.join(told for _, told in self._first)}"
