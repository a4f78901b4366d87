//! Files for `.ci/python`: every layer of the catalogue, every base, every function of one number, and models.

use pushforward::bijection::{forward_with_log_det, inverse_with_log_det};
use pushforward::onnx::{Export, Float, What};
use pushforward::prelude::*;
use pushforward::program::{Output, Precision, Program};
use pushforward::tape::Unary;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::folder::{Case, Folder};
use crate::catalogue::{Entry, catalogue};
use crate::fitted::normal;

/// Points of each case.
pub fn count() -> usize {
    std::env::var("ONNX_POINTS").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000)
}

const FLOATS: [Float; 2] = [Float::F32, Float::F64];

pub fn rounded(values: &[f64], float: Float) -> Vec<f64> {
    match float {
        Float::F32 => values.iter().map(|value| f64::from(*value as f32)).collect(),
        Float::F64 => values.to_vec(),
    }
}

fn export(what: What, float: Float) -> Export {
    Export { what, float }
}

/// A flow of one layer over a base in its domain, with parameters that are not the initial ones.
fn fitted(layer: Box<dyn Bijection>) -> FittedFlow {
    let d = layer.dim();
    let flow = match layer.domain() {
        Domain::Reals => Flow::new(StandardNormal::new(d), [layer]),
        Domain::Circle => Flow::new(Uniform::circle(d), [layer]),
        _ => Flow::new(Uniform::new(d), [layer]),
    };
    with_noise(flow.unwrap())
}

fn with_noise(flow: Flow) -> FittedFlow {
    let mut parameters = flow.initial(3);
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for (_, tensor) in parameters.iter_mut() {
        tensor.values.iter_mut().for_each(|value| *value += 0.2 * (random.random::<f64>() - 0.5));
    }
    flow.with(parameters).unwrap()
}

/// z: half as the base has them, half anywhere up to `reach` (or near the ends of an interval).
fn noise(flow: &FittedFlow, reach: f64, count: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let d = flow.flow().dim();
    let support = flow.flow().base().support();
    let mut z = vec![0.0; count * d];
    for (row, z) in z.chunks_mut(d).enumerate() {
        flow.flow().base().sample(&mut random, z);
        if row % 2 == 1 && !support.couples() {
            for (i, z) in z.iter_mut().enumerate() {
                let u = reach * (2.0 * random.random::<f64>() - 1.0);
                let (lower, upper) = support.of(i).ends();
                *z = match (lower.is_finite(), upper.is_finite()) {
                    (true, true) => lower + (upper - lower) / (1.0 + (-u).exp()),
                    (true, false) => lower + u.exp(),
                    _ => u,
                };
            }
        }
    }
    z
}

/// Runs a recorded program, in doubles or in singles.
pub struct Recorded {
    tape: Tape,
    inputs: Vec<pushforward::tape::NodeId>,
    output: pushforward::tape::NodeId,
}

impl Recorded {
    fn forward(flow: &FittedFlow) -> Recorded {
        let tape = Tape::new();
        tape.context_by_row();
        let z = tape.input(Shape::Vector(flow.flow().dim()));
        let (input, output) = (z.id(), forward_with_log_det(flow.flow().bijection(), z).unwrap().x.id());
        Recorded::new(tape, input, output)
    }

    /// x of standard normal numbers and one uniform number, as the base is made of them.
    pub fn draw(flow: &FittedFlow) -> Option<Recorded> {
        let tape = Tape::new();
        tape.context_by_row();
        let (normal, uniform) = (tape.input(Shape::Vector(flow.flow().dim())), tape.input(Shape::Scalar));
        let base = flow.flow().base().with_parameters(flow.parameters());
        let z = base.as_deref().unwrap_or(flow.flow().base()).draw(normal, uniform)?;
        let output = forward_with_log_det(flow.flow().bijection(), z).unwrap().x.id();
        let inputs = vec![normal.id(), uniform.id()];
        Some(Recorded { tape, inputs, output })
    }

    fn inverse(flow: &FittedFlow) -> Recorded {
        let tape = Tape::new();
        tape.context_by_row();
        let x = tape.input(Shape::Vector(flow.flow().dim()));
        let (input, output) = (x.id(), inverse_with_log_det(flow.flow().bijection(), x).unwrap().z.id());
        Recorded::new(tape, input, output)
    }

