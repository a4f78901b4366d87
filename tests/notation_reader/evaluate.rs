//! Evaluates formulas in text notation, by recursive descent.

use std::collections::HashMap;

use statrs::distribution::ContinuousCDF;

use super::scope::Scope;
use super::value::Value;

pub(super) struct Reader<'a> {
    pub(super) scope: &'a Scope,
    pub(super) formula: Vec<char>,
    pub(super) at: usize,
    pub(super) index: HashMap<char, usize>,
}

const BELOW: &str = "₀₁₂₃₄₅₆₇₈₉";
const ABOVE: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";

impl Reader<'_> {
    pub(super) fn rest(&self) -> &'static str {
        let rest: String = self.formula[self.at..].iter().collect();
        Box::leak(rest.trim().to_string().into_boxed_str())
    }

    fn peek(&self) -> Option<char> {
        self.formula.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let start = self.at;
        self.space();
        let sign: Vec<char> = sign.chars().collect();
        if self.formula[self.at..].starts_with(&sign) {
            self.at += sign.len();
            return true;
        }
        self.at = start;
        false
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(format!("{sign:?} is missing before {:?}", self.rest())) }
    }

    /// Relations, the loosest of all.
    pub(super) fn condition(&mut self) -> Result<Value, String> {
        let mut left = self.sum()?;
        loop {
            let truth = |holds: bool| f64::from(u8::from(holds));
            left = if self.takes("<") {
                left.zip(&self.sum()?, |a, b| truth(a < b))?
            } else if self.takes("≤") {
                left.zip(&self.sum()?, |a, b| truth(a <= b))?
            } else if self.takes("∧") {
                left.zip(&self.sum()?, f64::min)?
            } else if self.takes("∨") {
                left.zip(&self.sum()?, f64::max)?
            } else {
                return Ok(left);
            };
        }
    }

    fn sum(&mut self) -> Result<Value, String> {
        let mut sum = if self.takes("-") { self.product()?.map(|x| -x) } else { self.product()? };
        loop {
            sum = if self.takes("+") {
                sum.zip(&self.product()?, |a, b| a + b)?
            } else if self.takes("-") {
                sum.zip(&self.product()?, |a, b| a - b)?
            } else {
                return Ok(sum);
            };
        }
    }

    fn product(&mut self) -> Result<Value, String> {
        self.space();
        if matches!(self.peek(), Some('Σ' | '∏')) {
            return self.total();
        }
        let mut product = self.power()?;
        loop {
            product = if self.takes("·") {
                let right =
                    if self.rest().starts_with(['Σ', '∏']) { self.product()? } else { self.power()? };
                product.product(&right)?
            } else if self.takes("⊙") {
                product.zip(&self.power()?, |a, b| a * b)?
            } else if self.takes("/") {
                product.zip(&self.power()?, |a, b| a / b)?
            } else {
                return Ok(product);
            };
        }
    }

    /// Σ over letters: the body is read for each index until one is too large.
    fn total(&mut self) -> Result<Value, String> {
        let sums = self.peek() == Some('Σ');
        self.at += 1;
        let letters: Vec<char> = self.formula[self.at..]
            .iter()
            .map_while(|c| match c {
                'ᵢ' => Some('i'),
                'ⱼ' => Some('j'),
                _ => None,
            })
            .collect();
        self.at += letters.len();
        self.space();
        let start = self.at;
        let Some(first) = letters.first() else {
            return Ok(Value::scalar(self.power()?.numbers.iter().sum()));
        };
        let mut terms = Vec::new();
        let mut end = None;
        for i in 0..64 {
            self.index.insert(*first, i);
            let mut row = Vec::new();
            for j in 0..if letters.len() == 2 { 64 } else { 1 } {
                self.at = start;
                if let Some(second) = letters.get(1) {
                    self.index.insert(*second, j);
                }
                match self.product() {
                    Ok(term) => {
                        row.push(term.numbers[0]);
                        end = Some(self.at);
                    }
                    Err(error) if error.starts_with("out of range") => break,
                    Err(error) => return Err(error),
                }
            }
            if row.is_empty() {
                break;
            }
            if i == 63 {
                return Err("unbounded: a sum without an index".to_string());
            }
            terms.extend(row);
        }
        letters.iter().for_each(|letter| {
            self.index.remove(letter);
        });
        self.at = end.ok_or("a sum of nothing")?;
        Ok(Value::scalar(if sums { terms.iter().sum() } else { terms.iter().product() }))
    }

    fn power(&mut self) -> Result<Value, String> {
        let mut base = self.atom()?;
        loop {
            let exponent: String = self.formula[self.at..]
                .iter()
                .map_while(|c| match c {
                    '⁻' => Some('-'),
                    c => ABOVE.chars().position(|digit| digit == *c).map(|d| char::from(b'0' + d as u8)),
                })
                .collect();
            if !exponent.is_empty() {
                self.at += exponent.chars().count();
                let k: i32 = exponent.parse().map_err(|_| format!("{exponent} is no exponent"))?;
                base = if base.is_matrix && k == -1 { base.inverse()?.0 } else { base.map(|x| x.powi(k)) };
            } else if self.peek() == Some('ᵀ') {
                self.at += 1;
                base = base.transposed();
            } else if self.peek() == Some('^') {
                self.at += 1;
                base = base.zip(&self.atom()?, f64::powf)?;
            } else {
                return Ok(base);
            }
        }
    }

    /// A name, a number, a call or something in brackets, with the indices that hang on it.
    fn atom(&mut self) -> Result<Value, String> {
        self.space();
        let mut value = match self.peek().ok_or("the formula ends too soon")? {
            '√' => {
                self.at += 1;
                self.atom()?.map(f64::sqrt)
            }
            '(' if self.takes("(φ/Φ)⁽¹⁾") || self.takes("(φ/ Φ)⁽¹⁾") => self.own("(φ/Φ)⁽¹⁾")?,
            '(' => self.listed()?,
            '[' => self.table()?,
            '{' => self.choice()?,
            '|' => self.bars()?.map(f64::abs),
            c if c.is_ascii_digit() => self.number()?,
            _ => self.named()?,
        };
        loop {
            value = match self.peek() {
                Some('[') => self.part(&value)?,
                Some('ᵢ' | 'ⱼ') => self.lettered(&value)?,
                Some(c) if BELOW.contains(c) => self.element(&value)?,
                _ => return Ok(value),
            };
        }
    }

    fn bars(&mut self) -> Result<Value, String> {
        self.expect("|")?;
        let value = if self.takes("det") {
            let matrix = self.power()?;
            Value::scalar(matrix.inverse()?.1)
        } else {
            self.sum()?
        };
        self.expect("|")?;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        while let Some(c) = self.peek() {
            let exponent = self.formula.get(self.at.wrapping_sub(1)) == Some(&'e');
            if c.is_ascii_digit() || c == '.' || c == 'e' || (c == '-' && exponent) {
                self.at += 1
            } else {
                break;
            }
        }
        let digits: String = self.formula[start..self.at].iter().collect();
        digits.parse().map(Value::scalar).map_err(|_| format!("{digits} is no number"))
    }

    fn arguments(&mut self) -> Result<Vec<Value>, String> {
        self.expect("(")?;
        let mut arguments = vec![self.condition()?];
        while self.takes(",") {
            arguments.push(self.condition()?);
        }
        self.expect(")")?;
        Ok(arguments)
    }

    /// (a) or (a, b): vectors are joined.
    fn listed(&mut self) -> Result<Value, String> {
        let parts = self.arguments()?;
        match parts.as_slice() {
            [only] => Ok(only.clone()),
            _ => Ok(Value::vector(parts.into_iter().flat_map(|part| part.numbers).collect())),
        }
    }

    fn table(&mut self) -> Result<Value, String> {
        self.expect("[")?;
        let (mut rows, mut numbers) = (1, Vec::new());
        loop {
            numbers.push(self.sum()?.numbers[0]);
            if self.takes(";") {
                rows += 1;
            } else if !self.takes(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(Value::matrix(rows, numbers.len() / rows, numbers))
    }

    /// {a if c, b if d, else e}: the first whose condition holds.
    fn choice(&mut self) -> Result<Value, String> {
        self.expect("{")?;
        let mut cases = Vec::new();
        while !self.takes("else ") {
            let then = self.condition()?;
            self.expect("if ")?;
            cases.push((then, self.condition()?));
            self.expect(",")?;
        }
        let mut chosen = self.condition()?;
        self.expect("}")?;
        for (then, condition) in cases.iter().rev() {
            let taken = condition.zip(then, |c, a| if c == 0.0 { 0.0 } else { a })?;
            let left = condition.zip(&chosen, |c, b| if c == 0.0 { b } else { 0.0 })?;
            chosen = taken.zip(&left, |a, b| a + b)?;
        }
        Ok(chosen)
    }

    fn named(&mut self) -> Result<Value, String> {
        let start = self.at;
        let part = |c: char| c.is_alphanumeric() && !BELOW.contains(c) || matches!(c, '.' | '_');
        while self.peek().is_some_and(|c| part(c) && !"ᵢⱼᵀ⁰¹²³⁴⁵⁶⁷⁸⁹".contains(c)) {
            self.at += 1;
        }
        let word: String = self.formula[start..self.at].iter().collect();
        // The subscript is part of a name if there is such a name.
        let below: String = self.formula[self.at..].iter().take_while(|c| BELOW.contains(**c)).collect();
        if let Some(value) = self.scope.names.get(&format!("{word}{below}")) {
            self.at += below.chars().count();
            return Ok(value.clone());
        }
        if let Some(value) = self.scope.names.get(&word) {
            return Ok(value.clone());
        }
        self.function(&word)
    }

    fn function(&mut self, word: &str) -> Result<Value, String> {
        if word == "π" {
            return Ok(Value::scalar(std::f64::consts::PI));
        }
        if word == "ln" && (self.takes("Φ") || self.takes("Γ")) {
            let letter = self.formula[self.at - 1];
            return self.own(&format!("ln {letter}"));
        }
        if word == "ln" && self.rest().starts_with('|') {
            return Ok(self.bars()?.map(|x| x.abs().ln()));
        }
        if word == "det" {
            return Ok(Value::scalar(self.power()?.inverse()?.1));
        }
        if word == "Φ" && self.takes("⁻¹") {
            let normal = statrs::distribution::Normal::standard();
            return Ok(self.arguments()?[0].map(|p| normal.inverse_cdf(p)));
        }
        if word == "ψ" {
            self.expect("⁽¹⁾")?;
            return self.own("ψ⁽¹⁾");
        }
        if word.is_empty() {
            return Err(format!("nothing to read in {:?}", self.rest()));
        }
        let arguments = self.arguments()?;
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        let sign = |x: f64| if x == 0.0 { 0.0 } else { x.signum() };
        let a = &arguments[0];
        Ok(match (word, arguments.len()) {
            ("exp", 1) => a.map(f64::exp),
            ("expm", 1) => {
                // The power series of A/2¹⁰, squared ten times.
                let (small, mut term) = (a.map(|x| x / 1024.0), Value::identity(a.rows));
                let mut sum = term.clone();
                for k in 1..20 {
                    term = term.product(&small)?.map(|x| x / f64::from(k));
                    sum = sum.zip(&term, |a, b| a + b)?;
                }
                for _ in 0..10 {
                    sum = sum.product(&sum)?;
                }
                sum
            }
            // Numbers added up at these positions.
            ("scatter", 2) => {
                let places: Vec<usize> = arguments[1].numbers.iter().map(|place| *place as usize).collect();
                let mut sums = vec![0.0; places.iter().copied().max().unwrap_or(0)];
                places.iter().zip(&a.numbers).for_each(|(place, value)| sums[place - 1] += value);
                Value::vector(sums)
            }
            ("ln", 1) => a.map(f64::ln),
            ("tanh", 1) => a.map(f64::tanh),
            ("sinh", 1) => a.map(f64::sinh),
            ("cosh", 1) => a.map(f64::cosh),
            ("φ", 1) => a.map(|x| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()),
            ("Φ", 1) => a.map(|x| 0.5 * statrs::function::erf::erfc(-x / std::f64::consts::SQRT_2)),
            ("sech", 1) => a.map(|x| x.cosh().recip()),
            ("asinh", 1) => a.map(f64::asinh),
            ("sin", 1) => a.map(f64::sin),
            ("cos", 1) => a.map(f64::cos),
            ("tan", 1) => a.map(f64::tan),
            ("arctan", 1) => a.map(f64::atan),
            ("σ", 1) => a.map(|x| 1.0 / (1.0 + (-x).exp())),
            ("softplus", 1) => a.map(softplus),
            ("sign", 1) => a.map(sign),
            ("min", 2) => a.zip(&arguments[1], f64::min)?,
            ("max", 2) => a.zip(&arguments[1], f64::max)?,
            ("power", 2) => a.zip(&arguments[1], f64::powf)?,
            ("vec", 1) => Value::vector(a.numbers.clone()),
            ("reshape", 3) => Value::matrix(
                arguments[1].numbers[0] as usize,
                arguments[2].numbers[0] as usize,
                a.numbers.clone(),
            ),
            ("diag", 1) if a.is_matrix => {
                Value::vector((0..a.rows.min(a.columns)).map(|i| a.numbers[i * a.columns + i]).collect())
            }
            ("diag", _) => {
                let entries: Vec<f64> = arguments.iter().flat_map(|part| part.numbers.clone()).collect();
                let n = entries.len();
                let entry = |e: usize| if e / n == e % n { entries[e / n] } else { 0.0 };
                Value::matrix(n, n, (0..n * n).map(entry).collect())
            }
            (word, 1) if self.scope.functions.contains_key(word) => a.map(self.scope.functions[word]),
            (word, _) => return Err(format!("unknown: {word}")),
        })
    }

    fn own(&mut self, name: &str) -> Result<Value, String> {
        let function = *self.scope.functions.get(name).ok_or(format!("unknown: {name}"))?;
        Ok(self.arguments()?[0].map(function))
    }

    fn element(&mut self, value: &Value) -> Result<Value, String> {
        let mut indices = vec![String::new()];
        while let Some(c) = self.peek() {
            let next = self.formula.get(self.at + 1).is_some_and(|c| BELOW.contains(*c));
            match BELOW.chars().position(|digit| digit == c) {
                Some(digit) => indices.last_mut().unwrap().push(char::from(b'0' + digit as u8)),
                None if c == ',' && next => indices.push(String::new()),
                None => break,
            }
            self.at += 1;
        }
        let index = |k: usize| indices[k].parse::<usize>().map(|i| i - 1).map_err(|e| e.to_string());
        let e = if indices.len() == 2 { index(0)? * value.columns + index(1)? } else { index(0)? };
        value.numbers.get(e).map(|x| Value::scalar(*x)).ok_or(format!("no element {e} in {value:?}"))
    }

    fn lettered(&mut self, value: &Value) -> Result<Value, String> {
        let mut places = Vec::new();
        while let Some(letter) = self.peek().and_then(|c| match c {
            'ᵢ' => Some('i'),
            'ⱼ' => Some('j'),
            _ => None,
        }) {
            places.push(*self.index.get(&letter).ok_or(format!("{letter} is free"))?);
            self.at += 1;
        }
        let e = match places.as_slice() {
            [row, column] if *column < value.columns => row * value.columns + column,
            [i] => *i,
            _ => usize::MAX,
        };
        value.numbers.get(e).map(|x| Value::scalar(*x)).ok_or("out of range".to_string())
    }

    /// v[2‥3], v[1, 3], A[:, 1], A[(1,1), (2,3)]
    fn part(&mut self, value: &Value) -> Result<Value, String> {
        let (mut depth, start) = (0, self.at + 1);
        let mut sides = vec![String::new()];
        loop {
            let c = self.peek().ok_or("a part without an end")?;
            self.at += 1;
            match c {
                '[' | '(' => depth += 1,
                ']' | ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            if c == ',' && depth == 1 {
                sides.push(String::new());
            } else if self.at > start {
                sides.last_mut().unwrap().push(c);
            }
        }
        let sides: Vec<String> = sides.into_iter().map(|side| side.trim().to_string()).collect();
        if sides.iter().any(|side| side.contains('…')) {
            return Err("unreadable: a list is shortened".to_string());
        }
        let places = |side: &str, all: usize| -> Result<Vec<usize>, String> {
            let number =
                |text: &str| text.trim().parse::<usize>().map(|i| i - 1).map_err(|e| format!("{e}: {text}"));
            let side = side.trim_start_matches('[').trim_end_matches(']');
            match side.split_once('‥') {
                _ if side == ":" => Ok((0..all).collect()),
                Some((first, last)) => Ok((number(first)?..=number(last)?).collect()),
                None => side.split(',').map(number).collect(),
            }
        };
        if sides[0].starts_with('(') {
            let pair = |side: &String| -> Result<f64, String> {
                let pair = places(side.trim_start_matches('(').trim_end_matches(')'), 0)?;
                Ok(value.numbers[pair[0] * value.columns + pair[1]])
            };
            return Ok(Value::vector(sides.iter().map(pair).collect::<Result<_, _>>()?));
        }
        if value.is_matrix && sides.len() == 2 {
            let (rows, columns) = (places(&sides[0], value.rows)?, places(&sides[1], value.columns)?);
            let numbers: Vec<f64> = rows
                .iter()
                .flat_map(|row| columns.iter().map(move |column| row * value.columns + column))
                .map(|e| value.numbers[e])
                .collect();
            return Ok(match rows.len() > 1 && columns.len() > 1 {
                true => Value::matrix(rows.len(), columns.len(), numbers),
                false => Value::vector(numbers),
            });
        }
        let all: Vec<usize> = sides
            .iter()
            .map(|side| places(side, value.numbers.len()))
            .collect::<Result<Vec<_>, _>>()?
            .concat();
        Ok(Value::vector(all.into_iter().map(|e| value.numbers[e]).collect()))
    }
}
