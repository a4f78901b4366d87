//! The subject of an audit: a bijection on a tape, with parameters and points.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::AuditOptions;
use super::certificate::{Certificate, Decided};
use super::points::{perturbed, points};
use crate::bijection::{Bijection, BijectionError, Domain, Leaf, Motion, leaves, record_forward};
use crate::jacobian::{Structure, StructureError, map, simplified_log_det};
use crate::numeric::Lu;
use crate::program::{Output, Program};
use crate::sweep::tangent;
use crate::tape::{NodeId, Parameters, Shape, Subgraph, Tape, Var};

/// Maximum number of values of one node that are computed at once.
const MOST_NUMBERS: usize = 1 << 23;

/// How often `forward` is recorded to check that the program is the same.
pub(super) const RECORDINGS: usize = 8;

type Programs = HashMap<(NodeId, Vec<NodeId>), Rc<Program<f64>>>;

/// A bijection recorded without relying on any of its claims.
pub(super) struct Subject<'a> {
    pub name: String,
    pub d: usize,
    pub domain: Domain,
    pub codomain: Domain,
    pub tape: Tape,
    pub z: NodeId,
    pub x: NodeId,
    /// The layers of a composition, or the bijection itself.
    pub layers: Vec<Layer<'a>>,
    pub parameters: Parameters,
    pub seed: u64,
    /// Up to which error a hand-written log-determinant counts as equal.
    pub log_det_tolerance: f64,
    /// Points of the domain, row by row.
    pub points: Vec<f64>,
    /// J·v at z for any v: one program for all columns.
    directional: Program<f64>,
    /// Programs that were compiled, by input and outputs.
    programs: RefCell<Programs>,
    pub decided: Decided,
}

/// A layer between two nodes.
pub(super) struct Layer<'a> {
    pub name: String,
    pub leaf: Leaf<'a>,
    pub z: NodeId,
    pub x: NodeId,
    pub structure: Structure,
    /// The derived log-determinant: by the declared structure if it is proven, otherwise by the dense route.
    pub log_det: Result<NodeId, StructureError>,
    /// Why the declaration was not used.
    pub refused: Option<StructureError>,
    /// The log-determinant written by hand.
    pub given: Option<NodeId>,
    /// The log-determinant of the map that the layer approximates.
    pub exact: Option<NodeId>,
}

impl<'a> Subject<'a> {
    pub fn new(bijection: &'a dyn Bijection, settings: &AuditOptions) -> Result<Subject<'a>, BijectionError> {
        let (tape, d) = (Tape::new(), bijection.dim());
        if d == 0 {
            return Err(BijectionError::NoVariables { layer: bijection.name() });
        }
        let (z, x, layers, directional) = {
            let z = tape.input(Shape::Vector(d));
            let mut layers = Vec::new();
            let mut x = z;
            for leaf in leaves(bijection) {
                let path = leaf.path().clone();
                let layer = path.scope(&tape, || record_layer(leaf, x))?;
                x = tape.var(layer.x);
                layers.push(layer);
            }
            same_each_time(bijection, (&tape, z.id(), x.id()))?;
            let direction = tape.input(Shape::Vector(d));
            let column =
                tangent(&tape, &Subgraph::new(&tape, &[z.id()], &[x.id()]), &[(z.id(), direction)])[0];
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
            log_det_tolerance: settings.log_det_tolerance,
            points: points(&bijection.domain(), d, settings.points, settings.seed),
            directional,
            programs: RefCell::default(),
            decided: Decided::default(),
        };
        subject.directional.load(&subject.parameters).map_err(|error| BijectionError::Parameters {
            layer: subject.name.clone(),
            error: error.to_string(),
        })?;
        Ok(subject)
    }

    /// Drops points at which f overflows.
    pub fn keep_finite_points(&mut self) {
        let x = self.values(&[self.x], &self.points).swap_remove(0);
        if x.iter().all(|value| value.is_finite()) {
            return;
        }
        let d = self.d.max(1);
        let rows = self.points.chunks(d).zip(x.chunks(d));
        let kept = rows.filter(|(_, x)| x.iter().all(|value| value.is_finite()));
        self.points = kept.flat_map(|(z, _)| z.iter().copied()).collect();
    }

    /// Number of points.
    pub fn count(&self) -> usize {
        self.points.len() / self.d.max(1)
    }

    /// Returns one point.
    pub fn point(&self, row: usize) -> &[f64] {
        &self.points[row * self.d..(row + 1) * self.d]
    }

    /// Compiles these nodes as functions of `input`, with the parameters of the audit.
    pub fn program(&self, input: NodeId, outputs: &[NodeId]) -> Rc<Program<f64>> {
        let compile = || {
            let outputs: Vec<Output> = outputs.iter().map(|id| Output::Each(*id)).collect();
            let mut program = Program::compile(&self.tape, &[input], &outputs);
            program.load(&self.parameters).expect("the parameters fitted this tape before");
            Rc::new(program)
        };
        self.programs.borrow_mut().entry((input, outputs.to_vec())).or_insert_with(compile).clone()
    }

    /// Computes these nodes at rows of z.
    pub fn values(&self, outputs: &[NodeId], rows: &[f64]) -> Vec<Vec<f64>> {
        let program = self.program(self.z, outputs);
        // Limits the memory: a Jacobian of a thousand variables for many points at once would not fit.
        let largest = (0..self.tape.len()).map(|index| self.tape.shape_at(index).len()).max().unwrap_or(1);
        let together = (MOST_NUMBERS / largest.max(1)).clamp(1, 1 << 16) * self.d.max(1);
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); outputs.len()];
        for rows in rows.chunks(together) {
            let found = program.run(&[rows], rows.len() / self.d.max(1)).expect("whole rows of z");
            values.iter_mut().zip(found).for_each(|(all, new)| all.extend(new));
        }
        values
    }

    /// Computes x = f(z) at one point.
    pub fn forward(&mut self, z: &[f64]) -> Vec<f64> {
        let zero = vec![0.0; self.d];
        self.directional.run(&[z, &zero], 1).expect("one row").swap_remove(0)
    }

    /// Computes J at one point, stored by rows, from one tangent of the program for each column.
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

    /// Computes the LU decomposition of J at one point.
    pub fn lu(&mut self, z: &[f64]) -> Lu<f64> {
        let jacobian = self.jacobian(z);
        Lu::new(self.d, jacobian)
    }

    /// Returns at how many points the full Jacobian is affordable; 0 for large d.
    pub fn dense_points(&self) -> usize {
        const ENTRIES: usize = 1 << 22;
        const LARGEST: usize = 512;
        if self.d > LARGEST { 0 } else { self.count().min((ENTRIES / (self.d * self.d).max(1)).max(1)) }
    }

    /// Tolerance of ln|det J| and of round trips for solvers of continuous layers; 0 where all are formulas.
    pub fn tolerance(&self) -> f64 {
        self.motions().map(Motion::tolerance).sum()
    }

    /// The solver of continuous layers, if there are any.
    pub fn method(&self) -> Option<String> {
        let mut methods: Vec<String> = self.motions().map(Motion::method).collect();
        methods.dedup();
        (!methods.is_empty()).then(|| methods.join("; "))
    }

    fn motions(&self) -> impl Iterator<Item = &dyn Motion> {
        self.layers.iter().filter_map(|layer| layer.leaf.motion())
    }

    /// Records the derived log-determinant of the composition: the sum over the layers.
    pub fn log_det(&self) -> Result<NodeId, StructureError> {
        let mut sum: Option<Var<'_>> = None;
        for layer in &self.layers {
            let share = self.tape.var(layer.log_det.clone()?);
            sum = Some(sum.map_or(share, |sum| sum + share));
        }
        Ok(sum.expect("a bijection is at least its own layer").id())
    }
}

