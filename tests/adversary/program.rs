//! Programs of all kinds, correct and faulty.

use pushforward::prelude::*;

use super::affine::Affine;
use super::contractive::Contractive;
use super::hand::Hand;
use super::line::Line;
use super::meeting::Meeting;
use super::recipe::Recipe;
use super::singular::Singular;
use super::step::Step;
use super::truth::Truth;
use crate::random_programs::Chooser;

#[derive(Clone, Debug)]
pub enum Program {
    One(Recipe),
    /// `Inverse` of a recipe.
    Turned(Recipe),
    Chained(Vec<Recipe>),
    Hand(Hand),
    Affine(Affine),
    Meeting(Meeting),
    Contractive(Contractive),
    Singular(Singular),
    /// `Chain` of a right recipe and a singular map.
    SingularBehind(Recipe, Singular),
}

impl Program {
    /// A bijection, rightly declared.
    pub fn right(choose: &mut Chooser) -> Program {
        let d = 1 + choose.below(4);
        let lines = (Line::any(choose), Line::any(choose));
        match choose.below(10) {
            0 => Program::Hand(Hand::any(true, choose)),
            1 | 2 => Program::Turned(whole(lines, d, choose)),
            3 | 4 => Program::Chained(chained(d.min(3), choose)),
            5 if choose.chance(0.5) => Program::Affine(Affine::any(true, choose)),
            5 if choose.chance(0.5) => Program::Meeting(Meeting::any(true, choose)),
            5 => Program::Contractive(Contractive::any(true, choose)),
            _ => Program::One(Recipe::right(lines, d, choose)),
        }
    }

    /// One with a fault.
    pub fn wrong(choose: &mut Chooser) -> Program {
        match choose.below(12) {
            0 | 1 => Program::Hand(Hand::any(false, choose)),
            2 if choose.chance(0.5) => Program::Affine(Affine::any(false, choose)),
            2 if choose.chance(0.5) => Program::Meeting(Meeting::any(false, choose)),
            2 if choose.chance(0.7) => Program::Contractive(Contractive::any(false, choose)),
            2 => Program::Singular(Singular::any(choose)),
            3 if choose.chance(0.5) => {
                let before = whole((Line::Reals, Line::Reals), 2, choose);
                Program::SingularBehind(before, Singular::any(choose))
            }
            3 | 4 => match Recipe::wrong(choose) {
                recipe if recipe.spoil.is_none() => Program::Turned(recipe),
                recipe => Program::One(recipe),
            },
            5 => {
                let recipe = Recipe::wrong(choose);
                // What is wrong with a declaration is asked of a layer alone.
                if recipe.spoil.is_some() || recipe.lines.1 != Line::Reals {
                    return Program::One(recipe);
                }
                let d = recipe.order.len();
                let before = whole((Line::any(choose), Line::Reals), d, choose);
                let after = whole((Line::Reals, Line::any(choose)), d, choose);
                Program::Chained(vec![before, recipe, after])
            }
            _ => Program::One(Recipe::wrong(choose)),
        }
    }

