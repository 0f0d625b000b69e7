//! Definitions that cannot work, in StarRocks' words where it has some, and what to do about each.

use super::PathError;
use crate::expression::ExpressionError;
use crate::metadata::MetadataField;
use crate::separator::SeparatorError;
use crate::table::ColumnType;

/// A definition that cannot work, found before the first record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// `PARTITION (...)` names a partition that the table does not have.
    #[error("Partition {name} does not exist")]
    UnknownTablePartition {
        /// The name.
        name: String,
    },
    /// The table is divided by a column that it does not have, or whose type divides no table.
    #[error("column `{column}` cannot divide the table")]
    PartitionColumn {
        /// The column.
        column: String,
    },
    /// A bound or listed value of a partition is none of its column's type.
    #[error("a value of partition `{partition}` is not of its column's type")]
    PartitionValue {
        /// The partition's name.
        partition: String,
    },
    /// Rows cannot say yet whether they are to be inserted or deleted.
    #[error("`__op` in COLUMNS is not supported yet")]
    ChangeKindNotYet,
    /// A column cannot be computed like this.
    #[error("column `{column}` in COLUMNS")]
    Computed {
        /// The destination column.
        column: String,
        /// What is wrong with the expression.
        #[source]
        source: ExpressionError,
    },
    /// WHERE names a column that there is not.
    #[error("unknown column in where statement. the column '{column}' in where clause must be in the target table.")]
    UnknownInFilter {
        /// The name.
        column: String,
        /// What the user might do.
        hint: Option<String>,
    },
    /// WHERE is no condition.
    #[error("WHERE")]
    Filter {
        /// What is wrong with the expression.
        #[source]
        source: ExpressionError,
    },
    /// COLUMNS has more items than a table has columns.
    #[error("expected at most {} names and assignments in COLUMNS, found {found}", crate::table::MAX_COLUMNS)]
    TooManyColumns {
        /// How many there are.
        found: usize,
    },
    /// A plain name stands twice in COLUMNS.
    #[error("Duplicate column: {column}")]
    DuplicateColumn {
        /// The name.
        column: String,
    },
    /// A column is assigned twice in COLUMNS.
    #[error("Duplicate column mapping: {column}")]
    DuplicateMapping {
        /// The name.
        column: String,
    },
    /// COLUMNS assigns a column that the table does not have.
    #[error("Mapping column is not in table. column: {column}")]
    NotInTable {
        /// The name.
        column: String,
    },
    /// Nothing feeds a column that can be neither NULL nor a default.
    #[error("Column has no default value. column: {column}")]
    NoDefault {
        /// The name.
        column: String,
    },
    /// A column's default is no value of its type.
    #[error("default `{literal}` of column `{column}` is not a value of type {column_type}")]
    Default {
        /// The column.
        column: String,
        /// Its type.
        column_type: ColumnType,
        /// The default, as written.
        literal: String,
    },
    /// `jsonpaths` is no JSON.
    #[error("Invalid json path: `jsonpaths` is no JSON, line {line} column {column}: {problem}")]
    JsonPathsSyntax {
        /// Line of the text, from 1.
        line: usize,
        /// Column of the line, from 1; 0 at its end.
        column: usize,
        /// What the parser says.
        problem: String,
    },
    /// `jsonpaths` is JSON, but not an array of strings.
    #[error("Invalid json path: expected an array of strings, found {found}")]
    JsonPathsShape {
        /// What stands there instead.
        found: String,
    },
    /// A path of `jsonpaths` is none.
    #[error("Invalid json path: `jsonpaths`, path {number}")]
    JsonPath {
        /// Its place in the array, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: PathError,
    },
    /// `json_root` is no path.
    #[error("Invalid json path: `json_root`")]
    JsonRoot {
        /// What is wrong with it.
        #[source]
        source: PathError,
    },
    /// `json_root` leads to a list of places.
    #[error("Invalid json path: `json_root` `{path}` can lead to several places")]
    JsonRootList {
        /// The path.
        path: String,
    },
    /// A path that selects a list feeds a column that cannot hold one.
    #[error("path `{path}` selects a list, which column `{column}` of type {column_type} cannot hold")]
    ListPath {
        /// The path, as given.
        path: String,
        /// The column.
        column: String,
        /// Its type.
        column_type: ColumnType,
    },
    /// Metadata has the name of another source column.
    #[error("Duplicate column: {column}")]
    DuplicateMetadata {
        /// The name.
        column: String,
        /// What it was to be the name of.
        field: MetadataField,
    },
    /// A separator stands for nothing that could be one.
    #[error("{what} `{written}`")]
    Separator {
        /// Which one.
        what: &'static str,
        /// Its text.
        written: String,
        /// What is wrong with it.
        #[source]
        source: SeparatorError,
    },
    /// The column separator holds the row delimiter, which ends the row before it is found.
    #[error("the column separator holds the row delimiter")]
    HiddenSeparator,
    /// `enclose` or `escape` is part of a character only.
    #[error("{property}: expected an ASCII character, found `{found}`")]
    NotAscii {
        /// The property.
        property: &'static str,
        /// The character that it begins with.
        found: char,
    },
    /// `enclose` or `escape` stands in a separator.
    #[error("{property} `{found}` stands in the {what}")]
    SpecialInSeparator {
        /// The property.
        property: &'static str,
        /// The character.
        found: char,
        /// Which separator.
        what: &'static str,
    },
    /// The path `$` feeds a column that cannot hold a document.
    #[error("path `$` cannot feed column `{column}` of type {column_type}")]
    WholeRow {
        /// The column.
        column: String,
        /// Its type.
        column_type: ColumnType,
    },
}

impl DefinitionError {
    /// What the user might do, if there is something to say beyond the error itself.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::DuplicateMetadata { field, .. } => {
                return Some(format!("give it another name: `{field} AS ...` in INCLUDE METADATA"));
            }
            Self::HiddenSeparator => "say other COLUMNS TERMINATED BY or ROWS TERMINATED BY",
            Self::SpecialInSeparator { .. } => "choose a character that no separator holds",
            Self::ChangeKindNotYet => "it belongs to PRIMARY KEY tables; leave it out",
            Self::Computed { source, .. } | Self::Filter { source } => return source.hint.clone(),
            Self::UnknownInFilter { hint, .. } => return hint.clone(),
            Self::DuplicateColumn { .. } => "name the fields to be skipped differently",
            Self::NoDefault { .. } => "name it in COLUMNS, or give it a DEFAULT or make it nullable in the table",
            Self::JsonPathsSyntax { .. } | Self::JsonPathsShape { .. } => {
                "for example \"[\\\"$.id\\\",\\\"$.user.name\\\"]\", or in single quotes '[\"$.id\",\"$.user.name\"]'"
            }
            Self::JsonPath { source, .. } | Self::JsonRoot { source } => source.problem.hint(),
            Self::JsonRootList { .. } => {
                "records lie under one place; for the elements of an array there, set strip_outer_array"
            }
            Self::ListPath { .. } => {
                "a list fits ARRAY, JSON, VARCHAR and CHAR; for one value name its place, as in `$.a[0]` or `$.a[-1]`"
            }
            Self::WholeRow { .. } => "`$` is the whole row: it fits JSON, VARCHAR and CHAR",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
