//! The inputs recovered so far, and the nodes that hold them.

use crate::tape::Var;

/// A node, and the input that each of its elements is.
pub(super) type Piece<'t> = (Var<'t>, Vec<usize>);

pub(super) struct Recovered<'t> {
    pieces: Vec<Piece<'t>>,
    /// The label of each input.
    labels: Vec<u32>,
    /// For each input the last piece that holds it, and its position there.
    found: Vec<Vec<(usize, usize)>>,
    /// By label: the number of its inputs that are missing.
    left: Vec<u32>,
    /// The first label of which an input is missing.
    first: usize,
}

impl<'t> Recovered<'t> {
    pub(super) fn new(labels: &[u32]) -> Recovered<'t> {
        let mut left = vec![0; labels.iter().max().map_or(0, |label| *label as usize + 1)];
        labels.iter().for_each(|label| left[*label as usize] += 1);
        let found = vec![Vec::new(); labels.len()];
        Recovered { pieces: Vec::new(), labels: labels.to_vec(), found, left, first: 0 }
    }

    pub(super) fn label(&self, input: usize) -> u32 {
        self.labels[input]
    }

    pub(super) fn holds(&self, input: usize) -> bool {
        !self.found[input].is_empty()
    }

    pub(super) fn push(&mut self, piece: Piece<'t>) {
        for (place, input) in piece.1.iter().enumerate() {
            if !self.holds(*input) {
                self.left[self.labels[*input] as usize] -= 1;
            }
            self.found[*input].push((self.pieces.len(), place));
        }
        while self.left.get(self.first) == Some(&0) {
            self.first += 1;
        }
        self.pieces.push(piece);
    }

    /// Removes the last piece.
    pub(super) fn pop(&mut self) {
        for input in self.pieces.pop().into_iter().flat_map(|(_, inputs)| inputs) {
            self.found[input].pop();
            if !self.holds(input) {
                let label = self.labels[input] as usize;
                self.left[label] += 1;
                self.first = self.first.min(label);
            }
        }
    }

    /// The first label of which an input is missing: all inputs of the labels before it are recovered.
    pub(super) fn first_missing_label(&self) -> u32 {
        self.first as u32
    }

    /// Whether all inputs of a label are recovered.
    pub(super) fn is_complete(&self, label: u32) -> bool {
        self.left[label as usize] == 0
    }

    /// Returns an input that is missing.
    pub(super) fn missing(&self) -> Option<usize> {
        (0..self.found.len()).find(|input| !self.holds(*input))
    }

    /// Returns the piece that holds all of these inputs, and their positions in it.
    pub(super) fn together(&self, inputs: &[u32]) -> Option<(Var<'t>, Vec<usize>)> {
        let (piece, _) = *self.found[*inputs.first()? as usize].last()?;
        let place = |input: &u32| {
            let (of, place) = *self.found[*input as usize].last()?;
            (of == piece).then_some(place)
        };
        let places = inputs.iter().map(place).collect::<Option<Vec<_>>>()?;
        Some((self.pieces[piece].0, places))
    }

    /// Returns the pieces, the position of each input among their concatenated elements, with the missing ones at the
    /// end, and the number of missing ones.
    pub(super) fn parts(&self) -> (Vec<Var<'t>>, Vec<usize>, usize) {
        let mut starts = Vec::with_capacity(self.pieces.len());
        let mut next = 0;
        for (_, inputs) in &self.pieces {
            starts.push(next);
            next += inputs.len();
        }
        let mut missing = 0;
        let place = |found: &Vec<(usize, usize)>| match found.last() {
            Some((piece, place)) => starts[*piece] + place,
            None => {
                missing += 1;
                next + missing - 1
            }
        };
        let places = self.found.iter().map(place).collect();
        (self.pieces.iter().map(|(value, _)| *value).collect(), places, missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::{Shape, Tape};

    #[test]
    fn what_is_taken_back_is_missing_again() {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(2));
        let mut recovered = Recovered::new(&[0, 1]);
        recovered.push((z.at(0), vec![0]));
        assert_eq!((recovered.first_missing_label(), recovered.missing()), (1, Some(1)));
        recovered.push((z, vec![1, 0]));
        assert_eq!((recovered.first_missing_label(), recovered.missing()), (2, None));
        recovered.pop();
        assert_eq!((recovered.first_missing_label(), recovered.missing()), (1, Some(1)));
        let (piece, places) = recovered.together(&[0]).unwrap();
        assert_eq!((piece.id(), places), (z.at(0).id(), vec![0]));
        recovered.pop();
        assert_eq!((recovered.first_missing_label(), recovered.missing()), (0, Some(0)));
        assert!(!recovered.is_complete(0) && recovered.together(&[0]).is_none());
    }
}
