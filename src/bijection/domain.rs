//! Where the variables of a bijection may lie.

use std::f64::consts::{PI, TAU};
use std::fmt;

use crate::sweep::bound::{Bound, End, Region};
use crate::sweep::superscript;

/// A part of ℝᵈ that is an interval (or the circle) in each variable.
///
/// The first four are for all variables alike, however many there are. [`Domain::each`] gives each variable its own:
///
/// ```
/// use pushforward::prelude::*;
///
/// let domain = Domain::each([Domain::Positive, Domain::Reals]);
/// assert!(domain.contains(&[0.5, -3.0]));
/// assert!(!domain.contains(&[-3.0, 0.5]));
/// assert_eq!(domain.to_string(), "(0, ∞) × ℝ");
/// assert_eq!(domain.of(1), Domain::Reals);
/// ```
///
/// Two domains are equal if they are the same set, however they are written.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Domain {
    /// (-∞, ∞)
    Reals,
    /// (0, ∞)
    Positive,
    /// (lower, upper), open; either end may be infinite.
    Interval {
        /// The lower end, or -∞.
        lower: f64,
        /// The upper end, or ∞.
        upper: f64,
    },
    /// Angles, [-π, π): the ends are one point. A map of the circle jumps by 2π somewhere as a map of numbers.
    Circle,
    /// Another one for each variable: made by [`Domain::each`].
    Each(Product),
}

/// The domains of variables that are not alike, one for each.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Product(Vec<Domain>);

impl Product {
    /// How many variables it is for.
    pub fn dim(&self) -> usize {
        self.0.len()
    }
}

impl Domain {
    /// A domain for each variable, in order. A product within stands for as many variables as it has. Where all are
    /// alike, that is the domain of each.
    pub fn each(domains: impl IntoIterator<Item = Domain>) -> Domain {
        let mut each = Vec::new();
        for domain in domains {
            match domain {
                Domain::Each(Product(several)) => each.extend(several.iter().cloned()),
                one => each.push(one),
            }
        }
        match each.split_first() {
            None => Domain::Reals,
            Some((first, rest)) if rest.iter().all(|domain| domain == first) => first.clone(),
            Some(_) => Domain::Each(Product(each)),
        }
    }

    /// The domain of variable `i`; of one that a product does not have, ℝ.
    pub fn of(&self, i: usize) -> Domain {
        self.part(i).clone()
    }

    fn part(&self, i: usize) -> &Domain {
        match self {
            Domain::Each(Product(each)) => each.get(i).unwrap_or(&Domain::Reals),
            one => one,
        }
    }

    /// How many variables it is for, unless it is for any number of them.
    pub fn dim(&self) -> Option<usize> {
        match self {
            Domain::Each(product) => Some(product.dim()),
            _ => None,
        }
    }

    /// The lower and the upper end; of a product, those of the smallest interval around all of its intervals.
    pub fn ends(&self) -> (f64, f64) {
        match self {
            Domain::Reals => (f64::NEG_INFINITY, f64::INFINITY),
            Domain::Positive => (0.0, f64::INFINITY),
            Domain::Interval { lower, upper } => (*lower, *upper),
            Domain::Circle => (-PI, PI),
            Domain::Each(Product(each)) => {
                let around = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
                each.iter().map(Domain::ends).reduce(around).unwrap_or(Domain::Reals.ends())
            }
        }
    }

    /// Whether a point lies inside. A point of another number of variables than a product has does not.
    pub fn contains(&self, point: &[f64]) -> bool {
        self.dim().is_none_or(|d| d == point.len())
            && point.iter().enumerate().all(|(i, value)| self.contains_at(i, *value))
    }

    /// Whether a number is one that variable `i` may be.
    pub fn contains_at(&self, i: usize, value: f64) -> bool {
        match self.part(i) {
            Domain::Circle => (-PI..PI).contains(&value),
            one => {
                let (lower, upper) = one.ends();
                value > lower && value < upper
            }
        }
    }

    /// Whether every point of this one, of `d` variables, lies in the other.
    pub fn is_within(&self, other: &Domain, d: usize) -> bool {
        let fits = |domain: &Domain| domain.dim().is_none_or(|own| own == d);
        let alike = self.dim().is_none() && other.dim().is_none();
        let places = if alike { d.min(1) } else { d };
        fits(self) && fits(other) && (0..places).all(|i| self.part(i).lies_in(other.part(i)))
    }

