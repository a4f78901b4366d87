//! Flows as JAX modules: what the modules say here, and the files that `tests/python/check_jax_export.py` runs.

use std::fs;
use std::path::PathBuf;

use pushforward::bijection::inverse_with_log_det;
use pushforward::flow::Trainer;
use pushforward::jax;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::{NodeId, Subgraph};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::catalogue::catalogue;
use crate::snapshot::snapshot;

type Layers = Vec<Box<dyn Bijection>>;

/// Parameters that are not the initial ones.
fn with_noise(flow: Flow) -> FittedFlow {
    let mut parameters = flow.initial(3);
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for (_, tensor) in parameters.iter_mut() {
        tensor.values.iter_mut().for_each(|value| *value += 0.2 * (random.random::<f64>() - 0.5));
    }
    flow.with(parameters).unwrap()
}

fn real_nvp(d: usize) -> Flow {
    let layers: Layers = (0..4)
        .map(|k| {
            let mask = if k % 2 == 0 { CouplingMask::first_half(d) } else { CouplingMask::second_half(d) };
            Box::new(AffineCoupling::new(mask, Network::new([8]))) as Box<dyn Bijection>
        })
        .collect();
    Flow::new(StandardNormal::new(d), layers).unwrap()
}

/// Flows by name.
fn flows() -> Vec<(String, FittedFlow)> {
    let mut all: Vec<(String, FittedFlow)> = catalogue()
        .into_iter()
        .map(|entry| {
            let d = entry.layer.dim();
            let flow = match entry.layer.domain() {
                Domain::Reals => Flow::new(StandardNormal::new(d), [entry.layer]),
                Domain::Circle => Flow::new(Uniform::circle(d), [entry.layer]),
                _ => Flow::new(Uniform::new(d), [entry.layer]),
            };
            (entry.name.to_string(), with_noise(flow.unwrap()))
        })
        .collect();
    all.push(("flow_real_nvp".into(), with_noise(real_nvp(2))));
    let covariances = [vec![1.0, 0.3, 0.3, 0.5], vec![0.2, 0.0, 0.0, 2.0]];
    let mixture = GaussianMixture::new(&[0.3, 0.7], &[vec![0.0, 1.0], vec![-2.0, 0.5]], &covariances);
    let bases: [(&str, Box<dyn Base>); 5] = [
        ("gaussian_mixture", Box::new(mixture)),
        ("student_t", Box::new(StudentT::new(2, 3.0))),
        ("laplace", Box::new(Laplace::new(2))),
        ("logistic", Box::new(Logistic::new(2))),
        ("gumbel", Box::new(Gumbel::new(2))),
    ];
    for (name, base) in bases {
        let layers: Layers = vec![Box::new(Affine::identity(2)), Box::new(Linear::identity(2))];
        all.push((format!("base_{name}"), with_noise(Flow::new(base, layers).unwrap())));
    }
    let layers: Layers =
        vec![Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([5]).with_context(3)))];
    all.push(("flow_given_a_context".into(), with_noise(Flow::new(StandardNormal::new(2), layers).unwrap())));
    all
}

/// The mean of -ln p of rows, and its gradients by the names of the parameters.
fn gradients(fitted: &FittedFlow, rows: &[f64], contexts: &[f64]) -> Vec<(String, Vec<f64>)> {
    let (tape, flow) = (Tape::new(), fitted.flow());
    tape.context_by_row();
    let x = tape.input(Shape::Vector(flow.dim()));
    let inverse = inverse_with_log_det(flow.bijection(), x).unwrap();
    let loss = inverse.log_det - tape.scope("base", || flow.base().log_prob(inverse.z));
    let context = tape.declared_context().map(|context| context.id());
    let inputs: Vec<NodeId> = [x.id()].into_iter().chain(context).collect();
    let subgraph = Subgraph::new(&tape, &inputs, &[loss.id()]);
    let found = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &tape.parameters());
    let named: Vec<(String, Var<'_>)> = tape
        .declarations()
        .into_iter()
        .zip(found)
        .filter_map(|(declaration, gradient)| Some((declaration.name, gradient?)))
        .collect();
    let outputs: Vec<Output> = named.iter().map(|(_, gradient)| Output::Sum(gradient.id())).collect();
    let mut program = Program::<f64>::compile(&tape, &inputs, &outputs);
    program.load(fitted.parameters()).unwrap();
    let count = rows.len() / flow.dim();
    let given: Vec<&[f64]> = [rows].into_iter().chain(context.map(|_| contexts)).collect();
    let sums = program.run(&given, count).unwrap();
    let mean = |sum: Vec<f64>| sum.into_iter().map(|value| value / count as f64).collect();
    named.into_iter().map(|(name, _)| name).zip(sums.into_iter().map(mean)).collect()
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/jax"))
}

