//! JSON: the value of a record into rows, each a set of slots that paths or keys have filled.
//!
//! A record is read to its end before its first row is handed out, so a record that is not JSON, or not of the expected
//! shape, gives no row at all. To do that in constant memory a record with several rows is scanned twice; one with a
//! single row, the usual kind, once.

pub(crate) mod direct;
pub(crate) mod entries;
mod fault;
mod matching;
pub(crate) mod path;
pub(crate) mod raw;
pub(crate) mod scan;
pub(crate) mod select;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod tree;

use crate::format::Row;
use crate::format::value::Value;
use direct::{Program, Take};
use fault::{Fault, FaultKind};
use matching::Matches;
use path::{NoArray, Path, Step};
use scan::Cursor;
use select::Selection;
use std::sync::Arc;
use tree::Tree;

/// How records are read; compiled once.
#[derive(Debug, Clone)]
pub(crate) struct JsonReader {
    tree: Tree,
    /// Slots that a selection is made from, each with its number.
    selected: Vec<(usize, u32)>,
    selections: Selections,
    root: Option<Root>,
    strip_outer_array: bool,
}

/// Selections by their numbers, as [`Value::Selected`] names them.
pub(crate) type Selections = Arc<[Arc<Selection>]>;

/// Where rows lie in a document.
#[derive(Debug, Clone)]
struct Root {
    tree: Tree,
    selection: Option<Arc<Selection>>,
}

/// Room that is used again for each record.
#[derive(Debug, Default)]
pub(crate) struct JsonScratch<'a> {
    row: Matches<'a>,
    root: Matches<'a>,
}

impl JsonReader {
    /// Slot n takes the member whose key is the n-th name.
    pub(crate) fn simple(names: &[String]) -> Self {
        let steps = |name: &String| Path::Place { steps: vec![Step::Member(name.clone())], no_array: NoArray::Fault };
        Self::matched(&names.iter().map(steps).collect::<Vec<_>>())
    }

    /// Slot n takes what the n-th path leads to.
    pub(crate) fn matched(paths: &[Path]) -> Self {
        let mut selections = Vec::new();
        let mut selected = Vec::new();
        for (slot, path) in paths.iter().enumerate() {
            if let Path::Select { selection, .. } = path {
                selected.push((slot, u32::try_from(selections.len()).unwrap_or(u32::MAX)));
                selections.push(Arc::clone(selection));
            }
        }
        let tree = Tree::new(paths.iter().map(steps));
        Self { tree, selected, selections: selections.into(), root: None, strip_outer_array: false }
    }

    /// Rows lie under this path, which leads to one place at most.
    pub(crate) fn with_root(mut self, path: &Path) -> Self {
        let selection = match path {
            Path::Select { selection, .. } => Some(Arc::clone(selection)),
            Path::Place { .. } => None,
        };
        self.root = Some(Root { tree: Tree::new([steps(path)]), selection });
        self
    }

    /// What slots with [`Value::Selected`] are made by.
    pub(crate) fn selections(&self) -> &Selections {
        &self.selections
    }

    /// Whether rows are the elements of an array.
    pub(crate) fn with_strip_outer_array(mut self, strip: bool) -> Self {
        self.strip_outer_array = strip;
        self
    }

    /// Reads objects by themselves, each a row.
    pub(crate) fn of_parts(&self) -> Self {
        Self { root: None, strip_outer_array: false, ..self.clone() }
    }

    /// How records are read [directly](Self::read_directly), slots going to `targets`; `None` where they are not.
    pub(crate) fn direct<T: Copy>(&self, targets: &[Option<T>]) -> Option<Program<T>> {
        let plain = self.root.is_none() && !self.strip_outer_array && self.selected.is_empty();
        if plain { Program::new(&self.tree, targets) } else { None }
    }

