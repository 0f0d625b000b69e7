//! `LIKE`, `WHERE`, `ORDER BY` and `LIMIT` of SHOW statements.

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::filter::{Comparison, Condition, Limit, Literal, Operator, OrderBy};
use crate::lexer::TokenKind;
use crate::position::Position;
use crate::statement::TableFilter;

const OPERATORS: [(&str, Operator); 8] = [
    ("=", Operator::Equal),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<>", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Cursor<'_> {
    /// `[LIKE '<pattern>' | WHERE <conditions>]`
    pub(super) fn table_filter(&mut self) -> Result<TableFilter, SqlError> {
        if self.eat("LIKE") {
            let like = Some(self.string("a pattern in quotes")?);
            return Ok(TableFilter { like, conditions: Vec::new() });
        }
        let conditions = if self.eat("WHERE") { self.conditions(&|_, _| Ok(()))? } else { Vec::new() };
        Ok(TableFilter { like: None, conditions })
    }

    /// Conditions joined by AND; each is given to `check` with its position, which may refuse it.
    pub(super) fn conditions(
        &mut self,
        check: &dyn Fn(Position, &mut Condition) -> Result<(), SqlError>,
    ) -> Result<Vec<Condition>, SqlError> {
        let mut conditions = Vec::new();
        self.append_conditions(check, &mut conditions)?;
        Ok(conditions)
    }

    /// Recursion is bounded by the depth of brackets, which the cursor has checked.
    fn append_conditions(
        &mut self,
        check: &dyn Fn(Position, &mut Condition) -> Result<(), SqlError>,
        conditions: &mut Vec<Condition>,
    ) -> Result<(), SqlError> {
        loop {
            if self.eat_symbol("(") {
                self.append_conditions(check, conditions)?;
                self.expect_symbol(")")?;
            } else {
                let position = self.position();
                let mut condition = self.condition()?;
                check(position, &mut condition)?;
                conditions.push(condition);
            }
            if self.at_keyword("OR") || self.at_keyword("XOR") || self.at_symbol("||") {
                return Err(self.only_and());
            }
            if !(self.eat("AND") || self.eat_symbol("&&")) {
                return Ok(());
            }
        }
    }

    fn only_and(&self) -> SqlError {
        SqlError::analysis_at(self.position(), "Only `AND` operator is allowed in `where` clause")
    }

    fn condition(&mut self) -> Result<Condition, SqlError> {
        if self.at_keyword("NOT") || self.at_symbol("!") {
            return Err(self.only_and());
        }
        let column = self.name("a column name")?;
        let comparison = self.comparison()?;
        Ok(Condition { column, comparison })
    }

    /// What follows a column's name.
    pub(super) fn comparison(&mut self) -> Result<Comparison, SqlError> {
        for (symbol, operator) in OPERATORS {
            if self.eat_symbol(symbol) {
                return self.literal().map(|literal| Comparison::Compare(operator, literal));
            }
        }
        if self.eat("IS") {
            let negated = self.eat("NOT");
            self.expect("NULL")?;
            return Ok(Comparison::IsNull { negated });
        }
        let negated = self.eat("NOT");
        if self.eat("LIKE") {
            let pattern = self.string("a pattern in quotes")?;
            Ok(Comparison::Like { negated, pattern })
        } else if self.eat("IN") {
            let values = self.bracketed(|cursor| cursor.literal())?;
            Ok(Comparison::In { negated, values })
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn literal(&mut self) -> Result<Literal, SqlError> {
        const WHAT: &str = "a string or an integer";
        if self.peek().is_some_and(|token| token.kind == TokenKind::Text) {
            return self.string(WHAT).map(Literal::Text);
        }
        let position = self.position();
        let sign = if self.eat_symbol("-") { "-" } else { "" };
        let digits = self.value_of(TokenKind::Integer, WHAT)?;
        format!("{sign}{digits}")
            .parse()
            .map(Literal::Integer)
            .map_err(|_| SqlError::syntax(position, "expected an integer of at most 64 bits, found a longer one"))
    }

    /// `[ORDER BY <column> [ASC | DESC], ...]`; each column is given to `check`, which may refuse or rename it.
    pub(super) fn order_by(
        &mut self,
        check: &dyn Fn(Position, &str) -> Result<String, SqlError>,
    ) -> Result<Vec<OrderBy>, SqlError> {
        let mut order = Vec::new();
        if !self.eat("ORDER") {
            return Ok(order);
        }
        self.expect("BY")?;
        loop {
            let position = self.position();
            let column = check(position, &self.name("a column name")?)?;
            let descending = !self.eat("ASC") && self.eat("DESC");
            order.push(OrderBy { column, descending });
            if !self.eat_symbol(",") {
                return Ok(order);
            }
        }
    }

    /// `[LIMIT <rows> [OFFSET <skip>] | LIMIT <skip>, <rows>]`
    pub(super) fn limit(&mut self) -> Result<Option<Limit>, SqlError> {
        const ROWS: &str = "a number of rows";
        if !self.eat("LIMIT") {
            return Ok(None);
        }
        let first = self.integer(ROWS)?;
        let limit = if self.eat("OFFSET") {
            Limit { skip: self.integer(ROWS)?, rows: first }
        } else if self.eat_symbol(",") {
            Limit { skip: first, rows: self.integer(ROWS)? }
        } else {
            Limit { skip: 0, rows: first }
        };
        Ok(Some(limit))
    }
}
