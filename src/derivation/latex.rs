//! Derivations as LaTeX documents.
//!
//! Formulas are paragraphs in display style, indented and ragged right, so that TeX breaks them at operators.
//! The name of a rule is set to the right of its step if there is room, otherwise below it.

use super::{Derivation, Line, Matrix, Prose, Span};
use crate::typeset::latex_words;

/// Maximum width of a matrix in characters.
const WIDEST: usize = 76;

const PREAMBLE: &str = r"% Compile with pdflatex or xelatex.
\documentclass[11pt]{article}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage{amsmath,amssymb}
\setcounter{MaxMatrixCols}{20}
\setlength{\parindent}{0pt}
\setlength{\parskip}{3pt plus 1pt}
\setlength{\lineskiplimit}{3pt}
\setlength{\lineskip}{5pt}
\emergencystretch=3em
\binoppenalty=200
\relpenalty=100
\pagestyle{plain}
\makeatletter
\renewcommand\section{\@startsection{section}{1}{0pt}{-2.6ex plus -1ex}{0.7ex}{\normalfont\large\bfseries}}
\renewcommand\subsection{\@startsection{subsection}{2}{0pt}{-1.8ex plus -1ex}{0.4ex}{\normalfont\normalsize\bfseries}}
\makeatother
% A formula on a line of its own; lines after the first are indented.
\newcommand{\formula}[1]{\par{\leftskip=2em\rightskip=0pt plus 1fil\hangindent=2em\hangafter=1
  $\displaystyle #1$\par}}
% A formula with its rule at the right, on the same line if there is room.
\newcommand{\step}[2]{\par{\leftskip=4em\rightskip=0pt plus 1fil\hangindent=2em\hangafter=1\parfillskip=0pt
  $\displaystyle #1$\unskip\nobreak\hfill\penalty50\hskip2em\hbox{}\nobreak\hfill
  {\small\itshape by\/ \upshape #2}\par}}
\newcommand{\rulename}[1]{\textsf{#1}}
";

impl Derivation {
    /// Returns the derivation as a LaTeX document that compiles without changes, with pdflatex and with
    /// xelatex.
    ///
    /// It is ASCII and uses amsmath, amssymb and geometry.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let latex = derive(&Elementwise::new(Transform::Exp, 2))?.latex();
    /// assert!(latex.starts_with("% Compile with pdflatex or xelatex.\n\\documentclass"));
    /// assert!(latex.contains(r"\formula{\ln\lvert \det J\rvert  = \sum_{i} z_{i}}"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn latex(&self) -> String {
        let mut page = PREAMBLE.to_string();
        page.push_str("\\begin{document}\n");
        page.push_str(&format!(
            "{{\\LARGE\\bfseries\\raggedright {}\\par}}\n\\vspace{{2ex}}\n",
            sentence(&self.title)
        ));
        for section in &self.sections {
            let heading = if section.level == 0 { "section" } else { "subsection" };
            page.push_str(&format!("\n\\{heading}*{{{}}}\n", words(&section.heading)));
            for line in &section.lines {
                page.push_str(&match line {
                    Line::Prose(prose) => format!("{}\\par\n", sentence(prose)),
                    Line::Formula(formula) => format!("\\formula{{{}}}\n", breakable(&formula.latex)),
                    Line::Step { formula, rule, statement } => format!(
                        "\\step{{{}}}{{\\rulename{{{}}}: {}}}\n",
                        breakable(&formula.latex),
                        words(rule),
                        sentence(statement)
                    ),
                    Line::Matrix(matrix) => set(matrix),
                });
            }
        }
        page.push_str("\\end{document}\n");
        page
    }
}

/// Allows a line break between two factors, with a penalty.
fn breakable(formula: &str) -> String {
    formula.replace(" \\, ", " \\,\\penalty700 ")
}

fn sentence(prose: &Prose) -> String {
    let span = |span: &Span| match span {
        Span::Words(text) => words(text),
        Span::Formula(formula) => format!("${}$", formula.latex),
    };
    prose.0.iter().map(span).collect()
}

/// Converts words; text between backquotes becomes code.
fn words(text: &str) -> String {
    let part = |(k, part): (usize, &str)| match k % 2 {
        0 => latex_words(part),
        _ => format!("\\texttt{{{}}}", latex_words(part)),
    };
    text.split('`').enumerate().map(part).collect()
}

/// Writes a matrix as a whole if it fits on the line, otherwise entry by entry.
fn set(matrix: &Matrix) -> String {
    let widths = matrix.widths(|entry| entry.width);
    if widths.iter().map(|width| width + 2).sum::<usize>() > WIDEST {
        let mut lines: String = matrix
            .equations()
            .map(|(name, value)| format!("\\formula{{{} = {}}}\n", name.latex, breakable(&value.latex)))
            .collect();
        if matrix.has_zeros() {
            lines.push_str("The other entries are 0.\\par\n");
        }
        return lines;
    }
    let row = |row: &[super::Entry]| {
        let cells: Vec<String> =
            row.iter().map(|entry| format!("\\displaystyle {}", entry.value.latex)).collect();
        cells.join(" & ")
    };
    let rows: Vec<String> = matrix.entries.chunks(matrix.columns.max(1)).map(row).collect();
    let table = rows.join(" \\\\[4pt]\n  ");
    format!("\\formula{{{} = \\begin{{pmatrix}}\n  {table}\n\\end{{pmatrix}}}}\n", matrix.name.latex)
}
