//! Densities of tables: kinds of columns, rounded values, given columns, mixtures, and what a fit keeps.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use pushforward::audit::{AuditOptions, Topic, audit_with};
use pushforward::base::MixtureOptions;
use pushforward::model::{Choice, Model, ModelOptions, Reading, Recipe, Trying, draw_groups};
use pushforward::prelude::*;
use pushforward::table::{Block, Cells, Column, Kinds, Look};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fitted::{fit, normal};
use crate::table_files::block as numbers;

/// ∫ p over an interval, by the midpoint rule.
fn mass(model: &Model, (from, to): (f64, f64), points: usize) -> f64 {
    let step = (to - from) / points as f64;
    let values: Vec<f64> = (0..points).map(|k| from + (k as f64 + 0.5) * step).collect();
    let name = model.columns()[0].name.clone();
    let scores = model.score(&numbers(&[(&name, values)])).unwrap();
    scores.into_iter().map(|score| score.unwrap().log_prob.exp() * step).sum()
}

#[test]
fn a_density_in_the_units_of_the_file_integrates_to_1_for_each_kind_of_column() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let values: Vec<f64> = (0..400).map(|_| (0.7 * normal(&mut random)).exp()).collect();
    let logit = |x: &f64| 1.0 / (1.0 + (-2.0 * x.ln()).exp());
    let cases = [
        ("x=real", values.clone(), (-60.0, 80.0)),
        ("x=positive", values.clone(), (0.0, 200.0)),
        ("x=bounded:-3..5", values.iter().map(|x| -3.0 + 8.0 * logit(x)).collect(), (-3.0, 5.0)),
        ("x=circular:360", values.iter().map(|x| 360.0 * logit(x)).collect(), (0.0, 360.0)),
    ];
    for (kinds, values, interval) in cases {
        for choice in [Choice::Gaussian, Choice::Mixture] {
            let model = fit(&numbers(&[("x", values.clone())]), kinds, choice, &[]);
            let mass = mass(&model, interval, 200_000);
            assert!((mass - 1.0).abs() < 1e-3, "{kinds} {choice:?}: {mass}");
        }
    }
}

#[test]
fn a_gaussian_of_positive_columns_is_the_log_normal_distribution() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let values: Vec<f64> = (0..500).map(|_| (1.0 + 0.5 * normal(&mut random)).exp()).collect();
    let block = numbers(&[("x", values.clone())]);
    let model = fit(&block, "x=positive", Choice::Gaussian, &[]);
    // By hand, from all rows: in the end it is fitted to those that were held out, too.
    let logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / logs.len() as f64;
    for (value, score) in values.iter().zip(model.score(&block).unwrap()) {
        let l = value.ln();
        let exact = -0.5 * (l - mean).powi(2) / variance - 0.5 * (std::f64::consts::TAU * variance).ln() - l;
        // The ridge of the mixture is a millionth of the variance.
        assert!((score.unwrap().log_prob - exact).abs() < 1e-4, "{value}");
    }
    let zero = model.score(&numbers(&[("x", vec![0.0, -1.0])])).unwrap();
    assert!(zero.iter().all(|score| score.unwrap().log_prob == f64::NEG_INFINITY), "outside of the support");
}

#[test]
fn a_rounded_value_has_the_mean_density_of_its_cell() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let values: Vec<f64> = (0..2000).map(|_| (2.0 * normal(&mut random)).round()).collect();
    let model = fit(&numbers(&[("x", values)]), "x=integer", Choice::Gaussian, &[]);
    assert_eq!(model.columns()[0].cell, 1.0);
    let (_, flow) = model.flows().next().unwrap();
    for value in [-3.0, 0.0, 4.0] {
        let score = model.score(&numbers(&[("x", vec![value])])).unwrap()[0].unwrap();
        let points: Vec<f64> = (0..10_000).map(|k| value - 0.5 + (f64::from(k) + 0.5) / 10_000.0).collect();
        let exact = flow.log_prob(&points).unwrap().into_iter().map(f64::exp).sum::<f64>() / 10_000.0;
        let difference = (score.log_prob - exact.ln()).abs();
        assert!(difference < 1e-3 && difference < score.error, "{value}: {score:?} {}", exact.ln());
    }
    // Probabilities of the integers sum to 1, and samples are integers.
    let all = numbers(&[("x", (-30..=30).map(f64::from).collect())]);
    let total: f64 = model.score(&all).unwrap().into_iter().map(|score| score.unwrap().log_prob.exp()).sum();
    assert!((total - 1.0).abs() < 1e-3, "{total}");
    assert!(
        model
            .sample(200, None, 1)
            .unwrap()
            .numbers()
            .unwrap()
            .values()
            .iter()
            .all(|value| value.fract() == 0.0)
    );
}

