//! The flows that are timed: those of the scripts of other libraries, weight for weight.
//!
//! Conditioners have two hidden layers of tanh units. RealNVP and spline coupling: s = tanh of the raw scale, 8 bins
//! on [-5, 5] with linear tails; masks alternate. MAF: α = tanh of the raw scale, a reversal between layers. The
//! autoregressive spline flow has the spline of the coupling, and the networks and reversals of MAF; so have those with other
//! transformers.

use clap::ValueEnum;
use pushforward::bijection::{forward_with_log_det, inverse_with_log_det};
use pushforward::flow::Trainer;
use pushforward::layers::AffineTransformer;
use pushforward::prelude::*;
use pushforward::program::{Output, Precision, Profile, Program, Threads};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Model {
    Realnvp,
    Maf,
    Rqs,
    /// Rational-quadratic splines, autoregressive.
    RqsAr,
    /// Deep sigmoidal transformers of 16 units (NAF).
    Naf,
    /// Integrals of a network with one hidden layer of 64 units, 16 numbers from the conditioner, and 32 intervals (UMNN).
    Umnn,
    /// Bernstein polynomials of degree 16.
    Bernstein,
    /// Three squares of polynomials of degree 4.
    Sos,
    /// A continuous flow of eight Runge-Kutta steps with the exact trace; its field is a network of z and t.
    Cnf,
}

/// The part that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Case {
    /// A training step: loss, gradients and Adam.
    Train,
    LogProb,
    /// Samples from draws of the base.
    Sample,
}

/// The size of a case.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub d: usize,
    pub hidden: usize,
    pub layers: usize,
    pub batch: usize,
}

impl Model {
    /// Those that other libraries have, too.
    pub const ALL: [Model; 3] = [Model::Realnvp, Model::Maf, Model::Rqs];

    /// The name in tables.
    pub fn title(self) -> &'static str {
        match self {
            Model::Realnvp => "RealNVP",
            Model::Maf => "MAF",
            Model::Rqs => "RQ spline",
            Model::RqsAr => "RQ spline, autoregressive",
            Model::Naf => "deep sigmoidal (NAF)",
            Model::Umnn => "monotone network (UMNN)",
            Model::Bernstein => "Bernstein polynomials",
            Model::Sos => "sums of squares",
            Model::Cnf => "continuous (FFJORD)",
        }
    }

    /// The name in the scripts of other libraries.
    pub fn word(self) -> &'static str {
        match self {
            Model::Realnvp => "realnvp",
            Model::Maf => "maf",
            Model::Rqs => "rqs",
            Model::RqsAr => "rqs_ar",
            Model::Naf => "naf",
            Model::Umnn => "umnn",
            Model::Bernstein => "bernstein",
            Model::Sos => "sos",
            Model::Cnf => "cnf",
        }
    }

    /// The default number of layers.
    pub fn layers(self) -> usize {
        match self {
            Model::Maf | Model::RqsAr => 5,
            Model::Realnvp | Model::Rqs => 8,
            Model::Naf | Model::Umnn | Model::Bernstein | Model::Sos => 3,
            Model::Cnf => 1,
        }
    }

    /// The number of parameters with this many layers, which is also the number of multiplications of a density.
    pub fn weights(self, d: usize, hidden: usize, layers: usize) -> usize {
        let of = |inputs: usize, outputs: usize| {
            (inputs + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * outputs
        };
        let (first, second) = (d / 2, d - d / 2);
        let half = |k: usize| if k.is_multiple_of(2) { (first, second) } else { (second, first) };
        let coupling =
            |numbers: usize| (0..layers).map(half).map(|(passing, moved)| of(passing, numbers * moved)).sum();
        match self {
            Model::Realnvp => coupling(2),
            Model::Rqs => coupling(23),
            Model::Maf => layers * of(d, 2 * d),
            Model::RqsAr => layers * of(d, 23 * d),
            Model::Cnf => layers * of(d + 1, d),
            other => {
                let (transformer, shared) = other.transformer().expect("an autoregressive flow");
                layers * (of(d, transformer.parameters_per_dimension() * d) + shared)
            }
        }
    }

    /// The transformer of an autoregressive flow of this name, and how many parameters all variables share.
    fn transformer(self) -> Option<(Box<dyn Transformer>, usize)> {
        Some(match self {
            Model::Naf => (Box::new(DeepSigmoidalTransformer::new(16, 1)), 0),
            Model::Umnn => (Box::new(MonotoneNetworkTransformer::new([64], 16, 32)), 64 * 17 + 64 + 64 + 1),
            Model::Bernstein => (Box::new(BernsteinTransformer::new(16, 5.0)), 0),
            Model::Sos => (Box::new(SumOfSquaresTransformer::new(3, 4)), 0),
            _ => return None,
        })
    }

    /// The flow.
    pub fn flow(self, d: usize, hidden: usize, layers: usize) -> Flow {
        let mut list: Vec<Box<dyn Bijection>> = Vec::new();
        for k in 0..layers {
            let mask = || if k % 2 == 0 { CouplingMask::first_half(d) } else { CouplingMask::second_half(d) };
            let network = || Network::new([hidden, hidden]);
            match self {
                Model::Realnvp => {
                    let layer = AffineCoupling::new(mask(), network());
                    list.push(Box::new(layer.with_log_scale(ScaleMap::Tanh)));
                }
                Model::Rqs => list.push(Box::new(SplineCoupling::new(mask(), network(), spline()))),
                Model::Cnf => {
                    let field = NetworkField::new(d, network());
                    list.push(Box::new(Continuous::new(field, Solver::RungeKutta4, 8)));
                }
                _ => {
                    let network = MaskedNetwork::new(d, [hidden, hidden]);
                    list.push(match self {
                        _ if let Some((transformer, _)) = self.transformer() => {
                            Box::new(Inverse::new(Autoregressive::with(network, transformer)))
                        }
                        Model::RqsAr => Box::new(Autoregressive::spline(network, spline())),
                        _ => {
                            let transformer = AffineTransformer::normalising(ScaleMap::Tanh);
                            Box::new(Inverse::new(Autoregressive::with(network, transformer)))
                        }
                    });
                    if k + 1 < layers {
                        list.push(Box::new(Permutation::reverse(d)));
                    }
                }
            }
        }
        Flow::new(StandardNormal::new(d), list).expect("a flow")
    }
}

