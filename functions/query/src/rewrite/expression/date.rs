//! Dates: intervals and the functions around them, as calls of [`crate::function`]'s or DataFusion's functions.

use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType, Expr, Interval, UnaryOperator};
use penstock_sql::error::{SqlError, code};

use super::call::word;
use super::{binary, call, number, placeholder, text, try_cast};

/// Functions that are a field of a date, and the field's name.
const FIELDS: &[(&str, &str)] = &[
    ("year", "year"),
    ("quarter", "quarter"),
    ("month", "month"),
    ("weekofyear", "week"),
    ("week_iso", "week"),
    ("day", "day"),
    ("dayofmonth", "day"),
    ("dayofyear", "doy"),
    ("hour", "hour"),
    ("minute", "minute"),
    ("second", "second"),
];

/// `years_add`, `days_sub` and their like: the unit.
const UNITS: &[&str] =
    &["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"];

/// `x + INTERVAL n unit` and `x - INTERVAL n unit`.
pub(super) fn rewrite_interval(expr: &mut Expr) -> Result<(), SqlError> {
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
pub(super) fn rewrite_call(name: &str, args: &mut Vec<Expr>, time_zone: &str) -> Result<Option<Expr>, SqlError> {
    if let (Some((_, field)), [moment]) = (FIELDS.iter().find(|(known, _)| *known == name), args.as_mut_slice()) {
        return Ok(Some(part(field, own(moment))));
    }
    if let Some((unit, direction)) = name.split_once('_')
        && let Some(unit) = unit.strip_suffix('s')
        && UNITS.contains(&unit)
    {
        match (direction, args.as_mut_slice()) {
            ("add", [moment, count]) => return Ok(Some(shift(unit, own(count), own(moment)))),
            ("sub", [moment, count]) => {
                return Ok(Some(shift(unit, minus(own(count)), own(moment))));
            }
            ("diff", [to, from]) => {
                return Ok(Some(call("timestampdiff", vec![text(unit), own(from), own(to)])));
            }
            _ => {}
        }
    }
    Ok(Some(match (name, args.as_mut_slice()) {
        ("date" | "to_date", [moment]) => try_cast(try_cast(own(moment), DataType::Datetime(None)), DataType::Date),
        // Sunday is 1.
        ("dayofweek", [moment]) => nested(binary(part("dow", own(moment)), BinaryOperator::Plus, number(1))),
        // Monday is 0.
        ("weekday", [moment]) => {
            let from_monday = nested(binary(part("dow", own(moment)), BinaryOperator::Plus, number(6)));
            nested(binary(from_monday, BinaryOperator::Modulo, number(7)))
        }
        ("date_add", [moment, Expr::Interval(interval)]) => add(own(moment), interval, false)?,
        ("date_sub", [moment, Expr::Interval(interval)]) => add(own(moment), interval, true)?,
        ("date_add", [moment, days]) => shift("day", own(days), own(moment)),
        ("date_sub", [moment, days]) => shift("day", minus(own(days)), own(moment)),
        ("timestampadd", [unit, count, moment]) => shift(&unit_of(name, unit)?, own(count), own(moment)),
        ("timestampdiff", [unit, from, to]) => {
            call("timestampdiff", vec![text(unit_of(name, unit)?), own(from), own(to)])
        }
        ("date_diff", [unit, to, from]) => call("timestampdiff", vec![text(unit_of(name, unit)?), own(from), own(to)]),
        ("datediff", [to, from]) => {
            let day = |moment: &mut Expr| try_cast(try_cast(own(moment), DataType::Datetime(None)), DataType::Date);
            call("timestampdiff", vec![text("day"), day(from), day(to)])
        }
        ("dayname", [moment]) => call("date_format", vec![own(moment), text("%W")]),
        ("monthname", [moment]) => call("date_format", vec![own(moment), text("%M")]),
        ("from_unixtime", [seconds]) => {
            call("from_unixtime", vec![own(seconds), text("%Y-%m-%d %H:%i:%s"), text(time_zone)])
        }
        ("from_unixtime", [seconds, pattern]) => {
            call("from_unixtime", vec![own(seconds), own(pattern), text(time_zone)])
        }
        ("unix_timestamp", [moment]) => call("unix_timestamp", vec![own(moment), text(time_zone)]),
        ("date_trunc", [unit, moment]) => {
            call("date_trunc", vec![own(unit), try_cast(own(moment), DataType::Datetime(None))])
        }
        ("str2date", [_, _]) => try_cast(call("str_to_date", std::mem::take(args)), DataType::Date),
        _ => return Ok(None),
    }))
}

fn add(moment: Expr, interval: &Interval, negative: bool) -> Result<Expr, SqlError> {
    let unit = interval.leading_field.as_ref().map(|field| field.to_string().to_lowercase());
    let unit = unit.as_deref().map(|unit| unit.strip_suffix('s').unwrap_or(unit));
    let (Some(unit), None) = (unit.filter(|unit| UNITS.contains(unit)), &interval.last_field) else {
        return Err(SqlError::new(code::PARSE, format!("`{interval}` is not supported"))
            .with_hint(format!("expected INTERVAL n with one of the units {}", UNITS.join(", "))));
    };
    let count = (*interval.value).clone();
    Ok(shift(unit, if negative { minus(count) } else { count }, moment))
}

fn unit_of(function: &str, unit: &Expr) -> Result<String, SqlError> {
    let given = word(unit).unwrap_or_default();
    let unit = given.strip_suffix('s').unwrap_or(&given);
    if UNITS.contains(&unit) {
        Ok(unit.to_owned())
    } else {
        Err(SqlError::new(code::PARSE, format!("`{function}`: expected a unit of time, found `{given}`"))
            .with_hint(format!("units are {}", UNITS.join(", "))))
    }
}

fn shift(unit: &str, count: Expr, moment: Expr) -> Expr {
    call("timestampadd", vec![text(unit), count, moment])
}

fn part(field: &str, moment: Expr) -> Expr {
    call("date_part", vec![text(field), try_cast(moment, DataType::Datetime(None))])
}

fn minus(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(nested(expr)) }
}

fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

fn own(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, placeholder())
}