#[test]
fn rounded_values_with_limits_have_their_mass_and_their_samples_within_them() {
    let mut random = ChaCha8Rng::seed_from_u64(21);
    let mut values =
        |f: &dyn Fn(f64) -> f64| -> Vec<f64> { (0..600).map(|_| f(normal(&mut random))).collect() };
    let cases = [
        ("x=integer:1..", 1.0, values(&|z| 1.0 + (1.5 * (0.6 * z).exp()).floor()), 1.0, f64::INFINITY),
        ("x=rounded:0.5:positive", 0.5, values(&|z| (2.0 * z.exp()).ceil() / 2.0), 0.5, f64::INFINITY),
        ("x=integer:1..5", 1.0, values(&|z| (3.8 + 1.2 * z).round().clamp(1.0, 5.0)), 1.0, 5.0),
    ];
    for (kinds, step, values, least, most) in cases {
        for choice in [Choice::Gaussian, Choice::Autoregressive] {
            let model = fit(&numbers(&[("x", values.clone())]), kinds, choice, &[]);
            let drawn = model.sample(2000, None, 1).unwrap().numbers().unwrap();
            for value in drawn.values() {
                assert!(
                    *value >= least && *value <= most && (value / step).fract() == 0.0,
                    "{kinds} {value}"
                );
            }
            // The cells share all of the mass, and nothing is outside.
            let cells: Vec<f64> = (-4..=400).map(|k| f64::from(k) * step).collect();
            let scores = model.score(&numbers(&[("x", cells.clone())])).unwrap();
            let total: f64 = scores.iter().map(|score| score.unwrap().log_prob.exp() * step).sum();
            assert!((total - 1.0).abs() < 0.02, "{kinds} {choice:?}: {total}");
            for (cell, score) in cells.iter().zip(&scores) {
                let is_possible = (least..=most).contains(cell);
                assert!(is_possible || score.unwrap().log_prob == f64::NEG_INFINITY, "{kinds} {cell}");
            }
            let loaded = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
            assert_eq!(loaded.score(&numbers(&[("x", cells)])).unwrap(), scores);
            assert!(audit(model.flows().next().unwrap().1.flow().bijection()).unwrap().has_no_refutation());
        }
    }
}

#[test]
fn the_held_out_likelihood_is_that_of_categories_too() {
    // Eight levels of equal share that x says nothing of: ln p of both is that of x less ln 8.
    let mut random = ChaCha8Rng::seed_from_u64(22);
    let x: Vec<f64> = (0..800).map(|_| normal(&mut random)).collect();
    let level = (0..800).map(|k| Some(format!("L{}", k % 8))).collect();
    let columns = vec![
        Column { name: "x".to_string(), cells: Cells::Numbers(x) },
        Column { name: "g".to_string(), cells: Cells::Text(level) },
    ];
    let block = Block::new(columns, (2..802).collect()).unwrap();
    let model = fit(&block, "g=category", Choice::Autoregressive, &[]);
    let truth = -0.5 * std::f64::consts::TAU.ln() - 0.5 - 8.0_f64.ln();
    let record = model.fit_record();
    assert!((record.score - truth).abs() < 0.25, "{} {truth}", record.score);
    assert_eq!(record.candidates[0].held_out, record.score);
    let scores = model.score(&block).unwrap();
    let mean = scores.iter().map(|score| score.unwrap().log_prob).sum::<f64>() / 800.0;
    assert!((record.score - mean).abs() < 0.3, "{} {mean}", record.score);
}

#[test]
fn given_values_that_cannot_be_are_said_by_name() {
    let mut random = ChaCha8Rng::seed_from_u64(23);
    let a: Vec<f64> = (0..300).map(|_| normal(&mut random)).collect();
    let b: Vec<f64> = a.iter().map(|a| (a + 0.3 * normal(&mut random)).exp()).collect();
    let c: Vec<f64> = a.iter().map(|a| (3.0 * (0.5 * a).exp()).floor()).collect();
    let kinds = "a=real,b=positive,c=integer:0..";
    let model = fit(&numbers(&[("a", a), ("b", b), ("c", c)]), kinds, Choice::Autoregressive, &[]);
    let refused = |name: &str, value: f64| {
        model.sample(1, Some(&numbers(&[(name, vec![value])])), 1).unwrap_err().to_string()
    };
    assert_eq!(refused("b", -5.0), "`b` is -5; it must be above 0");
    assert_eq!(refused("c", -1.0), "`c` is -1; it must be 0 or above");
    let far = refused("a", 1e9);
    assert!(far.starts_with("`a` is 1000000000, so far from the rows of the fit"), "{far}");
    // A row is impossible for the same reason.
    let rows = numbers(&[("a", vec![0.0, 0.0]), ("b", vec![1.0, 1.0]), ("c", vec![-1.0, 2.0])]);
    let scores = model.score(&rows).unwrap();
    assert_eq!(scores[0].unwrap().log_prob, f64::NEG_INFINITY);
    assert!(scores[1].unwrap().log_prob.is_finite());
    let explained = model.explain(&rows, 3).unwrap().remove(0).unwrap();
    let first = &explained.reasons[0];
    assert_eq!(
        (first.column.as_str(), first.value, first.outside.as_deref()),
        ("c", -1.0, Some("0 or above"))
    );
    assert!(first.expected.is_some_and(|expected| (1.0..6.0).contains(&expected.median)), "{first:?}");
}

#[test]
fn one_value_far_out_is_blamed_and_others_are_expected_without_it() {
    // c follows from a and b; d from nothing.
    let mut random = ChaCha8Rng::seed_from_u64(24);
    let a: Vec<f64> = (0..800).map(|_| normal(&mut random)).collect();
    let b: Vec<f64> = a.iter().map(|a| 0.8 * a + 0.6 * normal(&mut random)).collect();
    let c: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + b + 0.2 * normal(&mut random)).collect();
    let d: Vec<f64> = (0..800).map(|_| normal(&mut random)).collect();
    let block = numbers(&[("a", a), ("b", b), ("c", c), ("d", d)]);
    for choice in [Choice::Gaussian, Choice::Autoregressive] {
        let model = fit(&block, "", choice, &[]);
        for (column, place) in [("a", 0), ("b", 1), ("c", 2), ("d", 3)] {
            let mut row = [0.1, 0.2, 0.3, 0.4];
            row[place] = -400.0;
            let named: Vec<(&str, Vec<f64>)> =
                ["a", "b", "c", "d"].into_iter().zip(row).map(|(name, value)| (name, vec![value])).collect();
            let explained = model.explain(&numbers(&named), 4).unwrap().remove(0).unwrap();
            assert_eq!(
                (explained.reasons[0].column.as_str(), explained.reasons[0].rank),
                (column, Some(0.0))
            );
            for reason in &explained.reasons[1..] {
                let expected = reason.expected.unwrap();
                assert!(
                    expected.lower > -6.0 && expected.upper < 6.0 && expected.tail > 0.02,
                    "{choice:?} {column}: {reason:?}"
                );
                assert!(reason.rank.unwrap() > 0.005, "{choice:?} {column}: {reason:?}");
            }
        }
    }
}

