"""Base distributions: the distributions of z.

>>> import pushforward as pf
>>> pf.bases.student_t(2, degrees=5.0)
<Base StudentT of 2 variables, ℝ²>
"""

from __future__ import annotations

import json
from typing import Any, Sequence

import numpy as np

from . import _native
from ._named import Numbers, checked, named, numbers, written


class Base:
    """A base distribution; made by the functions of this module."""

    __slots__ = ("_native",)

    def __init__(self, native: _native.Base):
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
    def support(self) -> str:
        """Where its density is positive."""
        return self._native.support

    def describe(self) -> dict[str, Any]:
        """What a model file keeps of it: a name, and settings."""
        name, settings = self._native.description()
        return {"name": name, "settings": json.loads(settings)}

    def __reduce__(self) -> Any:
        return _described, self._native.description()

    def __repr__(self) -> str:
        return f"<Base {self.name} of {self.dim} variables, {self.support}>"


def _described(name: str, settings: str) -> Base:
    return Base(_native.Base.described(name, settings))


def _base(name: str, settings: Any) -> Base:
    return _described(name, written(settings))


@checked
def standard_normal(dim: int) -> Base:
    """Independent standard normal variables."""
    return _base("standard_normal", {"d": int(dim)})


@checked
def student_t(dim: int, degrees: float) -> Base:
    """Independent variables with Student's t distribution."""
    return _base("student_t", {"d": int(dim), "degrees": float(degrees)})


@checked
def multivariate_student_t(dim: int, degrees: float) -> Base:
    """The multivariate t distribution, around 0 with the identity as its scale."""
    return _base("multivariate_student_t", {"d": int(dim), "degrees": float(degrees)})


@checked
def laplace(dim: int) -> Base:
    """Independent standard Laplace variables."""
    return _base("laplace", {"d": int(dim)})


@checked
def logistic(dim: int) -> Base:
    """Independent standard logistic variables."""
    return _base("logistic", {"d": int(dim)})


@checked
def gumbel(dim: int) -> Base:
    """Independent standard Gumbel variables."""
    return _base("gumbel", {"d": int(dim)})


@checked
def uniform(dim: int, angles: bool = False) -> Base:
    """The unit cube (0, 1)ᵈ, or with ``angles`` the angles [-π, π)ᵈ."""
    return _base("uniform", {"d": int(dim), "angles": bool(angles)})


@checked
def beta(a: Numbers, b: Numbers) -> Base:
    """Independent variables with beta distributions."""
    return _base("beta", {"a": numbers(a), "b": numbers(b)})


@checked
def dirichlet(concentrations: Numbers) -> Base:
    """The Dirichlet distribution, of all shares but the last."""
    return _base("dirichlet", {"concentrations": numbers(concentrations)})


@checked
def von_mises(means: Numbers, concentrations: Numbers) -> Base:
    """Independent angles with von Mises distributions."""
    return _base("von_mises", {"means": numbers(means), "concentrations": numbers(concentrations)})


@checked
def von_mises_fisher(mean: Numbers, concentration: float) -> Base:
    """The von Mises-Fisher distribution on the sphere, in the coordinates height and angle."""
    return _base("von_mises_fisher", {"mean": numbers(mean), "concentration": float(concentration)})


@checked
def gaussian_mixture(weights: Numbers, means: Any, covariances: Any, learned: bool = False) -> Base:
    """A mixture of normal distributions; ``learned`` with the layers above it."""
    shares = np.asarray(weights, dtype=float)
    means, covariances = np.asarray(means, dtype=float), np.asarray(covariances, dtype=float)
    components, d = (means.shape[0], means.shape[1]) if means.ndim == 2 else (0, 0)
    if components == 0 or shares.shape != (components,) or covariances.shape != (components, d, d):
        raise ValueError(
            "a mixture of k components has weights (k,), means (k, d) and covariances (k, d, d); these are "
            f"{shares.shape}, {means.shape} and {covariances.shape}"
        )
    if not (shares > 0).all():
        raise ValueError(f"weights are positive, not {weights}")

    def component(mean: np.ndarray, covariance: np.ndarray) -> dict[str, Any]:
        if not np.allclose(covariance, covariance.T):
            raise ValueError("a covariance is symmetric")
        try:
            whitening = np.linalg.inv(np.linalg.cholesky(covariance))
        except np.linalg.LinAlgError:
            raise ValueError(f"a covariance is positive definite, not {covariance.tolist()}") from None
        return {
            "mean": numbers(mean),
            "below": numbers(np.tril(whitening, -1)),
            "log_diagonal": numbers(np.log(np.diag(whitening))),
        }

    return _base(
        "gaussian_mixture",
        {
            "d": d,
            "log_weights": numbers(np.log(shares / shares.sum())),
            "components": [component(mean, covariance) for mean, covariance in zip(means, covariances)],
            "learned": bool(learned),
        },
    )


@checked
def mixture(weights: Numbers, components: Sequence[Base], learned: bool = False) -> Base:
    """A mixture of other bases; ``learned`` with the layers above it."""
    shares = np.asarray(weights, dtype=float)
    if shares.ndim != 1 or not (shares > 0).all():
        raise ValueError(f"weights are positive, not {weights}")
    return _base(
        "mixture",
        {
            "log_weights": numbers(np.log(shares / shares.sum())),
            "components": [component.describe() for component in components],
            "learned": bool(learned),
        },
    )


NAMES = [
    "standard_normal",
    "student_t",
    "multivariate_student_t",
    "laplace",
    "logistic",
    "gumbel",
    "uniform",
    "beta",
    "dirichlet",
    "von_mises",
    "von_mises_fisher",
    "gaussian_mixture",
    "mixture",
]
"""The names of the bases."""

__getattr__, __dir__ = named(__name__, "base", NAMES, ["Base"])
