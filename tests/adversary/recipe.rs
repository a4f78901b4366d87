//! Recipes of layers: plain data from which a layer is recorded, with known properties.

use std::sync::atomic::{AtomicU32, Ordering};

use pushforward::prelude::*;

use super::fault::{Fault, KINDS};
use super::line::{Line, scale};
use super::recorder::Recorder;
use super::step::{Step, bridge};
use super::truth::Truth;
use crate::random_programs::Chooser;

/// A triangular layer, perhaps behind a dense matrix.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Where every variable lives before and after.
    pub lines: (Line, Line),
    /// Chain k makes variable `order[k]`, and may ask the variables before it in this order.
    pub order: Vec<usize>,
    pub chains: Vec<Vec<Step>>,
    /// A matrix with determinant ±1, first of all.
    pub mix: Option<Vec<f64>>,
    /// Whether the structure is declared.
    pub declared: bool,
    /// All variables pass through the first chain as one vector.
    pub vector: bool,
    pub spoil: Option<Spoil>,
}

/// What is wrong with a whole layer.
#[derive(Clone, Debug)]
pub enum Spoil {
    /// Another codomain than that of the images.
    Codomain(Domain),
    /// A domain on part of which f is not defined.
    Domain(Domain),
    /// The first variable of the order is moved by so much of the last.
    Structure(f64),
    /// Another program after so many calls.
    Impure(u32),
}

impl Recipe {
    /// A bijection.
    pub fn right(lines: (Line, Line), d: usize, choose: &mut Chooser) -> Recipe {
        let mut order: Vec<usize> = (0..d).collect();
        for k in (1..d).rev() {
            order.swap(k, choose.below(k + 1));
        }
        let shape = choose.below(4);
        let vector = shape == 0;
        // Only a triangular layer may ask the variables before.
        let asks = shape >= 2;
        let chains: Vec<Vec<Step>> = (0..d).map(|k| chain(lines, asks && k > 0, vector, choose)).collect();
        let chains = if vector { vec![chains[0].clone(); d] } else { chains };
        let mix = (shape == 3 && d > 1 && lines.0 == Line::Reals).then(|| unimodular(d, choose));
        let declared = mix.is_none() && choose.chance(0.8);
        Recipe { lines, order, chains, mix, declared, vector, spoil: None }
    }

    /// One with a fault of this kind in one variable.
    pub fn with_fault(kind: usize, d: usize, choose: &mut Chooser) -> Recipe {
        loop {
            let end = Line::any(choose);
            let mut recipe = Recipe::right((Line::Reals, end), d, choose);
            if recipe.chains.iter().flatten().any(Step::leaves_a_gap) {
                continue;
            }
            let k = choose.below(d);
            let lines = recipe.lines_of(k);
            let places: Vec<usize> = (0..lines.len()).filter(|p| lines[*p] == Line::Reals).collect();
            let place = choose.pick(&places);
            let hidden = !recipe.vector && choose.chance(0.25);
            let fault = (0..20).find_map(|_| {
                let fault = Step::Fault(Fault::of(kind, choose));
                let fault = if hidden { Step::Hidden(Box::new(fault), choose.chance(0.5)) } else { fault };
                let mut chain = recipe.chains[k].clone();
                chain.insert(place, fault);
                stays_finite(&chain, Line::Reals).then_some(chain)
            });
            let Some(chain) = fault else { continue };
            recipe.chains[k] = chain;
            if recipe.vector {
                recipe.chains = vec![recipe.chains[k].clone(); d];
            }
            return recipe;
        }
    }

