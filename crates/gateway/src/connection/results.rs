//! Results on their way to the client: columns, rows in chunks, and the end.

use futures::StreamExt as _;
use penstock_sql::error::{SqlError, code};
use penstock_sql::result::{Cell, ResultColumn, ResultSet};

use super::cursor::Cursor;
use super::{Connection, Failure};
use crate::functions::QueryRows;
use crate::protocol::packet::PacketError;
use crate::protocol::{binary_row, capability as can, column, reply, text_row};

/// How cells are written: as text for COM_QUERY, by type for COM_STMT_EXECUTE, at once or when they are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Text,
    Binary,
    /// The statement by whose number a client fetches.
    Cursor(u32),
}

impl Connection {
    pub(super) async fn send_done(&mut self, affected_rows: u64, more: u16) -> Result<(), PacketError> {
        let done = reply::ok(affected_rows, self.session.status() | more);
        self.packets.write(&done).await
    }

    /// Sends a result that is there whole.
    pub(super) async fn send_rows(&mut self, result: ResultSet, encoding: Encoding, more: u16) -> Result<(), Failure> {
        if let Encoding::Cursor(statement) = encoding {
            return self.open_cursor(statement, Cursor::of(result)).await;
        }
        self.send_columns(&result.columns).await?;
        self.end_columns(0).await?;
        self.send_chunk(&result.rows, &result.columns, encoding).await?;
        Ok(self.send_end(more).await?)
    }

    /// Sends rows as they come. The next chunk is asked for when the client has taken the one before, so that a slow
    /// client slows the query and fills no memory. An error after the first rows ends the result in its place.
    pub(super) async fn send_stream(
        &mut self,
        mut rows: QueryRows,
        encoding: Encoding,
        more: u16,
    ) -> Result<(), Failure> {
        if let Encoding::Cursor(statement) = encoding {
            return self.open_cursor(statement, Cursor::over(rows)).await;
        }
        self.send_columns(&rows.columns).await?;
        self.end_columns(0).await?;
        while let Some(chunk) = self.uninterrupted(rows.chunks.next()).await? {
            self.send_chunk(&chunk?, &rows.columns, encoding).await?;
        }
        Ok(self.send_end(more).await?)
    }

    pub(super) async fn send_columns(&mut self, columns: &[ResultColumn]) -> Result<(), Failure> {
        if columns.is_empty() {
            return Err(SqlError::new(code::INTERNAL, "a result has no column").into());
        }
        self.packets.write(&reply::column_count(columns.len())).await?;
        for column in columns {
            self.packets.write(&column::definition(column, "")).await?;
        }
        Ok(())
    }

    /// What stands between columns and rows for clients that did not agree to do without.
    pub(super) async fn end_columns(&mut self, more: u16) -> Result<(), PacketError> {
        if self.capabilities & can::DEPRECATE_EOF == 0 {
            let end = reply::eof(self.session.status() | more);
            self.packets.write(&end).await?;
        }
        Ok(())
    }

    pub(super) async fn send_end(&mut self, more: u16) -> Result<(), PacketError> {
        let end = reply::end_of_rows(self.capabilities, self.session.status() | more);
        self.packets.write(&end).await
    }

    pub(super) async fn send_chunk(
        &mut self,
        rows: &[Vec<Cell>],
        columns: &[ResultColumn],
        encoding: Encoding,
    ) -> Result<(), Failure> {
        let mut packet = Vec::new();
        for row in rows {
            if row.len() != columns.len() {
                let message = format!("a row has {} cells, its result {} columns", row.len(), columns.len());
                return Err(self.bug(message).into());
            }
            packet.clear();
            match encoding {
                Encoding::Text => text_row::put(&mut packet, row, columns),
                Encoding::Binary | Encoding::Cursor(_) => {
                    binary_row::put(&mut packet, row, columns).map_err(|error| self.bug(error.to_string()))?;
                }
            }
            self.packets.write(&packet).await?;
        }
        Ok(())
    }

    /// A result that cannot be what a function may answer.
    fn bug(&self, message: String) -> SqlError {
        tracing::error!(connection = self.entry.connection, error = message, "wrong result");
        SqlError::new(code::INTERNAL, message)
    }
}
