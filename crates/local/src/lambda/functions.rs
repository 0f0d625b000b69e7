//! The gateway's statements to built functions: JSON there and back.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use penstock_gateway::functions::{Functions, QueryRows};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_sql::result::ResultSet;

use super::Host;

/// Built admin and query functions.
pub struct RuntimeFunctions {
    host: Arc<Host>,
    admin: String,
    query: String,
}

impl RuntimeFunctions {
    pub(super) fn new(host: Arc<Host>, admin: &str, query: &str) -> Self {
        Self { host, admin: admin.to_owned(), query: query.to_owned() }
    }

    async fn ask(&self, function: &str, request: &SqlRequest) -> Result<SqlResponse, SqlError> {
        let payload = serde_json::to_vec(request).map_err(|error| unreachable_function(function, &error))?;
        let answer = self
            .host
            .invoke(function, None, Bytes::from(payload))
            .await
            .map_err(|error| unreachable_function(function, &error))?;
        serde_json::from_slice(&answer).map_err(|error| unreachable_function(function, &error))
    }
}

#[async_trait]
impl Functions for RuntimeFunctions {
    async fn admin(&self, request: SqlRequest) -> Result<SqlResponse, SqlError> {
        self.ask(&self.admin, &request).await
    }

    async fn query(&self, request: SqlRequest) -> Result<QueryRows, SqlError> {
        match self.ask(&self.query, &request).await? {
            SqlResponse::Rows(ResultSet { columns, rows }) => {
                let chunks = futures::stream::iter([Ok(rows)]).boxed();
                Ok(QueryRows { columns, chunks })
            }
            SqlResponse::Error(error) => Err(error),
            SqlResponse::Done { .. } => Ok(QueryRows { columns: Vec::new(), chunks: futures::stream::empty().boxed() }),
        }
    }
}

fn unreachable_function(function: &str, error: &dyn std::error::Error) -> SqlError {
    SqlError::new(code::UNAVAILABLE, format!("function `{function}` failed: {error}"))
}
