//! Write the masks of a network with three inputs, hidden units of the degrees 1, 1, 2, 2, and three outputs:
//! output i is to see the inputs before i, all of them and nothing else.
//!
//!     cargo run --release -- check 12

/// Which inputs each hidden unit sees, and which hidden units each output sees: 1 sees, 0 does not.
pub fn masks() -> ([[f64; 3]; 4], [[f64; 4]; 3]) {
    // todo: as it stands everything sees everything.
    let hidden = [
        [1.0, 1.0, 1.0], // degree 1
        [1.0, 1.0, 1.0], // degree 1
        [1.0, 1.0, 1.0], // degree 2
        [1.0, 1.0, 1.0], // degree 2
    ];
    let outputs = [
        [1.0, 1.0, 1.0, 1.0], // output 1
        [1.0, 1.0, 1.0, 1.0], // output 2
        [1.0, 1.0, 1.0, 1.0], // output 3
    ];
    (hidden, outputs)
}
