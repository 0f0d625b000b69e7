//! One client from greeting to goodbye.

mod cursor;
mod login;
mod results;
mod statements;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use penstock_sql::error::SqlError;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::compat::variable::Variables;
use crate::prepared::PreparedStatements;
use crate::protocol::auth::Salt;
use crate::protocol::capability as can;
use crate::protocol::command::Command;
use crate::protocol::packet::{PacketError, Packets};
use crate::protocol::parameter::wants_cursor;
use crate::protocol::reply;
use crate::protocol::wire::Malformed;
use crate::registry::{Entry, Kill};
use crate::server::Server;
use crate::session::Session;
use cursor::Cursor;
use results::Encoding;

/// Error numbers of MySQL about a connection rather than a statement.
mod error_code {
    pub(super) const BAD_HANDSHAKE: u16 = 1043;
    pub(super) const UNKNOWN_COMMAND: u16 = 1047;
    pub(super) const SHUTDOWN: u16 = 1053;
    pub(super) const EMPTY_QUERY: u16 = 1065;
    pub(super) const PACKET_TOO_LARGE: u16 = 1153;
    pub(super) const PACKETS_OUT_OF_ORDER: u16 = 1156;
    pub(super) const INVALID_TEXT: u16 = 1300;
    pub(super) const INTERRUPTED: u16 = 1317;
    pub(super) const NO_CURSOR: u16 = 1421;
    pub(super) const MALFORMED_PACKET: u16 = 1835;
    pub(super) const IDLE: u16 = 4031;
}

/// A client and what is known of it.
pub(crate) struct Connection {
    packets: Packets<OwnedReadHalf, OwnedWriteHalf>,
    server: Arc<Server>,
    entry: Arc<Entry>,
    stopped: watch::Receiver<bool>,
    salt: Salt,
    capabilities: u32,
    session: Session,
    prepared: PreparedStatements,
    /// By the number of their statement.
    cursors: BTreeMap<u32, Cursor>,
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the client left")]
    Left,
    #[error("the login was refused")]
    Refused,
    #[error("the login took longer than allowed")]
    LoginTooSlow,
    #[error("the client was idle for too long")]
    Idle,
    #[error("the gateway stops")]
    Stopped,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Packet(#[from] PacketError),
}

/// Why a statement did not do what it says.
enum Failure {
    /// The client is told, and goes on.
    Statement(SqlError),
    /// There is nobody to tell.
    Connection(Ended),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Statement(error)
    }
}

impl<E: Into<Ended>> From<E> for Failure {
    fn from(ended: E) -> Self {
        Self::Connection(ended.into())
    }
}

/// Serves a client until it leaves, is killed, or does what no client may.
pub(crate) async fn run(mut connection: Connection) {
    let entry = Arc::clone(&connection.entry);
    let server = Arc::clone(&connection.server);
    let since = Instant::now();
    let reason = tokio::select! {
        ended = connection.serve() => ended.to_string(),
        () = entry.closed() => "killed".to_owned(),
    };
    server.registry.remove(entry.connection);
    tracing::debug!(connection = entry.connection, reason, seconds = since.elapsed().as_secs(), "disconnected");
}

impl Connection {
    /// A connection that has said nothing yet.
    pub(crate) fn new(
        stream: TcpStream,
        peer: IpAddr,
        server: Arc<Server>,
        entry: Arc<Entry>,
        stopped: watch::Receiver<bool>,
    ) -> Self {
        let (read, write) = stream.into_split();
        let limits = &server.settings.limits;
        let variables = Variables::new(&server.settings);
        Self {
            packets: Packets::new(read, write, limits.write),
            salt: Salt::random(),
            capabilities: 0,
            session: Session::new(entry.connection, String::new(), peer.to_string(), variables),
            prepared: PreparedStatements::new(limits.prepared_statements, limits.packet_bytes),
            cursors: BTreeMap::new(),
            server,
            entry,
            stopped,
        }
    }

    async fn serve(&mut self) -> Ended {
        let login = self.server.settings.limits.login;
        let logged_in = match timeout(login, self.log_in()).await {
            Ok(logged_in) => logged_in,
            Err(_) => Err(Ended::LoginTooSlow),
        };
        let ended = match logged_in {
            Ok(()) => loop {
                if let Err(ended) = self.next_command().await {
                    break ended;
                }
            },
            Err(ended) => ended,
        };
        if let Some(error) = farewell(&ended) {
            // The client may be gone, and is not waited for.
            let _ = timeout(login, self.tell(&error)).await;
        }
        ended
    }

    async fn tell(&mut self, error: &SqlError) -> Result<(), PacketError> {
        self.packets.write(&reply::error(error)).await?;
        self.packets.flush().await
    }

