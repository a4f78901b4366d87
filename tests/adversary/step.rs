//! Steps of one variable: strictly monotone functions with known domain and image, and faulty ones.

use pushforward::bijection::solve_in_order;
use pushforward::prelude::*;

use super::edge::Edge;
use super::fault::Fault;
use super::line::{Line, scale};
use super::recorder::Recorder;
use crate::random_programs::Chooser;

#[derive(Clone, Debug)]
pub enum Step {
    Scale(f64),
    Shift(f64),
    /// v·exp(tanh c), or what else is positive, of what is known.
    ScaleBy(Known, usize),
    ShiftBy(Known),
    Exp,
    ExpM1,
    Ln,
    Ln1p,
    Softplus,
    /// -ln Φ(v)
    Deviance,
    Sigmoid,
    Logit,
    Tanh,
    Atanh,
    Erf,
    /// v/(1 + |v|)
    Softsign,
    Sinh,
    Asinh,
    Powi(i32),
    Pow(f64),
    /// 1 - v
    Flip,
    Recip,
    Sqrt,
    /// v + c·vᵏ for odd k and c > 0
    Tower(f64, i32),
    /// c·v + sin v, c > 1
    Wave(f64),
    /// v + c·s·tanh(v/s), c > -1
    Bend(f64, f64),
    /// v - c·tanh(v)ᵏ, c ≤ 1.2: the slope of tanhᵏ is at most 0.77 for k ≥ 2.
    PowerBend(i32, f64),
    /// v + c·cosh(v)ᵏ for k < 0 with c·√|k| ≤ 0.5
    Ripple(i32, f64),
    /// v + softplus v
    Ramp,
    /// Of slope a where v < at, else 1.
    Leak(f64, usize),
    /// v + √max(v, 0)
    Root,
    /// v + by·sign v: one-to-one, not onto.
    Gap(f64),
    /// A factor that is positive by the last digit.
    Edge(Edge),
    /// The same step inside of an equation: of an unknown, or of v itself beside an unknown that shifts it.
    Hidden(Box<Step>, bool),
    Fault(Fault),
}

/// What is known before a variable is moved.
#[derive(Clone, Debug)]
pub enum Known {
    Number(f64),
    Parameter,
    Context,
    /// Of the variables before.
    Sum,
    Product,
    Choice,
    Network,
}

impl Known {
    fn any(before: bool, choose: &mut Chooser) -> Known {
        match choose.below(if before { 7 } else { 3 }) {
            0 => Known::Number(choose.number()),
            1 => Known::Parameter,
            2 => Known::Context,
            3 => Known::Sum,
            4 => Known::Product,
            5 => Known::Choice,
            _ => Known::Network,
        }
    }

    fn record<'t>(&self, before: &[Var<'t>], v: Var<'t>, recorder: &mut Recorder<'t>) -> Var<'t> {
        let sum = || before.iter().skip(1).fold(before[0], |sum, known| 0.5 * sum - *known);
        match self {
            Known::Number(value) => v.tape().constant(*value),
            Known::Parameter => recorder.parameter(0.2),
            Known::Context => recorder.context(),
            Known::Sum => sum(),
            Known::Product => before[0].sin() * before[before.len() - 1],
            // A jump in another variable is no fault.
            Known::Choice => select(before[0].lt(0.3), 1.0, sum().tanh() - 2.0),
            Known::Network => recorder.network(before),
        }
    }
}

