//! Derivations as HTML pages with MathML.
//!
//! Browsers render MathML, so the page needs no script and loads nothing. They break lines between formulas,
//! not within one: a sum is therefore written as one formula for each term, and a formula that is still too
//! wide scrolls in its own box.

use super::{Derivation, Line, Matrix, Prose, Span};
use crate::typeset::Formula;
pub use crate::typeset::html_words as escape;

/// Maximum number of characters in a row of a matrix.
const LINE: usize = 74;

/// The style sheet of a page of formulas.
pub const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fffefb;--ink:#1d1c1a;--soft:#68645c;--rule:#e4dfd5;--accent:#8b3d14}
@media (prefers-color-scheme:dark){:root{--paper:#17181b;--ink:#e9e7e2;--soft:#a19d95;--rule:#34363b;--accent:#e5a878}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:1.0625rem/1.6 Charter,'Bitstream Charter','Iowan Old Style',Georgia,serif;-webkit-text-size-adjust:100%}
main{max-width:50rem;margin:0 auto;padding:clamp(1rem,5vw,3.5rem) clamp(1rem,4vw,2rem) 4rem}
h1{font-size:clamp(1.4rem,5vw,1.9rem);line-height:1.25;margin:0 0 1.5rem;padding-bottom:.75rem;
border-bottom:2px solid var(--accent);font-weight:600}
h2{font-size:1.2rem;line-height:1.3;margin:2.2rem 0 .5rem;font-weight:600;color:var(--accent)}
h3{font-size:1.02rem;line-height:1.3;margin:1.5rem 0 .35rem;font-weight:600}
p{margin:.5rem 0;overflow-wrap:break-word}
math{font-family:'Latin Modern Math','STIX Two Math','Cambria Math',math;font-size:1.08em}
mtd{padding:.25em .5em}
.formula{margin:.45rem 0;padding:.15rem 0 .15rem calc(clamp(.75rem,4vw,2rem) + 1.6em);text-indent:-1.6em;
overflow-x:auto;overflow-y:hidden}
.formula math{text-indent:0}
.cases mtd{text-align:left}
.step{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;column-gap:1.5rem;
margin:.3rem 0;padding-left:clamp(1.25rem,7vw,4rem)}
.step .formula{margin:0;padding-left:1.6em;max-width:100%}
.by{color:var(--soft);font-size:.9em;margin:0 0 0 auto;max-width:100%;overflow-x:auto;overflow-y:hidden}
.by b{font:600 .92em ui-sans-serif,system-ui,sans-serif}
code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media print{:root{--paper:#fff;--ink:#000;--soft:#444;--rule:#ccc;--accent:#000}
body{font-size:10.5pt}main{max-width:none;padding:0}h2,h3{break-after:avoid}
.formula,.step{break-inside:avoid;overflow:visible}@page{margin:20mm}}
";

impl Derivation {
    /// Returns the derivation as a complete HTML page: MathML, no scripts, nothing loaded, light and dark,
    /// for screens and paper.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let html = derive(&Elementwise::new(Transform::Exp, 2))?.html();
    /// assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    /// assert!(html.contains("<math") && !html.contains("<script"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn html(&self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
             <body>\n<main>\n<h1>{}</h1>\n{}</main>\n</body>\n</html>\n",
            escape(&self.title.to_string()),
            sentence(&self.title),
            self.html_sections(2)
        )
    }

    /// Returns the sections without the style sheet, for a page that has it; headings start at this level.
    pub fn html_sections(&self, level: usize) -> String {
        let mut page = String::new();
        for section in &self.sections {
            let heading = format!("h{}", level + section.level);
            page.push_str(&format!("<section>\n<{heading}>{}</{heading}>\n", words(&section.heading)));
            for line in &section.lines {
                match line {
                    Line::Prose(prose) => page.push_str(&format!("<p>{}</p>\n", sentence(prose))),
                    Line::Formula(formula) => page.push_str(&displayed(formula)),
                    Line::Step { formula, rule, statement } => page.push_str(&format!(
                        "<div class=\"step\">\n{}<p class=\"by\">by <b>{}</b>: {}</p>\n</div>\n",
                        displayed(formula),
                        words(rule),
                        sentence(statement)
                    )),
                    Line::Matrix(matrix) => set(&mut page, matrix),
                }
            }
            page.push_str("</section>\n");
        }
        page
    }

    /// The title, with its formulas.
    pub fn html_title(&self) -> String {
        sentence(&self.title)
    }
}

/// Returns a displayed formula, in parts between which the browser may break the line.
pub fn displayed(formula: &Formula) -> String {
    let (mut parts, mut from) = (String::new(), 0);
    // Keeps a lone name from being a line of its own.
    const LEAST: usize = 12;
    let ends = formula.breaks.iter().filter(|place| !place.in_product && place.before >= LEAST);
    let ends = ends.map(|place| place.at);
    for end in ends.chain([formula.mathml.len()]).filter(|end| *end > 0) {
        let part = &formula.mathml[from..end];
        if from == 0 {
            parts.push_str(&format!("<math displaystyle=\"true\">{part}</math>"));
        } else {
            // An operator at the start of a part still stands between two terms.
            let part = part.replacen("<mo>", "<mo form=\"infix\">", usize::from(part.starts_with("<mo>")));
            parts.push_str(&format!("<wbr/><math displaystyle=\"true\">{part}</math>"));
        }
        from = end;
    }
    format!("<div class=\"formula\">{parts}</div>\n")
}

fn display(mathml: &str) -> String {
    format!("<div class=\"formula\"><math displaystyle=\"true\">{mathml}</math></div>\n")
}

fn sentence(prose: &Prose) -> String {
    let span = |span: &Span| match span {
        Span::Words(text) => words(text),
        Span::Formula(formula) => format!("<math>{}</math>", formula.mathml),
    };
    prose.0.iter().map(span).collect()
}

/// Converts words; text between backquotes becomes code.
pub fn words(text: &str) -> String {
    let part = |(k, part): (usize, &str)| match k % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    };
    text.split('`').enumerate().map(part).collect()
}

/// Writes a matrix as a whole, or entry by entry if it would be too wide.
fn set(page: &mut String, matrix: &Matrix) {
    let widths = matrix.widths(|entry| entry.width);
    if widths.iter().map(|width| width + 2).sum::<usize>() > LINE {
        for (name, value) in matrix.equations() {
            let mut equation = name.clone();
            equation.mathml.push_str("<mo>=</mo>");
            let (offset, width) = (equation.mathml.len(), equation.width + 2);
            equation.breaks = value.breaks.iter().map(|place| place.after(offset, width)).collect();
            equation.mathml.push_str(&value.mathml);
            equation.width = width + value.width;
            page.push_str(&displayed(&equation));
        }
        if matrix.has_zeros() {
            page.push_str("<p>The other entries are 0.</p>\n");
        }
        return;
    }
    let row = |row: &[super::Entry]| {
        let cells: String = row.iter().map(|entry| format!("<mtd>{}</mtd>", entry.value.mathml)).collect();
        format!("<mtr>{cells}</mtr>")
    };
    let rows: String = matrix.entries.chunks(matrix.columns.max(1)).map(row).collect();
    page.push_str(&display(&format!(
        "{}<mo>=</mo><mrow><mo form=\"prefix\">(</mo><mtable \
         displaystyle=\"true\">{rows}</mtable><mo form=\"postfix\">)</mo></mrow>",
        matrix.name.mathml
    )));
}
