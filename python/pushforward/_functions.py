"""The functions with which a bijection is written.

They take variables of a bijection that is being recorded (:class:`pushforward.Var`), and numbers and arrays beside them; of a
vector or a matrix they are taken element by element. Nothing is computed: each call is recorded.
"""

from __future__ import annotations

import math
from typing import Any, Sequence, Union

import numpy as np

from ._native import Condition, Var, constant, context, operation, select
from ._named import whole

Operand = Union[Var, float, np.ndarray, Sequence[float]]


def neg(a: Operand) -> Var:
    """-a"""
    return operation("neg", [a])


def recip(a: Operand) -> Var:
    """1/a"""
    return operation("recip", [a])


def exp(a: Operand) -> Var:
    """eᵃ"""
    return operation("exp", [a])


def ln(a: Operand) -> Var:
    """The natural logarithm, for a > 0."""
    return operation("ln", [a])


log = ln


def exp_m1(a: Operand) -> Var:
    """eᵃ - 1, exact near 0."""
    return operation("exp_m1", [a])


def ln_1p(a: Operand) -> Var:
    """ln(1 + a), exact near 0, for a > -1."""
    return operation("ln_1p", [a])


def tanh(a: Operand) -> Var:
    """The hyperbolic tangent."""
    return operation("tanh", [a])


def sech_squared(a: Operand) -> Var:
    """1/cosh² a, the derivative of tanh."""
    return operation("sech_squared", [a])


def sigmoid(a: Operand) -> Var:
    """The logistic function 1/(1 + e⁻ᵃ)."""
    return operation("sigmoid", [a])


def softplus(a: Operand) -> Var:
    """ln(1 + eᵃ), without overflow."""
    return operation("softplus", [a])


def sin(a: Operand) -> Var:
    """The sine, in radians."""
    return operation("sin", [a])


def cos(a: Operand) -> Var:
    """The cosine, in radians."""
    return operation("cos", [a])


def sqrt(a: Operand) -> Var:
    """The square root, for a ≥ 0. For √(Σ a²) see :func:`norm`."""
    return operation("sqrt", [a])


def abs(a: Operand) -> Var:
    """The absolute value."""
    return operation("abs", [a])


def sign(a: Operand) -> Var:
    """-1, 0 or 1; its derivative is 0 where it has one."""
    return operation("sign", [a])


def erf(a: Operand) -> Var:
    """The error function 2/√π ∫₀ᵃ exp(-t²) dt."""
    return operation("erf", [a])


def sinh(a: Operand) -> Var:
    """The hyperbolic sine."""
    return operation("sinh", [a])


def cosh(a: Operand) -> Var:
    """The hyperbolic cosine."""
    return operation("cosh", [a])


def asinh(a: Operand) -> Var:
    """The inverse hyperbolic sine."""
    return operation("asinh", [a])


def asinh_slope(a: Operand) -> Var:
    """1/√(1 + a²), the derivative of asinh."""
    return operation("asinh_slope", [a])


def atan(a: Operand) -> Var:
    """arctan a, in radians."""
    return operation("atan", [a])


def atan_pi(a: Operand) -> Var:
    """arctan(a)/π, between -½ and ½."""
    return operation("atan_pi", [a])


def atan2(y: Operand, x: Operand) -> Var:
    """The angle of the point (x, y) from the first axis, in [-π, π]; 0 at the origin."""
    return operation("atan2", [y, x])


def tan_pi(a: Operand) -> Var:
    """tan(π·a) for \\|a\\| < ½."""
    return operation("tan_pi", [a])


def normal_cdf(a: Operand) -> Var:
    """Φ(a), the standard normal distribution function."""
    return operation("normal_cdf", [a])


def normal_quantile(a: Operand) -> Var:
    """Φ⁻¹(a), for 0 < a < 1."""
    return operation("normal_quantile", [a])


def ln_normal_cdf(a: Operand) -> Var:
    """ln Φ(a), exact in both tails."""
    return operation("ln_normal_cdf", [a])


def inverse_mills(a: Operand, order: int = 0) -> Var:
    """The derivative of this order of φ(a)/Φ(a), the inverse Mills ratio of the standard normal."""
    return operation("inverse_mills", [a], number=order)


def ln_gamma(a: Operand) -> Var:
    """ln Γ(a), for a > 0."""
    return operation("ln_gamma", [a])


def polygamma(a: Operand, order: int = 0) -> Var:
    """The derivative of order ``order`` + 1 of ln Γ(a), for a > 0."""
    return operation("polygamma", [a], number=order)


def powi(a: Operand, exponent: int) -> Var:
    """aᵏ for a whole number k; ``a ** k`` is the same."""
    return operation("powi", [a], number=exponent)


def pow(a: Operand, exponent: Operand) -> Var:
    """aᵇ for a > 0; 0 where a is 0 and b > 0."""
    return operation("pow", [a, exponent])


def log_add_exp(a: Operand, b: Operand) -> Var:
    """ln(eᵃ + eᵇ), without overflow."""
    return operation("log_add_exp", [a, b])


def minimum(a: Operand, b: Operand) -> Var:
    """The smaller of the two."""
    return operation("min", [a, b])


def maximum(a: Operand, b: Operand) -> Var:
    """The larger of the two."""
    return operation("max", [a, b])


where = select


def sum(a: Operand) -> Var:
    """The sum of all elements."""
    return operation("sum", [a])


def dot(a: Operand, b: Operand) -> Var:
    """Σ aᵢbᵢ of two vectors; ``a @ b`` is the same."""
    return operation("dot", [a, b])


