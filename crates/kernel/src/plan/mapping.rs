//! COLUMNS: which source field feeds which column of the table.
//!
//! Plain names take source fields in their order, whatever assignments stand between them. Names are matched to the
//! table's columns without regard to case; a name that is no column of the table is a field that only expressions see. Columns of
//! INCLUDE METADATA are source columns too, but no fields: without plain names, the table's other columns are the fields.

use arrow_array::ArrayRef;

use super::error::DefinitionError;
use super::rows::Feed;
use super::sink::Origin;
use crate::batch::Record;
use crate::convert::literal;
use crate::expression::Input;
use crate::format::json::path::{NoArray, Path};
use crate::format::json::select::Results;
use crate::format::value::Value;
use crate::job::{ColumnItem, MetadataItem};
use crate::metadata::MetadataField;
use crate::table::{Column, ColumnDefault, ColumnType, MAX_COLUMNS, TableDefinition};

/// Name of the hidden column that says whether a row is inserted or deleted.
const CHANGE_KIND: &str = "__op";

/// The source columns of a job, its plain names, each the name of a source field, and its metadata; and its assignments.
#[derive(Debug)]
pub(super) struct Mapping<'j> {
    names: Vec<String>,
    metadata: Vec<(String, MetadataField)>,
    /// Destination column, by its place in the table, and the expression's text; in the order of the table.
    assignments: Vec<(usize, &'j str)>,
}

/// Where a source column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// The field of that place among the plain names; beyond the last path it is always missing.
    Field(usize),
    /// What Kafka knows of the record.
    Metadata(MetadataField),
}

impl Slot {
    /// The value, in a row of these fields from `record` of `topic`.
    #[inline]
    pub(super) fn value<'a>(self, fields: &[Value<'a>], topic: &'a str, record: &Record<'a>) -> Value<'a> {
        match self {
            Self::Field(place) => fields.get(place).copied().unwrap_or(Value::Missing),
            Self::Metadata(field) => field.value(topic, record),
        }
    }
}

impl<'j> Mapping<'j> {
    /// Takes the names from COLUMNS, or from the table if there are none, and the metadata from INCLUDE METADATA.
    pub(super) fn new(
        items: Option<&'j [ColumnItem]>,
        metadata: Option<&[MetadataItem]>,
        table: &TableDefinition,
    ) -> Result<Self, DefinitionError> {
        let items = items.unwrap_or_default();
        if items.len() > MAX_COLUMNS {
            return Err(DefinitionError::TooManyColumns { found: items.len() });
        }
        let mut names: Vec<String> = Vec::new();
        let mut assignments: Vec<(usize, &str)> = Vec::new();
        for item in items {
            let (ColumnItem::Plain(name) | ColumnItem::Assignment { name, .. }) = item;
            let place = table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
            if place.is_none() && name.eq_ignore_ascii_case(CHANGE_KIND) {
                return Err(DefinitionError::ChangeKindNotYet);
            }
            match item {
                ColumnItem::Plain(name) if names.iter().any(|other| other.eq_ignore_ascii_case(name)) => {
                    return Err(DefinitionError::DuplicateColumn { column: name.clone() });
                }
                ColumnItem::Plain(name) => names.push(name.clone()),
                ColumnItem::Assignment { name, expression } => {
                    let Some(place) = place else {
                        return Err(DefinitionError::NotInTable { column: name.clone() });
                    };
                    if assignments.iter().any(|(other, _)| *other == place) {
                        return Err(DefinitionError::DuplicateMapping { column: name.clone() });
                    }
                    assignments.push((place, expression));
                }
            }
        }
        assignments.sort_unstable_by_key(|(place, _)| *place);
        let metadata = metadata_columns(metadata.unwrap_or_default(), &names)?;
        if names.is_empty() {
            let is_field = |name: &str| !metadata.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            names = table.columns.iter().map(|column| column.name.clone()).filter(|name| is_field(name)).collect();
        }
        Ok(Self { names, metadata, assignments })
    }

    /// The names, in order; also the keys that feed them if there are no paths.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Columns that are computed, by their place in the table, each with its expression; in the order of the table.
    pub(super) fn assignments(&self) -> &[(usize, &'j str)] {
        &self.assignments
    }

    /// Every source column with its name and the type that expressions see.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (Slot, Input)> {
        let fields = self.names.iter().enumerate().map(|(place, name)| {
            (Slot::Field(place), Input { name: name.clone(), column_type: ColumnType::Varchar(u32::MAX) })
        });
        let metadata = self.metadata.iter().map(|(name, field)| {
            (Slot::Metadata(*field), Input { name: name.clone(), column_type: field.column_type() })
        });
        fields.chain(metadata)
    }

