//! Contractions: x = z + g(z) with a Lipschitz constant of g that is below 1 for all parameters.

use pushforward::audit::{Report, Topic};
use pushforward::bijection::{forward_with_log_det, inverse_with_log_det, record_inverse};
use pushforward::layers::LipschitzConstraint;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::sweep::lipschitz::{Lipschitz, steps};
use pushforward::table::Table;
use pushforward::tape::Subgraph;

use crate::random_programs::{Chooser, Pool, for_seeds};
use crate::written::{dense, is_proven, matrix, vector};

/// One-to-one and onto, with a determinant of one sign.
fn is_bijection(report: &Report) -> bool {
    is_proven(report, Topic::Injective)
        && report.claim(Topic::Codomain).is_none()
        && is_proven(report, Topic::Determinant)
}

/// ‖W‖_F
fn frobenius<'t>(w: Var<'t>) -> Var<'t> {
    (w * w).sum().sqrt()
}

/// The largest Σ|wᵢⱼ| of a row; of a column for the transpose.
fn largest_row<'t>(w: Var<'t>) -> Var<'t> {
    let Shape::Matrix(_, columns) = w.shape() else { panic!("a matrix") };
    w.abs().matvec(w.tape().constant(1.0).broadcast(Shape::Vector(columns))).max_element()
}

#[test]
fn residual_maps_of_users_are_bijections_for_all_parameters() {
    let layers = [
        dense("divided by a Frobenius norm", 3, |z| {
            let (v, w) = (matrix(z, "v", 4, 3), matrix(z, "w", 3, 4));
            let (v, w) = (v / frobenius(v).max(1.0), w * (0.9 / w.norm().max(0.9)));
            z + w.matvec((v.matvec(z) + vector(z, "b", 4)).tanh())
        }),
        dense("less than 1 for each value of the parameters", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z - (w / (1.0 + frobenius(w))).matvec(z).sin()
        }),
        dense("by the largest row and the largest column", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let bound = (largest_row(w) * largest_row(w.transpose())).sqrt();
            z + (w * (0.8 / bound.max(1.0))).matvec(z.tanh())
        }),
        dense("after the matrix", 4, |z| {
            let w = matrix(z, "w", 4, 4);
            let s = 0.7 * (1.0 / (1.0 + (w * w).sum()).sqrt()).min(1.0);
            s * w.matvec(z.asinh()) + vector(z, "b", 4) + z
        }),
        dense("a planar flow", 3, |z| {
            let (u, w) = (vector(z, "u", 3), vector(z, "w", 3));
            let (u, w) = (u / (1.0 + u.norm()), w / (1.0 + w.norm()));
            z + (w.dot(z) + vector(z, "b", 1).at(0)).tanh() * u
        }),
        dense("a rotation in between", 2, |z| {
            let t = vector(z, "angle", 1).at(0);
            let turn = stack([t.cos(), -t.sin(), t.sin(), t.cos()]).reshape(Shape::Matrix(2, 2));
            z + 0.9 * turn.matvec(z.softplus())
        }),
        dense("Cayley and an exponential", 3, |z| {
            let (a, b) = (matrix(z, "a", 3, 3), matrix(z, "b", 3, 3));
            let (one, skew) = (z.tape().identity(3), a - a.transpose());
            let turn = (one + skew).inverse().matmul(one - skew);
            z + 0.5 * turn.matvec((b - b.transpose()).matrix_exp().matvec(z).tanh())
        }),
        dense("reflections", 3, |z| {
            let v = concat([vector(z, "v", 2), z.tape().constant(1.0).reshape(Shape::Vector(1))]);
            let reflection = z.tape().identity(3) - (2.0 / v.dot(v)) * v.outer(v);
            z + 0.99 * reflection.matvec(z.cos())
        }),
        dense("numbers", 3, |z| {
            // ‖·‖₂ = 0.96, and the Frobenius norm and √(‖·‖₁·‖·‖_∞) are above 1.
            let turn = z.tape().matrix(3, 3, &[0.576, -0.768, 0.0, 0.768, 0.576, 0.0, 0.0, 0.0, 0.96]);
            z + turn.matvec(z.tanh())
        }),
        dense("a sigmoid's slope is at most a quarter", 2, |z| z + 3.9 * z.gather(&[1, 0]).sigmoid()),
        dense("bounded factors", 2, |z| {
            let (a, b) = (z.gather(&[1, 0]).tanh(), z.sin());
            z + 0.49 * (a * b)
        }),
        dense("element by element", 2, |z| {
            let (a, b) = (z.at(0), z.at(1));
            stack([a + 0.6 * (b + 0.1 * a.sin()).tanh(), b - 0.6 * a.cos()])
        }),
        dense("choices, kinks and sums", 3, |z| {
            let w = matrix(z, "w", 1, 3);
            let least = (w.reshape(Shape::Vector(3)) / (1.0 + w.norm())).dot(z).abs().min(z.at(0));
            z + 0.4 * least
        }),
        dense("a share for each parameter", 3, |z| z + vector(z, "s", 3).sigmoid() * z.sin()),
    ];
    for layer in &layers {
        let report = audit(layer).unwrap_or_else(|error| panic!("{}: {error}", layer.name));
        assert!(report.has_no_refutation(), "{report}");
        assert!(is_bijection(&report), "{report}");
    }
}

