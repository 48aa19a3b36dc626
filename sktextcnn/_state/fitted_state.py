"""What fitting sets on an estimator, named once for pickles, model files and copies."""

from typing import Any, ClassVar

from sklearn.base import BaseEstimator

from sktextcnn._state.version_check import check_versions, versions


class StoredEstimator(BaseEstimator):
    """An estimator that is stored as its parameters and fitted state.

    A class names the attributes that `fit` sets and that are stored in `_fitted_attributes`, and
    those that follow from them in `_derived_attributes`. Where an attribute is stored in another
    form than it has in memory, the class overrides `_fitted_state` and `_set_fitted_state`.
    `_params_of_before` has the parameters that models stored by earlier versions lack, with the
    values that give these models the same results as before.
    """

    _fitted_attributes: ClassVar[tuple[str, ...]] = ()
    _derived_attributes: ClassVar[tuple[str, ...]] = ()
    _params_of_before: ClassVar[dict[str, Any]] = {}

    def _fitted_state(self) -> dict[str, Any]:
        """Return the fitted attributes as they are stored; nothing if it is not fitted."""
        return {name: vars(self)[name] for name in self._fitted_attributes if name in vars(self)}

    def _set_fitted_state(self, state: dict[str, Any]) -> None:
        """Set the attributes that `_fitted_state` returned, and those that follow from them."""
        self.__dict__.update(state)

    def __getstate__(self) -> dict[str, Any]:
        # Parameters, and whatever else was set on the estimator.
        state = dict(super().__getstate__())
        for name in (*self._fitted_attributes, *self._derived_attributes):
            state.pop(name, None)
        return {**state, **self._fitted_state(), **versions()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = check_versions(type(self).__name__, state)
        fitted = {name: state.pop(name) for name in self._fitted_attributes if name in state}
        super().__setstate__({**self._params_of_before, **state})
        if fitted:
            self._set_fitted_state(fitted)
