"""Holds the ONNX files that tests/onnx_export/cases.rs wrote against our own numbers.

Each file must pass onnx.checker. What onnxruntime computes by it must be what is expected: to 1e-12 of 1 + |value| in f64 and
1e-6 in f32, beyond what is uncertain. Uncertain is what a unit in the last place of the inputs moves the value, and how far our
own result is off, against a round trip or, in f32, against doubles; roundings inside, as of e to the power of a large
logarithm, may add up to many of them.

`check_onnx_export.py PREFIX` checks the cases whose names begin with it, and prints a line for each.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).resolve().parents[2] / "target" / "onnx"
ALLOWED = {"f32": 1e-6, "f64": 1e-12}
TYPES = {"f32": np.float32, "f64": np.float64}
ROUNDINGS = 64
# The share of values of which no digit is certain, at most: half of the points of a layer are far out, where some saturate.
LOST = 0.5
# The share of values that must be right without anything being uncertain.
PLAIN = {"f32": 0.0, "f64": 0.9}


def numbers(folder, name, kind, width):
    values = np.fromfile(folder / name, dtype=kind)
    return values.reshape(-1, width) if width else values


def run(session, case, folder, rows=None):
    kind = TYPES[case["float"]]
    inputs = {entry["name"]: numbers(folder, entry["file"], kind, entry["width"])[:rows] for entry in case["inputs"]}
    return session.run([case["output"]], inputs)[0]


def compare(case, folder):
    """Returns what is wrong, if anything, and the worst difference, the share above the allowed one, and seconds."""
    path = folder / case["file"]
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = run(session, case, folder).astype(np.float64)
    begin = time.perf_counter()
    run(session, case, folder)
    seconds = time.perf_counter() - begin
    expected = numbers(folder, case["expected"], np.float64, case["width"])
    uncertain = numbers(folder, case["uncertain"], np.float64, case["width"])
    if found.shape != expected.shape or not expected.size:
        return f"{found.shape} instead of {expected.shape}", np.inf, 1.0, seconds
    for few in (0, 1, 3):
        part, first = run(session, case, folder, few), found[:few]
        alike = part.shape == first.shape and np.allclose(part, first, ALLOWED[case["float"]], ALLOWED[case["float"]], True)
        if not alike:
            return f"a batch of {few} rows is not the beginning of all rows", np.inf, 1.0, seconds
    with np.errstate(all="ignore"):
        if case["float"] == "f32":
            # What is too large for a float is infinite.
            expected = expected.astype(np.float32).astype(np.float64)
        same = (found == expected) | (np.isnan(found) & np.isnan(expected))
        error = np.where(same, 0.0, np.abs(found - expected))
        scale = 1 + np.where(np.isfinite(expected), np.abs(expected), 0.0)
        error = np.where(np.isnan(error), np.inf, error)
        allowed = ALLOWED[case["float"]] * scale
        # Where no digit of a value is certain, there is nothing to compare.
        lost = ROUNDINGS * uncertain > scale
        wrong = (error > allowed + ROUNDINGS * uncertain) & ~lost
        certain = uncertain <= allowed / ROUNDINGS
        worst = float((error / scale)[certain].max(initial=0.0))
        beyond = float(np.mean(error > allowed))
    if wrong.any():
        at = tuple(int(place) for place in np.argwhere(wrong)[0])
        given = [numbers(folder, one["file"], TYPES[case["float"]], one["width"])[at[0]].tolist() for one in case["inputs"]]
        told = f"{wrong.sum()} of {wrong.size} values are wrong, first row {at[0]}: {found[at]} instead of {expected[at]}"
        return f"{told} (uncertain {uncertain[at]:.1e}) for {given}", worst, beyond, seconds
    if np.mean(lost) > LOST:
        return f"{np.mean(lost):.1%} of the values have no digit that is certain", worst, beyond, seconds
    if 1 - beyond < PLAIN[case["float"]]:
        return f"only {1 - beyond:.1%} of the values are right to {ALLOWED[case['float']]}", worst, beyond, seconds
    return None, worst, beyond, seconds


def main():
    prefix = sys.argv[1] if len(sys.argv) > 1 else None
    failed, compared = [], 0
    print(f"{'folder':<10} {'output':<9} {'type':<4} {'files':>5} {'bytes':>19}  worst difference, where nothing is uncertain")
    for folder in sorted(path.parent for path in ROOT.glob("*/manifest.json")):
        groups = {}
        for case in json.loads((folder / "manifest.json").read_text()):
            if prefix and not case["case"].startswith(prefix):
                continue
            try:
                problem, worst, beyond, seconds = compare(case, folder)
            except Exception as error:  # A runtime may fail in any way: each is told with its file.
                problem, worst, beyond, seconds = f"{type(error).__name__}: {str(error)[:500]}", np.inf, 1.0, 0.0
            compared += 1
            if problem:
                failed.append(f"{folder.name}/{case['file']}: {problem}")
            if prefix:
                ours = f", ours {1e3 * case['seconds']:.1f} ms" if case["seconds"] else ""
                told = f"{1e3 * seconds:.1f} ms{ours}, {case['bytes']} bytes"
                print(f"  {case['file']:<48} {worst:8.1e}  above: {beyond:.4f}  {told}")
            groups.setdefault((case["output"], case["float"]), []).append((worst, case["case"], case["bytes"]))
        for (output, kind), group in sorted(groups.items()):
            sizes = [size for _, _, size in group]
            worst, name, _ = max(group)
            told = f"{min(sizes)} to {max(sizes)}"
            print(f"{folder.name:<10} {output:<9} {kind:<4} {len(group):>5} {told:>19}  {worst:.1e} ({name})")
    if not compared:
        sys.exit(f"no ONNX files under {ROOT}: run .ci/python")
    for problem in failed:
        print(problem)
    if failed:
        sys.exit(f"{len(failed)} of {compared} files do not give our numbers in onnxruntime {onnxruntime.__version__}")
    print(f"onnxruntime {onnxruntime.__version__} gives our numbers by {compared} files; all pass onnx.checker {onnx.__version__}")


if __name__ == "__main__":
    onnxruntime.set_default_logger_severity(3)
    main()
