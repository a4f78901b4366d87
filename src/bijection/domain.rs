//! Domains of the variables of a bijection.

use std::f64::consts::{PI, TAU};
use std::fmt;

use crate::sweep::bound::{Bound, End, Region};
use crate::typeset::superscript;

/// A subset of ℝᵈ: an interval (or the circle) for each variable.
///
/// The first four variants apply to any number of variables. [`Domain::each`] gives each variable its own:
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Domain {
    /// (-∞, ∞)
    Reals,
    /// (0, ∞)
    Positive,
    /// (lower, upper), open; either end may be infinite.
    Interval {
        /// The lower end, or -∞.
        #[cfg_attr(feature = "serde", serde(deserialize_with = "lower_end"))]
        lower: f64,
        /// The upper end, or ∞.
        #[cfg_attr(feature = "serde", serde(deserialize_with = "upper_end"))]
        upper: f64,
    },
    /// Angles, [-π, π), where the two ends are the same point. As a real function, a map of the circle jumps
    /// by 2π somewhere.
    Circle,
    /// The vectors with x₁ < x₂ < … < x_d.
    Ordered,
    /// The vectors of positive numbers that sum to less than 1: the first d coordinates of a simplex of d + 1 corners.
    Simplex,
    /// A separate domain for each variable, made by [`Domain::each`].
    Each(Product),
}

/// What the variables of [`Domain::Simplex`] lie in, one by one.
static UNIT: Domain = Domain::Interval { lower: 0.0, upper: 1.0 };

/// One domain for each variable, not all equal.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Product(Vec<Domain>);

/// JSON has no ∞: an end that is null is infinite.
#[cfg(feature = "serde")]
fn lower_end<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(<Option<f64> as serde::Deserialize>::deserialize(from)?.unwrap_or(f64::NEG_INFINITY))
}

#[cfg(feature = "serde")]
fn upper_end<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(<Option<f64> as serde::Deserialize>::deserialize(from)?.unwrap_or(f64::INFINITY))
}

impl Product {
    /// Number of variables.
    pub fn dim(&self) -> usize {
        self.0.len()
    }
}

impl Domain {
    /// Builds a domain from one for each variable, in order. A nested product stands for all its variables.
    /// If all are equal, the result is that domain, for any number of variables.
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

    /// The domain of variable `i`; ℝ if a product has no such variable. Where variables restrict one another, all values
    /// that the variable may have.
    pub fn of(&self, i: usize) -> Domain {
        self.part(i).clone()
    }

    fn part(&self, i: usize) -> &Domain {
        match self {
            Domain::Each(Product(each)) => each.get(i).unwrap_or(&Domain::Reals),
            Domain::Ordered => &Domain::Reals,
            Domain::Simplex => &UNIT,
            one => one,
        }
    }

    /// Whether the variables restrict one another, so that the domain is less than the product of the domains of its
    /// variables.
    pub fn couples(&self) -> bool {
        matches!(self, Domain::Ordered | Domain::Simplex)
    }

    /// Number of variables; `None` if it applies to any number.
    pub fn dim(&self) -> Option<usize> {
        match self {
            Domain::Each(product) => Some(product.dim()),
            _ => None,
        }
    }

