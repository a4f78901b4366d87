"""Scores a Parquet data set by Dask: each partition by itself, on as many workers as there are.

    python dask_scores.py table.model rows.parquet scores.parquet

The model travels as bytes, and each worker reads it once. The scores are those of one process, bit for bit.
"""

import argparse
import functools

import dask
import dask.dataframe as dd
import pandas as pd

from pushforward import FlowDensity


@functools.lru_cache(maxsize=1)
def density_of(model: bytes) -> FlowDensity:
    return FlowDensity.from_bytes(model)


def score_partition(rows: pd.DataFrame, model: bytes) -> pd.DataFrame:
    density = density_of(model)
    if len(rows) == 0:
        return rows.assign(log_prob=pd.Series(dtype="float64"))
    return rows.assign(log_prob=density.score_samples(rows[list(density.feature_names_in_)]))


def score(model: bytes, source: str, target: str, workers: int = 2) -> None:
    rows = dd.read_parquet(source)
    meta = rows._meta.assign(log_prob=pd.Series(dtype="float64"))
    with dask.config.set(scheduler="processes", num_workers=workers):
        rows.map_partitions(score_partition, model, meta=meta).to_parquet(target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a model file")
    parser.add_argument("source", help="a Parquet file or folder with the model's columns")
    parser.add_argument("target", help="the folder for the rows with their ln p")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with open(arguments.model, "rb") as file:
        score(file.read(), arguments.source, arguments.target, arguments.workers)
