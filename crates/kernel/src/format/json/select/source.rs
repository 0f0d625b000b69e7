//! The part of a row that a path looks through: as values for the crate that looks, and as text for what it finds.
//!
//! Of equal keys the first one counts. Text that the scanner has passed is read without a check; recursion ends at
//! [`MAX_LEVELS`].

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::super::scan::{Cursor, Quoted};
use super::super::text::unescape;
use super::TooMuch;

/// Levels of containers that are looked through.
const MAX_LEVELS: usize = 256;

/// Values, and the text that they come from.
#[derive(Debug)]
pub(super) struct Source<'a> {
    text: &'a str,
    root: Value,
    values: usize,
    levels: usize,
}

impl<'a> Source<'a> {
    /// Reads an object or array.
    ///
    /// # Errors
    /// [`TooMuch`] if it has too many levels.
    pub(super) fn read(text: &'a str) -> Result<Self, TooMuch> {
        let mut reading = Reading { cursor: Cursor::new(text), values: 0, levels: 1 };
        reading.cursor.skip_space();
        let root = reading.value(0)?;
        Ok(Self { text, root, values: reading.values, levels: reading.levels })
    }

    pub(super) fn root(&self) -> &Value {
        &self.root
    }

    /// Values in all, containers included.
    pub(super) fn values(&self) -> usize {
        self.values
    }

    /// Levels of containers, 1 at least.
    pub(super) fn levels(&self) -> usize {
        self.levels
    }

    /// The texts of values of this source, each as it stands there.
    pub(super) fn texts(&self, values: &[&Value]) -> Vec<&'a str> {
        // A value is known by where it lies in memory: it cannot lie elsewhere while it is borrowed.
        let mut places: HashMap<usize, &'a str> = values.iter().map(|value| (address(value), "")).collect();
        if !places.is_empty() {
            let mut cursor = Cursor::new(self.text);
            cursor.skip_space();
            locate(&mut cursor, &self.root, &mut places);
        }
        values.iter().filter_map(|value| places.get(&address(value)).copied()).collect()
    }
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

struct Reading<'a> {
    cursor: Cursor<'a>,
    values: usize,
    levels: usize,
}

impl Reading<'_> {
    fn value(&mut self, level: usize) -> Result<Value, TooMuch> {
        self.values += 1;
        match self.cursor.peek() {
            Some(b'{') => {
                let mut members = Map::new();
                self.enter(level)?;
                while !self.cursor.take(b'}') {
                    let Ok(key) = self.cursor.key() else { break };
                    let value = self.value(level + 1)?;
                    members.entry(plain(key)).or_insert(value);
                    self.after_entry();
                }
                Ok(Value::Object(members))
            }
            Some(b'[') => {
                let mut elements = Vec::new();
                self.enter(level)?;
                while !self.cursor.take(b']') {
                    let start = self.cursor.at();
                    elements.push(self.value(level + 1)?);
                    self.after_entry();
                    if self.cursor.at() == start {
                        break;
                    }
                }
                Ok(Value::Array(elements))
            }
            Some(b'"') => Ok(Value::String(self.cursor.string().map(plain).unwrap_or_default())),
            Some(b't') => Ok(self.cursor.word("true").map_or(Value::Null, |()| Value::Bool(true))),
            Some(b'f') => Ok(self.cursor.word("false").map_or(Value::Null, |()| Value::Bool(false))),
            Some(b'n') => Ok(self.cursor.word("null").map_or(Value::Null, |()| Value::Null)),
            _ => Ok(self.cursor.number().ok().and_then(number).map_or(Value::Null, Value::Number)),
        }
    }

    fn enter(&mut self, level: usize) -> Result<(), TooMuch> {
        if level >= MAX_LEVELS {
            return Err(TooMuch);
        }
        self.levels = self.levels.max(level + 1);
        self.cursor.advance();
        self.cursor.skip_space();
        Ok(())
    }

    fn after_entry(&mut self) {
        pass_comma(&mut self.cursor);
    }
}

fn pass_comma(cursor: &mut Cursor<'_>) {
    cursor.skip_space();
    if cursor.take(b',') {
        cursor.skip_space();
    }
}

/// Notes the text of each value whose place is asked for; `value` was read from where the cursor stands.
fn locate<'a>(cursor: &mut Cursor<'a>, value: &Value, places: &mut HashMap<usize, &'a str>) {
    let start = cursor.at();
    match value {
        Value::Object(members) => {
            cursor.advance();
            cursor.skip_space();
            // Members lie in the order of their first occurrence.
            let mut expected = members.iter().peekable();
            while !cursor.take(b'}') {
                let Ok(key) = cursor.key() else { break };
                match expected.next_if(|(name, _)| is_key(key, name)) {
                    Some((_, value)) => locate(cursor, value, places),
                    None => {
                        let _ = cursor.skip_value(0);
                    }
                }
                pass_comma(cursor);
            }
        }
        Value::Array(elements) => {
            cursor.advance();
            cursor.skip_space();
            for value in elements {
                locate(cursor, value, places);
                pass_comma(cursor);
            }
            cursor.take(b']');
        }
        _ => {
            let _ = cursor.skip_value(0);
        }
    }
    if let Some(place) = places.get_mut(&address(value)) {
        *place = cursor.text_since(start);
    }
}

fn is_key(key: Quoted<'_>, name: &str) -> bool {
    if key.escaped { plain(key) == name } else { key.raw == name }
}

/// What a string says; one that no text can hold says something that no path is likely to ask for.
fn plain(string: Quoted<'_>) -> String {
    let mut text = String::new();
    if !string.escaped {
        text.push_str(string.raw);
    } else if unescape(string.raw, &mut text).is_err() {
        text.clear();
        text.push_str(string.raw);
    }
    text
}

/// The number as near as 64 bits are; comparing is all that it is for.
fn number(text: &str) -> Option<Number> {
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.into());
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Some(integer.into());
    }
    let float: f64 = text.parse().ok()?;
    Number::from_f64(float.clamp(f64::MIN, f64::MAX))
}
