"""Fixed functions of one variable, for :func:`pushforward.layers.elementwise` and :func:`pushforward.transformers.elementwise`.

>>> import pushforward as pf
>>> pf.layers.elementwise(pf.transforms.sigmoid(-1.0, 3.0), 2).codomain
'(-1, 3)²'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Union

from ._named import checked, hint, named


@dataclass(frozen=True)
class Transform:
    """A fixed function of one variable."""

    settings: Any


def _plain(name: str) -> Transform:
    return Transform(name)


def _with(name: str, **options: Any) -> Transform:
    return Transform({name: options})


def identity() -> Transform:
    """x = z"""
    return _plain("Identity")


def exp() -> Transform:
    """x = eᶻ, onto (0, ∞)."""
    return _plain("Exp")


def ln() -> Transform:
    """x = ln z, from (0, ∞)."""
    return _plain("Ln")


@checked
def softplus(sharpness: float = 1.0) -> Transform:
    """x = ln(1 + e^(sharpness·z))/sharpness, onto (0, ∞)."""
    return _with("Softplus", sharpness=float(sharpness))


@checked
def sigmoid(lower: float = 0.0, upper: float = 1.0) -> Transform:
    """x = lower + (upper - lower)/(1 + e⁻ᶻ), onto (lower, upper)."""
    return _with("Sigmoid", lower=float(lower), upper=float(upper))


def logit() -> Transform:
    """x = ln(z/(1 - z)), from (0, 1)."""
    return _plain("Logit")


@checked
def squeezed_logit(alpha: float = 0.05) -> Transform:
    """The logit of α + (1 - 2α)·z, from (0, 1): values near 0 and 1 stay finite (Dinh et al. 2017, section 4.1)."""
    return _with("SqueezedLogit", alpha=float(alpha))


def tanh() -> Transform:
    """x = tanh z, onto (-1, 1)."""
    return _plain("Tanh")


def softsign() -> Transform:
    """x = z/(1 + |z|), onto (-1, 1)."""
    return _plain("Softsign")


def arctangent() -> Transform:
    """x = (2/π)·arctan z, onto (-1, 1)."""
    return _plain("Arctangent")


def normal_cdf() -> Transform:
    """x = Φ(z), onto (0, 1)."""
    return _plain("NormalCdf")


def normal_quantile() -> Transform:
    """x = Φ⁻¹(z), from (0, 1)."""
    return _plain("NormalQuantile")


def sinh() -> Transform:
    """x = sinh z"""
    return _plain("Sinh")


def asinh() -> Transform:
    """x = asinh z"""
    return _plain("Asinh")


@checked
def sinh_arcsinh(skew: float = 0.0, tail: float = 1.0, normalise: bool = False) -> Transform:
    """The sinh-arcsinh transform of Jones and Pewsey (2009), with a skewness and a weight of the tails."""
    return _with("SinhArcsinh", skew=float(skew), tail=float(tail), normalise=bool(normalise))


@checked
def cubic(coefficient: float) -> Transform:
    """x = z + coefficient·z³ with a coefficient of 0 or above."""
    return _with("Cubic", coefficient=float(coefficient))


@checked
def power(exponent: float) -> Transform:
    """x = z^exponent, from (0, ∞) onto (0, ∞)."""
    return _with("Power", exponent=float(exponent))


@checked
def signed_power(exponent: float) -> Transform:
    """x = sign(z)·|z|^exponent."""
    return _with("SignedPower", exponent=float(exponent))


@checked
def box_cox(power: float) -> Transform:
    """x = (z^power - 1)/power, from (0, ∞) (Box and Cox 1964)."""
    return _with("BoxCox", power=float(power))


@checked
def yeo_johnson(power: float) -> Transform:
    """The power transform of Yeo and Johnson (2000), from ℝ."""
    return _with("YeoJohnson", power=float(power))


@checked
def leaky_relu(slope: float = 0.01) -> Transform:
    """x = z for z ≥ 0, and slope·z below."""
    return _with("LeakyRelu", slope=float(slope))


@checked
def gumbel_cdf(location: float = 0.0, scale: float = 1.0) -> Transform:
    """The distribution function of a Gumbel distribution, onto (0, 1)."""
    return _with("GumbelCdf", location=float(location), scale=float(scale))


@checked
def kumaraswamy_cdf(a: float, b: float) -> Transform:
    """x = 1 - (1 - zᵃ)ᵇ, from (0, 1) onto (0, 1)."""
    return _with("KumaraswamyCdf", a=float(a), b=float(b))


@checked
def weibull_cdf(scale: float = 1.0, shape: float = 1.0) -> Transform:
    """The distribution function of a Weibull distribution, from (0, ∞) onto (0, 1)."""
    return _with("WeibullCdf", scale=float(scale), shape=float(shape))


NAMES = [
    name
    for name, value in list(globals().items())
    if getattr(value, "__module__", None) == __name__ and callable(value) and name != "Transform" and name[0] != "_"
]
"""The names of the transforms."""

__getattr__, __dir__ = named(__name__, "transform", NAMES, ["Transform"])


def read(given: Union[Transform, str]) -> Any:
    """The settings of a transform, or of one without options by its name."""
    if isinstance(given, Transform):
        return given.settings
    if given not in NAMES:
        raise ValueError(f"there is no transform `{given}`{hint(str(given), NAMES)}; there are {', '.join(NAMES)}")
    try:
        return globals()[given]().settings
    except TypeError:
        raise ValueError(f"`{given}` has options: write pf.transforms.{given}(…)") from None
