"""The versions that a stored model was made with."""

import warnings
from collections.abc import Mapping
from typing import Any

import sklearn
from sklearn.exceptions import InconsistentVersionWarning

_OURS, _THEIRS = "_sktextcnn_version", "_sklearn_version"


class InconsistentModelVersionWarning(InconsistentVersionWarning):
    """A model comes from another version of sktextcnn or scikit-learn.

    A kind of scikit-learn's :class:`~sklearn.exceptions.InconsistentVersionWarning`, so that
    what filters that one, or turns it into an error, does the same to this one.

    Parameters
    ----------
    estimator_name : str
        The class of the estimator.
    package : str
        The package whose version differs.
    current_version, original_version : str
        The version here, and the one that stored the model.
    """

    def __init__(
        self, *, estimator_name: str, package: str, current_version: str, original_version: str
    ) -> None:
        super().__init__(
            estimator_name=estimator_name,
            current_sklearn_version=current_version,
            original_sklearn_version=original_version,
        )
        self.package = package

    def __str__(self) -> str:
        return (
            f"{self.estimator_name} was stored with {self.package} "
            f"{self.original_sklearn_version} and is loaded with {self.package} "
            f"{self.current_sklearn_version}. It may break or give other results. Fit it "
            f"again, or install the version that stored it."
        )


def versions() -> dict[str, str]:
    """Return the versions to store with an estimator."""
    from sktextcnn._version import __version__

    return {_OURS: __version__, _THEIRS: sklearn.__version__}


def check_versions(estimator_name: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Warn if the stored versions differ; return the state without them."""
    state = dict(state)
    current = versions()
    for key, package in ((_OURS, "sktextcnn"), (_THEIRS, "scikit-learn")):
        original = state.pop(key, "an unknown version")
        if original != current[key]:
            warnings.warn(
                InconsistentModelVersionWarning(
                    estimator_name=estimator_name,
                    package=package,
                    current_version=current[key],
                    original_version=original,
                ),
                stacklevel=3,
            )
    return state
