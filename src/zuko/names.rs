//! Which element of which tensor of a state dict is which element of which parameter.

use super::transform::Transform;
use crate::tape::Shape;

/// A parameter and its elements in a tensor of a state dict.
pub(super) struct Link {
    /// Our name.
    pub name: String,
    pub shape: Shape,
    /// The name in the state dict.
    pub tensor: String,
    /// Where each of our elements stands there.
    pub places: Vec<usize>,
}

/// The parameters of a transform, which is our layer of this number.
pub(super) fn links(
    transform: &Transform,
    number: usize,
    layer: usize,
    widths: &[(usize, usize)],
) -> Vec<Link> {
    let mut all = Vec::new();
    let last = widths.len() - 1;
    for (j, at) in transform.linear.iter().enumerate() {
        let (rows, columns) = widths[j];
        // The rows of the last map: number by number here, variable by variable there.
        let row = |k: usize| {
            let (number, variable) = (k / transform.transformed, k % transform.transformed);
            if j == last { variable * transform.numbers + transform.place_of(number) } else { k }
        };
        let tensor = |kind: &str| format!("transform.transforms.{number}.hyper.{at}.{kind}");
        let part = |from: usize, to: usize| {
            (0..rows).flat_map(|k| (from..to).map(move |column| row(k) * columns + column)).collect()
        };
        let own = columns - if j == 0 { transform.context } else { 0 };
        let mut link = |name: String, shape, tensor, places| all.push(Link { name, shape, tensor, places });
        link(
            format!("layers.{layer}.net.{j}.weight"),
            Shape::Matrix(rows, own),
            tensor("weight"),
            part(0, own),
        );
        if own < columns {
            let shape = Shape::Matrix(rows, columns - own);
            link(format!("layers.{layer}.net.context"), shape, tensor("weight"), part(own, columns));
        }
        link(
            format!("layers.{layer}.net.{j}.bias"),
            Shape::Vector(rows),
            tensor("bias"),
            (0..rows).map(row).collect(),
        );
    }
    all
}