#[test]
fn what_may_not_be_a_contraction_is_not_proven() {
    let layers = [
        dense("divided by too little", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (w / frobenius(w).max(1.0)).matvec(1.01 * z.tanh())
        }),
        dense("divided by a norm of another matrix", 3, |z| {
            let (w, v) = (matrix(z, "w", 3, 3), matrix(z, "v", 3, 3));
            z + (0.9 * w / frobenius(v).max(1.0)).matvec(z.tanh())
        }),
        dense("a matrix over a number that may be near 0", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let divided = w / vector(z, "c", 1).at(0).exp();
            z + (divided.matvec(z) * (0.9 / frobenius(w).max(1.0))).tanh()
        }),
        dense("the same, with a number in between", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let divided = w * 0.5 / vector(z, "c", 1).at(0).exp();
            z + (divided.matvec(z) * (0.9 / frobenius(w).max(1.0))).tanh()
        }),
        dense("one norm for a product of two matrices", 3, |z| {
            let (w, v) = (matrix(z, "w", 3, 3), matrix(z, "v", 3, 3));
            z + (w / frobenius(w).max(1.0)).matvec((0.9 * v / frobenius(w).max(1.0)).matvec(z)).tanh()
        }),
        dense("times a number without a bound", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + ((0.9 * w * vector(z, "c", 1).at(0)) / frobenius(w).max(1.0)).matvec(z).tanh()
        }),
        dense("a product of two that move", 1, |z| z + 0.9 * z.sin() * (20.0 * z).tanh()),
        dense("one number for all", 4, |z| z + (0.9 * (0.5 * z.sum()).sin()).broadcast(Shape::Vector(4))),
        dense("the exponential of a skew matrix and a number", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let a = w - w.transpose() + 0.2 * z.tape().identity(3);
            z + 0.9 * a.matrix_exp().matvec(z.tanh())
        }),
        dense("columns of length 1 that are not orthogonal", 2, |z| {
            let angles = vector(z, "angles", 2);
            let m = stack([angles.cos().at(0), angles.cos().at(1), angles.sin().at(0), angles.sin().at(1)]);
            z + 0.9 * m.reshape(Shape::Matrix(2, 2)).matvec(z.tanh())
        }),
        dense("the smaller of a factor and of a number of any sign", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let factor = (0.9 / frobenius(w).max(1.0)).min(vector(z, "c", 1).at(0));
            z + (w * factor).matvec(z).tanh()
        }),
        dense("a norm under some condition", 3, |z| {
            let (w, c) = (matrix(z, "w", 3, 3), vector(z, "c", 1).at(0));
            let one = z.tape().constant(1.0);
            z + (0.9 * w / select(c.le(0.0), one, 1.0 + frobenius(w))).matvec(z).tanh()
        }),
        dense("a norm and any number", 3, |z| {
            let (w, c) = (matrix(z, "w", 3, 3), vector(z, "c", 1).at(0));
            z + (0.9 * w / (frobenius(w) + c).max(0.1)).matvec(z).tanh()
        }),
        dense("a norm and what may be 0", 2, |z| {
            let (w, c) = (matrix(z, "w", 2, 2), vector(z, "c", 1).at(0));
            z - (w / (frobenius(w) + c * c).max(0.001)).matvec(z)
        }),
        dense("a norm without an element", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let most = w.reshape(Shape::Vector(9)).slice(0..8);
            z + (0.9 * w / most.norm().max(1.0)).matvec(z.tanh())
        }),
        dense("the largest element is no norm", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / w.abs().max_element().max(1.0)).matvec(z.tanh())
        }),
        dense("the largest row alone is no norm", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / largest_row(w).max(1.0)).matvec(z.tanh())
        }),
        dense("the largest row twice", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let bound = (largest_row(w) * largest_row(w)).sqrt();
            z + (0.9 * w / bound.max(1.0)).matvec(z.tanh())
        }),
        dense("a sum that is not of absolute values", 2, |z| {
            let w = matrix(z, "w", 2, 2);
            let ones = z.tape().constant(1.0).broadcast(Shape::Vector(2));
            let rows = (w.abs().matvec(ones) + -0.5).max_element();
            z + (0.9 * w / (rows * largest_row(w.transpose())).abs().sqrt().max(1.0)).matvec(z.tanh())
        }),
        dense("the square of a norm", 3, |z| {
            // ‖W‖²: less than ‖W‖ where that is below 1.
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / (0.01 + (w * w).sum())).matvec(z.tanh())
        }),
        dense("the smaller of the norm and a number", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / (1e-6 + frobenius(w).min(1e6))).matvec(z.tanh())
        }),
        dense("less a number", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / (frobenius(w) - 0.5).max(0.1)).matvec(z.tanh())
        }),
        dense("a slope of 1", 2, |z| z - z.softplus()),
        dense("a slope of 1, in two steps", 2, |z| z - 0.5 * z.softplus().gather(&[1, 0]) * 2.0),
        dense("a slope above 1", 2, |z| z + 0.9 * (1.2 * z.gather(&[1, 0])).tanh()),
        dense("a sigmoid too steep", 2, |z| z - 4.001 * z.sigmoid()),
        dense("half the identity", 2, |z| 0.5 * z - 0.6 * z.gather(&[1, 0]).tanh()),
        dense("a variable twice", 2, |z| z.gather(&[0, 0]) + 0.5 * z.tanh()),
        dense("the identity taken away", 2, |z| z - (z + 0.1 * z.gather(&[1, 0]).tanh())),
        dense("context as a factor", 2, |z| z + 0.5 * z.tape().context(2) * z.gather(&[1, 0]).tanh()),
        dense("a sum of three", 3, |z| {
            // √3 is the norm of the row (1, 1, 1), and at 0 the determinant is 1 - 1.8.
            z - 0.6 * z.tanh().sum()
        }),
        dense("an element that is read twice", 2, |z| z + 0.75 * z.gather(&[1, 1]).sin()),
        dense("a product of what is not bounded", 2, |z| z + 0.1 * (z * z.gather(&[1, 0]).tanh())),
        dense("a jump", 2, |z| {
            z + 0.1 * select(z.gather(&[1, 0]).gt(0.0), z.tape().constant(1.0).broadcast(z.shape()), -1.0)
        }),
        dense("a sign", 2, |z| z - 0.1 * z.gather(&[1, 0]).sign()),
        dense("an offset that is not defined for all parameters", 2, |z| {
            z + 0.5 * z.gather(&[1, 0]).tanh() + (1000.0 - vector(z, "b", 2)).sqrt()
        }),
        dense("0/0 where the matrix is 0", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / frobenius(w)).matvec(z.tanh())
        }),
        dense("a matrix that may be stretched", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            z + 0.5 * (a + a.transpose()).matrix_exp().matvec(z.tanh())
        }),
        dense("a Cayley transform of another matrix", 3, |z| {
            let (a, b) = (matrix(z, "a", 3, 3), matrix(z, "b", 3, 3));
            let one = z.tape().identity(3);
            let turn = (one + a - a.transpose()).inverse().matmul(one - b + b.transpose());
            z + 0.5 * turn.matvec(z.tanh())
        }),
        dense("a reflection that stretches", 3, |z| {
            let v = concat([vector(z, "v", 2), z.tape().constant(1.0).reshape(Shape::Vector(1))]);
            let stretched = z.tape().identity(3) + (2.0 / v.dot(v)) * v.outer(v);
            z + 0.5 * stretched.matvec(z.tanh())
        }),
        dense("two parts that both reach the limit", 4, |z| {
            let turned = z.gather(&[3, 2, 1, 0]).sin();
            z + 0.8 * turned + 0.3 * z.gather(&[1, 0, 3, 2]).sin()
        }),
        dense("each element by another branch", 2, |z| {
            // -½(z₁ + z₂) in one element of each branch: 0.71 alone, and 1 in both.
            let (half, nothing) = (-0.5 * z.sum(), z.tape().constant(0.0));
            let first = vector(z, "c", 2).gt(0.2);
            z + select(first, stack([half, nothing]), stack([nothing, half]))
        }),
        dense("a matrix that depends on z", 2, |z| {
            let m = z.outer(z) / (1.0 + z.norm());
            z + 0.5 * m.matvec(z.tanh())
        }),
    ];
    let mut proven = Vec::new();
    for layer in &layers {
        let report = audit(layer).unwrap_or_else(|error| panic!("{}: {error}", layer.name));
        if is_proven(&report, Topic::Injective) {
            proven.push(format!("{}\n{report}", layer.name));
        }
    }
    assert!(proven.is_empty(), "{}", proven.join("\n"));
}