    fn log_prob(flow: &FittedFlow) -> Recorded {
        let tape = Tape::new();
        tape.context_by_row();
        let x = tape.input(Shape::Vector(flow.flow().dim()));
        let back = inverse_with_log_det(flow.flow().bijection(), x).unwrap();
        let log_base = tape.scope("base", || flow.flow().base().log_prob(back.z));
        let (input, output) = (x.id(), (log_base - back.log_det).id());
        Recorded::new(tape, input, output)
    }

    /// ln p of x = f(z), by z.
    fn log_prob_at(flow: &FittedFlow) -> Recorded {
        let tape = Tape::new();
        tape.context_by_row();
        let z = tape.input(Shape::Vector(flow.flow().dim()));
        let pushed = forward_with_log_det(flow.flow().bijection(), z).unwrap();
        let log_base = tape.scope("base", || flow.flow().base().log_prob(z));
        let (input, output) = (z.id(), (log_base - pushed.log_det).id());
        Recorded::new(tape, input, output)
    }

    fn new(tape: Tape, input: pushforward::tape::NodeId, output: pushforward::tape::NodeId) -> Recorded {
        let context = tape.declared_context().map(|context| context.id());
        Recorded { inputs: [input].into_iter().chain(context).collect(), tape, output }
    }

    /// How long a second run takes.
    fn seconds(&self, flow: &FittedFlow, x: &[f64], rows: usize, float: Float) -> f64 {
        match float {
            Float::F32 => self.seconds_in::<f32>(flow, x, rows),
            Float::F64 => self.seconds_in::<f64>(flow, x, rows),
        }
    }

    fn seconds_in<F: Precision>(&self, flow: &FittedFlow, x: &[f64], rows: usize) -> f64 {
        let mut program = Program::<F>::compile(&self.tape, &self.inputs, &[Output::Each(self.output)]);
        program.load(flow.parameters()).unwrap();
        let own: Vec<F> = x.iter().map(|value| F::of(*value)).collect();
        program.run(&[&own], rows).unwrap();
        let begin = std::time::Instant::now();
        program.run(&[&own], rows).unwrap();
        begin.elapsed().as_secs_f64()
    }

    pub fn run<F: Precision>(&self, flow: &FittedFlow, inputs: &[&[f64]], rows: usize) -> Vec<f64> {
        let mut program = Program::<F>::compile(&self.tape, &self.inputs, &[Output::Each(self.output)]);
        program.load(flow.parameters()).unwrap();
        let own: Vec<Vec<F>> =
            inputs.iter().map(|values| values.iter().map(|value| F::of(*value)).collect()).collect();
        let own: Vec<&[F]> = own.iter().map(Vec::as_slice).collect();
        program.run(&own, rows).unwrap().swap_remove(0).into_iter().map(F::to_double).collect()
    }
}

/// ln p of each row that the library has one of; NaN elsewhere.
fn log_prob(flow: &FittedFlow, x: &[f64], contexts: &[f64]) -> Vec<f64> {
    if let Ok(all) = flow.log_prob_given(x, contexts) {
        return all;
    }
    let (d, c) = (flow.flow().dim(), flow.flow().context());
    let context = |row: usize| &contexts[row * c..(row + 1) * c];
    let rows = x.chunks(d).enumerate();
    rows.map(|(row, x)| flow.log_prob_given(x, context(row)).map_or(f64::NAN, |one| one[0])).collect()
}

/// By how much the results of a program are uncertain: what a unit in the last place of its inputs moves them; in single
/// precision also by how much our own results in it are off.
pub fn uncertain(
    flow: &FittedFlow,
    program: &Recorded,
    inputs: &[&[f64]],
    rows: usize,
    float: Float,
) -> Vec<f64> {
    let doubles = |inputs: &[&[f64]]| program.run::<f64>(flow, inputs, rows);
    let moved = moved(&doubles, inputs, float, 1);
    match float {
        Float::F32 => beside(moved, &doubles(inputs), &program.run::<f32>(flow, inputs, rows)),
        Float::F64 => moved,
    }
}

