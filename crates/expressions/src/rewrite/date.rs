//! Dates: intervals, and the functions around them.

use sqlparser::ast::{BinaryOperator, Expr, Interval, UnaryOperator, Value};

use super::call::word;
use super::{RewriteError, call, nested, placeholder, take, text};

/// Units of intervals, of `years_add`, `days_sub` and their like.
const UNITS: &[&str] =
    &["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"];

/// `x + INTERVAL n unit` and `x - INTERVAL n unit`.
pub(super) fn rewrite_interval(expr: &mut Expr) -> Result<(), RewriteError> {
    let Expr::BinaryOp { left, op: op @ (BinaryOperator::Plus | BinaryOperator::Minus), right } = expr else {
        return Ok(());
    };
    let minus = *op == BinaryOperator::Minus;
    if let Expr::Interval(interval) = &**right {
        let moved = add(std::mem::replace(left, placeholder()), interval, minus)?;
        *expr = moved;
    } else if let (Expr::Interval(interval), false) = (&**left, minus) {
        let moved = add(std::mem::replace(right, placeholder()), interval, false)?;
        *expr = moved;
    }
    Ok(())
}

/// The call as another expression; `None` if it is not one of these, and then `args` are as they were.
pub(super) fn rewrite_call(name: &str, args: &mut [Expr]) -> Result<Option<Expr>, RewriteError> {
    if let Some((unit, direction)) = name.split_once('_')
        && let Some(unit) = unit.strip_suffix('s')
        && UNITS.contains(&unit)
        && let [first, second] = args
    {
        match direction {
            "add" => return Ok(Some(shift(unit, take(second), take(first)))),
            "sub" => return Ok(Some(shift(unit, minus(take(second)), take(first)))),
            "diff" => return Ok(Some(call("timestampdiff", vec![text(unit), take(second), take(first)]))),
            _ => {}
        }
    }
    Ok(Some(match (name, args) {
        ("date_add", [moment, Expr::Interval(interval)]) => add(take(moment), interval, false)?,
        ("date_sub", [moment, Expr::Interval(interval)]) => add(take(moment), interval, true)?,
        ("date_add", [moment, days]) => shift("day", take(days), take(moment)),
        ("date_sub", [moment, days]) => shift("day", minus(take(days)), take(moment)),
        ("timestampadd", [unit, count, moment]) => shift(&unit_of(name, unit)?, take(count), take(moment)),
        ("timestampdiff", [unit, from, to]) => {
            call("timestampdiff", vec![text(unit_of(name, unit)?), take(from), take(to)])
        }
        ("date_diff", [unit, to, from]) => {
            call("timestampdiff", vec![text(unit_of(name, unit)?), take(from), take(to)])
        }
        ("time_slice", [moment, Expr::Interval(interval), side @ ..]) => {
            let side = match side {
                [] => "floor".to_owned(),
                [side] => word(side).unwrap_or_default(),
                _ => String::new(),
            };
            if side != "floor" && side != "ceil" {
                return Err(RewriteError {
                    message: "`time_slice`: expected `floor` or `ceil` behind the interval".to_owned(),
                    hint: Some("for example time_slice(ts, INTERVAL 5 MINUTE, ceil)".to_owned()),
                });
            }
            let unit = interval_unit(interval)?;
            call("time_slice", vec![take(moment), (*interval.value).clone(), text(unit), text(side)])
        }
        _ => return Ok(None),
    }))
}

fn interval_unit(interval: &Interval) -> Result<String, RewriteError> {
    let unit = interval.leading_field.as_ref().map(|field| field.to_string().to_lowercase());
    let unit = unit.as_deref().map(|unit| unit.strip_suffix('s').unwrap_or(unit));
    match (unit.filter(|unit| UNITS.contains(unit)), &interval.last_field) {
        (Some(unit), None) => Ok(unit.to_owned()),
        _ => Err(RewriteError {
            message: format!("`{interval}` is not supported"),
            hint: Some(format!("expected INTERVAL n with one of the units {}", UNITS.join(", "))),
        }),
    }
}

fn add(moment: Expr, interval: &Interval, negative: bool) -> Result<Expr, RewriteError> {
    let count = counted((*interval.value).clone());
    Ok(shift(&interval_unit(interval)?, if negative { minus(count) } else { count }, moment))
}

/// The `'90'` of `INTERVAL '90' DAY` as a number: text has no negative.
fn counted(count: Expr) -> Expr {
    let Expr::Value(value) = &count else {
        return count;
    };
    match &value.value {
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
            text.trim().parse().map_or(count, super::number)
        }
        _ => count,
    }
}

fn unit_of(function: &str, unit: &Expr) -> Result<String, RewriteError> {
    let given = word(unit).unwrap_or_default();
    let unit = given.strip_suffix('s').unwrap_or(&given);
    if UNITS.contains(&unit) {
        Ok(unit.to_owned())
    } else {
        Err(RewriteError {
            message: format!("`{function}`: expected a unit of time, found `{given}`"),
            hint: Some(format!("units are {}", UNITS.join(", "))),
        })
    }
}

fn shift(unit: &str, count: Expr, moment: Expr) -> Expr {
    call("timestampadd", vec![text(unit), count, moment])
}

fn minus(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(nested(expr)) }
}
