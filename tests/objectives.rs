//! Objectives beyond maximum likelihood, against closed forms: reverse and forward divergence, importance sampling, and
//! Pareto-smoothed weights.

use std::f64::consts::TAU;

use pushforward::base::Rng;
use pushforward::flow::{Estimate, FlowError, normalised_weights};
use pushforward::numeric::GeneralisedPareto;
use pushforward::prelude::*;
use pushforward::train::{Minimiser, TrainError, TrainingOptions};

type Layers = Vec<Box<dyn Bijection>>;

fn flow(layers: Layers) -> Flow {
    let d = layers[0].dim();
    Flow::new(StandardNormal::new(d), layers).unwrap()
}

/// N(mean, sd²), with nothing to learn.
fn normal(mean: f64, sd: f64) -> FittedFlow {
    flow(vec![Box::new(Affine::fixed([sd], [mean]))]).with(Parameters::default()).unwrap()
}

/// ln of N(mean, sd²) at a variable.
fn log_normal<'t>(x: Var<'t>, mean: f64, sd: f64) -> Var<'t> {
    -0.5 * ((x - mean) / sd).powi(2) - sd.ln() - 0.5 * TAU.ln()
}

fn exact_log_normal(x: f64, mean: f64, sd: f64) -> f64 {
    -0.5 * ((x - mean) / sd).powi(2) - sd.ln() - 0.5 * TAU.ln()
}

// ---- Reverse divergence.

