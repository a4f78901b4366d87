//! Operators that act on each element by itself.

use std::f64::consts::FRAC_1_SQRT_2;

use super::array::{Array, Elements, assembled};
use super::call::{Call, Result};
use super::cases::{self, Cases};
use crate::tape::{Binary, Condition, Op, Var, select};

/// A function of one number.
pub(super) fn unary<'t>(
    call: &Call<'_, 't>,
    function: impl Fn(Var<'t>) -> Var<'t>,
) -> Result<Vec<Array<'t>>> {
    let dims = call.operand(0)?.dims.clone();
    Ok(call.recorded(dims, function(call.var(0)?)))
}

/// A function of one number, of which whole numbers have one too.
pub(super) fn signed<'t>(
    call: &Call<'_, 't>,
    function: impl Fn(Var<'t>) -> Var<'t>,
    whole: impl Fn(i64) -> Option<i64>,
    known: impl Fn(f64) -> f64,
) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let elements = match &operand.elements {
        Elements::Numbers(values) => Elements::Numbers(values.iter().map(|value| known(*value)).collect()),
        Elements::Recorded(_) => return unary(call, function),
        _ => {
            let cases = operand.cases().ok_or_else(|| call.wrong("truth values have no such function"))?;
            let zero = Cases::known(vec![0; operand.count()]);
            of_cases(cases.combine(&zero, |value, _| whole(value)), call)?
        }
    };
    Ok(vec![Array::new(operand.dims.clone(), elements)])
}

/// Whole numbers, as known ones where only one case is left.
fn of_cases<'t>(found: Option<Cases<'t>>, call: &Call<'_, 't>) -> Result<Elements<'t>> {
    let mut found = found.ok_or_else(|| {
        call.refuse(format!(
            "whole numbers that overflow, are divided by 0, or depend on the input in more than {} cases",
            cases::MOST
        ))
    })?;
    Ok(match found.0.len() {
        1 => Elements::Integers(found.0.swap_remove(0).values),
        _ => Elements::Cases(found),
    })
}

/// A function of two numbers.
pub(super) fn binary<'t>(
    call: &Call<'_, 't>,
    function: impl Fn(Var<'t>, Var<'t>) -> Var<'t>,
    whole: impl Fn(i64, i64) -> Option<i64>,
) -> Result<Vec<Array<'t>>> {
    let result = pair(call, call.operand(0)?, call.operand(1)?, &function, &whole)?;
    Ok(vec![result])
}

/// A function of any number of numbers, two by two.
pub(super) fn fold<'t>(
    call: &Call<'_, 't>,
    function: impl Fn(Var<'t>, Var<'t>) -> Var<'t>,
    whole: impl Fn(i64, i64) -> Option<i64>,
) -> Result<Array<'t>> {
    let mut result = call.operand(0)?.clone();
    for k in 1..call.operands.len() {
        result = pair(call, &result, call.operand(k)?, &function, &whole)?;
    }
    Ok(result)
}

/// A function of two tensors, which are broadcast.
pub(super) fn pair<'t>(
    call: &Call<'_, 't>,
    a: &Array<'t>,
    b: &Array<'t>,
    function: &impl Fn(Var<'t>, Var<'t>) -> Var<'t>,
    whole: &impl Fn(i64, i64) -> Option<i64>,
) -> Result<Array<'t>> {
    let dims = call.broadcast(&a.dims, &b.dims)?;
    if a.is_float() != b.is_float() {
        return Err(call.wrong(format!("the operands are {} and {}", a.kind(), b.kind())));
    }
    if dims.contains(&0) {
        return call.spread(if a.count() == 0 { a } else { b }, &dims);
    }
    if !a.is_float() {
        let whole_numbers = |array: &Array<'t>| {
            let spread = call.spread(array, &dims)?;
            spread.cases().ok_or_else(|| call.wrong(format!("operands are {}", array.kind())))
        };
        let found = whole_numbers(a)?.combine(&whole_numbers(b)?, whole);
        return Ok(Array::new(dims, of_cases(found, call)?));
    }
    // Whole numbers stay known, without rounding: masks that are computed from one another.
    if let Some(numbers) = exactly(call, a, b, &dims, whole)? {
        return Ok(Array::new(dims, Elements::Numbers(numbers)));
    }
    if let Some(kept) = neutral(call, a, b) {
        return call.spread(kept, &dims);
    }
    let [a, b] = spread_both(call, a, b, &dims)?;
    Ok(Array::new(dims, Elements::Recorded(function(a, b))))
}

