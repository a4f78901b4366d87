"""Bijections: written in Python, composed, inverted, or read from a graph of another library."""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Mapping, Optional, Sequence, Union

import numpy as np

from . import _native
from ._evidence import Derivation, Report, audit, derive

Parameters = Mapping[str, np.ndarray]


class Bijection:
    """An invertible map x = f(z) of vectors, of which everything else is derived.

    Made by :func:`bijection`, by the layers in `pushforward.layers`, by :func:`chain` and :func:`inverse`.
    """

    __slots__ = ("_native",)

    def __init__(self, native: _native.Bijection):
        self._native = native

    @property
    def dim(self) -> int:
        """Number of variables."""
        return self._native.dim

    @property
    def name(self) -> str:
        """Its name."""
        return self._native.name

    @property
    def structure(self) -> str:
        """The structure of the Jacobian that is declared, or was found."""
        return self._native.structure

    @property
    def domain(self) -> str:
        """The set of z."""
        return self._native.domain

    @property
    def codomain(self) -> str:
        """A set that contains every x."""
        return self._native.codomain

    @property
    def layers(self) -> list[str]:
        """The names of its layers, first to last."""
        return self._native.layers

    def parameters(self, seed: int = 0) -> dict[str, np.ndarray]:
        """The initial values of its parameters, by name."""
        return self._native.parameters(seed)

    def forward(self, z: Any, *, parameters: Optional[Parameters] = None, context: Any = None) -> np.ndarray:
        """x = f(z) of a point or of rows of points; NaN for points outside of the domain.

        Parameters that are not given have their initial values.
        """
        return self._evaluated(z, True, parameters, context)[0]

    def inverse(self, x: Any, *, parameters: Optional[Parameters] = None, context: Any = None) -> np.ndarray:
        """z = f⁻¹(x), derived, of a point or of rows of points; NaN for points outside of the codomain."""
        return self._evaluated(x, False, parameters, context)[0]

    def log_det(self, z: Any, *, parameters: Optional[Parameters] = None, context: Any = None) -> Any:
        """ln|det J_f(z)|, derived, of a point or of rows of points."""
        return self._evaluated(z, True, parameters, context)[1]

    def forward_with_log_det(
        self, z: Any, *, parameters: Optional[Parameters] = None, context: Any = None
    ) -> tuple[np.ndarray, Any]:
        """x = f(z) and ln|det J_f(z)| in one pass."""
        return self._evaluated(z, True, parameters, context)

    def inverse_with_log_det(
        self, x: Any, *, parameters: Optional[Parameters] = None, context: Any = None
    ) -> tuple[np.ndarray, Any]:
        """z = f⁻¹(x) and ln|det J_f(z)| at that z: what a density needs."""
        return self._evaluated(x, False, parameters, context)

    def _evaluated(self, points: Any, forward: bool, parameters: Any, context: Any) -> tuple[np.ndarray, Any]:
        rows, single = as_rows(points, self.dim)
        own = None if context is None else as_context(context, len(rows))
        values, log_det = self._native.evaluate(rows, forward, None if parameters is None else dict(parameters), own)
        return (values[0], float(log_det[0])) if single else (values, log_det)

    def __call__(self, z: Any, name: Optional[str] = None, **options: Any) -> Any:
        """:meth:`forward` of points; of a variable, x = f(z) within a bijection that is being recorded.

        There its parameters are named after ``name``, by default after its place among such calls.

        >>> import pushforward as pf
        >>> layer = pf.layers.affine([2.0], [1.0])
        >>> twice = pf.bijection(lambda z: layer(layer(z)), dim=1)
        >>> sorted(twice.parameters())
        ['layers.0.scale', 'layers.0.shift', 'layers.1.scale', 'layers.1.shift']
        """
        if not isinstance(z, _native.Var):
            return self.forward(z, **options)
        return self._native.within(z, name if name is not None else _native.next_scope(z))

    def audit(self, **options: Any) -> Report:
        """:func:`audit` of this bijection."""
        return audit(self, **options)

    def derive(self) -> Derivation:
        """:func:`derive` of this bijection."""
        return derive(self)

    def describe(self) -> dict[str, Any]:
        """What a model file keeps of it: a name, and settings."""
        name, settings = self._description()
        return {"name": name, "settings": json.loads(settings)}

    def _description(self) -> tuple[str, str]:
        found = self._native.description()
        if found is None:
            raise ValueError(f"{self.name} cannot be kept in a file: it, or a part of it, has no description")
        return found

    def __reduce__(self) -> Any:
        return _described, self._description()

    def __repr__(self) -> str:
        return f"<Bijection {self.name}: {self.domain} → {self.codomain}, {self.structure}>"


def _described(name: str, settings: str) -> Bijection:
    return Bijection(_native.Bijection.described(name, settings))


def natives(layers: Sequence[Bijection]) -> list[_native.Bijection]:
    """What the extension module has of layers."""
    found = list(layers)
    wrong = next((layer for layer in found if not isinstance(layer, Bijection)), None)
    if wrong is not None:
        raise TypeError(f"layers are bijections, not {type(wrong).__name__}; pf.bijection makes one of a function")
    return [layer._native for layer in found]


