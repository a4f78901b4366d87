//! Arbitrary-precision numbers, and the functions of the tape on them.
//!
//! `None` is an undefined value (ln of a negative number, 1/0), or one too large to be distinguished from ∞.

use astro_float_num::{BigFloat, Consts, RoundingMode};

const ROUNDING: RoundingMode = RoundingMode::ToEven;

/// Arithmetic with so many binary digits.
pub struct Exact {
    pub digits: usize,
    constants: Consts,
}

impl Exact {
    pub fn new(digits: usize) -> Exact {
        Exact { digits, constants: Consts::new().expect("room for constants") }
    }

    pub fn of(&self, a: f64) -> BigFloat {
        if a != 0.0 && a.abs() < f64::MIN_POSITIVE {
            // The conversion is wrong by a factor of two below the normal numbers.
            let mut lifted = self.of(a * 2f64.powi(64));
            lifted.set_exponent(lifted.exponent().expect("it is finite") - 64);
            return lifted;
        }
        BigFloat::from_f64(a, self.digits)
    }

    pub fn add(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.add(b, self.digits, ROUNDING)
    }

    pub fn sub(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.sub(b, self.digits, ROUNDING)
    }

    pub fn mul(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.mul(b, self.digits, ROUNDING)
    }

    pub fn div(&self, a: &BigFloat, b: &BigFloat) -> Option<BigFloat> {
        (!b.is_zero()).then(|| a.div(b, self.digits, ROUNDING))
    }

    fn over(&self, a: &BigFloat, n: f64) -> BigFloat {
        a.div(&self.of(n), self.digits, ROUNDING)
    }

    pub fn exp(&mut self, a: &BigFloat) -> Option<BigFloat> {
        // Beyond the exponents of these numbers: 0, or too large.
        if a.exponent().is_some_and(|exponent| exponent > 29) {
            return a.is_negative().then(|| self.of(0.0));
        }
        Some(a.exp(self.digits, ROUNDING, &mut self.constants))
    }

    pub fn ln(&mut self, a: &BigFloat) -> Option<BigFloat> {
        (positive(a)).then(|| a.ln(self.digits, ROUNDING, &mut self.constants))
    }

    /// eᵃ - 1, by its series where the difference would lose digits.
    pub fn exp_m1(&mut self, a: &BigFloat) -> Option<BigFloat> {
        if !is_small(a) {
            let e = self.exp(a)?;
            return Some(self.sub(&e, &self.of(1.0)));
        }
        let (mut term, mut sum) = (a.clone(), a.clone());
        for n in 2..self.digits / 10 + 3 {
            term = self.over(&self.mul(&term, a), n as f64);
            sum = self.add(&sum, &term);
        }
        Some(sum)
    }

    pub fn ln_1p(&mut self, a: &BigFloat) -> Option<BigFloat> {
        if !is_small(a) {
            return self.ln(&self.add(a, &self.of(1.0)));
        }
        let (mut power, mut sum) = (a.clone(), a.clone());
        for n in 2..self.digits / 10 + 3 {
            power = self.mul(&power, &a.neg());
            sum = self.add(&sum, &self.over(&power, n as f64));
        }
        Some(sum)
    }

    pub fn tanh(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let twice = self.mul(&a.abs(), &self.of(-2.0));
        let e = self.exp_m1(&twice)?;
        let size = self.div(&e.neg(), &self.add(&e, &self.of(2.0)))?;
        Some(if negative(a) { size.neg() } else { size })
    }

    pub fn sigmoid(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let e = self.exp(&a.abs().neg())?;
        let over = if negative(a) { e.clone() } else { self.of(1.0) };
        self.div(&over, &self.add(&e, &self.of(1.0)))
    }

    pub fn softplus(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let e = self.exp(&a.abs().neg())?;
        let tail = self.ln_1p(&e)?;
        Some(if negative(a) { tail } else { self.add(a, &tail) })
    }

    pub fn sinh(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let e = self.exp_m1(a)?;
        let back = self.div(&e, &self.add(&e, &self.of(1.0)))?;
        Some(self.mul(&self.add(&e, &back), &self.of(0.5)))
    }

    /// ln cosh a
    pub fn ln_cosh(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let e = self.exp(&self.mul(&a.abs(), &self.of(-2.0)))?;
        let tail = self.ln_1p(&e)?;
        let ln_2 = self.ln(&self.of(2.0))?;
        Some(self.sub(&self.add(&a.abs(), &tail), &ln_2))
    }

    pub fn asinh(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let size = a.abs();
        let square = self.mul(a, a);
        let root = self.sqrt(&self.add(&square, &self.of(1.0)))?;
        let rest = self.div(&square, &self.add(&root, &self.of(1.0)))?;
        let result = self.ln_1p(&self.add(&size, &rest))?;
        Some(if negative(a) { result.neg() } else { result })
    }

    pub fn sqrt(&self, a: &BigFloat) -> Option<BigFloat> {
        (!negative(a)).then(|| a.sqrt(self.digits, ROUNDING))
    }

    pub fn sin(&mut self, a: &BigFloat) -> BigFloat {
        a.sin(self.digits, ROUNDING, &mut self.constants)
    }

    pub fn cos(&mut self, a: &BigFloat) -> BigFloat {
        a.cos(self.digits, ROUNDING, &mut self.constants)
    }

