//! What the benches share.
//!
//! | file | what is in it |
//! |---|---|
//! | `bench` | measures with criterion and keeps the numbers |
//! | `table` | the table that a bench ends with |
//! | `summary` | the numbers of all benches as one JSON file |
//! | `picture` | the numbers of one bench as an SVG |
//! | `machine` | what it ran on, and how busy that was |
//! | `models` | the flows of `case`, `train_step` and `density` |
//! | `case` | one of them, timed as other libraries' scripts are |
//! | `layers` | bijections whose Jacobians are known: neighbours, and a masked autoregressive layer |
//! | `chain`, `network` | programs on a tape beside the same in plain loops |
//! | `pairs` | two ways of our own to the same number, timed in turn |
//! | `rows` | side by side: what is compared with what, and what is to be reached |
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
