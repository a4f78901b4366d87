//! Kinds of columns: as they are given, and as they are found.

use pushforward::table::{Block, Cells, Column, Kind, Kinds, Limits, Look, Treatment};

use crate::snapshot::snapshot;
use crate::table_files::{block, look, read};

/// Numbers spread evenly over (0, 1) in no order.
fn uniform(rows: usize) -> impl Iterator<Item = f64> + Clone {
    (1..=rows).map(|k| (k as f64 * 0.618_033_988_749_894_9).fract())
}

/// Numbers of a Gaussian, by quantiles of a logistic, whose tails are a little heavier.
fn humped(rows: usize) -> Vec<f64> {
    uniform(rows).map(|u| (u / (1.0 - u)).ln()).collect()
}

fn kind(name: &str, values: Vec<f64>) -> String {
    look(&[(name, values)]).columns[0].kind.to_string()
}

#[test]
fn kinds_are_read_as_they_are_written() {
    for text in [
        "real",
        "positive",
        "bounded:0..1",
        "bounded:-1..2.5",
        "circular:360",
        "circular:-180..180",
        "rounded:0.1",
        "rounded:0.5:positive",
        "rounded:0.5:0..10",
        "integer",
        "integer:1..",
        "integer:-3..3",
        "integer:positive",
        "category",
        "constant",
        "identifier",
        "date",
        "text",
    ] {
        assert_eq!(text.parse::<Kind>().unwrap().to_string(), text);
    }
    assert_eq!("rounded:1".parse(), Ok(Kind::Rounded { step: 1.0, limits: Limits::None }));
    assert_eq!(" circular: -180 .. 180 ".parse(), Ok(Kind::Circular { start: -180.0, period: 360.0 }));
}

#[test]
fn a_kind_that_is_none_is_told_what_there_is() {
    let mut messages = String::new();
    for text in [
        "a=postive",
        "a=numeric",
        "a=circular",
        "a=circular:0",
        "a=bounded:1..0",
        "a=bounded",
        "a=rounded:-1",
        "a=rounded:0.5:above",
        "a=integer:5..1",
        "a=real:3",
        "positive",
        "a=real,a=date",
    ] {
        messages.push_str(&format!("{text}\n  {}\n", text.parse::<Kinds>().unwrap_err()));
    }
    let holed = block(&[
        ("speed", vec![1.0, 2.0, -3.0]),
        ("share", vec![0.5, 1.0, 0.2]),
        ("angle", vec![0.0, 361.0, 2.0]),
    ]);
    for text in [
        "speed=integer:1..",
        "speed=integer:-3..1",
        "speed=rounded:1:positive",
        "sped=positive",
        "speed=positive",
        "share=bounded:0..1",
        "angle=circular:360",
    ] {
        let message = Look::of(&holed, &text.parse().unwrap()).unwrap_err();
        messages.push_str(&format!("{text}\n  {message}\n"));
    }
    let text = read("city\nOslo\nRome\n");
    let message = Look::of(&text, &"city=real".parse().unwrap()).unwrap_err();
    messages.push_str(&format!("city=real\n  {message}\n"));
    snapshot("table_kind_errors", &messages);
}

#[test]
fn numbers_are_real_unless_something_else_is_clear() {
    assert_eq!(kind("x", humped(500)), "real");
    // Positive, and by no logarithm less skewed.
    assert_eq!(kind("x", humped(500).iter().map(|x| x + 100.0).collect()), "real");
    assert_eq!(kind("x", humped(500).iter().map(|x| x.exp()).collect()), "positive");
    // An exponential distribution.
    assert_eq!(kind("x", uniform(500).map(|u| -u.ln()).collect()), "positive");
    assert_eq!(kind("x", uniform(500).collect()), "bounded:0..1");
    assert_eq!(kind("x", uniform(500).map(|u| 0.1 + 0.8 * u).collect()), "real");
    assert_eq!(kind("hit_rate", uniform(500).map(|u| 0.1 + 0.8 * u).collect()), "bounded:0..1");
    assert_eq!(kind("humidity", uniform(500).map(|u| 10.0 + 80.0 * u).collect()), "bounded:0..100");
    // A share that is reached is no bound of a logit.
    assert_eq!(kind("hit_rate", uniform(500).map(|u| (1.2 * u).min(1.0)).collect()), "real");
}

#[test]
fn constants_are_found_at_any_size() {
    assert_eq!(kind("x", vec![0.1; 40]), "constant");
    assert_eq!(kind("x", vec![1e-170; 40]), "constant");
    // As computed in two ways.
    assert_eq!(kind("x", [0.1 + 0.2, 0.3].repeat(20)), "constant");
    assert_eq!(kind("x", humped(100).iter().map(|x| 1e-170 * x).collect()), "real");
    assert_eq!(kind("x", humped(100).iter().map(|x| 1e9 + 1e-3 * x).collect()), "real");
    assert_eq!(kind("x", vec![f64::NAN; 9]), "constant");
    let mut near = vec![0.1; 199];
    near.insert(9, 5.0);
    let look = look(&[("c", near)]);
    assert!(look.columns[0].tied && look.columns[0].kind == Kind::Real, "{look:#}");
    assert_eq!(look.columns[0].treatment, Treatment::Dequantised);
}

