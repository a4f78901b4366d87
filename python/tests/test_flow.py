"""Flows: densities of closed forms, fits, samples, parameters, files, exports, interruptions."""

import math
import os
import pickle
import signal
import sys
import threading
import time
import warnings

import jax
import numpy as np
import onnxruntime
import pytest

import pushforward as pf

LOG_2PI = math.log(2 * math.pi)


@pf.bijection(dim=2)
def banana(z):
    """x₂ = z₂ + a·z₁²"""
    a = pf.parameter("a", (), 0.1)
    return pf.stack([z[0], z[1] + a * z[0] ** 2])


def bananas(n, seed=0):
    z = np.random.default_rng(seed).normal(size=(n, 2))
    return np.stack([z[:, 0], 0.5 * z[:, 1] + 1.5 * z[:, 0] ** 2], axis=1)


def flow_of(layers=(), seed=0):
    return pf.Flow(pf.bases.standard_normal(2), [pf.layers.affine([1.0, 1.0], [0.0, 0.0]), banana, *layers], seed=seed)


def test_a_density_is_that_of_the_closed_form():
    flow = pf.Flow(None, [pf.layers.affine([2.0, 0.5], [1.0, -1.0]), banana])
    x = np.random.default_rng(1).normal(size=(40, 2))
    y = x[:, 1] - 0.1 * x[:, 0] ** 2
    z = np.stack([(x[:, 0] - 1) / 2, (y + 1) / 0.5], axis=1)
    want = -0.5 * (z**2).sum(1) - LOG_2PI
    assert np.allclose(flow.log_prob(x), want, atol=1e-13)
    assert flow.log_prob(x[3]) == pytest.approx(want[3])
    assert np.allclose(flow.inverse(x), z, atol=1e-13) and np.allclose(flow.forward(z), x, atol=1e-13)
    assert flow.log_det(z[0]) == pytest.approx(0.0, abs=1e-15)
    assert flow.log_prob(np.empty((0, 2))).shape == (0,)
    assert flow.log_prob([math.inf, 0.0]) == -math.inf
    with pytest.raises(ValueError, match="row 0, column 1 is NaN"):
        flow.log_prob([[0.0, math.nan]])
    with pytest.raises(ValueError, match="rows of 2 numbers"):
        flow.log_prob(np.ones((2, 3)))


def test_a_fit_finds_the_parameters_of_the_data():
    x = bananas(4000)
    told = []
    flow = flow_of().fit(x, epochs=120, learning_rate=0.03, patience=120, progress=told.append)
    parameters = flow.parameters
    assert abs(parameters["layers.1.a"] - 1.5) < 0.05
    assert np.allclose(abs(parameters["layers.0.scale"]), [1.0, 0.5], atol=0.05)
    exact = -0.5 * x[:, 0] ** 2 - 0.5 * ((x[:, 1] - 1.5 * x[:, 0] ** 2) / 0.5) ** 2 - LOG_2PI - math.log(0.5)
    assert abs((flow.log_prob(x) - exact).mean()) < 0.01
    assert len(told) == len(flow.history) and isinstance(told[0], pf.Progress) and told[-1].epochs == 120
    assert flow.history[flow.best_epoch].held_out == max(epoch.held_out for epoch in flow.history)
    assert flow.stop == "all epochs were used"


