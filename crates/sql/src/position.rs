//! Where in a text something stands, as a person counts.

use std::fmt;

/// Line and column, both from 1; a column is a character, not a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Character within the line, from 1.
    pub column: u32,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position after `text`, if `text` begins at `self`. Lines end with a line feed.
    #[must_use]
    pub fn after(self, text: &str) -> Self {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        match text.rfind('\n') {
            None => Self { line: self.line, column: self.column.saturating_add(count(text.chars().count())) },
            Some(last) => {
                let lines = text.bytes().filter(|byte| *byte == b'\n').count();
                let tail = text.get(last..).unwrap_or_default().chars().count();
                Self { line: self.line.saturating_add(count(lines)), column: count(tail) }
            }
        }
    }
}

/// Something of a statement, and where it stands. Equality does not regard where.
#[derive(Debug, Clone, Copy)]
pub struct Placed<T> {
    /// What it is.
    pub value: T,
    /// Where it begins.
    pub position: Position,
}

impl<T: PartialEq> PartialEq for Placed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Placed<T> {}

impl Default for Position {
    fn default() -> Self {
        Self::START
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_lines_from_one() {
        for (text, line, column) in [("", 1, 1), ("ab", 1, 3), ("ä😀", 1, 3), ("a\n", 2, 1), ("a\nbc\nd", 3, 2)] {
            assert_eq!(Position::START.after(text), Position { line, column }, "{text:?}");
        }
    }

    #[test]
    fn a_text_that_begins_elsewhere_counts_from_there() {
        let start = Position { line: 3, column: 5 };
        assert_eq!(start.after("ab"), Position { line: 3, column: 7 });
        assert_eq!(start.after("a\nb"), Position { line: 4, column: 2 });
    }
}
