"""What densities of tables have in common: a fit, model files, and what is asked of a fitted one."""

from __future__ import annotations

import json
import numbers
import os
import warnings
from pathlib import Path
from typing import Any, Callable

import numpy as np

from . import _native
from ._columns import (
    Columns,
    array_names,
    columns_of,
    is_loaded,
    refuse_infinities,
    refuse_missing,
    seed_of,
    texts,
    to_container,
)
from ._estimator import (
    DataLeftOutWarning,
    Estimator,
    ExtrapolationWarning,
    FitInterruptedWarning,
    weights_of,
)
from ._evidence import Derivation, Report, audit, derive
from ._explanation import Explanation
from ._jax import JaxOptions, Trained, train
from ._progress import Bar, told_to

_ADVICE = (
    "Set missing='drop' to leave such rows out of the fit, or missing='model' to fit to what is there; rows that are "
    "scored then have the density of their other values."
)
_ADVICE_GIVEN = (
    "There is no density given a value that is missing: leave such rows out (in a fit, missing='drop' does so)."
)


def _left_out(name: str, why: str) -> str:
    """A column that is no part of a density, why, and how it would be one."""
    hint = f"; kinds={{{name!r}: 'category'}} makes it a part" if why.startswith("category:") else ""
    return f"{name!r} ({why}{hint})"


def _labels(groups: Any, rows: int) -> list[str] | None:
    """A label for each row, if rows belong together."""
    if groups is None:
        return None
    labels = [str(label) for label in np.asarray(groups, dtype=object)]
    if len(labels) != rows:
        raise ValueError(f"groups has {len(labels)} labels for {rows} rows; it has one for each")
    return labels


