//! The lessons: one module and one entry each.
//!
//! The front page, the runner, the list, the book and the tests all read [`LESSONS`].

use crate::Lesson;

#[path = "../04_absolute_value.rs"]
pub mod absolute_value;
#[path = "../16_anomalies.rs"]
pub mod anomalies;
#[path = "../12_autoregressive.rs"]
pub mod autoregressive;
#[path = "../06_chain_rule_of_determinants.rs"]
pub mod chain_rule_of_determinants;
#[path = "../01_change_of_variables.rs"]
pub mod change_of_variables;
#[path = "../20_continuous_flows.rs"]
pub mod continuous_flows;
#[path = "../11_coupling.rs"]
pub mod coupling;
#[path = "../08_first_flow.rs"]
pub mod first_flow;
#[path = "../18_five_paradigms.rs"]
pub mod five_paradigms;
#[path = "../17_inverse_problems.rs"]
pub mod inverse_problems;
#[path = "../10_invertibility_is_architecture.rs"]
pub mod invertibility_is_architecture;
#[path = "../03_jacobian_and_volume.rs"]
pub mod jacobian_and_volume;
#[path = "../22_linear_layers.rs"]
pub mod linear_layers;
#[path = "../13_maximum_likelihood_is_forward_kl.rs"]
pub mod maximum_likelihood_is_forward_kl;
#[path = "../14_one_pass_sampling.rs"]
pub mod one_pass_sampling;
#[path = "../19_reparameterisation.rs"]
pub mod reparameterisation;
#[path = "../23_residual_flows.rs"]
pub mod residual_flows;
#[path = "../15_simple_bases.rs"]
pub mod simple_bases;
#[path = "../21_splines.rs"]
pub mod splines;
#[path = "../02_the_tape.rs"]
pub mod the_tape;
#[path = "../07_triangular_is_cheap.rs"]
pub mod triangular_is_cheap;
#[path = "../05_two_forms.rs"]
pub mod two_forms;
#[path = "../09_write_forward_get_the_rest.rs"]
pub mod write_forward_get_the_rest;
#[path = "../24_your_own_flow.rs"]
pub mod your_own_flow;

/// All lessons, in the order in which they are told.
pub const LESSONS: &[Lesson] = &[
    change_of_variables::LESSON,
    the_tape::LESSON,
    jacobian_and_volume::LESSON,
    absolute_value::LESSON,
    two_forms::LESSON,
    chain_rule_of_determinants::LESSON,
    triangular_is_cheap::LESSON,
    first_flow::LESSON,
    write_forward_get_the_rest::LESSON,
    invertibility_is_architecture::LESSON,
    coupling::LESSON,
    autoregressive::LESSON,
    maximum_likelihood_is_forward_kl::LESSON,
    one_pass_sampling::LESSON,
    simple_bases::LESSON,
    anomalies::LESSON,
    inverse_problems::LESSON,
    five_paradigms::LESSON,
    reparameterisation::LESSON,
    continuous_flows::LESSON,
    splines::LESSON,
    linear_layers::LESSON,
    residual_flows::LESSON,
    your_own_flow::LESSON,
];
