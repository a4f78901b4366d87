//! f_1(z) = 3z, then f_2(y) = y + y³, then f_3(y) = sinh y. Write the three terms of ln|df/dz|.
//!
//!     cargo run --release -- check 6

use pushforward::prelude::*;

pub fn terms(z: Var<'_>) -> [Var<'_>; 3] {
    let three = z.tape().constant(3.0);
    let y = 3.0 * z;
    let w = y + y.powi(3);
    [three.ln(), (1.0 + 3.0 * y.powi(2)).ln(), w.cosh().ln()]
}
