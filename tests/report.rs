//! Reports: statistics against reference values, right models that are not accused, wrong ones that are, and the page.

use pushforward::model::{Choice, Model};
use pushforward::prelude::Table;
use pushforward::report::{
    AreaUnderCurve, CentredDistances, Difference, EnergyDistance, ForestClassifier, KolmogorovSmirnov,
    Report, ReportOptions, kolmogorov_tail,
};
use pushforward::table::{Block, Cells, Column};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::fitted::{fit, normal};
use crate::table_files::block as numbers;

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} and not {expected}");
}

/// The points that the reference values are of: two columns that depend on one another in no linear way.
fn points() -> (Vec<f64>, Vec<f64>) {
    let k = || (0..60).map(f64::from);
    let rows = k().flat_map(|k| [k.sin(), 2.0 * (1.7 * k).cos()]).collect();
    let samples = k().flat_map(|k| [(2.3 * k).sin() + 0.3, 1.5 * (1.1 * k).cos()]).collect();
    (rows, samples)
}

#[test]
fn kolmogorovs_distribution_is_that_of_scipy() {
    // scipy 1.17.1, scipy.special.kolmogorov.
    let table = [
        (0.3, 0.999_990_694_198_665_5),
        (0.7, 0.711_235_195_029_689_3),
        (1.0, 0.269_999_671_677_354_56),
        (1.3581, 0.049_999_630_431_667_4),
        (2.0, 0.000_670_925_255_779_695_3),
        (3.0, 3.045_995_948_942_526e-8),
    ];
    for (lambda, tail) in table {
        near(kolmogorov_tail(lambda), tail, 1e-14_f64.max(1e-12 * tail));
    }
    assert_eq!((kolmogorov_tail(0.0), kolmogorov_tail(40.0)), (1.0, 0.0));
}

#[test]
fn the_test_of_uniformity_has_the_distance_and_nearly_the_probability_of_scipy() {
    // scipy 1.17.1, kstest(u, "uniform", method="exact"), with u of the golden section to a power.
    let table = [
        (5_u32, 2.0, 0.304_508_497_187_473_75, 0.646_220_953_019_058),
        (20, 1.3, 0.162_515_723_492_907_2, 0.609_415_975_999_316_5),
        (100, 1.3, 0.103_891_913_575_879_79, 0.215_125_504_251_25),
        (1000, 1.3, 0.097_340_476_027_321_27, 1.064_536_001_618_235e-8),
    ];
    for (n, power, distance, p) in table {
        let u: Vec<f64> = (0..n)
            .map(|k| ((f64::from(k) + 0.5) * 0.618_033_988_749_894_9).rem_euclid(1.0).powf(power))
            .collect();
        let test = KolmogorovSmirnov::of_uniform(&u);
        near(test.distance, distance, 1e-12);
        // Stephens's formula of the exact probability.
        near(test.p, p, 0.03_f64.min(0.1 * p));
    }
}

#[test]
fn the_energy_distance_and_its_error_are_those_of_their_definitions() {
    // numpy 2.4.6 and scipy 1.17.1 (cdist): the mean of h over i ≠ j; all 60 leave-one-out values by deleting rows and
    // columns; the p-value of 200,000 exchanges.
    let (rows, samples) = points();
    let found = EnergyDistance::of_pairs(&rows, &samples, 2, 4999, 1);
    near(found.distance, 0.036_848_249_333_473_96, 1e-13);
    near(found.share, 0.010_010_152_757_931_68, 1e-13);
    near(found.error, 0.042_132_680_044_402_536, 1e-13);
    near(found.p, 0.140_65, 0.02);
}

