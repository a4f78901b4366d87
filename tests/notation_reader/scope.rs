//! The values of the names in a formula.

use std::collections::HashMap;

use super::evaluate::Reader;
use super::value::Value;

/// What names stand for.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub(super) names: HashMap<String, Value>,
    pub(super) functions: HashMap<String, fn(f64) -> f64>,
}

impl Scope {
    pub fn with(mut self, name: &str, value: Value) -> Scope {
        self.set(name, value);
        self
    }

    /// Sets a name; `p0` may also be written p₀.
    pub fn set(&mut self, name: &str, value: Value) {
        let below = |c: char| c.to_digit(10).map_or(c, |digit| char::from_u32(0x2080 + digit).unwrap());
        let plain = name.chars().skip(1).all(|c| c.is_ascii_digit());
        if plain && name.len() > 1 {
            self.names.insert(name.chars().map(below).collect(), value.clone());
        }
        self.names.insert(name.to_string(), value);
    }

    /// A function of one number that is no function of the reader's.
    pub fn function(mut self, name: &str, function: fn(f64) -> f64) -> Scope {
        self.functions.insert(name.to_string(), function);
        self
    }

    /// Works out `formula`; for an equation `name = formula` the name is set.
    pub fn read(&mut self, line: &str) -> Result<Value, String> {
        let (name, formula) = match line.split_once(" = ") {
            Some((name, formula)) => (Some(name), formula),
            None => (None, line),
        };
        let value = self.evaluate(formula).map_err(|error| format!("{error}\n  in {line}"))?;
        if let Some(name) = name {
            self.set(name, value.clone());
        }
        Ok(value)
    }

    /// Works out a formula for entry (i, j), counted from 0.
    pub fn read_entry(&self, formula: &str, (i, j): (usize, usize)) -> Result<f64, String> {
        let scope =
            self.clone().with("i", Value::scalar((i + 1) as f64)).with("j", Value::scalar((j + 1) as f64));
        let value = scope.evaluate_at(formula, HashMap::from([('i', i), ('j', j)]))?;
        Ok(value.numbers[0])
    }

    fn evaluate(&self, formula: &str) -> Result<Value, String> {
        self.evaluate_at(formula, HashMap::new())
    }

    fn evaluate_at(&self, formula: &str, index: HashMap<char, usize>) -> Result<Value, String> {
        let mut reader = Reader { scope: self, formula: formula.chars().collect(), at: 0, index };
        let value = reader.condition()?;
        match reader.rest() {
            "" => Ok(value),
            rest => Err(format!("{rest:?} is left over")),
        }
    }
}
