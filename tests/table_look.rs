//! The look at a table before a fit: what it finds, and how it says it.

use pushforward::prelude::Table;
use pushforward::table::{Block, Cells, Column, Kinds, Look, Treatment};

use crate::snapshot::snapshot;
use crate::table_files::{block, look, normals, read};

#[test]
fn a_copy_a_sum_and_a_constant_sum_are_named_and_the_rest_is_fitted() {
    let (a, b) = (normals(300, 1), normals(300, 2));
    let pairs = || a.iter().zip(&b);
    let look = look(&[
        ("a", a.clone()),
        ("copy", a.clone()),
        ("b", b.clone()),
        ("sum", pairs().map(|(a, b)| a + b).collect()),
        ("shares", pairs().map(|(a, b)| 100.0 - 2.0 * a - 0.5 * b).collect()),
        ("odd", pairs().map(|(a, b)| 1.234_567_891 * a - b).collect()),
        ("free", normals(300, 3)),
    ]);
    let relations: Vec<String> = look.relations.iter().map(ToString::to_string).collect();
    assert_eq!(relations, ["copy = a", "sum = a + b", "shares = -2·a - 0.5·b + 100", "odd ≈ 1.235·a - b"]);
    assert_eq!(look.used(), ["a", "b", "free"]);
    assert_eq!(look.column("sum").unwrap().treatment, Treatment::Dependent);
}

#[test]
fn relations_are_found_at_any_scale_and_rounding_is_no_distance() {
    let (a, b) = (normals(2000, 4), normals(2000, 5));
    let pairs = || a.iter().zip(&b);
    for scale in [1e-170, 1e-9, 1.0, 1e9, 1e140] {
        let look = look(&[
            ("a", a.iter().map(|a| a * scale).collect()),
            ("b", b.clone()),
            ("c", pairs().map(|(a, b)| a + b).collect()),
        ]);
        assert_eq!(look.relations.len(), 1, "{scale}");
    }
    // Large numbers of a small spread, as times are; sums stored as f32.
    let look_at = |c: Vec<f64>, offset: f64| {
        let times = a.iter().map(|a| offset + a).collect();
        look(&[("a", times), ("b", b.clone()), ("c", c)]).relations.len()
    };
    assert_eq!(look_at(pairs().map(|(a, b)| (1.5e9 + a) + b).collect(), 1.5e9), 1);
    assert_eq!(look_at(pairs().map(|(a, b)| f64::from((a + b) as f32)).collect(), 0.0), 1);
    // What differs by more is a measurement, even if the correlation is 0.999999999999.
    let noise = normals(2000, 6);
    assert_eq!(look_at(pairs().zip(&noise).map(|((a, b), e)| a + b + 1e-6 * e).collect(), 0.0), 0);
}

#[test]
fn products_of_positive_columns_are_sums_of_logarithms() {
    let positive = |seed: u64| normals(300, seed).iter().map(|z| z.exp()).collect::<Vec<f64>>();
    let (a, b) = (positive(7), positive(8));
    let area = a.iter().zip(&b).map(|(a, b)| 2.0 * a * b).collect();
    let look = look(&[("a", a), ("b", b), ("area", area)]);
    assert_eq!(look.relations.len(), 1);
    assert_eq!(look.relations[0].to_string(), "ln area ≈ ln a + ln b + 0.6931");
}

#[test]
fn rows_that_repeat_are_grouped() {
    let look = look(&[("a", vec![1.0, 2.0, 1.0, 3.0, 1.0, 2.0]), ("b", vec![0.0, 5.0, -0.0, 1.0, 0.0, 5.5])]);
    assert_eq!(look.groups, [0, 1, 0, 3, 0, 5]);
    assert_eq!((look.repeats.rows, look.repeats.groups, look.repeats.largest), (2, 1, 3));
    assert_eq!(look.repeats.lines, [4, 6]);
}

#[test]
fn markers_and_outliers_are_found_with_their_lines() {
    let found = |change: &dyn Fn(&mut Vec<f64>)| {
        let mut values: Vec<f64> = normals(1000, 9).iter().map(|z| 5.0 + 2.0 * z).collect();
        change(&mut values);
        let look = look(&[("x", values)]);
        let column = &look.columns[0];
        let said: Vec<String> = column.suspects.iter().map(|s| format!("{s} {}", s.marker)).collect();
        said.join("; ")
    };
    assert_eq!(found(&|_| {}), "");
    assert_eq!(
        found(&|values| [10, 20, 30, 40].into_iter().for_each(|row| values[row] = -9999.0)),
        "-9999 in 4 rows (lines 12, 22, 32 and 1 more) true"
    );
    assert_eq!(found(&|values| values[1] = 1e15), "1e15 (line 3) true");
    assert_eq!(found(&|values| values[1] = 999.0), "999 (line 3) true");
    assert_eq!(found(&|values| values[1] = 523.7), "523.7 (line 3) false");
    assert_eq!(
        found(&|values| {
            values[1] = -999.0;
            values[2] = -9999.0;
            values[3] = 1e6;
        }),
        "-9999 (line 4) true; -999 (line 3) true; 1000000 (line 5) true"
    );
    // Heavy tails are no outliers of a positive column, which is looked at by its logarithms.
    let tails = normals(1000, 10).iter().map(|z| (2.0 * z).exp()).collect();
    assert!(look(&[("x", tails)]).columns[0].suspects.is_empty());
}

