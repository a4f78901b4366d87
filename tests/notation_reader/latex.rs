//! Converts LaTeX to text notation, with brackets where LaTeX uses position.

/// The formula as text.
pub fn text_of_latex(latex: &str) -> String {
    let mut reader = Reader { latex: latex.chars().collect(), at: 0 };
    reader.until(&[])
}

struct Reader {
    latex: Vec<char>,
    at: usize,
}

/// Commands that stand for a sign.
const SIGNS: [(&str, &str); 28] = [
    ("odot", "⊙"),
    ("cdot", "·"),
    ("le", " ≤ "),
    ("in", " ∈ "),
    ("land", " ∧ "),
    ("lor", " ∨ "),
    ("sigma", "σ"),
    ("psi", "ψ"),
    ("varphi", "φ"),
    ("Phi", " Φ"),
    ("Gamma", " Γ"),
    ("pi", "π"),
    ("ldots", "…"),
    ("lvert", "|"),
    ("rvert", "|"),
    ("sum", "Σ"),
    ("det", "det "),
    ("biggl", ""),
    ("biggr", ""),
    ("Biggl", ""),
    ("Biggr", ""),
    ("Bigl", ""),
    ("Bigr", ""),
    ("left", ""),
    ("right", ""),
    ("allowbreak", ""),
    ("top", "ᵀ"),
    ("partial", "∂"),
];

impl Reader {
    fn starts(&self, what: &str) -> bool {
        let what: Vec<char> = what.chars().collect();
        self.latex[self.at..].starts_with(&what)
    }

    /// Reads up to one of these marks, and past it.
    fn until(&mut self, marks: &[&str]) -> String {
        let mut text = String::new();
        while self.at < self.latex.len() {
            if let Some(mark) = marks.iter().find(|mark| self.starts(mark)) {
                self.at += mark.chars().count();
                return text;
            }
            let next = self.next(&text);
            text.push_str(&next);
        }
        assert!(marks.is_empty(), "{marks:?} is missing in {}", self.latex.iter().collect::<String>());
        text
    }

    fn group(&mut self) -> String {
        assert!(
            self.starts("{"),
            "a group is missing at {}",
            self.latex[self.at..].iter().collect::<String>()
        );
        self.at += 1;
        self.until(&["}"])
    }

    fn next(&mut self, before: &str) -> String {
        let c = self.latex[self.at];
        self.at += 1;
        match c {
            '\\' => self.command(),
            '^' => {
                let exponent = self.group();
                above(&exponent)
            }
            '_' => below(&self.group()),
            // e is the number only before its exponent.
            'e' if self.starts("^") && !before.ends_with(char::is_alphabetic) => {
                self.at += 1;
                format!("exp({})", self.group())
            }
            ' ' if before.ends_with(' ') || before.is_empty() => String::new(),
            c => c.to_string(),
        }
    }

    fn command(&mut self) -> String {
        let first = self.latex[self.at];
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            return match first {
                // A thin space between factors; after a comma it is none of them.
                ',' => "·".to_string(),
                ';' => String::new(),
                c => c.to_string(),
            };
        }
        let name: String = self.latex[self.at..].iter().take_while(|c| c.is_ascii_alphabetic()).collect();
        self.at += name.len();
        // TeX skips the space after a command.
        if self.starts(" ") {
            self.at += 1;
        }
        match name.as_str() {
            "frac" => {
                let (over, under) = (self.group(), self.group());
                format!("(({over})/({under}))")
            }
            "sqrt" => format!("√({})", self.group()),
            "mathrm" | "operatorname" | "text" => self.group(),
            "begin" => {
                let environment = self.group();
                self.table(&environment)
            }
            name => match SIGNS.iter().find(|(command, _)| *command == name) {
                Some((_, sign)) => sign.to_string(),
                None => name.to_string(),
            },
        }
    }

    fn table(&mut self, environment: &str) -> String {
        let end = format!("\\end{{{environment}}}");
        let mut rows = vec![vec![String::new()]];
        while !self.starts(&end) {
            if self.starts("\\\\") {
                self.at += 2;
                rows.push(vec![String::new()]);
            } else if self.starts("&") {
                self.at += 1;
                rows.last_mut().unwrap().push(String::new());
            } else {
                let cell = rows.last().unwrap().last().unwrap().clone();
                let next = self.next(&cell);
                rows.last_mut().unwrap().last_mut().unwrap().push_str(&next);
            }
        }
        self.at += end.chars().count();
        // A matrix brings its brackets.
        if environment == "cases" {
            table(environment, &rows)
        } else {
            format!("({})", table(environment, &rows))
        }
    }
}

/// A matrix by rows, or a choice.
pub fn table(environment: &str, rows: &[Vec<String>]) -> String {
    if environment == "cases" {
        let (last, cases) = rows.split_last().expect("a choice has cases");
        let case = |row: &Vec<String>| {
            format!("{} if {}, ", row[0].trim(), row[1].trim().trim_start_matches("if").trim())
        };
        return format!("{{{}else {}}}", cases.iter().map(case).collect::<String>(), last[0].trim());
    }
    let rows: Vec<String> =
        rows.iter().map(|row| row.iter().map(|cell| cell.trim()).collect::<Vec<_>>().join(", ")).collect();
    format!("[{}]", rows.join("; "))
}

/// What stands above the line, in text.
pub fn above(exponent: &str) -> String {
    let exponent = exponent.trim();
    if exponent == "ᵀ" {
        return exponent.to_string();
    }
    if let Some(order) = exponent.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
        && order.chars().all(|c| c.is_ascii_digit())
    {
        return format!("⁽{}⁾", above(order));
    }
    let small = |c: char| match c {
        '-' => Some('⁻'),
        c => c.to_digit(10).map(|d| ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][d as usize]),
    };
    match exponent.chars().map(small).collect::<Option<String>>() {
        Some(small) if !exponent.is_empty() => small,
        _ => format!("^({exponent})"),
    }
}

/// What stands below the line: an index, letters, or several places.
pub fn below(index: &str) -> String {
    let index = index.replace(['·', '{', '}'], "");
    if index.contains([':', '[', '(']) {
        let places = index.replace("::", ":").replace(':', "‥");
        // A colon alone stands for all rows or columns.
        let sides: Vec<String> =
            split(&places).into_iter().map(|side| if side == "‥" { ":".to_string() } else { side }).collect();
        let inside = sides.join(", ");
        return if index.starts_with('[') && sides.len() == 1 { inside } else { format!("[{inside}]") };
    }
    index
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| match c {
            'i' => 'ᵢ',
            'j' => 'ⱼ',
            c => c.to_digit(10).map_or(c, |digit| char::from_u32(0x2080 + digit).unwrap()),
        })
        .collect()
}

/// The sides of a block, split at the comma that no bracket holds.
fn split(places: &str) -> Vec<String> {
    let (mut depth, mut sides) = (0, vec![String::new()]);
    for c in places.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            sides.push(String::new());
        } else {
            sides.last_mut().unwrap().push(c);
        }
    }
    sides.into_iter().map(|side| side.trim().to_string()).collect()
}
