//! Functions that only the rewriting writes, under names that nobody can: what operators and the clock are made of.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, ListArray, new_null_array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;
use arrow_select::interleave::interleave;
use datafusion_common::Result;
use datafusion_expr::Operator;
use twox_hash::XxHash3_128;

use super::condition::compare;
use super::pattern::like;
use super::{Answer, Arg, Function, Kind, columns, row};
use crate::cast::cast;
use crate::lower::list_type;

/// `wall clock of a zone (microseconds since the epoch, zone)`.
pub(crate) const LOCAL: &str = "\0local";
/// `uuid(seed, row, place of the call)`.
pub(crate) const UUID: &str = "\0uuid";
/// The same as a number; the first argument may be any text.
pub const UUID_NUMBER: &str = "\0uuid_number";
/// The same as a number from 0 to 1.
pub(crate) const RANDOM: &str = "\0random";
/// `text LIKE pattern`.
pub(crate) const LIKE: &str = "\0like";

/// `value BETWEEN low AND high`.
pub(crate) const BETWEEN: &str = "\0between";
/// `[value, ...]`.
pub(crate) const ARRAY: &str = "\0array";

const SEEDED: &[(&str, Kind)] = &[("seed", Kind::Text), ("row", Kind::Integer), ("call", Kind::Integer)];

pub(super) const FUNCTIONS: &[Function] = &[
    row(LOCAL, &[("us", Kind::Integer), ("zone", Kind::Text)], Kind::Moment, local, "", &[]),
    row(UUID, SEEDED, Kind::Text, uuid, "", &[]),
    row(UUID_NUMBER, SEEDED, Kind::Large, uuid_number, "", &[]),
    row(RANDOM, SEEDED, Kind::Double, random, "", &[]),
    columns(BETWEEN, (3, Some(3)), "", (|_, _| Ok(DataType::Boolean), between), "", &[]),
    columns(ARRAY, (0, None), "", (|types, _| Ok(list_type(types)), array), "", &[]),
    row(LIKE, &[("text", Kind::Text), ("pattern", Kind::Text)], Kind::Boolean, like, "", &[]),
];

fn local(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Integer(us), Arg::Text(zone)] = args else { return None };
    super::date::wall_clock_us(*us, zone).map(Answer::Moment)
}

fn bits(args: &[Arg<'_>]) -> Option<u128> {
    let [Arg::Text(seed), Arg::Integer(row), Arg::Integer(call)] = args else { return None };
    Some(XxHash3_128::oneshot(format!("{seed} {row} {call}").as_bytes()))
}

fn uuid(args: &[Arg<'_>]) -> Option<Answer> {
    // Version 4, variant 1, as random ones say.
    let bits = bits(args)? & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let digits = format!("{bits:032x}");
    let part = |from: usize, to: usize| digits.get(from..to);
    Some(Answer::Text([part(0, 8)?, part(8, 12)?, part(12, 16)?, part(16, 20)?, part(20, 32)?].join("-")))
}

fn uuid_number(args: &[Arg<'_>]) -> Option<Answer> {
    i128::try_from(bits(args)? >> 1).ok().map(Answer::Large)
}

fn random(args: &[Arg<'_>]) -> Option<Answer> {
    let top = u32::try_from(bits(args)? >> 96).ok()?;
    Some(Answer::Double(f64::from(top) / 4_294_967_296.0))
}

fn between(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    let [value, low, high] = columns else { return Ok(new_null_array(result, 0)) };
    let (from, to) = (compare(value, Operator::GtEq, low)?, compare(value, Operator::LtEq, high)?);
    let both = from.iter().zip(to.iter()).map(|pair| match pair {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    });
    Ok(Arc::new(both.collect::<BooleanArray>()))
}

fn array(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    let DataType::List(field) = result else { return Ok(new_null_array(result, 0)) };
    let columns = columns.iter().map(|column| cast(column, field.data_type())).collect::<Result<Vec<_>>>()?;
    // Called without an argument it does not know how many rows there are; one is spread over all.
    let rows = columns.first().map_or(1, |column| column.len());
    let places: Vec<(usize, usize)> = (0..rows).flat_map(|row| (0..columns.len()).map(move |of| (of, row))).collect();
    let values = match columns.as_slice() {
        [] => new_null_array(field.data_type(), 0),
        some => interleave(&some.iter().map(|column| column.as_ref()).collect::<Vec<&dyn Array>>(), &places)?,
    };
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(columns.len(), rows));
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, None)?))
}
