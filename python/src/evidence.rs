//! Audits and derivations, without the GIL.

use pushforward::audit::{AuditOptions, Report, audit_with};
use pushforward::bijection::{Bijection, BijectionError};
use pushforward::checker;
use pushforward::derivation::{Derivation, derive};
use pyo3::prelude::*;

use crate::model::Model;
use crate::refusal::refused;

/// What the Python class `Report` is made of: the report as text and as JSON, its certificates.
#[derive(IntoPyObject)]
pub struct Audited {
    pub text: String,
    pub json: String,
    pub certificates: String,
    pub has_no_refutation: bool,
}

impl From<&Report> for Audited {
    fn from(report: &Report) -> Audited {
        Audited {
            text: report.to_string(),
            json: report.to_json(),
            certificates: report.certificates(),
            has_no_refutation: report.has_no_refutation(),
        }
    }
}

/// What the Python class `Derivation` is made of.
#[derive(IntoPyObject)]
pub struct Derived {
    pub text: String,
    pub latex: String,
    pub html: String,
    /// Without a style sheet, for a notebook.
    pub sections: String,
    pub title: String,
}

impl From<&Derivation> for Derived {
    fn from(derivation: &Derivation) -> Derived {
        Derived {
            text: derivation.to_string(),
            latex: derivation.latex(),
            html: derivation.html(),
            sections: derivation.html_sections(4),
            title: derivation.html_title(),
        }
    }
}

/// Audits a bijection.
pub fn audited(py: Python<'_>, bijection: &dyn Bijection, options: &AuditOptions) -> PyResult<Audited> {
    let report: Result<Report, BijectionError> = py.detach(|| audit_with(bijection, options));
    Ok(Audited::from(&report.map_err(refused)?))
}

/// Derives everything that follows from `forward`.
pub fn derived(py: Python<'_>, bijection: &dyn Bijection) -> PyResult<Derived> {
    Ok(Derived::from(&py.detach(|| derive(bijection)).map_err(refused)?))
}

/// The audit of each flow of a fitted density.
#[pyfunction]
pub fn audits(py: Python<'_>, model: &Model) -> PyResult<Vec<Audited>> {
    Ok(py.detach(|| model.audits())?.iter().map(Audited::from).collect())
}

/// The derivation of each flow of a fitted density.
#[pyfunction]
pub fn derivations(py: Python<'_>, model: &Model) -> PyResult<Vec<Derived>> {
    Ok(py.detach(|| model.derivations())?.iter().map(Derived::from).collect())
}

/// Lets the checker read certificates; returns the claims that it accepts, all of them.
#[pyfunction]
pub fn verify(py: Python<'_>, certificates: &str) -> PyResult<Vec<String>> {
    let claims = py.detach(|| checker::verify(certificates)).map_err(refused)?;
    Ok(claims.iter().map(ToString::to_string).collect())
}
