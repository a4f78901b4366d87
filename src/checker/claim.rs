//! The claims, and the arguments by which they are accepted.
//!
//! f is the program `forward` of the input z, which lies in the domain: a product of intervals, one for each
//! variable. Claims are about all z of the domain and all real parameters, except for refutations, which are
//! about one point.

use std::collections::HashMap;

use dashu_ratio::RBig;

use super::Rejection;
use super::interval::Interval;
use super::limit::{From, Limit, limit};
use super::map::{Labels, Map, NONE, jumps};
use super::normal::Forms;
use super::range::Ranges;
use super::scalar::{Function, Id, Scalar, Scalars};
use super::slope::slope;
use super::text::{Certificate, Side};

pub(super) type Checked<T> = Result<T, Rejection>;
/// Input, output, and the sign of the slope, by place in the order.
pub(super) type Signs = Vec<(usize, usize, i32)>;

pub(super) fn reject<T>(message: impl Into<String>) -> Checked<T> {
    Err(Rejection::new(message))
}

pub(super) fn interval(side: &Side) -> Interval {
    Interval::new(side.low, side.high)
}

pub(super) fn check(certificate: &Certificate) -> Checked<()> {
    let words: Vec<&str> = certificate.claim.iter().map(String::as_str).collect();
    // Not every argument looks at each set of the codomain, but a chain uses the codomain as the domain of
    // the next layer.
    if words.first() == Some(&"bijection") && certificate.codomain.len() != certificate.domain.len() {
        return reject("not as many sets for outputs as for inputs");
    }
    match words.as_slice() {
        ["structure", kind] => structure(certificate, kind).map(|_| ()),
        ["determinant", "linear", sign] => linear(certificate, sign),
        ["determinant", sign] => determinant(certificate, sign),
        ["one-to-one"] => slopes(certificate, true).map(|_| ()),
        ["one-to-one", "pieces"] => super::pieces::check(certificate).map(|_| ()),
        ["determinant", "turned", sign] => determinant_turned(certificate, sign),
        ["determinant", "pieces", sign] => super::pieces::determinant(certificate, sign),
        ["bijection", "monotone"] => bijection_by_limits(certificate),
        ["bijection", "pieces"] => super::pieces::onto(certificate),
        ["bijection", "inverse"] => bijection_by_inverse(certificate),
        ["bijection", "linear", sign] => linear(certificate, sign),
        ["bijection", "turned"] => turned(certificate),
        ["bijection", "chain"] => chain(certificate, true),
        ["one-to-one", "chain"] => chain(certificate, false),
        ["range"] => forward(certificate)?.lands_in(&certificate.codomain),
        ["identity"] => identity(certificate, true),
        ["identity", "partial"] => identity(certificate, false),
        ["equal"] => equal(certificate),
        ["singular"] => singular(certificate),
        ["refuted", rest @ ..] => super::refute::check(certificate, rest),
        _ => reject(format!("no such claim: {}", certificate.claim.join(" "))),
    }
}

/// Returns f over its domain, with as many outputs as inputs.
pub(super) fn forward(certificate: &Certificate) -> Checked<Map> {
    let map = Map::new(certificate.program("forward")?, &certificate.domain)?;
    match map.outputs.len() == map.inputs.len() {
        true => Ok(map),
        false => reject(format!("{} inputs, but {} outputs", map.inputs.len(), map.outputs.len())),
    }
}

