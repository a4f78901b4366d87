"""Monotone functions of one variable with parameters from a conditioner, for coupling and autoregressive layers.

>>> import pushforward as pf
>>> pf.layers.coupling(4, pf.transformers.bernstein(8, 3.0)).name
'BernsteinCoupling'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional, Sequence, Union

from . import transforms
from ._named import checked, named, one_of, whole


@dataclass(frozen=True)
class Transformer:
    """A transformer, by its name and its settings."""

    name: str
    settings: Any = field(default=None)

    def description(self) -> dict[str, Any]:
        """What a model file keeps of it."""
        return {"name": self.name, "settings": self.settings}


def scale_map(name: str, slope: float) -> Any:
    """The map from what a network says to a log-scale."""
    known = {"bounded": "Bounded", "tanh": "Tanh", "identity": "Identity", "soft_clipped": {"SoftClipped": {"slope": float(slope)}}}
    return one_of("log_scale", name, known)


@checked
def affine(log_scale: str = "bounded", normalising: bool = False, slope: float = 1e-3) -> Transformer:
    """x = z·exp(s) + t. ``log_scale`` says how s comes from what the network says: `bounded` (by a learned bound), `tanh`,
    `identity`, or `soft_clipped` (scales stay between ``slope`` and 1/``slope``). ``normalising`` is (z - t)·exp(-s)."""
    return Transformer("affine", {"log_scale": scale_map(log_scale, slope), "normalising": bool(normalising)})


@checked
def shift() -> Transformer:
    """x = z + t: volume preserving."""
    return Transformer("shift")


@checked
def spline(
    bins: int = 8,
    bound: float = 3.0,
    slope: float = 1e-3,
    minimum: Optional[Sequence[float]] = None,
) -> Transformer:
    """A monotone rational-quadratic spline on [-bound, bound], the identity outside (Durkan et al. 2019).

    Parameters are clipped softly, so that slopes stay above ``slope``; or with ``minimum`` = (width, height, slope) they have
    these minima.
    """
    return Transformer("spline", spline_settings(bins, bound, slope, minimum))


def spline_settings(bins: int, bound: float, slope: float, minimum: Optional[Sequence[float]]) -> Any:
    """The settings of a spline."""
    if minimum is None:
        rule = {"SoftClipped": {"slope": float(slope)}}
    else:
        width, height, least = (float(value) for value in minimum)
        rule = {"Minimum": {"width": width, "height": height, "slope": least}}
    return {"bins": int(bins), "bound": float(bound), "rule": rule}


@checked
def polynomial_spline(degree: int = 2, bins: int = 8, bound: float = 3.0) -> Transformer:
    """A monotone spline of degree 1, 2 or 3 on [-bound, bound]."""
    return Transformer("polynomial_spline", {"degree": int(degree), "bins": int(bins), "bound": float(bound)})


@checked
def bernstein(degree: int = 8, bound: float = 3.0) -> Transformer:
    """A monotone Bernstein polynomial of this degree on [-bound, bound]."""
    return Transformer("bernstein", {"degree": int(degree), "bound": float(bound)})


@checked
def sum_of_squares(polynomials: int = 2, degree: int = 2, least: float = 1e-3) -> Transformer:
    """The integral of a sum of squares of polynomials (Jaini et al. 2019), with slopes of at least ``least``."""
    return Transformer(
        "sum_of_squares", {"polynomials": int(polynomials), "degree": int(degree), "least": float(least)}
    )


@checked
def logistic_mixture(components: int = 4) -> Transformer:
    """The logit of a mixture of logistic distribution functions (Ho et al. 2019)."""
    return Transformer("logistic_mixture", {"components": int(components)})


@checked
def deep_sigmoidal(units: int = 4, steps: int = 2) -> Transformer:
    """Deep sigmoidal flow (Huang et al. 2018, eq. 8)."""
    return Transformer("deep_sigmoidal", {"units": int(units), "steps": int(steps)})


@checked
def deep_dense_sigmoidal(units: int = 4, layers: int = 2) -> Transformer:
    """Deep dense sigmoidal flow (Huang et al. 2018, eq. 9)."""
    return Transformer("deep_dense_sigmoidal", {"units": int(units), "layers": int(layers)})


@checked
def monotone_network(hidden: Sequence[int] = (16,), embedding: int = 4, intervals: int = 32) -> Transformer:
    """The integral of a positive network (Wehenkel and Louppe 2019), by Clenshaw and Curtis's rule."""
    return Transformer(
        "monotone_network", {"hidden": whole(hidden), "embedding": int(embedding), "intervals": int(intervals)}
    )


@checked
def sinh_arcsinh() -> Transformer:
    """The sinh-arcsinh transform with a skewness and a weight of the tails from the conditioner (Jones and Pewsey 2009)."""
    return Transformer("sinh_arcsinh")


@checked
def yeo_johnson() -> Transformer:
    """The power transform of Yeo and Johnson (2000), with the power from the conditioner."""
    return Transformer("yeo_johnson")


@checked
def elementwise(transform: Union[transforms.Transform, str]) -> Transformer:
    """A fixed transform of a scaled and shifted variable."""
    return Transformer("elementwise", {"transform": transforms.read(transform)})


NAMES = [
    "affine",
    "shift",
    "spline",
    "polynomial_spline",
    "bernstein",
    "sum_of_squares",
    "logistic_mixture",
    "deep_sigmoidal",
    "deep_dense_sigmoidal",
    "monotone_network",
    "sinh_arcsinh",
    "yeo_johnson",
    "elementwise",
]
"""The names of the transformers."""

__getattr__, __dir__ = named(__name__, "transformer", NAMES, ["Transformer"])
