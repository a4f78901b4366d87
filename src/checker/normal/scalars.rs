//! The form of a scalar: one arm for each operation.

use std::collections::HashMap;
use std::rc::Rc;

use dashu_ratio::RBig;

use super::super::interval::Interval;
use super::super::map::jumps;
use super::super::scalar::{Function as F, Id, Scalar, Scalars};
use super::super::slope::slope;
use super::laws::is_signed_monomial;
use super::sum::{Sum, insert, is_unit, rational};
use super::{Form, Forms, Found, Kind};

impl Forms {
    pub(super) fn scalar(&mut self, scalars: &mut Scalars, id: Id) -> Found<Form> {
        let form = |forms: &Forms, id: &Id| forms.known[id].clone();
        match scalars.get(id).clone() {
            Scalar::Input(_) | Scalar::Letter(..) | Scalar::Parameter(..) | Scalar::TwoOverRootPi => {
                let positive = self.ranges.of(scalars, id).interval.is_positive();
                self.function(Kind::Leaf(id), Vec::new(), positive)
            }
            Scalar::Number(bits) => Ok(Form::number(rational(f64::from_bits(bits)))),
            Scalar::Sum(terms) => {
                if let Some(right) = row_of_system(scalars, &terms) {
                    return Ok(self.of(scalars, right)?.as_ref().clone());
                }
                let mut sum = Sum::new();
                let mut rest = Form::number(RBig::ZERO);
                for term in &terms {
                    let term = form(self, term);
                    match is_unit(&term.under) {
                        true => {
                            term.over.iter().try_for_each(|(m, c)| insert(&mut sum, m.clone(), c.clone()))?
                        }
                        false => rest = self.plus(&rest, &term)?,
                    }
                }
                self.plus(&Form::sum(sum), &rest)
            }
            Scalar::Apply(function, operands) => {
                let arguments: Vec<Rc<Form>> = operands.iter().map(|operand| form(self, operand)).collect();
                self.apply(scalars, id, function, &operands, &arguments)
            }
            Scalar::Solve(matrix, right, place) => self.solve(scalars, &matrix, &right, place),
            Scalar::Inverse(matrix, place) => {
                let arguments = matrix.iter().map(|id| form(self, id)).collect();
                self.function(Kind::Inverse(place), arguments, false)
            }
            Scalar::MatrixExp(matrix, place) => {
                let arguments = matrix.iter().map(|id| form(self, id)).collect();
                self.function(Kind::MatrixExp(place), arguments, false)
            }
            Scalar::LogAbsDet(matrix) => {
                let arguments = matrix.iter().map(|id| form(self, id)).collect();
                self.function(Kind::LogAbsDet, arguments, false)
            }
            Scalar::Root { body, letter, ends } => self.root(scalars, id, (body, letter, ends)),
        }
    }

    /// Returns v with A v = b: the candidate, if it satisfies the system.
    fn solve(&mut self, scalars: &mut Scalars, matrix: &[Id], right: &[Id], place: usize) -> Found<Form> {
        let n = right.len();
        if self.candidates.len() == n {
            let candidates = self.candidates.clone();
            let mut holds = true;
            for row in 0..n {
                let terms = (0..n).map(|k| scalars.apply(F::Mul, &[matrix[row * n + k], candidates[k]]));
                let terms = terms.collect();
                let sum = scalars.push(Scalar::Sum(terms));
                holds = holds && self.equal(scalars, sum, right[row])?;
            }
            if holds {
                return Ok(self.of(scalars, candidates[place])?.as_ref().clone());
            }
        }
        let arguments = matrix.iter().chain(right).map(|id| self.known[id].clone()).collect();
        self.function(Kind::Solve(place), arguments, false)
    }

