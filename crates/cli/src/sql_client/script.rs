//! Statements from `-e` or a file, one after the other; the first that is refused ends it.

use std::io::{self, BufWriter, Write};

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use penstock_sql::split::{Piece, PieceEnd, split};

use super::Format;
use super::answer::{self, ask};
use super::connect::described;
use super::format::Rows;
use crate::screen::{self, BAD};
use crate::table::{self, Style};

/// Why a script ended before its end.
#[derive(Debug, thiserror::Error)]
enum ScriptError {
    #[error(transparent)]
    Server(#[from] mysql_async::Error),
    #[error("cannot write the result")]
    Write(#[from] io::Error),
}

/// Runs every statement of every text and writes the results; false if one was refused.
pub(super) async fn run(connection: &mut Conn, texts: &[String], format: Format) -> bool {
    let mut out = BufWriter::new(io::stdout());
    for text in texts {
        for piece in split(text) {
            let done = run_one(connection, &piece, format, &mut out).await;
            // What was answered before an error stands before it.
            let done = done.and(out.flush().map_err(ScriptError::Write));
            match done {
                Ok(()) => {}
                // Who reads has read enough, as `head` does.
                Err(ScriptError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return true;
                }
                Err(ScriptError::Server(mysql_async::Error::Server(error))) => {
                    let line = piece.start.line;
                    let told = described(&error).replacen("): ", &format!(") at line {line}: "), 1);
                    anstream::eprintln!("{BAD}{told}{BAD:#}");
                    return false;
                }
                Err(error) => {
                    screen::error(&error);
                    return false;
                }
            }
        }
    }
    true
}

async fn run_one(
    connection: &mut Conn,
    piece: &Piece<'_>,
    format: Format,
    out: &mut impl Write,
) -> Result<(), ScriptError> {
    let drawn = match (format, piece.end) {
        (Format::Csv, _) => return stream(connection, piece.sql, Rows::Csv, out).await,
        (Format::Json, _) => return stream(connection, piece.sql, Rows::Json, out).await,
        (Format::Vertical, _) | (_, PieceEnd::Vertical) => Style::Vertical,
        (Format::Tsv, _) => return stream(connection, piece.sql, Rows::Tsv, out).await,
        (Format::Table, _) => Style::Table,
    };
    let answer = ask(connection, piece.sql).await?;
    if let Some(rows) = &answer.rows {
        out.write_all(table::draw(rows, drawn).as_bytes())?;
    }
    Ok(())
}

async fn stream(connection: &mut Conn, sql: &str, rows: Rows, out: &mut impl Write) -> Result<(), ScriptError> {
    let mut result = connection.query_iter(sql).await?;
    if let Some(columns) = answer::columns(&result) {
        let mut count = 0;
        rows.begin(out, &columns)?;
        while let Some(row) = result.next().await? {
            rows.row(out, count, &answer::cells(row, &columns), &columns)?;
            count += 1;
        }
        rows.end(out, count)?;
    }
    result.drop_result().await?;
    Ok(())
}
