//! Layers as users write them, from plain operations: what proves the library's own proves these.

use pushforward::audit::Topic;
use pushforward::prelude::*;

use crate::written::{Formula, Written, dense, line};

const UNIT: Domain = Domain::Interval { lower: 0.0, upper: 1.0 };
const BALL: Domain = Domain::Interval { lower: -1.0, upper: 1.0 };

/// What an audit says of a map: onto, one-to-one, or not proven.
fn said(layer: &Written) -> &'static str {
    let report = audit(layer).unwrap_or_else(|error| panic!("{}: {error}", layer.name));
    assert!(report.has_no_refutation(), "{report}");
    let one = report.claim(Topic::Injective).expect("it is asked").evidence.label();
    match (one, report.claim(Topic::Codomain).is_none()) {
        ("proven", true) => "onto",
        ("proven", false) => "one-to-one",
        _ => "not proven",
    }
}

fn parameter<'t>(z: Var<'t>, name: &str, values: &[f64]) -> Var<'t> {
    let shape = if values.len() == 1 { Shape::Scalar } else { Shape::Vector(values.len()) };
    z.tape().parameter(name, shape, Init::Values(values.to_vec()))
}

/// The distances of z in (0, 1) from the ends: 1 - z, with z.
fn bernstein<'t>(z: Var<'t>) -> Var<'t> {
    let steps = parameter(z, "steps", &[0.1, -0.3, 0.2, 0.5]).exp();
    let total = steps.sum();
    let binomials = [4.0, 6.0, 4.0, 1.0];
    let term = |k: usize| {
        let theta = steps.slice(0..k).sum() / total;
        theta * binomials[k - 1] * z.powi(k as i32) * (1.0 - z).powi(4 - k as i32)
    };
    (2..=4).fold(term(1), |sum, k| sum + term(k))
}

/// A map of two variables with these domains.
fn polar(first: Domain, second: Domain, name: &'static str, forward: Formula) -> Written {
    Written { domain: Domain::each([first, second]), ..dense(name, 2, forward) }
}

fn circle<'t>(radius: Var<'t>, angle: Var<'t>) -> Var<'t> {
    stack([radius * angle.cos(), radius * angle.sin()])
}