#[test]
fn a_category_that_was_exchanged_is_named_with_what_it_would_be() {
    let mut random = ChaCha8Rng::seed_from_u64(25);
    let level = |k: usize| ["low", "middle", "high"][k % 3];
    let column = |f: &mut dyn FnMut(usize) -> f64| Cells::Numbers((0..600).map(f).collect());
    let x = column(&mut |k| 6.0 * (k % 3) as f64 + normal(&mut random));
    let y = column(&mut |k| -4.0 * (k % 3) as f64 + normal(&mut random));
    let of = |x: Cells, y: Cells, levels: Vec<&str>| {
        let lines = (2..levels.len() as u64 + 2).collect();
        let texts = Cells::Text(levels.into_iter().map(|level| Some(level.to_string())).collect());
        let columns = [("x", x), ("y", y), ("g", texts)];
        let named = |(name, cells): (&str, Cells)| Column { name: name.to_string(), cells };
        Block::new(columns.map(named).to_vec(), lines).unwrap()
    };
    let block = of(x, y, (0..600).map(level).collect());
    let model = fit(&block, "g=category", Choice::Autoregressive, &[]);
    let rows = of(
        Cells::Numbers(vec![12.0, 12.0, 0.0]),
        Cells::Numbers(vec![-8.0, -8.0, 0.0]),
        vec!["low", "high", "none"],
    );
    let explained = model.explain(&rows, 2).unwrap();
    let levels = &explained[0].as_ref().unwrap().levels;
    assert_eq!((levels[0].level.as_str(), levels[0].expected.as_str()), ("low", "high"));
    assert!(levels[0].probability < 1e-3 && levels[0].expected_probability > 0.99, "{levels:?}");
    // With the right level the numbers are as they are.
    assert!(explained[0].as_ref().unwrap().reasons.iter().all(|reason| reason.rank.unwrap() > 0.005));
    assert!(explained[1].as_ref().unwrap().levels.is_empty());
    let unknown = &explained[2].as_ref().unwrap().levels[0];
    assert_eq!(
        (unknown.level.as_str(), unknown.probability, unknown.expected.as_str()),
        ("none", 0.0, "low")
    );
    let refused = model.sample(1, Some(&of_level("none")), 1).unwrap_err().to_string();
    assert_eq!(refused, "`g` is `none`, which no row of the fit was; the levels are: high, low, middle");
}

fn of_level(level: &str) -> Block {
    let cells = Cells::Text(vec![Some(level.to_string())]);
    Block::new(vec![Column { name: "g".to_string(), cells }], vec![1]).unwrap()
}

#[test]
fn quantiles_of_a_circle_count_from_its_cut() {
    // Around north: the quantiles of the wind are 340 to 20, and not 2 to 358.
    let mut random = ChaCha8Rng::seed_from_u64(26);
    let wind: Vec<f64> = (0..500).map(|_| (12.0 * normal(&mut random)).rem_euclid(360.0)).collect();
    let x: Vec<f64> = (0..500).map(|_| normal(&mut random)).collect();
    let kinds = "wind=circular:360,x=real";
    let model = fit(&numbers(&[("wind", wind), ("x", x)]), kinds, Choice::Gaussian, &[]);
    let table = model.quantiles(&numbers(&[("x", vec![0.0])]), &[0.05, 0.95], 1).unwrap();
    let (lower, upper) = (table.row(0)[0], table.row(0)[1]);
    assert!((330.0..350.0).contains(&lower) && (10.0..30.0).contains(&upper), "{lower} {upper}");
}

#[test]
fn a_model_keeps_how_its_table_was_read() {
    let mut random = ChaCha8Rng::seed_from_u64(27);
    let block = numbers(&[("a", (0..100).map(|_| normal(&mut random)).collect())]);
    let look = Look::of(&block, &Kinds::new()).unwrap();
    let reading = Reading { missing_markers: vec!["-999".to_string()], columns: vec!["a".to_string()] };
    let options =
        ModelOptions { choice: Choice::Gaussian, reading: reading.clone(), ..ModelOptions::default() };
    let model = Model::fit(&block, &look, options).unwrap();
    let loaded = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(loaded.reading(), &reading);
    assert_eq!(loaded.kinds().to_string(), "a=real");
    // Files of older versions do not say it.
    let old = crate::model::forged(&model.to_bytes().unwrap(), |document| {
        document.pointer_mut("/table").unwrap().as_object_mut().unwrap().remove("reading").unwrap();
    });
    assert_eq!(Model::from_bytes(&old).unwrap().reading(), &Reading::default());
}

#[test]
fn ties_have_no_unbounded_density() {
    // Zero in half of the rows.
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let rain: Vec<f64> = (0..600)
        .map(|_| if random.random::<f64>() < 0.5 { 0.0 } else { (normal(&mut random)).exp() })
        .collect();
    let other: Vec<f64> = (0..600).map(|_| normal(&mut random)).collect();
    let block = numbers(&[("rain", rain), ("other", other)]);
    let model = fit(&block, "", Choice::Mixture, &[]);
    assert!(model.columns()[0].cell > 0.0);
    let most = model
        .score(&block)
        .unwrap()
        .into_iter()
        .map(|score| score.unwrap().log_prob)
        .fold(f64::MIN, f64::max);
    // Half of the mass in a cell is a density of half its inverse width, times that of the other column.
    assert!(most < -(2.0 * model.columns()[0].cell).ln() + 1.0, "{most}");
}

