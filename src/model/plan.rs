//! Which densities are tried, in which order, and which at the same time.

use std::ops::Range;

use super::architecture::{Architecture, Conditioner};
use super::options::{Choice, NETWORK_ROWS};
use super::record::{FitRecord, Recipe};

/// A candidate to try.
pub(super) enum Trial {
    /// Mixtures of 1, 2, … components; the best by the held-out rows.
    Mixtures { most: usize },
    /// A mixture of so many components.
    Mixture { components: usize },
    /// A flow, for as many of its epochs as the time allows.
    Flow(ToTrain),
    /// A flow that was fitted before, for as many epochs as then.
    Again(ToTrain),
}

/// A flow to train.
#[derive(Clone)]
pub(super) struct ToTrain {
    pub architecture: Architecture,
    pub batch: usize,
    pub epochs: usize,
    /// The number of epochs after which it is ended.
    pub trained: usize,
    pub seed: u64,
}

impl ToTrain {
    /// `autoregressive splines, 4 × (64, 64), no. 2`: the number of layers, their hidden layers, and which of several.
    pub fn name(&self) -> String {
        let architecture = &self.architecture;
        let kind = match architecture.conditioner {
            Conditioner::Coupling => "spline couplings",
            Conditioner::Autoregressive => "autoregressive splines",
        };
        let hidden: Vec<String> = architecture.hidden.iter().map(ToString::to_string).collect();
        let number = if self.seed > 0 { format!(", no. {}", self.seed + 1) } else { String::new() };
        format!("{kind}, {} × ({}){number}", architecture.layers, hidden.join(", "))
    }

    /// Whether a step takes one thread: those of larger batches are shared among threads.
    fn is_narrow(&self) -> bool {
        self.batch < 2 * LEAST_SHARED
    }
}

/// The fewest rows of a batch that a thread gets for itself, as the executor shares them out.
const LEAST_SHARED: usize = 128;

/// Trials that are tried one after another, or flows whose steps take one thread and that are trained side by side.
pub(super) struct Group {
    pub trials: Range<usize>,
    /// How many are trained at the same time.
    pub threads: usize,
}

impl Group {
    /// How many times that of one trial it takes.
    pub fn rounds(&self) -> usize {
        self.trials.len().div_ceil(self.threads)
    }
}

/// The trials in order, in groups.
pub(super) fn side_by_side(plan: &[Trial], threads: usize) -> Vec<Group> {
    let kind = |trial: &Trial| match trial {
        Trial::Flow(flow) if flow.is_narrow() => Some(false),
        Trial::Again(flow) if flow.is_narrow() => Some(true),
        _ => None,
    };
    let mut groups: Vec<Group> = Vec::new();
    for (k, trial) in plan.iter().enumerate() {
        match groups.last_mut() {
            Some(Group { trials, .. })
                if kind(trial).is_some() && kind(trial) == kind(&plan[trials.start]) =>
            {
                trials.end = k + 1;
            }
            _ => groups.push(Group { trials: k..k + 1, threads: 1 }),
        }
    }
    groups.iter_mut().for_each(|group| group.threads = threads.clamp(1, group.trials.len()));
    groups
}

/// The candidates of another fit.
pub(super) fn like(record: &FitRecord) -> Vec<Trial> {
    let recipes = record.candidates.iter().filter_map(|candidate| candidate.recipe.clone());
    let trial = |recipe: Recipe| match recipe {
        Recipe::Mixture { components } => Trial::Mixture { components },
        Recipe::Flow { architecture, batch, epochs, trained, seed } => {
            Trial::Again(ToTrain { architecture, batch, epochs, trained, seed })
        }
    };
    recipes.map(trial).collect()
}

/// What is tried, in this order: a few rows do not get a network that remembers them.
pub(super) fn plan(choice: Choice, rows: usize, d: usize, conditional: bool) -> Vec<Trial> {
    let most = match choice {
        Choice::Gaussian => 1,
        Choice::Mixture | Choice::Auto => 30,
        Choice::Coupling | Choice::Autoregressive => 0,
    };
    let mut plan = Vec::new();
    if most > 0 && !conditional {
        plan.push(Trial::Mixtures { most });
    }
    // Measured by `cargo bench --bench tables`; see `benches/README.md`.
    let batch = if rows < 100_000 { 64 } else { 256 };
    let epochs = (1_200_000 / rows.max(1)).clamp(15, 120);
    let flow = |conditioner: Conditioner, layers: usize, bins: usize, seed: u64| {
        let hidden = match conditioner {
            Conditioner::Coupling => vec![32, 32],
            Conditioner::Autoregressive => vec![64, 64],
        };
        let architecture =
            Architecture { conditioner, layers, hidden, bins, bound: 5.0, degrees: None, linear: true };
        Trial::Flow(ToTrain { architecture, batch, epochs, trained: usize::MAX, seed })
    };
    let networks = match choice {
        Choice::Gaussian | Choice::Mixture => vec![],
        Choice::Coupling => vec![flow(Conditioner::Coupling, 6, 8, 0)],
        Choice::Autoregressive => vec![flow(Conditioner::Autoregressive, 4, 8, 0)],
        Choice::Auto if rows < NETWORK_ROWS && !conditional => vec![],
        Choice::Auto if d == 1 => vec![flow(Conditioner::Autoregressive, 1, 8, 0)],
        // Flows in several orders; couplings are no better and give no conditional densities.
        Choice::Auto => (0..5)
            .map(|seed| flow(Conditioner::Autoregressive, 4, if seed % 2 == 0 { 8 } else { 16 }, seed))
            .collect(),
    };
    plan.extend(networks);
    plan
}

pub(super) fn mixture_name(components: usize) -> String {
    match components {
        1 => "Gaussian".to_string(),
        more => format!("Gaussian mixture, {more} components"),
    }
}
