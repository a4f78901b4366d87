//! Linear maps whose matrices are formulas of parameters, and maps that are one-to-one by a left inverse: what is proven of
//! them for all parameters, and what is not.

use pushforward::audit::{Report, Topic};
use pushforward::layers::{Cayley, CentredSoftmax, Householder, MatrixExponential, PointwiseConvolution};
use pushforward::prelude::*;

type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

/// A dense layer of a user.
struct Dense {
    name: &'static str,
    d: usize,
    domain: Domain,
    forward: Formula,
}

impl Bijection for Dense {
    fn dim(&self) -> usize {
        self.d
    }
    fn domain(&self) -> Domain {
        self.domain.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
    fn name(&self) -> String {
        self.name.to_string()
    }
}

fn dense(name: &'static str, d: usize, forward: Formula) -> Dense {
    Dense { name, d, domain: Domain::Reals, forward }
}

fn report(layer: &dyn Bijection) -> Report {
    let report = audit(layer).unwrap_or_else(|error| panic!("{}: {error}", layer.name()));
    assert!(report.has_no_refutation(), "{report}");
    report
}

/// Whether J is invertible, f one-to-one, f onto.
fn proven(report: &Report) -> [bool; 3] {
    let is_proven =
        |topic: Topic| report.claim(topic).is_some_and(|claim| claim.evidence.label() == "proven");
    let one_to_one = is_proven(Topic::Injective);
    // What is proven onto is not asked whether its images lie in the codomain.
    let onto = one_to_one && report.claim(Topic::Codomain).is_none();
    [is_proven(Topic::Determinant), one_to_one, onto]
}

fn matrix<'t>(z: Var<'t>, name: &str, rows: usize, columns: usize) -> Var<'t> {
    let start = (0..rows * columns).map(|k| 0.3 - 0.2 * (k % 4) as f64).collect();
    z.tape().parameter(name, Shape::Matrix(rows, columns), Init::Values(start))
}

fn vector<'t>(z: Var<'t>, name: &str, n: usize) -> Var<'t> {
    let start = (0..n).map(|k| 0.3 - 0.2 * (k % 4) as f64).collect();
    z.tape().parameter(name, Shape::Vector(n), Init::Values(start))
}

#[test]
fn linear_layers_of_the_library_are_bijections_for_all_parameters() {
    for layer in [
        Box::new(Householder::new(5, 3)) as Box<dyn Bijection>,
        Box::new(Householder::new(1, 2)),
        Box::new(Cayley::new(5)),
        Box::new(MatrixExponential::new(4)),
        Box::new(PointwiseConvolution::new(3, 4)),
    ] {
        let report = report(&*layer);
        assert_eq!(proven(&report), [true; 3], "{report}");
    }
    let free = report(&PointwiseConvolution::unconstrained(2, 3));
    assert_eq!(proven(&free), [false; 3], "{free}");
}

#[test]
fn so_are_those_of_users() {
    let layers = [
        dense("rotation", 2, |z| {
            let t = vector(z, "angle", 1).at(0);
            let turn = stack([t.cos(), -t.sin(), t.sin(), t.cos()]).reshape(Shape::Matrix(2, 2));
            turn.matvec(z)
        }),
        dense("1 + skew, to its transpose", 4, |z| {
            let a = matrix(z, "a", 4, 4);
            let m = z.tape().identity(4) + a - a.transpose();
            m.transpose().matvec(z) + vector(z, "b", 4)
        }),
        dense("its inverse", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            (z.tape().identity(3) + a - a.transpose()).inverse().matvec(z)
        }),
        dense("a reflection of an exponential", 3, |z| {
            let v = concat([vector(z, "v", 2), z.tape().constant(1.0).reshape(Shape::Vector(1))]);
            let reflection = z.tape().identity(3) - (2.0 / v.dot(v)) * v.outer(v);
            reflection.matvec(matrix(z, "a", 3, 3).matrix_exp().matvec(z))
        }),
        dense("D + U·Uᵀ", 5, |z| {
            let u = matrix(z, "u", 5, 2);
            (vector(z, "l", 5).exp().diagonal_matrix() + u.matmul(u.transpose())).matvec(z)
        }),
        dense("two factors, and a shuffle between them", 4, |z| {
            let tape = z.tape();
            let lower = tape.identity(4) + tape.mask(4, 4, |i, j| i > j) * matrix(z, "l", 4, 4);
            let upper = tape.identity(4) + tape.mask(4, 4, |i, j| i < j) * matrix(z, "u", 4, 4);
            -lower.matvec(upper.matvec(z).gather(&[2, 0, 3, 1])) * 0.5
        }),
        dense("on two of four variables", 4, |z| {
            let a = matrix(z, "a", 2, 2);
            let turn = z.tape().identity(2) + a - a.transpose();
            concat([turn.matvec(z.gather(&[3, 1])), z.gather(&[0, 2])])
        }),
    ];
    for layer in &layers {
        let report = report(layer);
        assert_eq!(proven(&report), [true; 3], "{report}");
    }
}

