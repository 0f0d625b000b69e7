//! Statements of a client: taken apart, given to who answers them, and answered.

use std::sync::atomic::Ordering;
use std::time::Instant;

use penstock_sql::classify::{Destination, classify};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_sql::result::{Cell, ResultColumn};
use penstock_sql::split::split;

use super::login::{quoted_name, use_statement};
use super::results::Encoding;
use super::{Connection, Ended, Failure, error_code};
use crate::compat::{self, Answer, executable};
use crate::protocol::capability as can;
use crate::protocol::column;
use crate::protocol::reply::{self, status};

impl Connection {
    /// Answers COM_QUERY: one statement, or several if the client said that it can take their results.
    pub(super) async fn query(&mut self, text: &[u8]) -> Result<(), Failure> {
        let text = checked(text)?;
        let text = executable::opened(text);
        let pieces = split(&text);
        if pieces.len() > 1 && self.capabilities & can::MULTI_STATEMENTS == 0 {
            return Err(several(pieces.len()).into());
        }
        let Some((last, before)) = pieces.split_last() else {
            return Err(empty().into());
        };
        for piece in before {
            self.statement(piece.sql, Encoding::Text, status::MORE_RESULTS).await?;
        }
        self.statement(last.sql, Encoding::Text, 0).await
    }

    /// Answers COM_STMT_PREPARE.
    pub(super) async fn prepare(&mut self, text: &[u8]) -> Result<(), Failure> {
        let text = checked(text)?;
        let text = executable::opened(text);
        let pieces = split(&text);
        let sql = match pieces.as_slice() {
            [] => return Err(empty().into()),
            [piece] => piece.sql,
            pieces => return Err(several(pieces.len()).into()),
        };
        let (number, parameters) = self.prepared.prepare(sql)?;
        self.packets.write(&reply::prepared(number, parameters)).await?;
        if parameters > 0 {
            let definition = column::parameter_definition();
            for _ in 0..parameters {
                self.packets.write(&definition).await?;
            }
            self.end_columns(0).await?;
        }
        Ok(())
    }

    /// Answers one statement. `more` is [`status::MORE_RESULTS`] if another follows in the same packet, else 0.
    pub(super) async fn statement(&mut self, sql: &str, encoding: Encoding, more: u16) -> Result<(), Failure> {
        self.server.statements.fetch_add(1, Ordering::Relaxed);
        let shown: String = sql.chars().take(SHOWN_CHARACTERS).collect();
        self.entry.change(|activity| activity.statement = Some(shown));
        let since = Instant::now();
        let destination = classify(sql);
        let answered = self.answer_by(destination, sql, encoding, more).await;
        tracing::debug!(
            connection = self.entry.connection,
            ?destination,
            milliseconds = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            code = match &answered {
                Err(Failure::Statement(error)) => Some(error.code),
                _ => None,
            },
            "statement"
        );
        answered
    }

    async fn answer_by(
        &mut self,
        destination: Destination,
        sql: &str,
        encoding: Encoding,
        more: u16,
    ) -> Result<(), Failure> {
        match destination {
            Destination::Query => {
                self.session.last_error = None;
                self.run_query(sql, encoding, more).await
            }
            Destination::Admin => {
                self.session.last_error = None;
                self.run_admin(sql, encoding, more).await
            }
            Destination::Session => match compat::answer(sql, &mut self.session, &self.server)? {
                Some(Answer::Done) => Ok(self.send_done(0, more).await?),
                Some(Answer::Rows(result)) => self.send_rows(result, encoding, more).await,
                None if is_select(sql) => self.run_query(sql, encoding, more).await,
                None => self.run_admin(sql, encoding, more).await,
            },
        }
    }

    fn request(&self, sql: &str) -> SqlRequest {
        SqlRequest { sql: sql.to_owned(), session: self.session.context() }
    }

    async fn run_query(&mut self, sql: &str, encoding: Encoding, more: u16) -> Result<(), Failure> {
        let functions = self.server.functions.clone();
        let request = self.request(sql);
        let rows = self.uninterrupted(functions.query(request)).await?;
        self.send_stream(rows.map_err(|error| self.unreached(error))?, encoding, more).await
    }

