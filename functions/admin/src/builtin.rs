//! The storage volume that a deployment brings: its bucket, as its settings say.

use std::collections::BTreeMap;

use penstock_catalog::Catalog;
use penstock_catalog::error::CatalogError;
use penstock_sql::render::MASK;
use penstock_storage::{BUILTIN_VOLUME, BuiltinStorage, Volume};

/// Makes the catalog's builtin volume say what the settings say; writes only if it does not. In a catalog without any
/// volume it becomes the default one. `bucket` is a bucket's name, with a path behind it if wanted.
pub async fn ensure_builtin_volume(
    catalog: &Catalog,
    bucket: &str,
    storage: &BuiltinStorage,
) -> Result<Volume, CatalogError> {
    let volume = builtin_volume(bucket, storage);
    if catalog.volume(BUILTIN_VOLUME).await?.as_ref() != Some(&volume) {
        catalog.put_volume(&volume).await?;
    }
    Ok(volume)
}

/// The volume as SHOW prints it. Keys are masked before they are stored: where they are used, they come from settings.
fn builtin_volume(bucket: &str, storage: &BuiltinStorage) -> Volume {
    // Temporary keys are those of a role, which the SDK finds by itself.
    let named_keys = storage.keys.as_ref().is_some_and(|keys| keys.session_token.is_none());
    let mut properties = BTreeMap::new();
    let mut say = |key: &str, value: &str| {
        properties.insert(format!("aws.s3.{key}"), value.to_owned());
    };
    if named_keys {
        say("access_key", MASK);
        say("secret_key", MASK);
    }
    say("endpoint", storage.endpoint.as_deref().unwrap_or_default());
    say("region", &storage.region);
    say("use_instance_profile", "false");
    say("use_aws_sdk_default_behavior", if named_keys { "false" } else { "true" });
    Volume {
        name: BUILTIN_VOLUME.to_owned(),
        location: format!("s3://{}", bucket.trim_matches('/')),
        properties,
        enabled: true,
        comment: String::new(),
    }
}