    /// Returns the letter at which the body is 0: a candidate, if it lies between the ends, the body is 0 there and has at
    /// most one zero between them.
    fn root(
        &mut self,
        scalars: &mut Scalars,
        id: Id,
        (body, letter, ends): (Id, Id, [u64; 2]),
    ) -> Found<Form> {
        // Roots solved before are replaced by the inputs they equal, and so they are defined.
        let body = scalars.replaced(body, &self.roots);
        let rises = {
            // Scalars older than the letter do not depend on it.
            let slope = slope(scalars, body, letter, |_| false)?;
            let range = slope.map(|slope| self.ranges.of(scalars, slope));
            range.is_some_and(|range| range.defined && range.interval.is_positive())
                && self.ranges.of(scalars, body).defined
                && !jumps(scalars, &mut self.ranges, body, |id| id >= letter)
        };
        let between = ends.map(f64::from_bits);
        for candidate in if rises { self.candidates.clone() } else { Vec::new() } {
            let value = scalars.replaced(body, &HashMap::from([(letter, candidate)]));
            // A candidate that may lie beyond the ends is not the root there: another number between them may be.
            let inside = Interval::between(between[0], between[1]);
            let within = self.ranges.of(scalars, candidate).interval.is_within(&inside);
            if within && self.of(scalars, value)?.is_zero() {
                self.roots.insert(id, candidate);
                return Ok(self.of(scalars, candidate)?.as_ref().clone());
            }
        }
        self.function(Kind::Leaf(id), Vec::new(), false)
    }

