"""Bijections that are written in Python: recorded, derived, proven; held against numpy, JAX and closed forms."""

import math
import pickle
import re
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy import special

import pushforward as pf
from pushforward import _native

jax.config.update("jax_enable_x64", True)


@pf.bijection(dim=2)
def bend(z):
    return pf.stack([z[0], z[1] * pf.exp(pf.tanh(z[0])) + z[0] ** 2])


def test_a_function_is_a_bijection():
    assert (bend.name, bend.dim, bend.structure) == ("bend", 2, "lower triangular")
    z = np.random.default_rng(0).normal(size=(50, 2))
    x = bend.forward(z)
    assert np.allclose(x, np.stack([z[:, 0], z[:, 1] * np.exp(np.tanh(z[:, 0])) + z[:, 0] ** 2], axis=1), atol=1e-14)
    assert np.allclose(bend.log_det(z), np.tanh(z[:, 0]), atol=1e-15)
    assert np.allclose(bend.inverse(x), z, atol=1e-13)
    assert bend.log_det(z[0]) == pytest.approx(math.tanh(z[0, 0]))
    report = pf.audit(bend)
    assert report.has_no_refutation
    assert [claim.verdict for claim in report.of("structure")] == ["proven"]
    assert [claim.verdict for claim in report.of("injective")] == ["proven"]
    assert "ln|det J| = tanh(z₁)" in str(pf.derive(bend))


# Elementary functions: (name, reference, an interval of arguments)
REFERENCES = {
    "neg": (np.negative, -3, 3),
    "recip": (np.reciprocal, 0.1, 3),
    "exp": (np.exp, -3, 3),
    "ln": (np.log, 0.01, 9),
    "exp_m1": (np.expm1, -3, 3),
    "ln_1p": (np.log1p, -0.9, 9),
    "tanh": (np.tanh, -3, 3),
    "sech_squared": (lambda a: 1 / np.cosh(a) ** 2, -3, 3),
    "sigmoid": (special.expit, -9, 9),
    "softplus": (lambda a: np.logaddexp(a, 0), -9, 9),
    "sin": (np.sin, -9, 9),
    "cos": (np.cos, -9, 9),
    "sqrt": (np.sqrt, 0.01, 9),
    "abs": (np.abs, -3, 3),
    "sign": (np.sign, -3, 3),
    "erf": (special.erf, -3, 3),
    "sinh": (np.sinh, -3, 3),
    "cosh": (np.cosh, -3, 3),
    "asinh": (np.arcsinh, -9, 9),
    "asinh_slope": (lambda a: 1 / np.sqrt(1 + a * a), -9, 9),
    "atan_pi": (lambda a: np.arctan(a) / np.pi, -9, 9),
    "tan_pi": (lambda a: np.tan(np.pi * a), -0.4, 0.4),
    "normal_cdf": (special.ndtr, -5, 5),
    "normal_quantile": (special.ndtri, 0.01, 0.99),
    "ln_normal_cdf": (special.log_ndtr, -9, 5),
    "inverse_mills": (lambda a: np.exp(-a * a / 2 - np.log(2 * np.pi) / 2 - np.asarray(special.log_ndtr(a))), -5, 5),
    "ln_gamma": (special.gammaln, 0.1, 9),
    "polygamma": (special.digamma, 0.1, 9),
    "powi": (None, 0, 0),
    "atan": (np.arctan, -9, 9),
}


def evaluated(function, points, dim=1):
    """The numbers of a function of a vector to a vector: x = z + f(z) is written, and z is taken off."""
    shape = np.atleast_2d(points)
    map_ = pf.bijection(lambda z: 100 * z + function(z), dim=dim, structure="dense")
    return map_.forward(shape) - 100 * shape


def test_every_elementary_function_is_numpys():
    functions = _native.operations()[: _native.operations().index("add")]
    assert set(functions) <= set(REFERENCES), set(functions) - set(REFERENCES)
    for name, (reference, low, high) in REFERENCES.items():
        if reference is None:
            continue
        points = np.linspace(low, high, 101)
        ours = evaluated(lambda z: getattr(pf, name)(z), points.reshape(-1, 1))[:, 0]
        assert np.allclose(ours, np.asarray(reference(points)), rtol=1e-9, atol=2e-12), name
    for exponent in (-2, 0, 1, 3):
        points = np.linspace(0.5, 2, 9).reshape(-1, 1)
        assert np.allclose(evaluated(lambda z: pf.powi(z, exponent), points), points ** float(exponent), atol=1e-12)
    assert np.allclose(evaluated(lambda z: pf.polygamma(z, 1), [[2.0]]), math.pi**2 / 6 - 1)


