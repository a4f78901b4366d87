//! Side by side: the comparisons, and the minimum ratios.

use super::models::{Case, Model, Size};
use super::pairs::Pair;
use super::peers::Peer;

/// One case of one flow.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    pub model: Model,
    pub case: Case,
    pub size: Size,
}

/// The comparison.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// A flow's case, compared with other libraries.
    Flow(Flow),
    /// The peak memory of a process that runs a flow's case.
    Memory(Flow),
    /// The dense ln|det J| of one masked layer with this many variables, compared with other libraries.
    DenseLogDet(usize),
    /// Two implementations of this library.
    Pair(Pair),
}

/// The target.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Minimum of their time (or memory) as a multiple of ours.
    Ratio(f64),
    /// Maximum of our peak memory in MiB.
    Mib(f64),
}

/// A group of competitors, of which the best counts.
#[derive(Clone, Debug)]
pub struct Against {
    pub peers: Vec<Peer>,
    pub target: Target,
}

/// One row.
#[derive(Clone, Debug)]
pub struct Row {
    pub title: &'static str,
    pub work: Work,
    pub against: Vec<Against>,
}

const fn jax_script(name: &'static str, threads: Option<usize>) -> Peer {
    Peer { script: "flows_jax.py", name, threads }
}

const fn torch_script(name: &'static str) -> Peer {
    Peer { script: "flows_torch.py", name, threads: None }
}

const JAX: Peer = jax_script("jax", None);
const JAX_1: Peer = jax_script("jax", Some(1));
const FLOWJAX: Peer = jax_script("flowjax", None);
const TORCH: Peer = torch_script("torch");
const COMPILED: Peer = torch_script("torch-compile");
const ZUKO: Peer = torch_script("zuko");
const NFLOWS: Peer = torch_script("nflows");
const DENSE: Peer = Peer { script: "dense_logdet.py", name: "jax", threads: None };

fn against(peers: &[Peer], ratio: f64) -> Against {
    Against { peers: peers.to_vec(), target: Target::Ratio(ratio) }
}

/// All rows.
pub fn rows() -> Vec<Row> {
    let flow = |model, case, [d, hidden, layers, batch]: [usize; 4]| Flow {
        model,
        case,
        size: Size { d, hidden, layers, batch },
    };
    let realnvp = |case, size| Work::Flow(flow(Model::Realnvp, case, size));
    let maf = |case, d| Work::Flow(flow(Model::Maf, case, [d, 128, 5, 1024]));
    let (a, b, c) = ([2, 64, 8, 256], [16, 128, 8, 4096], [64, 512, 8, 256]);
    let libraries = [TORCH, ZUKO, NFLOWS, FLOWJAX];
    let row = |title, work, against| Row { title, work, against };
    vec![
        row(
            "A: RealNVP d=2, hidden 64, 8 layers, batch 256: training step",
            realnvp(Case::Train, a),
            vec![against(&[JAX_1, JAX], 2.0), against(&libraries, 3.0)],
        ),
        row(
            "B: RealNVP d=16, hidden 128, 8 layers, batch 4096: training step",
            realnvp(Case::Train, b),
            vec![against(&[JAX, COMPILED], 1.5), against(&libraries, 1.7)],
        ),
        row(
            "C: RealNVP d=64, hidden 512, 8 layers, batch 256: training step",
            realnvp(Case::Train, c),
            vec![against(&[JAX, COMPILED], 1.1), against(&libraries, 1.3)],
        ),
        row(
            "RealNVP d=64, hidden 64, 8 layers, batch 4096: training step",
            realnvp(Case::Train, [64, 64, 8, 4096]),
            vec![against(&[TORCH], 1.5)],
        ),
        row("A: log_prob", realnvp(Case::LogProb, a), vec![against(&[JAX], 2.0)]),
        row("B: log_prob", realnvp(Case::LogProb, b), vec![against(&[JAX], 1.1)]),
        row(
            "MAF d=64, hidden 128, 5 layers, batch 1024: training step",
            maf(Case::Train, 64),
            vec![against(&[JAX], 1.5)],
        ),
        row(
            "MAF d=64, hidden 128, 5 layers, batch 1024: sample",
            maf(Case::Sample, 64),
            vec![against(&[JAX, FLOWJAX, ZUKO, NFLOWS], 20.0)],
        ),
        row(
            "MAF d=256, hidden 128, 5 layers, batch 1024: sample",
            maf(Case::Sample, 256),
            vec![against(&[JAX, FLOWJAX, ZUKO, NFLOWS], 50.0)],
        ),
        row(
            "RQ spline coupling d=16, hidden 64, 8 layers, batch 4096: training step",
            Work::Flow(flow(Model::Rqs, Case::Train, [16, 64, 8, 4096])),
            vec![against(&[FLOWJAX, JAX], 2.5)],
        ),
        row(
            "ln|det J| of a coupling layer, derived",
            Work::Pair(Pair::DerivedLogDet),
            vec![against(&[], 1.0 / 1.05)],
        ),
        row(
            "gradient of a 2-64-64-2 network of scalars, 256 samples, f64, 1 thread",
            Work::Pair(Pair::ScalarNetwork),
            vec![against(&[], 1.0 / 1.2)],
        ),
        row(
            "gradient of a 2-64-64-2 network of tensors, 256 samples, f64, 1 thread",
            Work::Pair(Pair::TensorNetwork),
            vec![against(&[], 1.0 / 1.2)],
        ),
        row(
            "dense ln|det J| of a masked layer, d=512, f64",
            Work::DenseLogDet(512),
            vec![against(&[DENSE], 1.7)],
        ),
        row(
            "ln|det J| of the same layer, declared triangular",
            Work::Pair(Pair::DeclaredLogDet),
            vec![against(&[], 100.0)],
        ),
        row(
            "peak memory of a training step, RealNVP d=64, hidden 512, 8 layers, batch 4096",
            Work::Memory(flow(Model::Realnvp, Case::Train, [64, 512, 8, 4096])),
            vec![Against { peers: vec![JAX, TORCH], target: Target::Mib(250.0) }],
        ),
    ]
}
