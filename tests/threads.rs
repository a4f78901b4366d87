//! What several threads may share, and that sharing changes no number.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use pushforward::base::Rng;
use pushforward::bijection::{BijectionError, LayerRecord};
use pushforward::derivation::Derivation;
use pushforward::flow::{FlowError, History, Outside, Progress, Trainer};
use pushforward::layers::{AffineTransformer, ShiftTransformer};
use pushforward::prelude::*;
use pushforward::program::{NonFinite, Profile, Program, ProgramError, Workspace};
use pushforward::table::{
    Block, KindError, Kinds, Look, Output, OutputError, OutputWriter, ReadOptions, Reader, TableError,
};
use pushforward::tape::Declaration;
use pushforward::train::{Adam, Minimiser, TrainError};

fn is_shared<T: Send + Sync>() {}
fn is_sent<T: Send>() {}

#[test]
fn public_types_may_be_shared_between_threads() {
    is_shared::<Flow>();
    is_shared::<FittedFlow>();
    is_shared::<Trainer<f32>>();
    is_shared::<Table>();
    is_shared::<Gaussian>();
    is_shared::<(History, Progress, Outside, FlowError)>();
    is_shared::<(Reader, ReadOptions, Block, Look, Kinds, Output, OutputWriter)>();
    is_shared::<(TableError, KindError, OutputError)>();
    is_shared::<Program<f64>>();
    is_shared::<Program<f32>>();
    is_shared::<Workspace<f64>>();
    is_shared::<(Profile, NonFinite, ProgramError)>();
    is_shared::<(Minimiser<f64>, Adam<f64>, TrainError)>();
    is_shared::<(Chain, Inverse<Chain>, Box<dyn Bijection>, BijectionError, LayerRecord)>();
    is_shared::<(Box<dyn Base>, StandardNormal, Uniform, Logistic, StudentT, GaussianMixture)>();
    is_shared::<(Laplace, Gumbel, MultivariateStudentT, Beta, Dirichlet)>();
    is_shared::<(VonMises, VonMisesFisher, Mixture)>();
    is_shared::<(Affine, Linear, Triangular, Permutation, Elementwise)>();
    is_shared::<(AdditiveCoupling, AffineCoupling, SplineCoupling, Coupling<SplineTransformer>)>();
    is_shared::<(Autoregressive, Autoregressive<SplineTransformer>, AffineTransformer, ShiftTransformer)>();
    is_shared::<(RationalQuadraticSpline, CircularSpline, SplineTransformer)>();
    is_shared::<(Network, MaskedNetwork, CouplingMask)>();
    is_shared::<Continuous<NetworkField>>();
    is_shared::<(Structure, Order, Domain, Parameters, Declaration)>();
    is_shared::<(Report, Evidence, Derivation)>();
    // What holds a tape goes from thread to thread, and is used by one at a time.
    is_sent::<Tape>();
    is_sent::<pushforward::bijection::Recording>();
    is_sent::<pushforward::train::Loss>();
}

/// A flow of couplings and splines, with parameters that are not those it starts with.
fn fitted() -> FittedFlow {
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(AffineCoupling::new(CouplingMask::first_half(3), Network::new([16]))),
        Box::new(SplineCoupling::new(
            CouplingMask::second_half(3),
            Network::new([16]),
            SplineTransformer::new(6, 4.0),
        )),
        Box::new(Autoregressive::maf(MaskedNetwork::new(3, [16]))),
        Box::new(Linear::identity(3)),
    ];
    let flow = Flow::new(StandardNormal::new(3), layers).unwrap();
    let mut parameters = flow.initial(5);
    for (k, value) in parameters.iter_mut().flat_map(|(_, tensor)| &mut tensor.values).enumerate() {
        *value += 0.05 * (k as f64 * 1.3).sin();
    }
    flow.with(parameters).unwrap()
}

#[test]
fn eight_threads_score_and_sample_one_flow_as_one_thread_does() {
    let fitted = fitted();
    let rows: Vec<f64> = (0..3 * 700).map(|k| 2.0 * (k as f64 * 0.7).sin()).collect();
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<u64>>();
    let alone = bits(&fitted.log_prob(&rows).unwrap());
    let drawn: Vec<Vec<u64>> = (0..8).map(|seed| bits(&fitted.sample(200, seed).unwrap())).collect();
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (fitted, rows, alone, drawn, barrier) = (&fitted, &rows, &alone, &drawn, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..10 {
                    assert_eq!(&bits(&fitted.log_prob(rows).unwrap()), alone);
                    // Rows of another number: the last ones.
                    let first = 3 * (thread * 50 + round);
                    let some = bits(&fitted.log_prob(&rows[first..]).unwrap());
                    assert_eq!(some, alone[first / 3..]);
                    let seed = (thread + round) % 8;
                    assert_eq!(bits(&fitted.sample(200, seed as u64).unwrap()), drawn[seed]);
                }
            });
        }
    });
}

/// x = 2z, which counts how often its inverse is recorded. Only a density records it: samples need `forward` alone.
struct Doubled(Arc<AtomicUsize>);

impl Bijection for Doubled {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        2.0 * z
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Some(0.5 * x)
    }
}

#[test]
fn a_flow_records_its_density_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let layers: Vec<Box<dyn Bijection>> =
        vec![Box::new(Affine::identity(1)), Box::new(Doubled(calls.clone()))];
    let flow = Flow::new(StandardNormal::new(1), layers).unwrap();
    let once = calls.load(Ordering::Relaxed);
    // Twice in one recording, which must be pure.
    assert_eq!(once, 2);
    let start = flow.initial(3);
    let mut trainer = Trainer::<f64>::new(&flow, start, 0.1).unwrap();
    trainer.step(&[1.0, 2.0]).unwrap();
    let data = Table::new(&["x"], (0..50).map(|k| (f64::from(k) * 0.7).sin()).collect()).unwrap();
    let fitted = flow.fit(&data, FitOptions { epochs: 2, ..FitOptions::default() }).unwrap();
    fitted.log_prob(&[0.5]).unwrap();
    fitted.sample(5, 1).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), once, "the density was recorded again");
}

/// Numbers 0, 1/2, 0, 1/2, …, whatever is asked: a generator that no library knows.
struct Alternating(u64);

impl rand::TryRng for Alternating {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 += 1;
        Ok(if self.0.is_multiple_of(2) { 1 << 63 } else { 0 })
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}

#[test]
fn a_base_is_sampled_with_any_generator() {
    let mut generator = Alternating(0);
    let any: &mut dyn Rng = &mut generator;
    let mut z = [0.0; 3];
    // 0 is not in the open interval: it is drawn again.
    Uniform::new(3).sample(any, &mut z);
    assert_eq!(z, [0.5; 3]);
}
