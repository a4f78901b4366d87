"""Whether flowjax has the parameters that the table of names says (src/zuko/names.md), and no others.

    target/venv/bin/python tests/python/check_parameter_names.py

The columns of this library and of zuko are held against the table by `cargo test zuko::`.
"""

import pathlib
import re
import sys

import equinox as eqx
import flowjax.bijections as bijections
import jax
import jax.numpy as jnp
from flowjax.distributions import Normal
from flowjax.flows import coupling_flow, masked_autoregressive_flow

TABLE = pathlib.Path(__file__).resolve().parents[2] / "src" / "zuko" / "names.md"
LAYERS, WIDTH, DEPTH, D, CONTEXT, KNOTS = 3, 8, 2, 4, 2, 5
# Where the layers of a flow are stacked.
PREFIX = ".bijection.bijection.bijection"


def leaves(flow):
    """The arrays of the layers by their paths within a layer."""
    found = jax.tree_util.tree_flatten_with_path(eqx.filter(flow, eqx.is_array))[0]
    paths = {jax.tree_util.keystr(path): leaf for path, leaf in found}
    return {path.removeprefix(PREFIX): leaf for path, leaf in paths.items() if path.startswith(PREFIX)}


def rows(kind):
    """The flowjax column of a kind's rows, with j put in: (row, path, whether it is of the context)."""
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 5 or not cells[1].startswith(kind + ":"):
            continue
        for pattern in re.findall(r"`([^`]+)`", cells[4]):
            for j in range(DEPTH + 1) if "{j}" in pattern else [0]:
                yield cells[1], pattern.replace("{j}", str(j)), "context" in cells[1]


def main():
    shared = {"flow_layers": LAYERS, "nn_width": WIDTH, "nn_depth": DEPTH, "base_dist": Normal(jnp.zeros(D)), "cond_dim": CONTEXT}
    spline = bijections.RationalQuadraticSpline(knots=KNOTS, interval=5.0)
    key, checked = jax.random.key(0), 0
    for kind, build, inputs, moved in (("coupling", coupling_flow, D // 2, D - D // 2), ("autoregressive", masked_autoregressive_flow, D, D)):
        for transformer, numbers in ((None, 2), (spline, 3 * KNOTS + 4)):
            found = leaves(build(key, transformer=transformer, **shared))
            named = set()
            for row, path, of_context in rows(kind):
                if path not in found:
                    raise SystemExit(f"{row}: flowjax has no {path}; it has {sorted(found)}")
                if found[path].shape[0] != LAYERS:
                    raise SystemExit(f"{path} is not stacked over {LAYERS} layers: {found[path].shape}")
                if of_context and found[path].shape[-1] != inputs + CONTEXT:
                    raise SystemExit(f"{path} does not end with the columns of the context: {found[path].shape}")
                named.add(path)
                checked += 1
            last = max(path for path in named if path.endswith(".bias"))
            if found[last].shape[-1] != moved * numbers:
                raise SystemExit(f"{last} has {found[last].shape[-1]} rows, not {numbers} for each of {moved} variables")
            left = {path for path in found if path not in named and "inverse_permutation" not in path}
            if left:
                raise SystemExit(f"the table does not name {sorted(left)} of flowjax's {kind} layers")
    if checked < 30:
        raise SystemExit(f"only {checked} names were found in the table")
    print(f"{checked} names of flowjax are those of the table")


if __name__ == "__main__":
    main()
