//! The first packets: the server's greeting, the client's answer, and a change of the way to prove the password.

use crate::protocol::auth::{Plugin, Salt};
use crate::protocol::capability as can;
use crate::protocol::reply::status;
use crate::protocol::wire::{Fields, Malformed, utf8};

/// `utf8mb4_general_ci`: every text that leaves this server is UTF-8, and every client knows this collation.
pub(crate) const UTF8MB4: u8 = 45;

/// The server's first packet (handshake version 10).
pub(crate) fn greeting(connection: u32, salt: Salt, server_version: &str) -> Vec<u8> {
    let Salt(salt) = salt;
    let (first, second) = salt.split_at(8);
    let [low0, low1, high0, high1] = can::OFFERED.to_le_bytes();
    let mut packet = vec![10];
    packet.extend(server_version.bytes().filter(|byte| *byte != 0));
    packet.push(0);
    packet.extend(connection.to_le_bytes());
    packet.extend_from_slice(first);
    packet.extend([0, low0, low1, UTF8MB4]);
    packet.extend(status::AUTOCOMMIT.to_le_bytes());
    // Length of the salt with its closing NUL, then ten reserved bytes.
    packet.extend([high0, high1, 21]);
    packet.extend([0; 10]);
    packet.extend_from_slice(second);
    packet.push(0);
    packet.extend(Plugin::DEFAULT.name().bytes());
    packet.push(0);
    packet
}

/// Asks the client to prove its password in another way, with another salt.
pub(crate) fn switch_request(plugin: Plugin, Salt(salt): Salt) -> Vec<u8> {
    let mut packet = vec![0xfe];
    packet.extend(plugin.name().bytes());
    packet.push(0);
    packet.extend(salt);
    packet.push(0);
    packet
}

/// Tells a client of `caching_sha2_password` that its short proof was enough.
pub(crate) const FAST_PROOF_ACCEPTED: [u8; 2] = [1, 3];

/// Who connects and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Login {
    /// What both sides can do.
    pub(crate) capabilities: u32,
    pub(crate) user: String,
    pub(crate) proof: Vec<u8>,
    pub(crate) database: Option<String>,
    /// How the proof was made; `None` if in a way that this server does not know.
    pub(crate) plugin: Option<Plugin>,
    /// The program that the client says it is, for the log.
    pub(crate) program: Option<String>,
}

impl Login {
    /// Reads the client's answer to the greeting.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(payload);
        let capabilities = fields.u32()?;
        // Neither the protocol before 4.1 nor TLS, which was not offered.
        if capabilities & can::PROTOCOL_41 == 0 || capabilities & can::SSL != 0 {
            return Err(Malformed);
        }
        // Longest packet and collation of the client: both are taken as they come. Then 23 reserved bytes.
        fields.bytes(4 + 1 + 23)?;
        let user = utf8(fields.until_nul())?.to_owned();
        let proof = if capabilities & can::PLUGIN_AUTH_LENENC != 0 {
            fields.sized()?
        } else if capabilities & can::SECURE_CONNECTION != 0 {
            let length = fields.u8()?;
            fields.bytes(length.into())?
        } else {
            fields.until_nul()
        };
        let database = (capabilities & can::CONNECT_WITH_DB != 0).then(|| fields.until_nul());
        Self::with_tail(capabilities & can::OFFERED, user, proof, database, &mut fields)
    }

    /// Reads COM_CHANGE_USER (without its first byte) on a connection with these capabilities.
    pub(crate) fn parse_change(payload: &[u8], capabilities: u32) -> Result<Self, Malformed> {
        let mut fields = Fields::new(payload);
        let user = utf8(fields.until_nul())?.to_owned();
        let length = fields.u8()?;
        let proof = fields.bytes(length.into())?;
        let database = fields.until_nul();
        if !fields.is_empty() {
            fields.u16()?;
        }
        Self::with_tail(capabilities, user, proof, Some(database), &mut fields)
    }

    fn with_tail(
        capabilities: u32,
        user: String,
        proof: &[u8],
        database: Option<&[u8]>,
        fields: &mut Fields<'_>,
    ) -> Result<Self, Malformed> {
        let database = database.filter(|name| !name.is_empty()).map(utf8).transpose()?.map(ToOwned::to_owned);
        let plugin = match capabilities & can::PLUGIN_AUTH {
            0 => Some(Plugin::NativePassword),
            _ if fields.is_empty() => Some(Plugin::DEFAULT),
            _ => Plugin::named(fields.until_nul()),
        };
        let program = (capabilities & can::CONNECT_ATTRS != 0).then(|| program(fields)).flatten();
        Ok(Self { capabilities, user, proof: proof.to_owned(), database, plugin, program })
    }
}