#[test]
fn ties_in_a_positive_column_have_cells_of_its_logarithm() {
    // A price list: log-normal, in thousands, and a tenth of the rows has one price.
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let prices: Vec<f64> =
        (0..1000).map(|k| if k % 10 == 0 { 2000.0 } else { (7.0 + normal(&mut random)).exp() }).collect();
    let block = numbers(&[("price", prices.clone())]);
    let model = fit(&block, "price=positive", Choice::Gaussian, &[]);
    let column = &model.columns()[0];
    assert!(column.cell > 0.0 && column.cell < 0.01, "{}", column.cell);
    assert!((mass(&model, (0.0, 400_000.0), 40_000) - 1.0).abs() < 1e-3);
    let scores = model.score(&block).unwrap();
    let mean = scores.iter().map(|score| score.unwrap().log_prob).sum::<f64>() / 1000.0;
    // The entropy of the log-normal distribution with the moments of ln x.
    let logs: Vec<f64> = prices.iter().map(|price| price.ln()).collect();
    let centre = logs.iter().sum::<f64>() / 1000.0;
    let variance = logs.iter().map(|l| (l - centre).powi(2)).sum::<f64>() / 1000.0;
    let entropy = centre + 0.5 * (std::f64::consts::TAU * std::f64::consts::E * variance).ln();
    assert!((mean + entropy).abs() < 0.01, "{mean} {entropy}");
    assert!(model.sample(500, None, 1).unwrap().numbers().unwrap().values().iter().all(|price| *price > 0.0));
}

#[test]
fn a_circle_is_cut_where_no_value_is() {
    // Hours around midnight, which is one of them.
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let hours: Vec<f64> =
        (0..400).map(|k| if k == 0 { 0.0 } else { (1.5 * normal(&mut random)).rem_euclid(24.0) }).collect();
    let model = fit(&numbers(&[("hour", hours)]), "hour=circular:24", Choice::Gaussian, &[]);
    let offset = model.columns()[0].offset;
    assert!((6.0..18.0).contains(&offset), "{offset}");
    assert!((mass(&model, (0.0, 24.0), 100_000) - 1.0).abs() < 1e-3);
    let at = |hour: f64| model.score(&numbers(&[("hour", vec![hour])])).unwrap()[0].unwrap().log_prob;
    assert!((at(0.0) - at(24.0)).abs() < 1e-12 && (at(0.01) - at(23.99)).abs() < 0.05);
    assert!(at(0.0) > at(12.0) + 2.0);
    let drawn = model.sample(500, None, 1).unwrap().numbers().unwrap();
    assert!(drawn.values().iter().all(|hour| (0.0..24.0).contains(hour)));
    assert!(drawn.values().iter().any(|hour| *hour > 23.0) && drawn.values().iter().any(|hour| *hour < 1.0));
}

#[test]
fn what_cannot_be_fitted_or_drawn_is_said() {
    let mut random = ChaCha8Rng::seed_from_u64(13);
    let values = |random: &mut ChaCha8Rng| (0..100).map(|_| normal(random)).collect::<Vec<f64>>();
    let block = numbers(&[("a", values(&mut random)), ("b", values(&mut random))]);
    let look = Look::of(&block, &Kinds::new()).unwrap();
    for choice in [Choice::Gaussian, Choice::Mixture] {
        let options = ModelOptions { choice, given: vec!["b".to_string()], ..ModelOptions::default() };
        let error = Model::fit(&block, &look, options).err().unwrap().to_string();
        assert!(error.contains("not conditioned on columns or categories: choose auto"), "{error}");
    }
    let model = fit(&block, "", Choice::Coupling, &["b"]);
    let given = |rows: usize| numbers(&[("b", vec![0.5; rows])]);
    assert_eq!(model.sample(4, Some(&given(1)), 1).unwrap(), model.sample(4, Some(&given(4)), 1).unwrap());
    let error = model.sample(4, Some(&given(3)), 1).unwrap_err().to_string();
    assert_eq!(error, "3 rows of given values do not fit 4 samples; give one, or one for each");
    assert_eq!(model.sample(0, Some(&given(1)), 1).unwrap().rows(), 0);
    let few = |rows: usize| block.filter(|row| row < rows);
    let look = |block: &Block| Look::of(block, &Kinds::new()).unwrap();
    let options = || ModelOptions { choice: Choice::Gaussian, ..ModelOptions::default() };
    let error = Model::fit(&few(4), &look(&few(4)), options()).err().unwrap().to_string();
    assert!(error.contains("4 rows are too few; at least 5 are needed"), "{error}");
    let scores = Model::fit(&few(5), &look(&few(5)), options()).unwrap().score(&block).unwrap();
    assert!(scores.iter().all(|score| score.unwrap().log_prob.is_finite()));
}

#[test]
fn blocks_of_samples_have_all_rows_of_all_given_values() {
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let a: Vec<f64> = (0..400).map(|_| normal(&mut random)).collect();
    let b: Vec<f64> = a.iter().map(|a| 2.0 * a + 0.1 * normal(&mut random)).collect();
    let model = fit(&numbers(&[("a", a), ("b", b)]), "", Choice::Gaussian, &[]);
    let all = |count: usize, given: Option<&Block>| -> Vec<Block> {
        model.sample_blocks(count, given, 5).map(Result::unwrap).collect()
    };
    let blocks = all(20_000, None);
    assert_eq!(blocks.iter().map(Block::rows).sum::<usize>(), 20_000);
    assert_eq!(blocks[0], model.sample(blocks[0].rows(), None, 5).unwrap());
    assert!(blocks.windows(2).all(|pair| pair[0].columns()[0] != pair[1].columns()[0]));
    assert_eq!(all(0, None).len(), 0);
    // Each given row has its own samples, in their order.
    let given = numbers(&[("a", vec![-1.0, 0.5, 2.0])]);
    let of_rows = all(100, Some(&given));
    assert_eq!(of_rows.iter().map(Block::rows).collect::<Vec<_>>(), [100, 100, 100]);
    for (block, a) in of_rows.iter().zip([-1.0, 0.5, 2.0]) {
        let rows = block.numbers().unwrap();
        let mean = (0..100).map(|row| rows.row(row)[1]).sum::<f64>() / 100.0;
        assert!((mean - 2.0 * a).abs() < 0.1 && (rows.row(0)[0] - a).abs() < 1e-12, "{a}: {mean}");
    }
}

