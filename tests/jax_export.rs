//! Flows as JAX modules: what the modules say here, and the files that `tests/python/check_jax_export.py` runs.

use std::fs;
use std::path::PathBuf;

use pushforward::bijection::inverse_with_log_det;
use pushforward::flow::Trainer;
use pushforward::jax;
use pushforward::model::{Choice, Model};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::table::{Block, Cells, Column};
use pushforward::tape::{NodeId, Subgraph};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::catalogue::catalogue;
use crate::fitted::{fit, inputs, numbers, table};
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

/// Models of tables by name, with the kinds of the columns and which are given: those whose rows or contexts are not as flows take them.
fn models() -> Vec<(&'static str, &'static str, Model)> {
    let all = "a=real,b=positive,d=circular:360,g=real,h=positive,k=circular:360,s=category";
    let given = "a=real,b=positive,g=real,s=category";
    let angles = "a=real,c=bounded:-1..3,d=circular:360";
    [
        ("model_given_every_kind", all, Choice::Autoregressive, vec!["g", "h", "k", "s"]),
        ("model_given_two", given, Choice::Coupling, vec!["g", "s"]),
        ("model_of_an_angle", angles, Choice::Mixture, vec![]),
        ("model_mixed_and_given", given, Choice::Auto, vec!["g", "s"]),
    ]
    .into_iter()
    .map(|(name, kinds, choice, given)| (name, kinds, fit(&table(kinds, 240, 3), kinds, choice, &given)))
    .collect()
}

/// A case of rows in the units of a table, with angles that are turns away from the periods of the fit.
fn case_of_model(name: &str, kinds: &str, model: &Model) -> serde_json::Value {
    let block = table(kinds, 200, 78);
    let turned = |column: &Column| match (&column.cells, column.name.as_str()) {
        (Cells::Numbers(values), "d" | "k") => {
            let moved = values.iter().enumerate().map(|(row, v)| v + 360.0 * ((row % 5) as f64 - 2.0));
            Column { name: column.name.clone(), cells: Cells::Numbers(moved.collect()) }
        }
        _ => column.clone(),
    };
    let block = Block::new(block.columns().iter().map(turned).collect(), block.lines().to_vec()).unwrap();
    let scores = model.score(&block).unwrap();
    let log_prob: Vec<f64> = scores.into_iter().map(|score| score.unwrap().log_prob).collect();
    let given = inputs(model);
    let of = |wanted: &str| {
        given
            .iter()
            .find(|(name, _)| *name == wanted)
            .map_or(Vec::new(), |(_, columns)| numbers(&block, columns))
    };
    json!({
        "name": name, "model": true, "d": model.columns().len(), "context": model.given().len(),
        "x": of("x"), "contexts": of("context"), "log_prob": log_prob, "gradients": {},
    })
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
    for (name, kinds, model) in models() {
        jax::export_model(&model).unwrap().write(folder.join(name)).unwrap();
        fs::write(folder.join(format!("{name}.json")), case_of_model(name, kinds, &model).to_string())
            .unwrap();
        cases.push(name.to_string());
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

/// The numbers of a spline are read in parts of one vector: it is split once, so that derivatives of the parts are put
/// together once, and two parts of an affine coupling stay slices.
#[test]
fn a_vector_that_is_read_in_many_parts_is_split_once() {
    let spline = |bins: usize| {
        let layer = SplineCoupling::new(
            CouplingMask::first_half(4),
            Network::new([3]),
            SplineTransformer::new(bins, 3.0).with_constraint(SplineConstraint::Minimum {
                width: 1e-3,
                height: 1e-3,
                slope: 1e-3,
            }),
        );
        let flow = Flow::new(StandardNormal::new(4), [Box::new(layer) as Box<dyn Bijection>]).unwrap();
        jax::export(&with_noise(flow)).unwrap().module
    };
    let module = spline(5);
    // 5 widths, 5 heights, 4 slopes of two variables each; in both directions.
    assert_eq!(module.matches("_parts(h2, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])").count(), 2, "{module}");
    assert!(module.contains("lax.optimization_barrier(tuple(jnp.split(a, cuts)))"), "{module}");
    assert!(!module.contains("h2[0:2]"), "{module}");
    assert!(!jax::export(&with_noise(real_nvp(2))).unwrap().module.contains("_parts"));
}

#[test]
fn a_module_of_a_model_takes_given_columns_in_their_units() {
    let (name, kinds, model) = models().swap_remove(0);
    let module = jax::export_model(&model).unwrap().module;
    let wanted = [
        "CONTEXT = 4",
        "COLUMNS = [\"a\", \"b\", \"d\"]",
        "GIVEN = [\"g\", \"h\", \"k\", \"s\"]",
        "LEVELS = {\"s\": [\"high\", \"low\"]}",
        "(_ln(context[1:2]) - ",
        "_on_circle((context[2:3] - 0.0) / 360.0),  # k",
        "_one_hot(context[3:4], 2),  # s",
        "    x = wrapped(x)\n    context = encoded(context)\n    return flow_0_log_prob(params, x, context)",
    ];
    for wanted in wanted {
        assert!(module.contains(wanted), "{name} of {kinds} has no {wanted}: {module}");
    }
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
