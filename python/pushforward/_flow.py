"""Flows: layers over a base."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _native, bases
from ._bijection import Bijection, as_context, as_rows, natives
from ._evidence import Derivation, Report, audit, derive


class Progress(NamedTuple):
    """The state of a fit after an epoch; likelihoods are means of ln p in nats per row."""

    epoch: int
    """The number of epochs done; 0 is before the first step."""
    epochs: int
    """The maximum number of epochs."""
    training: float
    """Of the training rows; NaN for epoch 0."""
    held_out: float
    """Of the held-out rows."""
    best: float
    """The best of the held-out rows so far."""


class Flow:
    """A density: layers over a base (by default the standard normal one), ln p(x) = ln p_Z(z) - ln|det J_f(z)| with z = f⁻¹(x).

    It starts with the initial parameters of a seed; :meth:`fit` replaces them.

    >>> import numpy as np
    >>> import pushforward as pf
    >>> flow = pf.Flow(pf.bases.standard_normal(1), [pf.layers.affine([2.0], [1.0])])
    >>> float(flow.log_prob([[1.0]])[0])            # -ln 2 - ½ ln 2π
    -1.612085713764618
    >>> x = 5 + 3 * np.random.default_rng(0).standard_normal((500, 1))
    >>> flow = flow.fit(x, epochs=300, learning_rate=0.05)
    >>> bool(abs(flow.parameters["layers.0.shift"][0] - x.mean()) < 0.3)
    True
    """

    def __init__(self, base: Optional[bases.Base], layers: Sequence[Bijection], *, seed: int = 0):
        own = natives([layers] if isinstance(layers, Bijection) else layers)
        if not own:
            raise ValueError("a flow needs at least one layer; `pf.layers.affine` is the simplest")
        if base is None:
            base = bases.standard_normal(own[0].dim)
        if not isinstance(base, bases.Base):
            raise TypeError(f"the base is one of pf.bases, not {type(base).__name__}")
        self._native = _native.Flow(base._native, own, seed)
        self._map: Optional[Bijection] = None
        self.history: list[Progress] = []
        """The state after each epoch of the last fit."""
        self.stop: str = "not fitted"
        """Why the last fit stopped."""
        self.best_epoch: int = 0
        """The epoch of the last fit whose parameters were kept."""

    @classmethod
    def _of(cls, native: _native.Flow) -> "Flow":
        flow = cls.__new__(cls)
        flow._native, flow._map = native, None
        flow.history, flow.stop, flow.best_epoch = [], "not fitted", 0
        return flow

    @property
    def dim(self) -> int:
        """Number of variables."""
        return self._native.dim

    @property
    def context_width(self) -> int:
        """Numbers of a context; 0 for an unconditional density."""
        return self._native.context

    @property
    def base(self) -> bases.Base:
        """The base."""
        return bases.Base(self._native.base())

    @property
    def layers(self) -> list[Bijection]:
        """The layers, first to last."""
        return [Bijection(layer) for layer in self._native.layers()]

    @property
    def bijection(self) -> Bijection:
        """The layers as one bijection x = f(z)."""
        if self._map is None:
            # One for all calls: it keeps the programs that it compiled.
            self._map = Bijection(self._native.bijection())
        return self._map

    @property
    def parameters(self) -> Mapping[str, np.ndarray]:
        """The values of the parameters, by name: copies. Assign a dict to ``parameters`` to replace some or all of them."""
        return MappingProxyType(self._native.parameters())

    @parameters.setter
    def parameters(self, values: Mapping[str, Any]) -> None:
        self._native.set_parameters(dict(values))

    def log_prob(self, x: Any, context: Any = None) -> np.ndarray:
        """ln p(x) of rows, or ln p(x | c) with a context; -∞ outside of the support."""
        rows, single = as_rows(x, self.dim)
        values = self._native.log_prob(rows, self._context(context, len(rows)))
        return values[0] if single else values

    def sample(self, n: int, seed: int = 0, context: Any = None) -> np.ndarray:
        """Draws n points; the same ones for the same ``seed``."""
        if not isinstance(n, (int, np.integer)) or n < 0:
            raise ValueError(f"n={n!r} must be a whole number that is 0 or more")
        return self._native.sample(n, seed, self._context(context, n))

    def forward(self, z: Any, context: Any = None) -> np.ndarray:
        """x = f(z) of a point or of rows."""
        return self.bijection.forward(z, parameters=self._of_layers(), context=context)

    def inverse(self, x: Any, context: Any = None) -> np.ndarray:
        """z = f⁻¹(x) of a point or of rows."""
        return self.bijection.inverse(x, parameters=self._of_layers(), context=context)

    def log_det(self, z: Any, context: Any = None) -> Any:
        """ln|det J_f(z)| of a point or of rows."""
        return self.bijection.log_det(z, parameters=self._of_layers(), context=context)

    def _of_layers(self) -> dict[str, np.ndarray]:
        return {name: values for name, values in self.parameters.items() if not name.startswith("base.")}

    def _context(self, context: Any, rows: int) -> Optional[np.ndarray]:
        return None if context is None else as_context(context, rows)

    def fit(
        self,
        x: Any,
        context: Any = None,
        *,
        epochs: int = 200,
        batch: int = 256,
        learning_rate: float = 2e-3,
        warm_up: int = 0,
        schedule: str = "cosine",
        last: float = 0.1,
        validation: Any = 0.1,
        validation_context: Any = None,
        patience: int = 25,
        clip: float = 10.0,
        weight_decay: float = 0.0,
        averaging: float = 0.0,
        noise: Optional[Sequence[float]] = None,
        sample_weight: Optional[Sequence[float]] = None,
        single_precision: bool = False,
        warm_start: bool = False,
        seed: int = 0,
        progress: Optional[Callable[[Progress], Any]] = None,
    ) -> "Flow":
        """Fits by maximum likelihood: minibatches, Adam, early stopping on held-out rows. Returns the flow itself.

        It begins anew from initial values; with ``warm_start`` it goes on from the present ones.
        ``validation`` is the share of rows that is held out, or the held-out rows themselves. The fit ends when they have not
        become likelier for ``patience`` epochs, and keeps the best parameters. ``schedule`` is `cosine`, `exponential` (both to
        the factor ``last``) or `constant`. ``noise`` is the width of uniform noise for each column, for rounded values.
        ``progress`` is called after each epoch with a :class:`Progress`.
        A fit that does not make the held-out rows likelier, or meets a number that is not finite, warns
        (``FitDivergedWarning``) and keeps the best parameters that it had. Other threads of Python run meanwhile. Ctrl-C ends the fit after the epoch and keeps the best so far.
        """
        whole = dict(epochs=epochs, batch=batch, warm_up=warm_up, patience=patience, seed=seed)
        for name, value in whole.items():
            if not isinstance(value, (int, np.integer)) or value < 0:
                raise ValueError(f"{name}={value!r} must be a whole number that is 0 or more")
        rows = self._table(x, "x")
        given = None if context is None else self._table(context, "context")
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=float).ravel().tolist()
        held_out, held_out_rows = 0.1, None
        if np.ndim(validation) > 0:
            more = self._table(validation, "validation")
            if more.shape[1] != rows.shape[1]:
                raise ValueError(f"validation has {more.shape[1]} columns, and x has {rows.shape[1]}")
            if (given is None) != (validation_context is None):
                raise ValueError("validation rows need their validation_context where x has a context, and only there")
            held_out_rows = list(range(len(rows), len(rows) + len(more)))
            rows = np.ascontiguousarray(np.concatenate([rows, more]))
            if given is not None:
                other = self._table(validation_context, "validation_context")
                given = np.ascontiguousarray(np.concatenate([given, other]))
            if weights is not None:
                weights = weights + [1.0] * len(more)
        else:
            held_out = float(validation)
        tell = None if progress is None else lambda *told: progress(Progress(*told))
        course = self._native.fit(
            rows,
            dict(
                seed=seed,
                epochs=epochs,
                batch=batch,
                learning_rate=learning_rate,
                warm_up=warm_up,
                schedule=(schedule, last),
                held_out=held_out,
                held_out_rows=held_out_rows,
                patience=patience,
                clip=clip,
                weight_decay=weight_decay,
                averaging=averaging,
                noise=None if noise is None else [float(width) for width in noise],
                weights=weights,
                single_precision=single_precision,
                warm_start=warm_start,
                context=given,
                progress=tell,
            ),
        )
        self.history = [Progress(epoch, epochs, *numbers) for epoch, *numbers in course["epochs"]]
        self.stop, self.best_epoch = course["stop"], course["best_epoch"]
        if course["interrupted"]:
            from ._estimator import FitInterruptedWarning

            warnings.warn(f"interrupted: {self.stop}; the best parameters so far are kept", FitInterruptedWarning, stacklevel=2)
        elif course["warning"]:
            from ._estimator import FitDivergedWarning

            warnings.warn(course["warning"], FitDivergedWarning, stacklevel=2)
        return self

    def _table(self, values: Any, what: str) -> np.ndarray:
        rows = np.ascontiguousarray(values, dtype=float)
        if rows.ndim == 1:
            rows = rows.reshape(-1, 1)
        if rows.ndim != 2:
            raise ValueError(f"{what} is an array of rows and columns, not of the shape {rows.shape}")
        return rows

    def audit(self, **options: Any) -> Report:
        """:func:`audit` of the layers, checked at the present parameters."""
        return audit(self, **options)

    def derive(self) -> Derivation:
        """:func:`derive` of the layers."""
        return derive(self)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes a model file, which is complete or absent; the course of the fit is not kept."""
        self._native.save(os.fspath(path))

    @classmethod
    def load(cls, path: Union[str, os.PathLike[str]]) -> "Flow":
        """Reads a model file of one flow.

        Raises OSError for a file that cannot be read, and ValueError for one that is damaged, or has a mixture of flows.
        """
        data = Path(path).read_bytes()
        try:
            return cls.from_bytes(data)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None

    def to_bytes(self) -> bytes:
        """The bytes of a model file."""
        return self._native.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Flow":
        """Reads the bytes of a model file of one flow."""
        try:
            record = json.loads(_native.Model.from_bytes(data).fit_record())
        except ValueError:
            # No density of a table.
            record = {"candidates": []}
        if sum(candidate["weight"] > 0 for candidate in record["candidates"]) > 1:
            raise ValueError("this file has a density of a table, a mixture of several flows: load it with FlowDensity")
        return cls._of(_native.Flow.from_bytes(data))

    def __reduce__(self) -> Any:
        return type(self).from_bytes, (self.to_bytes(),)

    def to_onnx(
        self, path: Union[str, os.PathLike[str], None] = None, what: str = "log_prob", double: bool = False
    ) -> Optional[bytes]:
        """Writes ln p, z or samples as an ONNX graph (`log_prob`, `inverse`, `sample`), in 32 bits or ``double``.

        Without a path, returns its bytes.
        """
        data = self._native.to_onnx(what, double)
        if path is None:
            return data
        target = Path(path)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(data)
        os.replace(file.name, target)
        return None

    def to_jax(self, folder: Union[str, os.PathLike[str]]) -> None:
        """Writes a Python module for JAX, in which the flow is trained further; see :meth:`from_jax`."""
        self._native.to_jax(os.fspath(folder))

    def from_jax(self, params: Union[str, os.PathLike[str], bytes]) -> "Flow":
        """Takes the parameters that the JAX module saved, a file or its bytes. Returns the flow itself."""
        self._native.take_jax(params if isinstance(params, bytes) else Path(params).read_bytes())
        return self

    def __repr__(self) -> str:
        count = sum(values.size for values in self.parameters.values())
        return f"<Flow of {self.dim} variables: {self.base.name} → {' → '.join(self.bijection.layers)}, {count} parameters>"
