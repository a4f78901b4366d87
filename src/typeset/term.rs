//! Terms: one level of a formula, between the operations of a tape and the notations.
//!
//! The walk turns a node into a [`Term`] whose parts are written already, and each notation writes the term: three
//! exhaustive matches. So a formula grows from its leaves upwards without recursion, and rearrangements (a + (-b)
//! into a - b, a·(1/b) into a/b) are decided here, once for all notations.

use super::function::Function;
use super::piece::{Binding, Fence, Height, Piece};
use super::{latex, mathml, text};

/// ½·ln 2π
const LN_SQRT_TAU: f64 = 0.918_938_533_204_672_7;

/// Maximum number of cases of a choice.
const CASES: usize = 12;

/// The semantic role of a formula, beside its notation.
#[derive(Clone, Debug)]
enum Role {
    Plain,
    /// -a, with a.
    Negative(Box<Written>),
    /// 1/a, with a.
    Reciprocal(Box<Written>),
    /// The term whose opposite this is, without a sign before it.
    Opposite(Box<Written>),
    /// The logarithm of this.
    Logarithm(Box<Written>),
    /// A condition.
    Condition,
    /// A choice, by its cases: pairs of value and condition, and the value otherwise.
    Choice(Vec<(Written, Written)>, Box<Written>),
}

/// A formula, or a part of one, in every notation.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(super) text: Piece,
    pub(super) latex: Piece,
    pub(super) mathml: Piece,
    role: Role,
    /// It contains a Σ or a ∏, whose index is bound in it.
    sums: bool,
    /// The depth of nested indices: 2 for `(h₁)₂`.
    indices: usize,
    /// It is a product with a matrix, which elementwise products must not split.
    mixes: bool,
    /// It is a product with a number.
    scaled: bool,
}

/// Which sign a product takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// Of numbers, or of a number with anything.
    Scalar,
    /// Element by element.
    Elementwise,
    /// With a matrix.
    Matrix,
}

impl Product {
    /// How tightly a factor must bind to stand without brackets, and how tightly the product binds.
    pub(super) fn binding(self) -> Binding {
        if self == Product::Matrix { Binding::Matrix } else { Binding::Product }
    }

    /// Whether a factor takes brackets, with its piece in the notation at hand.
    pub(super) fn brackets(self, factor: &Written, piece: &Piece, first: bool) -> bool {
        // a⊙(W·b) and a⊙(c·b): from the left they would read (a⊙W)·b and (a⊙c)·b.
        let apart = self == Product::Elementwise && (factor.mixes || (!first && factor.scaled));
        apart || (first && piece.open) || piece.binding < self.binding()
    }
}

/// Elements of a vector or a matrix, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Positions {
    /// Of a vector.
    Items(Vec<u32>),
    /// Rows and columns of a matrix; `None` stands for all of them.
    Block(Option<Vec<u32>>, Option<Vec<u32>>),
    /// Of the diagonal of a matrix; `None` stands for all of it.
    Diagonal(Option<Vec<u32>>),
    /// Single elements of a matrix, as rows and columns.
    Pairs(Vec<(u32, u32)>),
}

