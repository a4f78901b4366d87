//! Refutations: a point, or two, at which a claim certainly fails.

use std::collections::HashMap;

use super::interval::Interval;
use super::map::{Map, forward, interval, jumps, kinks};
use super::normal::Forms;
use super::range::Ranges;
use super::rejection::{Rejection, reject};
use super::scalar::{Function, Id, Scalar, Scalars};
use super::slope::slope;
use super::text::Certificate;

type Checked<T> = Result<T, Rejection>;

pub(super) fn check(certificate: &Certificate, words: &[&str]) -> Checked<()> {
    let place =
        |word: &str| word.parse::<usize>().map_err(|_| Rejection::new("not the number of a variable"));
    match words {
        ["one-to-one"] => collision(certificate),
        ["determinant"] => determinant(certificate),
        ["structure", o, i] => structure(certificate, place(o)?, place(i)?),
        ["log-determinant"] => log_determinant(certificate),
        ["inverse"] => inverse(certificate),
        ["finite"] => undefined(certificate),
        ["range", o] => outside(certificate, place(o)?),
        ["onto", o] => missed(certificate, place(o)?),
        _ => reject("no such refutation"),
    }
}

/// Returns the point of this name, which must lie in the domain.
fn point(certificate: &Certificate, name: &str) -> Checked<Vec<f64>> {
    let point = certificate.point(name)?;
    let inside = point.len() == certificate.domain.len()
        && point
            .iter()
            .zip(&certificate.domain)
            .all(|(value, side)| Interval::of(*value).is_within(&interval(side)));
    if inside { Ok(point.to_vec()) } else { reject(format!("`{name}` is not a point of the domain")) }
}

/// Sets the inputs of f to a box, and the parameters to the values of the certificate.
fn at(certificate: &Certificate, map: &mut Map, sets: &[Interval]) {
    let given: HashMap<Id, Interval> = map.inputs.iter().copied().zip(sets.iter().cloned()).collect();
    map.ranges = Ranges::at(given, &certificate.values);
}

fn at_point(certificate: &Certificate, map: &mut Map, point: &[f64]) {
    let sets: Vec<Interval> = point.iter().map(|value| Interval::of(*value)).collect();
    at(certificate, map, &sets);
}

fn values(map: &mut Map, ids: &[Id]) -> Checked<Vec<Interval>> {
    let mut values = Vec::new();
    for id in ids {
        let range = map.ranges.of(&map.scalars, *id);
        if !range.defined {
            return reject("a value cannot be shown to be defined");
        }
        values.push(range.interval);
    }
    Ok(values)
}

/// Returns the entries of J, by rows.
pub(super) fn jacobian(map: &mut Map) -> Checked<Vec<Id>> {
    let mut entries = Vec::new();
    for output in map.outputs.clone() {
        for input in map.inputs.clone() {
            let found = slope(&mut map.scalars, output, input, |_| false)?;
            entries.push(found.unwrap_or_else(|| map.scalars.number(0.0)));
        }
    }
    Ok(entries)
}

/// Rejects a point at which f may have no derivative.
fn smooth(map: &mut Map) -> Checked<()> {
    for output in map.outputs.clone() {
        if kinks(&map.scalars, &mut map.ranges, output) {
            return reject("f may have a kink or a jump at the point");
        }
    }
    Ok(())
}

/// Eliminates by rows with the pivot that is furthest from 0; `None` if every candidate contains 0.
pub(super) fn interval_determinant(mut a: Vec<Interval>, n: usize) -> Option<Interval> {
    let mut determinant = Interval::of(1.0);
    for k in 0..n {
        let size = |row: &usize| {
            let entry = a[row * n + k].abs();
            if entry.is_positive() { entry.low.at } else { super::interval::number(0.0) }
        };
        let pivot = (k..n).max_by(|x, y| size(x).cmp(&size(y)))?;
        if pivot != k {
            (0..n).for_each(|column| a.swap(pivot * n + column, k * n + column));
            determinant = determinant.neg();
        }
        determinant = determinant.mul(&a[k * n + k]);
        if k + 1 == n {
            break;
        }
        let inverse = a[k * n + k].recip()?;
        for row in k + 1..n {
            let factor = a[row * n + k].mul(&inverse);
            for column in k..n {
                a[row * n + column] = a[row * n + column].sub(&factor.mul(&a[k * n + column]));
            }
        }
    }
    Some(determinant)
}