/// 8 bins on [-5, 5], none narrower or flatter than a thousandth.
fn spline() -> SplineTransformer {
    SplineTransformer::new(8, 5.0).with_constraint(SplineConstraint::Minimum {
        width: 1e-3,
        height: 1e-3,
        slope: 1e-3,
    })
}

impl Case {
    /// The name in the scripts of other libraries.
    pub fn word(self) -> &'static str {
        match self {
            Case::Train => "train",
            Case::LogProb => "log_prob",
            Case::Sample => "sample",
        }
    }
}

/// Parameters away from the identity, at which a flow starts.
pub fn away_from_the_identity(flow: &Flow, random: &mut ChaCha8Rng) -> Parameters {
    let mut parameters = flow.initial(0);
    for (_, tensor) in parameters.iter_mut() {
        tensor.values.iter_mut().for_each(|value| *value += 0.01 * (random.random::<f64>() - 0.5));
    }
    parameters
}

/// Standard normal numbers.
pub fn normal<F: Precision>(random: &mut ChaCha8Rng, count: usize) -> Vec<F> {
    let mut uniform = || 1.0 - random.random::<f64>();
    let draw = |_| F::of((-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos());
    (0..count).map(draw).collect()
}

/// The number of times each instruction is timed for a profile.
const PROFILED: usize = 5;

/// One case, ready to run.
pub struct Runner {
    /// The number of parameters of the flow.
    pub weights: usize,
    /// The profile, if requested.
    pub profile: Option<Profile>,
    pub run: Box<dyn FnMut()>,
}

/// One case, compiled and ready to run.
pub fn runner<F: Precision + 'static>(model: Model, case: Case, size: Size, threads: Threads) -> Runner {
    profiled_runner::<F>(model, case, size, threads, false)
}

/// As [`runner`], optionally with a profile.
pub fn profiled_runner<F: Precision + 'static>(
    model: Model,
    case: Case,
    size: Size,
    threads: Threads,
    profiled: bool,
) -> Runner {
    let Size { d, hidden, layers, batch } = size;
    let flow = model.flow(d, hidden, layers);
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let rows: Vec<F> = normal(&mut random, batch * d);
    let parameters = away_from_the_identity(&flow, &mut random);
    let weights = parameters.count();
    assert_eq!(weights, model.weights(d, hidden, layers));
    let (profile, run): (Option<Profile>, Box<dyn FnMut()>) = match case {
        Case::Train => {
            let mut trainer = Trainer::<F>::new(&flow, parameters, 1e-4).expect("a trainer");
            trainer.set_threads(threads);
            let profile = profiled.then(|| trainer.profile(&rows, PROFILED).expect("whole rows"));
            let run = Box::new(move || {
                trainer.step(&rows).expect("a finite loss");
            });
            (profile, run)
        }
        Case::LogProb | Case::Sample => {
            let tape = Tape::new();
            let input = tape.input(Shape::Vector(d));
            let output = match case {
                Case::LogProb => {
                    let pulled = inverse_with_log_det(flow.bijection(), input).expect("a density");
                    StandardNormal::new(d).log_prob(pulled.z) - pulled.log_det
                }
                _ => forward_with_log_det(flow.bijection(), input).expect("a sampler").x,
            };
            let mut program = Program::<F>::compile(&tape, &[input.id()], &[Output::Each(output.id())]);
            program.load(&parameters).expect("its parameters");
            program.set_threads(threads);
            let profile = profiled.then(|| program.profile(&[&rows], batch, PROFILED).expect("whole rows"));
            let mut results = vec![Vec::new()];
            let run = Box::new(move || {
                program.run_into(&[&rows], batch, &mut results).expect("whole rows");
                let sum = results[0].iter().fold(0.0, |sum, value| sum + value.to_double());
                assert!(sum.is_finite(), "a result is not finite");
            });
            (profile, run)
        }
    };
    Runner { weights, profile, run }
}
