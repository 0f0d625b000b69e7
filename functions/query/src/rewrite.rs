//! StarRocks' naming rules laid over the syntax tree before DataFusion plans it.
//!
//! DataFusion compares names exactly. Column names are to match in any case, so all of them become lower case here and in
//! the tables' schemas; how they were spelled is kept beside, for titles. Names of databases and tables stay as they are.
//! Every item of a select list without an alias gets its own text as alias, so that DataFusion's names reach nobody.

mod aggregate;
mod select;

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, Query, SetExpr, Statement, TableFactor, TableWithJoins, VisitMut,
    VisitorMut,
};
use penstock_expressions::rewrite::{self as shared, placeholder};
use penstock_sql::error::{SqlError, code};

use crate::session::Facts;
use crate::title::SelectLists;

/// Levels of one expression; evaluation is recursive in places that DataFusion does not protect.
const MAX_EXPRESSION_DEPTH: usize = 250;
/// Queries within expressions within each other: each level doubles the work of planning.
const MAX_SUBQUERY_DEPTH: usize = 8;
/// SELECTs of one statement.
const MAX_SELECTS: usize = 500;
/// Tables, derived tables and functions in all FROM clauses of one statement.
const MAX_RELATIONS: usize = 250;

/// How the result's columns are titled.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    /// Items of the outermost select list; `None` stands for the columns of a wildcard.
    pub(crate) items: Vec<Option<String>>,
    /// Aliases of inner queries as spelled, by lower case.
    pub(crate) aliases: HashMap<String, String>,
    /// Names and aliases of tables that are no inner queries.
    pub(crate) tables: HashSet<String>,
    /// Names of functions that stand where tables stand.
    pub(crate) functions: HashSet<String>,
}

/// Rewrites a query in place and tells the titles of its columns.
///
/// # Errors
/// Code 1064 for what is nested too deeply or cannot be supported.
pub(crate) fn rewrite(statement: &mut Statement, lists: &SelectLists<'_>, facts: &Facts) -> Result<Titles, SqlError> {
    let mut rewriter = Rewriter {
        lists,
        facts,
        titles: Titles::default(),
        outermost: true,
        depth: 0,
        subqueries: 0,
        selects: 0,
        relations: 0,
    };
    match VisitMut::visit(statement, &mut rewriter) {
        ControlFlow::Continue(()) => Ok(rewriter.titles),
        ControlFlow::Break(error) => Err(*error),
    }
}

pub(crate) fn lowercase(ident: &mut Ident) {
    ident.value = ident.value.to_lowercase();
}

struct Rewriter<'a> {
    lists: &'a SelectLists<'a>,
    facts: &'a Facts,
    titles: Titles,
    outermost: bool,
    depth: usize,
    subqueries: usize,
    selects: usize,
    relations: usize,
}

type Flow = ControlFlow<Box<SqlError>>;

fn refuse(message: impl Into<String>, hint: &str) -> Flow {
    ControlFlow::Break(Box::new(SqlError::new(code::PARSE, message).with_hint(hint)))
}

