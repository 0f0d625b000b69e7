//! Who is there: the login of a new connection, and of COM_CHANGE_USER.

use penstock_sql::error::{SqlError, code};

use super::{Connection, Ended, Failure, error_code};
use crate::protocol::auth::{self, Plugin, Salt};
use crate::protocol::greeting::{self, FAST_PROOF_ACCEPTED, Login};

/// The only user.
const USER: &str = "root";

/// Longest packet before a client is known; attributes of the connection take the most of it.
const LOGIN_BYTES: usize = 64 << 10;

impl Connection {
    /// Greets, checks who answers, and opens the database that the client asks for.
    pub(super) async fn log_in(&mut self) -> Result<(), Ended> {
        let version = self.server.settings.server_version();
        let greeting = greeting::greeting(self.entry.connection, self.salt, &version);
        self.packets.write(&greeting).await?;
        self.packets.flush().await?;
        let answer = self.packets.read(LOGIN_BYTES).await?.ok_or(Ended::Left)?;
        let Ok(login) = Login::parse(&answer) else {
            let mut error = SqlError::new(error_code::BAD_HANDSHAKE, "Bad handshake")
                .with_hint("TLS is not offered, and the protocol is that of MySQL 4.1 and later");
            error.sqlstate = "08S01".to_owned();
            self.tell(&error).await?;
            return Err(Ended::Refused);
        };
        let welcome = self.welcome(login).await;
        self.packets.flush().await?;
        welcome
    }

    /// Checks another login on this connection.
    pub(super) async fn change_user(&mut self, fields: &[u8]) -> Result<(), Failure> {
        let login = Login::parse_change(fields, self.capabilities)?;
        self.session.reset();
        self.session.database = None;
        self.forget_statements();
        Ok(self.welcome(login).await?)
    }

    async fn welcome(&mut self, login: Login) -> Result<(), Ended> {
        self.capabilities = login.capabilities;
        if let Err(error) = self.admitted(&login).await? {
            tracing::debug!(connection = self.entry.connection, code = error.code, "login refused");
            self.tell(&error).await?;
            return Err(Ended::Refused);
        }
        self.session.user.clone_from(&login.user);
        tracing::debug!(
            connection = self.entry.connection,
            peer = self.entry.peer,
            user = login.user,
            program = login.program,
            "connected"
        );
        if let Some(database) = &login.database {
            match self.use_database(database).await {
                Ok(()) => {}
                Err(Failure::Connection(ended)) => return Err(ended),
                Err(Failure::Statement(error)) => {
                    self.tell(&error).await?;
                    return Err(Ended::Refused);
                }
            }
        }
        Ok(self.ok(0).await?)
    }

    /// Checks user and password; asks for another proof if the client's is of a kind that is not known here.
    async fn admitted(&mut self, login: &Login) -> Result<Result<(), SqlError>, Ended> {
        let switched;
        let (plugin, salt, proof) = match login.plugin {
            Some(plugin) => (plugin, self.salt, login.proof.as_slice()),
            None => {
                let (plugin, salt) = (Plugin::DEFAULT, Salt::random());
                self.packets.write(&greeting::switch_request(plugin, salt)).await?;
                self.packets.flush().await?;
                switched = self.packets.read(LOGIN_BYTES).await?.ok_or(Ended::Left)?;
                (plugin, salt, switched.as_slice())
            }
        };
        // Both are checked always, so that the time tells nothing about the user.
        let known_user = login.user == USER;
        let right_password = plugin.accepts(salt, proof, self.server.settings.password.as_ref());
        if !(known_user & right_password) {
            let using = if auth::is_empty(proof) { "NO" } else { "YES" };
            let message =
                format!("Access denied for user '{}'@'{}' (using password: {using})", login.user, self.session.host);
            return Ok(Err(SqlError::new(code::ACCESS_DENIED, message)));
        }
        if plugin == Plugin::CachingSha2 && !auth::is_empty(proof) {
            self.packets.write(&FAST_PROOF_ACCEPTED).await?;
        }
        Ok(Ok(()))
    }
}

/// The statement that opens a database.
pub(super) fn use_statement(database: &str) -> String {
    format!("USE {}", quoted_name(database))
}

/// A name in backquotes.
pub(super) fn quoted_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
