//! Stage 3: columns that an expression computes from source columns.
//!
//! Every field is text here, whatever the table says of its name; metadata has types of its own. A result that cannot be cast to its column is
//! NULL, in strict mode too; NULL where the table takes none, and text that is too long, are for the sink to reject.

use std::sync::Arc;

use arrow_array::{ArrayRef, new_null_array};

use super::error::DefinitionError;
use super::mapping::{Mapping, Slot};
use super::rows::{Feed, Reading};
use crate::expression::{Expression, Expressions, Input, Moment};
use crate::table::{ColumnType, TableDefinition};

/// A column that an expression computes.
#[derive(Debug, Clone)]
pub(super) struct Computed {
    /// Its name.
    pub(super) name: String,
    /// Its type.
    pub(super) column_type: ColumnType,
    /// Whether it takes NULL.
    pub(super) nullable: bool,
    expression: Arc<dyn Expression>,
    /// Feeds that the expression reads, in its order.
    feeds: Vec<usize>,
}

/// Compiles the assignments of COLUMNS, in the order of the table; what they read is added to `feeds`.
pub(super) fn compile(
    mapping: &Mapping<'_>,
    table: &TableDefinition,
    expressions: &dyn Expressions,
    time_zone: &str,
    feeds: &mut Vec<Feed>,
) -> Result<Vec<Computed>, DefinitionError> {
    let (slots, inputs): (Vec<Slot>, Vec<Input>) = mapping.inputs().unzip();
    let mut computed = Vec::with_capacity(mapping.assignments().len());
    for (place, text) in mapping.assignments() {
        let Some(column) = table.columns.get(*place) else {
            continue;
        };
        let expression = expressions
            .compile(text, &inputs, &column.column_type, time_zone)
            .map_err(|source| DefinitionError::Computed { column: column.name.clone(), source })?;
        let mut read = Vec::with_capacity(expression.reads().len());
        for place in expression.reads() {
            let (Some(slot), Some(input)) = (slots.get(*place), inputs.get(*place)) else {
                continue;
            };
            // A field that is copied to its column besides is the same text to both.
            for feed in feeds.iter_mut().filter(|feed| feed.slot == *slot && feed.reading == Reading::Direct) {
                feed.reading = Reading::ThroughText;
            }
            read.push(feed_of(*slot, input, feeds));
        }
        computed.push(Computed {
            name: column.name.clone(),
            column_type: column.column_type.clone(),
            nullable: column.nullable,
            expression,
            feeds: read,
        });
    }
    // What is no scalar is no text either: it stays as the record has it.
    for feed in feeds.iter_mut().filter(|feed| feed.reading == Reading::ThroughText && !is_scalar(&feed.column_type)) {
        feed.reading = Reading::Direct;
    }
    Ok(computed)
}

fn is_scalar(column_type: &ColumnType) -> bool {
    !matches!(
        column_type,
        ColumnType::Json
            | ColumnType::Array(_)
            | ColumnType::Map(..)
            | ColumnType::Struct(_)
            | ColumnType::Varbinary(_)
    )
}

/// The number of the feed that gives expressions the source column; it is added if there is none yet.
pub(super) fn feed_of(slot: Slot, input: &Input, feeds: &mut Vec<Feed>) -> usize {
    let known = feeds.iter().position(|feed| feed.slot == slot && feed.reading == Reading::Input);
    known.unwrap_or_else(|| {
        feeds.push(Feed::of_input(slot, input.clone()));
        feeds.len() - 1
    })
}

impl Computed {
    /// The column over all rows. `fed` are all feeds.
    pub(super) fn evaluate(&self, fed: &[ArrayRef], rows: usize, moment: &Moment) -> ArrayRef {
        let columns: Vec<ArrayRef> = self.feeds.iter().filter_map(|feed| fed.get(*feed).cloned()).collect();
        let results = self.expression.evaluate(&columns, rows, moment);
        // A language that keeps its word never fails; one that does not gives NULL, and nothing is lost unseen.
        results
            .ok()
            .filter(|results| results.len() == rows && *results.data_type() == self.column_type.arrow())
            .unwrap_or_else(|| new_null_array(&self.column_type.arrow(), rows))
    }
}