# Methods of the library's variables that Python has under another name, or does not need.
OTHERWISE = {
    "at": "z[i]",
    "slice": "z[i:j]",
    "matvec": "matmul",
    "inverse": "inverse_matrix",
    "min": "minimum",
    "max": "maximum",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "apply": "the functions themselves",
    "tape": "a recording",
    "id": "a recording",
    "shape": "z.shape",
    "len": "len(z)",
    "is_empty": "len(z)",
    "identity": "np.eye",
    "mask": "arrays",
}


def test_no_operation_of_the_library_is_missing():
    source = Path(__file__).resolve().parents[2] / "src" / "tape"
    methods = set()
    for file in source.glob("*.rs"):
        for block in re.split(r"\nimpl", file.read_text()):
            if re.match(r"<'t> Var<'t>", block):
                methods |= set(re.findall(r"pub fn (\w+)\(self", block.split("\n}\n")[0]))
    methods |= {name for name in _native.operations()[: _native.operations().index("add")]}
    assert len(methods) > 55
    missing = {name for name in methods if name not in OTHERWISE and not hasattr(pf, name)}
    assert not missing, missing
    others = {"add", "sub", "mul", "div", "product", "inverse", "min", "max"}
    assert {name for name in _native.operations() if not hasattr(pf, name)} <= others


def formula(z, m):
    """A formula for pushforward (m = pf) and for JAX (m = jnp)."""
    a, b, c = z[0], z[1], z[2]
    return [
        a + 0.3 * m.tanh(b) / (2 + c * c),
        b + 0.2 * m.sin(a - c) * m.exp(-abs(a) / 2),
        c * 2 - 0.1 * m.sqrt(1 + a * a) + (1 - m.cosh(b / 3)) * 0.1 + 2.0**-3 - (-b) * 0.05 + 1 / (3 + b**2) + (1 + a**2) ** 0.3,
    ]


def test_values_and_determinants_are_those_of_jax():
    ours = pf.bijection(lambda z: pf.stack(formula(z, pf)), dim=3)
    jaxs = lambda z: jnp.stack(formula(z, jnp))
    points = np.random.default_rng(1).normal(size=(40, 3))
    assert np.allclose(ours.forward(points), jax.vmap(jaxs)(points), atol=1e-13)
    jacobians = np.asarray(jax.vmap(jax.jacfwd(jaxs))(points))
    assert np.allclose(ours.log_det(points), np.linalg.slogdet(jacobians)[1], atol=1e-12)


def test_a_log_determinant_is_that_of_central_differences():
    map_ = pf.bijection(lambda z: z + 0.3 * pf.tanh(np.array([[0.5, -1.0], [0.7, 0.2]]) @ z), dim=2)
    for point in np.random.default_rng(2).normal(size=(10, 2)):
        h = 1e-6
        columns = [(map_.forward(point + h * e) - map_.forward(point - h * e)) / (2 * h) for e in np.eye(2)]
        assert map_.log_det(point) == pytest.approx(np.linalg.slogdet(np.stack(columns, 1))[1], abs=1e-8)


def test_operators_with_numbers_and_arrays_on_either_side():
    v, m = np.array([0.5, -2.0]), np.array([[1.0, 2.0], [3.0, -1.0]])
    cases = [
        lambda z, a: z + a, lambda z, a: a + z, lambda z, a: z - a, lambda z, a: a - z,
        lambda z, a: z * a, lambda z, a: a * z, lambda z, a: z / a, lambda z, a: a / z,
    ]  # fmt: skip
    points = np.random.default_rng(3).uniform(0.5, 2, size=(7, 2))
    for k, case in enumerate(cases):
        for other in (3, 2.5, np.float64(1.5), np.float32(0.5), v, [0.5, -2.0]):
            want = case(points, np.asarray(other))
            assert np.allclose(evaluated(lambda z: case(z, other), points, dim=2), want, atol=1e-11), (k, other)
    matrices = [
        (lambda z: m @ z, lambda p: p @ m.T),
        (lambda z: z @ m, lambda p: p @ m),
        (lambda z: (z @ v) * v, lambda p: np.outer(p @ v, v)),
        (lambda z: (v @ z) * v, lambda p: np.outer(p @ v, v)),
        (lambda z: (pf.outer(z, z) @ m @ v), lambda p: np.einsum("ni,nj,jk,k->ni", p, p, m, v)),
        (lambda z: pf.outer(z, v).T @ z, lambda p: np.einsum("j,ni,ni->nj", v, p, p)),
        (lambda z: +z - (-z), lambda p: 2 * p),
        (lambda z: abs(z - 1), lambda p: abs(p - 1)),
        (lambda z: 2.0**z, lambda p: 2.0**p),
        (lambda z: z**z, lambda p: p**p),
        (lambda z: z**-1.5, lambda p: p**-1.5),
        (lambda z: v**2 * z**3, lambda p: v**2 * p**3),
    ]
    for k, (ours, numpys) in enumerate(matrices):
        assert np.allclose(evaluated(ours, points, dim=2), numpys(points), atol=1e-11), k


