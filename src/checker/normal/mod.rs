//! A normal form of scalars that shows when two formulas are equal.
//!
//! A scalar becomes a quotient of two sums of monomials in *atoms* with rational coefficients. The elementary
//! functions are written with eᵃ, ln and roots, which follow the laws e^(a+b) = eᵃ·eᵇ, e^(ln a) = a,
//! ln eᵃ = a, and ln(a·b) = ln a + ln b for positive factors; everything else becomes an atom. Two forms N/D and
//! N'/D' are equal if N·D' and N'·D are the same sum.
//!
//! *Soundness.* Each law holds for real numbers wherever both sides of the scalar it is applied to are
//! defined, and quotients are divided only by what the scalar itself divides by. So where two scalars are
//! both defined and have equal forms, they have equal values. Atoms with a rational power are positive: eᵃ
//! always, others where their range says so (or where a logarithm or a root is taken of them, which is
//! defined for positive numbers only).
//!
//! Equal arguments are found by a residue modulo a prime and then compared exactly: the residue decides
//! nothing.

mod laws;
mod leading;
mod scalars;
mod squares;
mod sum;

use std::collections::HashMap;
use std::rc::Rc;

use dashu_ratio::RBig;
use rustc_hash::FxHashMap;

pub(super) use self::leading::Tends;
use self::squares::is_even;
use self::sum::{
    Monomial, Sum, add, insert, inverted, is_unit, power_residue, raised, rational_residue, times, unit,
};
use self::sum::{PRIME, multiplied};
use super::Rejection;
use super::range::Ranges;
use super::scalar::{Function as F, Id, Scalar, Scalars};

/// Maximum number of products of monomials for one question; beyond it the question is given up.
const MOST_PRODUCTS: usize = 1 << 20;

/// A quotient of two sums.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Form {
    over: Sum,
    under: Sum,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// An input, a parameter or a letter.
    Leaf(Id),
    Exp,
    Ln,
    /// A positive sum; the atom occurs with a power between 0 and 1.
    Base,
    Function(F),
    Solve(usize),
    Inverse(usize),
    MatrixExp(usize),
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
    known: FxHashMap<Id, Rc<Form>>,
    ranges: Ranges,
    /// Candidates for the unknowns of equations.
    candidates: Vec<Id>,
    /// The roots that equal a candidate, and therefore exist.
    roots: HashMap<Id, Id>,
    /// Number of products of monomials formed so far.
    products: usize,
}

pub(super) type Found<T> = Result<T, Rejection>;

/// Maximum number of words of a fraction; nested powers of numbers would exceed any memory.
const LONGEST: usize = 1 << 12;

/// Returns the number of words of a fraction.
fn length(value: &RBig) -> usize {
    value.numerator().as_sign_words().1.len() + value.denominator().as_words().len()
}

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

    /// Returns the number, if the form is one.
    pub(super) fn as_number(&self) -> Option<RBig> {
        let single = |sum: &Sum| match sum.iter().next() {
            None => Some(RBig::ZERO),
            Some((monomial, c)) if sum.len() == 1 && monomial.is_empty() => Some(c.clone()),
            _ => None,
        };
        Some(single(&self.over)? / single(&self.under)?)
    }
}