#[test]
fn the_area_under_the_curve_and_its_error_are_those_of_their_definitions() {
    // scikit-learn 1.9.1, roc_auc_score; the root of var(V₁₀ + V₀₁)/n by numpy 2.4.6. Many scores are equal.
    let score = |angle: f64, half: f64| (4.0 + 3.0 * angle.sin() + half).floor();
    let rows: Vec<f64> = (0..60).map(|k| score(f64::from(k), 0.5)).collect();
    let samples: Vec<f64> = (0..60).map(|k| score(f64::from(2 * k + 1), -0.5)).collect();
    let found = AreaUnderCurve::of_pairs(&rows, &samples);
    near(found.area, 0.639_444_444_444_444_5, 1e-13);
    near(found.error, 0.051_006_222_720_616_65, 1e-13);
}

#[test]
fn a_forest_tells_as_much_as_that_of_scikit_learn() {
    // scikit-learn 1.9.1, RandomForestClassifier(60, min_samples_leaf=5, max_depth=16) by GroupKFold(5) over pairs: areas of
    // 0.647, 0.639 and 0.638 for seeds 0, 1 and 2.
    let part = |k: u32, step: f64| (f64::from(k) * step).rem_euclid(1.0);
    let (mut rows, mut samples) = (Vec::new(), Vec::new());
    for k in 0..600 {
        let (g, h) = (part(k, 0.618_033_988_749_894_9), part(k, 0.414_213_562_373_095_15));
        rows.extend([(14.0 * g).sin() + 0.3 * (99.0 * h).sin(), (31.0 * g).cos()]);
        samples.extend([(14.0 * h).sin() + 0.3 * (55.0 * g).sin(), (29.0 * h + 1.0).cos() + 0.1]);
    }
    let found = ForestClassifier::of_pairs(&rows, &samples, 2, 1);
    near(found.auc.area, 0.641, 0.03);
    assert!(found.p < 1e-6 && (found.importance.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{found:?}");
    // Reproducible, on any number of threads.
    assert_eq!(found, ForestClassifier::of_pairs(&rows, &samples, 2, 1));
}

#[test]
fn the_distance_correlation_is_that_of_its_definition() {
    // numpy 2.4.6 with scipy.stats.rankdata and double centring.
    let (rows, _) = points();
    let x: Vec<f64> = rows.iter().copied().step_by(2).collect();
    let y: Vec<f64> = rows.iter().copied().skip(1).step_by(2).collect();
    let square: Vec<f64> = x.iter().map(|x| x * x).collect();
    let steps: Vec<f64> = y.iter().map(|y| (4.0 * y).floor()).collect();
    let of = |a: &[f64], b: &[f64]| CentredDistances::of(a).correlation(&CentredDistances::of(b));
    near(of(&x, &y), 0.144_614_044_182_142_96, 1e-12);
    near(of(&x, &square), 0.503_993_106_609_488_8, 1e-12);
    near(of(&steps, &y), 0.996_879_280_469_068_2, 1e-12);
    assert_eq!(of(&x, &vec![1.0; 60]), 0.0);
}

#[test]
fn rows_of_the_same_distribution_have_p_values_of_all_sizes() {
    // 60 tables of the distribution of their samples: each test accuses about one in ten at the level of 0.1.
    let (mut energy, mut classifier) = (0, 0);
    for seed in 0..60 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = || (0..120).map(|_| normal(&mut random)).collect::<Vec<f64>>();
        let (rows, samples) = (drawn(), drawn());
        energy += u32::from(EnergyDistance::of_pairs(&rows, &samples, 2, 99, seed).p <= 0.1);
        classifier += u32::from(ForestClassifier::of_pairs(&rows, &samples, 2, seed).p <= 0.1);
    }
    // Within three standard deviations of 6.
    assert!((1..=13).contains(&energy) && (1..=13).contains(&classifier), "{energy} {classifier}");
}

#[test]
fn a_few_pairs_or_none_tell_nothing() {
    for n in 0..3 {
        let rows = vec![1.0; n];
        assert_eq!(EnergyDistance::of_pairs(&rows, &rows, 1, 9, 0).p, 1.0);
        assert_eq!(ForestClassifier::of_pairs(&rows, &rows, 1, 0).auc.area, 0.5);
    }
    assert_eq!(KolmogorovSmirnov::of_uniform(&[]).p, 1.0);
}

fn report(model: &Model, block: &Block) -> Report {
    let options = ReportOptions { rows: 400, exchanges: 199, audit: false, ..ReportOptions::default() };
    Report::of(model, block, options).unwrap()
}

#[test]
fn rows_of_the_model_are_not_accused_whatever_the_kind_of_their_columns() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut table = || {
        let a: Vec<f64> = (0..800).map(|_| normal(&mut random)).collect();
        let b: Vec<f64> = a.iter().map(|a| (0.5 * a + normal(&mut random)).exp()).collect();
        let c: Vec<f64> = (0..800).map(|_| (1.5 * normal(&mut random)).round()).collect();
        let angle = (0..800).map(|_| (350.0 + 20.0 * normal(&mut random)).rem_euclid(360.0)).collect();
        numbers(&[("a", a), ("b", b), ("c", c), ("angle", angle)])
    };
    let kinds = "a=real,b=positive,c=integer,angle=circular:360";
    let model = fit(&table(), kinds, Choice::Gaussian, &[]);
    let report = report(&model, &table());
    let calibration = &report.calibration;
    for column in &calibration.columns {
        assert!(!calibration.differs(column), "{column:?}");
    }
    assert!(calibration.energy.p > 0.01 && calibration.classifier.p > 0.01, "{calibration:?}");
    assert_eq!(calibration.rows, 400);
    // ln b depends on a; the others are independent.
    assert_eq!(report.pairs[0].columns, (0, 1));
}