/// The values of some nodes at two points, and the quotients |v(z) - v(z′)|/|z - z′|.
fn quotients(program: &mut Program<f64>, pair: [&[f64]; 2]) -> Vec<f64> {
    let both = pair.map(|z| program.run(&[z], 1).unwrap());
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let moved = apart(pair[0], pair[1]);
    both[0].iter().zip(&both[1]).map(|(a, b)| apart(a, b) / moved).collect()
}

/// Two points at a distance between 10⁻⁴ and 10².
fn pair(d: usize, choose: &mut Chooser) -> [Vec<f64>; 2] {
    let reach = 10f64.powf(1.5 * choose.number());
    let z: Vec<f64> = choose.numbers(d).iter().map(|v| reach * v).collect();
    let step = 10f64.powf(3.0 * choose.number() - 1.0);
    let other = z.iter().zip(choose.numbers(d)).map(|(z, v)| z + step * v).collect();
    [z, other]
}

#[test]
fn no_difference_quotient_is_above_the_bound_of_any_node() {
    let bounded = std::cell::Cell::new(0);
    for_seeds(300, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let d = 1 + choose.below(4);
        let z = tape.input(Shape::Vector(d));
        let mut pool = Pool::new(&tape, &[z]);
        for _ in 0..12 {
            pool.grow(&mut choose);
        }
        let last = pool.nodes.iter().map(|node| node.id()).collect::<Vec<_>>();
        let program = Subgraph::new(&tape, &[z.id()], &last);
        let bounds = Lipschitz::new(&tape, &program, &[]);
        let nodes: Vec<_> = program.nodes().iter().copied().filter(|id| bounds.of(*id).is_finite()).collect();
        bounded.set(bounded.get() + nodes.iter().filter(|id| bounds.of(**id) > 0.0).count());
        let outputs: Vec<Output> = nodes.iter().map(|id| Output::Each(*id)).collect();
        let mut compiled = Program::<f64>::compile(&tape, &[z.id()], &outputs);
        compiled.load(&Parameters::initialise(&tape, 0)).unwrap();
        for _ in 0..20 {
            let [a, b] = pair(d, &mut choose);
            for (id, quotient) in nodes.iter().zip(quotients(&mut compiled, [&a, &b])) {
                let bound = bounds.of(*id);
                // A difference of large numbers is rounded.
                if quotient > bound * (1.0 + 1e-6) + 1e-6 {
                    return Err(format!("{:?}: {quotient} is above {bound}", tape.node(*id).op));
                }
            }
        }
        Ok(())
    });
    assert!(bounded.get() > 500, "{} nodes with a bound above 0", bounded.get());
}

