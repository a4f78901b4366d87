//! What is audited: a bijection on a tape, and its numbers.

use super::Settings;
use super::pieces::pieces;
use super::points::{perturbed, points};
use crate::bijection::{Bijection, BijectionError, Domain};
use crate::jacobian::{Structure, StructureError, map, simplified_log_det};
use crate::program::{Output, Program};
use crate::sweep::bound::Bounds;
use crate::sweep::simplify::simplify;
use crate::sweep::{Lu, tangent};
use crate::tape::{Cut, NodeId, Parameters, Shape, Tape, Var};

/// A bijection recorded without believing any of its claims.
pub(super) struct Subject {
    pub name: String,
    pub d: usize,
    pub domain: Domain,
    pub codomain: Domain,
    pub tape: Tape,
    pub z: NodeId,
    pub x: NodeId,
    /// The layers of a composition, or the bijection itself.
    pub layers: Vec<Layer>,
    pub parameters: Parameters,
    pub seed: u64,
    /// Points of the domain, row after row.
    pub points: Vec<f64>,
    /// J·v at z, for any v: one program for every column.
    directional: Program<f64>,
}

/// One layer between two nodes.
pub(super) struct Layer {
    pub name: String,
    pub z: NodeId,
    pub x: NodeId,
    pub structure: Structure,
    /// The derived log-determinant: by the declared structure if it holds, else by the dense route.
    pub log_det: Result<NodeId, StructureError>,
    /// The sign that every entry of its diagonal has, for all inputs and parameters, if bounds prove one.
    pub sign: Option<f64>,
    /// Why the declaration was not used.
    pub refused: Option<StructureError>,
    /// The log-determinant that the layer gives by hand.
    pub given: Option<NodeId>,
}

impl Subject {
    pub fn new(
        bijection: &(impl Bijection + ?Sized),
        settings: &Settings,
    ) -> Result<Subject, BijectionError> {
        let (tape, d) = (Tape::new(), bijection.dim());
        let (z, x, layers, directional) = {
            let z = tape.input(Shape::Vector(d));
            let mut layers = Vec::new();
            let x = record_layers(bijection, z, &mut layers)?;
            let direction = tape.input(Shape::Vector(d));
            let column = tangent(&tape, &Cut::new(&tape, &[z.id()], &[x.id()]), &[(z.id(), direction)])[0];
            let column = column.unwrap_or_else(|| tape.constant(0.0).broadcast(Shape::Vector(d)));
            let outputs = [Output::Each(x.id()), Output::Each(column.id())];
            (z.id(), x.id(), layers, Program::compile(&tape, &[z.id(), direction.id()], &outputs))
        };
        let parameters = match &settings.parameters {
            Some(parameters) => parameters.clone(),
            None => perturbed(Parameters::initialise(&tape, settings.seed), settings.seed),
        };
        let mut subject = Subject {
            name: bijection.name(),
            d,
            domain: bijection.domain(),
            codomain: bijection.codomain(),
            tape,
            z,
            x,
            layers,
            parameters,
            seed: settings.seed,
            points: points(&bijection.domain(), d, settings.points, settings.seed),
            directional,
        };
        subject.directional.load(&subject.parameters).map_err(|error| BijectionError::Parameters {
            layer: subject.name.clone(),
            error: error.to_string(),
        })?;
        Ok(subject)
    }

    /// How many points there are.
    pub fn count(&self) -> usize {
        self.points.len() / self.d.max(1)
    }

    /// One of the points.
    pub fn point(&self, row: usize) -> &[f64] {
        &self.points[row * self.d..(row + 1) * self.d]
    }

    /// A program of these nodes as functions of `input`, with the parameters of the audit.
    pub fn program(&self, input: NodeId, outputs: &[NodeId]) -> Program<f64> {
        let outputs: Vec<Output> = outputs.iter().map(|id| Output::Each(*id)).collect();
        let mut program = Program::compile(&self.tape, &[input], &outputs);
        program.load(&self.parameters).expect("the parameters fitted this tape before");
        program
    }

    /// The numbers of these nodes at rows of z.
    pub fn values(&self, outputs: &[NodeId], rows: &[f64]) -> Vec<Vec<f64>> {
        let count = rows.len() / self.d.max(1);
        self.program(self.z, outputs).run(&[rows], count).expect("whole rows of z")
    }

    /// x = f(z) of one point.
    pub fn forward(&mut self, z: &[f64]) -> Vec<f64> {
        let zero = vec![0.0; self.d];
        self.directional.run(&[z, &zero], 1).expect("one row").swap_remove(0)
    }

    /// J at one point, row by row, column by column from tangents of the whole program.
    pub fn jacobian(&mut self, z: &[f64]) -> Vec<f64> {
        let d = self.d;
        let rows: Vec<f64> = (0..d).flat_map(|_| z.iter().copied()).collect();
        let directions: Vec<f64> = (0..d * d).map(|e| if e / d == e % d { 1.0 } else { 0.0 }).collect();
        let columns = self.directional.run(&[&rows, &directions], d).expect("d rows").swap_remove(1);
        let mut jacobian = vec![0.0; d * d];
        for (j, column) in columns.chunks(d.max(1)).enumerate() {
            column.iter().enumerate().for_each(|(i, value)| jacobian[i * d + j] = *value);
        }
        jacobian
    }

