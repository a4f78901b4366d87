//! Draws of base distributions in JAX.

use serde_json::Value;

use super::error::JaxError;
use super::package::Constants;
use crate::base::{Base, SCOPE};
use crate::tape::Shape;

/// The body of a Python function of `params`, `key` and `n` that draws n points of a base.
pub(super) fn body(base: &dyn Base, scope: &str, constants: &mut Constants) -> Result<String, JaxError> {
    let name = base.name();
    let refused = || JaxError::Operation {
        of: format!("the base {name}"),
        operation: "drawing from it".to_string(),
        advice: "use a standard normal, Student t, uniform, Laplace, logistic, Gumbel base or a Gaussian mixture",
    };
    let description = base.describe().ok_or_else(refused)?;
    let settings = &description.settings;
    let shape = format!("(n, {})", base.dim());
    // In (0, 1), so that logarithms are finite.
    let uniform = format!("jax.random.uniform(key, {shape}, minval=jnp.finfo(float).tiny)");
    Ok(match description.name.as_str() {
        "standard_normal" => format!("    return jax.random.normal(key, {shape})\n"),
        "student_t" => {
            let degrees = settings["degrees"].as_f64().ok_or_else(refused)?;
            format!("    return jax.random.t(key, {degrees:?}, {shape})\n")
        }
        "uniform" if settings["angles"] == Value::Bool(true) => {
            format!("    return jax.random.uniform(key, {shape}, minval=-jnp.pi, maxval=jnp.pi)\n")
        }
        "uniform" => format!("    return {uniform}\n"),
        "laplace" => format!("    return jax.random.laplace(key, {shape})\n"),
        "logistic" => format!("    return jax.random.logistic(key, {shape})\n"),
        "gumbel" => format!("    return jax.random.gumbel(key, {shape})\n"),
        "gaussian_mixture" => mixture(settings, scope, constants).ok_or_else(refused)?,
        _ => return Err(refused()),
    })
}

/// A component at random, and the z with W·(z - m) = ε of it.
fn mixture(settings: &Value, scope: &str, constants: &mut Constants) -> Option<String> {
    let numbers =
        |value: &Value| -> Option<Vec<f64>> { value.as_array()?.iter().map(Value::as_f64).collect() };
    let d = usize::try_from(settings["d"].as_u64()?).ok()?;
    let components = settings["components"].as_array()?;
    let count = components.len();
    let [weights, means, whitening, diagonals] = if settings["learned"] == Value::Bool(true) {
        let of = |name: &str| format!("params[\"{scope}{SCOPE}.{name}\"]");
        let each = |name: &str| {
            let parts: Vec<String> = (0..count).map(|k| of(&format!("{name}.{k}"))).collect();
            format!("jnp.stack([{}])", parts.join(", "))
        };
        [of("log_weights"), of("means"), each("whitening"), each("log_diagonal")]
    } else {
        let all = |field: &str| -> Option<Vec<f64>> {
            let parts: Option<Vec<Vec<f64>>> = components.iter().map(|one| numbers(&one[field])).collect();
            Some(parts?.concat())
        };
        let mut constant =
            |values: &[f64], shape| format!("CONSTANTS[{:?}]", constants.numbers(values, shape));
        [
            constant(&numbers(&settings["log_weights"])?, Shape::Vector(count)),
            constant(&all("mean")?, Shape::Matrix(count, d)),
            format!("{}.reshape({count}, {d}, {d})", constant(&all("below")?, Shape::Matrix(count * d, d))),
            constant(&all("log_diagonal")?, Shape::Matrix(count, d)),
        ]
    };
    Some(format!(
        "    which, white = jax.random.split(key)\n    \
         k = jax.random.categorical(which, jnp.asarray({weights}), shape=(n,))\n    \
         whitening = jnp.tril(jnp.asarray({whitening}), -1) + jax.vmap(jnp.diag)(jnp.exp({diagonals}))\n    \
         solve = lambda w, e: jax.scipy.linalg.solve_triangular(w, e, lower=True)\n    \
         return jnp.asarray({means})[k] + jax.vmap(solve)(whitening[k], jax.random.normal(white, (n, {d})))\n"
    ))
}
