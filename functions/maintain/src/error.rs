//! What can go wrong with maintenance, by what follows from it.

use penstock_catalog::error::CatalogError;
use penstock_storage::StorageError;

/// A step that failed. Nothing is lost: what was visible stays so, and the next run begins it anew.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaintainError {
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The table's volume cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The table's volume does not exist any more.
    #[error("storage volume `{volume}` does not exist")]
    UnknownVolume {
        /// Its name.
        volume: String,
    },
    /// A file cannot be read as its commit says: it is left out of merging, and CHECK TABLE names it.
    #[error("file `{key}` cannot be merged: {message}")]
    File {
        /// Its key, relative to the volume's location.
        key: String,
        /// Expected and found.
        message: String,
    },
    /// The object store does not answer, or refuses.
    #[error("object `{key}`: cannot {operation}")]
    Objects {
        /// Its key.
        key: String,
        /// What was asked.
        operation: &'static str,
        /// What happened.
        #[source]
        source: object_store::Error,
    },
    /// A merged file cannot be written.
    #[error("cannot write the merged file `{key}`")]
    Write {
        /// Its key.
        key: String,
        /// What Parquet said.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Rows cannot be brought in order: report a bug.
    #[error("cannot merge rows")]
    Rows(#[from] arrow_schema::ArrowError),
    /// A merge gave another number of rows than it took: report a bug. Nothing was replaced.
    #[error("merging {files} files gave {found} rows, expected {expected}")]
    Miscounted {
        /// Files that went in.
        files: usize,
        /// Their rows.
        expected: u64,
        /// Rows that came out.
        found: u64,
    },
    /// Others changed the table's layout each time.
    #[error("the layout of table `{table}` changes faster than it can be folded")]
    Contended {
        /// The table's name.
        table: String,
    },
}
