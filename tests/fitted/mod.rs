//! Models that are fitted to tables which tests make up.

use pushforward::model::{Choice, Encoding, Model, ModelOptions};
use pushforward::table::{Block, Cells, Column, Kinds, Look};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A number of the standard normal distribution.
pub fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// Fits a density to all columns that are not given, with these kinds.
pub fn fit(block: &Block, kinds: &str, choice: Choice, given: &[&str]) -> Model {
    let look = Look::of(block, &kinds.parse::<Kinds>().unwrap()).unwrap();
    let options = ModelOptions {
        choice,
        given: given.iter().map(ToString::to_string).collect(),
        // On a busy machine no fewer epochs are made.
        time: std::time::Duration::from_secs(600),
        ..ModelOptions::default()
    };
    Model::fit(block, &look, options).unwrap()
}

/// The name of a column, and its levels if it has any.
pub type Asked = (String, Vec<String>);

/// A table of these kinds of columns, which depend on one another.
pub fn table(kinds: &str, rows: usize, seed: u64) -> Block {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let latent: Vec<f64> = (0..rows).map(|_| normal(&mut random)).collect();
    let mut column = |(name, kind): (&str, &str)| {
        let mut numbers = |f: &dyn Fn(f64, f64) -> f64| {
            Cells::Numbers(latent.iter().map(|t| f(*t, normal(&mut random))).collect())
        };
        let cells = match kind.split(':').next().unwrap() {
            "real" => numbers(&|t, e| 3.0 + 2.0 * t + e),
            "positive" => numbers(&|t, e| (0.5 * t + 0.4 * e).exp()),
            "bounded" => numbers(&|t, e| -1.0 + 4.0 / (1.0 + (-t - 0.5 * e).exp())),
            "circular" => numbers(&|t, e| (200.0 + 60.0 * t + 20.0 * e).rem_euclid(360.0)),
            "integer" => numbers(&|t, e| (4.0 + 2.0 * t + e).round().max(0.0)),
            "rounded" => numbers(&|t, e| 0.25 * (4.0 * (t + e)).round()),
            _ => Cells::Text(
                latent.iter().map(|t| Some(if *t < 0.3 { "low" } else { "high" }.to_string())).collect(),
            ),
        };
        Column { name: name.to_string(), cells }
    };
    let columns = kinds.split(',').map(|pair| column(pair.split_once('=').unwrap())).collect();
    Block::new(columns, (2..rows as u64 + 2).collect()).unwrap()
}

/// The numbers of columns, row after row; of texts the place of the level.
pub fn numbers(block: &Block, columns: &[Asked]) -> Vec<f64> {
    let value = |row: usize, (name, levels): &Asked| match &block.column(name).unwrap().cells {
        Cells::Numbers(values) => values[row],
        Cells::Text(texts) => {
            let text = texts[row].as_ref().unwrap();
            levels.iter().position(|level| level == text).unwrap() as f64
        }
    };
    (0..block.rows()).flat_map(|row| columns.iter().map(move |column| value(row, column))).collect()
}

/// The columns of a model that exports take, by the names of their inputs.
pub fn inputs(model: &Model) -> Vec<(&'static str, Vec<Asked>)> {
    let own = model.columns().iter().map(|column| (column.name.clone(), vec![])).collect();
    let given = model.given().iter().map(|column| match &column.encoding {
        Encoding::OneHot { levels } => (column.name.clone(), levels.clone()),
        _ => (column.name.clone(), vec![]),
    });
    let categories = model.categories().into_iter().flat_map(|all| &all.columns);
    let categories = categories.map(|column| (column.name.clone(), column.levels.clone()));
    [("x", own), ("context", given.collect()), ("categories", categories.collect::<Vec<_>>())]
        .into_iter()
        .filter(|(_, columns): &(_, Vec<_>)| !columns.is_empty())
        .collect()
}
