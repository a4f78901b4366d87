//! Training of flows, several at the same time.
//!
//! A step of a small batch takes one thread. So flows are trained side by side, on a thread each, and every one of them is
//! what it would be alone: what it is told and asked, and what is done with it in the end, goes through the thread that fits
//! the model, in the order of the flows.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

use rand::Rng;

use super::error::ModelError;
use super::plan::ToTrain;
use super::prepare::Prepared;
use super::record::{Epoch, Recipe};
use super::task::{Task, Times, Tried};
use crate::flow::{FitOptions, Flow, Progress, Trainer};
use crate::program::Threads;
use crate::table::Table;

/// How flows are trained.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// How many at the same time.
    pub threads: usize,
    /// For as many epochs as the time allows; otherwise for as many as they say.
    pub times: Option<Times>,
    /// Whether there is another candidate, so that a flow need not be trained where there is no time.
    pub is_something: bool,
    /// Whether they are the first flows, which get half of the time.
    pub is_first: bool,
}

/// What a training says and asks, by the place of its flow.
enum Call {
    Told(usize, Progress),
    /// Whether to stop, after each epoch.
    Asked(SyncSender<bool>),
    /// What came of it; nothing where there was no time for it.
    Trained(usize, Box<Result<Option<Tried>, ModelError>>),
}

/// Trains flows; `keep` is called with each of them, in their order.
pub(super) fn train(
    task: &mut Task<'_, '_>,
    flows: &[ToTrain],
    order: Order,
    keep: &mut dyn FnMut(&Task<'_, '_>, Tried) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    let queue = Queue {
        prepared: task.prepared,
        d: task.columns.len(),
        seed: task.options.seed,
        flows,
        order,
        next: AtomicUsize::new(0),
        is_something: AtomicBool::new(order.is_something),
        ended: AtomicBool::new(false),
    };
    let stop = task.options.stop;
    if order.threads == 1 {
        while let Some(place) = queue.take() {
            let name = flows[place].name();
            let mut tell = |told: Progress| task.tell(&name, Some(told));
            let asked = || {
                let stopped = stop.is_some_and(|stop| stop());
                queue.ended.fetch_or(stopped, Ordering::Relaxed);
                stopped
            };
            if let Some(tried) = queue.train(place, Threads::All, &mut tell, &asked)? {
                keep(task, tried)?;
            }
        }
        return Ok(());
    }
    let names: Vec<String> = flows.iter().map(ToTrain::name).collect();
    std::thread::scope(|scope| {
        let (calls, called) = channel();
        for _ in 0..order.threads {
            let (calls, queue) = (calls.clone(), &queue);
            scope.spawn(move || queue.work(&calls));
        }
        drop(calls);
        let (mut trained, mut kept) = ((0..flows.len()).map(|_| None).collect::<Vec<_>>(), 0);
        let mut result = Ok(());
        // Until all threads have ended and dropped their end.
        for call in called {
            match call {
                Call::Told(place, told) => task.tell(&names[place], Some(told)),
                Call::Asked(answer) => {
                    let stopped = result.is_err() || stop.is_some_and(|stop| stop());
                    queue.ended.fetch_or(stopped, Ordering::Relaxed);
                    // A thread that has ended by a panic waits for no answer.
                    let _ = answer.send(stopped);
                }
                Call::Trained(place, tried) => {
                    trained[place] = Some(*tried);
                    while result.is_ok()
                        && let Some(next) = trained.get_mut(kept).and_then(Option::take)
                    {
                        kept += 1;
                        result = next.and_then(|tried| tried.map_or(Ok(()), |tried| keep(task, tried)));
                    }
                }
            }
        }
        // Flows that others did not come before, because these were not begun.
        for next in trained.into_iter().flatten() {
            result =
                result.and_then(|()| next.and_then(|tried| tried.map_or(Ok(()), |tried| keep(task, tried))));
        }
        result
    })
}

/// The flows that are to be trained, and what their trainings have in common.
struct Queue<'a> {
    prepared: &'a Prepared,
    d: usize,
    seed: u64,
    flows: &'a [ToTrain],
    order: Order,
    /// The next flow to train.
    next: AtomicUsize,
    /// Whether there is a candidate.
    is_something: AtomicBool,
    /// Whether no other flow is to be begun.
    ended: AtomicBool,
}

impl Queue<'_> {
    /// The place of the next flow, if there is time for it.
    fn take(&self) -> Option<usize> {
        let late = self.order.times.is_some_and(|times| times.left().is_zero());
        if self.is_something.load(Ordering::Relaxed) && (late || self.ended.load(Ordering::Relaxed)) {
            return None;
        }
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        (place < self.flows.len()).then_some(place)
    }

    /// The share of the time for the flow at this place.
    fn share(&self, times: Times, place: usize) -> Duration {
        let Order { threads, is_first, .. } = self.order;
        let rounds = (self.flows.len() - place).div_ceil(threads);
        if is_first && place < threads && rounds + times.rounds_after > 2 {
            return times.left() / 2;
        }
        times.share(rounds)
    }

    /// Trains one flow after another on this thread. Calls fail where the thread that fits the model has ended by a panic.
    fn work(&self, calls: &Sender<Call>) {
        while let Some(place) = self.take() {
            let mut tell = |told: Progress| drop(calls.send(Call::Told(place, told)));
            let asked = || {
                let (answer, answered) = sync_channel(1);
                calls.send(Call::Asked(answer)).is_err() || answered.recv().unwrap_or(true)
            };
            let tried = self.train(place, Threads::One, &mut tell, &asked);
            if calls.send(Call::Trained(place, Box::new(tried))).is_err() {
                return;
            }
        }
    }

    fn train(
        &self,
        place: usize,
        threads: Threads,
        tell: &mut dyn FnMut(Progress),
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Tried>, ModelError> {
        let start = Instant::now();
        let flow = &self.flows[place];
        let ToTrain { architecture, batch, epochs, trained, seed } = flow.clone();
        let (prepared, d) = (self.prepared, self.d);
        let context = prepared.contexts.as_ref().map_or(0, Table::width);
        let own_seed = self.seed.wrapping_mul(1000).wrapping_add(seed);
        let recorded = Flow::new(architecture.base(d), architecture.layers(d, context, own_seed))?;
        let epochs = match self.order.times {
            None => epochs,
            Some(times) => {
                let share = self.share(times, place);
                // The schedule of the learning rate needs the number of epochs beforehand.
                let (setting_up, epoch) = seconds_of_an_epoch(&recorded, prepared, batch, threads, start)?;
                // What was set up to time some steps is set up again to train.
                let affordable = ((share.as_secs_f64() - 2.0 * setting_up) / epoch) as usize;
                // Of many rows one epoch is many steps.
                let fewest = (100_000 / prepared.training.len().max(1)).clamp(1, 5);
                if affordable < fewest && self.is_something.load(Ordering::Relaxed) {
                    return Ok(None);
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
            let late = self.order.times.is_some_and(|times| Instant::now() + one > times.deadline);
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
                threads,
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
        self.is_something.store(true, Ordering::Relaxed);
        Ok(Some(tried))
    }
}

/// Returns the seconds that it takes to set up since the start, and those of an epoch, by some steps that are thrown away.
fn seconds_of_an_epoch(
    flow: &Flow,
    prepared: &Prepared,
    batch: usize,
    threads: Threads,
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
    trainer.set_threads(threads);
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
