//! A normal form of scalars, in which two formulas can be seen to be equal.
//!
//! A scalar becomes a quotient of two sums of monomials in *atoms* with rational coefficients. The elementary functions
//! are written with eᵃ, ln and roots, which follow the laws e^(a+b) = eᵃ·eᵇ, e^(ln a) = a, ln eᵃ = a, and
//! ln(a·b) = ln a + ln b for positive factors; whatever else there is becomes an atom. Two forms N/D and N'/D' are
//! equal if N·D' and N'·D are the same sum.
//!
//! *Why that is sound.* Each law holds for real numbers wherever both sides of the scalar it is applied to are defined,
//! and quotients are only ever divided by what the scalar itself divides by. So where two scalars are both defined, and
//! have equal forms, they have equal values. Atoms with a rational power are positive: eᵃ always, others where their
//! range says so (or where a logarithm or a root is taken of them, which is defined for positive numbers only).
//!
//! Equal arguments are found by a residue modulo a prime and then compared exactly: the residue decides nothing.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use dashu_ratio::RBig;

use super::Rejection;
use super::range::Ranges;
use super::scalar::{Function as F, Id, Scalar, Scalars};

/// A product of powers of atoms, by their numbers.
type Monomial = Vec<(u32, RBig)>;
/// A sum of monomials with coefficients that are not 0.
type Sum = BTreeMap<Monomial, RBig>;

/// Sums of more monomials are given up, and all forms of a question after so many products of monomials.
const MOST_TERMS: usize = 1 << 12;
const MOST_PRODUCTS: usize = 1 << 20;
/// The prime 2⁶¹ - 1, and a number with many divisors that divides no residue's exponent away.
const PRIME: u64 = (1 << 61) - 1;
const DIVISIBLE: u64 = 720_720;

/// A quotient of two sums.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    over: Sum,
    under: Sum,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// An input, a parameter, a letter.
    Leaf(Id),
    Exp,
    Ln,
    /// A positive sum, of which the atom is a power between 0 and 1.
    Base,
    Function(F),
    Solve(usize),
    Inverse(usize),
    LogAbsDet,
}

struct Atom {
    kind: Kind,
    arguments: Vec<Rc<Form>>,
    positive: bool,
}

/// The forms of scalars.
pub(super) struct Forms {
    atoms: Vec<Atom>,
    by_key: HashMap<(Kind, Vec<u64>), Vec<u32>>,
    known: HashMap<Id, Rc<Form>>,
    ranges: Ranges,
    /// What the unknowns of equations are tried to be.
    candidates: Vec<Id>,
    /// How many products of monomials were formed.
    products: usize,
}

type Found<T> = Result<T, Rejection>;

fn too_large() -> Rejection {
    Rejection::new("a formula is too large to be brought to its normal form")
}

impl Form {
    fn sum(over: Sum) -> Form {
        Form { over, under: unit() }
    }

    fn number(value: RBig) -> Form {
        let mut over = Sum::new();
        if !value.is_zero() {
            over.insert(Vec::new(), value);
        }
        Form::sum(over)
    }

    fn is_zero(&self) -> bool {
        self.over.is_empty()
    }

    /// The number that it is.
    fn as_number(&self) -> Option<RBig> {
        let single = |sum: &Sum| match sum.iter().next() {
            None => Some(RBig::ZERO),
            Some((monomial, c)) if sum.len() == 1 && monomial.is_empty() => Some(c.clone()),
            _ => None,
        };
        Some(single(&self.over)? / single(&self.under)?)
    }
}

fn unit() -> Sum {
    Sum::from([(Vec::new(), RBig::ONE)])
}

fn is_unit(sum: &Sum) -> bool {
    sum.len() == 1 && sum.iter().next().is_some_and(|(monomial, c)| monomial.is_empty() && c.is_one())
}

/// Whether a form is a product of powers of atoms, with the coefficient 1 or -1.
fn is_signed_monomial(a: &Form) -> bool {
    let unit = |c: &RBig| c.is_one() || *c == -RBig::ONE;
    a.over.len() == 1 && is_unit(&a.under) && a.over.values().all(unit)
}

fn rational(value: f64) -> RBig {
    RBig::try_from(value).unwrap_or(RBig::ZERO)
}

