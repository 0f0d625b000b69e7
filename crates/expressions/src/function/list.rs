//! Functions on arrays.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, UInt32Array, new_null_array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;
use arrow_select::take::take;
use datafusion_common::Result;
use datafusion_expr::Operator;

use super::condition::compare;
use super::{Answer, Arg, Function, Kind, columns, row};
use crate::cast::cast;
use crate::types::{compared, list_of};

pub(super) const FUNCTIONS: &[Function] = &[
    columns(
        "element_at",
        (2, Some(2)),
        "element_at(array or map, place or key)",
        (element_type, element_at),
        "The element at a place, counted from 1, or from the end if negative, or the value of a key; NULL if there is none. Also `array[place]`, `map[key]`.",
        &[
            ("element_at(split('a,b', ','), 2)", "b"),
            ("split('a,b', ',')[1]", "a"),
            ("split('a,b', ',')[3]", "NULL"),
            ("[1, 2, 3][-1]", "3"),
            ("CAST('{\"a\":1}' AS MAP<VARCHAR(5), INT>)['a']", "1"),
        ],
    ),
    columns(
        "array_length",
        (1, Some(1)),
        "array_length(array) -> BIGINT",
        (integer, array_length),
        "How many elements there are.",
        &[("array_length([1, NULL])", "2"), ("array_length(split('a,b,c', ','))", "3")],
    )
    .also(&["cardinality"]),
    columns(
        "array_contains",
        (2, Some(2)),
        "array_contains(array, value) -> BOOLEAN",
        (boolean, array_contains),
        "Whether the value is among the elements.",
        &[("array_contains([1, 2], 2)", "1"), ("array_contains(split('a,b', ','), 'c')", "0")],
    ),
    columns(
        "array_position",
        (2, Some(2)),
        "array_position(array, value) -> BIGINT",
        (integer, array_position),
        "Place of the value among the elements, from 1; 0 if it is none.",
        &[("array_position(['a', 'b'], 'b')", "2")],
    ),
    columns(
        "array_concat",
        (1, None),
        "array_concat(array, ...)",
        (joined, array_concat),
        "All elements of all arrays.",
        &[("array_concat([1], [2, 3])", "[1,2,3]")],
    ),
    columns(
        "array_slice",
        (2, Some(3)),
        "array_slice(array, from BIGINT[, count BIGINT])",
        (same, array_slice),
        "Elements from a place on, counted from 1.",
        &[("array_slice([1, 2, 3], 2, 1)", "[2]")],
    ),
    columns(
        "map_keys",
        (1, Some(1)),
        "map_keys(map)",
        (|types, _| entries(types).map(|(key, _)| list_of(key)), |columns, result| side(columns, result, 0)),
        "The keys, as an array.",
        &[("map_keys(CAST('{\"a\":1,\"b\":2}' AS MAP<VARCHAR(5), INT>))", "[\"a\",\"b\"]")],
    ),
    columns(
        "map_values",
        (1, Some(1)),
        "map_values(map)",
        (|types, _| entries(types).map(|(_, value)| list_of(value)), |columns, result| side(columns, result, 1)),
        "The values, as an array.",
        &[("map_values(CAST('{\"a\":1,\"b\":2}' AS MAP<VARCHAR(5), INT>))", "[1,2]")],
    ),
    columns(
        "map_size",
        (1, Some(1)),
        "map_size(map) -> BIGINT",
        (
            |types, _| entries(types).map(|_| DataType::Int64),
            |columns, result| array_length(&[side(columns, &list_of(crate::types::JSON), 0)?], result),
        ),
        "How many entries there are.",
        &[("map_size(CAST('{\"a\":1}' AS MAP<VARCHAR(5), INT>))", "1")],
    ),
    row(
        "array_join",
        &[("array", Kind::Texts), ("separator", Kind::Text), ("null", Kind::Text)],
        Kind::Text,
        array_join,
        "The elements' texts with a separator between them; NULLs are left out, or stand as `null`.",
        &[("array_join([1, NULL, 2], '-')", "1-2"), ("array_join(['a', NULL], ',', '?')", "a,?")],
    )
    .needs(2),
    row(
        "array_distinct",
        &[("array", Kind::Texts)],
        Kind::Texts,
        array_distinct,
        "Each element's text once.",
        &[("array_distinct(['b', 'a', 'b'])", "[\"b\",\"a\"]")],
    ),
];

fn as_list(column: &ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        DataType::List(_) => Ok(Arc::clone(column)),
        _ => cast(column, &list_of(crate::types::JSON)),
    }
}

fn elements(data_type: Option<&DataType>) -> std::result::Result<DataType, String> {
    match data_type {
        Some(DataType::List(field)) => Ok(field.data_type().clone()),
        Some(DataType::Null | DataType::LargeUtf8) => Ok(crate::types::JSON),
        Some(other) => Err(format!("takes an array, found {}", crate::types::name(other))),
        None => Err("takes an array".to_owned()),
    }
}

