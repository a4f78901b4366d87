//! Rows of which some values are known: their density, draws and quantiles of the others, and why a row is unlikely.

use pushforward::model::{Choice, Filled, Model, ModelError, ModelOptions};
use pushforward::table::{Block, Cells, Column, Kinds, Look};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::fitted::{fit, normal};
use crate::table_files::{self, block as numbers};

/// y is x and half a normal number, ln w half of y and half another one.
fn table(rows: usize) -> Block {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let x: Vec<f64> = (0..rows).map(|_| normal(&mut random)).collect();
    let y: Vec<f64> = x.iter().map(|x| x + 0.5 * normal(&mut random)).collect();
    let w: Vec<f64> = y.iter().map(|y| (0.5 * y + 0.5 * normal(&mut random)).exp()).collect();
    numbers(&[("x", x), ("y", y), ("w", w)])
}

/// ln p of a row with x fixed, integrated over y and w by the midpoint rule.
fn marginal(model: &Model, x: f64) -> f64 {
    let (steps, mut rows) = (160, [Vec::new(), Vec::new(), Vec::new()]);
    let (low, high) = (-6.0, 6.0);
    for i in 0..steps {
        for j in 0..steps {
            let at = |k: i32| low + (high - low) * (f64::from(k) + 0.5) / f64::from(steps);
            rows[0].push(x);
            rows[1].push(at(i));
            rows[2].push(at(j).exp());
        }
    }
    let logs: Vec<f64> = rows[2].iter().map(|w| w.ln()).collect();
    let [x, y, w] = rows;
    let scores = model.score(&numbers(&[("x", x), ("y", y), ("w", w)])).unwrap();
    let cell = ((high - low) / f64::from(steps)).powi(2);
    let sum: f64 =
        scores.iter().zip(&logs).map(|(score, ln)| (score.unwrap().log_prob + ln).exp() * cell).sum();
    sum.ln()
}

#[test]
fn a_missing_value_is_integrated_out() {
    let block = table(600);
    for choice in [Choice::Mixture, Choice::Autoregressive] {
        let model = fit(&block, "", choice, &[]);
        let holes = |x: f64, y: f64, w: f64| numbers(&[("x", vec![x]), ("y", vec![y]), ("w", vec![w])]);
        let score = model.score(&holes(0.4, f64::NAN, f64::NAN)).unwrap()[0].unwrap();
        let exact = marginal(&model, 0.4);
        assert!((score.log_prob - exact).abs() < 4.0 * score.error + 1e-3, "{score:?} {exact}");
        assert_eq!(score.rank, None);
        // In every pattern the error is told, and twice the same seed gives twice the same.
        for (x, y, w) in [(f64::NAN, 0.2, 1.0), (0.1, f64::NAN, 1.0), (f64::NAN, f64::NAN, 1.0)] {
            let score = model.score(&holes(x, y, w)).unwrap()[0].unwrap();
            assert!(score.log_prob.is_finite() && (0.0..0.5).contains(&score.error), "{score:?}");
            assert_eq!(model.score(&holes(x, y, w)).unwrap()[0].unwrap(), score);
        }
        assert_eq!(model.score(&holes(f64::NAN, f64::NAN, f64::NAN)).unwrap(), [None]);
        // What cannot be: a negative value of a positive column.
        let score = model.score(&holes(0.1, f64::NAN, -1.0)).unwrap()[0].unwrap();
        assert_eq!(score.log_prob, f64::NEG_INFINITY);
    }
}

#[test]
fn columns_that_are_given_at_last_are_conditioned_on() {
    let block = table(600);
    for choice in [Choice::Gaussian, Choice::Autoregressive] {
        let model = fit(&block, "", choice, &[]);
        let given = numbers(&[("y", vec![1.5])]);
        let drawn = model.sample(4000, Some(&given), 3).unwrap().numbers().unwrap();
        assert_eq!(drawn.columns(), ["x", "y", "w"]);
        assert!((0..4000).all(|row| drawn.row(row)[1] == 1.5));
        // x given y is normal with mean 0.8·y and variance 0.2.
        let mean = (0..4000).map(|row| drawn.row(row)[0]).sum::<f64>() / 4000.0;
        assert!((mean - 1.2).abs() < 0.15, "{choice:?}: {mean}");
        let table = model.quantiles(&given, &[0.05, 0.5, 0.95], 1).unwrap();
        assert_eq!(table.columns(), ["x_0.05", "x_0.5", "x_0.95", "w_0.05", "w_0.5", "w_0.95", "effective"]);
        let row = table.row(0);
        let spread = 1.645 * 0.2_f64.sqrt();
        for (quantile, exact) in [(row[0], 1.2 - spread), (row[1], 1.2), (row[2], 1.2 + spread)] {
            assert!((quantile - exact).abs() < 0.3, "{choice:?}: {quantile} {exact}");
        }
        assert!(row[6] > 200.0, "{}", row[6]);
    }
}