    /// Hands the values of a record that looks like those before to `to`, in the order of the record; no target comes
    /// twice, those that are missing do not come. `None` if [`read`](Self::read) has to do it: then what came means nothing.
    #[inline]
    pub(crate) fn read_directly<'a, T: Copy>(
        program: &Program<T>,
        value: &'a [u8],
        scratch: &JsonScratch<'a>,
        to: &mut impl Take<'a, T>,
    ) -> Option<()> {
        program.read(&scratch.row.orders, without_schema_id(value).0, to)
    }

    /// Hands each row of a record to `take`, in order.
    ///
    /// # Errors
    /// The reason why the record cannot be read; `take` was not called then.
    pub(crate) fn read<'a>(
        &self,
        value: &'a [u8],
        scratch: &mut JsonScratch<'a>,
        take: impl FnMut(Row<'_, 'a>),
    ) -> Result<(), String> {
        let (document, before) = without_schema_id(value);
        let read = match simdutf8::basic::from_utf8(document) {
            Ok(text) => match &self.root {
                None => self.read_rows(text, &mut scratch.row, take),
                Some(root) => self.read_under(root, text, scratch, take),
            },
            Err(_) => Err(Fault { at: invalid_utf8_at(document), kind: FaultKind::Utf8 }),
        };
        read.map_err(|fault| Fault { at: before + fault.at, ..fault }.reason(value))
    }

    fn read_rows<'a>(
        &self,
        text: &'a str,
        scratch: &mut Matches<'a>,
        mut take: impl FnMut(Row<'_, 'a>),
    ) -> Result<(), Fault> {
        let shape = self.shape();
        let mut rows = Documents::open(text, shape)?;
        let Some(first) = rows.next(|cursor| self.fill(scratch, cursor, shape.depth()))? else {
            return Ok(());
        };
        let mut only = true;
        if shape == Shape::Stream && rows.is_at_end() {
            take(Row { index: 0, only, raw: first.as_bytes(), values: Ok(&scratch.slots) });
            return Ok(());
        }
        let mut rest = rows.clone();
        while rest.next(|cursor| cursor.skip_container(shape.depth()))?.is_some() {
            only = false;
        }
        take(Row { index: 0, only, raw: first.as_bytes(), values: Ok(&scratch.slots) });
        if only {
            return Ok(());
        }
        for index in 1.. {
            let next = rows.next(|cursor| self.fill(scratch, cursor, shape.depth()))?;
            let Some(text) = next else { break };
            take(Row { index, only, raw: text.as_bytes(), values: Ok(&scratch.slots) });
        }
        Ok(())
    }

    fn read_under<'a>(
        &self,
        root: &Root,
        text: &'a str,
        scratch: &mut JsonScratch<'a>,
        mut take: impl FnMut(Row<'_, 'a>),
    ) -> Result<(), Fault> {
        let outer = match text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('[') {
            true => Shape::Array,
            false => Shape::Stream,
        };
        let mut documents = Documents::open(text, outer)?;
        let mut roots = Vec::new();
        let mut rows: u64 = 0;
        while let Some(document) = documents.next(|cursor| scratch.root.fill(&root.tree, cursor, outer.depth()))? {
            let fault = |kind| Fault { at: documents.at() - document.len(), kind };
            let found = match (scratch.root.slots.first(), &root.selection) {
                (None | Some(Value::Missing | Value::Null), _) => return Err(fault(FaultKind::NoRoot)),
                (Some(Value::Container(found) | Value::Row(found)), None) => found,
                (Some(Value::Container(found) | Value::Row(found)), Some(selection)) => match selection.one(found) {
                    Ok(Some("null") | None) => return Err(fault(FaultKind::NoRoot)),
                    Ok(Some(found)) => found,
                    Err(_) => return Err(fault(FaultKind::RootTooLarge)),
                },
                (Some(_), Some(_)) => return Err(fault(FaultKind::NoRoot)),
                (Some(_), None) => return Err(fault(FaultKind::RootShape)),
            };
            rows += self.rows_under(found).map_err(|_| fault(FaultKind::RootShape))?;
            roots.push(found);
        }
        let mut index = 0;
        for found in roots {
            self.read_rows(found, &mut scratch.row, |row| {
                take(Row { index, only: rows == 1, ..row });
                index += 1;
            })?;
        }
        Ok(())
    }

    #[inline]
    fn fill<'a>(&self, scratch: &mut Matches<'a>, cursor: &mut Cursor<'a>, depth: usize) -> Result<(), Fault> {
        scratch.fill(&self.tree, cursor, depth)?;
        for (slot, number) in &self.selected {
            if let Some(value) = scratch.slots.get_mut(*slot) {
                *value = Value::Selected(
                    match value {
                        Value::Container(text) | Value::Row(text) => text,
                        _ => "",
                    },
                    *number,
                );
            }
        }
        Ok(())
    }

    /// How many rows the value under `json_root`, which is JSON, holds; it may be of the wrong shape.
    fn rows_under(&self, found: &str) -> Result<u64, Fault> {
        let mut documents = Documents::open(found, self.shape())?;
        let mut rows = 0;
        while documents.next(|cursor| cursor.skip_container(self.shape().depth()))?.is_some() {
            rows += 1;
        }
        Ok(rows)
    }

    fn shape(&self) -> Shape {
        if self.strip_outer_array { Shape::Array } else { Shape::Stream }
    }
}

pub(crate) fn steps(path: &Path) -> (&[Step], NoArray) {
    match path {
        Path::Place { steps, no_array } => (steps, *no_array),
        Path::Select { prefix, .. } => (prefix, NoArray::Nothing),
    }
}

/// What holds the documents of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Objects one after another, with white space or nothing between.
    Stream,
    /// The elements of one array, all objects.
    Array,
}