#[test]
fn a_gaussian_target_is_found_by_layers_that_can_be_it_and_its_constant_with_it() {
    // Mean (1, -3), covariance LLᵀ with L = ((2, 0), (1.2, 0.5)); ln p̃ lacks the constant ln 2π + ln|L|.
    fn log_target(x: Var<'_>) -> Var<'_> {
        let u = (x.at(0) - 1.0) / 2.0;
        let v = (x.at(1) + 3.0 - 1.2 * u) / 0.5;
        -0.5 * (u * u + v * v)
    }
    let layers: Layers = vec![Box::new(Triangular::lower(2)), Box::new(Affine::identity(2))];
    let options = TargetOptions { steps: 1500, learning_rate: 0.05, seed: 1, ..TargetOptions::default() };
    let fitted = flow(layers).fit_to_target(log_target, options).unwrap();
    let log_z = TAU.ln() + (2.0f64 * 0.5).ln();
    let exact = |x: [f64; 2]| {
        let u = (x[0] - 1.0) / 2.0;
        let v = (x[1] + 3.0 - 1.2 * u) / 0.5;
        -0.5 * (u * u + v * v) - log_z
    };
    for x in [[1.0, -3.0], [3.0, -2.0], [-1.0, -4.5], [2.0, -3.0]] {
        let found = fitted.log_prob(&x).unwrap()[0];
        assert!((found - exact(x)).abs() < 0.02, "{found} against {} at {x:?}", exact(x));
    }
    let sample = fitted.importance_sample(log_target, 5000, 2).unwrap();
    let evidence = sample.log_evidence();
    assert!((evidence.value - log_z).abs() < 4.0 * evidence.error && evidence.error < 1e-3, "{evidence}");
    assert!(sample.effective_sample_size() > 4990.0);
    let covariance = sample.expectation(|x| (x[0] - 1.0) * (x[1] + 3.0));
    assert!((covariance.value - 2.4).abs() < 4.0 * covariance.error, "{covariance}");
}

#[test]
fn the_loss_is_the_divergence_of_two_gaussians_less_ln_z() {
    // KL(N(½, 1.5²) ‖ N(-1, 2²)) = ln(2/1.5) + (1.5² + 1.5²)/(2·2²) - ½, and p̃ = 7p.
    let divergence = (2.0f64 / 1.5).ln() + (1.5f64.powi(2) + 1.5f64.powi(2)) / 8.0 - 0.5;
    let layers: Layers = vec![Box::new(Affine::new([1.5], [0.5]))];
    let flow = flow(layers);
    let loss = flow.reverse_kl(|x| log_normal(x.at(0), -1.0, 2.0) + 7f64.ln()).unwrap();
    let options = TrainingOptions { seed: 3, ..TrainingOptions::default() };
    let mut minimiser = Minimiser::<f64>::new(&loss, flow.initial(0), options).unwrap();
    let mean = minimiser.mean(&[], 200_000).unwrap();
    // ln q - ln p has a deviation below 1.
    assert!((mean - (divergence - 7f64.ln())).abs() < 4.0 / 200_000f64.sqrt(), "{mean}");
    // The evidence lower bound is ln Z less the divergence.
    let sample = normal(0.5, 1.5)
        .importance_sample(|x| log_normal(x.at(0), -1.0, 2.0) + 7f64.ln(), 50_000, 4)
        .unwrap();
    let bound = sample.evidence_lower_bound();
    assert!((bound.value - (7f64.ln() - divergence)).abs() < 4.0 * bound.error, "{bound}");
    let evidence = sample.log_evidence();
    assert!((evidence.value - 7f64.ln()).abs() < 4.0 * evidence.error, "{evidence}");
}

#[test]
fn a_mixture_of_two_modes_is_found_with_its_mass_and_moments() {
    // 5·(0.3·N(-2, ½²) + 0.7·N(1.5, 1²)).
    fn log_target(x: Var<'_>) -> Var<'_> {
        let parts = [(0.3f64, -2.0, 0.5), (0.7, 1.5, 1.0)];
        let [one, other] = parts.map(|(w, mean, sd)| (log_normal(x.at(0), mean, sd) + w.ln()).exp());
        (one + other).ln() + 5f64.ln()
    }
    let layers: Layers = vec![
        Box::new(RationalQuadraticSpline::bounded(1, SplineTransformer::new(12, 3.5))),
        Box::new(Affine::identity(1)),
    ];
    let options = TargetOptions { steps: 1500, learning_rate: 0.02, seed: 5, ..TargetOptions::default() };
    let fitted = flow(layers).fit_to_target(log_target, options).unwrap();
    let sample = fitted.importance_sample(log_target, 20_000, 6).unwrap();
    let (evidence, bound) = (sample.log_evidence(), sample.evidence_lower_bound());
    assert!((evidence.value - 5f64.ln()).abs() < 4.0 * evidence.error, "{evidence}");
    assert!(5f64.ln() - bound.value < 0.03, "a divergence of {}", 5f64.ln() - bound.value);
    assert!(sample.effective_sample_size() > 0.9 * 20_000.0, "{}", sample.effective_sample_size());
    assert!(sample.pareto_smoothed().is_reliable(), "{}", sample.pareto_smoothed());
    let mean = sample.expectation(|x| x[0]);
    assert!((mean.value - (0.3 * -2.0 + 0.7 * 1.5)).abs() < 4.0 * mean.error, "{mean}");
    let below = sample.expectation(|x| f64::from(x[0] < -0.75));
    // 0.3·Φ(2.5) + 0.7·Φ(-2.25), from a table of Φ.
    let exact = 0.3 * 0.993_790_334_674_224 + 0.7 * 0.012_224_472_655_045;
    assert!((below.value - exact).abs() < 4.0 * below.error, "{below} against {exact}");
}

#[test]
fn a_funnel_is_found_by_an_autoregressive_layer() {
    // Neal's funnel: v ~ N(0, 3²), x | v ~ N(0, e^v); x = e^(v/2)·z is one affine autoregressive layer.
    fn log_target(x: Var<'_>) -> Var<'_> {
        let (v, x) = (x.at(0), x.at(1));
        -0.5 * (v / 3.0).powi(2) - 0.5 * x * x * (-v).exp() - 0.5 * v
    }
    let layers: Layers = vec![Box::new(Autoregressive::iaf(MaskedNetwork::new(2, [])))];
    let options = TargetOptions {
        steps: 2000,
        learning_rate: 0.02,
        warm_up: 100,
        averaging: 0.99,
        seed: 2,
        ..TargetOptions::default()
    };
    let fitted = flow(layers).fit_to_target(log_target, options).unwrap();
    let sample = fitted.importance_sample(log_target, 10_000, 3).unwrap();
    let log_z = TAU.ln() + 3f64.ln();
    let (evidence, bound) = (sample.log_evidence(), sample.evidence_lower_bound());
    assert!(log_z - bound.value < 0.02, "a divergence of {}", log_z - bound.value);
    assert!((evidence.value - log_z).abs() < 4.0 * evidence.error + 1e-3, "{evidence} against {log_z}");
    let spread = sample.expectation(|x| x[0] * x[0]);
    assert!((spread.value - 9.0).abs() < 4.0 * spread.error, "{spread}");
}

#[test]
fn a_target_with_a_context_is_fitted_for_all_contexts_at_once() {
    // p(x | c) = N(2c - 1, e^(-c)).
    fn log_target(x: Var<'_>) -> Var<'_> {
        let c = x.tape().context(1).at(0);
        -0.5 * (x.at(0) - 2.0 * c + 1.0).powi(2) * c.exp()
    }
    let contexts = Table::new(&["c"], (0..41).map(|k| f64::from(k) / 20.0 - 1.0).collect()).unwrap();
    let layers = || -> Layers { vec![Box::new(ConditionalAffine::new(1, Network::new([]).with_context(1)))] };
    let options = TargetOptions {
        steps: 1500,
        learning_rate: 0.05,
        contexts: Some(&contexts),
        ..TargetOptions::default()
    };
    let fitted = flow(layers()).fit_to_target(log_target, options).unwrap();
    for c in [-1.0, 0.3, 0.9f64] {
        for x in [-2.0, 0.0, 1.5] {
            let found = fitted.log_prob_given(&[x], &[c]).unwrap()[0];
            let exact = exact_log_normal(x, 2.0 * c - 1.0, (-0.5 * c).exp());
            assert!(
                (found - exact).abs() < 0.02 * (1.0 + exact.abs()),
                "{found} against {exact} at {x} given {c}"
            );
        }
        let sample = fitted.importance_sample_given(log_target, 2000, &[c], 1).unwrap();
        let evidence = sample.log_evidence();
        assert!((evidence.value - 0.5 * (TAU.ln() - c)).abs() < 4.0 * evidence.error + 1e-3, "{evidence}");
    }
    let missing = flow(layers()).fit_to_target(log_target, TargetOptions::default()).err().unwrap();
    assert_eq!(missing, FlowError::Context { expected: 1, given: 0 });
    let needless = TargetOptions { contexts: Some(&contexts), ..TargetOptions::default() };
    let error = flow(vec![Box::new(Affine::identity(1))]).fit_to_target(|x| -x.at(0).powi(2), needless).err();
    assert_eq!(error, Some(FlowError::Context { expected: 0, given: 1 }));
}

#[test]
fn a_target_learns_with_the_flow_where_it_has_parameters() {
    // x ~ N(θ, 1), and 3.0 ~ N(x, 1) is seen: ln Z(θ) = ln N(3; θ, 2) is largest at θ = 3, where the lower bound is
    // ln Z = -½ ln 4π, and q = N(3, ½) is exact.
    let flow = flow(vec![Box::new(Affine::identity(1))]);
    let loss = flow
        .reverse_kl(|x| {
            let theta = x.tape().parameter("theta", Shape::Scalar, Init::Constant(0.0));
            log_normal(x.at(0) - theta, 0.0, 1.0) + log_normal(3.0 - x.at(0), 0.0, 1.0)
        })
        .unwrap();
    assert!(loss.parameter_names().contains(&"theta".to_string()));
    let options = TrainingOptions {
        learning_rate: 0.05,
        schedule: Schedule::Cosine { last: 0.0 },
        steps: 1500,
        ..TrainingOptions::default()
    };
    let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(0), options).unwrap();
    for _ in 0..1500 {
        minimiser.step(&[], 64).unwrap();
    }
    let theta = minimiser.parameters().get("theta").unwrap().values[0];
    assert!((theta - 3.0).abs() < 0.02, "{theta}");
    let scale = minimiser.parameters().get("layers.0.scale").unwrap().values[0];
    assert!((scale.abs() - 0.5f64.sqrt()).abs() < 0.02, "{scale}");
    let bound = -minimiser.mean(&[], 20_000).unwrap();
    assert!((bound + 0.5 * (2.0 * TAU).ln()).abs() < 1e-3, "{bound}");
}

#[test]
fn a_seed_is_a_fit_in_either_precision() {
    let fit = |seed: u64, single_precision: bool| {
        let options = TargetOptions {
            steps: 300,
            learning_rate: 0.05,
            seed,
            single_precision,
            ..TargetOptions::default()
        };
        let fitted = flow(vec![Box::new(Affine::identity(1))])
            .fit_to_target(|x| log_normal(x.at(0), 2.0, 0.5), options)
            .unwrap();
        fitted.parameters().get("layers.0.shift").unwrap().values[0]
    };
    assert_eq!(fit(1, false).to_bits(), fit(1, false).to_bits());
    assert_ne!(fit(1, false), fit(2, false));
    assert!((fit(1, true) - 2.0).abs() < 0.02 && (fit(1, true) - fit(1, false)).abs() < 1e-3);
}

#[test]
fn a_target_that_is_not_finite_is_an_error_with_the_point_and_the_operation() {
    let attempt = |target: for<'t> fn(Var<'t>) -> Var<'t>| {
        let before = flow(vec![Box::new(Affine::identity(2))]);
        before.fit_to_target(target, TargetOptions::default()).err().unwrap()
    };
    let error = attempt(|x| x.at(0).ln() - 0.5 * x.at(1).powi(2));
    let FlowError::Target { value, x, origin } = &error else { panic!("{error}") };
    assert!(value.is_nan() && x.len() == 2 && x[0] < 0.0, "{error}");
    assert!(origin.starts_with(&format!("ln gives NaN from {} in row ", x[0])), "{origin}");
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("the target's ln density is NaN at x = ({}, {}):", x[0], x[1])),
        "{text}"
    );
    assert!(text.contains("tests/objectives.rs:") && text.contains("Transform::Exp"), "{text}");
    // Zero density where the flow draws: ln 0.
    let error = attempt(|x| select(x.at(0).gt(0.0), x.tape().constant(1.0), 0.0).ln());
    assert!(matches!(error, FlowError::Target { value: f64::NEG_INFINITY, .. }), "{error}");
    // In a support that the flow is mapped into, the target is finite.
    let layers: Layers = vec![Box::new(Affine::identity(1)), Box::new(Elementwise::new(Transform::Exp, 1))];
    let options = TargetOptions { steps: 1000, learning_rate: 0.03, ..TargetOptions::default() };
    // Log-normal with μ = 1, σ = ½.
    fn log_target(x: Var<'_>) -> Var<'_> {
        -0.5 * ((x.at(0).ln() - 1.0) / 0.5).powi(2) - x.at(0).ln()
    }
    let fitted = flow(layers).fit_to_target(log_target, options).unwrap();
    let shift = fitted.parameters().get("layers.0.shift").unwrap().values[0];
    assert!((shift - 1.0).abs() < 0.02, "{shift}");
}

