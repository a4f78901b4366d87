//! Reference values computed outside of this project, with 50 digits: every case of every file in
//! `tests/vectors`, or in the folder named by `PUSHFORWARD_VECTORS`.
//!
//! A family that is not implemented here is counted as skipped, by name. A new one is an arm of
//! `elementwise`, of `layer` or of `scalar`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pushforward::bijection::{forward_with_log_det, inverse_with_log_det, record_inverse};
use pushforward::layers::{lower_triangular_positive, plu};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::{NodeId, Subgraph};
use serde_json::Value;

/// What was found of one family.
#[derive(Default)]
struct Family {
    cases: usize,
    points: usize,
    skipped: usize,
    worst: BTreeMap<&'static str, f64>,
}

impl Family {
    /// Takes one number into account; relative to the larger of 1 and what is expected.
    fn compare(&mut self, what: &'static str, found: f64, expected: f64) {
        let same = found == expected || (found.is_nan() && expected.is_nan());
        let off = if same { 0.0 } else { (found - expected).abs() / expected.abs().max(1.0) };
        let worst = self.worst.entry(what).or_insert(0.0);
        *worst = if off.is_nan() { f64::INFINITY } else { worst.max(off) };
    }
}

fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        Some(other) => panic!("{other} is no number"),
        None => value.as_f64().unwrap_or_else(|| panic!("{value} is no number")),
    }
}

/// All numbers in a value, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(list) => list.iter().flat_map(numbers).collect(),
        None => vec![number(value)],
    }
}

/// The catalogue's layer for an elementwise transform of one variable.
fn elementwise(transform: &str, p: &Value, d: usize) -> Option<Box<dyn Bijection>> {
    let of = |key: &str| number(&p[key]);
    let list = |key: &str| numbers(&p[key]);
    let transform = match transform {
        "rq_spline" => {
            let (x, y, slopes) = (list("knots_x"), list("knots_y"), list("slopes"));
            return Some(Box::new(RationalQuadraticSpline::fixed(1, x, y, slopes)));
        }
        "circular_rq_spline" => {
            let (x, y, slopes) = (list("knots_x"), list("knots_y"), list("slopes"));
            return Some(Box::new(CircularSpline::fixed(1, x, y, slopes).turned(of("shift"))));
        }
        "affine" => return Some(Box::new(Affine::new([of("a")], [of("b")]))),
        "exp" => Transform::Exp,
        "softplus" => Transform::Softplus { sharpness: p.get("beta").map_or(1.0, number) },
        "sigmoid" => Transform::Sigmoid { lower: 0.0, upper: 1.0 },
        "sigmoid_range" => Transform::Sigmoid { lower: of("lo"), upper: of("hi") },
        "logit" => Transform::Logit,
        "tanh" => Transform::Tanh,
        "leaky_relu" => Transform::LeakyRelu { slope: of("alpha") },
        "logit_alpha" => Transform::SqueezedLogit { alpha: of("alpha") },
        "sinh_arcsinh" => {
            Transform::SinhArcsinh { skew: of("skew"), tail: of("tail"), normalise: p["normalize"] == true }
        }
        "power" => Transform::Power { exponent: of("p") },
        "gumbel_cdf" => Transform::GumbelCdf { location: of("loc"), scale: of("scale") },
        "kumaraswamy_cdf" => Transform::KumaraswamyCdf { a: of("a"), b: of("b") },
        _ => return None,
    };
    Some(Box::new(Elementwise::new(transform, d)))
}

/// The perceptron with the degrees of a masked network.
fn masked_network(p: &Value) -> MaskedNetwork {
    let mut degrees: Vec<Vec<usize>> = p["net"]["degrees"]
        .as_array()
        .expect("degrees of inputs, hidden units and outputs")
        .iter()
        .map(|list| numbers(list).iter().map(|degree| *degree as usize).collect())
        .collect();
    degrees.pop();
    let network = MaskedNetwork::with_degrees(degrees.remove(0), degrees);
    match p["net"].get("context") {
        // The reference has no units that see the context alone.
        Some(context) => network.with_context(numbers(context).len()).first_without_context(),
        None => network,
    }
}

