"""Shorter vectors by principal component analysis."""

import numpy as np

from sktextcnn._blas import one_blas_thread

# So many rows are transformed at once.
_ROWS = 4096


def reduce_width(known: np.ndarray, n_fitted: int, width: int, name: str) -> np.ndarray:
    """Return the first principal components of vectors.

    Parameters
    ----------
    known : ndarray of shape (n_known, vector_size), dtype float32
        The vectors of words.
    n_fitted : int
        The analysis is fitted on so many rows, the first ones.
    width : int
        The number of components.
    name : str
        The source of the vectors, for errors.

    Returns
    -------
    reduced : ndarray of shape (n_known, width), dtype float32
        The components of all rows.

    Raises
    ------
    ValueError
        If the vectors are shorter than `width`, or there are too few rows to fit on.
    """
    from sklearn.decomposition import PCA

    if width > known.shape[1]:
        raise ValueError(
            f"width={width} is more than the {known.shape[1]} numbers of a vector in {name}. "
            f"Choose a smaller width, or leave it out."
        )
    if width >= n_fitted:
        raise ValueError(
            f"width={width} needs the vectors of more than {width} words of the vocabulary; "
            f"{n_fitted:,} of them have a vector in {name}. Choose a smaller width, or leave it "
            f"out."
        )
    reduced = np.empty((len(known), width), dtype=np.float32)
    with one_blas_thread():
        pca = PCA(width, svd_solver="covariance_eigh").fit(known[:n_fitted].astype(np.float64))
        # Apart, since the bits of a row may depend on the number of rows.
        for first, last in ((0, n_fitted), (n_fitted, len(known))):
            for start in range(first, last, _ROWS):
                rows = slice(start, min(start + _ROWS, last))
                reduced[rows] = pca.transform(known[rows].astype(np.float64))
    return reduced
