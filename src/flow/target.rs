//! A target density on the tape of a flow's draws: x = f(z), ln p_X(x) and ln p̃(x) as functions of z.

use super::error::FlowError;
use super::flow::Flow;
use crate::base::SCOPE;
use crate::bijection::forward_with_log_det;
use crate::program::{NonFinite, Output, Program};
use crate::tape::{NodeId, Parameters, Shape, Tape, Var};
use crate::train::TrainError;

/// A draw of a flow, recorded as a function of z.
pub(super) struct Draw<'t> {
    pub x: Var<'t>,
    /// ln p_X(x) = ln p_Z(z) - ln|det J_f(z)|, without an inverse.
    pub log_density: Var<'t>,
    /// ln p̃(x).
    pub log_target: Var<'t>,
}

impl<'t> Draw<'t> {
    pub fn record<T>(flow: &Flow, target: &T, z: Var<'t>) -> Result<Draw<'t>, FlowError>
    where
        T: for<'u> Fn(Var<'u>) -> Var<'u>,
    {
        let pushed = forward_with_log_det(flow.bijection(), z)?;
        let log_base = z.tape().scope(SCOPE, || flow.base().log_prob(z));
        let log_target = target(pushed.x);
        z.tape().check().map_err(|errors| FlowError::Training(TrainError::Recording(errors)))?;
        match log_target.shape() {
            Shape::Scalar => Ok(Draw { x: pushed.x, log_density: log_base - pushed.log_det, log_target }),
            shape => Err(FlowError::Training(TrainError::Shape(shape))),
        }
    }
}

/// Draws of a flow and a target, compiled.
pub(super) struct Draws {
    program: Program<f64>,
    /// ln p̃ alone, for the operation in which a number arose.
    target: Program<f64>,
    /// The width of the context; 0 without one.
    pub context: usize,
    d: usize,
}

/// What was computed for each row of z.
pub(super) struct Evaluated {
    pub x: Vec<f64>,
    pub log_density: Vec<f64>,
    pub log_target: Vec<f64>,
}

impl Draws {
    /// Draws as functions of z.
    pub fn new<T>(flow: &Flow, target: &T, parameters: &Parameters) -> Result<Draws, FlowError>
    where
        T: for<'u> Fn(Var<'u>) -> Var<'u>,
    {
        Draws::recorded(flow, target, parameters, |_, z| Ok(z))
    }

    /// Draws as functions of the noise that z is a function of, if the base learns.
    pub fn of_noise<T>(flow: &Flow, target: &T, parameters: &Parameters) -> Result<Draws, FlowError>
    where
        T: for<'u> Fn(Var<'u>) -> Var<'u>,
    {
        Draws::recorded(flow, target, parameters, |flow, noise| flow.base_draw(noise))
    }

    fn recorded<T>(
        flow: &Flow,
        target: &T,
        parameters: &Parameters,
        draw: impl for<'u> Fn(&Flow, Var<'u>) -> Result<Var<'u>, FlowError>,
    ) -> Result<Draws, FlowError>
    where
        T: for<'u> Fn(Var<'u>) -> Var<'u>,
    {
        let tape = Tape::new();
        tape.context_by_row();
        let drawn = tape.input(Shape::Vector(flow.dim()));
        let z = draw(flow, drawn)?;
        let Draw { x, log_density, log_target } = Draw::record(flow, target, z)?;
        let context = tape.declared_context();
        let inputs: Vec<NodeId> = [drawn].into_iter().chain(context).map(|input| input.id()).collect();
        let compiled = |outputs: &[Var<'_>]| {
            let outputs: Vec<Output> = outputs.iter().map(|output| Output::Each(output.id())).collect();
            let mut program = Program::compile(&tape, &inputs, &outputs);
            program.load(parameters).map(|()| program)
        };
        Ok(Draws {
            program: compiled(&[x, log_density, log_target])?,
            target: compiled(&[log_target])?,
            context: context.map_or(0, |context| context.len()),
            d: flow.dim(),
        })
    }

    /// Computes the draws of z. `inputs` are z and the contexts, if there are any.
    ///
    /// A target of 0, ln p̃ = -∞, is an error unless `zero` allows it.
    pub fn evaluate(&self, inputs: &[&[f64]], rows: usize, zero: bool) -> Result<Evaluated, FlowError> {
        let mut found = self.program.run(inputs, rows)?.into_iter();
        let mut next = || found.next().expect("three outputs");
        let (x, log_density, log_target) = (next(), next(), next());
        for row in 0..rows {
            let (point, log_p) = (&x[row * self.d..(row + 1) * self.d], log_target[row]);
            if !log_density[row].is_finite() || point.iter().any(|value| !value.is_finite()) {
                let origin = self.program.trace_nonfinite(&one(inputs, row, rows), 1)?;
                return Err(FlowError::not_finite(row, origin));
            }
            let allowed = log_p.is_finite() || (zero && log_p == f64::NEG_INFINITY);
            if !allowed {
                let origin = match self.target.trace_nonfinite(&one(inputs, row, rows), 1)? {
                    Some(origin) => NonFinite { row, ..origin }.to_string(),
                    None => "no single operation produced it".to_string(),
                };
                return Err(FlowError::Target { value: log_p, x: point.to_vec(), origin });
            }
        }
        Ok(Evaluated { x, log_density, log_target })
    }
}

/// One row of each input.
fn one<'a>(inputs: &[&'a [f64]], row: usize, rows: usize) -> Vec<&'a [f64]> {
    let of = |values: &&'a [f64]| {
        let width = values.len() / rows;
        &values[row * width..(row + 1) * width]
    };
    inputs.iter().map(of).collect()
}