/// A spline by the rule with least widths, heights and slopes.
fn least_spline(p: &Value) -> SplineTransformer {
    let of = |key: &str| number(&p[key]);
    let bins = p.get("bins").map_or_else(|| numbers(&p["raw_widths"]).len(), |bins| number(bins) as usize);
    let (width, height, slope) = (of("min_width"), of("min_height"), of("min_slope"));
    SplineTransformer::new(bins, of("bound")).with_constraint(SplineConstraint::Minimum {
        width,
        height,
        slope,
    })
}

/// The vectors' networks say all numbers of one variable, then all of the next; ours the first number of each variable,
/// then the second of each. The rows of the last layer change places.
fn regroup(parameters: &mut Parameters, variables: usize) {
    let last = (0..).take_while(|k| parameters.get(&format!("net.{k}.bias")).is_some()).last();
    let last = last.expect("a network has a layer");
    for name in ["weight", "bias"] {
        let name = format!("net.{last}.{name}");
        let tensor = parameters.get(&name).expect("it was set").clone();
        let rows: Vec<&[f64]> = tensor.values.chunks(tensor.values.len() / tensor.shape.rows()).collect();
        let each = rows.len() / variables;
        let moved = (0..rows.len()).flat_map(|row| rows[row % variables * each + row / variables]).copied();
        parameters.set(&name, tensor.shape, moved.collect()).expect("it fits");
    }
}

/// The vectors' autoregressive networks say all shifts, then all log-scales; ours the log-scales first. The halves of the
/// last layer change places.
fn scales_first(parameters: &mut Parameters) {
    let last = (0..).take_while(|k| parameters.get(&format!("net.{k}.bias")).is_some()).last();
    let last = last.expect("a network has a layer");
    for name in ["weight", "bias"] {
        let name = format!("net.{last}.{name}");
        let mut tensor = parameters.get(&name).expect("it was set").clone();
        let half = tensor.values.len() / 2;
        tensor.values.rotate_left(half);
        parameters.set(&name, tensor.shape, tensor.values).expect("it fits");
    }
}

