//! Layers as users write them: what is declared, and a formula each way.

use pushforward::audit::{Report, Topic};
use pushforward::prelude::*;

pub type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

/// A layer of a user, with everything that it may declare.
pub struct Written {
    pub name: &'static str,
    pub d: usize,
    pub structure: Structure,
    pub domain: Domain,
    pub codomain: Domain,
    pub forward: Formula,
    pub inverse: Option<Formula>,
}

impl Bijection for Written {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn domain(&self) -> Domain {
        self.domain.clone()
    }
    fn codomain(&self) -> Domain {
        self.codomain.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        self.inverse.map(|inverse| inverse(x))
    }
    fn name(&self) -> String {
        self.name.to_string()
    }
}

/// A dense map of ℝᵈ.
pub fn dense(name: &'static str, d: usize, forward: Formula) -> Written {
    let (domain, codomain) = (Domain::Reals, Domain::Reals);
    Written { name, d, structure: Structure::Dense, domain, codomain, forward, inverse: None }
}

/// A map of one variable.
pub fn line(name: &'static str, forward: Formula) -> Written {
    Written { structure: Structure::Diagonal, ..dense(name, 1, forward) }
}

/// Parameters that start at numbers between -0.3 and 0.3.
pub fn vector<'t>(z: Var<'t>, name: &str, n: usize) -> Var<'t> {
    z.tape().parameter(name, Shape::Vector(n), Init::Values(start(n)))
}

/// The same, as a matrix.
pub fn matrix<'t>(z: Var<'t>, name: &str, rows: usize, columns: usize) -> Var<'t> {
    z.tape().parameter(name, Shape::Matrix(rows, columns), Init::Values(start(rows * columns)))
}

fn start(count: usize) -> Vec<f64> {
    (0..count).map(|k| 0.3 - 0.2 * (k % 4) as f64).collect()
}

pub fn is_proven(report: &Report, topic: Topic) -> bool {
    report.claim(topic).is_some_and(|claim| claim.evidence.label() == "proven")
}