    /// The source column of a name, in any case.
    pub(super) fn slot(&self, name: &str) -> Option<Slot> {
        let field = self.names.iter().position(|other| other.eq_ignore_ascii_case(name)).map(Slot::Field);
        field.or_else(|| {
            let (_, field) = self.metadata.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
            Some(Slot::Metadata(*field))
        })
    }

    /// The metadata that is included.
    pub(super) fn metadata(&self) -> impl Iterator<Item = MetadataField> {
        self.metadata.iter().map(|(_, field)| *field)
    }

    /// The paths as their columns can take them. `texts` are the paths as given.
    ///
    /// # Errors
    /// [`DefinitionError`] if a whole row or a list feeds a column that cannot hold it.
    pub(super) fn fit_paths(
        &self,
        mut paths: Vec<Path>,
        texts: &[String],
        table: &TableDefinition,
    ) -> Result<Vec<Path>, DefinitionError> {
        for ((name, path), text) in self.names.iter().zip(&mut paths).zip(texts) {
            let Some((place, Column { name: column, column_type, .. })) =
                table.columns.iter().enumerate().find(|(_, column)| column.name.eq_ignore_ascii_case(name))
            else {
                continue;
            };
            if self.computed(place).is_some() {
                continue;
            }
            let is_text = matches!(column_type, ColumnType::Varchar(_) | ColumnType::Char(_));
            let is_document = is_text || *column_type == ColumnType::Json;
            match path {
                Path::Place { steps, .. } if steps.is_empty() && !is_document => {
                    return Err(DefinitionError::WholeRow { column: column.clone(), column_type: column_type.clone() });
                }
                Path::Select { one_place, selection, .. } if selection.results() == Results::List => {
                    match (column_type, one_place.take()) {
                        (ColumnType::Array(_) | ColumnType::Json, _) => {}
                        (_, Some(steps)) => *path = Path::Place { steps, no_array: NoArray::Fault },
                        (_, None) if is_text => {}
                        (_, None) => {
                            return Err(DefinitionError::ListPath {
                                path: text.clone(),
                                column: column.clone(),
                                column_type: column_type.clone(),
                            });
                        }
                    }
                }
                Path::Place { .. } | Path::Select { .. } => {}
            }
        }
        Ok(paths)
    }

    /// What feeds each column of the table: a source column, an expression (by its place among the assignments), the
    /// default, or NULL.
    pub(super) fn resolve(&self, table: &TableDefinition) -> Result<(Vec<Feed>, Vec<Origin>), DefinitionError> {
        let mut feeds = Vec::new();
        let mut origins = Vec::new();
        for (place, column) in table.columns.iter().enumerate() {
            origins.push(match (self.computed(place), self.slot(&column.name)) {
                (Some(computed), _) => Origin::Computed(computed),
                (None, None) => default(column)?,
                (None, Some(slot)) => {
                    feeds.push(Feed::of_column(slot, column));
                    Origin::Feed(feeds.len() - 1)
                }
            });
        }
        Ok((feeds, origins))
    }

    /// The assignment to the table's column of that place.
    fn computed(&self, place: usize) -> Option<usize> {
        self.assignments.iter().position(|(assigned, _)| *assigned == place)
    }
}

/// The metadata columns, none of which has the name of another or of a field.
fn metadata_columns(items: &[MetadataItem], names: &[String]) -> Result<Vec<(String, MetadataField)>, DefinitionError> {
    let mut columns: Vec<(String, MetadataField)> = Vec::new();
    for item in items {
        let name = item.name();
        let mut others = names.iter().chain(columns.iter().map(|(other, _)| other));
        if others.any(|other| other.eq_ignore_ascii_case(name)) {
            return Err(DefinitionError::DuplicateMetadata { column: name.to_owned(), field: item.field });
        }
        columns.push((name.to_owned(), item.field));
    }
    Ok(columns)
}

/// What a column gets that no field feeds.
fn default(column: &Column) -> Result<Origin, DefinitionError> {
    let wrong = |literal: &str| DefinitionError::Default {
        column: column.name.clone(),
        column_type: column.column_type.clone(),
        literal: literal.to_owned(),
    };
    match &column.default {
        Some(ColumnDefault::Literal(text)) => {
            let value: Option<ArrayRef> = literal(&column.column_type, text);
            Ok(Origin::Constant { value: value.ok_or_else(|| wrong(text))?, bytes: text.len() })
        }
        Some(ColumnDefault::CurrentTimestamp) => match column.column_type {
            ColumnType::DateTime | ColumnType::Date => Ok(Origin::Now(column.column_type.clone())),
            _ => Err(wrong("CURRENT_TIMESTAMP")),
        },
        None if column.nullable => Ok(Origin::Null(column.column_type.clone())),
        None => Err(DefinitionError::NoDefault { column: column.name.clone() }),
    }
}
