"""Exports transforms of zuko, nflows and normflows as ONNX graphs, with numbers of their own beside them.

    python3 -m venv peers && peers/bin/pip install -r requirements.txt && peers/bin/python export.py

For each transform NAME.onnx has the map and its log-determinant, in double precision, with the module's parameters under their
own names; NAME.json has points, what PyTorch computes there, what ONNX's reference evaluator computes of the file, and ln|det J|
by torch's automatic differentiation. Nothing of that comes from the library that is tested with it.

onnxruntime is not asked: it has no Softplus, LeakyRelu or Cosh for double precision.
"""

import contextlib
import io
import json
import math
import pathlib
import sys
import warnings

import nflows.nn.nets as nets
import nflows.transforms as N
import normflows
import normflows.flows as F
import numpy as np
import onnx
import onnx.reference
import onnx.reference.op_run
import onnxscript.optimizer
import torch
import torch.nn as nn
import zuko.flows as ZF
import zuko.transforms as T

warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.float64)
D = 4
MASK = torch.tensor([1, 0, 1, 0])


class Univariate(nn.Module):
    """A transform of zuko, of each variable or of all, made of parameters."""

    def __init__(self, make, *parameters, dims=1):
        super().__init__()
        self.make, self.dims = make, dims
        self.theta = nn.ParameterList([nn.Parameter(parameter) for parameter in parameters])

    def forward(self, x):
        return T.DependentTransform(self.make(*self.theta), self.dims).call_and_ladj(x)


class MapOnly(nn.Module):
    """A transform of zuko whose log-determinant is an automatic derivative, which no exporter writes."""

    def __init__(self, transform):
        super().__init__()
        self.transform = transform

    def forward(self, x):
        lazy = not isinstance(self.transform, Univariate)
        return (self.transform() if lazy else self.transform.make(*self.transform.theta))(x)


class WithoutLogDet(nn.Module):
    """A transform whose log-determinant has an operator that no exporter writes (slogdet)."""

    def __init__(self, transform):
        super().__init__()
        self.transform = transform

    def forward(self, x):
        return self.transform(x)[0]


class Lazy(nn.Module):
    """A lazy transform of zuko, as a network makes it."""

    def __init__(self, transform):
        super().__init__()
        self.transform = transform

    def forward(self, x):
        return self.transform().call_and_ladj(x)


class Pair(nn.Module):
    """A transform of nflows or normflows, which returns its result and its log-determinant."""

    def __init__(self, transform):
        super().__init__()
        self.transform = transform

    def forward(self, x):
        return self.transform(x)


class Backwards(nn.Module):
    """The inverse of a transform of normflows."""

    def __init__(self, transform):
        super().__init__()
        self.transform = transform

    def forward(self, x):
        return self.transform.inverse(x)


def residual_net(inputs, outputs):
    return nets.ResidualNet(inputs, outputs, hidden_features=8, num_blocks=1)


def mlp(inputs, outputs):
    return normflows.nets.MLP([inputs, 8, outputs])


def maf(**given):
    return ZF.MaskedAutoregressiveTransform(D, hidden_features=(8,), **given)


def of_flow(flow):
    return flow.transform.transforms[0]


def act_norm():
    layer = N.ActNorm(D)
    layer.initialized.data = torch.tensor(True)
    return layer


