//! The first variable is stretched more on the right than on the left.
//! The second is stretched by a factor that the first chooses, and moved
//! along a step that the first takes.

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
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| number(z, name));
        let factor = (b * z1.tanh()).exp();
        let step = c * (d * z1).tanh();
        stack([z1 + a.exp() * z1.softplus(), z2 * factor + step])
    }

    /// Its name in model files.
    fn describe(&self) -> Option<Description> {
        Description::new("own", self)
    }
}
