//! The claims, and the arguments by which they are accepted.
//!
//! f is the program `forward` of the input z, which lies in the domain: a product of intervals, one for each
//! variable. Claims are about all z of the domain and all real parameters, except for refutations, which are
//! about one point.

use std::rc::Rc;

use dashu_ratio::RBig;

use super::determinant::exact_determinant;
use super::map::{Map, forward, interval};
use super::normal::Forms;
use super::rejection::{Checked, reject};
use super::scalar::{Function, Id, Scalar};
use super::stages::composed;
use super::text::{Certificate, Program, Side};
use super::triangular::{Asked, agrees, bijection_by_limits, slopes, structure};

/// The maps that were accepted as bijections, with the claim: its words, f, domain and codomain, and the constant that a
/// contraction is said to have. Whether it is true depends on nothing else of a certificate.
#[derive(Default)]
pub(super) struct Bijections(Vec<BijectionClaim>);

type BijectionClaim = (Vec<String>, Rc<Program>, [Vec<Side>; 2], Option<Vec<f64>>);

impl Bijections {
    /// The claim of a certificate that holds all that it needs itself.
    fn claim_of(certificate: &Certificate) -> Option<BijectionClaim> {
        let [
            "bijection",
            "inverse" | "monotone" | "linear" | "low-rank" | "proper" | "matrices" | "contraction" | "pieces",
            ..,
        ] = words(certificate).as_slice()
        else {
            return None;
        };
        let forward = certificate.program("forward").ok()?.clone();
        let sets = [certificate.domain.clone(), certificate.codomain.clone()];
        let constant = certificate.points.get("constant").cloned();
        Some((certificate.claim.clone(), forward, sets, constant))
    }
}

fn words(certificate: &Certificate) -> Vec<&str> {
    certificate.claim.iter().map(String::as_str).collect()
}

/// Checks a certificate; maps that were accepted as bijections before are not checked again.
pub(super) fn check(certificate: &Certificate, known: &mut Bijections) -> Checked<()> {
    let claim = Bijections::claim_of(certificate);
    if claim.as_ref().is_some_and(|claim| known.0.contains(claim)) {
        return Ok(());
    }
    check_anew(certificate, known)?;
    known.0.extend(claim);
    Ok(())
}

fn check_anew(certificate: &Certificate, known: &mut Bijections) -> Checked<()> {
    let words = words(certificate);
    // Not every argument looks at each set of the codomain, but a chain uses the codomain as the domain of
    // the next layer.
    if words.first() == Some(&"bijection") && certificate.codomain.len() != certificate.domain.len() {
        return reject("not as many sets for outputs as for inputs");
    }
    match words.as_slice() {
        ["structure", "low-rank", rank] => super::bottleneck::structure(certificate, rank),
        ["structure", kind] => structure(certificate, kind).map(|_| ()),
        ["determinant", "low-rank", sign] => super::bottleneck::determinant(certificate, sign),
        ["bijection", "low-rank"] => super::bottleneck::bijection(certificate),
        ["bijection", "proper"] => super::proper::bijection(certificate),
        ["determinant", "linear", sign] => linear(certificate, sign),
        ["determinant" | "bijection", "matrices", sign] => super::matrices::check(certificate, sign),
        ["determinant" | "bijection", "contraction", "positive"] => super::contraction::check(certificate),
        ["determinant", sign] => determinant(certificate, Asked::Nonzero, sign),
        ["determinant", "almost-everywhere", sign] => {
            determinant(certificate, Asked::NonzeroAlmostEverywhere, sign)
        }
        ["one-to-one"] => slopes(certificate, Asked::Monotone).map(|_| ()),
        ["one-to-one", "inverse"] => one_to_one_by_inverse(certificate),
        ["one-to-one", "onto", set] => super::coupled::onto(certificate, set),
        ["one-to-one", "polar"] => super::polar::check(certificate),
        ["determinant", "polar", sign] => super::polar::determinant(certificate, sign),
        ["one-to-one", "pieces"] => super::pieces::check(certificate).map(|_| ()),
        ["determinant", "turned", sign] => determinant_turned(certificate, sign, known),
        ["determinant", "pieces", sign] => super::pieces::determinant(certificate, Asked::Nonzero, sign),
        ["determinant", "pieces-almost-everywhere", sign] => {
            super::pieces::determinant(certificate, Asked::NonzeroAlmostEverywhere, sign)
        }
        ["bijection", "monotone"] => bijection_by_limits(certificate),
        ["bijection", "pieces"] => super::pieces::onto(certificate),
        ["bijection", "inverse"] => bijection_by_inverse(certificate),
        ["bijection", "linear", sign] => linear(certificate, sign),
        ["bijection", "turned"] => turned(certificate, known),
        ["bijection", "stages"] => {
            composed(certificate)?;
            chain(certificate, true, known)
        }
        ["determinant", "stages", sign] => determinant_of_stages(certificate, sign, known),
        ["bijection", "chain"] => chain(certificate, true, known),
        ["one-to-one", "chain"] => chain(certificate, false, known),
        ["range"] => forward(certificate)?.lands_in(&certificate.codomain),
        ["identity"] => identity(certificate, true),
        ["identity", "contraction"] => super::contraction::identity(certificate),
        ["identity", "partial"] => identity(certificate, false),
        ["flow"] => super::flow::check(certificate),
        ["equal"] => equal(certificate, true),
        ["equal", "partial"] => equal(certificate, false),
        ["singular"] => singular(certificate),
        ["singular", "waist"] => super::bottleneck::waist(certificate),
        ["refuted", rest @ ..] => super::refute::check(certificate, rest),
        _ => reject(format!("no such claim: {}", certificate.claim.join(" "))),
    }
}