/// By how much so many units in the last place of the inputs move results.
fn moved(results: &dyn Fn(&[&[f64]]) -> Vec<f64>, inputs: &[&[f64]], float: Float, units: usize) -> Vec<f64> {
    let exact = results(inputs);
    let mut most = vec![0.0f64; exact.len()];
    for pattern in 0..4 {
        let step = |(k, value): (usize, &f64)| {
            let up = match pattern {
                2 => k % 2 == 0,
                3 => k % 2 == 1,
                pattern => pattern == 0,
            };
            (0..units).fold(*value, |value, _| match (float, up) {
                (Float::F64, true) => value.next_up(),
                (Float::F64, false) => value.next_down(),
                (Float::F32, true) => f64::from((value as f32).next_up()),
                (Float::F32, false) => f64::from((value as f32).next_down()),
            })
        };
        let moved: Vec<Vec<f64>> =
            inputs.iter().map(|values| values.iter().enumerate().map(step).collect()).collect();
        most = beside(most, &exact, &results(&moved.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    }
    most
}

/// The larger of what is uncertain and of how far the numbers are from others that should be the same.
fn beside(mut uncertain: Vec<f64>, found: &[f64], meant: &[f64]) -> Vec<f64> {
    for ((uncertain, found), meant) in uncertain.iter_mut().zip(found).zip(meant) {
        let same = found == meant || (found.is_nan() && meant.is_nan());
        let off = if same { 0.0 } else { (found - meant).abs() };
        *uncertain = uncertain.max(if off.is_nan() { f64::INFINITY } else { off });
    }
    uncertain
}

/// All that a flow can be exported as.
fn add(folder: &mut Folder, name: &str, flow: &FittedFlow, reach: f64) {
    let (d, rows) = (flow.flow().dim(), count());
    let z = noise(flow, reach, rows);
    let [forward, inverse, density, meant] =
        [Recorded::forward, Recorded::inverse, Recorded::log_prob, Recorded::log_prob_at].map(|of| of(flow));
    let x = forward.run::<f64>(flow, &[&z], rows);
    let kept: Vec<usize> =
        (0..rows).filter(|row| x[row * d..(row + 1) * d].iter().all(|x| x.is_finite())).collect();
    let take = |values: &[f64]| kept.iter().flat_map(|row| values[row * d..(row + 1) * d].to_vec()).collect();
    let (z, x): (Vec<f64>, Vec<f64>) = (take(&z), take(&x));
    let rows = kept.len();
    let meant = meant.run::<f64>(flow, &[&z], rows);
    for float in FLOATS {
        let double = float == Float::F64;
        // Single precision cannot keep to a tolerance of 1e-12: the steps are as short as they may be.
        let rows = if name == "ffjord" && !double { rows.min(200) } else { rows };
        let (x, z, meant) = (&x[..rows * d], &z[..rows * d], &meant[..rows]);
        let x = rounded(x, float);
        let file = flow.to_onnx(export(What::LogProb, float)).unwrap();
        let expected = log_prob(flow, &x, &[]);
        let uncertain_density = uncertain(flow, &density, &[&x], rows, float);
        // A row may lie within a few roundings of the end of the support: then its density may be 0.
        let at_ends = moved(&|x: &[&[f64]]| log_prob(flow, x[0], &[]), &[&x], float, 32);
        let moved = uncertain_density.into_iter().zip(at_ends);
        let moved: Vec<f64> = moved.map(|(own, end)| if end.is_infinite() { end } else { own }).collect();
        // Rounded to single precision, x is no image of z any more.
        let moved = if double { beside(moved, &expected, meant) } else { moved };
        folder.add(Case {
            name,
            output: "log_prob",
            float,
            file,
            inputs: vec![("x", d, x.clone())],
            width: 0,
            expected,
            uncertain: moved,
            seconds: Some(density.seconds(flow, &x, rows, float)),
        });
        let expected = inverse.run::<f64>(flow, &[&x], rows);
        let moved = uncertain(flow, &inverse, &[&x], rows, float);
        let mut moved = if double { beside(moved, &expected, z) } else { moved };
        // Rounded out of the codomain, x has no z.
        let codomain = flow.flow().bijection().codomain();
        for (x, moved) in x.chunks(d).zip(moved.chunks_mut(d)) {
            if !codomain.contains(x) {
                moved.fill(f64::INFINITY);
            }
        }
        folder.add(Case {
            name,
            output: "z",
            float,
            file: flow.to_onnx(export(What::Inverse, float)).unwrap(),
            inputs: vec![("x", d, x.clone())],
            width: d,
            expected,
            uncertain: moved,
            seconds: None,
        });
        let z = rounded(z, float);
        folder.add(Case {
            name,
            output: "x",
            float,
            file: flow.to_onnx(export(What::Sample, float)).unwrap(),
            inputs: vec![("noise", d, z.clone())],
            width: d,
            expected: forward.run::<f64>(flow, &[&z], rows),
            uncertain: uncertain(flow, &forward, &[&z], rows, float),
            seconds: None,
        });
    }
}

#[test]
#[ignore = "writes files that `.ci/python` compares with onnxruntime"]
fn files_of_every_layer() {
    let mut folder = Folder::new("layers");
    for Entry { name, layer, reach } in catalogue() {
        let flow = fitted(layer);
        // Flows with a context have a test of their own.
        if flow.flow().context() == 0 {
            add(&mut folder, name, &flow, reach);
        }
    }
    folder.finish();
}

/// Flows of several layers, as they are fitted to data of 16 columns.
#[test]
#[ignore = "writes files that `.ci/python` compares with onnxruntime"]
fn files_of_flows() {
    const D: usize = 16;
    let network = || Network::new([64, 64]);
    let mask = |k: usize| CouplingMask::alternating(D, k.is_multiple_of(2));
    let affine = |k| Box::new(AffineCoupling::new(mask(k), network())) as Box<dyn Bijection>;
    let spline = |k| {
        let transformer = SplineTransformer::new(8, 3.0);
        Box::new(SplineCoupling::new(mask(k), network(), transformer)) as Box<dyn Bijection>
    };
    let maf = |_| Box::new(Autoregressive::maf(MaskedNetwork::new(D, [64]))) as Box<dyn Bijection>;
    let permuted = |layer: &dyn Fn(usize) -> Box<dyn Bijection>| {
        let each = |k| [layer(k), Box::new(Permutation::reverse(D)) as Box<dyn Bijection>];
        (0..4).flat_map(each).collect::<Vec<_>>()
    };
    let mut folder = Folder::new("flows");
    for (name, layers) in
        [("realnvp", permuted(&affine)), ("spline_coupling", permuted(&spline)), ("maf", permuted(&maf))]
    {
        add(&mut folder, name, &with_noise(Flow::new(StandardNormal::new(D), layers).unwrap()), 3.0);
    }
    folder.finish();
}

/// x = z + f(c): a function of one number, seen through a context.
struct Shifted(Unary);

impl Bijection for Shifted {
    fn dim(&self) -> usize {
        1
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + z.tape().context(1).apply(self.0)
    }
}

#[test]
#[ignore = "writes files that `.ci/python` compares with onnxruntime"]
fn files_of_every_function() {
    let mut folder = Folder::new("functions");
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let sizes = [1e-300, 1e-30, 1e-9, 1e-3, 0.5, 1.0, 3.0, 10.0, 30.0, 100.0, 700.0, 1e9, 1e200];
    let more = [-7, -1, 0, 1, 2, 4, 5, 40].map(Unary::Powi);
    for function in Unary::ALL.iter().copied().chain(more) {
        let layer = Shifted(function);
        let flow = Flow::new(StandardNormal::new(1), [Box::new(layer) as Box<dyn Bijection>]).unwrap();
        let flow = flow.with(Parameters::default()).unwrap();
        let forward = Recorded::forward(&flow);
        let points = count() / sizes.len();
        let points = sizes.iter().flat_map(|size| std::iter::repeat_n(*size, points));
        let mut at: Vec<f64> = points.map(|size| size * normal(&mut random)).collect();
        at.extend([0.0, -0.0, 1.0, -1.0, 0.25, -0.25, 0.5, -0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
        at.extend([0.84375, 1.25, 28.0, -28.0, 6.0, 20.0, -20.0, -40.0, -100.0, 88.0, 709.0, -745.0]);
        if matches!(function, Unary::NormalQuantile | Unary::TanPi) {
            at = at.iter().map(|at| 1.0 / (1.0 + (-at).exp())).collect();
        }
        let name = match function.number() {
            Some(number) => format!("{}_{number}", function.name()),
            None => function.name().to_string(),
        };
        for float in FLOATS {
            let Ok(file) = flow.to_onnx(export(What::Sample, float)) else {
                assert!(matches!(function, Unary::InverseMills(1..) | Unary::Polygamma(_)), "{name}");
                continue;
            };
            let at = rounded(&at, float);
            let zeros = vec![0.0; at.len()];
            folder.add(Case {
                name: &name,
                output: "x",
                float,
                file,
                inputs: vec![("noise", 1, zeros.clone()), ("context", 1, at.clone())],
                width: 1,
                expected: forward.run::<f64>(&flow, &[&zeros, &at], at.len()),
                uncertain: uncertain(&flow, &forward, &[&zeros, &at], at.len(), float),
                seconds: None,
            });
        }
    }
    folder.finish();
}

/// A mixture of two Gaussians of two variables.
fn mixture() -> GaussianMixture {
    let covariances = [vec![1.0, 0.3, 0.3, 0.5], vec![0.2, 0.0, 0.0, 2.0]];
    GaussianMixture::new(&[0.3, 0.7], &[vec![0.0, 1.0], vec![-2.0, 0.5]], &covariances)
}

#[test]
#[ignore = "writes files that `.ci/python` compares with onnxruntime"]
fn files_of_every_base() {
    let of_bases = || {
        let components: [Box<dyn Base>; 2] = [Box::new(mixture().learned()), Box::new(Gumbel::new(2))];
        Mixture::new(&[0.3, 0.7], components)
    };
    let bases: [(&str, Box<dyn Base>); 15] = [
        ("standard_normal", Box::new(StandardNormal::new(2))),
        ("logistic", Box::new(Logistic::new(2))),
        ("student_t", Box::new(StudentT::new(2, 3.5))),
        ("uniform", Box::new(Uniform::new(2))),
        ("gaussian_mixture", Box::new(mixture())),
        ("gaussian_mixture_learned", Box::new(mixture().learned())),
        ("laplace", Box::new(Laplace::new(2))),
        ("gumbel", Box::new(Gumbel::new(2))),
        ("multivariate_student_t", Box::new(MultivariateStudentT::new(2, 3.5))),
        ("beta", Box::new(Beta::new([2.0, 0.5], [1.5, 3.0]))),
        ("dirichlet", Box::new(Dirichlet::new([2.0, 0.5, 1.5]))),
        ("von_mises", Box::new(VonMises::new([1.0, -2.0], [0.5, 7.0]))),
        ("von_mises_fisher", Box::new(VonMisesFisher::new([1.0, -2.0, 0.5], 7.0))),
        ("mixture", Box::new(of_bases())),
        ("mixture_learned", Box::new(of_bases().learned())),
    ];
    let mut folder = Folder::new("bases");
    for (name, base) in bases {
        let flow =
            with_noise(Flow::new(base, [Box::new(Permutation::reverse(2)) as Box<dyn Bijection>]).unwrap());
        match Recorded::draw(&flow) {
            None => add(&mut folder, name, &flow, 5.0),
            Some(draw) => add_draws(&mut folder, name, &flow, &draw),
        }
    }
    folder.finish();
}

/// ln p, and samples as functions of normal and uniform numbers.
fn add_draws(folder: &mut Folder, name: &str, flow: &FittedFlow, draw: &Recorded) {
    let (d, rows) = (flow.flow().dim(), count());
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let normals: Vec<f64> = (0..rows * d).map(|_| normal(&mut random)).collect();
    let uniforms: Vec<f64> = (0..rows).map(|_| random.random()).collect();
    let density = Recorded::log_prob(flow);
    for float in FLOATS {
        let (normals, uniforms) = (rounded(&normals, float), rounded(&uniforms, float));
        let inputs: [&[f64]; 2] = [&normals, &uniforms];
        let x = draw.run::<f64>(flow, &inputs, rows);
        let file = flow.to_onnx(export(What::Sample, float)).unwrap();
        let is_mixture = name != "standard_normal";
        folder.add(Case {
            name,
            output: "x",
            float,
            file,
            inputs: [("noise", d, normals.clone())]
                .into_iter()
                .chain(is_mixture.then(|| ("uniform", 1, uniforms.clone())))
                .collect(),
            width: d,
            expected: x.clone(),
            uncertain: uncertain(flow, draw, &inputs, rows, float),
            seconds: None,
        });
        let x = rounded(&x.iter().map(|x| 3.0 * x).collect::<Vec<_>>(), float);
        folder.add(Case {
            name,
            output: "log_prob",
            float,
            file: flow.to_onnx(export(What::LogProb, float)).unwrap(),
            inputs: vec![("x", d, x.clone())],
            width: 0,
            expected: log_prob(flow, &x, &[]),
            uncertain: uncertain(flow, &density, &[&x], rows, float),
            seconds: None,
        });
    }
}
