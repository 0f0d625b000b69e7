//! CREATE, ALTER and DROP STORAGE VOLUME, and which is the default.
//!
//! Nothing here asks whether a location can be reached: a volume may be said before its bucket exists. Keys that a
//! statement gives are stored with the volume, since loaders and readers need them; a role needs none.

use std::collections::BTreeMap;

use penstock_catalog::database::Created;
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::SqlResponse;
use penstock_sql::similar::nearest;
use penstock_sql::statement::{AlterVolume, CreateVolume, DropVolume, Pair, Pairs};
use penstock_storage::property::{ENABLED, VOLUME_PROPERTIES, VolumeProperty, VolumePropertyError, check_together};
use penstock_storage::{BUILTIN_VOLUME, Volume};

use crate::error::of_catalog;
use crate::{Admin, done};

/// Types of StarRocks that do not exist here.
const OTHER_TYPES: [&str; 5] = ["HDFS", "AZBLOB", "ADLS2", "GS", "LOCAL"];

impl Admin {
    pub(crate) async fn create_volume(&self, statement: CreateVolume) -> Result<SqlResponse, SqlError> {
        let name = &statement.name;
        check_name(name)?;
        check_type(&statement)?;
        let location = location(&statement)?;
        let (enabled, properties) = properties(&statement.properties, BTreeMap::new())?;
        let volume = Volume {
            name: name.clone(),
            location: location.to_owned(),
            properties,
            enabled: enabled.unwrap_or(false),
            comment: statement.comment,
        };
        volume.bucket_and_path().map_err(|error| SqlError::analysis(&error.to_string()))?;
        match self.catalog.create_volume(&volume).await.map_err(of_catalog)? {
            Created::Exists(_) if !statement.if_not_exists => {
                Err(SqlError::analysis(&format!("Storage volume '{name}' already exists")))
            }
            _ => Ok(done()),
        }
    }

    pub(crate) async fn alter_volume(&self, statement: AlterVolume) -> Result<SqlResponse, SqlError> {
        let name = &statement.name;
        let Some(before) = self.catalog.volume(name).await.map_err(of_catalog)? else {
            return if statement.if_exists { Ok(done()) } else { Err(self.missing(name).await?) };
        };
        if name == BUILTIN_VOLUME {
            return Err(SqlError::analysis(&format!("Storage volume '{name}' is as the deployment's settings say"))
                .with_hint("create a storage volume of your own, and make it the default"));
        }
        if let Some(pair) = statement
            .properties
            .0
            .iter()
            .find(|pair| VolumeProperty::named(&pair.key).is_some_and(|property| !property.alterable))
        {
            let error =
                VolumePropertyError::Immutable { key: VolumeProperty::named(&pair.key).map_or("", |one| one.name) };
            return Err(SqlError::analysis_at(pair.position, &error.to_string()));
        }
        let (enabled, properties) = properties(&statement.properties, before.properties.clone())?;
        let after = Volume {
            properties,
            enabled: enabled.unwrap_or(before.enabled),
            comment: statement.comment.unwrap_or_else(|| before.comment.clone()),
            ..before.clone()
        };
        if before.enabled
            && !after.enabled
            && self.catalog.default_volume().await.map_err(of_catalog)?.as_ref() == Some(name)
        {
            return Err(SqlError::analysis("Default volume can not be disabled"));
        }
        if self.catalog.replace_volume(&before, &after).await.map_err(of_catalog)? {
            return Ok(done());
        }
        let message = format!("Storage volume '{name}' was changed by another statement");
        Err(SqlError::new(code::UNAVAILABLE, message).with_hint("try again"))
    }

    pub(crate) async fn drop_volume(&self, statement: &DropVolume) -> Result<SqlResponse, SqlError> {
        let name = &statement.name;
        if self.catalog.volume(name).await.map_err(of_catalog)?.is_none() {
            return if statement.if_exists { Ok(done()) } else { Err(self.missing(name).await?) };
        }
        if self.catalog.default_volume().await.map_err(of_catalog)?.as_ref() == Some(name) {
            return Err(SqlError::analysis("default storage volume can not be removed")
                .with_hint("SET <another> AS DEFAULT STORAGE VOLUME first"));
        }
        if name == BUILTIN_VOLUME {
            return Err(SqlError::analysis("builtin storage volume can not be removed"));
        }
        let (databases, tables) = self.references(name).await?;
        if !databases.is_empty() || !tables.is_empty() {
            let message = format!(
                "Storage volume '{name}' is referenced by dbs or tables, dbs: [{}], tables: [{}]",
                databases.join(", "),
                tables.join(", ")
            );
            return Err(SqlError::analysis(&message));
        }
        self.catalog.drop_volume(name).await.map_err(of_catalog)?;
        Ok(done())
    }