#[test]
fn differences_are_found_and_named() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut values = |shift: f64, scale: f64| -> Vec<f64> {
        (0..500).map(|_| shift + scale * normal(&mut random)).collect()
    };
    let fitted = numbers(&[
        ("same", values(0.0, 1.0)),
        ("higher", values(0.0, 1.0)),
        ("wider", values(0.0, 1.0)),
        ("lower", values(0.0, 1.0)),
    ]);
    let model = fit(&fitted, "", Choice::Gaussian, &[]);
    let block = numbers(&[
        ("lower", values(-1.0, 1.0)),
        ("same", values(0.0, 1.0)),
        ("higher", values(1.0, 1.0)),
        ("wider", values(0.0, 2.0)),
    ]);
    let report = report(&model, &block);
    let found: Vec<(bool, Difference)> = report
        .calibration
        .columns
        .iter()
        .map(|column| (report.calibration.differs(column), column.difference))
        .collect();
    assert!(!found[0].0, "{:?}", report.calibration.columns[0]);
    let differing = [(true, Difference::Higher), (true, Difference::Wider), (true, Difference::Lower)];
    assert_eq!(found[1..], differing);
    assert!(report.calibration.energy.p < 0.01 && report.calibration.classifier.auc.area > 0.7);
}

#[test]
fn one_gaussian_for_two_clusters_is_seen_by_trees() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut clusters = || {
        let rows = (0..600).flat_map(|k| {
            let side = if k % 2 == 0 { 3.0 } else { -3.0 };
            [side + 0.5 * normal(&mut random), 0.5 * side + 0.5 * normal(&mut random)]
        });
        Block::from(&Table::new(&["x", "y"], rows.collect::<Vec<_>>()).unwrap())
    };
    let (fitted, fresh) = (clusters(), clusters());
    let one = report(&fit(&fitted, "", Choice::Gaussian, &[]), &fresh).calibration;
    let two = report(&fit(&fitted, "", Choice::Mixture, &[]), &fresh).calibration;
    assert!(one.classifier.auc.area > 0.8 && one.classifier.p < 0.01, "{:?}", one.classifier);
    assert!(two.classifier.p > 0.01 && two.energy.p > 0.01, "{:?}", two);
}

