"""What scikit-learn expects of any estimator, with it and without it."""

from __future__ import annotations

import inspect
import warnings
from difflib import get_close_matches
from typing import Any

import numpy as np

from ._columns import Columns


try:
    from sklearn.exceptions import NotFittedError as _NotFitted
except ImportError:

    class _NotFitted(ValueError, AttributeError):
        pass


class NotFittedError(_NotFitted):
    """Raised before ``fit`` by what needs a fitted density; a ``NotFittedError`` of scikit-learn where that is installed."""


class FitInterruptedWarning(UserWarning):
    """A fit was ended by Ctrl-C: the density is the best that was found until then."""


class FitDivergedWarning(UserWarning):
    """A fit did not make its rows likelier, or ended where a number was not finite: the best parameters until then are kept."""


class ExtrapolationWarning(UserWarning):
    """Given values lie far from the rows of the fit: what is drawn given them follows from no rows."""


class DataLeftOutWarning(UserWarning):
    """Columns or rows of a table are no part of the density."""


class _Parameters:
    """Parameters by name, as ``sklearn.base.BaseEstimator`` has them: its place where scikit-learn is not installed."""

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters of the estimator, by name; ``deep`` has no effect, since none is an estimator."""
        return {name: getattr(self, name) for name in self._get_param_names()}

    def set_params(self, **params: Any) -> Any:
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {name: p.default for name, p in inspect.signature(type(self).__init__).parameters.items()}
        changed = [f"{name}={v!r}" for name, v in self.get_params().items() if repr(v) != repr(defaults[name])]
        return f"{type(self).__name__}({', '.join(changed)})"


try:
    # With it come the routing of weights and of given columns, and its representation in notebooks.
    from sklearn.base import BaseEstimator as _Base
except ImportError:
    _Base = _Parameters


class Estimator(_Base):
    """An estimator that knows the names of its features; one of scikit-learn where that is installed."""

    # Whether a frame may have other columns, too, in any order: that of a model file may.
    _takes_columns_by_name = False

    def set_params(self, **params: Any) -> Any:
        """Sets parameters by name.

        Raises
        ------
        ValueError
            For a name that is none, with the nearest one.
        """
        known = self._get_param_names()
        for name in params:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self}.{hint} Valid parameters are: {known!r}."
                )
        return super().set_params(**params)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "density_estimator"
        tags.target_tags.required = False
        tags.input_tags.allow_nan = self.missing != "error"
        tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def _check_is_fitted(self) -> None:
        if self.__sklearn_is_fitted__():
            return
        name = type(self).__name__
        raise NotFittedError(
            f"This {name} instance is not fitted yet. Call 'fit' with appropriate arguments before using this estimator."
        )

    def _widths_of_arrays(self) -> int:
        """Another number of columns that an array may have: of a model file, that of the table of its fit."""
        return len(getattr(self, "_columns_of_fit", [])) or self.n_features_in_

    def _keep_features(self, columns: Columns) -> None:
        """Keeps the number of features, and their names if they have any."""
        self.n_features_in_ = len(columns.cells)
        if columns.names is not None:
            self.feature_names_in_ = np.array(columns.names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _check_features(self, columns: Columns, what: str = "X") -> None:
        """Refuses a table of other columns than those of the fit."""
        name, own = type(self).__name__, getattr(self, "feature_names_in_", None)
        if own is None and columns.names is not None:
            warnings.warn(f"{what} has feature names, but {name} was fitted without feature names", stacklevel=4)
        if own is not None and columns.names is None:
            warnings.warn(
                f"{what} does not have valid feature names, but {name} was fitted with feature names", stacklevel=4
            )
        if own is not None and columns.names is not None:
            if not self._takes_columns_by_name and list(own) != columns.names:
                raise ValueError(_other_names(list(own), columns.names))
            lacking = [name for name in own if name not in columns.names]
            if lacking:
                raise ValueError(f"{what} has no column {lacking[0]!r}; the density has {', '.join(own)}")
            return
        if len(columns.cells) not in (self.n_features_in_, self._widths_of_arrays()):
            raise ValueError(
                f"{what} has {len(columns.cells)} features, but {name} is expecting {self.n_features_in_} features as input."
            )


def _other_names(fitted: list[str], names: list[str]) -> str:
    message = "The feature names should match those that were passed during fit.\n"
    unexpected, missing = sorted(set(names) - set(fitted)), sorted(set(fitted) - set(names))

    def listed(names: list[str]) -> str:
        shown = [f"- {name}\n" for name in names[:5]]
        return "".join(shown) + ("- ...\n" if len(names) > 5 else "")

    if unexpected:
        message += "Feature names unseen at fit time:\n" + listed(unexpected)
    if missing:
        message += "Feature names seen at fit time, yet now missing:\n" + listed(missing)
    if not unexpected and not missing:
        message += "Feature names must be in the same order as they were in fit.\n"
    return message


def weights_of(sample_weight: Any, rows: int) -> list[float] | None:
    """Weights of rows as numbers; one number is that of each."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(rows, float(weights))
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array.")
    if len(weights) != rows:
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(rows,)}!")
    if not np.isfinite(weights).all() or (weights < 0).any():
        row = int(np.flatnonzero(~np.isfinite(weights) | (weights < 0))[0])
        raise ValueError(f"the weight of row {row} is {weights[row]}; sample_weight is finite, and 0 or more")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    own: list[float] = weights.tolist()
    return own
