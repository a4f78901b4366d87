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
                     integer, category, constant, identifier, date, text";

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
            Kind::Rounded { step: 1.0 } => "integer",
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

    /// What a value must satisfy, if it does not.
    pub(super) fn refuses(&self, value: f64) -> Option<&'static str> {
        match self {
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
            Kind::Rounded { step } if *step != 1.0 => write!(f, "rounded:{}", shown(*step)),
            _ => f.write_str(self.name()),
        }
    }
}

impl FromStr for Kind {
    type Err = KindError;

    /// Reads a kind: `positive`, `bounded:0..1`, `circular:360`, `circular:-180..180`, `rounded:0.1`,
    /// `category`.
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
        let plain = |kind: Kind| match parameter {
            None => Ok(kind),
            Some(_) => Err(needs("this kind has no parameter: leave out what follows the colon")),
        };
        match name {
            "real" => plain(Kind::Real),
            "positive" => plain(Kind::Positive),
            "integer" => plain(Kind::Rounded { step: 1.0 }),
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
            "rounded" => match parameter.and_then(finite) {
                Some(step) if step > 0.0 => Ok(Kind::Rounded { step }),
                _ => Err(needs("rounded needs a positive step, for example rounded:0.1")),
            },
            _ => Err(KindError::Unknown { given: text.to_string(), nearest: nearest(name, NAMES) }),
        }
    }
}