#[test]
fn samples_of_a_conditional_model_are_drawn_given_the_row() {
    // y = c + noise: given c it is calibrated; under the wrong c it is not, though y has the same values.
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let c: Vec<f64> = (0..600).map(|k| f64::from(k % 2) * 8.0).collect();
    let y: Vec<f64> = c.iter().map(|c| c + normal(&mut random)).collect();
    let model =
        fit(&numbers(&[("y", y.clone()), ("c", c.clone())]), "c=real", Choice::Autoregressive, &["c"]);
    let right = report(&model, &numbers(&[("y", y.clone()), ("c", c.clone())])).calibration;
    assert!(right.energy.p > 0.001 && right.columns[0].test.distance < 0.1, "{right:?}");
    let exchanged: Vec<f64> = c.iter().map(|c| 8.0 - c).collect();
    let wrong = report(&model, &numbers(&[("y", y), ("c", exchanged)])).calibration;
    assert!(wrong.energy.p < 0.01 && wrong.classifier.auc.area > 0.9, "{wrong:?}");
    assert!(wrong.columns[0].test.distance > 0.4);
}

#[test]
fn categories_are_read_counted_and_stand_in_their_column() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let mut rows = |shares: [usize; 2]| {
        let level = |k: usize| if k % (shares[0] + shares[1]) < shares[0] { "left" } else { "right" };
        let side = |k: usize| if level(k) == "left" { -2.0 } else { 2.0 };
        let x = (0..600).map(|k| side(k) + normal(&mut random)).collect();
        let columns = vec![
            Column { name: "x".to_string(), cells: Cells::Numbers(x) },
            Column {
                name: "side".to_string(),
                cells: Cells::Text((0..600).map(|k| Some(level(k).to_string())).collect()),
            },
        ];
        Block::new(columns, (2..602).collect()).unwrap()
    };
    let model = fit(&rows([1, 1]), "side=category", Choice::Autoregressive, &[]);
    let (same, other) = (report(&model, &rows([1, 1])), report(&model, &rows([3, 1])));
    let category = &same.calibration.categories[0];
    assert!(!same.calibration.differs_in(category) && category.p > 0.01, "{category:?}");
    assert_eq!(category.levels[0].level, "left");
    assert!((category.levels[0].expected - 200.0).abs() < 40.0, "{category:?}");
    assert!(
        other.calibration.differs_in(&other.calibration.categories[0]),
        "{:?}",
        other.calibration.categories
    );
    let read = &same.read.columns[1];
    assert_eq!((read.name.as_str(), read.kind.as_str(), read.distinct), ("side", "category: left, right", 2));
    assert_eq!(same.needs().collect::<Vec<_>>(), ["x", "side"]);
    let page = same.to_html();
    for told in ["<h3>Categories</h3>", ">side</th>", "<code>side</code>", "2 of 2", "A density of 2 columns"]
    {
        assert!(page.contains(told), "{told}");
    }
    // As many cells as headers in each row of the least likely ones.
    let rows = page.split("<section id=\"rows\">").nth(1).unwrap().split("</section>").next().unwrap();
    let headers = rows.matches("<th").count() - rows.matches("<thead").count();
    let first = rows.split("<tbody>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert_eq!((headers, first.matches("<td").count()), (5, 5), "{first}");
}

