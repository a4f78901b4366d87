//! The table of lessons: one module and one entry each.
//!
//! A lesson is a program of its own too; its `main` is not called from here.
#![allow(dead_code)]

use pushforward::lesson::Lesson;

#[path = "../../lessons/01_change_of_variables.rs"]
mod lesson_01;
#[path = "../../lessons/02_the_tape.rs"]
mod lesson_02;
#[path = "../../lessons/03_jacobian_and_volume.rs"]
mod lesson_03;
#[path = "../../lessons/04_absolute_value.rs"]
mod lesson_04;
#[path = "../../lessons/05_two_forms.rs"]
mod lesson_05;
#[path = "../../lessons/06_chain_rule_of_determinants.rs"]
mod lesson_06;
#[path = "../../lessons/07_triangular_is_cheap.rs"]
mod lesson_07;
#[path = "../../lessons/08_first_flow.rs"]
mod lesson_08;
#[path = "../../lessons/09_write_forward_get_the_rest.rs"]
mod lesson_09;
#[path = "../../lessons/10_invertibility_is_architecture.rs"]
mod lesson_10;
#[path = "../../lessons/11_coupling.rs"]
mod lesson_11;
#[path = "../../lessons/12_autoregressive.rs"]
mod lesson_12;
#[path = "../../lessons/13_maximum_likelihood_is_forward_kl.rs"]
mod lesson_13;
#[path = "../../lessons/14_one_pass_sampling.rs"]
mod lesson_14;
#[path = "../../lessons/15_simple_bases.rs"]
mod lesson_15;
#[path = "../../lessons/16_anomalies.rs"]
mod lesson_16;
#[path = "../../lessons/17_inverse_problems.rs"]
mod lesson_17;
#[path = "../../lessons/18_five_paradigms.rs"]
mod lesson_18;
#[path = "../../lessons/19_reparameterisation.rs"]
mod lesson_19;
#[path = "../../lessons/20_continuous_flows.rs"]
mod lesson_20;

/// All lessons, in order.
pub const LESSONS: [Lesson; 20] = [
    lesson_01::LESSON,
    lesson_02::LESSON,
    lesson_03::LESSON,
    lesson_04::LESSON,
    lesson_05::LESSON,
    lesson_06::LESSON,
    lesson_07::LESSON,
    lesson_08::LESSON,
    lesson_09::LESSON,
    lesson_10::LESSON,
    lesson_11::LESSON,
    lesson_12::LESSON,
    lesson_13::LESSON,
    lesson_14::LESSON,
    lesson_15::LESSON,
    lesson_16::LESSON,
    lesson_17::LESSON,
    lesson_18::LESSON,
    lesson_19::LESSON,
    lesson_20::LESSON,
];
