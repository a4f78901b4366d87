//! Operations on one to three scalars, by their names in certificates.

/// A function of one to three scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Function {
    Neg,
    Recip,
    Exp,
    Ln,
    ExpM1,
    Ln1p,
    Tanh,
    Sech2,
    Sigmoid,
    Softplus,
    Sin,
    Cos,
    Sqrt,
    Abs,
    Sign,
    Erf,
    Sinh,
    Cosh,
    Asinh,
    AsinhSlope,
    LnNormalCdf,
    InverseMills(u32),
    LnGamma,
    Polygamma(u32),
    Powi(i32),
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Less,
    LessEq,
    Select,
}

impl Function {
    pub fn named(name: &str, extra: &[&str]) -> Option<Function> {
        use Function as F;
        Some(match name {
            "neg" => F::Neg,
            "recip" => F::Recip,
            "exp" => F::Exp,
            "ln" => F::Ln,
            "exp_m1" => F::ExpM1,
            "ln_1p" => F::Ln1p,
            "tanh" => F::Tanh,
            "sech_squared" => F::Sech2,
            "sigmoid" => F::Sigmoid,
            "softplus" => F::Softplus,
            "sin" => F::Sin,
            "cos" => F::Cos,
            "sqrt" => F::Sqrt,
            "abs" => F::Abs,
            "sign" => F::Sign,
            "erf" => F::Erf,
            "sinh" => F::Sinh,
            "cosh" => F::Cosh,
            "asinh" => F::Asinh,
            "ln_normal_cdf" => F::LnNormalCdf,
            "asinh_slope" => F::AsinhSlope,
            "inverse_mills" => F::InverseMills(extra.first()?.parse().ok()?),
            "ln_gamma" => F::LnGamma,
            "polygamma" => F::Polygamma(extra.first()?.parse().ok()?),
            "powi" => F::Powi(extra.first()?.parse().ok()?),
            "add" => F::Add,
            "sub" => F::Sub,
            "mul" => F::Mul,
            "div" => F::Div,
            "pow" => F::Pow,
            "min" => F::Min,
            "max" => F::Max,
            "less" => F::Less,
            "less_eq" => F::LessEq,
            "select" => F::Select,
            _ => return None,
        })
    }

    /// Returns whether its value takes a series rather than an arithmetic operation.
    pub fn is_elementary(self) -> bool {
        use Function as F;
        !matches!(
            self,
            F::Neg | F::Recip | F::Sqrt | F::Abs | F::Sign | F::Powi(_) | F::Add | F::Sub | F::Mul | F::Div
        ) && !matches!(self, F::Min | F::Max | F::Less | F::LessEq | F::Select)
    }

    pub fn arity(self) -> usize {
        use Function as F;
        match self {
            F::Add | F::Sub | F::Mul | F::Div | F::Pow | F::Min | F::Max | F::Less | F::LessEq => 2,
            F::Select => 3,
            _ => 1,
        }
    }
}
