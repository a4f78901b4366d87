//! Formulas as MathML Core, the part that browsers implement.
//!
//! A piece is a sequence of elements without an enclosing one. It knows where a line may end, between the terms of a
//! sum and the factors of a product outside of brackets, since browsers do not break formulas themselves.

use super::piece::{Binding, Break, Fence, Height, Piece, Start};
use super::term::{Product, Term, Written};
use super::text;

/// The minus sign of negative numbers.
const MINUS: &str = "<mo form=\"prefix\">−</mo>";

/// A term in MathML.
pub(super) fn write(term: &Term<'_>) -> Piece {
    use Binding::{Atom, Power, Product as Factor, Relation, Sum};
    match term {
        Term::Word(name) => Piece::new(format!("<mi>{}</mi>", escape(name)), Atom, name.chars().count()),
        Term::Number(value) => number(*value),
        Term::Negative(a) => joined(None, MINUS, within(a, Factor), Sum),
        Term::Plus(a, b) => {
            let mut right = within(b, Sum);
            let Some(rest) = right.string.strip_prefix(MINUS) else {
                return joined(Some(within(a, Sum)), "<mo>+</mo>", right, Sum);
            };
            right.string = rest.to_string();
            right.breaks.iter_mut().for_each(|place| place.at -= MINUS.len());
            joined(Some(within(a, Sum)), "<mo>−</mo>", right, Sum)
        }
        Term::Minus(a, b) => joined(Some(within(a, Sum)), "<mo>−</mo>", within(b, Factor), Sum),
        Term::Times(kind, a, b) => times(*kind, a, b),
        Term::Over(a, b) => {
            let [over, under] = [a, b].map(|part| &part.mathml);
            let string = format!("<mfrac>{}{}</mfrac>", row(over), row(under));
            Piece::new(string, Power, over.width.max(under.width)).tall(Height::Fraction)
        }
        Term::Power(a, exponent) => raised(within(a, Atom), &whole(*exponent), Power),
        Term::PowerOf(a, b) => raised(within(a, Atom), &row(&b.mathml), Power),
        Term::Exponential(a) if a.fits_exponent() => {
            raised(Piece::new("<mi>e</mi>", Atom, 1), &row(&a.mathml), Power)
        }
        Term::Exponential(a) => call("<mi>exp</mi>", &bracket(&a.mathml)),
        Term::Call(function, arguments) => match arguments.as_slice() {
            [only] if function.takes(&only.mathml) => call(&function.mathml, &only.mathml),
            _ => call(&function.mathml, &bracket(&list(arguments))),
        },
        Term::Root(a) => Piece::new(format!("<msqrt>{}</msqrt>", a.mathml.string), Atom, a.mathml.width + 1)
            .tall(a.mathml.height),
        Term::Bars(a) => Piece { fence: Fence::Bars, ..fence(&a.mathml, "|", "|") },
        Term::Determinant(a) => {
            let inside = within(a, Power);
            let space = if inside.starts == Start::Bracket { "" } else { "<mspace width=\"0.1667em\"/>" };
            call("<mi>det</mi>", &Piece { string: format!("{space}{}", row(&inside)), ..inside })
        }
        Term::Relation(a, sign, b) => {
            let needed = if *sign == '=' { Relation } else { Sum };
            let sign = format!("<mo>{}</mo>", escape(&sign.to_string()));
            joined(Some(within(a, needed)), &sign, within(b, Sum), Relation)
        }
        Term::Choice { cases, otherwise } => {
            let case = |(a, c): &(&Written, &Written)| {
                let [a, c] = [a, c].map(|part| &part.mathml.string);
                format!("<mtr><mtd>{a}</mtd><mtd><mtext>if&#xA0;</mtext>{c}</mtd></mtr>")
            };
            let rows: String = cases.iter().map(case).collect();
            let last = &otherwise.mathml;
            let last_row = format!("<mtr><mtd>{}</mtd><mtd><mtext>else</mtext></mtd></mtr>", last.string);
            let table = format!("<mtable class=\"cases\">{rows}{last_row}</mtable>");
            let widths = cases.iter().map(|(a, c)| a.mathml.width + c.mathml.width);
            let width = widths.max().unwrap_or(0).max(last.width) + 6;
            let string = format!("<mrow><mo form=\"prefix\">{{</mo>{table}</mrow>");
            Piece::new(string, Atom, width).tall(Height::Table)
        }
        Term::Total { sign, over, body } => {
            let sign = if *sign == 'Σ' { "<mo>∑</mo>" } else { "<mo>∏</mo>" };
            let (sign, body) = match *over {
                "" => (sign.to_string(), within(body, Power)),
                over => (format!("<munder>{sign}{}</munder>", letters(over)), within(body, Factor)),
            };
            let width = body.width + 3;
            let height = body.height.max(Height::Fraction);
            Piece { open: true, ..several(format!("{sign}{}", row(&body)), Factor, width) }.tall(height)
        }
        Term::Element(a, indices) => {
            let indices: Vec<String> =
                indices.iter().map(|index| format!("<mn>{}</mn>", index + 1)).collect();
            match indices.as_slice() {
                [only] => below(a, only),
                _ => below(a, &format!("<mrow>{}</mrow>", indices.join("<mo>,</mo>"))),
            }
        }
        Term::Index(a, over) => below(a, &letters(over)),
        Term::Part(a, positions) => {
            below(a, &format!("<mtext>{}</mtext>", escape(&text::picked(positions, ":"))))
        }
        Term::List(parts) => bracket(&list(parts)),
        Term::Table(columns, entries) => table(*columns, entries),
        Term::Transposed(a) => raised(within(a, Atom), "<mo>⊤</mo>", Power),
        Term::Inverse(a) => {
            raised(within(a, Atom), "<mrow><mo form=\"prefix\">−</mo><mn>1</mn></mrow>", Power)
        }
    }
}

