//! Attacks on what is called *proven*: maps that are no bijections, or of which a claim is false, each written for one rule
//! of the checker.
//!
//! The comment of each says which rule it probes, and why the claim is false.

use pushforward::audit::{Report, Topic};
use pushforward::bijection::{Composition, solve_contraction, solve_increasing};
use pushforward::layers::{Continuous, Field, Solver};
use pushforward::prelude::*;

use crate::written::{Formula, Written, dense, is_proven, line, matrix, vector};

const UNIT: Domain = Domain::Interval { lower: 0.0, upper: 1.0 };

fn scalar<'t>(z: Var<'t>, name: &str, value: f64) -> Var<'t> {
    z.tape().parameter(name, Shape::Scalar, Init::Constant(value))
}

/// Whether a claim is proven without a condition such as «wherever both are defined».
fn is_proven_everywhere(report: &Report, topic: Topic) -> bool {
    is_proven(report, topic) && report.claim(topic).is_some_and(|claim| !claim.statement.contains("wherever"))
}

/// The topics that the audit calls proven, though they are false.
fn falsely_proven(layer: &dyn Bijection, topics: &[Topic]) -> Vec<String> {
    let report = audit(layer).unwrap_or_else(|error| panic!("{}: {error}", layer.name()));
    let wrong = topics.iter().filter(|topic| is_proven(&report, **topic));
    wrong.map(|topic| format!("{}: {topic:?}\n{report}", layer.name())).collect()
}

