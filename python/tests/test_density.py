"""Densities of tables: numbers, seeds, weights, missing values, and what is refused."""

import os
import pickle
import signal
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import moons, normal_log_prob

from pushforward import DataLeftOutWarning, FitInterruptedWarning, FlowDensity


def test_one_gaussian_has_the_density_that_numpy_computes():
    X = np.random.default_rng(0).normal(size=(2000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.4]])
    density = FlowDensity(model="gaussian").fit(X)
    expected = normal_log_prob(X, X.mean(axis=0), np.cov(X.T, bias=True))
    np.testing.assert_allclose(density.score_samples(X), expected, atol=2e-3)


def test_a_density_integrates_to_one():
    density = FlowDensity(model="autoregressive", time=20).fit(moons(800, 0))
    side = np.linspace(-3, 4, 400)
    points = np.array(np.meshgrid(side, side)).reshape(2, -1).T
    mass = np.exp(density.score_samples(points)).sum() * (side[1] - side[0]) ** 2
    assert abs(mass - 1) < 0.01


def test_a_seed_gives_the_same_density_and_the_same_rows(fitted):
    density, X = fitted
    again = FlowDensity(model="mixture", random_state=2).fit(X)
    np.testing.assert_array_equal(again.score_samples(X), density.score_samples(X))
    np.testing.assert_array_equal(again.sample(9, random_state=4), density.sample(9, random_state=4))
    assert not np.array_equal(density.sample(9), density.sample(9))


def test_samples_have_the_moments_of_the_rows(fitted):
    density, X = fitted
    drawn = density.sample(20_000, random_state=0)
    np.testing.assert_allclose(drawn.mean(axis=0), X.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(X.T), atol=0.2)


def test_rows_in_any_layout_and_type_have_the_same_density(fitted):
    density, X = fitted
    expected = density.score_samples(X)
    for same in (np.asfortranarray(X), X[:, ::-1][:, ::-1], X.astype(">f8"), X.tolist(), X.astype(object)):
        np.testing.assert_array_equal(density.score_samples(same), expected)
    np.testing.assert_array_equal(density.score_samples(X[::2]), expected[::2])
    np.testing.assert_allclose(density.score_samples(X.astype(np.float32)), expected, atol=1e-4)


def test_weights_count_rows():
    X = moons(300, 0)
    weights = np.random.default_rng(1).integers(0, 3, 300)
    weighted = FlowDensity(model="gaussian").fit(X, sample_weight=weights)
    cov = np.cov(X.T, fweights=weights, bias=True)
    mean = np.average(X, axis=0, weights=weights)
    np.testing.assert_allclose(weighted.score_samples(X), normal_log_prob(X, mean, cov), atol=0.02)


@pytest.mark.parametrize(
    ("weights", "message"),
    [([1.0, 2.0], "expected"), (-np.ones(300), "0 or more"), (np.zeros(300), "at least one non-zero")],
)
def test_weights_that_are_none_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        FlowDensity(model="gaussian").fit(moons(300, 0), sample_weight=weights)


def test_a_missing_value_is_an_error_by_default_that_says_where():
    X = moons(300, 0)
    X[7, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN: row 7, column 'x1'.*missing='drop'"):
        FlowDensity().fit(X)


def test_the_density_of_a_row_with_a_missing_value_is_that_of_the_others():
    X = np.random.default_rng(0).normal(size=(3000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.4]])
    X[5, 0] = np.nan
    with pytest.warns(DataLeftOutWarning, match="1 of 3000 rows"):
        density = FlowDensity(model="gaussian", missing="drop").fit(X)
    rows = np.array([[np.nan, 0.3], [np.nan, np.nan]])
    whole = np.delete(X, 5, axis=0)
    expected = normal_log_prob(rows[:1, 1:], whole.mean(axis=0)[1:], np.cov(whole.T, bias=True)[1:, 1:])
    scores = density.score_samples(rows)
    np.testing.assert_allclose(scores[:1], expected, atol=2e-3)
    assert np.isnan(scores[1])


def test_an_infinite_value_is_refused_with_its_place():
    X = moons(300, 0)
    X[3, 0] = -np.inf
    with pytest.raises(ValueError, match="contains infinity.*row 3, column 'x0'"):
        FlowDensity().fit(X)


def test_kinds_are_found_and_can_be_set():
    random = np.random.default_rng(0)
    X = np.column_stack([random.lognormal(size=500), random.normal(size=500)])
    density = FlowDensity(model="gaussian", kinds={0: "positive"}).fit(X)
    assert dict(density.model_.kinds())["x0"] == "positive"
    # ln x is normal.
    logs = np.column_stack([np.log(X[:, 0]), X[:, 1]])
    expected = normal_log_prob(logs, logs.mean(axis=0), np.cov(logs.T, bias=True)) - logs[:, 0]
    np.testing.assert_allclose(density.score_samples(X), expected, atol=0.02)
    assert density.score_samples([[-1.0, 0.0]]) == -np.inf


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": {5: "positive"}}, "kind of column 5, but X has 2"),
        ({"kinds": {0: "positiv"}}, "positiv"),
        ({"model": "gausian"}, "did you mean \"gaussian\""),
        ({"missing": "fill"}, "missing='fill'"),
        ({"time": -1}, "time=-1"),
        ({"held_out": 0.95}, "held_out=0.95"),
        ({"random_state": "x"}, "random_state='x' is no seed"),
        ({"progress": "yes"}, "progress='yes'"),
    ],
)
def test_parameters_that_are_none_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        FlowDensity(**options).fit(moons(300, 0))


