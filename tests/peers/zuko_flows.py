"""Trains flows of zuko on the penguins of the lessons, and says what zuko makes of parameters that come back.

    python3 -m venv peers && peers/bin/pip install -r requirements.txt
    peers/bin/python zuko_flows.py train      writes flows/NAME.safetensors and flows/NAME.json
    cargo test -p pushforward-tests --test library zuko::files -- --ignored
    peers/bin/python zuko_flows.py check      reads what that test wrote to target/zuko

NAME.safetensors is the state dict in single precision; NAME.json has rows, some far out, with zuko's ln p of them in single and in
double precision. `check` loads state dicts that went through the library, as they were and trained further by it, and
compares zuko's ln p with the library's.
"""

import csv
import json
import pathlib
import sys

import numpy as np
import torch
import zuko
from safetensors.torch import load_file, save_file
from zuko.transforms import MonotonicRQSTransform

HERE = pathlib.Path(__file__).resolve().parent
FLOWS = HERE / "flows"
BACK = HERE.parents[1] / "target" / "zuko"
SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


def flows():
    """The flows by name, and whether they are given the species."""
    hidden = {"hidden_features": (16, 16), "transforms": 3}
    spline = {"univariate": MonotonicRQSTransform, "shapes": [(6,), (6,), (5,)]}
    return {
        "real_nvp": (lambda: zuko.flows.RealNVP(4, 0, randmask=True, **hidden), False),
        "maf": (lambda: zuko.flows.MAF(4, 3, **hidden), True),
        "nsf": (lambda: zuko.flows.NSF(4, 0, randperm=True, **hidden), False),
        "spline_coupling": (lambda: zuko.flows.NICE(4, 3, **spline, **hidden), True),
        "maf_elu": (lambda: zuko.flows.MAF(4, 0, activation=torch.nn.ELU, hidden_features=(9,), transforms=2), False),
    }


def penguins():
    """Standardised measurements, and the species as one-hot numbers."""
    with open(HERE.parents[1] / "lessons/data/penguins.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    x = np.array([[float(row[name]) for name in names] for row in rows])
    given = np.array([[float(row["species"] == one) for one in SPECIES] for row in rows])
    return torch.tensor((x - x.mean(0)) / x.std(0)).float(), torch.tensor(given).float()


def log_prob(flow, x, given):
    with torch.no_grad():
        return (flow(given) if given is not None else flow()).log_prob(x).tolist()


def train():
    FLOWS.mkdir(exist_ok=True)
    x, species = penguins()
    torch.manual_seed(1)
    far = 6.0 * torch.randn(20, 4)
    rows = torch.cat([x[::9], far])
    contexts = torch.cat([species[::9], species[:20]])
    for name, (build, is_given) in flows().items():
        torch.manual_seed(0)
        flow = build()
        adam = torch.optim.Adam(flow.parameters(), 3e-3)
        for _ in range(300):
            loss = -(flow(species) if is_given else flow()).log_prob(x).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        save_file(flow.state_dict(), FLOWS / f"{name}.safetensors")
        given = contexts if is_given else None
        singles = log_prob(flow, rows, given)
        flow = flow.double()
        stored = {
            "zuko": zuko.__version__ if hasattr(zuko, "__version__") else "", "torch": torch.__version__, "loss": loss.item(),
            "x": rows.double().flatten().tolist(), "contexts": contexts.double().flatten().tolist() if is_given else [],
            "log_prob_f32": singles, "log_prob": log_prob(flow, rows.double(), None if given is None else given.double()),
        }
        (FLOWS / f"{name}.json").write_text(json.dumps(stored))
        print(f"{name}: loss {loss.item():.4f}, {(FLOWS / f'{name}.safetensors').stat().st_size} bytes")


def check():
    failed = []
    for name, (build, _) in flows().items():
        sent, back = load_file(FLOWS / f"{name}.safetensors"), load_file(BACK / f"{name}.safetensors")
        same = sent.keys() == back.keys() and all(torch.equal(sent[key], back[key]) for key in sent)
        stored = json.loads((BACK / f"{name}.json").read_text())
        flow = build()
        flow.load_state_dict(load_file(BACK / f"{name}_trained.safetensors"))
        x = torch.tensor(stored["x"], dtype=torch.float64).reshape(-1, 4)
        given = torch.tensor(stored["contexts"], dtype=torch.float64).reshape(len(x), -1) if stored["contexts"] else None
        ours = np.array(stored["log_prob"])
        singles = log_prob(flow, x.float(), None if given is None else given.float())
        doubles = log_prob(flow.double(), x, given)
        # Of single precision the median row: zuko rounds some rows to 1e-5, as against its own double precision.
        doubles, singles = (np.abs((np.array(found) - ours) / np.maximum(1, np.abs(ours))) for found in (doubles, singles))
        apart = [doubles.max(), np.median(singles), singles.max()]
        moved = max((sent[key].double() - back.double()).abs().max().item() for key, back in
                    load_file(BACK / f"{name}_trained.safetensors").items())
        print(f"{name}: {'the same' if same else 'NOT the same'} tensors; trained further (moved by up to {moved:.2g}): "
              f"ln p apart by {apart[0]:.1e} in f64, in f32 by {apart[1]:.1e} (median), {apart[2]:.1e} at most")
        if not (same and moved > 0 and apart[0] < 1e-9 and apart[1] < 1e-6):
            failed.append(name)
    if failed:
        raise SystemExit("these differ: " + ", ".join(failed))


if __name__ == "__main__":
    {"train": train, "check": check}[sys.argv[1]]()