#[test]
fn rows_are_spread_over_their_cells_alone() {
    let mut random = ChaCha8Rng::seed_from_u64(19);
    let values = |step: f64, random: &mut ChaCha8Rng| -> Vec<f64> {
        (0..3000).map(|_| (3.0 * normal(random) / step).round() * step).collect()
    };
    let (whole, real) = (values(1.0, &mut random), (0..3000).map(|_| normal(&mut random)).collect());
    let ratings: Vec<f64> = values(1.0, &mut random).iter().map(|value| value.clamp(1.0, 5.0)).collect();
    let block = numbers(&[("whole", whole), ("real", real), ("rating", ratings)]);
    let model = fit(&block, "whole=integer,rating=integer:1..5", Choice::Gaussian, &[]);
    let spread = model.spread(&block, 4).unwrap();
    let column = |block: &Block, name: &str| match &block.column(name).unwrap().cells {
        Cells::Numbers(values) => values.clone(),
        Cells::Text(_) => unreachable!("numbers"),
    };
    assert_eq!(column(&spread, "real"), column(&block, "real"));
    for name in ["whole", "rating"] {
        let moved: Vec<f64> =
            column(&spread, name).iter().zip(column(&block, name)).map(|(x, y)| x - y).collect();
        assert!(moved.iter().all(|by| by.abs() <= 0.5), "{name}");
        let (mean, square) =
            (moved.iter().sum::<f64>() / 3000.0, moved.iter().map(|by| by * by).sum::<f64>() / 3000.0);
        // A uniform variable on a cell of width 1.
        assert!(mean.abs() < 0.02 && (square - 1.0 / 12.0).abs() < 0.005, "{name}: {mean} {square}");
    }
    assert_eq!(model.spread(&block, 4).unwrap(), spread);
    assert_ne!(model.spread(&block, 5).unwrap(), spread);
}

#[test]
fn a_mixture_finds_its_components_and_one_component_is_the_moments() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let rows: Vec<f64> = (0..3000)
        .flat_map(|k| {
            let (a, b) = (normal(&mut random), normal(&mut random));
            if k % 3 == 0 { [5.0 + a, 5.0 + 0.2 * b] } else { [a, 0.9 * a + 0.3 * b] }
        })
        .collect();
    let score = |base: GaussianMixture| {
        let flow =
            Flow::new(base, [Box::new(Affine::fixed([1.0, 1.0], [0.0, 0.0])) as Box<dyn Bijection>]).unwrap();
        let logs = flow.with(Parameters::default()).unwrap().log_prob(&rows).unwrap();
        logs.iter().sum::<f64>() / logs.len() as f64
    };
    let of = |components: usize| MixtureOptions { components, ..MixtureOptions::default() };
    let one = score(GaussianMixture::fit(&rows, 2, of(1)));
    let table = Table::new(&["a", "b"], rows.clone()).unwrap();
    let gaussian = Gaussian::fit(&table).log_prob(&table);
    assert!((one - gaussian.iter().sum::<f64>() / gaussian.len() as f64).abs() < 1e-5);
    // The entropy of the truth: components that hardly overlap.
    let entropy = |share: f64, ln_det: f64| share * (share.ln() - 1.0 - std::f64::consts::TAU.ln() - ln_det);
    let truth = entropy(1.0 / 3.0, 0.2_f64.ln()) + entropy(2.0 / 3.0, 0.3_f64.ln());
    let two = score(GaussianMixture::fit(&rows, 2, of(2)));
    assert!((two - truth).abs() < 0.05, "{two} {truth}");
    // More iterations never lower the likelihood.
    let of = |iterations: usize| MixtureOptions {
        components: 4,
        iterations,
        tolerance: 0.0,
        ..MixtureOptions::default()
    };
    let course: Vec<f64> =
        [1, 2, 4, 8, 16, 32].map(|n| score(GaussianMixture::fit(&rows, 2, of(n)))).to_vec();
    assert!(course.windows(2).all(|pair| pair[1] >= pair[0] - 1e-6), "{course:?}");
}

#[test]
fn few_rows_get_no_network_and_two_humps_are_found() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let mut humps = |_| (if random.random::<bool>() { 2.0 } else { -2.0 }) + 0.4 * normal(&mut random);
    let few =
        numbers(&[("a", (0..150).map(&mut humps).collect()), ("b", (0..150).map(&mut humps).collect())]);
    let model = fit(&few, "", Choice::Auto, &[]);
    let names: Vec<&str> = model.fit_record().candidates.iter().map(|one| one.name.as_str()).collect();
    assert!(names.iter().all(|name| name.starts_with("Gaussian")), "{names:?}");
    // Independent columns of two humps: ½·ln 2 and ln of the widths, twice.
    let truth = 2.0 * (0.5_f64.ln() - 0.5 - 0.5 * std::f64::consts::TAU.ln() - 0.4_f64.ln());
    let many =
        numbers(&[("a", (0..1500).map(&mut humps).collect()), ("b", (0..1500).map(&mut humps).collect())]);
    let model = fit(&many, "", Choice::Auto, &[]);
    let test =
        numbers(&[("a", (0..2000).map(&mut humps).collect()), ("b", (0..2000).map(&mut humps).collect())]);
    let scores = model.score(&test).unwrap();
    let mean = scores.iter().map(|score| score.unwrap().log_prob).sum::<f64>() / 2000.0;
    assert!(mean > truth - 0.1, "{mean} {truth}");
    let weights: f64 = model.flows().map(|(weight, _)| weight).sum();
    assert!((weights - 1.0).abs() < 1e-12);
}

