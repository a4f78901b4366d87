"""Layers, transformers and bases by their names: none is missing, each is the library's, and what is nearly right is told."""

import inspect
import json
import math
import pickle

import numpy as np
import pytest
from jax.scipy import stats

import pushforward as pf
from pushforward import _native

L, T, F = pf.layers, pf.transformers, pf.transforms
KNOTS = ([-2.0, 0.5, 1.0], [-1.0, 0.0, 3.0], [0.3, 2.0, 0.5])
NET = {"hidden": [5, 4]}

# Every layer of the library's catalogue, as it is written in Python.
CATALOGUE = {
    "affine_coupling_relu": lambda: L.affine_coupling(3, **NET, activation="relu"),
    "affine_coupling_given_a_context": lambda: L.affine_coupling(3, **NET, context=2),
    "maf_relu": lambda: L.maf(3, [6], activation="relu"),
    "conditional_affine": lambda: L.conditional(3, T.affine("identity"), 2, **NET),
    "conditional_spline": lambda: L.conditional(2, T.spline(4), 1, **NET),
    "affine": lambda: L.affine([2.0, -0.5, 1.0], [0.1, 0.0, -3.0]),
    "affine_fixed": lambda: L.affine([0.7, -2.0, 1.0], [5.0, 0.0, -0.1], learned=False),
    "act_norm": lambda: L.act_norm(data=[[0.0, 1.0], [2.0, 5.0], [1.0, -3.0]]),
    "batch_norm": lambda: L.batch_norm([0.8, -0.5], [2.2, 1.3]),
    "exp": lambda: L.elementwise("exp", 2),
    "ln": lambda: L.elementwise("ln", 2),
    "softplus": lambda: L.elementwise(F.softplus(2.5), 2),
    "sigmoid": lambda: L.elementwise(F.sigmoid(-1.0, 3.0), 2),
    "logit": lambda: L.elementwise("logit", 2),
    "squeezed_logit": lambda: L.elementwise(F.squeezed_logit(0.05), 2),
    "tanh": lambda: L.elementwise("tanh", 2),
    "softsign": lambda: L.elementwise("softsign", 2),
    "arctangent": lambda: L.elementwise("arctangent", 2),
    "normal_cdf": lambda: L.elementwise("normal_cdf", 2),
    "normal_quantile": lambda: L.elementwise("normal_quantile", 2),
    "sinh": lambda: L.elementwise("sinh", 2),
    "asinh": lambda: L.elementwise("asinh", 2),
    "sinh_arcsinh": lambda: L.elementwise(F.sinh_arcsinh(0.4, 1.3, normalise=True), 2),
    "cubic": lambda: L.elementwise(F.cubic(0.2), 2),
    "power": lambda: L.elementwise(F.power(1.7), 2),
    "negative_power": lambda: L.elementwise(F.power(-2.0), 2),
    "signed_power": lambda: L.elementwise(F.signed_power(1.5), 2),
    "box_cox": lambda: L.elementwise(F.box_cox(0.5), 2),
    "yeo_johnson": lambda: L.elementwise(F.yeo_johnson(0.5), 2),
    "leaky_relu": lambda: L.elementwise(F.leaky_relu(0.1), 2),
    "gumbel_cdf": lambda: L.elementwise(F.gumbel_cdf(0.3, 2.0), 2),
    "kumaraswamy_cdf": lambda: L.elementwise(F.kumaraswamy_cdf(2.0, 3.0), 2),
    "weibull_cdf": lambda: L.elementwise(F.weibull_cdf(2.0, 1.5), 2),
    "each_its_own": lambda: L.elementwise(["exp", "identity", F.sigmoid(-1.0, 3.0), F.exp()]),
    "rational_quadratic_spline_fixed": lambda: L.rational_quadratic_spline(3, knots=KNOTS, learned=False),
    "rational_quadratic_spline_learned": lambda: L.rational_quadratic_spline(3, knots=KNOTS),
    "rational_quadratic_spline": lambda: L.rational_quadratic_spline(3, bins=5, bound=2.0),
    "linear_spline": lambda: L.unconditional(2, T.polynomial_spline(1, 4, 2.0)),
    "quadratic_spline": lambda: L.unconditional(2, T.polynomial_spline(2, 4, 2.0)),
    "cubic_spline": lambda: L.unconditional(2, T.polynomial_spline(3, 4, 2.0)),
    "bernstein": lambda: L.unconditional(2, T.bernstein(5, 3.0)),
    "sum_of_squares": lambda: L.unconditional(2, T.sum_of_squares(2, 2)),
    "logistic_mixture": lambda: L.unconditional(2, T.logistic_mixture(3)),
    "deep_sigmoidal": lambda: L.unconditional(2, T.deep_sigmoidal(3, 2)),
    "deep_dense_sigmoidal": lambda: L.unconditional(2, T.deep_dense_sigmoidal(2, 2)),
    "monotone_network": lambda: L.unconditional(2, T.monotone_network([4], 2, 32)),
    "sinh_arcsinh_learned": lambda: L.unconditional(2, T.sinh_arcsinh()),
    "yeo_johnson_learned": lambda: L.unconditional(2, T.yeo_johnson()),
    "linear": lambda: L.linear([[2.0, 0.3, 0.0], [-1.0, 0.5, 0.2], [0.4, 0.0, 1.5]], [0.0, 1.0, 2.0]),
    "permutation": lambda: L.permutation([2, 0, 1]),
    "triangular": lambda: L.triangular(3),
    "upper_triangular": lambda: L.triangular(3, lower=False, signs=[1, -1, -1]),
    "plu": lambda: pf.chain(
        [
            L.triangular(3, lower=False, signs=[1, -1, 1]),
            L.triangular(3, unit=True),
            L.permutation([2, 0, 1]),
            L.act_norm(3),
        ]
    ),
    "qr": lambda: pf.chain([L.triangular(3, lower=False), L.householder(3, 2), L.act_norm(3)]),
    "squeeze": lambda: L.permutation(range(4)),
    "householder": lambda: L.householder(3, 2),
    "cayley": lambda: L.cayley(3),
    "matrix_exponential": lambda: L.matrix_exponential(3),
    "pointwise_convolution": lambda: L.pointwise_convolution(2, 2),
    "pointwise_convolution_unconstrained": lambda: L.pointwise_convolution(2, 2, unconstrained=True),
    "additive_coupling": lambda: L.additive_coupling(3, **NET),
    "affine_coupling": lambda: L.affine_coupling(3, **NET),
    "affine_coupling_raw": lambda: L.affine_coupling(3, "odd", log_scale="identity", **NET),
    "affine_coupling_tanh": lambda: L.affine_coupling(3, "second_half", log_scale="tanh", **NET),
    "affine_coupling_clipped": lambda: L.affine_coupling(3, "second_half", log_scale="soft_clipped", **NET),
    "spline_coupling": lambda: L.spline_coupling(3, mask="even", **NET),
    "logistic_mixture_coupling": lambda: L.coupling(3, T.logistic_mixture(3), **NET),
    "sigmoid_coupling": lambda: L.coupling(3, T.elementwise(F.sigmoid(-1.0, 3.0)), **NET),
    "iaf": lambda: L.iaf(3, [6, 5]),
    # Its hidden degrees were given one by one, which Python does not do.
    "iaf_in_an_order": None,
    "maf": lambda: L.maf(3, [6]),
    "autoregressive_spline": lambda: L.autoregressive_spline(3, 4, 3.0, [6]),
    "neural_autoregressive": lambda: L.autoregressive(3, T.deep_sigmoidal(3, 1), [6]),
    "sinh_autoregressive": lambda: L.autoregressive(3, T.elementwise("sinh"), [6]),
    "block_neural_autoregressive": lambda: L.block_neural_autoregressive(2, [2, 2]),
    "ordered": lambda: L.ordered(3),
    "stick_breaking": lambda: L.stick_breaking(3),
    "centred_softmax": lambda: L.centred_softmax(3),
    "lower_triangular_positive": lambda: L.elementwise(["exp", "identity", "exp"]),
    "covariance_from_cholesky": lambda: L.covariance_from_cholesky(2),
    "correlation_cholesky": lambda: L.correlation_cholesky(3),
    "polar": lambda: L.polar(),
    "spherical": lambda: L.spherical(3),
    "blockwise": lambda: L.blockwise(
        [L.affine([2.0], [0.1]), L.elementwise("exp", 1), ([2, 3], L.householder(2, 1))]
    ),
    "planar": lambda: L.planar(3),
    "radial": lambda: L.radial(3),
    "residual": lambda: L.residual(3, [4]),
    "residual_by_row_and_column_sums": lambda: L.residual(2, [3, 3], 0.5, "one_infinity"),
    "residual_softplus": lambda: L.residual(2, [3], activation="softplus"),
    "sylvester": lambda: L.sylvester(4, [[0.6, 0.0], [0.8, 0.0], [0.0, 1.0], [0.0, 0.0]]),
    "ffjord": lambda: L.continuous(2, [5, 4], relative=1e-12, absolute=1e-12, tolerance=1e-8),
}


