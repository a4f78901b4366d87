//! No two points collide: proven by a formula for z, or looked for with Newton's method and refuted with a pair.
//!
//! Each step of a derived inverse undoes an operation that is one-to-one. If the bound sweep shows the formula
//! to be defined for every x of the codomain, and f for every z of the domain, f is a bijection between them.
//!
//! A triangular map is one-to-one as well where each output is strictly monotone in its own variable, in one formula or
//! piece by piece (`pieces`).
//!
//! Where there is no such proof: from f(a) = y, other starts are pushed towards f(b) = y. If one arrives at a b that is
//! not a, f is not injective and the pair shows it. Finding none proves nothing.

use super::evidence::Evidence;
use super::pieces::{Pieces, pieces};
use super::report::{Claim, Topic};
use super::subject::{Subject, shown};
use crate::bijection::{Bijection, Domain, derived_inverse, push_forward, record_forward};
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::sweep::simplify::simplify;
use crate::tape::{Cut, Op, Shape, Tape};

/// Newton needs whole Jacobians over and over.
const LARGEST: usize = 8;

pub(super) fn claim(bijection: &(impl Bijection + ?Sized), subject: &mut Subject) -> Claim {
    if let Some(reason) = proof(bijection, &bijection.domain()) {
        let statement = format!(
            "f maps {} one-to-one onto {}",
            bijection.domain().written(subject.d),
            bijection.codomain().written(subject.d)
        );
        return Claim::new(Topic::Injective, &statement, Evidence::Proven { reason });
    }
    let statement = "no two points have the same image";
    if let Some(reason) = monotone(bijection).or_else(|| piecewise(bijection)) {
        return Claim::new(Topic::Injective, statement, Evidence::Proven { reason });
    }
    if subject.d > LARGEST {
        let reason =
            format!("pairs are searched for up to d = {LARGEST}; a proof needs bounds or an inverse");
        return Claim::new(Topic::Injective, statement, Evidence::NotProven { reason });
    }
    let count = subject.count();
    let searches = count.min(64);
    for k in 0..searches {
        let a = subject.point(k).to_vec();
        // Starts from near and far, in an order that meets every point.
        for other in [(k + 1) % count, (k + count / 2) % count] {
            let start = subject.point(other).to_vec();
            if let Some((b, image, gap)) = collision(subject, &a, start) {
                let near = if gap == 0.0 { "exactly".to_string() } else { format!("to within {gap:.0e}") };
                let witness = format!(
                    "z = {} and z = {} both go to x = {} ({near}).",
                    shown(&a),
                    shown(&b),
                    shown(&image)
                );
                return Claim::new(Topic::Injective, statement, Evidence::Refuted { witness });
            }
        }
    }
    let reason = format!("no pair was found in {} searches; that is no proof", 2 * searches);
    Claim::new(Topic::Injective, statement, Evidence::NotProven { reason })
}

/// Why f is one-to-one, if it is triangular and each output is strictly monotone in its own variable.
fn monotone(bijection: &(impl Bijection + ?Sized)) -> Option<String> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(bijection.dim()));
    let pushed = push_forward(bijection, z).ok()?;
    let [layer] = pushed.layers.as_slice() else { return None };
    let bounds = Bounds::new(&tape, &[(z.id(), bijection.domain().into())]);
    // Simplified: an entry that is read out of a matrix is then bounded by itself, not by its neighbours.
    let within = [(z.id(), bijection.domain().into())];
    let entries = simplify(&tape, layer.diagonal?, 0, &within).value;
    let diagonal = bounds.of(entries.id());
    // A choice may jump, and a jump can undo what a slope promises.
    let cut = Cut::new(&tape, &[z.id()], &[pushed.x.id()]);
    let reach = Reach::new(&tape, &cut, Relation::Value);
    let jumps = cut.nodes().iter().any(|id| {
        let op = tape.node(*id).op;
        matches!(op, Op::Less | Op::LessEq | Op::Sign) && reach.depends_on_input(*id)
    });
    // One sign, not only "not 0": max(z, -z) has slopes 1 and -1.
    let one_sign = diagonal.is_positive() || diagonal.is_negative();
    let holds = one_sign && diagonal.defined && bounds.of(pushed.x.id()).defined && !jumps;
    holds.then(|| {
        "J is triangular and its diagonal has one sign everywhere: each xᵢ is strictly monotone in zᵢ (bounds)"
            .to_string()
    })
}

/// Why f is one-to-one, if it is so piece by piece and the pieces meet.
fn piecewise(bijection: &(impl Bijection + ?Sized)) -> Option<String> {
    let Pieces { count, meet: true, .. } = pieces(bijection)? else { return None };
    Some(format!(
        "each xᵢ is strictly monotone in zᵢ: its slope has one sign on all {count} pieces (bounds), and \
         where two of them meet their values are one formula"
    ))
}

