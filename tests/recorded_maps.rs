//! Bijections as data: what a listing records again is what was recorded, also by way of a file; one that is no listing is
//! refused, and nothing false is proven of what can be written in a file.

use pushforward::audit::Topic;
use pushforward::bijection::{RecordedMap, record_forward};
use pushforward::prelude::*;
use pushforward::program::values;
use pushforward::tape::{Binary, Choice, Listing, Op, Place, Unary};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::catalogue::catalogue;
use crate::seeded::for_seeds;

/// Lists x = f(z) of a formula.
fn listed(d: usize, formula: impl for<'t> Fn(Var<'t>) -> Var<'t>) -> Listing {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let x = formula(z);
    tape.check().unwrap();
    Listing::of(&tape, z.id(), x.id())
}

/// x = (z₁, z₂·exp(tanh(w·z₁))), with a choice and a context-free parameter.
fn bend() -> RecordedMap {
    let forward = |z: Var<'_>| {
        let w = z.tape().parameter("w", Shape::Scalar, Init::Constant(0.7));
        let bent = select(z.at(0).gt(0.0).and(z.at(0).le(5.0).negate()), 5.0 * w, w * z.at(0));
        stack([z.at(0), z.at(1) * bent.tanh().exp()]).id()
    };
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let x = forward(z);
    RecordedMap::new("Bend", Listing::of(&tape, z.id(), x)).with_found_structure()
}

fn bits(values: &[Vec<f64>]) -> Vec<u64> {
    values.iter().flatten().map(|value| value.to_bits()).collect()
}

#[test]
fn every_layer_is_recorded_again_node_for_node_also_from_a_file() {
    let (mut recorded, mut written) = (0, 0);
    for entry in catalogue() {
        let name = entry.layer.name();
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(entry.layer.dim()));
        let Ok(x) = record_forward(&entry.layer, z) else { panic!("{name} is not recorded") };
        let listing = Listing::of(&tape, z.id(), x.id());
        // On the tape of the first recording, it is the same node.
        assert_eq!(listing.record(z).id(), x.id(), "{name}");
        recorded += 1;
        let Ok(text) = serde_json::to_string(&listing) else { continue };
        let read: Listing = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.record(z).id(), x.id(), "{name}");
        let point: Vec<f64> = (0..z.len()).map(|i| 0.2 + 0.15 * i as f64).collect();
        let other = Tape::new();
        let y = other.input(z.shape());
        let again = read.record(y);
        assert_eq!(
            bits(&values(&other, y, &[again], &point)),
            bits(&values(&tape, z, &[x], &point)),
            "{name}"
        );
        written += 1;
    }
    assert!(recorded > 60 && written > 50, "{written} of {recorded} layers were written");
}

#[test]
fn names_lead_back_to_functions() {
    for function in Unary::ALL {
        assert_eq!(Unary::named(function.name(), function.number()), Some(*function));
    }
    assert_eq!(Unary::named("exp", Some(3)), None);
    assert_eq!(Unary::named("powi", None), None);
    assert_eq!(Unary::named("powi", Some(1 << 40)), None);
    assert_eq!(Unary::named("expo", None), None);
}

#[test]
fn a_model_file_keeps_a_recorded_map_whole() {
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(bend()), Box::new(Inverse::new(bend()))];
    let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
    let mut start = flow.initial(3);
    start.set("layers.1.w", Shape::Scalar, vec![-0.3]).unwrap();
    let saved = flow.with(start).unwrap();
    let loaded = FittedFlow::from_bytes(&saved.to_bytes().unwrap(), &Registry::catalogue()).unwrap();
    let points = saved.sample(50, 1).unwrap();
    assert_eq!(bits(&[loaded.sample(50, 1).unwrap()]), bits(std::slice::from_ref(&points)));
    assert_eq!(bits(&[loaded.log_prob(&points).unwrap()]), bits(&[saved.log_prob(&points).unwrap()]));
    let report = |flow: &FittedFlow| audit(flow.flow().bijection()).unwrap().to_string();
    assert_eq!(report(&loaded), report(&saved));
}

#[test]
fn domains_and_structures_are_read_as_they_were_written() {
    let open = Domain::Interval { lower: f64::NEG_INFINITY, upper: 3.0 };
    let domains = [
        Domain::Reals,
        Domain::Positive,
        open.clone(),
        Domain::Circle,
        Domain::Ordered,
        Domain::Simplex,
        Domain::each([Domain::Positive, open]),
    ];
    for domain in domains {
        let text = serde_json::to_string(&domain).unwrap();
        assert_eq!(serde_json::from_str::<Domain>(&text).unwrap(), domain, "{text}");
    }
    let structures = [
        Structure::Dense,
        Structure::UpperTriangular,
        Structure::Triangular { order: Order::of([2, 0, 1]) },
        Structure::BlockTriangular { order: Order::natural(3), blocks: vec![1, 2] },
        Structure::LowRank { rank: 2 },
    ];
    for structure in structures {
        let text = serde_json::to_string(&structure).unwrap();
        assert_eq!(serde_json::from_str::<Structure>(&text).unwrap(), structure, "{text}");
    }
}