/// For matrices of numbers the norm is known from outside: A·z with A = U·diag(s)·Vᵀ and rotations U and V.
#[test]
fn bounds_of_matrices_of_numbers_are_near_their_singular_values() {
    for_seeds(50, |seed| {
        let mut choose = Chooser::new(seed);
        let n = 2 + choose.below(5);
        let reflection = |choose: &mut Chooser| -> Vec<f64> {
            let v = choose.numbers(n);
            let square: f64 = v.iter().map(|v| v * v).sum();
            (0..n * n)
                .map(|e| f64::from(u8::from(e / n == e % n)) - 2.0 * v[e / n] * v[e % n] / square)
                .collect()
        };
        let (u, v) = (reflection(&mut choose), reflection(&mut choose));
        let s: Vec<f64> = choose.numbers(n).iter().map(|s| s.abs()).collect();
        let largest = s.iter().copied().fold(0.0, f64::max);
        let entry = |e: usize| (0..n).map(|k| u[e / n * n + k] * s[k] * v[e % n * n + k]).sum::<f64>();
        let entries: Vec<f64> = (0..n * n).map(entry).collect();
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(n));
        let x = tape.matrix(n, n, &entries).matvec(z);
        let bound = Lipschitz::new(&tape, &Subgraph::new(&tape, &[z.id()], &[x.id()]), &[]).of(x.id());
        match bound >= largest * (1.0 - 1e-14) && bound < 1.02 * largest {
            true => Ok(()),
            false => Err(format!("{bound} for the largest singular value {largest}")),
        }
    });
}