def test_fits_are_the_same_for_a_seed_and_go_on_from_where_they_are():
    x = bananas(300)
    first, again = (flow_of().fit(x, epochs=3, seed=5).parameters for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    other = flow_of().fit(x, epochs=3, seed=6).parameters
    assert not np.array_equal(first["layers.1.a"], other["layers.1.a"])
    flow = flow_of().fit(x, epochs=60, learning_rate=0.05)
    start, best = flow.history[0].held_out, flow.history[flow.best_epoch].held_out
    assert best > start + 0.3
    # The same rows are held out.
    flow.fit(x, epochs=1, warm_start=True)
    assert flow.history[0].held_out == best
    flow.fit(x, epochs=1)
    assert flow.history[0].held_out == start


def test_options_of_a_fit():
    x = bananas(500)
    flow = flow_of().fit(x, epochs=4, validation=bananas(100, seed=1), batch=64, schedule="constant")
    flow.fit(x, epochs=4, sample_weight=np.arange(500.0), noise=[0.01, 0.0], averaging=0.9, weight_decay=0.01, warm_up=2)
    flow.fit(x, epochs=2, single_precision=True, schedule="exponential", last=0.5, validation=0.3, clip=1.0)
    flow.fit(np.asfortranarray(x), epochs=1)
    flow.fit(x.astype(np.float32), epochs=1)
    for options, message in [
        (dict(epochs=0), "epochs"),
        (dict(learning_rate=-1.0), "learning_rate|rate"),
        (dict(schedule="cosin"), "there is no schedule `cosin`"),
        (dict(validation=1.5), "held_out"),
        (dict(validation=np.ones((3, 3))), "validation has 3 columns"),
        (dict(sample_weight=[1.0]), "weights"),
        (dict(noise=[1.0]), "noise"),
        (dict(context=np.ones((500, 1))), "context"),
    ]:
        with pytest.raises(ValueError, match=message):
            flow.fit(x, **options)
    with pytest.raises(ValueError, match="3 columns, but the flow has 2"):
        flow.fit(np.ones((20, 3)))
    with pytest.raises(ValueError, match="NaN"):
        flow.fit(np.where(np.arange(1000).reshape(500, 2) == 7, np.nan, x))
    with pytest.raises(ValueError):
        flow.fit(x[:3])
    with pytest.raises(TypeError):
        flow.fit(x, epocs=3)


def test_an_error_of_the_callback_is_the_callers():
    def tell(told):
        if told.epoch == 2:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        flow_of().fit(bananas(200), epochs=50, progress=tell)


def test_a_fit_that_went_wrong_warns():
    x = bananas(500)
    with pytest.warns(pf.FitDivergedWarning, match="(not finite|likelier).*are kept. Try a lower learning rate") as told:
        flow = flow_of().fit(x, epochs=20, learning_rate=1e3)
    assert told[0].filename == __file__
    assert np.isfinite(flow.log_prob(x)).all() and flow.log_prob(x).mean() >= flow_of().log_prob(x).mean() - 1e-9
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flow.fit(x, epochs=20, learning_rate=1e-2)


def test_ctrl_c_keeps_the_best_so_far():
    x = bananas(3000)
    flow = flow_of([pf.layers.spline_coupling(2)])

    def interrupt(told):
        if told.epoch == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.warns(pf.FitInterruptedWarning, match="after epoch 3"):
        flow.fit(x, epochs=100_000, patience=100_000, progress=interrupt)
    assert len(flow.history) == 4 and flow.history[-1].best > flow.history[0].held_out
    # Without a callback, while only the library runs.
    timer = threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.warns(pf.FitInterruptedWarning):
        flow.fit(x, epochs=1_000_000, patience=1_000_000)
    assert np.isfinite(flow.log_prob(x)).all()


def test_other_threads_run_during_a_fit():
    counted, over = [0], threading.Event()

    def count():
        while not over.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    start = time.perf_counter()
    flow_of([pf.layers.spline_coupling(2)]).fit(bananas(4000), epochs=20, patience=100)
    seconds = time.perf_counter() - start
    over.set()
    thread.join()
    assert counted[0] > 50 * seconds


def test_samples():
    flow = pf.Flow(None, [pf.layers.affine([2.0, 0.5], [1.0, -1.0]), banana])
    x = flow.sample(20_000, seed=3)
    y = x[:, 1] - 0.1 * x[:, 0] ** 2
    assert np.allclose([x[:, 0].mean(), x[:, 0].std(), y.mean(), y.std()], [1.0, 2.0, -1.0, 0.5], atol=0.05)
    assert np.array_equal(flow.sample(5, seed=3), x[:5]) and not np.array_equal(flow.sample(5, seed=4), x[:5])
    assert flow.sample(0).shape == (0, 2)


def test_a_conditional_density():
    rng = np.random.default_rng(2)
    c = rng.uniform(-1, 1, size=(2000, 1))
    x = 3 * c + 0.2 * rng.normal(size=(2000, 1))
    shifted = pf.bijection(lambda z: z * pf.exp(pf.parameter("s", (), 0.0)) + pf.parameter("k", (), 0.0) * pf.context(1)[0], dim=1)
    flow = pf.Flow(None, [shifted])
    assert flow.context_width == 1
    flow.fit(x, c, epochs=150, learning_rate=0.05, patience=150)
    assert abs(flow.parameters["layers.0.k"] - 3.0) < 0.05
    assert abs(np.exp(flow.parameters["layers.0.s"]) - 0.2) < 0.03
    want = -0.5 * ((x - 3 * c) / 0.2) ** 2 - LOG_2PI / 2 - math.log(0.2)
    assert abs((flow.log_prob(x, c) - want[:, 0]).mean()) < 0.02
    assert abs(flow.sample(2000, context=[0.5]).mean() - 1.5) < 0.05
    assert np.allclose(flow.inverse(flow.forward([[0.3]], context=[0.1]), context=[0.1]), 0.3)
    flow.fit(x, c, epochs=1, validation=x[:50], validation_context=c[:50])
    for wrong in (lambda: flow.log_prob(x), lambda: flow.fit(x), lambda: flow.log_prob(x, c[:3])):
        with pytest.raises(ValueError, match="context"):
            wrong()


def test_parameters_go_in_and_out():
    flow = flow_of()
    assert set(flow.parameters) == {"layers.0.scale", "layers.0.shift", "layers.1.a"}
    flow.parameters = {"layers.1.a": 0.0, "layers.0.shift": [1.0, 2.0]}
    assert flow.log_prob([1.0, 2.0]) == pytest.approx(-LOG_2PI)
    assert flow.parameters["layers.1.a"] == 0.0
    for wrong, message in [
        ({"layers.1.b": 0.0}, r"no parameter `layers.1.b` \(did you mean `layers.1.a`\?\)"),
        ({"layers.0.scale": [1.0]}, "was given"),
        ({"layers.1.a": math.inf}, "holds inf"),
    ]:
        with pytest.raises(ValueError, match=message):
            flow.parameters = wrong
    started = flow_of([pf.layers.affine_coupling(2)], seed=1).parameters, flow_of([pf.layers.affine_coupling(2)], seed=2).parameters
    assert not np.array_equal(started[0]["layers.2.net.0.weight"], started[1]["layers.2.net.0.weight"])


def test_bases_learn():
    base = pf.bases.gaussian_mixture([1.0, 1.0], [[-1.0, 0.0], [1.0, 0.0]], [np.eye(2)] * 2, learned=True)
    flow = pf.Flow(base, [pf.layers.affine([1.0, 1.0], [0.0, 0.0], learned=False)])
    assert any(name.startswith("base.") for name in flow.parameters)
    x = np.concatenate([np.random.default_rng(k).normal(m, 0.3, size=(500, 2)) for k, m in ((0, -2.0), (1, 2.0))])
    before = flow.log_prob(x).mean()
    flow.fit(x, epochs=60, learning_rate=0.02)
    assert flow.log_prob(x).mean() > before + 1
    assert flow.audit(decide_only=True).has_no_refutation
    again = pickle.loads(pickle.dumps(flow))
    assert np.array_equal(again.log_prob(x), flow.log_prob(x)) and np.array_equal(again.sample(9), flow.sample(9))


def test_files_and_pickles_have_the_same_bits(tmp_path):
    x = bananas(400)
    flow = flow_of([pf.layers.spline_coupling(2, bins=4, hidden=[8])]).fit(x, epochs=3)
    flow.save(tmp_path / "a.flow")
    for again in (pf.Flow.load(tmp_path / "a.flow"), pf.Flow.from_bytes(flow.to_bytes()), pickle.loads(pickle.dumps(flow))):
        assert np.array_equal(again.log_prob(x), flow.log_prob(x))
        assert np.array_equal(again.sample(7, 3), flow.sample(7, 3))
        assert [repr(layer) for layer in again.layers] == [repr(layer) for layer in flow.layers]
        assert repr(again) == repr(flow) and repr(again.base) == repr(flow.base)
        again.fit(x, epochs=1)
    data = flow.to_bytes()
    for broken, message in [(data[:-5], "truncated"), (data[:-1] + bytes([data[-1] ^ 1]), "altered"), (b"", "empty")]:
        with pytest.raises(ValueError, match=message):
            pf.Flow.from_bytes(broken)
    with pytest.raises(FileNotFoundError, match="none.flow"):
        pf.Flow.load(tmp_path / "none.flow")


def test_what_is_no_flow():
    for wrong, kind, message in [
        (lambda: pf.Flow(pf.bases.standard_normal(3), [banana]), ValueError, "the base has 3 variables, but the layers map 2"),
        (lambda: pf.Flow(pf.bases.standard_normal(2), []), ValueError, "at least one layer"),
        (lambda: pf.Flow(pf.bases.uniform(1), [pf.layers.elementwise("ln", 1), pf.layers.elementwise("ln", 1)]), ValueError, "domain"),
        (lambda: pf.Flow(None, [pf.layers.elementwise("ln", 1)]), ValueError, "probability mass would be lost"),
        (lambda: pf.Flow("normal", [banana]), TypeError, "one of pf.bases"),
        (lambda: pf.Flow(None, ["banana"]), TypeError, "layers are bijections, not str"),
        (lambda: pf.Flow(None, []), ValueError, "at least one layer"),
    ]:
        with pytest.raises(kind, match=message):
            wrong()


def test_onnx_computes_the_same(tmp_path):
    x = bananas(200)
    flow = flow_of([pf.layers.affine_coupling(2, hidden=[8])]).fit(x, epochs=3)
    for what in ("log_prob", "inverse", "sample"):
        flow.to_onnx(tmp_path / f"{what}.onnx", what=what, double=True)
    run = lambda what, **inputs: onnxruntime.InferenceSession(str(tmp_path / f"{what}.onnx")).run(None, inputs)[0]
    assert np.allclose(run("log_prob", x=x), flow.log_prob(x), atol=1e-12)
    assert np.allclose(run("inverse", x=x), flow.inverse(x), atol=1e-12)
    assert np.allclose(run("sample", noise=x), flow.forward(x), atol=1e-12)
    assert flow.to_onnx()[:4] == flow.to_onnx(None, "log_prob")[:4]
    with pytest.raises(ValueError, match="there is no graph of `density`"):
        flow.to_onnx(what="density")


def test_jax_computes_the_same_and_trains_further(tmp_path):
    jax.config.update("jax_enable_x64", True)
    x = bananas(200)
    flow = flow_of([pf.layers.affine_coupling(2, hidden=[8])]).fit(x, epochs=3)
    flow.to_jax(tmp_path / "banana_in_jax")
    sys.path.insert(0, str(tmp_path))
    import banana_in_jax as module

    params = module.load_params()
    theirs = np.asarray(jax.vmap(lambda row: module.log_prob(params, row))(x))
    assert np.allclose(theirs, flow.log_prob(x), atol=1e-11)
    # ln|det J| by the derivatives of JAX.
    jacobians = np.asarray(jax.vmap(jax.jacfwd(lambda z: module.forward(params, z)))(x))
    assert np.allclose(flow.log_det(x), np.linalg.slogdet(jacobians)[1], atol=1e-11)
    # What was trained there comes back.
    moved = {name: value + 0.01 for name, value in params.items()}
    module.save_params(moved, tmp_path / "moved.safetensors")
    flow.from_jax(tmp_path / "moved.safetensors")
    theirs = np.asarray(jax.vmap(lambda row: module.log_prob(moved, row))(x))
    assert np.allclose(theirs, flow.log_prob(x), atol=1e-11)
    with pytest.raises(ValueError, match="no safetensors"):
        flow.from_jax(b"nothing")


def test_flows_are_used_by_many_threads():
    x = bananas(500)
    flow = flow_of([pf.layers.spline_coupling(2)])
    want, results = flow.log_prob(x), []
    threads = [threading.Thread(target=lambda: results.append(flow.log_prob(x))) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(results) == 8 and all(np.array_equal(result, want) for result in results)


def test_what_cannot_be_is_said():
    flow = pf.Flow(pf.bases.standard_normal(1), [pf.layers.affine([2.0], [1.0])])
    with pytest.raises(ValueError, match="epochs=-3 must be a whole number"):
        flow.fit(np.zeros((20, 1)), epochs=-3)
    with pytest.raises(ValueError, match="n=-1 must be a whole number"):
        flow.sample(-1)
    # Values that are assigned to a copy would be lost.
    with pytest.raises(TypeError):
        flow.parameters["layers.0.shift"] = np.zeros(1)
    with pytest.raises(FileNotFoundError, match="none.flow"):
        pf.Flow.load("none.flow")


def test_a_mixture_of_flows_is_no_flow(tmp_path):
    X = np.random.default_rng(0).normal(size=(600, 2)) ** 3
    density = pf.FlowDensity(model="auto", time=1.0).fit(X)
    density.save(tmp_path / "mixture.model")
    if sum(candidate["weight"] > 0 for candidate in density.fit_record_["candidates"]) > 1:
        with pytest.raises(ValueError, match="load it with FlowDensity"):
            pf.Flow.load(tmp_path / "mixture.model")
    gaussian = pf.FlowDensity(model="gaussian").fit(X)
    gaussian.save(tmp_path / "gaussian.model")
    flow = pf.Flow.load(tmp_path / "gaussian.model")
    np.testing.assert_allclose(flow.log_prob(X), gaussian.score_samples(X), rtol=1e-12)