    /// The same for one variable.
    fn lies_in(&self, other: &Domain) -> bool {
        let ((low, high), (least, most)) = (self.ends(), other.ends());
        match (self, other) {
            (Domain::Circle, Domain::Circle) => true,
            // -π is one of the angles.
            (Domain::Circle, _) => least < low && high <= most,
            _ => least <= low && high <= most,
        }
    }

    /// What keeps it from being a part of ℝᵈ, if anything: an interval without a point, a product of another number
    /// of variables.
    pub(crate) fn fault(&self, d: usize) -> Option<String> {
        if let Some(own) = self.dim()
            && own != d
        {
            return Some(format!("{self} is for {own} variables, but there are {d}"));
        }
        let empty = |domain: &Domain| {
            let (lower, upper) = domain.ends();
            lower.is_nan() || upper.is_nan() || lower >= upper
        };
        let places = self.dim().unwrap_or(1);
        let place = (0..places).find(|i| empty(self.part(*i)))?;
        Some(format!("the interval {} holds no number", self.part(place)))
    }

    /// a - b of two numbers of variable `i`; on the circle the shorter way round, for two angles.
    pub fn difference(&self, i: usize, a: f64, b: f64) -> f64 {
        match self.part(i) {
            Domain::Circle if a - b > PI => a - b - TAU,
            Domain::Circle if a - b < -PI => a - b + TAU,
            _ => a - b,
        }
    }

    /// How it is written for d variables: ℝ³, (0, ∞)² × ℝ.
    pub fn written(&self, d: usize) -> String {
        match self {
            Domain::Each(_) => self.to_string(),
            one => power(one, d),
        }
    }
}

fn power(domain: &Domain, times: usize) -> String {
    match times {
        1 => domain.to_string(),
        times => format!("{domain}{}", superscript(i32::try_from(times).unwrap_or(i32::MAX))),
    }
}

impl PartialEq for Domain {
    /// Whether they are the same set. A product is never of domains that are all alike.
    fn eq(&self, other: &Domain) -> bool {
        match (self, other) {
            (Domain::Each(a), Domain::Each(b)) => a == b,
            (Domain::Each(_), _) | (_, Domain::Each(_)) => false,
            (Domain::Circle, Domain::Circle) => true,
            (Domain::Circle, _) | (_, Domain::Circle) => false,
            _ => self.ends() == other.ends(),
        }
    }
}

impl From<&Domain> for Bound {
    /// One interval for all variables: the smallest around those of a product.
    fn from(domain: &Domain) -> Bound {
        let (lower, upper) = domain.ends();
        let closed = match domain {
            Domain::Each(Product(each)) => {
                each.iter().any(|domain| matches!(domain, Domain::Circle) && domain.ends().0 == lower)
            }
            one => matches!(one, Domain::Circle),
        };
        let open = Bound::between(lower, upper);
        if closed { Bound { low: End { at: lower, open: false }, ..open } } else { open }
    }
}

impl From<Domain> for Bound {
    fn from(domain: Domain) -> Bound {
        Bound::from(&domain)
    }
}

impl From<Domain> for Region {
    /// Of a product, each variable in its own.
    fn from(domain: Domain) -> Region {
        match &domain {
            Domain::Each(Product(each)) => Region::from(each.iter().map(Bound::from).collect::<Vec<Bound>>()),
            one => Region::All(one.into()),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |value: f64| match value {
            f64::INFINITY => "∞".to_string(),
            f64::NEG_INFINITY => "-∞".to_string(),
            value => value.to_string(),
        };
        match self {
            Domain::Circle => f.write_str("[-π, π)"),
            Domain::Each(Product(each)) => {
                let runs: Vec<String> =
                    each.chunk_by(|a, b| a == b).map(|alike| power(&alike[0], alike.len())).collect();
                f.write_str(&runs.join(" × "))
            }
            one => match one.ends() {
                (f64::NEG_INFINITY, f64::INFINITY) => f.write_str("ℝ"),
                (lower, upper) => write!(f, "({}, {})", end(lower), end(upper)),
            },
        }
    }
}