/// Checks that two points of the domain have the same image: exactly, or by a zero of f(u) - f(b) in a box
/// that does not contain b (Krawczyk's test: K(U) inside of U).
fn collision(certificate: &Certificate) -> Checked<()> {
    let (a, b) = (point(certificate, "a")?, point(certificate, "b")?);
    let mut map = forward(certificate)?;
    let d = a.len();
    at_point(certificate, &mut map, &b);
    let outputs = map.outputs.clone();
    let image = values(&mut map, &outputs)?;
    at_point(certificate, &mut map, &a);
    let other = values(&mut map, &outputs)?;
    if a != b && image.iter().zip(&other).all(|(x, y)| x == y && x.low.at == x.high.at) {
        return Ok(());
    }
    if a != b && same_by_form(certificate, &a, &b)? {
        return Ok(());
    }
    let radius = certificate.point("radius")?;
    let centre: Vec<Interval> = a.iter().map(|value| Interval::of(*value)).collect();
    let wide: Vec<Interval> = radius.iter().map(|r| Interval::closed(-r, *r)).collect();
    let open: Vec<Interval> = radius.iter().map(|r| Interval::between(-r, *r)).collect();
    if radius.len() != d || radius.iter().any(|r| *r <= 0.0) {
        return reject("`radius` is not a positive number for each variable");
    }
    let sets: Vec<Interval> = centre.iter().zip(&wide).map(|(c, w)| c.add(w)).collect();
    let inside = sets.iter().zip(&certificate.domain).all(|(set, side)| set.is_within(&interval(side)));
    let apart = sets.iter().zip(&b).any(|(set, value)| set.is_apart_from(&Interval::of(*value)));
    if !inside || !apart {
        return reject("the box around a leaves the domain or holds b");
    }
    let preconditioner = certificate.point("preconditioner")?;
    if preconditioner.len() != d * d {
        return reject("`preconditioner` is not a matrix");
    }
    let y: Vec<Interval> = preconditioner.iter().map(|value| Interval::of(*value)).collect();
    let difference: Vec<Interval> = other.iter().zip(&image).map(|(x, y)| x.sub(y)).collect();
    let entries = jacobian(&mut map)?;
    at(certificate, &mut map, &sets);
    values(&mut map, &outputs)?;
    let j = values(&mut map, &entries)?;
    for output in &outputs {
        if jumps(&map.scalars, &mut map.ranges, *output, |_| true) {
            return reject("f may jump in the box around a");
        }
    }
    let sum = |terms: Vec<Interval>| terms.into_iter().fold(Interval::of(0.0), |sum, term| sum.add(&term));
    for row in 0..d {
        // K - m = -Y g(m) + (I - Y J)(U - m)
        let step = sum((0..d).map(|k| y[row * d + k].mul(&difference[k])).collect()).neg();
        let rest = (0..d).map(|column| {
            let product = sum((0..d).map(|k| y[row * d + k].mul(&j[k * d + column])).collect());
            Interval::of(f64::from(u8::from(row == column))).sub(&product).mul(&wide[column])
        });
        if !step.add(&sum(rest.collect())).is_within(&open[row]) {
            return reject("Krawczyk's test does not find a zero in the box");
        }
    }
    // The preconditioner must be non-singular; otherwise it could hide an equation.
    match interval_determinant(y, d) {
        Some(determinant) if determinant.excludes_zero() => Ok(()),
        _ => reject("the preconditioner cannot be shown to be non-singular"),
    }
}

