//! The rules of the simplifier: one list, each with its name, statement, side condition and proof.
//!
//! A rule a → b is sound when a = b wherever both are defined and b is defined wherever a is. Conditions are
//! discharged by the bound sweep. A cancellation may fill in a removable singularity (z/z = 1); such a step makes the
//! domain larger and never smaller, and no proof of singularity rests on a simplified program.

/// What a step of a derivation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// See [`Rule::statement`].
    SumCollect,
    /// See [`Rule::statement`].
    SumCancel,
    /// See [`Rule::statement`].
    ProductCollect,
    /// See [`Rule::statement`].
    ProductCancel,
    /// See [`Rule::statement`].
    ProductZero,
    /// See [`Rule::statement`].
    ExpSum,
    /// See [`Rule::statement`].
    ExpZero,
    /// See [`Rule::statement`].
    ExpLog,
    /// See [`Rule::statement`].
    LogExp,
    /// See [`Rule::statement`].
    LogProduct,
    /// See [`Rule::statement`].
    LogRecip,
    /// See [`Rule::statement`].
    LogPower,
    /// See [`Rule::statement`].
    LogNegate,
    /// See [`Rule::statement`].
    LogSqrt,
    /// See [`Rule::statement`].
    LogOne,
    /// See [`Rule::statement`].
    LogSigmoid,
    /// See [`Rule::statement`].
    LogTanhSlope,
    /// See [`Rule::statement`].
    LogCosh,
    /// See [`Rule::statement`].
    LogAsinhSlope,
    /// See [`Rule::statement`].
    LogInverseMills,
    /// See [`Rule::statement`].
    LogOnePlus,
    /// See [`Rule::statement`].
    LogOneMinusSigmoid,
    /// See [`Rule::statement`].
    LogOnePlusTanh,
    /// See [`Rule::statement`].
    ExpM1Softplus,
    /// See [`Rule::statement`].
    SoftplusPair,
    /// See [`Rule::statement`].
    LogSelect,
    /// See [`Rule::statement`].
    LogGather,
    /// See [`Rule::statement`].
    LogConcat,
    /// See [`Rule::statement`].
    CommonFactor,
    /// See [`Rule::statement`].
    QuotientRule,
    /// See [`Rule::statement`].
    AbsPositive,
    /// See [`Rule::statement`].
    AbsNegative,
    /// See [`Rule::statement`].
    AbsAbs,
    /// See [`Rule::statement`].
    SqrtSquare,
    /// See [`Rule::statement`].
    InversePair,
    /// See [`Rule::statement`].
    SelectSame,
    /// See [`Rule::statement`].
    SelectConstant,
    /// See [`Rule::statement`].
    GatherMoved,
    /// See [`Rule::statement`].
    ConcatGathers,
    /// See [`Rule::statement`].
    InverseProduct,
    /// See [`Rule::statement`].
    TransposeTranspose,
    /// See [`Rule::statement`].
    SumMoved,
    /// See [`Rule::statement`].
    OneMinusSigmoid,
    /// See [`Rule::statement`].
    OnePlusTanh,
    /// See [`Rule::statement`].
    OneMinusTanhSquare,
    /// See [`Rule::statement`].
    OnePlusExp,
    /// See [`Rule::statement`].
    OneMinusExp,
    /// See [`Rule::statement`].
    OnePlusExpM1,
    /// See [`Rule::statement`].
    ExpSoftplus,
    /// See [`Rule::statement`].
    PowerAsExp,
    /// See [`Rule::statement`].
    AsinhRoot,
    /// See [`Rule::statement`].
    LogExpM1,
    /// See [`Rule::statement`].
    SignTimes,
    /// See [`Rule::statement`].
    OneByOne,
    /// See [`Rule::statement`].
    ConstantDeterminant,
    /// See [`Rule::statement`].
    ExpM1Tanh,
    /// See [`Rule::statement`].
    LogRoot,
    /// See [`Rule::statement`].
    OnePlusPower,
}

/// One row of the list.
struct Row {
    rule: Rule,
    name: &'static str,
    statement: &'static str,
    condition: &'static str,
    proof: &'static str,
}

macro_rules! rows {
    ($($rule:ident $name:literal: $statement:literal; if $condition:literal; since $proof:literal.)*) => {
        const ROWS: &[Row] = &[$(Row {
            rule: Rule::$rule,
            name: $name,
            statement: $statement,
            condition: $condition,
            proof: $proof,
        }),*];
    };
}

