//! A connection to our own gateway that shows what it says and what comes back.

use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use penstock_sql::result::ResultSet;

use super::{QuickstartError, json_at};
use crate::screen::{self, Wait};
use crate::server::Server;
use crate::sql_client::answer;
use crate::table::{self, Style};

/// How often a wait looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How long the figures of a loaded batch may lag behind its rows.
const SETTLING: Duration = Duration::from_secs(10);

/// The tutorial's session.
pub(super) struct Session {
    connection: Conn,
}

impl Session {
    /// Connects as root to the server's gateway.
    pub(super) async fn connect(server: &Server) -> Result<Self, QuickstartError> {
        let addresses = server.addresses();
        let (host, port) = addresses.mysql.rsplit_once(':').unwrap_or((&addresses.mysql, "9030"));
        let options = OptsBuilder::default()
            .ip_or_hostname(host)
            .tcp_port(port.parse().unwrap_or(9030))
            .user(Some("root"))
            .pass(server.password().map(str::to_owned))
            .prefer_socket(Some(false));
        match Conn::new(options).await {
            Ok(connection) => Ok(Self { connection }),
            Err(error) => Err(failed("connecting", error)),
        }
    }

    /// Says a statement, shows it and its result as the `mysql` client does.
    pub(super) async fn show(&mut self, statement: &str) -> Result<ResultSet, QuickstartError> {
        screen::statement(statement);
        let began = Instant::now();
        let (text, style) = match statement.strip_suffix("\\G") {
            Some(text) => (text, Style::Vertical),
            None => (statement.trim_end_matches(';'), Style::Table),
        };
        let answer = self.ask(text).await?;
        anstream::println!("{}", table::draw_answer(&answer, style, began.elapsed()));
        Ok(answer.rows.unwrap_or_default())
    }

    async fn ask(&mut self, statement: &str) -> Result<answer::Answer, QuickstartError> {
        answer::ask(&mut self.connection, statement).await.map_err(|error| failed(statement, error))
    }

    /// Whether a database of that name exists.
    pub(super) async fn has_database(&mut self, name: &str) -> Result<bool, QuickstartError> {
        let databases: Vec<String> =
            self.connection.query("SHOW DATABASES").await.map_err(|error| failed("SHOW DATABASES", error))?;
        Ok(databases.iter().any(|database| database == name))
    }

    /// Rows of the tutorial's table.
    pub(super) async fn count(&mut self) -> Result<u64, QuickstartError> {
        const COUNT: &str = "SELECT COUNT(*) FROM site_clicks";
        let count: Option<u64> = self.connection.query_first(COUNT).await.map_err(|error| failed(COUNT, error))?;
        Ok(count.unwrap_or_default())
    }

    /// Waits until the table has `expected` rows.
    pub(super) async fn wait_for(&mut self, expected: u64, patience: Duration) -> Result<(), QuickstartError> {
        let wait = Wait::begin("loading (a batch waits up to max_batch_interval = 10 s for more records)", expected);
        let began = Instant::now();
        loop {
            let found = self.count().await?;
            wait.at(found);
            if found >= expected {
                return super::expect("rows of site_clicks", expected, found);
            }
            if began.elapsed() > patience {
                return super::expect(&format!("rows of site_clicks after {} s", patience.as_secs()), expected, found);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// SHOW ROUTINE LOAD once it has seen that the source holds `latest` records, or at last as it is.
    pub(super) async fn settled(&mut self, latest: u64) -> Result<ResultSet, QuickstartError> {
        let began = Instant::now();
        loop {
            let job = self.ask(super::tutorial::SHOW_JOB.trim_end_matches("\\G")).await?.rows.unwrap_or_default();
            if json_at(&job, "LatestSourcePosition", "0") == latest.to_string() || began.elapsed() > SETTLING {
                let job = self.show(super::tutorial::SHOW_JOB).await?;
                super::expect(
                    "LatestSourcePosition of partition 0",
                    latest,
                    json_at(&job, "LatestSourcePosition", "0"),
                )?;
                return Ok(job);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

fn failed(statement: &str, error: mysql_async::Error) -> QuickstartError {
    let first_line = statement.lines().next().unwrap_or_default().to_owned();
    QuickstartError::Statement { statement: first_line, source: Box::new(error) }
}