    fn apply(
        &mut self,
        scalars: &mut Scalars,
        id: Id,
        function: F,
        operands: &[Id],
        arguments: &[Rc<Form>],
    ) -> Found<Form> {
        let a = arguments[0].as_ref();
        let one = Form::number(RBig::ONE);
        match function {
            F::Neg => self.scaled(a, -RBig::ONE),
            F::Recip => self.recip(a),
            F::Add => self.plus(a, &arguments[1]),
            F::Sub => self.minus(a, &arguments[1]),
            F::Mul => self.mul(a, &arguments[1]),
            F::Div => {
                let inverse = self.recip(&arguments[1])?;
                self.mul(a, &inverse)
            }
            F::Powi(n) if n.unsigned_abs() <= 64 || is_signed_monomial(a) => self.whole(a, i64::from(n)),
            F::Exp => self.exp(a),
            F::ExpM1 => {
                let exp = self.exp(a)?;
                self.minus(&exp, &one)
            }
            F::Ln => self.ln(a),
            F::Ln1p => {
                let sum = self.plus(&one, a)?;
                self.ln(&sum)
            }
            F::Softplus => {
                let exp = self.exp(a)?;
                let sum = self.plus(&one, &exp)?;
                let log = self.ln(&sum)?;
                // ln(1 + eᵃ) > 0, which its atom does not tell.
                if is_unit(&log.under)
                    && let Some((monomial, c)) = log.over.iter().next()
                    && log.over.len() == 1
                    && c.is_one()
                    && let [(atom, exponent)] = monomial.as_slice()
                    && exponent.is_one()
                {
                    self.atoms[*atom as usize].positive = true;
                }
                Ok(log)
            }
            // Written with exponentials only where these are known; sums of many such quotients are too
            // large.
            F::Sigmoid | F::Tanh | F::Sech2 if self.is_of_logarithms(a) => self.by_exponentials(function, a),
            F::Sinh | F::Cosh => {
                if let Some(inner) = self.argument_of(a, F::Asinh).filter(|_| function == F::Sinh) {
                    return Ok(inner.as_ref().clone());
                }
                let exp = self.exp(a)?;
                let inverse = self.recip(&exp)?;
                let both = match function {
                    F::Sinh => self.minus(&exp, &inverse)?,
                    _ => self.plus(&exp, &inverse)?,
                };
                self.scaled(&both, RBig::from_parts(1.into(), 2u8.into()))
            }
            F::Asinh => match self.sinh_of(a)? {
                Some(inner) => Ok(inner),
                None => self.function(Kind::Function(F::Asinh), arguments.to_vec(), false),
            },
            // Inverse to each other.
            F::AtanPi | F::TanPi | F::NormalCdf | F::NormalQuantile => {
                let other = match function {
                    F::AtanPi => F::TanPi,
                    F::TanPi => F::AtanPi,
                    F::NormalCdf => F::NormalQuantile,
                    _ => F::NormalCdf,
                };
                if let Some(inner) = self.argument_of(a, other) {
                    return Ok(inner.as_ref().clone());
                }
                let positive = self.ranges.of(scalars, id).interval.is_positive();
                self.function(Kind::Function(function), arguments.to_vec(), positive)
            }
            F::Sqrt => {
                let positive = self.ranges.of(scalars, operands[0]).interval.is_positive();
                self.rational_power(a, &RBig::from_parts(1.into(), 2u8.into()), positive)
            }
            F::Pow => match arguments[1].as_number() {
                // A power that is not positive is defined above 0 only.
                Some(number) => {
                    let positive =
                        number <= RBig::ZERO || self.ranges.of(scalars, operands[0]).interval.is_positive();
                    self.rational_power(a, &number, positive)
                }
                // 0ᵇ is 0 where b is positive; it is not e^(b ln 0).
                None if a.is_zero() && self.ranges.of(scalars, operands[1]).interval.is_positive() => {
                    Ok(Form::number(RBig::ZERO))
                }
                None if !self.ranges.of(scalars, operands[0]).interval.is_positive() => {
                    self.function(Kind::Function(F::Pow), arguments.to_vec(), false)
                }
                None => {
                    let log = self.ln(a)?;
                    let product = self.mul(&log, &arguments[1])?;
                    self.exp(&product)
                }
            },
            F::LogAddExp => {
                let (first, second) = (self.exp(a)?, self.exp(&arguments[1])?);
                let sum = self.plus(&first, &second)?;
                self.ln(&sum)
            }
            F::Abs | F::Sign => {
                let interval = self.ranges.of(scalars, operands[0]).interval;
                let sign = i32::from(interval.is_positive()) - i32::from(interval.is_negative());
                let sign = if sign == 0 { self.sign(a).unwrap_or(0) } else { sign };
                match (sign, function) {
                    (0, F::Sign) => self.function(Kind::Function(F::Sign), arguments.to_vec(), false),
                    // |a| = a·sign a
                    (0, _) => {
                        let sign = self.function(Kind::Function(F::Sign), arguments.to_vec(), false)?;
                        self.mul(a, &sign)
                    }
                    (sign, F::Abs) => self.scaled(a, RBig::from(sign)),
                    (sign, _) => Ok(Form::number(RBig::from(sign))),
                }
            }
            F::Select => match a.as_number() {
                Some(number) => Ok(arguments[if number.is_zero() { 2 } else { 1 }].as_ref().clone()),
                None if self.same(&arguments[1], &arguments[2])? => Ok(arguments[1].as_ref().clone()),
                None => self.function(Kind::Function(function), arguments.to_vec(), false),
            },
            _ => {
                let positive = self.ranges.of(scalars, id).interval.is_positive();
                self.function(Kind::Function(function), arguments.to_vec(), positive)
            }
        }
    }
}

/// Returns bᵢ, if the terms are row i of a matrix times the solution of its system with the right side b.
fn row_of_system(scalars: &Scalars, terms: &[Id]) -> Option<Id> {
    let mut row = Vec::new();
    let mut system = None;
    for (k, term) in terms.iter().enumerate() {
        let Scalar::Apply(F::Mul, pair) = scalars.get(*term) else { return None };
        let Scalar::Solve(matrix, right, place) = scalars.get(pair[1]) else { return None };
        let same = system.get_or_insert_with(|| (matrix.clone(), right.clone()));
        if *place != k || same.0 != *matrix || same.1 != *right {
            return None;
        }
        row.push(pair[0]);
    }
    let (matrix, right) = system.filter(|(_, right)| right.len() == terms.len())?;
    matrix.chunks(terms.len()).position(|other| other == row).map(|i| right[i])
}
