//! Training of flows, several at the same time.
//!
//! A step of a small batch takes one thread. So flows are trained side by side, on a thread each, and every one of them is
//! what it would be alone: what it is told and asked goes through the thread that fits the model.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use rand::Rng;

use super::error::ModelError;
use super::plan::ToTrain;
use super::prepare::Prepared;
use super::record::{Epoch, Recipe};
use super::task::{Limit, Task, Tried};
use crate::flow::{FitOptions, Flow, Progress, Trainer};
use crate::table::Table;

/// What came of a flow.
pub(super) struct Trained {
    /// How long it took to set it up.
    pub setting_up: Duration,
    /// None where there was no time for it.
    pub tried: Option<Tried>,
}

/// What a training says and asks, by the place of its flow.
enum Call {
    Told(usize, Progress),
    /// Whether to stop, after each epoch.
    Asked(SyncSender<bool>),
}

/// Trains flows at the same time. With a limit, for as many epochs as it allows, and not at all if there is no time and
/// another candidate.
pub(super) fn train(
    task: &mut Task<'_, '_>,
    flows: &[ToTrain],
    limit: Option<(Limit, bool)>,
) -> Result<Vec<Trained>, ModelError> {
    let one = One { prepared: task.prepared, d: task.columns.len(), seed: task.options.seed, limit };
    let stop = task.options.stop;
    if let [flow] = flows {
        let name = flow.name();
        let mut tell = |told: Progress| task.tell(&name, Some(told));
        return Ok(vec![one.train(flow, &mut tell, &|| stop.is_some_and(|stop| stop()))?]);
    }
    let names: Vec<String> = flows.iter().map(ToTrain::name).collect();
    std::thread::scope(|scope| {
        let (calls, called) = channel();
        let trainings: Vec<_> = flows
            .iter()
            .enumerate()
            .map(|(place, flow)| {
                let (calls, one) = (calls.clone(), &one);
                scope.spawn(move || one.train_apart(flow, place, &calls))
            })
            .collect();
        drop(calls);
        // Until all trainings have ended and dropped their end.
        for call in called {
            match call {
                Call::Told(place, told) => task.tell(&names[place], Some(told)),
                // It does not wait for an answer if it has ended by a panic.
                Call::Asked(answer) => drop(answer.send(stop.is_some_and(|stop| stop()))),
            }
        }
        let joined = trainings.into_iter().map(|training| training.join());
        joined.map(|trained| trained.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// What trainings have in common.
struct One<'a> {
    prepared: &'a Prepared,
    d: usize,
    seed: u64,
    limit: Option<(Limit, bool)>,
}

impl One<'_> {
    /// Trains a flow on a thread of its own.
    fn train_apart(&self, flow: &ToTrain, place: usize, calls: &Sender<Call>) -> Result<Trained, ModelError> {
        // Calls fail where the thread that fits the model has ended by a panic.
        let calls = RefCell::new(calls);
        let mut tell = |told: Progress| drop(calls.borrow().send(Call::Told(place, told)));
        let asked = || {
            let (answer, answered) = sync_channel(1);
            calls.borrow().send(Call::Asked(answer)).is_err() || answered.recv().unwrap_or(true)
        };
        self.train(flow, &mut tell, &asked)
    }

    fn train(
        &self,
        flow: &ToTrain,
        tell: &mut dyn FnMut(Progress),
        stop: &dyn Fn() -> bool,
    ) -> Result<Trained, ModelError> {
        let start = Instant::now();
        let ToTrain { architecture, batch, epochs, trained, seed } = flow.clone();
        let (prepared, d) = (self.prepared, self.d);
        let context = prepared.contexts.as_ref().map_or(0, Table::width);
        let own_seed = self.seed.wrapping_mul(1000).wrapping_add(seed);
        let of = || Flow::new(architecture.base(d), architecture.layers(d, context, own_seed));
        let recorded = of()?;
        let mut set_up = Duration::ZERO;
        let epochs = match self.limit {
            None => epochs,
            Some((limit, is_something)) => {
                // The schedule of the learning rate needs the number of epochs beforehand.
                let (setting_up, epoch) = seconds_of_an_epoch(&recorded, prepared, batch, start)?;
                set_up = Duration::from_secs_f64(setting_up);
                // What was set up to time some steps is set up again to train.
                let affordable = ((limit.share.as_secs_f64() - 2.0 * setting_up) / epoch) as usize;
                // Of many rows one epoch is many steps.
                let fewest = (100_000 / prepared.training.len().max(1)).clamp(1, 5);
                if affordable < fewest && is_something {
                    return Ok(Trained { setting_up: set_up, tried: None });
                }
                epochs.min(affordable.max(fewest))
            }
        };
        let ended = Cell::new(0);
        let training = Instant::now();
        // It is asked after each epoch, of which one more may be too many where the machine is busy.
        let asked = || {
            ended.set(ended.get() + 1);
            let one = training.elapsed() / ended.get() as u32;
            let late = self.limit.is_some_and(|(limit, _)| Instant::now() + one > limit.deadline);
            late || ended.get() >= trained || stop()
        };
        let moved = |rows: &mut [f64], random: &mut dyn Rng| prepared.move_in_cells(rows, random);
        let fitted = recorded.fit(
            &prepared.table,
            FitOptions {
                seed: own_seed,
                epochs,
                batch,
                learning_rate: 2e-3,
                patience: (epochs / 3).max(10),
                held_out_rows: Some(&prepared.held_out),
                averaging: 0.99,
                weight_decay: 0.01,
                noise: Some(&prepared.noise),
                redrawn: prepared.has_limits().then_some(&moved),
                weights: prepared.weights.as_deref(),
                single_precision: true,
                contexts: prepared.contexts.as_ref(),
                stop: Some(&asked),
                progress: Some(tell),
                ..FitOptions::default()
            },
        )?;
        let trained = fitted.history().epochs.last().map_or(0, |last| last.epoch);
        let tried = Tried {
            name: flow.name(),
            start,
            base: architecture.base(d),
            layers: architecture.layers(d, context, own_seed),
            parameters: fitted.parameters().clone(),
            recipe: Recipe::Flow { architecture, batch, epochs, trained, seed },
            epochs: Epoch::of(fitted.history()),
        };
        Ok(Trained { setting_up: set_up, tried: Some(tried) })
    }
}

/// Returns the seconds that it takes to set up since the start, and those of an epoch, by some steps that are thrown away.
fn seconds_of_an_epoch(
    flow: &Flow,
    prepared: &Prepared,
    batch: usize,
    start: Instant,
) -> Result<(f64, f64), ModelError> {
    const STEPS: u32 = 5;
    const LEAST: Duration = Duration::from_millis(50);
    let (training, held_out) = (prepared.training.len(), prepared.held_out.len());
    let rows = &prepared.training[..batch.min(training)];
    let values: Vec<f32> =
        rows.iter().flat_map(|row| prepared.table.row(*row)).map(|value| *value as f32).collect();
    let contexts: Vec<f32> = match &prepared.contexts {
        Some(contexts) => rows.iter().flat_map(|row| contexts.row(*row)).map(|value| *value as f32).collect(),
        None => Vec::new(),
    };
    let mut trainer = Trainer::<f32>::new(flow, flow.initial(0), 1e-9)?;
    trainer.step_given(&values, &contexts)?;
    let (setting_up, timed, mut made) = (start.elapsed(), Instant::now(), 0);
    while made < STEPS || timed.elapsed() < LEAST {
        trainer.step_given(&values, &contexts)?;
        made += 1;
    }
    // The held-out rows are scored, which is about a third of a step.
    let steps = training.div_ceil(batch) as f64 + held_out as f64 / (3.0 * batch as f64);
    Ok((setting_up.as_secs_f64(), (timed.elapsed() / made).as_secs_f64() * steps))
}