def test_a_constant_column_is_left_out_and_said():
    X = np.column_stack([moons(300, 0), np.full(300, 0.1)])
    with pytest.warns(DataLeftOutWarning, match="'x2'.*0.1"):
        density = FlowDensity(model="gaussian").fit(X)
    drawn = density.sample(4, random_state=0)
    assert drawn.shape == (4, 3) and np.isnan(drawn[:, 2]).all()
    assert np.isfinite(density.score_samples(drawn)).all()


def test_a_density_is_pickled_and_saved(fitted, tmp_path):
    density, X = fitted
    again = pickle.loads(pickle.dumps(density))
    np.testing.assert_array_equal(again.score_samples(X), density.score_samples(X))
    density.save(tmp_path / "a.model")
    loaded = FlowDensity.load(tmp_path / "a.model")
    np.testing.assert_array_equal(loaded.score_samples(X), density.score_samples(X))
    with pytest.raises(FileNotFoundError, match="none.model"):
        FlowDensity.load(tmp_path / "none.model")
    (tmp_path / "bad.model").write_bytes(density.to_bytes()[:-10])
    with pytest.raises(ValueError, match="bad.model"):
        FlowDensity.load(tmp_path / "bad.model")


def test_a_density_of_a_file_takes_what_that_of_the_fit_takes(tmp_path):
    frame = pd.DataFrame(moons(300, 0), columns=["a", "b"]).assign(site=0.1)
    with pytest.warns(DataLeftOutWarning, match="'site'"):
        density = FlowDensity(model="gaussian").fit(frame)
    density.save(tmp_path / "a.model")
    loaded = FlowDensity.load(tmp_path / "a.model")
    expected = density.score_samples(frame)
    for rows in (frame, frame[["b", "a"]], frame.to_numpy(), frame[["a", "b"]].to_numpy()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_array_equal(loaded.score_samples(rows), expected)
    with pytest.raises(ValueError, match="has no column 'b'"):
        loaded.score_samples(frame[["a"]])
    frame.loc[3, "a"] = np.nan
    with pytest.raises(ValueError, match="contains NaN: row 3"):
        loaded.score_samples(frame)
    assert np.isfinite(FlowDensity.load(tmp_path / "a.model", missing="model").score_samples(frame)).all()


def test_a_frame_is_scored_by_a_density_of_an_array():
    X = moons(300, 0)
    density = FlowDensity(model="gaussian").fit(X)
    for frame in (pd.DataFrame(X, columns=["a", "b"]), {"a": X[:, 0], "b": X[:, 1]}):
        with pytest.warns(UserWarning, match="fitted without feature names"):
            np.testing.assert_array_equal(density.score_samples(frame), density.score_samples(X))
    # Names that are numbers are none.
    np.testing.assert_array_equal(density.score_samples(pd.DataFrame(X)), density.score_samples(X))
    own = FlowDensity(model="gaussian").fit(pd.DataFrame(X))
    np.testing.assert_array_equal(own.score_samples(X), density.score_samples(X))


def test_an_odd_value_is_explained(fitted):
    density, X = fitted
    row = X.mean(axis=0)
    row[1] = 40.0
    explanation = density.explain([row, X[0]])[0]
    assert explanation.reasons[0].column == "x1"
    assert explanation.reasons[0].expected.upper < 40.0
    assert str(explanation).startswith("x1 = 40, expected ")
    usual = density.explain([np.median(X, axis=0)])[0]
    assert str(usual) == "each value is one of the usual 90 %" and usual.reasons


def test_samples_given_a_value_are_those_of_a_regression():
    X = np.random.default_rng(0).normal(size=(4000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.4]])
    density = FlowDensity(model="gaussian").fit(X)
    drawn = density.sample(4000, random_state=0, given={"x0": [1.5]})
    assert np.allclose(drawn[:, 0], 1.5)
    slope, intercept = np.polyfit(X[:, 0], X[:, 1], 1)
    assert abs(drawn[:, 1].mean() - (slope * 1.5 + intercept)) < 0.05
    median = density.quantiles([0.5], given={"x0": [1.5, -1.5]}, random_state=0)
    np.testing.assert_allclose(median[:, 0, 0], slope * np.array([1.5, -1.5]) + intercept, atol=0.05)
    with pytest.raises(ValueError, match="'x9', which is none"):
        density.sample(3, given={"x9": [1.0]})


def test_progress_is_told():
    told = []
    FlowDensity(model="autoregressive", time=2, progress=told.append).fit(moons(400, 0))
    epochs = [state["epoch"] for state in told if "epoch" in state]
    assert epochs and max(epochs) > 0


def test_what_a_callback_raises_is_raised():
    def broken(state):
        raise KeyError(state["candidate"])

    with pytest.raises(KeyError):
        FlowDensity(model="autoregressive", time=20, progress=broken).fit(moons(400, 0))


def test_an_interrupt_keeps_the_best_so_far():
    def interrupt(state):
        if state.get("epoch") == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.warns(FitInterruptedWarning, match="best that was found"):
        density = FlowDensity(model="autoregressive", time=60, progress=interrupt).fit(moons(400, 0))
    assert density.score(moons(400, 1)) > -3.0


def test_other_threads_run_while_a_fit_does():
    counted, ended = 0, threading.Event()

    def fit():
        FlowDensity(model="autoregressive", time=3).fit(moons(1000, 0))
        ended.set()

    thread = threading.Thread(target=fit)
    thread.start()
    while not ended.wait(0.01):
        counted += 1
    thread.join()
    assert counted > 10


def test_a_report_is_a_page_that_loads_nothing(fitted, tmp_path):
    density, X = fitted
    page = density.report(X[:200], rows=100, audit=False)
    page.save(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert text.startswith("<!doctype html>") or text.startswith("<!DOCTYPE html>")
    assert "<script" not in text and "http" not in text.replace("http://www.w3.org", "")
    assert page._repr_html_().startswith("<iframe")