/// Checks that no output depends on an input of a larger label, and for a diagonal structure, nor on one of a
/// smaller label.
pub(super) fn structure(certificate: &Certificate, kind: &str) -> Checked<(Map, Labels)> {
    // Checked first: without an order, the program need not be written out.
    let labels = Labels::read(certificate, certificate.domain.len())?;
    let map = forward(certificate)?;
    let last = map.inputs.len().saturating_sub(1) as u32;
    let flipped = |labels: &[u32]| labels.iter().map(|label| last - label).collect::<Vec<u32>>();
    let mut ways = vec![(labels.inputs.clone(), labels.outputs.clone())];
    match kind {
        "lower" => {}
        "diagonal" => ways.push((flipped(&labels.inputs), flipped(&labels.outputs))),
        _ => return reject(format!("no such structure: {kind}")),
    }
    for (inputs, outputs) in ways {
        let highest = map.highest(&inputs);
        for (o, (id, own)) in map.outputs.iter().zip(&outputs).enumerate() {
            if highest[id] != NONE && highest[id] > *own {
                return reject(format!("output {o} depends on an input that it must not depend on"));
            }
        }
    }
    Ok((map, labels))
}

/// Checks that the slope of each output in its own variable has one sign. With `strictly`, also that the
/// output is continuous and so strictly monotone: it is defined, nothing in it jumps, and its derivative
/// exists except at kinks (of |·|, min, max), which are isolated. Then f is one-to-one: z₀ follows from x₀, z₁
/// from x₁ and z₀, and so on.
///
/// The sign comes from the range of the slope, or of a formula in `slopes` that is equal to the slope, or
/// from the terms of the slope's normal form if all of them have that sign.
fn slopes(certificate: &Certificate, strictly: bool) -> Checked<(Map, Signs)> {
    let (mut map, labels) = structure(certificate, "lower")?;
    let pairs = labels.pairs()?;
    let highest = map.highest(&labels.inputs);
    let hints = match certificate.programs.get("slopes") {
        Some(program) => map.scalars.results(program, &[map.inputs.clone()])?,
        None => Vec::new(),
    };
    let mut signs = Vec::new();
    for (place, (i, o)) in pairs.into_iter().enumerate() {
        let (input, output) = (map.inputs[i], map.outputs[o]);
        let earlier =
            |id: Id| highest.get(&id).is_some_and(|label| *label == NONE || (*label as usize) < place);
        let moves = |id: Id| !earlier(id);
        if !map.ranges.of(&map.scalars, output).defined {
            return reject(format!("output {o} cannot be shown to be defined everywhere"));
        }
        if strictly && jumps(&map.scalars, &mut map.ranges, output, moves) {
            return reject(format!("output {o} may jump as input {i} moves"));
        }
        let found = slope(&mut map.scalars, output, input, earlier)?;
        let Some(found) = found else { return reject(format!("output {o} does not depend on input {i}")) };
        let sign = sign(&mut map, found, hints.get(place).copied())?;
        signs.push((i, o, sign));
    }
    Ok((map, signs))
}

/// Returns the sign of a scalar, if it is the same everywhere.
pub(super) fn sign(map: &mut Map, id: Id, hint: Option<Id>) -> Checked<i32> {
    let range = map.ranges.of(&map.scalars, id);
    if !range.defined {
        return reject("a slope cannot be shown to be defined everywhere");
    }
    let of = |interval: &Interval| i32::from(interval.is_positive()) - i32::from(interval.is_negative());
    if range.interval.excludes_zero() {
        return Ok(of(&range.interval));
    }
    let mut forms = Forms::new(map.ranges.clone(), Vec::new());
    if let Some(hint) = hint {
        let other = map.ranges.of(&map.scalars, hint);
        if other.defined && other.interval.excludes_zero() && forms.equal(&mut map.scalars, id, hint)? {
            return Ok(of(&other.interval));
        }
    }
    let form = forms.of(&mut map.scalars, id)?;
    match forms.sign(&form) {
        Some(sign) if sign != 0 => Ok(sign),
        _ => reject("a slope cannot be shown to have one sign"),
    }
}

/// Returns the sign of the permutation that maps each input to the output of the same place.
fn parity(pairs: impl Iterator<Item = (usize, usize)>) -> i32 {
    let to: HashMap<usize, usize> = pairs.collect();
    let inversions = (0..to.len())
        .flat_map(|j| (0..j).map(move |i| (i, j)))
        .filter(|(i, j)| to.get(i) > to.get(j))
        .count();
    if inversions % 2 == 0 { 1 } else { -1 }
}

