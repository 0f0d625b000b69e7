//! Conditions joined by AND, OR and NOT.

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::filter::{Comparison, Condition, Operator};
use crate::position::Position;
use crate::predicate::{MAX_NESTED, Predicate};

/// May refuse a condition at a position, or write it otherwise.
type Check<'c> = &'c dyn Fn(Position, &mut Condition) -> Result<(), SqlError>;

impl Cursor<'_> {
    /// Conditions joined by AND, OR and NOT; each is given to `check`. `a BETWEEN x AND y` is `a >= x AND a <= y`.
    pub(super) fn predicate(&mut self, check: Check<'_>) -> Result<Predicate, SqlError> {
        let position = self.position();
        let predicate = self.any_of(check)?;
        if predicate.nested() > MAX_NESTED {
            let message = format!("expected AND, OR and NOT nested at most {MAX_NESTED} deep, found more");
            return Err(SqlError::analysis_at(position, &message));
        }
        Ok(predicate)
    }

    /// Recursion is bounded by the depth of brackets, which the cursor has checked.
    fn any_of(&mut self, check: Check<'_>) -> Result<Predicate, SqlError> {
        let mut first = self.all_of(check)?;
        let mut others = Vec::new();
        while self.eat("OR") || self.eat_symbol("||") {
            others.push(self.all_of(check)?);
        }
        if !others.is_empty() {
            others.insert(0, first);
            first = Predicate::Any(others);
        }
        Ok(first)
    }

    fn all_of(&mut self, check: Check<'_>) -> Result<Predicate, SqlError> {
        let mut first = self.maybe_not(check)?;
        let mut others = Vec::new();
        while self.eat("AND") || self.eat_symbol("&&") {
            others.push(self.maybe_not(check)?);
        }
        if !others.is_empty() {
            others.insert(0, first);
            first = Predicate::All(others);
        }
        Ok(first)
    }

    fn maybe_not(&mut self, check: Check<'_>) -> Result<Predicate, SqlError> {
        let mut negated = false;
        while self.eat("NOT") || self.eat_symbol("!") {
            negated = !negated;
        }
        let part = if self.eat_symbol("(") {
            let part = self.any_of(check)?;
            self.expect_symbol(")")?;
            part
        } else {
            self.compared(check)?
        };
        Ok(if negated { Predicate::Not(Box::new(part)) } else { part })
    }

    fn compared(&mut self, check: Check<'_>) -> Result<Predicate, SqlError> {
        let position = self.position();
        let column = self.name("a column name")?;
        let checked = |comparison| {
            let mut condition = Condition { column: column.clone(), comparison };
            check(position, &mut condition)?;
            Ok(Predicate::Is(condition))
        };
        let not_between = self.at_keyword("NOT")
            && self.peek_second().is_some_and(|token| token.text.eq_ignore_ascii_case("BETWEEN"));
        if not_between {
            self.advance();
        }
        if !self.eat("BETWEEN") {
            return checked(self.comparison()?);
        }
        let lower = self.literal()?;
        self.expect("AND")?;
        let upper = self.literal()?;
        let within = Predicate::All(vec![
            checked(Comparison::Compare(Operator::GreaterOrEqual, lower))?,
            checked(Comparison::Compare(Operator::LessOrEqual, upper))?,
        ]);
        Ok(if not_between { Predicate::Not(Box::new(within)) } else { within })
    }
}