/// Types of a map's keys and values.
fn entries(types: &[DataType]) -> std::result::Result<(DataType, DataType), String> {
    if let Some(DataType::Map(entries, _)) = types.first()
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.iter().as_slice()
    {
        return Ok((key.data_type().clone(), value.data_type().clone()));
    }
    Err(format!("takes a map, found {}", types.first().map_or_else(String::new, crate::types::name)))
}

/// Keys (0) or values (1) of maps, as arrays.
fn side(columns: &[ArrayRef], result: &DataType, of: usize) -> Result<ArrayRef> {
    let (Some(map), DataType::List(element)) = (columns.first(), result) else {
        return Ok(new_null_array(result, 0));
    };
    let map = map.as_map();
    let Some(values) = map.entries().columns().get(of) else {
        return Ok(new_null_array(result, map.len()));
    };
    let values = cast(values, element.data_type())?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(element), map.offsets().clone(), values, map.nulls().cloned())?))
}

fn element_type(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    if let Ok((_, value)) = entries(types) {
        return Ok(value);
    }
    elements(types.first())
}

fn integer(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    elements(types.first()).map(|_| DataType::Int64)
}

fn boolean(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    elements(types.first()).map(|_| DataType::Boolean)
}

fn same(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    elements(types.first()).map(list_of)
}

fn joined(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    let mut found = DataType::Null;
    for data_type in types {
        found = crate::types::either(&found, &elements(Some(data_type))?);
    }
    Ok(list_of(found))
}

/// First and end place of a row's elements among all values.
fn bounds(list: &ListArray, row: usize) -> (usize, usize) {
    let offsets = list.value_offsets();
    let bound = |at: usize| offsets.get(at).and_then(|at| usize::try_from(*at).ok()).unwrap_or_default();
    (bound(row), bound(row + 1))
}

/// The place that a number from 1, or a negative one, means among those of a row.
fn place(number: i64, (start, end): (usize, usize)) -> Option<usize> {
    let distance = usize::try_from(number.unsigned_abs()).ok()?.checked_sub(1)?;
    let place = if number > 0 { start.checked_add(distance)? } else { end.checked_sub(distance + 1)? };
    (start..end).contains(&place).then_some(place)
}

fn element_at(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    let [list, number] = columns else { return Ok(new_null_array(result, 0)) };
    if let DataType::Map(..) = list.data_type() {
        let (Ok((key, _)), wanted) = (entries(&[list.data_type().clone()]), number) else {
            return Ok(new_null_array(result, list.len()));
        };
        let keys = side(&[Arc::clone(list)], &list_of(key), 0)?;
        let places = positions(&[keys, Arc::clone(wanted)])?;
        let maps = list.as_map();
        let at = |(row, place): (usize, Option<i64>)| {
            let start = usize::try_from(*maps.value_offsets().get(row)?).ok()?;
            let place = usize::try_from(place?).ok()?.checked_sub(1)?;
            u32::try_from(start + place).ok()
        };
        let places: UInt32Array = places.into_iter().enumerate().map(at).collect();
        let values = maps.values();
        return cast(&take(values, &places, None)?, result);
    }
    let (list, number) = (as_list(list)?, cast(number, &DataType::Int64)?);
    let (list, number) = (list.as_list::<i32>(), number.as_primitive::<Int64Type>());
    let places = (0..list.len()).map(|row| {
        let found = (list.is_valid(row) && number.is_valid(row)).then(|| place(number.value(row), bounds(list, row)));
        found.flatten().and_then(|place| u32::try_from(place).ok())
    });
    let places: UInt32Array = places.collect();
    cast(&take(list.values(), &places, None)?, result)
}

fn array_length(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    let [list] = columns else { return Ok(new_null_array(result, 0)) };
    let list = as_list(list)?;
    let list = list.as_list::<i32>();
    let length = |row: usize| {
        let (start, end) = bounds(list, row);
        list.is_valid(row).then(|| i64::try_from(end - start).ok()).flatten()
    };
    Ok(Arc::new((0..list.len()).map(length).collect::<Int64Array>()))
}

