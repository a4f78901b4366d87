//! Tests of the generator: correct recipes are monotone and stay in their codomain, planted faults exist.
//!
//! These tests are numerical, at scales that f64 can resolve; the comment of each fault says why the same
//! holds at others.

use std::cell::Cell;

use pushforward::prelude::*;
use pushforward::program::{Output, Program as Compiled};

use super::fault::{Fault, KINDS, Place};
use super::line::Line;
use super::recipe::Recipe;
use super::step::Step;
use crate::random_programs::{Chooser, for_seeds};

/// The images of points, with this value for every parameter.
fn images(layer: &dyn Bijection, points: &[f64], parameter: Option<f64>) -> Vec<f64> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(layer.dim()));
    let x = layer.forward(z);
    tape.check().unwrap_or_else(|errors| panic!("{errors}"));
    let mut program = Compiled::<f64>::compile(&tape, &[z.id()], &[Output::Each(x.id())]);
    let mut parameters = Parameters::initialise(&tape, 0);
    if let Some(value) = parameter {
        parameters.iter_mut().for_each(|(_, tensor)| tensor.values.fill(value));
    }
    program.load(&parameters).unwrap();
    program.run(&[points], points.len() / layer.dim()).unwrap().swap_remove(0)
}

/// Whether a layer notes a mistake of the recording.
fn refused(layer: &dyn Bijection) -> bool {
    let tape = Tape::new();
    let _ = layer.forward(tape.input(Shape::Vector(layer.dim())));
    tape.check().is_err()
}

fn alone(fault: Fault) -> Box<dyn Bijection> {
    let recipe = Recipe {
        lines: (Line::Reals, Line::Reals),
        order: vec![0],
        chains: vec![vec![Step::Fault(fault)]],
        mix: None,
        declared: true,
        vector: false,
        spoil: None,
    };
    recipe.layer()
}

#[test]
fn right_recipes_are_monotone_and_stay_in_their_codomain() {
    let (finite, all) = (Cell::new(0), Cell::new(0));
    for_seeds(1000, |seed| {
        let mut choose = Chooser::new(seed);
        let lines = (Line::any(&mut choose), Line::any(&mut choose));
        let recipe = Recipe::right(lines, 1, &mut choose);
        let points: Vec<f64> = (-160..=160).map(|k| lines.0.carried(f64::from(k) / 20.0)).collect();
        // An equation within an equation is refused when it is recorded.
        if refused(&*recipe.layer()) {
            return Ok(());
        }
        let mut images = images(&*recipe.layer(), &points, None);
        // Where a step saturates, the next may have no number for its end.
        images.retain(|x| x.is_finite());
        finite.set(finite.get() + images.len());
        all.set(all.get() + points.len());
        if images.is_empty() {
            return Ok(());
        }
        let size = images.iter().fold(0.0f64, |size, x| size.max(x.abs()));
        let way = (images[images.len() - 1] - images[0]).signum();
        // (lower, upper) with the ends that saturation brings.
        let (lower, upper) = match lines.1 {
            Line::Reals => (f64::MIN, f64::MAX),
            Line::Positive => (0.0, f64::MAX),
            Line::Unit => (0.0, 1.0),
            Line::Ball => (-1.0, 1.0),
        };
        for (k, x) in images.iter().enumerate() {
            if !(lower..=upper).contains(x) {
                return Err(format!("{recipe:?} leaves its codomain: {x}"));
            }
            if k > 0 && way * (x - images[k - 1]) < -1e-9 * size {
                return Err(format!("{recipe:?} turns: {} and then {x}", images[k - 1]));
            }
        }
        Ok(())
    });
    assert!(finite.get() * 100 > all.get() * 99, "{} of {} images are numbers", finite.get(), all.get());
}

#[test]
fn planted_faults_are_there() {
    for_seeds(2000, |seed| {
        let mut choose = Chooser::new(seed);
        let fault = Fault::of(choose.below(KINDS), &mut choose);
        let visible = |at: &Place, size: f64| {
            matches!(at, Place::Number(at) if at.abs() < 100.0) && (1e-3..1e3).contains(&size)
        };
        let grid = |centre: f64, width: f64| -> Vec<f64> {
            (-4000..=4000).map(|k| centre + width * f64::from(k) / 1000.0).collect()
        };
        let number = |at: &Place| if let Place::Number(at) = at { *at } else { 0.0 };
        let missing = |what: &str| Err(format!("{fault:?}: {what}"));
        let turns = |points: &[f64]| {
            let images = images(&*alone(fault.clone()), points, None);
            let steps: Vec<f64> = images.windows(2).map(|pair| pair[1] - pair[0]).collect();
            steps.iter().any(|step| *step > 0.0) && steps.iter().any(|step| *step < 0.0)
        };
        let folds = match &fault {
            Fault::JumpBack { at, by, .. } if visible(at, *by) => turns(&grid(number(at), *by)),
            Fault::JumpAhead { at, by, .. } if visible(at, *by) => {
                let points = grid(number(at), 0.1 * by);
                let images = images(&*alone(fault.clone()), &points, None);
                let steps: Vec<f64> = images.windows(2).map(|pair| pair[1] - pair[0]).collect();
                if !steps.iter().all(|step| *step > 0.0) {
                    return missing("it is not one-to-one");
                }
                steps.iter().any(|step| *step > 0.4 * by)
            }
            Fault::Plateau { at, width, .. } if visible(at, *width) => {
                let inside = [0.2, 0.5, 0.8].map(|share| number(at) + share * width);
                let flat = images(&*alone(fault.clone()), &inside, None);
                flat.iter().all(|x| (x - flat[0]).abs() <= 1e-12 * number(at).abs().max(*width))
            }
            // Where the slope is -1e-12 at its lowest, doubles cannot see it.
            Fault::Fold { at, scale, size, .. } if visible(at, *scale) && *size > 1.1 => {
                turns(&grid(number(at), *scale))
            }
            Fault::PowerFold { .. } => turns(&grid(0.0, 4.0)),
            Fault::NarrowFold { k, .. } => turns(&grid(0.0, 1.0 / f64::from(k.unsigned_abs()).sqrt())),
            Fault::EvenPower { .. } => {
                let pair = images(&*alone(fault.clone()), &[-0.999, 0.999, -1e-5, 1e-5], None);
                pair[0] == pair[1] && pair[2] == pair[3]
            }
            Fault::FlatForAParameter { slope, .. } => {
                let zero = [0.0, 0.0, 0.0, 0.0, 1e10, 1e-300f64.ln(), 0.0, 0.0][*slope];
                let pair = images(&*alone(fault.clone()), &[-1.0, 2.0], Some(zero));
                (pair[0] - pair[1]).abs() < 1e-300
            }
            Fault::UndefinedForAParameter { .. } => {
                [0.0, -1.0].iter().any(|p| images(&*alone(fault.clone()), &[1.0], Some(*p))[0].is_nan())
            }
            Fault::AlmostASquare { least, over } if *over >= 1e-3 => {
                let p = (1e3 * least / over).sqrt();
                // The slope is below 0 between these two times the width from the middle.
                let points = grid(-(1.0 + over) * p, 0.5 * p * (2.0 * over + over * over).sqrt());
                let images = images(&*alone(fault.clone()), &points, Some(p));
                let steps: Vec<f64> = images.windows(2).map(|pair| pair[1] - pair[0]).collect();
                steps.iter().any(|step| *step > 0.0) && steps.iter().any(|step| *step < 0.0)
            }
            // Which of two fractions is larger is known exactly.
            _ => true,
        };
        if folds { Ok(()) } else { missing("the fault is not seen") }
    });
}
