//! Select lists: each item gets the name under which outer queries and the client know it.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, RenameSelectItem, Select, SelectItem, WildcardAdditionalOptions,
};

use super::{Flow, Rewriter, lowercase, refuse};

impl Rewriter<'_> {
    /// Names the items of a select list; those of the outermost become the titles of the result.
    pub(super) fn select_list(&mut self, select: &mut Select, outermost: bool) -> Flow {
        if select.into.is_some() {
            return refuse("SELECT ... INTO is not supported", "read the rows with the client and write them there");
        }
        let count = select.projection.len();
        let texts = self.lists.items(select.select_token.0.span.start, count);
        let wildcard = select
            .projection
            .iter()
            .any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
        let mut used = HashSet::new();
        let mut titles = Vec::with_capacity(count);
        for (index, item) in select.projection.iter_mut().enumerate() {
            let taken = std::mem::replace(item, SelectItem::UnnamedExpr(super::placeholder()));
            *item = match taken {
                SelectItem::Wildcard(mut options) => {
                    lowercase_wildcard(&mut options);
                    titles.push(None);
                    SelectItem::Wildcard(options)
                }
                SelectItem::QualifiedWildcard(kind, mut options) => {
                    lowercase_wildcard(&mut options);
                    titles.push(None);
                    SelectItem::QualifiedWildcard(kind, options)
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    titles.push(Some(alias.value.clone()));
                    named(expr, &alias.value, outermost, &mut used)
                }
                SelectItem::UnnamedExpr(expr) => match column_name(&expr) {
                    Some(name) => {
                        titles.push(Some(name.to_owned()));
                        // Beside a wildcard, the column is there already, and DataFusion wants every name once.
                        if outermost && (wildcard || !used.insert(name.to_lowercase())) {
                            let name = format!("{}\0{index}", name.to_lowercase());
                            SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('`', name) }
                        } else {
                            SelectItem::UnnamedExpr(expr)
                        }
                    }
                    None => {
                        let text = texts.as_ref().and_then(|texts| texts.get(index).copied());
                        let text = text.map_or_else(|| expr.to_string(), str::to_owned);
                        titles.push(Some(text.clone()));
                        named(expr, &text, outermost, &mut used)
                    }
                },
            };
        }
        if outermost && self.titles.items.is_empty() {
            self.titles.items = titles;
        } else {
            for title in titles.into_iter().flatten() {
                self.titles.aliases.entry(title.to_lowercase()).or_insert(title);
            }
        }
        ControlFlow::Continue(())
    }
}

/// `expr AS name`, in lower case; in the outermost list a second item of the same name gets one that nobody can say.
fn named(expr: Expr, name: &str, outermost: bool, used: &mut HashSet<String>) -> SelectItem {
    let mut name = name.to_lowercase();
    if outermost && !used.insert(name.clone()) {
        name = format!("{name}\0{}", used.len());
        used.insert(name.clone());
    }
    SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('`', name) }
}

/// The name of a plain column reference.
fn column_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(ident) => Some(&ident.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|ident| ident.value.as_str()),
        _ => None,
    }
}

fn lowercase_wildcard(options: &mut WildcardAdditionalOptions) {
    if let Some(except) = &mut options.opt_except {
        lowercase(&mut except.first_element);
        except.additional_elements.iter_mut().for_each(lowercase);
    }
    match &mut options.opt_exclude {
        Some(ExcludeSelectItem::Single(ident)) => lowercase(ident),
        Some(ExcludeSelectItem::Multiple(idents)) => idents.iter_mut().for_each(lowercase),
        None => {}
    }
    match &mut options.opt_rename {
        Some(RenameSelectItem::Single(renamed)) => lowercase(&mut renamed.ident),
        Some(RenameSelectItem::Multiple(renamed)) => renamed.iter_mut().for_each(|one| lowercase(&mut one.ident)),
        None => {}
    }
}