#[test]
fn draws_given_a_value_have_the_moments_of_the_closed_form_and_none_is_taken_twice() {
    let block = table(600);
    let [x, y] = ["x", "y"].map(|name| table_files::numbers(&block, name));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let covariance = |a: &[f64], b: &[f64]| {
        let (ma, mb) = (mean(a), mean(b));
        mean(&a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).collect::<Vec<_>>())
    };
    let slope = covariance(x, y) / covariance(y, y);
    let variance = covariance(x, x) - slope * covariance(x, y);
    // More rows than one pool of draws is for, given the second column in the order of the flow.
    let count = 10_000;
    let given = 1.5;
    let expected = mx + slope * (given - my);
    // A flow is near the Gaussian that the rows are from, and not the one that has their moments.
    for (choice, bias) in [(Choice::Gaussian, 0.0), (Choice::Autoregressive, 0.1)] {
        let model = fit(&block, "", choice, &[]);
        let drawn = model.sample(count, Some(&numbers(&[("y", vec![given])])), 3).unwrap();
        let drawn = table_files::numbers(&drawn, "x");
        let error = (variance / count as f64).sqrt();
        assert!(
            (mean(drawn) - expected).abs() < 4.0 * error + bias,
            "{choice:?}: {} {expected}",
            mean(drawn)
        );
        let spread = covariance(drawn, drawn);
        let error = variance * (2.0 / count as f64).sqrt();
        assert!((spread - variance).abs() < 4.0 * error + bias, "{choice:?}: {spread} {variance}");
        let mut bits: Vec<u64> = drawn.iter().map(|x| x.to_bits()).collect();
        bits.sort_unstable();
        bits.dedup();
        assert_eq!(bits.len(), count, "{choice:?}");
    }
}

#[test]
fn the_column_that_is_odd_is_named_with_what_it_would_be() {
    let block = table(600);
    for choice in [Choice::Mixture, Choice::Autoregressive] {
        let model = fit(&block, "", choice, &[]);
        // x = -2 does not go with y = 2 and w = e.
        let odd = numbers(&[("x", vec![0.1, -2.0]), ("y", vec![0.1, 2.0]), ("w", vec![1.1, 2.7])]);
        let explained = model.explain(&odd, 3).unwrap();
        let [usual, odd] = [0, 1].map(|row| explained[row].clone().unwrap());
        assert!(usual.reasons.iter().all(|reason| reason.rank.unwrap() > 0.02), "{usual:?}");
        let first = &odd.reasons[0];
        assert!(first.rank.unwrap() < 0.01 && ["x", "y"].contains(&first.column.as_str()), "{odd:?}");
        let x = odd.reasons.iter().find(|reason| reason.column == "x").unwrap();
        // x given y and w is x given y: normal with mean 1.6 and variance 0.2.
        let expected = x.expected.unwrap();
        assert!((expected.median - 1.6).abs() < 0.4, "{choice:?}: {expected:?}");
        assert!(expected.lower < expected.median && expected.median < expected.upper, "{expected:?}");
        assert!(expected.tail < 0.01, "{expected:?}");
        // Contributions sum to ln p of a single flow, and to less for a mixture.
        let sum: f64 = odd.reasons.iter().map(|reason| reason.contribution.unwrap()).sum();
        assert!(sum.is_finite());
        assert_eq!(
            model.explain(&numbers(&[("x", vec![f64::NAN]), ("y", vec![0.0]), ("w", vec![1.0])]), 2).unwrap(),
            [None]
        );
    }
}

#[test]
fn couplings_say_that_they_do_not_know() {
    let block = table(300);
    let model = fit(&block, "", Choice::Coupling, &[]);
    let given = numbers(&[("y", vec![1.5])]);
    let error = model.sample(10, Some(&given), 0).unwrap_err();
    assert!(
        matches!(error, ModelError::Flow(_)) && error.to_string().contains("depends on every other"),
        "{error}"
    );
    let row = numbers(&[("x", vec![1.0]), ("y", vec![f64::NAN]), ("w", vec![1.0])]);
    assert_eq!(model.score(&row).unwrap(), [None]);
    // What is expected of a column is known for every density.
    let row = numbers(&[("x", vec![-3.0]), ("y", vec![2.0]), ("w", vec![2.7])]);
    let explanation = model.explain(&row, 1).unwrap()[0].clone().unwrap();
    assert!(explanation.reasons.len() == 1 && explanation.reasons[0].rank.is_none(), "{explanation:?}");
    assert!(explanation.reasons[0].expected.unwrap().tail < 0.01, "{explanation:?}");
}

