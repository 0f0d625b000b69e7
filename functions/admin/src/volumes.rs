//! Statements that show storage volumes; those that change them are in `volumes/change.rs`.

mod change;

use penstock_sql::error::SqlError;
use penstock_sql::like::{self, Wildcards};
use penstock_sql::render::MASK;
use penstock_sql::request::SqlResponse;
use penstock_sql::result::ResultSet;
use penstock_sql::similar::nearest;
use penstock_sql::statement::ShowVolumes;
use penstock_storage::property::{ENABLED, VOLUME_PROPERTIES, is_secret};
use penstock_storage::{BUILTIN_VOLUME, Volume};

use crate::Admin;
use crate::error::of_catalog;
use penstock_show::json::Object;

const TITLES: [&str; 7] = ["Name", "Type", "IsDefault", "Location", "Params", "Enabled", "Comment"];

/// Properties that StarRocks shows of every volume, given or not.
const ALWAYS_SHOWN: [&str; 4] = [
    "aws.s3.region",
    "aws.s3.use_instance_profile",
    "aws.s3.use_web_identity_token_file",
    "aws.s3.use_aws_sdk_default_behavior",
];

impl Admin {
    pub(crate) async fn show_volumes(&self, statement: ShowVolumes) -> Result<SqlResponse, SqlError> {
        let volumes = self.catalog.volumes().await.map_err(of_catalog)?;
        let like = statement.like.as_deref().unwrap_or("%");
        let rows = volumes
            .into_iter()
            .filter(|volume| like::matches(like, &volume.name, Wildcards::Sql))
            .map(|volume| vec![Some(volume.name)]);
        Ok(SqlResponse::Rows(ResultSet::text(&["Storage Volume"], rows.collect())))
    }

    pub(crate) async fn describe_volume(&self, name: &str) -> Result<SqlResponse, SqlError> {
        let volume = self.volume(name).await?;
        let default = self.catalog.default_volume().await.map_err(of_catalog)?;
        let row = vec![
            Some(volume.name.clone()),
            Some("S3".to_owned()),
            Some((default.as_deref() == Some(name)).to_string()),
            Some(volume.location.clone()),
            Some(params(&volume)),
            Some(volume.enabled.to_string()),
            Some(volume.comment.clone()),
        ];
        Ok(SqlResponse::Rows(ResultSet::text(&TITLES, vec![row])))
    }

    /// The volume of that name.
    async fn volume(&self, name: &str) -> Result<Volume, SqlError> {
        match self.catalog.volume(name).await.map_err(of_catalog)? {
            Some(volume) => Ok(volume),
            None => Err(self.near(name, SqlError::analysis(&format!("Unknown storage volume: {name}"))).await?),
        }
    }

    /// `error` about a volume that does not exist, with the name of the one that was probably meant.
    async fn near(&self, name: &str, error: SqlError) -> Result<SqlError, SqlError> {
        let volumes = self.catalog.volumes().await.map_err(of_catalog)?;
        Ok(match nearest(name, volumes.iter().map(|volume| volume.name.as_str())) {
            Some(near) => error.with_hint(format!("did you mean `{near}`?")),
            None => error,
        })
    }

    /// The volume of that name, if tables may be created in it.
    pub(crate) async fn usable_volume(&self, name: &str) -> Result<Volume, SqlError> {
        let volume = self.volume(name).await?;
        if volume.enabled { Ok(volume) } else { Err(SqlError::analysis(&format!("Storage volume {name} is disabled"))) }
    }
}

/// The volume's properties as a JSON object in StarRocks' order, keys and secrets masked.
fn params(volume: &Volume) -> String {
    let shown = VOLUME_PROPERTIES.iter().filter(|property| property.name != ENABLED);
    let known = shown.filter_map(|property| {
        let default =
            (volume.name != BUILTIN_VOLUME && ALWAYS_SHOWN.contains(&property.name)).then_some(property.default);
        let value = volume.properties.get(property.name).map(String::as_str).or(default)?;
        Some((property.name, value))
    });
    let unknown = volume.properties.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let unknown = unknown.filter(|(key, _)| VOLUME_PROPERTIES.iter().all(|property| property.name != *key));
    known
        .chain(unknown)
        .fold(Object::default(), |object, (key, value)| object.text(key, if is_secret(key) { MASK } else { value }))
        .print()
}