/// The catalogue's layer for a transform of several variables, with its parameters.
fn layer(transform: &str, p: &Value, d: usize) -> Option<(Box<dyn Bijection>, Parameters)> {
    let mut parameters = Parameters::default();
    let mask = || CouplingMask::new(&numbers(&p["mask"]).iter().map(|m| *m == 1.0).collect::<Vec<_>>());
    let mut network = || {
        let layers = p["net"]["layers"].as_array().expect("a network has layers");
        for (k, layer) in layers.iter().enumerate() {
            let bias = numbers(&layer["b"]);
            let weight = numbers(&layer["W"]);
            let shape = Shape::Matrix(bias.len(), weight.len() / bias.len());
            parameters.set(&format!("net.{k}.weight"), shape, weight).expect("it fits");
            let shape = Shape::Vector(bias.len());
            parameters.set(&format!("net.{k}.bias"), shape, bias).expect("it fits");
        }
        let widths = layers[..layers.len() - 1].iter().map(|layer| numbers(&layer["b"]).len());
        (p["net"]["activation"] == "tanh").then(|| Network::new(widths.collect::<Vec<_>>()))
    };
    let layer: Box<dyn Bijection> = match transform {
        "additive_coupling" => Box::new(AdditiveCoupling::new(mask(), network()?)),
        "affine_coupling" => {
            let log_scale = match p["log_scale"].as_str()? {
                "raw" => ScaleMap::Identity,
                "softclip" => ScaleMap::SoftClipped { slope: number(&p["slope"]) },
                "tanh" => ScaleMap::Bounded,
                _ => return None,
            };
            let layer = AffineCoupling::new(mask(), network()?).with_log_scale(log_scale);
            if log_scale == ScaleMap::Bounded {
                let moved = numbers(&p["mask"]).iter().filter(|m| **m == 0.0).count();
                let values = vec![number(&p["alpha"]).ln(); moved];
                parameters.set("log_bound", Shape::Vector(moved), values).expect("it fits");
            }
            Box::new(layer)
        }
        "iaf" | "maf" => {
            network()?;
            scales_first(&mut parameters);
            if let Some(first) = p["net"]["layers"][0].get("C") {
                let (rows, all) = (numbers(&p["net"]["layers"][0]["b"]).len(), numbers(first));
                let shape = Shape::Matrix(rows, all.len() / rows);
                parameters.set("net.context", shape, all).expect("it fits");
                let context = numbers(&p["net"]["context"]);
                parameters.set("context", Shape::Vector(context.len()), context).expect("it fits");
            }
            match transform {
                "iaf" => Box::new(Autoregressive::iaf(masked_network(p))),
                _ => Box::new(Autoregressive::maf(masked_network(p))),
            }
        }
        "rq_spline_coupling" => {
            let moved = numbers(&p["mask"]).iter().filter(|m| **m == 0.0).count();
            let layer = SplineCoupling::new(mask(), network()?, least_spline(p));
            regroup(&mut parameters, moved);
            Box::new(layer)
        }
        "autoregressive_rq_spline" => {
            network()?;
            regroup(&mut parameters, d);
            Box::new(Autoregressive::spline(masked_network(p), least_spline(p)))
        }
        "composition" => {
            let mut layers = Vec::new();
            for (k, part) in p["layers"].as_array().expect("a composition has layers").iter().enumerate() {
                let name = part["transform"].as_str().expect("a transform has a name");
                let (own, values) = layer(name, &part["params"], d)?;
                layers.push(own);
                for (name, tensor) in values.iter() {
                    let name = format!("layers.{k}.{name}");
                    parameters.set(&name, tensor.shape, tensor.values.clone()).expect("it fits");
                }
            }
            Box::new(Chain::new(layers))
        }
        "elementwise" => elementwise(p["fn"].as_str()?, &p["params"], d)?,
        "linear_plu" => {
            let square = |key: &str| (Shape::Matrix(d, d), numbers(&p[key]));
            let row = |key: &str| (Shape::Vector(d), numbers(&p[key]));
            for (name, (shape, values)) in [
                ("layers.0.weight", square("U")),
                ("layers.0.log_diagonal", row("log_diag")),
                ("layers.1.weight", square("L")),
                ("layers.3.bias", row("bias")),
            ] {
                parameters.set(name, shape, values).expect("it fits");
            }
            let positions: Vec<usize> = numbers(&p["perm"]).iter().map(|i| *i as usize).collect();
            Box::new(plu(positions, numbers(&p["sign"])))
        }
        "permutation" => {
            Box::new(Permutation::new(numbers(&p["perm"]).iter().map(|i| *i as usize).collect::<Vec<_>>()))
        }
        "actnorm" => {
            for name in ["log_scale", "bias"] {
                parameters.set(name, Shape::Vector(d), numbers(&p[name])).expect("it fits");
            }
            Box::new(ActNorm::new(d))
        }
        "batchnorm" => {
            for (name, key) in [("shift", "beta"), ("log_scale", "log_gamma")] {
                parameters.set(name, Shape::Vector(d), numbers(&p[key])).expect("it fits");
            }
            Box::new(BatchNorm::new(numbers(&p["mean"]), numbers(&p["var"]), number(&p["eps"])))
        }
        "householder" => {
            let vectors = numbers(&p["vs"]);
            let count = vectors.len() / d;
            // The same reflections by vectors in which the entry of the layer's convention is 1.
            let own = |e: usize| vectors[e / d * d + e / d % d];
            let others = (0..count * d).filter(|e| e % d != e / d % d).map(|e| vectors[e] / own(e));
            parameters.set("vectors", Shape::Matrix(count, d - 1), others.collect()).expect("it fits");
            Box::new(Householder::new(d, count))
        }
        "conv1x1" => {
            let pixels = (number(&p["height"]) * number(&p["width"])) as usize;
            let channels = d / pixels;
            parameters.set("weight", Shape::Matrix(channels, channels), numbers(&p["W"])).expect("it fits");
            Box::new(PointwiseConvolution::unconstrained(pixels, channels))
        }
        "planar" => {
            for name in ["w", "u"] {
                parameters.set(name, Shape::Vector(d), numbers(&p[name])).expect("it fits");
            }
            parameters.set("b", Shape::Scalar, vec![number(&p["b"])]).expect("it fits");
            let layer = Planar::new(d);
            Box::new(if p["constrain"] == true { layer } else { layer.unconstrained() })
        }
        "radial" => {
            parameters.set("centre", Shape::Vector(d), numbers(&p["z0"])).expect("it fits");
            for name in ["alpha", "beta"] {
                parameters.set(name, Shape::Scalar, vec![number(&p[name])]).expect("it fits");
            }
            let layer = Radial::new(d);
            Box::new(if p["constrain"] == true { layer } else { layer.unconstrained() })
        }
        "sylvester" => {
            let (q, b) = (numbers(&p["Q"]), numbers(&p["b"]));
            let m = b.len();
            parameters.set("b", Shape::Vector(m), b).expect("it fits");
            for (name, key) in [("r", "R"), ("r_tilde", "Rt")] {
                parameters.set(name, Shape::Matrix(m, m), numbers(&p[key])).expect("it fits");
            }
            Box::new(Sylvester::new(d, q).unconstrained())
        }
        "stick_breaking" => Box::new(StickBreaking::new(d)),
        "ordered" => Box::new(Ordered::new(d)),
        "polar" => Box::new(Polar),
        "lower_triangular_positive" => {
            let diagonal = match p["diag"].as_str()? {
                "exp" => Transform::Exp,
                _ => Transform::Softplus { sharpness: 1.0 },
            };
            Box::new(lower_triangular_positive(number(&p["n"]) as usize, diagonal))
        }
        _ => return None,
    };
    Some((layer, parameters))
}

