//! `/*!40101 ... */`: comments that MySQL executes.
//!
//! Dumps wrap in them what older servers must not see; clients put them around SET and into KILL. To the lexer of
//! `penstock-sql` they are comments like others, so they are opened before a text is split.

use std::borrow::Cow;

/// The version that this server claims to be, as such comments count it.
const VERSION: u32 = 80_033;

/// `sql` with the comments opened that a server of this version executes. Those of MariaDB (`/*M!`) and of later
/// versions stay what they are.
pub(crate) fn opened(sql: &str) -> Cow<'_, str> {
    if !sql.contains("/*!") {
        return Cow::Borrowed(sql);
    }
    let mut opened = String::with_capacity(sql.len());
    let mut rest = sql;
    // How many opened comments have not ended yet.
    let mut depth = 0_u32;
    while let Some(first) = rest.chars().next() {
        let length = if depth > 0 && rest.starts_with("*/") {
            depth -= 1;
            opened.push(' ');
            rest = rest.get(2..).unwrap_or_default();
            continue;
        } else if let Some(head) = executed_head(rest) {
            depth += 1;
            opened.push(' ');
            rest = rest.get(head..).unwrap_or_default();
            continue;
        } else if rest.starts_with("/*") {
            rest.get(2..).and_then(|inside| inside.find("*/")).map_or(rest.len(), |end| end + 4)
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if matches!(first, '\'' | '"' | '`') {
            quoted(rest, first)
        } else {
            first.len_utf8()
        };
        let (passed, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        opened.push_str(passed);
        rest = after;
    }
    Cow::Owned(opened)
}

/// Length of `/*!` and its version, if a comment that is to be executed begins here.
fn executed_head(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix("/*!")?;
    let digits = inside.bytes().take(6).take_while(u8::is_ascii_digit).count();
    let version = if digits >= 5 { inside.get(..digits)?.parse().ok()? } else { 0 };
    let digits = if digits >= 5 { digits } else { 0 };
    (version <= VERSION).then_some(3 + digits)
}

/// Length of the quoted text that begins `rest`, or all of it.
fn quoted(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote != '`' {
            characters.next();
        } else if character == quote {
            return at + 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_of_this_version_are_opened_and_others_stay() {
        for (sql, text) in [
            ("/*!40101 SET NAMES utf8 */", "  SET NAMES utf8  "),
            ("KILL /*!50000 QUERY */ 5", "KILL   QUERY   5"),
            ("/*! SET a = '*/' */", "  SET a = '*/'  "),
            ("/*!99999 later */ x", "/*!99999 later */ x"),
            ("/*M!100100 maria */ x /*! y */", "/*M!100100 maria */ x   y  "),
            ("select '/*!40101 x */'", "select '/*!40101 x */'"),
            ("select 1 -- /*! x */", "select 1 -- /*! x */"),
            ("select 1", "select 1"),
        ] {
            assert_eq!(opened(sql), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_opens(sql in "[-'\"`\\\\*/!;a4 \n]{0,40}|\\PC{0,20}/\\*!\\PC{0,20}") {
            let _ = opened(&sql);
        }
    }
}