#[test]
fn given_values_that_cannot_be_used_are_refused() {
    let model = fit(&table(300), "", Choice::Gaussian, &[]);
    let error = model.sample(1, Some(&numbers(&[("z", vec![1.0])])), 0).unwrap_err().to_string();
    assert!(error.contains("`z` is no column of this model: x, y, w"), "{error}");
    let error = model.sample(3, Some(&numbers(&[("y", vec![1.0, 2.0])])), 0).unwrap_err().to_string();
    assert!(error.contains("2 rows of given values do not fit 3 samples"), "{error}");
    let error = model.quantiles(&numbers(&[("y", vec![1.0])]), &[1.5], 0).unwrap_err().to_string();
    assert!(error.contains("between 0 and 1"), "{error}");
    let error = model.sample(1, Some(&numbers(&[("w", vec![-1.0])])), 0).unwrap_err().to_string();
    assert_eq!(error, "`w` is -1; it must be above 0");
}

#[test]
fn given_values_far_from_the_rows_are_told_and_those_among_them_are_not() {
    let model = fit(&table(300), "", Choice::Gaussian, &[]);
    assert_eq!(model.cautions(&numbers(&[("x", vec![-3.0, 3.0]), ("w", vec![0.2, 4.0])])), [""; 0]);
    let told = model
        .cautions(&numbers(&[("x", vec![50.0, 0.0, -400.0, f64::NAN]), ("w", vec![1e-9, 1.0, 1.0, 1.0])]));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("given `x` is -400 (and far in another row), far from the rows of the fit"),
        "{told:?}"
    );
    assert!(told[1].starts_with("given `w` is 0.000000001, far from the rows"), "{told:?}");

    let model = fit(&table(300), "", Choice::Autoregressive, &["x", "w"]);
    assert_eq!(model.cautions(&numbers(&[("x", vec![-3.0, 3.0]), ("w", vec![0.2, 4.0])])), [""; 0]);
    let told = model.cautions(&numbers(&[("x", vec![9.0, 0.0]), ("w", vec![1e-9, 1.0])]));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|told| told.contains("is extrapolated")), "{told:?}");
}

#[test]
fn a_given_value_stays_what_it_is() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let x: Vec<f64> = (0..300).map(|_| (2.0 * normal(&mut random)).round() / 2.0).collect();
    let y: Vec<f64> = x.iter().map(|x| x + 0.3 * normal(&mut random)).collect();
    let model = fit(&numbers(&[("x", x), ("y", y)]), "x=rounded:0.5", Choice::Gaussian, &[]);
    let drawn = |x: Vec<f64>, rows: usize| {
        let drawn = model.sample(rows, Some(&numbers(&[("x", x)])), 1).unwrap();
        ["x", "y"].map(|name| table_files::numbers(&drawn, name).to_vec())
    };
    let [x, y] = drawn(vec![0.6], 2000);
    assert_eq!(x, [0.6; 2000]);
    // y is drawn given the cell about 0.6, and not that about 0.5.
    let mean = y.iter().sum::<f64>() / 2000.0;
    assert!((mean - 0.6).abs() < 0.05, "{mean}");
    // What is missing is drawn, and rounded as its data were.
    let [x, _] = drawn(vec![f64::NAN, 0.3], 2);
    assert!((2.0 * x[0]).fract() == 0.0 && x[1] == 0.3, "{x:?}");
}

#[test]
fn a_row_of_weight_2_is_as_good_as_two() {
    let block = table(400);
    let weights: Vec<f64> = (0..400).map(|k| f64::from(u8::from(k % 2 == 0))).collect();
    let half = block.filter(|row| row % 2 == 0);
    let look = |block: &Block| Look::of(block, &Kinds::new()).unwrap();
    // Weights of 0 leave rows out: the means of the weighted fit are those of the others.
    let options = |choice, weights| ModelOptions { choice, weights, ..ModelOptions::default() };
    for choice in [Choice::Gaussian, Choice::Autoregressive] {
        let weighted = Model::fit(&block, &look(&block), options(choice, Some(&weights))).unwrap();
        let plain = Model::fit(&half, &look(&half), options(choice, None)).unwrap();
        let mean = |model: &Model| {
            let scores = model.score(&half).unwrap();
            scores.iter().map(|score| score.unwrap().log_prob).sum::<f64>() / 200.0
        };
        assert!((mean(&weighted) - mean(&plain)).abs() < 0.1, "{} {}", mean(&weighted), mean(&plain));
    }
    let error = Model::fit(&block, &look(&block), options(Choice::Gaussian, Some(&[-1.0]))).err().unwrap();
    assert!(error.to_string().contains("weight"), "{error}");
}

