"""Training a fitted density further by JAX, on all of its devices."""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import numpy as np

from . import _native


@dataclass(frozen=True)
class JaxOptions:
    """How JAX trains.

    Parameters
    ----------
    epochs : int
        At most so often all rows are seen.
    batch : int
        Rows of a step, over all devices; it is rounded up to a multiple of their number.
    learning_rate : float
        Of Adam at the beginning; it falls to 0 along a half cosine.
    patience : int
        Training ends after so many epochs without a larger ln p of the rows that are held out.
    """

    epochs: int = 20
    batch: int = 1024
    learning_rate: float = 5e-4
    patience: int = 5

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "patience"):
            if not isinstance(getattr(self, name), (int, np.integer)) or getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r} must be a whole number of at least 1")
        if not 0 < self.learning_rate < 1:
            raise ValueError(f"learning_rate={self.learning_rate!r} must be a number between 0 and 1")


@dataclass(frozen=True)
class Trained:
    """What became of training: the density with the best parameters, and mean ln p of held-out rows by epoch."""

    model: _native.Model
    held_out: list[float]
    devices: int


def train(
    model: _native.Model,
    cells: list[tuple[str, Any]],
    options: JaxOptions,
    held_out: float,
    seed: int,
    progress: Callable[[dict[str, Any]], None] | None,
) -> Trained:
    """Trains all flows of a density together, by the likelihood of their mixture.

    The module is the one that ``to_jax`` writes; batches are sharded over all devices. Rounded values are spread over their
    cells, anew in each epoch. Parameters are those of the epoch with the largest ln p of held-out rows, which may be those at
    the beginning.
    """
    jax = _jax()
    from jax.sharding import Mesh, NamedSharding, PartitionSpec

    devices = jax.devices()
    mesh = Mesh(np.array(devices), ("rows",))
    by_rows, everywhere = NamedSharding(mesh, PartitionSpec("rows")), NamedSharding(mesh, PartitionSpec())
    random = np.random.default_rng(seed)
    order = random.permutation(len(cells[0][1]))
    kept = max(1, round(held_out * len(order)))
    kept -= kept % len(devices) if kept > len(devices) else 0
    tested, trained = order[:kept], order[kept:]
    batch = min(-(-options.batch // len(devices)) * len(devices), len(trained) - len(trained) % len(devices))
    if batch < 1:
        raise ValueError(f"{len(trained)} rows are too few to train on {len(devices)} devices")
    steps = len(trained) // batch
    with tempfile.TemporaryDirectory() as folder, jax.enable_x64(True):
        module = _module(model, folder)
        numbers = [(name, _numbers(column, getattr(module, "LEVELS", {}).get(name))) for name, column in cells]

        def inputs(part: np.ndarray, draw: int, sharding: Any) -> list[Any]:
            """x, and a context if there is one, of some rows at points of their cells."""
            own = [(name, column[part]) for name, column in numbers]
            spread = dict(model.spread(own, draw))
            names = [[name for name in model.needs() if name not in model.given()], model.given()]
            arrays = [np.column_stack([np.asarray(spread[name]) for name in some]) for some in names if some]
            return [jax.device_put(array, sharding) for array in arrays]

        loss, step = jax.jit(module.loss), jax.jit(module.train_step)
        params = jax.device_put(module.load_params(), everywhere)
        state = jax.device_put(module.adam_start(params), everywhere)
        # The same points of cells each time.
        test = inputs(tested, seed, by_rows if kept % len(devices) == 0 else everywhere)
        curve = [-float(loss(params, *test))]
        best, best_epoch, done = params, 0, 0
        for epoch in range(1, options.epochs + 1):
            shuffled = random.permutation(trained)
            for k in range(steps):
                rows = inputs(shuffled[k * batch : (k + 1) * batch], int(random.integers(2**63)), by_rows)
                rate = 0.5 * options.learning_rate * (1 + np.cos(np.pi * done / (steps * options.epochs)))
                settings = {"learning_rate": rate, "clip": 5.0}
                params, state, _ = step(params, state, *rows, settings)
                done += 1
            curve.append(-float(loss(params, *test)))
            if curve[-1] > curve[best_epoch]:
                best, best_epoch = params, epoch
            if progress is not None:
                progress(
                    {
                        "candidate": f"by JAX on {len(devices)} devices",
                        "epoch": epoch,
                        "epochs": options.epochs,
                        "training": float("nan"),
                        "held_out": curve[-1],
                        "best": curve[best_epoch],
                    }
                )
            if epoch - best_epoch >= options.patience:
                break
        saved = Path(folder, "trained.safetensors")
        module.save_params(best, saved)
        return Trained(model.with_parameters(saved.read_bytes()), curve, len(devices))


def _numbers(column: Any, levels: list[str] | None) -> np.ndarray:
    """A column as the module takes it: a category is the place of its level."""
    if levels is None:
        return np.asarray(column, dtype=np.float64)
    places = {level: float(k) for k, level in enumerate(levels)}
    return np.array([places[text] for text in column])


def _jax() -> Any:
    try:
        import jax
    except ImportError:
        raise ImportError("engine='jax' needs jax: pip install jax") from None
    return jax


def _module(model: _native.Model, folder: str) -> Any:
    """The module of a density, imported."""
    model.to_jax(folder)
    place = importlib.util.spec_from_file_location("pushforward_jax_module", Path(folder, "__init__.py"))
    assert place is not None and place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module