#[test]
fn the_strongest_structure_is_found() {
    let found = |d, formula: fn(Var<'_>) -> Var<'_>| {
        RecordedMap::new("Map", listed(d, formula)).with_found_structure().structure()
    };
    assert_eq!(found(3, |z| z.tanh() + z), Structure::Diagonal);
    assert_eq!(found(2, |z| stack([z.at(0), z.at(1) * z.at(0).exp()])), Structure::LowerTriangular);
    // A planar map: one number of the program holds what all outputs share.
    let planar = found(6, |z| z + 0.1 * z.sum().tanh());
    assert_eq!(planar, Structure::LowRank { rank: 1 });
}

#[test]
fn a_context_is_one_for_all_layers() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let x = z + tape.context(2).sum();
    let shifted = RecordedMap::new("Shifted", Listing::of(&tape, z.id(), x.id()));
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(shifted.clone()), Box::new(shifted)];
    let flow = Flow::new(StandardNormal::new(1), layers).unwrap();
    assert_eq!(flow.context(), 2);
    let start = flow.initial(0);
    let log_p = flow.with(start).unwrap().log_prob_given(&[3.0], &[0.5, 1.0]).unwrap()[0];
    assert!((log_p + 0.5 * std::f64::consts::TAU.ln()).abs() < 1e-14, "x = z + 2·(c₁ + c₂)");
}

#[test]
fn a_line_outside_of_rust_is_told() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let x = tape.placed(Place::elsewhere("bend.py:3"), || {
        let (a, b) = (z.at(0), z.at(1));
        stack([a + 0.1 * b.tanh(), b])
    });
    let listing = Listing::of(&tape, z.id(), x.id());
    let map = RecordedMap::new("Bend", listing).with_structure(Structure::LowerTriangular);
    let error = record(&map).unwrap_err().to_string();
    assert!(error.contains("bend.py:3"), "{error}");
    // A file keeps the line.
    let read: RecordedMap = serde_json::from_str(&serde_json::to_string(&map).unwrap()).unwrap();
    assert_eq!(record(&read).unwrap_err().to_string(), error);
}

#[test]
fn what_is_false_of_a_recorded_map_is_refuted() {
    let refuted = |map: RecordedMap, topic: Topic| {
        let report = audit(&map).unwrap();
        let claims: Vec<_> = report.refuted().map(|claim| claim.topic).collect();
        assert!(claims.contains(&topic), "{report}");
    };
    // A fold, an inverse of another map, a log-determinant with the wrong sign.
    refuted(RecordedMap::new("Fold", listed(1, |z| z * z)), Topic::Injective);
    let stretch = || RecordedMap::new("Stretch", listed(2, |z| 2.0 * z));
    refuted(stretch().with_inverse(listed(2, |x| 0.4 * x)), Topic::Inverse);
    refuted(stretch().with_log_det(listed(2, |z| z.tape().constant(-2.0 * 2f64.ln()))), Topic::GivenLogDet);
}

/// The text of a listing with another value at a place.
fn forged(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    serde_json::from_value::<Listing>(value).expect_err("it is refused").to_string()
}

#[test]
fn what_is_no_listing_is_refused() {
    let text = serde_json::to_string(&listed(2, |z| {
        let w = z.tape().parameter("w", Shape::Vector(2), Init::Constant(0.5));
        select(z.gt(0.0), z * w, z)
    }))
    .unwrap();
    let place = |name: &str| {
        let value: Value = serde_json::from_str(&text).unwrap();
        value["steps"].as_array().unwrap().iter().position(|step| step["op"] == name).unwrap()
    };
    let (mul, choice) = (place("mul"), place("select"));
    let cases: Vec<(String, &str)> = vec![
        (forged(&text, |value| value["steps"][mul]["op"] = "mull".into()), "is no operation: mull"),
        (forged(&text, |value| value["steps"][mul]["of"] = vec![99, 0].into()), "uses a later step"),
        (forged(&text, |value| value["steps"][mul]["of"] = vec![0].into()), "does not give [2]"),
        (forged(&text, |value| value["output"] = 99.into()), "none of its steps"),
        (forged(&text, |value| value["input"] = serde_json::json!({"Vector": 3})), "does not give [2]"),
        (forged(&text, |value| value["parameters"][0]["shape"] = "Scalar".into()), "does not give [2]"),
        (forged(&text, |value| value["parameters"] = Vec::<u8>::new().into()), "does not give [2]"),
        (forged(&text, |value| value["context"] = 7.into()), "its context is no vector"),
        // A choice by a number that is neither 0 nor 1 is none.
        (forged(&text, |value| value["steps"][choice]["of"][0] = 0.into()), "chooses by a number"),
    ];
    for (error, expected) in cases {
        assert!(error.contains(expected), "{error} does not say: {expected}");
    }
    let vector = serde_json::to_string(&bend()).unwrap();
    let mut value: Value = serde_json::from_str(&vector).unwrap();
    value["inverse"] = serde_json::to_value(listed(3, |x| x)).unwrap();
    let description = pushforward::bijection::Description { name: "recorded_map".into(), settings: value };
    let error = Registry::catalogue().layer(&description).err().expect("it is refused").to_string();
    assert!(error.contains("inverse of [3]"), "{error}");
}