/// x, ln|det J| and the Jacobian's diagonal direction by direction; and z from x.
struct Ready {
    forward: Program<f64>,
    inverse: Program<f64>,
    d: usize,
}

impl Ready {
    fn new(layer: &dyn Bijection, parameters: &Parameters) -> Ready {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(layer.dim()));
        let pushed = forward_with_log_det(layer, z).unwrap_or_else(|error| panic!("{error}"));
        let own = pushforward::jacobian::map(&tape, z.id(), pushed.x.id());
        let jacobian = pushforward::jacobian::jacobian(&tape, &own);
        let subgraph = Subgraph::new(&tape, &[z.id()], &[pushed.log_det.id()]);
        let slope = adjoint(&tape, &subgraph, &[(pushed.log_det.id(), tape.constant(1.0))], &[z.id()])[0];
        let slope = slope.unwrap_or_else(|| tape.constant(0.0).broadcast(z.shape()));
        let outputs = [pushed.x, pushed.log_det, jacobian, slope].map(|var| Output::Each(var.id()));
        let mut forward = Program::compile(&tape, &[z.id()], &outputs);
        let all = |tape: &Tape| {
            let mut all = Parameters::initialise(tape, 0);
            for (name, tensor) in parameters.iter() {
                all.set(name, tensor.shape, tensor.values.clone()).expect("it fits");
            }
            all
        };
        forward.load(&all(&tape)).expect("its parameters");
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(layer.dim()));
        let z = record_inverse(layer, x).unwrap_or_else(|error| panic!("{error}"));
        let mut inverse = Program::compile(&tape, &[x.id()], &[Output::Each(z.id())]);
        inverse.load(&all(&tape)).expect("its parameters");
        Ready { forward, inverse, d: layer.dim() }
    }

    /// x, ln|det J|, J, the gradient of ln|det J|.
    fn forward(&mut self, z: &[f64]) -> Vec<Vec<f64>> {
        self.forward.run(&[z], z.len() / self.d).expect("whole rows")
    }

    fn inverse(&mut self, x: &[f64]) -> Vec<f64> {
        self.inverse.run(&[x], x.len() / self.d).expect("whole rows").swap_remove(0)
    }
}

fn scalar_case(case: &Value, family: &mut Family) {
    let name = case["transform"].as_str().expect("a transform has a name");
    let Some(layer) = elementwise(name, &case["params"], 1) else {
        family.skipped += 1;
        return;
    };
    scalar_points(Ready::new(&layer, &Parameters::default()), case, family);
}

