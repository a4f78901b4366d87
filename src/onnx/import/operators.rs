//! The operators that are read: one row each.
//!
//! What a row records is the function over the real numbers that the operator denotes; nothing is meant about rounding.

use std::f64::consts::PI;

use super::array::{Array, Elements};
use super::call::{Call, Result};
use super::elementwise::{self as each, JUMPS, Kind, Relation};
use super::movement as moved;
use super::product;
use super::reduction::{self, Reduction};
use super::stored::stored;
use crate::onnx::schema::DataType;
use crate::tape::select;

/// Records what a node means.
///
/// # Errors
/// An operator that is not here, and operands that do not fit.
pub(super) fn apply<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let whole = |function: fn(i64, i64) -> Option<i64>| function;
    match call.node.op_type.as_str() {
        // Arithmetic.
        "Add" => each::binary(call, |a, b| a + b, i64::checked_add),
        "Sub" => each::binary(call, |a, b| a - b, i64::checked_sub),
        "Mul" => each::binary(call, |a, b| a * b, i64::checked_mul),
        "Div" => each::binary(call, |a, b| a / b, i64::checked_div),
        "Mod" => each::remainder(call),
        "Pow" => each::power(call),
        "Neg" => each::signed(call, |x| -x, i64::checked_neg, |x| -x),
        "Abs" => each::signed(call, |x| x.abs(), i64::checked_abs, f64::abs),
        "Sign" => each::unary(call, |x| x.sign()),
        "Reciprocal" => each::unary(call, |x| 1.0 / x),
        "Sum" => Ok(vec![each::fold(call, |a, b| a + b, i64::checked_add)?]),
        "Max" => Ok(vec![each::fold(call, |a, b| a.max(b), whole(|a, b| Some(a.max(b))))?]),
        "Min" => Ok(vec![each::fold(call, |a, b| a.min(b), whole(|a, b| Some(a.min(b))))?]),
        "Mean" => {
            let sum = each::fold(call, |a, b| a + b, |_, _| None)?;
            let total = sum.var(call.tape).map_err(|reason| call.wrong(reason))?;
            Ok(call.recorded(sum.dims, total / call.operands.len() as f64))
        }
        "Floor" | "Ceil" | "Round" => match call.operand(0)?.elements {
            Elements::Recorded(_) => Err(call.refuse(JUMPS)),
            _ => each::signed(
                call,
                |x| x,
                Some,
                match call.node.op_type.as_str() {
                    "Floor" => f64::floor,
                    "Ceil" => f64::ceil,
                    _ => f64::round_ties_even,
                },
            ),
        },

        // Functions.
        "Exp" => each::unary(call, |x| x.exp()),
        "Log" => each::unary(call, |x| x.ln()),
        "Sqrt" => each::unary(call, |x| x.sqrt()),
        "Sin" => each::unary(call, |x| x.sin()),
        "Cos" => each::unary(call, |x| x.cos()),
        "Tan" => each::unary(call, |x| x.sin() / x.cos()),
        "Atan" => each::unary(call, |x| PI * x.atan_pi()),
        "Sinh" => each::unary(call, |x| x.sinh()),
        "Cosh" => each::unary(call, |x| x.cosh()),
        "Tanh" => each::unary(call, |x| x.tanh()),
        "Asinh" => each::unary(call, |x| x.asinh()),
        "Acosh" => each::unary(call, each::arcosh),
        "Atanh" => each::unary(call, each::artanh),
        "Erf" => each::unary(call, |x| x.erf()),
        "Sigmoid" => each::unary(call, |x| x.sigmoid()),
        "Softplus" => each::unary(call, |x| x.softplus()),
        "Softsign" => each::unary(call, |x| x / (1.0 + x.abs())),
        "Gelu" => each::gelu(call),
        "Mish" => each::mish(call),
        "Relu" => each::unary(call, |x| x.max(0.0)),
        "LeakyRelu" => {
            let slope = call.float("alpha", 0.01);
            each::rectified(call, |x| x, |x| slope * x)
        }
        "PRelu" => each::prelu(call),
        "Elu" => {
            let scale = call.float("alpha", 1.0);
            each::rectified(call, |x| x, |x| scale * x.exp_m1())
        }
        "Celu" => {
            let scale = call.float("alpha", 1.0);
            each::rectified(call, |x| x, |x| scale * (x / scale).exp_m1())
        }
        "Selu" => {
            let (scale, gain) = (call.float("alpha", 1.673_263_2), call.float("gamma", 1.050_700_9));
            each::rectified(call, |x| gain * x, |x| gain * scale * x.exp_m1())
        }
        "HardSigmoid" => {
            let (slope, shift) = (call.float("alpha", 0.2), call.float("beta", 0.5));
            each::unary(call, |x| (slope * x + shift).max(0.0).min(1.0))
        }
        "HardSwish" => each::unary(call, |x| x * (x / 6.0 + 0.5).max(0.0).min(1.0)),
        "ThresholdedRelu" => {
            let threshold = call.float("alpha", 1.0);
            each::unary(call, |x| select(x.gt(threshold), x, 0.0))
        }
        "Clip" => each::clip(call),
        "BatchNormalization" => each::batch_normalisation(call),
        "LayerNormalization" => reduction::layer_normalisation(call),

        // Comparisons and choices.
        "Less" => each::compare(call, Relation::Less),
        "LessOrEqual" => each::compare(call, Relation::LessOrEqual),
        "Greater" => each::compare(call, Relation::Greater),
        "GreaterOrEqual" => each::compare(call, Relation::GreaterOrEqual),
        "Equal" => each::compare(call, Relation::Equal),
        "And" => each::logical(call, |a, b| a && b, |a, b| a.and(b)),
        "Or" => each::logical(call, |a, b| a || b, |a, b| a.or(b)),
        "Xor" => each::logical(call, |a, b| a != b, |a, b| a.and(b.negate()).or(a.negate().and(b))),
        "Not" => each::not(call),
        "IsNaN" | "IsInf" => each::never(call),
        "Where" => each::choose(call),

        // Types. What is known of a type is whether it is of numbers, whole numbers or truth values.
        "Cast" => each::cast(call, kind(call, call.int("to", 0))?),
        "CastLike" => each::cast(
            call,
            match call.operand(1)?.elements {
                Elements::Numbers(_) | Elements::Recorded(_) => Kind::Float,
                Elements::Integers(_) | Elements::Cases(_) => Kind::Whole,
                Elements::Truths(_) | Elements::Conditions(_) => Kind::Truth,
            },
        ),

        // Movement.
        "Identity" | "Dropout" => {
            let training = matches!(&call.optional(2).map(|array| &array.elements), Some(Elements::Truths(t)) if t.contains(&true));
            match training && call.node.op_type == "Dropout" {
                true => Err(call.refuse("in training it is random; export the model after .eval()")),
                false => Ok(vec![call.operand(0)?.clone()]),
            }
        }
        "Reshape" => moved::reshape(call),
        "Flatten" => moved::flatten(call),
        "Squeeze" => moved::squeeze(call),
        "Unsqueeze" => moved::unsqueeze(call),
        "Expand" => moved::expand(call),
        "Tile" => moved::tile(call),
        "Transpose" => moved::transpose(call),
        "Slice" => moved::slice(call),
        "Concat" => moved::concat(call),
        "Split" => moved::split(call),
        "Pad" => moved::pad(call),
        "Trilu" => moved::triangle(call),
        "Gather" => moved::gather(call),
        "GatherElements" => moved::gather_elements(call),
        "GatherND" => moved::gather_nd(call),
        "ScatterND" => moved::scatter_nd(call),
        "ScatterElements" | "Scatter" => moved::scatter_elements(call),
        "NonZero" => moved::non_zero(call),

        // Constants and shapes.
        "Constant" => constant(call),
        "ConstantOfShape" => {
            let value = match call.setting("value").and_then(|setting| setting.t.as_ref()) {
                None => Array::new(vec![1], Elements::Numbers(vec![0.0])),
                Some(tensor) => {
                    let value = stored(tensor, call.name)?.array();
                    match value.count() {
                        1 => value,
                        count => {
                            return Err(call.wrong(format!("its value has {count} elements instead of 1")));
                        }
                    }
                }
            };
            moved::constant_of_shape(call, value)
        }
        "Shape" => moved::shape(call),
        "Size" => moved::size(call),
        "Range" => moved::range(call),
        "EyeLike" => moved::eye_like(call),

        // Sums, and products of matrices.
        "ReduceSum" => reduction::reduce(call, Reduction::Sum),
        "ReduceMean" => reduction::reduce(call, Reduction::Mean),
        "ReduceProd" => reduction::reduce(call, Reduction::Product),
        "ReduceMax" => reduction::reduce(call, Reduction::Max),
        "ReduceMin" => reduction::reduce(call, Reduction::Min),
        "ReduceL1" => reduction::reduce(call, Reduction::SumOfSizes),
        "ReduceL2" => reduction::reduce(call, Reduction::Norm),
        "ReduceSumSquare" => reduction::reduce(call, Reduction::SumOfSquares),
        "ReduceLogSum" => reduction::reduce(call, Reduction::LogSum),
        "ReduceLogSumExp" => reduction::reduce(call, Reduction::LogSumExp),
        "Softmax" => reduction::softmax(call),
        "LogSoftmax" => reduction::log_softmax(call),
        "CumSum" => reduction::cumulative_sum(call),
        "MatMul" => product::matmul(call),
        "Gemm" => product::gemm(call),
        "Einsum" => product::einsum(call),
        "Det" => product::determinant(call),

        "Loop" | "Scan" => {
            Err(call.refuse("loops are not read; unroll it, or export the map without the solver"))
        }
        "RandomNormal" | "RandomNormalLike" | "RandomUniform" | "RandomUniformLike" | "Bernoulli"
        | "Multinomial" => {
            Err(call.refuse("it is random, and a map is not; export the model after .eval(), without noise"))
        }
        _ => {
            Err(call.refuse("write the map with others, or add a row for it to src/onnx/import/operators.rs"))
        }
    }
}