/// Why f is a bijection of its domain onto its codomain, if a derived inverse shows it.
pub(super) fn proof(bijection: &(impl Bijection + ?Sized), domain: &Domain) -> Option<String> {
    // The inverse of a bijection is one.
    if let Some(other) = bijection.inverted() {
        return (other.codomain() == *domain).then(|| proof(other, &other.domain())).flatten();
    }
    let layers = bijection.layers();
    if !layers.is_empty() {
        let mut reached = domain.clone();
        for layer in layers {
            if layer.domain() != reached {
                return None;
            }
            proof(layer, &reached)?;
            reached = layer.codomain();
        }
        return (reached == bijection.codomain())
            .then(|| format!("each of the {} layers is one, by its derived inverse", layers.len()));
    }
    // Bounds give one interval for all variables.
    if domain.dim().is_some() || bijection.codomain().dim().is_some() {
        return None;
    }
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(bijection.dim()));
    let forward = record_forward(bijection, z).ok()?;
    let runs = Bounds::new(&tape, &[(z.id(), domain.into())]).of(forward.id());
    let x = tape.input(Shape::Vector(bijection.dim()));
    let inverse = derived_inverse(bijection, x).ok()?;
    let back = Bounds::new(&tape, &[(x.id(), bijection.codomain().into())]).of(inverse.id());
    // What comes back must lie in the domain, and what goes there in the codomain.
    let inside = |bound: Bound, domain: &Domain| {
        let wanted = Bound::from(domain);
        let low = bound.low.at > wanted.low.at || (bound.low.at == wanted.low.at && bound.low.open);
        let high = bound.high.at < wanted.high.at || (bound.high.at == wanted.high.at && bound.high.open);
        bound.defined && low && high
    };
    if !inside(runs, &bijection.codomain()) || !inside(back, domain) {
        return affine(bijection, domain);
    }
    Some("z follows from x by operations that each have one result, defined for every x (bounds)".to_string())
}

/// Why f maps ℝᵈ onto ℝᵈ, if it is triangular and each output is affine in its own variable: its slope there depends
/// on other variables and parameters only, and is never 0.
fn affine(bijection: &(impl Bijection + ?Sized), domain: &Domain) -> Option<String> {
    if *domain != Domain::Reals || bijection.codomain() != Domain::Reals {
        return None;
    }
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(bijection.dim()));
    let pushed = push_forward(bijection, z).ok()?;
    let [layer] = pushed.layers.as_slice() else { return None };
    let entries = simplify(&tape, layer.diagonal?, 0, &[]).value;
    let bounds = Bounds::new(&tape, &[]);
    let slopes = bounds.of(entries.id());
    let cut = Cut::new(&tape, &[z.id()], &[pushed.x.id()]);
    let jumps = cut
        .nodes()
        .iter()
        .any(|id| tape.look(*id, |node| matches!(node.op, Op::Less | Op::LessEq | Op::Sign)));
    if !slopes.nonzero || !slopes.defined || !bounds.of(pushed.x.id()).defined || jumps {
        return None;
    }
    // Entry k of the diagonal belongs to the k-th place of the order: it may see what stands before that.
    let order = layer.structure.order(bijection.dim())?;
    let (places, _) = order.ranks();
    let cut = Cut::new(&tape, &[z.id()], &[entries.id()]);
    let reach = Reach::new(&tape, &cut, Relation::Value);
    let highest = reach.highest(&places);
    let before = |(k, element): (usize, usize)| highest[element] == NONE || (highest[element] as usize) < k;
    reach.output_elements().into_iter().enumerate().all(before).then(|| {
        "J is triangular, and each xᵢ is affine in zᵢ with a slope that is never 0 (bounds)".to_string()
    })
}

/// Damped Newton from `start` towards f(b) = f(a); the b it finds, if it is another point than a.
fn collision(subject: &mut Subject, a: &[f64], start: Vec<f64>) -> Option<(Vec<f64>, Vec<f64>, f64)> {
    let target = subject.forward(a);
    let scale = target.iter().fold(1.0f64, |largest, x| largest.max(x.abs()));
    let mut b = start;
    let mut residual = gap(&subject.forward(&b), &target);
    for _ in 0..60 {
        if residual <= 1e-13 * scale {
            break;
        }
        let mut step: Vec<f64> =
            subject.forward(&b).iter().zip(&target).map(|(x, target)| x - target).collect();
        subject.lu(&b).solve(&mut step);
        let mut length = 1.0;
        loop {
            let moved: Vec<f64> = b.iter().zip(&step).map(|(b, step)| b - length * step).collect();
            let inside = subject.domain.contains(&moved);
            let next = if inside { gap(&subject.forward(&moved), &target) } else { f64::INFINITY };
            if next < residual {
                (b, residual) = (moved, next);
                break;
            }
            length *= 0.5;
            if length < 1e-6 {
                return None;
            }
        }
    }
    let apart = gap(&b, a) / a.iter().fold(1.0f64, |largest, z| largest.max(z.abs()));
    let found = residual <= 1e-12 * scale && apart > 1e-3;
    // A flat spot also brings far points to nearly one image: the images must agree far better than a
    // straight line between the points would let them.
    found.then(|| (b.clone(), target, residual)).filter(|_| apart > 1e6 * residual / scale)
}

/// The largest difference of a coordinate.
fn gap(a: &[f64], b: &[f64]) -> f64 {
    let gap = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    gap.fold(0.0, |largest, gap| if gap.is_nan() { f64::INFINITY } else { largest.max(gap) })
}
