//! The laws of powers, exponentials and logarithms, and the functions that are written with them.

use std::rc::Rc;

use dashu_ratio::RBig;

use super::super::scalar::Function as F;
use super::sum::{Monomial, Sum, inverted, is_unit, times};
use super::{Form, Forms, Found, Kind, too_large};

impl Forms {
    /// aⁿ for an integer n.
    pub(super) fn whole(&mut self, a: &Form, n: i64) -> Found<Form> {
        if n < 0 {
            let inverse = self.recip(a)?;
            return self.whole(&inverse, -n);
        }
        if n > 64 && !is_signed_monomial(a) {
            return Err(too_large());
        }
        if n > 64 {
            let (monomial, c) = a.over.iter().next().expect("a single term");
            let raised = monomial.iter().map(|(atom, e)| (*atom, e * RBig::from(n))).collect();
            let sign = if n % 2 == 0 { RBig::ONE } else { c.clone() };
            return Ok(Form::sum(Sum::from([(raised, sign)])));
        }
        let mut power = Form::number(RBig::ONE);
        for _ in 0..n {
            power = self.mul(&power, a)?;
        }
        Ok(power)
    }

    /// aᶜ of a non-negative form for a rational number c; `positive` if it is not 0 either.
    pub(super) fn rational_power(&mut self, a: &Form, c: &RBig, positive: bool) -> Found<Form> {
        if a.is_zero() && *c > RBig::ZERO {
            return Ok(a.clone());
        }
        if c.is_int() {
            let n = i64::try_from(c.numerator().clone()).map_err(|_| too_large())?;
            return self.whole(a, n);
        }
        // Numerator and denominator have the same sign; unless it is known to be positive they stay together.
        if !self.divides_by_positive(a) {
            let arguments = vec![Rc::new(a.clone()), Rc::new(Form::number(c.clone()))];
            return self.function(Kind::Function(F::Pow), arguments, positive);
        }
        let mut result = Form::number(RBig::ONE);
        for (sum, sign) in [(&a.over, 1), (&a.under, -1)] {
            let (coefficient, monomial, rest) = self.parts(sum);
            let exponent = c * RBig::from(sign);
            let raised = monomial.iter().map(|(atom, e)| (*atom, e * &exponent)).collect();
            let powers = Form::sum(Sum::from([(raised, RBig::ONE)]));
            result = self.mul(&result, &powers)?;
            let mut others: Vec<Sum> = Vec::new();
            if !coefficient.is_one() {
                others.push(Sum::from([(Vec::new(), coefficient)]));
            }
            if !is_unit(&rest) {
                others.push(rest);
            }
            for other in others {
                let floor = exponent.floor();
                let n = i64::try_from(floor.clone()).map_err(|_| too_large())?;
                let base = Form::sum(other);
                let whole = self.whole(&base, n)?;
                let atom = self.atom(Kind::Base, vec![Rc::new(base)], positive)?;
                let fraction = Sum::from([(vec![(atom, &exponent - RBig::from(floor))], RBig::ONE)]);
                result = self.mul(&result, &whole)?;
                result = self.mul(&result, &Form::sum(fraction))?;
            }
        }
        Ok(result)
    }

    /// Splits a sum into a positive number, a product of positive atoms, and the rest.
    pub(super) fn parts(&self, sum: &Sum) -> (RBig, Monomial, Sum) {
        let Some((first, leading)) = sum.iter().next() else {
            return (RBig::ONE, Vec::new(), sum.clone());
        };
        let mut common: Monomial =
            first.iter().filter(|(atom, _)| self.atoms[*atom as usize].positive).cloned().collect();
        // An atom missing in a term has the exponent 0 there: the least exponent counts.
        let mut all: Vec<u32> = sum.keys().flatten().map(|(atom, _)| *atom).collect();
        all.sort_unstable();
        all.dedup();
        if sum.len() > 1 {
            let least = |atom: u32| {
                let exponent =
                    |m: &Monomial| m.iter().find(|(a, _)| *a == atom).map_or(RBig::ZERO, |(_, e)| e.clone());
                sum.keys().map(exponent).min().unwrap_or(RBig::ZERO)
            };
            let positive = all.into_iter().filter(|atom| self.atoms[*atom as usize].positive);
            common = positive.map(|atom| (atom, least(atom))).filter(|(_, e)| !e.is_zero()).collect();
        }
        let size = if *leading < RBig::ZERO { -leading.clone() } else { leading.clone() };
        let inverse = inverted(&common);
        let rest = sum.iter().map(|(monomial, c)| (times(monomial, &inverse), c / &size)).collect();
        (size, common, rest)
    }

