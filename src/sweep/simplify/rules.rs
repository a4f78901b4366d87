//! The rules of the simplifier: one list, each with its name, statement, side condition, proof and laws.
//!
//! A law, `left => right if condition` in the braces of a row, is the rewriting itself, in the language of
//! [`pattern!`](super::pattern::pattern); nothing else says it again. A rule whose left side has any number of terms, or
//! moves data, is applied by an algorithm, whose file stands after `by`. `tests/laws.rs` holds laws, statements and
//! algorithms against numbers.
//!
//! A rule a → b is sound when a = b wherever both are defined and b is defined wherever a is. Conditions are
//! discharged by the bound sweep. A cancellation may fill in a removable singularity (z/z = 1); such a step makes the
//! domain larger and never smaller, and no proof of singularity rests on a simplified program.

use super::law::{Condition, Law};
use super::pattern::{Head, LN_SQRT_TAU, Pattern, pattern};
use crate::tape::{Binary, Unary};

/// One row of the list.
struct Row {
    name: &'static str,
    statement: &'static str,
    condition: &'static str,
    proof: &'static str,
    /// The file of the algorithm, if there is one.
    algorithm: &'static [&'static str],
    laws: &'static [Law],
}

macro_rules! condition {
    () => {
        Condition::Always
    };
    (ExponentNotZero) => {
        Condition::ExponentNotZero
    };
    ($kind:ident a) => {
        Condition::$kind(0)
    };
    ($kind:ident b) => {
        Condition::$kind(1)
    };
    ($kind:ident c) => {
        Condition::$kind(2)
    };
}

macro_rules! rows {
    ($(
        $rule:ident $name:literal: $statement:literal; if $condition:literal; since $proof:literal
        $(; by $algorithm:literal.)?
        $({ $($left:tt => $right:tt $(if $kind:ident $($letter:ident)?)?;)* })?
    )*) => {
        /// What a step of a derivation did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = concat!("`", $statement, "`")] $rule,)*
        }

        const ROWS: &[Row] = &[$(Row {
            name: $name,
            statement: $statement,
            condition: $condition,
            proof: $proof,
            algorithm: &[$($algorithm)?],
            laws: &[$($(Law {
                left: pattern!($left),
                right: pattern!($right),
                condition: condition!($($kind $($letter)?)?),
            }),*)?],
        }),*];

        const RULES: &[Rule] = &[$(Rule::$rule),*];
    };
}