    async fn run_admin(&mut self, sql: &str, encoding: Encoding, more: u16) -> Result<(), Failure> {
        match self.admin(sql).await? {
            SqlResponse::Done { affected_rows, database } => {
                if database.is_some() {
                    self.session.database = database;
                }
                Ok(self.send_done(affected_rows, more).await?)
            }
            SqlResponse::Rows(result) => self.send_rows(result, encoding, more).await,
            SqlResponse::Error(error) => Err(error.into()),
        }
    }

    async fn admin(&mut self, sql: &str) -> Result<SqlResponse, Failure> {
        let functions = self.server.functions.clone();
        let request = self.request(sql);
        let response = self.uninterrupted(functions.admin(request)).await?;
        Ok(response.map_err(|error| self.unreached(error))?)
    }

    /// Logs that a function could not be reached: nobody else will.
    fn unreached(&self, error: SqlError) -> SqlError {
        if matches!(error.code, code::INTERNAL | code::UNAVAILABLE) {
            tracing::warn!(connection = self.entry.connection, code = error.code, error = error.message);
        }
        error
    }

    /// What USE does, for COM_INIT_DB and the login.
    pub(super) async fn use_database(&mut self, database: &str) -> Result<(), Failure> {
        match self.admin(&use_statement(database)).await? {
            SqlResponse::Done { database: used, .. } => {
                self.session.database = Some(used.unwrap_or_else(|| database.to_owned()));
                Ok(())
            }
            SqlResponse::Error(error) => Err(error.into()),
            SqlResponse::Rows(_) => Err(SqlError::new(code::INTERNAL, "`USE` answered rows").into()),
        }
    }

    /// Answers COM_FIELD_LIST, with which the mysql client learns names for its completion.
    pub(super) async fn field_list(&mut self, table: &str, pattern: &str) -> Result<(), Failure> {
        let mut sql = format!("SHOW COLUMNS FROM {}", quoted_name(table));
        if !pattern.is_empty() {
            sql.push_str(&format!(" LIKE '{}'", pattern.replace('\\', "\\\\").replace('\'', "''")));
        }
        let result = match self.admin(&sql).await? {
            SqlResponse::Rows(result) => result,
            SqlResponse::Error(error) => return Err(error.into()),
            SqlResponse::Done { .. } => {
                return Err(SqlError::new(code::INTERNAL, "`SHOW COLUMNS` answered no rows").into());
            }
        };
        for row in &result.rows {
            if let [Cell::Text(name), Cell::Text(printed), ..] = row.as_slice() {
                let field = ResultColumn { name: name.clone(), cell_type: column::described(printed) };
                let mut definition = column::definition(&field, table);
                // The default value, which nobody reads: NULL.
                definition.push(0xfb);
                self.packets.write(&definition).await?;
            }
        }
        let end = reply::end_of_rows(self.capabilities, self.session.status());
        Ok(self.packets.write(&end).await?)
    }

    /// Waits for `work`, unless KILL QUERY ends it or the client leaves: nobody would read the answer.
    pub(super) async fn uninterrupted<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let reader = self.packets.reader();
        let left = async {
            let mut byte = [0];
            match reader.peek(&mut byte).await {
                Ok(0) | Err(_) => {}
                // The client sends its next command already.
                Ok(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.entry.interrupted() => {
                let mut error = SqlError::new(error_code::INTERRUPTED, "Query execution was interrupted");
                error.sqlstate = "70100".to_owned();
                Err(error.into())
            }
            () = left => Err(Ended::Left.into()),
        }
    }
}

/// As much of a statement as SHOW FULL PROCESSLIST can show.
const SHOWN_CHARACTERS: usize = 1000;

fn checked(text: &[u8]) -> Result<&str, SqlError> {
    str::from_utf8(text).map_err(|error| {
        SqlError::new(error_code::INVALID_TEXT, format!("statement is not UTF-8 at byte {}", error.valid_up_to()))
            .with_hint("set the client's character set to utf8mb4")
    })
}

fn empty() -> SqlError {
    let mut error = SqlError::new(error_code::EMPTY_QUERY, "Query was empty");
    error.sqlstate = "42000".to_owned();
    error
}

fn several(found: usize) -> SqlError {
    SqlError::new(code::PARSE, format!("expected one statement, found {found}"))
        .with_hint("the client did not ask for multi statements when it connected")
}

fn is_select(sql: &str) -> bool {
    let mut tokens = penstock_sql::lexer::Lexer::new(sql).skip_while(|token| token.is_symbol("("));
    tokens.next().is_some_and(|token| token.is_keyword("SELECT"))
}
