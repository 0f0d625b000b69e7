//! Many statements in one text: cut at `;`, `\g` and `\G` that stand outside of quotes and comments.
//!
//! The mysql client does this for its user; the gateway does it for clients that send several statements at once, and
//! `penstock sql` and `penstock preview` for files. It does not look into statements: a wrong one is one piece.

use crate::lexer::{Lexer, TokenKind};
use crate::position::Position;

/// One statement of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The statement without its end and without space or comments around it; never empty.
    pub sql: &'a str,
    /// Where it begins in the whole text.
    pub start: Position,
    /// How it ended.
    pub end: PieceEnd,
}

/// What ended a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceEnd {
    /// `;` or `\g`.
    Plain,
    /// `\G`: the result is to be shown with one column a line.
    Vertical,
    /// The text itself: at a prompt, more may follow.
    Open,
}

/// The statements of `text`, in order. Pieces without any token (space, comments) are left out.
pub fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut position = (0, Position::START);
    // First and last byte (exclusive) of the statement being read.
    let mut span: Option<(usize, usize)> = None;
    let mut close = |span: &mut Option<(usize, usize)>, end: PieceEnd| {
        let Some((first, last)) = span.take() else {
            return;
        };
        let start = position.1.after(text.get(position.0..first).unwrap_or_default());
        position = (first, start);
        if let Some(sql) = text.get(first..last) {
            pieces.push(Piece { sql, start, end });
        }
    };
    for token in Lexer::new(text) {
        match token.kind {
            TokenKind::ClientEnd if token.text == "\\G" => close(&mut span, PieceEnd::Vertical),
            TokenKind::ClientEnd => close(&mut span, PieceEnd::Plain),
            TokenKind::Symbol if token.text == ";" => close(&mut span, PieceEnd::Plain),
            // A comment that does not end is part of no statement, unless one is already open.
            TokenKind::Unterminated if token.text.starts_with("/*") && span.is_none() => {}
            _ => span = Some((span.map_or(token.start, |(first, _)| first), token.end())),
        }
    }
    close(&mut span, PieceEnd::Open);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        split(text).iter().map(|piece| piece.sql).collect()
    }

    #[test]
    fn statements_end_outside_of_quotes_and_comments_only() {
        assert_eq!(
            texts("select ';' ; -- a;b\n use `x;y`; /* ; */ show \"a\\\";\""),
            ["select ';'", "use `x;y`", "show \"a\\\";\""]
        );
    }

    #[test]
    fn empty_statements_are_left_out() {
        assert!(texts(" ;; -- only a comment\n ; /* one */").is_empty());
    }

    #[test]
    fn vertical_ends_are_recognised() {
        let pieces = split("show routine load\\G select 1\\g select 2");
        let ends: Vec<PieceEnd> = pieces.iter().map(|piece| piece.end).collect();
        assert_eq!(ends, [PieceEnd::Vertical, PieceEnd::Plain, PieceEnd::Open]);
        assert_eq!(pieces[0].sql, "show routine load");
    }

    #[test]
    fn pieces_know_where_they_begin() {
        let pieces = split("a;\n\n  b;c");
        let starts: Vec<(u32, u32)> = pieces.iter().map(|piece| (piece.start.line, piece.start.column)).collect();
        assert_eq!(starts, [(1, 1), (3, 3), (3, 5)]);
    }

    #[test]
    fn a_quote_that_does_not_end_is_one_open_piece() {
        assert_eq!(texts("a; b 'c;d"), ["a", "b 'c;d"]);
    }

    proptest! {
        #[test]
        fn any_text_splits(text in "\\PC{0,60}|[-'\"`\\\\*/;a \nGg]{0,60}") {
            for piece in split(&text) {
                prop_assert!(!piece.sql.is_empty());
                prop_assert!(text.contains(piece.sql));
            }
        }
    }
}
