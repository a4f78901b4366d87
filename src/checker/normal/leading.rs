//! Limits of quotients by their leading terms.
//!
//! As t tends to 0 from above and everything else stays fixed, a sum of products of powers of t with factors that do not
//! depend on t goes like its terms of the lowest power: t^p·(c + o(1)), if the sum c of their factors is not 0. A root of such
//! a sum, with c > 0, goes like t^(pr)·cʳ. The quotient of two of them has the limit of t^(p-q)·c/d.

use std::collections::BTreeMap;

use dashu_ratio::RBig;

use super::super::scalar::{Id, Scalar, Scalars};
use super::sum::{Sum, insert, is_unit, unit};
use super::{Form, Forms, Kind};

/// What a form tends to.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Tends {
    To(RBig),
    Up,
    Down,
}

/// t^power·(factor + o(1)); the factor has this sign and is not 0.
struct Leading {
    power: RBig,
    /// `None` if only its sign is known.
    factor: Option<Sum>,
    sign: i32,
}

impl Forms {
    /// The limit of a form as the letter t tends to 0 from above, with everything else fixed.
    pub(in super::super) fn tends(&self, scalars: &Scalars, form: &Form, t: Id) -> Option<Tends> {
        if form.over.is_empty() {
            return Some(Tends::To(RBig::ZERO));
        }
        let (over, under) = (self.leading(scalars, &form.over, t)?, self.leading(scalars, &form.under, t)?);
        if over.power > under.power {
            return Some(Tends::To(RBig::ZERO));
        }
        if over.power < under.power {
            return Some(if over.sign * under.sign > 0 { Tends::Up } else { Tends::Down });
        }
        Some(Tends::To(ratio(&over.factor?, &under.factor?)?))
    }

    fn leading(&self, scalars: &Scalars, sum: &Sum, t: Id) -> Option<Leading> {
        // The factors of each power of t.
        let mut powers: BTreeMap<RBig, Vec<(Option<Sum>, i32)>> = BTreeMap::new();
        for (monomial, c) in sum {
            let (mut power, mut rest, mut only_sign) = (RBig::ZERO, Vec::new(), false);
            for (atom, exponent) in monomial {
                if self.is_fixed(scalars, *atom, t)? {
                    rest.push((*atom, exponent.clone()));
                    continue;
                }
                let found = &self.atoms[*atom as usize];
                match found.kind {
                    Kind::Leaf(_) => power += exponent,
                    Kind::Base => {
                        let base = &found.arguments[0];
                        let base = if is_unit(&base.under) {
                            self.leading(scalars, &base.over, t)?
                        } else {
                            return None;
                        };
                        if base.sign < 0 {
                            return None;
                        }
                        power += &base.power * exponent;
                        only_sign |= base.factor != Some(unit());
                    }
                    _ => return None,
                }
            }
            let factor = Sum::from([(rest, c.clone())]);
            let sign = self.sum_sign(&factor).unwrap_or(0);
            powers.entry(power).or_default().push(((!only_sign).then_some(factor), sign));
        }
        let (power, terms) = powers.into_iter().next()?;
        let signs = terms.iter().map(|(_, sign)| *sign).reduce(|a, b| if a == b { a } else { 0 })?;
        let factor = terms.into_iter().try_fold(Sum::new(), |mut sum, (factor, _)| {
            factor?.into_iter().try_for_each(|(monomial, c)| insert(&mut sum, monomial, c)).ok()?;
            Some(sum)
        });
        let sign = match &factor {
            Some(sum) => self.sum_sign(sum)?,
            None => signs,
        };
        (sign != 0).then_some(Leading { power, factor, sign })
    }

    /// Whether an atom does not depend on t; `None` if that is not known.
    fn is_fixed(&self, scalars: &Scalars, atom: u32, t: Id) -> Option<bool> {
        let atom = &self.atoms[atom as usize];
        if let Kind::Leaf(leaf) = atom.kind {
            return match scalars.get(leaf) {
                // The body of a root may have t in it.
                Scalar::Root { .. } => None,
                _ => Some(leaf != t),
            };
        }
        let mut fixed = true;
        for argument in &atom.arguments {
            for (inside, _) in argument.over.keys().chain(argument.under.keys()).flatten() {
                fixed &= self.is_fixed(scalars, *inside, t)?;
            }
        }
        Some(fixed)
    }
}

/// The number r with over = r·under.
fn ratio(over: &Sum, under: &Sum) -> Option<RBig> {
    let r = over.values().next()? / under.values().next()?;
    let same = |((a, c), (b, d)): ((&_, &RBig), (&_, &RBig))| a == b && *c == &r * d;
    (over.len() == under.len() && over.iter().zip(under).all(same)).then_some(r)
}
