//! Parameters at which a map is no bijection: a raw scale of 0, a matrix of zeros.
//!
//! A claim that cannot be proven for all parameters often fails at 0. Each parameter is set to 0 alone, and the determinant looked at.
//! What is found is told with the claim that stays open; it refutes nothing of the parameters that the audit has.

use super::subject::Subject;
use crate::program::{Output, Program};

/// Maximum number of parameters that are tried.
const MOST: usize = 64;
/// Number of points.
const POINTS: usize = 8;

/// Says where det J is 0, or f is not defined, at every point; `None` where no parameter is found.
pub(super) fn told(subject: &Subject) -> Option<String> {
    let log_det = subject.log_det().ok()?;
    let names: Vec<String> = subject.parameters.iter().map(|(name, _)| name.to_string()).collect();
    if names.len() > MOST {
        return None;
    }
    let count = subject.count().min(POINTS);
    let points = &subject.points[..count * subject.d];
    let outputs = [subject.x, log_det].map(Output::Each);
    let mut program = Program::<f64>::compile(&subject.tape, &[subject.z], &outputs);
    let (mut singular, mut undefined) = (Vec::new(), Vec::new());
    for name in names {
        let mut parameters = subject.parameters.clone();
        let (_, tensor) = parameters.iter_mut().find(|(other, _)| *other == name)?;
        tensor.values.fill(0.0);
        program.load(&parameters).ok()?;
        let values = program.run(&[points], count).ok()?;
        // ln|det J| may be a number where x is none, simplified as it is.
        if values[0].chunks(subject.d).all(|x| x.iter().any(|value| value.is_nan())) {
            undefined.push(format!("{name} = 0"));
        } else if values[1].iter().all(|value| *value == f64::NEG_INFINITY) {
            singular.push(format!("{name} = 0"));
        }
    }
    let said = |what: &str, places: Vec<String>| {
        (!places.is_empty()).then(|| format!("{what} where {}", places.join(", or ")))
    };
    let said: Vec<String> =
        [said("det J is 0", singular), said("f is not defined", undefined)].into_iter().flatten().collect();
    (!said.is_empty()).then(|| format!("Not for all parameters: {}.", said.join("; ")))
}