#[test]
#[ignore = "writes what `.ci/python` runs"]
fn files_for_python() {
    let folder = folder();
    fs::create_dir_all(&folder).unwrap();
    let (mut cases, mut refused) = (Vec::new(), Vec::new());
    for (name, fitted) in flows() {
        let package = match jax::export(&fitted) {
            Ok(package) => package,
            Err(error) => {
                refused.push(json!({ "name": name, "reason": error.to_string() }));
                continue;
            }
        };
        package.write(folder.join(&name)).unwrap();
        let (d, c) = (fitted.flow().dim(), fitted.flow().context());
        let contexts: Vec<f64> = (0..200 * c).map(|k| (k as f64 * 0.7).sin()).collect();
        let x = fitted.sample_given(200, &contexts, 5).unwrap();
        let log_prob = fitted.log_prob_given(&x, &contexts).unwrap();
        // One row after another, from the x of the samples back: what `forward` must give.
        let found = gradients(&fitted, &x, &contexts);
        let finite = found.iter().flat_map(|(_, values)| values).all(|value| value.is_finite());
        assert!(finite, "{name}: a gradient is not finite");
        let case = json!({
            "name": name, "d": d, "context": c, "x": x, "contexts": contexts, "log_prob": log_prob,
            "gradients": found.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        });
        fs::write(folder.join(format!("{name}.json")), case.to_string()).unwrap();
        cases.push(name);
    }
    // Fifty steps on batches of 256 rows.
    let flow = real_nvp(2);
    let start = flow.initial(11);
    let fitted = real_nvp(2).with(start.clone()).unwrap();
    jax::export(&fitted).unwrap().write(folder.join("training")).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let rows: Vec<f64> = (0..50 * 256)
        .flat_map(|_| {
            let (u, v) = (4.0 * random.random::<f64>() - 2.0, random.random::<f64>());
            [u, u * u + 0.3 * v]
        })
        .collect();
    let mut trainer = Trainer::<f64>::new(&flow, start, 1e-2).unwrap();
    trainer.set_weight_decay(0.01);
    trainer.set_clip(5.0);
    let losses: Vec<f64> = rows.chunks(512).map(|batch| trainer.step(batch).unwrap()).collect();
    let trained: std::collections::BTreeMap<String, Vec<f64>> =
        trainer.parameters().iter().map(|(name, tensor)| (name.to_string(), tensor.values.clone())).collect();
    let training = json!({ "rows": rows, "losses": losses, "trained": trained });
    fs::write(folder.join("training.json"), training.to_string()).unwrap();
    let listed = json!({ "cases": cases, "refused": refused });
    fs::write(folder.join("cases.json"), listed.to_string()).unwrap();
}

#[test]
fn a_module_reads_like_the_layer() {
    let package = jax::export(&with_noise(real_nvp(2))).unwrap();
    snapshot("jax_real_nvp", &package.module);
}

#[test]
fn parameters_come_back_and_what_is_no_file_of_them_is_refused() {
    let fitted = with_noise(real_nvp(2));
    let package = jax::export(&fitted).unwrap();
    let back = jax::parameters(&package.params).unwrap();
    let again = real_nvp(2).with(back).unwrap();
    let x = [0.3, -0.7];
    assert_eq!(again.log_prob(&x).unwrap(), fitted.log_prob(&x).unwrap());
    let error = jax::parameters(b"no file").unwrap_err().to_string();
    assert!(error.contains("no safetensors"), "{error}");
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let package = jax::export(&with_noise(real_nvp(2))).unwrap();
    let folder = tempfile::tempdir().unwrap();
    package.write(folder.path().join("flow")).unwrap();
    package.write(folder.path().join("flow")).unwrap();
    fs::write(folder.path().join("flow/mine.py"), "x = 1").unwrap();
    let error = package.write(folder.path().join("flow")).unwrap_err().to_string();
    assert!(error.contains("`mine.py`") && error.contains("choose a new folder"), "{error}");
}

#[test]
fn what_jax_has_no_counterpart_for_is_refused_by_name() {
    let field = NetworkField::new(2, Network::new([3]));
    let adaptive = Solver::DormandPrince { relative: 1e-6, absolute: 1e-8 };
    let layers: Layers = vec![Box::new(Continuous::new(field, adaptive, 1))];
    let error = jax::export(&with_noise(Flow::new(StandardNormal::new(2), layers).unwrap())).unwrap_err();
    assert!(
        error.to_string().contains("Dormand and Prince") && error.to_string().contains("RungeKutta4"),
        "{error}"
    );
    let base = Flow::new(
        VonMises::new([0.0, 1.0], [1.0, 2.0]),
        [Box::new(CircularSpline::learned(2, 4)) as Box<dyn Bijection>],
    );
    let error = jax::export(&with_noise(base.unwrap())).unwrap_err().to_string();
    assert!(error.contains("VonMises") && error.contains("drawing"), "{error}");
}
