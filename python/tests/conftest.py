"""Tables that several tests use."""

import os

# scikit-learn has a check of its own for this interface of arrays, and skips it otherwise. It is read when scipy is loaded.
os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pytest


def moons(rows: int, seed: int) -> np.ndarray:
    """Two interleaved half circles with noise."""
    random = np.random.default_rng(seed)
    angle, upper = random.uniform(0, np.pi, rows), random.integers(0, 2, rows)
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return np.column_stack([x, y]) + 0.08 * random.normal(size=(rows, 2))


def normal_log_prob(X: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """ln p of a normal distribution, by a Cholesky factor of numpy."""
    factor = np.linalg.cholesky(covariance)
    z = np.linalg.solve(factor, (X - mean).T)
    return -0.5 * (z**2).sum(axis=0) - np.log(np.diag(factor)).sum() - 0.5 * len(mean) * np.log(2 * np.pi)


@pytest.fixture(scope="session")
def fitted():
    """A mixture of Gaussians of correlated columns."""
    from pushforward import FlowDensity

    random = np.random.default_rng(3)
    X = random.normal(size=(600, 3)) @ np.array([[1.0, 0.5, 0.0], [0.0, 1.0, -0.7], [0.0, 0.0, 0.3]]) + 5.0
    return FlowDensity(model="mixture", random_state=2).fit(X), X
