"""The layers of the catalogue, by their names.

Each function describes a layer as a model file does; the library builds it, and refuses what cannot be built. A new layer is
a function here: a test asks for every layer that a model file may name.

>>> import pushforward as pf
>>> pf.layers.spline_coupling(4, bins=8)
<Bijection SplineCoupling: ℝ⁴ → ℝ⁴, lower triangular>
>>> pf.layers.afine_coupling  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
AttributeError: there is no layer `afine_coupling` (did you mean `affine_coupling`?); ...
"""

from __future__ import annotations

from typing import Any, Optional, Sequence, Union

import numpy as np

from . import _native, transformers, transforms
from ._bijection import Bijection, chain, inverse
from ._named import Numbers, checked, named, numbers, one_of, whole, written
from .transformers import Transformer, spline_settings

Mask = Union[str, Sequence[bool]]


def _layer(name: str, settings: Any) -> Bijection:
    return Bijection(_native.Bijection.described(name, written(settings)))


# Of the hidden units of conditioners.
_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "elu": "Elu", "silu": "Silu"}


def _network(hidden: Sequence[int], context: int, activation: str = "tanh") -> dict[str, Any]:
    return {"hidden": whole(hidden), "context": int(context), **_activated(activation)}


def _activated(activation: str) -> dict[str, Any]:
    """The setting of an activation function; the default is not named in a description."""
    name = one_of("activation", activation, _ACTIVATIONS)
    return {} if name == "Tanh" else {"activation": name}