#[test]
fn rows_that_belong_together_are_drawn_together() {
    let block = table(100);
    let mut look = Look::of(&block, &Kinds::new()).unwrap();
    look.keep_together(&(0..100).map(|row| row / 7).collect::<Vec<_>>());
    for seed in 0..5 {
        let drawn = pushforward::model::draw_groups(&look.groups, 0.3, seed);
        assert!((24..=36).contains(&drawn.len()), "{}", drawn.len());
        assert!((0..100).all(|row| drawn.contains(&row) == drawn.contains(&(row / 7 * 7))), "{drawn:?}");
    }
}

/// A category with levels a (a third) and b, where x is about 0 for a and about 3 for b.
fn with_category(rows: usize) -> Block {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let level = |k: usize| if k.is_multiple_of(3) { "a" } else { "b" };
    let x = (0..rows).map(|k| if k.is_multiple_of(3) { 0.0 } else { 3.0 } + normal(&mut random)).collect();
    let texts = (0..rows).map(|k| Some(level(k).to_string())).collect();
    let columns = vec![
        Column { name: "x".to_string(), cells: Cells::Numbers(x) },
        Column { name: "kind".to_string(), cells: Cells::Text(texts) },
    ];
    Block::new(columns, (1..=rows as u64).collect()).unwrap()
}

fn row(x: f64, kind: Option<&str>) -> Block {
    let columns = vec![
        Column { name: "x".to_string(), cells: Cells::Numbers(vec![x]) },
        Column { name: "kind".to_string(), cells: Cells::Text(vec![kind.map(str::to_string)]) },
    ];
    Block::new(columns, vec![1]).unwrap()
}

#[test]
fn a_category_is_part_of_the_density() {
    let block = with_category(600);
    let look = Look::of(&block, &"kind=category".parse().unwrap()).unwrap();
    let model = Model::fit(&block, &look, ModelOptions::default()).unwrap();
    assert_eq!(model.needs(), ["x", "kind"]);
    let density = |x: f64, kind: Option<&str>| model.score(&row(x, kind)).unwrap()[0].unwrap().log_prob.exp();
    // It sums to 1 over levels and integrates to 1 over x; p(kind) is what the rows say.
    let share =
        |kind: Option<&str>| (-800..1200).map(|k| density(f64::from(k) * 0.01, kind) * 0.01).sum::<f64>();
    let (a, b, either) = (share(Some("a")), share(Some("b")), share(None));
    assert!(
        (a - 200.5 / 601.0).abs() < 1e-3 && (a + b - 1.0).abs() < 1e-3 && (either - 1.0).abs() < 1e-3,
        "{a} {b}"
    );
    assert!((density(1.0, Some("a")) + density(1.0, Some("b")) - density(1.0, None)).abs() < 1e-12);
    assert!((density(f64::NAN, Some("a")) - 200.5 / 601.0).abs() < 1e-9);
    assert_eq!(density(1.0, Some("c")), 0.0);
    // Draws have the levels with x that belongs to them, and either can be given.
    let drawn = model.sample(2000, None, 1).unwrap();
    let Cells::Text(kinds) = &drawn.column("kind").unwrap().cells else { panic!("levels are text") };
    let Cells::Numbers(x) = &drawn.column("x").unwrap().cells else { panic!("x is numbers") };
    let of = |level: &str| -> (usize, f64) {
        let own: Vec<f64> =
            kinds.iter().zip(x).filter(|(kind, _)| kind.as_deref() == Some(level)).map(|(_, x)| *x).collect();
        (own.len(), own.iter().sum::<f64>() / own.len() as f64)
    };
    let ((count, mean), (_, other)) = (of("a"), of("b"));
    assert!(
        (560..780).contains(&count) && mean.abs() < 0.4 && (other - 3.0).abs() < 0.4,
        "{count} {mean} {other}"
    );
    let given = row(3.5, None).select(&["x"]).unwrap();
    let drawn = model.sample(500, Some(&given), 1).unwrap();
    let Cells::Text(kinds) = &drawn.column("kind").unwrap().cells else { panic!("levels are text") };
    // By Bayes' rule p(a | x) is p(a, x)/p(x).
    let exact = density(3.5, Some("a")) / density(3.5, None);
    let share = kinds.iter().filter(|kind| kind.as_deref() == Some("a")).count() as f64 / 500.0;
    assert!((share - exact).abs() < 0.03, "{share} {exact}");
    let given = row(0.0, Some("b")).select(&["kind"]).unwrap();
    let drawn = model.sample(500, Some(&given), 1).unwrap();
    let Cells::Numbers(x) = &drawn.column("x").unwrap().cells else { panic!("x is numbers") };
    assert!((x.iter().sum::<f64>() / 500.0 - 3.0).abs() < 0.3);
    // All of it comes back from a file.
    let loaded = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(loaded.sample(20, None, 4).unwrap(), model.sample(20, None, 4).unwrap());
}

