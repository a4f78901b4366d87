//! Formulas typed as text: the fixed ones of a derivation, `ln|det J| = Σᵢ ln|Jᵢᵢ|`, and the names of variables.
//!
//! Unicode text is parsed character by character and written in the other notations; subscripts and superscripts
//! attach to the preceding element, and brackets and bars are matched. Words of several letters that are no functions
//! are set as words. A bar between spaces is that of a condition, `p(x | z)`.

use super::mathml;
use super::piece::{Binding, Piece, Start};
use super::term::Written;

/// Signs and letters beyond ASCII, each with what LaTeX writes for it in a formula.
const SIGNS: &str = r"
    α\alpha β\beta γ\gamma δ\delta ε\varepsilon ζ\zeta η\eta θ\theta κ\kappa λ\lambda μ\mu ν\nu ξ\xi
    π\pi ρ\rho σ\sigma τ\tau φ\varphi χ\chi ψ\psi ω\omega Γ\Gamma Δ\Delta Θ\Theta Λ\Lambda Φ\Phi Ψ\Psi
    Ω\Omega Σ\sum ∏\prod ∂\partial ∫\int ∞\infty ℝ\mathbb{R} ·\cdot ⊙\odot ×\times ±\pm ∘\circ √\surd
    ≤\le ≥\ge ≠\ne ≈\approx ∈\in →\to ↦\mapsto …\ldots ‥: ½\tfrac{1}{2} −- ∧\land ∨\lor ⋯\cdots ⊤\top";
const ABOVE: (&str, &str) =
    ("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ", "0123456789+-()abcdefghijklmnoprstuvw×yz⊤");
const BELOW: (&str, &str) = ("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "0123456789+-()aeijklmnoprstuvx");
const FUNCTIONS: [&str; 19] = [
    "ln", "exp", "det", "sin", "cos", "tan", "arctan", "tanh", "sinh", "cosh", "asinh", "diag", "softplus",
    "sign", "erf", "min", "max", "sgn", "tr",
];

fn plain(script: (&str, &str), c: char) -> Option<char> {
    let at = script.0.chars().position(|other| other == c)?;
    script.1.chars().nth(at)
}

fn sign(c: char) -> Option<&'static str> {
    SIGNS.split_whitespace().find_map(|entry| entry.strip_prefix(c))
}

/// What LaTeX writes in a formula for a character beyond ASCII, if it is known.
pub(super) fn latex_symbol(c: char) -> Option<String> {
    let script = |mark: &str, c: char| format!("{mark}{{{}}}", sign(c).map_or(c.to_string(), str::to_string));
    sign(c)
        .map(str::to_string)
        .or_else(|| plain(ABOVE, c).map(|c| script("^", c)))
        .or_else(|| plain(BELOW, c).map(|c| script("_", c)))
}

/// The kind of the last element of a row, which determines what may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Operand,
    Function,
    Operator,
}

/// One element in the two notations.
#[derive(Clone)]
struct Element {
    latex: String,
    mathml: String,
}

/// A row that is being parsed, and what closes it.
struct Row {
    elements: Vec<Element>,
    last: Last,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Outermost,
    Bracket(char),
    Bars,
    Root,
    Above,
}

struct Reader {
    rows: Vec<Row>,
}

impl Reader {
    fn row(&mut self) -> &mut Row {
        self.rows.last_mut().expect("the outermost row is never closed")
    }

    fn open(&mut self, kind: Kind) {
        self.rows.push(Row { elements: Vec::new(), last: Last::Nothing, kind });
    }

    fn push(&mut self, latex: impl Into<String>, mathml: impl Into<String>, now: Last) {
        let element = Element { latex: latex.into(), mathml: mathml.into() };
        let row = self.row();
        // ln 2, but ln(2) and ln|2|.
        if row.last == Last::Function && now != Last::Operator && !element.mathml.starts_with("<mrow><mo") {
            let space = "<mspace width=\"0.1667em\"/>".to_string();
            row.elements.push(Element { latex: String::new(), mathml: space });
        }
        row.elements.push(element);
        row.last = now;
    }

    /// Attaches a subscript or superscript to the last element.
    fn script(&mut self, mark: char, latex: &str, inner: &str) {
        let row = self.row();
        let base = row.elements.pop().unwrap_or(Element { latex: "{}".into(), mathml: "<mrow/>".into() });
        let tag = if mark == '^' { "msup" } else { "msub" };
        row.elements.push(Element {
            latex: format!("{}{mark}{{{latex}}}", base.latex),
            mathml: format!("<{tag}>{}{}</{tag}>", one(&base.mathml), one(inner)),
        });
        if row.last != Last::Function {
            row.last = Last::Operand;
        }
    }

