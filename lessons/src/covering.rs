//! How often a map of the plane covers a point: the number of x with the same z.
//!
//! A square of the x-plane is split into triangles and their corners are mapped; each triangle whose image
//! contains z has one x with that z, as far as the map is linear within a triangle. A bijection covers each
//! point once. A map that folds covers some points three times, and ∫ p_Z(g(x))·|det J_g(x)| dx is the mean
//! of this number under p_Z (the area formula: Evans and Gariepy, "Measure Theory and Fine Properties of
//! Functions", section 3.3).

use std::ops::Range;

/// A square around 0, divided into square cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    reach: f64,
    cells: usize,
}

impl Grid {
    /// Builds the square from -`reach` to `reach` on both axes, with `cells` cells along each.
    pub const fn new(reach: f64, cells: usize) -> Grid {
        Grid { reach, cells }
    }

    /// Number of cells along a side.
    pub fn cells(self) -> usize {
        self.cells
    }

    /// The two ends of a side.
    pub fn ends(self) -> (f64, f64) {
        (-self.reach, self.reach)
    }

    /// The area of a cell.
    pub fn area(self) -> f64 {
        (2.0 * self.reach / self.cells as f64).powi(2)
    }

    /// Returns the midpoints of the cells as pairs, row by row from below.
    pub fn middles(self) -> Vec<f64> {
        self.points(self.cells, 0.5)
    }

    /// Returns the corners of the cells as pairs, row by row from below.
    pub fn corners(self) -> Vec<f64> {
        self.points(self.cells + 1, 0.0)
    }

    fn points(self, side: usize, shift: f64) -> Vec<f64> {
        let at = |k: usize| self.reach * (2.0 * (k as f64 + shift) / self.cells as f64 - 1.0);
        (0..side * side).flat_map(|k| [at(k % side), at(k / side)]).collect()
    }

    /// Returns the indices of the midpoints between the smallest and the largest of three coordinates.
    fn between(self, coordinates: [f64; 3]) -> Range<usize> {
        let place = |value: f64| (value / self.reach + 1.0) * 0.5 * self.cells as f64 - 0.5;
        let least = coordinates.into_iter().fold(f64::INFINITY, f64::min);
        let largest = coordinates.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let end = (place(largest).floor() + 1.0).clamp(0.0, self.cells as f64);
        place(least).ceil().max(0.0) as usize..end as usize
    }
}

/// Counts for each midpoint of `places` how many x in the grid's square map to it; `images` are the images of
/// the grid's corners.
///
/// # Panics
/// When the number of images differs from the number of corners.
pub fn coverings(grid: Grid, images: &[f64], places: Grid) -> Vec<usize> {
    let side = grid.cells + 1;
    assert_eq!(images.len(), 2 * side * side, "each corner of the grid has one image of two coordinates");
    let (middles, mut counts) = (places.middles(), vec![0; places.cells * places.cells]);
    for low in (0..grid.cells * grid.cells).map(|cell| cell / grid.cells * side + cell % grid.cells) {
        for corners in [[low, low + 1, low + side], [low + side + 1, low + side, low + 1]] {
            let triangle = corners.map(|k| [images[2 * k], images[2 * k + 1]]);
            for i in places.between(triangle.map(|corner| corner[1])) {
                for j in places.between(triangle.map(|corner| corner[0])) {
                    let place = i * places.cells + j;
                    let z = [middles[2 * place], middles[2 * place + 1]];
                    counts[place] += usize::from(holds(triangle, z));
                }
            }
        }
    }
    counts
}

/// Returns whether a point lies inside a triangle of any orientation. A point on an edge belongs to exactly
/// one of the two triangles that share the edge.
fn holds([a, b, c]: [[f64; 2]; 3], z: [f64; 2]) -> bool {
    let (b, c) = if left_of(a, b, c) < 0.0 { (c, b) } else { (b, c) };
    [(a, b), (b, c), (c, a)].into_iter().all(|(from, to)| {
        let left = left_of(from, to, z);
        left > 0.0 || (left == 0.0 && from < to)
    })
}

/// Positive where z is to the left of the line from one point to the other; exactly negated if the points are
/// swapped.
fn left_of(from: [f64; 2], to: [f64; 2], z: [f64; 2]) -> f64 {
    if to < from {
        return -left_of(to, from, z);
    }
    (to[0] - from[0]) * (z[1] - from[1]) - (to[1] - from[1]) * (z[0] - from[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(map: impl Fn(f64, f64) -> [f64; 2]) -> Vec<usize> {
        let grid = Grid::new(3.0, 97);
        let images: Vec<f64> = grid.corners().chunks(2).flat_map(|x| map(x[0], x[1])).collect();
        coverings(grid, &images, Grid::new(1.0, 20))
    }

    #[test]
    fn a_bijection_covers_every_point_once() {
        assert!(counted(|a, b| [a + 0.3 * b.sin(), b]).iter().all(|count| *count == 1));
        assert!(counted(|a, b| [b, a]).iter().all(|count| *count == 1), "mirrored");
    }

    #[test]
    fn a_square_of_complex_numbers_covers_every_point_twice() {
        assert!(counted(|a, b| [a * a - b * b, 2.0 * a * b]).iter().all(|count| *count == 2));
    }

    #[test]
    fn what_is_folded_covers_three_times_where_it_overlaps() {
        // z₁ = x₁³ - x₁: three x₁ where |z₁| < 2/√27.
        let counts = counted(|a, b| [a * a * a - a, b]);
        let places = Grid::new(1.0, 20).middles();
        for (z, count) in places.chunks(2).zip(counts) {
            assert_eq!(count, if z[0].abs() < 2.0 / 27f64.sqrt() { 3 } else { 1 }, "z₁ = {}", z[0]);
        }
    }
}