fn residual(d: usize, hidden: &[usize], coefficient: f64, constraint: LipschitzConstraint) -> Residual {
    Residual::new(d, hidden).with_coefficient(coefficient).with_constraint(constraint)
}

/// Parameters of any size, so that the constraint is met and not met.
fn scaled(tape: &Tape, choose: &mut Chooser) -> Parameters {
    let mut parameters = Parameters::initialise(tape, 0);
    for (_, tensor) in parameters.iter_mut() {
        let size = 10f64.powf(2.0 * choose.number());
        tensor.values.iter_mut().for_each(|value| *value = size * choose.number());
    }
    parameters
}

/// `PROPTEST_CASES=100000 cargo test --test library slope_of_one -- --nocapture` tries 10⁵ networks with 20 pairs of points
/// each. What is proven is a theorem for all parameters, so that a kind of network is audited once.
#[test]
fn no_proven_residual_network_has_a_slope_of_one() {
    let proven = std::cell::RefCell::new(std::collections::HashMap::new());
    let (largest, count) = (std::cell::Cell::new(0.0f64), std::cell::Cell::new(0));
    for_seeds(300, |seed| {
        let mut choose = Chooser::new(seed);
        let d = 1 + choose.below(3);
        let hidden = choose.pick(&[vec![], vec![3], vec![4, 2]]);
        let coefficient = choose.pick(&[0.5, 0.97]);
        let constraint = choose.pick(&[
            LipschitzConstraint::Frobenius,
            LipschitzConstraint::OneInfinity,
            LipschitzConstraint::PowerIteration { steps: 1 },
        ]);
        let layer = residual(d, &hidden, coefficient, constraint);
        let is_proven = *proven
            .borrow_mut()
            .entry(format!("{layer:?}"))
            .or_insert_with(|| is_bijection(&audit(&layer).unwrap()));
        let estimated = matches!(constraint, LipschitzConstraint::PowerIteration { .. });
        // One variable is monotone, and a linear map of it has the slope that power iteration finds.
        if is_proven == estimated && d > 1 {
            return Err(format!("{layer:?}: proven is {is_proven}"));
        }
        if !is_proven {
            return Ok(());
        }
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(d));
        let g = layer.forward(z) - z;
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(g.id())]);
        for _ in 0..2 {
            program.load(&scaled(&tape, &mut choose)).unwrap();
            for _ in 0..10 {
                let [a, b] = pair(d, &mut choose);
                let slope = quotients(&mut program, [&a, &b])[0];
                largest.set(largest.get().max(slope));
                // What is rounded of numbers up to some hundreds, in a difference of near points.
                let near: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                if slope > coefficient * (1.0 + 1e-9) + 1e-12 / near {
                    return Err(format!("a slope of {slope} with the coefficient {coefficient}"));
                }
            }
        }
        count.set(count.get() + 1);
        Ok(())
    });
    println!("{} proven networks, the largest slope is {:.6}", count.get(), largest.get());
    // The bound is met, by matrices of rank one.
    assert!(largest.get() > 0.9);
}

