"""Training by JAX on several devices."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import moons

from pushforward import ConditionalFlowDensity, FlowDensity, JaxOptions

pytest.importorskip("jax")

CODE = """
import sys
import numpy as np
from pushforward import FlowDensity, JaxOptions

data = np.load(sys.argv[1])
density = FlowDensity(model="coupling", time=0.05, random_state=3, progress=False)
options = JaxOptions(epochs=12, batch=256, learning_rate=1e-3)
density.fit(data["train"], engine="jax", jax_options=options)
record = density.jax_record_
print(record.devices, record.held_out[0], max(record.held_out), density.score(data["test"]))
density.save(sys.argv[2])
"""


def trained(tmp_path, rows, test):
    """Trains in a process with eight devices; returns what it says."""
    np.savez(tmp_path / "rows.npz", train=rows, test=test)
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    command = [sys.executable, "-c", CODE, tmp_path / "rows.npz", tmp_path / "a.model"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    devices, first, best, score = done.stdout.split()
    return int(devices), float(first), float(best), float(score)


def test_a_fit_is_trained_further_on_eight_devices(tmp_path):
    rows, test = moons(3000, 0), moons(2000, 1)
    devices, first, best, score = trained(tmp_path, rows, test)
    assert devices == 8 and best > first + 0.01
    native = FlowDensity(model="coupling", time=0.05, random_state=3).fit(rows)
    assert score > native.score(test)
    # Here the file of the other process has the density that it said.
    assert abs(FlowDensity.load(tmp_path / "a.model").score(test) - score) < 1e-9


def test_a_conditional_density_of_rounded_values_is_trained_further():
    random = np.random.default_rng(0)
    C = random.uniform(-2, 2, size=(2000, 1))
    kind = random.choice(["low", "high"], 2000)
    X = np.round(np.sin(C) + 3.0 * (kind == "high")[:, None] + 0.2 * random.normal(size=C.shape), 1)
    given = {"c": C[:, 0], "kind": kind.tolist()}
    density = ConditionalFlowDensity(model="coupling", time=0.05, kinds={"kind": "category", "x": "rounded:0.1"}, progress=False)
    options = JaxOptions(epochs=10, batch=256, learning_rate=2e-3)
    density.fit({"x": X[:, 0]}, given=given, engine="jax", jax_options=options)
    record = density.jax_record_
    assert max(record.held_out) > record.held_out[0] + 0.05
    # The cells are spread: at the values themselves density would gather without bound. The noise has the entropy -0.19.
    assert abs(density.score({"x": X[:, 0]}, given=given) - max(record.held_out)) < 0.2
    assert max(record.held_out) < 0.3


def test_what_jax_does_not_take_is_said():
    with pytest.raises(ValueError, match="engine='tpu'"):
        FlowDensity().fit(moons(300, 0), engine="tpu")
    with pytest.raises(ValueError, match="no sample_weight"):
        FlowDensity(model="gaussian").fit(moons(300, 0), sample_weight=np.ones(300), engine="jax")
    with pytest.raises(ValueError, match="epochs=0"):
        JaxOptions(epochs=0)
