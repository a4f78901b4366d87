//! Densities compared by cross-validation: each row is scored by a fit that did not see it.

use pushforward::model::{Choice, CompareOptions, Comparison, deal_groups};
use pushforward::prelude::Table;
use pushforward::table::{Block, Kinds, Look};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::fitted::normal;

fn block(values: Vec<f64>, names: &[&str]) -> (Block, Look) {
    let block = Block::from(&Table::new(names, values).unwrap());
    let look = Look::of(&block, &Kinds::new()).unwrap();
    (block, look)
}

fn compare(values: Vec<f64>, names: &[&str], choices: &[Choice]) -> Comparison {
    let (block, look) = block(values, names);
    let options = CompareOptions { choices: choices.to_vec(), ..CompareOptions::default() };
    Comparison::of(&block, &look, options).unwrap()
}

#[test]
fn a_gaussian_scores_each_fold_by_the_moments_of_the_others() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let values: Vec<f64> = (0..200).map(|_| 5.0 + 2.0 * normal(&mut random)).collect();
    let (block, look) = block(values.clone(), &["x"]);
    let options =
        CompareOptions { choices: vec![Choice::Gaussian], folds: 4, seed: 3, ..CompareOptions::default() };
    let found = Comparison::of(&block, &look, options).unwrap();
    // By hand, from all rows of the other folds.
    let fold_of = deal_groups(&look.groups, 4, 3);
    let mut logs = Vec::new();
    for fold in 0..4 {
        let training: Vec<usize> = (0..200).filter(|row| fold_of[*row] != fold).collect();
        let kept: Vec<f64> = training.iter().map(|row| values[*row]).collect();
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        let variance = kept.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / kept.len() as f64;
        for row in (0..200).filter(|row| fold_of[*row] == fold) {
            let square = (values[row] - mean).powi(2) / variance;
            logs.push(-0.5 * square - 0.5 * (std::f64::consts::TAU * variance).ln());
        }
    }
    let mean = logs.iter().sum::<f64>() / 200.0;
    let square: f64 = logs.iter().map(|log| (log - mean).powi(2)).sum();
    let only = &found.densities[0];
    assert!((only.mean - mean).abs() < 1e-4, "{} {mean}", only.mean);
    assert!((only.error - (square / 199.0 / 200.0).sqrt()).abs() < 1e-4);
    assert_eq!((only.difference, only.difference_error, found.rows, found.best), (0.0, 0.0, 200, 0));
}

#[test]
fn two_clusters_are_a_mixture_and_the_paired_error_is_the_smaller_one() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let values = (0..400)
        .flat_map(|k| {
            let side = if k % 2 == 0 { 1.5 } else { -1.5 };
            [side + 0.5 * normal(&mut random), normal(&mut random)]
        })
        .collect();
    let found = compare(values, &["x", "y"], &[Choice::Gaussian, Choice::Mixture]);
    assert_eq!((found.best, found.folds, found.impossible), (1, 5, 0));
    let gaussian = &found.densities[0];
    assert!(gaussian.difference < -5.0 * gaussian.difference_error, "{gaussian:?}");
    assert!(gaussian.difference_error < 0.8 * gaussian.error, "{gaussian:?}");
    let difference = gaussian.mean - found.densities[1].mean;
    assert!((gaussian.difference - difference).abs() < 1e-12);
}

