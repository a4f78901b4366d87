//! Your own crate: the lesson says how to make it. Here the judge learns where it is. It compiles your layer.rs, which may use
//! pushforward and serde.
//!
//!     cargo run --release -- check 24

use pushforward::prelude::*;
use pushforward_course::lessons::your_own_flow::judge::Own;

// In a crate beside the folder of this repository it is "../../../own_flow/src/layer.rs".
#[path = "24_your_own_flow/layer.rs"]
pub mod layer;

pub fn own() -> Own {
    Own {
        folder: "../own_flow",
        layer: Box::new(layer::Own),
        registry: Registry::catalogue().with_layer::<layer::Own>("own"),
        model: "own.model",
        table: "lessons/data/weather.csv",
        columns: ["day_of_year", "temp_max_c"],
    }
}
