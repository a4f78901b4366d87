//! Faults in one variable, at a place and a scale.
//!
//! Each is a statement about real numbers that is true for any rounding of its constants: the comment of each
//! says why.

use pushforward::prelude::*;

use super::edge::Edge;
use super::line::{place, scale};
use super::recorder::Recorder;
use crate::random_programs::Chooser;

#[derive(Clone, Debug)]
pub enum Fault {
    /// v - by·[v ≥ at] has values twice: those just below `at` come again.
    JumpBack { at: Place, by: f64, how: usize },
    /// v + by·[v ≥ at] leaves out what lies between: one-to-one, not onto.
    JumpAhead { at: Place, by: f64, how: usize },
    /// Constant between `at` and at + width.
    Plateau { at: Place, width: f64, how: usize },
    /// v - c·s·tanh((v - at)/s) with c > 1: its slope at `at` is 1 - c.
    Fold { at: Place, scale: f64, size: f64, how: usize },
    /// v - c·tanh(v)ᵏ: the slope of tanhᵏ is at least 0.73 somewhere (for k = 2³¹ at v = 11), so that c ≥ 2 folds.
    PowerFold { k: i32, size: f64 },
    /// v + c·cosh(v)ᵏ for k < 0, whose slope reaches 0.6·c·√|k|.
    NarrowFold { k: i32, size: f64 },
    /// An even power, which looks odd when its sign is lost.
    EvenPower { k: i32 },
    /// A factor of v that is 0 for one value of a parameter, or of the context.
    FlatForAParameter { slope: usize, context: bool },
    /// A factor A - B·u(p) with A < B.
    SlopeByTheLastDigit(Edge),
    /// Not a number for some value of a parameter.
    UndefinedForAParameter { how: usize },
    /// Of slope least + p² + 2(1 + over)·p·v + v², which is a square and a rest but for `over`: at v = -(1 + over)·p it is
    /// least - p²·(2·over + over²), below 0 for a large p.
    AlmostASquare { least: f64, over: f64 },
}

/// Where a fault lies.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Number(f64),
    Parameter,
    Context,
}

impl Place {
    fn any(choose: &mut Chooser) -> Place {
        match choose.below(5) {
            0 => Place::Parameter,
            1 => Place::Context,
            _ => Place::Number(place(choose)),
        }
    }

    fn record<'t>(self, like: Var<'t>, recorder: &mut Recorder<'t>) -> Var<'t> {
        match self {
            Place::Number(value) => like.tape().constant(value),
            Place::Parameter => recorder.parameter(0.3),
            Place::Context => recorder.context(),
        }
    }

    fn number(self) -> f64 {
        match self {
            Place::Number(value) => value,
            _ => 0.3,
        }
    }
}

/// One of the kinds, for the table of what was planted.
pub const KINDS: usize = 11;

impl Fault {
    pub fn of(kind: usize, choose: &mut Chooser) -> Fault {
        let at = Place::any(choose);
        match kind {
            0 => Fault::JumpBack { at, by: scale(choose), how: choose.below(6) },
            1 => Fault::JumpAhead { at, by: scale(choose), how: choose.below(6) },
            2 => Fault::Plateau { at, width: scale(choose), how: choose.below(3) },
            3 => {
                let excess = choose.pick(&[1e-12, 1e-9, 1e-6, 1e-3, 1.0, 30.0]);
                Fault::Fold { at, scale: scale(choose), size: 1.0 + excess, how: choose.below(3) }
            }
            4 => {
                let k = choose.pick(&[1, 2, 3, 4, 5, 999, 1000, i32::MAX - 1, i32::MAX]);
                Fault::PowerFold { k, size: choose.pick(&[2.0, 3.0, 10.0]) }
            }
            5 => {
                let k = choose.pick(&[-1, -2, -31, -1000, -i32::MAX, i32::MIN]);
                Fault::NarrowFold { k, size: choose.pick(&[5.0, 100.0]) }
            }
            6 => Fault::EvenPower { k: choose.pick(&[2, 4, 10, 1000, i32::MAX - 1, -2, -1000, i32::MIN]) },
            7 => Fault::FlatForAParameter { slope: choose.below(8), context: choose.chance(0.3) },
            8 => Fault::SlopeByTheLastDigit(Edge::any(false, choose)),
            9 => Fault::UndefinedForAParameter { how: choose.below(7) },
            _ => Fault::AlmostASquare {
                least: choose.pick(&[1e-12, 1e-3, 1.0, 1e6]),
                over: choose.pick(&[1e-9, 1e-3, 0.5]),
            },
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Fault::JumpBack { .. } => "jump back",
            Fault::JumpAhead { .. } => "jump ahead",
            Fault::Plateau { .. } => "plateau",
            Fault::Fold { .. } => "fold",
            Fault::PowerFold { .. } => "fold by a power",
            Fault::NarrowFold { .. } => "fold by a negative power",
            Fault::EvenPower { .. } => "even power",
            Fault::FlatForAParameter { .. } => "flat for a parameter",
            Fault::SlopeByTheLastDigit(_) => "slope by the last digit",
            Fault::UndefinedForAParameter { .. } => "undefined for a parameter",
            Fault::AlmostASquare { .. } => "almost a square",
        }
    }