rows! {
    SumCollect "sum-collect": "c·t + d·t = (c + d)·t"; if "c + d is exact"; since "distributivity";
        by "normal.rs: sums in normal form".
    SumCancel "sum-cancel": "t - t = 0"; if "t is defined everywhere, else the domain grows";
        since "a number less itself is 0";
        by "normal.rs: sums in normal form".
    ProductCollect "prod-collect": "bᵐ·bⁿ = bᵐ⁺ⁿ"; if "m and n have one sign, or b ≠ 0, else the domain grows";
        since "counting factors";
        by "normal.rs: products in normal form".
    ProductCancel "prod-cancel": "b·b⁻¹ = 1"; if "b ≠ 0, else the domain grows"; since "definition of b⁻¹";
        by "normal.rs: products in normal form".
    ProductZero "prod-zero": "0·t = 0"; if "t is defined everywhere, else the domain grows";
        since "0 annihilates every real number";
        by "normal.rs: products in normal form".
    ExpSum "exp-sum": "eᵃ·eᵇ = eᵃ⁺ᵇ"; if "-"; since "the functional equation of exp";
        by "normal.rs: products in normal form".
    ExpZero "exp-zero": "e⁰ = 1"; if "-"; since "the empty sum of the series but its first term" {
        (exp 0.0) => 1.0;
    }
    ExpLog "exp-log": "e^(ln a) = a"; if "a > 0, which is the domain of ln"; since "exp inverts ln" {
        (exp (ln a)) => a;
    }
    LogExp "log-exp": "ln|eᵃ| = a"; if "-"; since "eᵃ > 0 and ln inverts exp" {
        (ln |(exp a)|) => a;
        (ln (exp a)) => a;
    }
    LogProduct "log-prod": "ln|a·b| = ln|a| + ln|b|"; if "-";
        since "|a·b| = |a|·|b|; both sides are defined where a·b ≠ 0" {
        (ln |(a * b)|) => ((ln |a|) + (ln |b|));
    }
    LogRecip "log-recip": "ln|1/a| = -ln|a|"; if "-"; since "log-prod with a·(1/a) = 1; both need a ≠ 0" {
        (ln |(1 / a)|) => (- (ln |a|));
        (ln |(a / b)|) => ((ln |a|) - (ln |b|));
    }
    LogPower "log-pow": "ln|aᵏ| = k·ln|a|"; if "k a whole number other than 0, or a > 0; without the bars where that is not proven";
        since "log-prod k times; for k = 0 the left side is 0 and also defined at a = 0" {
        (ln |(a ^ k)|) => (k * (ln |a|)) if ExponentNotZero;
        (ln |(a ^ b)|) => (b * (ln |a|)) if Nonnegative a;
        (ln |(a ^ b)|) => (b * (ln a));
    }
    LogNegate "log-neg": "ln|-a| = ln||a|| = ln|a|"; if "-"; since "|-a| = ||a|| = |a|" {
        (ln |(- a)|) => (ln |a|);
        (ln |(|a|)|) => (ln |a|);
    }
    LogSqrt "log-sqrt": "ln|√a| = ½·ln|a|"; if "a ≥ 0, which is the domain of √; without the bars where it is not proven";
        since "√a·√a = a and log-prod" {
        (ln |(Sqrt a)|) => (0.5 * (ln |a|)) if Nonnegative a;
        (ln |(Sqrt a)|) => (0.5 * (ln a));
    }
    LogOne "log-one": "ln|±1| = 0"; if "-"; since "e⁰ = 1";
        by "logarithm.rs: logarithms of numbers".
    LogSigmoid "log-sigmoid": "ln σ(a) = -softplus(-a)"; if "-"; since "σ(a) = 1/(1 + e⁻ᵃ)" {
        (ln |(Sigmoid a)|) => (- (Softplus (minus a)));
        (ln |((Sigmoid a) * (Sigmoid (- a)))|) => ((- (Softplus a)) - (Softplus (- a)));
        (ln |((Sigmoid (- a)) * (Sigmoid a))|) => ((- (Softplus (- a))) - (Softplus a));
    }
    LogTanhSlope "tanh-deriv": "ln|sech² a| = ln|1 - tanh² a| = 2·(ln 2 - a - softplus(-2a))"; if "-";
        since "sech² a = 1 - tanh² a = 4e⁻²ᵃ/(1 + e⁻²ᵃ)²; ln|1 - tanh² a| is -∞ in f64 from a = 20 on, the right side never" {
        (ln |(SechSquared a)|) => (2.0 * (((ln 2.0) - a) - (Softplus ((-2.0) * a))));
        (ln |(1.0 - ((Tanh a) * (Tanh a)))|) => (2.0 * (((ln 2.0) - a) - (Softplus ((-2.0) * a))));
        (ln |(1.0 - ((Tanh a) ^ 2))|) => (2.0 * (((ln 2.0) - a) - (Softplus ((-2.0) * a))));
    }
    LogCosh "log-cosh": "ln|cosh a| = a + softplus(-2a) - ln 2"; if "-";
        since "cosh a = eᵃ·(1 + e⁻²ᵃ)/2; the left side is ∞ in f64 from a = 711 on, the right never" {
        (ln |(Cosh a)|) => ((a + (Softplus ((-2.0) * a))) - (ln 2.0));
    }
    LogAsinhSlope "asinh-deriv": "ln|1/√(1 + a²)| = ln 2 - y - softplus(-2y), y = asinh a"; if "-";
        since "√(1 + a²) = cosh y, and log-cosh; the left side is -∞ in f64 from a = 10¹⁵⁴ on, the right never" {
        (ln |(AsinhSlope a)|) => (((ln 2.0) - (Asinh a)) - (Softplus ((-2.0) * (Asinh a))));
    }
    LogInverseMills "log-mills": "ln|φ(a)/Φ(a)| = {ln(φ(a)/Φ(a)) if a < 0, else -½·a² - ln Φ(a) - ½·ln 2π}"; if "-";
        since "φ(a) = exp(-½·a²)/√2π; the first is -∞ in f64 from a = 38 on, the second cancels far below 0" {
        (ln |(InverseMills a)|) => (if (a < 0.0) {(ln (InverseMills a))} else {((((-0.5) * (a * a)) - (LnNormalCdf a)) - LN_SQRT_TAU)});
    }
    LogOnePlus "log-1p": "ln|1 + a| = ln(1 + a)"; if "a > -1"; since "the definition of ln_1p";
        by "logarithm.rs: a sum of which one term is 1".
    LogOneMinusSigmoid "log-1m-sigmoid": "ln(1 - σ(a)) = -softplus(a)"; if "-"; since "1 - σ(a) = 1/(1 + eᵃ)" {
        (Ln1p (- (Sigmoid a))) => (- (Softplus a));
    }
    LogOnePlusTanh "log-1p-tanh": "ln(1 + tanh a) = ln 2 - softplus(-2a)"; if "-";
        since "1 + tanh a = 2/(1 + e⁻²ᵃ); the left side is -∞ in f64 from a = -19 down, the right never" {
        (Ln1p (Tanh a)) => ((ln 2.0) - (Softplus ((-2.0) * a)));
        (Ln1p (- (Tanh a))) => ((ln 2.0) - (Softplus (2.0 * a)));
    }
    ExpM1Softplus "expm1-softplus": "e^(-softplus(a)) - 1 = -σ(a)"; if "-"; since "e^-softplus(a) = 1/(1 + eᵃ) = 1 - σ(a)" {
        (ExpM1 (- (Softplus a))) => (- (Sigmoid a));
    }
    SoftplusPair "softplus-neg": "softplus(a) - softplus(-a) = a"; if "-";
        since "(1 + eᵃ)/(1 + e⁻ᵃ) = eᵃ";
        by "normal.rs: opposite softplus of a sum".
    LogSelect "log-select": "ln|{a if c, else b}| = {ln|a| if c, else ln|b|}"; if "-"; since "case by case";
        by "logarithm.rs: branch by branch".
    LogGather "log-gather": "ln|a[i]| = (ln|a|)[i]"; if "-"; since "ln|·| works element by element";
        by "logarithm.rs: through what moves data".
    LogConcat "log-concat": "ln|(a, b)| = (ln|a|, ln|b|)"; if "-"; since "ln|·| works element by element";
        by "logarithm.rs: part by part".
    CommonFactor "common-factor": "a·b + a·c = a·(b + c)"; if "-"; since "distributivity";
        by "quotient.rs: sums of products".
    QuotientRule "quotient": "u/v + w/v² = (u·v + w)/v², multiplied out and collected"; if "-";
        since "both sides need v ≠ 0; the rest is ring arithmetic, in which b = 1 - a gives a + b = 1";
        by "quotient.rs: sums of products".
    AbsPositive "abs-pos": "|a| = a"; if "a ≥ 0"; since "definition of |·|" {
        (|a|) => a if Nonnegative a;
        (ln |a|) => (ln a) if Positive a;
    }
    AbsNegative "abs-neg": "|a| = -a"; if "a ≤ 0"; since "definition of |·|" {
        (|a|) => (minus a) if Nonpositive a;
    }
    AbsAbs "abs-abs": "||a|| = |-a| = |a|"; if "-"; since "|a| ≥ 0" {
        (|(- a)|) => (|a|);
    }
    SqrtSquare "sqrt-sq": "√(a²) = |a|"; if "-"; since "|a|² = a² and |a| ≥ 0" {
        (Sqrt (a ^ 2)) => (|a|);
        (Sqrt (a * a)) => (|a|);
    }
    InversePair "inverse-pair": "g⁻¹(g(a)) = a"; if "a in the domain of g"; since "definition of the inverse" {
        (Ln1p (ExpM1 a)) => a;
        (ExpM1 (Ln1p a)) => a;
        (Sinh (Asinh a)) => a;
        (Asinh (Sinh a)) => a;
        (TanPi (AtanPi a)) => a;
        (AtanPi (TanPi a)) => a;
        (NormalQuantile (NormalCdf a)) => a;
        (NormalCdf (NormalQuantile a)) => a;
        (Sigmoid ((ln a) - (Ln1p (- a)))) => a;
    }
    SelectSame "select-same": "{a if c, else a} = a"; if "c is defined everywhere, else the domain grows";
        since "both cases agree" {
        (if c {a} else {a}) => a if Defined c;
    }
    SelectConstant "select-const": "{a if true, else b} = a"; if "-"; since "definition of a choice" {
        (if c {a} else {b}) => a if OtherThanZero c;
        (if 0.0 {a} else {b}) => b;
    }
    GatherMoved "gather": "elements of moved data are elements of the data"; if "-";
        since "moving does not compute";
        by "movement.rs: positions put together".
    ConcatGathers "concat-gather": "(a[i], a[j]) = a[i, j]"; if "-"; since "moving does not compute";
        by "movement.rs: positions put together".
    InverseProduct "inverse-product": "A⁻¹·(A·v) = v"; if "A⁻¹ exists, which is the left side's domain";
        since "definition of A⁻¹" {
        (matvec (inverse a) (matvec a b)) => b;
    }
    TransposeTranspose "transpose": "(Aᵀ)ᵀ = A"; if "-"; since "rows and columns change places twice" {
        (transpose (transpose a)) => a;
    }
    SumMoved "sum-parts": "Σ (a, b) = Σ a + Σ b, Σ c = n·c"; if "-"; since "addition is commutative";
        by "movement.rs: part by part".
    SumLinear "sum-linear": "Σ b·vᵢ = b·Σ vᵢ, Σ (uᵢ + vᵢ) = Σ uᵢ + Σ vᵢ"; if "b is the same for all i"; since "distributivity";
        by "linear.rs: what is repeated, before the sum".
    OneMinusSigmoid "1m-sigmoid": "p - p·σ(a) = p·σ(-a)"; if "-";
        since "1 - 1/(1 + e⁻ᵃ) = 1/(1 + eᵃ); the left side is 0 in f64 from a = 37 on" {
        (1.0 - (Sigmoid a)) => (Sigmoid (minus a));
    }
    OnePlusTanh "1p-tanh": "p ± p·tanh a = 2p·σ(±2a)"; if "-"; since "1 + tanh a = 2/(1 + e⁻²ᵃ), and tanh is odd" {
        (1.0 + (Tanh a)) => (2.0 * (Sigmoid (2.0 * a)));
        (1.0 - (Tanh a)) => (2.0 * (Sigmoid ((-2.0) * a)));
    }
    OneMinusTanhSquare "1m-tanh-sq": "p - p·tanh² a = p·sech² a, p - p·sech² a = p·tanh² a"; if "-";
        since "cosh² a - sinh² a = 1" {
        (1.0 - ((Tanh a) ^ 2)) => (SechSquared a);
        (1.0 - (SechSquared a)) => ((Tanh a) ^ 2);
    }
    OnePlusExp "1p-exp": "p + p·eᵃ = p/σ(-a)"; if "-"; since "σ(-a) = 1/(1 + eᵃ), which is never 0";
        by "stable/pair.rs: two products as one".
    OneMinusExp "1m-exp": "p - p·eᵃ = -p·expm1(a)"; if "-"; since "the definition of expm1";
        by "stable/pair.rs: two products as one".
    OnePlusExpM1 "1p-expm1": "p + p·expm1(a) = p·eᵃ, p - p·eᵃ/expm1(a) = -p/expm1(a)"; if "-";
        since "the definition of expm1";
        by "stable/pair.rs: two products as one". {
        (1.0 + (ExpM1 a)) => (exp a);
    }
    ExpSoftplus "exp-softplus": "e^softplus(a) = 1/σ(-a)"; if "-"; since "both are 1 + eᵃ" {
        (ExpM1 (Softplus a)) => (exp a);
    }
    PowerAsExp "1m-pow": "p - p·uᵇ = -p·expm1(b·ln u)"; if "u > 0";
        since "uᵇ = e^(b·ln u); the left side is 0 in f64 where u is next to 1";
        by "stable/pair.rs: two products as one".
    AsinhRoot "asinh-root": "t + √(t² + k) = √k·e^asinh(t/√k)"; if "k > 0";
        since "e^asinh(s) = s + √(s² + 1); the left side is 0 in f64 where t is far below 0";
        by "stable/pair.rs: two products as one".
    LogExpM1 "log-expm1": "ln|eᵃ - 1| = max(a, 0) + ln(1 - e^(-|a|))"; if "-";
        since "eᵃ - 1 = eᵃ·(1 - e⁻ᵃ); both sides need a ≠ 0";
        by "logarithm.rs: by the sign of a".
    SignTimes "sign-abs": "sign(a)·a = |a|"; if "-"; since "definition of sign";
        by "normal.rs: products in normal form".
    OneByOne "1x1": "det (a) = a, (a)⁻¹ = (1/a)"; if "-"; since "definition of the determinant and of the inverse" {
        (inverse a) => (1 / a) if Single a;
    }
    ConstantDeterminant "det-const": "det of a matrix of numbers is a number"; if "no step is rounded";
        since "Laplace's expansion by the first row";
        by "mod.rs: expansion by the first row".
    DeterminantProduct "det-prod": "ln|det (A·B)| = ln|det A| + ln|det B|"; if "A and B square";
        since "the determinant of a product is the product of the determinants" {
        (lndet (matmul a b)) => ((lndet a) + (lndet b)) if Square a;
    }
    DeterminantTranspose "det-transpose": "ln|det Aᵀ| = ln|det A|"; if "-";
        since "Leibniz' sum, by columns instead of rows" {
        (lndet (transpose a)) => (lndet a);
    }
    DeterminantInverse "det-inverse": "ln|det A⁻¹| = -ln|det A|"; if "A⁻¹ exists, which is the left side's domain";
        since "det-prod with A·A⁻¹ = 1" {
        (lndet (inverse a)) => (- (lndet a));
    }
    DeterminantTriangular "det-triangular": "ln|det T| = Σᵢ ln|tᵢᵢ|"; if "T has constant zeros on one side of its diagonal";
        since "Laplace's expansion, row by row";
        by "determinant.rs: structural zeros".
    DeterminantExponential "det-exp": "ln|det exp(A)| = tr A"; if "-";
        since "Liouville: d/dt det exp(tA) = tr A·det exp(tA)";
        by "determinant.rs: the sum of the diagonal".
    DeterminantReflection "det-reflection": "ln|det (1 - (2/vᵀv)·v·vᵀ)| = 0"; if "v ≠ 0, which is the left side's domain";
        since "the eigenvalue of v is -1, those of the vectors orthogonal to it are 1";
        by "determinant.rs: the identity and one outer product".
    DeterminantSkew "det-skew": "ln|det (1 - (A - Aᵀ))| = ln|det (1 + (A - Aᵀ))|"; if "-";
        since "det-transpose: (1 - (A - Aᵀ))ᵀ = 1 + (A - Aᵀ)";
        by "determinant.rs: the identity less a skew-symmetric matrix".
    SqrtQuotient "sqrt-quot": "a/√a = √a"; if "a > 0, else the domain grows"; since "√a·√a = a";
        by "normal.rs: products in normal form".
    DeterminantOfTwo "det-2x2": "det ((a, b), (c, d)) = a·d - b·c"; if "-";
        since "Leibniz' sum";
        by "determinant.rs: written out where that simplifies".
    SineCosine "sin-cos": "p·sin² a + p·cos² a = p"; if "-"; since "Pythagoras";
        by "stable/pair.rs: two products as one".
    ExpM1Tanh "expm1-tanh": "expm1(a)·σ(-a) = tanh(a/2)"; if "-"; since "(eᵃ - 1)/(eᵃ + 1) = tanh(a/2)";
        by "stable/open.rs: two factors as one".
    LogRoot "log-root": "ln(t² + k) = 2·(a + softplus(-2a) - ln 2) + ln k, a = asinh(t/√k)"; if "-";
        since "t² + k = k·cosh² a; only where a cancels";
        by "logarithm.rs: two terms as one".
    LogBars "log-bars": "c·ln|a| + d·ln a = (c + d)·ln a"; if "c + d ≠ 0, else the domain grows";
        since "ln a is defined for a > 0 only, where |a| = a";
        by "logarithm.rs: two terms as one".
    LogQuotients "log-quot": "c·ln u - (c + e)·ln v + e·ln w = c·ln(u/v) + e·ln(w/v)";
        if "v and w positive numbers, w/v exact";
        since "log-prod and log-recip, backwards";
        by "logarithm.rs: a quotient that is computed anyway".
    OnePlusPower "1p-pow": "p + p·uᵏ = p/σ(-k·ln|u|), k < -1"; if "k even, or u > 0"; since "|u|ᵏ = e^(k·ln|u|)";
        by "stable/pair.rs: two products as one".
}

impl Rule {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Rule> {
        RULES.iter().copied()
    }

    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The name that derivations print.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it says.
    pub fn statement(self) -> &'static str {
        self.row().statement
    }

    /// When it may be used.
    pub fn condition(self) -> &'static str {
        self.row().condition
    }

    /// Why it holds.
    pub fn proof(self) -> &'static str {
        self.row().proof
    }

    /// Where an algorithm applies it, of which the row has the statement; none where its laws are all there is.
    pub fn algorithm(self) -> Option<&'static str> {
        self.row().algorithm.first().copied()
    }

    /// What it rewrites, one form a law; none where an algorithm applies it.
    pub fn laws(self) -> &'static [Law] {
        self.row().laws
    }
}
