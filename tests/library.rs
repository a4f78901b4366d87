//! The tests of the library, in one binary: it is compiled and linked once, and its tests run side by side.
//!
//! `cargo test structure::` runs those of `structure.rs`. What several of them share has a folder each: the `catalogue` of
//! layers, `random_programs`, `seeded` seeds, `exact` intervals, a `plain` executor, a `notation_reader`, the
//! way to a `snapshot`, layers as users have `written` them, files of tables (`table_files`), `fitted` models.

mod accuracy;
mod adversary;
mod append;
mod architecture;
mod attacks;
mod audit;
mod bases;
mod bottlenecks;
mod bounds;
mod bracketing;
mod catalogue;
mod checker;
mod compare;
mod composition;
mod conditional;
mod conditionals;
mod continuous;
mod contractions;
mod density_of_a_table;
mod derivations;
mod exact;
mod fitted;
mod flow;
mod gradients;
mod guards;
mod imported;
mod imported_peers;
mod initial_values;
mod inverse;
mod jax_export;
mod kernel_accuracy;
mod kernel_elementwise;
mod kernel_products;
mod laws;
mod linear_maps;
mod model;
mod notation_reader;
mod notations;
mod objectives;
mod onnx_export;
mod pieces;
mod places;
mod plain;
mod power_series;
mod program;
mod random_programs;
mod report;
mod requirements;
mod schedules;
pub mod seeded;
mod shared_weights;
mod simplify;
mod single_sample;
mod slopes;
mod snapshot;
mod snapshots;
mod some_values_known;
mod spline;
mod structure;
mod supports;
mod table_files;
mod table_kinds;
mod table_look;
#[cfg(feature = "parquet")]
mod table_parquet;
mod table_read;
mod table_write;
mod tails;
mod threads;
mod train;
mod users_layers;
mod vectors;
mod written;