    /// Waits for a command and answers it.
    async fn next_command(&mut self) -> Result<(), Ended> {
        self.packets.restart();
        self.entry.change(|activity| {
            activity.user.clone_from(&self.session.user);
            activity.database.clone_from(&self.session.database);
            activity.command = "Sleep";
            activity.statement = None;
            activity.since = Instant::now();
        });
        let limits = &self.server.settings.limits;
        let payload = tokio::select! {
            // Fails only when the gateway is gone, which is an end, too.
            _ = self.stopped.wait_for(|stopped| *stopped) => return Err(Ended::Stopped),
            read = timeout(limits.idle, self.packets.read(limits.packet_bytes)) => {
                read.map_err(|_| Ended::Idle)??.ok_or(Ended::Left)?
            }
        };
        let command = Command::parse(&payload)?;
        self.entry.change(|activity| {
            activity.command = command.name();
            activity.since = Instant::now();
        });
        match self.answer(command).await {
            Ok(()) => {}
            Err(Failure::Statement(error)) => {
                self.packets.write(&reply::error(&error)).await?;
                self.session.last_error = Some(error);
            }
            Err(Failure::Connection(ended)) => return Err(ended),
        }
        Ok(self.packets.flush().await?)
    }

    async fn answer(&mut self, command: Command<'_>) -> Result<(), Failure> {
        match command {
            Command::Quit => return Err(Ended::Left.into()),
            Command::Ping => self.ok(0).await?,
            Command::Query(text) => self.query(text).await?,
            Command::InitDb(database) => {
                self.use_database(database).await?;
                self.ok(0).await?;
            }
            Command::FieldList { table, pattern } => self.field_list(table, pattern).await?,
            Command::Statistics => {
                let text = self.statistics();
                self.packets.write(text.as_bytes()).await?;
            }
            Command::Kill(connection) => {
                if !self.server.registry.kill(connection, Kill::Connection) {
                    let message = format!("unknown connection {connection}");
                    return Err(SqlError::new(crate::compat::error_code::UNKNOWN_CONNECTION, message).into());
                }
                self.ok(0).await?;
            }
            Command::ChangeUser(fields) => self.change_user(fields).await?,
            Command::ResetConnection => {
                self.session.reset();
                self.forget_statements();
                self.ok(0).await?;
            }
            Command::SetMultiStatements(enabled) => {
                self.capabilities &= !can::MULTI_STATEMENTS;
                if enabled {
                    self.capabilities |= can::MULTI_STATEMENTS;
                }
                let end = reply::eof(self.session.status());
                self.packets.write(&end).await?;
            }
            Command::Prepare(text) => self.prepare(text).await?,
            Command::Execute { statement, rest } => {
                self.cursors.remove(&statement);
                let encoding = if wants_cursor(rest) { Encoding::Cursor(statement) } else { Encoding::Binary };
                let sql = self.prepared.execute(statement, rest)??;
                self.statement(&sql, encoding, 0).await?;
            }
            Command::SendLongData { statement, parameter, data } => {
                self.prepared.append(statement, parameter, data);
            }
            Command::CloseStatement(statement) => {
                self.cursors.remove(&statement);
                self.prepared.close(statement);
            }
            Command::ResetStatement(statement) => {
                self.cursors.remove(&statement);
                self.prepared.reset(statement)?;
                self.ok(0).await?;
            }
            Command::Fetch { statement, rows } => self.fetch(statement, rows).await?,
            Command::Unknown(number) => {
                let mut error = SqlError::new(error_code::UNKNOWN_COMMAND, format!("unknown command {number:#04x}"));
                error.sqlstate = "08S01".to_owned();
                return Err(error.into());
            }
        }
        Ok(())
    }

    fn forget_statements(&mut self) {
        self.cursors.clear();
        self.prepared.clear();
    }

    async fn ok(&mut self, affected_rows: u64) -> Result<(), PacketError> {
        self.packets.write(&reply::ok(affected_rows, self.session.status())).await
    }

    /// One line about the server, as `mysqladmin status` shows it.
    fn statistics(&self) -> String {
        format!(
            "Uptime: {}  Threads: {}  Questions: {}",
            self.server.started.elapsed().as_secs(),
            self.server.registry.all().len(),
            self.server.statements.load(std::sync::atomic::Ordering::Relaxed)
        )
    }
}

/// What a client is told before the connection is closed.
fn farewell(ended: &Ended) -> Option<SqlError> {
    let (code, message) = match ended {
        Ended::Stopped => (error_code::SHUTDOWN, "Server shutdown in progress".to_owned()),
        Ended::Idle => (error_code::IDLE, ended.to_string()),
        Ended::LoginTooSlow => (error_code::BAD_HANDSHAKE, ended.to_string()),
        Ended::Malformed(error) => (error_code::MALFORMED_PACKET, error.to_string()),
        Ended::Packet(error @ PacketError::TooLong { .. }) => (error_code::PACKET_TOO_LARGE, error.to_string()),
        Ended::Packet(error @ PacketError::Sequence { .. }) => (error_code::PACKETS_OUT_OF_ORDER, error.to_string()),
        Ended::Left | Ended::Refused | Ended::Packet(PacketError::Io(_) | PacketError::Stalled(_)) => return None,
    };
    let mut error = SqlError::new(code, message);
    error.sqlstate = "08S01".to_owned();
    Some(error)
}

#[cfg(test)]
mod tests;