#[test]
fn a_density_given_a_category_and_an_angle_depends_on_them() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let count = 600;
    let kind: Vec<Option<String>> = (0..count).map(|k| Some(["low", "high"][k % 2].to_string())).collect();
    let angle: Vec<f64> = (0..count).map(|_| 360.0 * random.random::<f64>()).collect();
    let x: Vec<f64> = (0..count)
        .map(
            |k| if k % 2 == 0 { 0.0 } else { 10.0 } + angle[k].to_radians().cos() + 0.3 * normal(&mut random),
        )
        .collect();
    let column = |name: &str, cells: Cells| Column { name: name.to_string(), cells };
    let block = Block::new(
        vec![
            column("x", Cells::Numbers(x)),
            column("kind", Cells::Text(kind)),
            column("angle", Cells::Numbers(angle)),
        ],
        (2..count as u64 + 2).collect(),
    )
    .unwrap();
    let model = fit(&block, "kind=category,angle=circular:360", Choice::Autoregressive, &["kind", "angle"]);
    assert_eq!(model.needs(), ["x", "kind", "angle"]);
    let given = |kind: &str, angle: f64| {
        let cells = vec![
            column("kind", Cells::Text(vec![Some(kind.to_string())])),
            column("angle", Cells::Numbers(vec![angle])),
        ];
        Block::new(cells, vec![1]).unwrap()
    };
    let mean = |block: &Block| {
        model.sample(500, Some(block), 3).unwrap().numbers().unwrap().values().iter().sum::<f64>() / 500.0
    };
    let (low, high) = (mean(&given("low", 0.0)), mean(&given("high", 180.0)));
    assert!((low - 1.0).abs() < 0.5 && (high - 9.0).abs() < 0.5, "{low} {high}");
    // 0° and 360° are one angle.
    assert_eq!(mean(&given("low", 0.0)), mean(&given("low", 720.0)));
    let unknown = model.sample(1, Some(&given("middle", 0.0)), 1).unwrap_err().to_string();
    assert_eq!(unknown, "line 1: `kind` is `middle`, which no row of the fit was; the levels are: high, low");
    assert!(model.sample(1, None, 1).unwrap_err().to_string().contains("conditioned on kind, angle"));
}

#[test]
fn a_model_is_the_same_for_its_seed_and_from_its_file() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let a: Vec<f64> = (0..300).map(|_| normal(&mut random)).collect();
    let b: Vec<f64> = a.iter().map(|a| (a + 0.3 * normal(&mut random)).exp()).collect();
    let block = numbers(&[("a", a), ("b", b)]);
    let (one, two) = (fit(&block, "", Choice::Coupling, &[]), fit(&block, "", Choice::Coupling, &[]));
    assert_eq!(one.score(&block).unwrap(), two.score(&block).unwrap());
    let loaded = Model::from_bytes(&one.to_bytes().unwrap()).unwrap();
    assert_eq!(loaded.score(&block).unwrap(), one.score(&block).unwrap());
    assert_eq!(loaded.sample(50, None, 9).unwrap(), one.sample(50, None, 9).unwrap());
    assert_eq!(loaded.fit_record(), one.fit_record());
    // A row with a hole has no score, the others keep theirs.
    let holes = numbers(&[("a", vec![0.1, f64::NAN]), ("b", vec![1.0, 1.0])]);
    let scores = loaded.score(&holes).unwrap();
    assert!(scores[0].is_some() && scores[1].is_none());
    let error = loaded.score(&numbers(&[("a", vec![0.1])])).unwrap_err().to_string();
    assert!(error.contains("`b`"), "{error}");
}

#[test]
fn columns_that_do_not_fit_the_flows_are_refused() {
    // Two flows of one file are read as one model only with columns and weights.
    let mut random = ChaCha8Rng::seed_from_u64(14);
    let block = numbers(&[("a", (0..100).map(|_| normal(&mut random)).collect())]);
    let bytes = fit(&block, "", Choice::Gaussian, &[]).to_bytes().unwrap();
    assert!(Model::from_bytes(&bytes).is_ok());
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Affine::identity(1))];
    let flow = Flow::new(StandardNormal::new(1), layers).unwrap();
    let start = flow.initial(0);
    let alone = flow.with(start).unwrap().to_bytes().unwrap();
    let error = Model::from_bytes(&alone).err().unwrap().to_string();
    assert!(error.contains("a flow without the columns of a table"), "{error}");
    for (place, value, told) in [
        ("/table/weights", "[-1.0]", "the weights of its 1 flows are [-1.0]"),
        ("/table/weights", "[0.5, 0.5]", "the weights of its 1 flows"),
        ("/table/columns", "[]", "its flows are not of 0 columns"),
        ("/table/columns/0/cell", "-1.0", "the cells of `a` are -1 wide"),
        (
            "/table/given",
            r#"[{"name": "c", "encoding": {"circle": {"start": 0.0, "period": 1.0}}}]"#,
            "given 2 numbers",
        ),
    ] {
        let forged = crate::model::forged(&bytes, |document| {
            *document.pointer_mut(place).unwrap() = serde_json::from_str(value).unwrap();
        });
        let error = Model::from_bytes(&forged).err().unwrap().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn every_layer_of_a_fitted_model_is_proven() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let a: Vec<f64> = (0..300).map(|_| normal(&mut random)).collect();
    let b: Vec<f64> = a.iter().map(|a| (a + 0.3 * normal(&mut random)).exp()).collect();
    let block = numbers(&[("a", a), ("b", b)]);
    for choice in [Choice::Gaussian, Choice::Coupling, Choice::Autoregressive] {
        let model = fit(&block, "b=positive", choice, &[]);
        for (_, flow) in model.flows() {
            let report = audit(flow.flow().bijection()).unwrap();
            assert!(report.has_no_refutation(), "{report}");
            for layer in flow.flow().bijection().layers() {
                let options = AuditOptions { decide_only: true, ..AuditOptions::default() };
                let report = audit_with(layer, &options).unwrap();
                // Itself, or the layer of which it is the inverse; a matrix or a scale is singular for some parameters.
                let is_proven = |topic: Topic| {
                    report.claim(topic).is_some_and(|claim| claim.evidence.label() == "proven")
                };
                let reason = report.claim(Topic::Injective).unwrap().evidence.detail();
                let is_raw = reason.contains("Not for all parameters: det J is 0 where");
                assert!(is_proven(Topic::Injective) || is_proven(Topic::Turned) || is_raw, "{report}");
            }
        }
    }
}

