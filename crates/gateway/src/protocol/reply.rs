//! The short answers: OK, EOF and ERR.

use penstock_sql::error::SqlError;

use crate::protocol::capability as can;
use crate::protocol::wire::put_length;

/// What every answer tells about the session.
pub(crate) mod status {
    /// A transaction is open, as far as the client asked for one.
    pub(crate) const IN_TRANSACTION: u16 = 1;
    /// Statements commit by themselves.
    pub(crate) const AUTOCOMMIT: u16 = 2;
    /// Another result of the same packet follows.
    pub(crate) const MORE_RESULTS: u16 = 8;
    /// Rows are to be fetched from a cursor.
    pub(crate) const CURSOR_EXISTS: u16 = 64;
    /// A cursor has no further row, and is closed.
    pub(crate) const LAST_ROW_SENT: u16 = 128;
}

/// Longest message of an ERR packet; clients keep 511 bytes, but drivers show more.
const LONGEST_MESSAGE: usize = 8 << 10;

/// OK, after a statement without rows.
pub(crate) fn ok(affected_rows: u64, status: u16) -> Vec<u8> {
    let mut packet = vec![0];
    put_length(&mut packet, affected_rows);
    packet.push(0);
    packet.extend(status.to_le_bytes());
    packet.extend([0, 0]);
    packet
}

/// EOF: what ends columns and rows for clients that did not agree to do without.
pub(crate) fn eof(status: u16) -> Vec<u8> {
    let mut packet = vec![0xfe, 0, 0];
    packet.extend(status.to_le_bytes());
    packet
}

/// What ends rows: OK under the header of EOF, or EOF itself.
pub(crate) fn end_of_rows(capabilities: u32, status: u16) -> Vec<u8> {
    if capabilities & can::DEPRECATE_EOF == 0 {
        return eof(status);
    }
    let mut packet = ok(0, status);
    if let Some(header) = packet.first_mut() {
        *header = 0xfe;
    }
    packet
}

/// ERR. The message carries the hint; it is cut, at a character, if it is too long for clients.
pub(crate) fn error(error: &SqlError) -> Vec<u8> {
    let mut packet = vec![0xff];
    packet.extend(error.code.to_le_bytes());
    packet.push(b'#');
    let state = error.sqlstate.as_bytes();
    packet.extend_from_slice(if state.len() == 5 { state } else { b"HY000" });
    let message = error.to_string();
    let end = message.floor_char_boundary(LONGEST_MESSAGE);
    packet.extend(message.bytes().take(end));
    packet
}

/// ERR before any greeting: without SQL state, since nothing is agreed on yet. At most 240 bytes.
pub(crate) fn refusal(code: u16, message: &str) -> Vec<u8> {
    let mut packet = vec![0xff];
    packet.extend(code.to_le_bytes());
    packet.extend(message.bytes().take(237));
    packet
}

/// The answer to COM_STMT_PREPARE. It names no column: what a statement answers is known when it runs, and clients
/// then take the columns from there.
pub(crate) fn prepared(statement: u32, parameters: u16) -> Vec<u8> {
    let mut packet = vec![0];
    packet.extend(statement.to_le_bytes());
    packet.extend([0, 0]);
    packet.extend(parameters.to_le_bytes());
    packet.extend([0, 0, 0]);
    packet
}

/// The number of columns, which opens a result with rows.
pub(crate) fn column_count(columns: usize) -> Vec<u8> {
    let mut packet = Vec::new();
    put_length(&mut packet, u64::try_from(columns).unwrap_or(u64::MAX));
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_carry_code_state_message_and_hint() {
        let packet = error(&SqlError::new(1064, "no").with_hint("yes"));
        assert_eq!(packet, b"\xff\x28\x04#42000no\nhint: yes");
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let packet = error(&SqlError::new(1064, "ä".repeat(LONGEST_MESSAGE)));
        assert!(str::from_utf8(&packet[9..]).is_ok_and(|message| message.len() <= LONGEST_MESSAGE));
    }

    #[test]
    fn rows_end_as_agreed() {
        assert_eq!(end_of_rows(0, 2), [0xfe, 0, 0, 2, 0]);
        assert_eq!(end_of_rows(can::DEPRECATE_EOF, 2), [0xfe, 0, 0, 2, 0, 0, 0]);
    }
}