/// A number or a name of a listing, somewhere, becomes another; what is still a listing is recorded and audited without a panic.
#[test]
fn an_altered_listing_is_refused_or_is_a_listing() {
    let texts: Vec<String> = [
        serde_json::to_string(&bend()).unwrap(),
        serde_json::to_string(&RecordedMap::new(
            "Matrix",
            listed(2, |z| {
                let a = z.outer(z).row(0).outer(z).transpose();
                (a.matmul(a) + z.tape().identity(2)).matvec(z).gather(&[1, 0])
                    + z.cumsum().scatter(&[1, 0], z.shape())
            }),
        ))
        .unwrap(),
    ]
    .to_vec();
    let names: Vec<String> = (Unary::ALL.iter().map(|function| function.name()))
        .chain(Binary::ALL.iter().map(|function| function.name()))
        .chain(Choice::ALL.iter().map(|choice| choice.name()))
        .chain(
            [Op::Sum, Op::Concat, Op::Broadcast, Op::MatVec, Op::Inverse, Op::LogAbsDet].iter().map(Op::name),
        )
        .map(str::to_string)
        .collect();
    let counts = std::cell::Cell::new((0, 0));
    for_seeds(400, |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut value: Value = serde_json::from_str(texts.choose(&mut random).unwrap()).unwrap();
        let steps = value["forward"]["steps"].as_array_mut().unwrap();
        let at = random.random_range(0..steps.len());
        let count = steps.len() as u64;
        match random.random_range(0..5) {
            0 => steps[at]["op"] = names.choose(&mut random).unwrap().as_str().into(),
            1 => steps[at]["of"] = vec![random.random_range(0..count); random.random_range(0..4)].into(),
            2 => {
                steps[at]["shape"] =
                    serde_json::json!({"Matrix": [random.random_range(0..3), random.random_range(0..3)]})
            }
            3 => steps[at]["positions"] = vec![random.random_range(0..4); random.random_range(0..4)].into(),
            _ => steps[at]["values"] = vec![random.random::<f64>(); random.random_range(0..3)].into(),
        }
        let (refused, accepted) = counts.get();
        let Ok(map) = serde_json::from_value::<RecordedMap>(value) else {
            counts.set((refused + 1, accepted));
            return Ok(());
        };
        counts.set((refused, accepted + 1));
        // An error is an answer, and a panic is none.
        let _ = record(&map);
        let _ = pushforward::audit::audit_with(
            &map,
            &pushforward::audit::AuditOptions { decide_only: true, points: 8, ..Default::default() },
        );
        Ok(())
    });
    let (refused, accepted) = counts.get();
    assert!(refused > 100 && accepted > 30, "{refused} refused, {accepted} accepted");
}

#[test]
fn a_condition_is_made_of_comparisons_and_of_nothing_else() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let (below, above) = (z.lt(0.0), z.ge(1.0));
    let matrix = tape.constant(0.0).broadcast(Shape::Matrix(2, 2)).lt(1.0).var();
    let conditions = [
        below.var(),
        below.and(above.negate()).or(above).negate().var(),
        below.var().gather(&[1, 0]),
        concat([below.var().at(0), above.var()]),
        matrix.transpose(),
        tape.vector(&[0.0, 1.0]),
        tape.constant(1.0) - below.var(),
    ];
    for (k, node) in conditions.into_iter().enumerate() {
        assert_eq!(Condition::from_var(node).map(|own| own.var().id()), Some(node.id()), "{k}");
    }
    let others = [
        z,
        z - below.var(),
        0.5 - below.var(),
        below.var() - 1.0,
        tape.vector(&[0.0, 2.0]),
        below.var() + above.var(),
        2.0 * below.var(),
        below.var().min(z),
        below.var().sum(),
        below.var().tanh(),
        concat([below.var(), z]),
        below.var().scatter(&[0, 0], Shape::Vector(2)),
    ];
    for (k, node) in others.into_iter().enumerate() {
        assert!(Condition::from_var(node).is_none(), "{k}");
    }
}
