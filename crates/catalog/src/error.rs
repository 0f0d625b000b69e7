//! What can go wrong with the catalog, by what the caller should do.

/// A failure of the catalog. Expected outcomes (a lost race, a name in use) are not errors but answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The store does not answer, throttles, or lost its reply: try again; whether a write took place is unknown.
    #[error("the catalog's store does not answer: {operation}")]
    Unavailable {
        /// What was asked of it.
        operation: &'static str,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store refuses: table absent, no permission, malformed request. A setting must change.
    #[error("the catalog's store refuses {operation}: {message}")]
    Refused {
        /// What was asked of it.
        operation: &'static str,
        /// In the store's words.
        message: String,
    },
    /// An item cannot be read: written by a newer version, or damaged. Upgrade, or report.
    #[error("catalog item `{key}` cannot be read: {message}")]
    Unreadable {
        /// Its key.
        key: String,
        /// Expected and found.
        message: String,
    },
    /// A value does not fit into an item, compressed as it is: shorten it.
    #[error("catalog item `{key}` takes {bytes} bytes, expected at most {limit}")]
    TooLarge {
        /// Its key.
        key: String,
        /// Its compressed length.
        bytes: usize,
        /// Most bytes that it may take.
        limit: usize,
    },
    /// A commit does not fit into an item, even without statistics: load and commit its source partitions, or parts of
    /// the batch, one after the other.
    #[error("commit `{commit}` of {files} files takes {bytes} bytes, expected at most {limit}")]
    CommitTooLarge {
        /// Its id.
        commit: String,
        /// Its files.
        files: usize,
        /// Its length without statistics.
        bytes: usize,
        /// Most bytes that it may take.
        limit: usize,
    },
    /// Other writers won every race for too long: try again.
    #[error("catalog item `{key}` changes faster than it can be updated")]
    Contended {
        /// Its key.
        key: String,
    },
}
