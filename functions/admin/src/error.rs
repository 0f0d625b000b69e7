//! What goes wrong below, as the error a client sees.

use penstock_catalog::error::CatalogError;
use penstock_kernel::error_chain::one_line;
use penstock_kernel::plan::DefinitionError;
use penstock_sql::error::{SqlError, code};

use crate::mapping::MappingError;

pub(crate) fn of_catalog(error: CatalogError) -> SqlError {
    let message = one_line(&error);
    match error {
        CatalogError::Unavailable { .. } => SqlError::new(code::UNAVAILABLE, message)
            .with_hint("whether it took place is unknown: look, then try again"),
        CatalogError::Contended { .. } => SqlError::new(code::UNAVAILABLE, message).with_hint("try again"),
        CatalogError::TooLarge { bytes, limit, .. } => SqlError::analysis(&format!(
            "the definition is too long: compressed, it takes {bytes} bytes, and {limit} can be stored"
        ))
        .with_hint("shorten names, comments, paths or expressions, or leave some out"),
        _ => SqlError::new(code::INTERNAL, message),
    }
}

pub(crate) fn of_mapping(error: &MappingError) -> SqlError {
    match error {
        MappingError::Unavailable { .. } => SqlError::new(code::UNAVAILABLE, one_line(error)).with_hint("try again"),
        MappingError::Refused { .. } => SqlError::analysis(&error.to_string()),
    }
}

pub(crate) fn of_definition(error: &DefinitionError) -> SqlError {
    let mut refused = SqlError::analysis(&one_line(error));
    refused.hint = error.hint();
    refused
}