fn insert(sum: &mut Sum, monomial: Monomial, coefficient: RBig) -> Found<()> {
    use std::collections::btree_map::Entry;
    match sum.entry(monomial) {
        Entry::Vacant(vacant) => {
            if !coefficient.is_zero() {
                vacant.insert(coefficient);
            }
        }
        Entry::Occupied(mut known) => {
            *known.get_mut() += coefficient;
            if known.get().is_zero() {
                known.remove();
            }
        }
    }
    if sum.len() > MOST_TERMS { Err(too_large()) } else { Ok(()) }
}

fn add(a: &Sum, b: &Sum) -> Found<Sum> {
    let mut sum = a.clone();
    for (monomial, c) in b {
        insert(&mut sum, monomial.clone(), c.clone())?;
    }
    Ok(sum)
}

fn times(a: &Monomial, b: &Monomial) -> Monomial {
    let mut product = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let left = j >= b.len() || (i < a.len() && a[i].0 <= b[j].0);
        let right = i >= a.len() || (j < b.len() && b[j].0 <= a[i].0);
        if left && right {
            let exponent = &a[i].1 + &b[j].1;
            if !exponent.is_zero() {
                product.push((a[i].0, exponent));
            }
        } else {
            product.push(if left { a[i].clone() } else { b[j].clone() });
        }
        i += usize::from(left);
        j += usize::from(right);
    }
    product
}

fn inverted(monomial: &Monomial) -> Monomial {
    monomial.iter().map(|(atom, exponent)| (*atom, -exponent.clone())).collect()
}

impl Forms {
    pub fn new(ranges: Ranges, candidates: Vec<Id>) -> Forms {
        Forms {
            atoms: Vec::new(),
            by_key: HashMap::new(),
            known: HashMap::new(),
            ranges,
            candidates,
            products: 0,
        }
    }

    pub fn of(&mut self, scalars: &mut Scalars, id: Id) -> Found<Rc<Form>> {
        for id in scalars.order(&[id], |id| self.known.contains_key(&id)) {
            let form = self.scalar(scalars, id)?;
            self.known.insert(id, Rc::new(form));
        }
        Ok(self.known[&id].clone())
    }

    pub fn equal(&mut self, scalars: &mut Scalars, a: Id, b: Id) -> Found<bool> {
        let (a, b) = (self.of(scalars, a)?, self.of(scalars, b)?);
        self.same(&a, &b)
    }

    fn same(&mut self, a: &Form, b: &Form) -> Found<bool> {
        Ok(a == b || self.product(&a.over, &b.under)? == self.product(&b.over, &a.under)?)
    }

    /// 1 or -1 if every term of the numerator has that sign relative to the denominator's, all atoms being positive.
    pub fn sign(&self, form: &Form) -> Option<i32> {
        Some(self.sum_sign(&form.over)? * self.sum_sign(&form.under)?)
    }

    fn sum_sign(&self, sum: &Sum) -> Option<i32> {
        let atoms = sum.keys().flatten().all(|(atom, _)| self.atoms[*atom as usize].positive);
        let positive = sum.values().filter(|c| **c > RBig::ZERO).count();
        match (atoms && !sum.is_empty(), positive) {
            (true, 0) => Some(-1),
            (true, count) if count == sum.len() => Some(1),
            _ => None,
        }
    }