/// One level of a formula.
#[derive(Clone, Debug)]
pub(crate) enum Term<'a> {
    /// A name, written as in the program: `net.0.weight`.
    Word(&'a str),
    /// A number that is not negative.
    Number(f64),
    /// -a
    Negative(&'a Written),
    /// a + b; a sign before b takes the place of the plus.
    Plus(&'a Written, &'a Written),
    /// a - b
    Minus(&'a Written, &'a Written),
    /// a·b
    Times(Product, &'a Written, &'a Written),
    /// a/b
    Over(&'a Written, &'a Written),
    /// aᵏ
    Power(&'a Written, i32),
    /// aᵇ
    PowerOf(&'a Written, &'a Written),
    /// eᵃ
    Exponential(&'a Written),
    /// f(a, b)
    Call(&'a Function, Vec<&'a Written>),
    /// √a
    Root(&'a Written),
    /// |a|
    Bars(&'a Written),
    /// det a
    Determinant(&'a Written),
    /// a and b with a sign of relation between them: =, <, ≤
    Relation(&'a Written, char, &'a Written),
    /// The first of these for which a condition holds, as pairs of both, else b
    Choice { cases: Vec<(&'a Written, &'a Written)>, otherwise: &'a Written },
    /// Σ or ∏ of a over these indices, which a carries.
    Total { sign: char, over: &'a str, body: &'a Written },
    /// An element, by its indices from 0.
    Element(&'a Written, Vec<usize>),
    /// The element whose indices are letters.
    Index(&'a Written, &'a str),
    /// Several elements.
    Part(&'a Written, &'a Positions),
    /// (a, b)
    List(Vec<&'a Written>),
    /// A matrix: how many columns, and its entries row by row.
    Table(usize, Vec<&'a Written>),
    /// aᵀ
    Transposed(&'a Written),
    /// a⁻¹ of a matrix
    Inverse(&'a Written),
}

impl Term<'_> {
    fn parts(&self) -> Vec<&Written> {
        match self {
            Term::Word(_) | Term::Number(_) => Vec::new(),
            Term::Negative(a) | Term::Power(a, _) | Term::Exponential(a) | Term::Root(a) => vec![a],
            Term::Bars(a) | Term::Determinant(a) | Term::Transposed(a) | Term::Inverse(a) => vec![a],
            Term::Element(a, _) | Term::Index(a, _) | Term::Part(a, _) => vec![a],
            Term::Total { body, .. } => vec![body],
            Term::Plus(a, b) | Term::Minus(a, b) | Term::Times(_, a, b) | Term::Over(a, b) => vec![a, b],
            Term::PowerOf(a, b) | Term::Relation(a, _, b) => vec![a, b],
            Term::Choice { cases, otherwise } => {
                cases.iter().flat_map(|(then, condition)| [*then, *condition]).chain([*otherwise]).collect()
            }
            Term::Call(_, parts) | Term::List(parts) | Term::Table(_, parts) => parts.clone(),
        }
    }
}

impl Written {
    /// A term in every notation.
    pub(crate) fn of(term: &Term<'_>) -> Written {
        let role = match term {
            Term::Relation(_, '<' | '≤' | '∧' | '∨', _) => Role::Condition,
            _ => Role::Plain,
        };
        let parts = term.parts();
        let sums = matches!(term, Term::Total { .. }) || parts.iter().any(|part| part.sums);
        let own = usize::from(matches!(term, Term::Element(..) | Term::Index(..) | Term::Part(..)));
        let indices = own + parts.iter().map(|part| part.indices).max().unwrap_or(0);
        let (text, latex, mathml) = (text::write(term), latex::write(term), mathml::write(term));
        let mixes = match term {
            Term::Times(Product::Matrix, ..) => true,
            Term::Times(Product::Scalar, a, b) => a.mixes || b.mixes,
            _ => false,
        };
        let scaled = matches!(term, Term::Times(Product::Scalar, ..));
        Written { text, latex, mathml, role, sums, indices, mixes, scaled }
    }

    pub(super) fn from_pieces(text: Piece, latex: Piece, mathml: Piece) -> Written {
        let indices = usize::from(latex.string.contains('_'));
        Written { text, latex, mathml, role: Role::Plain, sums: false, indices, mixes: false, scaled: false }
    }

    /// The number of characters as text.
    pub(crate) fn width(&self) -> usize {
        self.text.width
    }

    /// The formula as text.
    pub(crate) fn text(&self) -> &str {
        &self.text.string
    }

    /// Whether it is a product with a matrix.
    pub(super) fn mixes(&self) -> bool {
        self.mixes
    }

    /// Whether an index is bound in it.
    pub(crate) fn sums(&self) -> bool {
        self.sums
    }

    /// Whether it is small enough to stand in the exponent of e.
    pub(super) fn fits_exponent(&self) -> bool {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let is_word = self.text.width > 3 && self.text.string.chars().all(word);
        self.text.width <= 10 && self.indices <= 1 && self.latex.height == Height::Line && !is_word
    }

    /// Whether it holds or does not.
    pub(crate) fn is_condition(&self) -> bool {
        matches!(self.role, Role::Condition)
    }

    /// Removes the role, so that roles do not accumulate.
    fn plain(&self) -> Box<Written> {
        Box::new(Written { role: Role::Plain, ..self.clone() })
    }

    /// A number, with its sign; those that have a name are written by it.
    pub(crate) fn number(value: f64) -> Written {
        use std::f64::consts::{FRAC_2_SQRT_PI, PI, TAU};
        if value.is_sign_negative() {
            return Written::number(-value).negative();
        }
        let pi = || Written::typed("π");
        let two = Written::of(&Term::Number(2.0));
        match value {
            PI => pi(),
            TAU => two.times(Product::Scalar, &pi()),
            LN_SQRT_TAU => {
                let log = Written::of(&Term::Call(
                    &Function::named("ln"),
                    vec![&two.times(Product::Scalar, &pi())],
                ));
                log.over(&two)
            }
            FRAC_2_SQRT_PI => two.over(&Written::of(&Term::Root(&pi()))),
            _ => Written::of(&Term::Number(value)),
        }
    }

    /// -a
    pub(crate) fn negative(&self) -> Written {
        if let Role::Opposite(opposite) | Role::Negative(opposite) = &self.role {
            return (**opposite).clone();
        }
        Written { role: Role::Negative(self.plain()), ..Written::of(&Term::Negative(self)) }
    }

    /// a + b, and a - c where b is -c.
    pub(crate) fn plus(&self, other: &Written) -> Written {
        match &other.role {
            Role::Negative(positive) => Written::of(&Term::Minus(self, positive)),
            _ => Written::of(&Term::Plus(self, other)),
        }
    }

    /// a - b, and a + c where b is -c.
    pub(crate) fn minus(&self, other: &Written) -> Written {
        match &other.role {
            Role::Negative(positive) => Written::of(&Term::Plus(self, positive)),
            _ => Written::of(&Term::Minus(self, other)),
        }
    }

    /// a·b; a sign of the left factor comes first, and a factor 1/c goes below.
    pub(crate) fn times(&self, kind: Product, other: &Written) -> Written {
        if let Role::Negative(positive) = &self.role {
            return positive.times(kind, other).negative();
        }
        match (&self.role, &other.role) {
            (_, Role::Reciprocal(under)) => self.over(under),
            (Role::Reciprocal(under), _) if !matches!(other.role, Role::Negative(_)) => other.over(under),
            _ => Written::of(&Term::Times(kind, self, other)),
        }
    }

    /// a/b
    pub(crate) fn over(&self, other: &Written) -> Written {
        match &self.role {
            Role::Negative(positive) => positive.over(other).negative(),
            _ => Written::of(&Term::Over(self, other)),
        }
    }

    /// 1/a
    pub(crate) fn reciprocal(&self) -> Written {
        let one = Written::of(&Term::Number(1.0));
        Written { role: Role::Reciprocal(self.plain()), ..Written::of(&Term::Over(&one, self)) }
    }

    /// eᵃ - 1, whose opposite is 1 - eᵃ.
    pub(crate) fn exponential_less_one(&self) -> Written {
        let one = Written::of(&Term::Number(1.0));
        let power = Written::of(&Term::Exponential(self));
        Written { role: Role::Opposite(one.minus(&power).plain()), ..power.minus(&one) }
    }

    /// ln(eᵃ + eᵇ), where e to the power of such a logarithm is the sum inside of it.
    pub(crate) fn log_add_exp(&self, other: &Written) -> Written {
        let power = |of: &Written| match &of.role {
            Role::Logarithm(inside) => (**inside).clone(),
            _ => Written::of(&Term::Exponential(of)),
        };
        let sum = power(self).plus(&power(other));
        let log = Written::of(&Term::Call(&Function::named("ln"), vec![&sum]));
        Written { role: Role::Logarithm(sum.plain()), ..log }
    }

    /// ln(1 + a)
    pub(crate) fn log_one_plus(&self) -> Written {
        let sum = Written::of(&Term::Number(1.0)).plus(self);
        Written::of(&Term::Call(&Function::named("ln"), vec![&sum]))
    }

    /// a = b
    pub(crate) fn equals(&self, other: &Written) -> Written {
        Written::of(&Term::Relation(self, '=', other))
    }

    /// a where a condition holds, else b; a choice in the place of b adds its cases.
    pub(crate) fn choice(&self, condition: &Written, otherwise: &Written) -> Written {
        let mut cases = vec![(*self.plain(), *condition.plain())];
        let last = match &otherwise.role {
            Role::Choice(more, last) if more.len() < CASES => {
                cases.extend(more.iter().cloned());
                last.clone()
            }
            _ => otherwise.plain(),
        };
        let parts = cases.iter().map(|(then, condition)| (then, condition)).collect();
        let written = Written::of(&Term::Choice { cases: parts, otherwise: &last });
        Written { role: Role::Choice(cases, last), ..written }
    }

    /// ln|a|
    pub(crate) fn log_abs(&self) -> Written {
        let barred = self.text.fence == Fence::Bars;
        let bars = if barred { self.clone() } else { Written::of(&Term::Bars(self)) };
        Written::of(&Term::Call(&Function::named("ln"), vec![&bars]))
    }

    /// ∂x/∂z
    pub(crate) fn partial(&self, by: &Written) -> Written {
        let curly = |of: &Written| Written::from_pieces(text::curly(of), latex::curly(of), mathml::curly(of));
        Written::of(&Term::Over(&curly(self), &curly(by)))
    }

    /// Element i, counted from 0.
    pub(crate) fn element(&self, i: usize) -> Written {
        Written::of(&Term::Element(self, vec![i]))
    }
}
