//! Modules shared by the benches.
//!
//! | file | what is in it |
//! |---|---|
//! | `bench` | measures with criterion and keeps the numbers |
//! | `table` | the table that a bench ends with |
//! | `summary` | the results of all benches as one JSON file |
//! | `picture` | the results of one bench as an SVG |
//! | `machine` | the machine and its load |
//! | `models` | the flows of `case`, `train_step` and `density` |
//! | `case` | one case, timed as in the scripts of other libraries |
//! | `layers` | bijections whose Jacobians are known: neighbours, and a masked autoregressive layer |
//! | `chain`, `network` | programs on a tape and the equivalent plain loops |
//! | `pairs` | two implementations of one number, timed in turn |
//! | `rows` | side by side: the comparisons and their targets |
//! | `peers` | side by side: programs that print one JSON line, ours and other libraries' |
//! | `markdown` | side by side: the table |

pub mod bench;
pub mod case;
pub mod chain;
pub mod layers;
pub mod machine;
pub mod markdown;
pub mod models;
pub mod network;
pub mod pairs;
pub mod peers;
pub mod picture;
pub mod rows;
pub mod summary;
pub mod table;
