//! Parameters of a prepared statement as COM_STMT_EXECUTE brings them.

use crate::protocol::column::wire_type;
use crate::protocol::wire::{Fields, Malformed};

/// A parameter's type; stays known from the execution that told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ParameterType {
    wire_type: u8,
    unsigned: bool,
}

/// A parameter's value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameter {
    Null,
    Integer(i64),
    Unsigned(u64),
    Float(f32),
    Double(f64),
    /// Digits as the client wrote them.
    Decimal(Vec<u8>),
    /// Text or bytes.
    Bytes(Vec<u8>),
    /// A date, a moment, or a time of day, in SQL's spelling.
    Moment(String),
}

/// Whether what follows the statement's number in COM_STMT_EXECUTE asks for a cursor that is read forward.
pub(crate) fn wants_cursor(payload: &[u8]) -> bool {
    payload.first().is_some_and(|flags| flags & 1 != 0)
}

/// Reads what follows the statement's number in COM_STMT_EXECUTE.
///
/// `count` is the number of the statement's parameters. `types` are those of an earlier execution, and replaced if this
/// one brings its own. `long` gives the data that was sent ahead for a parameter, if any.
pub(crate) fn read(
    payload: &[u8],
    count: usize,
    types: &mut Vec<ParameterType>,
    mut long: impl FnMut(usize) -> Option<Vec<u8>>,
) -> Result<Vec<Parameter>, Malformed> {
    let mut fields = Fields::new(payload);
    // Flags: see `wants_cursor`. Then the number of iterations, always 1.
    fields.bytes(1 + 4)?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let nulls = fields.bytes(count.div_ceil(8))?;
    let null = |index: usize| nulls.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0);
    if fields.u8()? == 1 {
        types.clear();
        for _ in 0..count {
            let (wire_type, flags) = (fields.u8()?, fields.u8()?);
            types.push(ParameterType { wire_type, unsigned: flags & 0x80 != 0 });
        }
    }
    if types.len() != count {
        return Err(Malformed);
    }
    types
        .iter()
        .enumerate()
        .map(|(index, parameter_type)| match long(index) {
            Some(data) => Ok(Parameter::Bytes(data)),
            None if null(index) => Ok(Parameter::Null),
            None => value(&mut fields, *parameter_type),
        })
        .collect()
}

fn value(
    fields: &mut Fields<'_>,
    ParameterType { wire_type, unsigned }: ParameterType,
) -> Result<Parameter, Malformed> {
    Ok(match wire_type {
        wire_type::NULL => Parameter::Null,
        wire_type::TINY if unsigned => Parameter::Unsigned(fields.u8()?.into()),
        wire_type::TINY => Parameter::Integer(fields.u8()?.cast_signed().into()),
        wire_type::SHORT | wire_type::YEAR if unsigned => Parameter::Unsigned(fields.u16()?.into()),
        wire_type::SHORT | wire_type::YEAR => Parameter::Integer(fields.u16()?.cast_signed().into()),
        wire_type::LONG | wire_type::INT24 if unsigned => Parameter::Unsigned(fields.u32()?.into()),
        wire_type::LONG | wire_type::INT24 => Parameter::Integer(fields.u32()?.cast_signed().into()),
        wire_type::LONGLONG if unsigned => Parameter::Unsigned(fields.u64()?),
        wire_type::LONGLONG => Parameter::Integer(fields.u64()?.cast_signed()),
        wire_type::FLOAT => Parameter::Float(f32::from_bits(fields.u32()?)),
        wire_type::DOUBLE => Parameter::Double(f64::from_bits(fields.u64()?)),
        wire_type::DECIMAL | wire_type::NEWDECIMAL => Parameter::Decimal(fields.sized()?.to_owned()),
        wire_type::DATE => Parameter::Moment(moment(fields, false)?),
        wire_type::DATETIME | wire_type::TIMESTAMP => Parameter::Moment(moment(fields, true)?),
        wire_type::TIME => Parameter::Moment(time(fields)?),
        wire_type::VARCHAR
        | wire_type::VAR_STRING
        | wire_type::STRING
        | wire_type::BIT
        | wire_type::JSON
        | wire_type::ENUM
        | wire_type::SET
        | wire_type::TINY_BLOB
        | wire_type::MEDIUM_BLOB
        | wire_type::LONG_BLOB
        | wire_type::BLOB
        | wire_type::GEOMETRY => Parameter::Bytes(fields.sized()?.to_owned()),
        _ => return Err(Malformed),
    })
}

fn moment(fields: &mut Fields<'_>, with_time: bool) -> Result<String, Malformed> {
    let length = fields.u8()?;
    if ![0, 4, 7, 11].contains(&length) {
        return Err(Malformed);
    }
    let (mut year, mut month, mut day) = (0, 0, 0);
    if length >= 4 {
        (year, month, day) = (fields.u16()?, fields.u8()?, fields.u8()?);
    }
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    let (mut hour, mut minute, mut second) = (0, 0, 0);
    if length >= 7 {
        (hour, minute, second) = (fields.u8()?, fields.u8()?, fields.u8()?);
    }
    if with_time || length >= 7 {
        text.push_str(&format!(" {hour:02}:{minute:02}:{second:02}"));
    }
    if length == 11 {
        text.push_str(&format!(".{:06}", fields.u32()?));
    }
    Ok(text)
}