def norm(a: Operand) -> Var:
    """√(Σ aᵢ²) of all elements, with derivative 0 where every element is 0."""
    return operation("norm", [a])


def max_element(a: Operand) -> Var:
    """The largest element."""
    return operation("max_element", [a])


def log_sum_exp(a: Operand) -> Var:
    """ln Σ exp aᵢ over all elements."""
    return operation("log_sum_exp", [a])


def softmax(a: Operand) -> Var:
    """exp aᵢ / Σ exp aⱼ over all elements."""
    return operation("softmax", [a])


def log_softmax(a: Operand) -> Var:
    """The logarithms of :func:`softmax`."""
    return operation("log_softmax", [a])


def cumsum(a: Operand) -> Var:
    """a₀, a₀ + a₁, a₀ + a₁ + a₂, …"""
    return operation("cumsum", [a])


def outer(a: Operand, b: Operand) -> Var:
    """The matrix a bᵀ of two vectors."""
    return operation("outer", [a, b])


def matmul(a: Operand, b: Operand) -> Var:
    """The product of matrices and vectors; ``a @ b`` is the same."""
    return operation("product", [a, b])


def transpose(a: Operand) -> Var:
    """The transpose of a matrix; ``a.T`` is the same."""
    return operation("transpose", [a])


def row(a: Operand, i: int) -> Var:
    """Row i of a matrix; ``a[i]`` is the same."""
    return _variable(a)[i]


def column(a: Operand, j: int) -> Var:
    """Column j of a matrix; ``a[:, j]`` is the same."""
    return _variable(a)[:, j]


def diagonal(a: Operand) -> Var:
    """The elements of a matrix on its diagonal."""
    return operation("diagonal", [a])


def diagonal_matrix(a: Operand) -> Var:
    """The square matrix with these elements on its diagonal and 0 elsewhere."""
    return operation("diagonal_matrix", [a])


def inverse_matrix(a: Operand) -> Var:
    """The inverse of a square matrix, by LU."""
    return operation("inverse", [a])


def log_abs_det(a: Operand) -> Var:
    """ln|det a| of a square matrix, by LU."""
    return operation("log_abs_det", [a])


def matrix_exp(a: Operand) -> Var:
    """The exponential Σ Aᵏ/k! of a square matrix."""
    return operation("matrix_exp", [a])


def broadcast(a: Operand, shape: Any) -> Var:
    """A scalar in every element of this shape."""
    return operation("broadcast", [a], extents=_shape(shape))


def reshape(a: Operand, shape: Any) -> Var:
    """The elements, by rows, in another shape."""
    return operation("reshape", [a], extents=_shape(shape))


def gather(a: Operand, positions: Sequence[int]) -> Var:
    """The elements at these positions, as a vector; of a vector, ``a[positions]`` is the same."""
    return operation("gather", [a], positions=_positions(positions))


def scatter(a: Operand, positions: Sequence[int], shape: Any) -> Var:
    """Zeros of this shape with element k of ``a`` added at ``positions[k]``, numbered by rows."""
    return operation("scatter", [a], positions=_positions(positions), extents=_shape(shape))


def stack(scalars: Sequence[Operand]) -> Var:
    """The vector of these scalars."""
    return operation("stack", list(scalars))


def concat(parts: Sequence[Operand]) -> Var:
    """The elements of these scalars and vectors, one after another, as a vector."""
    return operation("concat", list(parts))


class Uniform:
    """Initial values of a parameter: uniform on (-bound, bound), drawn by the seed of a flow."""

    def __init__(self, bound: float):
        if not (bound > 0 and math.isfinite(bound)):
            raise ValueError(f"the bound is {bound}; it is a positive number")
        self.bound = float(bound)

    def __repr__(self) -> str:
        return f"Uniform({self.bound})"


def glorot(inputs: int, outputs: int) -> Uniform:
    """Initial values of a weight matrix of this many inputs and outputs (Glorot and Bengio 2010, eq. 16)."""
    return Uniform(math.sqrt(6.0 / max(inputs + outputs, 1)))


def parameter(name: str, shape: Any = None, init: Union[float, np.ndarray, Uniform] = 0.0) -> Var:
    """Declares a parameter, which a fit learns; what is proven is proven for all of its values.

    ``init`` is a number for every element, an array (whose shape is then the parameter's), or
    :class:`Uniform`. ``shape`` is () for a scalar, a length, or a pair of rows and columns.
    """
    from . import _native

    if isinstance(init, Uniform):
        return _native.parameter(name, _shape(shape), bound=init.bound)
    values = np.asarray(init, dtype=float)
    own = list(values.shape) if shape is None else _shape(shape)
    if values.ndim > 0 and list(values.shape) != own:
        raise ValueError(f"the parameter `{name}` has the shape {tuple(own)}, and its initial values {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"the initial values of `{name}` are not all finite")
    return _native.parameter(name, own, values=values.ravel().tolist())


def _shape(shape: Any) -> list[int]:
    extents = [] if shape is None else whole(shape)
    if any(extent < 0 for extent in extents):
        raise ValueError(f"{tuple(extents)} is no shape: it has a negative extent")
    return extents


def _positions(positions: Sequence[int]) -> list[int]:
    found = whole(positions)
    if any(position < 0 for position in found):
        raise IndexError(f"positions count from 0, and are not {found}; a[[-1]] counts from the end")
    return found


def _variable(a: Operand) -> Var:
    return a if isinstance(a, Var) else constant(a)