#[test]
fn steps_are_found_where_they_matter() {
    let rounded = |step: f64, scale: f64, rows: usize| -> Vec<f64> {
        // As a file has them: a decimal number, read.
        let text = |x: f64| format!("{:.6}", (x * scale / step).round() * step);
        humped(rows).into_iter().map(|x| text(x).parse().unwrap()).collect()
    };
    assert_eq!(kind("x", rounded(0.1, 1.0, 500)), "rounded:0.1");
    assert_eq!(kind("x", rounded(1.0, 10.0, 500)), "integer");
    assert_eq!(kind("x", rounded(25.0, 500.0, 500)), "rounded:25");
    assert_eq!(kind("x", rounded(0.25, 1.0, 500)), "rounded:0.25");
    // A third, as six digits.
    assert!(kind("x", rounded(1.0 / 3.0, 1.0, 500)).starts_with("rounded:0.33333"));
    // Halves: the step is 1, the offset does not matter.
    assert_eq!(kind("x", rounded(1.0, 5.0, 500).iter().map(|x| x + 0.5).collect()), "integer");
    // Sums of tenths, which are no decimal numbers in binary.
    let mut sum = 0.0;
    let summed: Vec<f64> = (0..40)
        .map(|_| {
            sum += 0.1;
            sum
        })
        .collect();
    assert_eq!(kind("x", summed.repeat(5)), "rounded:0.1");
    // Digits that are finer than a density resolves, and steps that no two rows share.
    assert_eq!(kind("x", rounded(1e-4, 1.0, 500)), "real");
    assert_eq!(kind("x", (0..40).map(|k| f64::from(k * k)).collect()), "real");
    // One value off the lattice does not hide it.
    let mut mistake = rounded(0.1, 1.0, 500);
    mistake[7] = 0.123_456;
    assert_eq!(kind("x", mistake), "rounded:0.1");
    assert_eq!(kind("x", [0.0, 1.0, 1.0].repeat(100)), "integer");
    // Many zeros beside numbers that do not repeat.
    let rain: Vec<f64> = uniform(900).map(|u| if u < 0.6 { 0.0 } else { -(u.ln()) }).collect();
    let look = look(&[("rain", rain)]);
    assert_eq!(look.columns[0].kind, Kind::Real);
    assert!(look.columns[0].tied && look.columns[0].noise.is_some(), "{look:#}");
}

#[test]
fn rounded_values_that_are_skewed_as_positive_ones_have_limits() {
    let prices = |step: f64, least: f64| -> Vec<f64> {
        let price = |x: f64| ((30.0 * (0.6 * x).exp() / step).round() * step).max(least);
        humped(600).into_iter().map(price).collect()
    };
    assert_eq!(kind("price", prices(0.5, 0.5)), "rounded:0.5:positive");
    assert_eq!(kind("price", prices(1.0, 3.0)), "integer:positive");
    // Counts end at 0 or at 1, in a step.
    let counts = |least: f64| uniform(600).map(|u| least + (-2.0 * u.ln()).floor()).collect::<Vec<f64>>();
    assert_eq!(kind("n", counts(0.0)), "integer:0..");
    assert_eq!(kind("n", counts(1.0)), "integer:1..");
    // What is not skewed, or goes below 0, has none.
    let dice = |least: f64| uniform(600).map(|u| least + (6.0 * u).floor()).collect::<Vec<f64>>();
    assert_eq!((kind("n", dice(1.0)).as_str(), kind("n", dice(-2.0)).as_str()), ("integer", "integer"));
    assert_eq!(kind("n", counts(-1.0)), "integer");
    assert_eq!(look_at("n", dice(1.0)), "if it cannot lie outside of its values: --kind n=integer:1..6");
    assert_eq!(look_at("n", counts(-1.0)), "");
    let text = look(&[("price", prices(0.5, 0.5)), ("n", counts(1.0))]).to_string();
    assert!(text.contains("price (0.5, above 0) and n (1, from 1): fitted with noise"), "{text}");
}

#[test]
fn a_category_that_is_left_out_can_be_part_of_the_density_or_a_context() {
    let block = read(format!("city\n{}", "Oslo\nRome\n".repeat(9)));
    let hint = Look::of(&block, &Kinds::new()).unwrap().columns[0].hint.clone().unwrap();
    assert!(hint.contains("--kind city=category") && hint.contains("--given city"), "{hint}");
}