/// A spline of one variable from unconstrained numbers: its knots, then its points.
fn raw_spline_case(case: &Value, family: &mut Family) {
    let spline = match case["convention"].as_str() {
        Some("nflows") => least_spline(case),
        _ => {
            let rule = SplineConstraint::SoftClipped { slope: number(&case["slope"]) };
            SplineTransformer::new(numbers(&case["raw_widths"]).len(), number(&case["bound"]))
                .with_constraint(rule)
        }
    };
    let mut parameters = Parameters::default();
    for name in ["widths", "heights", "slopes"] {
        let values = numbers(&case[format!("raw_{name}")]);
        parameters.set(name, Shape::Vector(values.len()), values).expect("it fits");
    }
    let mut ready = Ready::new(&RationalQuadraticSpline::bounded(1, spline), &parameters);
    let at_knots = ready.forward(&numbers(&case["knots_x"]));
    for (k, (y, slope)) in numbers(&case["knots_y"]).into_iter().zip(numbers(&case["slopes"])).enumerate() {
        family.compare("knots", at_knots[0][k], y);
        family.compare("slopes", at_knots[2][k], slope);
    }
    scalar_points(ready, case, family);
}

fn scalar_points(mut ready: Ready, case: &Value, family: &mut Family) {
    let (z, x, log_det) = (numbers(&case["z"]), numbers(&case["x"]), numbers(&case["log_det"]));
    let found = ready.forward(&z);
    for k in 0..z.len() {
        family.compare("x", found[0][k], x[k]);
        family.compare("ln|det J|", found[1][k], log_det[k]);
        if let Some(slope) = case.get("dlog_det_dz").map(|list| &list[k]).filter(|slope| !slope.is_null()) {
            family.compare("gradients", found[3][k], number(slope));
        }
        if let Some(slope) = case.get("dxdz").map(|list| &list[k]).filter(|slope| !slope.is_null()) {
            family.compare("J", found[2][k], number(slope));
        }
    }
    if let Some(inverse) = case.get("inverse") {
        let (x, z, log_det) = (numbers(&inverse["x"]), numbers(&inverse["z"]), numbers(&inverse["log_det"]));
        for (k, found) in ready.inverse(&x).into_iter().enumerate() {
            // Where f is flat, one bit of x is many of z: |x|·|dz/dx|.
            let allowed = 1.0 + z[k].abs() + x[k].abs() * log_det[k].exp();
            family.compare("z", found / allowed, z[k] / allowed);
        }
    }
    family.cases += 1;
    family.points += z.len();
}

fn vector_case(case: &Value, family: &mut Family) {
    let d = case["dim"].as_u64().expect("a dimension") as usize;
    let name = case["transform"].as_str().expect("a transform has a name");
    let Some((layer, parameters)) = layer(name, &case["params"], d) else {
        family.skipped += 1;
        return;
    };
    let mut ready = Ready::new(&layer, &parameters);
    for point in case["points"].as_array().expect("points") {
        let found = ready.forward(&numbers(&point["z"]));
        let mut compare = |what, found: &[f64], key: &str| {
            if let Some(expected) = point.get(key).map(numbers) {
                found.iter().zip(expected).for_each(|(f, e)| family.compare(what, *f, e));
            }
        };
        compare("x", &found[0], "x");
        compare("ln|det J|", &found[1], "log_det");
        compare("J", &found[2], "jacobian");
        compare("gradients", &found[3], "grad_log_det");
        family.points += 1;
    }
    for point in case.get("inverse_points").and_then(Value::as_array).into_iter().flatten() {
        let found = ready.inverse(&numbers(&point["x"]));
        found.iter().zip(numbers(&point["z"])).for_each(|(f, e)| family.compare("z", *f, e));
    }
    family.cases += 1;
}