#[test]
fn residual_layers_are_proven_with_their_constant() {
    for constraint in [LipschitzConstraint::Frobenius, LipschitzConstraint::OneInfinity] {
        let report = audit(&residual(3, &[5, 4], 0.8, constraint)).unwrap();
        assert!(is_bijection(&report) && is_proven(&report, Topic::Inverse), "{report}");
        let text = report.to_string();
        let words = text.split_whitespace().collect::<Vec<&str>>().join(" ");
        assert!(words.contains("at most 0.800000") && words.contains("after 132 steps"), "{text}");
    }
    let report = audit(&Residual::new(2, [4]).with_context(2)).unwrap();
    assert!(is_bijection(&report), "{report}");
}

#[test]
fn power_iteration_is_an_estimate_and_proves_nothing() {
    let report = audit(&residual(2, &[4], 0.9, LipschitzConstraint::PowerIteration { steps: 5 })).unwrap();
    assert!(!is_proven(&report, Topic::Injective), "{report}");
    assert_eq!(report.claim(Topic::Inverse).unwrap().evidence.label(), "checked", "{report}");
}

#[test]
fn the_inverse_is_found_to_rounding_for_all_sizes_of_parameters() {
    let worst = std::cell::Cell::new(0.0f64);
    for_seeds(60, |seed| {
        let mut choose = Chooser::new(seed);
        let d = 1 + choose.below(5);
        let layer = residual(d, &[6, 5], 0.3 + 0.69 * choose.number().abs(), LipschitzConstraint::Frobenius);
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(d));
        let x = layer.forward(z);
        let back = tape.input(Shape::Vector(d));
        let found = record_inverse(&layer, back).unwrap();
        let parameters = scaled(&tape, &mut choose);
        let mut forth = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(x.id())]);
        let mut home = Program::<f64>::compile(&tape, &[back.id()], &[Output::Each(found.id())]);
        forth.load(&parameters).unwrap();
        home.load(&parameters).unwrap();
        let rows = 7;
        let points: Vec<f64> = choose.numbers(rows * d).iter().map(|v| 20.0 * v).collect();
        let images = forth.run(&[&points], rows).unwrap().swap_remove(0);
        let again = home.run(&[&images], rows).unwrap().swap_remove(0);
        let size = images.iter().chain(&points).fold(1.0f64, |size, v| size.max(v.abs()));
        let off = points.iter().zip(&again).fold(0.0f64, |off, (a, b)| off.max((a - b).abs() / size));
        worst.set(worst.get().max(off));
        if off < 1e-12 { Ok(()) } else { Err(format!("off by {off}")) }
    });
    println!("the largest relative error of f⁻¹(f(z)): {:.1e}", worst.get());
}