/// What elements of this type are.
fn kind(call: &Call<'_, '_>, to: i64) -> Result<Kind> {
    let kind = i32::try_from(to).ok().and_then(|to| DataType::try_from(to).ok());
    match kind {
        Some(DataType::Float | DataType::Double) => Ok(Kind::Float),
        Some(DataType::Int64 | DataType::Int32 | DataType::Int16 | DataType::Int8 | DataType::Uint8) => {
            Ok(Kind::Whole)
        }
        Some(DataType::Bool) => Ok(Kind::Truth),
        _ => Err(call
            .refuse(format!("a cast to type {to}; float, double, whole numbers and truth values are read"))),
    }
}

/// A constant, in any of the settings that can hold one.
fn constant<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    if let Some(tensor) = call.setting("value").and_then(|setting| setting.t.as_ref()) {
        return Ok(vec![stored(tensor, call.name)?.array()]);
    }
    let vector = |elements, count| Ok(vec![Array::new(vec![count], elements)]);
    if let Some(setting) = call.setting("value_float") {
        return Ok(vec![Array::new(vec![], Elements::Numbers(vec![f64::from(setting.f)]))]);
    }
    if let Some(setting) = call.setting("value_int") {
        return Ok(vec![Array::new(vec![], Elements::Integers(vec![setting.i]))]);
    }
    if let Some(setting) = call.setting("value_floats") {
        let values: Vec<f64> = setting.floats.iter().map(|value| f64::from(*value)).collect();
        let count = values.len();
        return vector(Elements::Numbers(values), count);
    }
    if let Some(setting) = call.setting("value_ints") {
        return vector(Elements::Integers(setting.ints.clone()), setting.ints.len());
    }
    Err(call.refuse("its value is a text or a sparse tensor"))
}