def test_elements_are_chosen_as_numpy_chooses_them():
    array = np.arange(12.0).reshape(3, 4)
    indices = [
        0, -1, (1, 2), (-1, -1), slice(None), slice(1, 3), (slice(None), 1), (slice(None, None, -1), 2), (1, slice(1, 4, 2)),
        [2, 0], (slice(None), [3, 1]), (0, [True, False, True, True]), np.array([1, 1]),
    ]  # fmt: skip
    seen = []

    def chosen(z):
        w = pf.constant(array) + 0 * z[0]
        for index in indices:
            found = w[index]
            assert found.shape == array[index].shape, index
            seen.append(pf.sum(found * found))
        assert len(w) == 3 and w.ndim == 2 and w.size == 12 and w.T.shape == (4, 3)
        assert w.reshape(6, -1).shape == (6, 2) and w.reshape(12).shape == (12,) and w.reshape((2, 6)).shape == (2, 6)
        assert [row.shape for row in w] == [(4,)] * 3
        a, b, *rest = z
        return z + pf.stack(seen)

    points = np.zeros((1, len(indices)))
    map_ = pf.bijection(chosen, dim=len(indices))
    want = [float((np.asarray(array[index]) ** 2).sum()) for index in indices]
    assert np.allclose(map_.forward(points)[0], want)
    last = pf.bijection(lambda z: z[::-1], dim=3)
    assert np.array_equal(last.forward([1.0, 2.0, 3.0]), [3.0, 2.0, 1.0])
    assert np.array_equal(pf.bijection(lambda z: z[[1, 2, 0]], dim=3).forward([1.0, 2.0, 3.0]), [2.0, 3.0, 1.0])


def test_conditions_choose_as_where_does():
    points = np.random.default_rng(4).normal(size=(200, 2))
    a, b = points.T
    cases = [
        (lambda a, b: a > b, a > b),
        (lambda a, b: a >= 0.5, a >= 0.5),
        (lambda a, b: 0.5 > a, 0.5 > a),
        (lambda a, b: (a < 0) & (b < 0), (a < 0) & (b < 0)),
        (lambda a, b: (a <= 0) | ~(b < 0.3), (a <= 0) | ~(b < 0.3)),
        (lambda a, b: np.float64(0.1) < a, a > 0.1),
    ]
    for k, (ours, holds) in enumerate(cases):
        found = evaluated(lambda z: pf.stack([pf.select(ours(z[0], z[1]), z[0] * 2, -1), 0.0]), points, dim=2)
        assert np.allclose(found[:, 0], np.where(holds, 2 * a, -1), atol=1e-11), k
    found = evaluated(lambda z: pf.where(z > np.array([0.0, 1.0]), z, z * z), points, dim=2)
    assert np.allclose(found, np.where(points > [0.0, 1.0], points, points**2), atol=1e-11)


