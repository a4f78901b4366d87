"""Partitioned data on engines that people have: each example, in local mode, gives the numbers of one process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import moons

from pushforward import FlowDensity

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A model file, eight Parquet files of rows, and the density of each row by its identifier."""
    folder = tmp_path_factory.mktemp("partitions")
    frame = pd.DataFrame(moons(4000, 0), columns=["a", "b"])
    density = FlowDensity(model="mixture").fit(frame)
    density.save(folder / "moons.model")
    rows = frame.assign(row=np.arange(len(frame)))
    (folder / "rows.parquet").mkdir()
    for part in range(8):
        rows[part * 500 : (part + 1) * 500].to_parquet(folder / "rows.parquet" / f"part-{part}.parquet")
    return folder, density.score_samples(frame)


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_partitions_are_scored_as_by_one_process(scored, engine):
    pytest.importorskip(engine)
    folder, expected = scored
    target = folder / f"{engine}.parquet"
    script = EXAMPLES / f"{engine}_scores.py"
    command = [sys.executable, script, folder / "moons.model", folder / "rows.parquet", target]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    scores = pd.read_parquet(target).sort_values("row")
    np.testing.assert_array_equal(scores["log_prob"], expected)