fn layers() -> Vec<(Written, &'static str)> {
    let lower = |name, d, forward: Formula| Written {
        d,
        structure: Structure::LowerTriangular,
        ..line(name, forward)
    };
    vec![
        (
            line("sum of squares", |z| {
                let (a, b) = (parameter(z, "a", &[0.3]), parameter(z, "b", &[-0.5]));
                // ∫ (0.1 + (a + b·u)²) du
                0.1 * z + a * a * z + a * b * z.powi(2) + b * b * z.powi(3) / 3.0
            }),
            "onto",
        ),
        (Written { domain: UNIT, codomain: UNIT, ..line("Bernstein polynomial", bernstein) }, "onto"),
        (
            line("logit of a mixture of sigmoids", |z| {
                let w = parameter(z, "w", &[0.3, -0.2, 0.5]).softmax();
                let (a, b) =
                    (parameter(z, "a", &[0.1, 0.4, -0.3]).exp(), parameter(z, "b", &[0.0, 1.0, -1.0]));
                let m = (w * (a * z.at(0) + b).sigmoid()).sum();
                stack([m.ln() - (1.0 - m).ln()])
            }),
            "onto",
        ),
        (
            line("the same as a difference of ln Σ", |z| {
                let w = parameter(z, "w", &[0.3, -0.2, 0.5]);
                let (a, b) =
                    (parameter(z, "a", &[0.1, 0.4, -0.3]).exp(), parameter(z, "b", &[0.0, 1.0, -1.0]));
                let u = a * z.at(0) + b;
                stack([(w.exp() * u.sigmoid()).sum().ln() - (w.exp() * (-u).sigmoid()).sum().ln()])
            }),
            "onto",
        ),
        (
            Written {
                codomain: UNIT,
                ..line("mixture of distribution functions", |z| {
                    let w = parameter(z, "w", &[0.3, -0.2]).softmax();
                    let b = parameter(z, "b", &[0.0, 1.0]);
                    stack([(w * (z.at(0) - b).sigmoid()).sum()])
                })
            },
            "onto",
        ),
        (
            Written {
                domain: UNIT,
                codomain: UNIT,
                ..line("Kumaraswamy", |z| {
                    let (a, b) = (parameter(z, "a", &[0.3]).exp(), parameter(z, "b", &[-0.2]).exp());
                    1.0 - (1.0 - z.pow(a)).pow(b)
                })
            },
            "onto",
        ),
        (line("leaky ReLU by max", |z| z.max(0.1 * z)), "onto"),
        (line("leaky ReLU by select", |z| select(z.lt(0.0), 0.1 * z, z)), "onto"),
        (
            Written {
                domain: Domain::Positive,
                codomain: Domain::Interval { lower: -2.0, upper: f64::INFINITY },
                ..line("Box-Cox", |z| (z.pow(0.5) - 1.0) / 0.5)
            },
            "onto",
        ),
        (
            line("Yeo-Johnson", |z| {
                let above = ((z + 1.0).pow(0.5) - 1.0) / 0.5;
                let below = -((1.0 - z).pow(1.5) - 1.0) / 1.5;
                select(z.lt(0.0), below, above)
            }),
            "onto",
        ),
        (line("signed power", |z| z.sign() * z.abs().pow(1.5)), "onto"),
        (
            line("a kink away from 0", |z| {
                2.0 * z + (1.5 - z).abs() - (z - parameter(z, "t", &[-0.5])).abs() / 2.0
            }),
            "onto",
        ),
        // Slopes that are 0 at isolated points.
        (line("z³ as a product", |z| z * z * z), "onto"),
        (line("z³", |z| z.powi(3)), "onto"),
        (line("-z⁹", |z| -z.powi(9)), "onto"),
        (line("z³ + z⁵", |z| z.powi(3) + z.powi(5)), "onto"),
        (line("z + sin z", |z| z + z.sin()), "onto"),
        (line("z - tanh z", |z| z - z.tanh()), "onto"),
        (
            line("(z - a)³ + b", |z| (z - parameter(z, "a", &[0.3])).powi(3) + parameter(z, "b", &[1.0])),
            "onto",
        ),
        (Written { codomain: BALL, ..line("tanh³", |z| z.tanh().powi(3)) }, "onto"),
        (
            line("sinh³ of a positive multiple", |z| (parameter(z, "a", &[0.3]).exp() * z).sinh().powi(3)),
            "onto",
        ),
        (
            lower("a cube with a scale that depends on another", 2, |z| {
                stack([z.at(0).powi(3), z.at(0).exp() * z.at(1).powi(3) + z.at(0)])
            }),
            "onto",
        ),
        (
            line("signed power of any exponent", |z| z.sign() * z.abs().pow(parameter(z, "p", &[0.3]).exp())),
            "onto",
        ),
        (line("signed power by select", |z| select(z.lt(0.0), -(-z).pow(1.5), z.pow(1.5))), "onto"),
        (line("normal to uniform and back", |z| z.normal_cdf().normal_quantile()), "onto"),
        (line("arctangent and tangent", |z| z.atan_pi().tan_pi()), "onto"),
        (Written { codomain: BALL, ..line("softsign", |z| z / (1.0 + z.abs())) }, "onto"),
        (Written { codomain: BALL, ..line("z/√(1 + z²)", |z| z / (1.0 + z.powi(2)).sqrt()) }, "onto"),
        (
            Written {
                domain: Domain::Positive,
                codomain: UNIT,
                ..line("a share of two positive numbers", |z| {
                    let u = parameter(z, "a", &[0.3]).exp() * z;
                    u / (1.0 + u)
                })
            },
            "onto",
        ),
        (Written { domain: UNIT, ..line("1/(1 - z) - 1/z", |z| (1.0 - z).recip() - z.recip()) }, "onto"),
        (line("z + 0.9 sin z", |z| z + 0.9 * z.sin()), "onto"),
        (line("ln(eᶻ + 1) - ln(e⁻ᶻ + 2)", |z| z.log_add_exp(0.0) - (-z).log_add_exp(2f64.ln())), "onto"),
        (
            line("sinh-arcsinh", |z| {
                let (skew, tail) = (parameter(z, "skew", &[0.3]), parameter(z, "tail", &[0.2]).exp());
                ((z.asinh() + skew) * tail).sinh()
            }),
            "onto",
        ),
        (line("cubic", |z| z + parameter(z, "c", &[-1.0]).exp() * z.powi(3)), "onto"),
        (
            lower("block neural autoregressive", 2, |z| {
                // Two units for each variable: positive weights on the diagonal blocks, any below.
                let (v, w) = (z.at(0), z.at(1));
                let p = |name: &str| parameter(z, name, &[0.3]);
                let first = [1, 2].map(|k| (p(&format!("a{k}")).exp() * v + p(&format!("b{k}"))).tanh());
                let second = [1, 2].map(|k| {
                    (p(&format!("c{k}")).exp() * w + p(&format!("d{k}")) * v + p(&format!("e{k}"))).tanh()
                });
                let x1 = p("f1").exp() * first[0] + p("f2").exp() * first[1] + p("f3").exp() * v;
                let x2 = p("g1").exp() * second[0]
                    + p("g2").exp() * second[1]
                    + p("g3") * first[0]
                    + p("g4").exp() * w;
                stack([x1, x2])
            }),
            "onto",
        ),
        (
            polar(Domain::Positive, Domain::Circle, "polar coordinates", |z| circle(z.at(0), z.at(1))),
            "one-to-one",
        ),
        (
            polar(Domain::Reals, Domain::Circle, "log-polar coordinates, sine first", |z| {
                stack([z.at(0).exp() * z.at(1).sin(), z.at(0).exp() * z.at(1).cos()])
            }),
            "one-to-one",
        ),
        (
            polar(Domain::Positive, Domain::Circle, "an angle that a parameter shifts", |z| {
                circle(z.at(0), z.at(1) + parameter(z, "a", &[0.7]))
            }),
            "one-to-one",
        ),
        (
            polar(UNIT, UNIT, "Box and Muller", |z| {
                circle((-2.0 * z.at(0).ln()).sqrt(), std::f64::consts::TAU * z.at(1))
            }),
            "one-to-one",
        ),
        (
            polar(Domain::Positive, Domain::Circle, "a spiral", |z| circle(z.at(0), z.at(1) - z.at(0).ln())),
            "one-to-one",
        ),
        (
            Written {
                codomain: Domain::Ordered,
                ..lower("ordered vectors", 3, |z| {
                    let second = z.at(0) + z.at(1).softplus();
                    stack([z.at(0), second, second + z.at(2).exp()])
                })
            },
            "onto",
        ),
        (
            Written {
                codomain: Domain::Simplex,
                inverse: Some(|x| x.ln() - (1.0 - x.sum()).ln()),
                ..dense("the simplex by a softmax", 3, |z| z.exp() / (1.0 + z.exp().sum()))
            },
            "onto",
        ),
        (lower("ordered", 3, |z| concat([z.slice(0..1), z.slice(1..3).exp()]).cumsum()), "one-to-one"),
        (
            Written {
                codomain: UNIT,
                ..lower("stick breaking", 2, |z| {
                    let s = z.sigmoid();
                    stack([s.at(0), s.at(1) * (1.0 - s.at(0))])
                })
            },
            "one-to-one",
        ),
    ]
}

