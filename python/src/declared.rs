//! Domains and structures as they are written in Python.

use pushforward::bijection::Domain;
use pushforward::jacobian::{Order, Structure};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

const DOMAINS: [(&str, Domain); 5] = [
    ("reals", Domain::Reals),
    ("positive", Domain::Positive),
    ("circle", Domain::Circle),
    ("ordered", Domain::Ordered),
    ("simplex", Domain::Simplex),
];

/// Reads a domain: a name, a pair of ends, or a list with one for each variable.
pub fn domain(given: &Bound<'_, PyAny>) -> PyResult<Domain> {
    if given.is_none() {
        return Ok(Domain::Reals);
    }
    if let Ok(name) = given.extract::<String>() {
        let found = DOMAINS.iter().find(|(own, _)| *own == name);
        return found.map(|(_, domain)| domain.clone()).ok_or_else(|| {
            let names: Vec<&str> = DOMAINS.iter().map(|(name, _)| *name).collect();
            PyValueError::new_err(format!(
                "there is no domain `{name}`; it is one of {}, a pair (lower, upper), or a list with one for each variable",
                names.join(", ")
            ))
        });
    }
    if let Ok(each) = given.cast::<PyList>() {
        let each: Vec<Domain> = each.iter().map(|one| domain(&one)).collect::<PyResult<_>>()?;
        return Ok(Domain::each(each));
    }
    let pair =
        given.cast::<PyTuple>().ok().and_then(|pair| pair.extract::<(Option<f64>, Option<f64>)>().ok());
    let Some((lower, upper)) = pair else {
        return Err(PyTypeError::new_err(
            "a domain is a name, a pair (lower, upper) with None for no end, or a list with one for each variable",
        ));
    };
    let (lower, upper) = (lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY));
    if lower.is_nan() || upper.is_nan() || lower >= upper {
        return Err(PyValueError::new_err(format!("the interval ({lower}, {upper}) is empty")));
    }
    Ok(Domain::Interval { lower, upper })
}

/// Reads a structure: a name, or a pair of a name and a rank, an order, or an order with sizes of blocks.
pub fn structure(given: &Bound<'_, PyAny>) -> PyResult<Structure> {
    let name = given.extract::<String>();
    let with_rank = given.extract::<(String, usize)>();
    let in_order = given.extract::<(String, Vec<usize>)>();
    Ok(match (name.as_deref(), with_rank, in_order) {
        (Ok("dense"), ..) => Structure::Dense,
        (Ok("diagonal"), ..) => Structure::Diagonal,
        (Ok("lower_triangular"), ..) => Structure::LowerTriangular,
        (Ok("upper_triangular"), ..) => Structure::UpperTriangular,
        (_, Ok((name, rank)), _) if name == "low_rank" => Structure::LowRank { rank },
        (_, _, Ok((name, order))) if name == "triangular" => {
            Structure::Triangular { order: Order::of(order) }
        }
        _ => {
            return Err(PyValueError::new_err(format!(
                "there is no structure {}; it is `dense`, `diagonal`, `lower_triangular`, `upper_triangular`, \
                 (`triangular`, [the order of the variables]) or (`low_rank`, rank); without one the strongest is found",
                given.repr()?
            )));
        }
    })
}