def as_rows(points: Any, dim: int) -> tuple[np.ndarray, bool]:
    """Points as contiguous rows, and whether one point was given."""
    rows = np.ascontiguousarray(points, dtype=float)
    if rows.ndim == 0 and dim == 1:
        return rows.reshape(1, 1), True
    if rows.ndim == 1 and rows.shape[0] == dim:
        return rows.reshape(1, dim), True
    if rows.ndim != 2 or rows.shape[1] != dim:
        raise ValueError(f"points are rows of {dim} numbers, an array (n, {dim}) or ({dim},); this one is {rows.shape}")
    return rows, False


def as_context(context: Any, rows: int) -> np.ndarray:
    """A context for each row; one alone is that of all rows."""
    own = np.asarray(context, dtype=float)
    if own.ndim == 1:
        own = np.broadcast_to(own, (rows, own.shape[0]))
    if own.ndim != 2 or own.shape[0] != rows:
        raise ValueError(f"{rows} rows take an array ({rows}, c) of contexts, or one (c,) for all; this one is {own.shape}")
    return np.ascontiguousarray(own)


def bijection(
    forward: Optional[Callable[[_native.Var], _native.Var]] = None,
    *,
    dim: int,
    inverse: Optional[Callable[[_native.Var], _native.Var]] = None,
    log_det: Optional[Callable[[_native.Var], _native.Var]] = None,
    structure: Any = None,
    domain: Any = None,
    codomain: Any = None,
    name: Optional[str] = None,
) -> Any:
    """Makes a bijection of a function x = f(z), written with the functions of this package; also as a decorator.

    The function is called once, with a vector of ``dim`` variables, and what it does is recorded: its Jacobian, ln|det J|
    and its inverse are derived from the recording, and the bijection no longer needs Python. A mistake is an error at its
    line.

    ``inverse`` and ``log_det`` may be given by hand: an inverse where none can be derived; the audit compares both with what
    is derived. ``structure`` is `dense`, `diagonal`, `lower_triangular`, `upper_triangular`, (`triangular`, order) or
    (`low_rank`, k), and is proven or refused; without one the strongest is found. ``domain`` and ``codomain`` are `reals`, `positive`,
    `circle`, `ordered`, `simplex`, an interval (lower, upper), or a list with one for each variable.

    >>> import pushforward as pf
    >>> @pf.bijection(dim=2)
    ... def bend(z):
    ...     return pf.stack([z[0], z[1] * pf.exp(pf.tanh(z[0]))])
    >>> bend.structure
    'lower triangular'
    >>> bend.log_det([0.5, 1.0])          # tanh 0.5
    0.46211715726000974
    >>> bend.inverse(bend.forward([0.5, 1.0]))
    array([0.5, 1. ])
    """
    if forward is None:
        options = dict(inverse=inverse, log_det=log_det, structure=structure, domain=domain, codomain=codomain, name=name)
        return lambda function: bijection(function, dim=dim, **options)
    if name is None:
        name = getattr(forward, "__name__", type(forward).__name__)
        name = "Bijection" if name == "<lambda>" else name
    return Bijection(
        _native.Bijection.recorded(
            dict(
                dim=dim,
                name=name,
                forward=forward,
                inverse=inverse,
                log_det=log_det,
                structure=structure,
                domain=domain,
                codomain=codomain,
            )
        )
    )


def chain(layers: Sequence[Bijection]) -> Bijection:
    """Composes bijections: the first is applied first.

    >>> import pushforward as pf
    >>> both = pf.chain([pf.layers.affine([2.0], [1.0]), pf.layers.elementwise("exp", 1)])
    >>> both.domain, both.codomain
    ('ℝ', '(0, ∞)')
    """
    return Bijection(_native.Bijection.chain(natives(layers)))


def inverse(of: Bijection) -> Bijection:
    """The inverse of a bijection, as a bijection.

    >>> import pushforward as pf
    >>> pf.inverse(pf.layers.elementwise("exp", 1)).domain
    '(0, ∞)'
    """
    return Bijection(natives([of])[0].inverted())


def onnx(
    path: Union[str, os.PathLike[str]],
    *,
    output: Optional[str] = None,
    log_det: Optional[str] = None,
    parameters: Sequence[str] = (),
    constants: Sequence[str] = (),
    all_constant: bool = False,
    structure: Any = None,
    domain: Any = None,
    codomain: Any = None,
) -> Bijection:
    """Reads a map of another library from an ONNX file, as a bijection that can be audited and derived.

    ``output`` is the output that is the map, ``log_det`` the one that is the graph's own ln|det J|, for the audit to compare;
    ``parameters`` and ``constants`` are stored tensors that are taken as such, whatever they look like. With ``all_constant``
    every stored tensor is a constant: what is proven is proven for the numbers of the file.
    """
    return Bijection(
        _native.Bijection.onnx(
            os.fspath(path), output, log_det, list(parameters), list(constants), all_constant, structure, domain, codomain
        )
    )
