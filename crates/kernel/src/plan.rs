//! A job version compiled once, then used for batch after batch.
//!
//! The stages of a row are apart: [`format`](crate::format) reads records, `convert` turns values into columns,
//! `rows` decides by strict mode what an unsuitable value costs, `sink` checks what the table demands, `division` gives each
//! row to its table partition. Nothing that a record holds makes any of them fail.

pub mod describe;
mod division;
mod error;
mod load;
mod mapping;
mod paths;
mod ranges;
mod reading;
mod rejection;
mod rows;
mod sink;
#[cfg(test)]
mod tests;

use arrow_schema::SchemaRef;

use crate::batch::Batch;
use crate::expression::Expressions;
use crate::facts::Facts;
use crate::format::Reader;
use crate::ids::SchemaId;
use crate::job::JobDefinition;
use crate::loaded::Loaded;
use crate::metadata::MetadataField;
use crate::table::TableDefinition;

pub use crate::format::json::path::{PathError, PathProblem};
pub use error::DefinitionError;

use division::Division;
use mapping::Mapping;
use rows::Feed;
use sink::Origin;

/// A compiled job version. Cheap to clone, and usable by several threads at once.
#[derive(Debug, Clone)]
pub struct Plan {
    reader: Reader,
    strict: bool,
    /// What Kafka knows of records that rows hold.
    metadata: Vec<MetadataField>,
    /// Columns that records feed, in the order of the table.
    feeds: Vec<Feed>,
    /// Where each column of the table comes from.
    origins: Vec<Origin>,
    schema: SchemaRef,
    /// How rows find their table partition, if the table has several.
    division: Option<Division>,
}

impl Plan {
    /// Compiles `job` against the table it loads; `_expressions` is the language of its computed columns and filter.
    ///
    /// # Errors
    /// [`DefinitionError`] names what is wrong in the definition, and where.
    pub fn compile(
        job: &JobDefinition,
        table: &TableDefinition,
        _expressions: &dyn Expressions,
    ) -> Result<Self, DefinitionError> {
        if let Some(filter) = &job.clauses.filter {
            return Err(DefinitionError::FilterNotYet { filter: filter.clone() });
        }
        let mapping = Mapping::new(job.clauses.columns.as_deref(), job.clauses.metadata.as_deref(), table)?;
        let reader = reading::reader(job, &mapping, table)?;
        let (feeds, origins) = mapping.resolve(table)?;
        Ok(Self {
            reader,
            strict: job.properties.strict_mode(),
            metadata: mapping.metadata().collect(),
            feeds,
            origins,
            schema: table.arrow_schema(),
            division: Division::new(table, job.clauses.table_partitions.as_deref())?,
        })
    }

    /// Whether rows hold what the records' headers say; if not, they need not be handed in.
    pub fn reads_headers(&self) -> bool {
        self.metadata.contains(&MetadataField::Headers)
    }

    /// The schemas that the records of `batch` name, to be among the facts of [`load`](Self::load); ascending, none twice.
    /// Empty for formats that carry their own shape.
    pub fn schemas_needed(&self, batch: &Batch<'_>) -> Vec<SchemaId> {
        self.reader.schemas_needed(batch)
    }

    /// Loads a batch. Never fails because of data: what does not fit becomes a rejected row.
    ///
    /// A batch whose text would not fit one Arrow array (2 GiB) comes as several entries of [`Loaded::tables`].
    pub fn load(&self, batch: &Batch<'_>, facts: &Facts) -> Loaded {
        load::load(self, batch, facts)
    }
}
