"""Densities of columns given others."""

import warnings

import numpy as np
import pytest

from pushforward import ConditionalFlowDensity, ExtrapolationWarning, FlowDensity


@pytest.fixture(scope="module")
def pairs():
    random = np.random.default_rng(0)
    C = random.uniform(-2, 2, size=(1500, 1))
    # x given c is normal, with a mean and a deviation that depend on c.
    X = np.sin(C) + np.exp(0.5 * C) * 0.3 * random.normal(size=(1500, 1))
    return X, C


@pytest.fixture(scope="module")
def density(pairs):
    X, C = pairs
    return ConditionalFlowDensity(time=20).fit(X, given=C)


def test_it_is_near_the_density_that_made_the_rows(pairs, density):
    random = np.random.default_rng(1)
    C = random.uniform(-2, 2, size=(4000, 1))
    deviation = np.exp(0.5 * C) * 0.3
    X = np.sin(C) + deviation * random.normal(size=C.shape)
    true = -0.5 * ((X - np.sin(C)) / deviation) ** 2 - np.log(deviation) - 0.5 * np.log(2 * np.pi)
    # The mean difference is a Kullback-Leibler divergence.
    divergence = (true[:, 0] - density.score_samples(X, given=C)).mean()
    assert -0.02 < divergence < 0.1


def test_quantiles_are_those_of_the_normal_distribution(density):
    C = np.array([[-1.0], [0.0], [1.0]])
    quantiles = density.quantiles([0.05, 0.5, 0.95], given=C, random_state=0)
    assert quantiles.shape == (3, 1, 3)
    expected = np.sin(C) + np.exp(0.5 * C) * 0.3 * np.array([-1.6449, 0.0, 1.6449])
    np.testing.assert_allclose(quantiles[:, 0, :], expected, atol=0.2)


def test_each_given_row_has_its_samples(density):
    drawn = density.sample(500, given=[[-1.5], [1.5]], random_state=0)
    assert drawn.shape == (1000, 1)
    assert drawn[500:].mean() - drawn[:500].mean() > 1.0


def test_one_given_row_is_that_of_all(density):
    X = np.linspace(-1, 1, 7).reshape(-1, 1)
    np.testing.assert_array_equal(
        density.score_samples(X, given=[[0.5]]), density.score_samples(X, given=np.full((7, 1), 0.5))
    )


def test_a_saved_density_is_loaded_by_its_class(pairs, density, tmp_path):
    X, C = pairs
    density.save(tmp_path / "c.model")
    again = ConditionalFlowDensity.load(tmp_path / "c.model")
    np.testing.assert_array_equal(again.score_samples(X, given=C), density.score_samples(X, given=C))
    with pytest.raises(ValueError, match="load it with ConditionalFlowDensity"):
        FlowDensity.load(tmp_path / "c.model")


def test_what_is_refused(pairs, density):
    X, C = pairs
    with pytest.raises(ValueError, match="given has 3 rows, and X has 1500"):
        density.score_samples(X, given=C[:3])
    with pytest.raises(ValueError, match="given has no column 'c0'"):
        density.score_samples(X, given={"c": [1.0]})
    for missing in ("error", "model"):
        with pytest.raises(ValueError, match="Input given contains NaN: row 0, column 'c0'.*leave such rows out"):
            density.set_params(missing=missing).score_samples(X[:1], given=[[np.nan]])
    density.set_params(missing="error")
    with pytest.raises(ValueError, match="not conditioned"):
        ConditionalFlowDensity(model="gaussian").fit(X, given=C)
    with pytest.raises(ValueError, match="in X and in given"):
        ConditionalFlowDensity().fit({"a": [1.0, 2.0]}, given={"a": [1.0, 2.0]})


def test_given_values_far_from_the_rows_warn(density):
    with pytest.warns(ExtrapolationWarning, match="given `c0` is 90.*extrapolated") as told:
        density.sample(3, given=[[90.0]], random_state=0)
    assert told[0].filename == __file__
    with pytest.warns(ExtrapolationWarning) as told:
        density.quantiles(0.5, given=[[90.0]], random_state=0)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        density.sample(3, given=[[1.0]], random_state=0)
