"""What it costs to score an array from Python: time and memory beside a program of Rust, in turns.

    python python/benches/score.py [--rows 1000000] [--columns 10] [--turns 3]

In a clone, with the package installed; the Rust program is `cargo bench --bench model_score`.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


def peak() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def imported() -> tuple[float, float]:
    """Seconds of `import pushforward` in a new process, and of numpy alone."""

    def seconds(code: str) -> float:
        runs = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            runs.append(time.perf_counter() - start)
        return min(runs)

    nothing = seconds("pass")
    return seconds("import pushforward") - nothing, seconds("import numpy") - nothing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--model", default="autoregressive")
    arguments = parser.parse_args()

    from pushforward import FlowDensity

    random = np.random.default_rng(0)
    shape = (arguments.rows, arguments.columns)
    X = random.normal(size=shape) @ random.normal(size=(shape[1], shape[1]))
    density = FlowDensity(model=arguments.model, time=10).fit(X[:4000])
    density.score_samples(X[:1000])
    before = peak()
    density.score_samples(X)
    grown = peak() - before
    times = {"Python": [], "Rust": []}
    with tempfile.TemporaryDirectory() as folder:
        model, rows = Path(folder, "a.model"), Path(folder, "rows")
        density.save(model)
        X.tofile(rows)
        bench = ["cargo", "bench", "--quiet", "--bench", "model_score", "--", str(model), str(rows), "--repetitions", "1"]
        subprocess.run(bench, check=True, capture_output=True, cwd=ROOT)
        for _ in range(arguments.turns):
            done = subprocess.run(bench, check=True, capture_output=True, text=True, cwd=ROOT)
            rust = json.loads(done.stdout.strip().splitlines()[-1])
            start = time.perf_counter()
            scores = density.score_samples(X)
            times["Python"].append(time.perf_counter() - start)
            times["Rust"].append(rust["seconds"])
            assert abs(scores.sum() - rust["sum"]) <= 1e-12 * abs(rust["sum"]) * len(scores)
    for name, seconds in times.items():
        print(f"{name:7} {min(seconds):7.2f} s at best of {', '.join(f'{s:.2f}' for s in seconds)}")
    print(f"Python / Rust: {min(times['Python']) / min(times['Rust']):.3f}")
    print(f"memory of scoring an array of {X.nbytes / 2**20:.0f} MiB: {grown:.0f} MiB, of which 23 MiB for 10⁶ rows are the scores")
    own, numpy = imported()
    print(f"import pushforward: {own:.2f} s, of which numpy {numpy:.2f} s")


if __name__ == "__main__":
    main()
