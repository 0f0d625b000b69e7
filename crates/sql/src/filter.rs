//! `LIKE` and `WHERE` of SHOW statements: which rows of a result are wanted.
//!
//! SHOW takes conditions on the columns it prints, joined by AND. This is not an expression language; that of queries,
//! COLUMNS and job filters is elsewhere.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::like::{self, Wildcards};
use crate::print::{List, Name, Quoted};

/// A condition on one column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The column's title.
    pub column: String,
    /// What must hold.
    pub comparison: Comparison,
}

/// What must hold for a cell. Text is compared regardless of case; NULL fulfils nothing but IS NULL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `= <> < <= > >=`
    Compare(Operator, Literal),
    /// `[NOT] LIKE`
    Like {
        /// NOT LIKE.
        negated: bool,
        /// The pattern.
        pattern: String,
    },
    /// `[NOT] IN (...)`
    In {
        /// NOT IN.
        negated: bool,
        /// At least one.
        values: Vec<Literal>,
    },
    /// `IS [NOT] NULL`
    IsNull {
        /// IS NOT NULL.
        negated: bool,
    },
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`, `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A literal of a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
}

/// `LIMIT`: which rows, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Rows to leave out first.
    pub skip: u64,
    /// Rows at most.
    pub rows: u64,
}

/// A column to order by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// The column's title.
    pub column: String,
    /// DESC.
    pub descending: bool,
}

impl Comparison {
    /// Whether NULL fulfils or fails it, and does not leave it open.
    pub(crate) fn is_about_null(&self) -> bool {
        matches!(self, Self::IsNull { .. })
    }
}

impl Condition {
    /// Whether `cell`, the text of the condition's column, fulfils it.
    pub fn holds(&self, cell: Option<&str>, wildcards: Wildcards) -> bool {
        let Some(cell) = cell else {
            return self.comparison == Comparison::IsNull { negated: false };
        };
        match &self.comparison {
            Comparison::IsNull { negated } => *negated,
            Comparison::Compare(operator, literal) => operator.holds(literal.order_of(cell)),
            Comparison::Like { negated, pattern } => like::matches(pattern, cell, wildcards) != *negated,
            Comparison::In { negated, values } => {
                values.iter().any(|value| value.order_of(cell) == Some(Ordering::Equal)) != *negated
            }
        }
    }
}

impl Operator {
    /// `order` is that of the cell to the literal; `None` if they cannot be compared, which only `!=` fulfils.
    fn holds(self, order: Option<Ordering>) -> bool {
        match (self, order) {
            (Self::NotEqual, order) => order != Some(Ordering::Equal),
            (_, None) => false,
            (Self::Equal, Some(order)) => order.is_eq(),
            (Self::Less, Some(order)) => order.is_lt(),
            (Self::LessOrEqual, Some(order)) => order.is_le(),
            (Self::Greater, Some(order)) => order.is_gt(),
            (Self::GreaterOrEqual, Some(order)) => order.is_ge(),
        }
    }
}

impl Literal {
    /// How `cell` stands to this literal.
    fn order_of(&self, cell: &str) -> Option<Ordering> {
        match self {
            Self::Integer(value) => Some(cell.parse::<i64>().ok()?.cmp(value)),
            Self::Text(text) => Some(cell.to_lowercase().cmp(&text.to_lowercase())),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = Name(&self.column);
        let not = |negated: bool| if negated { "NOT " } else { "" };
        match &self.comparison {
            Comparison::Compare(operator, literal) => write!(f, "{column} {operator} {literal}"),
            Comparison::Like { negated, pattern } => {
                write!(f, "{column} {}LIKE {}", not(*negated), Quoted(pattern))
            }
            Comparison::IsNull { negated } => write!(f, "{column} IS {}NULL", not(*negated)),
            Comparison::In { negated, values } => {
                write!(f, "{column} {}IN ({})", not(*negated), List(values))
            }
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Quoted(text).fmt(f),
            Self::Integer(value) => value.fmt(f),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " LIMIT {}", self.rows)?;
        if self.skip > 0 {
            write!(f, " OFFSET {}", self.skip)?;
        }
        Ok(())
    }
}

impl fmt::Display for OrderBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Name(&self.column).fmt(f)?;
        f.write_str(if self.descending { " DESC" } else { "" })
    }
}

/// ` WHERE a AND b`, or nothing.
pub(crate) struct Where<'a>(pub(crate) &'a [Condition]);

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, condition) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { " WHERE " } else { " AND " })?;
            condition.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(comparison: Comparison, cell: Option<&str>) -> bool {
        let condition = Condition { column: "Name".to_owned(), comparison };
        condition.holds(cell, Wildcards::Sql)
    }

    fn text(value: &str) -> Literal {
        Literal::Text(value.to_owned())
    }

    #[test]
    fn text_is_compared_regardless_of_case_and_integers_by_value() {
        assert!(holds(Comparison::Compare(Operator::Equal, text("RUNNING")), Some("running")));
        assert!(holds(Comparison::Compare(Operator::Less, Literal::Integer(9)), Some("8")));
        assert!(!holds(Comparison::Compare(Operator::Less, Literal::Integer(9)), Some("10")));
        let values = vec![text("a"), text("B")];
        assert!(holds(Comparison::In { negated: false, values: values.clone() }, Some("b")));
        assert!(holds(Comparison::In { negated: true, values }, Some("c")));
    }

    #[test]
    fn null_fulfils_nothing() {
        for comparison in [
            Comparison::Compare(Operator::NotEqual, text("a")),
            Comparison::Like { negated: true, pattern: "a".to_owned() },
            Comparison::In { negated: true, values: vec![text("a")] },
            Comparison::IsNull { negated: true },
        ] {
            assert!(!holds(comparison, None));
        }
        assert!(holds(Comparison::IsNull { negated: false }, None));
        assert!(holds(Comparison::IsNull { negated: true }, Some("")));
    }
}
