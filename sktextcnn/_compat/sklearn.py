"""scikit-learn's validation of parameters, and its diagrams of estimators."""

import numbers
import sys
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_scalar


class _Interval:
    """Numbers of one type in an interval, checked by scikit-learn's public `check_scalar`."""

    def __init__(self, type: Any, left: Any, right: Any, *, closed: str) -> None:
        self.type, self.left, self.right = type, left, right
        self.closed = closed

    def is_satisfied_by(self, value: Any) -> bool:
        try:
            check_scalar(
                value,
                "value",
                self.type,
                min_val=self.left,
                max_val=self.right,
                include_boundaries=self.closed,
            )
        except (TypeError, ValueError):
            return False
        return True

    def __str__(self) -> str:
        kind = "an int" if self.type is numbers.Integral else "a float"
        left = "(-inf" if self.left is None else f"{'[' if self._has('left') else '('}{self.left}"
        right = (
            "inf)" if self.right is None else f"{self.right}{']' if self._has('right') else ')'}"
        )
        return f"{kind} in the range {left}, {right}"

    def _has(self, side: str) -> bool:
        return self.closed in (side, "both")


class _StrOptions:
    """One of several strings."""

    def __init__(self, options: Collection[str]) -> None:
        self.options = options

    def is_satisfied_by(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.options

    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


def _validate_publicly(
    constraints: Mapping[str, Any], params: Mapping[str, Any], caller_name: str
) -> None:
    """Check parameters like scikit-learn's estimators, without its private validation."""
    for name, allowed in constraints.items():
        if allowed == "no_validation":
            continue
        value = params[name]
        if not any(_is_allowed(value, each) for each in allowed):
            shown = " or ".join(_described(each) for each in allowed)
            raise ValueError(
                f"The {name!r} parameter of {caller_name} must be {shown}. Got {value!r} instead."
            )


_BY_NAME = {
    "array-like": lambda value: hasattr(value, "__len__") and not isinstance(value, str | bytes),
    "boolean": lambda value: isinstance(value, bool | np.bool_),
    "verbose": lambda value: isinstance(value, int | np.integer) and value >= 0,
    "random_state": lambda value: (
        value is None
        or isinstance(value, np.random.RandomState)
        or (isinstance(value, int | np.integer) and 0 <= value < 2**32)
    ),
}


def _is_allowed(value: Any, constraint: Any) -> bool:
    if constraint is None:
        return value is None
    if constraint is callable:
        return callable(value)
    if isinstance(constraint, str):
        return bool(_BY_NAME[constraint](value))
    if isinstance(constraint, type):
        return isinstance(value, constraint)
    return bool(constraint.is_satisfied_by(value))


def _described(constraint: Any) -> str:
    if constraint is callable:
        return "a callable"
    if isinstance(constraint, type):
        return f"an instance of {constraint.__name__!r}"
    return str(constraint)


def _sklearn_validates(validation: Any) -> bool:
    """Return whether scikit-learn's private validation accepts and rejects as expected."""
    try:
        constraints = {"n": [validation.Interval(numbers.Integral, 1, None, closed="left"), None]}
        validation.validate_parameter_constraints(constraints, {"n": 1}, caller_name="probe")
        validation.validate_parameter_constraints(constraints, {"n": None}, caller_name="probe")
        options = {"s": [validation.StrOptions({"a", "b"}), callable]}
        validation.validate_parameter_constraints(options, {"s": len}, caller_name="probe")
    except Exception:
        return False
    try:
        validation.validate_parameter_constraints(constraints, {"n": 0}, caller_name="probe")
    except ValueError as error:
        return "'n' parameter of probe must be" in str(error)
    except Exception:
        return False
    return False


try:
    from sklearn.utils import _param_validation as _sklearn_validation
except ImportError:
    _sklearn_validation = None

if _sklearn_validates(_sklearn_validation):
    Interval, StrOptions = _sklearn_validation.Interval, _sklearn_validation.StrOptions
    _validate = _sklearn_validation.validate_parameter_constraints
else:
    Interval, StrOptions, _validate = _Interval, _StrOptions, _validate_publicly


def check_parameters(estimator: Any, constraints: Mapping[str, Any]) -> None:
    """Check the parameters of an estimator against its constraints.

    Unlike in scikit-learn, a bool is not a number, so that ``batch_size=True`` is an error.

    Raises
    ------
    ValueError
        If a parameter is not valid. The message names the parameter and its valid values.
    """
    params, name = estimator.get_params(deep=False), type(estimator).__name__
    _validate(constraints, params, caller_name=name)
    for parameter, allowed in constraints.items():
        value = params[parameter]
        if not isinstance(value, bool | np.bool_) or allowed == "no_validation":
            continue
        if not any(
            each in ("boolean", "verbose", bool) for each in allowed if _is_name_or_type(each)
        ):
            raise ValueError(
                f"The {parameter!r} parameter of {name} must be a number or another of its values, "
                f"not a bool. Got {value!r} instead."
            )


def _is_name_or_type(value: Any) -> bool:
    return isinstance(value, str | type)


def refuse_diagram() -> None:
    """Raise an AttributeError if a diagram of an estimator calls the method that calls this.

    The diagrams of scikit-learn 1.9 list the names of the columns after each step, up to a hundred
    of them, and have no way to leave them out but an error of ``get_feature_names_out``. If later
    ones are made elsewhere, they list the columns.
    """
    caller = sys._getframe(1).f_back
    name = "" if caller is None else caller.f_globals.get("__name__", "")
    if name.startswith("sklearn.utils._repr_html"):
        raise AttributeError("A diagram names no columns.")
