"""Times a training step and ln p of exported JAX modules, and of flowjax's flows of the same architecture: a table.

    cargo bench --bench jax_modules -- FOLDER
    PYTHON benches/jax_step.py FOLDER --batch 4096 --rows 10000

FOLDER is what the bench `jax_modules` wrote. Needs jax; for flowjax's rows `flowjax` with `optax` and `equinox`, without
which these are left out. A step is the loss, its gradients and Adam under `jit`; times are medians over `--seconds`, each
run waited for, with the first call (compilation) beside them. `--check` compares a module instead, in doubles, with what
the library computed: ln p, the loss, and the losses of five steps, to 1e-10; and to a hundredth the loss after fifty steps, over
which the roundings of a spline's steps grow. It exits with 1 where they differ.
`--peer` says whose rows are wanted. With `--json` each row is one line, as those of the bench `case`.
"""

import argparse
import importlib
import json
import os
import pathlib
import statistics
import sys
import time
import traceback

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("folder", type=pathlib.Path)
p.add_argument("--model", nargs="+", default=["realnvp", "maf", "rqs"])
p.add_argument("--peer", nargs="+", choices=["module", "flowjax"], default=["module", "flowjax"])
p.add_argument("--batch", type=int, nargs="+", default=[4096], help="rows of a training step")
p.add_argument("--rows", type=int, nargs="+", default=[10000], help="rows of ln p; 0 for none")
p.add_argument("--seconds", type=float, default=4.0, help="timed seconds a case")
p.add_argument("--threads", type=int, help="on a CPU; all of them by default")
p.add_argument("--until", type=float, help="begin no case after this many seconds")
p.add_argument("--check", action="store_true")
p.add_argument("--json", action="store_true")
a = p.parse_args()
BEGIN = time.perf_counter()

if a.threads:
    eigen = "true" if a.threads > 1 else "false"
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={a.threads}"
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[: a.threads]))

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", a.check)
sys.path.insert(0, str(a.folder))


def stored(model):
    return json.loads((a.folder / f"{model}.json").read_text())