/// Returns whether f has the same value at two points, in exact arithmetic.
fn same_by_form(certificate: &Certificate, a: &[f64], b: &[f64]) -> Checked<bool> {
    let program = certificate.program("forward")?;
    let mut scalars = Scalars::default();
    let mut of = |point: &[f64]| {
        let inputs: Vec<Id> = point.iter().map(|value| scalars.number(*value)).collect();
        scalars.results(program, &[inputs])
    };
    let (left, right) = (of(a)?, of(b)?);
    let mut forms = Forms::new(Ranges::at(HashMap::new(), &certificate.values), Vec::new());
    for (x, y) in left.into_iter().zip(right) {
        if !forms.equal(&mut scalars, x, y).unwrap_or(false) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Checks that det J is 0 at a, or has different signs at a and b.
fn determinant(certificate: &Certificate) -> Checked<()> {
    let mut map = forward(certificate)?;
    let d = map.inputs.len();
    let entries = jacobian(&mut map)?;
    let mut signs = Vec::new();
    for name in ["a", "b"] {
        if name == "b" && !certificate.points.contains_key("b") {
            break;
        }
        let at = point(certificate, name)?;
        at_point(certificate, &mut map, &at);
        smooth(&mut map)?;
        let j = values(&mut map, &entries)?;
        match interval_determinant(j, d) {
            Some(found) if found == Interval::of(0.0) => return Ok(()),
            Some(found) => signs.push((found.is_positive(), found.is_negative())),
            None => signs.push((false, false)),
        }
    }
    match signs.as_slice() {
        [(true, _), (_, true)] | [(_, true), (true, _)] => Ok(()),
        _ => reject("det J is neither 0 at a point nor of two signs at two"),
    }
}

/// Checks that ∂x_o/∂z_i is not 0 at a.
fn structure(certificate: &Certificate, o: usize, i: usize) -> Checked<()> {
    let mut map = forward(certificate)?;
    let at = point(certificate, "a")?;
    let (Some(output), Some(input)) = (map.outputs.get(o).copied(), map.inputs.get(i).copied()) else {
        return reject("no such variable");
    };
    let Some(entry) = slope(&mut map.scalars, output, input, |_| false)? else {
        return reject("there is no dependence at all");
    };
    at_point(certificate, &mut map, &at);
    smooth(&mut map)?;
    match values(&mut map, &[entry])?[0].excludes_zero() {
        true => Ok(()),
        false => reject("the entry cannot be shown to be other than 0"),
    }
}

/// Checks that ln|det J| at a differs from the value of the formula `given`.
fn log_determinant(certificate: &Certificate) -> Checked<()> {
    let mut map = forward(certificate)?;
    let d = map.inputs.len();
    let given = map.scalars.results(certificate.program("given")?, &[map.inputs.clone()])?;
    let entries = jacobian(&mut map)?;
    let at = point(certificate, "a")?;
    at_point(certificate, &mut map, &at);
    smooth(&mut map)?;
    let j = values(&mut map, &entries)?;
    let Some(found) = interval_determinant(j, d).filter(Interval::excludes_zero) else {
        return reject("det J cannot be shown to be other than 0");
    };
    let claimed = map.ranges.of(&map.scalars, *given.first().ok_or_else(|| Rejection::new("no formula"))?);
    // A formula that is certainly undefined where the determinant is not 0 is wrong too.
    let wrong = match claimed.defined {
        true => claimed.interval.is_apart_from(&found.abs().ln()),
        false => given.iter().any(|id| breaks_down(&map.scalars, &mut map.ranges, *id)),
    };
    if wrong { Ok(()) } else { reject("the formula cannot be shown to be wrong at a") }
}

/// Checks that g(f(a)) differs from a.
fn inverse(certificate: &Certificate) -> Checked<()> {
    let mut map = forward(certificate)?;
    let at = point(certificate, "a")?;
    let outputs = map.outputs.clone();
    let back = map.scalars.results(certificate.program("inverse")?, &[outputs])?;
    at_point(certificate, &mut map, &at);
    let back = values(&mut map, &back)?;
    match back.iter().zip(&at).any(|(x, a)| x.is_apart_from(&Interval::of(*a))) {
        true => Ok(()),
        false => reject("g(f(a)) cannot be shown to differ from a"),
    }
}

/// Checks that f is undefined at a.
fn undefined(certificate: &Certificate) -> Checked<()> {
    let mut map = forward(certificate)?;
    let at = point(certificate, "a")?;
    at_point(certificate, &mut map, &at);
    let outputs = map.outputs.clone();
    match outputs.iter().any(|id| breaks_down(&map.scalars, &mut map.ranges, *id)) {
        true => Ok(()),
        false => reject("f cannot be shown to be undefined at a"),
    }
}

/// Returns whether a scalar is certainly undefined: an operation that is always needed has an operand outside
/// of its domain.
fn breaks_down(scalars: &Scalars, ranges: &mut Ranges, root: Id) -> bool {
    // Operands of a select or an equation may not be needed.
    let mut stack = vec![root];
    let mut seen = std::collections::HashSet::new();
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Scalar::Apply(function, operands) = scalars.get(id) else {
            if let Scalar::Sum(terms) = scalars.get(id) {
                stack.extend(terms);
            }
            continue;
        };
        if *function == Function::Select {
            stack.push(operands[0]);
            continue;
        }
        stack.extend(operands);
        let mut of = |k: usize| {
            let range = ranges.of(scalars, operands[k]);
            range.defined.then_some(range.interval)
        };
        let zero = Interval::of(0.0);
        let fails = match function {
            Function::Ln | Function::LnGamma | Function::Polygamma(_) => {
                of(0).is_some_and(|a| a.neg().is_nonnegative())
            }
            Function::Ln1p => of(0).is_some_and(|a| a.add(&Interval::of(1.0)).neg().is_nonnegative()),
            Function::Sqrt => of(0).is_some_and(|a| a.is_negative()),
            Function::Recip => of(0).is_some_and(|a| a == zero),
            Function::Div => of(1).is_some_and(|b| b == zero),
            Function::Powi(n) if *n < 0 => of(0).is_some_and(|a| a == zero),
            Function::Pow => of(0).is_some_and(|a| a.is_negative()),
            _ => false,
        };
        if fails {
            return true;
        }
    }
    false
}

/// Checks that x_o at a lies outside of the codomain.
fn outside(certificate: &Certificate, o: usize) -> Checked<()> {
    let mut map = forward(certificate)?;
    let at = point(certificate, "a")?;
    let (Some(output), Some(side)) = (map.outputs.get(o).copied(), certificate.codomain.get(o)) else {
        return reject("no such variable");
    };
    at_point(certificate, &mut map, &at);
    match values(&mut map, &[output])?[0].is_apart_from(&interval(side)) {
        true => Ok(()),
        false => reject("the image of a cannot be shown to lie outside"),
    }
}

/// Checks that x_o never takes some number of its codomain, for these values of the parameters.
fn missed(certificate: &Certificate, o: usize) -> Checked<()> {
    match all_missed(certificate)?.get(o) {
        Some(true) => Ok(()),
        Some(false) => reject("every number of the codomain may be a value"),
        None => reject("no such variable"),
    }
}

/// Returns for each variable of x whether it never takes some number of its codomain.
pub(super) fn all_missed(certificate: &Certificate) -> Checked<Vec<bool>> {
    let mut map = forward(certificate)?;
    let sets: Vec<Interval> = certificate.domain.iter().map(interval).collect();
    at(certificate, &mut map, &sets);
    let missed = map.outputs.clone().into_iter().zip(&certificate.codomain).map(|(output, side)| {
        let range = map.ranges.of(&map.scalars, output);
        range.defined && !interval(side).is_within(&range.interval)
    });
    Ok(missed.collect())
}
