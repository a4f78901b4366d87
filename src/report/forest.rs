//! A two-sample classifier: can rows be told from samples by a forest of decision trees?
//!
//! The pairs of a row and a sample are dealt into five folds. For each fold, 60 trees are grown from the pairs of the
//! others (Breiman, "Random forests", 2001): each tree from as many pairs drawn with replacement; each split is the best
//! by Gini's index of √d columns drawn at random, between 64 quantiles. The score of a point is the mean share of rows in
//! the leaves that it falls into, by trees that have not seen its pair. If the distributions are equal, no score can be
//! better than chance, whatever the trees are (Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", 2017).
//!
//! Trees see narrow clusters and spikes, which distances between standardised rows hardly feel.

use std::f64::consts::FRAC_1_SQRT_2;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::area::AreaUnderCurve;

const FOLDS: usize = 5;
const TREES: usize = 60;
/// Quantiles between which splits are looked for.
const BINS: usize = 64;
/// The fewest points of a leaf, and the most splits on the way to one.
const LEAST: u32 = 5;
const DEEPEST: usize = 16;

/// How well a forest tells rows from samples.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestClassifier {
    /// The area under the ROC curve of points that the trees have not seen.
    pub auc: AreaUnderCurve,
    /// The probability of so large an area by chance, by its normal distribution.
    pub p: f64,
    /// The part of each column in what the splits gain; they add up to 1.
    pub importance: Vec<f64>,
}

/// Points 2k and 2k + 1 are the pair k: a row and its sample; each has the number of a bin by column.
struct Points {
    width: usize,
    bins: Vec<u8>,
}

/// A node of a tree: a leaf with its share of rows, or a split.
enum Node {
    Leaf {
        share: f64,
    },
    /// Points whose bin is at most this go to the node `next`, others to the one after it.
    Split {
        column: usize,
        bin: u8,
        next: usize,
    },
}

impl ForestClassifier {
    /// Classifies rows and samples of `width` numbers, the k-th row paired with the k-th sample. Fewer than twenty pairs tell
    /// nothing: the area is ½ then, and p is 1.
    ///
    /// ```
    /// use pushforward::report::ForestClassifier;
    ///
    /// let wave = |shift: f64| (0..200).map(|k| (f64::from(k) + shift).sin()).collect::<Vec<_>>();
    /// let moved: Vec<f64> = wave(0.5).iter().map(|x| x + 3.0).collect();
    /// assert_eq!(ForestClassifier::of_pairs(&wave(0.0), &moved, 1, 7).auc.area, 1.0);
    /// ```
    ///
    /// # Panics
    /// When there are not as many samples as rows.
    pub fn of_pairs(rows: &[f64], samples: &[f64], width: usize, seed: u64) -> ForestClassifier {
        assert_eq!(rows.len(), samples.len(), "a row and a sample make a pair");
        let n = rows.len() / width.max(1);
        if n < 20 {
            let auc = AreaUnderCurve { area: 0.5, error: 0.0 };
            return ForestClassifier { auc, p: 1.0, importance: vec![0.0; width] };
        }
        let points = Points::of(rows, samples, width);
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut fold_of = vec![0; n];
        order.iter().enumerate().for_each(|(place, pair)| fold_of[*pair] = place % FOLDS);
        let trees: Vec<(usize, Vec<Node>, Vec<f64>)> = (0..FOLDS * TREES)
            .into_par_iter()
            .map(|tree| {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(tree as u64 + 1);
                let fold = tree % FOLDS;
                let known: Vec<usize> = (0..n).filter(|pair| fold_of[*pair] != fold).collect();
                let (nodes, gains) = points.tree(&known, &mut random);
                (fold, nodes, gains)
            })
            .collect();
        let mut scores = vec![0.0; 2 * n];
        let mut importance = vec![0.0; width];
        for (fold, nodes, gains) in &trees {
            for point in (0..2 * n).filter(|point| fold_of[point / 2] == *fold) {
                scores[point] += points.share(nodes, point);
            }
            importance.iter_mut().zip(gains).for_each(|(sum, gain)| *sum += gain);
        }
        let total: f64 = importance.iter().sum();
        importance.iter_mut().for_each(|gain| *gain /= if total > 0.0 { total } else { 1.0 });
        let of = |first: usize| scores.iter().skip(first).step_by(2).copied().collect::<Vec<f64>>();
        let auc = AreaUnderCurve::of_pairs(&of(0), &of(1));
        let p = match auc.error {
            0.0 if auc.area > 0.5 => 0.0,
            0.0 => 1.0,
            error => 0.5 * libm::erfc((auc.area - 0.5) / error * FRAC_1_SQRT_2),
        };
        ForestClassifier { auc, p, importance }
    }
}

