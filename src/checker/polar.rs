//! Polar coordinates: pairs of outputs R·cos φ and R·sin φ.
//!
//! The certificate labels variables by blocks of one or two, and has for each block of two a radius R and an angle φ as
//! formulas of z. R is positive and does not depend on one of the block's two variables, φ on both or on that one. With everything
//! of earlier blocks fixed, R is strictly monotone in the one, and φ, the first held fixed too, in the other, over
//! which it moves by less than 2π. Then two points with one image have one R = √(x² + y²), and so one first variable;
//! their angles have one cosine and one sine and differ by less than 2π, so they are one, and so is the second variable.
//!
//! The block's determinant is R·∂R/∂a·∂φ/∂b, a and b the two variables.

use super::elementary::pi;
use super::interval::Interval;
use super::map::{Labels, Map, NONE, interval, kinks};
use super::normal::Forms;
use super::rejection::{Checked, reject};
use super::scalar::{Function as F, Id};
use super::slope::slope;
use super::text::{Certificate, Side};
use super::triangular::{Asked, Output, Signs, agrees, structure};

/// Checks that f is one-to-one.
pub(super) fn check(certificate: &Certificate) -> Checked<()> {
    blocks(certificate, Asked::Monotone).map(|_| ())
}

/// Checks the sign of det J.
pub(super) fn determinant(certificate: &Certificate, sign: &str) -> Checked<()> {
    agrees(&blocks(certificate, Asked::Nonzero)?, sign)
}

/// Inputs and outputs of each block, in the order of the labels.
fn members(labels: &Labels) -> Vec<(Vec<usize>, Vec<usize>)> {
    let of = |labels: &[u32], k: usize| (0..labels.len()).filter(|i| labels[*i] as usize == k).collect();
    let blocks = (0..labels.inputs.len()).map(|k| (of(&labels.inputs, k), of(&labels.outputs, k)));
    blocks.filter(|(inputs, outputs): &(Vec<usize>, Vec<usize>)| inputs.len() + outputs.len() > 0).collect()
}

fn blocks(certificate: &Certificate, asked: Asked) -> Checked<Signs> {
    let (mut map, labels) = structure(certificate, "blocks")?;
    let polar = map.scalars.results(certificate.program("polar")?, &[map.inputs.clone()])?;
    map.sharpen(&polar);
    let roots: Vec<Id> = map.outputs.iter().chain(&polar).copied().collect();
    // A radius and an angle of a block must not depend on later ones either.
    let highest = map.highest_of(&roots, &labels.inputs);
    let mut given = polar.chunks(2);
    let mut signs = Signs::new();
    for (inputs, outputs) in members(&labels) {
        match (inputs.as_slice(), outputs.as_slice()) {
            ([i], [o]) => {
                let one = Output {
                    name: format!("output {o}"),
                    value: map.outputs[*o],
                    input: map.inputs[*i],
                    side: &certificate.domain[*i],
                    hint: None,
                };
                let own = labels.inputs[*i];
                let earlier = |id: Id| highest.get(&id).is_some_and(|label| *label == NONE || *label < own);
                signs.push((*i, *o, one.slope(&mut map, asked, earlier)?.0));
            }
            ([a, b], [o, p]) => {
                let Some([radius, angle]) = given.next() else {
                    return reject("there are fewer radii and angles than blocks of two variables");
                };
                let own = labels.inputs[*a];
                if [radius, angle].iter().any(|id| highest[*id] != NONE && highest[*id] > own) {
                    return reject("a radius or an angle depends on a later variable");
                }
                let pair = Pair { radius: *radius, angle: *angle, sets: &certificate.domain };
                // Which variable the radius does not depend on is seen in it.
                let [a, b] = if depends(&map, *radius, *b) { [*b, *a] } else { [*a, *b] };
                let [cosine, sine] = pair.outputs(&mut map, [*o, *p])?;
                let (along, around) = pair.slopes(&mut map, asked, [a, b])?;
                if asked == Asked::Nonzero {
                    differentiable(&mut map, [cosine, sine], [a, b])?;
                }
                signs.push((a, cosine, along));
                signs.push((b, sine, around));
            }
            _ => return reject("a block has neither one variable nor two"),
        }
    }
    Ok(signs)
}

/// Whether an input occurs in a scalar.
fn depends(map: &Map, id: Id, input: usize) -> bool {
    map.scalars.order(&[id], |_| false).contains(&map.inputs[input])
}

