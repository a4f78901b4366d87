//! Formulas as Unicode text.
//!
//! One line each: quotients with a slash, indices from 1 below the line, as `(h₁)₂,₁`; several elements in
//! brackets, `z[1‥2]`; a matrix by rows, `[1, 0; 0, 1]`.

use super::piece::{Binding, Fence, Height, Piece, Start};
use super::term::{Positions, Product, Term, Written};

/// A term as text.
pub(super) fn write(term: &Term<'_>) -> Piece {
    use Binding::{Atom, Power, Product as Factor, Relation, Sum};
    match term {
        Term::Word(name) => Piece { subscripted: false, ..piece(*name, Atom) },
        Term::Number(value) => piece(number(*value), Atom),
        Term::Negative(a) => piece(format!("-{}", within(a, Factor)), Sum),
        Term::Plus(a, b) => {
            let right = within(b, Sum);
            let (sign, right) = right.strip_prefix('-').map_or(('+', right.as_str()), |rest| ('-', rest));
            piece(format!("{} {sign} {right}", within(a, Sum)), Sum)
        }
        Term::Minus(a, b) => piece(format!("{} - {}", within(a, Sum), within(b, Factor)), Sum),
        Term::Times(kind, a, b) => {
            let sign = if *kind == Product::Elementwise { '⊙' } else { '·' };
            let factor = |part: &Written, first: bool| match kind.brackets(part, &part.text, first) {
                true => format!("({})", part.text.string),
                false => part.text.string.clone(),
            };
            let open = b.text.open && !kind.brackets(b, &b.text, false);
            let string = format!("{}{sign}{}", factor(a, true), factor(b, false));
            Piece { open, ..piece(string, kind.binding()) }
        }
        Term::Over(a, b) if a.mixes() => piece(format!("({})/{}", a.text.string, within(b, Power)), Factor),
        Term::Over(a, b) => piece(format!("{}/{}", left(a, Factor), within(b, Power)), Factor),
        Term::Power(a, exponent) => piece(format!("{}{}", within(a, Atom), superscript(*exponent)), Power),
        Term::PowerOf(a, b) => piece(format!("{}^{}", within(a, Atom), within(b, Atom)), Power),
        Term::Exponential(a) => piece(format!("exp({})", a.text.string), Atom),
        Term::Call(function, arguments) => match arguments.as_slice() {
            [only] if function.takes(&only.text) => {
                piece(format!("{}{}", function.text, only.text.string), Atom)
            }
            _ => piece(format!("{}({})", function.text, list(arguments)), Atom),
        },
        Term::Root(a) => piece(format!("√{}", within(a, Atom)), Power),
        Term::Bars(a) => Piece { fence: Fence::Bars, ..piece(format!("|{}|", a.text.string), Atom) },
        Term::Determinant(a) => piece(format!("det {}", within(a, Power)), Factor),
        Term::Relation(a, sign, b) => {
            // An equation goes on: a = b = c.
            let needed = if *sign == '=' { Relation } else { Sum };
            piece(format!("{} {sign} {}", within(a, needed), within(b, Sum)), Relation)
        }
        Term::Choice { cases, otherwise } => {
            let case = |(a, c): &(&Written, &Written)| format!("{} if {}, ", a.text.string, c.text.string);
            let cases: String = cases.iter().map(case).collect();
            piece(format!("{{{cases}else {}}}", otherwise.text.string), Atom)
        }
        Term::Total { sign, over, body } => {
            let string = match *over {
                "" => format!("{sign} {}", within(body, Power)),
                over => format!("{sign}{} {}", letters_below(over), within(body, Factor)),
            };
            Piece { open: true, ..piece(string, Factor) }
        }
        Term::Element(a, indices) => {
            let indices: Vec<String> = indices.iter().map(|index| subscript(index + 1)).collect();
            below(a, &indices.join(","))
        }
        Term::Index(a, letters) => below(a, &letters_below(letters)),
        Term::Part(a, positions) => {
            let places = picked(positions, "‥");
            // A list has its own brackets, and so has a block that begins with one, though not around the whole.
            let list = !matches!(positions, Positions::Block(..)) && places.starts_with('[');
            let places = if list { places } else { format!("[{places}]") };
            piece(format!("{}{places}", within(a, Atom)), Atom)
        }
        Term::List(parts) => piece(format!("({})", list(parts)), Atom).starting(Start::Bracket),
        Term::Table(columns, entries) => {
            let rows: Vec<String> = entries.chunks((*columns).max(1)).map(list).collect();
            piece(format!("[{}]", rows.join("; ")), Atom).tall(Height::Table)
        }
        Term::Transposed(a) => piece(format!("{}ᵀ", within(a, Atom)), Power),
        Term::Inverse(a) => piece(format!("{}⁻¹", within(a, Atom)), Power),
    }
}

