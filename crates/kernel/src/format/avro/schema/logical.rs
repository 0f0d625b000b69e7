//! Logical types: what an annotation makes of the type it stands on.
//!
//! One that does not fit its type is no annotation, as the specification says; so is one that nobody knows.

use serde_json::{Map, Value};

use super::Type;

/// What a number of time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Millis,
    Micros,
    Nanos,
}

impl TimeUnit {
    /// The number in microseconds, at the end of its range if it is beyond: no calendar goes that far. Less than a
    /// microsecond is cut off, backwards.
    #[inline]
    pub(crate) fn micros(self, raw: i64) -> i64 {
        match self {
            Self::Millis => raw.saturating_mul(1_000),
            Self::Micros => raw,
            Self::Nanos => raw.div_euclid(1_000),
        }
    }
}

/// How a long is a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timestamp {
    /// What it counts since 1970-01-01 00:00:00.
    pub(crate) unit: TimeUnit,
    /// Whether that was midnight of a clock on some wall, not of UTC.
    pub(crate) local: bool,
}

/// `plain` as the annotations of its definition have it.
pub(super) fn annotated(plain: Type, definition: &Map<String, Value>) -> Type {
    let Some(Value::String(logical)) = definition.get("logicalType") else {
        return plain;
    };
    let timestamp = |unit, local| Type::Timestamp(Timestamp { unit, local });
    match (logical.as_str(), &plain) {
        ("decimal", Type::Bytes) => decimal(definition, None).unwrap_or(plain),
        ("decimal", Type::Fixed(size)) => decimal(definition, Some(*size)).unwrap_or(plain),
        ("date", Type::Int) => Type::Date,
        ("time-millis", Type::Int) => Type::Time(TimeUnit::Millis),
        ("time-micros", Type::Long) => Type::Time(TimeUnit::Micros),
        ("timestamp-millis", Type::Long) => timestamp(TimeUnit::Millis, false),
        ("timestamp-micros", Type::Long) => timestamp(TimeUnit::Micros, false),
        ("timestamp-nanos", Type::Long) => timestamp(TimeUnit::Nanos, false),
        ("local-timestamp-millis", Type::Long) => timestamp(TimeUnit::Millis, true),
        ("local-timestamp-micros", Type::Long) => timestamp(TimeUnit::Micros, true),
        ("local-timestamp-nanos", Type::Long) => timestamp(TimeUnit::Nanos, true),
        ("uuid", Type::Fixed(16)) => Type::Uuid,
        ("duration", Type::Fixed(12)) => Type::Duration,
        _ => plain,
    }
}

fn decimal(definition: &Map<String, Value>, size: Option<usize>) -> Option<Type> {
    let precision = definition.get("precision")?.as_u64().filter(|digits| *digits > 0)?;
    let scale = match definition.get("scale") {
        None => 0,
        Some(scale) => scale.as_u64()?,
    };
    if let Some(size) = size {
        // Digits that every number of so many bytes has: log10(2^(8 size - 1) - 1), rounded down.
        let bits = u128::try_from(size).ok()?.checked_mul(8)?.checked_sub(1)?;
        if u128::from(precision) > bits.checked_mul(30_103)? / 100_000 {
            return None;
        }
    }
    let scale = u32::try_from(scale).ok().filter(|scale| u64::from(*scale) <= precision)?;
    Some(Type::Decimal { scale, size })
}