impl VisitorMut for Rewriter<'_> {
    type Break = Box<SqlError>;

    fn pre_visit_query(&mut self, query: &mut Query) -> Flow {
        // Nothing here can be locked, and clients say FOR UPDATE out of habit.
        query.locks.clear();
        for cte in query.with.iter_mut().flat_map(|with| with.cte_tables.iter_mut()) {
            self.rename_columns(cte.alias.columns.iter_mut().map(|column| &mut column.name));
        }
        let outermost = std::mem::replace(&mut self.outermost, false);
        self.set_expression(&mut query.body, outermost)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        self.relations += 1;
        if self.relations > MAX_RELATIONS {
            return refuse(
                format!("the statement reads more than {MAX_RELATIONS} tables"),
                "split it into several statements",
            );
        }
        if let TableFactor::Table { partitions, .. } = factor
            && !partitions.is_empty()
        {
            return refuse(
                "PARTITION of a table in FROM is not supported yet",
                "say it in WHERE: files of other partitions are not read",
            );
        }
        let alias = match factor {
            TableFactor::Table { name, alias, args: Some(_), .. } => {
                self.titles.functions.insert(name.to_string());
                alias
            }
            TableFactor::Table { name, alias, .. } => {
                let called = alias.as_ref().map(|alias| alias.name.value.clone());
                let called = called.or_else(|| Some(name.0.last()?.as_ident()?.value.clone()));
                self.titles.tables.extend(called);
                alias
            }
            TableFactor::Derived { alias, .. } => alias,
            _ => return ControlFlow::Continue(()),
        };
        if let Some(alias) = alias {
            self.rename_columns(alias.columns.iter_mut().map(|column| &mut column.name));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> Flow {
        shared::bind_arrow(expr);
        shared::balance(expr);
        self.depth += 1;
        self.subqueries += usize::from(is_subquery(expr));
        if self.subqueries > MAX_SUBQUERY_DEPTH {
            return refuse(
                format!("queries within expressions are nested more than {MAX_SUBQUERY_DEPTH} levels deep"),
                "use WITH to name the inner queries",
            );
        }
        if self.depth > MAX_EXPRESSION_DEPTH {
            return refuse(
                format!("an expression has more than {MAX_EXPRESSION_DEPTH} levels"),
                "compute parts of it in inner queries",
            );
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> Flow {
        self.depth -= 1;
        self.subqueries -= usize::from(is_subquery(expr));
        match expr {
            Expr::Identifier(ident) if !ident.value.starts_with('@') => lowercase(ident),
            Expr::CompoundIdentifier(parts) => parts.last_mut().into_iter().for_each(lowercase),
            Expr::Function(_) => aggregate::rewrite(expr),
            _ => {}
        }
        match shared::expression(expr, &mut &*self.facts) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                let refused = SqlError::new(code::PARSE, error.message);
                ControlFlow::Break(Box::new(SqlError { hint: error.hint, ..refused }))
            }
        }
    }
}

impl Rewriter<'_> {
    /// Rewrites all select lists of a set operation; `outermost` is for the leftmost, which names the columns.
    fn set_expression(&mut self, body: &mut SetExpr, outermost: bool) -> Flow {
        match body {
            SetExpr::Select(select) => {
                self.selects += 1;
                if self.selects > MAX_SELECTS {
                    return refuse(
                        format!("the statement has more than {MAX_SELECTS} SELECTs"),
                        "split it into several statements",
                    );
                }
                if select.from.as_slice().iter().all(is_dual) {
                    select.from.clear();
                }
                for table in &mut select.from {
                    self.join_columns(table);
                }
                self.select_list(select, outermost)
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.set_expression(left, outermost)?;
                self.set_expression(right, false)
            }
            // The visitor comes to it by itself, too; rewriting a select list twice changes nothing more.
            SetExpr::Query(query) if outermost => self.set_expression(&mut query.body, true),
            SetExpr::Query(_) => ControlFlow::Continue(()),
            SetExpr::Values(_) => {
                if outermost {
                    self.titles.items.push(None);
                }
                ControlFlow::Continue(())
            }
            SetExpr::Table(_) | SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                refuse("only SELECT, WITH and VALUES are queries", "tables are filled by CREATE ROUTINE LOAD")
            }
        }
    }

    fn join_columns(&mut self, table: &mut TableWithJoins) {
        if let TableFactor::NestedJoin { table_with_joins, .. } = &mut table.relation {
            self.join_columns(table_with_joins);
        }
        for join in &mut table.joins {
            if let TableFactor::NestedJoin { table_with_joins, .. } = &mut join.relation {
                self.join_columns(table_with_joins);
            }
            if let JoinOperator::Join(JoinConstraint::Using(columns))
            | JoinOperator::Inner(JoinConstraint::Using(columns))
            | JoinOperator::Left(JoinConstraint::Using(columns))
            | JoinOperator::LeftOuter(JoinConstraint::Using(columns))
            | JoinOperator::Right(JoinConstraint::Using(columns))
            | JoinOperator::RightOuter(JoinConstraint::Using(columns))
            | JoinOperator::FullOuter(JoinConstraint::Using(columns)) = &mut join.join_operator
            {
                for name in columns.iter_mut().flat_map(|name| name.0.iter_mut()) {
                    if let datafusion::sql::sqlparser::ast::ObjectNamePart::Identifier(ident) = name {
                        lowercase(ident);
                    }
                }
            }
        }
    }

    fn rename_columns<'i>(&mut self, idents: impl Iterator<Item = &'i mut Ident>) {
        for ident in idents {
            self.titles.aliases.insert(ident.value.to_lowercase(), ident.value.clone());
            lowercase(ident);
        }
    }
}

fn is_subquery(expr: &Expr) -> bool {
    matches!(expr, Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. })
}

/// MySQL's name for no table at all.
fn is_dual(table: &TableWithJoins) -> bool {
    match &table.relation {
        TableFactor::Table { name, args: None, .. } => {
            table.joins.is_empty()
                && matches!(name.0.as_slice(), [only] if only.to_string().eq_ignore_ascii_case("dual"))
        }
        _ => false,
    }
}
