//! A state dict as a flow, and parameters as a state dict.

use std::collections::BTreeSet;

use super::error::ZukoError;
use super::names::{Link, links};
use super::settings::Settings;
use super::state_dict::StateDict;
use super::transform::{Kind, Transform};
use crate::base::StandardNormal;
use crate::flow::{FittedFlow, Flow};
use crate::tape::Parameters;

/// Reads a state dict of a flow of zuko, saved as safetensors, as a flow with the same density.
///
/// # Errors
/// [`ZukoError`]: what has no counterpart here is refused by its name in the state dict.
pub fn flow(bytes: &[u8], settings: Settings) -> Result<FittedFlow, ZukoError> {
    settings.check()?;
    let dict = StateDict::read(bytes)?;
    let transforms = transforms(&dict)?;
    let layers: Result<Vec<_>, ZukoError> =
        transforms.iter().rev().map(|transform| transform.layer(&settings)).collect();
    let flow = Flow::new(StandardNormal::new(dict.get(LOC)?.values.len()), layers?)?;
    let mut parameters = Parameters::default();
    for link in all_links(&dict, &transforms)? {
        let values = &dict.get(&link.tensor)?.values;
        let own: Vec<f64> = link.places.iter().map(|place| values[*place]).collect();
        let (name, problem) = (link.tensor, |error: String| format!("cannot be a parameter: {error}"));
        if let Some(value) = own.iter().find(|value| !value.is_finite()) {
            return Err(ZukoError::Tensor { name, problem: format!("holds {value}") });
        }
        parameters
            .set(&link.name, link.shape, own)
            .map_err(|error| ZukoError::Tensor { name, problem: problem(error.to_string()) })?;
    }
    Ok(flow.with(parameters)?)
}

/// Writes the parameters of a flow that [`flow`] read from `like`, as they are or trained further, as a state dict: all
/// other tensors, the order of elements and the types of numbers are those of `like`, so that doubles are rounded where it has singles.
///
/// # Errors
/// [`ZukoError`]: for `like` as [`flow`], and [`ZukoError::Parameters`] or [`ZukoError::Tensor`] for parameters of another flow.
pub fn state_dict(parameters: &Parameters, like: &[u8]) -> Result<Vec<u8>, ZukoError> {
    let mut dict = StateDict::read(like)?;
    let links = all_links(&dict, &transforms(&dict)?)?;
    let known: BTreeSet<&str> = links.iter().map(|link| link.name.as_str()).collect();
    if let Some((name, _)) = parameters.iter().find(|(name, _)| !known.contains(name)) {
        let problem =
            format!("the state dict has no tensor for the parameter `{name}`: it is of another flow");
        return Err(ZukoError::Parameters(problem));
    }
    for link in &links {
        let given = parameters.get(&link.name).filter(|given| given.shape == link.shape);
        let Some(given) = given else {
            let problem =
                format!("needs the parameter `{}` of shape {}, which is not there", link.name, link.shape);
            return Err(ZukoError::Tensor { name: link.tensor.clone(), problem });
        };
        let entry = dict.entries.get_mut(&link.tensor).expect("links are of tensors that are there");
        link.places.iter().zip(&given.values).for_each(|(place, value)| entry.values[*place] = *value);
    }
    Ok(dict.to_bytes())
}

/// The parameters of the base, which do not learn.
const LOC: &str = "base.loc";
const SCALE: &str = "base.scale";

/// The transforms of a state dict, of whose tensors none is left over.
fn transforms(dict: &StateDict) -> Result<Vec<Transform>, ZukoError> {
    let d = base(dict)?;
    let number = |name: &String| name.strip_prefix("transform.transforms.")?.split('.').next()?.parse().ok();
    let numbers: BTreeSet<usize> = dict.entries.keys().filter_map(number).collect();
    if numbers.is_empty() || numbers.iter().enumerate().any(|(k, number)| k != *number) {
        let problem = "it has no `transform.transforms.0`, `….1`, …, as flows of several transforms have";
        return Err(ZukoError::File(problem.to_string()));
    }
    let found: Result<Vec<_>, _> = numbers.iter().map(|number| Transform::read(dict, *number, d)).collect();
    let found = found?;
    let contexts: BTreeSet<usize> = found.iter().map(|transform| transform.context).collect();
    if contexts.len() > 1 {
        return Err(ZukoError::File(format!("its transforms have contexts of {contexts:?} numbers")));
    }
    Ok(found)
}

/// The number of variables of the base, which is to be the standard normal.
fn base(dict: &StateDict) -> Result<usize, ZukoError> {
    let d = dict.with_axes(LOC, 1)?.values.len();
    for (name, meant) in [(LOC, 0.0), (SCALE, 1.0)] {
        let entry = dict.with_axes(name, 1)?;
        if entry.values.len() != d || entry.values.iter().any(|value| *value != meant) {
            let problem = format!(
                "is not {meant} for each of {d} variables: another base than a standard normal is not read"
            );
            return Err(ZukoError::Tensor { name: name.to_string(), problem });
        }
    }
    Ok(d)
}

/// The links of all transforms, which are to lead to every tensor.
fn all_links(dict: &StateDict, transforms: &[Transform]) -> Result<Vec<Link>, ZukoError> {
    let mut all = Vec::new();
    let mut known: BTreeSet<String> = [LOC, SCALE].map(str::to_string).into();
    for (k, transform) in transforms.iter().enumerate() {
        let mut widths = Vec::new();
        for at in &transform.linear {
            let name = |kind: &str| format!("transform.transforms.{k}.hyper.{at}.{kind}");
            let weight = &dict.with_axes(&name("weight"), 2)?.extents;
            let bias = dict.with_axes(&name("bias"), 1)?;
            if bias.extents[0] != weight[0] {
                let problem = format!("has {} elements for {} outputs", bias.extents[0], weight[0]);
                return Err(ZukoError::Tensor { name: name("bias"), problem });
            }
            widths.push((weight[0], weight[1]));
            if matches!(transform.kind, Kind::Autoregressive(_)) {
                known.insert(name("mask"));
            }
        }
        known.insert(match transform.kind {
            Kind::Coupling(_) => format!("transform.transforms.{k}.mask"),
            Kind::Autoregressive(_) => format!("transform.transforms.{k}.order"),
        });
        all.extend(links(transform, k, transforms.len() - 1 - k, &widths));
    }
    known.extend(all.iter().map(|link| link.tensor.clone()));
    match dict.entries.keys().find(|name| !known.contains(*name)) {
        Some(name) => {
            let problem = "is of nothing that is read".to_string();
            Err(ZukoError::Tensor { name: name.clone(), problem })
        }
        None => Ok(all),
    }
}