fn none_is_proven(attacks: &[(&[Topic], Written)]) {
    let wrong: Vec<String> =
        attacks.iter().flat_map(|(topics, layer)| falsely_proven(layer, topics)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const BOTH: &[Topic] = &[Topic::Injective, Topic::Determinant];
const ONE: &[Topic] = &[Topic::Injective];
const DET: &[Topic] = &[Topic::Determinant];

#[test]
fn slopes_that_are_not_defined_have_no_sign() {
    none_is_proven(&[
        // The terms of a Bernstein basis show a sign where the slope is defined; for p = 0 the map is constant, and
        // its slope a power of 0.
        (
            BOTH,
            Written {
                domain: UNIT,
                codomain: Domain::Positive,
                ..line("a power of what is 0 for a parameter", |z| {
                    let p = scalar(z, "p", 1.2);
                    (p * p * z).pow(0.5)
                })
            },
        ),
        (
            BOTH,
            Written {
                domain: UNIT,
                codomain: Domain::Positive,
                ..line("a root of the same", |z| {
                    let p = scalar(z, "p", 1.2);
                    (p * p * z).sqrt()
                })
            },
        ),
        (
            BOTH,
            Written {
                domain: UNIT,
                ..line("a power of a power of what is 0 for a parameter", |z| {
                    let p = scalar(z, "p", 1.2);
                    (p.powi(4) * z).pow(0.25) + (p * p * z.powi(2)).pow(0.75)
                })
            },
        ),
        // p + |p| is 0 for p ≤ 0.
        (
            BOTH,
            Written {
                domain: UNIT,
                ..line("a power of what is 0 for half of the parameters", |z| {
                    let p = scalar(z, "p", 1.2);
                    ((p + p.abs()).max(0.0) * z).pow(1.0 / 3.0)
                })
            },
        ),
    ]);
}

const ALMOST: &[Topic] = &[Topic::Injective, Topic::DeterminantAlmostEverywhere];

#[test]
fn a_slope_that_is_nowhere_below_0_may_be_0_on_an_interval() {
    none_is_proven(&[
        // Constant on one side of 0, or between two numbers: not analytic where that ends.
        (ALMOST, line("max(z, 0)³", |z| z.max(0.0).powi(3))),
        (ALMOST, line("(z + |z|)³", |z| (z + z.abs()).powi(3))),
        (ALMOST, line("(z + √z²)³", |z| (z + (z * z).sqrt()).powi(3))),
        (ALMOST, line("(z + (z²)^½)³", |z| (z + (z * z).pow(0.5)).powi(3))),
        (ALMOST, line("z³ above 0", |z| select(z.lt(0.0), 0.0, z.powi(3)))),
        (ALMOST, line("z³ + |z³|, by a sign", |z| z.powi(3) * (1.0 + z.sign()))),
        (
            ALMOST,
            line("(min(z + 1, 0) + max(z - 1, 0))³", |z| ((z + 1.0).min(0.0) + (z - 1.0).max(0.0)).powi(3)),
        ),
        // Constant for one value of a parameter.
        (ALMOST, line("p·z³", |z| scalar(z, "p", 1.2) * z.powi(3))),
        (ALMOST, line("p²·z³", |z| scalar(z, "p", 1.2).powi(2) * z.powi(3))),
        (ALMOST, line("z³ + p·z³ - z³", |z| z.powi(3) + scalar(z, "p", 0.2).powi(2) * z.powi(3) - z.powi(3))),
        (
            ALMOST,
            line("p² z + p·q z² + q² z³/3", |z| {
                let (p, q) = (scalar(z, "p", 1.2), scalar(z, "q", 0.7));
                p * p * z + p * q * z.powi(2) + q * q * z.powi(3) / 3.0
            }),
        ),
        (ALMOST, line("p·(z + sin z)", |z| scalar(z, "p", 1.2).max(0.0) * (z + z.sin()))),
        // For p = 0 the square of the slope's factor is 0 at every z.
        (ALMOST, line("a cube of p·z", |z| (scalar(z, "p", 1.2) * z).powi(3))),
        (
            ALMOST,
            line("tanh of p·z less p·z", |z| {
                let u = scalar(z, "p", 1.2) * z;
                u - u.tanh()
            }),
        ),
        // An even power, and slopes that are below 0 somewhere.
        (ALMOST, line("z²·z²", |z| z.powi(2) * z.powi(2))),
        (ALMOST, line("z⁴ as z³·z", |z| z.powi(3) * z)),
        (ONE, line("z³ - 10⁻⁹z", |z| z.powi(3) - 1e-9 * z)),
        (ONE, line("z³ + p·z²", |z| z.powi(3) + scalar(z, "p", 0.0) * z.powi(2))),
        (ONE, line("z + 1.000001 sin z", |z| z + 1.000_001 * z.sin())),
        (ONE, line("z - (1 + 2⁻⁵²)·tanh z", |z| z - (1.0 + f64::EPSILON) * z.tanh())),
        // |z|^p is even, whatever p is.
        (ONE, line("a power of z²", |z| (z * z).pow(scalar(z, "p", 0.3).exp()))),
        // det J is 0 at 0, and at every odd multiple of π.
        (DET, line("z³", |z| z.powi(3))),
        (DET, line("z + sin z", |z| z + z.sin())),
        (DET, line("(z - p)³", |z| (z - scalar(z, "p", 0.2)).powi(3))),
    ]);
    // What is shown of all of these is that det J has a sign almost everywhere.
    for sound in [line("z³", |z| z.powi(3)), line("sign(z)·z²", |z| z.sign() * z.powi(2))] {
        let report = audit(&sound).unwrap();
        assert!(is_proven(&report, Topic::Injective), "{report}");
        assert!(is_proven(&report, Topic::DeterminantAlmostEverywhere), "{report}");
    }
}

/// (r, t) ↦ (R·cos φ, R·sin φ)
fn circle<'t>(radius: Var<'t>, angle: Var<'t>) -> Var<'t> {
    stack([radius * angle.cos(), radius * angle.sin()])
}

#[test]
fn an_angle_is_known_up_to_a_turn_and_a_radius_up_to_its_sign() {
    let of = |name, first: Domain, second: Domain, forward: Formula| Written {
        domain: Domain::each([first, second]),
        ..dense(name, 2, forward)
    };
    let turn = |upper: f64| Domain::Interval { lower: 0.0, upper };
    let plain: Formula = |z| circle(z.at(0), z.at(1));
    let tau = std::f64::consts::TAU;
    // The largest double below 2π, which is not reached: one-to-one.
    let report = audit(&of("a whole turn", Domain::Positive, turn(tau), plain)).unwrap();
    assert!(is_proven(&report, Topic::Injective) && is_proven(&report, Topic::Determinant), "{report}");
    none_is_proven(&[
        // The first and the last angles of a set that is longer than 2π are the same.
        (ONE, of("a turn and a little", Domain::Positive, turn(tau.next_up()), plain)),
        (ONE, of("any angle", Domain::Positive, Domain::Reals, plain)),
        (ONE, of("twice the angle", Domain::Positive, Domain::Circle, |z| circle(z.at(0), 2.0 * z.at(1)))),
        (
            ONE,
            of("an angle times a parameter", Domain::Positive, Domain::Circle, |z| {
                circle(z.at(0), scalar(z, "p", 0.9) * z.at(1))
            }),
        ),
        // (-r, t + π) is (r, t).
        (BOTH, of("a radius of any sign", Domain::Reals, Domain::Circle, plain)),
        (
            BOTH,
            of("the square of a radius", Domain::Reals, Domain::Circle, |z| circle(z.at(0).powi(2), z.at(1))),
        ),
        (BOTH, of("cosh of a radius", Domain::Reals, Domain::Circle, |z| circle(z.at(0).cosh(), z.at(1)))),
        // r = 0 for a parameter.
        (
            BOTH,
            of("a radius times a parameter", Domain::Positive, Domain::Circle, |z| {
                circle(scalar(z, "p", 0.9).powi(2) * z.at(0), z.at(1))
            }),
        ),
        (
            BOTH,
            of("an angle that does not move", Domain::Positive, Domain::Circle, |z| {
                circle(z.at(0), z.at(1) - z.at(1))
            }),
        ),
        (
            BOTH,
            of("an angle that turns back", Domain::Positive, Domain::Circle, |z| {
                circle(z.at(0), z.at(1).powi(2) / 4.0)
            }),
        ),
        // Radius and angle are one number.
        (
            BOTH,
            of("a spiral alone", Domain::Positive, turn(1.0), |z| {
                let both = z.at(0) + z.at(1);
                circle(both, both / (1.0 + both))
            }),
        ),
        (
            BOTH,
            of("two cosines", Domain::Positive, Domain::Circle, |z| {
                stack([z.at(0) * z.at(1).cos(), z.at(0) * z.at(1).cos()])
            }),
        ),
        // Between 0 and 2 every angle is met twice.
        (
            ONE,
            of("an angle that jumps", Domain::Positive, turn(4.0), |z| {
                circle(z.at(0), select(z.at(1).lt(2.0), z.at(1), z.at(1) - 2.0))
            }),
        ),
    ]);
}

#[test]
fn a_set_in_which_variables_restrict_one_another_is_filled_or_not() {
    let short = [
        Written {
            codomain: Domain::Ordered,
            ..lower("steps above 1", |z| stack([z.at(0), z.at(0) + 1.0 + z.at(1).exp()]))
        },
        Written {
            codomain: Domain::Ordered,
            ..lower("descending", |z| stack([z.at(0), z.at(0) - z.at(1).exp()]))
        },
        Written {
            codomain: Domain::Ordered,
            ..lower("of any order", |z| stack([z.at(0), z.at(0) + z.at(1)]))
        },
        Written {
            codomain: Domain::Ordered,
            ..lower("bounded steps", |z| stack([z.at(0), z.at(0) + z.at(1).sigmoid()]))
        },
        Written {
            codomain: Domain::Ordered,
            ..lower("positive", |z| stack([z.at(0).exp(), z.at(0).exp() + z.at(1).exp()]))
        },
        Written {
            codomain: Domain::Simplex,
            ..lower("nine tenths of the second share", |z| {
                let s = z.sigmoid();
                stack([s.at(0), 0.9 * s.at(1) * (1.0 - s.at(0))])
            })
        },
        Written { codomain: Domain::Simplex, ..lower("shares of 1 each", |z| z.sigmoid()) },
        Written {
            codomain: Domain::Simplex,
            inverse: Some(|x| x.ln() - (1.0 - x.sum()).ln()),
            ..dense("a softmax with 2 instead of 1", 2, |z| z.exp() / (2.0 + z.exp().sum()))
        },
        Written {
            codomain: Domain::Simplex,
            inverse: Some(|x| x.ln() - (1.0 - x.sum()).ln() + 2f64.ln()),
            ..dense("a softmax of twice the last number", 2, |z| {
                z.exp() / (2.0 + z.exp().sum()) - 0.01 * z.exp() / (2.0 + z.exp().sum())
            })
        },
    ];
    for layer in short {
        let report = audit(&layer).unwrap_or_else(|error| panic!("{}: {error}", layer.name));
        let claim = report.claim(Topic::Injective).expect("it is asked");
        let onto = claim.evidence.label() == "proven" && claim.statement.contains("onto");
        assert!(!onto, "{}: {report}", layer.name);
    }
}

fn lower(name: &'static str, forward: Formula) -> Written {
    Written { structure: Structure::LowerTriangular, ..dense(name, 2, forward) }
}

#[test]
fn what_is_not_defined_at_a_threshold_is_no_value_there() {
    none_is_proven(&[
        // 0·(1/0) at 0 is no product with the constant 0: f(0) is not defined, and 0 is no value of f.
        (ONE, line("z²/z above 0", |z| select(z.lt(0.0), z, z * (z * z.recip())))),
        (ONE, line("|z|·z/|z|", |z| z * (z.abs() * z.abs().recip()))),
        (ONE, line("ln 0 at 0", |z| select(z.lt(0.0), z, z + z * z.ln() - z * z.ln()))),
        (
            ONE,
            line("the same at a parameter", |z| {
                let t = scalar(z, "t", 0.3);
                let off = z - t;
                select(z.lt(t), z, t + off * (off * off.recip()))
            }),
        ),
        // sign(z)·z²: det J is 0 at 0, where the formula of the slope has 0·(1/0).
        (
            DET,
            line("a slope that is 0 at 0", |z| {
                let above = z.powi(2) + 2.0 * z - 2.0 * (z.sqrt() * z.sqrt());
                let v = -z;
                let below = v.powi(2) + 2.0 * v - 2.0 * (v.sqrt() * v.sqrt());
                select(z.lt(0.0), -below, above)
            }),
        ),
    ]);
}

/// w and û of a planar flow with w = p·(1, …, 1); the division by p² is kept from 0 by a choice.
fn along_the_diagonal<'t>(z: Var<'t>) -> (Var<'t>, Var<'t>, Var<'t>) {
    let (p, u) = (scalar(z, "p", 0.8), vector(z, "u", z.len()));
    let (along, square) = (p * u.sum(), p * p);
    let share = (along.softplus() - 1.0 - along) / z.len() as f64;
    (p, u, select(square.le(0.0), 0.0, share / square))
}

#[test]
fn what_is_not_defined_in_one_of_two_cases_is_not_defined() {
    // The choice itself is one that is proven.
    let sound = dense("a planar flow along the diagonal", 3, |z| {
        let (p, u, more) = along_the_diagonal(z);
        z + (p * z.sum() + scalar(z, "b", 0.1)).tanh() * (u + more * p)
    });
    let report = audit(&sound).unwrap();
    assert!(is_proven(&report, Topic::Injective) && is_proven(&report, Topic::Determinant), "{report}");
    none_is_proven(&[
        // Where p is 0, p²·(1/p²) is 0·∞.
        (
            ONE,
            dense("a planar flow and p²/p²", 3, |z| {
                let (p, u, more) = along_the_diagonal(z);
                let square = p * p;
                z + (p * z.sum() + scalar(z, "b", 0.1)).tanh() * (u + more * p) + square * square.recip()
            }),
        ),
        // The division is kept from 0 in another term only.
        (
            ONE,
            dense("a planar flow whose division is not kept from 0", 3, |z| {
                let (p, u, kept) = along_the_diagonal(z);
                let along = p * u.sum();
                let more = (along.softplus() - 1.0 - along) / 3.0 * (p * p).recip();
                z + (p * z.sum() + scalar(z, "b", 0.1)).tanh() * (u + p * more) + kept
            }),
        ),
    ]);
}

#[test]
fn powers_larger_than_any_number_do_not_wrap() {
    // (r²)^(2³⁰) = r^(2³¹): the growth of a term is no 32-bit number.
    let layer = dense("a power of a norm", 2, |z| {
        let r = z.norm();
        z + (r * r).powi(1 << 30) * z
    });
    let report = audit(&layer).unwrap();
    assert!(!is_proven(&report, Topic::Injective), "{report}");
}

#[test]
fn inverses_that_are_wrong_where_they_are_defined_are_not_proven() {
    let square = |inverse: Formula| Written { inverse: Some(inverse), ..line("a square", |z| z * z) };
    none_is_proven(&[
        // A root between 0 and ∞ is |z|: z solves the equation as well, but lies outside.
        (
            &[Topic::Inverse],
            square(|x| {
                let ends = (0.0, f64::INFINITY);
                solve_increasing(x.tape(), x.shape(), ends, |t| t * t - x).expect("of one shape")
            }),
        ),
        (&[Topic::Inverse], square(|x| x.sqrt())),
        (&[Topic::Inverse], square(|x| (0.5 * x.ln()).exp())),
    ]);
    // Equal where both are defined, and one is not for x ≤ 0.
    let backs: [Formula; 3] = [|x| x.sqrt().powi(2), |x| x.ln().exp(), |x| x + x.abs().ln() - x.abs().ln()];
    for back in backs {
        let report = audit(&Written { inverse: Some(back), ..line("the identity", |z| 1.0 * z) }).unwrap();
        let topics = [Topic::GivenInverse, Topic::Inverse];
        assert!(!topics.iter().any(|topic| is_proven_everywhere(&report, *topic)), "{report}");
    }
    // A fixed point of what is not defined for x ≤ 0.
    let fixed = Written {
        inverse: Some(|x| {
            solve_contraction(x.tape(), x.shape(), 0.5, |z| x - 0.5 * z.sin() + (x.ln() - x.ln()))
                .expect("of one shape")
        }),
        ..dense("z + ½ sin z", 2, |z| z + 0.5 * z.sin())
    };
    let report = audit(&fixed).unwrap();
    assert!(
        is_proven(&report, Topic::Injective) && !is_proven_everywhere(&report, Topic::Inverse),
        "{report}"
    );
}

/// A composition that says itself where it is defined.
struct Composed {
    layers: Vec<Box<dyn Bijection>>,
    domain: Domain,
    codomain: Domain,
}

impl Bijection for Composed {
    fn dim(&self) -> usize {
        self.layers[0].dim()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.layers.iter().fold(z, |z, layer| layer.forward(z))
    }
    fn domain(&self) -> Domain {
        self.domain.clone()
    }
    fn codomain(&self) -> Domain {
        self.codomain.clone()
    }
    fn composition(&self) -> Composition<'_> {
        Composition::Chain(&self.layers)
    }
}

