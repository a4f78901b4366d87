//! Bottlenecks: few elements of f that, held fixed, leave it diagonal, or through which all of z goes.
//!
//! The certificate names the elements by node and place. Written out, each is a scalar; what depends on the inputs only
//! through these scalars does not depend on the inputs while they are held fixed. Equal elements are one scalar, so that no
//! more than the named functions of z are held fixed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::map::{Labels, Map, NONE, forward};
use super::rejection::{Checked, Rejection, reject};
use super::scalar::{Function, Id, Scalar};
use super::text::Certificate;

/// Checks that with at most `rank` elements held fixed, each output depends at most on the input of its label: J is then a
/// diagonal matrix, in this order, and one of that rank.
pub(super) fn structure(certificate: &Certificate, rank: &str) -> Checked<()> {
    let labels = Labels::read(certificate, certificate.domain.len())?;
    labels.pairs()?;
    let mut map = forward(certificate)?;
    let fixed = named(certificate, &mut map)?;
    let most: usize = rank.parse().map_err(|_| Rejection::new("the rank is not a number"))?;
    if fixed.len() > most {
        return reject(format!("{} elements are held fixed, and the rank is {most}", fixed.len()));
    }
    // For each scalar, the label of the inputs it depends on, or too many of them.
    const SEVERAL: u32 = NONE - 1;
    let mut label: FxHashMap<Id, u32> = FxHashMap::default();
    for id in map.scalars.order(&map.outputs, |id| fixed.contains(&id)) {
        let own = match map.scalars.get(id) {
            Scalar::Input(i) => labels.inputs.get(*i).copied().unwrap_or(SEVERAL),
            scalar => scalar.operands().iter().fold(NONE, |known, operand| {
                match (known, label.get(operand).copied().unwrap_or(NONE)) {
                    (NONE, other) | (other, NONE) => other,
                    (a, b) if a == b => a,
                    _ => SEVERAL,
                }
            }),
        };
        label.insert(id, own);
    }
    for (o, (id, own)) in map.outputs.iter().zip(&labels.outputs).enumerate() {
        let found = label.get(id).copied().unwrap_or(NONE);
        if found != NONE && found != *own {
            return reject(format!(
                "output {o} depends on an input other than its own while the named elements are held fixed"
            ));
        }
    }
    Ok(())
}

/// Checks that the outputs depend on the inputs only through the named elements, which are fewer than the variables: J is a
/// product of two matrices with fewer columns and rows than variables, so that det J is 0 everywhere.
pub(super) fn waist(certificate: &Certificate) -> Checked<()> {
    let mut map = forward(certificate)?;
    let waist = named(certificate, &mut map)?;
    if waist.len() >= map.outputs.len() {
        return reject(format!("{} elements, and {} variables", waist.len(), map.outputs.len()));
    }
    let (mut stack, mut seen) = (map.outputs.clone(), FxHashSet::default());
    while let Some(id) = stack.pop() {
        if waist.contains(&id) || !seen.insert(id) {
            continue;
        }
        match map.scalars.get(id) {
            Scalar::Input(_) => return reject("an output depends on an input beside the named elements"),
            // Conditions and functions that jump do not contribute to a derivative.
            Scalar::Apply(Function::Sign | Function::Less | Function::LessEq, _) => {}
            Scalar::Apply(Function::Select, operands) => stack.extend(&operands[1..]),
            scalar => stack.extend_from_slice(&scalar.operands()),
        }
    }
    Ok(())
}

/// The scalars of the elements that the certificate names, each as a node and a place in it.
fn named(certificate: &Certificate, map: &mut Map) -> Checked<FxHashSet<Id>> {
    let program = certificate.program("forward")?.clone();
    let elements = map.scalars.elements(&program, std::slice::from_ref(&map.inputs))?;
    let numbers = certificate.point("elements")?;
    let index = |number: &f64| {
        let index = *number as usize;
        (index as f64 == *number).then_some(index)
    };
    let mut found = FxHashSet::default();
    for pair in numbers.chunks(2) {
        let [node, place] = pair else { return reject("an element is a node and a place in it") };
        let element = index(node).zip(index(place)).and_then(|(node, place)| elements.get(node)?.get(place));
        match element {
            Some(id) => found.insert(*id),
            None => return reject("there is no such element"),
        };
    }
    Ok(found)
}
