//! Exercise 13.

use pushforward::prelude::*;

use pushforward_course::lessons::maximum_likelihood_is_forward_kl::judge;

use super::Told;

#[path = "../../../solutions/13_maximum_likelihood_is_forward_kl.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/13_maximum_likelihood_is_forward_kl.rs"]
mod start;

fn backward<'t>(p: [Var<'t>; 2], q: [Var<'t>; 2]) -> Var<'t> {
    solution::forward_kl(q, p)
}

fn nll<'t>([a, s]: [Var<'t>; 2], [b, t]: [Var<'t>; 2]) -> Var<'t> {
    t.ln() + (s.powi(2) + (a - b).powi(2)) / (2.0 * t.powi(2)) + 0.5 * (2.0 * std::f64::consts::PI).ln()
}

fn negative<'t>(p: [Var<'t>; 2], q: [Var<'t>; 2]) -> Var<'t> {
    -solution::forward_kl(p, q)
}

fn spread_forgotten<'t>([a, s]: [Var<'t>; 2], [b, t]: [Var<'t>; 2]) -> Var<'t> {
    t.ln() - s.ln() + (a - b).powi(2) / (2.0 * t.powi(2)) - 0.5
}

fn variances<'t>([a, s]: [Var<'t>; 2], [b, t]: [Var<'t>; 2]) -> Var<'t> {
    t.ln() - s.ln() + (s + (a - b).powi(2)) / (2.0 * t) - 0.5
}

/// The same in another form: with the ratio of the two deviations.
fn ratio<'t>([a, s]: [Var<'t>; 2], [b, t]: [Var<'t>; 2]) -> Var<'t> {
    let r = (s / t).powi(2);
    0.5 * (r - 1.0 - r.ln()) + 0.5 * ((a - b) / t).powi(2)
}

#[test]
fn exercise_13() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::forward_kl))
        .wrong("the backward one", || judge::judge(backward))
        .wrong("NLL, with the entropy in it", || judge::judge(nll))
        .wrong("the other sign", || judge::judge(negative))
        .wrong("the spread of p is forgotten", || judge::judge(spread_forgotten))
        .wrong("deviations taken for variances", || judge::judge(variances))
        .wrong("the half is left out", || judge::judge(|p, q| solution::forward_kl(p, q) + 0.5))
        .wrong("another formula from 30 on", || {
            judge::judge(|p, q| solution::forward_kl(p, q) + (p[0] - 30.0).max(0.0))
        })
        .wrong("wrong for narrow densities", || {
            judge::judge(|p, q| solution::forward_kl([p[0], p[1].max(1e-4)], q))
        })
        .right("with the ratio of the deviations", || judge::judge(ratio))
        .right("with precisions", || {
            judge::judge(|[a, s], [b, t]| {
                let (p, q) = (s.powi(-2), t.powi(-2));
                0.5 * (p.ln() - q.ln() + q / p + q * (b - a).powi(2) - 1.0)
            })
        })
        .solved(|| judge::judge(solution::forward_kl));
}