/// The operand that is the result because the other one is 1 as a factor, or 0 as a summand.
fn neutral<'a, 't>(call: &Call<'_, 't>, a: &'a Array<'t>, b: &'a Array<'t>) -> Option<&'a Array<'t>> {
    let all = |array: &Array<'t>, number: f64| match &array.elements {
        Elements::Numbers(values) => values.iter().all(|value| *value == number),
        _ => false,
    };
    let (commutes, number) = match call.node.op_type.as_str() {
        "Mul" => (true, 1.0),
        "Div" => (false, 1.0),
        "Add" => (true, 0.0),
        "Sub" => (false, 0.0),
        _ => return None,
    };
    match () {
        () if all(b, number) => Some(a),
        () if commutes && all(a, number) => Some(b),
        () => None,
    }
}

/// Both as nodes of one shape, or a scalar, which the tape broadcasts.
pub(super) fn spread_both<'t>(
    call: &Call<'_, 't>,
    a: &Array<'t>,
    b: &Array<'t>,
    dims: &[usize],
) -> Result<[Var<'t>; 2]> {
    let spread = |array: &Array<'t>, other: &Array<'t>| {
        let array = match array.count() {
            1 if other.count() > 1 => array.clone(),
            _ => call.spread(array, dims)?,
        };
        array.var(call.tape).map_err(|reason| call.wrong(reason))
    };
    Ok([spread(a, b)?, spread(b, a)?])
}

/// The result for known whole numbers, which are small enough to be exact.
fn exactly<'t>(
    call: &Call<'_, 't>,
    a: &Array<'t>,
    b: &Array<'t>,
    dims: &[usize],
    whole: &impl Fn(i64, i64) -> Option<i64>,
) -> Result<Option<Vec<f64>>> {
    const LARGEST: f64 = 2147483648.0;
    let small = |array: &Array<'t>| -> Result<Option<Vec<i64>>> {
        let spread = call.spread(array, dims)?;
        let Elements::Numbers(values) = &spread.elements else { return Ok(None) };
        let exact = values.iter().all(|value| value.fract() == 0.0 && value.abs() < LARGEST);
        Ok(exact.then(|| values.iter().map(|value| *value as i64).collect()))
    };
    // The quotient of whole numbers is one only sometimes, and `whole` rounds.
    if matches!(call.node.op_type.as_str(), "Div" | "Pow" | "Mod") || !(a.is_known() && b.is_known()) {
        return Ok(None);
    }
    let (Some(a), Some(b)) = (small(a)?, small(b)?) else { return Ok(None) };
    Ok(a.iter().zip(&b).map(|(a, b)| whole(*a, *b).map(|value| value as f64)).collect())
}

/// The remainder with the sign of the divisor, or with that of the dividend as in C.
pub(super) fn remainder<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let like_c = call.int("fmod", 0) != 0;
    let whole = |a: i64, b: i64| {
        let rest = a.checked_rem(b)?;
        Some(if !like_c && rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
    };
    if call.operand(0)?.is_float() {
        return Err(call.refuse(JUMPS));
    }
    binary(call, |a, _| a, whole)
}

/// Why roundings of data are not read.
pub(super) const JUMPS: &str =
    "it jumps, so that no map with it is continuous; audit the map without it, between its jumps";

