//! Stage 5: WHERE, over the columns of the table as they are to be written.
//!
//! It may also name source columns that are no columns of the table, which StarRocks' documentation promises and its code
//! refuses. A row is kept if the condition is true; false and NULL leave it out, and then nothing else is asked of it.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};

use super::computed::feed_of;
use super::error::DefinitionError;
use super::mapping::Mapping;
use super::rows::Feed;
use super::sink::Origin;
use crate::expression::{Expression, Expressions, Input, Moment};
use crate::table::TableDefinition;

/// A compiled WHERE.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    expression: Arc<dyn Expression>,
    /// What the expression reads, in its order.
    sources: Vec<Source>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    /// The column of the table at that place.
    Column(usize),
    /// The feed of that number.
    Feed(usize),
}

impl Filter {
    /// Compiles the text of a WHERE; source columns that it reads are added to `feeds`.
    pub(super) fn compile(
        text: &str,
        mapping: &Mapping<'_>,
        table: &TableDefinition,
        expressions: &dyn Expressions,
        time_zone: &str,
        feeds: &mut Vec<Feed>,
    ) -> Result<Self, DefinitionError> {
        let of_table = |column: &crate::table::Column| Input {
            name: column.name.clone(),
            column_type: column.column_type.clone(),
        };
        let mut inputs: Vec<Input> = table.columns.iter().map(of_table).collect();
        let mut slots = Vec::new();
        for (slot, input) in mapping.inputs() {
            if table.column(&input.name).is_none() {
                inputs.push(input);
                slots.push(slot);
            }
        }
        let expression =
            expressions.compile_condition(text, &inputs, time_zone).map_err(|source| match &source.unknown_column {
                Some(column) => DefinitionError::UnknownInFilter { column: column.clone(), hint: source.hint },
                None => DefinitionError::Filter { source },
            })?;
        let source = |place: &usize| match place.checked_sub(table.columns.len()) {
            None => Some(Source::Column(*place)),
            Some(aside) => Some(Source::Feed(feed_of(*slots.get(aside)?, inputs.get(*place)?, feeds))),
        };
        let sources = expression.reads().iter().filter_map(source).collect();
        Ok(Self { expression, sources })
    }

    /// For each row, whether it is left out.
    pub(super) fn unselected(
        &self,
        origins: &[Origin],
        (fed, computed): (&[ArrayRef], &[ArrayRef]),
        rows: usize,
        moment: &Moment,
    ) -> Vec<bool> {
        let columns = self.sources.iter().filter_map(|source| match source {
            Source::Feed(feed) => fed.get(*feed).cloned(),
            Source::Column(place) => match origins.get(*place)? {
                Origin::Feed(feed) => fed.get(*feed).cloned(),
                Origin::Computed(place) => computed.get(*place).cloned(),
                constant => constant.repeated(rows, moment.now_ms).ok(),
            },
        });
        let columns: Vec<ArrayRef> = columns.collect();
        let results = self.expression.evaluate(&columns, rows, moment).ok();
        let kept = results.as_ref().and_then(|results| results.as_boolean_opt());
        (0..rows)
            .map(|row| !kept.is_some_and(|kept| row < kept.len() && kept.is_valid(row) && kept.value(row)))
            .collect()
    }
}