impl Points {
    fn of(rows: &[f64], samples: &[f64], width: usize) -> Points {
        let n = rows.len() / width;
        let mut bins = vec![0; 2 * n * width];
        for column in 0..width {
            let value = |point: usize| match point % 2 {
                0 => rows[point / 2 * width + column],
                _ => samples[point / 2 * width + column],
            };
            let mut sorted: Vec<f64> = (0..2 * n).map(value).collect();
            sorted.sort_by(f64::total_cmp);
            let edges: Vec<f64> = (1..BINS).map(|k| sorted[k * 2 * n / BINS]).collect();
            for point in 0..2 * n {
                bins[point * width + column] = edges.partition_point(|edge| *edge <= value(point)) as u8;
            }
        }
        Points { width, bins }
    }

    /// Grows a tree from pairs drawn from these, and returns what the splits by each column gain.
    fn tree(&self, known: &[usize], random: &mut ChaCha8Rng) -> (Vec<Node>, Vec<f64>) {
        let mut points: Vec<u32> = Vec::with_capacity(2 * known.len());
        for _ in known {
            let pair = known[random.random_range(0..known.len())] as u32;
            points.extend([2 * pair, 2 * pair + 1]);
        }
        let mut gains = vec![0.0; self.width];
        let mut nodes = vec![Node::Leaf { share: 0.5 }];
        let mut open = vec![(0, 0, points.len(), 0)];
        let mut columns: Vec<usize> = (0..self.width).collect();
        let tried = (self.width as f64).sqrt().ceil() as usize;
        while let Some((node, from, to, depth)) = open.pop() {
            let own = &mut points[from..to];
            let rows = own.iter().filter(|point| *point % 2 == 0).count();
            nodes[node] = Node::Leaf { share: rows as f64 / own.len() as f64 };
            if depth == DEEPEST || rows == 0 || rows == own.len() {
                continue;
            }
            columns.shuffle(random);
            let splits = columns[..tried].iter().filter_map(|column| self.split(own, *column));
            let Some(best) = splits.max_by(|a, b| a.gain.total_cmp(&b.gain)).filter(|best| best.gain > 0.0)
            else {
                continue;
            };
            gains[best.column] += best.gain;
            let bin = |point: u32| self.bins[point as usize * self.width + best.column];
            // Those that go left come first; their order changes nothing.
            let mut middle = 0;
            for place in 0..own.len() {
                if bin(own[place]) <= best.bin {
                    own.swap(place, middle);
                    middle += 1;
                }
            }
            let next = nodes.len();
            nodes[node] = Node::Split { column: best.column, bin: best.bin, next };
            nodes.extend([Node::Leaf { share: 0.5 }, Node::Leaf { share: 0.5 }]);
            open.extend([(next, from, from + middle, depth + 1), (next + 1, from + middle, to, depth + 1)]);
        }
        (nodes, gains)
    }

    /// The best split of points by a column, if leaves have enough points.
    fn split(&self, points: &[u32], column: usize) -> Option<Split> {
        let mut counts = [[0_u32; 2]; BINS];
        for point in points {
            let bin = self.bins[*point as usize * self.width + column];
            counts[usize::from(bin)][(*point % 2) as usize] += 1;
        }
        let all = counts.iter().fold([0, 0], |sum, count| [sum[0] + count[0], sum[1] + count[1]]);
        // Gini's impurity times the number of points, up to what all splits share.
        let purity = |[rows, samples]: [u32; 2]| {
            (f64::from(rows).powi(2) + f64::from(samples).powi(2)) / f64::from(rows + samples)
        };
        let mut left = [0, 0];
        let mut best: Option<Split> = None;
        for (bin, count) in counts[..BINS - 1].iter().enumerate() {
            left = [left[0] + count[0], left[1] + count[1]];
            let right = [all[0] - left[0], all[1] - left[1]];
            if left[0] + left[1] < LEAST || right[0] + right[1] < LEAST {
                continue;
            }
            let gain = purity(left) + purity(right) - purity(all);
            if best.as_ref().is_none_or(|best| gain > best.gain) {
                best = Some(Split { column, bin: bin as u8, gain });
            }
        }
        best
    }

    /// The share of rows in the leaf of a point.
    fn share(&self, nodes: &[Node], point: usize) -> f64 {
        let mut at = 0;
        loop {
            match &nodes[at] {
                Node::Leaf { share } => return *share,
                Node::Split { column, bin, next } => {
                    at = next + usize::from(self.bins[point * self.width + column] > *bin);
                }
            }
        }
    }
}

struct Split {
    column: usize,
    bin: u8,
    gain: f64,
}