    /// The lower and the upper end; for a product, of the smallest interval that contains all its intervals.
    pub fn ends(&self) -> (f64, f64) {
        match self {
            Domain::Reals => (f64::NEG_INFINITY, f64::INFINITY),
            Domain::Positive => (0.0, f64::INFINITY),
            Domain::Interval { lower, upper } => (*lower, *upper),
            Domain::Circle => (-PI, PI),
            Domain::Ordered => Domain::Reals.ends(),
            Domain::Simplex => UNIT.ends(),
            Domain::Each(Product(each)) => {
                let around = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.max(b.1));
                each.iter().map(Domain::ends).reduce(around).unwrap_or(Domain::Reals.ends())
            }
        }
    }

    /// Returns whether a point lies inside; `false` if a product has another number of variables.
    pub fn contains(&self, point: &[f64]) -> bool {
        self.dim().is_none_or(|d| d == point.len()) && self.first_outside(point).is_none()
    }

    /// The first variable of a point that lies outside, where those before it are as they are.
    pub(crate) fn first_outside(&self, point: &[f64]) -> Option<usize> {
        let mut sum = 0.0;
        (0..point.len()).find(|i| {
            sum += point[*i];
            let beside = match self {
                Domain::Ordered => *i == 0 || point[*i] > point[*i - 1],
                Domain::Simplex => sum < 1.0,
                _ => true,
            };
            !(beside && self.contains_at(*i, point[*i]))
        })
    }

    /// Returns whether variable `i` may have this value.
    pub fn contains_at(&self, i: usize, value: f64) -> bool {
        match self.part(i) {
            Domain::Circle => (-PI..PI).contains(&value),
            one => {
                let (lower, upper) = one.ends();
                value > lower && value < upper
            }
        }
    }

    /// Returns whether every point of this domain, in `d` variables, lies in the other.
    pub fn is_within(&self, other: &Domain, d: usize) -> bool {
        if other.couples() && d > 1 {
            return self == other;
        }
        let fits = |domain: &Domain| domain.dim().is_none_or(|own| own == d);
        let alike = self.dim().is_none() && other.dim().is_none();
        let places = if alike { d.min(1) } else { d };
        fits(self) && fits(other) && (0..places).all(|i| self.part(i).lies_in(other.part(i)))
    }

    /// Returns whether this domain of one variable lies in another.
    fn lies_in(&self, other: &Domain) -> bool {
        let ((low, high), (least, most)) = (self.ends(), other.ends());
        match (self, other) {
            (Domain::Circle, Domain::Circle) => true,
            // -π is one of the angles.
            (Domain::Circle, _) => least < low && high <= most,
            _ => least <= low && high <= most,
        }
    }

    /// Returns why this is not a subset of ℝᵈ, if so: an interval without points, or a product of another
    /// number of variables.
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
        Some(format!("the interval {} is empty", self.part(place)))
    }

    /// Returns a - b for variable `i`; on the circle, the shorter signed difference of the two angles.
    pub fn difference(&self, i: usize, a: f64, b: f64) -> f64 {
        match self.part(i) {
            Domain::Circle if a - b > PI => a - b - TAU,
            Domain::Circle if a - b < -PI => a - b + TAU,
            _ => a - b,
        }
    }

    /// Writes the domain of d variables: ℝ³, (0, ∞)² × ℝ.
    pub fn written(&self, d: usize) -> String {
        match self {
            Domain::Each(_) => self.to_string(),
            Domain::Ordered => format!("the ordered vectors of {}", power(&Domain::Reals, d)),
            Domain::Simplex => format!("the open simplex in {}", power(&Domain::Reals, d)),
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
    /// Returns whether they are the same set. A product never has only equal domains.
    fn eq(&self, other: &Domain) -> bool {
        match (self, other) {
            (Domain::Each(a), Domain::Each(b)) => a == b,
            (Domain::Each(_), _) | (_, Domain::Each(_)) => false,
            (Domain::Circle, Domain::Circle) => true,
            (Domain::Circle, _) | (_, Domain::Circle) => false,
            (Domain::Ordered, Domain::Ordered) | (Domain::Simplex, Domain::Simplex) => true,
            _ if self.couples() || other.couples() => false,
            _ => self.ends() == other.ends(),
        }
    }
}

impl From<&Domain> for Bound {
    /// Returns one interval for all variables: the smallest that contains those of a product.
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
    /// Returns the interval of each variable.
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
            PI => "π".to_string(),
            value if value == -PI => "-π".to_string(),
            value => value.to_string(),
        };
        match self {
            Domain::Circle => f.write_str("[-π, π)"),
            Domain::Ordered => f.write_str("the ordered vectors"),
            Domain::Simplex => f.write_str("the open simplex"),
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