    /// What is wrong with it.
    pub fn kind(&self) -> &'static str {
        match self {
            Program::One(recipe) => recipe.kind(),
            Program::Turned(recipe) => match recipe.kind() {
                "none" => "none",
                _ => "fault of what is inverted",
            },
            Program::Chained(recipes) => {
                recipes.iter().map(Recipe::kind).find(|kind| *kind != "none").unwrap_or("none")
            }
            Program::Hand(hand) => match hand.given_is_right() {
                (None | Some(true), None | Some(true)) => "none",
                _ => hand.kind(),
            },
            Program::Affine(affine) if affine.is_right() => "none",
            Program::Meeting(meeting) if meeting.is_right() => "none",
            Program::Meeting(_) => "folds for some parameters, or is not onto",
            Program::Affine(_) => "singular for some parameters",
            Program::Contractive(map) if map.is_right() => "none",
            Program::Contractive(_) => "no contraction",
            Program::Singular(_) | Program::SingularBehind(..) => "singular",
        }
    }

    /// How it is made.
    pub fn form(&self) -> &'static str {
        match self {
            Program::One(recipe) if recipe.mix.is_some() => "dense",
            Program::One(recipe) if recipe.order.len() == 1 => "one variable",
            Program::One(_) => "triangular",
            Program::Turned(_) => "inverse",
            Program::Chained(_) => "chain",
            Program::Hand(_) => "by hand",
            Program::Affine(_) => "affine",
            Program::Meeting(_) => "meeting in one number",
            Program::Contractive(_) => "residual",
            Program::Singular(_) | Program::SingularBehind(..) => "singular",
        }
    }

    pub fn truth(&self) -> Truth {
        let (yes, no) = (Some(true), Some(false));
        let singular = Truth { determinant: no, one_to_one: no, onto: no, given_log_det: None, ..Truth::ALL };
        match self {
            Program::One(recipe) => recipe.truth(),
            Program::Turned(recipe) => match recipe.truth() {
                truth if recipe.kind() == "none" => truth,
                // What has no inverse is no map at all.
                _ => Truth { defined: no, determinant: no, one_to_one: no, onto: no, ..Truth::ALL },
            },
            Program::Chained(recipes) => {
                let all = |fact: fn(&Truth) -> Option<bool>| {
                    let facts = recipes.iter().map(|recipe| fact(&recipe.truth()));
                    facts.fold(yes, |all, fact| match (all, fact) {
                        (Some(false), _) | (_, Some(false)) => no,
                        (Some(true), Some(true)) => yes,
                        _ => None,
                    })
                };
                Truth {
                    defined: all(|truth| truth.defined),
                    determinant: all(|truth| truth.determinant),
                    one_to_one: all(|truth| truth.one_to_one),
                    onto: all(|truth| truth.onto),
                    ..Truth::ALL
                }
            }
            Program::Hand(hand) => {
                let (given_log_det, given_inverse) = hand.given_is_right();
                Truth { given_log_det, given_inverse, ..Truth::ALL }
            }
            Program::Affine(affine) if affine.is_right() => Truth::ALL,
            Program::Affine(_) => Truth { determinant: no, one_to_one: no, onto: no, ..Truth::ALL },
            Program::Meeting(meeting) if meeting.is_right() => Truth::ALL,
            Program::Meeting(meeting) if meeting.is_short() => Truth { onto: no, ..Truth::ALL },
            Program::Meeting(meeting) => {
                let defined = if meeting.is_undefined() { no } else { yes };
                Truth { defined, determinant: no, one_to_one: no, onto: no, ..Truth::ALL }
            }
            Program::Contractive(map) if map.is_right() => Truth::ALL,
            Program::Contractive(_) => Truth { determinant: no, one_to_one: no, onto: None, ..Truth::ALL },
            Program::Singular(_) => singular,
            Program::SingularBehind(..) => singular,
        }
    }

    /// Programs of which the same is true, with a little less in them.
    pub fn smaller(&self) -> Vec<Program> {
        match self {
            Program::One(recipe) => recipe.smaller().into_iter().map(Program::One).collect(),
            Program::Turned(recipe) => recipe.smaller().into_iter().map(Program::Turned).collect(),
            Program::Chained(recipes) => {
                let with = |k: usize, recipe: Recipe| {
                    let mut less = recipes.clone();
                    less[k] = recipe;
                    Program::Chained(less)
                };
                let same = |less: &Recipe, of: &Recipe| less.order.len() == of.order.len();
                let each = recipes.iter().enumerate();
                each.flat_map(|(k, recipe)| {
                    let smaller = recipe.smaller().into_iter().filter(move |less| same(less, recipe));
                    smaller.map(move |less| with(k, less))
                })
                .collect()
            }
            Program::Affine(affine) => affine.smaller().into_iter().map(Program::Affine).collect(),
            _ => Vec::new(),
        }
    }

    pub fn layer(&self) -> Box<dyn Bijection> {
        match self {
            Program::One(recipe) => recipe.layer(),
            Program::Turned(recipe) => Box::new(Inverse::new(recipe.layer())),
            Program::Chained(recipes) => Box::new(Chain::new(recipes.iter().map(Recipe::layer))),
            Program::Hand(hand) => Box::new(hand.clone()),
            Program::Affine(affine) => Box::new(affine.clone()),
            Program::Meeting(meeting) => Box::new(meeting.clone()),
            Program::Contractive(map) => Box::new(map.clone()),
            Program::Singular(singular) => Box::new(singular.clone()),
            Program::SingularBehind(before, singular) => {
                Box::new(Chain::new([before.layer(), Box::new(singular.clone()) as Box<dyn Bijection>]))
            }
        }
    }
}

/// A bijection without a gap.
fn whole(lines: (Line, Line), d: usize, choose: &mut Chooser) -> Recipe {
    loop {
        let recipe = Recipe::right(lines, d, choose);
        if !recipe.chains.iter().flatten().any(Step::leaves_a_gap) {
            return recipe;
        }
    }
}

/// Two or three layers, each beginning where the one before ends.
fn chained(d: usize, choose: &mut Chooser) -> Vec<Recipe> {
    let mut line = Line::any(choose);
    let layers = 2 + choose.below(2);
    (0..layers)
        .map(|_| {
            let next = Line::any(choose);
            let recipe = whole((line, next), d, choose);
            line = next;
            recipe
        })
        .collect()
}