/// For each row, the first element that equals the value, from 1, 0 for none.
fn positions(columns: &[ArrayRef]) -> Result<Vec<Option<i64>>> {
    let [list, wanted] = columns else { return Ok(Vec::new()) };
    let list = as_list(list)?;
    let list = list.as_list::<i32>();
    let common = compared(list.values().data_type(), wanted.data_type());
    let (values, wanted) = (cast(list.values(), &common)?, cast(wanted, &common)?);
    // Each value beside what is wanted of its row.
    let mut rows = vec![None; values.len()];
    for row in (0..list.len()).filter(|row| list.is_valid(*row)) {
        let (start, end) = bounds(list, row);
        rows.iter_mut().take(end).skip(start).for_each(|of| *of = u32::try_from(row).ok());
    }
    let equal = compare(&values, Operator::Eq, &take(&wanted, &UInt32Array::from(rows), None)?)?;
    let position = |row: usize| {
        if list.is_null(row) {
            return None;
        }
        let (start, end) = bounds(list, row);
        let found = (start..end).position(|at| equal.is_valid(at) && equal.value(at));
        i64::try_from(found.map_or(0, |found| found + 1)).ok()
    };
    Ok((0..list.len()).map(position).collect())
}

fn array_contains(columns: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    let found = positions(columns)?;
    Ok(Arc::new(found.into_iter().map(|place| place.map(|place| place > 0)).collect::<BooleanArray>()))
}

fn array_position(columns: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    Ok(Arc::new(positions(columns)?.into_iter().collect::<Int64Array>()))
}

/// Lists of the values at these places, as many a row as `lengths` says; `None` for NULL.
fn gathered(values: &ArrayRef, places: Vec<u32>, lengths: &[Option<usize>], result: &DataType) -> Result<ArrayRef> {
    let DataType::List(field) = result else { return Ok(new_null_array(result, lengths.len())) };
    let values = cast(&take(values, &UInt32Array::from(places), None)?, field.data_type())?;
    let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|length| length.unwrap_or(0)));
    let valid: Vec<bool> = lengths.iter().map(Option::is_some).collect();
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, Some(valid.into()))?))
}

fn array_slice(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    let (Some(list), Some(from)) = (columns.first(), columns.get(1)) else { return Ok(new_null_array(result, 0)) };
    let (list, from) = (as_list(list)?, cast(from, &DataType::Int64)?);
    let (list, from) = (list.as_list::<i32>(), from.as_primitive::<Int64Type>());
    let count = columns.get(2).map(|count| cast(count, &DataType::Int64)).transpose()?;
    let (mut places, mut lengths) = (Vec::new(), Vec::new());
    for row in 0..list.len() {
        let count = match &count {
            None => Some(i64::MAX),
            Some(count) => count.is_valid(row).then(|| count.as_primitive::<Int64Type>().value(row)),
        };
        let (Some(count), true) = (count, list.is_valid(row) && from.is_valid(row)) else {
            lengths.push(None);
            continue;
        };
        let (start, end) = bounds(list, row);
        let first = place(from.value(row), (start, end)).unwrap_or(end);
        let last = end.min(first.saturating_add(usize::try_from(count).unwrap_or(0)));
        lengths.push(Some(last - first));
        places.extend((first..last).filter_map(|at| u32::try_from(at).ok()));
    }
    gathered(list.values(), places, &lengths, result)
}

fn array_concat(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    let lists = columns.iter().map(|column| cast(&as_list(column)?, result)).collect::<Result<Vec<_>>>()?;
    let lists: Vec<&ListArray> = lists.iter().map(|list| list.as_list::<i32>()).collect();
    let mut starts = Vec::with_capacity(lists.len());
    let mut total = 0;
    for list in &lists {
        starts.push(total);
        total += list.values().len();
    }
    let all: Vec<&dyn Array> = lists.iter().map(|list| list.values().as_ref()).collect();
    let values = arrow_select::concat::concat(&all)?;
    let (mut places, mut lengths) = (Vec::new(), Vec::new());
    for row in 0..lists.first().map_or(0, |list| list.len()) {
        if lists.iter().any(|list| list.is_null(row)) {
            lengths.push(None);
            continue;
        }
        let before = places.len();
        for (list, first) in lists.iter().zip(&starts) {
            let (start, end) = bounds(list, row);
            places.extend((start..end).filter_map(|at| u32::try_from(first + at).ok()));
        }
        lengths.push(Some(places.len() - before));
    }
    gathered(&values, places, &lengths, result)
}

fn array_join(args: &[Arg<'_>]) -> Option<Answer> {
    let (texts, separator, null) = match args {
        [Arg::Texts(texts), Arg::Text(separator)] => (texts, separator, None),
        [Arg::Texts(texts), Arg::Text(separator), Arg::Text(null)] => (texts, separator, Some(*null)),
        _ => return None,
    };
    let shown: Vec<&str> = texts.iter().filter_map(|text| text.or(null)).collect();
    Some(Answer::Text(shown.join(separator)))
}

fn array_distinct(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Texts(texts)] = args else { return None };
    let mut seen = std::collections::HashSet::new();
    let once = texts.iter().filter(|text| seen.insert(**text));
    Some(Answer::Texts(once.map(|text| text.map(str::to_owned)).collect()))
}