/// Records one layer and everything that an audit asks of it.
fn record_layer<'a, 't>(leaf: Leaf<'a>, z: Var<'t>) -> Result<Layer<'a>, BijectionError> {
    let bijection = leaf.bijection();
    let (tape, name) = (z.tape(), bijection.name());
    let x = record_forward(bijection, z)?;
    let (given, exact) = (bijection.log_det(z), bijection.exact_log_det(z));
    tape.check().map_err(|errors| BijectionError::Recording { layer: name.clone(), errors })?;
    let is_no_scalar = |log_det: &Var<'_>| log_det.shape() != Shape::Scalar;
    if let Some(given) = given.into_iter().chain(exact).find(is_no_scalar) {
        return Err(BijectionError::LogDetShape { layer: name, given: given.shape() });
    }
    let (log_det, refused) = match leaf.motion().filter(|_| !leaf.is_inverse()) {
        Some(motion) => (Ok(tape.pass(|| motion.push(z)).log_det.id()), None),
        None => derived_log_det(bijection, z, x),
    };
    let structure = bijection.structure();
    let (z, x, given, exact) = (z.id(), x.id(), given.map(Var::id), exact.map(Var::id));
    Ok(Layer { name: leaf.name(), leaf, z, x, structure, log_det, refused, given, exact })
}

/// Records ln|det J| by the declared structure if it is proven; otherwise by the dense route, with the
/// reason.
fn derived_log_det<'t>(
    bijection: &dyn Bijection,
    z: Var<'t>,
    x: Var<'t>,
) -> (Result<NodeId, StructureError>, Option<StructureError>) {
    let tape = z.tape();
    let (first, program) = (tape.len(), map(tape, z.id(), x.id()));
    let derive = |structure: &Structure| {
        simplified_log_det(tape, &program, structure, first, bijection.domain().into())
    };
    let (derived, refused) = match derive(&bijection.structure()) {
        Ok(found) => (Ok(found), None),
        Err(error @ StructureError::Singular { .. }) => (Err(error), None),
        Err(error) => (derive(&Structure::Dense), Some(error)),
    };
    (derived.map(|derived| derived.value.id()), refused)
}

/// Records `forward` repeatedly, each time on a new tape; returns an error if a program differs from the first.
fn same_each_time(
    bijection: &dyn Bijection,
    (tape, z, x): (&Tape, NodeId, NodeId),
) -> Result<(), BijectionError> {
    let first = Certificate::default().program("forward", tape, z, x);
    for _ in 1..RECORDINGS {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(bijection.dim()));
        let forward = |z, leaf: &Leaf<'_>| leaf.path().scope(&tape, || record_forward(leaf.bijection(), z));
        let x = leaves(bijection).iter().try_fold(z, forward)?;
        if Certificate::default().program("forward", &tape, z.id(), x.id()) != first {
            return Err(BijectionError::Impure { layer: bijection.name(), function: "forward" });
        }
    }
    Ok(())
}

/// Writes the numbers of a point, short enough for a message: `(0.3100, -1.2000)`.
pub(super) fn shown(point: &[f64]) -> String {
    let mut parts: Vec<String> = point.iter().take(8).map(|value| number(*value)).collect();
    if point.len() > 8 {
        parts.push("…".to_string());
    }
    format!("({})", parts.join(", "))
}

/// Writes four decimals, or an exponent where these would be 0.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e5).contains(&size) { format!("{value:.4}") } else { format!("{value:.3e}") }
}

/// Error relative to the larger of the two and 1; NaN unless both are numbers.
pub(super) fn error(found: f64, expected: f64) -> f64 {
    if found == expected {
        return 0.0;
    }
    (found - expected).abs() / expected.abs().max(1.0)
}
