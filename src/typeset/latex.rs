//! Formulas as LaTeX, for a mathematical mode with the packages amsmath and amssymb.
//!
//! The output is ASCII. Brackets have explicit sizes instead of `\left` and `\right`, so that TeX may break a line
//! within them; around matrices and cases they grow.

use super::piece::{Binding, Fence, Height, Piece, Start};
use super::term::{Positions, Product, Term, Written};
use super::text;

/// A term in LaTeX.
pub(super) fn write(term: &Term<'_>) -> Piece {
    use Binding::{Atom, Power, Product as Factor, Relation, Sum};
    match term {
        Term::Word(name) => of(word(name), Atom, &[]),
        Term::Number(value) => number(*value),
        Term::Negative(a) => of(format!("-{}", within(a, Factor)), Sum, &[a]),
        Term::Plus(a, b) => {
            let right = within(b, Sum);
            let (sign, right) = right.strip_prefix('-').map_or(('+', right.as_str()), |rest| ('-', rest));
            of(format!("{} {sign} {right}", within(a, Sum)), Sum, &[a, b])
        }
        Term::Minus(a, b) => of(format!("{} - {}", within(a, Sum), within(b, Factor)), Sum, &[a, b]),
        Term::Times(kind, a, b) => times(*kind, a, b),
        Term::Over(a, b) => {
            let tallest = a.latex.height.max(b.latex.height);
            let height = if tallest == Height::Line { Height::Fraction } else { tallest.max(Height::Nested) };
            let [over, under] = [a, b].map(|part| smaller(&part.latex.string));
            of(format!("\\frac{{{over}}}{{{under}}}"), Power, &[]).tall(height)
        }
        Term::Power(a, exponent) => of(format!("{}^{{{exponent}}}", within(a, Atom)), Power, &[a]),
        Term::PowerOf(a, b) => {
            of(format!("{}^{{{}}}", within(a, Atom), b.latex.string), Power, &[a]).tall(a.latex.height)
        }
        Term::Exponential(a) if a.fits_exponent() => of(format!("e^{{{}}}", a.latex.string), Power, &[]),
        Term::Exponential(a) => of(format!("\\exp{}", bracket(a, "(", ")")), Atom, &[a]),
        Term::Call(function, arguments) => {
            let inside = match arguments.as_slice() {
                [only] if function.takes(&only.latex) => only.latex.string.clone(),
                [only] => bracket(only, "(", ")"),
                _ => fence(&list(arguments), tallest(arguments), "(", ")"),
            };
            of(format!("{}{inside}", function.latex), Atom, arguments)
        }
        Term::Root(a) => of(format!("\\sqrt{{{}}}", a.latex.string), Atom, &[a]),
        Term::Bars(a) => Piece { fence: Fence::Bars, ..of(bracket(a, "\\lvert ", "\\rvert "), Atom, &[a]) }
            .starting(Start::Bracket),
        Term::Determinant(a) => of(format!("\\det {}", within(a, Power)), Factor, &[a]),
        Term::Relation(a, sign, b) => {
            let needed = if *sign == '=' { Relation } else { Sum };
            let sign = match sign {
                '≤' => "\\le",
                '∧' => "\\land",
                '∨' => "\\lor",
                '∈' => "\\in",
                '<' => "<",
                _ => "=",
            };
            of(format!("{} {sign} {}", within(a, needed), within(b, Sum)), Relation, &[a, b])
        }
        Term::Choice { cases, otherwise } => {
            let case = |(a, c): &(&Written, &Written)| {
                format!("{} & \\text{{if }} {} \\\\ ", a.latex.string, c.latex.string)
            };
            let cases: String = cases.iter().map(case).collect();
            let last = &otherwise.latex.string;
            let cases = format!("\\begin{{cases}} {cases}{last} & \\text{{else}} \\end{{cases}}");
            of(cases, Atom, &[]).tall(Height::Table)
        }
        Term::Total { sign, over, body } => {
            let sign = if *sign == 'Σ' { "\\sum" } else { "\\prod" };
            let string = match *over {
                "" => format!("{sign} {}", within(body, Power)),
                over => format!("{sign}_{{{over}}} {}", within(body, Factor)),
            };
            Piece { open: true, ..of(string, Factor, &[body]).tall(body.latex.height.max(Height::Fraction)) }
        }
        Term::Element(a, indices) => {
            let indices: Vec<String> = indices.iter().map(|index| (index + 1).to_string()).collect();
            below(a, &indices.join(","))
        }
        Term::Index(a, letters) => below(a, letters),
        Term::Part(a, positions) => below(a, &picked(positions)),
        Term::List(parts) => {
            of(fence(&list(parts), tallest(parts), "(", ")"), Atom, parts).starting(Start::Bracket)
        }
        Term::Table(columns, entries) => {
            let row = |row: &[&Written]| {
                row.iter().map(|entry| entry.latex.string.as_str()).collect::<Vec<_>>().join(" & ")
            };
            let rows: Vec<String> = entries.chunks((*columns).max(1)).map(row).collect();
            let table = format!("\\begin{{pmatrix}} {} \\end{{pmatrix}}", rows.join(" \\\\ "));
            Piece { fence: Fence::Table, ..of(table, Atom, &[]) }.starting(Start::Bracket).tall(Height::Table)
        }
        Term::Transposed(a) => of(format!("{}^{{\\top}}", within(a, Atom)), Power, &[a]),
        Term::Inverse(a) => of(format!("{}^{{-1}}", within(a, Atom)), Power, &[a]),
    }
}

