//! The functions: one table, from which lookup, signatures and the reference's text are derived.
//!
//! Most are a plain function of one row: arguments are cast to the types that the table names, so what does not fit is
//! NULL, and a NULL argument gives NULL. Those whose type depends on their arguments work on columns.

mod condition;
mod date;
mod date_format;
mod digest;
mod hidden;
mod json;
mod list;
mod number;
mod pattern;
mod text;
mod udf;
mod unsupported;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion_common::Result;
use datafusion_expr::{Expr, ScalarUDF};

use crate::types::{self, JSON, LARGE, MOMENT};

pub use hidden::UUID_NUMBER;
pub(crate) use hidden::{ARRAY, BETWEEN, LIKE, LOCAL, RANDOM, UUID};
pub(crate) use udf::wrong_count;
pub(crate) use unsupported::refusal;

/// Bytes that a text made by a function has at most, as in StarRocks; a longer one is NULL.
pub(crate) const MAX_TEXT_BYTES: usize = 1 << 20;

/// What an argument or an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Boolean,
    Integer,
    Large,
    Double,
    Text,
    Json,
    /// Anything, as JSON; text as a JSON string, NULL as null.
    Value,
    /// Microseconds since the epoch.
    Moment,
    /// Days since the epoch.
    Day,
    /// Texts, any of them NULL.
    Texts,
}

impl Kind {
    fn arrow(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Large => LARGE,
            Self::Double => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Json | Self::Value => JSON,
            Self::Moment => MOMENT,
            Self::Day => DataType::Date32,
            Self::Texts => types::list_of(DataType::Utf8),
        }
    }

    fn name(self) -> String {
        if self == Self::Value { "any".to_owned() } else { types::name(&self.arrow()) }
    }
}

/// An argument of one row.
#[derive(Debug, Clone)]
pub(crate) enum Arg<'a> {
    Null,
    Integer(i64),
    Double(f64),
    Text(&'a str),
    Json(&'a str),
    Moment(i64),
    Texts(Vec<Option<&'a str>>),
}

/// The answer for one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Boolean(bool),
    Integer(i64),
    Large(i128),
    Double(f64),
    Text(String),
    Json(String),
    Moment(i64),
    Day(i32),
    Texts(Vec<Option<String>>),
}

/// One row's answer; `None` is NULL.
type Row = for<'a> fn(&[Arg<'a>]) -> Option<Answer>;
/// Type of the result for arguments of these types; for an argument that is a literal whole number, that number, too.
type ResultType = fn(&[DataType], &[Option<i64>]) -> std::result::Result<DataType, String>;
/// Columns, equally long, into a column of the result's type.
type Columns = fn(&[ArrayRef], &DataType) -> Result<ArrayRef>;

#[derive(Debug, Clone, Copy)]
enum Body {
    Row(Row),
    Columns(ResultType, Columns),
    /// A form of the syntax tree: [`rewrite`](crate::rewrite) knows it.
    Form,
}

/// An entry of the table.
#[derive(Debug)]
pub struct Function {
    /// The name, lowercase.
    pub name: &'static str,
    /// Other names of the same.
    pub aliases: &'static [&'static str],
    /// One sentence, Markdown.
    pub doc: &'static str,
    /// Expressions and their results as text; `NULL` for NULL.
    pub examples: &'static [(&'static str, &'static str)],
    /// Each with its name; empty for a form.
    arguments: &'static [(&'static str, Kind)],
    /// How many of them must be given.
    required: usize,
    /// Whether the last may be given any number of times.
    repeats: bool,
    /// Whether it wants to see NULL.
    sees_null: bool,
    /// Whether its first argument is the session's time zone, which the rewriting puts there.
    pub(crate) zoned: bool,
    answer: Kind,
    /// The signature where kinds do not tell it.
    shown: Option<&'static str>,
    body: Body,
}

type Examples = &'static [(&'static str, &'static str)];

/// A function of one row.
const fn row(
    name: &'static str,
    arguments: &'static [(&'static str, Kind)],
    answer: Kind,
    body: Row,
    doc: &'static str,
    examples: Examples,
) -> Function {
    Function {
        name,
        aliases: &[],
        doc,
        examples,
        arguments,
        required: arguments.len(),
        repeats: false,
        sees_null: false,
        zoned: false,
        answer,
        shown: None,
        body: Body::Row(body),
    }
}

