//! Coefficients of explicit Runge-Kutta methods.
//!
//! A step of length h takes z to z + h Σ bᵢkᵢ with kᵢ = v(z + h Σ_{j<i} aᵢⱼkⱼ, t + cᵢh).
//!
//! Source: Hairer, Nørsett, Wanner, "Solving Ordinary Differential Equations I" (1993), sections II.1 and II.5; Dormand and
//! Prince, "A family of embedded Runge-Kutta formulae" (1980).

/// Coefficients of an explicit Runge-Kutta method.
#[derive(Debug)]
pub(crate) struct Tableau {
    /// The coefficients of each stage, of the stages before it.
    pub a: &'static [&'static [f64]],
    /// Those of the stages in the step.
    pub b: &'static [f64],
    /// The times of the stages, as parts of the step.
    pub c: &'static [f64],
}

/// z + h·v(z, t).
pub(crate) const EULER: Tableau = Tableau { a: &[&[]], b: &[1.0], c: &[0.0] };

/// The classical method of order 4.
pub(crate) const RUNGE_KUTTA_4: Tableau = Tableau {
    a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    c: &[0.0, 0.5, 0.5, 1.0],
};

/// The fifth-order solution of Dormand and Prince's method; the seventh stage is the first of the next step.
pub(crate) const DORMAND_PRINCE: Tableau = Tableau {
    a: &[
        &[],
        &[1.0 / 5.0],
        &[3.0 / 40.0, 9.0 / 40.0],
        &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
        &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
        &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
    ],
    b: &[35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0],
    c: &[0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0],
};

/// The fifth-order solution less the fourth-order one, by stage.
pub(crate) const DIFFERENCE: [f64; 7] =
    [71.0 / 57600.0, 0.0, -71.0 / 16695.0, 71.0 / 1920.0, -17253.0 / 339200.0, 22.0 / 525.0, -1.0 / 40.0];

#[cfg(test)]
mod tests {
    use super::*;

    /// The residuals of the conditions for order 1 to 5 (Hairer, Nørsett, Wanner, section II.2, table 2.2).
    fn residuals(tableau: &Tableau, b: &[f64]) -> Vec<(usize, f64)> {
        let (c, n) = (tableau.c, b.len());
        let a = |i: usize, j: usize| tableau.a[i].get(j).copied().unwrap_or(0.0);
        let each = |f: &dyn Fn(usize) -> f64| (0..n).map(|i| b[i] * f(i)).sum::<f64>();
        let inner = |i: usize, f: &dyn Fn(usize) -> f64| (0..n).map(|j| a(i, j) * f(j)).sum::<f64>();
        let ac = |i: usize| inner(i, &|j| c[j]);
        let aac = |i: usize| inner(i, &ac);
        let ac2 = |i: usize| inner(i, &|j| c[j] * c[j]);
        vec![
            (1, each(&|_| 1.0) - 1.0),
            (2, each(&|i| c[i]) - 1.0 / 2.0),
            (3, each(&|i| c[i] * c[i]) - 1.0 / 3.0),
            (3, each(&ac) - 1.0 / 6.0),
            (4, each(&|i| c[i].powi(3)) - 1.0 / 4.0),
            (4, each(&|i| c[i] * ac(i)) - 1.0 / 8.0),
            (4, each(&ac2) - 1.0 / 12.0),
            (4, each(&aac) - 1.0 / 24.0),
            (5, each(&|i| c[i].powi(4)) - 1.0 / 5.0),
            (5, each(&|i| c[i] * c[i] * ac(i)) - 1.0 / 10.0),
            (5, each(&|i| ac(i) * ac(i)) - 1.0 / 20.0),
            (5, each(&|i| c[i] * ac2(i)) - 1.0 / 15.0),
            (5, each(&|i| inner(i, &|j| c[j].powi(3))) - 1.0 / 20.0),
            (5, each(&|i| c[i] * aac(i)) - 1.0 / 30.0),
            (5, each(&|i| inner(i, &|j| c[j] * ac(j))) - 1.0 / 40.0),
            (5, each(&|i| inner(i, &ac2)) - 1.0 / 60.0),
            (5, each(&|i| inner(i, &aac)) - 1.0 / 120.0),
        ]
    }

    #[test]
    fn coefficients_satisfy_the_conditions_of_their_orders() {
        for (tableau, order) in [(&EULER, 1), (&RUNGE_KUTTA_4, 4), (&DORMAND_PRINCE, 5)] {
            for (i, row) in tableau.a.iter().enumerate() {
                assert!((row.iter().sum::<f64>() - tableau.c[i]).abs() < 1e-14);
            }
            let found = residuals(tableau, tableau.b);
            for (own, residual) in &found {
                assert!(*own > order || residual.abs() < 1e-14, "order {own}: {residual}");
            }
            let beyond = found.iter().filter(|(own, _)| *own == order + 1);
            assert!(order == 5 || beyond.clone().any(|(_, residual)| residual.abs() > 1e-3));
        }
    }

    #[test]
    fn the_other_solution_of_dormand_and_prince_has_order_four() {
        // With the seventh stage, which is evaluated at the end of the step.
        let mut a = DORMAND_PRINCE.a.to_vec();
        a.push(DORMAND_PRINCE.b);
        let c: Vec<f64> = DORMAND_PRINCE.c.iter().copied().chain([1.0]).collect();
        let b: Vec<f64> =
            DORMAND_PRINCE.b.iter().copied().chain([0.0]).zip(DIFFERENCE).map(|(b, d)| b - d).collect();
        let tableau = Tableau { a: a.leak(), b: DORMAND_PRINCE.b, c: c.leak() };
        let found = residuals(&tableau, &b);
        assert!(found.iter().all(|(order, residual)| *order > 4 || residual.abs() < 1e-14), "{found:?}");
        assert!(found.iter().any(|(order, residual)| *order == 5 && residual.abs() > 1e-5), "{found:?}");
    }
}