/// A base, and where and how wide it is.
fn base(distribution: &str, p: &Value, d: usize) -> Option<(Box<dyn Base>, Box<dyn Bijection>)> {
    let placed = |loc: Vec<f64>, scale: Vec<f64>| Box::new(Affine::new(scale, loc)) as Box<dyn Bijection>;
    let located = || placed(numbers(&p["loc"]), numbers(&p["scale"]));
    let mixture = |weights: &[f64], means: &[Value], covariances: &[Value]| {
        let rows = |lists: &[Value]| lists.iter().map(numbers).collect::<Vec<_>>();
        GaussianMixture::new(weights, &rows(means), &rows(covariances))
    };
    let list = |key: &str| p[key].as_array().expect("a list").clone();
    Some(match distribution {
        "normal" => (Box::new(StandardNormal::new(d)), located()),
        "logistic" => (Box::new(Logistic::new(d)), located()),
        "student_t" => (Box::new(StudentT::new(d, numbers(&p["df"])[0])), located()),
        "uniform" => {
            let (low, high) = (numbers(&p["lo"]), numbers(&p["hi"]));
            let widths = low.iter().zip(&high).map(|(low, high)| high - low).collect();
            (Box::new(Uniform::new(d)), placed(low, widths))
        }
        "laplace" => (Box::new(Laplace::new(d)), located()),
        "gumbel" => (Box::new(Gumbel::new(d)), located()),
        "student_t_multivariate" => {
            let shape = cholesky(&numbers(&p["shape"]), d);
            let base = MultivariateStudentT::new(d, number(&p["df"]));
            (Box::new(base), Box::new(Linear::new(shape, numbers(&p["loc"]))))
        }
        "von_mises" => {
            let base = VonMises::new(numbers(&p["loc"]), numbers(&p["kappa"]));
            (Box::new(base), Box::new(Affine::identity(d)))
        }
        "von_mises_fisher_s2" => {
            let mean = numbers(&p["mu"]).try_into().expect("a direction of three numbers");
            let base = VonMisesFisher::new(mean, number(&p["kappa"]));
            (Box::new(base), Box::new(Affine::identity(2)))
        }
        "normal_full" => {
            let one = mixture(&[1.0], &[p["loc"].clone()], &[p["cov"].clone()]);
            (Box::new(one), Box::new(Affine::identity(d)))
        }
        "gaussian_mixture" => {
            let all = mixture(&numbers(&p["weights"]), &list("locs"), &list("covs"));
            (Box::new(all), Box::new(Affine::identity(d)))
        }
        _ => return None,
    })
}

/// The lower triangular L of L·Lᵀ.
fn cholesky(matrix: &[f64], d: usize) -> Vec<f64> {
    let mut factor = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i * d + k] * factor[j * d + k]).sum();
            let rest = matrix[i * d + j] - known;
            factor[i * d + j] = if i == j { rest.sqrt() } else { rest / factor[j * d + j] };
        }
    }
    factor
}

/// ln p and its gradient.
fn density_case(case: &Value, family: &mut Family) {
    let name = case["distribution"].as_str().expect("a distribution has a name");
    let points = case["points"].as_array().expect("points");
    let d = numbers(&points[0]["x"]).len();
    let Some((base, placed)) = base(name, &case["params"], d) else {
        family.skipped += 1;
        return;
    };
    // Ours has two coordinates of a point of the sphere.
    let point_of = |point: &Value| match (name, numbers(&point["x"])) {
        ("von_mises_fisher_s2", x) => {
            VonMisesFisher::coordinates(x.try_into().expect("three numbers")).to_vec()
        }
        (_, x) => x,
    };
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(base.dim()));
    let pulled = inverse_with_log_det(&placed, x).unwrap_or_else(|error| panic!("{error}"));
    let log_prob = base.log_prob(pulled.z) - pulled.log_det;
    let subgraph = Subgraph::new(&tape, &[x.id()], &[log_prob.id()]);
    let slope = adjoint(&tape, &subgraph, &[(log_prob.id(), tape.constant(1.0))], &[x.id()])[0];
    let slope = slope.unwrap_or_else(|| tape.constant(0.0).broadcast(x.shape()));
    let outputs = [log_prob, slope, pulled.z].map(|var| Output::Each(var.id()));
    let mut program = Program::<f64>::compile(&tape, &[x.id()], &outputs);
    program.load(&Parameters::initialise(&tape, 0)).expect("its own parameters");
    for point in points {
        let mut found = program.run(&[&point_of(point)], 1).expect("one row");
        if !base.supports(&found[2]) {
            found[0][0] = f64::NEG_INFINITY;
        }
        family.compare("ln p", found[0][0], number(&point["log_prob"]));
        if let Some(expected) = point.get("grad_x").map(numbers) {
            found[1].iter().zip(expected).for_each(|(f, e)| family.compare("gradients", *f, e));
        }
    }
    (family.cases, family.points) = (family.cases + 1, family.points + points.len());
}

