//! DataFusion's and the catalog's failures as errors that a client can act on.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use datafusion::sql::sqlparser::parser::ParserError;
use penstock_catalog::error::CatalogError;
use penstock_expressions::name::nearest;
use penstock_kernel::error_chain::one_line;
use penstock_sql::error::{SqlError, code};

use crate::report::Report;

/// The error that a client sees. A failure of storage that `report` noted explains what came of it.
pub(crate) fn of_query(error: &DataFusionError, report: &Report, memory_bytes: usize) -> SqlError {
    if let Some(own) = own(error) {
        return own.clone();
    }
    match error.find_root() {
        DataFusionError::SchemaError(schema, _) => of_schema(schema),
        DataFusionError::ResourcesExhausted(_) => {
            let megabytes = memory_bytes >> 20;
            SqlError::new(
                code::INTERNAL,
                format!("the query needs more memory than the {megabytes} MB that queries share"),
            )
            .with_hint("select fewer columns, filter more, or raise PENSTOCK_QUERY_MEMORY_MB")
        }
        DataFusionError::ObjectStore(_) => storage(report),
        DataFusionError::ParquetError(parquet) if is_storage(parquet) => storage(report),
        _ if report.storage_failure().is_some() => storage(report),
        DataFusionError::ParquetError(_) => SqlError::new(code::INTERNAL, "a data file cannot be read as Parquet")
            .with_hint("it is damaged, or was replaced by something else"),
        DataFusionError::IoError(_) => SqlError::new(code::INTERNAL, "temporary files cannot be written")
            .with_hint("make room on the temporary file system, or set PENSTOCK_QUERY_SPILL_MB to 0"),
        DataFusionError::NotImplemented(message) => {
            SqlError::new(code::PARSE, format!("not supported: {}", tidy(message)))
        }
        DataFusionError::Plan(message) | DataFusionError::Execution(message) => {
            SqlError::new(code::PARSE, tidy(message))
        }
        DataFusionError::SQL(parser, _) => match &**parser {
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
                SqlError::new(code::PARSE, tidy(message))
            }
            ParserError::RecursionLimitExceeded => SqlError::new(code::PARSE, "the statement is nested too deeply"),
        },
        DataFusionError::Internal(message) if message.contains("coerce types") => {
            SqlError::new(code::PARSE, tidy(message))
        }
        DataFusionError::External(other) if other.to_string().contains("regex") => {
            let text = other.to_string();
            let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            SqlError::new(code::PARSE, format!("the regular expression is wrong: {why}"))
        }
        DataFusionError::ArrowError(arrow, _) => SqlError::new(code::PARSE, tidy(&arrow.to_string())),
        DataFusionError::Collection(errors) => match errors.first() {
            Some(first) => of_query(first, report, memory_bytes),
            None => unexpected(),
        },
        _ => unexpected(),
    }
}

/// What is behind an error, for the log only.
pub(crate) fn cause(error: &DataFusionError, report: &Report) -> String {
    report.storage_failure().unwrap_or_else(|| tidy(&error.strip_backtrace()))
}

/// An error of the catalog while tables were looked up.
pub(crate) fn of_catalog(error: &CatalogError) -> SqlError {
    tracing::warn!(cause = one_line(error), "the catalog failed");
    match error {
        CatalogError::Unavailable { .. } | CatalogError::Contended { .. } => {
            SqlError::new(code::UNAVAILABLE, error.to_string())
                .with_hint("try again; if it stays so, check DynamoDB and the network")
        }
        _ => {
            SqlError::new(code::INTERNAL, error.to_string()).with_hint("check the function's settings and permissions")
        }
    }
}

/// An error of ours that travelled through DataFusion.
fn own(error: &DataFusionError) -> Option<&SqlError> {
    match error.find_root() {
        DataFusionError::External(inner) => inner.downcast_ref(),
        _ => None,
    }
}

fn is_storage(error: &ParquetError) -> bool {
    matches!(error, ParquetError::External(inner) if inner.downcast_ref::<object_store::Error>().is_some())
}

fn storage(report: &Report) -> SqlError {
    let missing = report.storage_failure().is_some_and(|said| said.contains("not found"));
    if missing {
        SqlError::new(code::UNAVAILABLE, "a data file that a commit names is not in its storage volume")
            .with_hint("try again: it may just have been compacted; if it stays so, objects were deleted by hand")
    } else {
        SqlError::new(code::UNAVAILABLE, "a data file cannot be read from its storage volume")
            .with_hint("try again; if it stays so, check that S3 answers and that its keys and permissions are right")
    }
}

/// A bug of ours or of the engine.
pub(crate) fn unexpected() -> SqlError {
    SqlError::new(code::INTERNAL, "the query failed for a reason that is not its own")
        .with_hint("please report it with the statement; the log has the cause")
}

fn of_schema(error: &SchemaError) -> SqlError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let error =
                SqlError::new(code::PARSE, format!("Column '{}' cannot be resolved", visible(&field.flat_name())));
            let known = valid_fields.iter().map(|valid| valid.name.as_str()).filter(|name| !name.contains('\0'));
            match nearest(&field.name, known) {
                Some(name) => error.with_hint(format!("did you mean `{name}`?")),
                None => error,
            }
        }
        SchemaError::AmbiguousReference { field } => {
            SqlError::new(code::PARSE, format!("Column '{}' is ambiguous", visible(&field.name)))
                .with_hint("say which table it is of: table.column")
        }
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            SqlError::new(code::PARSE, format!("Duplicate column name '{}'", visible(name)))
                .with_hint("give one of them an alias")
        }
    }
}

/// A message without what is not for clients: names of ours, backtraces, where bugs are to be reported.
fn tidy(message: &str) -> String {
    let first = message.split("\n\nbacktrace").next().unwrap_or(message);
    let first = first.split("No function matches the given name and argument types").next().unwrap_or(first);
    let first = first.strip_prefix("Error during planning: ").unwrap_or(first);
    let first = first.split(".\nThis issue was likely").next().unwrap_or(first);
    visible(first.trim().trim_end_matches('.'))
}

fn visible(text: &str) -> String {
    text.split('\0').next().unwrap_or(text).to_owned()
}