impl Forms {
    pub fn new(ranges: Ranges, candidates: Vec<Id>) -> Forms {
        Forms {
            atoms: Vec::new(),
            by_key: HashMap::new(),
            known: FxHashMap::default(),
            ranges,
            candidates,
            roots: HashMap::new(),
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

    /// Returns the roots in this scalar that equal candidates, each with its candidate.
    pub fn roots(&mut self, scalars: &mut Scalars, id: Id) -> Found<&HashMap<Id, Id>> {
        self.of(scalars, id)?;
        Ok(&self.roots)
    }

    pub fn equal(&mut self, scalars: &mut Scalars, a: Id, b: Id) -> Found<bool> {
        let (a, b) = (self.of(scalars, a)?, self.of(scalars, b)?);
        self.same(&a, &b)
    }

    fn same(&mut self, a: &Form, b: &Form) -> Found<bool> {
        Ok(a == b || self.product(&a.over, &b.under)? == self.product(&b.over, &a.under)?)
    }

    /// Returns 1 or -1 if all atoms are positive and every term has that sign, relative to the denominator.
    pub fn sign(&self, form: &Form) -> Option<i32> {
        Some(self.sum_sign(&form.over)? * self.sum_sign(&form.under)?)
    }

    /// Returns 1 if a form is nowhere below 0, as a sum of squares and of terms that are not negative over a sum of one
    /// sign, and -1 if it is nowhere above.
    pub fn sign_or_zero(&self, form: &Form) -> Option<i32> {
        let under = self.sum_sign(&form.under)?;
        let negative = form.over.iter().map(|(monomial, c)| (monomial.clone(), -c.clone())).collect();
        // What is left has terms that are not negative, or there is no end of squares.
        let is_nonnegative = |sum: &Sum| self.without_squares(sum).is_some();
        if is_nonnegative(&form.over) {
            return Some(under);
        }
        is_nonnegative(&negative).then_some(-under)
    }

    /// Whether a form is at least some number above 0: a sum of squares, of positive terms and of that number.
    pub fn is_above_a_number(&self, form: &Form) -> bool {
        if !is_unit(&form.under) {
            return false;
        }
        let rest = self.without_squares(&form.over).unwrap_or_else(|| form.over.clone());
        let constant = rest.get(&Vec::new()).is_some_and(|c| *c > RBig::ZERO);
        constant && rest.iter().all(|(monomial, c)| *c > RBig::ZERO && self.is_nonnegative(monomial))
    }

    fn sum_sign(&self, sum: &Sum) -> Option<i32> {
        self.sign_of_terms(sum).or_else(|| {
            let rest = self.without_squares(sum)?;
            let nonnegative =
                |(monomial, c): (&Monomial, &RBig)| *c > RBig::ZERO && self.is_nonnegative(monomial);
            let positive = rest.keys().any(|monomial| self.is_positive(monomial)) || self.holds_a_base(&rest);
            (positive && rest.iter().all(nonnegative)).then_some(1)
        })
    }

    /// Whether a sum of terms that are not negative has among them m·p for every term p of a positive sum P, with a positive
    /// m: it is then at least a multiple of m·P.
    fn holds_a_base(&self, sum: &Sum) -> bool {
        let bases = self.atoms.iter().filter(|atom| atom.kind == Kind::Base && atom.positive);
        bases.filter(|base| is_unit(&base.arguments[0].under)).any(|base| {
            let terms = &base.arguments[0].over;
            let Some(first) = terms.keys().next().filter(|_| terms.values().all(|c| *c > RBig::ZERO)) else {
                return false;
            };
            sum.keys().any(|term| {
                let m = times(term, &inverted(first));
                let has = |p: &Monomial| sum.get(&times(&m, p)).is_some_and(|c| *c > RBig::ZERO);
                self.is_positive(&m) && terms.keys().all(has)
            })
        })
    }

    fn is_positive(&self, monomial: &Monomial) -> bool {
        monomial.iter().all(|(atom, _)| self.atoms[*atom as usize].positive)
    }

    /// Whether it is a product of positive atoms, of even powers, and of |a| written as a·sign a.
    fn is_nonnegative(&self, monomial: &Monomial) -> bool {
        let doubtful: Vec<u32> = monomial
            .iter()
            .filter(|(atom, exponent)| !self.atoms[*atom as usize].positive && !is_even(exponent))
            .map(|(atom, _)| *atom)
            .collect();
        let whole = |of: u32| monomial.iter().any(|(atom, exponent)| *atom == of && exponent.is_int());
        doubtful.is_empty()
            || matches!(doubtful[..], [a, b] if whole(a) && whole(b) && (self.is_sign_of(a, b) || self.is_sign_of(b, a)))
    }

    /// Whether the first atom is the sign of the second one.
    fn is_sign_of(&self, sign: u32, atom: u32) -> bool {
        let sign = &self.atoms[sign as usize];
        let alone =
            |sum: &Sum| sum.len() == 1 && sum.get(&vec![(atom, RBig::ONE)]).is_some_and(|c| *c > RBig::ZERO);
        sign.kind == Kind::Function(F::Sign)
            && is_unit(&sign.arguments[0].under)
            && alone(&sign.arguments[0].over)
    }

    fn sign_of_terms(&self, sum: &Sum) -> Option<i32> {
        let atoms = sum.keys().flatten().all(|(atom, _)| self.atoms[*atom as usize].positive);
        let positive = sum.values().filter(|c| **c > RBig::ZERO).count();
        match (atoms && !sum.is_empty(), positive) {
            (true, 0) => Some(-1),
            (true, count) if count == sum.len() => Some(1),
            _ => None,
        }
    }

    /// Writes a scalar x as c + Σ cⱼ·(inputs)ⱼ with numbers cⱼ, if it has this form.
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
                // A product of parameters alone is part of the constant term.
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
                if length(c) + length(d) > LONGEST {
                    return Err(too_large());
                }
                let (monomial, coefficient) = (times(left, right), c * d);
                if let Some(expanded) = self.squared_sine(&monomial, &coefficient)? {
                    product = add(&product, &expanded)?;
                    continue;
                }
                match self.whole_power(&monomial) {
                    None => insert(&mut product, monomial, coefficient)?,
                    Some((place, base)) => {
                        // Pʳ·Pˢ = P·P^(r+s-1) with r + s ≥ 1.
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

    /// sin² a = 1 - cos² a in a monomial with a power of sin a that is at least 2, and not so large that its expansion would
    /// be too long.
    fn squared_sine(&mut self, monomial: &Monomial, coefficient: &RBig) -> Found<Option<Sum>> {
        let two = RBig::from(2);
        let is_sine = |atom: u32| self.atoms[atom as usize].kind == Kind::Function(F::Sin);
        let among = two.clone()..=RBig::from(64);
        let place = monomial.iter().position(|(atom, exponent)| is_sine(*atom) && among.contains(exponent));
        let Some(place) = place else { return Ok(None) };
        let arguments = self.atoms[monomial[place].0 as usize].arguments.clone();
        let cosine = self.atom(Kind::Function(F::Cos), arguments, false)?;
        let mut rest = monomial.clone();
        rest[place].1 -= &two;
        rest.retain(|(_, exponent)| !exponent.is_zero());
        let rest = Sum::from([(rest, coefficient.clone())]);
        let complement = Sum::from([(Vec::new(), RBig::ONE), (vec![(cosine, two)], -RBig::ONE)]);
        Ok(Some(self.product(&rest, &complement)?))
    }

    /// Returns a base with an exponent of 1 or more.
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
        // A denominator of one monomial moves to the numerator with negative exponents; powers of sums stay.
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

    /// Returns an atom as a form.
    fn function(&mut self, kind: Kind, arguments: Vec<Rc<Form>>, positive: bool) -> Found<Form> {
        let atom = self.atom(kind, arguments, positive)?;
        Ok(Form::sum(Sum::from([(vec![(atom, RBig::ONE)], RBig::ONE)])))
    }

    /// Returns the atom of this kind with equal arguments, or a new one.
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
}