/// Against differences: the equations of the derivatives are contractions as well.
#[test]
fn densities_have_the_gradient_of_their_fixed_points() {
    let layer = residual(2, &[3], 0.8, LipschitzConstraint::Frobenius);
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(2));
    let inverse = inverse_with_log_det(&layer, x).unwrap();
    let log_prob = -0.5 * inverse.z.dot(inverse.z) - inverse.log_det;
    let program = Subgraph::new(&tape, &[x.id()], &[log_prob.id()]);
    let gradient = adjoint(&tape, &program, &[(log_prob.id(), tape.constant(1.0))], &[x.id()])[0].unwrap();
    let outputs = [Output::Each(log_prob.id()), Output::Each(gradient.id())];
    let mut compiled = Program::<f64>::compile(&tape, &[x.id()], &outputs);
    compiled.load(&scaled(&tape, &mut Chooser::new(4))).unwrap();
    let point = [0.4, -0.7];
    let found = compiled.run(&[&point], 1).unwrap().swap_remove(1);
    for k in 0..2 {
        let at = |step: f64| {
            let mut moved = point;
            moved[k] += step;
            compiled.run(&[&moved], 1).unwrap()[0][0]
        };
        let difference = (at(1e-4) - at(-1e-4)) / 2e-4;
        assert!((found[k] - difference).abs() < 1e-6, "{} instead of {difference}", found[k]);
    }
}

/// ln|det J_f(z)| = -ln|det J_f⁻¹(x)|, where the second is that of the fixed point.
#[test]
fn the_log_determinant_of_the_fixed_point_is_that_of_the_layer() {
    let layer = residual(3, &[4], 0.9, LipschitzConstraint::OneInfinity);
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let there = forward_with_log_det(&layer, z).unwrap();
    let back = forward_with_log_det(&Inverse::new(layer), there.x).unwrap();
    let outputs = [there.log_det, back.log_det].map(|var| Output::Each(var.id()));
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
    program.load(&scaled(&tape, &mut Chooser::new(9))).unwrap();
    let both = program.run(&[&[0.3, -1.0, 0.8]], 1).unwrap();
    assert!((both[0][0] + both[1][0]).abs() < 1e-12, "{both:?}");
    assert!(both[0][0] != 0.0);
}

#[test]
fn steps_are_known_beforehand() {
    // 0.9ᵏ/0.1 ≤ 10⁻¹²
    let k = steps(0.9, 1e-12) as i32;
    assert!(0.9f64.powi(k) / 0.1 <= 1e-12 && 0.9f64.powi(k - 1) / 0.1 > 1e-12);
}

/// From the identity on, where the last matrix is 0 and its norm has no derivative.
#[test]
fn a_residual_flow_is_fitted() {
    let mut choose = Chooser::new(2);
    // A bent curve with noise.
    let rows: Vec<f64> = (0..400)
        .flat_map(|_| {
            let (a, b) = (2.0 * choose.number(), 0.3 * choose.number());
            [a, a * a / 2.0 + b]
        })
        .collect();
    for constraint in [
        LipschitzConstraint::Frobenius,
        LipschitzConstraint::OneInfinity,
        LipschitzConstraint::PowerIteration { steps: 3 },
    ] {
        let layers: Vec<Box<dyn Bijection>> =
            (0..3).map(|_| Box::new(residual(2, &[8], 0.9, constraint)) as Box<dyn Bijection>).collect();
        let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
        let table = Table::new(&["a", "b"], rows.clone()).unwrap();
        let options = FitOptions { epochs: 15, learning_rate: 0.02, seed: 1, ..FitOptions::default() };
        let fitted = flow.fit(&table, options).unwrap();
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let found = mean(fitted.log_prob(&rows).unwrap());
        let before = -(2.0 * std::f64::consts::PI).ln()
            - 0.5 * rows.iter().map(|v| v * v).sum::<f64>() / (rows.len() / 2) as f64;
        assert!(found > before + 0.2, "{constraint:?}: from {before} to {found}");
    }
}
