//! Maps in the forms in which users write them, and random compositions of monotone functions.

use pushforward::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Formula = Box<dyn for<'t> Fn(Var<'t>) -> Var<'t> + Send + Sync>;

/// A bijection from a formula.
pub struct Map {
    name: String,
    d: usize,
    structure: Structure,
    domain: Domain,
    forward: Formula,
}

impl Bijection for Map {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
    fn domain(&self) -> Domain {
        self.domain.clone()
    }
    fn name(&self) -> String {
        self.name.clone()
    }
}

fn map(
    name: &str,
    d: usize,
    domain: Domain,
    forward: impl for<'t> Fn(Var<'t>) -> Var<'t> + Send + Sync + 'static,
) -> Map {
    let structure = if d == 1 { Structure::Diagonal } else { Structure::LowerTriangular };
    Map { name: name.to_string(), d, structure, domain, forward: Box::new(forward) }
}

/// tanh and σ behind constants, products of probabilities, exponentials beside 1, and what is built of them.
pub fn named() -> Vec<Map> {
    use Domain::{Positive, Reals};
    let unit = Domain::Interval { lower: 0.0, upper: 1.0 };
    let line = |name: &str, forward: for<'t> fn(Var<'t>) -> Var<'t>| map(name, 1, Reals, forward);
    vec![
        line("tanh z", |z| z.tanh()),
        line("tanh(3z)", |z| (3.0 * z).tanh()),
        line("tanh(0.3z)", |z| (0.3 * z).tanh()),
        line("2·tanh z", |z| 2.0 * z.tanh()),
        line("0.1·tanh z", |z| 0.1 * z.tanh()),
        line("5 - 2·tanh z", |z| 5.0 - 2.0 * z.tanh()),
        line("tanh(z/2 + 1)", |z| (z / 2.0 + 1.0).tanh()),
        line("3·tanh(0.7z - 2)/7", |z| 3.0 * (0.7 * z - 2.0).tanh() / 7.0),
        line("stack(tanh z)", |z| stack([z.at(0).tanh()])),
        line("1 - σ(z)", |z| 1.0 - z.sigmoid()),
        line("1 + tanh z", |z| 1.0 + z.tanh()),
        line("½(1 + tanh z)", |z| 0.5 * (1.0 + z.tanh())),
        line("z + tanh z", |z| z + z.tanh()),
        line("ln(1 + tanh z)", |z| (1.0 + z.tanh()).ln()),
        line("ln_1p(tanh z)", |z| z.tanh().ln_1p()),
        line("(1 + tanh z)³", |z| (1.0 + z.tanh()).powi(3)),
        line("(1 - σ(z))²", |z| (1.0 - z.sigmoid()).powi(2)),
        line("1 - (1 - σ(z))²", |z| 1.0 - (1.0 - z.sigmoid()).powi(2)),
        line("1/(1 + tanh z)", |z| 1.0 / (1.0 + z.tanh())),
        line("(1 - σ(z))/σ(z)", |z| (1.0 - z.sigmoid()) / z.sigmoid()),
        line("ln σ(z) - ln(1 - σ(z))", |z| z.sigmoid().ln() - (1.0 - z.sigmoid()).ln()),
        line("ln(σ(z)/(1 - σ(z)))", |z| (z.sigmoid() / (1.0 - z.sigmoid())).ln()),
        line("σ(3z)", |z| (3.0 * z).sigmoid()),
        line("2 + 4·σ(0.3z + 1)", |z| 2.0 + 4.0 * (0.3 * z + 1.0).sigmoid()),
        line("σ(z)³", |z| z.sigmoid().powi(3)),
        line("1/(1 + e⁻ᶻ)", |z| 1.0 / (1.0 + (-z).exp())),
        line("eᶻ/(1 + eᶻ)", |z| z.exp() / (1.0 + z.exp())),
        line("1/(1 + e^(1 - 2z))", |z| (1.0 + (1.0 - 2.0 * z).exp()).recip()),
        line("1 - e^(-eᶻ)", |z| 1.0 - (-z.exp()).exp()),
        line("-expm1(-eᶻ)", |z| -(-z.exp()).exp_m1()),
        line("ln(1 + eᶻ)", |z| (1.0 + z.exp()).ln()),
        line("ln_1p(eᶻ)", |z| z.exp().ln_1p()),
        line("ln(eᶻ + 1)", |z| (z.exp() + 1.0).ln()),
        line("z + ln(1 + e⁻ᶻ)", |z| z + (1.0 + (-z).exp()).ln()),
        line("ln(2 + eᶻ)", |z| (2.0 + z.exp()).ln()),
        line("ln(eᶻ + e^(2z))", |z| (z.exp() + (2.0 * z).exp()).ln()),
        line("(eᶻ - e⁻ᶻ)/2", |z| (z.exp() - (-z).exp()) / 2.0),
        line("(eᶻ - e⁻ᶻ)/(eᶻ + e⁻ᶻ)", |z| (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())),
        line("(1 - e⁻²ᶻ)/(1 + e⁻²ᶻ)", |z| {
            let e = (-2.0 * z).exp();
            (1.0 - e) / (1.0 + e)
        }),
        line("tanh by expm1", |z| (2.0 * z).exp_m1() / ((2.0 * z).exp_m1() + 2.0)),
        line("eᶻ", |z| z.exp()),
        line("expm1 z", |z| z.exp_m1()),
        line("z + eᶻ", |z| z + z.exp()),
        line("softplus z", |z| z.softplus()),
        line("softplus(3z + 1)/3", |z| (3.0 * z + 1.0).softplus() / 3.0),
        line("z - softplus z", |z| z - z.softplus()),
        line("z - softplus(-z)", |z| z - (-z).softplus()),
        line("2z - softplus z", |z| 2.0 * z - z.softplus()),
        line("softplus softplus z", |z| z.softplus().softplus()),
        line("ln softplus z", |z| z.softplus().ln()),
        line("e^softplus z", |z| z.softplus().exp()),
        line("expm1 softplus z", |z| z.softplus().exp_m1()),
        line("ln expm1 softplus z", |z| z.softplus().exp_m1().ln()),
        line("softplus⁻¹ as z + ln(1 - e⁻ᶻ)", |z| z.softplus() + (-(-z.softplus()).exp()).ln_1p()),
        line("tanh softplus z", |z| z.softplus().tanh()),
        line("σ(tanh z)", |z| z.tanh().sigmoid()),
        line("tanh tanh z", |z| z.tanh().tanh()),
        line("tanh σ(z)", |z| z.sigmoid().tanh()),
        line("e^tanh z", |z| z.tanh().exp()),
        line("e^(-e^(-z))", |z| (-(-z).exp()).exp()),
        line("sinh z", |z| z.sinh()),
        line("asinh z", |z| z.asinh()),
        line("2·sinh(3·asinh z)", |z| 2.0 * (3.0 * z.asinh()).sinh()),
        line("sinh(½asinh z)", |z| (0.5 * z.asinh()).sinh()),
        line("sinh(asinh z + 0.3)", |z| (z.asinh() + 0.3).sinh()),
        line("sinh(1.3·asinh z - 2)", |z| (1.3 * z.asinh() - 2.0).sinh()),
        line("ln(z + √(1 + z²))", |z| (z + (1.0 + z * z).sqrt()).ln()),
        line("z + √(1 + z²)", |z| z + (1.0 + z * z).sqrt()),
        line("½(z + √(z² + 4))", |z| 0.5 * (z + (z.powi(2) + 4.0).sqrt())),
        line("z/√(1 + z²)", |z| z / (1.0 + z * z).sqrt()),
        line("z/(1 + |z|)", |z| z / (1.0 + z.abs())),
        line("z³ + z", |z| z.powi(3) + z),
        line("z·(1 + z²)", |z| z * (1.0 + z * z)),
        line("z⁵", |z| z.powi(5)),
        line("lnΦ(z)", |z| z.ln_normal_cdf()),
        line("Φ(z)", |z| z.ln_normal_cdf().exp()),
        line("1 - Φ(-z)", |z| 1.0 - (-z).ln_normal_cdf().exp()),
        line("erf z", |z| z.erf()),
        line("½(1 + erf(z/√2))", |z| 0.5 * (1.0 + (z / 2f64.sqrt()).erf())),
        line("z + ½sin z", |z| z + 0.5 * z.sin()),
        line("2z + 1", |z| 2.0 * z + 1.0),
        line("-5z", |z| -5.0 * z),
        line("leaky", |z| select(z.lt(0.0), 0.2 * z, z)),
        line("elu", |z| select(z.lt(0.0), z.exp_m1(), z)),
        line("elu by e - 1", |z| select(z.lt(0.0), z.exp() - 1.0, z)),
        line("softsign of a choice", |z| select(z.lt(0.0), z / (1.0 - z), z / (1.0 + z))),
        line("max(z, 2z)", |z| z.max(2.0 * z)),
        map("ln z", 1, Positive, |z| z.ln()),
        map("ln(eᶻ - 1)", 1, Positive, |z| (z.exp() - 1.0).ln()),
        map("ln expm1 z", 1, Positive, |z| z.exp_m1().ln()),
        map("z + ln(1 - e⁻ᶻ)", 1, Positive, |z| z + (1.0 - (-z).exp()).ln()),
        map("z + ln_1p(-e⁻ᶻ)", 1, Positive, |z| z + (-(-z).exp()).ln_1p()),
        map("z/(1 + z)", 1, Positive, |z| z / (1.0 + z)),
        map("1 - 1/(1 + z)", 1, Positive, |z| 1.0 - 1.0 / (1.0 + z)),
        map("√z", 1, Positive, |z| z.sqrt()),
        map("z - 1/z", 1, Positive, |z| z - z.recip()),
        map("ln z + z", 1, Positive, |z| z.ln() + z),
        map("z^1.7", 1, Positive, |z| z.pow(1.7)),
        map("z⁻³", 1, Positive, |z| z.powi(-3)),
        map("logit", 1, unit.clone(), |z| z.ln() - (1.0 - z).ln()),
        map("logit by ln_1p", 1, unit.clone(), |z| z.ln() - (-z).ln_1p()),
        map("ln(z/(1 - z))", 1, unit.clone(), |z| (z / (1.0 - z)).ln()),
        map("-ln(1/z - 1)", 1, unit.clone(), |z| -(z.recip() - 1.0).ln()),
        map("-ln(1 - z)", 1, unit.clone(), |z| -(1.0 - z).ln()),
        map("-ln(-ln z)", 1, unit.clone(), |z| -(-z.ln()).ln()),
        map("1 - (1 - z²)³", 1, unit.clone(), |z| 1.0 - (1.0 - z.powi(2)).powi(3)),
        map("1 - (1 - z^0.5)^2.5", 1, unit.clone(), |z| 1.0 - (1.0 - z.pow(0.5)).pow(2.5)),
        map("z/(1 - z)", 1, unit.clone(), |z| z / (1.0 - z)),
        map("z²(3 - 2z)", 1, unit.clone(), |z| z * z * (3.0 - 2.0 * z)),
        map("atanh", 1, Domain::Interval { lower: -1.0, upper: 1.0 }, |z| 0.5 * (z.ln_1p() - (-z).ln_1p())),
        map("atanh by a quotient", 1, Domain::Interval { lower: -1.0, upper: 1.0 }, |z| {
            0.5 * ((1.0 + z) / (1.0 - z)).ln()
        }),
        map("z/√(1 - z²)", 1, Domain::Interval { lower: -1.0, upper: 1.0 }, |z| z / (1.0 - z * z).sqrt()),
        map("z/(1 - z²)", 1, Domain::Interval { lower: -1.0, upper: 1.0 }, |z| z / (1.0 - z * z)),
        map("stick-breaking 2", 2, Reals, |z| {
            let x0 = z.at(0).sigmoid();
            stack([x0, (1.0 - x0) * z.at(1).sigmoid()])
        }),
        map("stick-breaking 3", 3, Reals, |z| {
            let x0 = z.at(0).sigmoid();
            let x1 = (1.0 - x0) * z.at(1).sigmoid();
            stack([x0, x1, (1.0 - x0 - x1) * z.at(2).sigmoid()])
        }),
        map("stick-breaking 3, shifted", 3, Reals, |z| {
            let x0 = (z.at(0) - 3f64.ln()).sigmoid();
            let x1 = (1.0 - x0) * (z.at(1) - 2f64.ln()).sigmoid();
            stack([x0, x1, (1.0 - (x0 + x1)) * z.at(2).sigmoid()])
        }),
        map("stick-breaking by what is left", 3, Reals, |z| {
            let p = z.sigmoid();
            let left = 1.0 - p.at(0);
            stack([p.at(0), left * p.at(1), left * (1.0 - p.at(1)) * p.at(2)])
        }),
        map("tanh, scaled by 1 - tanh²", 2, Reals, |z| {
            let t = z.at(0).tanh();
            stack([t, (1.0 - t * t).sqrt() * z.at(1).tanh()])
        }),
        map("partial correlations", 3, Reals, |z| {
            let t = z.tanh();
            let (a, b) = (t.at(0), t.at(1));
            stack([a, b * (1.0 - a * a).sqrt(), t.at(2) * ((1.0 - a * a) * (1.0 - b * b)).sqrt()])
        }),
        map("scaled by 1 - σ", 2, Reals, |z| stack([z.at(0), z.at(1) * (1.0 - z.at(0).sigmoid())])),
        map("scaled by σ·(1 - σ)", 2, Reals, |z| {
            let s = (2.0 * z.at(0) + 1.0).sigmoid();
            stack([z.at(0), z.at(1) * s * (1.0 - s)])
        }),
        map("scaled by 1 - tanh", 2, Reals, |z| stack([z.at(0), z.at(1) * (1.0 - z.at(0).tanh())])),
        map("scaled by 2 - 2tanh", 2, Reals, |z| stack([z.at(0), z.at(1) * (2.0 - 2.0 * z.at(0).tanh())])),
        map("scaled by eᵃ + eᵇ", 3, Reals, |z| {
            stack([z.at(0), z.at(1), z.at(2) * (z.at(0).exp() + z.at(1).exp())])
        }),
        map("scaled by Σe, order 2", 3, Reals, |z| {
            stack([z.at(0), z.at(1), z.at(2) * (z.at(1).exp() + 1.0 + z.at(0).exp())])
        }),
        map("scaled by softmax", 3, Reals, |z| {
            let (a, b) = (z.at(0).exp(), z.at(1).exp());
            stack([z.at(0), z.at(1), z.at(2) * (a / (a + b))])
        }),
        map("scaled by 1 - e^-softplus", 2, Reals, |z| {
            stack([z.at(0), z.at(1) * (1.0 - (-z.at(0).softplus()).exp())])
        }),
        map("scaled by σ(a)/σ(b)", 3, Reals, |z| {
            stack([z.at(0), z.at(1), z.at(2) * z.at(0).sigmoid() / z.at(1).sigmoid()])
        }),
    ]
}

