//! What clients ask for: the first byte of a packet says which command it is.

use crate::protocol::wire::{Fields, Malformed, utf8};

/// A command, with what it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Quit,
    /// The client's USE.
    InitDb(&'a str),
    /// Statements as text; bytes that may not be UTF-8.
    Query(&'a [u8]),
    /// Columns of a table whose names match a pattern.
    FieldList {
        table: &'a str,
        pattern: &'a str,
    },
    Statistics,
    Kill(u32),
    Ping,
    /// Another login; the fields behind the first byte.
    ChangeUser(&'a [u8]),
    ResetConnection,
    /// Whether a packet may hold several statements.
    SetMultiStatements(bool),
    Prepare(&'a [u8]),
    /// The statement, and what [`crate::protocol::parameter`] reads.
    Execute {
        statement: u32,
        rest: &'a [u8],
    },
    /// A piece of a long parameter. It has no answer.
    SendLongData {
        statement: u32,
        parameter: u16,
        data: &'a [u8],
    },
    /// It has no answer.
    CloseStatement(u32),
    ResetStatement(u32),
    /// Rows of a cursor: at most so many.
    Fetch {
        statement: u32,
        rows: u32,
    },
    /// Anything else.
    Unknown(u8),
}

impl<'a> Command<'a> {
    pub(crate) fn parse(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(payload);
        Ok(match fields.u8()? {
            0x01 => Self::Quit,
            0x02 => Self::InitDb(utf8(fields.rest())?),
            0x03 => Self::Query(fields.rest()),
            0x04 => Self::FieldList { table: utf8(fields.until_nul())?, pattern: utf8(fields.rest())? },
            0x09 => Self::Statistics,
            0x0c => Self::Kill(fields.u32()?),
            0x0e => Self::Ping,
            0x11 => Self::ChangeUser(fields.rest()),
            0x16 => Self::Prepare(fields.rest()),
            0x17 => Self::Execute { statement: fields.u32()?, rest: fields.rest() },
            0x18 => Self::SendLongData { statement: fields.u32()?, parameter: fields.u16()?, data: fields.rest() },
            0x19 => Self::CloseStatement(fields.u32()?),
            0x1a => Self::ResetStatement(fields.u32()?),
            0x1b => match fields.u16()? {
                0 => Self::SetMultiStatements(true),
                1 => Self::SetMultiStatements(false),
                _ => return Err(Malformed),
            },
            0x1c => Self::Fetch { statement: fields.u32()?, rows: fields.u32()? },
            0x1f => Self::ResetConnection,
            other => Self::Unknown(other),
        })
    }

    /// As SHOW PROCESSLIST prints it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Quit => "Quit",
            Self::InitDb(_) => "Init DB",
            Self::Query(_) => "Query",
            Self::FieldList { .. } => "Field List",
            Self::Statistics => "Statistics",
            Self::Kill(_) => "Kill",
            Self::Ping => "Ping",
            Self::ChangeUser(_) => "Change user",
            Self::ResetConnection => "Reset Connection",
            Self::SetMultiStatements(_) => "Set option",
            Self::Prepare(_) => "Prepare",
            Self::Execute { .. } => "Execute",
            Self::SendLongData { .. } => "Long Data",
            Self::CloseStatement(_) => "Close stmt",
            Self::ResetStatement(_) => "Reset stmt",
            Self::Fetch { .. } => "Fetch",
            Self::Unknown(_) => "Unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_read() {
        for (payload, command) in [
            (&b"\x01"[..], Command::Quit),
            (b"\x02shop", Command::InitDb("shop")),
            (b"\x03select 1", Command::Query(b"select 1")),
            (b"\x04t\0%", Command::FieldList { table: "t", pattern: "%" }),
            (b"\x0c\x05\0\0\0", Command::Kill(5)),
            (b"\x17\x01\0\0\0\0", Command::Execute { statement: 1, rest: &[0] }),
            (b"\x18\x01\0\0\0\x02\0ab", Command::SendLongData { statement: 1, parameter: 2, data: b"ab" }),
            (b"\x1c\x01\0\0\0\x02\0\0\0", Command::Fetch { statement: 1, rows: 2 }),
            (b"\x1b\x01\0", Command::SetMultiStatements(false)),
            (b"\x1d", Command::Unknown(0x1d)),
        ] {
            assert_eq!(Command::parse(payload), Ok(command));
        }
    }

    #[test]
    fn an_empty_packet_is_malformed() {
        assert_eq!(Command::parse(b""), Err(Malformed));
    }

    proptest! {
        #[test]
        fn no_packet_panics(payload in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Command::parse(&payload);
        }
    }
}
