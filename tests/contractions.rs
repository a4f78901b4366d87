//! Contractions: x = z + g(z) with a Lipschitz constant of g that is below 1 for all parameters.

use pushforward::audit::{Report, Topic};
use pushforward::prelude::*;

type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

/// A residual map of a user.
struct Written {
    name: &'static str,
    d: usize,
    forward: Formula,
}

impl Bijection for Written {
    fn dim(&self) -> usize {
        self.d
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
    fn name(&self) -> String {
        self.name.to_string()
    }
}

fn written(name: &'static str, d: usize, forward: Formula) -> Written {
    Written { name, d, forward }
}

fn is_proven(report: &Report, topic: Topic) -> bool {
    report.claim(topic).is_some_and(|claim| claim.evidence.label() == "proven")
}

/// One-to-one and onto, with a determinant of one sign.
fn is_bijection(report: &Report) -> bool {
    is_proven(report, Topic::Injective)
        && report.claim(Topic::Codomain).is_none()
        && is_proven(report, Topic::Determinant)
}

fn matrix<'t>(z: Var<'t>, name: &str, rows: usize, columns: usize) -> Var<'t> {
    let start = (0..rows * columns).map(|k| 0.3 - 0.2 * (k % 4) as f64).collect();
    z.tape().parameter(name, Shape::Matrix(rows, columns), Init::Values(start))
}