/// Laplace's distribution with a location and a scale that are learned, as a user writes it.
#[derive(Clone)]
struct LearnedLaplace {
    location: f64,
    scale: f64,
    /// Whether it says of which noise its draws are a function.
    tells: bool,
}

impl LearnedLaplace {
    fn parameters<'t>(&self, tape: &'t Tape) -> [Var<'t>; 2] {
        [("location", self.location), ("log_scale", self.scale.ln())]
            .map(|(name, value)| tape.parameter(name, Shape::Scalar, Init::Constant(value)))
    }
}

impl Base for LearnedLaplace {
    fn dim(&self) -> usize {
        1
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let [location, log_scale] = self.parameters(z.tape());
        -((z.at(0) - location).abs() * (-log_scale).exp()) - log_scale - 2f64.ln()
    }

    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        Laplace::new(1).sample(random, z);
        z[0] = self.location + self.scale * z[0];
    }

    fn noise(&self) -> Result<Box<dyn Base>, String> {
        match self.tells {
            true => Ok(Box::new(Laplace::new(1))),
            false => StudentTWithoutNoise.noise(),
        }
    }

    fn of_noise<'t>(&self, noise: Var<'t>) -> Var<'t> {
        let [location, log_scale] = self.parameters(noise.tape());
        location + log_scale.exp() * noise
    }

    fn with_parameters(&self, parameters: &Parameters) -> Option<Box<dyn Base>> {
        let of = |name: &str| parameters.get(&format!("base.{name}")).map(|tensor| tensor.values[0]);
        Some(Box::new(LearnedLaplace {
            location: of("location")?,
            scale: of("log_scale")?.exp(),
            tells: true,
        }))
    }
}