def timed(run):
    """The first call, the median and the least tenth of the others, in seconds."""
    start = time.perf_counter()
    jax.block_until_ready(run())
    first = time.perf_counter() - start
    jax.block_until_ready(run())
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < a.seconds or len(times) < 5:
        start = time.perf_counter()
        jax.block_until_ready(run())
        times.append(time.perf_counter() - start)
        if sum(times) > 5 * a.seconds + 20:
            break
    times.sort()
    return first, statistics.median(times), times[len(times) // 10]


def rows(count, d):
    return jax.random.normal(jax.random.key(1), (count, d), jnp.float32)


def of_module(case):
    """The training step and ln p of an exported module: functions of rows, ready to be timed, and the parameters."""
    module = importlib.import_module(f"{case['model']}_flow")
    params = module.load_params()
    step = jax.jit(module.train_step)
    log_prob = jax.jit(jax.vmap(module.log_prob, (None, 0)))
    state = [params, module.adam_start(params)]
    settings = {"learning_rate": 1e-4}

    def train(x):
        state[0], state[1], loss = step(*state, x, settings)
        return loss

    return train, lambda x: log_prob(params, x), params


def of_flowjax(case):
    """The same of a flow of flowjax with as many layers and units, trained by optax's Adam."""
    import equinox as eqx
    import flowjax.bijections as bijections
    import optax
    import paramax
    from flowjax.distributions import Normal
    from flowjax.flows import coupling_flow, masked_autoregressive_flow
    from flowjax.train.losses import MaximumLikelihoodLoss

    settings = {
        "flow_layers": case["layers"], "nn_width": case["hidden"], "nn_depth": 2, "nn_activation": jax.nn.tanh,
        "base_dist": Normal(jnp.zeros(case["d"])),
    }
    build = masked_autoregressive_flow if case["model"] == "maf" else coupling_flow
    if case["model"] == "rqs":
        # Seven knots within the interval: eight bins.
        settings["transformer"] = bijections.RationalQuadraticSpline(knots=7, interval=5.0)
    flow = build(jax.random.key(0), **settings)
    fixed = lambda leaf: isinstance(leaf, paramax.NonTrainable)
    params, static = eqx.partition(flow, eqx.is_inexact_array, is_leaf=fixed)
    adam, loss = optax.adam(1e-4), MaximumLikelihoodLoss()
    state = [params, adam.init(params)]

    @eqx.filter_jit
    def step(params, state, x):
        value, gradient = eqx.filter_value_and_grad(loss)(params, static, x)
        change, state = adam.update(gradient, state, params)
        return eqx.apply_updates(params, change), state, value

    log_prob = eqx.filter_jit(lambda flow, x: flow.log_prob(x))

    def train(x):
        state[0], state[1], value = step(*state, x)
        return value

    return train, lambda x: log_prob(flow, x), params


def table():
    """Times every case; one that fails is told, and the next one begun."""
    device = jax.devices()[0]
    print(f"jax {jax.__version__}, {device.device_kind} ({device.platform}), f32; ms")
    if not a.json:
        print("| model | of | parameters | what | rows | first call | median | least tenth |\n|---|---|---|---|---|---|---|---|")
    for model in a.model:
        case = stored(model)
        for peer in a.peer:
            for what, count in [("train", n) for n in a.batch] + [("log_prob", n) for n in a.rows if n > 0]:
                if a.until and time.perf_counter() - BEGIN > a.until:
                    print(f"{model}, {peer}, {what}, {count} rows: left out, no time is left", flush=True)
                    continue
                try:
                    train, log_prob, params = (of_module if peer == "module" else of_flowjax)(case)
                    x, run = rows(count, case["d"]), train if what == "train" else log_prob
                    first, median, least = timed(lambda: run(x))
                    if not np.all(np.isfinite(run(x))):
                        raise ValueError("a result is not finite")
                    size = sum(leaf.size for leaf in jax.tree.leaves(params))
                    tell(peer, case, what, count, size, first, median, least)
                except ImportError as error:
                    print(f"{model}, {peer}: left out ({error})", flush=True)
                except Exception:
                    print(f"{model}, {peer}, {what}, {count} rows: failed", flush=True)
                    traceback.print_exc(file=sys.stdout, limit=-3)
                jax.clear_caches()


def tell(peer, case, what, count, size, first, median, least):
    if a.json:
        row = {"peer": f"jax {peer}", "model": case["model"], "case": what, "batch": count, "params": size}
        row |= {key: case[key] for key in ("d", "hidden", "layers")}
        row |= {"dtype": "f32", "threads": a.threads, "first_s": first, "median_s": median, "p10_s": least}
        print(json.dumps(row | {"samples_per_s": count / median}), flush=True)
    else:
        shown = " | ".join(f"{1e3 * seconds:.4g}" for seconds in (first, median, least))
        print(f"| {case['model']} | {peer} | {size} | {what} | {count} | {shown} |", flush=True)


def apart(found, expected):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return float((np.abs(found - expected) / np.maximum(1.0, np.abs(expected))).max())


def check():
    """Whether modules give the library's numbers in doubles here."""
    device, good = jax.devices()[0], True
    print(f"jax {jax.__version__}, {device.device_kind} ({device.platform}), f64: differences relative to 1 + |value|")
    for model in a.model:
        try:
            case = stored(model)
            module = importlib.import_module(f"{model}_flow")
            params, d = module.load_params(), case["d"]
            x = jnp.asarray(np.array(case["x"]).reshape(-1, d))
            log_prob = jax.jit(jax.vmap(module.log_prob, (None, 0)))(params, x)
            loss = jax.jit(module.loss)(params, x)
            found = [apart(log_prob, case["log_prob"]), apart(loss, case["loss"])]
            state, step, losses = module.adam_start(params), jax.jit(module.train_step), []
            for batch in case["batches"]:
                rows = jnp.asarray(np.array(batch).reshape(-1, d))
                params, state, loss = step(params, state, rows, {"learning_rate": case["learning_rate"]})
                losses.append(float(loss))
            found.append(apart(losses[:5], case["losses"][:5]))
            last = apart(losses[-1], case["losses"][-1])
            same = all(difference <= 1e-10 for difference in found) and last <= 0.01 and losses[-1] < losses[0]
            good = good and same
            shown = "ln p {:.1e}, loss {:.1e}, of five steps {:.1e}, of step {} {:.1e}".format(*found, len(losses), last)
            told = "as the library" if same else "NOT AS THE LIBRARY"
            print(f"{model}: {shown} ({losses[0]:.4f} to {losses[-1]:.4f}): {told}", flush=True)
        except Exception:
            good = False
            print(f"{model}: failed", flush=True)
            traceback.print_exc(file=sys.stdout, limit=-3)
    return good


if a.check:
    raise SystemExit(0 if check() else 1)
table()