fn vector<'t>(z: Var<'t>, name: &str, n: usize) -> Var<'t> {
    let start = (0..n).map(|k| 0.3 - 0.2 * (k % 4) as f64).collect();
    z.tape().parameter(name, Shape::Vector(n), Init::Values(start))
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
        written("divided by a Frobenius norm", 3, |z| {
            let (v, w) = (matrix(z, "v", 4, 3), matrix(z, "w", 3, 4));
            let (v, w) = (v / frobenius(v).max(1.0), w * (0.9 / w.norm().max(0.9)));
            z + w.matvec((v.matvec(z) + vector(z, "b", 4)).tanh())
        }),
        written("less than 1 for each value of the parameters", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z - (w / (1.0 + frobenius(w))).matvec(z).sin()
        }),
        written("by the largest row and the largest column", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let bound = (largest_row(w) * largest_row(w.transpose())).sqrt();
            z + (w * (0.8 / bound.max(1.0))).matvec(z.tanh())
        }),
        written("after the matrix", 4, |z| {
            let w = matrix(z, "w", 4, 4);
            let s = 0.7 * (1.0 / (1.0 + (w * w).sum()).sqrt()).min(1.0);
            s * w.matvec(z.asinh()) + vector(z, "b", 4) + z
        }),
        written("a planar flow", 3, |z| {
            let (u, w) = (vector(z, "u", 3), vector(z, "w", 3));
            let (u, w) = (u / (1.0 + u.norm()), w / (1.0 + w.norm()));
            z + (w.dot(z) + vector(z, "b", 1).at(0)).tanh() * u
        }),
        written("a rotation in between", 2, |z| {
            let t = vector(z, "angle", 1).at(0);
            let turn = stack([t.cos(), -t.sin(), t.sin(), t.cos()]).reshape(Shape::Matrix(2, 2));
            z + 0.9 * turn.matvec(z.softplus())
        }),
        written("Cayley and an exponential", 3, |z| {
            let (a, b) = (matrix(z, "a", 3, 3), matrix(z, "b", 3, 3));
            let (one, skew) = (z.tape().identity(3), a - a.transpose());
            let turn = (one + skew).inverse().matmul(one - skew);
            z + 0.5 * turn.matvec((b - b.transpose()).matrix_exp().matvec(z).tanh())
        }),
        written("reflections", 3, |z| {
            let v = concat([vector(z, "v", 2), z.tape().constant(1.0).reshape(Shape::Vector(1))]);
            let reflection = z.tape().identity(3) - (2.0 / v.dot(v)) * v.outer(v);
            z + 0.99 * reflection.matvec(z.cos())
        }),
        written("numbers", 3, |z| {
            // ‖·‖₂ = 0.96, and the Frobenius norm and √(‖·‖₁·‖·‖_∞) are above 1.
            let turn = z.tape().matrix(3, 3, &[0.576, -0.768, 0.0, 0.768, 0.576, 0.0, 0.0, 0.0, 0.96]);
            z + turn.matvec(z.tanh())
        }),
        written("a sigmoid's slope is at most a quarter", 2, |z| z + 3.9 * z.gather(&[1, 0]).sigmoid()),
        written("bounded factors", 2, |z| {
            let (a, b) = (z.gather(&[1, 0]).tanh(), z.sin());
            z + 0.49 * (a * b)
        }),
        written("element by element", 2, |z| {
            let (a, b) = (z.at(0), z.at(1));
            stack([a + 0.6 * (b + 0.1 * a.sin()).tanh(), b - 0.6 * a.cos()])
        }),
        written("choices, kinks and sums", 3, |z| {
            let w = matrix(z, "w", 1, 3);
            let least = (w.reshape(Shape::Vector(3)) / (1.0 + w.norm())).dot(z).abs().min(z.at(0));
            z + 0.4 * least
        }),
        written("a share for each parameter", 3, |z| z + vector(z, "s", 3).sigmoid() * z.sin()),
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
        written("divided by too little", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (w / frobenius(w).max(1.0)).matvec(1.01 * z.tanh())
        }),
        written("divided by a norm of another matrix", 3, |z| {
            let (w, v) = (matrix(z, "w", 3, 3), matrix(z, "v", 3, 3));
            z + (0.9 * w / frobenius(v).max(1.0)).matvec(z.tanh())
        }),
        written("a norm without an element", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let most = w.reshape(Shape::Vector(9)).slice(0..8);
            z + (0.9 * w / most.norm().max(1.0)).matvec(z.tanh())
        }),
        written("the largest element is no norm", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / w.abs().max_element().max(1.0)).matvec(z.tanh())
        }),
        written("the largest row alone is no norm", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / largest_row(w).max(1.0)).matvec(z.tanh())
        }),
        written("the largest row twice", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            let bound = (largest_row(w) * largest_row(w)).sqrt();
            z + (0.9 * w / bound.max(1.0)).matvec(z.tanh())
        }),
        written("a sum that is not of absolute values", 2, |z| {
            let w = matrix(z, "w", 2, 2);
            let ones = z.tape().constant(1.0).broadcast(Shape::Vector(2));
            let rows = (w.abs().matvec(ones) + -0.5).max_element();
            z + (0.9 * w / (rows * largest_row(w.transpose())).abs().sqrt().max(1.0)).matvec(z.tanh())
        }),
        written("the square of a norm", 3, |z| {
            // ‖W‖²: less than ‖W‖ where that is below 1.
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / (0.01 + (w * w).sum())).matvec(z.tanh())
        }),
        written("the smaller of the norm and a number", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / (1e-6 + frobenius(w).min(1e6))).matvec(z.tanh())
        }),
        written("less a number", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / (frobenius(w) - 0.5).max(0.1)).matvec(z.tanh())
        }),
        written("a slope of 1", 2, |z| z - z.softplus()),
        written("a slope of 1, in two steps", 2, |z| z - 0.5 * z.softplus().gather(&[1, 0]) * 2.0),
        written("a slope above 1", 2, |z| z + 0.9 * (1.2 * z.gather(&[1, 0])).tanh()),
        written("a sigmoid too steep", 2, |z| z - 4.001 * z.sigmoid()),
        written("half the identity", 2, |z| 0.5 * z - 0.6 * z.gather(&[1, 0]).tanh()),
        written("a variable twice", 2, |z| z.gather(&[0, 0]) + 0.5 * z.tanh()),
        written("the identity taken away", 2, |z| z - (z + 0.1 * z.gather(&[1, 0]).tanh())),
        written("context as a factor", 2, |z| z + 0.5 * z.tape().context(2) * z.gather(&[1, 0]).tanh()),
        written("a sum of three", 3, |z| {
            // √3 is the norm of the row (1, 1, 1).
            z + 0.6 * z.tanh().sum()
        }),
        written("an element that is read twice", 2, |z| z + 0.75 * z.gather(&[1, 1]).sin()),
        written("a product of what is not bounded", 2, |z| z + 0.1 * (z * z.gather(&[1, 0]).tanh())),
        written("a jump", 2, |z| {
            z + 0.1 * select(z.gather(&[1, 0]).gt(0.0), z.tape().constant(1.0).broadcast(z.shape()), -1.0)
        }),
        written("a sign", 2, |z| z - 0.1 * z.gather(&[1, 0]).sign()),
        written("an offset that is not defined for all parameters", 2, |z| {
            z + 0.5 * z.gather(&[1, 0]).tanh() + (1000.0 - vector(z, "b", 2)).sqrt()
        }),
        written("0/0 where the matrix is 0", 3, |z| {
            let w = matrix(z, "w", 3, 3);
            z + (0.9 * w / frobenius(w)).matvec(z.tanh())
        }),
        written("a matrix that may be stretched", 3, |z| {
            let a = matrix(z, "a", 3, 3);
            z + 0.5 * (a + a.transpose()).matrix_exp().matvec(z.tanh())
        }),
        written("a Cayley transform of another matrix", 3, |z| {
            let (a, b) = (matrix(z, "a", 3, 3), matrix(z, "b", 3, 3));
            let one = z.tape().identity(3);
            let turn = (one + a - a.transpose()).inverse().matmul(one - b + b.transpose());
            z + 0.5 * turn.matvec(z.tanh())
        }),
        written("a reflection that stretches", 3, |z| {
            let v = concat([vector(z, "v", 2), z.tape().constant(1.0).reshape(Shape::Vector(1))]);
            let stretched = z.tape().identity(3) + (2.0 / v.dot(v)) * v.outer(v);
            z + 0.5 * stretched.matvec(z.tanh())
        }),
        written("two parts that both reach the limit", 4, |z| {
            let turned = z.gather(&[3, 2, 1, 0]).sin();
            z + 0.8 * turned + 0.3 * z.gather(&[1, 0, 3, 2]).sin()
        }),
        written("a matrix that depends on z", 2, |z| {
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