/// A whole flow over a standard normal: ln p, its score, and the gradient of the mean of -ln p by every parameter.
fn gradient_case(case: &Value, family: &mut Family) {
    let d = case["dim"].as_u64().expect("a dimension") as usize;
    let params = serde_json::json!({ "layers": case["layers"] });
    let Some((chain, parameters)) = layer("composition", &params, d) else {
        family.skipped += 1;
        return;
    };
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(d));
    let pulled = inverse_with_log_det(&chain, x).unwrap_or_else(|error| panic!("{error}"));
    let log_prob = StandardNormal::new(d).log_prob(pulled.z) - pulled.log_det;
    let subgraph = Subgraph::new(&tape, &[x.id()], &[log_prob.id()]);
    let nodes: Vec<NodeId> = [x.id()].into_iter().chain(tape.parameters()).collect();
    let slopes = adjoint(&tape, &subgraph, &[(log_prob.id(), tape.constant(1.0))], &nodes);
    let mut outputs = vec![Output::Each(log_prob.id()), Output::Each(pulled.z.id())];
    outputs.push(Output::Each(slopes[0].expect("a score").id()));
    let mut names = Vec::new();
    for (declaration, slope) in tape.declarations().iter().zip(&slopes[1..]) {
        if let Some(slope) = slope {
            names.push(declaration.name.clone());
            outputs.push(Output::Sum(slope.id()));
        }
    }
    let mut all = Parameters::initialise(&tape, 0);
    for (name, tensor) in parameters.iter() {
        all.set(name, tensor.shape, tensor.values.clone()).expect("it fits");
    }
    let mut program = Program::<f64>::compile(&tape, &[x.id()], &outputs);
    program.load(&all).expect("its parameters");
    let batch = numbers(&case["batch"]);
    let rows = batch.len() / d;
    let found = program.run(&[&batch], rows).expect("whole rows");
    let mut compare = |what, found: &[f64], expected: Vec<f64>| {
        assert_eq!(found.len(), expected.len(), "{what}");
        found.iter().zip(expected).for_each(|(f, e)| family.compare(what, *f, e));
    };
    compare("ln p", &found[0], numbers(&case["log_prob"]));
    compare("z", &found[1], numbers(&case["z"]));
    compare("gradients", &found[2], numbers(&case["score"]));
    let mean = -found[0].iter().sum::<f64>() / rows as f64;
    compare("ln p", &[mean], vec![number(&case["nll_mean"])]);
    let of = |name: &str| {
        let k =
            names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no gradient of {name}"));
        found[3 + k].iter().map(|sum| -sum / rows as f64).collect::<Vec<f64>>()
    };
    for (path, expected) in case["grad_nll_mean"].as_object().expect("gradients by path") {
        let path: Vec<&str> = path.split('/').collect();
        let prefix = format!("layers.{}", path[1]);
        let transform = &case["layers"][path[1].parse::<usize>().expect("a number")]["transform"];
        let own = match path[3..] {
            ["net", "layers", k, part @ ("W" | "b")] => {
                let part = if part == "W" { "weight" } else { "bias" };
                let mut own = of(&format!("{prefix}.net.{k}.{part}"));
                // Back from the order of `scales_first`.
                let next = k.parse::<usize>().expect("a layer's number") + 1;
                let last = all.get(&format!("{prefix}.net.{next}.bias")).is_none();
                if last && transform == "maf" {
                    let half = own.len() / 2;
                    own.rotate_left(half);
                }
                own
            }
            // Of one bound for all moved variables: the chain rule.
            ["alpha"] if transform == "affine_coupling" => {
                let name = format!("{prefix}.log_bound");
                let bound = all.get(&name).expect("a bound").values[0].exp();
                vec![of(&name).iter().sum::<f64>() / bound]
            }
            ["z0"] => of(&format!("{prefix}.centre")),
            [name] => of(&format!("{prefix}.{name}")),
            _ => panic!("{path:?} is no parameter that is known"),
        };
        compare("gradients", &own, numbers(expected));
    }
    (family.cases, family.points) = (family.cases + 1, family.points + rows);
}