#[test]
fn a_column_that_counts_rows_is_one_although_rows_were_left_out() {
    let counted = block(&[("", (1..=100).map(f64::from).collect()), ("x", humped(100))]);
    let some = counted.filter(|row| row % 7 != 0);
    assert_eq!(Look::of(&some, &Kinds::new()).unwrap().columns[0].kind, Kind::Identifier);
}

fn look_at(name: &str, values: Vec<f64>) -> String {
    look(&[(name, values)]).columns[0].hint.clone().unwrap_or_default()
}

#[test]
fn columns_that_name_rows_are_left_out() {
    let counted: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!(kind("", counted.clone()), "identifier");
    assert_eq!(kind("Index", counted.iter().map(|k| k - 1.0).collect()), "identifier");
    assert_eq!(kind("id", vec![7.0, 12.0, 9.0, 40.0]), "identifier");
    assert_eq!(kind("", vec![7.0, 12.0, 9.0, 40.0]), "real");
    assert_eq!(kind("order_id", counted.iter().map(|k| k + 100_000.0).collect()), "identifier");
    assert_eq!(kind("SensorID", vec![7.0, 12.0, 9.0, 40.0]), "identifier");
    assert_eq!(kind("humid", vec![7.0, 12.0, 9.0, 40.0]), "real");
    assert_eq!(kind("id", vec![7.5, 12.0, 9.0, 40.0]), "real");
    let again = look_at("customer_id", counted.iter().map(|k| 100_000.0 + k % 17.0).collect());
    assert!(again.contains("--kind customer_id=identifier"), "{again}");
    let look = look(&[("day", counted)]);
    assert_eq!(look.columns[0].kind, Kind::Real);
    assert_eq!(
        look.columns[0].hint.as_deref(),
        Some("it counts the rows; if it only does that: --kind day=identifier")
    );
}

#[test]
fn circles_are_suggested_and_never_assumed() {
    let hint =
        |name: &str, values: Vec<f64>| look(&[(name, values)]).columns[0].hint.clone().unwrap_or_default();
    let turns = |from: f64, to: f64| uniform(500).map(|u| from + (to - from) * u).collect::<Vec<f64>>();
    assert_eq!(
        hint("wind_direction", turns(0.0, 360.0)),
        "if its ends meet: --kind wind_direction=circular:360"
    );
    assert_eq!(
        hint("longitude_deg", turns(-179.0, 178.0)),
        "if its ends meet: --kind longitude_deg=circular:-180..180"
    );
    assert_eq!(hint("phase", turns(0.1, 6.2)), "if its ends meet: --kind phase=circular:6.283185307179586");
    assert_eq!(hint("x", turns(0.0, 360.0)), "if its ends meet: --kind x=circular:360");
    let days = (0..1000).map(|day| f64::from(day % 366 + 1)).collect();
    assert_eq!(hint("day_of_year", days), "if its ends meet: --kind day_of_year=circular:365.25");
    assert_eq!(hint("x", turns(0.0, 100.0)), "");
    assert_eq!(kind("wind_direction", turns(0.0, 360.0)), "real");
}

#[test]
fn texts_are_dates_levels_or_neither() {
    let kind = |cells: &[&str]| {
        let cells = Cells::Text(cells.iter().map(|cell| Some(cell.to_string())).collect());
        let rows = cells.len() as u64;
        let block = Block::new(vec![Column { name: "t".to_string(), cells }], (0..rows).collect()).unwrap();
        Look::of(&block, &Kinds::new()).unwrap().columns[0].kind.name()
    };
    assert_eq!(kind(&["2012-01-01", "2012-01-02", "2012-12-31"]), "date");
    assert_eq!(kind(&["1.2.2012", "31.12.2012"]), "date");
    assert_eq!(kind(&["1/31/12", "12/1/12"]), "date");
    assert_eq!(kind(&["2012-01-01T10:00:00Z", "2012-01-01 10:00"]), "date");
    assert_eq!(kind(&["10:15", "9:05:33.5"]), "date");
    assert_eq!(kind(&["1.2.3", "40.50.60"]), "identifier");
    assert_eq!(kind(&["10:99", "10:15"]), "identifier");
    assert_eq!(kind(&["a", "b", "c"].repeat(5)), "category");
    assert_eq!(kind(&["a", "b", "c", "d"]), "identifier");
    assert_eq!(kind(&["a", "b", "c", "d", "d"]), "text");
    assert_eq!(kind(&["a"; 5]), "constant");
}

#[test]
fn levels_of_a_category_are_in_order() {
    let digits = block(&[("digit", vec![10.0, 2.0, 1.0, 2.0, 0.5])]);
    let look = Look::of(&digits, &"digit=category".parse().unwrap()).unwrap();
    let levels = ["0.5", "1", "2", "10"].map(str::to_string).to_vec();
    assert_eq!(look.columns[0].kind, Kind::Category { levels });
    assert_eq!(look.columns[0].treatment, Treatment::Levels);
    assert_eq!(look.used(), ["digit"]);
}
