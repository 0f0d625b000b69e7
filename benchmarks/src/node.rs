//! A value of a record before it has a format, and its text or bytes in each.

use std::fmt::Write;

/// A value.
#[derive(Debug, Clone)]
pub enum Node {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Long(i64),
    /// A number of so many hundredths.
    Cents(i64),
    /// Text of any characters.
    Text(String),
    /// A moment, milliseconds since the epoch.
    Moment(i64),
    /// Values in order.
    List(Vec<Node>),
    /// Values with names.
    Object(Vec<(String, Node)>),
}

/// Text.
pub fn text(text: impl Into<String>) -> Node {
    Node::Text(text.into())
}

/// An object of these members.
pub fn object<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::Object(members.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
}

impl Node {
    /// Appends the value as JSON without white space.
    pub fn write_json(&self, into: &mut String) {
        match self {
            Self::Null => into.push_str("null"),
            Self::Text(text) => write_quoted(text, into),
            Self::Moment(_) => {
                into.push('"');
                self.write_plain(into);
                into.push('"');
            }
            Self::List(nodes) => {
                into.push('[');
                for (place, node) in nodes.iter().enumerate() {
                    into.push_str(if place > 0 { "," } else { "" });
                    node.write_json(into);
                }
                into.push(']');
            }
            Self::Object(members) => {
                into.push('{');
                for (place, (name, node)) in members.iter().enumerate() {
                    into.push_str(if place > 0 { "," } else { "" });
                    write_quoted(name, into);
                    into.push(':');
                    node.write_json(into);
                }
                into.push('}');
            }
            _ => self.write_plain(into),
        }
    }

    /// Appends the value as a field of delimited text; lists and objects have none.
    pub fn write_plain(&self, into: &mut String) {
        // Writing to text never fails.
        let _ = match self {
            Self::Null | Self::List(_) | Self::Object(_) => Ok(()),
            Self::Boolean(flag) => write!(into, "{flag}"),
            Self::Long(number) => write!(into, "{number}"),
            Self::Cents(cents) => {
                let sign = if *cents < 0 { "-" } else { "" };
                write!(into, "{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
            }
            Self::Text(text) => into.write_str(text),
            Self::Moment(milliseconds) => {
                let (day, in_day) = (milliseconds.div_euclid(86_400_000), milliseconds.rem_euclid(86_400_000));
                let (year, month, day) = date(day);
                let (second, fraction) = (in_day / 1000, in_day % 1000);
                let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
                write!(into, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:03}")
            }
        };
    }

    /// Appends the value in Avro's binary encoding.
    pub fn write_avro(&self, into: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Boolean(flag) => into.push(u8::from(*flag)),
            Self::Long(number) | Self::Moment(number) => write_long(*number, into),
            Self::Cents(cents) => into.extend_from_slice(&(*cents as f64 / 100.0).to_le_bytes()),
            Self::Text(text) => {
                write_long(text.len() as i64, into);
                into.extend_from_slice(text.as_bytes());
            }
            Self::List(nodes) => {
                if !nodes.is_empty() {
                    write_long(nodes.len() as i64, into);
                    nodes.iter().for_each(|node| node.write_avro(into));
                }
                into.push(0);
            }
            Self::Object(members) => members.iter().for_each(|(_, node)| node.write_avro(into)),
        }
    }

    /// The Avro schema of values like this one; `name` names its record.
    pub fn avro_schema(&self, name: &str) -> String {
        match self {
            Self::Null => "\"null\"".to_owned(),
            Self::Boolean(_) => "\"boolean\"".to_owned(),
            Self::Long(_) => "\"long\"".to_owned(),
            Self::Cents(_) => "\"double\"".to_owned(),
            Self::Text(_) => "\"string\"".to_owned(),
            Self::Moment(_) => r#"{"type":"long","logicalType":"local-timestamp-millis"}"#.to_owned(),
            Self::List(nodes) => {
                let items = nodes.first().map_or_else(|| "\"string\"".to_owned(), |node| node.avro_schema(name));
                format!(r#"{{"type":"array","items":{items}}}"#)
            }
            Self::Object(members) => {
                let field = |(member, node): &(String, Node)| {
                    format!(r#"{{"name":"{member}","type":{}}}"#, node.avro_schema(&format!("{name}_{member}")))
                };
                let fields: Vec<String> = members.iter().map(field).collect();
                format!(r#"{{"type":"record","name":"{name}","fields":[{}]}}"#, fields.join(","))
            }
        }
    }
}

fn write_quoted(text: &str, into: &mut String) {
    into.push('"');
    for character in text.chars() {
        match character {
            '"' => into.push_str("\\\""),
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            other => into.push(other),
        }
    }
    into.push('"');
}

/// A variable-length zigzag number.
pub fn write_long(number: i64, into: &mut Vec<u8>) {
    let mut zigzag = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while zigzag >= 0x80 {
        into.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    into.push(zigzag as u8);
}

/// Year, month and day, so many days after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = (from_march + 2) % 12 + 1;
    (era * 400 + year + i64::from(month <= 2), month, day_of_year - (153 * from_march + 2) / 5 + 1)
}