rows! {
    SumCollect "sum-collect": "c·t + d·t = (c + d)·t"; if "c + d is exact"; since "distributivity".
    SumCancel "sum-cancel": "t - t = 0"; if "t is defined everywhere, else the domain grows";
        since "a number less itself is 0".
    ProductCollect "prod-collect": "bᵐ·bⁿ = bᵐ⁺ⁿ"; if "m and n have one sign, or b ≠ 0, else the domain grows";
        since "counting factors".
    ProductCancel "prod-cancel": "b·b⁻¹ = 1"; if "b ≠ 0, else the domain grows"; since "definition of b⁻¹".
    ProductZero "prod-zero": "0·t = 0"; if "t is defined everywhere, else the domain grows";
        since "0 annihilates every real number".
    ExpSum "exp-sum": "eᵃ·eᵇ = eᵃ⁺ᵇ"; if "-"; since "the functional equation of exp".
    ExpZero "exp-zero": "e⁰ = 1"; if "-"; since "the empty sum of the series but its first term".
    ExpLog "exp-log": "e^(ln a) = a"; if "a > 0, which is the domain of ln"; since "exp inverts ln".
    LogExp "log-exp": "ln|eᵃ| = a"; if "-"; since "eᵃ > 0 and ln inverts exp".
    LogProduct "log-prod": "ln|a·b| = ln|a| + ln|b|"; if "-";
        since "|a·b| = |a|·|b|; both sides are defined where a·b ≠ 0".
    LogRecip "log-recip": "ln|1/a| = -ln|a|"; if "-"; since "log-prod with a·(1/a) = 1; both need a ≠ 0".
    LogPower "log-pow": "ln|aᵏ| = k·ln|a|"; if "k a whole number other than 0, or a > 0; without the bars where that is not proven";
        since "log-prod k times; for k = 0 the left side is 0 and also defined at a = 0".
    LogNegate "log-neg": "ln|-a| = ln||a|| = ln|a|"; if "-"; since "|-a| = ||a|| = |a|".
    LogSqrt "log-sqrt": "ln|√a| = ½·ln|a|"; if "a ≥ 0, which is the domain of √; without the bars where it is not proven";
        since "√a·√a = a and log-prod".
    LogOne "log-one": "ln|±1| = 0"; if "-"; since "e⁰ = 1".
    LogSigmoid "log-sigmoid": "ln σ(a) = -softplus(-a)"; if "-"; since "σ(a) = 1/(1 + e⁻ᵃ)".
    LogTanhSlope "tanh-deriv": "ln|sech² a| = ln|1 - tanh² a| = 2·(ln 2 - a - softplus(-2a))"; if "-";
        since "sech² a = 1 - tanh² a = 4e⁻²ᵃ/(1 + e⁻²ᵃ)²; ln|1 - tanh² a| is -∞ in f64 from a = 20 on, the right side never".
    LogCosh "log-cosh": "ln|cosh a| = a + softplus(-2a) - ln 2"; if "-";
        since "cosh a = eᵃ·(1 + e⁻²ᵃ)/2; the left side is ∞ in f64 from a = 711 on, the right never".
    LogAsinhSlope "asinh-deriv": "ln|1/√(1 + a²)| = ln 2 - y - softplus(-2y), y = asinh a"; if "-";
        since "√(1 + a²) = cosh y, and log-cosh; the left side is -∞ in f64 from a = 10¹⁵⁴ on, the right never".
    LogInverseMills "log-mills": "ln|φ(a)/Φ(a)| = {ln(φ(a)/Φ(a)) if a < 0, else -½·a² - ln Φ(a) - ½·ln 2π}"; if "-";
        since "φ(a) = exp(-½·a²)/√2π; the first is -∞ in f64 from a = 38 on, the second cancels far below 0".
    LogOnePlus "log-1p": "ln|1 + a| = ln(1 + a)"; if "a > -1"; since "the definition of ln_1p".
    LogOneMinusSigmoid "log-1m-sigmoid": "ln(1 - σ(a)) = -softplus(a)"; if "-"; since "1 - σ(a) = 1/(1 + eᵃ)".
    LogOnePlusTanh "log-1p-tanh": "ln(1 + tanh a) = ln 2 - softplus(-2a)"; if "-";
        since "1 + tanh a = 2/(1 + e⁻²ᵃ); the left side is -∞ in f64 from a = -19 down, the right never".
    ExpM1Softplus "expm1-softplus": "e^(-softplus(a)) - 1 = -σ(a)"; if "-"; since "e^-softplus(a) = 1/(1 + eᵃ) = 1 - σ(a)".
    SoftplusPair "softplus-neg": "softplus(a) - softplus(-a) = a"; if "-";
        since "(1 + eᵃ)/(1 + e⁻ᵃ) = eᵃ".
    LogSelect "log-select": "ln|{a if c, else b}| = {ln|a| if c, else ln|b|}"; if "-"; since "case by case".
    LogGather "log-gather": "ln|a[i]| = (ln|a|)[i]"; if "-"; since "ln|·| works element by element".
    LogConcat "log-concat": "ln|(a, b)| = (ln|a|, ln|b|)"; if "-"; since "ln|·| works element by element".
    CommonFactor "common-factor": "a·b + a·c = a·(b + c)"; if "-"; since "distributivity".
    QuotientRule "quotient": "u/v + w/v² = (u·v + w)/v², multiplied out and collected"; if "-";
        since "both sides need v ≠ 0; the rest is ring arithmetic, in which b = 1 - a gives a + b = 1".
    AbsPositive "abs-pos": "|a| = a"; if "a ≥ 0"; since "definition of |·|".
    AbsNegative "abs-neg": "|a| = -a"; if "a ≤ 0"; since "definition of |·|".
    AbsAbs "abs-abs": "||a|| = |-a| = |a|"; if "-"; since "|a| ≥ 0".
    SqrtSquare "sqrt-sq": "√(a²) = |a|"; if "-"; since "|a|² = a² and |a| ≥ 0".
    InversePair "inverse-pair": "g⁻¹(g(a)) = a"; if "a in the domain of g"; since "definition of the inverse".
    SelectSame "select-same": "{a if c, else a} = a"; if "c is defined everywhere, else the domain grows";
        since "both cases agree".
    SelectConstant "select-const": "{a if true, else b} = a"; if "-"; since "definition of a choice".
    GatherMoved "gather": "elements of moved data are elements of the data"; if "-";
        since "moving does not compute".
    ConcatGathers "concat-gather": "(a[i], a[j]) = a[i, j]"; if "-"; since "moving does not compute".
    InverseProduct "inverse-product": "A⁻¹·(A·v) = v"; if "A⁻¹ exists, which is the left side's domain";
        since "definition of A⁻¹".
    TransposeTranspose "transpose": "(Aᵀ)ᵀ = A"; if "-"; since "rows and columns change places twice".
    SumMoved "sum-parts": "Σ (a, b) = Σ a + Σ b, Σ c = n·c"; if "-"; since "addition is commutative".
    OneMinusSigmoid "1m-sigmoid": "p - p·σ(a) = p·σ(-a)"; if "-";
        since "1 - 1/(1 + e⁻ᵃ) = 1/(1 + eᵃ); the left side is 0 in f64 from a = 37 on".
    OnePlusTanh "1p-tanh": "p ± p·tanh a = 2p·σ(±2a)"; if "-"; since "1 + tanh a = 2/(1 + e⁻²ᵃ), and tanh is odd".
    OneMinusTanhSquare "1m-tanh-sq": "p - p·tanh² a = p·sech² a, p - p·sech² a = p·tanh² a"; if "-";
        since "cosh² a - sinh² a = 1".
    OnePlusExp "1p-exp": "p + p·eᵃ = p/σ(-a)"; if "-"; since "σ(-a) = 1/(1 + eᵃ), which is never 0".
    OneMinusExp "1m-exp": "p - p·eᵃ = -p·expm1(a)"; if "-"; since "the definition of expm1".
    OnePlusExpM1 "1p-expm1": "p + p·expm1(a) = p·eᵃ, p - p·eᵃ/expm1(a) = -p/expm1(a)"; if "-";
        since "the definition of expm1".
    ExpSoftplus "exp-softplus": "e^softplus(a) = 1/σ(-a)"; if "-"; since "both are 1 + eᵃ".
    PowerAsExp "1m-pow": "p - p·uᵇ = -p·expm1(b·ln u)"; if "u > 0";
        since "uᵇ = e^(b·ln u); the left side is 0 in f64 where u is next to 1".
    AsinhRoot "asinh-root": "t + √(t² + k) = √k·e^asinh(t/√k)"; if "k > 0";
        since "e^asinh(s) = s + √(s² + 1); the left side is 0 in f64 where t is far below 0".
    LogExpM1 "log-expm1": "ln|eᵃ - 1| = max(a, 0) + ln(1 - e^(-|a|))"; if "-";
        since "eᵃ - 1 = eᵃ·(1 - e⁻ᵃ); both sides need a ≠ 0".
    SignTimes "sign-abs": "sign(a)·a = |a|"; if "-"; since "definition of sign".
    OneByOne "1x1": "det (a) = a, (a)⁻¹ = (1/a)"; if "-"; since "definition of the determinant and of the inverse".
    ConstantDeterminant "det-const": "det of a matrix of numbers is a number"; if "no step is rounded";
        since "Laplace's expansion by the first row".
    ExpM1Tanh "expm1-tanh": "expm1(a)·σ(-a) = tanh(a/2)"; if "-"; since "(eᵃ - 1)/(eᵃ + 1) = tanh(a/2)".
    LogRoot "log-root": "ln(t² + k) = 2·(a + softplus(-2a) - ln 2) + ln k, a = asinh(t/√k)"; if "-";
        since "t² + k = k·cosh² a; only where a cancels".
    OnePlusPower "1p-pow": "p + p·uᵏ = p/σ(-k·ln|u|), k < -1"; if "k even, or u > 0"; since "|u|ᵏ = e^(k·ln|u|)".
}

impl Rule {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Rule> {
        ROWS.iter().map(|row| row.rule)
    }

    fn row(self) -> &'static Row {
        ROWS.iter().find(|row| row.rule == self).expect("every rule has its row")
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_one_row() {
        // The order of the enum and of the list agree, so none is missing and none is double.
        for (number, rule) in Rule::all().enumerate() {
            assert_eq!(rule as usize, number, "{}", rule.name());
        }
        assert_eq!(Rule::all().count(), Rule::OnePlusPower as usize + 1);
    }
}
