//! Functions on numbers. What is no number, infinite or out of range gives NULL.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array};
use arrow_schema::DataType;
use datafusion_common::Result;

use super::{Answer, Arg, Function, Kind, columns, form, row};
use crate::cast::cast;
use crate::types::{LARGE, widest};

const X: &[(&str, Kind)] = &[("x", Kind::Double)];
const XY: &[(&str, Kind)] = &[("x", Kind::Double), ("y", Kind::Double)];
const BITS: &[(&str, Kind)] = &[("a", Kind::Integer), ("b", Kind::Integer)];

macro_rules! of_double {
    ($name:literal, $body:expr, $doc:literal, $examples:expr) => {
        row(
            $name,
            X,
            Kind::Double,
            |args| if let [Arg::Double(x)] = args { finite($body(*x)) } else { None },
            $doc,
            $examples,
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    columns("abs", (1, Some(1)), "abs(x)", (same, abs), "Without its sign.", &[("abs(-1.5)", "1.5"), ("abs(-3)", "3")]),
    columns(
        "ceil",
        (1, Some(1)),
        "ceil(x) -> BIGINT",
        (whole, ceil),
        "The next whole number above.",
        &[("ceil(1.2)", "2"), ("ceil(-1.2)", "-1")],
    )
    .also(&["ceiling", "dceil"]),
    columns(
        "floor",
        (1, Some(1)),
        "floor(x) -> BIGINT",
        (whole, floor),
        "The next whole number below.",
        &[("floor(-1.2)", "-2")],
    )
    .also(&["dfloor"]),
    columns(
        "round",
        (1, Some(2)),
        "round(x[, digits BIGINT])",
        (rounded, round),
        "Rounded half away from zero, to digits after the point.",
        &[("round(2.5)", "3"), ("round(2.567, 1)", "2.6"), ("round(-2.5)", "-3")],
    )
    .also(&["dround"]),
    columns(
        "truncate",
        (1, Some(2)),
        "truncate(x[, digits BIGINT])",
        (rounded, truncate),
        "Cut off after digits behind the point.",
        &[("truncate(2.567, 1)", "2.5")],
    )
    .also(&["trunc"]),
    form(
        "mod",
        "mod(a, b)",
        "The rest of a division, as `a % b`; NULL if `b` is 0.",
        &[("mod(7, 4)", "3"), ("mod(7, 0)", "NULL")],
    )
    .also(&["fmod"]),
    row("pmod", BITS, Kind::Integer, pmod, "The rest of a division, never negative.", &[("pmod(-7, 4)", "1")]),
    row("sign", X, Kind::Integer, sign, "-1, 0 or 1.", &[("sign(-5)", "-1")]).also(&["signum"]),
    form("negative", "negative(x)", "`-x`.", &[("negative(3)", "-3")]),
    row("pow", XY, Kind::Double, |args| two(args, f64::powf), "`x` to the power of `y`.", &[("pow(2, 10)", "1024")])
        .also(&["power", "dpow", "fpow"]),
    row("sqrt", X, Kind::Double, sqrt, "Square root; NULL for less than 0.", &[("sqrt(9)", "3"), ("sqrt(-1)", "NULL")])
        .also(&["dsqrt"]),
    of_double!("cbrt", f64::cbrt, "Cube root.", &[("cbrt(27)", "3")]),
    of_double!("square", |x: f64| x * x, "`x * x`.", &[("square(3)", "9")]),
    row("exp", X, Kind::Double, |args| one(args, f64::exp), "`e` to the power of `x`.", &[("exp(0)", "1")])
        .also(&["dexp"]),
    row(
        "ln",
        X,
        Kind::Double,
        |args| logarithm(args, f64::ln),
        "Natural logarithm; NULL for 0 and less.",
        &[("ln(1)", "0"), ("ln(0)", "NULL")],
    )
    .also(&["dlog1"]),
    row("log2", X, Kind::Double, |args| logarithm(args, f64::log2), "Logarithm to the base 2.", &[("log2(8)", "3")]),
    row(
        "log10",
        X,
        Kind::Double,
        |args| logarithm(args, f64::log10),
        "Logarithm to the base 10.",
        &[("log10(1000)", "3")],
    )
    .also(&["dlog10"]),
    row(
        "log",
        &[("base", Kind::Double), ("x", Kind::Double)],
        Kind::Double,
        log,
        "Logarithm of `x` to a base; with one argument the natural one.",
        &[("log(2, 8)", "3"), ("log(1)", "0")],
    )
    .needs(1),
    of_double!("sin", f64::sin, "Sine.", &[("sin(0)", "0")]),
    of_double!("cos", f64::cos, "Cosine.", &[("cos(0)", "1")]),
    of_double!("tan", f64::tan, "Tangent.", &[("tan(0)", "0")]),
    of_double!("cot", |x: f64| 1.0 / x.tan(), "Cotangent.", &[("cot(0)", "NULL")]),
    of_double!("asin", f64::asin, "Arc sine.", &[("asin(2)", "NULL")]),
    of_double!("acos", f64::acos, "Arc cosine.", &[("acos(1)", "0")]),
    of_double!("atan", f64::atan, "Arc tangent.", &[("atan(0)", "0")]),
    row("atan2", XY, Kind::Double, |args| two(args, f64::atan2), "Arc tangent of `x / y`.", &[("atan2(0, 1)", "0")]),
    of_double!("sinh", f64::sinh, "Hyperbolic sine.", &[("sinh(0)", "0")]),
    of_double!("cosh", f64::cosh, "Hyperbolic cosine.", &[("cosh(0)", "1")]),
    of_double!("tanh", f64::tanh, "Hyperbolic tangent.", &[("tanh(0)", "0")]),
    of_double!("radians", f64::to_radians, "Degrees as radians.", &[("radians(0)", "0")]),
    of_double!("degrees", f64::to_degrees, "Radians as degrees.", &[("degrees(0)", "0")]),
    row(
        "pi",
        &[],
        Kind::Double,
        |_| Some(Answer::Double(std::f64::consts::PI)),
        "π.",
        &[("pi()", "3.141592653589793")],
    ),
    row("e", &[], Kind::Double, |_| Some(Answer::Double(std::f64::consts::E)), "e.", &[("e()", "2.718281828459045")]),
    row(
        "bitand",
        BITS,
        Kind::Integer,
        |args| bits(args, |a, b| Some(a & b)),
        "Bits that both have.",
        &[("bitand(6, 3)", "2")],
    ),
    row(
        "bitor",
        BITS,
        Kind::Integer,
        |args| bits(args, |a, b| Some(a | b)),
        "Bits that one has.",
        &[("bitor(6, 3)", "7")],
    ),
    row(
        "bitxor",
        BITS,
        Kind::Integer,
        |args| bits(args, |a, b| Some(a ^ b)),
        "Bits that only one has.",
        &[("bitxor(6, 3)", "5")],
    ),
    row(
        "bitnot",
        &[("a", Kind::Integer)],
        Kind::Integer,
        |args| if let [Arg::Integer(a)] = args { Some(Answer::Integer(!a)) } else { None },
        "All bits changed.",
        &[("bitnot(0)", "-1")],
    ),
    row(
        "bit_shift_left",
        BITS,
        Kind::Integer,
        |args| bits(args, |a, b| a.checked_shl(u32::try_from(b).ok()?)),
        "Bits moved to the left.",
        &[("bit_shift_left(1, 4)", "16")],
    ),
    row(
        "bit_shift_right",
        BITS,
        Kind::Integer,
        |args| bits(args, |a, b| a.checked_shr(u32::try_from(b).ok()?)),
        "Bits moved to the right.",
        &[("bit_shift_right(16, 4)", "1")],
    ),
    row(
        "bin",
        &[("a", Kind::Integer)],
        Kind::Text,
        |args| if let [Arg::Integer(a)] = args { Some(Answer::Text(format!("{a:b}"))) } else { None },
        "Binary digits.",
        &[("bin(5)", "101")],
    ),
    row(
        "conv",
        &[("digits", Kind::Text), ("from", Kind::Integer), ("to", Kind::Integer)],
        Kind::Text,
        conv,
        "Digits of one base as those of another, 2 to 36.",
        &[("conv('ff', 16, 10)", "255"), ("conv('x', 10, 99)", "NULL")],
    ),
    form("rand", "rand() -> DOUBLE", "A number from 0 to 1, excluded.", &[("rand() < 1", "1")]).also(&["random"]),
    form("uuid", "uuid() -> VARCHAR", "A UUID of its own for every row.", &[("length(uuid())", "36")]),
    form(
        "uuid_numeric",
        "uuid_numeric() -> LARGEINT",
        "A number of its own for every row.",
        &[("uuid_numeric() >= 0", "1")],
    ),
];

fn finite(x: f64) -> Option<Answer> {
    x.is_finite().then_some(Answer::Double(x))
}

fn one(args: &[Arg<'_>], f: fn(f64) -> f64) -> Option<Answer> {
    let [Arg::Double(x)] = args else { return None };
    finite(f(*x))
}

fn two(args: &[Arg<'_>], f: fn(f64, f64) -> f64) -> Option<Answer> {
    let [Arg::Double(x), Arg::Double(y)] = args else { return None };
    finite(f(*x, *y))
}

fn sqrt(args: &[Arg<'_>]) -> Option<Answer> {
    one(args, f64::sqrt)
}

fn logarithm(args: &[Arg<'_>], f: fn(f64) -> f64) -> Option<Answer> {
    let [Arg::Double(x)] = args else { return None };
    (*x > 0.0).then(|| f(*x)).and_then(finite)
}

fn log(args: &[Arg<'_>]) -> Option<Answer> {
    match args {
        [_] => logarithm(args, f64::ln),
        [Arg::Double(base), Arg::Double(x)] if *base > 0.0 && *x > 0.0 => {
            // The nearest whole number is meant where the quotient misses it by a rounding.
            let quotient = x.ln() / base.ln();
            let near = quotient.round();
            finite(if (quotient - near).abs() < 1e-12 { near } else { quotient })
        }
        _ => None,
    }
}

fn sign(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Double(x)] = args else { return None };
    Some(Answer::Integer(i64::from(*x > 0.0) - i64::from(*x < 0.0)))
}

fn pmod(args: &[Arg<'_>]) -> Option<Answer> {
    bits(args, |a, b| a.checked_rem_euclid(b))
}

fn bits(args: &[Arg<'_>], f: fn(i64, i64) -> Option<i64>) -> Option<Answer> {
    let [Arg::Integer(a), Arg::Integer(b)] = args else { return None };
    f(*a, *b).map(Answer::Integer)
}

fn conv(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(digits), Arg::Integer(from), Arg::Integer(to)] = args else { return None };
    let base = |base: i64| u32::try_from(base.unsigned_abs()).ok().filter(|base| (2..=36).contains(base));
    let (from, to) = (base(*from)?, base(*to)?);
    let mut number = i64::from_str_radix(digits.trim(), from).ok()?.unsigned_abs();
    let mut out = Vec::new();
    loop {
        let digit = u32::try_from(number % u64::from(to)).ok()?;
        out.push(char::from_digit(digit, to)?.to_ascii_uppercase());
        number /= u64::from(to);
        if number == 0 {
            break;
        }
    }
    Some(Answer::Text(out.iter().rev().collect()))
}

/// What a type is rounded as.
fn number(data_type: &DataType) -> DataType {
    match widest(data_type) {
        DataType::Int64 | DataType::Boolean => DataType::Int64,
        known @ DataType::Decimal128(..) => known,
        known if known == LARGE => LARGE,
        _ => DataType::Float64,
    }
}

fn same(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    types.first().map(number).ok_or_else(|| "takes a number".to_owned())
}

fn whole(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    Ok(if types.first().map(number) == Some(LARGE) { LARGE } else { DataType::Int64 })
}

fn rounded(types: &[DataType], literals: &[Option<i64>]) -> std::result::Result<DataType, String> {
    let Some(number) = types.first().map(number) else {
        return Err("takes a number".to_owned());
    };
    if types.len() == 1 {
        return whole(types, literals);
    }
    Ok(match (number, literals.get(1).copied().flatten()) {
        (DataType::Decimal128(precision, scale), Some(digits)) => {
            DataType::Decimal128(precision, i8::try_from(digits.clamp(0, scale.into())).unwrap_or(scale))
        }
        (DataType::Decimal128(..), None) => DataType::Float64,
        (other, _) => other,
    })
}

fn abs(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    let [column] = columns else { return Ok(arrow_array::new_null_array(result, 0)) };
    let column = cast(column, result)?;
    Ok(match result {
        DataType::Int64 => {
            let values = column.as_primitive::<Int64Type>().iter();
            Arc::new(values.map(|value| value.and_then(i64::checked_abs)).collect::<Int64Array>())
        }
        DataType::Decimal128(precision, scale) => {
            let values = column.as_primitive::<Decimal128Type>().iter();
            let positive: Decimal128Array = values.map(|value| value.map(i128::abs)).collect();
            Arc::new(positive.with_precision_and_scale(*precision, *scale)?)
        }
        DataType::Float64 => Arc::new(
            column.as_primitive::<Float64Type>().iter().map(|value| value.map(f64::abs)).collect::<Float64Array>(),
        ),
        _ => {
            let values = column.as_primitive::<arrow_array::types::Decimal256Type>().iter();
            let positive: arrow_array::Decimal256Array =
                values.map(|value| value.and_then(|value| value.checked_abs())).collect();
            Arc::new(positive.with_precision_and_scale(39, 0)?)
        }
    })
}

#[derive(Clone, Copy)]
enum Rounding {
    Up,
    Down,
    Nearest,
    Cut,
}

fn ceil(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    to_digits(columns, result, Rounding::Up)
}

fn floor(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    to_digits(columns, result, Rounding::Down)
}

fn round(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    to_digits(columns, result, Rounding::Nearest)
}

fn truncate(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    to_digits(columns, result, Rounding::Cut)
}

fn to_digits(columns: &[ArrayRef], result: &DataType, rounding: Rounding) -> Result<ArrayRef> {
    let Some((column, rest)) = columns.split_first() else {
        return Ok(arrow_array::new_null_array(result, 0));
    };
    let rows = column.len();
    let digits = match rest.first() {
        Some(digits) => cast(digits, &DataType::Int64)?,
        None => Arc::new(Int64Array::from_value(0, rows)),
    };
    let digits = digits.as_primitive::<Int64Type>();
    match number(column.data_type()) {
        from if from == LARGE => cast(column, result),
        DataType::Decimal128(_, scale) => {
            let values = column.as_primitive::<Decimal128Type>().iter().zip(digits.iter());
            let rounded = values.map(|(value, digits)| round_decimal(value?, scale.into(), digits?, rounding));
            let rounded: Decimal128Array = rounded.collect();
            let rounded: ArrayRef = Arc::new(rounded.with_precision_and_scale(38, scale)?);
            cast(&rounded, result)
        }
        DataType::Int64 => {
            let column = cast(column, &DataType::Int64)?;
            let values = column.as_primitive::<Int64Type>().iter().zip(digits.iter());
            let rounded = values.map(|(value, digits)| {
                let value = round_decimal(value?.into(), 0, digits?, rounding)?;
                i64::try_from(value).ok()
            });
            cast(&(Arc::new(rounded.collect::<Int64Array>()) as ArrayRef), result)
        }
        _ => {
            let column = cast(column, &DataType::Float64)?;
            let values = column.as_primitive::<Float64Type>().iter().zip(digits.iter());
            let rounded = values.map(|(value, digits)| round_double(value?, digits?, rounding));
            cast(&(Arc::new(rounded.collect::<Float64Array>()) as ArrayRef), result)
        }
    }
}

fn round_decimal(value: i128, scale: i64, digits: i64, rounding: Rounding) -> Option<i128> {
    let dropped = scale.saturating_sub(digits);
    if dropped <= 0 {
        return Some(value);
    }
    let Some(step) = u32::try_from(dropped).ok().and_then(|dropped| 10_i128.checked_pow(dropped)) else {
        return Some(0);
    };
    let (quotient, rest) = (value / step, value % step);
    let quotient = match rounding {
        Rounding::Up if rest > 0 => quotient + 1,
        Rounding::Down if rest < 0 => quotient - 1,
        Rounding::Nearest if rest.unsigned_abs() >= step.unsigned_abs().div_ceil(2) => quotient + rest.signum(),
        _ => quotient,
    };
    quotient.checked_mul(step)
}

fn round_double(value: f64, digits: i64, rounding: Rounding) -> Option<f64> {
    let digits = i32::try_from(digits.clamp(-400, 400)).ok()?;
    let round = |value: f64| match rounding {
        Rounding::Up => value.ceil(),
        Rounding::Down => value.floor(),
        Rounding::Nearest => value.round(),
        Rounding::Cut => value.trunc(),
    };
    let factor = 10_f64.powi(digits.abs());
    if !value.is_finite() || digits > 0 && !(value * factor).is_finite() {
        return Some(value);
    }
    if digits < 0 && !factor.is_finite() {
        return Some(0.0);
    }
    Some(if digits >= 0 { round(value * factor) / factor } else { round(value / factor) * factor })
}