def test_functions_of_vectors_and_matrices():
    rng = np.random.default_rng(5)
    points, m = rng.normal(size=(9, 3)), rng.normal(size=(3, 3))
    spread = lambda values: np.repeat(np.asarray(values)[:, None], 3, 1)
    norms = np.linalg.norm(points, axis=1)
    matrices = np.einsum("ni,nj->nij", points, points) + 5 * np.eye(3)
    ours = lambda z: pf.outer(z, z) + 5 * np.eye(3)
    cases = [
        (lambda z: z * pf.sum(z), points * points.sum(1, keepdims=True)),
        (lambda z: z * z.sum(), points * points.sum(1, keepdims=True)),
        (lambda z: z * pf.dot(z, z), points * (points**2).sum(1, keepdims=True)),
        (lambda z: z * pf.norm(z), points * norms[:, None]),
        (lambda z: pf.broadcast(pf.max_element(z), 3), spread(points.max(1))),
        (lambda z: pf.broadcast(pf.log_sum_exp(z), (3,)), spread(special.logsumexp(points, axis=1))),
        (lambda z: pf.softmax(z), np.asarray(jax.nn.softmax(points))),
        (lambda z: pf.log_softmax(z), np.asarray(jax.nn.log_softmax(points))),
        (lambda z: pf.cumsum(z), points.cumsum(1)),
        (lambda z: pf.minimum(z, 0.1) + pf.maximum(z, z[0]), np.minimum(points, 0.1) + np.maximum(points, points[:, :1])),
        (lambda z: pf.log_add_exp(z, 1.0), np.logaddexp(points, 1.0)),
        (lambda z: pf.atan2(z, 1 + z[0]), np.arctan2(points, 1 + points[:, :1])),
        (lambda z: pf.gather(z, [2, 2, 0]), points[:, [2, 2, 0]]),
        (lambda z: pf.scatter(z, [1, 0, 0], 3), np.stack([points[:, 1] + points[:, 2], points[:, 0], 0 * points[:, 0]], 1)),
        (lambda z: pf.concat([z[1:], z[0]]), np.roll(points, -1, 1)),
        (lambda z: pf.stack([z[0], 1.5, z[2]]), np.stack([points[:, 0], 1.5 + 0 * points[:, 0], points[:, 2]], 1)),
        (lambda z: pf.diagonal(ours(z)), np.einsum("nii->ni", matrices)),
        (lambda z: pf.diagonal_matrix(z) @ np.ones(3), points),
        (lambda z: pf.inverse_matrix(ours(z)) @ z, np.linalg.solve(matrices, points[:, :, None])[:, :, 0]),
        (lambda z: pf.broadcast(pf.log_abs_det(ours(z)), 3), spread(np.linalg.slogdet(matrices)[1])),
        (lambda z: pf.matrix_exp(pf.constant(m)) @ z, points @ np.asarray(jax.scipy.linalg.expm(m)).T),
        (lambda z: pf.row(ours(z), 1) + pf.column(ours(z), 2), matrices[:, 1] + matrices[:, :, 2]),
        (lambda z: pf.transpose(pf.reshape(z, (3, 1)))[0], points),
        (lambda z: pf.matmul(m, z), points @ m.T),
    ]
    for k, (function, want) in enumerate(cases):
        assert np.allclose(evaluated(function, points, dim=3), want, atol=5e-11), k


