//! Make this layer what it says it is: lower triangular. x[1] is to depend on z[0] still, and x[2] on all three.
//!
//!     cargo run --release -- check 7

use pushforward::prelude::*;

pub struct Looking;

impl Bijection for Looking {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z0, z1, z2) = (z.at(0), z.at(1), z.at(2));
        let x0 = z0 * z2.tanh().exp(); // todo: x[0] may look at z[0] only
        let x1 = z1 * z0.sin().exp() + z0;
        let x2 = z2 * (z0 * z1).tanh().exp() + z1;
        stack([x0, x1, x2])
    }
}