/// The tape's function for an entry of the table of scalar functions.
fn scalar<'t>(function: &str, a: Var<'t>) -> Option<Var<'t>> {
    Some(match function.split(':').next().unwrap_or(function) {
        "softplus" => a.softplus(),
        "log_sigmoid" => -(-a).softplus(),
        "sigmoid" => a.sigmoid(),
        "log(tanh'(x)) = 2(log2 - x - softplus(-2x))" => 2.0 * (2.0f64.ln() - a - (-2.0 * a).softplus()),
        "log1p" => a.ln_1p(),
        "expm1" => a.exp_m1(),
        "log(expm1(x)) (softplus inverse)" => a + (-(-a).exp_m1()).ln(),
        "erf" => a.erf(),
        "log_ndtr" => a.ln_normal_cdf(),
        "lgamma" => a.ln_gamma(),
        _ => return None,
    })
}

#[test]
fn every_reference_vector_is_met() {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let folder = std::env::var_os("PUSHFORWARD_VECTORS").map_or(own, PathBuf::from);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no vectors", folder.display());
    let mut families: BTreeMap<(String, String), Family> = BTreeMap::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a readable file");
        let json: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let stem = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let kind = json["kind"].as_str().unwrap_or_else(|| panic!("{}: no kind", file.display()));
        for function in json.get("functions").and_then(Value::as_array).into_iter().flatten() {
            let name = function["function"].as_str().expect("a name").to_string();
            let family = families.entry((stem.clone(), name.clone())).or_default();
            let tape = Tape::new();
            let a = tape.input(Shape::Scalar);
            let Some(y) = scalar(&name, a) else {
                family.skipped += 1;
                continue;
            };
            let mut program = Program::<f64>::compile(&tape, &[a.id()], &[Output::Each(y.id())]);
            program.load(&Parameters::default()).expect("no parameters");
            let (x, expected) = (numbers(&function["x"]), numbers(&function["y"]));
            let found = program.run(&[&x], x.len()).expect("whole rows").swap_remove(0);
            found.iter().zip(expected).for_each(|(f, e)| family.compare("x", *f, e));
            (family.cases, family.points) = (family.cases + 1, family.points + x.len());
        }
        for case in json.get("logsumexp").and_then(Value::as_array).into_iter().flatten() {
            let family = families.entry((stem.clone(), "logsumexp, softmax".to_string())).or_default();
            let v = numbers(&case["v"]);
            let tape = Tape::new();
            let a = tape.input(Shape::Vector(v.len()));
            let outputs = [a.log_sum_exp(), a.softmax(), a.log_softmax()].map(|y| Output::Each(y.id()));
            let mut program = Program::<f64>::compile(&tape, &[a.id()], &outputs);
            program.load(&Parameters::default()).expect("no parameters");
            let found = program.run(&[&v], 1).expect("one row");
            for (found, key) in found.iter().zip(["logsumexp", "softmax", "log_softmax"]) {
                found.iter().zip(numbers(&case[key])).for_each(|(f, e)| family.compare("x", *f, e));
            }
            (family.cases, family.points) = (family.cases + 1, family.points + 1);
        }
        for case in json.get("cases").and_then(Value::as_array).into_iter().flatten() {
            let name = case.get("transform").or_else(|| case.get("distribution"));
            let name = name.and_then(Value::as_str).unwrap_or(kind).to_string();
            let family = families.entry((stem.clone(), name)).or_default();
            match kind {
                "elementwise" => scalar_case(case, family),
                "vector" => vector_case(case, family),
                "gradient" => gradient_case(case, family),
                "density" => density_case(case, family),
                "spline-raw" => raw_spline_case(case, family),
                _ => family.skipped += 1,
            }
        }
    }
    println!("{:<58} {:>5} {:>6}  worst relative error", "family", "cases", "points");
    let mut wrong = Vec::new();
    for ((file, name), family) in &families {
        let worst: Vec<String> = family.worst.iter().map(|(what, off)| format!("{what} {off:.0e}")).collect();
        let skipped =
            if family.skipped > 0 { format!("  skipped: {}", family.skipped) } else { String::new() };
        let label = format!("{file}/{}", name.chars().take(40).collect::<String>());
        println!("{label:<58} {:>5} {:>6}  {}{skipped}", family.cases, family.points, worst.join(", "));
        let scalar = ["elementwise", "extreme", "rq_spline_raw", "scalar_functions"].contains(&file.as_str());
        let allowed = if scalar { 1e-12 } else { 1e-10 };
        wrong.extend(
            family
                .worst
                .iter()
                .filter(|(_, off)| **off > allowed)
                .map(|(what, off)| format!("{label}: {what} is off by {off:e}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