    /// One whose declarations are wrong.
    pub fn spoiled(d: usize, choose: &mut Chooser) -> Recipe {
        let reals = (Line::Reals, Line::Reals);
        let near = 10f64.powf(-15.0 * choose.number().abs());
        match choose.below(4) {
            0 => {
                let (end, said) = choose.pick(&[
                    (Line::Positive, Domain::Reals),
                    (Line::Reals, Domain::Positive),
                    (Line::Positive, Domain::Interval { lower: 0.0, upper: 1e300 }),
                    (Line::Unit, Domain::Interval { lower: 0.0, upper: 1.0 + near.max(3e-16) }),
                    (Line::Unit, Domain::Interval { lower: -near, upper: 1.0 }),
                    (Line::Unit, Domain::Interval { lower: near.min(0.5), upper: 1.0 }),
                    (Line::Unit, Domain::Positive),
                    (Line::Ball, Domain::Interval { lower: -1.0, upper: 1.0 - near.clamp(3e-16, 0.5) }),
                    (Line::Ball, Domain::Interval { lower: -1.0 - near.max(3e-16), upper: 1.0 }),
                    (Line::Ball, Domain::Interval { lower: 0.0, upper: 1.0 }),
                    (Line::Ball, Domain::Reals),
                ]);
                Recipe { spoil: Some(Spoil::Codomain(said)), ..Recipe::right((Line::Reals, end), d, choose) }
            }
            1 => {
                let (start, first, said) = choose.pick(&[
                    (Line::Positive, 0, Domain::Reals),
                    (Line::Positive, 0, Domain::Interval { lower: -near, upper: 1.0 }),
                    (Line::Positive, 1, Domain::Reals),
                    (Line::Unit, 2, Domain::Positive),
                    (Line::Unit, 2, Domain::Interval { lower: 0.0, upper: 1.0 + near.max(3e-16) }),
                ]);
                let first = [Step::Ln, Step::Sqrt, Step::Logit][first].clone();
                let mut recipe = Recipe::right((first.image(start), Line::Reals), d, choose);
                recipe.chains.iter_mut().for_each(|chain| chain.insert(0, first.clone()));
                recipe.lines.0 = start;
                recipe.mix = None;
                Recipe { spoil: Some(Spoil::Domain(said)), ..recipe }
            }
            2 if d > 1 => {
                let recipe = Recipe::right(reals, d, choose);
                let spoil = Some(Spoil::Structure(scale(choose)));
                Recipe { spoil, mix: None, declared: true, vector: false, ..recipe }
            }
            _ => {
                let calls = choose.pick(&[1, 2, 3, 4, 5, 7, 12]);
                Recipe { spoil: Some(Spoil::Impure(calls)), ..Recipe::right(reals, d, choose) }
            }
        }
    }

    /// A recipe with one fault of some kind.
    pub fn wrong(choose: &mut Chooser) -> Recipe {
        let d = 1 + choose.below(3);
        match choose.below(KINDS + 3) {
            kind if kind < KINDS => Recipe::with_fault(kind, d, choose),
            _ => Recipe::spoiled(d, choose),
        }
    }

    /// The line before each step of a chain, and after the last.
    fn lines_of(&self, k: usize) -> Vec<Line> {
        let mut lines = vec![self.lines.0];
        for step in &self.chains[k] {
            lines.push(step.image(lines[lines.len() - 1]));
        }
        lines
    }

    fn fault(&self) -> Option<&Fault> {
        self.chains.iter().flatten().find_map(Step::fault)
    }