#[test]
fn a_row_of_weight_2_is_as_good_as_two_of_them_and_one_of_weight_0_as_none() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let values: Vec<f64> = (0..150).map(|_| 2.0 + normal(&mut random)).collect();
    let weights: Vec<f64> = (0..150).map(|row| f64::from(row % 3)).collect();
    let compared = |values: Vec<f64>, weights: Option<&[f64]>| {
        let (block, look) = block(values, &["x"]);
        let choices = vec![Choice::Gaussian, Choice::Mixture];
        let options = CompareOptions { choices, folds: 4, seed: 3, weights, ..CompareOptions::default() };
        Comparison::of(&block, &look, options).unwrap()
    };
    let found = compared(values.clone(), Some(&weights));
    // By hand: weighted moments of the other folds, and weighted means.
    let (block, look) = block(values.clone(), &["x"]);
    let fold_of = deal_groups(&look.groups, 4, 3);
    let (mut sum, mut squares, mut total) = (0.0, 0.0, 0.0);
    let mut logs = vec![0.0; 150];
    for fold in 0..4 {
        let of = |value: &dyn Fn(usize) -> f64| {
            (0..150).filter(|row| fold_of[*row] != fold).map(|row| weights[row] * value(row)).sum::<f64>()
        };
        let count = of(&|_| 1.0);
        let mean = of(&|row| values[row]) / count;
        let variance = of(&|row| (values[row] - mean).powi(2)) / count;
        for row in (0..150).filter(|row| fold_of[*row] == fold) {
            let square = (values[row] - mean).powi(2) / variance;
            logs[row] = -0.5 * square - 0.5 * (std::f64::consts::TAU * variance).ln();
            sum += weights[row] * logs[row];
            total += weights[row];
        }
    }
    for row in 0..150 {
        squares += (weights[row] * (logs[row] - sum / total)).powi(2);
    }
    let gaussian = &found.densities[0];
    assert_eq!((found.rows, found.impossible), (100, 0));
    assert!((gaussian.mean - sum / total).abs() < 1e-4, "{} {}", gaussian.mean, sum / total);
    let error = (squares * 100.0 / 99.0).sqrt() / total;
    assert!((gaussian.error - error).abs() < 1e-4, "{} {error}", gaussian.error);
    // Weights that are equal change nothing, of any density.
    let (plain, equal) = (compared(values.clone(), None), compared(values, Some(&[3.0; 150])));
    for (plain, equal) in plain.densities.iter().zip(&equal.densities) {
        assert!((plain.mean - equal.mean).abs() < 1e-6, "{plain:?} {equal:?}");
        assert!((plain.error - equal.error).abs() < 1e-6, "{plain:?} {equal:?}");
    }
    let options = CompareOptions { weights: Some(&[1.0]), ..CompareOptions::default() };
    let error = Comparison::of(&block, &look, options).unwrap_err().to_string();
    assert_eq!(error, "a comparison needs one weight for each row");
}

#[test]
fn equal_rows_are_in_one_fold_and_folds_are_of_one_size() {
    let groups: Vec<usize> = (0..300).map(|row| if row < 30 { row / 10 } else { row }).collect();
    for seed in 0..10 {
        let folds = deal_groups(&groups, 7, seed);
        assert!((0..30).all(|row| folds[row] == folds[row / 10 * 10]), "{folds:?}");
        let size = |fold: usize| folds.iter().filter(|other| **other == fold).count();
        let sizes: Vec<usize> = (0..7).map(size).collect();
        assert!(sizes.iter().all(|size| (40..=52).contains(size)), "{sizes:?}");
    }
    assert_eq!(deal_groups(&groups, 7, 1), deal_groups(&groups, 7, 1));
    assert_ne!(deal_groups(&groups, 7, 1), deal_groups(&groups, 7, 2));
}

#[test]
fn what_cannot_be_compared_is_said() {
    let (block, look) = block((0..40).map(|k| f64::from(k % 3)).collect(), &["x"]);
    let refused =
        |options: CompareOptions<'_>| Comparison::of(&block, &look, options).unwrap_err().to_string();
    let none = refused(CompareOptions { choices: Vec::new(), ..CompareOptions::default() });
    assert_eq!(none, "there is no density to compare");
    assert!(refused(CompareOptions { folds: 1, ..CompareOptions::default() }).contains("two folds"));
    assert_eq!(refused(CompareOptions::default()), "there are too few different rows for 5 folds");
    let (block, look) = self::block((0..100).map(|k| f64::from(k).sin()).collect(), &["x"]);
    let stop = || true;
    let options = CompareOptions { stop: Some(&stop), ..CompareOptions::default() };
    let stopped = Comparison::of(&block, &look, options).unwrap_err().to_string();
    assert!(stopped.contains("stopped before all densities were fitted once"), "{stopped}");
}

#[test]
fn a_comparison_tells_where_it_is_and_ends_with_the_folds_that_are_done() {
    let (block, look) = block((0..200).map(|k| f64::from(k).sin()).collect(), &["x"]);
    let (fits, done) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let mut progress = |at: pushforward::model::Comparing<'_>| {
        fits.set(at.fits);
        done.set(at.done);
    };
    let stop = || done.get() >= 3;
    let options = CompareOptions {
        choices: vec![Choice::Gaussian, Choice::Mixture],
        folds: 4,
        progress: Some(&mut progress),
        stop: Some(&stop),
        ..CompareOptions::default()
    };
    let found = Comparison::of(&block, &look, options).unwrap();
    assert_eq!((fits.get(), found.folds, found.rows), (8, 1, 50));
}
