//! The columns of a model in a module: given columns as the flows take them, angles in the period that begins at their cut.

use std::fmt::Write;

use super::expression::Expression;
use crate::model::{Encoding, GivenColumn, Model};

/// What stands between the rows of a table and the flows of a model.
pub(super) struct Columns {
    /// The functions of it, as text.
    pub functions: String,
    /// The statements with which a function of `x` and `context` begins.
    pub of_rows: String,
    /// Those with which a function of `context` alone begins.
    pub of_context: String,
}

impl Columns {
    /// `None` for a model whose flows take rows as they are, given nothing.
    pub fn of(model: &Model) -> Option<Columns> {
        let wrapped = wrapped(model);
        let encoded = encoded(model.given());
        if wrapped.is_none() && encoded.is_none() {
            return None;
        }
        let line = |is_there: bool, text: &str| if is_there { text.to_string() } else { String::new() };
        let of_context = line(encoded.is_some(), "    context = encoded(context)\n");
        let of_rows = line(wrapped.is_some(), "    x = wrapped(x)\n") + &of_context;
        Some(Columns {
            functions: encoded.unwrap_or_default() + &wrapped.unwrap_or_default(),
            of_rows,
            of_context,
        })
    }
}

/// The function that encodes a context.
fn encoded(given: &[GivenColumn]) -> Option<String> {
    if given.is_empty() {
        return None;
    }
    let mut text = "\n\ndef encoded(context):\n    \"\"\"The values of the given columns as the flows take them; NaN for one \
                    that no row can have.\"\"\"\n    return jnp.concatenate([\n"
        .to_string();
    for (k, column) in given.iter().enumerate() {
        let value = format!("context[{k}:{}]", k + 1);
        let number = |value: f64| Expression::number(value).text;
        let part = match &column.encoding {
            Encoding::Standardised { mean, deviation } => {
                format!("({value} - {}) / {}", bracketed(*mean), number(*deviation))
            }
            Encoding::Logarithm { mean, deviation } => {
                format!("(_ln({value}) - {}) / {}", bracketed(*mean), number(*deviation))
            }
            Encoding::Circle { start, period } => {
                format!("_on_circle(({value} - {}) / {})", bracketed(*start), number(*period))
            }
            Encoding::OneHot { levels } => format!("_one_hot({value}, {})", levels.len()),
        };
        let _ = writeln!(text, "        {part},  # {}", commented(&column.name));
    }
    text += "    ])\n";
    Some(text)
}

/// The function that brings angles into the periods that flows have, if a column has angles.
fn wrapped(model: &Model) -> Option<String> {
    let periods: Vec<Option<(f64, f64)>> = model.columns().iter().map(|column| column.circle()).collect();
    if periods.iter().all(Option::is_none) {
        return None;
    }
    let mut text = "\n\ndef wrapped(x):\n    \"\"\"A row with angles in the periods that begin where the flows cut them.\"\"\"\n    \
                    return jnp.stack([\n"
        .to_string();
    for (i, circle) in periods.iter().enumerate() {
        let _ = match circle {
            Some((cut, period)) => {
                let cut = bracketed(*cut);
                writeln!(text, "        {cut} + (x[{i}] - {cut}) % {},", Expression::number(*period).text)
            }
            None => writeln!(text, "        x[{i}],"),
        };
    }
    text += "    ])\n";
    Some(text)
}

/// A number that may stand after a minus.
fn bracketed(value: f64) -> String {
    if value.is_sign_negative() { format!("({value:?})") } else { format!("{value:?}") }
}

/// A name on a line of its own.
fn commented(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