#[test]
fn numbers_whose_square_overflows_are_named() {
    let table = read("a,b\n1,2\n\n3,1e200\n");
    assert_eq!(
        Look::of(&table, &Kinds::new()).unwrap_err().to_string(),
        "line 4, column `b`: the square of 1e200 overflows; correct or remove the row, or change the column's unit"
    );
}

#[test]
fn few_rows_are_said_to_be_few() {
    let columns: Vec<(String, Vec<f64>)> = (0..30).map(|j| (format!("x{j}"), normals(11, 20 + j))).collect();
    let columns: Vec<(&str, Vec<f64>)> =
        columns.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
    let look = look(&columns);
    assert!(look.has_too_few_rows() && look.relations.is_empty());
    let text = look.to_string();
    assert!(text.contains("few rows    11 rows cannot give a covariance of 30 columns"), "{text}");
}

/// A table like those of weather stations, with one of each fault.
fn weather() -> Block {
    let rows = 600;
    let tenths =
        |values: Vec<f64>| -> Vec<f64> { values.iter().map(|x| (10.0 * x).round() / 10.0).collect() };
    let low: Vec<f64> = tenths(normals(rows, 11).iter().map(|z| 8.0 + 5.0 * z).collect());
    let mut wind = tenths(normals(rows, 12).iter().map(|z| (1.0 + 0.5 * z).exp()).collect());
    [12, 58, 261, 372].into_iter().for_each(|row| wind[row] = -9999.0);
    let rain = normals(rows, 13).iter().map(|z| if *z < 0.3 { 0.0 } else { (2.0 * z).exp() }).collect();
    let mut pressure: Vec<f64> = normals(rows, 14).iter().map(|z| 1013.0 + 8.0 * z).collect();
    [3, 4].into_iter().for_each(|row| pressure[row] = f64::NAN);
    let kelvin = pressure.iter().map(|x| x / 10.0).collect();
    let days = (0..rows).map(|day| (day % 366 + 1) as f64).collect();
    let text = |of: &dyn Fn(usize) -> String| Cells::Text((0..rows).map(|row| Some(of(row))).collect());
    let columns = [
        ("", Cells::Numbers((1..=rows).map(|row| row as f64).collect())),
        ("date", text(&|row| format!("2012-{:02}-{:02}", row / 28 % 12 + 1, row % 28 + 1))),
        ("city", text(&|row| if row % 2 == 0 { "Seattle".into() } else { "New York".into() })),
        ("station", Cells::Numbers(vec![0.1; rows])),
        ("day_of_year", Cells::Numbers(days)),
        ("temp_min_c", Cells::Numbers(low)),
        ("wind_m_s", Cells::Numbers(wind)),
        ("rain_mm", Cells::Numbers(rain)),
        ("pressure_hpa", Cells::Numbers(pressure)),
        ("pressure_kpa", Cells::Numbers(kelvin)),
    ];
    let columns = columns.map(|(name, cells)| Column { name: name.to_string(), cells });
    let block = Block::new(columns.to_vec(), (2..rows as u64 + 2).collect()).unwrap();
    block.filter(|_| true)
}

#[test]
fn a_look_is_ten_lines_and_with_reasons_a_line_for_each_column() {
    let look = Look::of(&weather(), &Kinds::new()).unwrap();
    let text = look.to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    snapshot("table_look", &text);
    let kinds = "city=category,day_of_year=circular:366".parse().unwrap();
    let given = Look::of(&weather(), &kinds).unwrap();
    snapshot("table_look_reasons", &format!("{given:#}"));
}

#[test]
fn a_look_can_be_kept() {
    let look = Look::of(&weather(), &Kinds::new()).unwrap();
    let text = serde_json::to_string(&look).unwrap();
    let read: Look = serde_json::from_str(&text).unwrap();
    assert_eq!((read.columns, read.relations), (look.columns, look.relations));
}

#[test]
fn moments_of_constants_and_of_tiny_and_large_numbers() {
    let moments = |values: Vec<f64>| {
        let (mean, deviation) = Table::new(&["x"], values).unwrap().moments();
        (mean[0], deviation[0])
    };
    assert_eq!(moments(vec![0.1; 40]), (0.1, 0.0));
    let pair = |size: f64| vec![size, 3.0 * size];
    assert_eq!(moments(pair(1.0)), (2.0, 1.0));
    for size in [1e-200, 1e200] {
        let (mean, deviation) = moments(pair(size));
        assert!((mean / size - 2.0).abs() < 1e-15 && (deviation / size - 1.0).abs() < 1e-15, "{size}");
    }
    let table = Table::new(&["k"], vec![0.1; 40]).unwrap();
    let standardised = table.standardised(&table.moments());
    assert!(standardised.values().iter().all(|value| *value == 0.0));
}

#[test]
fn a_table_of_numbers_can_be_looked_at() {
    let table = Table::new(&["a", "b"], normals(200, 15)).unwrap();
    let look = Look::of(&Block::from(&table), &Kinds::new()).unwrap();
    assert_eq!(look.to_string(), "100 rows of 2 columns\n  real        a and b");
    let again = Block::from(&table).to_table(&["a", "b"]).unwrap();
    assert_eq!(again, table);
    assert_eq!(
        block(&[("a", vec![1.0, f64::NAN])]).to_table(&["a"]).unwrap_err().to_string(),
        "line 3, column `a` has no value; leave such rows out (--missing drop), or leave the column out"
    );
}