#[test]
fn a_row_without_its_category_is_left_out_of_a_fit_and_told() {
    let block = with_category(600);
    let columns = block.columns().iter().map(|column| match &column.cells {
        Cells::Text(texts) => {
            let cells = texts.iter().enumerate().map(|(row, text)| text.clone().filter(|_| row % 50 != 7));
            Column { name: column.name.clone(), cells: Cells::Text(cells.collect()) }
        }
        Cells::Numbers(values) => {
            let cells = values.iter().enumerate().map(|(row, x)| if row % 100 == 9 { f64::NAN } else { *x });
            Column { name: column.name.clone(), cells: Cells::Numbers(cells.collect()) }
        }
    });
    let block = Block::new(columns.collect(), block.lines().to_vec()).unwrap();
    let look = Look::of(&block, &"kind=category".parse().unwrap()).unwrap();
    let filled = Filled::of(&block, &look, &[], 0).unwrap();
    let told = filled.told().unwrap();
    // x is the only number, so that a row without it has nothing to draw it from.
    assert_eq!((filled.left_out, filled.block.rows()), (18, 582), "{told}");
    assert!(
        told.starts_with("18 rows are left out, in which all values or a category are missing"),
        "{told}"
    );
    let kinds = &filled.block.column("kind").unwrap().cells;
    assert!((0..582).all(|row| !kinds.is_missing(row) && filled.block.lines()[row] % 50 != 8));
    let complete = Filled::of(&filled.block, &look, &[], 0).unwrap();
    assert_eq!((complete.told(), complete.block), (None, filled.block));
}

#[test]
fn missing_cells_are_drawn_given_the_others_and_nothing_else_changes() {
    let block = table(600);
    let Cells::Numbers(y) = &block.column("y").unwrap().cells else { panic!("y is numbers") };
    // Every fifth y is missing, and one row is empty.
    let open = |row: usize| row.is_multiple_of(5);
    let holes: Vec<Column> = block
        .columns()
        .iter()
        .map(|column| {
            let Cells::Numbers(values) = &column.cells else { panic!("{} is numbers", column.name) };
            let gone = |row: usize| row == 7 || (column.name == "y" && open(row));
            let values = values.iter().enumerate().map(|(row, x)| if gone(row) { f64::NAN } else { *x });
            Column { name: column.name.clone(), cells: Cells::Numbers(values.collect()) }
        })
        .collect();
    let holes = Block::new(holes, block.lines().to_vec()).unwrap();
    let look = Look::of(&holes, &Kinds::new()).unwrap();
    let filled = Filled::of(&holes, &look, &[], 1).unwrap();
    assert_eq!((filled.cells, filled.rows, filled.block.rows()), (120, 120, 599));
    let kept = block.filter(|row| row != 7);
    assert_eq!(filled.block.column("x").unwrap(), kept.column("x").unwrap());
    let Cells::Numbers(new) = &filled.block.column("y").unwrap().cells else { panic!("y is numbers") };
    // As y given x and w: no average, whose errors would be smaller, and no draw without regard to the row.
    let rows: Vec<usize> = (0..600).filter(|row| *row != 7).collect();
    let pairs = rows.iter().zip(new).map(|(row, new)| (*row, new - y[*row]));
    let (drawn, same): (Vec<_>, Vec<_>) = pairs.partition(|(row, _)| open(*row));
    assert!(same.iter().all(|(_, difference)| *difference == 0.0));
    let square = drawn.iter().map(|(_, difference)| difference.powi(2)).sum::<f64>() / 120.0;
    // The variance of y given x and w is 1/(4 + 1) = 0.2; the difference of two draws has twice that.
    assert!((0.25..0.6).contains(&square), "{square}");
}
