//! Total mass: ∫ p(x) dx = 1, by quadrature over the image of a grid, in one or two dimensions.
//!
//! The corners of each grid cell are mapped, and the length or area of the image is measured directly:
//! |x₂ - x₁|, or the area of a quadrilateral. Times p(x) = p_Z(z)/|det J| and summed, this is the mass. The
//! areas use no derivative, so a wrong determinant shows. Two grids and one Richardson extrapolation give
//! fourth order.

use std::f64::consts::PI;

use super::evidence::Evidence;
use super::points::into;
use super::report::{Claim, Topic};
use super::subject::{Subject, number};
use crate::bijection::Domain;
use crate::tape::NodeId;

const TOLERANCE: f64 = 1e-4;
/// If two grids differ by more, the quadrature has not converged and shows nothing.
const UNSETTLED: f64 = 1e-3;
/// At kinks of the slope both grids can have similar errors; only a larger error counts as wrong.
const COARSE: f64 = 1e-2;

pub(super) fn claim(subject: &mut Subject, collides: bool, elsewhere: bool) -> Option<Claim> {
    let statement = "p integrates to 1 (with a normal base, mapped into the domain)";
    let cells: [usize; 2] = match subject.d {
        1 => [2000, 4000],
        2 => [120, 240],
        _ => return None,
    };
    // The grid is a product of intervals.
    if subject.domain.couples() {
        return None;
    }
    let log_det = subject.log_det().ok()?;
    if collides {
        let reason = "f is not injective: some x have several z, and p_Z(z)/|det J| counts only one of them";
        return Some(Claim::new(Topic::Mass, statement, Evidence::NotProven { reason: reason.into() }));
    }
    if elsewhere {
        let reason = "f does not map onto its codomain, over which p should integrate to 1".to_string();
        return Some(Claim::new(Topic::Mass, statement, Evidence::NotProven { reason }));
    }
    let masses: Vec<f64> = cells
        .iter()
        .map(|n| if subject.d == 1 { line(subject, log_det, *n) } else { plane(subject, log_det, *n) })
        .collect();
    let mass = (4.0 * masses[1] - masses[0]) / 3.0;
    let (off, gap) = ((mass - 1.0).abs(), (masses[1] - masses[0]).abs());
    let tolerance = TOLERANCE + subject.tolerance();
    let evidence = if off <= tolerance {
        let points = cells[1].pow(subject.d as u32);
        Evidence::Checked { points, worst: off, tolerance, seed: None }
    } else if gap > UNSETTLED || off <= COARSE || !mass.is_finite() {
        let reason = format!(
            "two grids give {} and {}: the quadrature has not converged",
            number(masses[0]),
            number(masses[1])
        );
        Evidence::NotProven { reason }
    } else {
        // A gap in the image gives too large a mass, truncation too small a one.
        Evidence::NotProven { reason: format!("suspicious: the quadrature gives {mass:.6}; f may jump") }
    };
    Some(Claim::new(Topic::Mass, statement, evidence))
}

const REACH: f64 = 8.0;

fn edge(k: usize, n: usize) -> f64 {
    -REACH + 2.0 * REACH * k as f64 / n as f64
}

/// ln p_Z of the base that is standard normal before `into` maps it to the domain.
fn base(u: f64, dz: f64) -> f64 {
    -0.5 * u * u - 0.5 * (2.0 * PI).ln() - dz.ln()
}

/// dz/du of `into`, by differences accurate to the quadrature's order.
fn carried(domain: &Domain, u: f64) -> f64 {
    let h = 1e-4;
    (into(domain, u + h) - into(domain, u - h)) / (2.0 * h)
}

fn line(subject: &Subject, log_det: NodeId, n: usize) -> f64 {
    let domain = subject.domain.of(0);
    let at = |u: f64| into(&domain, u);
    let edges: Vec<f64> = (0..=n).map(|k| at(edge(k, n))).collect();
    let middles: Vec<f64> = (0..n).map(|k| 0.5 * (edge(k, n) + edge(k + 1, n))).collect();
    let x = subject.values(&[subject.x], &edges).swap_remove(0);
    let z: Vec<f64> = middles.iter().map(|u| at(*u)).collect();
    let log_dets = subject.values(&[log_det], &z).swap_remove(0);
    let cell = |k: usize| {
        let log_p = base(middles[k], carried(&domain, middles[k])) - log_dets[k];
        log_p.exp() * subject.codomain.difference(0, x[k + 1], x[k]).abs()
    };
    (0..n).map(cell).sum()
}

fn plane(subject: &Subject, log_det: NodeId, n: usize) -> f64 {
    let domains = [0, 1].map(|i| subject.domain.of(i));
    let at = |[u, v]: [f64; 2]| [into(&domains[0], u), into(&domains[1], v)];
    let corners: Vec<f64> =
        (0..=n).flat_map(|i| (0..=n).flat_map(move |j| at([edge(i, n), edge(j, n)]))).collect();
    let x = subject.values(&[subject.x], &corners).swap_remove(0);
    let middle = |k: usize| 0.5 * (edge(k, n) + edge(k + 1, n));
    let z: Vec<f64> = (0..n).flat_map(|i| (0..n).flat_map(move |j| at([middle(i), middle(j)]))).collect();
    let log_dets = subject.values(&[log_det], &z).swap_remove(0);
    let corner = |i: usize, j: usize| {
        let place = 2 * (i * (n + 1) + j);
        (x[place], x[place + 1])
    };
    let stretch = |i: usize| (0..n).map(|k| carried(&domains[i], middle(k))).collect::<Vec<f64>>();
    let stretch = [stretch(0), stretch(1)];
    let mut mass = 0.0;
    for i in 0..n {
        for j in 0..n {
            let log_p = base(middle(i), stretch[0][i]) + base(middle(j), stretch[1][j]) - log_dets[i * n + j];
            let corners = [corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)];
            let area = quadrilateral(&subject.codomain, corners);
            mass += log_p.exp() * area;
        }
    }
    mass
}

/// Area of a quadrilateral, by the shoelace formula.
fn quadrilateral(codomain: &Domain, [a, b, c, d]: [(f64, f64); 4]) -> f64 {
    let apart =
        |p: (f64, f64), q: (f64, f64)| (codomain.difference(0, p.0, q.0), codomain.difference(1, p.1, q.1));
    let (across, along) = (apart(c, a), apart(d, b));
    0.5 * (across.0 * along.1 - along.0 * across.1).abs()
}
