//! `confluent.schema.registry.*` into the address of a schema registry.

use penstock_kernel::registry::{Credentials, RegistryError, SchemaRegistry};

use crate::error::SqlError;
use crate::statement::{Pair, Pairs};

/// Where the registry is; credentials may stand in it.
pub(crate) const URL: &str = "confluent.schema.registry.url";
/// `key:secret`, as Confluent's own clients name it.
pub(crate) const USER_INFO: &str = "confluent.schema.registry.basic.auth.user.info";
/// Where Confluent's clients look for credentials; both places are looked at here anyway.
const CREDENTIALS_SOURCE: &str = "confluent.schema.registry.basic.auth.credentials.source";

/// Whether the pair is one of the registry's.
///
/// # Errors
/// A `confluent.` property that means nothing here.
pub(super) fn is_known(pair: &Pair) -> Result<bool, SqlError> {
    match pair.key.as_str() {
        URL | USER_INFO => Ok(true),
        CREDENTIALS_SOURCE => match pair.value.trim().to_ascii_uppercase().as_str() {
            "URL" | "USER_INFO" => Ok(true),
            _ => Err(wrong(pair, &format!("expected URL or USER_INFO, found `{}`", pair.value))),
        },
        key if key.starts_with("confluent.") => {
            Err(wrong(pair, "is not supported").with_hint(format!("a schema registry takes `{URL}` and `{USER_INFO}`")))
        }
        _ => Ok(false),
    }
}

/// The registry that `pairs` describe, or make of `current`. A new URL comes with its own credentials or with none: those
/// of the old one are not for another host to see.
pub(super) fn registry(current: Option<SchemaRegistry>, pairs: &Pairs) -> Result<Option<SchemaRegistry>, SqlError> {
    let mut registry = match pairs.get(URL) {
        Some(pair) => Some(SchemaRegistry::parse(&pair.value).map_err(|error| refused(pair, &error))?),
        None => current,
    };
    let Some(pair) = pairs.get(USER_INFO) else {
        return Ok(registry);
    };
    let Some(known) = &mut registry else {
        return Err(wrong(pair, &format!("needs `{URL}`")));
    };
    if pairs.get(URL).is_some() && known.credentials.is_some() {
        return Err(wrong(pair, &format!("credentials stand in `{URL}` already")));
    }
    known.credentials = match pair.value.trim() {
        "" => None,
        text => Some(Credentials::parse(text).map_err(|error| refused(pair, &error))?),
    };
    Ok(registry)
}

fn refused(pair: &Pair, error: &RegistryError) -> SqlError {
    wrong(pair, &error.to_string()).with_hint("for example `http://localhost:8081`")
}

fn wrong(pair: &Pair, detail: &str) -> SqlError {
    SqlError::analysis_at(pair.position, &format!("{}: {detail}", pair.key))
}