    /// Returns whether the terms of the denominator show that it is positive.
    pub(super) fn divides_by_positive(&self, a: &Form) -> bool {
        let (_, _, rest) = self.parts(&a.under);
        is_unit(&rest) || self.sum_sign(&rest) == Some(1)
    }

    /// eᵃ
    pub(super) fn exp(&mut self, a: &Form) -> Found<Form> {
        let mut result = Form::number(RBig::ONE);
        for (monomial, c) in &a.over {
            let logarithm = match monomial.as_slice() {
                [(atom, exponent)] if exponent.is_one() && is_unit(&a.under) => {
                    let atom = &self.atoms[*atom as usize];
                    (atom.kind == Kind::Ln).then(|| atom.arguments[0].clone())
                }
                _ => None,
            };
            let factor = match logarithm {
                Some(argument) => self.rational_power(&argument, c, true)?,
                None => {
                    let single =
                        Form { over: Sum::from([(monomial.clone(), RBig::ONE)]), under: a.under.clone() };
                    let atom = self.atom(Kind::Exp, vec![Rc::new(single)], true)?;
                    Form::sum(Sum::from([(vec![(atom, c.clone())], RBig::ONE)]))
                }
            };
            result = self.mul(&result, &factor)?;
        }
        Ok(result)
    }

    /// ln a of a positive form.
    pub(super) fn ln(&mut self, a: &Form) -> Found<Form> {
        let opened = self.opened(a, (2, 16))?;
        let a = &opened;
        if !self.divides_by_positive(a) {
            return self.function(Kind::Ln, vec![Rc::new(a.clone())], false);
        }
        let over = self.ln_of_sum(&a.over)?;
        let under = self.ln_of_sum(&a.under)?;
        self.minus(&over, &under)
    }

    fn ln_of_sum(&mut self, sum: &Sum) -> Found<Form> {
        let (coefficient, monomial, rest) = self.parts(sum);
        let mut result = self.ln_of_number(coefficient)?;
        for (atom, exponent) in monomial {
            let known = &self.atoms[atom as usize];
            let log = match known.kind {
                Kind::Exp => known.arguments[0].as_ref().clone(),
                Kind::Base => {
                    let base = known.arguments[0].over.clone();
                    self.ln_of_sum(&base)?
                }
                _ => {
                    let one = Form::sum(Sum::from([(vec![(atom, RBig::ONE)], RBig::ONE)]));
                    self.function(Kind::Ln, vec![Rc::new(one)], false)?
                }
            };
            let log = self.scaled(&log, exponent)?;
            result = self.plus(&result, &log)?;
        }
        if !is_unit(&rest) {
            let log = self.function(Kind::Ln, vec![Rc::new(Form::sum(rest))], false)?;
            result = self.plus(&result, &log)?;
        }
        Ok(result)
    }

    /// ln of a positive number, by small primes.
    fn ln_of_number(&mut self, number: RBig) -> Found<Form> {
        let mut result = Form::number(RBig::ZERO);
        let (over, under) = number.into_parts();
        for (mut value, sign) in [(RBig::from(over), 1), (RBig::from(under), -1)] {
            for prime in [2u32, 3, 5, 7, 11, 13] {
                let mut count = 0;
                while (&value / RBig::from(prime)).is_int() && count < 4096 {
                    value /= RBig::from(prime);
                    count += 1;
                }
                if count > 0 {
                    let log = self.function(Kind::Ln, vec![Rc::new(Form::number(prime.into()))], false)?;
                    let log = self.scaled(&log, RBig::from(count * sign))?;
                    result = self.plus(&result, &log)?;
                }
            }
            if !value.is_one() {
                let log = self.function(Kind::Ln, vec![Rc::new(Form::number(value))], false)?;
                let log = self.scaled(&log, RBig::from(sign))?;
                result = self.plus(&result, &log)?;
            }
        }
        Ok(result)
    }

    /// Returns whether a form is a sum of logarithms and numbers.
    pub(super) fn is_of_logarithms(&self, a: &Form) -> bool {
        let logarithm = |monomial: &Monomial| match monomial.as_slice() {
            [] => true,
            [(atom, exponent)] => exponent.is_one() && self.atoms[*atom as usize].kind == Kind::Ln,
            _ => false,
        };
        is_unit(&a.under) && a.over.keys().all(logarithm)
    }