    /// The z with ln Φ(z) = ln a, by Newton's method: lnΦ is concave, and from the left of the root it comes nearer.
    pub fn normal_quantile(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let wanted = self.ln(a)?;
        let (pi, two) = (self.pi(), self.of(2.0));
        let log = self.ln(&self.mul(&pi, &two))?;
        let mut z = self.of(-40.0);
        for _ in 0..400 {
            let value = self.ln_normal_cdf(&z)?;
            // ln φ(z) - ln Φ(z)
            let half = self.mul(&self.add(&log, &self.mul(&z, &z)), &self.of(-0.5));
            let slope = self.exp(&self.sub(&half, &value))?;
            let step = self.div(&self.sub(&wanted, &value), &slope)?;
            let next = self.add(&z, &step);
            let small = step.is_zero()
                || step.exponent()? + self.digits as i32 * 3 / 4 < z.exponent().unwrap_or(0).max(-1100);
            z = next;
            if small {
                return Some(z);
            }
        }
        None
    }

    /// arctan(a)/π
    pub fn atan_pi(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let angle = a.atan(self.digits, ROUNDING, &mut self.constants);
        let pi = self.pi();
        self.div(&angle, &pi)
    }

    pub fn pi(&mut self) -> BigFloat {
        self.constants.pi(self.digits, ROUNDING)
    }

    /// aᵏ
    pub fn powi(&self, a: &BigFloat, k: i32) -> Option<BigFloat> {
        let power = a.powi(k.unsigned_abs() as usize, self.digits, ROUNDING);
        if k < 0 { self.div(&self.of(1.0), &power) } else { Some(power) }
    }

    pub fn erf(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let size = a.abs();
        let result = match less(&size, &self.of(6.0)) {
            true => self.erf_by_series(&size)?,
            false => {
                let rest = self.erfc_by_fraction(&size)?;
                self.sub(&self.of(1.0), &rest)
            }
        };
        Some(if negative(a) { result.neg() } else { result })
    }

    /// 2/√π·exp(-a²)·Σ 2ⁿa²ⁿ⁺¹/(2n + 1)!! (Abramowitz and Stegun, 7.1.6): nothing cancels for a > 0.
    fn erf_by_series(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let square = self.mul(a, a);
        let (mut term, mut sum) = (a.clone(), a.clone());
        for n in 1..2 * self.digits {
            term = self.over(&self.mul(&term, &square), n as f64 + 0.5);
            sum = self.add(&sum, &term);
        }
        let factor = self.gauss(&square)?;
        Some(self.mul(&self.mul(&factor, &sum), &self.of(2.0)))
    }

    /// exp(-a²)/√π
    fn gauss(&mut self, square: &BigFloat) -> Option<BigFloat> {
        let e = self.exp(&square.neg())?;
        let root = self.pi().sqrt(self.digits, ROUNDING);
        self.div(&e, &root)
    }

    /// erfc a = exp(-a²)/√π·1/(a + (1/2)/(a + 1/(a + (3/2)/(a + …)))) for a ≥ 6 (7.1.14).
    fn erfc_by_fraction(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let fraction = self.fraction(a)?;
        let factor = self.gauss(&self.mul(a, a))?;
        self.div(&factor, &fraction)
    }

    fn fraction(&self, a: &BigFloat) -> Option<BigFloat> {
        // ln 2·digits squared, over 8a², and as many again.
        let mut below = a.clone();
        for n in (1..=self.digits * self.digits / 300 + 20).rev() {
            below = self.add(a, &self.div(&self.of(n as f64 / 2.0), &below)?);
        }
        Some(below)
    }

    /// ln Φ(a) = ln(½·erfc(-a/√2))
    pub fn ln_normal_cdf(&mut self, a: &BigFloat) -> Option<BigFloat> {
        let root = self.sqrt(&self.of(2.0))?;
        let x = self.div(a, &root)?;
        let half = self.of(0.5);
        if !less(&x, &self.of(-6.0)) {
            // 1 + erf x, where erf x loses at most 53 binary digits; 1 - ½·erfc x for x > 0.
            let upper = match less(&x, &self.of(6.0)) {
                true => {
                    let erf = self.erf_by_series(&x.abs())?;
                    self.sub(&self.of(1.0), &erf)
                }
                false => self.erfc_by_fraction(&x)?,
            };
            let upper = self.mul(&half, &upper);
            return if negative(&x) { self.ln(&upper) } else { self.ln_1p(&upper.neg()) };
        }
        let size = x.abs();
        let fraction = self.fraction(&size)?;
        let root = self.pi().sqrt(self.digits, ROUNDING);
        let rest = self.ln(&self.mul(&self.mul(&root, &fraction), &self.of(2.0)))?;
        Some(self.sub(&self.mul(&size, &size).neg(), &rest))
    }
}

/// |a| < 2⁻¹⁰
fn is_small(a: &BigFloat) -> bool {
    a.is_zero() || a.exponent().is_some_and(|exponent| exponent < -10)
}

pub fn negative(a: &BigFloat) -> bool {
    !a.is_zero() && a.is_negative()
}

pub fn positive(a: &BigFloat) -> bool {
    !a.is_zero() && a.is_positive()
}

pub fn less(a: &BigFloat, b: &BigFloat) -> bool {
    a.cmp(b).is_some_and(|order| order < 0)
}

/// The nearest double, but for its last place.
pub fn double(a: &BigFloat) -> f64 {
    if a.is_nan() {
        return f64::NAN;
    }
    let Some((words, _, _, exponent, _)) = a.as_raw_parts() else {
        return if a.is_negative() { f64::NEG_INFINITY } else { f64::INFINITY };
    };
    if a.is_zero() {
        return 0.0;
    }
    let leading =
        words.iter().rev().take(2).fold((0.0, 2f64.powi(-64)), |(sum, unit), word| {
            (sum + *word as f64 * unit, unit * 2f64.powi(-64))
        });
    // In two steps: the exponent of the whole may be out of reach where the number is not.
    let (up, rest) = (exponent / 2, exponent - exponent / 2);
    let size = leading.0 * 2f64.powi(up) * 2f64.powi(rest);
    if a.is_negative() { -size } else { size }
}
