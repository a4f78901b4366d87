"""Model files and numbers are those of the command, bit for bit."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import moons

from pushforward import ConditionalFlowDensity, FlowDensity

COMMAND = os.environ.get("PUSHFORWARD_COMMAND", str(Path(__file__).parents[2] / "target/release/pushforward"))

COLOUR = {"colour": "category"}

pytestmark = pytest.mark.skipif(not Path(COMMAND).exists(), reason="the command has not been built")


def run(*arguments):
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "moons.csv"
    frame = pd.DataFrame(moons(500, 0), columns=["a", "b"])
    frame["colour"] = np.random.default_rng(0).choice(["x", "y"], 500)
    frame.to_csv(path, index=False, float_format="%.17g")
    return frame, path


def test_a_model_of_the_command_scores_the_same(table, tmp_path):
    frame, path = table
    model = tmp_path / "of_the_command.model"
    run("fit", path, "-o", model, "--time", "3s", "--kind", "colour=category")
    run("score", model, path, "-o", tmp_path / "scores.csv")
    scores = pd.read_csv(tmp_path / "scores.csv")
    density = FlowDensity.load(model)
    np.testing.assert_array_equal(density.score_samples(frame), scores["log_p"])


def test_rows_with_missing_values_too(table, tmp_path):
    frame, path = table
    density = FlowDensity(time=3, missing="drop", kinds=COLOUR).fit(frame)
    density.save(tmp_path / "a.model")
    holes = frame[:40].copy()
    holes.loc[::3, "b"] = np.nan
    holes.loc[1::5, "colour"] = None
    holes.to_csv(tmp_path / "holes.csv", index=False, float_format="%.17g")
    run("score", tmp_path / "a.model", tmp_path / "holes.csv", "-o", tmp_path / "scores.csv")
    scores = pd.read_csv(tmp_path / "scores.csv")
    np.testing.assert_array_equal(density.score_samples(holes), scores["log_p"])


def test_the_same_fit_is_the_same_model(table, tmp_path):
    _, path = table
    frame = pd.read_csv(path)[["a", "b"]]
    model = tmp_path / "b.model"
    run("fit", path, "-o", model, "--columns", "a,b", "--model", "mixture", "--test", "0", "--seed", "5")
    density = FlowDensity(model="mixture", random_state=5).fit(frame)
    np.testing.assert_array_equal(density.score_samples(frame), FlowDensity.load(model).score_samples(frame))


def test_samples_are_those_of_the_command(table, tmp_path):
    frame, _ = table
    density = FlowDensity(time=2, kinds=COLOUR).fit(frame)
    density.save(tmp_path / "c.model")
    run("sample", tmp_path / "c.model", "-n", "20000", "--seed", "3", "-o", tmp_path / "rows.csv")
    rows = pd.read_csv(tmp_path / "rows.csv")
    drawn = density.sample(20_000, random_state=3)
    np.testing.assert_array_equal(drawn[["a", "b"]].to_numpy(), rows[["a", "b"]].to_numpy())
    assert drawn["colour"].tolist() == rows["colour"].tolist()


def test_conditional_models_too(table, tmp_path):
    frame, path = table
    model = tmp_path / "d.model"
    run("fit", path, "-o", model, "--given", "a,colour", "--time", "3s")
    run("score", model, path, "-o", tmp_path / "scores.csv")
    scores = pd.read_csv(tmp_path / "scores.csv")
    density = ConditionalFlowDensity.load(model)
    own = density.score_samples(frame[["b"]], given=frame[["a", "colour"]])
    np.testing.assert_array_equal(own, scores["log_p"])
    assert density.describe() == run("describe", model)