    /// σ(a) = e/(1 + e) with e = eᵃ, tanh a = (e - 1)/(e + 1) and sech² a = 4e/(e + 1)² with e = e²ᵃ.
    pub(super) fn by_exponentials(&mut self, function: F, a: &Form) -> Found<Form> {
        let one = Form::number(RBig::ONE);
        let argument = if function == F::Sigmoid { a.clone() } else { self.scaled(a, RBig::from(2))? };
        let exp = self.exp(&argument)?;
        let under = self.plus(&exp, &one)?;
        let inverse = self.recip(&under)?;
        match function {
            F::Sigmoid => self.mul(&exp, &inverse),
            F::Tanh => {
                let over = self.minus(&exp, &one)?;
                self.mul(&over, &inverse)
            }
            _ => {
                let over = self.scaled(&exp, RBig::from(4))?;
                let once = self.mul(&over, &inverse)?;
                self.mul(&once, &inverse)
            }
        }
    }

    /// The sign of a form, by that of its terms, or of its terms once tanh and σ are written with exponentials: 1 - σ is
    /// positive, and so is 1 less a mixture of several.
    pub fn sign_opened(&mut self, a: &Form) -> Option<i32> {
        self.sign(a).or_else(|| {
            let opened = self.opened(a, (8, 256)).ok()?;
            self.sign(&opened)
        })
    }

    /// Writes tanh and σ in a form with exponentials, if there are no more of them, and of terms, than this.
    fn opened(&mut self, a: &Form, (most, terms): (usize, usize)) -> Found<Form> {
        let function = |forms: &Forms, atom: u32| match forms.atoms[atom as usize].kind {
            Kind::Function(function @ (F::Sigmoid | F::Tanh | F::Sech2)) => Some(function),
            _ => None,
        };
        let mut atoms: Vec<u32> =
            a.over.keys().chain(a.under.keys()).flatten().map(|(atom, _)| *atom).collect();
        atoms.sort_unstable();
        atoms.dedup();
        atoms.retain(|atom| function(self, *atom).is_some());
        if atoms.is_empty() || atoms.len() > most || a.over.len() + a.under.len() > terms {
            return Ok(a.clone());
        }
        let mut sides = Vec::new();
        for sum in [&a.over, &a.under] {
            let mut total = Form::number(RBig::ZERO);
            for (monomial, c) in sum {
                let mut term = Form::number(c.clone());
                for (atom, exponent) in monomial {
                    let factor = match function(self, *atom) {
                        Some(function) if exponent.is_int() => {
                            let argument = self.atoms[*atom as usize].arguments[0].clone();
                            let opened = self.by_exponentials(function, &argument)?;
                            self.rational_power(&opened, exponent, true)?
                        }
                        _ => Form::sum(Sum::from([(vec![(*atom, exponent.clone())], RBig::ONE)])),
                    };
                    term = self.mul(&term, &factor)?;
                }
                total = self.plus(&total, &term)?;
            }
            sides.push(total);
        }
        let inverse = self.recip(&sides[1])?;
        self.mul(&sides[0], &inverse)
    }

    /// Returns the argument of `function`, if the form is one application of it.
    pub(super) fn argument_of(&self, a: &Form, function: F) -> Option<Rc<Form>> {
        let (monomial, c) = a.over.iter().next().filter(|_| a.over.len() == 1 && is_unit(&a.under))?;
        let [(atom, exponent)] = monomial.as_slice() else { return None };
        let atom = &self.atoms[*atom as usize];
        let whole = c.is_one() && exponent.is_one() && atom.kind == Kind::Function(function);
        whole.then(|| atom.arguments[0].clone())
    }

    /// Returns b, if the form is (eᵇ - e⁻ᵇ)/2.
    pub(super) fn sinh_of(&mut self, a: &Form) -> Found<Option<Form>> {
        let terms: Vec<(&Monomial, &RBig)> = a.over.iter().collect();
        let [(left, c), (right, d)] = terms.as_slice() else { return Ok(None) };
        let half = RBig::from_parts(1.into(), 2u8.into());
        let opposite = inverted(left) == **right && is_unit(&a.under);
        let exponentials = left.iter().all(|(atom, _)| self.atoms[*atom as usize].kind == Kind::Exp);
        if !opposite || !exponentials || **c != -(*d).clone() || (**c != half && **d != half) {
            return Ok(None);
        }
        let positive = if **c == half { left } else { right };
        let exp = Sum::from([((*positive).clone(), RBig::ONE)]);
        self.ln_of_sum(&exp).map(Some)
    }
}

/// Returns whether a form is a product of powers of atoms, with the coefficient 1 or -1.
pub(super) fn is_signed_monomial(a: &Form) -> bool {
    let unit = |c: &RBig| c.is_one() || *c == -RBig::ONE;
    a.over.len() == 1 && is_unit(&a.under) && a.over.values().all(unit)
}
