//! Python expressions, with how tightly they bind.

/// How tightly the outermost operation of an expression binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Binding {
    /// `a < b`
    Comparison,
    /// `a + b`
    Sum,
    /// `a * b`, `a / b`, `a @ b`
    Product,
    /// `-a`
    Sign,
    /// `a**3`
    Power,
    /// A name, a number, a call.
    Atom,
}

/// A Python expression.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub text: String,
    pub binding: Binding,
    /// Where all elements are one number: that number, as an expression of shape ().
    pub scalar: Option<Box<Expression>>,
    /// Whether it is a truth value and not a number.
    pub truth: bool,
}

impl Expression {
    pub fn new(text: impl Into<String>, binding: Binding) -> Expression {
        Expression { text: text.into(), binding, scalar: None, truth: false }
    }

    pub fn atom(text: impl Into<String>) -> Expression {
        Expression::new(text, Binding::Atom)
    }

    pub fn with_scalar(mut self, scalar: Expression) -> Expression {
        self.scalar = Some(Box::new(scalar));
        self
    }

    /// A number, so that Python reads back the same double.
    pub fn number(value: f64) -> Expression {
        if value.is_nan() {
            return Expression::atom("jnp.nan");
        }
        let size = match value.abs() {
            f64::INFINITY => "jnp.inf".to_string(),
            size => format!("{size:?}"),
        };
        match value.is_sign_negative() {
            true => Expression::new(format!("-{size}"), Binding::Sign),
            false => Expression::atom(size),
        }
    }

    /// The text, in brackets if it binds less tightly than this.
    pub fn within(&self, least: Binding) -> String {
        if self.binding < least { format!("({})", self.text) } else { self.text.clone() }
    }

    /// `name(a, b)`
    pub fn call(name: &str, operands: &[&Expression]) -> Expression {
        let operands: Vec<&str> = operands.iter().map(|operand| operand.text.as_str()).collect();
        Expression::atom(format!("{name}({})", operands.join(", ")))
    }
}