impl Shape {
    /// Containers open around a document.
    fn depth(self) -> usize {
        usize::from(self == Self::Array)
    }
}

/// The objects of a text, one after another.
#[derive(Debug, Clone)]
struct Documents<'a> {
    cursor: Cursor<'a>,
    shape: Shape,
    /// Whether the next document is the first one.
    fresh: bool,
}

impl<'a> Documents<'a> {
    fn open(text: &'a str, shape: Shape) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(text);
        cursor.skip_space();
        let wrong = match (shape, cursor.peek()) {
            (Shape::Stream, None | Some(b'{')) | (Shape::Array, Some(b'[')) => None,
            (Shape::Stream, Some(b'[')) => Some(FaultKind::ArrayInStream),
            (Shape::Array, Some(b'{')) => Some(FaultKind::NotArray),
            _ => Some(FaultKind::Start),
        };
        if let Some(kind) = wrong {
            return Err(cursor.fault(kind));
        }
        if shape == Shape::Array {
            cursor.advance();
        }
        Ok(Self { cursor, shape, fresh: true })
    }

    /// Whether nothing but white space follows.
    #[inline]
    fn is_at_end(&mut self) -> bool {
        self.cursor.skip_space();
        self.cursor.peek().is_none()
    }

    /// The byte after the last document.
    fn at(&self) -> usize {
        self.cursor.at()
    }

    /// Has `read` pass over the next object, and gives its text; `None` at the end of all of them.
    #[inline]
    fn next(&mut self, read: impl FnOnce(&mut Cursor<'a>) -> Result<(), Fault>) -> Result<Option<&'a str>, Fault> {
        let cursor = &mut self.cursor;
        cursor.skip_space();
        if self.shape == Shape::Array {
            if cursor.take(b']') {
                cursor.skip_space();
                let end = cursor.peek().is_none();
                return if end { Ok(None) } else { Err(cursor.fault(FaultKind::Expected("the end"))) };
            }
            if !self.fresh {
                if !cursor.take(b',') {
                    return Err(cursor.fault(FaultKind::Expected("`,` or `]`")));
                }
                cursor.skip_space();
            }
        }
        self.fresh = false;
        match (cursor.peek(), self.shape) {
            (Some(b'{'), _) => {}
            (None, Shape::Stream) => return Ok(None),
            (Some(b'['), Shape::Stream) => return Err(cursor.fault(FaultKind::ArrayInStream)),
            (Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'), Shape::Stream) => {
                return Err(cursor.fault(FaultKind::NotObjectInStream));
            }
            (Some(b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'['), Shape::Array) => {
                return Err(cursor.fault(FaultKind::NotObjectInArray));
            }
            _ => return Err(cursor.fault(FaultKind::Expected("`{`"))),
        }
        let start = cursor.at();
        read(cursor)?;
        Ok(Some(cursor.text_since(start)))
    }
}

/// The JSON of a record, and the bytes before it: serializers with a schema registry put a zero byte and the four of a
/// schema id there. No JSON begins with a zero byte, so nothing else is mistaken for it.
#[inline]
fn without_schema_id(value: &[u8]) -> (&[u8], usize) {
    match value.split_first_chunk::<5>() {
        Some(([0, ..], document)) if matches!(document.trim_ascii_start().first(), Some(b'{' | b'[')) => (document, 5),
        _ => (value, 0),
    }
}

/// The value that a text holds, one document of any kind; `None` if it is no JSON.
pub(crate) fn document(text: &str) -> Option<Value<'_>> {
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    let start = cursor.at();
    cursor.skip_value(0).ok()?;
    let document = cursor.text_since(start);
    cursor.skip_space();
    if cursor.peek().is_none() { value_of(document) } else { None }
}

/// The value of a text that is one, without white space around it; `None` for no text.
pub(crate) fn value_of(text: &str) -> Option<Value<'_>> {
    Some(match text.as_bytes().first()? {
        b'"' => {
            let raw = text.get(1..text.len() - 1).unwrap_or_default();
            if memchr::memchr(b'\\', raw.as_bytes()).is_some() { Value::Escaped(raw) } else { Value::Text(raw) }
        }
        b'{' | b'[' => Value::Container(text),
        b'n' => Value::Null,
        b't' => Value::Boolean(true),
        b'f' => Value::Boolean(false),
        _ => Value::Number(text),
    })
}

/// Whether a text could stand between the quotes of a JSON string.
pub(crate) fn is_string_body(text: &str) -> bool {
    let quoted = format!("\"{text}\"");
    let mut cursor = Cursor::new(&quoted);
    cursor.string().is_ok() && cursor.peek().is_none()
}

#[cold]
fn invalid_utf8_at(value: &[u8]) -> usize {
    std::str::from_utf8(value).map_or_else(|error| error.valid_up_to(), |_| value.len())
}
