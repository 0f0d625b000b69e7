//! A job version compiled once, then used for batch after batch.
//!
//! The stages of a row are apart: [`format`](crate::format) reads records, `convert` turns values into columns,
//! `rows` decides by strict mode what an unsuitable value costs, `computed` evaluates the expressions of COLUMNS, `filter`
//! is WHERE, `sink` checks what the table demands, `division` gives each row to its table partition. Nothing that a record holds makes any of them fail.

mod computed;
pub mod describe;
mod direct;
mod division;
mod error;
mod filter;
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

use computed::Computed;
use direct::Direct;
use division::Division;
use filter::Filter;
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
    /// How records go into the feeds without the stages, where they can.
    direct: Option<Direct>,
    /// Columns that expressions compute, in the order of the table.
    computed: Vec<Computed>,
    /// WHERE.
    filter: Option<Filter>,
    /// Where each column of the table comes from.
    origins: Vec<Origin>,
    schema: SchemaRef,
    /// How rows find their table partition, if the table has several.
    division: Option<Division>,
}

impl Plan {
    /// Compiles `job` against the table it loads; `expressions` is the language of its computed columns and filter.
    ///
    /// # Errors
    /// [`DefinitionError`] names what is wrong in the definition, and where.
    pub fn compile(
        job: &JobDefinition,
        table: &TableDefinition,
        expressions: &dyn Expressions,
    ) -> Result<Self, DefinitionError> {
        let mapping = Mapping::new(job.clauses.columns.as_deref(), job.clauses.metadata.as_deref(), table)?;
        let reader = reading::reader(job, &mapping, table)?;
        let (mut feeds, origins) = mapping.resolve(table)?;
        let zone = job.properties.timezone();
        let computed = computed::compile(&mapping, table, expressions, &zone, &mut feeds)?;
        let filter = match &job.clauses.filter {
            Some(text) => Some(Filter::compile(text, &mapping, table, expressions, &zone, &mut feeds)?),
            None => None,
        };
        Ok(Self {
            direct: Direct::new(&reader, &feeds),
            reader,
            strict: job.properties.strict_mode(),
            metadata: mapping.metadata().collect(),
            feeds,
            computed,
            filter,
            origins,
            schema: table.arrow_schema(),
            division: Division::new(table, job.clauses.table_partitions.as_deref())?,
        })
    }

    /// Whether rows have more to go through than their feeds.
    fn has_expressions(&self) -> bool {
        !self.computed.is_empty() || self.filter.is_some()
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
        load::load(self, batch, &[], facts)
    }

    /// Loads rejected rows once more. Each record of `batch` is one of them, with the place of its record and what was
    /// kept of it as the value; of one record there may be several.
    ///
    /// `parts` has an entry a record: `None` if the value is the whole record's, else the row's place in the record
    /// whose part the value is ([`RejectedRow::whole`](crate::loaded::RejectedRow::whole)). Rows keep their place in
    /// their record, so they are named as before.
    pub fn replay(&self, batch: &Batch<'_>, parts: &[Option<u32>], facts: &Facts) -> Loaded {
        load::load(self, batch, parts, facts)
    }
}