class TableDensity(Estimator):
    """A density of columns of a table, given other columns or not."""

    _is_conditional: bool
    _container: str
    # The columns of the table that it was fitted to, which an array has in this order.
    _columns_of_fit: list[str]
    model_: _native.Model
    look_: dict[str, Any] | None
    fit_record_: dict[str, Any]
    jax_record_: Trained | None
    n_features_in_: int
    feature_names_in_: np.ndarray
    model: str
    time: float
    kinds: dict[str | int, str] | None
    missing: str
    held_out: float
    progress: bool | str | Callable[[dict[str, Any]], None]
    random_state: Any

    def __init__(
        self,
        model: str = "auto",
        *,
        time: float = 60.0,
        kinds: dict[str | int, str] | None = None,
        missing: str = "error",
        held_out: float = 0.1,
        progress: bool | str | Callable[[dict[str, Any]], None] = "auto",
        random_state: Any = 0,
    ) -> None:
        self.model = model
        self.time = time
        self.kinds = kinds
        self.missing = missing
        self.held_out = held_out
        self.progress = progress
        self.random_state = random_state

    def _fit(
        self, columns: Columns, given: Columns | None, sample_weight: Any, groups: Any
    ) -> None:
        self._check_parameters()
        if columns.rows == 1:
            raise ValueError(
                f"Found array with n_samples=1 while a minimum of 2 is required by {type(self).__name__}: a single row has "
                "no spread"
            )
        names = [name for name, _ in columns.cells]
        cells = list(columns.cells)
        refuse_infinities(columns)
        if given is not None:
            refuse_infinities(given, "given")
            cells += given.cells
        if self.missing == "error":
            refuse_missing(columns.cells, _ADVICE)
            refuse_missing(given.cells if given is not None else [], _ADVICE_GIVEN, "given")
        kinds = self._kinds([name for name, _ in cells], len(names))
        categories = {name for name, kind in kinds if kind == "category"}
        cells = [(name, texts(column) if name in categories else column) for name, column in cells]
        progress = told_to(self.progress)
        options = {
            "given": [name for name, _ in given.cells] if given is not None else [],
            "kinds": kinds,
            "model": self.model,
            "time": float(self.time),
            "seed": seed_of(self.random_state),
            "held_out": float(self.held_out),
            "missing": self.missing,
            "weights": weights_of(sample_weight, columns.rows),
            "groups": _labels(groups, columns.rows),
            "progress": progress,
        }
        try:
            fitted = _native.fit(cells, options)
        finally:
            if isinstance(progress, Bar):
                progress.close()
        self.model_ = fitted["model"]
        self.look_ = json.loads(fitted["look"])
        self.fit_record_ = json.loads(self.model_.fit_record())
        self._container, self._columns_of_fit = columns.container, names
        self._tell(fitted, columns)
        self.jax_record_ = None

    def _train_with_jax(self, cells: list[tuple[str, Any]], options: JaxOptions | None, sample_weight: Any) -> None:
        """Trains the fitted density further on complete rows."""
        if sample_weight is not None:
            raise ValueError("engine='jax' takes no sample_weight; leave it out, or use engine='native'")
        missing = [np.array([text is None for text in c]) if isinstance(c, list) else np.isnan(c) for _, c in cells]
        kept = ~np.any(missing, axis=0)
        chosen = np.flatnonzero(kept)
        rows = [
            (name, [column[k] for k in chosen] if isinstance(column, list) else column[chosen]) for name, column in cells
        ]
        progress = told_to(self.progress)
        try:
            trained = train(
                self.model_, rows, options or JaxOptions(), float(self.held_out), seed_of(self.random_state), progress
            )
        finally:
            if isinstance(progress, Bar):
                progress.close()
        self.model_ = trained.model
        self.jax_record_ = trained

    def _check_parameters(self) -> None:
        for name, least, most in (("time", 0.0, float("inf")), ("held_out", 0.0, 0.9)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Real) or not least <= float(value) <= most:
                raise ValueError(f"{name}={value!r} must be a number from {least:g} to {most:g}")
        if self.missing not in ("error", "drop", "model"):
            raise ValueError(f"missing={self.missing!r} is not known; it is one of error, drop, model")

    def _kinds(self, names: list[str], features: int) -> list[tuple[str, str]]:
        kinds = []
        for key, kind in (self.kinds or {}).items():
            if isinstance(key, numbers.Integral) and not isinstance(key, bool):
                if not 0 <= key < features:
                    raise ValueError(f"kinds has a kind of column {key}, but X has {features} columns")
                key = names[key]
            kinds.append((str(key), str(kind)))
        return kinds

    @staticmethod
    def _checked_engine(engine: str) -> None:
        if engine not in ("native", "jax"):
            raise ValueError(f"engine={engine!r} is not known; it is 'native' or 'jax'")

    def _tell(self, fitted: dict[str, Any], columns: Columns) -> None:
        """Warns of what is no part of the density."""
        left = self.fit_record_["left_out"]
        if left:
            told = "; ".join(_left_out(column["name"], column["why"]) for column in left)
            warnings.warn(f"left out of the density: {told}", DataLeftOutWarning, stacklevel=4)
        if fitted["said"]:
            warnings.warn("; ".join(fitted["said"]), DataLeftOutWarning, stacklevel=4)
        if fitted["interrupted"]:
            warnings.warn(
                "the fit was interrupted; the density is the best that was found until then",
                FitInterruptedWarning,
                stacklevel=4,
            )

    def _read(self, columns: Columns, names: list[str], what: str) -> list[tuple[str, Any]]:
        """The columns of these names that are there, as the model reads them."""
        refuse_infinities(columns, what)
        as_text = set(self.model_.texts())
        cells = [(name, texts(cells) if name in as_text else cells) for name, cells in columns.select(names)]
        if self.missing == "error" or what == "given" and self._is_conditional:
            refuse_missing(cells, _ADVICE_GIVEN if what == "given" else _ADVICE, what)
        return cells

    def _features(self, X: Any) -> list[tuple[str, Any]]:
        """The modelled columns of new rows, checked against those of the fit."""
        self._check_is_fitted()
        columns = columns_of(X, type(self).__name__)
        self._check_features(columns)
        if columns.names is None and len(columns.cells) == len(self._columns_of_fit):
            columns = columns.renamed(self._columns_of_fit)
        elif hasattr(self, "feature_names_in_") and columns.names is None:
            columns = columns.renamed(list(self.feature_names_in_))
        elif not hasattr(self, "feature_names_in_"):
            columns = columns.renamed(array_names(self.n_features_in_))
        return self._read(columns, self.model_.needs(), "X")

    def _warn_of_far_values(self, given: list[tuple[str, Any]] | None) -> None:
        """Warns of given values that lie far from the rows of the fit; to be called by a public method's helper."""
        for caution in self.model_.cautions(given) if given else []:
            warnings.warn(caution, ExtrapolationWarning, stacklevel=4)

    def _draw(self, n_samples: int, given: list[tuple[str, Any]] | None, random_state: Any) -> Any:
        if not isinstance(n_samples, numbers.Integral) or n_samples < 0:
            raise ValueError(f"n_samples={n_samples!r} must be a whole number that is 0 or more")
        self._warn_of_far_values(given)
        drawn = self.model_.sample(int(n_samples), given, seed_of(random_state))
        return to_container(drawn, self._container, self._feature_names())

    def _feature_names(self) -> list[str]:
        """The names of all columns of the fit, as the model has them."""
        names = getattr(self, "feature_names_in_", None)
        return list(names) if names is not None else array_names(self.n_features_in_)

    def _quantiles(self, q: Any, given: list[tuple[str, Any]], random_state: Any) -> Any:
        levels = np.atleast_1d(np.asarray(q, dtype=np.float64)).tolist()
        self._warn_of_far_values(given)
        table = self.model_.quantiles(given, levels, seed_of(random_state))
        if self._container != "array":
            return to_container(table, self._container)
        columns = np.column_stack([np.asarray(column) for name, column in table if name != "effective"])
        return columns.reshape(len(columns), -1, len(levels))

    def _explain(self, cells: list[tuple[str, Any]], most: int) -> list[Explanation | None]:
        told = json.loads(self.model_.explain(cells, int(most)))
        return [None if explanation is None else Explanation.of(explanation) for explanation in told]

    def _loaded(self, model: Any) -> None:
        """Takes over a model that was fitted elsewhere."""
        given, read = model.given(), model.read()
        own = self._columns_of_fit = [name for name in read if name not in given]
        self.model_, self.look_, self.fit_record_ = model, None, json.loads(model.fit_record())
        self.jax_record_ = None
        if own == array_names(len(own)):
            self.n_features_in_, self._container = len(own), "array"
            return
        self._takes_columns_by_name = True
        names = [name for name in model.needs() if name not in given]
        self.n_features_in_, self.feature_names_in_ = len(names), np.array(names, dtype=object)
        self._container = "pandas" if is_loaded("pandas") else "dict"

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, missing: str = "error") -> Any:
        """Loads a model file, of this package or of ``pushforward fit``.

        A file has what was fitted, and not the parameters of the fit: those of the density that is returned are the defaults,
        but for ``missing``, which says what becomes of rows that are scored.

        Its columns are taken from a frame by their names; others may be there, as in a file for the command.

        Raises
        ------
        OSError
            For a file that cannot be read.
        ValueError
            For one that is no model, or is damaged.
        """
        data = Path(path).read_bytes()
        try:
            return cls.from_bytes(data, missing=missing)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None

    @classmethod
    def from_bytes(cls, data: bytes, *, missing: str = "error") -> Any:
        """The density of a model file's bytes; see :meth:`load`."""
        model = _native.Model.from_bytes(data)
        is_conditional = bool(model.given())
        if is_conditional != cls._is_conditional:
            other = "ConditionalFlowDensity" if is_conditional else "FlowDensity"
            given = f"given {', '.join(model.given())}" if is_conditional else "given nothing"
            raise ValueError(f"this model is a density {given}: load it with {other}")
        density = cls(missing=missing)
        density._check_parameters()
        density._loaded(model)
        return density

    def to_bytes(self) -> bytes:
        """The bytes of a model file, which the command reads, too."""
        self._check_is_fitted()
        return self.model_.to_bytes()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a model file, which the command reads, too: complete, or not at all.

        Raises
        ------
        ValueError
            If it cannot be written.
        """
        self._check_is_fitted()
        self.model_.save(path)

    def describe(self) -> str:
        """What the density is: its columns and their kinds, its flows, and how they were fitted."""
        self._check_is_fitted()
        return str(self.model_)

    def audit(self) -> list[Report]:
        """The audit of each flow of the density, from its base to the units of the table; see :func:`pushforward.audit`.

        It takes some seconds for each flow, and longer for many columns.
        """
        self._check_is_fitted()
        return audit(self)

    def derive(self) -> list[Derivation]:
        """The formulas of each flow of the density; see :func:`pushforward.derive`.

        Those of spline flows are long: it takes some seconds for each.
        """
        self._check_is_fitted()
        return derive(self)

    def to_onnx(self, path: str | os.PathLike[str], what: str = "log_prob", bits: int = 32) -> None:
        """Writes an ONNX file that computes ``what``: "log_prob", "inverse" or "sample", with numbers of 32 or 64 bits."""
        self._check_is_fitted()
        Path(path).write_bytes(self.model_.to_onnx(what, bits))

    def to_jax(self, folder: str | os.PathLike[str]) -> None:
        """Writes a Python module for JAX with its parameters into a folder."""
        self._check_is_fitted()
        self.model_.to_jax(folder)
