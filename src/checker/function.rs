//! The operations of one to three scalars: a row each, with the name that certificates have for it, how many scalars it
//! takes, and what its value is computed by.
//!
//! What each means is asked question by question, as section 4.3 of DESIGN.md argues it: where its value lies in
//! `range.rs`, its derivative in `slope.rs`, its limits in `limit.rs`. These matches are exhaustive.

macro_rules! functions {
    ($($variant:ident $(($index:ty))? $name:literal $arity:literal $by:ident;)*) => {
        /// A function of one to three scalars.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Function {
            $($variant $(($index))?,)*
        }

        impl Function {
            /// The function of this name; some have a number, which stands after the colon.
            pub fn named(name: &str, extra: &[&str]) -> Option<Function> {
                match name {
                    $($name => Some(Function::$variant $((extra.first()?.parse::<$index>().ok()?))?),)*
                    _ => None,
                }
            }

            pub fn arity(self) -> usize {
                match self {
                    $(Function::$variant { .. } => $arity,)*
                }
            }

            fn computed_by(self) -> By {
                match self {
                    $(Function::$variant { .. } => By::$by,)*
                }
            }
        }
    };
}

/// What a value is computed by.
#[derive(PartialEq)]
enum By {
    Arithmetic,
    Series,
}

impl Function {
    /// Whether its value takes a series, not an operation of arithmetic.
    pub fn is_elementary(self) -> bool {
        self.computed_by() == By::Series
    }
}

functions! {
    Neg "neg" 1 Arithmetic;
    Recip "recip" 1 Arithmetic;
    Exp "exp" 1 Series;
    Ln "ln" 1 Series;
    ExpM1 "exp_m1" 1 Series;
    Ln1p "ln_1p" 1 Series;
    Tanh "tanh" 1 Series;
    Sech2 "sech_squared" 1 Series;
    Sigmoid "sigmoid" 1 Series;
    Softplus "softplus" 1 Series;
    Sin "sin" 1 Series;
    Cos "cos" 1 Series;
    Sqrt "sqrt" 1 Arithmetic;
    Abs "abs" 1 Arithmetic;
    Sign "sign" 1 Arithmetic;
    Erf "erf" 1 Series;
    Sinh "sinh" 1 Series;
    Cosh "cosh" 1 Series;
    Asinh "asinh" 1 Series;
    AsinhSlope "asinh_slope" 1 Series;
    AtanPi "atan_pi" 1 Series;
    TanPi "tan_pi" 1 Series;
    NormalCdf "normal_cdf" 1 Series;
    NormalQuantile "normal_quantile" 1 Series;
    LnNormalCdf "ln_normal_cdf" 1 Series;
    InverseMills(u32) "inverse_mills" 1 Series;
    LnGamma "ln_gamma" 1 Series;
    Polygamma(u32) "polygamma" 1 Series;
    Powi(i32) "powi" 1 Arithmetic;
    Add "add" 2 Arithmetic;
    Sub "sub" 2 Arithmetic;
    Mul "mul" 2 Arithmetic;
    Div "div" 2 Arithmetic;
    Pow "pow" 2 Series;
    LogAddExp "log_add_exp" 2 Series;
    Min "min" 2 Arithmetic;
    Max "max" 2 Arithmetic;
    Less "less" 2 Arithmetic;
    LessEq "less_eq" 2 Arithmetic;
    Select "select" 3 Arithmetic;
}
