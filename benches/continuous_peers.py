"""Times a training step of a continuous flow in other libraries on the CPU: one JSON line.

peers: `torchdiffeq` (odeint of PyTorch with the exact trace, backpropagation through the steps), `zuko` (its CNF, adaptive
steps of its own), `diffrax` (RK4 of JAX, backpropagation through the steps). The field is a network of (z, t) with
two hidden layers of tanh units; fixed steps are eight of Runge and Kutta's method from 0 to 1.
"""
import argparse
import json
import time

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--peer", choices=["torchdiffeq", "zuko", "diffrax"], required=True)
p.add_argument("--d", type=int, default=2)
p.add_argument("--hidden", type=int, default=64)
p.add_argument("--batch", type=int, default=1024)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--steps", type=int, default=8)
p.add_argument("--seconds", type=float, default=4.0)
a = p.parse_args()


def timed(run):
    start = time.perf_counter()
    run()
    first = time.perf_counter() - start
    run()
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < a.seconds or len(times) < 5:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    times.sort()
    print(json.dumps({"peer": a.peer, "d": a.d, "hidden": a.hidden, "batch": a.batch, "steps": a.steps,
                      "threads": a.threads, "median_s": times[len(times) // 2], "p10_s": times[len(times) // 10],
                      "runs": len(times), "first_s": first}))


def torch_network():
    import torch
    from torch import nn

    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    h, d = a.hidden, a.d
    return nn.Sequential(nn.Linear(d + 1, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, d))


def torchdiffeq():
    import torch
    from torchdiffeq import odeint

    net, d = torch_network(), a.d

    def field(t, state):
        z = state[0]
        with torch.enable_grad():
            z = z.requires_grad_(True) if not z.requires_grad else z
            v = net(torch.cat([z, t.expand(z.shape[0], 1)], 1))
            trace = sum(torch.autograd.grad(v[:, i].sum(), z, create_graph=True)[0][:, i] for i in range(d))
        return v, trace

    x = torch.randn(a.batch, d)
    opt = torch.optim.Adam(net.parameters(), 1e-4)
    times = torch.tensor([1.0, 0.0])

    def run():
        opt.zero_grad()
        z, back = odeint(field, (x.clone().requires_grad_(True), torch.zeros(a.batch)), times, method="rk4",
                         options={"step_size": 1.0 / a.steps})
        log_p = -0.5 * (z[-1] ** 2).sum(1) + back[-1]
        (-log_p.mean()).backward()
        opt.step()

    timed(run)


def zuko():
    import torch
    import zuko as z

    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    flow = z.flows.CNF(a.d, hidden_features=(a.hidden, a.hidden), exact=True)
    x = torch.randn(a.batch, a.d)
    opt = torch.optim.Adam(flow.parameters(), 1e-4)

    def run():
        opt.zero_grad()
        (-flow().log_prob(x).mean()).backward()
        opt.step()

    timed(run)


def diffrax():
    import os

    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if a.threads > 1 else 'false'} intra_op_parallelism_threads={a.threads}"
    import diffrax as dx
    import numpy as np
    import jax
    import jax.numpy as jnp
    import optax

    h, d = a.hidden, a.d
    keys = jax.random.split(jax.random.PRNGKey(0), 3)
    widths = [(d + 1, h), (h, h), (h, d)]
    net = [(jax.random.normal(k, w) / w[0] ** 0.5, jnp.zeros(w[1])) for k, w in zip(keys, widths)]

    def v(net, t, z):
        y = jnp.append(z, t)
        for w, b in net[:-1]:
            y = jnp.tanh(y @ w + b)
        w, b = net[-1]
        return y @ w + b

    def field(t, state, net):
        z, _ = state
        f = lambda z: v(net, t, z)
        value, push = jax.linearize(f, z)
        columns = jax.vmap(push)(jnp.eye(d))
        return value, jnp.trace(columns)

    def log_p(net, x):
        found = dx.diffeqsolve(dx.ODETerm(field), RK4(), 1.0, 0.0, -1.0 / a.steps, (x, 0.0), net,
                               stepsize_controller=dx.ConstantStepSize(), adjoint=dx.RecursiveCheckpointAdjoint(checkpoints=a.steps))
        z, back = found.ys
        return -0.5 * (z[0] ** 2).sum() + back[0]

    class RK4(dx.AbstractERK):
        tableau = dx.ButcherTableau(
            c=np.array([0.5, 0.5, 1.0]), a_lower=tuple(map(np.array, ([0.5], [0.0, 0.5], [0.0, 0.0, 1.0]))),
            b_sol=np.array([1 / 6, 1 / 3, 1 / 3, 1 / 6]), b_error=np.zeros(4))
        interpolation_cls = dx.ThirdOrderHermitePolynomialInterpolation.from_k

        def order(self, terms):
            return 4

    x = jax.random.normal(jax.random.PRNGKey(1), (a.batch, d))
    opt = optax.adam(1e-4)
    state = opt.init(net)

    @jax.jit
    def step(net, state):
        loss = lambda net: -jax.vmap(lambda x: log_p(net, x))(x).mean()
        value, slopes = jax.value_and_grad(loss)(net)
        change, state = opt.update(slopes, state)
        return optax.apply_updates(net, change), state, value

    held = {"net": net, "state": state}

    def run():
        held["net"], held["state"], value = step(held["net"], held["state"])
        value.block_until_ready()

    timed(run)


{"torchdiffeq": torchdiffeq, "zuko": zuko, "diffrax": diffrax}[a.peer]()