fn positive_square() -> Box<dyn Bijection> {
    let inverse: Formula = |x| x.sqrt();
    Box::new(Written {
        domain: Domain::Positive,
        codomain: Domain::Positive,
        inverse: Some(inverse),
        ..line("a square of positive numbers", |z| z * z)
    })
}

const ALL: &[Topic] = &[Topic::Injective, Topic::Determinant, Topic::Inverse];

/// What is shown of a layer in its domain is not so of the composition where the layer before leaves that domain.
#[test]
fn what_is_proven_of_layers_is_not_proven_of_a_composition_that_leaves_their_domains() {
    let same = |codomain| Written { codomain, ..line("twice z", |z| 2.0 * z) };
    let chain = |first: Written| Chain::new([Box::new(first) as Box<dyn Bijection>, positive_square()]);
    let mut wrong = Vec::new();
    // Declared to be positive, and it is not.
    wrong.extend(falsely_proven(&chain(same(Domain::Positive)), ALL));
    wrong.extend(falsely_proven(&chain(same(Domain::Reals)), ALL));
    // A composition of one layer, or of two, that says that it is defined in more.
    let composed = |layers| Composed { layers, domain: Domain::Reals, codomain: Domain::Reals };
    wrong.extend(falsely_proven(&composed(vec![positive_square()]), ALL));
    wrong.extend(falsely_proven(&composed(vec![positive_square(), positive_square()]), ALL));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_parameter_that_has_the_name_of_the_context_is_not_the_context() {
    let layer = line("the context less a parameter of its name", |z| {
        let own = z.tape().parameter("context", Shape::Vector(1), Init::Uniform(1.0));
        z * (1.0 + own - z.tape().context(1))
    });
    if let Ok(report) = audit(&layer) {
        assert!(!is_proven(&report, Topic::Injective), "{report}");
    }
}

#[test]
fn contractions_that_are_none() {
    none_is_proven(&[
        // min(s, t) of what may be negative: its size is not that of s.
        (
            ONE,
            dense("the smaller of a share and any number", 2, |z| {
                let w = matrix(z, "w", 2, 2);
                let s = (0.9 / w.norm().max(1.0)).min(scalar(z, "c", 0.1));
                z + (w * s).matvec(z.tanh())
            }),
        ),
        // A divisor without a bound, of a vector, of a number, before and after others.
        (
            ONE,
            dense("a vector over e^c", 2, |z| {
                let u = vector(z, "u", 2);
                let v = u / scalar(z, "c", 0.1).exp() / (1.0 + u.norm());
                z + z.gather(&[1, 0]).tanh().sum() * 0.4 * v
            }),
        ),
        (
            ONE,
            dense("two divisors", 2, |z| {
                let w = matrix(z, "w", 2, 2);
                let divided = w / (1.0 + w.norm()) / scalar(z, "c", 0.1).sigmoid();
                z + 0.9 * divided.matvec(z.tanh())
            }),
        ),
        (
            ONE,
            dense("a divisor on the outside of a norm", 2, |z| {
                let w = matrix(z, "w", 2, 2);
                let divided = (w * 0.5) / scalar(z, "c", 0.1).exp();
                z + (divided / (1.0 + w.norm())).matvec(z.tanh())
            }),
        ),
        (
            ONE,
            dense("divided element by element", 2, |z| {
                let w = matrix(z, "w", 2, 2);
                let by = stack([
                    scalar(z, "a", 0.1).exp(),
                    z.tape().constant(1.0),
                    z.tape().constant(1.0),
                    z.tape().constant(1.0),
                ])
                .reshape(Shape::Matrix(2, 2));
                z + 0.9 * ((w / (1.0 + w.norm())) / by).matvec(z.tanh())
            }),
        ),
        // A norm of the elements that a mask keeps is none of all.
        (
            ONE,
            dense("the norm of what a mask keeps", 2, |z| {
                let w = matrix(z, "w", 2, 2);
                let kept = z.tape().mask(2, 2, |i, j| i >= j) * w;
                z + 0.9 * (w / (1.0 + kept.norm())).matvec(z.tanh())
            }),
        ),
        // An element that stands twice in the matrix and once in the norm.
        (
            ONE,
            dense("an element that stands twice", 2, |z| {
                let v = vector(z, "v", 2);
                let w = v.gather(&[0, 1, 1, 0]).reshape(Shape::Matrix(2, 2));
                z - 0.99 * (w / (1e-9 + v.norm()).max(1e-9)).matvec(z.gather(&[1, 0]).sin())
            }),
        ),
        // The rows of the transpose are not the columns of another matrix.
        (
            ONE,
            dense("rows and rows of a reversed matrix", 2, |z| {
                let w = matrix(z, "w", 2, 2);
                let ones = z.tape().constant(1.0).broadcast(Shape::Vector(2));
                let a = w.abs().matvec(ones).max_element();
                let reversed = w.reshape(Shape::Vector(4)).gather(&[3, 2, 1, 0]).reshape(Shape::Matrix(2, 2));
                let b = reversed.abs().matvec(ones).max_element();
                z + (0.99 * w / (a * b).sqrt().max(1.0)).matvec(z.sin())
            }),
        ),
        // 1 or 2 by a parameter, element by element.
        (
            ONE,
            dense("a choice between factors", 2, |z| {
                let c = vector(z, "c", 2);
                z - select(c.lt(0.0), 0.5, 1.5) * z.sin()
            }),
        ),
        // Scattered to one place.
        (
            ONE,
            dense("both elements added to one", 2, |z| z - 0.75 * z.sin().scatter(&[0, 0], Shape::Vector(2))),
        ),
        (
            ONE,
            dense("a slope of 1 from a product with itself", 2, |z| {
                let t = z.tanh();
                z - 1.4 * (t * t).gather(&[1, 0]) - 0.2 * z.gather(&[1, 0]).sin()
            }),
        ),
        // |z| ≤ 1 is not so of z·tanh(z)…, and a quotient's bound has the square of the divisor.
        (
            ONE,
            dense("a quotient by what is small", 2, |z| {
                z + 0.4 * z.gather(&[1, 0]).sin() / (0.5 + 0.4 * z.cos())
            }),
        ),
        // An orthogonal matrix only for unit vectors.
        (
            ONE,
            dense("a rotation by a vector that is not of length 1", 2, |z| {
                let v = vector(z, "v", 2);
                let turn = stack([v.at(0), -v.at(1), v.at(1), v.at(0)]).reshape(Shape::Matrix(2, 2));
                z + 0.9 * turn.matvec(z.sin())
            }),
        ),
        (
            ONE,
            dense("a Cayley transform with a number of any sign", 2, |z| {
                let a = matrix(z, "a", 2, 2);
                let one = z.tape().identity(2) * scalar(z, "p", 0.7);
                let skew = a - a.transpose();
                z + 0.5 * (one + skew).inverse().matmul((one + skew).transpose()).matvec(z.sin())
            }),
        ),
        (
            ONE,
            dense("the skew part of another order", 2, |z| {
                let a = matrix(z, "a", 2, 2);
                z + 0.9
                    * (a - a
                        .reshape(Shape::Vector(4))
                        .gather(&[0, 1, 2, 3])
                        .reshape(Shape::Matrix(2, 2))
                        .transpose()
                        * 2.0)
                        .matrix_exp()
                        .matvec(z.sin())
            }),
        ),
    ]);
}

#[test]
fn linear_maps_that_are_singular() {
    none_is_proven(&[
        (
            ONE,
            dense("a scatter to one place", 2, |z| {
                let a = matrix(z, "a", 2, 2);
                (z.tape().identity(2) + a - a.transpose()).matvec(z.scatter(&[0, 0], Shape::Vector(2)))
            }),
        ),
        (
            ONE,
            dense("two halves of the same", 4, |z| {
                let a = matrix(z, "a", 2, 2);
                let turn = z.tape().identity(2) + a - a.transpose();
                concat([turn.matvec(z.slice(0..2)), turn.matvec(z.gather(&[1, 0]))])
            }),
        ),
        // A factor of two negative ones, one of which may be 0.
        (
            ONE,
            dense("D + s·U·Uᵀ with an s of any sign", 3, |z| {
                let u = matrix(z, "u", 3, 2);
                let s = -scalar(z, "p", 0.3).exp() * scalar(z, "q", -0.4);
                (z.tape().identity(3) + s * u.matmul(u.transpose())).matvec(z)
            }),
        ),
        (
            ONE,
            dense("D + U·V", 3, |z| {
                let (u, v) = (matrix(z, "u", 3, 1), matrix(z, "v", 1, 3));
                (z.tape().identity(3) + u.matmul(v)).matvec(z)
            }),
        ),
        (
            ONE,
            dense("a diagonal of two signs beside a skew part", 3, |z| {
                let a = matrix(z, "a", 3, 3);
                let d = z.tape().matrix(3, 3, &[1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0]);
                (d + a - a.transpose()).matvec(z)
            }),
        ),
        // 3×1 and 1×3: neither is square, and the product has rank 1.
        (ONE, dense("an outer product", 3, |z| vector(z, "u", 3).outer(vector(z, "v", 3)).matvec(z))),
        (
            ONE,
            dense("a product of two matrices that are not square", 3, |z| {
                let (u, v) = (matrix(z, "u", 3, 2), matrix(z, "v", 2, 3));
                u.matmul(v).matrix_exp().matvec(z) - z
            }),
        ),
        (
            ONE,
            dense("triangular on both sides of another diagonal", 3, |z| {
                // Zeros below the antidiagonal, of which one element may be 0.
                let a = z.tape().mask(3, 3, |i, j| i + j <= 2) * matrix(z, "a", 3, 3);
                a.matvec(z)
            }),
        ),
    ]);
}

#[test]
fn monotone_maps_that_are_flat_or_fold_somewhere() {
    none_is_proven(&[
        (
            BOTH,
            Written {
                domain: Domain::Positive,
                codomain: Domain::Positive,
                ..line("a power of any exponent", |z| z.pow(scalar(z, "p", 0.7)))
            },
        ),
        (
            BOTH,
            Written {
                domain: Domain::Positive,
                codomain: Domain::Positive,
                ..line("a power of a square", |z| z.pow(scalar(z, "p", 0.7).powi(2)))
            },
        ),
        (BOTH, line("|p| times z", |z| scalar(z, "p", 0.7).abs() * z)),
        (BOTH, line("a norm of parameters times z", |z| vector(z, "p", 2).norm() * z)),
        (BOTH, line("sign of a parameter times z", |z| scalar(z, "p", 0.7).sign() * z)),
        (
            BOTH,
            line("a square of a sum", |z| {
                let (p, q) = (scalar(z, "p", 0.7), scalar(z, "q", 0.3));
                (p * p + q * q - 2.0 * p * q) * z
            }),
        ),
        (
            BOTH,
            line("sin² + cos² - 1", |z| {
                let p = scalar(z, "p", 0.7);
                (p.sin().powi(2) + p.cos().powi(2) - 1.0) * z + p.sin().powi(2) * z
            }),
        ),
        (
            BOTH,
            line("1 - tanh² by exponentials, less itself", |z| {
                let p = scalar(z, "p", 0.7);
                (1.0 - p.tanh().powi(2) - p.sech_squared() + p.tanh().powi(2)) * z
            }),
        ),
        (
            BOTH,
            line("a choice that may take 0", |z| {
                let p = scalar(z, "p", 0.7);
                select(p.lt(0.0), 0.0, p.exp()) * z
            }),
        ),
        (
            BOTH,
            line("a condition as a factor", |z| {
                let p = scalar(z, "p", 0.7);
                select(p.lt(0.0).and(p.gt(-1.0)), 0.0, 1.0) * z
            }),
        ),
        (
            BOTH,
            line("two thresholds of any order", |z| {
                let (s, t) = (scalar(z, "s", -0.4), scalar(z, "t", 0.4));
                // Between s and t flat, where s is the smaller.
                z.min(s) + z.max(t)
            }),
        ),
        (
            BOTH,
            line("flat between two thresholds", |z| {
                let s = scalar(z, "s", -0.4);
                let t = s + scalar(z, "t", 0.4).exp();
                select(z.lt(s), z - s, select(z.lt(t), 0.0 * z, z - t))
            }),
        ),
        (BOTH, line("a kink of a kink", |z| (z.abs() - 1.0).abs() + 0.5 * z)),
        (ONE, line("ceasing to grow at 0", |z| z.max(0.0) + 0.0 * z)),
    ]);
}

#[test]
fn maps_by_a_bottleneck_that_are_no_bijections() {
    none_is_proven(&[
        // r of one variable is |z|.
        (BOTH, dense("z + |z|, by a norm", 1, |z| z + z.norm())),
        (BOTH, dense("z + |z|, by a norm of two", 2, |z| z + z.norm())),
        (
            ONE,
            dense("a radial flow with an α that may be 0", 2, |z| {
                let off = z - vector(z, "c", 2);
                z + (0.5 / (scalar(z, "a", 0.7).powi(2) + off.norm())) * off
            }),
        ),
        (
            ONE,
            dense("a radial flow of any β", 2, |z| {
                let off = z - vector(z, "c", 2);
                z + (scalar(z, "b", 0.7) / (scalar(z, "a", 0.7).exp() + off.norm())) * off
            }),
        ),
        (
            ONE,
            dense("a radial flow that is drawn to its centre", 2, |z| {
                let off = z - vector(z, "c", 2);
                let alpha = scalar(z, "a", 0.7).exp();
                z - (alpha / (alpha + off.norm())) * off - 1e-9 * off
            }),
        ),
        // det J is -1, and 1 where v is 0.
        (
            DET,
            dense("a reflection that is none for v = 0", 3, |z| {
                let v = vector(z, "v", 3);
                let square = v.dot(v);
                z - (2.0 / select(square.le(0.0), 1.0, square)) * v.dot(z) * v
            }),
        ),
        (
            DET,
            dense("the same along one direction", 3, |z| {
                let (p, ones) = (scalar(z, "p", 0.7), z.tape().constant(1.0).broadcast(z.shape()));
                let square = p * p;
                z - (2.0 / 3.0 / select(square.le(0.0), 1.0, square)) * (p * z.sum()) * (p * ones)
            }),
        ),
        (
            BOTH,
            dense("a projection but for v = 0", 3, |z| {
                let v = vector(z, "v", 3);
                let square = v.dot(v);
                z - select(square.le(0.0), 0.0, v.dot(z) / square) * v
            }),
        ),
        (
            BOTH,
            dense("a planar flow without a bound of wᵀu", 3, |z| {
                let (w, u) = (vector(z, "w", 3), vector(z, "u", 3));
                z + w.dot(z).tanh() * u
            }),
        ),
        (
            BOTH,
            dense("a planar flow whose h falls", 3, |z| {
                let (w, u) = (vector(z, "w", 3), vector(z, "u", 3));
                let (along, square) = (w.dot(u), w.dot(w));
                let more = select(square.le(0.0), 0.0, (along.softplus() - 1.0 - along) / square);
                z - w.dot(z).tanh() * (u + more * w)
            }),
        ),
        (
            BOTH,
            dense("a planar flow made for another u", 3, |z| {
                let (w, u, v) = (vector(z, "w", 3), vector(z, "u", 3), vector(z, "v", 3));
                let (along, square) = (w.dot(v), w.dot(w));
                let more = select(square.le(0.0), 0.0, (along.softplus() - 1.0 - along) / square);
                z + w.dot(z).tanh() * (u + more * w)
            }),
        ),
        // An h that is not bounded, and a slope that is 1 at most: onto only by chance.
        (
            BOTH,
            dense("two outputs of one kind", 2, |z| {
                let a = z.at(0) + 0.5 * z.sum().tanh();
                stack([a, a])
            }),
        ),
        (
            ONE,
            dense("eᶻ¹ in one direction", 2, |z| {
                let c = z.at(0).exp();
                stack([c * z.at(1).cos(), c * z.at(1).sin()])
            }),
        ),
    ]);
}

#[test]
fn inverses_of_what_is_no_bijection_are_none() {
    let square = Written { inverse: Some(|x| x.sqrt()), ..line("a square", |z| z * z) };
    let flat = Written { inverse: Some(|x| x), ..line("|p|·z", |z| scalar(z, "p", 0.5).abs() * z) };
    let mut wrong = falsely_proven(&Inverse::new(square), ALL);
    wrong.extend(falsely_proven(&Inverse::new(flat), ALL));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// v(z, t)
type Rate = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;

struct Velocity {
    d: usize,
    of: Rate,
}

impl Field for Velocity {
    fn dim(&self) -> usize {
        self.d
    }
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
        (self.of)(z, t)
    }
}

/// Fields whose solutions leave every bounded set, are not unique, or are not defined, for some parameters.
#[test]
fn flows_of_fields_that_are_not_lipschitz() {
    let fields: [(&str, Rate); 14] = [
        ("z²", |z, _| z * z),
        ("p·z²", |z, _| scalar(z, "p", 0.1) * z * z),
        ("√|z|", |z, _| z.abs().sqrt()),
        ("|z|^½ by a power", |z, _| z.abs().pow(0.5)),
        ("z·ln(1 + z²)²", |z, _| z * (z * z).ln_1p() * (z * z).ln_1p()),
        ("z·|z|", |z, _| z * z.abs()),
        ("a product of two that grow", |z, _| z.softplus() * z.log_add_exp(0.5)),
        ("e^z", |z, _| z.exp()),
        ("a jump", |z, _| -z.sign()),
        ("a jump by a choice", |z, _| select(z.lt(0.0), 1.0, -1.0)),
        ("z/t at t = 0", |z, t| z / t),
        ("z/(t - ½)", |z, t| z / (t - 0.5)),
        ("ln t", |z, t| z * 0.0 + t.ln()),
        ("z/p", |z, _| z / scalar(z, "p", 0.5)),
    ];
    let mut wrong = Vec::new();
    for (name, of) in fields {
        let layer = Continuous::new(Velocity { d: 1, of }, Solver::RungeKutta4, 2);
        let Ok(report) = audit(&layer) else { continue };
        if is_proven(&report, Topic::ExactFlow) {
            wrong.push(format!("{name}\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn structures_that_are_declared_and_are_none() {
    let with = |structure: Structure, layer: Written| Written { structure, ..layer };
    let attacks = [
        with(
            Structure::LowerTriangular,
            dense("a scatter to the first", 2, |z| z + z.scatter(&[0, 0], Shape::Vector(2))),
        ),
        with(Structure::Diagonal, dense("a gather that repeats", 2, |z| z + z.gather(&[1, 1]))),
        with(
            Structure::LowerTriangular,
            dense("a condition on a later variable", 2, |z| {
                stack([select(z.at(1).lt(0.0), z.at(0), 2.0 * z.at(0)), z.at(1)])
            }),
        ),
        with(
            Structure::LowerTriangular,
            dense("a factor of a parameter that starts at 0", 2, |z| {
                stack([z.at(0) + scalar(z, "p", 0.0) * z.at(1), z.at(1)])
            }),
        ),
        with(
            Structure::LowerTriangular,
            dense("a sum of all in a matrix that is not square", 3, |z| {
                let w = matrix(z, "w", 2, 3);
                z + concat([w.matvec(z), z.slice(2..3)])
            }),
        ),
        with(
            Structure::LowerTriangular,
            dense("z/z, which is 1 but for 0", 2, |z| stack([z.at(0) * (z.at(1) / z.at(1)), z.at(1)])),
        ),
    ];
    for layer in &attacks {
        if let Ok(report) = audit(layer) {
            assert!(!is_proven(&report, Topic::Structure), "{report}");
        }
    }
}

#[test]
fn pieces_that_do_not_meet_or_have_no_order() {
    none_is_proven(&[
        (
            ONE,
            line("thresholds of any order, one inside of the other", |z| {
                let (s, t) = (scalar(z, "s", -0.4), scalar(z, "t", 0.4));
                select(z.lt(s), z, select(z.lt(t), 0.5 * (z - s) + s, z - t + 0.5 * (t - s) + s))
            }),
        ),
        (
            ONE,
            line("a step of a parameter", |z| {
                let t = scalar(z, "t", -0.4);
                select(z.lt(t), z, z - 1e-9 * t.powi(2))
            }),
        ),
        (
            ONE,
            line("a fold between two thresholds", |z| {
                let s = scalar(z, "s", -0.4);
                let w = scalar(z, "w", 0.4).exp();
                let u = (z - s) / w;
                select(z.lt(s), z, select(z.lt(s + w), s + w * (u + 4.0 * (u.powi(3) - u.powi(2))), z))
            }),
        ),
        (
            BOTH,
            line("|z - s| with an s of both", |z| {
                let s = scalar(z, "s", -0.4);
                z - (z - s).abs() * (1.0 + scalar(z, "p", 0.1).powi(2))
            }),
        ),
        (
            ONE,
            line("sign(z - s)² added", |z| {
                let s = scalar(z, "s", -0.4);
                z - (z - s).sign().powi(2) * 0.1
            }),
        ),
        // At 0 a root has no slope: one of its own square is 0·∞.
        (DET, line("z + |z| by a root", |z| z + (z * z).sqrt())),
        (
            BOTH,
            line("a sum of steps that is flat", |z| {
                z.max(0.0) - (z - 1.0).max(0.0) + (z - 2.0).max(0.0) + z.min(0.0)
            }),
        ),
        (ONE, line("0·ln 0", |z| z + select(z.le(0.0), 0.0 * z, z * (z.ln() - z.ln())))),
        (ONE, line("0·ln 0 on the left", |z| z + select(z.lt(0.0), 0.0 * z, z * (z.ln() - z.ln())))),
    ]);
}
