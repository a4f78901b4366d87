//! Pieces: a part of a formula in one notation, with what determines brackets, signs and line breaks.

/// How tightly the outermost operation binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    /// a = b, a < b
    Relation,
    /// a + b
    Sum,
    /// a·b
    Product,
    /// A·b with a matrix: the order of its products does not matter.
    Matrix,
    /// aᵇ, and a fraction that is set as one
    Power,
    /// A name, a number, something in brackets.
    Atom,
}

/// What a piece begins with: it determines whether a factor may precede it without a multiplication sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Letter,
    Digit,
    Bracket,
}

/// What encloses a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fence {
    None,
    /// |a|
    Bars,
    /// The brackets of a matrix.
    Table,
}

/// The height of a piece, which determines the size of its brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Height {
    Line,
    Fraction,
    Nested,
    Table,
}

/// A part of a formula in one notation.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) string: String,
    pub(super) binding: Binding,
    /// How many characters wide it is, about.
    pub(super) width: usize,
    pub(super) starts: Start,
    pub(super) height: Height,
    /// Another subscript cannot follow: it would read as part of this one.
    pub(super) subscripted: bool,
    /// It ends in a Σ or a ∏, whose scope would include a factor that follows.
    pub(super) open: bool,
    /// Delimiters of its own, which a function can use instead of brackets.
    pub(super) fence: Fence,
    /// It is one element and needs none around it (in MathML).
    pub(super) single: bool,
    /// Where a line may end.
    pub(super) breaks: Vec<Break>,
}

/// A place in a string where a line may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// The place.
    pub(crate) at: usize,
    /// About how many characters come before it.
    pub(crate) before: usize,
    /// Between the factors of a product, which is worse than between the terms of a sum.
    pub(crate) in_product: bool,
}

impl Piece {
    pub(super) fn new(string: impl Into<String>, binding: Binding, width: usize) -> Piece {
        Piece {
            string: string.into(),
            binding,
            width,
            starts: Start::Letter,
            height: Height::Line,
            subscripted: false,
            open: false,
            fence: Fence::None,
            single: true,
            breaks: Vec::new(),
        }
    }

    pub(super) fn starting(self, starts: Start) -> Piece {
        Piece { starts, ..self }
    }

    pub(super) fn tall(self, height: Height) -> Piece {
        Piece { height, ..self }
    }
}

impl Break {
    /// Returns the place shifted by so many bytes and characters.
    pub(crate) fn after(self, bytes: usize, characters: usize) -> Break {
        Break { at: self.at + bytes, before: self.before + characters, ..self }
    }
}
