"""The confusion matrix as rows of cells: which classes, in which order, how dark."""

from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

#: Up to so many classes, cells have numbers, and the classes are in the order of the model.
MOST_WITH_NUMBERS = 15
#: Up to so many classes are shown.
MOST_SHOWN = 100
#: How many shades there are.
N_SHADES = 5


class Cell(NamedTuple):
    """A cell: its count, its share of the texts of the row, and its shade from 0."""

    n: int
    share: float
    shade: int


def shown_classes(counts: np.ndarray) -> list[int]:
    """Return the classes to show, so that those that are confused lie near each other.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        How many texts of each class (row) are predicted as each (column).

    Returns
    -------
    list of int
        All classes, or of more than `MOST_SHOWN` those that take part in most confusions.
    """
    n_classes = len(counts)
    if n_classes <= MOST_WITH_NUMBERS:
        return list(range(n_classes))
    wrong = counts - np.diag(np.diag(counts))
    most = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:MOST_SHOWN]
    chosen = np.sort(most)
    shares = wrong[np.ix_(chosen, chosen)] / np.maximum(counts[chosen].sum(axis=1), 1)[:, None]
    distances = 1 - np.maximum(shares, shares.T)
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances), "average", optimal_ordering=True)
    return chosen[leaves_list(tree)].tolist()


def cells(counts: np.ndarray, classes: list[int]) -> list[list[Cell]]:
    """Return the rows of some classes; shares are of all texts of a class.

    Parameters
    ----------
    counts : ndarray of int, shape (n_classes, n_classes)
        The matrix.
    classes : list of int
        What `shown_classes` returns.
    """
    totals = np.maximum(counts.sum(axis=1), 1)
    rows = []
    for true in classes:
        row = []
        for predicted in classes:
            share = float(counts[true, predicted] / totals[true])
            # What is wrong is rarely a large share, so that small ones must be told apart.
            strength = share if true == predicted else np.sqrt(share)
            shade = int(np.ceil(np.round(strength * N_SHADES, 9)))
            row.append(Cell(int(counts[true, predicted]), share, shade))
        rows.append(row)
    return rows