/// Checks the sign of det J: the product of the diagonal, whose factors each have one sign, times the sign of
/// the order. It is 0 on a set of measure 0 where a factor is 0 at isolated points of its variable (Fubini).
fn determinant(certificate: &Certificate, asked: Asked, expected: &str) -> Checked<()> {
    let (_, signs, _) = slopes(certificate, asked)?;
    agrees(&signs, expected)
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

/// Checks that f is defined and g(f(z)) = z for every z: then no two points have one image.
fn one_to_one_by_inverse(certificate: &Certificate) -> Checked<()> {
    let mut map = forward(certificate)?;
    let outputs = map.outputs.clone();
    if !outputs.iter().all(|id| map.ranges.of(&map.scalars, *id).defined) {
        return reject("f cannot be shown to be defined everywhere");
    }
    identity(certificate, true)
}

/// Checks that f is the inverse of a bijection g, the only layer: g maps its domain one-to-one onto its
/// codomain, which is f's domain, and f(g(x)) = x.
fn turned(certificate: &Certificate, known: &mut Bijections) -> Checked<()> {
    let [layer] = certificate.layers.as_slice() else { return reject("an inverse needs exactly one layer") };
    if layer.claim.first().is_none_or(|word| word != "bijection") {
        return reject("the layer is not claimed to be a bijection");
    }
    if layer.domain != certificate.codomain || layer.codomain != certificate.domain {
        return reject("domain and codomain are not the codomain and domain of the layer");
    }
    check(layer, known)?;
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
fn determinant_turned(certificate: &Certificate, expected: &str, known: &mut Bijections) -> Checked<()> {
    turned(certificate, known)?;
    let mut layer = certificate.layers[0].clone();
    layer.claim = vec!["determinant".to_string(), expected.to_string()];
    check(&layer, known)
}

/// Checks a composition: it is one-to-one if all layers are one-to-one and each maps into the domain of the
/// next; it is a bijection if all layers are bijections and each codomain equals the next domain.
fn chain(certificate: &Certificate, onto: bool, known: &mut Bijections) -> Checked<()> {
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
        check(layer, known)?;
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

/// Checks that f is the composition of maps whose determinants each have one sign, and that the product of these is this one.
fn determinant_of_stages(certificate: &Certificate, expected: &str, known: &mut Bijections) -> Checked<()> {
    composed(certificate)?;
    let whole = |side: &Side| side.low.0 == f64::NEG_INFINITY && side.high.0 == f64::INFINITY;
    let mut positive = true;
    for (k, layer) in certificate.layers.iter().enumerate() {
        // What is known of a map holds in its domain, and the maps before it may lead anywhere.
        if k == 0 && layer.domain != certificate.domain || k > 0 && !layer.domain.iter().all(whole) {
            return reject(format!("map {k} may be asked beyond its domain"));
        }
        match words(layer).as_slice() {
            // Elsewhere than on a set of measure 0 is not everywhere.
            ["determinant", "almost-everywhere" | "pieces-almost-everywhere", ..] => {
                return reject(format!("the determinant of map {k} may be 0 at points"));
            }
            ["determinant", .., "positive"] => {}
            ["determinant", .., "negative"] => positive = !positive,
            _ => return reject(format!("the determinant of map {k} is not claimed to have a sign")),
        }
        check(layer, known)?;
    }
    match (positive, expected) {
        (true, "positive") | (false, "negative") => Ok(()),
        _ => reject("the product of the determinants has another sign"),
    }
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

/// Checks that two programs of one input, which lies in the codomain, are equal: for every input, or wherever both are
/// defined.
fn equal(certificate: &Certificate, everywhere: bool) -> Checked<()> {
    let mut map = Map::new(certificate.program("inverse")?, &certificate.codomain)?;
    let others = map.scalars.results(certificate.program("given")?, &[map.inputs.clone()])?;
    let both: Vec<Id> = map.outputs.iter().chain(&others).copied().collect();
    match everywhere {
        true => map.defined(&both)?,
        false => map.chooses_among_the_defined(&both)?,
    }
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
            scalar => stack.extend_from_slice(&scalar.operands()),
        }
    }
    match inputs < distinct.len() {
        true => Ok(()),
        false => reject(format!("{} outputs depend on {inputs} inputs", distinct.len())),
    }
}