    /// LU of J at one point.
    pub fn lu(&mut self, z: &[f64]) -> Lu<f64> {
        let jacobian = self.jacobian(z);
        Lu::new(self.d, jacobian)
    }

    /// At how many points a whole Jacobian is affordable; none for a large d.
    pub fn dense_points(&self) -> usize {
        const ENTRIES: usize = 1 << 22;
        const LARGEST: usize = 512;
        if self.d > LARGEST { 0 } else { self.count().min((ENTRIES / (self.d * self.d).max(1)).max(1)) }
    }

    /// The derived log-determinant of the whole: the sum over the layers.
    pub fn log_det(&self) -> Result<NodeId, StructureError> {
        let mut sum: Option<Var<'_>> = None;
        for layer in &self.layers {
            let share = self.tape.var(layer.log_det.clone()?);
            sum = Some(sum.map_or(share, |sum| sum + share));
        }
        Ok(sum.expect("a bijection is at least its own layer").id())
    }
}

fn record_layers<'t>(
    bijection: &(impl Bijection + ?Sized),
    z: Var<'t>,
    records: &mut Vec<Layer>,
) -> Result<Var<'t>, BijectionError> {
    let layers = bijection.layers();
    if !layers.is_empty() {
        return layers.iter().enumerate().try_fold(z, |z, (k, layer)| {
            let before = records.len();
            let x = z.tape().scope(&format!("layers.{k}"), || record_layers(layer, z, records))?;
            for record in &mut records[before..] {
                record.name = format!("layers.{k} {}", record.name);
            }
            Ok(x)
        });
    }
    let (tape, name) = (z.tape(), bijection.name());
    let x = crate::bijection::record_forward(bijection, z)?;
    let given = bijection.log_det(z);
    tape.check().map_err(|errors| BijectionError::Recording { layer: name.clone(), errors })?;
    if let Some(given) = given.filter(|given| given.shape() != Shape::Scalar) {
        return Err(BijectionError::LogDetShape { layer: name, given: given.shape() });
    }
    let first = tape.len();
    let program = map(tape, z.id(), x.id());
    let structure = bijection.structure();
    let derive = |structure: &Structure| {
        simplified_log_det(tape, &program, structure, first, bijection.domain().into())
    };
    let (derived, refused) = match derive(&structure) {
        Ok(found) => (Ok(found), None),
        Err(error @ StructureError::Singular { .. }) => (Err(error), None),
        Err(error) => (derive(&Structure::Dense), Some(error)),
    };
    let bounded = || {
        let diagonal = derived.as_ref().ok()?.literal.diagonal?;
        let within = [(z.id(), bijection.domain().into())];
        let entries = simplify(tape, diagonal.id(), first, &within).value;
        let bound = Bounds::new(tape, &within).of(entries.id());
        let positive = bound.is_positive().then_some(1.0);
        positive.or(bound.is_negative().then_some(-1.0)).filter(|_| bound.defined)
    };
    // Of a diagonal of other pairs the sign of the permutation is not known here.
    let own_pairs = match &structure {
        Structure::Diagonal | Structure::LowerTriangular | Structure::UpperTriangular => true,
        Structure::Triangular { order } => order.inputs() == order.outputs(),
        _ => false,
    };
    let entry_sign =
        if own_pairs && refused.is_none() { bounded().or_else(|| piecewise_sign(bijection)) } else { None };
    let sign = entry_sign.map(|sign| if bijection.dim() % 2 == 1 { sign } else { 1.0 });
    let log_det = derived.map(|derived| derived.value.id());
    let given = given.map(Var::id);
    records.push(Layer { name, z: z.id(), x: x.id(), structure, log_det, sign, refused, given });
    Ok(x)
}

/// The sign of every diagonal entry, proven piece by piece.
fn piecewise_sign(bijection: &(impl Bijection + ?Sized)) -> Option<f64> {
    pieces(bijection).map(|pieces| pieces.sign)
}

/// Numbers of a point, short enough for a message: `(0.3100, -1.2000)`.
pub(super) fn shown(point: &[f64]) -> String {
    let mut parts: Vec<String> = point.iter().take(8).map(|value| number(*value)).collect();
    if point.len() > 8 {
        parts.push("…".to_string());
    }
    format!("({})", parts.join(", "))
}

/// Four digits after the point, or an exponent where that says nothing.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e5).contains(&size) { format!("{value:.4}") } else { format!("{value:.3e}") }
}

/// Relative to the larger of the two and 1; NaN unless both are numbers.
pub(super) fn error(found: f64, expected: f64) -> f64 {
    if found == expected {
        return 0.0;
    }
    (found - expected).abs() / expected.abs().max(1.0)
}