#[test]
fn what_a_user_writes_is_proven() {
    let mut wrong = Vec::new();
    for (layer, expected) in layers() {
        let found = said(&layer);
        println!("{:<45} {found}", layer.name);
        if found != expected {
            wrong.push(format!("{}: {found} instead of {expected}", layer.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_onto_is_not_said_to_be() {
    // The image of each is less than the codomain, by what the facts beside intervals must not hide.
    let short: [(&str, Domain, Formula); 10] = [
        ("half of a softsign", BALL, |z| z / (1.0 + 2.0 * z.abs())),
        ("a softsign times a parameter", BALL, |z| {
            parameter(z, "p", &[0.0]).sigmoid() * (z / (1.0 + z.abs()))
        }),
        ("a share of three positive numbers", UNIT, |z| {
            let u = z + (1.0 + z.powi(2)).sqrt();
            u / (1.0 + u + parameter(z, "a", &[0.3]).exp() * u)
        }),
        ("a root that takes half of the power", BALL, |z| z / (1.0 + 1.0001 * z.powi(2)).sqrt()),
        ("leading terms that cancel", Domain::Reals, |z| {
            (z + (1.0 + z.powi(2)).sqrt()) - 1.0 / (z + (1.0 + z.powi(2)).sqrt() + z.exp() + 1.0)
        }),
        ("a root that cancels what grows as it does", Domain::Reals, |z| {
            let u = parameter(z, "p", &[0.3]).exp() * z;
            u + (1.0 + u.powi(2)).sqrt()
        }),
        ("weights that do not sum to 1", UNIT, |z| {
            let w = parameter(z, "w", &[0.3, -0.2]).exp() * 0.4;
            stack([(w / (1.0 + w.sum()) * (z.at(0) - parameter(z, "b", &[0.0, 1.0])).sigmoid()).sum()])
        }),
        ("a mixture that ends below 1", UNIT, |z| {
            let w = parameter(z, "w", &[0.3, -0.2]).softmax();
            stack([0.9999 * (w * (z.at(0) - parameter(z, "b", &[0.0, 1.0])).sigmoid()).sum()])
        }),
        ("a slope that tends to 0", Domain::Reals, |z| z.asinh().tanh() + 0.5 * z.tanh()),
        ("ln of what stays away from 0", Domain::Reals, |z| {
            let w = parameter(z, "w", &[0.3, -0.2]).softmax();
            let m = (w * (z.at(0) - parameter(z, "b", &[0.0, 1.0])).sigmoid()).sum();
            stack([m.ln() - (1.0001 - m).ln()])
        }),
    ];
    for (name, codomain, forward) in short {
        let report = audit(&Written { codomain, ..line(name, forward) }).unwrap();
        assert!(report.claim(Topic::Codomain).is_some(), "{name}: {report}");
    }
}

#[test]
fn what_may_be_no_bijection_is_not_proven() {
    // A scale that may be 0, a slope that may be below 0, a sum of squares that may vanish, a weight of any sign.
    let doubtful: [(&str, Formula); 13] = [
        ("a mixture that passes 1", |z| {
            let w = parameter(z, "w", &[0.3, -0.2]).softmax();
            let m = 1.0001 * (w * (z.at(0) - parameter(z, "b", &[0.0, 1.0])).sigmoid()).sum();
            stack([m.ln() - (1.0 - m).ln()])
        }),
        ("a raw scale", |z| parameter(z, "scale", &[1.3]) * z),
        ("a cubic of any coefficient", |z| z + parameter(z, "c", &[0.1]) * z.powi(3)),
        ("a square without a least slope", |z| {
            let (a, b) = (parameter(z, "a", &[0.3]), parameter(z, "b", &[0.5]));
            a * a * z + a * b * z.powi(2) + b * b * z.powi(3) / 3.0
        }),
        ("weights of any sign", |z| {
            let w = parameter(z, "w", &[0.3, 0.2]);
            stack([z.at(0) + (w * z.at(0).sigmoid()).sum()])
        }),
        ("a sign that is 0 where the other branch is taken", |z| {
            select(z.lt(0.0), 2.0 * z, z + z.sign().powi(2) - 1.0)
        }),
        ("z < 0 and z ≤ 0, which differ at 0", |z| {
            select(z.lt(0.0), z - 1.0, z + 1.0) + select(z.le(0.0), z + 1.0, z - 1.0)
        }),
        ("a sign that jumps", |z| z + 0.1 * z.sign()),
        ("a sign that falls", |z| z + z.powi(2) * (-z).sign()),
        ("a sign that is 0 at 0", |z| z.sign() * (z.abs() + 1.0).ln() + (z.sign().powi(2) - 1.0)),
        ("a kink that folds", |z| z - 1.1 * (z - 0.5).abs()),
        ("a step of 1.1 sin z", |z| z + 1.1 * z.sin()),
        ("almost a square", |z| {
            let (a, b) = (parameter(z, "a", &[0.3]), parameter(z, "b", &[0.5]));
            0.01 * z + a * a * z + 1.01 * (a * b) * z.powi(2) + b * b * z.powi(3) / 3.0
        }),
    ];
    for (name, forward) in doubtful {
        let report = audit(&line(name, forward)).unwrap();
        let label = report.claim(Topic::Injective).unwrap().evidence.label();
        assert_ne!(label, "proven", "{name}: {report}");
    }
}