#[test]
fn a_page_is_one_file_without_scripts_and_names_are_escaped() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let a: Vec<f64> = (0..300).map(|_| normal(&mut random)).collect();
    let mut b: Vec<f64> = a.iter().map(|a| (a + normal(&mut random)).exp()).collect();
    let model =
        fit(&numbers(&[("<a>", a.clone()), ("b & c", b.clone())]), "b & c=positive", Choice::Gaussian, &[]);
    b[7] = 0.0;
    b[11] = f64::NAN;
    let block = numbers(&[("<a>", a), ("b & c", b)]);
    let options = ReportOptions {
        model: "it's.model".to_string(),
        table: "new \"rows\".csv".to_string(),
        rows: 200,
        ..ReportOptions::default()
    };
    let report = Report::of(&model, &block, options).unwrap();
    assert_eq!(report.likelihood.impossible, [9]);
    assert_eq!((report.read.rows, report.read.dropped.rows), (299, 1));
    assert_eq!((report.oddest.len(), report.oddest[0].line), (20, 9));
    assert!(report.oddest[0].values[1].is_far());
    let page = report.to_html();
    for forbidden in ["<script", "http://", "https://", "<a>", "b & c", "NaN", "inf"] {
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for told in [
        "&lt;a&gt;",
        "b &amp; c",
        "pushforward score 'it'\\''s.model' new.csv",
        "299 rows of new &quot;rows&quot;.csv were read",
        "1 row of density 0",
        "line 9",
        "prefers-color-scheme:dark",
        "■ proven",
    ] {
        assert!(page.contains(told), "{told}");
    }
    // It is the same page again: nothing depends on the clock or the machine.
    let options = || ReportOptions { rows: 200, audit: false, ..ReportOptions::default() };
    let again = |options| Report::of(&model, &block, options).unwrap().to_html();
    assert_eq!(again(options()), again(options()));
}

#[test]
fn a_model_of_an_older_version_has_a_report() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let a: Vec<f64> = (0..300).map(|_| normal(&mut random)).collect();
    let block = numbers(&[("a", a.clone()), ("b", a.iter().map(|a| a + normal(&mut random)).collect())]);
    let model = fit(&block, "", Choice::Gaussian, &[]);
    let old = crate::model::forged(&model.to_bytes().unwrap(), |document| {
        let fit = document.pointer_mut("/table/fit").unwrap().as_object_mut().unwrap();
        for field in ["centres", "scales", "left_out"] {
            assert!(fit.remove(field).is_some(), "{field}");
        }
        let candidate = fit["candidates"][0].as_object_mut().unwrap();
        assert!(candidate.remove("epochs").is_some());
    });
    let report = report(&Model::from_bytes(&old).unwrap(), &block);
    assert!(report.calibration.energy.p > 0.001 && report.to_html().contains("Gaussian"));
    let wrong = crate::model::forged(&model.to_bytes().unwrap(), |document| {
        *document.pointer_mut("/table/fit/scales").unwrap() = serde_json::json!([1.0, 0.0]);
    });
    let error = Model::from_bytes(&wrong).err().unwrap().to_string();
    assert!(error.contains("the scales of its 2 columns are [1.0, 0.0]"), "{error}");
}

#[test]
fn a_fit_keeps_its_learning_curves_and_what_it_left_out() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let a: Vec<f64> = (0..400).map(|_| normal(&mut random)).collect();
    let b: Vec<f64> = a.iter().map(|a| a * a + normal(&mut random)).collect();
    let block = numbers(&[
        ("a", a.clone()),
        ("b", b),
        ("twice", a.iter().map(|a| 2.0 * a).collect()),
        ("one", vec![1.0; 400]),
    ]);
    let model = fit(&block, "", Choice::Coupling, &[]);
    let fit = model.fit_record();
    let epochs = &fit.candidates[0].epochs;
    assert!(epochs.len() > 10 && epochs.len() <= 60, "{}", epochs.len());
    assert!(epochs.windows(2).all(|pair| pair[0].epoch < pair[1].epoch));
    assert!(epochs[epochs.len() - 1].held_out > epochs[0].held_out);
    let left_out: Vec<(&str, &str)> =
        fit.left_out.iter().map(|column| (column.name.as_str(), column.why.as_str())).collect();
    assert_eq!(
        left_out,
        [("twice", "it follows from others: twice = 2·a"), ("one", "constant: each value is 1")]
    );
    assert_eq!(fit.scales.len(), 2);
    assert!(report(&model, &block).to_html().contains("Learning curves"));
}
