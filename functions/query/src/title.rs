//! Titles of result columns: an alias as given, otherwise the expression's text as it was written.
//!
//! The syntax tree does not keep the text, so the select lists are found again among the tokens.

use std::collections::HashMap;

use datafusion::common::DFSchema;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};
use penstock_sql::result::ResultColumn;

use crate::cell;
use crate::rewrite::Titles;

/// Titles and types of the result.
pub(crate) fn columns(schema: &DFSchema, titles: &Titles, spelled: &HashMap<String, String>) -> Vec<ResultColumn> {
    let fields = schema.fields().len();
    // One wildcard stands for all that is not named; how several share it is open, and names have to do.
    let named = titles.items.iter().flatten().count();
    let wildcards = titles.items.len() - named;
    let single = (wildcards <= 1).then(|| fields.saturating_sub(named));
    let mut items: Vec<Option<&str>> = Vec::with_capacity(fields);
    for item in &titles.items {
        match (item, single) {
            (Some(title), _) if single.is_some() => items.push(Some(title)),
            (None, Some(count)) => items.extend(std::iter::repeat_n(None, count)),
            _ => {}
        }
    }
    let mut items = items.into_iter();
    schema
        .iter()
        .map(|(qualifier, field)| {
            let name = field.name().split('\0').next().unwrap_or_default();
            let of_table = qualifier.is_some_and(|qualifier| titles.tables.contains(qualifier.table()));
            let alias = || {
                titles
                    .aliases
                    .get(name)
                    .or_else(|| titles.items.iter().flatten().find(|title| title.to_lowercase() == name))
            };
            let title = match items.next().flatten() {
                Some(title) => title.to_owned(),
                None if of_table => spelled.get(name).or_else(alias).map_or(name, String::as_str).to_owned(),
                None => alias().or_else(|| spelled.get(name)).map_or(name, String::as_str).to_owned(),
            };
            ResultColumn { name: title, cell_type: cell::cell_type(field) }
        })
        .collect()
}

/// The items of each select list of a statement, as written.
pub(crate) struct SelectLists<'a> {
    sql: &'a str,
    tokens: &'a [TokenWithSpan],
    /// Byte at which each token starts; one more entry for the end of the text.
    starts: Vec<usize>,
    /// Index of the `SELECT` token at a location.
    selects: HashMap<Location, usize>,
}

impl<'a> SelectLists<'a> {
    /// `tokens` are those of `sql`.
    pub(crate) fn new(sql: &'a str, tokens: &'a [TokenWithSpan]) -> Self {
        let mut starts = Vec::with_capacity(tokens.len() + 1);
        let mut selects = HashMap::new();
        let mut place = Location { line: 1, column: 1 };
        let mut chars = sql.char_indices();
        let mut byte = 0;
        for (index, token) in tokens.iter().enumerate() {
            while place < token.span.start {
                let Some((at, char)) = chars.next() else {
                    break;
                };
                byte = at + char.len_utf8();
                place = if char == '\n' {
                    Location { line: place.line + 1, column: 1 }
                } else {
                    Location { line: place.line, column: place.column + 1 }
                };
            }
            starts.push(byte);
            if keyword(token) == Some(Keyword::SELECT) {
                selects.insert(token.span.start, index);
            }
        }
        starts.push(sql.len());
        Self { sql, tokens, starts, selects }
    }

    /// The text of each of the `count` items behind the `SELECT` at `select`; `None` if they cannot be told apart.
    pub(crate) fn items(&self, select: Location, count: usize) -> Option<Vec<&'a str>> {
        let first = *self.selects.get(&select)? + 1;
        let mut items = Vec::with_capacity(count);
        let mut from = None;
        let mut to = first;
        let mut depth = 0_usize;
        let mut before = None;
        for (index, token) in self.tokens.iter().enumerate().skip(first) {
            let word = keyword(token);
            if from.is_none() && matches!(word, Some(Keyword::DISTINCT | Keyword::ALL)) {
                continue;
            }
            match &token.token {
                Token::Whitespace(_) => continue,
                Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
                Token::RParen | Token::RBracket | Token::RBrace if depth > 0 => depth -= 1,
                Token::RParen | Token::SemiColon | Token::EOF => break,
                Token::Comma if depth == 0 => {
                    items.push(self.text(from.take()?, to)?);
                    before = None;
                    continue;
                }
                _ if depth == 0 && self.ends_list(index, word, before) => break,
                _ => {}
            }
            from.get_or_insert(index);
            to = index;
            before = word;
        }
        items.push(self.text(from?, to)?);
        (items.len() == count).then_some(items)
    }

    /// Whether the keyword begins the clause that follows the select list.
    fn ends_list(&self, index: usize, word: Option<Keyword>, before: Option<Keyword>) -> bool {
        match word {
            // `a IS DISTINCT FROM b` is an expression.
            Some(Keyword::FROM) => before != Some(Keyword::DISTINCT),
            // `WITHIN GROUP (...)` is one, too.
            Some(Keyword::GROUP) => {
                let next =
                    self.tokens.iter().skip(index + 1).find(|token| !matches!(token.token, Token::Whitespace(_)));
                next.and_then(keyword) == Some(Keyword::BY)
            }
            Some(
                Keyword::INTO
                | Keyword::WHERE
                | Keyword::HAVING
                | Keyword::ORDER
                | Keyword::LIMIT
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::MINUS
                | Keyword::WINDOW,
            ) => true,
            _ => false,
        }
    }

    fn text(&self, from: usize, to: usize) -> Option<&'a str> {
        self.sql.get(*self.starts.get(from)?..*self.starts.get(to + 1)?).map(str::trim_end)
    }
}

fn keyword(token: &TokenWithSpan) -> Option<Keyword> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::MySqlDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    use super::*;

    #[test]
    fn items_are_the_text_as_written() {
        for (sql, expected) in [
            ("SELECT 1", vec!["1"]),
            ("SELECT  1+ 1 , 'é, x' , `a b` FROM t", vec!["1+ 1", "'é, x'", "`a b`"]),
            ("SELECT DISTINCT\n count( * ),max(vtime) from t", vec!["count( * )", "max(vtime)"]),
            ("select concat(a, ',', (select 1, 2)) x limit 1", vec!["concat(a, ',', (select 1, 2)) x"]),
            ("select extract(year from d), a is distinct from b", vec!["extract(year from d)", "a is distinct from b"]),
            ("select t.*, 2 -- done\n union select 3, 4", vec!["t.*", "2"]),
        ] {
            let tokens = Tokenizer::new(&MySqlDialect {}, sql).tokenize_with_location().unwrap();
            let lists = SelectLists::new(sql, &tokens);
            assert_eq!(lists.items(Location { line: 1, column: 1 }, expected.len()), Some(expected), "{sql}");
        }
    }
}