/// Checks the sign of det J: the product of the diagonal, whose factors each have one sign, times the sign of
/// the order.
fn determinant(certificate: &Certificate, expected: &str) -> Checked<()> {
    let (_, signs) = slopes(certificate, false)?;
    agrees(&signs, expected)
}

pub(super) fn agrees(signs: &[(usize, usize, i32)], expected: &str) -> Checked<()> {
    let product: i32 = signs.iter().map(|(_, _, sign)| *sign).product();
    let found = product * parity(signs.iter().map(|(i, o, _)| (*i, *o)));
    match (found, expected) {
        (1, "positive") | (-1, "negative") => Ok(()),
        _ => reject("the determinant has another sign"),
    }
}

/// Checks that f is strictly monotone in each variable and tends to the ends of the codomain at the ends of
/// the domain: by the intermediate value theorem every x of the codomain then has one z.
fn bijection_by_limits(certificate: &Certificate) -> Checked<()> {
    let (mut map, signs) = slopes(certificate, true)?;
    let labels = Labels::read(certificate, map.inputs.len())?;
    let highest = map.highest(&labels.inputs);
    for (i, o, sign) in signs {
        let place = labels.inputs[i];
        let earlier = |id: Id| highest.get(&id).is_some_and(|label| *label == NONE || *label < place);
        let ends = (&certificate.domain[i], certificate.codomain.get(o));
        let both = [map.outputs[o]; 2];
        reaches_ends(&map.scalars, &mut map.ranges, both, map.inputs[i], ends, sign, earlier)?;
    }
    Ok(())
}

/// Checks that a strictly monotone output tends to the two ends of its codomain as its variable tends to
/// those of its domain. The output is the first of two formulas near the lower end, and the second near the
/// upper end.
pub(super) fn reaches_ends(
    scalars: &Scalars,
    ranges: &mut Ranges,
    [first, last]: [Id; 2],
    input: Id,
    (from, to): (&Side, Option<&Side>),
    sign: i32,
    independent: impl Fn(Id) -> bool,
) -> Checked<()> {
    let Some(to) = to else { return reject("not as many codomains as outputs") };
    if [from.low, from.high, to.low, to.high].iter().any(|(_, open)| !open) {
        return reject("an interval that holds an end of its own");
    }
    for (output, end, side) in [(first, from.low.0, From::Above), (last, from.high.0, From::Below)] {
        let start = match end.is_infinite() {
            true => {
                if end > 0.0 {
                    Limit::Up
                } else {
                    Limit::Down
                }
            }
            false => Limit::To(exact(end)?, side),
        };
        let rises = (sign > 0) == (side == From::Below);
        let wanted = if rises { to.high.0 } else { to.low.0 };
        let reached = match limit(scalars, ranges, output, input, start, &independent) {
            Limit::Up => wanted == f64::INFINITY,
            Limit::Down => wanted == f64::NEG_INFINITY,
            Limit::To(value, _) => wanted.is_finite() && value == exact(wanted)?,
            _ => false,
        };
        if !reached {
            return reject(format!(
                "an output cannot be shown to tend to {wanted} as its variable tends to {end}"
            ));
        }
    }
    Ok(())
}

fn exact(value: f64) -> Checked<RBig> {
    RBig::try_from(value).map_err(|_| Rejection::new(format!("{value} is not a finite number")))
}

/// Checks that g maps the codomain into the domain, f the domain into the codomain, and that g ∘ f and f ∘ g
/// are the identity.
fn bijection_by_inverse(certificate: &Certificate) -> Checked<()> {
    let (f, g) = (certificate.program("forward")?, certificate.program("inverse")?);
    for (first, second, from, to) in [
        (f, g, &certificate.domain, &certificate.codomain),
        (g, f, &certificate.codomain, &certificate.domain),
    ] {
        let mut map = Map::new(first, from)?;
        map.lands_in(to)?;
        let results = map.then(second)?;
        map.identity(&results)?;
    }
    Ok(())
}

