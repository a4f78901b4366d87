//! Total mass: ∫ p(x) dx = 1, by quadrature over the image of a grid, in one or two dimensions.
//!
//! A cell of the grid is mapped corner by corner, and its image's length or area is measured as it lies:
//! |x₂ - x₁|, or the area of a quadrilateral. Times p(x) = p_Z(z)/|det J| and summed, that is the mass. The
//! areas know nothing of any derivative, so a wrong determinant shows. Two grids and one step of Richardson
//! extrapolation give fourth order.

use std::f64::consts::PI;

use super::evidence::Evidence;
use super::points::into;
use super::report::{Claim, Topic};
use super::subject::{Subject, number};
use crate::tape::NodeId;

const TOLERANCE: f64 = 1e-4;

pub(super) fn claim(subject: &mut Subject, collides: bool) -> Option<Claim> {
    let statement = "p integrates to 1 (a normal base, carried into the domain)";
    let cells: [usize; 2] = match subject.d {
        1 => [2000, 4000],
        2 => [120, 240],
        _ => return None,
    };
    let log_det = subject.log_det().ok()?;
    if collides {
        let reason = "f is not injective: some x have several z, and p_Z(z)/|det J| is the share of one";
        return Some(Claim::new(Topic::Mass, statement, Evidence::NotProven { reason: reason.into() }));
    }
    let masses: Vec<f64> = cells
        .iter()
        .map(|n| if subject.d == 1 { line(subject, log_det, *n) } else { plane(subject, log_det, *n) })
        .collect();
    let mass = (4.0 * masses[1] - masses[0]) / 3.0;
    let off = (mass - 1.0).abs();
    let evidence = if off <= TOLERANCE {
        let points = cells[1].pow(subject.d as u32);
        Evidence::Checked { points, worst: off, tolerance: TOLERANCE, seed: None }
    } else if (masses[1] - masses[0]).abs() > 1e-3 || !mass.is_finite() {
        let reason = format!(
            "two grids give {} and {}: the quadrature does not settle",
            number(masses[0]),
            number(masses[1])
        );
        Evidence::NotProven { reason }
    } else {
        Evidence::Refuted { witness: format!("∫ p = {mass:.6}.") }
    };
    Some(Claim::new(Topic::Mass, statement, evidence))
}

const REACH: f64 = 8.0;

fn edge(k: usize, n: usize) -> f64 {
    -REACH + 2.0 * REACH * k as f64 / n as f64
}

/// ln p_Z of the base that is normal before `into` carries it into the domain.
fn base(u: f64, dz: f64) -> f64 {
    -0.5 * u * u - 0.5 * (2.0 * PI).ln() - dz.ln()
}

/// dz/du of `into`, by differences wide enough to be exact to the quadrature's order.
fn carried(subject: &Subject, u: f64) -> f64 {
    let h = 1e-4;
    (into(subject.domain, u + h) - into(subject.domain, u - h)) / (2.0 * h)
}

fn line(subject: &Subject, log_det: NodeId, n: usize) -> f64 {
    let at = |u: f64| into(subject.domain, u);
    let edges: Vec<f64> = (0..=n).map(|k| at(edge(k, n))).collect();
    let middles: Vec<f64> = (0..n).map(|k| 0.5 * (edge(k, n) + edge(k + 1, n))).collect();
    let x = subject.values(&[subject.x], &edges).swap_remove(0);
    let z: Vec<f64> = middles.iter().map(|u| at(*u)).collect();
    let log_dets = subject.values(&[log_det], &z).swap_remove(0);
    let cell = |k: usize| {
        let log_p = base(middles[k], carried(subject, middles[k])) - log_dets[k];
        log_p.exp() * (x[k + 1] - x[k]).abs()
    };
    (0..n).map(cell).sum()
}

fn plane(subject: &Subject, log_det: NodeId, n: usize) -> f64 {
    let at = |u: f64| into(subject.domain, u);
    let corners: Vec<f64> =
        (0..=n).flat_map(|i| (0..=n).flat_map(move |j| [edge(i, n), edge(j, n)])).map(at).collect();
    let x = subject.values(&[subject.x], &corners).swap_remove(0);
    let middle = |k: usize| 0.5 * (edge(k, n) + edge(k + 1, n));
    let middles: Vec<f64> = (0..n).flat_map(|i| (0..n).flat_map(move |j| [middle(i), middle(j)])).collect();
    let z: Vec<f64> = middles.iter().map(|u| at(*u)).collect();
    let log_dets = subject.values(&[log_det], &z).swap_remove(0);
    let corner = |i: usize, j: usize| {
        let place = 2 * (i * (n + 1) + j);
        (x[place], x[place + 1])
    };
    let stretch: Vec<f64> = (0..n).map(|k| carried(subject, middle(k))).collect();
    let mut mass = 0.0;
    for i in 0..n {
        for j in 0..n {
            let log_p = base(middle(i), stretch[i]) + base(middle(j), stretch[j]) - log_dets[i * n + j];
            let area =
                quadrilateral([corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)]);
            mass += log_p.exp() * area;
        }
    }
    mass
}

/// The area of a quadrilateral, by the shoelace formula.
fn quadrilateral(corners: [(f64, f64); 4]) -> f64 {
    let (a, b, c, d) = (corners[0], corners[1], corners[2], corners[3]);
    0.5 * ((c.0 - a.0) * (d.1 - b.1) - (d.0 - b.0) * (c.1 - a.1)).abs()
}
