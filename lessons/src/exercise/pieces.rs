//! Whether a map of (0, 1) covers its target distribution exactly once.
//!
//! z is uniform on (0, 1), and x = f(z) is to have a density with the distribution function F. Where the
//! slope of f is right, F(x) rises or falls at the rate of z. So F(f(z)) along (0, 1) consists of pieces of
//! slope 1 or -1; f is right if these pieces cover (0, 1) without overlap.

/// The intervals on which F(x) changes at the rate of z, with both ends, in ascending order.
#[derive(Clone, Debug, PartialEq)]
pub struct Pieces(Vec<[f64; 2]>);

impl Pieces {
    /// Builds the pieces of F(f(z)) at these z, in order. A piece ends where the function jumps or changes
    /// direction.
    pub fn of(line: &[f64], shares: &[f64]) -> Pieces {
        let mut pieces: Vec<[f64; 2]> = Vec::new();
        let (mut from, mut sense) = (0, 0.0);
        for k in 1..=line.len() {
            let ended = k == line.len() || {
                let (run, rise) = (line[k] - line[k - 1], shares[k] - shares[k - 1]);
                let turned = run > 1e-7 && sense != 0.0 && rise * sense < 0.0;
                if run > 1e-7 {
                    sense = rise.signum();
                }
                turned || (rise.abs() - run).abs() > 1e-6 * run + 1e-12
            };
            if ended {
                let (a, b) = (shares[from], shares[k - 1]);
                pieces.push([a.min(b), a.max(b)]);
                (from, sense) = (k, 0.0);
            }
        }
        pieces.retain(|[low, high]| high - low > 1e-9);
        pieces.sort_by(|a, b| a[0].total_cmp(&b[0]));
        Pieces(pieces)
    }

    /// The ends of the pieces.
    pub fn ends(&self) -> &[[f64; 2]] {
        &self.0
    }

    /// Returns a value that two pieces cover.
    pub fn twice(&self) -> Option<f64> {
        let pair = self.0.windows(2).find(|pair| pair[1][0] < pair[0][1] - 1e-7)?;
        Some(0.5 * (pair[1][0] + pair[0][1].min(pair[1][1])))
    }

    /// Returns whether the pieces cover (0, 1), provided that no two overlap.
    pub fn fill(&self) -> bool {
        self.0.iter().map(|[low, high]| high - low).sum::<f64>() >= 1.0 - 1e-6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(share: impl Fn(f64) -> f64) -> Pieces {
        let line: Vec<f64> = (0..2000).map(|k| (f64::from(k) + 0.5) / 2000.0).collect();
        let line: Vec<f64> = [1e-8].into_iter().chain(line).chain([1.0 - 1e-8]).collect();
        Pieces::of(&line, &line.iter().map(|z| share(*z)).collect::<Vec<_>>())
    }

    #[test]
    fn one_piece_that_rises_or_falls_fills_it() {
        for pieces in [followed(|z| z), followed(|z| 1.0 - z)] {
            assert_eq!((pieces.ends().len(), pieces.twice(), pieces.fill()), (1, None, true));
        }
    }

    #[test]
    fn two_pieces_that_overlap_are_told() {
        let pieces = followed(|z| 0.25 + (z - 0.5).abs());
        assert!(pieces.twice().is_some_and(|share| (0.25..0.75).contains(&share)), "{pieces:?}");
    }

    #[test]
    fn a_part_that_is_left_out_is_told() {
        assert!(!followed(|z| 0.5 * z).fill());
    }
}
