//! Kinds of columns: what values a variable can have, and with that by which bijection it is brought to the
//! real line.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::names::nearest;
use super::number::shown;

/// What values a column can have.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Kind {
    /// Any real number.
    Real,
    /// A positive number; modelled as its logarithm.
    Positive,
    /// A number strictly between two bounds; modelled as its logit.
    Bounded {
        /// The lower bound.
        lower: f64,
        /// The upper bound.
        upper: f64,
    },
    /// A point on a circle: an angle, an hour, a day of the year.
    Circular {
        /// Where the period starts.
        start: f64,
        /// Its length.
        period: f64,
    },
    /// A multiple of a step (1 for an integer), up to an offset: the density is that of the value before
    /// rounding.
    Rounded {
        /// The step.
        step: f64,
        /// Which of them there are.
        #[cfg_attr(feature = "serde", serde(default))]
        limits: Limits,
    },
    /// One of a few levels.
    Category {
        /// The levels; none until a column is looked at.
        levels: Vec<String>,
    },
    /// The same value in each row.
    Constant,
    /// A number or text that names the row.
    Identifier,
    /// A date or a time.
    Date,
    /// Other text.
    Text,
}

/// Which rounded values there are. A density has no mass beyond the cells of the first and the last one, so that no sample
/// lies there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Limits {
    /// All.
    #[default]
    None,
    /// Those above 0; what is before rounding is modelled as a logarithm.
    Positive,
    /// This one and those above; modelled as the logarithm of the distance to the cell's lower end.
    From(f64),
    /// Those between two, and these; modelled as a logit.
    Within {
        /// The first.
        lower: f64,
        /// The last.
        upper: f64,
    },
}

impl Limits {
    /// The first and the last multiple of a step, up to an offset; infinite without a limit.
    pub(crate) fn ends(self, step: f64, offset: f64) -> (f64, f64) {
        // A limit that is a multiple up to rounding is one.
        const NEAR: f64 = 1e-6;
        let from = |lower: f64| offset + ((lower - offset) / step - NEAR).ceil() * step;
        match self {
            Limits::None => (f64::NEG_INFINITY, f64::INFINITY),
            Limits::Positive => (from(2.0 * NEAR * step), f64::INFINITY),
            Limits::From(lower) => (from(lower), f64::INFINITY),
            Limits::Within { lower, upper } => {
                (from(lower), offset + ((upper - offset) / step + NEAR).floor() * step)
            }
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limits::None => Ok(()),
            Limits::Positive => f.write_str(":positive"),
            Limits::From(lower) => write!(f, ":{}..", shown(*lower)),
            Limits::Within { lower, upper } => write!(f, ":{}..{}", shown(*lower), shown(*upper)),
        }
    }
}

/// Why a text is not a kind of column.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum KindError {
    /// There is no such kind.
    #[error(
        "`{given}` is not a kind of column{}; kinds are {FORMS}",
        nearest.as_ref().map_or_else(String::new, |nearest| format!(" (did you mean `{nearest}`?)"))
    )]
    Unknown {
        /// The text.
        given: String,
        /// The kind that is most like it.
        nearest: Option<String>,
    },
    /// What follows the name of the kind is not what the kind needs.
    #[error("`{given}`: {needs}")]
    Parameter {
        /// The text.
        given: String,
        /// What the kind needs, with an example.
        needs: &'static str,
    },
    /// No column is named.
    #[error("`{given}` names no column and kind; write column=kind, for example speed=positive")]
    Pair {
        /// The text.
        given: String,
    },
    /// A column is given two kinds.
    #[error("column `{column}` is given two kinds, {first} and {second}")]
    Twice {
        /// The column.
        column: String,
        /// The kind given first.
        first: String,
        /// The kind given after it.
        second: String,
    },
}

const FORMS: &str = "real, positive, bounded:LOWER..UPPER, circular:PERIOD, circular:START..END, rounded:STEP, \
                     integer (with limits rounded:STEP:positive, integer:LOWER.., integer:LOWER..UPPER), category, constant, identifier, date, text";

const NAMES: [&str; 11] = [
    "real",
    "positive",
    "bounded",
    "circular",
    "rounded",
    "integer",
    "category",
    "constant",
    "identifier",
    "date",
    "text",
];