    #[allow(clippy::eq_op, reason = "p/p is not 1 where p is 0")]
    pub fn record<'t>(&self, v: Var<'t>, recorder: &mut Recorder<'t>) -> Var<'t> {
        match self {
            Fault::JumpBack { at, by, how } => jump(v, at.record(v, recorder), -by, *how),
            Fault::JumpAhead { at, by, how } => jump(v, at.record(v, recorder), *by, *how),
            Fault::Plateau { at, width, how } => {
                let at = at.record(v, recorder);
                match how {
                    0 => v.min(at).max(v - *width),
                    1 => select(v.lt(at), v, select((v - *width).lt(at), at, v - *width)),
                    _ => v - (v - at).max(0.0).min(*width),
                }
            }
            Fault::Fold { at, scale, size, how } => {
                let u = (v - at.record(v, recorder)) / *scale;
                // Of slope 1 at 0: tanh, sin, u·exp(-u²).
                let bump = match how {
                    0 => u.tanh(),
                    1 => u.sin(),
                    _ => u * (-u.powi(2)).exp(),
                };
                v - size * scale * bump
            }
            Fault::PowerFold { k, size } => v - *size * v.tanh().powi(*k),
            Fault::NarrowFold { k, size } => {
                v + size / f64::from(k.unsigned_abs()).sqrt() * v.cosh().powi(*k)
            }
            Fault::EvenPower { k } => match k {
                0.. => v.powi(*k),
                // Defined at 0 as well.
                _ => v.cosh().powi(*k),
            },
            Fault::FlatForAParameter { slope, context } => {
                let p = if *context { recorder.context() } else { recorder.parameter(0.5) };
                v * match slope {
                    0 => p,
                    1 => p.powi(2),
                    2 => p.sin(),
                    3 => p.tanh(),
                    4 => p - 1e10,
                    5 => p.exp() - 1e-300,
                    6 => p.abs(),
                    _ => p.max(0.0) + 0.5 * p.min(0.0),
                }
            }
            Fault::SlopeByTheLastDigit(edge) => {
                let p = recorder.parameter(0.5);
                v * edge.record(p)
            }
            Fault::UndefinedForAParameter { how } => {
                let p = recorder.parameter(0.5);
                match how {
                    0 => v + p.recip() - p.recip(),
                    1 => v * (p / p),
                    2 => v * p / p,
                    3 => v + p.sqrt() - p.sqrt(),
                    4 => v + (p.ln() - p.ln()),
                    5 => (p * v.exp() - p) / p,
                    _ => v * p.ln().exp() / p,
                }
            }
            Fault::AlmostASquare { least, over } => {
                let p = recorder.parameter(0.5);
                *least * v + p * p * v + (1.0 + over) * (p * v.powi(2)) + v.powi(3) / 3.0
            }
        }
    }

    /// At the start of parameters and context, for ranges.
    pub fn value(&self, v: f64) -> f64 {
        match self {
            Fault::JumpBack { at, by, .. } => v - if v >= at.number() { *by } else { 0.0 },
            Fault::JumpAhead { at, by, .. } => v + if v >= at.number() { *by } else { 0.0 },
            Fault::Plateau { at, width, .. } => v - (v - at.number()).max(0.0).min(*width),
            Fault::Fold { at, scale, size, .. } => v - size * scale * ((v - at.number()) / scale).tanh(),
            Fault::PowerFold { k, size } => v - size * v.tanh().powi(*k),
            Fault::NarrowFold { .. } => v,
            Fault::EvenPower { k: k @ 0.. } => v.powi(*k),
            Fault::EvenPower { k } => v.cosh().powi(*k),
            Fault::FlatForAParameter { slope: 4, .. } => v * -1e10,
            Fault::FlatForAParameter { .. } | Fault::SlopeByTheLastDigit(_) => 0.5 * v,
            Fault::UndefinedForAParameter { how: 5 } => v.exp() - 1.0,
            Fault::UndefinedForAParameter { .. } => v,
            Fault::AlmostASquare { .. } => v + v.powi(2) + v.powi(3),
        }
    }
}

/// v + by·[v ≥ at], in several ways of saying it; at `at` itself it may be half of the jump or none.
fn jump<'t>(v: Var<'t>, at: Var<'t>, by: f64, how: usize) -> Var<'t> {
    match how {
        0 => select(v.lt(at), v, v + by),
        1 => v + 0.5 * by * (1.0 + (v - at).sign()),
        2 => v + select(at.le(v), by, 0.0),
        3 => select((v - at).lt(0.0), 0.0, by) + v,
        4 => select(at.lt(v).negate(), v, v + by),
        _ => select(v.ge(at).and(v.gt(at)), v + by, v),
    }
}
