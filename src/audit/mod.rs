//! The audit: every claim about a bijection, with evidence.
//!
//! What gradcheck is for derivatives, the audit is for bijections: dimension, structure, derivatives,
//! log-determinant, inverse, injectivity, the chain rule of a composition, total mass. No result that
//! was computed for one claim is reused in a check of it: log-determinants from slices are compared with an LU
//! of the full Jacobian, tangents with central differences, hand-written formulas with derived ones.

mod certificate;
mod chain;
mod codomain;
mod degenerate;
mod evidence;
mod exact_flow;
mod finite;
mod generic;
mod injective;
mod inverse;
mod log_det;
mod mass;
mod points;
mod polar;
mod proofs;
mod report;
mod shape;
mod stage;
mod structure;
mod subject;
mod turned;
mod witness;

pub use evidence::Evidence;
pub use inverse::proven_identity;
pub use report::{Claim, Report, Topic};

use subject::Subject;

use crate::bijection::{Bijection, BijectionError};
use crate::tape::Parameters;

/// AuditOptions of an audit.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditOptions {
    /// Seed of the points and the parameters.
    pub seed: u64,
    /// Number of points.
    pub points: usize,
    /// The values of the parameters; `None` for initial values with noise added, so that a layer initialised
    /// to the identity is not audited as the identity.
    pub parameters: Option<Parameters>,
    /// Only decide what can be proven or refuted: skip the comparisons of derivatives, determinants and
    /// digits at points, and the quadrature.
    pub decide_only: bool,
    /// Up to which error, relative to the larger of 1 and itself, a hand-written log-determinant counts as equal: 1e-9, or more
    /// where its constants were rounded to 32 bits.
    pub log_det_tolerance: f64,
}

impl Default for AuditOptions {
    fn default() -> AuditOptions {
        AuditOptions { seed: 0, points: 64, parameters: None, decide_only: false, log_det_tolerance: 1e-9 }
    }
}

/// Audits a bijection with the default settings.
///
/// # Errors
/// When the bijection cannot be recorded: recording errors in `forward`, a wrong dimension, an impure
/// recording. Faults of a valid recording are refuted claims of the report, not errors.
pub fn audit(bijection: &(impl Bijection + ?Sized)) -> Result<Report, BijectionError> {
    of(&bijection, &AuditOptions::default())
}

/// Audits a bijection.
///
/// # Errors
/// As [`audit`].
pub fn audit_with(
    bijection: &(impl Bijection + ?Sized),
    settings: &AuditOptions,
) -> Result<Report, BijectionError> {
    of(&bijection, settings)
}

/// The claim of an audit on whether a bijection is one-to-one, alone: what a derivation needs of it, in a part of the time.
///
/// `None` where the map is not defined, so that an audit does not decide it either.
///
/// # Errors
/// As [`audit`].
pub fn audit_one_to_one(bijection: &dyn Bijection) -> Result<Option<Claim>, BijectionError> {
    let mut subject = Subject::new(&bijection, &AuditOptions::default())?;
    let finite = finite::claim(&mut subject);
    subject.keep_finite_points();
    if matches!(finite.evidence, Evidence::Refuted { .. }) || subject.count() == 0 {
        return Ok(None);
    }
    Ok(Some(injective::claim(&mut subject).0))
}

/// Not generic, so that it is compiled once instead of for every layer type.
fn of(bijection: &dyn Bijection, settings: &AuditOptions) -> Result<Report, BijectionError> {
    let mut subject = Subject::new(&bijection, settings)?;
    let mut report = Report::new(&subject.name, subject.d, settings.seed);
    report.extend(shape::claims(&subject));
    let (claims, advice) = structure::claims(&mut subject);
    report.extend(claims);
    report.advice = advice;
    let finite = finite::claim(&mut subject);
    let undefined = matches!(finite.evidence, Evidence::Refuted { .. });
    report.push(finite);
    subject.keep_finite_points();
    if undefined || subject.count() == 0 {
        return Ok(report);
    }
    report.extend(log_det::claims(&mut subject, settings.decide_only));
    if !settings.decide_only {
        report.extend(chain::claims(&mut subject));
    }
    report.extend(exact_flow::claims(&subject));
    report.extend(turned::claims(&subject));
    let (injective, onto) = injective::claim(&mut subject);
    let collides = matches!(injective.evidence, Evidence::Refuted { .. });
    report.extend(inverse::claims(bijection, &mut subject, settings.decide_only));
    report.push(injective);
    let mut elsewhere = false;
    if !onto {
        let claims = codomain::claims(&mut subject);
        elsewhere = claims.iter().any(|claim| matches!(claim.evidence, Evidence::Refuted { .. }));
        report.extend(claims);
    }
    if !settings.decide_only {
        report.extend(mass::claim(&mut subject, collides, elsewhere));
    }
    Ok(report)
}
