"""The density of a split of a table through the Python interface, beside scikit-learn's: one JSON line a model.

    python python/benches/tables.py DIR [--time 60]

DIR has train.csv, val.csv and test.csv with a header. FlowDensity is fitted to the rows of the first two; the number of components
of GaussianMixture and the bandwidth of KernelDensity are chosen by the second. Prints mean ln p of the third, with its standard
error, and the seconds of fitting and of scoring it.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from pushforward import FlowDensity


def chosen(candidates, train, val):
    """The candidate with the largest ln p of the validation rows."""
    return max((density.fit(train) for density in candidates), key=lambda density: density.score_samples(val).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("split", type=Path)
    parser.add_argument("--time", type=float, default=60)
    arguments = parser.parse_args()
    train, val, test = (
        np.loadtxt(arguments.split / f"{part}.csv", delimiter=",", skiprows=1, ndmin=2) for part in ("train", "val", "test")
    )
    mixtures = [GaussianMixture(k, reg_covar=1e-6, max_iter=200, random_state=0) for k in range(1, 21)]
    kernels = [KernelDensity(bandwidth=h, atol=1e-8, rtol=1e-4) for h in np.geomspace(0.05, 1, 12)]
    models = {
        "FlowDensity": lambda: FlowDensity(time=arguments.time).fit(np.concatenate([train, val])),
        "GaussianMixture": lambda: chosen(mixtures, train, val),
        "KernelDensity": lambda: chosen(kernels, train, val),
    }
    warnings.simplefilter("ignore")
    for name, fit in models.items():
        start = time.perf_counter()
        density = fit()
        fitted = time.perf_counter()
        scores = density.score_samples(test)
        scored = time.perf_counter()
        told = {
            "model": name,
            "test": round(float(scores.mean()), 4),
            "error": round(float(scores.std() / np.sqrt(len(scores))), 4),
            "fit_s": round(fitted - start, 2),
            "score_s": round(scored - fitted, 4),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