/// A radius and an angle.
struct Pair<'a> {
    radius: Id,
    angle: Id,
    sets: &'a [Side],
}

impl Pair<'_> {
    /// Returns which of two outputs is R·cos φ and which R·sin φ, where R is positive.
    fn outputs(&self, map: &mut Map, [o, p]: [usize; 2]) -> Checked<[usize; 2]> {
        let range = map.ranges.of(&map.scalars, self.radius);
        if !range.defined || !range.interval.is_positive() {
            return reject("a radius cannot be shown to be positive");
        }
        let wanted = [F::Cos, F::Sin].map(|wave| {
            let direction = map.scalars.apply(wave, &[self.angle]);
            map.scalars.apply(F::Mul, &[self.radius, direction])
        });
        let all = [map.outputs[o], map.outputs[p], wanted[0], wanted[1]];
        if !all.iter().all(|id| map.ranges.of(&map.scalars, *id).defined) {
            return reject("the outputs of two variables cannot be shown to be defined everywhere");
        }
        let mut forms = Forms::new(map.ranges.clone(), Vec::new());
        for [x, y] in [[o, p], [p, o]] {
            let outputs = [map.outputs[x], map.outputs[y]];
            let mut same = |k: usize| forms.equal(&mut map.scalars, outputs[k], wanted[k]);
            if same(0)? && same(1)? {
                return Ok([x, y]);
            }
        }
        reject("two outputs are not R·cos φ and R·sin φ")
    }

    /// Returns the sign of the radius's slope in the variable a, and that of the angle's in b.
    fn slopes(&self, map: &mut Map, asked: Asked, [a, b]: [usize; 2]) -> Checked<(i32, i32)> {
        if depends(map, self.radius, b) {
            return reject("a radius depends on both variables");
        }
        let mut of = |name: &str, value: Id, input: usize| {
            let labels: Vec<u32> = (0..map.inputs.len()).map(|i| u32::from(i == input)).collect();
            let highest = map.highest_of(&[value], &labels);
            let (side, hint) = (&self.sets[input], None);
            let one = Output { name: name.to_string(), value, input: map.inputs[input], side, hint };
            // What is not known was made of the slope, and may move.
            one.slope(map, asked, |id| highest.get(&id).is_some_and(|label| *label != 1))
        };
        let (along, _) = of("a radius", self.radius, a)?;
        let (around, turning) = of("an angle", self.angle, b)?;
        self.is_less_than_a_turn(map, turning, b)?;
        Ok((along, around))
    }

    /// Checks that the angle moves by less than 2π as its variable does: by its range, or by its slope times the length of the
    /// variable's set (mean value theorem).
    fn is_less_than_a_turn(&self, map: &mut Map, slope: Id, b: usize) -> Checked<()> {
        let turn = pi().mul(&Interval::of(2.0));
        let length = |set: &Interval| {
            let ends = set.closure()?;
            let (low, high) = (Interval::point(ends.low.at), Interval::point(ends.high.at));
            Some(high.sub(&low))
        };
        let short = |span: Option<Interval>| span.is_some_and(|span| span.is_below(&turn, false));
        let by_range = length(&map.ranges.of(&map.scalars, self.angle).interval);
        let steepest = map.ranges.of(&map.scalars, slope);
        let by_slope = length(&interval(&self.sets[b]))
            .filter(|_| steepest.defined)
            .and_then(|whole| Some(whole.mul(&steepest.interval.abs().closure()?)));
        match short(by_range) || short(by_slope) {
            true => Ok(()),
            false => reject("an angle cannot be shown to move by less than 2π"),
        }
    }
}

/// Checks that the formulas of J are the derivatives: they are defined, and there is no kink.
fn differentiable(map: &mut Map, outputs: [usize; 2], inputs: [usize; 2]) -> Checked<()> {
    for o in outputs {
        let output = map.outputs[o];
        if kinks(&map.scalars, &mut map.ranges, output) {
            return reject("an output of two variables may have a kink or a jump");
        }
        for i in inputs {
            let found = slope(&mut map.scalars, output, map.inputs[i], |_| false)?;
            if let Some(found) = found
                && !map.ranges.of(&map.scalars, found).defined
            {
                return reject("a derivative cannot be shown to be defined everywhere");
            }
        }
    }
    Ok(())
}