/// aᵇ: with a whole number b a product, otherwise defined for a > 0.
pub(super) fn power<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let (base, exponent) = (call.operand(0)?, call.operand(1)?);
    let dims = call.broadcast(&base.dims, &exponent.dims)?;
    if !base.is_float() {
        let whole = |a: i64, b: i64| a.checked_pow(u32::try_from(b).ok()?);
        return binary(call, |a, _| a, whole);
    }
    let spread = call.spread(base, &dims)?;
    let exponents = call.spread(exponent, &dims)?;
    let exponents: Vec<f64> = match &exponents.elements {
        Elements::Numbers(values) => values.clone(),
        Elements::Integers(values) => values.iter().map(|value| *value as f64).collect(),
        _ => {
            let [a, b] = spread_both(call, base, exponent, &dims)?;
            return Ok(call.recorded(dims, a.pow(b)));
        }
    };
    let var = spread.var(call.tape).map_err(|reason| call.wrong(reason))?;
    let raised = |var: Var<'t>, exponent: f64| match exponent {
        0.0 => call.tape.constants(var.shape(), &vec![1.0; var.len()]),
        1.0 => var,
        0.5 => var.sqrt(),
        _ if exponent.fract() == 0.0 && exponent.abs() < 1e6 => var.powi(exponent as i32),
        _ => var.pow(exponent),
    };
    let mut different: Vec<f64> = Vec::new();
    for exponent in &exponents {
        if !different.contains(exponent) {
            different.push(*exponent);
        }
    }
    if let [one] = different[..] {
        return Ok(call.recorded(dims, raised(var, one)));
    }
    // The elements of one exponent together.
    let (mut parts, mut places) = (Vec::new(), vec![(0, 0); exponents.len()]);
    for (part, exponent) in different.iter().enumerate() {
        let of: Vec<usize> = (0..exponents.len()).filter(|e| exponents[*e] == *exponent).collect();
        of.iter().enumerate().for_each(|(k, e)| places[*e] = (part, k));
        let chosen = spread.picked(&of, vec![of.len()]);
        let chosen = chosen.var(call.tape).map_err(|reason| call.wrong(reason))?;
        parts.push(Array::new(vec![of.len()], Elements::Recorded(raised(chosen, *exponent))));
    }
    Ok(vec![assembled(call.tape, &parts, &places, dims).map_err(|reason| call.wrong(reason))?])
}

/// An ordering of two numbers.
#[derive(Clone, Copy)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

/// a < b and its like.
pub(super) fn compare<'t>(call: &Call<'_, 't>, relation: Relation) -> Result<Vec<Array<'t>>> {
    let (a, b) = (call.operand(0)?, call.operand(1)?);
    let dims = call.broadcast(&a.dims, &b.dims)?;
    let holds = |order: std::cmp::Ordering| match relation {
        Relation::Less => order.is_lt(),
        Relation::LessOrEqual => order.is_le(),
        Relation::Greater => order.is_gt(),
        Relation::GreaterOrEqual => order.is_ge(),
        Relation::Equal => order.is_eq(),
    };
    if dims.contains(&0) {
        return Ok(vec![Array::new(dims, Elements::Truths(Vec::new()))]);
    }
    let [wide_a, wide_b] = [call.spread(a, &dims)?, call.spread(b, &dims)?];
    let elements = match (&wide_a.elements, &wide_b.elements) {
        (Elements::Numbers(a), Elements::Numbers(b)) => {
            Elements::Truths(a.iter().zip(b).map(|(a, b)| a.partial_cmp(b).is_some_and(holds)).collect())
        }
        (Elements::Truths(a), Elements::Truths(b)) => {
            Elements::Truths(a.iter().zip(b).map(|(a, b)| holds(a.cmp(b))).collect())
        }
        (Elements::Integers(a), Elements::Integers(b)) => {
            Elements::Truths(a.iter().zip(b).map(|(a, b)| holds(a.cmp(b))).collect())
        }
        (Elements::Cases(a), Elements::Integers(b)) => {
            Elements::Conditions(a.condition(call.tape, &dims, |e, value| holds(value.cmp(&b[e]))))
        }
        (Elements::Integers(a), Elements::Cases(b)) => {
            Elements::Conditions(b.condition(call.tape, &dims, |e, value| holds(a[e].cmp(&value))))
        }
        (Elements::Numbers(values), Elements::Recorded(_))
        | (Elements::Recorded(_), Elements::Numbers(values))
            if values.iter().any(|value| value.is_infinite()) =>
        {
            return Err(call.refuse("a comparison with an infinite number; compare with a finite one"));
        }
        _ if a.is_float() && b.is_float() => {
            let [a, b] = spread_both(call, a, b, &dims)?;
            Elements::Conditions(match relation {
                Relation::Less => a.lt(b),
                Relation::LessOrEqual => a.le(b),
                Relation::Greater => a.gt(b),
                Relation::GreaterOrEqual => a.ge(b),
                Relation::Equal => a.le(b).and(a.ge(b)),
            })
        }
        _ => return Err(call.refuse(format!("{} and {} are compared", a.kind(), b.kind()))),
    };
    Ok(vec![Array::new(dims, elements)])
}

