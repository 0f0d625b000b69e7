//! Cursors: results that a client fetches piece by piece.
//!
//! What a cursor holds is what a streamed result holds: the chunk that the client is at. The query behind it waits, and
//! ends with its time limit however slowly the client reads.

use std::collections::VecDeque;

use futures::stream::BoxStream;
use futures::{StreamExt as _, stream};
use penstock_sql::error::SqlError;
use penstock_sql::result::{Cell, ResultColumn, ResultSet};

use super::results::Encoding;
use super::{Connection, Failure, error_code};
use crate::functions::QueryRows;
use crate::protocol::reply::status;

/// Rows that were not fetched yet.
pub(super) struct Cursor {
    columns: Vec<ResultColumn>,
    /// Of the chunk that the client is at.
    rows: VecDeque<Vec<Cell>>,
    chunks: BoxStream<'static, Result<Vec<Vec<Cell>>, SqlError>>,
}

impl Cursor {
    /// Over a result that is there whole.
    pub(super) fn of(result: ResultSet) -> Self {
        Self { columns: result.columns, rows: result.rows.into(), chunks: stream::empty().boxed() }
    }

    /// Over rows as they come.
    pub(super) fn over(rows: QueryRows) -> Self {
        Self { columns: rows.columns, rows: VecDeque::new(), chunks: rows.chunks }
    }
}

impl Connection {
    /// Sends the columns, and keeps the rows for [`fetch`](Self::fetch).
    pub(super) async fn open_cursor(&mut self, statement: u32, cursor: Cursor) -> Result<(), Failure> {
        self.send_columns(&cursor.columns).await?;
        self.cursors.insert(statement, cursor);
        Ok(self.send_end(status::CURSOR_EXISTS).await?)
    }

    /// Answers COM_STMT_FETCH with the next rows, at most `wanted`. An error, and the last row, closes the cursor.
    pub(super) async fn fetch(&mut self, statement: u32, wanted: u32) -> Result<(), Failure> {
        let mut cursor = self
            .cursors
            .remove(&statement)
            .ok_or_else(|| SqlError::new(error_code::NO_CURSOR, format!("statement {statement} has no open cursor")))?;
        let mut wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        while wanted > 0 {
            if cursor.rows.is_empty() {
                match self.uninterrupted(cursor.chunks.next()).await? {
                    Some(chunk) => cursor.rows = chunk?.into(),
                    None => return Ok(self.send_end(status::LAST_ROW_SENT).await?),
                }
            }
            let rows: Vec<_> = cursor.rows.drain(..wanted.min(cursor.rows.len())).collect();
            wanted -= rows.len();
            self.send_chunk(&rows, &cursor.columns, Encoding::Binary).await?;
        }
        self.cursors.insert(statement, cursor);
        Ok(self.send_end(status::CURSOR_EXISTS).await?)
    }
}