def _mask(dim: int, mask: Mask) -> dict[str, Any]:
    """The variables that a coupling copies, and those that it transforms."""
    if isinstance(mask, str):
        known = {
            "first_half": [k < dim // 2 for k in range(dim)],
            "second_half": [k >= dim // 2 for k in range(dim)],
            "even": [k % 2 == 0 for k in range(dim)],
            "odd": [k % 2 == 1 for k in range(dim)],
        }
        copied = one_of("mask", mask, known)
    else:
        copied = [bool(value) for value in mask]
        if len(copied) != dim:
            raise ValueError(f"a mask has a truth value for each of the {dim} variables, and this one {len(copied)}")
    return {
        "identity": [k for k in range(dim) if copied[k]],
        "transformed": [k for k in range(dim) if not copied[k]],
    }


def _masked_network(
    dim: int, hidden: Sequence[int], context: int, order: Optional[Sequence[int]], activation: str
) -> dict[str, Any]:
    """A network whose output i depends on the variables before i, in an order of the variables."""
    places = list(range(1, dim + 1))
    if order is not None:
        order = whole(order)
        if sorted(order) != list(range(dim)):
            raise ValueError(f"an order has each of 0 to {dim - 1} once, and is not {order}")
        for place, variable in enumerate(order):
            places[variable] = place + 1
    hidden_layers = {"hidden": {"Spread": whole(hidden)}, **_activated(activation)}
    return {"inputs": places, "context": int(context), "first_is_blind": False, **hidden_layers}


# Couplings


@checked
def coupling(
    dim: int,
    transformer: Transformer,
    mask: Mask = "first_half",
    hidden: Sequence[int] = (64, 64),
    context: int = 0,
    activation: str = "tanh",
) -> Bijection:
    """x_a = z_a, x_b = τ(z_b; network(z_a)) with any of `pushforward.transformers`.

    ``mask`` says which variables are copied: `first_half`, `second_half`, `even`, `odd`, or a truth value for each. ``hidden``
    are the widths of the network, ``context`` the numbers of a context that it reads, ``activation`` the function of its hidden
    units: `tanh`, `relu`, `elu` or `silu`.
    """
    return _layer(
        "coupling",
        {
            "mask": _mask(dim, mask),
            "network": _network(hidden, context, activation),
            "transformer": _transformer(transformer).description(),
        },
    )


def _transformer(given: Transformer) -> Transformer:
    if not isinstance(given, Transformer):
        raise TypeError(f"the transformer is one of pf.transformers, not {type(given).__name__}")
    return given


@checked
def additive_coupling(
    dim: int,
    mask: Mask = "first_half",
    hidden: Sequence[int] = (64, 64),
    context: int = 0,
    activation: str = "tanh",
) -> Bijection:
    """NICE: x_b = z_b + t(z_a), volume preserving (Dinh et al. 2015)."""
    return coupling(dim, transformers.shift(), mask, hidden, context, activation)


@checked
def affine_coupling(
    dim: int,
    mask: Mask = "first_half",
    hidden: Sequence[int] = (64, 64),
    log_scale: str = "bounded",
    context: int = 0,
    activation: str = "tanh",
) -> Bijection:
    """RealNVP: x_b = z_b·exp(s(z_a)) + t(z_a) (Dinh et al. 2017). ``log_scale`` as in :func:`pushforward.transformers.affine`."""
    return coupling(dim, transformers.affine(log_scale), mask, hidden, context, activation)


@checked
def spline_coupling(
    dim: int,
    bins: int = 8,
    bound: float = 3.0,
    mask: Mask = "first_half",
    hidden: Sequence[int] = (64, 64),
    context: int = 0,
    activation: str = "tanh",
) -> Bijection:
    """Neural spline flow: x_b is a monotone rational-quadratic spline of z_b with knots from z_a (Durkan et al. 2019)."""
    return coupling(dim, transformers.spline(bins, bound), mask, hidden, context, activation)


# Autoregressive layers


@checked
def autoregressive(
    dim: int,
    transformer: Transformer,
    hidden: Sequence[int] = (64, 64),
    order: Optional[Sequence[int]] = None,
    context: int = 0,
    activation: str = "tanh",
) -> Bijection:
    """xᵢ = τ(zᵢ; network(z before i)) with any of `pushforward.transformers`: one pass from z to x.

    ``order`` is the order of the variables. :func:`inverse` of it takes one pass from x to z, which is what a density needs.
    """
    return _layer(
        "autoregressive",
        {
            "network": _masked_network(dim, hidden, context, order, activation),
            "transformer": _transformer(transformer).description(),
        },
    )


@checked
def iaf(
    dim: int,
    hidden: Sequence[int] = (64, 64),
    order: Optional[Sequence[int]] = None,
    context: int = 0,
    activation: str = "tanh",
) -> Bijection:
    """Inverse autoregressive flow: xᵢ = zᵢ·exp(αᵢ) + μᵢ with αᵢ and μᵢ of the z before i (Kingma et al. 2016)."""
    return autoregressive(dim, transformers.affine("identity"), hidden, order, context, activation)


@checked
def maf(
    dim: int,
    hidden: Sequence[int] = (64, 64),
    order: Optional[Sequence[int]] = None,
    context: int = 0,
    activation: str = "tanh",
) -> Bijection:
    """Masked autoregressive flow: xᵢ = zᵢ·exp(αᵢ) + μᵢ with αᵢ and μᵢ of the x before i (Papamakarios et al. 2017)."""
    return inverse(autoregressive(dim, transformers.affine("identity", normalising=True), hidden, order, context, activation))


@checked
def autoregressive_spline(
    dim: int,
    bins: int = 8,
    bound: float = 3.0,
    hidden: Sequence[int] = (64, 64),
    order: Optional[Sequence[int]] = None,
    context: int = 0,
    activation: str = "tanh",
) -> Bijection:
    """Autoregressive neural spline flow: zᵢ is a monotone spline of xᵢ with knots from the x before i (Durkan et al. 2019)."""
    return inverse(autoregressive(dim, transformers.spline(bins, bound), hidden, order, context, activation))


@checked
def block_neural_autoregressive(dim: int, units: Sequence[int] = (8,), context: int = 0) -> Bijection:
    """Block neural autoregressive flow (De Cao et al. 2019), with so many hidden units a variable in each layer."""
    return _layer("block_neural_autoregressive", {"d": int(dim), "units": whole(units), "context": int(context)})


# Elementwise maps


@checked
def affine(scale: Numbers, shift: Numbers, learned: bool = True) -> Bijection:
    """x = scale ⊙ z + shift; learned from these initial values, or fixed."""
    return _layer("affine", {"scale": numbers(scale), "shift": numbers(shift), "learned": bool(learned)})


@checked
def standardising(data: Any) -> Bijection:
    """The last layer of a flow of these data: x = σ ⊙ z + μ with their means and standard deviations, fixed.

    The layers before it see standardised data, while ln p(x) is in the units of the data. A constant column is only shifted.
    """
    rows = np.atleast_2d(np.asarray(data, dtype=float))
    deviations = rows.std(axis=0)
    return affine(np.where(deviations > 0, deviations, 1.0), rows.mean(axis=0), learned=False)


@checked
def elementwise(
    transform: Union[transforms.Transform, str, Sequence[Union[transforms.Transform, str]]], dim: Optional[int] = None
) -> Bijection:
    """One of `pushforward.transforms` for all of ``dim`` variables, or a list with one for each.

    >>> import pushforward as pf
    >>> pf.layers.elementwise(["exp", "identity", pf.transforms.sigmoid(-1, 1)]).codomain
    '(0, ∞) × ℝ × (-1, 1)'
    """
    if isinstance(transform, (str, transforms.Transform)):
        if dim is None:
            raise ValueError("elementwise: dim is needed for one transform of all variables")
        return _layer("elementwise", {"transforms": [transforms.read(transform)] * int(dim)})
    each = [transforms.read(one) for one in transform]
    if dim is not None and dim != len(each):
        raise ValueError(f"elementwise: {len(each)} transforms for {dim} variables")
    return _layer("elementwise", {"transforms": each})


@checked
def unconditional(dim: int, transformer: Transformer) -> Bijection:
    """A transformer with learned parameters for each variable, which depend on nothing."""
    return _layer("unconditional", {"d": int(dim), "transformer": _transformer(transformer).description()})


@checked
def conditional(
    dim: int, transformer: Transformer, context: int, hidden: Sequence[int] = (64, 64), activation: str = "tanh"
) -> Bijection:
    """A transformer whose parameters depend on the context alone."""
    return _layer(
        "conditional",
        {
            "d": int(dim),
            "network": _network(hidden, context, activation),
            "transformer": _transformer(transformer).description(),
        },
    )


@checked
def rational_quadratic_spline(
    dim: int,
    bins: int = 8,
    bound: float = 3.0,
    knots: Optional[tuple[Numbers, Numbers, Numbers]] = None,
    learned: bool = True,
) -> Bijection:
    """A monotone spline of each variable (Gregory and Delbourgo 1982).

    With learned knots on [-bound, bound], the identity outside; or with ``knots`` (x, y, slopes), linear outside, as initial
    values or, not ``learned``, fixed.
    """
    if knots is None:
        source = {"Numbers": spline_settings(bins, bound, 1e-3, None)}
    else:
        x, y, slopes = (numbers(values) for values in knots)
        source = {"Learned" if learned else "Fixed": {"x": x, "y": y, "slopes": slopes}}
    return _layer("rational_quadratic_spline", {"d": int(dim), "knots": source})


@checked
def circular_spline(
    dim: int,
    bins: int = 8,
    knots: Optional[tuple[Numbers, Numbers, Numbers]] = None,
    turn: float = 0.0,
) -> Bijection:
    """A monotone spline of each angle after a rotation: learned, or fixed with ``knots`` (x, y, slopes) and a ``turn``
    (Rezende et al. 2020)."""
    if knots is None:
        curve: Any = {"Learned": spline_settings(bins, float(np.pi), 1e-3, None)}
    else:
        x, y, slopes = (numbers(values) for values in knots)
        curve = {"Fixed": {"x": x, "y": y, "slopes": slopes, "turn": float(turn)}}
    return _layer("circular_spline", {"d": int(dim), "curve": curve})


@checked
def act_norm(dim: Optional[int] = None, data: Any = None) -> Bijection:
    """A learned scale exp(s) and shift of each variable, initialised to the identity, or so that ``data`` are standardised
    (Kingma and Dhariwal 2018)."""
    if data is not None:
        rows = np.atleast_2d(np.asarray(data, dtype=float))
        variances = rows.var(axis=0)
        if not (variances > 0).all():
            raise ValueError("act_norm: a variable that is constant in the data has no scale")
        return _layer("act_norm", {"log_scale": numbers(0.5 * np.log(variances)), "bias": numbers(rows.mean(axis=0))})
    if dim is None:
        raise ValueError("act_norm: dim or data is needed")
    return _layer("act_norm", {"log_scale": [0.0] * int(dim), "bias": [0.0] * int(dim)})


@checked
def batch_norm(means: Numbers, variances: Numbers, epsilon: float = 1e-5) -> Bijection:
    """Batch normalisation with these moments (Dinh et al. 2017, section 3.7), from z to x."""
    return _layer(
        "batch_norm", {"means": numbers(means), "variances": numbers(variances), "epsilon": float(epsilon)}
    )


# Linear maps


@checked
def linear(weight: Any, bias: Optional[Numbers] = None) -> Bijection:
    """x = W·z + b, learned from these initial values."""
    weight = np.asarray(weight, dtype=float)
    if weight.ndim != 2 or weight.shape[0] != weight.shape[1]:
        raise ValueError(f"linear: the weight is a square matrix, not of the shape {weight.shape}")
    start = np.zeros(len(weight)) if bias is None else bias
    return _layer("linear", {"weight": numbers(weight), "bias": numbers(start)})


@checked
def triangular(dim: int, lower: bool = True, unit: bool = False, signs: Optional[Numbers] = None) -> Bijection:
    """x = T·z with a learned triangular T, initialised to the identity; 1 on the diagonal if ``unit``, else positive, or with
    ``signs``."""
    if unit and (signs is not None or not lower):
        raise ValueError("triangular: a unit diagonal is that of a lower triangular matrix, and has no signs")
    own = None if unit else [1.0] * int(dim) if signs is None else numbers(signs)
    return _layer("triangular", {"d": int(dim), "lower": bool(lower), "signs": own})


@checked
def permutation(positions: Sequence[int]) -> Bijection:
    """xᵢ = z at ``positions[i]``."""
    return _layer("permutation", {"positions": whole(positions)})


@checked
def reverse(dim: int) -> Bijection:
    """The variables in the reversed order."""
    return permutation(range(int(dim) - 1, -1, -1))


@checked
def householder(dim: int, reflections: int) -> Bijection:
    """A product of learned reflections: an orthogonal map (Tomczak and Welling 2016)."""
    return _layer("householder", {"d": int(dim), "reflections": int(reflections)})


@checked
def cayley(dim: int) -> Bijection:
    """A learned rotation (1 + A)⁻¹(1 - A) with a skew-symmetric A."""
    return _layer("cayley", {"d": int(dim)})


@checked
def matrix_exponential(dim: int) -> Bijection:
    """x = exp(A)·z (Hoogeboom et al. 2020)."""
    return _layer("matrix_exponential", {"d": int(dim)})


@checked
def pointwise_convolution(pixels: int, channels: int, unconstrained: bool = False) -> Bijection:
    """The same matrix for the channels of each pixel (Kingma and Dhariwal 2018, section 3.2)."""
    return _layer(
        "pointwise_convolution",
        {"pixels": int(pixels), "channels": int(channels), "unconstrained": bool(unconstrained)},
    )


# Dense maps


@checked
def planar(dim: int, constrained: bool = True) -> Bijection:
    """x = z + u·tanh(wᵀz + b) (Rezende and Mohamed 2015); ``constrained`` so that it is one-to-one for all parameters."""
    return _layer("planar", {"d": int(dim), "constrained": bool(constrained)})


@checked
def radial(dim: int, constrained: bool = True) -> Bijection:
    """x = z + β·(z - z₀)/(α + |z - z₀|) (Rezende and Mohamed 2015)."""
    return _layer("radial", {"d": int(dim), "constrained": bool(constrained)})


@checked
def sylvester(dim: int, q: Any, constrained: bool = True) -> Bijection:
    """x = z + Q·R·tanh(R̃·Qᵀz + b) with the orthonormal columns of ``q`` (van den Berg et al. 2018)."""
    q = np.asarray(q, dtype=float)
    if q.ndim != 2 or q.shape[0] != dim:
        raise ValueError(f"sylvester: q has {dim} rows, and is not of the shape {q.shape}")
    return _layer(
        "sylvester", {"d": int(dim), "units": q.shape[1], "q": numbers(q), "constrained": bool(constrained)}
    )


@checked
def residual(
    dim: int,
    hidden: Sequence[int] = (16,),
    coefficient: float = 0.9,
    constraint: Union[str, int] = "frobenius",
    activation: str = "tanh",
    context: int = 0,
) -> Bijection:
    """x = z + g(z) with a network g whose Lipschitz constant is at most ``coefficient`` (Chen et al. 2019).

    ``constraint`` is the norm that weights are divided by: `frobenius`, `one_infinity`, or a number of steps of power iteration.
    """
    known = {"frobenius": "Frobenius", "one_infinity": "OneInfinity"}
    if isinstance(constraint, str):
        norm = one_of("constraint", constraint, known)
    else:
        norm = {"PowerIteration": {"steps": int(constraint)}}
    return _layer(
        "residual",
        {
            "d": int(dim),
            "hidden": whole(hidden),
            "context": int(context),
            "coefficient": float(coefficient),
            "constraint": norm,
            "activation": one_of("activation", activation, {"tanh": "Tanh", "softplus": "Softplus", "sine": "Sine"}),
        },
    )


@checked
def continuous(
    dim: int,
    hidden: Sequence[int] = (64, 64),
    solver: str = "dormand_prince",
    steps: Optional[int] = None,
    span: tuple[float, float] = (0.0, 1.0),
    relative: float = 1e-6,
    absolute: float = 1e-6,
    probes: Optional[int] = None,
    probe_seed: int = 0,
    adjoint: str = "discrete",
    tolerance: float = 1e-4,
    context: int = 0,
) -> Bijection:
    """FFJORD: the solution of dz/dt = network(z, t) over a span of time (Grathwohl et al. 2019).

    ``solver`` is `dormand_prince` with tolerances, `runge_kutta_4` or `euler` with ``steps``. The trace is exact, or with
    ``probes`` an estimate. ``adjoint`` is `discrete` or `continuous`. ``tolerance`` is what an audit allows.
    """
    known = {
        "dormand_prince": {"DormandPrince": {"relative": float(relative), "absolute": float(absolute)}},
        "runge_kutta_4": "RungeKutta4",
        "euler": "Euler",
    }
    method = one_of("solver", solver, known)
    divergence: Any = "Exact" if probes is None else {"Hutchinson": {"probes": int(probes), "seed": int(probe_seed)}}
    return _layer(
        "continuous",
        {
            "field": {"name": "network", "settings": {"dim": int(dim), "network": _network(hidden, context)}},
            "solver": method,
            "steps": int(steps if steps is not None else 5000 if solver == "dormand_prince" else 20),
            "span": [float(span[0]), float(span[1])],
            "divergence": divergence,
            "gradient": one_of("adjoint", adjoint, {"discrete": "Discrete", "continuous": "Continuous"}),
            "tolerance": float(tolerance),
        },
    )


# Maps onto constrained sets


@checked
def ordered(dim: int) -> Bijection:
    """Onto the vectors with x₁ < x₂ < …"""
    return _layer("ordered", {"d": int(dim)})


@checked
def stick_breaking(dim: int) -> Bijection:
    """Onto the simplex, share by share."""
    return _layer("stick_breaking", {"d": int(dim)})


@checked
def centred_softmax(dim: int) -> Bijection:
    """Onto the simplex, by a softmax with one logit fixed."""
    return _layer("centred_softmax", {"d": int(dim)})


@checked
def covariance_from_cholesky(n: int) -> Bijection:
    """From the Cholesky factor of an n×n covariance to the covariance, both by their lower triangles."""
    return _layer("covariance_from_cholesky", {"n": int(n)})


@checked
def correlation_cholesky(n: int) -> Bijection:
    """Onto the Cholesky factors of n×n correlation matrices (Lewandowski et al. 2009)."""
    return _layer("correlation_cholesky", {"n": int(n)})


@checked
def polar() -> Bijection:
    """From a radius and an angle to the plane."""
    return _layer("polar", None)


@checked
def spherical(dim: int) -> Bijection:
    """From a radius and angles to ``dim`` variables."""
    return _layer("spherical", int(dim))


@checked
def blockwise(parts: Sequence[Any]) -> Bijection:
    """Layers side by side: bijections one after another, or pairs (variables, bijection).

    >>> import pushforward as pf
    >>> pf.layers.blockwise([pf.layers.affine([2.0], [0.0]), pf.layers.elementwise("exp", 2)]).codomain
    'ℝ × (0, ∞)²'
    """
    described, start = [], 0
    for part in parts:
        if isinstance(part, Bijection):
            variables, layer = list(range(start, start + part.dim)), part
            start += part.dim
        else:
            variables, layer = whole(part[0]), part[1]
        described.append([variables, layer.describe()])
    return _layer("blockwise", described)


NAMES = [
    "act_norm",
    "additive_coupling",
    "affine",
    "affine_coupling",
    "autoregressive",
    "autoregressive_spline",
    "batch_norm",
    "block_neural_autoregressive",
    "blockwise",
    "cayley",
    "centred_softmax",
    "chain",
    "circular_spline",
    "conditional",
    "continuous",
    "correlation_cholesky",
    "coupling",
    "covariance_from_cholesky",
    "elementwise",
    "householder",
    "iaf",
    "inverse",
    "linear",
    "maf",
    "matrix_exponential",
    "ordered",
    "permutation",
    "planar",
    "pointwise_convolution",
    "polar",
    "radial",
    "rational_quadratic_spline",
    "residual",
    "reverse",
    "spherical",
    "spline_coupling",
    "standardising",
    "stick_breaking",
    "sylvester",
    "triangular",
    "unconditional",
]
"""The names of the layers."""

__getattr__, __dir__ = named(__name__, "layer", NAMES)