def transforms():
    g = torch.randn
    small = {"hidden_features": (8,)}
    spline = {"num_bins": 4, "tails": "linear", "tail_bound": 3.0}
    yield "zuko_affine", Univariate(T.MonotonicAffineTransform, g(D), g(D))
    yield "zuko_additive", Univariate(T.AdditiveTransform, g(D))
    yield "zuko_softclip", Univariate(lambda: T.SoftclipTransform(5.0))
    yield "zuko_signed_power", Univariate(T.SignedPowerTransform, g(D))
    yield "zuko_circular_shift", Univariate(lambda: T.CircularShiftTransform(math.pi))
    yield "zuko_rational_quadratic", Univariate(T.MonotonicRQSTransform, g(D, 4), g(D, 4), g(D, 3))
    yield "zuko_sum_of_squares", Univariate(T.SOSPolynomialTransform, g(D, 2, 3))
    yield "zuko_bernstein", MapOnly(Univariate(T.BernsteinTransform, g(D, 5)))
    yield "zuko_gaussianization", MapOnly(Univariate(T.GaussianizationTransform, g(D, 3), g(D, 3)))
    yield "zuko_lu", Univariate(T.LULinearTransform, g(D, D), dims=0)
    yield "zuko_rotation", MapOnly(Univariate(T.RotationTransform, g(D, D), dims=0))
    yield "zuko_permutation", Univariate(lambda: T.PermutationTransform(torch.tensor([2, 0, 3, 1])), dims=0)
    yield "zuko_maf", Lazy(maf())
    yield "zuko_nsf", Lazy(maf(univariate=T.MonotonicRQSTransform, shapes=[(4,), (4,), (3,)]))
    yield "zuko_sospf", Lazy(of_flow(ZF.SOSPF(D, transforms=1, degree=2, polynomials=2, **small)))
    yield "zuko_naf", MapOnly(of_flow(ZF.NAF(D, transforms=1, signal=4, network=small, **small)))
    yield "zuko_unaf", Lazy(of_flow(ZF.UNAF(D, transforms=1, signal=4, network=small, **small)))
    coupling = {"univariate": T.AdditiveTransform, "shapes": [()]}
    yield "zuko_nice", Lazy(ZF.coupling.GeneralCouplingTransform(D, **coupling, **small))
    yield "zuko_realnvp", Lazy(ZF.coupling.GeneralCouplingTransform(D, **small))
    yield "nflows_affine", Pair(N.PointwiseAffineTransform(g(D), g(D).exp()))
    yield "nflows_affine_coupling", Pair(N.AffineCouplingTransform(MASK, residual_net))
    yield "nflows_additive_coupling", Pair(N.AdditiveCouplingTransform(MASK, residual_net))
    yield "nflows_maf", Pair(N.MaskedAffineAutoregressiveTransform(D, 8, num_blocks=1))
    yield "nflows_lu", Pair(N.LULinear(D, identity_init=False))
    yield "nflows_qr", Pair(N.QRLinear(D, num_householder=2))
    yield "nflows_svd", Pair(N.SVDLinear(D, num_householder=2))
    yield "nflows_naive_linear", WithoutLogDet(N.NaiveLinear(D, orthogonal_initialization=False))
    yield "nflows_householder", Pair(N.HouseholderSequence(D, num_transforms=2))
    yield "nflows_permutation", Pair(N.RandomPermutation(D))
    yield "nflows_reverse_permutation", Pair(N.ReversePermutation(D))
    yield "nflows_leaky_relu", Pair(N.LeakyReLU(0.1))
    yield "nflows_tanh", Pair(N.Tanh())
    yield "nflows_log_tanh", Pair(N.LogTanh())
    yield "nflows_sigmoid", Pair(N.Sigmoid(learn_temperature=True))
    yield "nflows_act_norm", Pair(act_norm())
    yield "nflows_batch_norm", Pair(N.BatchNorm(D))
    yield "nflows_logit", Pair(N.Logit())
    yield "nflows_unit_linear", Pair(N.PiecewiseLinearCDF([D], num_bins=4))
    yield "nflows_unit_quadratic", Pair(N.PiecewiseQuadraticCDF([D], num_bins=4))
    yield "nflows_unit_cubic", Pair(N.PiecewiseCubicCDF([D], num_bins=4))
    yield "nflows_unit_rational_quadratic", Pair(N.PiecewiseRationalQuadraticCDF([D], num_bins=4))
    yield "nflows_rational_quadratic", Pair(N.PiecewiseRationalQuadraticCDF([D], **spline))
    yield "normflows_planar", Pair(F.Planar((D,)))
    yield "normflows_planar_leaky_relu", Pair(F.Planar((D,), act="leaky_relu"))
    yield "normflows_radial", Pair(F.Radial((D,)))
    yield "normflows_permute", Pair(F.Permute(D))
    yield "normflows_invertible_affine", Backwards(F.InvertibleAffine(D))
    yield "normflows_lu", Backwards(F.LULinearPermute(D))
    yield "normflows_affine_constant", Pair(F.AffineConstFlow((D,)))
    for scale in ["exp", "sigmoid", "sigmoid_inv"]:
        yield f"normflows_affine_coupling_{scale}", Pair(F.AffineCouplingBlock(mlp(D // 2, D), scale_map=scale))
    yield "normflows_masked_affine", Pair(F.MaskedAffineFlow(MASK.double(), mlp(D, D), mlp(D, D)))
    yield "normflows_maf", Pair(F.MaskedAffineAutoregressive(D, 8, num_blocks=1))
    yield "normflows_periodic_shift", Pair(F.PeriodicShift([0, 1]))


# Intervals of the input and of the map, where they are not all numbers.
UNIT = [0.0, 1.0]
DOMAINS = {"nflows_logit": UNIT} | {f"nflows_unit_{kind}": UNIT for kind in ["linear", "quadratic", "cubic", "rational_quadratic"]}
CODOMAINS = DOMAINS | {"nflows_tanh": [-1.0, 1.0], "nflows_sigmoid": UNIT, "zuko_softclip": [-5.0, 5.0]}
del CODOMAINS["nflows_logit"]


def written(module, x, file, names):
    """Writes a graph; by torch.export, or by tracing where that refuses. Returns by which."""
    common = {"input_names": ["x"], "output_names": names}
    said = io.StringIO()
    with torch.no_grad(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            torch.onnx.export(module, (x,), file, dynamo=True, external_data=False, optimize=False, **common)
            return "torch.export"
        except Exception:
            torch.onnx.export(module, (x,), file, dynamo=False, opset_version=17, do_constant_folding=False, **common)
            return "tracing"


def stripped(file, traced):
    """Takes away what is no part of the map: stack traces, types of values in between; of traces, arithmetic of shapes."""
    model = onnx.load(file)
    if traced:
        model = onnxscript.optimizer.optimize(model, input_size_limit=8, output_size_limit=64)
        own = {value.name for value in [*model.graph.input, *model.graph.output, *model.graph.initializer]}
        short = {}
        for node in model.graph.node:
            for names in [node.input, node.output]:
                names[:] = [n if not n or n in own else short.setdefault(n, f"v{len(short)}") for n in names]
    for part in [model, model.graph, *model.graph.node, *model.functions]:
        part.doc_string = ""
    for part in [model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del part.metadata_props[:]
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, file)


class GatherElements(onnx.reference.op_run.OpRun):
    """That of onnx 1.23 refuses indices of a shape that the standard allows."""

    def _run(self, data, indices, axis=0):
        within = tuple(slice(0, n) if k != axis % data.ndim else slice(None) for k, n in enumerate(indices.shape))
        return (np.take_along_axis(data[within], indices, axis),)


def log_abs_det(module, x):
    jacobian = torch.autograd.functional.jacobian(lambda x: first(module(x[None]))[0], x)
    return torch.linalg.slogdet(jacobian)[1].item()


def first(result):
    return result[0] if isinstance(result, tuple) else result


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    only = sys.argv[2:]
    torch.manual_seed(0)
    for name, module in transforms():
        if only and name not in only:
            continue
        torch.manual_seed(1)
        module = module.eval().double()
        for parameter in module.parameters():
            if parameter.dtype.is_floating_point and parameter.ndim > 0:
                parameter.data += 0.3 * torch.randn_like(parameter.data)
        points = torch.randn(6, D) * torch.tensor([1.0, 1.0, 3.0]).repeat(2)[:, None]
        if name in DOMAINS:
            points = torch.sigmoid(points)
        points = torch.round(points, decimals=3)
        try:
            rows = [module(point[None]) for point in points]
            has_log_det = isinstance(rows[0], tuple)
            names = ["y", "log_det"] if has_log_det else ["y"]
            file = str(folder / f"{name}.onnx")
            by = written(module, points[:1], file, names)
            stripped(file, by == "tracing")
            evaluator = onnx.reference.ReferenceEvaluator(file, new_ops=[GatherElements])
            runs = [evaluator.run(None, {"x": point[None].numpy()}) for point in points]
        except Exception as error:
            pathlib.Path(folder / f"{name}.onnx").unlink(missing_ok=True)
            print(f"{name}: not exported: {type(error).__name__}: {str(error).strip().splitlines()[0][:120]}")
            continue
        numbers = {
            "by": by,
            "points": points.tolist(),
            "y": [np.asarray(run[0]).reshape(-1).tolist() for run in runs],
            "log_det": [np.asarray(run[1]).reshape(-1).tolist() for run in runs] if has_log_det else None,
            "domain": DOMAINS.get(name),
            "codomain": CODOMAINS.get(name),
            "differentiated": [log_abs_det(module, point) for point in points],
        }
        (folder / f"{name}.json").write_text(json.dumps(numbers) + "\n")
        apart = max(np.max(np.abs(np.subtract(a, b))) for a, b in zip(numbers["y"], [first(row).numpy(force=True).reshape(-1) for row in rows]))
        print(f"{name}: {by}, {pathlib.Path(file).stat().st_size} bytes, file and torch {apart:.1e} apart", flush=True)


if __name__ == "__main__":
    main()
