//! A job version compiled once, then used for batch after batch.

use crate::batch::Batch;
use crate::job::JobDefinition;
use crate::loaded::Loaded;
use crate::table::TableDefinition;

/// A compiled job version.
#[derive(Debug, Clone)]
pub struct Plan {}

/// A definition that cannot work, found before the first record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {}

impl Plan {
    /// Compiles `job` against the table it loads.
    ///
    /// # Errors
    /// [`DefinitionError`] names what is wrong in the definition, and where.
    pub fn compile(_job: &JobDefinition, _table: &TableDefinition) -> Result<Self, DefinitionError> {
        todo!()
    }

    /// Loads a batch. Never fails because of data: what does not fit becomes a rejected row.
    ///
    /// `now_ms` (milliseconds since the epoch) is what `DEFAULT CURRENT_TIMESTAMP` gives.
    pub fn load(&self, _batch: &Batch<'_>, _now_ms: i64) -> Loaded {
        todo!()
    }
}
