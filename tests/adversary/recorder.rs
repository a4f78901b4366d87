//! Names for parameters while a recipe is recorded.

use pushforward::prelude::*;

pub struct Recorder<'t> {
    tape: &'t Tape,
    parameters: usize,
    seen: usize,
}

impl<'t> Recorder<'t> {
    pub fn new(tape: &'t Tape) -> Recorder<'t> {
        Recorder { tape, parameters: 0, seen: 0 }
    }

    fn name(&mut self) -> String {
        self.parameters += 1;
        format!("p{}", self.parameters)
    }

    /// A number to learn.
    pub fn parameter(&mut self, start: f64) -> Var<'t> {
        let name = self.name();
        self.tape.parameter(&name, Shape::Scalar, Init::Constant(start))
    }

    /// One of two numbers of the context.
    pub fn context(&mut self) -> Var<'t> {
        self.seen += 1;
        self.tape.context(2).at(self.seen % 2)
    }

    /// A network on numbers that are known.
    pub fn network(&mut self, known: &[Var<'t>]) -> Var<'t> {
        let name = self.name();
        self.tape.scope(&name, || Network::new([3]).apply(stack(known.iter().copied()), 1).at(0))
    }
}
