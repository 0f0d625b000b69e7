//! Lines typed so far, until they make statements.

use penstock_sql::lexer::{Lexer, TokenKind};
use penstock_sql::split::{PieceEnd, split};

/// What is typed and not yet said.
#[derive(Debug, Default)]
pub(super) struct Typed {
    text: String,
}

/// What a line led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entered {
    /// More is needed.
    Nothing,
    /// The user wants to leave.
    Quit,
    /// The user wants to be helped.
    Help,
    /// Complete statements, in order; never none.
    Statements(Vec<(String, PieceEnd)>),
}

impl Typed {
    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
    }

    /// Takes a line, without its line feed.
    pub(super) fn enter(&mut self, line: &str) -> Entered {
        let command = line.trim().trim_end_matches(';').trim_end().to_lowercase();
        match command.as_str() {
            "\\q" => return Entered::Quit,
            "\\c" | "clear" => {
                self.clear();
                return Entered::Nothing;
            }
            "quit" | "exit" if self.is_empty() => return Entered::Quit,
            "help" | "\\h" | "?" if self.is_empty() => return Entered::Help,
            _ => {}
        }
        // The mysql client needs no end behind USE, so hands expect none.
        let begins_use = self.is_empty() && command.starts_with("use ") && !line.contains(';');
        self.text.push_str(line);
        self.text.push_str(if begins_use { ";\n" } else { "\n" });
        let pieces = split(&self.text);
        let complete: Vec<(String, PieceEnd)> = pieces
            .iter()
            .filter(|piece| piece.end != PieceEnd::Open)
            .map(|piece| (piece.sql.to_owned(), piece.end))
            .collect();
        let open = pieces.last().filter(|piece| piece.end == PieceEnd::Open).map(|piece| piece.sql);
        // A comment that goes on in the next line is part of no statement yet.
        let rest = open.or_else(|| {
            Lexer::new(&self.text).filter(|token| token.kind == TokenKind::Unterminated).last().map(|token| token.text)
        });
        self.text = rest.map(|rest| format!("{}\n", rest.trim_end_matches('\n'))).unwrap_or_default();
        if complete.is_empty() { Entered::Nothing } else { Entered::Statements(complete) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(sql: &str) -> Entered {
        Entered::Statements(vec![(sql.to_owned(), PieceEnd::Plain)])
    }

    #[test]
    fn a_statement_goes_over_lines_until_its_end() {
        let mut typed = Typed::default();
        assert_eq!(typed.enter("select"), Entered::Nothing);
        assert!(!typed.is_empty());
        assert_eq!(typed.enter("'a;"), Entered::Nothing);
        assert_eq!(typed.enter("b' ; show"), plain("select\n'a;\nb'"));
        assert_eq!(
            typed.enter("tables\\G"),
            Entered::Statements(vec![("show\ntables".to_owned(), PieceEnd::Vertical)])
        );
        assert!(typed.is_empty());
    }

    #[test]
    fn several_statements_of_a_line_are_said_in_order() {
        let Entered::Statements(statements) = Typed::default().enter("a; b\\G c;") else { panic!() };
        let texts: Vec<&str> = statements.iter().map(|(sql, _)| sql.as_str()).collect();
        assert_eq!(texts, ["a", "b", "c"]);
    }

    #[test]
    fn a_comment_may_go_over_lines() {
        let mut typed = Typed::default();
        assert_eq!(typed.enter("/* a;"), Entered::Nothing);
        assert_eq!(typed.enter("b */ select 1;"), plain("select 1"));
    }

    #[test]
    fn words_for_the_client_are_no_statements() {
        for (line, entered) in [
            ("quit", Entered::Quit),
            ("EXIT;", Entered::Quit),
            ("\\q", Entered::Quit),
            ("help;", Entered::Help),
            ("?", Entered::Help),
            ("", Entered::Nothing),
            ("use shop", plain("use shop")),
            ("USE shop;", plain("USE shop")),
        ] {
            assert_eq!(Typed::default().enter(line), entered, "{line}");
        }
        let mut typed = Typed::default();
        typed.enter("select");
        assert_eq!(typed.enter("quit;"), plain("select\nquit"), "amid a statement it is a word of it");
        typed.enter("select 'x");
        assert_eq!(typed.enter("clear"), Entered::Nothing);
        assert!(typed.is_empty());
    }
}