    /// What kind of fault it has.
    pub fn kind(&self) -> &'static str {
        match (&self.spoil, self.fault()) {
            (Some(Spoil::Codomain(_)), _) => "codomain",
            (Some(Spoil::Domain(_)), _) => "domain",
            (Some(Spoil::Structure(_)), _) => "structure",
            (Some(Spoil::Impure(_)), _) => "impure",
            (None, Some(fault)) => fault.name(),
            (None, None) => "none",
        }
    }

    pub fn truth(&self) -> Truth {
        let mut truth = Truth::ALL;
        let touches = |k: usize| {
            let lines = self.lines_of(k);
            self.chains[k].iter().zip(lines).any(|(step, line)| step.touches_zero(line))
        };
        if (0..self.chains.len()).any(touches) {
            // Where a slope is 0 or ∞ at a point, that is said of det J with right.
            truth.determinant = None;
        }
        if self.chains.iter().flatten().any(Step::leaves_a_gap) {
            truth.onto = Some(false);
            truth.determinant = None;
        }
        match self.fault() {
            None | Some(Fault::JumpAhead { .. }) => {}
            Some(Fault::JumpBack { .. }) => {
                truth = Truth { one_to_one: Some(false), onto: None, determinant: None, ..truth };
            }
            Some(Fault::UndefinedForAParameter { .. }) => {
                let no = Some(false);
                truth = Truth { defined: no, determinant: no, one_to_one: no, onto: no, ..truth };
            }
            Some(_) => {
                truth = Truth { one_to_one: Some(false), onto: None, determinant: Some(false), ..truth };
            }
        }
        match self.spoil {
            None => {}
            Some(Spoil::Codomain(_)) => truth = Truth { onto: Some(false), given_inverse: None, ..truth },
            Some(Spoil::Domain(_)) => {
                let no = Some(false);
                truth = Truth { defined: no, determinant: no, one_to_one: no, onto: no, ..truth };
            }
            Some(Spoil::Structure(_)) => truth = Truth { structure: Some(false), ..Truth::NONE },
            Some(Spoil::Impure(_)) => truth = Truth { pure: Some(false), ..Truth::NONE },
        }
        truth
    }

    /// Recipes of which the same is true, with one step or one variable less.
    pub fn smaller(&self) -> Vec<Recipe> {
        let mut smaller = Vec::new();
        for (k, chain) in self.chains.iter().enumerate() {
            let lines = self.lines_of(k);
            for place in 0..chain.len() {
                if chain[place].fault().is_some() || lines[place] != lines[place + 1] || chain.len() == 1 {
                    continue;
                }
                let mut less = self.clone();
                let changed = if self.vector { 0..self.chains.len() } else { k..k + 1 };
                changed.for_each(|k| drop(less.chains[k].remove(place)));
                smaller.push(less);
            }
            if self.order.len() > 1 && self.mix.is_none() && chain.iter().all(|step| step.fault().is_none()) {
                let mut less = self.clone();
                let gone = less.order.remove(k);
                less.order.iter_mut().filter(|i| **i > gone).for_each(|i| *i -= 1);
                less.chains.remove(k);
                smaller.push(less);
            }
        }
        if self.mix.is_some() {
            smaller.push(Recipe { mix: None, ..self.clone() });
        }
        // A variable has none before it once it is the first; a structure needs two.
        let asks_none = |recipe: &Recipe| !recipe.chains[0].iter().any(Step::asks_before);
        let two =
            |recipe: &Recipe| !matches!(recipe.spoil, Some(Spoil::Structure(_))) || recipe.order.len() > 1;
        smaller.retain(|recipe| asks_none(recipe) && two(recipe));
        smaller
    }

    /// As a layer.
    pub fn layer(&self) -> Box<dyn Bijection> {
        Box::new(Layer { recipe: self.clone(), calls: AtomicU32::new(0) })
    }
}

/// Steps from line to line that stay within the numbers.
fn chain(lines: (Line, Line), asks: bool, vector: bool, choose: &mut Chooser) -> Vec<Step> {
    loop {
        let (mut steps, mut line) = (Vec::new(), lines.0);
        for _ in 0..choose.below(5) {
            let step = Step::any(line, asks, choose);
            if vector && matches!(step, Step::Hidden(..)) {
                continue;
            }
            let mut longer = steps.clone();
            longer.push(step.clone());
            if stays_finite(&longer, lines.0) {
                steps = longer;
                line = step.image(line);
            }
        }
        steps.extend(bridge(line, lines.1, choose));
        if !steps.is_empty() && stays_finite(&steps, lines.0) {
            return steps;
        }
    }
}

