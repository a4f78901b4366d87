"""Scores a Parquet data set by Ray Data: batches of rows, on as many workers as there are.

    python ray_scores.py table.model rows.parquet scores

The model travels as bytes, and each worker reads it once. The scores are those of one process, bit for bit.
"""

import argparse

import pyarrow as pa
import ray

from pushforward import FlowDensity


class Scorer:
    """One worker, with its copy of the density."""

    def __init__(self, model: bytes) -> None:
        self.density = FlowDensity.from_bytes(model)

    def __call__(self, rows: pa.Table) -> pa.Table:
        own = rows.select(list(self.density.feature_names_in_))
        return rows.append_column("log_prob", pa.array(self.density.score_samples(own)))


def score(model: bytes, source: str, target: str, workers: int = 2) -> None:
    rows = ray.data.read_parquet(source)
    scored = rows.map_batches(
        Scorer, fn_constructor_args=(model,), batch_format="pyarrow", compute=ray.data.ActorPoolStrategy(size=workers)
    )
    scored.write_parquet(target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a model file")
    parser.add_argument("source", help="a Parquet file or folder with the model's columns")
    parser.add_argument("target", help="the folder for the rows with their ln p")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with open(arguments.model, "rb") as file:
        score(file.read(), arguments.source, arguments.target, arguments.workers)