/// ∂a in a derivative.
pub(super) fn curly(a: &Written) -> Piece {
    let piece = within(a, Binding::Atom);
    Piece { string: format!("<mi>∂</mi>{}", piece.string), width: piece.width + 1, single: false, ..piece }
}

/// A piece of several elements.
fn several(string: String, binding: Binding, width: usize) -> Piece {
    Piece { single: false, ..Piece::new(string, binding, width) }
}

/// Escapes what HTML and XML read as markup: `&`, `<`, `>` and `"`.
pub fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn number(value: f64) -> Piece {
    let digits = text::number(value);
    let width = digits.len();
    let piece = match digits.split_once('e') {
        Some((digits, power)) => {
            let power = power.parse().map_or_else(|_| format!("<mn>{power}</mn>"), whole);
            let ten = format!("<msup><mn>10</mn>{power}</msup>");
            match digits {
                "1" => Piece::new(ten, Binding::Power, width),
                _ => several(format!("<mn>{digits}</mn><mo>⋅</mo>{ten}"), Binding::Product, width),
            }
        }
        None => Piece::new(format!("<mn>{digits}</mn>"), Binding::Atom, width),
    };
    piece.starting(Start::Digit)
}

/// Writes a whole number as one element.
fn whole(number: i32) -> String {
    let digits = number.unsigned_abs();
    if number < 0 { format!("<mrow>{MINUS}<mn>{digits}</mn></mrow>") } else { format!("<mn>{digits}</mn>") }
}

/// Two parts with a sign between them, before which a line may end.
fn joined(a: Option<Piece>, sign: &str, b: Piece, binding: Binding) -> Piece {
    let first = a.is_none();
    let mut piece = a.unwrap_or_else(|| Piece::new("", binding, 0));
    let whole = piece.clone();
    if !first {
        let in_product = binding >= Binding::Product;
        piece.breaks.push(Break { at: piece.string.len(), before: piece.width, in_product });
    }
    piece.string.push_str(sign);
    let (offset, width) = (piece.string.len(), piece.width + 2);
    if b.binding >= binding {
        piece.breaks.extend(b.breaks.iter().map(|place| place.after(offset, width)));
    }
    piece.string.push_str(&b.string);
    piece.width = width + b.width;
    Piece {
        binding,
        height: whole.height.max(b.height),
        starts: if first { Start::Bracket } else { whole.starts },
        subscripted: false,
        fence: Fence::None,
        single: false,
        open: b.open,
        ..piece
    }
}