/// A function of columns whose types decide the result's; `shown` is its signature, `required` to `most` its arguments.
const fn columns(
    name: &'static str,
    (required, most): (usize, Option<usize>),
    shown: &'static str,
    (result, body): (ResultType, Columns),
    doc: &'static str,
    examples: Examples,
) -> Function {
    let placeholders: &[(&str, Kind)] = &[("", Kind::Value), ("", Kind::Value), ("", Kind::Value)];
    let most_named = match most {
        Some(most) => most,
        None => required,
    };
    Function {
        name,
        aliases: &[],
        doc,
        examples,
        arguments: placeholders.split_at(most_named).0,
        required,
        repeats: most.is_none(),
        sees_null: true,
        zoned: false,
        answer: Kind::Value,
        shown: Some(shown),
        body: Body::Columns(result, body),
    }
}

/// A form that is no function any more when it is evaluated.
const fn form(name: &'static str, shown: &'static str, doc: &'static str, examples: Examples) -> Function {
    Function {
        name,
        aliases: &[],
        doc,
        examples,
        arguments: &[],
        required: 0,
        repeats: true,
        sees_null: true,
        zoned: false,
        answer: Kind::Value,
        shown: Some(shown),
        body: Body::Form,
    }
}

impl Function {
    const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Only the first arguments must be given.
    const fn needs(mut self, required: usize) -> Self {
        self.required = required;
        self
    }

    /// The last argument may come any number of times.
    const fn repeated(mut self) -> Self {
        self.repeats = true;
        self
    }

    const fn with_null(mut self) -> Self {
        self.sees_null = true;
        self
    }

    const fn zoned(mut self) -> Self {
        self.zoned = true;
        self
    }

    /// Whether it can be called as it stands, and is no form of the syntax tree.
    pub(crate) fn is_callable(&self) -> bool {
        !matches!(self.body, Body::Form)
    }

    /// Whether so many arguments are as many as it takes, the time zone included.
    pub(crate) fn takes(&self, count: usize) -> bool {
        count >= self.required && (self.repeats || count <= self.arguments.len())
    }

    /// The call and its type: `left(text VARCHAR, count BIGINT) -> VARCHAR`.
    pub fn signature(&self) -> String {
        if let Some(shown) = self.shown {
            return shown.to_owned();
        }
        let mut text = format!("{}(", self.name);
        let skipped = usize::from(self.zoned);
        for (place, (name, kind)) in self.arguments.iter().enumerate().skip(skipped) {
            let optional = place >= self.required;
            text += match (place == skipped, optional) {
                (true, false) => "",
                (true, true) => "[",
                (false, false) => ", ",
                (false, true) => "[, ",
            };
            text += &format!("{name} {}", kind.name());
            text += if optional { "]" } else { "" };
        }
        text + if self.repeats { ", ...)" } else { ")" } + " -> " + &self.answer.name()
    }
}

/// The table's chapters: title and functions.
pub(crate) const CHAPTERS: &[(&str, &[Function])] = &[
    ("Conditions", condition::FUNCTIONS),
    ("Text", text::FUNCTIONS),
    ("Patterns", pattern::FUNCTIONS),
    ("Numbers", number::FUNCTIONS),
    ("Dates", date::FUNCTIONS),
    ("JSON", json::FUNCTIONS),
    ("Arrays", list::FUNCTIONS),
    ("Digests and encodings", digest::FUNCTIONS),
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Function>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    let all = CHAPTERS.iter().flat_map(|(_, functions)| functions.iter()).chain(hidden::FUNCTIONS);
    for function in all {
        for name in function.aliases.iter().chain([&function.name]) {
            known.insert(*name, function);
        }
    }
    known
});

static UDFS: LazyLock<HashMap<&'static str, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let callable = BY_NAME.values().filter(|function| function.is_callable());
    callable.map(|function| (function.name, Arc::new(udf::of(function)))).collect()
});

/// The function of that name, which is lowercase.
pub fn find(name: &str) -> Option<&'static Function> {
    BY_NAME.get(name).copied()
}

/// Names that a user may write, aliases included.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    BY_NAME.keys().copied().filter(|name| !name.starts_with('\0'))
}

/// All functions as DataFusion calls them, under their own names only.
pub fn udfs() -> impl Iterator<Item = &'static Arc<ScalarUDF>> {
    UDFS.values()
}

/// The function of that name as DataFusion calls it.
pub(crate) fn udf(name: &str) -> Option<&'static Arc<ScalarUDF>> {
    UDFS.get(find(name)?.name)
}

/// A call; `None` if there is no such function.
pub(crate) fn call(name: &str, args: Vec<Expr>) -> Option<Expr> {
    udf(name).map(|function| function.call(args))
}

/// The table, chapter by chapter.
pub fn all() -> impl Iterator<Item = &'static Function> {
    CHAPTERS.iter().flat_map(|(_, functions)| functions.iter())
}