    /// Closes the innermost row and puts it into the one around it.
    fn close(&mut self, closing: char) {
        if self.rows.len() == 1 {
            return self.push(closing, format!("<mo>{closing}</mo>"), Last::Operand);
        }
        let Row { elements, kind, .. } = self.rows.pop().expect("there are two");
        let (latex, mathml) = joined(&elements);
        match kind {
            Kind::Root => {
                self.push(format!("\\sqrt{{{latex}}}"), format!("<msqrt>{mathml}</msqrt>"), Last::Operand)
            }
            Kind::Above => self.script('^', &latex, &mathml),
            Kind::Bars => self.push(
                format!("\\lvert {latex} \\rvert"),
                format!(
                    "<mrow><mo form=\"prefix\" stretchy=\"false\">|</mo>{mathml}<mo form=\"postfix\" \
                     stretchy=\"false\">|</mo></mrow>"
                ),
                Last::Operand,
            ),
            Kind::Bracket(_) | Kind::Outermost => {
                let opening = if let Kind::Bracket(opening) = kind { opening } else { '(' };
                let escaped = |c: char| if matches!(c, '{' | '}') { format!("\\{c}") } else { c.to_string() };
                self.push(
                    format!("{}{latex}{}", escaped(opening), escaped(closing)),
                    format!(
                        "<mrow><mo form=\"prefix\" stretchy=\"false\">{opening}</mo>{mathml}<mo form=\"postfix\" \
                         stretchy=\"false\">{closing}</mo></mrow>"
                    ),
                    Last::Operand,
                );
            }
        }
    }

    fn word(&mut self, word: &str, spaced: bool) {
        match word.len() {
            1 => self.push(word, format!("<mi>{word}</mi>"), Last::Operand),
            // A differential.
            2 if word.starts_with('d') && word.ends_with(['f', 't', 'x', 'y', 'z']) => {
                let latex = format!("d {}", &word[1..]);
                self.push(latex, format!("<mrow><mi>d</mi><mi>{}</mi></mrow>", &word[1..]), Last::Operand);
            }
            _ if FUNCTIONS.contains(&word) => {
                let latex = match word {
                    "softplus" | "sign" | "erf" | "asinh" | "diag" | "sgn" | "tr" => {
                        format!("\\operatorname{{{word}}}")
                    }
                    _ => format!("\\{word}"),
                };
                // A trace is written without brackets: a thin space separates it from its argument.
                let gap = if word == "tr" { "<mspace width=\"0.2em\"/>" } else { "" };
                self.push(latex, format!("<mi>{word}</mi><mo>&#x2061;</mo>{gap}"), Last::Function);
            }
            _ => {
                let before = if spaced { "\\allowbreak\\ " } else { "" };
                let after_word =
                    self.row().elements.last().is_some_and(|last| last.mathml.ends_with("&#xA0;</mtext>"));
                let space = if spaced && !after_word { "&#xA0;" } else { "" };
                self.push(
                    format!("{before}\\text{{{word}}}\\ "),
                    format!("<mtext>{space}{word}&#xA0;</mtext>"),
                    Last::Operator,
                );
            }
        }
    }

    fn sign(&mut self, c: char) {
        let latex = sign(c).map_or_else(|| c.to_string(), str::to_string);
        match c {
            'Σ' => self.push(latex, "<mo>∑</mo>", Last::Function),
            '∏' => self.push(latex, "<mo>∏</mo>", Last::Function),
            c if c.is_alphabetic() || matches!(c, '∞' | '∂' | '½' | '…' | '⋯') => {
                let now = if c == '∂' { Last::Operator } else { Last::Operand };
                self.push(latex, format!("<mi>{c}</mi>"), now);
            }
            _ => {
                let prefix = self.row().last != Last::Operand && matches!(c, '-' | '+' | '±');
                // A slash between letters is set without spaces.
                let form = match c {
                    '/' => " lspace=\"0\" rspace=\"0\"",
                    _ if prefix => " form=\"prefix\"",
                    _ => "",
                };
                let shown = match c {
                    '-' => "−".to_string(),
                    '·' => "⋅".to_string(),
                    '‥' => ":".to_string(),
                    c => mathml::escape(&c.to_string()),
                };
                let latex = if c.is_ascii() { latex } else { format!("{latex} ") };
                self.push(latex, format!("<mo{form}>{shown}</mo>"), Last::Operator);
            }
        }
    }
}

fn joined(elements: &[Element]) -> (String, String) {
    let latex: Vec<&str> =
        elements.iter().map(|element| element.latex.as_str()).filter(|latex| !latex.is_empty()).collect();
    let mathml: String = elements.iter().map(|element| element.mathml.as_str()).collect();
    (latex.join(" "), mathml)
}

