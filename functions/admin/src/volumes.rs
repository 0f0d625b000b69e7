//! Statements about storage volumes.

use penstock_sql::error::SqlError;
use penstock_sql::like::{self, Wildcards};
use penstock_sql::render::MASK;
use penstock_sql::request::SqlResponse;
use penstock_sql::result::ResultSet;
use penstock_sql::statement::ShowVolumes;
use penstock_storage::Volume;

use crate::Admin;
use crate::error::of_catalog;
use crate::json::Object;

/// Properties in the order in which SHOW prints them; others follow by name.
const ORDER: [&str; 7] = [
    "aws.s3.access_key",
    "aws.s3.secret_key",
    "aws.s3.endpoint",
    "aws.s3.region",
    "aws.s3.use_instance_profile",
    "aws.s3.use_web_identity_token_file",
    "aws.s3.use_aws_sdk_default_behavior",
];

const TITLES: [&str; 7] = ["Name", "Type", "IsDefault", "Location", "Params", "Enabled", "Comment"];

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

    async fn volume(&self, name: &str) -> Result<Volume, SqlError> {
        self.catalog
            .volume(name)
            .await
            .map_err(of_catalog)?
            .ok_or_else(|| SqlError::analysis(&format!("Unknown storage volume: {name}")))
    }

    /// The volume of that name, if tables may be created in it.
    pub(crate) async fn usable_volume(&self, name: &str) -> Result<Volume, SqlError> {
        let volume = self.volume(name).await?;
        if volume.enabled { Ok(volume) } else { Err(SqlError::analysis(&format!("Storage volume {name} is disabled"))) }
    }
}

/// The volume's properties as a JSON object, keys and secrets masked.
fn params(volume: &Volume) -> String {
    let ordered = ORDER.iter().filter_map(|key| volume.properties.get_key_value(*key));
    let others = volume.properties.iter().filter(|(key, _)| !ORDER.contains(&key.as_str()));
    ordered
        .chain(others)
        .fold(Object::default(), |object, (key, value)| {
            let masked = key.ends_with("access_key") || key.ends_with("secret_key");
            object.text(key, if masked { MASK } else { value })
        })
        .print()
}