/// Whether the chain gives numbers that are neither huge nor outside of where they belong, for z as far as audits look.
fn stays_finite(steps: &[Step], start: Line) -> bool {
    (-24..=24).all(|k| {
        let (mut v, mut line) = (start.carried(0.5 * f64::from(k)), start);
        for (place, step) in steps.iter().enumerate() {
            v = step.value(v);
            line = step.image(line);
            // The last may saturate: σ(10z) is 1 in floating point.
            let last = place + 1 == steps.len();
            if !v.is_finite() || v.abs() > 1e250 || !(last || line.contains(v)) {
                return false;
            }
        }
        true
    })
}

/// A matrix of small whole numbers with determinant ±1.
fn unimodular(d: usize, choose: &mut Chooser) -> Vec<f64> {
    let mut matrix: Vec<f64> = (0..d * d).map(|e| if e / d == e % d { 1.0 } else { 0.0 }).collect();
    for _ in 0..2 * d {
        let (from, to) = (choose.below(d), choose.below(d));
        let factor = choose.pick(&[-2.0, -1.0, 1.0, 2.0]);
        if from != to {
            (0..d).for_each(|j| matrix[to * d + j] += factor * matrix[from * d + j]);
        }
    }
    matrix
}

/// A recipe as a bijection.
struct Layer {
    recipe: Recipe,
    calls: AtomicU32,
}

impl Bijection for Layer {
    fn dim(&self) -> usize {
        self.recipe.order.len()
    }

    fn structure(&self) -> Structure {
        let recipe = &self.recipe;
        if !recipe.declared {
            return Structure::Dense;
        }
        let asks =
            recipe.chains.iter().flatten().any(|step| matches!(step, Step::ScaleBy(..) | Step::ShiftBy(_)));
        if asks || matches!(recipe.spoil, Some(Spoil::Structure(_))) {
            Structure::Triangular { order: Order::of(recipe.order.clone()) }
        } else {
            Structure::Diagonal
        }
    }

    fn domain(&self) -> Domain {
        match &self.recipe.spoil {
            Some(Spoil::Domain(domain)) => domain.clone(),
            _ => self.recipe.lines.0.domain(),
        }
    }

    fn codomain(&self) -> Domain {
        match &self.recipe.spoil {
            Some(Spoil::Codomain(domain)) => domain.clone(),
            _ => self.recipe.lines.1.domain(),
        }
    }

    fn name(&self) -> String {
        "Recipe".to_string()
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (recipe, tape, d) = (&self.recipe, z.tape(), self.dim());
        let mut recorder = Recorder::new(tape);
        self.calls.fetch_add(1, Ordering::Relaxed);
        if recipe.vector {
            let x = recipe.chains[0].iter().fold(z, |v, step| step.record(v, &[], &mut recorder));
            return self.changed(x);
        }
        let mixed = recipe.mix.as_ref().map_or(z, |mix| tape.matrix(d, d, mix).matvec(z));
        let mut x = vec![None; d];
        let mut before: Vec<Var<'t>> = Vec::new();
        for (i, chain) in recipe.order.iter().zip(&recipe.chains) {
            let own = mixed.at(*i);
            x[*i] = Some(chain.iter().fold(own, |v, step| step.record(v, &before, &mut recorder)));
            before.push(own);
        }
        let mut x: Vec<Var<'t>> = x.into_iter().flatten().collect();
        if let Some(Spoil::Structure(size)) = recipe.spoil {
            let (first, last) = (recipe.order[0], recipe.order[d - 1]);
            x[first] = x[first] + size * z.at(last).tanh();
        }
        self.changed(stack(x))
    }
}

impl Layer {
    /// After enough calls, another map.
    fn changed<'t>(&self, x: Var<'t>) -> Var<'t> {
        match self.recipe.spoil {
            Some(Spoil::Impure(calls)) if self.calls.load(Ordering::Relaxed) > calls => x * 3.0,
            _ => x,
        }
    }
}
