"""Labelled texts that may be larger than the memory: the texts are put aside in a file."""

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sktextcnn._cli.errors import InputError

if TYPE_CHECKING:
    import numpy as np

# Fewer bytes stay in memory.
_MOST_IN_MEMORY = 1 << 26


class StoredSamples:
    """The texts of rows, in a temporary file if they are many, and the numbers of their labels.

    Use it in ``with``, which closes the file.

    Parameters
    ----------
    folder : str
        Where the file is. It has no name there, and goes away with the process.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._file = tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY, dir=folder)  # noqa: SIM115
        self._ends = array("q", [0])
        self._labels, self._n_labels = array("i"), array("i")

    def __enter__(self) -> "StoredSamples":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, text: str, labels: Iterable[int]) -> None:
        """Append a text and the numbers of its labels."""
        # Texts of JSON may have halves of pairs.
        data = text.encode("utf-8", "surrogatepass")
        try:
            self._file.write(data)
        except OSError as error:
            raise InputError(
                f"{self._folder}: the texts, which are put aside there while the model is trained, "
                f"could not be written ({error.strerror}) after {self._ends[-1]:,} bytes. Free "
                f"space there, or let -o be on a larger disk."
            ) from error
        self._ends.append(self._ends[-1] + len(data))
        before = len(self._labels)
        self._labels.extend(labels)
        self._n_labels.append(len(self._labels) - before)

    def __len__(self) -> int:
        return len(self._n_labels)

    def n_labels(self) -> "np.ndarray":
        """Return how many labels each text has; (n_rows,)."""
        import numpy as np

        return np.array(self._n_labels, dtype=np.int32)

    def targets(self, rows: "np.ndarray", class_of: "np.ndarray", multilabel: bool) -> "np.ndarray":
        """Return the class of each of some rows, or an indicator matrix of their labels.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,)
            The numbers of the rows.
        class_of : ndarray of shape (n_labels,)
            The class that the label of each number is.
        multilabel : bool
            Whether a text may have several labels or none.
        """
        import numpy as np

        n_labels, labels = np.array(self._n_labels), class_of[np.array(self._labels, dtype=int)]
        if not multilabel:
            return labels[(n_labels.cumsum() - 1)[rows]]
        indicator = np.zeros((len(self), len(class_of)), dtype=np.int8)
        indicator[np.repeat(np.arange(len(self)), n_labels), labels] = 1
        return indicator[rows]

    def texts(self, rows: "np.ndarray") -> "StoredTexts":
        """Return the texts of some rows, in this order."""
        return StoredTexts(self, rows)

    def n_bytes(self, rows: "np.ndarray") -> int:
        """Return how many bytes the texts of some rows have in UTF-8."""
        import numpy as np

        return int(np.diff(np.frombuffer(self._ends, dtype=np.int64))[rows].sum())

    def read(self, row: int) -> str:
        """Return a text."""
        start = self._ends[row]
        self._file.seek(start)
        return self._file.read(self._ends[row + 1] - start).decode("utf-8", "surrogatepass")


class StoredTexts:
    """The texts of some rows, read one by one each time they are iterated over.

    Parameters
    ----------
    samples : StoredSamples
        All rows.
    rows : ndarray of int
        The numbers of some.
    """

    def __init__(self, samples: StoredSamples, rows: "np.ndarray") -> None:
        self._samples, self._rows = samples, rows

    @property
    def n_bytes(self) -> int:
        return self._samples.n_bytes(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return (self._samples.read(row) for row in self._rows)

    def chunks(self, size: int) -> Iterator[list[str]]:
        """Yield the texts of at most `size` rows at a time."""
        for start in range(0, len(self._rows), size):
            yield list(StoredTexts(self._samples, self._rows[start : start + size]))