/// Checks that f is the inverse of a bijection g, the only layer: g maps its domain one-to-one onto its
/// codomain, which is f's domain, and f(g(x)) = x.
fn turned(certificate: &Certificate) -> Checked<()> {
    let [layer] = certificate.layers.as_slice() else { return reject("an inverse needs exactly one layer") };
    if layer.claim.first().is_none_or(|word| word != "bijection") {
        return reject("the layer is not claimed to be a bijection");
    }
    if layer.domain != certificate.codomain || layer.codomain != certificate.domain {
        return reject("domain and codomain are not the codomain and domain of the layer");
    }
    check(layer)?;
    // f at every x = g(z), and these are all of its domain.
    let mut map = forward(layer)?;
    let results = map.then(certificate.program("forward")?)?;
    map.defined(&results).or_else(|_| {
        let mut direct = forward(certificate)?;
        let outputs = direct.outputs.clone();
        direct.defined(&outputs)
    })?;
    map.identity(&results)
}

/// Checks the sign of det J for an inverse: it equals the sign for the inverted layer.
fn determinant_turned(certificate: &Certificate, expected: &str) -> Checked<()> {
    turned(certificate)?;
    let mut layer = certificate.layers[0].clone();
    layer.claim = vec!["determinant".to_string(), expected.to_string()];
    check(&layer)
}

/// Checks a composition: it is one-to-one if all layers are one-to-one and each maps into the domain of the
/// next; it is a bijection if all layers are bijections and each codomain equals the next domain.
fn chain(certificate: &Certificate, onto: bool) -> Checked<()> {
    let layers = &certificate.layers;
    let (Some(first), Some(last)) = (layers.first(), layers.last()) else {
        return reject("there is no layer");
    };
    if first.domain != certificate.domain || (onto && last.codomain != certificate.codomain) {
        return reject("domain and codomain of the chain are not those of its first and last layer");
    }
    for (k, layer) in layers.iter().enumerate() {
        let word = layer.claim.first().map(String::as_str);
        if word != Some("bijection") && (onto || word != Some("one-to-one")) {
            return reject(format!("layer {k} is not claimed to be one-to-one"));
        }
        check(layer)?;
        let Some(next) = layers.get(k + 1) else { continue };
        let within = layer.codomain.len() == next.domain.len()
            && layer.codomain.iter().zip(&next.domain).all(|(a, b)| interval(a).is_within(&interval(b)));
        if !within || (onto && layer.codomain != next.domain) {
            return reject(format!("the codomain of layer {k} does not fit the domain of the next"));
        }
        // A bijection maps into its codomain; for other maps this is checked here.
        if word == Some("one-to-one") && layer.claim.get(1).map(String::as_str) != Some("chain") {
            forward(layer)?.lands_in(&layer.codomain)?;
        } else if word == Some("one-to-one") {
            return reject("a chain within a chain is to be given layer by layer");
        }
    }
    Ok(())
}

/// Checks that xᵢ = Σ aᵢⱼ zⱼ + bᵢ with numbers aᵢⱼ and a determinant that is not 0.
fn linear(certificate: &Certificate, expected: &str) -> Checked<()> {
    let mut map = forward(certificate)?;
    let whole = |side: &Side| side.low.0 == f64::NEG_INFINITY && side.high.0 == f64::INFINITY;
    if !certificate.domain.iter().chain(&certificate.codomain).all(whole) {
        return reject("a linear map is onto only from all numbers to all numbers");
    }
    let mut forms = Forms::new(map.ranges.clone(), Vec::new());
    let mut matrix = Vec::new();
    for output in map.outputs.clone() {
        if !map.ranges.of(&map.scalars, output).defined {
            return reject("an output cannot be shown to be defined everywhere");
        }
        match forms.linear(&mut map.scalars, output, &map.inputs)? {
            Some(row) => matrix.push(row),
            None => return reject("an output is not a sum of multiples of the inputs"),
        }
    }
    match (exact_determinant(matrix).partial_cmp(&RBig::ZERO), expected) {
        (Some(std::cmp::Ordering::Greater), "positive") | (Some(std::cmp::Ordering::Less), "negative") => {
            Ok(())
        }
        _ => reject("the determinant is 0 or has another sign"),
    }
}

