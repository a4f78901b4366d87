//! The first variable stays as it is. The second is stretched by a factor between 1/2 and 2 that the first chooses, and
//! moved by a learned parabola in the first.

use pushforward::bijection::Description;
use pushforward::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Own;

/// A learned number.
fn number<'t>(z: Var<'t>, name: &str) -> Var<'t> {
    z.tape().parameter(name, Shape::Scalar, Init::Constant(0.1))
}

impl Bijection for Own {
    fn dim(&self) -> usize {
        2
    }

    /// The prediction: x[0] depends on z[0] alone.
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|name| number(z, name));
        let factor = (2.0f64.ln() * (a + b * z1).tanh()).exp();
        let parabola = c + d * z1 + e * z1.powi(2);
        stack([z1, z2 * factor + parabola])
    }

    /// Its name in model files.
    fn describe(&self) -> Option<Description> {
        Description::new("own", self)
    }
}