def near(ours, theirs):
    """Whether two descriptions are the same up to the last digits of numbers."""
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and ours.keys() == theirs.keys() and all(near(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(near, ours, theirs))
    if isinstance(ours, float):
        return isinstance(theirs, (int, float)) and math.isclose(ours, theirs, rel_tol=1e-14)
    return ours == theirs


def test_every_layer_of_the_catalogue_is_written_in_python():
    library = {name: (kind, json.loads(settings)) for name, kind, settings in _native.catalogue()}
    assert library.keys() == CATALOGUE.keys()
    for name, (kind, settings) in library.items():
        if CATALOGUE[name] is None:
            continue
        own = CATALOGUE[name]().describe()
        assert own["name"] == kind and near(settings, own["settings"]), name


def test_no_name_of_a_model_file_is_missing():
    # A recorded map is made by pf.bijection.
    assert set(_native.registered("layers")) - {"recorded_map"} <= set(L.NAMES)
    assert set(_native.registered("transformers")) == set(T.NAMES)
    assert set(_native.registered("bases")) == set(pf.bases.NAMES)
    assert _native.registered("fields") == ["network", "probability_flow"]
    transforms = json.dumps([json.loads(settings) for _, kind, settings in _native.catalogue() if kind == "elementwise"])
    for module in (L, T, F, pf.bases):
        assert set(module.NAMES) < set(dir(module)) and "np" not in dir(module) and all(hasattr(module, n) for n in dir(module))
    for name in F.NAMES:
        options = {k: 0.5 for k, p in inspect.signature(getattr(F, name)).parameters.items() if p.default is p.empty}
        settings = getattr(F, name)(**options).settings
        assert f'"{settings if isinstance(settings, str) else next(iter(settings))}"' in transforms, name
    for module in (L, T, F, pf.bases):
        for name in module.NAMES:
            assert getattr(module, name).__doc__, name


def test_layers_that_are_not_in_the_catalogue():
    circle = L.circular_spline(2, 4)
    assert circle.domain == "[-π, π)²"
    fixed = L.circular_spline(1, knots=([-np.pi, 0.5, np.pi], [-np.pi, 0.0, np.pi], [0.5, 2.0, 0.5]), turn=1.0)
    assert fixed.inverse(fixed.forward([[0.3], [-2.0]])) == pytest.approx(np.array([[0.3], [-2.0]]))
    conditional = L.conditional(2, T.affine(), context=1, hidden=[4])
    assert np.allclose(conditional.forward([1.0, 2.0], context=[0.5]), [1.0, 2.0])
    data = np.array([[100.0, 2.0, 7.0], [104.0, 1.0, 7.0], [90.0, 4.0, 7.0]])
    standard = L.standardising(data)
    z = standard.inverse(data)
    assert np.allclose(z.mean(0), 0) and np.allclose(z.std(0), [1, 1, 0])
    # An order of the variables: the first of it depends on no other.
    layer = L.iaf(3, [8], order=[2, 0, 1])
    noisy = {name: np.random.default_rng(0).normal(size=value.shape) for name, value in layer.parameters().items()}
    moved = layer.forward(np.eye(3), parameters=noisy) - layer.forward(np.zeros((3, 3)), parameters=noisy)
    depends = np.abs(moved) > 1e-12  # row j: what the step of variable j moves
    assert depends[2].all() and list(depends[0]) == [True, True, False] and list(depends[1]) == [False, True, False]
    assert np.array_equal(L.reverse(3).forward([1.0, 2.0, 3.0]), [3.0, 2.0, 1.0])


def test_layers_start_as_the_identity_and_are_inverted():
    points = np.random.default_rng(1).normal(size=(20, 4))
    for layer in (L.affine_coupling(4), L.spline_coupling(4), L.iaf(4), L.maf(4), L.autoregressive_spline(4)):
        assert np.allclose(layer.forward(points), points, atol=1e-12)
        own = {name: value + 0.1 for name, value in layer.parameters().items()}
        x = layer.forward(points, parameters=own)
        assert not np.allclose(x, points)
        assert np.allclose(layer.inverse(x, parameters=own), points, atol=1e-9)


def test_a_name_that_is_nearly_right():
    for module, name, meant in [
        (L, "afine_coupling", "affine_coupling"),
        (T, "bernsten", "bernstein"),
        (F, "sigmoidal", "sigmoid"),
        (pf.bases, "normal", "standard_normal"),
    ]:
        with pytest.raises(AttributeError, match=rf"there is no \w+ `{name}` \(did you mean `{meant}`\?\); there are"):
            getattr(module, name)
    with pytest.raises(TypeError, match=r"affine_coupling has no option `hiden` \(did you mean `hidden`\?\)"):
        L.affine_coupling(4, hiden=[3])
    for wrong, message in [
        (lambda: L.affine_coupling(4, mask="firsthalf"), r"did you mean `first_half`\?"),
        (lambda: L.affine_coupling(4, log_scale="bound"), r"did you mean `bounded`\?"),
        (lambda: L.elementwise("expp", 2), r"no transform `expp` \(did you mean `exp`\?\)"),
        (lambda: L.elementwise("cubic", 2), r"write pf.transforms.cubic"),
        (lambda: L.residual(2, constraint="frobenus"), r"did you mean `frobenius`\?"),
        (lambda: L.continuous(2, solver="rk4"), "is not known"),
    ]:
        with pytest.raises(ValueError, match=message):
            wrong()


def test_what_cannot_be_built_is_refused_with_the_librarys_text():
    for wrong, message in [
        (lambda: L.affine([1.0, 2.0], [0.0]), "the numbers of scales and shifts differ"),
        (lambda: L.affine([0.0], [0.0], learned=False), "not 0"),
        (lambda: L.affine([math.nan], [0.0]), "finite"),
        (lambda: L.permutation([0, 0]), "permutation"),
        (lambda: L.permutation([0.5, 1.0]), "whole numbers"),
        (lambda: L.affine_coupling(1), "both parts"),
        (lambda: L.affine_coupling(3, mask=[True, True, True]), "both parts"),
        (lambda: L.affine_coupling(3, mask=[True, False]), "truth value for each of the 3"),
        (lambda: L.spline_coupling(4, bins=1), "bins"),
        (lambda: L.iaf(3, order=[0, 1]), "each of 0 to 2 once"),
        (lambda: L.planar(-1), "planar: invalid value"),
        (lambda: L.sylvester(3, np.eye(2)), "q has 3 rows"),
        (lambda: L.residual(2, coefficient=1.5), "between 0 and 1|Lipschitz"),
        (lambda: L.spherical(1), "at least 2"),
        (lambda: L.blockwise([([0, 2], L.planar(2))]), "each of 0 to 1 once"),
        (lambda: L.linear(np.ones((2, 3))), "square matrix"),
        (lambda: L.act_norm(), "dim or data"),
        (lambda: L.act_norm(data=[[1.0], [1.0]]), "constant"),
        (lambda: L.triangular(3, lower=False, unit=True), "unit diagonal"),
        (lambda: pf.bases.student_t(2, -1.0), "degrees"),
        (lambda: pf.bases.beta([1.0], [1.0, 2.0]), "an a and a b"),
        (lambda: pf.bases.gaussian_mixture([1.0], [[0.0]], [[[-1.0]]]), "positive definite"),
        (lambda: pf.bases.gaussian_mixture([1.0, 1.0], [[0.0]], [[[1.0]]]), "weights \\(k,\\)"),
        (lambda: pf.bases.mixture([1.0, -1.0], [pf.bases.laplace(1)] * 2), "positive"),
        (lambda: pf.bases.mixture([1.0, 1.0], [pf.bases.laplace(1), pf.bases.uniform(1)]), "one support"),
    ]:
        with pytest.raises(ValueError, match=message):
            wrong()
    with pytest.raises(TypeError, match="one of pf.transformers, not str"):
        L.coupling(4, "affine")


def base_log_prob(base, points):
    flow = pf.Flow(base, [pf.layers.affine(np.ones(base.dim), np.zeros(base.dim))])
    return flow.log_prob(points)


def test_bases_have_the_densities_of_the_books():
    rng = np.random.default_rng(2)
    x, unit = rng.normal(size=(30, 2)), rng.uniform(0.05, 0.95, size=(30, 2))
    t = stats.t.logpdf(x, 4.0).sum(1)
    gram = np.einsum("ni,ni->n", x, x)
    multivariate = (
        math.lgamma(3.0) - math.lgamma(2.0) - math.log(4.0 * math.pi) - 3.0 * np.log1p(gram / 4.0)
    )
    weights, means = np.array([0.3, 0.7]), np.array([[0.0, 1.0], [-1.0, 0.5]])
    covariances = np.array([[[2.0, 0.5], [0.5, 1.0]], [[1.0, -0.3], [-0.3, 0.4]]])
    components = [stats.multivariate_normal.logpdf(x, m, c) for m, c in zip(means, covariances)]
    cases = [
        (pf.bases.standard_normal(2), x, stats.norm.logpdf(x).sum(1)),
        (pf.bases.student_t(2, 4.0), x, t),
        (pf.bases.multivariate_student_t(2, 4.0), x, multivariate),
        (pf.bases.laplace(2), x, stats.laplace.logpdf(x).sum(1)),
        (pf.bases.logistic(2), x, stats.logistic.logpdf(x).sum(1)),
        (pf.bases.gumbel(2), x, (-x - np.exp(-x)).sum(1)),
        (pf.bases.uniform(2), unit, np.zeros(30)),
        (pf.bases.uniform(2, angles=True), x, np.full(30, -2 * math.log(2 * math.pi))),
        (pf.bases.beta([2.0, 0.5], [3.0, 1.5]), unit, stats.beta.logpdf(unit, np.array([2.0, 0.5]), np.array([3.0, 1.5])).sum(1)),
        (pf.bases.gaussian_mixture(weights, means, covariances), x, np.logaddexp(*(np.log(weights)[:, None] + components))),
        (
            pf.bases.mixture([1.0, 3.0], [pf.bases.laplace(2), pf.bases.standard_normal(2)]),
            x,
            np.logaddexp(math.log(0.25) + stats.laplace.logpdf(x).sum(1), math.log(0.75) + stats.norm.logpdf(x).sum(1)),
        ),
    ]
    for base, points, want in cases:
        assert np.allclose(base_log_prob(base, points), want, atol=1e-6), base.name
    shares = rng.dirichlet([2.0, 1.0, 3.0], size=20)[:, :2]
    want = [float(stats.dirichlet.logpdf(np.append(row, 1 - row.sum()), np.array([2.0, 1.0, 3.0]))) for row in shares]
    base = pf.bases.dirichlet([2.0, 1.0, 3.0])
    flow = pf.Flow(base, [pf.bijection(lambda z: z, dim=2, domain="simplex", codomain="simplex")])
    assert np.allclose(flow.log_prob(shares), want, atol=1e-5)
    angles = rng.uniform(-3, 3, size=(20, 1))
    circle = dict(dim=1, domain="circle", codomain="circle")
    flow = pf.Flow(pf.bases.von_mises([0.4], [2.0]), [pf.bijection(lambda z: z, **circle)])
    assert np.allclose(flow.log_prob(angles), stats.vonmises.logpdf(angles[:, 0] - 0.4, 2.0), atol=1e-5)
    assert pf.bases.von_mises_fisher([0.0, 0.0, 1.0], 2.0).dim == 2


def test_bases_are_pickled():
    for base in (pf.bases.student_t(2, 3.0), pf.bases.mixture([1.0, 2.0], [pf.bases.laplace(1), pf.bases.logistic(1)])):
        assert pickle.loads(pickle.dumps(base)).describe() == base.describe()