/// A base that leaves what it need not say.
struct StudentTWithoutNoise;

impl Base for StudentTWithoutNoise {
    fn dim(&self) -> usize {
        1
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        StudentT::new(1, 3.0).log_prob(z)
    }

    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        StudentT::new(1, 3.0).sample(random, z);
    }
}

#[test]
fn a_base_that_learns_is_fitted_to_a_target_by_the_noise_that_its_draws_are_a_function_of() {
    // N((1, -3), LLᵀ) with L = ((2, 0), (1.2, 0.5)), by a Gaussian of any mean and covariance alone.
    fn log_target(x: Var<'_>) -> Var<'_> {
        let u = (x.at(0) - 1.0) / 2.0;
        let v = (x.at(1) + 3.0 - 1.2 * u) / 0.5;
        -0.5 * (u * u + v * v)
    }
    let base = GaussianMixture::new(&[1.0], &[vec![0.0; 2]], &[vec![1.0, 0.0, 0.0, 1.0]]).learned();
    let options = TargetOptions { steps: 1500, learning_rate: 0.05, seed: 1, ..TargetOptions::default() };
    let fixed = || [Box::new(Affine::fixed([1.0; 2], [0.0; 2])) as Box<dyn Bijection>];
    let fitted = Flow::new(base, fixed()).unwrap().fit_to_target(log_target, options).unwrap();
    let log_z = TAU.ln();
    for x in [[1.0, -3.0], [3.0, -2.0], [-1.0, -4.5], [2.0, -3.0]] {
        let u = (x[0] - 1.0) / 2.0;
        let v = (x[1] + 3.0 - 1.2 * u) / 0.5;
        let (found, exact) = (fitted.log_prob(&x).unwrap()[0], -0.5 * (u * u + v * v) - log_z);
        assert!((found - exact).abs() < 0.03, "{found} against {exact} at {x:?}");
    }
    // A user's location and scale, with a layer above: Laplace(2, ½) is e^x of a log-Laplace variable.
    let base = LearnedLaplace { location: 0.0, scale: 1.0, tells: true };
    let layer: Box<dyn Bijection> = Box::new(Elementwise::new(Transform::Exp, 1));
    fn log_laplace(x: Var<'_>) -> Var<'_> {
        -2.0 * (x.at(0).ln() - 2.0).abs() - x.at(0).ln()
    }
    let options = TargetOptions { steps: 1500, learning_rate: 0.05, seed: 2, ..TargetOptions::default() };
    let fitted = Flow::new(base, [layer]).unwrap().fit_to_target(log_laplace, options).unwrap();
    let of = |name: &str| fitted.parameters().get(name).unwrap().values[0];
    let (location, scale) = (of("base.location"), of("base.log_scale").exp());
    assert!((location - 2.0).abs() < 0.02 && (scale - 0.5).abs() < 0.01, "{location}, {scale}");
}

#[test]
fn the_gradient_of_a_learned_base_is_that_of_the_divergence() {
    // KL(N(m, s²) ‖ N(0.5, 2²)) has the derivatives (m - 0.5)/4 in m and s²/4 - 1 in ln s; that of W = 1/s in ln(1/s) is the
    // negative of the second.
    let base = GaussianMixture::new(&[1.0], &[vec![-1.0]], &[vec![0.49]]).learned();
    let flow = Flow::new(base, [Box::new(Affine::fixed([1.0], [0.0])) as Box<dyn Bijection>]).unwrap();
    let loss = flow.reverse_kl(|x| log_normal(x.at(0), 0.5, 2.0)).unwrap();
    let start = loss.initial(0);
    let options =
        TrainingOptions { learning_rate: 1e-3, clip: f64::INFINITY, steps: 1, ..TrainingOptions::default() };
    let value = |name: &str, by: f64, seed: u64| {
        let mut parameters = start.clone();
        let (_, tensor) = parameters.iter_mut().find(|(other, _)| *other == name).unwrap();
        tensor.values[0] += by;
        // One step tells the loss at its start; the same seed draws the same noise.
        let mut minimiser =
            Minimiser::<f64>::new(&loss, parameters, TrainingOptions { seed, ..options }).unwrap();
        minimiser.step(&[], 200_000).unwrap()
    };
    for (name, exact) in [("base.means", -1.5 / 4.0), ("base.log_diagonal.0", 1.0 - 0.49 / 4.0)] {
        let slope = (value(name, 1e-4, 7) - value(name, -1e-4, 7)) / 2e-4;
        assert!((slope - exact).abs() < 0.01, "{name}: {slope} against {exact}");
    }
}

#[test]
fn what_cannot_be_fitted_to_a_target_is_refused() {
    let simple = || flow(vec![Box::new(Affine::identity(2))]);
    let vector = simple().fit_to_target(|x| x, TargetOptions::default()).err().unwrap();
    assert!(matches!(vector, FlowError::Training(TrainError::Shape(_))), "{vector}");
    let mistake = simple().fit_to_target(|x| x.at(7), TargetOptions::default()).err().unwrap();
    assert!(matches!(mistake, FlowError::Training(TrainError::Recording(_))), "{mistake}");
    for (name, options) in [
        ("steps", TargetOptions { steps: 0, ..TargetOptions::default() }),
        ("draws", TargetOptions { draws: 0, ..TargetOptions::default() }),
        ("learning_rate", TargetOptions { learning_rate: -1.0, ..TargetOptions::default() }),
        ("clip", TargetOptions { clip: 0.0, ..TargetOptions::default() }),
    ] {
        let error = simple().fit_to_target(|x| -(x * x).sum(), options).err().unwrap();
        assert!(error.to_string().starts_with(&format!("{name} is ")), "{error}");
    }
    let two =
        || GaussianMixture::new(&[0.5, 0.5], &[vec![0.0], vec![1.0]], &[vec![1.0], vec![1.0]]).learned();
    let one = Affine::identity(1);
    let learned =
        |base: Box<dyn Base>| Flow::new(base, [Box::new(one.clone()) as Box<dyn Bijection>]).unwrap();
    let mixture =
        || Mixture::new(&[1.0, 1.0], [Box::new(Laplace::new(1)) as Box<dyn Base>, Box::new(Gumbel::new(1))]);
    for (name, base) in
        [("GaussianMixture", Box::new(two()) as Box<dyn Base>), ("Mixture", Box::new(mixture().learned()))]
    {
        let error = learned(base).reverse_kl(|x| x.at(0)).err().unwrap().to_string();
        assert!(error.starts_with(&format!("the base {name} learns parameters (base.")), "{error}");
        assert!(error.contains("a draw of a mixture jumps from one component to another"), "{error}");
    }
    let untold = learned(Box::new(LearnedLaplace { location: 0.0, scale: 1.0, tells: false }));
    let error = untold.reverse_kl(|x| x.at(0)).err().unwrap().to_string();
    assert!(error.contains("(base.location is one)") && error.contains("Base::noise"), "{error}");
    let nothing = flow(vec![Box::new(Affine::fixed([1.0], [0.0]))]);
    let error = nothing.fit_to_target(|x| x.at(0), TargetOptions::default()).err().unwrap();
    assert_eq!(error, FlowError::Training(TrainError::NothingToLearn));
}

// ---- Forward divergence.

#[test]
fn weighted_rows_are_fitted_to_their_weighted_moments() {
    // 500 rows of N(0, 2²), weighted to stand for N(1, ½²); the fitted normal has their weighted mean and deviation.
    let proposal = normal(0.0, 2.0);
    let sample = proposal.importance_sample(|x| log_normal(x.at(0), 1.0, 0.5) + 3.0, 500, 1).unwrap();
    let raw: Vec<f64> = sample.log_weights().iter().map(|log| log.exp()).collect();
    let weights = normalised_weights(&raw).unwrap();
    assert!((weights.iter().sum::<f64>() - 500.0).abs() < 1e-9);
    for (one, other) in weights.iter().zip(sample.weights()) {
        assert!((one / 500.0 - other).abs() < 1e-14);
    }
    let flow = flow(vec![Box::new(Affine::identity(1))]);
    let loss = flow.forward_kl().unwrap();
    let options = TrainingOptions {
        learning_rate: 0.02,
        schedule: Schedule::Cosine { last: 0.0 },
        steps: 1500,
        ..TrainingOptions::default()
    };
    let mut minimiser = Minimiser::<f64>::new(&loss, flow.initial(0), options).unwrap();
    for _ in 0..1500 {
        minimiser.step(&[sample.points(), &weights], 500).unwrap();
    }
    let mean = sample.expectation(|x| x[0]).value;
    let sd = sample.expectation(|x| (x[0] - mean).powi(2)).value.sqrt();
    let found = |name: &str, minimiser: &mut Minimiser<f64>| {
        minimiser.parameters().get(&format!("layers.0.{name}")).unwrap().values[0]
    };
    assert!((found("shift", &mut minimiser) - mean).abs() < 1e-4);
    assert!((found("scale", &mut minimiser).abs() - sd).abs() < 1e-4);
    assert!((mean - 1.0).abs() < 0.2 && (sd - 0.5).abs() < 0.1);
}

#[test]
fn a_row_of_weight_zero_counts_for_nothing_and_one_outside_of_the_support_is_an_error() {
    // Rows of (0, s): outside of it the density is 0.
    let base =
        Flow::new(Uniform::new(1), [Box::new(Affine::new([2.0], [0.0])) as Box<dyn Bijection>]).unwrap();
    let loss = base.forward_kl().unwrap();
    let mut minimiser = Minimiser::<f64>::new(&loss, base.initial(0), TrainingOptions::default()).unwrap();
    // ln p = -ln 2 of each row that counts.
    let mean = minimiser.mean(&[&[0.5, 9.0, 1.0], &[1.0, 0.0, 2.0]], 3).unwrap();
    assert!((mean - 2f64.ln()).abs() < 1e-12, "{mean}");
    assert!(minimiser.step(&[&[0.5, 9.0], &[1.0, 0.0]], 2).is_ok());
    assert!(matches!(minimiser.step(&[&[0.5, 9.0], &[1.0, 1.0]], 2), Err(TrainError::NotFinite(_))));
    assert!(matches!(minimiser.step(&[&[0.5], &[f64::NAN]], 1), Err(TrainError::Data { .. })));
}

#[test]
fn weights_that_are_none_are_refused_with_their_row() {
    for (weights, text) in [
        (
            vec![1.0, -0.5],
            "the weight of row 1 is -0.5 (rows count from 0); it must be a finite number of 0 or more",
        ),
        (vec![f64::NAN], "the weight of row 0 is NaN"),
        (vec![1.0, 2.0, f64::INFINITY], "the weight of row 2 is inf"),
        (vec![0.0, 0.0], "none of 2 weights is above 0"),
        (vec![], "none of 0 weights is above 0"),
    ] {
        let error = normalised_weights(&weights).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
        if !weights.is_empty() {
            let rows: Vec<f64> = (0..20).map(f64::from).collect();
            let all: Vec<f64> = weights.iter().copied().cycle().take(20).collect();
            let options = FitOptions { weights: Some(&all), ..FitOptions::default() };
            let table = Table::new(&["x"], rows).unwrap();
            let error = flow(vec![Box::new(Affine::identity(1))]).fit(&table, options).err().unwrap();
            assert!(matches!(error, FlowError::Weight { .. } | FlowError::NoWeight { rows: 20 }), "{error}");
        }
    }
    // Weights as large as doubles are.
    assert_eq!(normalised_weights(&[f64::MAX, f64::MAX, 0.0]).unwrap(), [1.5, 1.5, 0.0]);
}

// ---- Importance sampling.

/// E_q[w²] of N(0, p²) by draws of N(0, q²): q²/(p·√(2q² - p²)).
fn mean_square(p: f64, q: f64) -> f64 {
    q * q / (p * (2.0 * q * q - p * p).sqrt())
}

#[test]
fn effective_sample_size_and_error_are_those_of_two_gaussians() {
    for (q, seed) in [(1.0, 1), (1.5, 2), (3.0, 3), (0.85, 4)] {
        let count = 100_000;
        let sample = normal(0.0, q).importance_sample(|x| -0.5 * x.at(0).powi(2), count, seed).unwrap();
        let expected = count as f64 / mean_square(1.0, q);
        let found = sample.effective_sample_size();
        assert!((found / expected - 1.0).abs() < 0.02, "q = {q}: {found} against {expected}");
        let evidence = sample.log_evidence();
        let error = ((mean_square(1.0, q) - 1.0) / count as f64).sqrt();
        assert!((evidence.error - error).abs() < 0.1 * error + 1e-12, "q = {q}: {evidence} against {error}");
        assert!((evidence.value - 0.5 * TAU.ln()).abs() < 4.0 * error + 1e-12, "q = {q}: {evidence}");
    }
}

#[test]
fn errors_cover_the_truth_as_often_as_they_say() {
    let proposal = normal(0.3, 1.4);
    let (mut evidence_covered, mut mean_covered) = (0, 0);
    let runs = 400;
    for seed in 0..runs {
        let sample = proposal.importance_sample(|x| log_normal(x.at(0), 0.0, 1.0) + 2.0, 400, seed).unwrap();
        let (evidence, mean) = (sample.log_evidence(), sample.expectation(|x| x[0]));
        evidence_covered += u32::from((evidence.value - 2.0).abs() < 1.96 * evidence.error);
        mean_covered += u32::from(mean.value.abs() < 1.96 * mean.error);
    }
    // 95 %, with four standard deviations of a binomial count: 380 ± 17.4.
    for covered in [evidence_covered, mean_covered] {
        assert!((363..=397).contains(&covered), "{evidence_covered} and {mean_covered} of {runs}");
    }
}

#[test]
fn draws_that_the_target_makes_impossible_have_the_weight_0() {
    // Half of a normal: ln Z = ln ½ for a target that is a density cut at 0.
    fn half(x: Var<'_>) -> Var<'_> {
        let inside = select(x.at(0).gt(0.0), x.tape().constant(1.0), 0.0).ln();
        log_normal(x.at(0), 0.0, 1.0) + inside
    }
    let sample = normal(0.0, 1.0).importance_sample(half, 10_000, 1).unwrap();
    let evidence = sample.log_evidence();
    assert!((evidence.value - 0.5f64.ln()).abs() < 4.0 * evidence.error, "{evidence}");
    assert!((sample.effective_sample_size() / 5000.0 - 1.0).abs() < 0.05);
    let mean = sample.expectation(|x| if x[0] > 0.0 { x[0] } else { f64::NAN });
    assert!((mean.value - (4.0 / TAU).sqrt()).abs() < 4.0 * mean.error, "{mean}");
    assert_eq!(sample.evidence_lower_bound().value, f64::NEG_INFINITY);
    // The positive weights are equal: there is no tail.
    let smoothed = sample.pareto_smoothed();
    assert!(smoothed.shape == f64::NEG_INFINITY && smoothed.is_reliable(), "{smoothed}");
    assert_eq!(smoothed.sample, sample);
    // Nowhere possible.
    let error = normal(-50.0, 1.0).importance_sample(half, 100, 1).unwrap_err();
    assert_eq!(error, FlowError::NoWeight { rows: 100 });
}

#[test]
fn targets_and_weights_that_are_no_numbers_are_refused() {
    let error = normal(0.0, 1.0).importance_sample(|x| x.at(0).ln(), 100, 1).unwrap_err();
    assert!(error.to_string().starts_with("the target's ln density is NaN at x = (-"), "{error}");
    let infinite = normal(0.0, 1.0).importance_sample(|x| (x.at(0) * 1e3).exp(), 100, 1).unwrap_err();
    assert!(matches!(infinite, FlowError::Target { value: f64::INFINITY, .. }), "{infinite}");
    let none = normal(0.0, 1.0).importance_sample(|x| x.at(0), 0, 1).unwrap_err();
    assert_eq!(none.to_string(), "count is 0; it must be at least 1");
    assert_eq!(ImportanceSample::new(vec![], vec![]), Err(FlowError::NoWeight { rows: 0 }));
    let impossible = ImportanceSample::new(vec![1.0, 2.0], vec![f64::NEG_INFINITY; 2]);
    assert_eq!(impossible, Err(FlowError::NoWeight { rows: 2 }));
    let error = ImportanceSample::new(vec![1.0, 2.0], vec![0.0, f64::NAN]).unwrap_err().to_string();
    assert!(error.starts_with("the ln weight of row 1 is NaN"), "{error}");
    assert!(ImportanceSample::new(vec![1.0], vec![f64::INFINITY]).is_err());
    assert_eq!(
        ImportanceSample::new(vec![1.0, 2.0, 3.0], vec![0.0; 2]),
        Err(FlowError::Rows { width: 1, given: 3 })
    );
    assert!(matches!(ImportanceSample::new(vec![f64::NAN], vec![0.0]), Err(FlowError::Nan { .. })));
}

#[test]
fn of_one_draw_nothing_but_its_value_is_known() {
    let sample = normal(0.0, 1.0).importance_sample(|x| log_normal(x.at(0), 0.0, 1.0), 1, 1).unwrap();
    assert!((sample.effective_sample_size() - 1.0).abs() < 1e-12 && sample.weights() == [1.0]);
    let (evidence, mean) = (sample.log_evidence(), sample.expectation(|x| x[0]));
    assert!(evidence.value.abs() < 1e-12 && evidence.error == f64::INFINITY);
    assert_eq!(mean, Estimate { value: sample.points()[0], error: f64::INFINITY });
    assert_eq!(sample.evidence_lower_bound().error, f64::INFINITY);
    let smoothed = sample.pareto_smoothed();
    assert!(smoothed.shape == f64::INFINITY && !smoothed.is_reliable(), "{smoothed}");
    assert_eq!(smoothed.sample, sample);
}

#[test]
fn weights_of_any_magnitude_have_the_same_ratios() {
    let logs: Vec<f64> = (0..200).map(|k| (f64::from(k) * 1.7).sin() * 3.0).collect();
    let points: Vec<f64> = (0..200).map(f64::from).collect();
    let of = |shift: f64| {
        ImportanceSample::new(points.clone(), logs.iter().map(|log| log + shift).collect()).unwrap()
    };
    let at_0 = of(0.0);
    for shift in [-1e4, 5e3] {
        let moved = of(shift);
        assert!((moved.effective_sample_size() / at_0.effective_sample_size() - 1.0).abs() < 1e-9);
        assert!((moved.log_evidence().value - shift - at_0.log_evidence().value).abs() < 1e-9);
        assert!((moved.pareto_smoothed().shape - at_0.pareto_smoothed().shape).abs() < 1e-6);
    }
}

// ---- Pareto-smoothed weights.

#[test]
fn the_shape_of_exact_quantiles_is_found() {
    for shape in [0.2, 0.5, 0.8] {
        let exact = GeneralisedPareto { shape, scale: 3.0 };
        let quantiles =
            |n: usize| -> Vec<f64> { (0..n).map(|i| exact.quantile((i as f64 + 0.5) / n as f64)).collect() };
        let fitted = GeneralisedPareto::fit(&quantiles(1000)).unwrap();
        assert!((fitted.shape - shape).abs() < 0.02, "{fitted:?} of {shape}");
        assert!((fitted.scale / 3.0 - 1.0).abs() < 0.02, "{fitted:?} of {shape}");
        // What lies above a threshold has the same shape.
        let weights = quantiles(4000);
        let sample =
            ImportanceSample::new(vec![0.0; 4000], weights.iter().map(|w| w.ln()).collect()).unwrap();
        let smoothed = sample.pareto_smoothed();
        assert_eq!(smoothed.tail, 190); // ⌈3·√4000⌉ = ⌈189.7⌉
        assert!((smoothed.shape - shape).abs() < 0.06, "{} of {shape}", smoothed.shape);
        assert_eq!(smoothed.is_reliable(), shape < 0.7);
        // Smoothing hardly changes weights that are smooth, keeps their order, and none grows above the largest.
        let (raw, smooth) = (sample.log_weights(), smoothed.sample.log_weights());
        assert!(smooth.windows(2).all(|pair| pair[0] <= pair[1]) && smooth[3999] <= raw[3999]);
        assert_eq!(raw[..3810], smooth[..3810]);
        assert!(raw.iter().zip(smooth).take(3990).all(|(raw, smooth)| (raw - smooth).abs() < 0.05));
    }
    assert_eq!(GeneralisedPareto::fit(&[1.0, 2.0, 3.0, 4.0]), None);
    assert_eq!(GeneralisedPareto::fit(&[1.0, 2.0, 3.0, 4.0, 0.0]), None);
    assert_eq!(GeneralisedPareto::fit(&[1.0, 2.0, 3.0, 4.0, f64::NAN]), None);
}

#[test]
fn weights_are_smoothed_as_arviz_smooths_them() {
    // az.psislw of arviz 0.21.0: k̂, the normalised ln weights of these ranks from the largest on, and 1/Σ w̃².
    let ranks = [1, 2, 10, 40, 400];
    for (scale, shape, logs, size) in [
        (
            0.1,
            0.579615971753,
            [-5.424446790683, -5.494585968658, -5.817207752224, -5.935737046834, -6.630942527045],
            396.585188868,
        ),
        (
            0.5,
            0.914305662122,
            [-3.252266963042, -3.898953320380, -5.214302820425, -5.813057083681, -9.284745644854],
            217.503032389,
        ),
        (
            2.0,
            2.082730332652,
            [-0.202119268147, -2.489474761592, -6.296014733336, -8.733439562997, -22.610317605403],
            1.480298638,
        ),
    ] {
        let spread = |k: i32| (f64::from(k) * 0.6180339887498949).fract() * 0.98 - 0.49;
        let raw = (0..400).map(|k| 0.2 * scale * (0.5 * TAU * spread(k)).tan() + 3.0).collect();
        let sample = ImportanceSample::new(vec![0.0; 400], raw).unwrap();
        let smoothed = sample.pareto_smoothed();
        assert!((smoothed.shape - shape).abs() < 1e-9, "{} against {shape}", smoothed.shape);
        let mut weights = smoothed.sample.weights();
        weights.sort_by(f64::total_cmp);
        for (rank, log) in ranks.into_iter().zip(logs) {
            let found: f64 = weights[400 - rank].ln();
            assert!((found - log).abs() < 1e-8, "rank {rank}: {found} against {log}");
        }
        let found = smoothed.sample.effective_sample_size();
        assert!((found / size - 1.0).abs() < 1e-8, "{found} against {size}");
    }
}

#[test]
fn a_proposal_that_is_too_narrow_is_told_by_its_shape() {
    // Weights of N(0, 1) by draws of N(0, q²), q < 1, have a tail of shape 1 - q²: P(w > t) is about t^(-1/(1 - q²)).
    for (q, reliable) in [(0.4, false), (0.45, false), (0.85, true), (1.2, true)] {
        let sample = normal(0.0, q).importance_sample(|x| log_normal(x.at(0), 0.0, 1.0), 20_000, 1).unwrap();
        let smoothed = sample.pareto_smoothed();
        if q < 1.0 {
            assert!((smoothed.shape - (1.0 - q * q)).abs() < 0.15, "q = {q}: {smoothed}");
        }
        assert_eq!(smoothed.is_reliable(), reliable, "q = {q}: {smoothed}");
        assert!(reliable || smoothed.shape > 0.7);
        let text = smoothed.to_string();
        assert!(text.starts_with(&format!(
            "k̂ = {:.2}, {}",
            smoothed.shape,
            if reliable { "below" } else { "not below" }
        )));
    }
    // Fewer draws have to be more certain: 1 - 1/log₁₀ S.
    let threshold = |draws: usize| {
        let logs: Vec<f64> = (0..draws).map(|k| (k as f64).sin()).collect();
        ImportanceSample::new(vec![0.0; draws], logs).unwrap().pareto_smoothed().threshold()
    };
    assert!((threshold(100) - 0.5).abs() < 1e-12 && (threshold(1000) - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(threshold(10_000), 0.7);
}

#[test]
fn smoothed_estimates_of_a_heavy_tail_vary_less() {
    // Shape ½ and some: the raw weights hardly have a variance. Mean squared errors of E_p[x²] = 1 over 200 runs.
    let proposal = normal(0.0, 0.65);
    let (mut raw, mut smooth) = (0.0, 0.0);
    for seed in 0..200 {
        let sample = proposal.importance_sample(|x| log_normal(x.at(0), 0.0, 1.0), 500, seed).unwrap();
        let error = |sample: &ImportanceSample| (sample.expectation(|x| x[0] * x[0]).value - 1.0).powi(2);
        raw += error(&sample);
        smooth += error(&sample.pareto_smoothed().sample);
    }
    assert!(smooth < raw, "{smooth} against {raw}");
}
