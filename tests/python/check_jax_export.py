"""Whether JAX computes what the library does, from the modules in target/jax: ln p, its gradients, round trips, samples,
and fifty steps of training on eight devices.

    target/venv/bin/python tests/python/check_jax_export.py [NAME …]
"""

import importlib
import json
import os
import pathlib
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

jax.config.update("jax_enable_x64", True)

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "target" / "jax"
# ln p and gradients agree to this, relative to 1 or to their size.
CLOSE = 1e-12
GRADIENTS = 1e-11
# What an inverse that is solved by iteration gives back of x.
ROUND_TRIP = 1e-9


def apart(found, expected):
    """The largest difference, relative to 1 or to the size."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    if found.shape != expected.shape or not np.array_equal(np.isfinite(found), np.isfinite(expected)):
        return np.inf
    finite = np.isfinite(expected)
    difference = np.abs(found - expected)[finite] / np.maximum(1.0, np.abs(expected[finite]))
    return difference.max(initial=0.0)


def check(name):
    """The differences of a module from the library."""
    case = json.loads((FOLDER / f"{name}.json").read_text())
    module = importlib.import_module(name)
    params = module.load_params()
    x = np.array(case["x"]).reshape(-1, case["d"])
    given = (np.array(case["contexts"]).reshape(-1, case["context"]),) if case["context"] else ()
    rows = (None, 0) + (0,) * len(given)
    if case.get("model"):
        # Rows and contexts in the units of a table, whose layers are not those of a flow alone.
        log_prob = jax.jit(jax.vmap(module.log_prob, rows))(params, x, *given)
        gradient = jax.jit(jax.grad(module.loss))(params, x, *given)
        if not all(np.all(np.isfinite(part)) for part in gradient.values()):
            raise SystemExit(f"{name}: a gradient is not finite")
        check_samples(name, module, params, x, given)
        check_impossible(name, module, params, x, given)
        return apart(log_prob, case["log_prob"]), 0.0, 0.0

    @jax.jit
    def all_of_it(params, x, *given):
        log_prob = jax.vmap(module.log_prob, rows)(params, x, *given)
        gradient = jax.grad(module.loss)(params, x, *given)

        def back(params, x, *given):
            z = x
            for k in reversed(range(len([f for f in dir(module) if f.endswith("_inverse")]))):
                z = getattr(module, f"layer_{k}_inverse")(params, z, *given)[0]
            return module.forward(params, z, *given)

        return log_prob, gradient, jax.vmap(back, rows)(params, x, *given)

    log_prob, gradient, again = all_of_it(params, x, *given)
    worst = max((apart(np.ravel(gradient[n]), v) for n, v in case["gradients"].items()), default=0.0)
    check_samples(name, module, params, x, given)
    return apart(log_prob, case["log_prob"]), worst, apart(again, x)


def check_samples(name, module, params, x, given):
    drawn = module.sample(params, jax.random.key(1), len(x), *(c[0] for c in given))
    if drawn.shape != x.shape or not np.all(np.isfinite(drawn)):
        raise SystemExit(f"{name}: samples are not finite")


def check_impossible(name, module, params, x, given):
    """A given value that no row can have makes NaN: a level that is none, a logarithm of 0."""
    for k, column in enumerate(getattr(module, "GIVEN", [])):
        impossible = 0.5 if column in getattr(module, "LEVELS", {}) else -1.0 if column == "h" else np.nan
        context = given[0][0].copy()
        context[k] = impossible
        if not np.isnan(module.log_prob(params, x[0], context)):
            raise SystemExit(f"{name}: ln p given {column} = {impossible} is a number")


def check_training():
    """Fifty steps on batches that are sharded over eight devices."""
    case = json.loads((FOLDER / "training.json").read_text())
    module = importlib.import_module("training")
    devices = jax.devices()
    if len(devices) != 8:
        raise SystemExit(f"{len(devices)} devices, not 8")
    mesh = Mesh(devices, ("rows",))
    sharded, everywhere = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("rows",), ()))
    params = jax.device_put(module.load_params(), everywhere)
    state = jax.device_put(module.adam_start(params), everywhere)
    settings = {"learning_rate": 1e-2, "weight_decay": 0.01, "clip": 5.0}
    step = jax.jit(module.train_step)
    losses = []
    for batch in np.array(case["rows"]).reshape(50, 256, 2):
        params, state, loss = step(params, state, jax.device_put(batch, sharded), settings)
        losses.append(float(loss))
    trained = max(apart(np.ravel(params[name]), value) for name, value in case["trained"].items())
    return apart(losses, case["losses"]), trained


def timed(name):
    """Checks a case; also returns the seconds that it took."""
    start = time.perf_counter()
    return np.array(check(name)), time.perf_counter() - start


def main():
    sys.path.insert(0, str(FOLDER))
    listed = json.loads((FOLDER / "cases.json").read_text())
    names = [name for name in listed["cases"] if len(sys.argv) == 1 or name in sys.argv[1:]]
    if not names and len(sys.argv) > 1:
        return
    if not names:
        raise SystemExit("no case was found")
    failed, largest = [], np.zeros(3)
    # Most of the time is XLA's for one module after another, on one thread.
    pool = ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), sys.path.insert, (0, str(FOLDER)))
    for name, (found, seconds) in zip(names, pool.map(timed, names)):
        largest = np.maximum(largest, found)
        good = found[0] <= CLOSE and found[1] <= GRADIENTS and found[2] <= ROUND_TRIP
        if not good:
            failed.append(name)
        if not good or len(sys.argv) > 1:
            shown = "ln p {:.1e}, gradients {:.1e}, round trip {:.1e}".format(*found)
            print(f"{name}: {shown} ({seconds:.1f} s)", flush=True)
    pool.shutdown()
    losses, trained = check_training()
    if not (losses <= 1e-9 and trained <= 1e-9):
        failed.append("training")
    shown = "ln p {:.1e}, gradients {:.1e}, round trips {:.1e}".format(*largest)
    print(f"{len(names)} JAX modules, {len(listed['refused'])} refused; largest differences: {shown}")
    print(f"50 steps on 8 devices: losses {losses:.1e}, parameters {trained:.1e}")
    if failed:
        raise SystemExit("these differ: " + ", ".join(failed))


if __name__ == "__main__":
    main()