#[test]
fn a_matrix_that_may_be_singular_is_not_proven() {
    let layers = [
        dense("a free reflection", 4, |z| {
            // 0/0 at v = 0.
            let v = vector(z, "v", 4);
            (z.tape().identity(4) - (2.0 / v.dot(v)) * v.outer(v)).matvec(z)
        }),
        dense("a projection", 3, |z| {
            let v = concat([vector(z, "v", 2), z.tape().constant(1.0).reshape(Shape::Vector(1))]);
            (z.tape().identity(3) - (1.0 / v.dot(v)) * v.outer(v)).matvec(z)
        }),
        dense("1 + symmetric", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            (z.tape().identity(3) + a + a.transpose()).matvec(z)
        }),
        dense("skew, of three", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            (a - a.transpose()).matvec(z)
        }),
        dense("skew beside signs", 2, |z| {
            let a = matrix(z, "a", 2, 2);
            (z.tape().matrix(2, 2, &[1.0, 0.0, 0.0, -1.0]) + a - a.transpose()).matvec(z)
        }),
        dense("1 - U·Uᵀ", 4, |z| {
            let u = matrix(z, "u", 4, 2);
            (z.tape().identity(4) - u.matmul(u.transpose())).matvec(z)
        }),
        dense("1 - eᵖ·U·Uᵀ, as a sum", 4, |z| {
            let u = matrix(z, "u", 4, 2);
            let factor = -vector(z, "p", 1).at(0).exp();
            (z.tape().identity(4) + factor * u.matmul(u.transpose())).matvec(z)
        }),
        dense("a single 0 is no triangle", 5, |z| {
            let beside = z.tape().mask(5, 5, |i, j| i != j && (i, j) != (4, 0)) * matrix(z, "a", 5, 5);
            (z.tape().identity(5) + beside).matvec(z)
        }),
        dense("variables that come twice", 4, |z| {
            let a = matrix(z, "a", 2, 2);
            let turn = z.tape().identity(2) + a - a.transpose();
            concat([turn.matvec(z.gather(&[0, 1])), turn.matvec(z.gather(&[1, 2]))])
        }),
        dense("a gather that repeats", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            (z.tape().identity(3) + a - a.transpose()).matvec(z.gather(&[0, 1, 1]))
        }),
        dense("a factor that may be 0", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            vector(z, "s", 1).at(0).tanh() * (z.tape().identity(3) + a - a.transpose()).matvec(z)
        }),
        // By z₂ = -1 the matrix is 0.
        dense("a matrix that depends on z", 2, |z| {
            let m = z.tape().identity(2) * (1.0 + z.at(1));
            m.matvec(z)
        }),
        dense("an exponential less the identity", 3, |z| {
            (matrix(z, "a", 3, 3).matrix_exp() - z.tape().identity(3)).matvec(z)
        }),
        // Not defined for large parameters, which no point of an audit has.
        dense("an offset that is not defined for all parameters", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            let b = vector(z, "b", 3);
            (z.tape().identity(3) + a - a.transpose()).matvec(z) + (1000.0 - b * b).sqrt()
        }),
        dense("a matrix that is not defined for all parameters", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            let below = z.tape().mask(3, 3, |i, j| i > j) * (1000.0 - a * a).sqrt();
            (z.tape().identity(3) + below).matvec(z)
        }),
        dense("anything beside a diagonal of ones", 5, |z| {
            let beside = z.tape().mask(5, 5, |i, j| i != j) * matrix(z, "a", 5, 5);
            (z.tape().identity(5) + beside).matvec(z)
        }),
    ];
    for layer in &layers {
        // Some are refuted.
        let report = audit(layer).unwrap();
        let [_, one_to_one, onto] = proven(&report);
        assert!(!one_to_one && !onto, "{report}");
    }
}

#[test]
fn a_linear_map_of_a_box_is_not_onto() {
    let turn: Formula = |z| {
        let a = matrix(z, "a", 3, 3);
        (z.tape().identity(3) + a - a.transpose()).matvec(z)
    };
    let report =
        audit(&Dense { domain: Domain::Positive, ..dense("a turn of positive numbers", 3, turn) }).unwrap();
    assert!(report.claim(Topic::Codomain).is_some(), "{report}");
}

#[test]
fn a_left_inverse_proves_one_to_one() {
    let report = report(&CentredSoftmax::new(3));
    assert!(proven(&report)[1], "{report}");
}

/// A reflection of each of two rows: the sign of its determinant counts twice.
#[test]
fn a_matrix_counts_once_for_each_row_that_it_meets() {
    let reflected: Formula = |z| {
        let v = concat([vector(z, "v", 2), z.tape().constant(1.0).reshape(Shape::Vector(1))]);
        let turn = z.tape().identity(3) - (2.0 / v.dot(v)) * v.outer(v);
        z.reshape(Shape::Matrix(z.len() / 3, 3)).matmul(turn.transpose()).reshape(Shape::Vector(z.len()))
    };
    // The same with the matrix before columns.
    let columns: Formula = |z| {
        let v = concat([vector(z, "v", 2), z.tape().constant(1.0).reshape(Shape::Vector(1))]);
        let turn = z.tape().identity(3) - (2.0 / v.dot(v)) * v.outer(v);
        turn.matmul(z.reshape(Shape::Matrix(3, z.len() / 3))).reshape(Shape::Vector(z.len()))
    };
    for (count, sign) in [(1, "negative"), (2, "positive"), (3, "negative")] {
        for forward in [reflected, columns] {
            let report = report(&dense("reflected", 3 * count, forward));
            let claim = report.claim(Topic::Determinant).unwrap();
            assert_eq!(claim.evidence.label(), "proven", "{report}");
            assert!(claim.statement.contains(sign), "{report}");
        }
    }
}