impl Step {
    /// One that starts on this line.
    pub fn any(line: Line, before: bool, choose: &mut Chooser) -> Step {
        match line {
            Line::Reals => match choose.below(30) {
                0 | 1 => Step::Scale(scale(choose) * choose.number().signum()),
                2 => Step::Shift(scale(choose) * choose.number().signum()),
                3 | 4 => Step::ScaleBy(Known::any(before, choose), choose.below(6)),
                5..=7 => Step::ShiftBy(Known::any(before, choose)),
                8 => Step::Exp,
                9 => Step::Softplus,
                10 => Step::Deviance,
                11 => Step::Sigmoid,
                12 => Step::Tanh,
                13 => Step::Erf,
                14 => Step::Softsign,
                15 => Step::Sinh,
                16 => Step::Asinh,
                17 => Step::Powi(choose.pick(&[3, 5, 9])),
                18 => Step::Tower(scale(choose), choose.pick(&[3, 5, 7])),
                19 => Step::Wave(1.0 + choose.pick(&[1e-9, 1e-3, 0.5, 10.0])),
                20 => Step::Bend(choose.pick(&[-1.0 + 1e-9, -0.99, -0.5, 0.3, 4.0, 1e6]), scale(choose)),
                21 => Step::PowerBend(
                    choose.pick(&[2, 3, 4, 1000, i32::MAX - 1, i32::MAX]),
                    choose.pick(&[-1.2, -0.1, 0.5, 1.2]),
                ),
                22 => {
                    let k: i32 = choose.pick(&[-1, -2, -31, -1000, -i32::MAX, i32::MIN]);
                    Step::Ripple(k, 0.5 * choose.number() / f64::from(k.unsigned_abs()).sqrt())
                }
                23 => Step::Ramp,
                24 | 25 => Step::Leak(choose.pick(&[1e-12, 1e-3, 0.2, 0.9]), choose.below(4)),
                26 => Step::Root,
                27 => Step::Edge(Edge::any(true, choose)),
                28 => Step::Gap(scale(choose)),
                _ => {
                    let step = Step::any(line, false, choose);
                    let beside = step.image(line) == line && choose.chance(0.5);
                    Step::Hidden(Box::new(step), beside)
                }
            },
            Line::Positive => match choose.below(9) {
                0 => Step::Ln,
                1 => Step::ExpM1,
                2 => Step::Ln1p,
                3 => Step::Powi(choose.pick(&[2, 3, -1, -2, 4])),
                4 => Step::Pow(choose.pick(&[0.5, 1.7, -0.3, 1e-3])),
                5 => Step::Scale(scale(choose)),
                6 => Step::ScaleBy(Known::any(before, choose), choose.below(6)),
                7 => Step::Recip,
                _ => Step::Sqrt,
            },
            Line::Unit => match choose.below(4) {
                0 | 1 => Step::Logit,
                2 => Step::Flip,
                _ => Step::Powi(choose.pick(&[2, 3])),
            },
            Line::Ball => match choose.below(3) {
                0 | 1 => Step::Atanh,
                _ => Step::Scale(-1.0),
            },
        }
    }

    /// Where it ends.
    pub fn image(&self, from: Line) -> Line {
        match self {
            Step::Exp | Step::Softplus | Step::Deviance => Line::Positive,
            Step::Sigmoid => Line::Unit,
            Step::Tanh | Step::Erf | Step::Softsign => Line::Ball,
            Step::Ln | Step::Logit | Step::Atanh => Line::Reals,
            Step::Hidden(step, _) => step.image(from),
            _ => from,
        }
    }

