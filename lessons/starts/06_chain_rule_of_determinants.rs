//! f_1(z) = 3z, then f_2(y) = y + y³, then f_3(y) = sinh y. Write the three terms of ln|df/dz|.
//!
//!     cargo run --release -- check 6

use pushforward::prelude::*;

pub fn terms(z: Var<'_>) -> [Var<'_>; 3] {
    let three = z.tape().constant(3.0);
    [
        three.ln(),
        (1.0 + 3.0 * z.powi(2)).ln(), // todo: is this taken where f_2 stands?
        z.cosh().ln(),                // todo: and this?
    ]
}