impl Kind {
    /// The name of the kind, without its parameters.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Real => "real",
            Kind::Positive => "positive",
            Kind::Bounded { .. } => "bounded",
            Kind::Circular { .. } => "circular",
            Kind::Rounded { step: 1.0, .. } => "integer",
            Kind::Rounded { .. } => "rounded",
            Kind::Category { .. } => "category",
            Kind::Constant => "constant",
            Kind::Identifier => "identifier",
            Kind::Date => "date",
            Kind::Text => "text",
        }
    }

    /// Whether the column is a number with a density, or with a probability for each step.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Kind::Real | Kind::Positive | Kind::Bounded { .. } | Kind::Circular { .. } | Kind::Rounded { .. }
        )
    }

    /// What a number must be, if it is none that the column can have: "above 0". A missing one, NaN, may be any.
    pub fn outside(&self, value: f64) -> Option<String> {
        let text = match self {
            _ if value.is_nan() || self.refuses(value).is_none() => return None,
            Kind::Positive | Kind::Rounded { limits: Limits::Positive, .. } => "above 0".to_string(),
            Kind::Rounded { limits: Limits::From(lower), .. } => format!("{} or above", shown(*lower)),
            Kind::Rounded { limits: Limits::Within { lower, upper }, .. } => {
                format!("from {} to {}", shown(*lower), shown(*upper))
            }
            Kind::Bounded { lower, upper } => format!("between {} and {}", shown(*lower), shown(*upper)),
            // An angle is brought into its period.
            _ => return None,
        };
        Some(text)
    }

    /// A number as it is looked at: a logarithm where it is modelled as one.
    pub(super) fn scaled(&self, value: f64) -> f64 {
        match self {
            Kind::Positive | Kind::Rounded { limits: Limits::Positive, .. } => value.ln(),
            Kind::Rounded { step, limits: Limits::From(lower) } => (value - lower + 0.5 * step).ln(),
            _ => value,
        }
    }

    /// What a value must satisfy, if it does not.
    pub(super) fn refuses(&self, value: f64) -> Option<&'static str> {
        match self {
            Kind::Rounded { limits: Limits::Positive, .. } if value <= 0.0 => {
                Some("a positive column has numbers above 0")
            }
            Kind::Rounded { step, limits } if *limits != Limits::None && *limits != Limits::Positive => {
                let (lower, upper) = match limits {
                    Limits::Within { lower, upper } => (*lower, *upper),
                    Limits::From(lower) => (*lower, f64::INFINITY),
                    _ => return None,
                };
                let near = 1e-6 * step;
                let is_outside = value < lower - near || value > upper + near;
                is_outside.then_some("a column with limits has numbers within them")
            }
            Kind::Positive if value <= 0.0 => Some("a positive column has numbers above 0"),
            Kind::Bounded { lower, upper } if value <= *lower || value >= *upper => {
                Some("a bounded column has numbers strictly between its bounds")
            }
            Kind::Circular { start, period } if value < *start || value > start + period => Some(
                "a circular column has numbers within one period; give it where it starts, as START..END",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bounded { lower, upper } => write!(f, "bounded:{}..{}", shown(*lower), shown(*upper)),
            Kind::Circular { start: 0.0, period } => write!(f, "circular:{}", shown(*period)),
            Kind::Circular { start, period } => {
                write!(f, "circular:{}..{}", shown(*start), shown(start + period))
            }
            Kind::Rounded { step: 1.0, limits } => write!(f, "integer{limits}"),
            Kind::Rounded { step, limits } => write!(f, "rounded:{}{limits}", shown(*step)),
            _ => f.write_str(self.name()),
        }
    }
}

impl FromStr for Kind {
    type Err = KindError;

    /// Reads a kind: `positive`, `bounded:0..1`, `circular:360`, `circular:-180..180`, `rounded:0.1`,
    /// `rounded:0.1:positive`, `integer:1..`, `category`.
    ///
    /// ```
    /// use pushforward::table::Kind;
    ///
    /// assert_eq!("circular:-180..180".parse(), Ok(Kind::Circular { start: -180.0, period: 360.0 }));
    /// let error = "postive".parse::<Kind>().unwrap_err().to_string();
    /// assert!(error.starts_with("`postive` is not a kind of column (did you mean `positive`?)"), "{error}");
    /// ```
    fn from_str(text: &str) -> Result<Kind, KindError> {
        let text = text.trim();
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name.trim(), Some(parameter.trim())),
            None => (text, None),
        };
        let needs = |needs: &'static str| KindError::Parameter { given: text.to_string(), needs };
        let finite = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let interval = |text: &str| {
            let (from, to) = text.split_once("..")?;
            finite(from).zip(finite(to)).filter(|(from, to)| from < to)
        };
        let limits = |text: &str| match text.strip_suffix("..") {
            _ if text == "positive" => Some(Limits::Positive),
            Some(lower) => finite(lower).map(Limits::From),
            None => interval(text).map(|(lower, upper)| Limits::Within { lower, upper }),
        };
        let plain = |kind: Kind| match parameter {
            None => Ok(kind),
            Some(_) => Err(needs("this kind has no parameter: leave out what follows the colon")),
        };
        match name {
            "real" => plain(Kind::Real),
            "positive" => plain(Kind::Positive),
            "integer" => match parameter {
                None => Ok(Kind::Rounded { step: 1.0, limits: Limits::None }),
                Some(text) => match limits(text) {
                    Some(limits) => Ok(Kind::Rounded { step: 1.0, limits }),
                    None => Err(needs(
                        "integers may have limits, for example integer:1.. or integer:0..10 or integer:positive",
                    )),
                },
            },
            "category" => plain(Kind::Category { levels: Vec::new() }),
            "constant" => plain(Kind::Constant),
            "identifier" => plain(Kind::Identifier),
            "date" => plain(Kind::Date),
            "text" => plain(Kind::Text),
            "bounded" => match parameter.and_then(interval) {
                Some((lower, upper)) => Ok(Kind::Bounded { lower, upper }),
                None => Err(needs("bounded needs two bounds, the lower one first, for example bounded:0..1")),
            },
            "circular" => {
                match parameter.and_then(|text| interval(text).or_else(|| Some((0.0, finite(text)?)))) {
                    Some((start, end)) if end > start => Ok(Kind::Circular { start, period: end - start }),
                    _ => Err(needs(
                        "circular needs a period, for example circular:360, or where it starts and ends, for example \
                     circular:-180..180",
                    )),
                }
            }
            "rounded" => {
                let parts = parameter.map(|text| match text.split_once(':') {
                    Some((step, text)) => (finite(step), limits(text.trim())),
                    None => (finite(text), Some(Limits::None)),
                });
                match parts {
                    Some((Some(step), Some(limits))) if step > 0.0 => Ok(Kind::Rounded { step, limits }),
                    Some((Some(step), None)) if step > 0.0 => Err(needs(
                        "limits of rounded values are for example rounded:0.1:positive, rounded:0.1:0.. or \
                         rounded:0.1:0..10",
                    )),
                    _ => Err(needs("rounded needs a positive step, for example rounded:0.1")),
                }
            }
            _ => Err(KindError::Unknown { given: text.to_string(), nearest: nearest(name, NAMES) }),
        }
    }
}