    /// Whether its slope is 0 or ∞ somewhere.
    pub fn touches_zero(&self, from: Line) -> bool {
        match self {
            Step::Powi(_) => from == Line::Reals,
            Step::Root => true,
            Step::Hidden(step, _) => step.touches_zero(from),
            _ => false,
        }
    }

    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Step::Fault(fault) => Some(fault),
            Step::Hidden(step, _) => step.fault(),
            _ => None,
        }
    }

    /// Whether it cannot be that of a first variable.
    pub fn asks_before(&self) -> bool {
        match self {
            Step::ScaleBy(known, _) | Step::ShiftBy(known) => {
                !matches!(known, Known::Number(_) | Known::Parameter | Known::Context)
            }
            _ => false,
        }
    }

    pub fn leaves_a_gap(&self) -> bool {
        match self {
            Step::Gap(_) | Step::Fault(Fault::JumpAhead { .. }) => true,
            Step::Hidden(step, _) => step.leaves_a_gap(),
            _ => false,
        }
    }

    pub fn record<'t>(&self, v: Var<'t>, before: &[Var<'t>], recorder: &mut Recorder<'t>) -> Var<'t> {
        match self {
            Step::Scale(a) => *a * v,
            Step::Shift(b) => v + *b,
            Step::ScaleBy(known, how) => {
                let c = known.record(before, v, recorder);
                match how {
                    0 => v * c.tanh().exp(),
                    1 => v * (1.5 + c.sin()),
                    2 => v / (1.001 + c.tanh()),
                    3 => v * (0.3 * c).sinh().abs().ln_1p().exp(),
                    4 => v * (c.powi(2) + 1e-3),
                    _ => v * c.softplus(),
                }
            }
            Step::ShiftBy(known) => v + known.record(before, v, recorder),
            Step::Exp => v.exp(),
            Step::ExpM1 => v.exp_m1(),
            Step::Ln => v.ln(),
            Step::Ln1p => v.ln_1p(),
            Step::Softplus => v.softplus(),
            Step::Deviance => -v.ln_normal_cdf(),
            Step::Sigmoid => v.sigmoid(),
            Step::Logit => v.ln() - (-v).ln_1p(),
            Step::Tanh => v.tanh(),
            Step::Atanh => 0.5 * (v.ln_1p() - (-v).ln_1p()),
            Step::Erf => v.erf(),
            Step::Softsign => v / (1.0 + v.abs()),
            Step::Sinh => v.sinh(),
            Step::Asinh => v.asinh(),
            Step::Powi(k) => v.powi(*k),
            Step::Pow(k) => v.pow(*k),
            Step::Flip => 1.0 - v,
            Step::Recip => v.recip(),
            Step::Sqrt => v.sqrt(),
            Step::Tower(c, k) => v + *c * v.powi(*k),
            Step::Wave(c) => *c * v + v.sin(),
            Step::Bend(c, s) => v + c * s * (v / *s).tanh(),
            Step::PowerBend(k, c) => v - *c * v.tanh().powi(*k),
            Step::Ripple(k, c) => v + *c * v.cosh().powi(*k),
            Step::Ramp => v + v.softplus(),
            Step::Leak(a, how) => match how {
                0 => select(v.lt(0.0), *a * v, v),
                1 => v.max(*a * v),
                2 => v.max(0.0) + *a * v.min(0.0),
                _ => select(v.ge(0.0), v, *a * v),
            },
            Step::Root => v + v.max(0.0).sqrt(),
            Step::Gap(by) => v + *by * v.sign(),
            Step::Edge(edge) => {
                let p = recorder.parameter(0.5);
                v * edge.record(p)
            }
            Step::Hidden(step, beside) => {
                let shift = if *beside { Some(Known::Parameter.record(before, v, recorder)) } else { None };
                let solved = solve_in_order(v.tape(), &[0, 1], |u| {
                    Some(match shift {
                        None => stack([v, step.record(u.at(0), before, recorder)]),
                        Some(shift) => stack([shift, step.record(v, before, recorder) + u.at(0).tanh()]),
                    })
                });
                solved.expect("element 1 sees element 0").at(1)
            }
            Step::Fault(fault) => fault.record(v, recorder),
        }
    }

    /// At the start of parameters and for others of size 1, for ranges.
    pub fn value(&self, v: f64) -> f64 {
        match self {
            Step::Scale(a) => a * v,
            Step::Shift(b) => v + b,
            Step::ScaleBy(..) => 4.0 * v,
            Step::ShiftBy(_) => v + 4.0,
            Step::Exp => v.exp(),
            Step::ExpM1 => v.exp_m1(),
            Step::Ln => v.ln(),
            Step::Ln1p => v.ln_1p(),
            Step::Softplus | Step::Ramp => v.max(0.0) + (-v.abs()).exp().ln_1p(),
            Step::Deviance if v > 0.0 => (-0.5 * v * v).exp(),
            Step::Deviance => 0.5 * v * v + 1.0,
            Step::Sigmoid => 1.0 / (1.0 + (-v).exp()),
            Step::Logit => v.ln() - (-v).ln_1p(),
            Step::Tanh => v.tanh(),
            Step::Erf => libm::erf(v),
            Step::Atanh => v.atanh(),
            Step::Softsign => v / (1.0 + v.abs()),
            Step::Sinh => v.sinh(),
            Step::Asinh => v.asinh(),
            Step::Powi(k) => v.powi(*k),
            Step::Pow(k) => v.powf(*k),
            Step::Flip => 1.0 - v,
            Step::Recip => 1.0 / v,
            Step::Sqrt => v.sqrt(),
            Step::Tower(c, k) => v + c * v.powi(*k),
            Step::Wave(c) => c * v + v.sin(),
            Step::Bend(c, s) => v + c * s * (v / s).tanh(),
            Step::PowerBend(..) | Step::Ripple(..) | Step::Edge(_) => v,
            Step::Leak(..) => v,
            Step::Root => v + v.max(0.0).sqrt(),
            Step::Gap(by) => v + by * v.signum(),
            Step::Hidden(step, _) => step.value(v),
            Step::Fault(fault) => fault.value(v),
        }
    }
}

/// The steps that lead from one line to another.
pub fn bridge(from: Line, to: Line, choose: &mut Chooser) -> Vec<Step> {
    let home = match from {
        _ if from == to => return Vec::new(),
        Line::Reals => None,
        Line::Positive => Some(Step::Ln),
        Line::Unit => Some(Step::Logit),
        Line::Ball => Some(Step::Atanh),
    };
    let out = match to {
        Line::Reals => None,
        Line::Positive => {
            Some(choose.below(3)).map(|k| [Step::Exp, Step::Softplus, Step::Deviance][k].clone())
        }
        Line::Unit => Some(Step::Sigmoid),
        Line::Ball => Some(choose.below(3)).map(|k| [Step::Tanh, Step::Erf, Step::Softsign][k].clone()),
    };
    home.into_iter().chain(out).collect()
}