/// ∂a in a derivative.
pub(super) fn curly(a: &Written) -> Piece {
    of(format!("\\partial {}", within(a, Binding::Atom)), Binding::Atom, &[a])
}

fn of(string: String, binding: Binding, parts: &[&Written]) -> Piece {
    let width = string.len();
    Piece::new(string, binding, width).tall(tallest(parts))
}

fn tallest(parts: &[&Written]) -> Height {
    parts.iter().map(|part| part.latex.height).max().unwrap_or(Height::Line)
}

fn number(value: f64) -> Piece {
    let digits = text::number(value);
    let piece = match digits.split_once('e') {
        Some(("1", power)) => of(format!("10^{{{power}}}"), Binding::Power, &[]),
        Some((digits, power)) => of(format!("{digits} \\cdot 10^{{{power}}}"), Binding::Product, &[]),
        None => of(digits, Binding::Atom, &[]),
    };
    piece.starting(Start::Digit)
}

/// Writes a product: by juxtaposition where it is unambiguous.
fn times(kind: Product, a: &Written, b: &Written) -> Piece {
    let brackets = [kind.brackets(a, &a.latex, true), kind.brackets(b, &b.latex, false)];
    let start = |part: &Written, brackets: bool| if brackets { Start::Bracket } else { part.latex.starts };
    let number = a.latex.starts == Start::Digit && a.latex.binding == Binding::Atom;
    let sign = match (kind, start(b, brackets[1])) {
        (Product::Elementwise, _) => " \\odot ",
        (_, Start::Letter) => " \\, ",
        (_, Start::Bracket) if number => " \\, ",
        _ => " \\cdot ",
    };
    let factor = |part: &Written, brackets: bool| match brackets {
        true => bracket(part, "(", ")"),
        false => part.latex.string.clone(),
    };
    let string = format!("{}{sign}{}", factor(a, brackets[0]), factor(b, brackets[1]));
    let piece = of(string, kind.binding(), &[a, b]).starting(start(a, brackets[0]));
    Piece { open: b.latex.open && !brackets[1], ..piece }
}

fn within(part: &Written, needed: Binding) -> String {
    if part.latex.binding < needed { bracket(part, "(", ")") } else { part.latex.string.clone() }
}

fn bracket(part: &Written, open: &str, close: &str) -> String {
    fence(&part.latex.string, part.latex.height, open, close)
}

fn fence(inside: &str, height: Height, open: &str, close: &str) -> String {
    match height {
        Height::Line => format!("{open}{inside}{close}"),
        Height::Fraction => format!("\\biggl{open}{inside}\\biggr{close}"),
        Height::Nested => format!("\\Biggl{open}{inside}\\Biggr{close}"),
        Height::Table => format!("\\left{open}{inside}\\right{close}"),
    }
}

/// Within a fraction brackets are a size smaller.
fn smaller(string: &str) -> String {
    string.replace("\\bigg", "\\Big").replace("\\Bigg", "\\bigg")
}

/// Joins parts with commas, after which a line may end.
fn list(parts: &[&Written]) -> String {
    parts.iter().map(|part| part.latex.string.as_str()).collect::<Vec<_>>().join(",\\allowbreak\\; ")
}

fn below(a: &Written, index: &str) -> Piece {
    let bare = a.latex.binding == Binding::Atom && !a.latex.subscripted;
    let name = if bare { a.latex.string.clone() } else { bracket(a, "(", ")") };
    let piece = of(format!("{name}_{{{index}}}"), Binding::Atom, &[a]);
    let starts = if bare { a.latex.starts } else { Start::Bracket };
    Piece { subscripted: true, ..piece }.starting(starts)
}

fn picked(positions: &Positions) -> String {
    text::picked(positions, ":").replace('…', "\\ldots").replace(", ", ",\\,")
}

/// Writes a name of the program, upright unless it is one letter.
fn word(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.as_str()) {
        (Some(letter), "") if letter.is_ascii_alphabetic() => name.to_string(),
        // Characters that TeX treats as symbols are set as text.
        _ if name.contains(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_')) => {
            format!("\\text{{{}}}", escape(name))
        }
        _ => format!("\\mathrm{{{}}}", escape(name)),
    }
}

/// Writes words outside of formulas, and names in them.
pub(crate) fn escape(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\ensuremath{<}"),
            '>' => escaped.push_str("\\ensuremath{>}"),
            '|' => escaped.push_str("\\ensuremath{|}"),
            '"' => escaped.push_str("''"),
            '{' | '}' | '$' | '&' | '#' | '_' | '%' => escaped.extend(['\\', c]),
            c if c.is_ascii() => escaped.push(c),
            c => match super::parse::latex_symbol(c) {
                Some(command) => escaped.push_str(&format!("\\ensuremath{{{command}}}")),
                None => escaped.push_str(&format!("[U+{:04X}]", u32::from(c))),
            },
        }
    }
    escaped
}