/// Truth values of two.
pub(super) fn logical<'t>(
    call: &Call<'_, 't>,
    known: impl Fn(bool, bool) -> bool,
    recorded: impl Fn(Condition<'t>, Condition<'t>) -> Condition<'t>,
) -> Result<Vec<Array<'t>>> {
    let (a, b) = (call.operand(0)?, call.operand(1)?);
    let dims = call.broadcast(&a.dims, &b.dims)?;
    if dims.contains(&0) {
        return Ok(vec![Array::new(dims, Elements::Truths(Vec::new()))]);
    }
    let [a, b] = [call.spread(a, &dims)?, call.spread(b, &dims)?];
    let elements = match (&a.elements, &b.elements) {
        (Elements::Truths(a), Elements::Truths(b)) => {
            Elements::Truths(a.iter().zip(b).map(|(a, b)| known(*a, *b)).collect())
        }
        _ => {
            let condition = |array: &Array<'t>| {
                array
                    .condition(call.tape)
                    .ok_or_else(|| call.wrong(format!("an operand is {}", array.kind())))
            };
            Elements::Conditions(recorded(condition(&a)?, condition(&b)?))
        }
    };
    Ok(vec![Array::new(dims, elements)])
}

/// Truth values turned round.
pub(super) fn not<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let elements = match &operand.elements {
        Elements::Truths(values) => Elements::Truths(values.iter().map(|value| !value).collect()),
        _ => Elements::Conditions(call.condition(0)?.negate()),
    };
    Ok(vec![Array::new(operand.dims.clone(), elements)])
}

/// One of two by a condition.
pub(super) fn choose<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let (condition, then, otherwise) = (call.operand(0)?, call.operand(1)?, call.operand(2)?);
    let dims = call.broadcast(&condition.dims, &call.broadcast(&then.dims, &otherwise.dims)?)?;
    let [condition, then, otherwise] =
        [call.spread(condition, &dims)?, call.spread(then, &dims)?, call.spread(otherwise, &dims)?];
    if dims.contains(&0) {
        return Ok(vec![then]);
    }
    if let Elements::Truths(values) = &condition.elements {
        let places: Vec<(usize, usize)> =
            values.iter().enumerate().map(|(e, holds)| (usize::from(!holds), e)).collect();
        let result = if values.iter().all(|holds| *holds) {
            then
        } else if !values.contains(&true) {
            otherwise
        } else {
            assembled(call.tape, &[then, otherwise], &places, dims).map_err(|reason| call.wrong(reason))?
        };
        return Ok(vec![result]);
    }
    let holds = condition
        .condition(call.tape)
        .ok_or_else(|| call.wrong(format!("the condition is {}", condition.kind())))?;
    if then.is_float() && otherwise.is_float() {
        let [then, otherwise] = [&then, &otherwise].map(|array| array.var(call.tape));
        let [then, otherwise] = [then, otherwise].map(|var| var.map_err(|reason| call.wrong(reason)));
        let (then, otherwise) = (then?, otherwise?);
        let [then, otherwise] = [beyond(holds, then, true), beyond(holds, otherwise, false)];
        return Ok(call.recorded(dims, select(holds, then, otherwise)));
    }
    let branches = (then.condition(call.tape), otherwise.condition(call.tape));
    if let (Some(then), Some(otherwise)) = branches {
        let chosen = holds.and(then).or(holds.negate().and(otherwise));
        return Ok(vec![Array::new(dims, Elements::Conditions(chosen))]);
    }
    let (Some(then), Some(otherwise)) = (then.cases(), otherwise.cases()) else {
        return Err(call.wrong(format!("it chooses between {} and {}", then.kind(), otherwise.kind())));
    };
    // c·a + (1 - c)·b, exactly.
    let chosen = Cases::of(holds);
    let product = |a: i64, b: i64| Some(if a == 0 { 0 } else { b });
    let first = chosen.combine(&then, product);
    let one = Cases::known(vec![1; chosen.0[0].values.len()]);
    let rest = one.combine(&chosen, |one, holds| Some(one - holds));
    let second = rest.and_then(|rest| rest.combine(&otherwise, product));
    let sum = first.zip(second).and_then(|(first, second)| first.combine(&second, i64::checked_add));
    Ok(vec![Array::new(dims, of_cases(sum, call)?)])
}