/// Monotone functions one after the other, with random constants.
pub fn composed(seed: u64) -> Map {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let count = 1 + random.random_range(0..3usize);
    let steps: Vec<(usize, f64, f64)> = (0..count)
        .map(|_| {
            let number = [0.5, 2.0, 3.0, 0.3, 1.7, -1.0, -0.7][random.random_range(0..7usize)];
            let shift = [0.0, 1.0, -2.0, 0.1, 0.0][random.random_range(0..5usize)];
            (random.random_range(0..STEPS), number, shift)
        })
        .collect();
    let names: Vec<String> = steps.iter().map(|(which, a, b)| format!("{which}({a}·+{b})")).collect();
    map(&format!("composed {seed}: {}", names.join(" ")), 1, Domain::Reals, move |z| {
        steps.iter().fold(z, |z, (which, a, b)| step(*a * z + *b, *which))
    })
}

const STEPS: usize = 22;

fn step(a: Var<'_>, which: usize) -> Var<'_> {
    match which {
        0 => a.tanh(),
        1 => a.sigmoid(),
        2 => a.softplus(),
        3 => a.sinh(),
        4 => a.asinh(),
        5 => a.exp(),
        6 => a.exp_m1(),
        7 => (1.0 + a.exp()).ln(),
        8 => 1.0 - a.sigmoid(),
        9 => 1.0 + a.tanh(),
        10 => a + a.tanh(),
        11 => 1.0 / (1.0 + (-a).exp()),
        12 => a.ln_normal_cdf(),
        13 => a.erf(),
        14 => a / (1.0 + a * a).sqrt(),
        15 => a.exp() / (1.0 + a.exp()),
        16 => (a.exp() - (-a).exp()) / (a.exp() + (-a).exp()),
        17 => a.exp().ln_1p(),
        18 => 1.0 - (-a.exp()).exp(),
        19 => (1.0 - a.sigmoid()) * 2.0 - 1.0,
        20 => a + a.powi(3),
        _ => (1.0 - a.sigmoid()).powi(2),
    }
}
