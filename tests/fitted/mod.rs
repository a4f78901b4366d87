//! Models that are fitted to tables which tests make up.

use pushforward::model::{Choice, Model, ModelOptions};
use pushforward::table::{Block, Kinds, Look};
use rand::RngExt;
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