    pub(crate) async fn set_default_volume(&self, name: &str) -> Result<SqlResponse, SqlError> {
        let Some(volume) = self.catalog.volume(name).await.map_err(of_catalog)? else {
            return Err(self.missing(name).await?);
        };
        if !volume.enabled {
            return Err(SqlError::analysis(&format!("Storage volume {name} is disabled"))
                .with_hint(format!("ALTER STORAGE VOLUME {name} SET (\"enabled\" = \"true\") first")));
        }
        if self.catalog.set_default_volume(name).await.map_err(of_catalog)? {
            Ok(done())
        } else {
            Err(self.missing(name).await?)
        }
    }

    async fn missing(&self, name: &str) -> Result<SqlError, SqlError> {
        self.near(name, SqlError::analysis(&format!("Storage volume '{name}' does not exist"))).await
    }

    /// Names of the databases and tables that lie in the volume.
    async fn references(&self, volume: &str) -> Result<(Vec<String>, Vec<String>), SqlError> {
        let (mut databases, mut tables) = (Vec::new(), Vec::new());
        for database in self.catalog.databases().await.map_err(of_catalog)? {
            for table in self.catalog.tables(database.id).await.map_err(of_catalog)? {
                if table.volume == volume {
                    tables.push(format!("{}.{}", database.name, table.name));
                }
            }
            if database.volume.as_deref() == Some(volume) {
                databases.push(database.name);
            }
        }
        Ok((databases, tables))
    }
}

/// A letter, then at most 63 letters, digits and underscores.
fn check_name(name: &str) -> Result<(), SqlError> {
    let first = name.chars().next().is_some_and(|letter| letter.is_ascii_alphabetic());
    let all = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if first && all && name.len() <= 64 {
        return Ok(());
    }
    Err(SqlError::new(code::BAD_NAME, format!("Incorrect storage volume name '{name}'"))
        .with_hint("at most 64 letters, digits and underscores, beginning with a letter"))
}

fn check_type(statement: &CreateVolume) -> Result<(), SqlError> {
    let found = &statement.volume_type;
    if found.eq_ignore_ascii_case("S3") {
        return Ok(());
    }
    let known = OTHER_TYPES.iter().any(|known| known.eq_ignore_ascii_case(found));
    let detail = if known {
        format!("storage volumes of type {} are not supported yet: expected S3", found.to_ascii_uppercase())
    } else {
        format!("Invalid storage volume type `{found}`: expected S3")
    };
    Err(SqlError::analysis_at(statement.type_position, &detail)
        .with_hint("S3 is anything that speaks its protocol, MinIO for example"))
}

/// The one location of the statement.
fn location(statement: &CreateVolume) -> Result<&str, SqlError> {
    match statement.locations.as_slice() {
        [location]
            if !location.chars().any(|letter| letter.is_whitespace() || letter.is_control() || letter == '?') =>
        {
            Ok(location)
        }
        [location] => {
            Err(SqlError::analysis(&format!("Invalid location `{location}`: expected s3://<bucket>[/<path>]")))
        }
        several => {
            let message = format!("expected one location, found {}", several.len());
            Err(SqlError::analysis(&message).with_hint("a storage volume lies in one place: create one for each"))
        }
    }
}

/// What the pairs say of `enabled`, and the other properties over those of `before`.
fn properties(
    pairs: &Pairs,
    before: BTreeMap<String, String>,
) -> Result<(Option<bool>, BTreeMap<String, String>), SqlError> {
    let mut enabled = None;
    let mut properties = before;
    for pair in &pairs.0 {
        let Some(property) = VolumeProperty::named(&pair.key) else {
            return Err(unknown(pair));
        };
        property.check(&pair.value).map_err(|error| SqlError::analysis_at(pair.position, &error.to_string()))?;
        if pair.key == ENABLED {
            enabled = Some(pair.value.eq_ignore_ascii_case("true"));
        } else {
            properties.insert(pair.key.clone(), pair.value.clone());
        }
    }
    check_together(&properties).map_err(|error| SqlError::analysis(&error.to_string()))?;
    Ok((enabled, properties))
}

fn unknown(pair: &Pair) -> SqlError {
    let error = VolumePropertyError::Unknown { key: pair.key.clone() };
    let refused = SqlError::analysis_at(pair.position, &error.to_string());
    match nearest(&pair.key, VOLUME_PROPERTIES.iter().map(|property| property.name)) {
        Some(near) => refused.with_hint(format!("did you mean `{near}`?")),
        None => refused,
    }
}