impl Written {
    /// A formula typed as text.
    pub(crate) fn typed(text: &str) -> Written {
        let mut reader = Reader { rows: Vec::new() };
        reader.open(Kind::Outermost);
        let mut rest = text.chars().peekable();
        let mut spaced = false;
        while let Some(c) = rest.next() {
            let mut run = |first: char, takes: &dyn Fn(char) -> bool| {
                let mut run = first.to_string();
                while let Some(next) = rest.next_if(|next| takes(*next)) {
                    run.push(next);
                }
                run
            };
            match c {
                ' ' => {}
                c if plain(ABOVE, c).is_some() || plain(BELOW, c).is_some() => {
                    let (mark, table) = if plain(ABOVE, c).is_some() { ('^', ABOVE) } else { ('_', BELOW) };
                    let script: String = run(c, &|c| plain(table, c).is_some())
                        .chars()
                        .filter_map(|c| plain(table, c))
                        .collect();
                    reader.script(
                        mark,
                        &script.replace('⊤', "\\top").replace('×', "\\times "),
                        &small(&script),
                    );
                }
                c if c.is_ascii_alphabetic() => {
                    let word = run(c, &|c| c.is_ascii_alphabetic());
                    reader.word(&word, spaced);
                }
                c if c.is_ascii_digit() => {
                    let number = run(c, &|c| c.is_ascii_digit() || c == '.');
                    reader.push(number.as_str(), format!("<mn>{number}</mn>"), Last::Operand);
                }
                '_' => {
                    let index = rest.next().map_or(String::new(), String::from);
                    reader.script('_', &index, &small(&index));
                }
                '√' | '^' => {
                    let kind = if c == '√' { Kind::Root } else { Kind::Above };
                    match rest.next_if_eq(&'(') {
                        Some(_) => reader.open(kind),
                        None => {
                            let under = rest.next().map_or(String::new(), String::from);
                            reader.open(kind);
                            reader.push(under.as_str(), small(&under), Last::Operand);
                            reader.close(')');
                        }
                    }
                }
                '(' | '[' | '{' => reader.open(Kind::Bracket(c)),
                ')' | ']' | '}' => reader.close(c),
                // p(x | z): the bar of a condition has spaces on both sides.
                '|' if spaced && rest.peek() == Some(&' ') => {
                    reader.push("\\mid", "<mo>|</mo>", Last::Operator)
                }
                '|' => {
                    let closes = reader.row().kind == Kind::Bars && reader.row().last == Last::Operand;
                    if closes { reader.close('|') } else { reader.open(Kind::Bars) }
                }
                c => reader.sign(c),
            }
            spaced = c == ' ';
        }
        while reader.rows.len() > 1 {
            reader.close(')');
        }
        let (latex, mathml) = joined(&reader.row().elements);
        let width = text.chars().count();
        let piece = |string: String| Piece::new(string, Binding::Atom, width);
        let below = text.ends_with(|c| plain(BELOW, c).is_some());
        let subscripted = below || text.char_indices().rev().nth(1).is_some_and(|(_, c)| c == '_');
        let starts =
            if text.starts_with(|c: char| c.is_alphabetic()) { Start::Letter } else { Start::Bracket };
        let single = reader.row().elements.len() == 1;
        let [text, latex, mathml] = [piece(text.to_string()), piece(latex), piece(mathml)]
            .map(|piece| Piece { subscripted, single, ..piece }.starting(starts));
        Written::from_pieces(text, latex, mathml)
    }

    /// A name: a letter with or without a subscript is one, as in `y₁` and `d0`; anything else is a word.
    pub(crate) fn name(name: &str) -> Written {
        let mut letters = name.chars();
        let Some(letter) = letters.next() else { return Written::of(&super::term::Term::Word(name)) };
        let index = letters.as_str();
        let known = letter.is_ascii_alphabetic() || sign(letter).is_some_and(|_| letter.is_alphabetic());
        let digits = !index.is_empty() && index.chars().all(|c| c.is_ascii_digit());
        let below = index.chars().all(|c| plain(BELOW, c).is_some());
        let after = index.strip_prefix('_').is_some_and(|rest| rest.len() == 1);
        match known {
            true if digits => {
                let below: String = index
                    .chars()
                    .map(|c| BELOW.0.chars().nth(c as usize - '0' as usize).unwrap_or(c))
                    .collect();
                let mut written = Written::typed(&format!("{letter}{below}"));
                written.text =
                    Piece { subscripted: false, ..Piece::new(name, Binding::Atom, name.chars().count()) };
                written
            }
            true if below || after => Written::typed(name),
            _ => Written::of(&super::term::Term::Word(name)),
        }
    }
}

/// As one element.
fn one(mathml: &str) -> String {
    if mathml.matches("</").count() == 1 { mathml.to_string() } else { format!("<mrow>{mathml}</mrow>") }
}

/// The inside of a script.
fn small(script: &str) -> String {
    let mut inside = String::new();
    let mut rest = script.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_ascii_digit() {
            let mut number = c.to_string();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                number.push(digit);
            }
            inside.push_str(&format!("<mn>{number}</mn>"));
            continue;
        }
        match c {
            '-' => inside.push_str("<mo>−</mo>"),
            c if c.is_alphabetic() => inside.push_str(&format!("<mi>{c}</mi>")),
            c => inside.push_str(&format!("<mo>{}</mo>", mathml::escape(&c.to_string()))),
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_between_spaces_is_that_of_a_condition() {
        let written = Written::typed("ln q(z | x) = ln p(ε) - ln|det J|");
        assert_eq!(
            written.latex.string,
            r"\ln q (z \mid x) = \ln p (\varepsilon) - \ln \lvert \det J \rvert"
        );
        assert!(written.mathml.string.contains("<mi>z</mi><mo>|</mo><mi>x</mi><mo form=\"postfix\""));
    }
}