#[test]
fn copies_of_a_row_are_drawn_together() {
    let groups = [0, 1, 1, 2, 3, 3, 3, 4, 5, 6];
    for seed in 0..20 {
        let drawn = draw_groups(&groups, 0.3, seed);
        assert!(drawn.len() >= 3 && drawn.len() <= 5, "{drawn:?}");
        for (row, group) in groups.iter().enumerate() {
            let together = (0..groups.len()).filter(|other| groups[*other] == *group);
            assert!(
                together.clone().all(|other| drawn.contains(&other) == drawn.contains(&row)),
                "{drawn:?}"
            );
        }
    }
}

fn start(flow: Flow, table: &Table, options: FitOptions<'_>) -> (FittedFlow, Vec<f64>) {
    let fitted = flow.fit(table, options).unwrap();
    let held = fitted.history().epochs.iter().map(|epoch| epoch.held_out).collect();
    (fitted, held)
}

fn small_flow() -> Flow {
    let network = Network::new([8]);
    let coupling = Coupling::with(CouplingMask::first_half(2), network, SplineTransformer::new(4, 3.0));
    Flow::new(
        StandardNormal::new(2),
        [Box::new(coupling) as Box<dyn Bijection>, Box::new(Linear::identity(2))],
    )
    .unwrap()
}

fn banana() -> Table {
    let mut random = ChaCha8Rng::seed_from_u64(10);
    let rows = (0..400).flat_map(|_| {
        let a = normal(&mut random);
        [a, 0.5 * a * a - 0.5 + 0.3 * normal(&mut random)]
    });
    Table::new(&["a", "b"], rows.collect::<Vec<_>>()).unwrap()
}

#[test]
fn the_rows_to_hold_out_are_those_that_are_named() {
    let (table, rows) = (banana(), [3, 5, 250, 399]);
    let options = FitOptions { held_out_rows: Some(&rows), epochs: 1, ..FitOptions::default() };
    let (_, held) = start(small_flow(), &table, options);
    let flow = small_flow();
    let initial = flow.initial(0);
    let named: Vec<f64> = rows.iter().flat_map(|row| table.row(*row).to_vec()).collect();
    let logs = flow.with(initial).unwrap().log_prob(&named).unwrap();
    assert!((held[0] - logs.iter().sum::<f64>() / 4.0).abs() < 1e-12);
    for (rows, told) in [(vec![400], "held_out_rows"), (vec![], "held_out_rows")] {
        let options = FitOptions { held_out_rows: Some(&rows), ..FitOptions::default() };
        assert!(small_flow().fit(&table, options).err().unwrap().to_string().contains(told));
    }
}

#[test]
fn single_precision_fits_as_well_and_averaging_and_decay_change_the_parameters() {
    let table = banana();
    let options = || FitOptions { epochs: 30, batch: 64, ..FitOptions::default() };
    let best = |held: &[f64]| held.iter().copied().fold(f64::MIN, f64::max);
    let (double, held) = start(small_flow(), &table, options());
    let (single, held_single) =
        start(small_flow(), &table, FitOptions { single_precision: true, ..options() });
    assert!((best(&held) - best(&held_single)).abs() < 0.02, "{} {}", best(&held), best(&held_single));
    assert_ne!(double.parameters(), single.parameters());
    let (averaged, held_averaged) = start(small_flow(), &table, FitOptions { averaging: 0.9, ..options() });
    assert!((best(&held) - best(&held_averaged)).abs() < 0.1);
    assert_ne!(averaged.parameters(), double.parameters());
    let length = |fitted: &FittedFlow| -> f64 {
        fitted.parameters().iter().flat_map(|(_, tensor)| &tensor.values).map(|value| value * value).sum()
    };
    let (decayed, _) = start(small_flow(), &table, FitOptions { weight_decay: 5.0, ..options() });
    assert!(length(&decayed) < 0.8 * length(&double), "{} {}", length(&decayed), length(&double));
}

#[test]
fn a_fit_stops_when_it_is_asked_to_and_noise_undoes_rounding() {
    let table = banana();
    let asked = std::cell::Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() == 3
    };
    let options = FitOptions { stop: Some(&stop), ..FitOptions::default() };
    let (fitted, held) = start(small_flow(), &table, options);
    assert_eq!(held.len(), 4);
    assert_eq!(fitted.history().stop, pushforward::flow::Stop::Asked { epoch: 3 });

    // Rounded to ½: without noise the likelihood of the training rows rises without bound.
    let rounded = table.values().iter().map(|value| (2.0 * value).round() / 2.0).collect();
    let rounded = Table::new(&["a", "b"], rounded).unwrap();
    let widths = [0.5, 0.5];
    let options = |noise| FitOptions { epochs: 60, batch: 64, noise, ..FitOptions::default() };
    let (_, sharp) = start(small_flow(), &rounded, options(None));
    let (_, smooth) = start(small_flow(), &rounded, options(Some(&widths)));
    let best = |held: &[f64]| held.iter().copied().fold(f64::MIN, f64::max);
    assert!(best(&sharp) > best(&smooth), "{} {}", best(&sharp), best(&smooth));
    let wrong = FitOptions { noise: Some(&[1.0]), ..FitOptions::default() };
    assert!(small_flow().fit(&rounded, wrong).err().unwrap().to_string().contains("noise"));
}