/// Writes a product: by juxtaposition where it is unambiguous.
fn times(kind: Product, a: &Written, b: &Written) -> Piece {
    let brackets = [kind.brackets(a, &a.mathml, true), kind.brackets(b, &b.mathml, false)];
    let starts = if brackets[1] { Start::Bracket } else { b.mathml.starts };
    let number = a.mathml.starts == Start::Digit && a.mathml.binding == Binding::Atom;
    let sign = match (kind, starts) {
        (Product::Elementwise, _) => "<mo>⊙</mo>",
        (_, Start::Letter) => "<mo>&#x2062;</mo><mspace width=\"0.1667em\"/>",
        (_, Start::Bracket) if number => "<mo>&#x2062;</mo><mspace width=\"0.1667em\"/>",
        _ => "<mo>⋅</mo>",
    };
    let factor =
        |part: &Written, brackets: bool| if brackets { bracket(&part.mathml) } else { part.mathml.clone() };
    joined(Some(factor(a, brackets[0])), sign, factor(b, brackets[1]), kind.binding())
}

fn within(part: &Written, needed: Binding) -> Piece {
    if part.mathml.binding < needed { bracket(&part.mathml) } else { part.mathml.clone() }
}

fn bracket(piece: &Piece) -> Piece {
    fence(piece, "(", ")")
}

fn fence(piece: &Piece, open: &str, close: &str) -> Piece {
    // Parts of the height of one line have brackets of that height.
    let size = if piece.height == Height::Line { " stretchy=\"false\"" } else { "" };
    let inside = row(piece);
    let string = format!(
        "<mrow><mo form=\"prefix\"{size}>{open}</mo>{inside}<mo form=\"postfix\"{size}>{close}</mo></mrow>"
    );
    Piece::new(string, Binding::Atom, piece.width + 2).starting(Start::Bracket).tall(piece.height)
}

/// As one element.
fn row(piece: &Piece) -> String {
    if piece.single { piece.string.clone() } else { format!("<mrow>{}</mrow>", piece.string) }
}

fn call(name: &str, arguments: &Piece) -> Piece {
    let string = format!("{name}<mo>&#x2061;</mo>{}", arguments.string);
    Piece::new(format!("<mrow>{string}</mrow>"), Binding::Atom, arguments.width + 4).tall(arguments.height)
}

fn list(parts: &[&Written]) -> Piece {
    let strings: Vec<String> = parts.iter().map(|part| row(&part.mathml)).collect();
    let width = parts.iter().map(|part| part.mathml.width + 2).sum();
    let height = parts.iter().map(|part| part.mathml.height).max().unwrap_or(Height::Line);
    Piece { single: parts.len() == 1, ..Piece::new(strings.join("<mo>,</mo>"), Binding::Relation, width) }
        .tall(height)
}

fn raised(base: Piece, above: &str, binding: Binding) -> Piece {
    // A power of an element is written above its index.
    let element = base.string.strip_prefix("<msub>").and_then(|rest| rest.strip_suffix("</msub>"));
    let string = match element {
        Some(element) if base.subscripted => format!("<msubsup>{element}{above}</msubsup>"),
        _ => format!("<msup>{}{above}</msup>", row(&base)),
    };
    Piece::new(string, binding, base.width + 2).tall(base.height).starting(base.starts)
}

fn below(a: &Written, index: &str) -> Piece {
    let bare = a.mathml.binding == Binding::Atom && !a.mathml.subscripted;
    let base = if bare { a.mathml.clone() } else { bracket(&a.mathml) };
    let string = format!("<msub>{}{index}</msub>", row(&base));
    let piece = Piece::new(string, Binding::Atom, base.width + 1).tall(base.height).starting(base.starts);
    Piece { subscripted: true, ..piece }
}

fn letters(over: &str) -> String {
    let letters: String = over.chars().map(|letter| format!("<mi>{letter}</mi>")).collect();
    if over.chars().count() == 1 { letters } else { format!("<mrow>{letters}</mrow>") }
}

fn table(columns: usize, entries: &[&Written]) -> Piece {
    let columns = columns.max(1);
    let cells = |row: &[&Written]| {
        let cells: String = row.iter().map(|entry| format!("<mtd>{}</mtd>", entry.mathml.string)).collect();
        format!("<mtr>{cells}</mtr>")
    };
    let rows: String = entries.chunks(columns).map(cells).collect();
    let widest = |column: usize| {
        entries.iter().skip(column).step_by(columns).map(|entry| entry.mathml.width).max().unwrap_or(0)
    };
    let width = (0..columns).map(|column| widest(column) + 2).sum();
    let table = Piece::new(format!("<mtable>{rows}</mtable>"), Binding::Atom, width).tall(Height::Table);
    Piece { fence: Fence::Table, ..fence(&table, "(", ")") }
}