/// A branch that is what the condition compares, as the number that it is where the branch is taken: of a > c ? a : b the first
/// branch is max(a, c) there. So bounds know what the condition says, as of a softplus that is a from a = 20 on.
fn beyond<'t>(condition: Condition<'t>, branch: Var<'t>, taken: bool) -> Var<'t> {
    let tape = branch.tape();
    let node = tape.node(condition.var().id());
    let (Op::Binary(Binary::Less | Binary::LessEq), [low, high]) = (&node.op, &node.operands[..]) else {
        return branch;
    };
    let (low, high) = (tape.var(*low), tape.var(*high));
    match (branch.id() == low.id(), branch.id() == high.id()) {
        (true, false) if taken => branch.min(high),
        (true, false) => branch.max(high),
        (false, true) if taken => branch.max(low),
        (false, true) => branch.min(low),
        _ => branch,
    }
}

/// Another type of elements.
pub(super) fn cast<'t>(call: &Call<'_, 't>, to: Kind) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let elements = match (&operand.elements, to) {
        (Elements::Numbers(_) | Elements::Recorded(_), Kind::Float)
        | (Elements::Integers(_) | Elements::Cases(_), Kind::Whole)
        | (Elements::Truths(_) | Elements::Conditions(_), Kind::Truth) => operand.elements.clone(),
        (Elements::Integers(values), Kind::Float) => {
            Elements::Numbers(values.iter().map(|value| *value as f64).collect())
        }
        (Elements::Truths(values), Kind::Float) => {
            Elements::Numbers(values.iter().map(|value| f64::from(u8::from(*value))).collect())
        }
        (Elements::Truths(values), Kind::Whole) => {
            Elements::Integers(values.iter().map(|value| i64::from(*value)).collect())
        }
        (Elements::Numbers(values), Kind::Whole) => {
            Elements::Integers(values.iter().map(|value| *value as i64).collect())
        }
        (Elements::Numbers(values), Kind::Truth) => {
            Elements::Truths(values.iter().map(|value| *value != 0.0).collect())
        }
        (Elements::Integers(values), Kind::Truth) => {
            Elements::Truths(values.iter().map(|value| *value != 0).collect())
        }
        (Elements::Conditions(condition), Kind::Float) => Elements::Recorded(condition.var()),
        (Elements::Conditions(condition), Kind::Whole) => Elements::Cases(Cases::of(*condition)),
        (Elements::Cases(cases), Kind::Float) => Elements::Recorded(cases.numbers(call.tape, &operand.dims)),
        (Elements::Cases(cases), Kind::Truth) => {
            Elements::Conditions(cases.condition(call.tape, &operand.dims, |_, value| value != 0))
        }
        (Elements::Recorded(_), Kind::Whole | Kind::Truth) => return Err(call.refuse(JUMPS)),
    };
    Ok(vec![Array::new(operand.dims.clone(), elements)])
}

/// What elements are.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Float,
    Whole,
    Truth,
}