/// Computes a determinant by elimination in exact fractions.
pub(super) fn exact_determinant(mut rows: Vec<Vec<RBig>>) -> RBig {
    let (n, mut determinant) = (rows.len(), RBig::ONE);
    for k in 0..n {
        let Some(pivot) = (k..n).find(|row| !rows[*row][k].is_zero()) else { return RBig::ZERO };
        if pivot != k {
            rows.swap(pivot, k);
            determinant = -determinant;
        }
        determinant *= rows[k][k].clone();
        let (above, below) = rows.split_at_mut(k + 1);
        let pivot = &above[k];
        for row in below {
            let factor = &row[k] / &pivot[k];
            for (entry, over) in row.iter_mut().zip(pivot).skip(k) {
                *entry -= &factor * over;
            }
        }
    }
    determinant
}

/// Checks f⁻¹(f(z)) = z: for every z, or wherever it is defined.
fn identity(certificate: &Certificate, everywhere: bool) -> Checked<()> {
    let mut map = forward(certificate)?;
    let results = map.then(certificate.program("inverse")?)?;
    match everywhere {
        true => map.defined(&results)?,
        false => map.chooses_among_the_defined(&results)?,
    }
    map.identity(&results)
}

/// Checks that two programs of one input, which lies in the codomain, are equal wherever both are defined.
fn equal(certificate: &Certificate) -> Checked<()> {
    let mut map = Map::new(certificate.program("inverse")?, &certificate.codomain)?;
    let others = map.scalars.results(certificate.program("given")?, &[map.inputs.clone()])?;
    let both: Vec<Id> = map.outputs.iter().chain(&others).copied().collect();
    map.chooses_among_the_defined(&both)?;
    let mut forms = Forms::new(map.ranges.clone(), Vec::new());
    if others.len() != map.outputs.len() {
        return reject("the two programs have results of different lengths");
    }
    for (a, b) in map.outputs.clone().into_iter().zip(others) {
        if !forms.equal(&mut map.scalars, a, b)? {
            return reject("the two have different normal forms");
        }
    }
    Ok(())
}

/// Checks that some outputs together depend on fewer inputs than there are of them: det J is 0 everywhere
/// (Hall).
fn singular(certificate: &Certificate) -> Checked<()> {
    let map = forward(certificate)?;
    let chosen: Vec<usize> = certificate.point("chosen")?.iter().map(|o| *o as usize).collect();
    let mut distinct = chosen.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let outputs: Option<Vec<Id>> = distinct.iter().map(|o| map.outputs.get(*o).copied()).collect();
    let Some(outputs) = outputs else { return reject("no such output") };
    // Conditions and functions that jump do not contribute to a derivative.
    let (mut stack, mut seen, mut inputs) = (outputs, std::collections::HashSet::new(), 0);
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        match map.scalars.get(id) {
            Scalar::Input(_) => inputs += 1,
            Scalar::Apply(Function::Sign | Function::Less | Function::LessEq, _) => {}
            Scalar::Apply(Function::Select, operands) => stack.extend(&operands[1..]),
            scalar => stack.extend(scalar.operands()),
        }
    }
    match inputs < distinct.len() {
        true => Ok(()),
        false => reject(format!("{} outputs depend on {inputs} inputs", distinct.len())),
    }
}
