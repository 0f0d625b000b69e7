//! The functions as the gateway reaches them: in process, through an emulated Runtime API, or deployed.

use async_trait::async_trait;
use futures::stream::BoxStream;
use penstock_sql::error::SqlError;
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_sql::result::{Cell, ResultColumn};

/// Reaches admin and query. An `Err` is a function that could not be reached; a refused statement is an answer.
#[async_trait]
pub trait Functions: Send + Sync {
    /// Runs a statement that is no query.
    async fn admin(&self, request: SqlRequest) -> Result<SqlResponse, SqlError>;
    /// Runs a query; rows arrive as they are made, so that no result has to fit into memory.
    async fn query(&self, request: SqlRequest) -> Result<QueryRows, SqlError>;
}

/// The rows of a query, in chunks.
pub struct QueryRows {
    /// Columns in order.
    pub columns: Vec<ResultColumn>,
    /// Chunks of rows; ends after the first error.
    pub chunks: BoxStream<'static, Result<Vec<Vec<Cell>>, SqlError>>,
}
