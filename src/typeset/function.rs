//! Functions and their names.

use super::piece::{Fence, Piece};
use super::text;

/// A function, by its name in each notation.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(super) text: String,
    pub(super) latex: String,
    pub(super) mathml: String,
}

impl Function {
    /// Whether an argument needs no brackets of its own: ln|a|, or a matrix.
    pub(super) fn takes(&self, argument: &Piece) -> bool {
        argument.fence == Fence::Table || (argument.fence == Fence::Bars && self.text == "ln")
    }

    /// A function whose name is one word.
    pub(crate) fn named(name: &str) -> Function {
        const KNOWN: [&str; 12] =
            ["ln", "sin", "cos", "tan", "arctan", "tanh", "sinh", "cosh", "exp", "min", "max", "det"];
        let latex =
            if KNOWN.contains(&name) { format!("\\{name}") } else { format!("\\operatorname{{{name}}}") };
        Function { text: name.to_string(), latex, mathml: format!("<mi>{name}</mi>") }
    }

    /// The derivatives of ln Γ: ψ, ψ⁽¹⁾, ….
    pub(crate) fn polygamma(order: u32) -> Function {
        match order {
            0 => Function::lettered("", 'ψ', "\\psi"),
            n => Function {
                text: format!("ψ⁽{}⁾", text::superscript(n as i32)),
                latex: format!("\\psi^{{({n})}}"),
                mathml: format!("<msup><mi>ψ</mi><mrow><mo>(</mo><mn>{n}</mn><mo>)</mo></mrow></msup>"),
            },
        }
    }

    /// The derivatives of φ/Φ, the inverse Mills ratio: (φ/Φ)⁽¹⁾, ….
    pub(crate) fn inverse_mills(order: u32) -> Function {
        Function {
            text: format!("(φ/Φ)⁽{}⁾", text::superscript(order as i32)),
            latex: format!("(\\varphi/\\Phi)^{{({order})}}"),
            mathml: format!(
                "<msup><mrow><mo>(</mo><mi>φ</mi><mo>/</mo><mi>Φ</mi><mo>)</mo></mrow>\
                 <mrow><mo>(</mo><mn>{order}</mn><mo>)</mo></mrow></msup>"
            ),
        }
    }

    /// The quantile function of the standard normal: Φ⁻¹.
    pub(crate) fn normal_quantile() -> Function {
        Function {
            text: "Φ⁻¹".to_string(),
            latex: "\\Phi^{-1}".to_string(),
            mathml: "<msup><mi>Φ</mi><mrow><mo>-</mo><mn>1</mn></mrow></msup>".to_string(),
        }
    }

    /// A function with a one-letter name and an optional prefix: σ, ln Φ.
    pub(crate) fn lettered(before: &str, letter: char, command: &str) -> Function {
        match before {
            "" => Function {
                text: letter.to_string(),
                latex: command.to_string(),
                mathml: format!("<mi>{letter}</mi>"),
            },
            _ => Function {
                text: format!("{before} {letter}"),
                latex: format!("\\{before}{command}"),
                mathml: format!("<mi>{before}</mi><mspace width=\"0.1667em\"/><mi>{letter}</mi>"),
            },
        }
    }
}