#[test]
fn flows_that_are_trained_at_the_same_time_are_what_they_are_alone() {
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let a: Vec<f64> = (0..400).map(|_| normal(&mut random)).collect();
    let b: Vec<f64> = a.iter().map(|a| a.abs() + 0.3 * normal(&mut random)).collect();
    let block = numbers(&[("a", a), ("b", b)]);
    let look = Look::of(&block, &Kinds::new()).unwrap();
    let on = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let alone = on(1).install(|| {
        let options = ModelOptions { time: Duration::from_secs(3), ..ModelOptions::default() };
        Model::fit(&block, &look, options).unwrap()
    });
    let names = |model: &Model| -> Vec<String> {
        model.fit_record().candidates.iter().map(|candidate| candidate.name.clone()).collect()
    };
    assert!(names(&alone).iter().filter(|name| name.starts_with("autoregressive")).count() >= 2);
    let bits = |model: &Model| -> Vec<u64> {
        model.score(&block).unwrap().iter().map(|score| score.unwrap().log_prob.to_bits()).collect()
    };
    for threads in [2, 3, 8] {
        let (together, told, asked) = on(threads).install(|| {
            let (mut told, asked) = (BTreeSet::new(), Cell::new(0));
            let mut tell = |trying: Trying<'_>| {
                told.insert(trying.candidate.to_string());
            };
            let stop = || {
                asked.set(asked.get() + 1);
                false
            };
            let options = ModelOptions {
                like: Some(alone.fit_record()),
                progress: Some(&mut tell),
                stop: Some(&stop),
                ..ModelOptions::default()
            };
            (Model::fit(&block, &look, options).unwrap(), told, asked.get())
        });
        assert_eq!(names(&together), names(&alone), "{threads} threads");
        assert_eq!(bits(&together), bits(&alone), "{threads} threads");
        // All are told of, and each asks after each of its epochs.
        assert!(names(&alone).iter().all(|name| told.contains(name)), "{told:?}");
        assert!(asked > 20, "{asked}");
    }
    // What is told to stop ends all of them after an epoch or two.
    let stopped = on(5).install(|| {
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > 1
        };
        Model::fit(&block, &look, ModelOptions { stop: Some(&stop), ..ModelOptions::default() }).unwrap()
    });
    for candidate in &stopped.fit_record().candidates {
        let Some(Recipe::Flow { trained, .. }) = candidate.recipe else { continue };
        assert!(trained <= 2, "{}: {trained} epochs", candidate.name);
    }
}

#[test]
fn a_fit_is_done_again_and_gone_on_with_from_what_was_recorded() {
    let mut random = ChaCha8Rng::seed_from_u64(15);
    let a: Vec<f64> = (0..300).map(|_| normal(&mut random)).collect();
    let b: Vec<f64> = a.iter().map(|a| a.abs() + 0.3 * normal(&mut random)).collect();
    let block = numbers(&[("a", a), ("b", b)]);
    let look = Look::of(&block, &Kinds::new()).unwrap();
    let mut shown = Vec::new();
    let mut keep = |model: &Model| shown.push(model.to_bytes().unwrap());
    let time = Duration::from_secs(2);
    let options = ModelOptions { time, checkpoint: Some(&mut keep), ..ModelOptions::default() };
    let model = Model::fit(&block, &look, options).unwrap();
    // Again, with no time at all: as many epochs as before, bit for bit.
    let time = Duration::ZERO;
    let options = ModelOptions { time, like: Some(model.fit_record()), ..ModelOptions::default() };
    let again = Model::fit(&block, &look, options).unwrap();
    let bits = |model: &Model| -> Vec<u64> {
        model.score(&block).unwrap().iter().map(|score| score.unwrap().log_prob.to_bits()).collect()
    };
    assert_eq!(bits(&again), bits(&model));
    // A checkpoint is a model, with which the fit goes on where it was ended.
    assert!(shown.len() >= 2, "{}", shown.len());
    let first = Model::from_bytes(&shown[0]).unwrap();
    assert!(first.fit_record().candidates.len() < model.fit_record().candidates.len());
    assert!(first.score(&block).unwrap()[0].unwrap().log_prob.is_finite());
    assert!(first.explain(&block, 2).unwrap()[0].is_some());
    let last = Model::from_bytes(shown.last().unwrap()).unwrap();
    let tried = last.fit_record().candidates.len();
    let options = ModelOptions { time, resume: Some(last), ..ModelOptions::default() };
    let resumed = Model::fit(&block, &look, options).unwrap();
    assert_eq!(resumed.fit_record().candidates.len(), tried);
    // Candidates without a weight are not in a checkpoint, so that the weights of the others differ a little.
    assert!((resumed.fit_record().score - model.fit_record().score).abs() < 0.05);
    let other = numbers(&[("c", vec![0.5; 20]), ("b", (0..20).map(f64::from).collect())]);
    let look = Look::of(&other, &Kinds::new()).unwrap();
    let options = ModelOptions { resume: Some(model), ..ModelOptions::default() };
    let error = Model::fit(&other, &look, options).err().unwrap().to_string();
    assert!(error.contains("other columns"), "{error}");
}