fn time(fields: &mut Fields<'_>) -> Result<String, Malformed> {
    let length = fields.u8()?;
    if length == 0 {
        return Ok("00:00:00".to_owned());
    }
    if ![8, 12].contains(&length) {
        return Err(Malformed);
    }
    let sign = if fields.u8()? == 1 { "-" } else { "" };
    let hours = u64::from(fields.u32()?) * 24 + u64::from(fields.u8()?);
    let (minute, second) = (fields.u8()?, fields.u8()?);
    let mut text = format!("{sign}{hours:02}:{minute:02}:{second:02}");
    if length == 12 {
        text.push_str(&format!(".{:06}", fields.u32()?));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An execution whose only parameter has this type and these bytes.
    fn one(wire_type: u8, unsigned: u8, value: &[u8]) -> Result<Parameter, Malformed> {
        let mut payload = vec![0, 1, 0, 0, 0, 0, 1, wire_type, unsigned];
        payload.extend(value);
        read(&payload, 1, &mut Vec::new(), |_| None).map(|mut all| all.remove(0))
    }

    #[test]
    fn every_type_is_read() {
        let moment = |text: &str| Parameter::Moment(text.to_owned());
        for (wire_type, unsigned, bytes, expected) in [
            (wire_type::TINY, 0, &[0xff][..], Parameter::Integer(-1)),
            (wire_type::TINY, 0x80, &[0xff], Parameter::Unsigned(255)),
            (wire_type::SHORT, 0, &[0xff, 0xff], Parameter::Integer(-1)),
            (wire_type::LONG, 0x80, &[0xff; 4], Parameter::Unsigned(u32::MAX.into())),
            (wire_type::LONGLONG, 0, &[0xff; 8], Parameter::Integer(-1)),
            (wire_type::LONGLONG, 0x80, &[0xff; 8], Parameter::Unsigned(u64::MAX)),
            (wire_type::FLOAT, 0, &1.5_f32.to_le_bytes(), Parameter::Float(1.5)),
            (wire_type::DOUBLE, 0, &1.5_f64.to_le_bytes(), Parameter::Double(1.5)),
            (wire_type::NEWDECIMAL, 0, b"\x041.50", Parameter::Decimal(b"1.50".to_vec())),
            (wire_type::VAR_STRING, 0, b"\x02it", Parameter::Bytes(b"it".to_vec())),
            (wire_type::DATE, 0, &[4, 0xe8, 7, 6, 12], moment("2024-06-12")),
            (wire_type::DATETIME, 0, &[4, 0xe8, 7, 6, 12], moment("2024-06-12 00:00:00")),
            (wire_type::DATETIME, 0, &[7, 0xe8, 7, 6, 12, 1, 2, 3], moment("2024-06-12 01:02:03")),
            (wire_type::TIMESTAMP, 0, &[11, 0xe8, 7, 6, 12, 1, 2, 3, 5, 0, 0, 0], moment("2024-06-12 01:02:03.000005")),
            (wire_type::TIME, 0, &[8, 1, 1, 0, 0, 0, 2, 3, 4], moment("-26:03:04")),
            (wire_type::TIME, 0, &[0], moment("00:00:00")),
            (wire_type::NULL, 0, &[], Parameter::Null),
        ] {
            assert_eq!(one(wire_type, unsigned, bytes), Ok(expected), "type {wire_type}");
        }
    }

    #[test]
    fn types_are_remembered_and_data_sent_ahead_wins() {
        let mut types = Vec::new();
        let first = [0, 1, 0, 0, 0, 0, 1, wire_type::TINY, 0, wire_type::BLOB, 0, 7];
        let long = |index| (index == 1).then(|| b"long".to_vec());
        let expected = [Parameter::Integer(7), Parameter::Bytes(b"long".to_vec())];
        assert_eq!(read(&first, 2, &mut types, long).unwrap(), expected);
        let second = [0, 1, 0, 0, 0, 0b10, 0, 9];
        assert_eq!(read(&second, 2, &mut types, |_| None).unwrap(), [Parameter::Integer(9), Parameter::Null]);
    }

    #[test]
    fn values_without_types_are_malformed() {
        assert!(read(&[0, 1, 0, 0, 0, 0, 0, 7], 1, &mut Vec::new(), |_| None).is_err());
    }

    proptest! {
        #[test]
        fn no_execution_panics(payload in proptest::collection::vec(any::<u8>(), 0..60), count in 0..70_usize) {
            let _ = read(&payload, count, &mut Vec::new(), |_| None);
        }
    }
}