/// ∂a in a derivative.
pub(super) fn curly(a: &Written) -> Piece {
    piece(format!("∂{}", within(a, Binding::Atom)), Binding::Atom)
}

fn piece(string: impl Into<String>, binding: Binding) -> Piece {
    let string = string.into();
    let width = string.chars().count();
    let below = |c: char| ('\u{2080}'..='\u{209c}').contains(&c) || "ᵢⱼₖ".contains(c);
    let subscripted = string.ends_with(below) || string.chars().rev().nth(1) == Some('_');
    Piece { subscripted, ..Piece::new(string, binding, width) }
}

/// Puts brackets around a part that binds less tightly than needed.
fn within(part: &Written, needed: Binding) -> String {
    let Piece { string, binding, .. } = &part.text;
    if *binding < needed { format!("({string})") } else { string.clone() }
}

/// As [`within`], for a factor that is followed by something.
fn left(part: &Written, needed: Binding) -> String {
    if part.text.open { format!("({})", part.text.string) } else { within(part, needed) }
}

fn list(parts: &[&Written]) -> String {
    parts.iter().map(|part| part.text.string.as_str()).collect::<Vec<_>>().join(", ")
}

/// `h₁` ends in a subscript: a second one would read as one number with it.
fn below(a: &Written, index: &str) -> Piece {
    let name = if a.text.subscripted { format!("({})", a.text.string) } else { within(a, Binding::Atom) };
    piece(format!("{name}{index}"), Binding::Atom)
}

/// Writes the shortest digits that round-trip, with a power of ten where they would be many.
pub(crate) fn number(value: f64) -> String {
    if value != 0.0 && !(1e-5..1e16).contains(&value) { format!("{value:e}") } else { format!("{value}") }
}

/// Digits below the line: `12` as `₁₂`.
pub(crate) fn subscript(number: usize) -> String {
    number
        .to_string()
        .bytes()
        .map(|digit| char::from_u32(0x2080 + u32::from(digit - b'0')).unwrap())
        .collect()
}

/// Digits above the line: `-12` as `⁻¹²`.
pub(crate) fn superscript(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    number.to_string().bytes().map(|c| if c == b'-' { '⁻' } else { DIGITS[usize::from(c - b'0')] }).collect()
}

fn letters_below(letters: &str) -> String {
    letters
        .chars()
        .map(|letter| match letter {
            'i' => "ᵢ".to_string(),
            'j' => "ⱼ".to_string(),
            'k' => "ₖ".to_string(),
            other => format!("_{other}"),
        })
        .collect()
}

/// Writes the indices of elements of a vector, or rows and columns of a matrix; `to` joins ranges, lists are in
/// brackets.
pub(crate) fn picked(positions: &Positions, to: &str) -> String {
    match positions {
        Positions::Items(items) | Positions::Diagonal(Some(items)) => run(items, to),
        Positions::Diagonal(None) => ":".to_string(),
        Positions::Block(rows, columns) => {
            let side = |side: &Option<Vec<u32>>| side.as_ref().map_or(":".to_string(), |list| run(list, to));
            format!("{}, {}", side(rows), side(columns))
        }
        Positions::Pairs(pairs) => {
            let each = |(row, column): &(u32, u32)| format!("({},{})", row + 1, column + 1);
            listed(pairs.iter().map(each), pairs.len())
        }
    }
}

/// Writes positions from 1: a single one, a range, an arithmetic progression, or a list.
fn run(items: &[u32], to: &str) -> String {
    let step = |pair: &[u32]| i64::from(pair[1]) - i64::from(pair[0]);
    let even = items.len() > 6 && items.windows(2).all(|pair| step(pair) == step(items));
    match items {
        [only] => (only + 1).to_string(),
        [first, .., last] if items.windows(2).all(|pair| step(pair) == 1) => {
            format!("{}{to}{}", first + 1, last + 1)
        }
        [first, second, .., last] if even => format!("[{}, {}, …, {}]", first + 1, second + 1, last + 1),
        _ => listed(items.iter().map(|item| (item + 1).to_string()), items.len()),
    }
}

/// Writes a list in brackets; of a long one the first eight.
fn listed(items: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = items.take(8).collect();
    let more = if count > 8 { ", …" } else { "" };
    format!("[{}{more}]", shown.join(", "))
}