    /// A scalar x as c + Σ cⱼ·(inputs)ⱼ with numbers cⱼ, where it is one.
    pub fn linear(&mut self, scalars: &mut Scalars, x: Id, inputs: &[Id]) -> Found<Option<Vec<RBig>>> {
        let form = self.of(scalars, x)?;
        if !is_unit(&form.under) {
            return Ok(None);
        }
        let mut row = vec![RBig::ZERO; inputs.len()];
        for (monomial, c) in &form.over {
            match monomial.as_slice() {
                [] => {}
                [(atom, exponent)] if exponent.is_one() => {
                    let Kind::Leaf(leaf) = self.atoms[*atom as usize].kind else { return Ok(None) };
                    match inputs.iter().position(|input| *input == leaf) {
                        Some(place) => row[place] = c.clone(),
                        None if matches!(scalars.get(leaf), Scalar::Parameter(..)) => {}
                        None => return Ok(None),
                    }
                }
                // Any product of parameters is a shift.
                factors => {
                    let fixed = factors.iter().all(|(atom, _)| {
                        let Kind::Leaf(leaf) = self.atoms[*atom as usize].kind else { return false };
                        matches!(scalars.get(leaf), Scalar::Parameter(..))
                    });
                    if !fixed {
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(row))
    }

    fn product(&mut self, a: &Sum, b: &Sum) -> Found<Sum> {
        if is_unit(a) || is_unit(b) {
            return Ok(if is_unit(a) { b.clone() } else { a.clone() });
        }
        self.products += a.len() * b.len();
        if self.products > MOST_PRODUCTS {
            return Err(too_large());
        }
        let mut product = Sum::new();
        for (left, c) in a {
            for (right, d) in b {
                let (monomial, coefficient) = (times(left, right), c * d);
                match self.whole_power(&monomial) {
                    None => insert(&mut product, monomial, coefficient)?,
                    Some((place, base)) => {
                        // (Pʳ)·(Pˢ) with r + s ≥ 1 is P·P^(r+s-1).
                        let mut rest = monomial;
                        rest[place].1 -= RBig::ONE;
                        rest.retain(|(_, exponent)| !exponent.is_zero());
                        let expanded = self.product(&base, &Sum::from([(rest, coefficient)]))?;
                        product = add(&product, &expanded)?;
                    }
                }
            }
        }
        Ok(product)
    }

    /// A base that stands with an exponent of 1 or more.
    fn whole_power(&self, monomial: &Monomial) -> Option<(usize, Sum)> {
        let is_base = |atom: u32| self.atoms[atom as usize].kind == Kind::Base;
        let place = monomial.iter().position(|(atom, exponent)| is_base(*atom) && *exponent >= RBig::ONE)?;
        Some((place, self.atoms[monomial[place].0 as usize].arguments[0].over.clone()))
    }

    fn quotient(&mut self, over: Sum, under: Sum) -> Found<Form> {
        if under.is_empty() {
            return Err(Rejection::new("a formula divides by 0"));
        }
        if over == under {
            return Ok(Form::number(RBig::ONE));
        }
        // A single monomial goes to the other side with negative exponents; powers of sums stay.
        if let Some((monomial, c)) = under.iter().next()
            && under.len() == 1
            && monomial.iter().all(|(atom, _)| self.atoms[*atom as usize].kind != Kind::Base)
        {
            let inverse = Sum::from([(inverted(monomial), RBig::ONE / c.clone())]);
            return Ok(Form::sum(self.product(&over, &inverse)?));
        }
        Ok(Form { over, under })
    }

    fn plus(&mut self, a: &Form, b: &Form) -> Found<Form> {
        if a.under == b.under {
            return self.quotient(add(&a.over, &b.over)?, a.under.clone());
        }
        let over = add(&self.product(&a.over, &b.under)?, &self.product(&b.over, &a.under)?)?;
        let under = self.product(&a.under, &b.under)?;
        self.quotient(over, under)
    }

    fn mul(&mut self, a: &Form, b: &Form) -> Found<Form> {
        if a.over == b.under {
            return self.quotient(b.over.clone(), a.under.clone());
        }
        if b.over == a.under {
            return self.quotient(a.over.clone(), b.under.clone());
        }
        let over = self.product(&a.over, &b.over)?;
        let under = self.product(&a.under, &b.under)?;
        self.quotient(over, under)
    }

    fn scaled(&mut self, a: &Form, by: RBig) -> Found<Form> {
        self.mul(a, &Form::number(by))
    }

    fn minus(&mut self, a: &Form, b: &Form) -> Found<Form> {
        let negative = self.scaled(b, -RBig::ONE)?;
        self.plus(a, &negative)
    }

    fn recip(&mut self, a: &Form) -> Found<Form> {
        self.quotient(a.under.clone(), a.over.clone())
    }

    /// aⁿ, for a whole number n.
    fn whole(&mut self, a: &Form, n: i64) -> Found<Form> {
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

    /// aᶜ of a form that is not negative, for a rational number c; `positive` if it is not 0 either.
    fn rational_power(&mut self, a: &Form, c: &RBig, positive: bool) -> Found<Form> {
        if c.is_int() {
            let n = i64::try_from(c.numerator().clone()).map_err(|_| too_large())?;
            return self.whole(a, n);
        }
        // Numerator and denominator have one sign; unless it is known to be positive they stay together.
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

    /// A sum as a positive number, a product of positive atoms, and the rest.
    fn parts(&self, sum: &Sum) -> (RBig, Monomial, Sum) {
        let Some((first, leading)) = sum.iter().next() else {
            return (RBig::ONE, Vec::new(), sum.clone());
        };
        let mut common: Monomial =
            first.iter().filter(|(atom, _)| self.atoms[*atom as usize].positive).cloned().collect();
        // Atoms that a term lacks stand there with the exponent 0: the least exponent counts.
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

    /// Whether the denominator is positive, as far as its terms show.
    fn divides_by_positive(&self, a: &Form) -> bool {
        let (_, _, rest) = self.parts(&a.under);
        is_unit(&rest) || self.sum_sign(&rest) == Some(1)
    }

    /// eᵃ
    fn exp(&mut self, a: &Form) -> Found<Form> {
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
    fn ln(&mut self, a: &Form) -> Found<Form> {
        let opened = self.opened(a)?;
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

    /// An atom as a form.
    fn function(&mut self, kind: Kind, arguments: Vec<Rc<Form>>, positive: bool) -> Found<Form> {
        let atom = self.atom(kind, arguments, positive)?;
        Ok(Form::sum(Sum::from([(vec![(atom, RBig::ONE)], RBig::ONE)])))
    }

    /// The atom of this kind with equal arguments, or a new one.
    fn atom(&mut self, kind: Kind, arguments: Vec<Rc<Form>>, positive: bool) -> Found<u32> {
        let key = (kind.clone(), arguments.iter().map(|form| self.residue(form)).collect::<Vec<u64>>());
        for atom in self.by_key.get(&key).cloned().unwrap_or_default() {
            let known = self.atoms[atom as usize].arguments.clone();
            let mut same = true;
            for (a, b) in known.iter().zip(&arguments) {
                same = same && self.same(a, b)?;
            }
            if same {
                self.atoms[atom as usize].positive |= positive;
                return Ok(atom);
            }
        }
        let atom = self.atoms.len() as u32;
        self.atoms.push(Atom { kind, arguments, positive });
        self.by_key.entry(key).or_default().push(atom);
        Ok(atom)
    }

    fn residue(&self, form: &Form) -> u64 {
        let of = |sum: &Sum| {
            sum.iter().fold(0, |total, (monomial, c)| {
                let factors = monomial.iter().map(|(atom, exponent)| power_residue(*atom, exponent));
                (total + factors.fold(rational_residue(c), multiplied)) % PRIME
            })
        };
        multiplied(of(&form.over), raised(of(&form.under), PRIME - 2))
    }

    fn scalar(&mut self, scalars: &mut Scalars, id: Id) -> Found<Form> {
        let form = |forms: &Forms, id: &Id| forms.known[id].clone();
        match scalars.get(id).clone() {
            Scalar::Input(_) | Scalar::Letter(_) | Scalar::Parameter(..) | Scalar::TwoOverRootPi => {
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
            Scalar::LogAbsDet(matrix) => {
                let arguments = matrix.iter().map(|id| form(self, id)).collect();
                self.function(Kind::LogAbsDet, arguments, false)
            }
            Scalar::Root { body, letter, .. } => self.root(scalars, id, body, letter),
        }
    }

    /// v with A v = b: the candidate, if it satisfies that.
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

    /// The letter at which the body is 0: a candidate, if it is, and if there can be only one.
    fn root(&mut self, scalars: &mut Scalars, id: Id, body: Id, letter: Id) -> Found<Form> {
        let rises = {
            let slope = super::slope::slope(scalars, body, letter, |_| false)?;
            let range = slope.map(|slope| self.ranges.of(scalars, slope));
            range.is_some_and(|range| range.defined && range.interval.is_positive())
                && self.ranges.of(scalars, body).defined
                && !super::claim::jumps(scalars, &mut self.ranges, body, |_| true)
        };
        for candidate in if rises { self.candidates.clone() } else { Vec::new() } {
            let value = scalars.replaced(body, &HashMap::from([(letter, candidate)]));
            if self.of(scalars, value)?.is_zero() {
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
                self.ln(&sum)
            }
            // Written with exponentials only where these are known: sums of many such quotients are too large.
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
            F::Sqrt => {
                let positive = self.ranges.of(scalars, operands[0]).interval.is_positive();
                self.rational_power(a, &RBig::from_parts(1.into(), 2u8.into()), positive)
            }
            F::Pow => match arguments[1].as_number() {
                Some(number) => self.rational_power(a, &number, true),
                None => {
                    let log = self.ln(a)?;
                    let product = self.mul(&log, &arguments[1])?;
                    self.exp(&product)
                }
            },
            F::Abs | F::Sign => {
                let interval = self.ranges.of(scalars, operands[0]).interval;
                let sign = i32::from(interval.is_positive()) - i32::from(interval.is_negative());
                let sign = if sign == 0 { self.sign(a).unwrap_or(0) } else { sign };
                match (sign, function) {
                    (0, _) => self.function(Kind::Function(function), arguments.to_vec(), false),
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

    /// Whether a form is a sum of logarithms and numbers.
    fn is_of_logarithms(&self, a: &Form) -> bool {
        let logarithm = |monomial: &Monomial| match monomial.as_slice() {
            [] => true,
            [(atom, exponent)] => exponent.is_one() && self.atoms[*atom as usize].kind == Kind::Ln,
            _ => false,
        };
        is_unit(&a.under) && a.over.keys().all(logarithm)
    }

    /// σ(a) = e/(1 + e) with e = eᵃ, tanh a = (e - 1)/(e + 1) and sech² a = 4e/(e + 1)² with e = e²ᵃ.
    fn by_exponentials(&mut self, function: F, a: &Form) -> Found<Form> {
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

    /// A form with tanh and σ written with exponentials, where it has few of them.
    fn opened(&mut self, a: &Form) -> Found<Form> {
        let function = |forms: &Forms, atom: u32| match forms.atoms[atom as usize].kind {
            Kind::Function(function @ (F::Sigmoid | F::Tanh | F::Sech2)) => Some(function),
            _ => None,
        };
        let mut atoms: Vec<u32> =
            a.over.keys().chain(a.under.keys()).flatten().map(|(atom, _)| *atom).collect();
        atoms.sort_unstable();
        atoms.dedup();
        atoms.retain(|atom| function(self, *atom).is_some());
        if atoms.is_empty() || atoms.len() > 2 || a.over.len() + a.under.len() > 16 {
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

    /// The argument of a function that a form is.
    fn argument_of(&self, a: &Form, function: F) -> Option<Rc<Form>> {
        let (monomial, c) = a.over.iter().next().filter(|_| a.over.len() == 1 && is_unit(&a.under))?;
        let [(atom, exponent)] = monomial.as_slice() else { return None };
        let atom = &self.atoms[*atom as usize];
        let whole = c.is_one() && exponent.is_one() && atom.kind == Kind::Function(function);
        whole.then(|| atom.arguments[0].clone())
    }

    /// b, where a form is (eᵇ - e⁻ᵇ)/2.
    fn sinh_of(&mut self, a: &Form) -> Found<Option<Form>> {
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

/// bᵢ, where the terms are row i of a matrix times the solution of its system with the right side b.
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

fn multiplied(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

fn raised(base: u64, mut exponent: u64) -> u64 {
    let (mut result, mut square) = (1, base % PRIME);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = multiplied(result, square);
        }
        square = multiplied(square, square);
        exponent /= 2;
    }
    result
}

fn rational_residue(value: &RBig) -> u64 {
    let over = value.numerator() % dashu_ratio::RBig::from(PRIME).numerator();
    let over = i128::try_from(over).unwrap_or(0).rem_euclid(i128::from(PRIME)) as u64;
    let under = value.denominator() % PRIME;
    multiplied(over, raised(under, PRIME - 2))
}

/// A number for each atom, with roots: the atom to a rational power.
fn power_residue(atom: u32, exponent: &RBig) -> u64 {
    let seed = (u64::from(atom) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let generator = (seed ^ (seed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) % (PRIME - 2) + 1;
    let whole = exponent * RBig::from(DIVISIBLE);
    let power = |n: u64| raised(generator, n);
    match whole.is_int() {
        true => {
            let order = i128::from(PRIME - 1);
            let reduced = whole.numerator() % dashu_ratio::RBig::from(PRIME - 1).numerator();
            power(i128::try_from(reduced).unwrap_or(0).rem_euclid(order) as u64)
        }
        // Not a power that residues can follow: a number of its own.
        false => multiplied(power(1), rational_residue(exponent)),
    }
}
