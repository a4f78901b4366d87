//! What arithmetic and roots are enough for: -a, 1/a, √a, |a|, the sign, aᵏ.

use super::{NoInverse, Smoothness, called};
use crate::sweep::bound::{
    Bound, Bounds, End, absolute, higher, is_exact_product, negative, outward, power, reciprocal,
};
use crate::sweep::limit::Limit;
use crate::sweep::partial::Partial::{self, By, MinusOne, One, Zero};
use crate::tape::Var;
use crate::typeset::{Term, Written};

row! {
    /// -a
    Neg {
        value(a): -a,
        derivative(_, _): MinusOne,
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): negative(a),
        limit(a): a.of_continuous(Limit::Up, Limit::Down),
        inverse(y, _): Ok(-y),
        notation(a): a.negative(),
    }
}

row! {
    /// 1/a
    Recip {
        value(a): a.recip(),
        derivative(_, y): By(-(y * y)),
        smoothness: Smoothness::Smooth,
        at_zero: None,
        bound(a): reciprocal(a),
        limit(a): match a {
            Limit::Up | Limit::Down => Limit::Bounded,
            _ => Limit::Unknown,
        },
        inverse(y, _): Ok(y.recip()),
        notation(a): a.reciprocal(),
    }
}

row! {
    /// √a
    Sqrt {
        value(a): a.sqrt(),
        derivative(_, y): By(0.5 / y),
        smoothness: Smoothness::Smooth,
        at_zero: Some(0.0),
        bound(a): square_root(a),
        limit(a): a.only_upwards(),
        // A root has no value below 0: there the result is undefined, not the square.
        inverse(y, bounds): Ok(if bounds.of(y.id()).is_nonnegative() { y * y } else { y.sqrt().powi(4) }),
        notation(a): Written::of(&Term::Root(a)),
    }
}

row! {
    /// |a|
    Abs {
        value(a): a.abs(),
        derivative(a, _): By(a.sign()),
        smoothness: Smoothness::Kink,
        at_zero: Some(0.0),
        bound(a): absolute(a),
        limit(a): a.of_continuous(Limit::Up, Limit::Up),
        inverse(_, _): Err(NoInverse::TwoToOne("|·|")),
        notation(a): Written::of(&Term::Bars(a)),
    }
}

row! {
    /// -1, 0 or 1
    Sign {
        value(a): if a > F::zero() {
            F::one()
        } else if a < F::zero() {
            -F::one()
        } else {
            // 0 at 0, and NaN stays NaN.
            a + a
        },
        derivative(_, _): Zero,
        smoothness: Smoothness::Steps,
        at_zero: Some(0.0),
        bound(a): sign(a),
        limit(_): Limit::Bounded,
        inverse(_, _): Err(NoInverse::Unknown),
        notation(a): called("sign", a),
    }
}

row! {
    /// aᵏ
    Powi(k: i32) {
        value(a): a.powi(k),
        derivative(a, y): match k {
            0 => Zero,
            1 => One,
            2 => By(2.0 * a),
            // k - 1 is no i32.
            i32::MIN => By(f64::from(k) * (y / a)),
            k => By(f64::from(k) * a.powi(k - 1)),
        },
        smoothness: if k == 0 { Smoothness::Constant } else { Smoothness::Smooth },
        at_zero: match k {
            0 => Some(1.0),
            k => (k > 0).then_some(0.0),
        },
        bound(a): power(a, k),
        limit(a): match k {
            k if k <= 0 => Limit::Unknown,
            k if k % 2 == 0 => a.of_continuous(Limit::Up, Limit::Up),
            _ => a,
        },
        inverse(y, _): match k {
            1 => Ok(y),
            -1 => Ok(y.recip()),
            k if k % 2 != 0 => Ok(y.sign() * y.abs().pow(1.0 / f64::from(k))),
            _ => Err(NoInverse::TwoToOne("an even power")),
        },
        notation(a): Written::of(&Term::Power(a, k)),
    }
}

/// √a where a ≥ 0; IEEE 754 rounds it to the nearest.
pub(super) fn square_root(a: Bound) -> Bound {
    let defined = a.defined && a.is_nonnegative();
    let inside = Bound { low: higher(a.low, End::closed(0.0)), ..a };
    let end = |end: End, up: bool| {
        let root = end.at.sqrt();
        let exact = end.at == 0.0 || end.at.is_infinite() || is_exact_product(root, root, end.at);
        match exact {
            true => end.moved(root),
            false => End { at: outward(root, up, 1.0), open: end.open },
        }
    };
    Bound::of(end(inside.low, false), end(inside.high, true)).with(a.nonzero, defined)
}

fn sign(a: Bound) -> Bound {
    let low = if a.is_positive() {
        1.0
    } else if a.is_nonnegative() {
        0.0
    } else {
        -1.0
    };
    let high = if a.is_negative() {
        -1.0
    } else if a.is_nonpositive() {
        0.0
    } else {
        1.0
    };
    Bound::closed(low, high).with(a.nonzero, a.defined)
}