/// That a number is infinite or none: over the real numbers, in which a recording is meant, none is.
pub(super) fn never<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let elements = match &operand.elements {
        Elements::Numbers(values) => Elements::Truths(match call.node.op_type.as_str() {
            "IsNaN" => values.iter().map(|value| value.is_nan()).collect(),
            _ => values.iter().map(|value| value.is_infinite()).collect(),
        }),
        _ => Elements::Truths(vec![false; operand.count()]),
    };
    Ok(vec![Array::new(operand.dims.clone(), elements)])
}

/// x·Φ(x).
pub(super) fn gelu<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    match call.text("approximate", "none").as_str() {
        "none" => unary(call, |x| 0.5 * x * (1.0 + (x * FRAC_1_SQRT_2).erf())),
        other => Err(call.refuse(format!("approximate = {other}; export it as the exact function"))),
    }
}

/// Rectifiers: x above 0, and a function of x below.
pub(super) fn rectified<'t>(
    call: &Call<'_, 't>,
    above: impl Fn(Var<'t>) -> Var<'t>,
    below: impl Fn(Var<'t>) -> Var<'t>,
) -> Result<Vec<Array<'t>>> {
    unary(call, |x| select(x.lt(0.0), below(x), above(x)))
}

/// x·slope below 0.
pub(super) fn prelu<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let dims = call.operand(0)?.dims.clone();
    let slope = call.spread(call.operand(1)?, &dims)?.var(call.tape).map_err(|reason| call.wrong(reason))?;
    unary(call, |x| select(x.lt(0.0), slope * x, x))
}

/// Between two limits.
pub(super) fn clip<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let limit = |k: usize, name: &str| -> Result<Option<Array<'t>>> {
        let Some(array) = call.optional(k) else {
            let number = || Array::new(vec![], Elements::Numbers(vec![call.float(name, 0.0)]));
            return Ok(call.has(name).then(number));
        };
        Ok(Some(array.clone()))
    };
    let unlimited = |array: &Array<'t>| match &array.elements {
        Elements::Numbers(values) => values.iter().any(|value| value.is_infinite()),
        _ => false,
    };
    let mut result = operand.clone();
    if let Some(low) = limit(1, "min")?.filter(|low| !unlimited(low)) {
        result = pair(call, &result, &low, &|x, low| x.max(low), &|a, b| Some(a.max(b)))?;
    }
    if let Some(high) = limit(2, "max")?.filter(|high| !unlimited(high)) {
        result = pair(call, &result, &high, &|x, high| x.min(high), &|a, b| Some(a.min(b)))?;
    }
    Ok(vec![result])
}

/// x·tanh(ln(1 + eˣ)).
pub(super) fn mish<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    unary(call, |x| x * x.softplus().tanh())
}

/// (x - mean)/√(variance + ε)·scale + shift, with stored statistics.
pub(super) fn batch_normalisation<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    if call.int("training_mode", 0) != 0 {
        return Err(call.refuse("in training it mixes the rows of a batch; export the model after .eval()"));
    }
    let dims = call.operand(0)?.dims.clone();
    let x = call.var(0)?;
    let along = |k: usize| {
        let array = call.operand(k)?;
        let mut shape = vec![1; dims.len()];
        if dims.len() < 2 || array.dims != [dims[1]] {
            return Err(call.wrong(format!("shapes {dims:?} and {:?} do not fit", array.dims)));
        }
        shape[1] = dims[1];
        let spread = call.spread(&array.reshaped(shape), &dims)?;
        spread.var(call.tape).map_err(|reason| call.wrong(reason))
    };
    let (scale, shift, mean, variance) = (along(1)?, along(2)?, along(3)?, along(4)?);
    let epsilon = call.float("epsilon", 1e-5);
    Ok(call.recorded(dims, (x - mean) / (variance + epsilon).sqrt() * scale + shift))
}

/// ½(ln(1 + x) - ln(1 - x)).
pub(super) fn artanh<'t>(x: Var<'t>) -> Var<'t> {
    0.5 * (x.ln_1p() - (-x).ln_1p())
}

/// ln(x + √(x² - 1)), for x > 1.
pub(super) fn arcosh<'t>(x: Var<'t>) -> Var<'t> {
    (x + (x * x - 1.0).sqrt()).ln()
}