/// The attribute `program_name`. What is wrong with attributes is nobody's harm, so it is passed over.
fn program(fields: &mut Fields<'_>) -> Option<String> {
    let mut attributes = Fields::new(fields.sized().ok()?);
    while !attributes.is_empty() {
        let (key, value) = (attributes.sized().ok()?, attributes.sized().ok()?);
        if key == b"program_name" {
            return Some(String::from_utf8_lossy(value).chars().take(64).collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::wire::put_sized;

    fn answer(capabilities: u32, tail: &[&[u8]]) -> Vec<u8> {
        let mut packet = capabilities.to_le_bytes().to_vec();
        packet.extend([0; 28]);
        packet.extend(tail.concat());
        packet
    }

    #[test]
    fn a_modern_answer_is_read_whole() {
        let mut attributes = Vec::new();
        for text in ["_os", "linux", "program_name", "mysql"] {
            put_sized(&mut attributes, text.as_bytes());
        }
        let mut tail = Vec::new();
        put_sized(&mut tail, &attributes);
        let parts: [&[u8]; 4] = [b"root\0\x02", &[9, 8], b"shop\0mysql_native_password\0", &tail];
        let login = Login::parse(&answer(can::OFFERED, &parts)).unwrap();
        assert_eq!(login.user, "root");
        assert_eq!(login.proof, [9, 8]);
        assert_eq!(login.database.as_deref(), Some("shop"));
        assert_eq!(login.plugin, Some(Plugin::NativePassword));
        assert_eq!(login.program.as_deref(), Some("mysql"));
    }

    #[test]
    fn an_old_client_uses_the_native_password() {
        let login = Login::parse(&answer(can::PROTOCOL_41 | can::SECURE_CONNECTION, &[b"root\0\0"])).unwrap();
        assert_eq!((login.plugin, login.database), (Some(Plugin::NativePassword), None));
    }

    #[test]
    fn tls_and_the_protocol_before_4_1_are_refused() {
        assert!(Login::parse(&answer(can::PROTOCOL_41 | can::SSL, &[])).is_err());
        assert!(Login::parse(&answer(can::SECURE_CONNECTION, &[b"root\0\0"])).is_err());
    }

    #[test]
    fn a_change_of_user_is_read() {
        let login = Login::parse_change(b"root\0\0shop\0\x2d\0caching_sha2_password\0\0", can::OFFERED).unwrap();
        assert_eq!(login.plugin, Some(Plugin::CachingSha2));
        assert_eq!(login.database.as_deref(), Some("shop"));
    }

    #[test]
    fn the_greeting_holds_the_whole_salt() {
        let packet = greeting(7, Salt(*b"abcdefghijklmnopqrst"), "8");
        assert!(packet.starts_with(b"\x0a8\0\x07\0\0\0abcdefgh\0"));
        assert!(packet.ends_with(b"ijklmnopqrst\0caching_sha2_password\0"));
    }

    proptest! {
        #[test]
        fn no_answer_panics(capabilities: u32, tail in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Login::parse(&answer(capabilities | can::PROTOCOL_41, &[&tail]));
            let _ = Login::parse_change(&tail, capabilities);
        }
    }
}