def test_parameters_are_learned_numbers_and_what_is_proven_holds_for_all_of_them():
    @pf.bijection(dim=2)
    def scaled(z):
        w = pf.parameter("w", init=np.array([0.5, -1.0]))
        b = pf.parameter("b", (), 0.25)
        u = pf.parameter("u", (2, 2), pf.Uniform(0.1))
        v = pf.parameter("v", (2, 2), pf.glorot(2, 2))
        return z * pf.exp(w) + b + 0 * (u @ v @ np.ones(2))

    start = scaled.parameters()
    assert {name: value.shape for name, value in start.items()} == {"w": (2,), "b": (), "u": (2, 2), "v": (2, 2)}
    assert np.array_equal(start["w"], [0.5, -1.0]) and start["b"] == 0.25 and (abs(start["u"]) < 0.1).all()
    assert not np.array_equal(scaled.parameters(seed=1)["u"], start["u"])
    assert np.allclose(scaled.log_det([0.0, 0.0]), -0.5)
    other = scaled.forward([1.0, 1.0], parameters={"w": [0.0, 0.0], "b": 3.0})
    assert np.allclose(other, [4.0, 4.0])
    verdicts = {claim.topic: claim.verdict for claim in pf.audit(scaled)}
    assert verdicts["determinant"] == verdicts["injective"] == "proven"
    for wrong, message in [
        ({"v2": 1.0}, "there is no parameter `v2`"),
        ({"w": [1.0]}, r"`w` is \[2\], and \[1\] was given"),
        ({"b": math.nan}, "holds NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            scaled.forward([1.0, 1.0], parameters=wrong)


def test_a_mistake_is_an_error_at_its_line():
    def wrong(z):
        a = z[0]
        return z + z[:1]  # here

    with pytest.raises(ValueError, match=r"add: the shapes differ; only scalars are broadcast \(given \[2\] and \[1\]\)") as raised:
        pf.bijection(wrong, dim=2)
    line = traceback.extract_tb(raised.value.__traceback__)[-1].line
    assert line.endswith("# here")


def undefined(kind, text, function, dim=2, **options):
    with pytest.raises(kind, match=text):
        pf.bijection(function, dim=dim, **options)


def test_what_has_no_meaning_is_refused_with_advice():
    choose = "pf.select"
    undefined(TypeError, choose, lambda z: z if z[0] > 0 else -z)
    undefined(TypeError, choose, lambda z: z if z[0] else -z)
    undefined(TypeError, "joined? conditions by|join conditions by", lambda z: pf.select((z > 0) and (z < 1), z, 0))
    undefined(TypeError, choose, lambda z: z * float(z[0]))
    undefined(TypeError, choose, lambda z: z * math.exp(z[0]))
    undefined(TypeError, choose, lambda z: z[int(z[0])])
    undefined(TypeError, choose, lambda z: z[z > 0])
    undefined(TypeError, "hardly ever equal", lambda z: pf.select(z == 0, 1, z))
    undefined(TypeError, "hardly ever equal", lambda z: pf.select(z != 0, 1, z))
    undefined(TypeError, r"numpy.exp takes numbers.*write pf.exp", lambda z: np.exp(z))
    undefined(TypeError, r"numpy.log takes numbers.*write pf.ln", lambda z: np.log(z))
    undefined(TypeError, r"numpy.where.*write pf.select", lambda z: np.where(z > 0, z, 1))
    undefined(TypeError, r"numpy.stack.*write pf.stack", lambda z: np.stack([z[0], z[1]]))
    undefined(TypeError, r"numpy.sum.*write pf.sum", lambda z: z * np.sum(z))
    undefined(TypeError, "numpy makes no array of it", lambda z: np.array([z[0], z[1]]))
    undefined(TypeError, "a condition is no number", lambda z: z * (z > 0))
    undefined(TypeError, "the condition is bool", lambda z: pf.select(True, z, 0))
    undefined(TypeError, "unsupported operand", lambda z: z + "a")
    undefined(TypeError, "neither a variable nor a number", lambda z: pf.exp("a"))
    undefined(TypeError, "unsupported operand", lambda z: z + None)
    undefined(TypeError, "returned tuple", lambda z: (z[0], z[1]))
    undefined(TypeError, "returned NoneType", lambda z: None)
    undefined(ValueError, "maps? 2 variables to 2|must map 2 variables to 2", lambda z: z[:1])
    undefined(ValueError, "must map 2 variables to 2, but it gives a scalar", lambda z: z[0])
    undefined(ValueError, "NaN cannot be a constant", lambda z: z + math.nan)
    undefined(ValueError, "inf cannot be a constant", lambda z: z * np.array([1.0, math.inf]))
    undefined(ValueError, "a matrix \\[m×k\\] takes a vector", lambda z: np.ones((2, 3)) @ z)
    undefined(ValueError, "have no 3 axes", lambda z: z + np.ones((1, 2, 2)))
    undefined(ValueError, "do not fill", lambda z: z.reshape(3))
    undefined(ValueError, "declared twice", lambda z: z * pf.parameter("a") + pf.parameter("a"))
    undefined(ValueError, "initial values of `a` are not all finite", lambda z: z + pf.parameter("a", init=math.nan))
    undefined(ValueError, "shape \\(3,\\), and its initial values \\(2,\\)", lambda z: z + pf.parameter("a", 3, [1.0, 2.0]))
    undefined(ValueError, "0 operands", lambda z: pf.stack([]))
    undefined(IndexError, "no element 2 among 2", lambda z: z[2])
    undefined(IndexError, "2 indices for 1 axes", lambda z: z[0, 0])
    undefined(IndexError, "a mask of 3", lambda z: z[[True, False, True]])
    undefined(ZeroDivisionError, "division by zero", lambda z: z * (1 / 0))
    undefined(ValueError, "0 variables", lambda z: z, dim=0)
    undefined(ValueError, "is empty", lambda z: z, domain=(1.0, 1.0))
    undefined(ValueError, "no domain `real`", lambda z: z, domain="real")
    undefined(ValueError, "is not a set of 2 variables", lambda z: z, domain=["positive", "reals", "reals"])
    undefined(ValueError, "no structure 'lower'", lambda z: z, structure="lower")
    undefined(ValueError, "must be a scalar", lambda z: z, log_det=lambda z: z)
    undefined(ValueError, "inverse must map", lambda z: z, inverse=lambda x: x[0])
    with pytest.raises(RuntimeError, match="pf.parameter belongs into the function of a bijection"):
        pf.parameter("a")
    with pytest.raises(RuntimeError, match="belongs into the function"):
        pf.exp(1.0)


def test_a_variable_is_used_in_its_own_call():
    kept = []
    pf.bijection(lambda z: kept.append(z) or z, dim=2)
    with pytest.raises(ValueError, match="two bijections"):
        pf.bijection(lambda z: z + kept[0], dim=2)
    with pytest.raises(ValueError, match="of another bijection"):
        pf.bijection(lambda z: kept[0], dim=2)


def test_an_error_that_is_caught_leaves_no_trace():
    def careful(z):
        try:
            z + np.ones(3)
        except ValueError:
            pass
        return 2 * z

    assert np.allclose(pf.bijection(careful, dim=2).forward([1.0, 2.0]), [2.0, 4.0])


def test_a_structure_is_proven_or_refused_with_the_line():
    wrong = pf.bijection(lambda z: pf.stack([z[0] + 0.1 * pf.tanh(z[1]), z[1]]), dim=2, structure="lower_triangular")
    with pytest.raises(ValueError, match=r"test_bijection\.py:\d+"):
        pf.derive(wrong)
    assert pf.bijection(lambda z: pf.stack([z[1], z[0]]), dim=2).structure != "dense"
    for structure in ("dense", ("triangular", [1, 0]), "upper_triangular"):
        map_ = pf.bijection(lambda z: pf.stack([z[0] + pf.tanh(z[1]), z[1]]), dim=2, structure=structure)
        assert map_.log_det([0.3, 0.4]) == pytest.approx(0.0, abs=1e-15)
    w = np.linspace(-1, 1, 8)
    planar = pf.bijection(lambda z: z + 0.2 * w * pf.tanh(pf.dot(w, z)), dim=8)
    assert "rank 1" in planar.structure


def test_what_is_given_by_hand_is_compared():
    right = dict(inverse=lambda x: pf.ln(x), log_det=lambda z: pf.sum(z), codomain="positive")
    exp = pf.bijection(lambda z: pf.exp(z), dim=2, **right)
    report = pf.audit(exp)
    assert report.has_no_refutation and report.of("given_log_det")[0].verdict in ("proven", "checked")
    assert np.allclose(exp.inverse([1.0, math.e]), [0.0, 1.0])
    wrong_inverse = pf.bijection(lambda z: pf.exp(z), dim=2, **{**right, "inverse": lambda x: pf.ln(x) + 1e-3})
    assert not pf.audit(wrong_inverse).has_no_refutation
    wrong_log_det = pf.bijection(lambda z: pf.exp(z), dim=2, **{**right, "log_det": lambda z: -pf.sum(z)})
    report = pf.audit(wrong_log_det)
    assert [claim.topic for claim in report if claim.verdict == "refuted"] == ["given_log_det"]


def test_a_fold_is_refuted():
    fold = pf.bijection(lambda z: z * z, dim=1)
    report = pf.audit(fold)
    assert not report.has_no_refutation
    assert any(claim.verdict == "refuted" for claim in report.of("injective") + report.of("determinant"))


def test_domains():
    square = pf.bijection(lambda z: z**2, dim=1, domain="positive", codomain="positive")
    assert (square.domain, square.codomain) == ("(0, ∞)", "(0, ∞)")
    assert pf.audit(square).of("injective")[0].verdict == "proven"
    assert square.inverse([4.0]) == pytest.approx([2.0])
    assert np.isnan(square.forward([-1.0])).all() and np.isnan(square.inverse([[-1.0], [0.0]])).all()
    assert math.isnan(square.log_det([-1.0]))
    both = pf.bijection(lambda z: z, dim=3, domain=["positive", (None, 2.0), (-1, 1)], codomain=["positive", (None, 2.0), (-1, 1)])
    assert both.domain == "(0, ∞) × (-∞, 2) × (-1, 1)"


def test_points_of_all_sorts():
    assert bend.forward(np.empty((0, 2))).shape == (0, 2) and bend.log_det(np.empty((0, 2))).shape == (0,)
    assert np.array_equal(bend.forward([[1, 2]]), bend.forward(np.array([[1, 2]], dtype=np.float32)))
    z = np.random.default_rng(6).normal(size=(6, 4))
    assert np.array_equal(bend.forward(z[:, ::2]), bend.forward(np.ascontiguousarray(z[:, ::2])))
    assert np.array_equal(bend.forward(np.asfortranarray(z[:, :2])), bend.forward(z[:, :2].copy()))
    assert np.isnan(bend.forward([math.nan, 1.0])[1])
    one = pf.bijection(lambda z: 2 * z, dim=1)
    assert one.forward([3.0]) == [6.0] and one.forward(3.0) == [6.0] and one.forward([[1.0], [2.0]]).shape == (2, 1)
    for wrong in ([1.0, 2.0, 3.0], np.ones((2, 3)), np.ones((1, 1, 2))):
        with pytest.raises(ValueError, match=r"points are rows of 2 numbers"):
            bend.forward(wrong)
    with pytest.raises(ValueError, match="points are rows of 1"):
        one.forward([1.0, 2.0])


def test_a_context():
    map_ = pf.bijection(lambda z: z * pf.exp(pf.context(2)[0]) + pf.context(2)[1], dim=1)
    assert np.allclose(map_.forward([[1.0], [2.0]], context=[[0.0, 1.0], [math.log(2), 0.0]]), [[2.0], [4.0]])
    assert np.allclose(map_.forward([1.0], context=[0.0, 5.0]), [6.0])
    with pytest.raises(ValueError, match="take contexts of 2 numbers"):
        map_.forward([1.0])
    assert pf.audit(map_).has_no_refutation


def test_compositions():
    both = pf.chain([bend, pf.inverse(bend), pf.layers.affine([2.0, 3.0], [0.0, 1.0])])
    assert both.layers == ["bend", "Inverse of bend", "Affine"]
    assert np.allclose(both.forward([0.3, 0.4]), [0.6, 2.2])
    assert both.log_det([0.3, 0.4]) == pytest.approx(math.log(6))
    with pytest.raises(ValueError, match="at least one layer"):
        pf.chain([])
    for wrong in (lambda: pf.chain([bend, lambda z: z]), lambda: pf.inverse(3)):
        with pytest.raises(TypeError, match="layers are bijections, not (function|int)"):
            wrong()
    with pytest.raises(ValueError, match="maps 1 variables"):
        pf.chain([bend, pf.layers.affine([1.0], [0.0])])


def test_a_bijection_is_pickled_without_its_function():
    again = pickle.loads(pickle.dumps(bend))
    z = np.random.default_rng(7).normal(size=(20, 2))
    assert np.array_equal(again.forward(z), bend.forward(z)) and str(pf.audit(again)) == str(pf.audit(bend))
    chain = pickle.loads(pickle.dumps(pf.chain([bend, pf.inverse(bend)])))
    assert np.allclose(chain.forward(z), z, atol=1e-12)
    assert bend.describe()["name"] == "recorded_map"


def test_a_file_with_a_bijection_of_python_is_read_without_it(tmp_path):
    flow = pf.Flow(pf.bases.standard_normal(2), [bend])
    flow.save(tmp_path / "bend.flow")
    code = "import sys, pushforward as pf; f = pf.Flow.load(sys.argv[1]); print(f.log_prob([[0.5, -1.0]])[0].hex(), f.layers)"
    told = subprocess.run([sys.executable, "-c", code, tmp_path / "bend.flow"], capture_output=True, text=True, check=True)
    assert told.stdout.split()[0] == flow.log_prob([[0.5, -1.0]])[0].hex() and "Bijection bend" in told.stdout


def test_recordings_of_two_threads_do_not_meet():
    results = {}

    def work(k):
        results[k] = [pf.bijection(lambda z: pf.stack([z[0], z[1] * pf.exp(z[0] * k)]), dim=2) for _ in range(30)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for k, maps in results.items():
        assert all(map_.log_det([0.5, 1.0]) == pytest.approx(0.5 * k) for map_ in maps)


def test_a_bijection_within_a_bijection_is_recorded_on_its_own():
    def outer(z):
        inner = pf.bijection(lambda y: 3 * y, dim=1)
        return z * inner.log_det([0.0])

    assert np.allclose(pf.bijection(outer, dim=1).forward([1.0]), math.log(3))


def test_it_shows_what_it_is():
    assert repr(bend) == "<Bijection bend: ℝ² → ℝ², lower triangular>"
    shown = []
    pf.bijection(lambda z: shown.extend([repr(z), repr(z[0]), repr(z > 0)]) or z, dim=2)
    assert shown == ["<Var: [2]>", "<Var: a scalar>", "<Condition: [2]>"]


def test_a_bijection_is_used_within_another():
    layer = pf.layers.affine_coupling(4, hidden=[8])

    def bend_of(z):
        return pf.concat([bend(z[:2]), bend(z[2:])])

    @pf.bijection(dim=4)
    def mixed(z):
        z = layer(z[::-1])
        z = layer(z[::-1], name="second")
        return layer(bend_of(z), name="third")

    names = sorted(mixed.parameters())
    assert len(names) == 15 and {name.split(".net")[0] for name in names if "net" in name} == {"layers.0", "second", "third"}
    rng = np.random.default_rng(8)
    own = {name: rng.normal(scale=0.3, size=value.shape) for name, value in mixed.parameters().items()}
    part = lambda scope: {name[len(scope) + 1 :]: value for name, value in own.items() if name.startswith(scope + ".")}
    z = rng.normal(size=(30, 4))
    first = layer(z[:, ::-1], parameters=part("layers.0"))
    second = layer(first[:, ::-1], parameters=part("second"))
    bent = np.concatenate([bend(second[:, :2]), bend(second[:, 2:])], axis=1)
    assert np.allclose(mixed(z, parameters=own), layer(bent, parameters=part("third")), atol=1e-12)
    undefined(ValueError, "named `a", lambda z: layer(layer(z, name="a"), name="a"), dim=4)
    undefined(ValueError, r"AffineCoupling maps \[4\], and \[3\] was given", lambda z: layer(z), dim=3)


def test_extremes_are_errors_and_no_crashes():
    for function in [pf.max_element, pf.softmax, pf.log_sum_exp, pf.cumsum, pf.log_softmax]:
        undefined(ValueError, "there is no element 0; it has none", lambda z: function(z[:0]))
    undefined(ValueError, "more than 2³¹ elements", lambda z: pf.broadcast(z[0], (1 << 40, 1 << 40)))
    undefined(ValueError, "more than 2³¹", lambda z: pf.parameter("a", (1 << 20, 1 << 20)))
    undefined(ValueError, "negative extent", lambda z: pf.broadcast(z[0], (-1, 2)))
    undefined(IndexError, "count from 0", lambda z: pf.gather(z, [-1]))
    undefined(IndexError, "no element 5", lambda z: pf.row(np.ones((2, 2)), 5))
    undefined(OverflowError, "too large", lambda z: pf.powi(z, 1 << 80))
    undefined(ValueError, "no operation `powi`", lambda z: pf.powi(z, 1 << 40))
    undefined(ValueError, "no operation `polygamma`", lambda z: pf.polygamma(z, -1))
    empty = pf.bijection(lambda z: pf.concat([z[:0], z]) + pf.sum(z[:0]), dim=2)
    assert np.array_equal(empty.forward([1.0, 2.0]), [1.0, 2.0])
    steep = pf.bijection(lambda z: z + pf.powi(z, -(1 << 31)), dim=1, structure="dense")
    assert not np.isfinite(steep.forward([0.5])).any()
    assert pf.bijection(lambda z: z * 2**60, dim=1).log_det([1.0]) == pytest.approx(60 * math.log(2))


def random_expression(rng, names, depth):
    """A formula of the names as Python source, defined for all numbers."""
    if depth == 0:
        return rng.choice([*names, f"{rng.uniform(-2, 2):.2f}"])
    a, b = (random_expression(rng, names, depth - 1) for _ in range(2))
    forms = [
        f"({a} + {b})", f"({a} - {b})", f"({a} * {b}) / (1 + abs({b}))", f"m.tanh({a})", f"m.sin({a})", f"({a}) ** 2 / 4",
        f"m.exp(-({a}) ** 2)", f"m.sqrt(1 + ({a}) ** 2)", f"m.where({a} + 0 * z[0] > {b}, {a}, m.cos({b} + 0 * z[0]))", f"m.sinh(m.tanh({a}))",
        f"-({a})", f"1 / (2 + m.cos({a}))",
    ]  # fmt: skip
    return rng.choice(forms)


class Numbers:
    """The functions of pushforward, of numbers where there is no variable."""

    def __getattr__(self, name):
        ours, theirs = getattr(pf, name), getattr(np, name)
        return lambda *given: ours(*given) if any(isinstance(a, (pf.Var, pf.Condition)) for a in given) else theirs(*given)


def test_random_formulas_are_those_of_jax():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        d = int(rng.integers(1, 4))
        rows = [f"z[{i}] + 0.1 * {random_expression(rng, [f'z[{k}]' for k in range(d)], 4)}" for i in range(d)]
        ours = pf.bijection(eval(f"lambda z: pf.stack([{', '.join(rows)}])", {"pf": pf, "m": Numbers(), "abs": abs}), dim=d)
        theirs = eval(f"lambda z: jnp.stack([{', '.join(rows)}])", {"jnp": jnp, "m": jnp, "abs": abs})
        points = rng.normal(size=(8, d))
        x, log_det = ours.forward_with_log_det(points)
        assert np.allclose(x, jax.vmap(theirs)(points), atol=1e-12), rows
        slogdet = np.linalg.slogdet(np.asarray(jax.vmap(jax.jacfwd(theirs))(points)))[1]
        assert np.allclose(log_det, slogdet, atol=1e-10), rows
        again = pickle.loads(pickle.dumps(ours))
        assert np.array_equal(again.forward(points), x), rows
