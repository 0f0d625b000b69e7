//! The settings that all functions share: where the catalog and the objects are, and who asks for them.

use penstock_storage::{BuiltinStorage, Keys};

use crate::settings::SettingsReader;
use crate::store::dynamodb::DynamoSettings;

/// Where a deployment keeps its state and its files.
///
/// | variable | meaning | default |
/// | --- | --- | --- |
/// | `PENSTOCK_TABLE` | DynamoDB table of the catalog | required |
/// | `AWS_REGION`, else `AWS_DEFAULT_REGION` | region of both services | required |
/// | `PENSTOCK_DYNAMODB_ENDPOINT`, `PENSTOCK_S3_ENDPOINT` | `http://host:port` of services that are not AWS's | AWS's |
/// | `PENSTOCK_S3_ALIASES` | `host:port,...` that stand for the S3 endpoint where volumes name them | none |
/// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | keys of both services | as the clients find them |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Of the catalog.
    pub catalog: DynamoSettings,
    /// Of the builtin storage volume; its region and keys are the catalog's too.
    pub storage: BuiltinStorage,
}

impl Deployment {
    /// Takes the shared settings from `reader`, which keeps the problems.
    pub fn read<L: Fn(&str) -> Option<String>>(reader: &mut SettingsReader<L>) -> Self {
        let table = reader.required(&["PENSTOCK_TABLE"]);
        let region = reader.required(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let catalog_endpoint = reader.endpoint("PENSTOCK_DYNAMODB_ENDPOINT");
        let storage_endpoint = reader.endpoint("PENSTOCK_S3_ENDPOINT");
        let keys = keys(reader);
        let aliases = reader.optional("PENSTOCK_S3_ALIASES").unwrap_or_default();
        let aliases =
            aliases.split(',').map(|alias| alias.trim().to_owned()).filter(|alias| !alias.is_empty()).collect();
        Self {
            catalog: DynamoSettings { table, region: region.clone(), endpoint: catalog_endpoint, keys: keys.clone() },
            storage: BuiltinStorage { endpoint: storage_endpoint, region, keys, aliases },
        }
    }
}

fn keys<L: Fn(&str) -> Option<String>>(reader: &mut SettingsReader<L>) -> Option<Keys> {
    match (reader.optional("AWS_ACCESS_KEY_ID"), reader.optional("AWS_SECRET_ACCESS_KEY")) {
        (Some(access_key), Some(secret_key)) => {
            Some(Keys { access_key, secret_key, session_token: reader.optional("AWS_SESSION_TOKEN") })
        }
        (None, None) => None,
        _ => {
            reader.problem("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: expected both or neither".to_owned());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::WrongSettings;

    fn read(pairs: &[(&str, &str)]) -> Result<Deployment, WrongSettings> {
        let find = |name: &str| pairs.iter().find(|(key, _)| *key == name);
        let mut reader = SettingsReader::new(|name: &str| find(name).map(|(_, value)| (*value).to_owned()));
        let deployment = Deployment::read(&mut reader);
        reader.finish(deployment)
    }

    #[test]
    fn least_settings_are_table_and_region() {
        let deployment = read(&[("PENSTOCK_TABLE", "penstock"), ("AWS_REGION", "eu-west-1")]).unwrap();
        let region = "eu-west-1".to_owned();
        assert_eq!(deployment.storage, BuiltinStorage { region: region.clone(), ..BuiltinStorage::default() });
        let catalog = DynamoSettings { table: "penstock".to_owned(), region, endpoint: None, keys: None };
        assert_eq!(deployment.catalog, catalog);
    }

    #[test]
    fn all_problems_are_told_together() {
        let wrong = read(&[
            ("PENSTOCK_TABLE", ""),
            ("PENSTOCK_DYNAMODB_ENDPOINT", "localhost:8000"),
            ("PENSTOCK_S3_ENDPOINT", "localhost"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ])
        .unwrap_err();
        assert_eq!(
            wrong.problems,
            [
                "PENSTOCK_TABLE is not set",
                "AWS_REGION or AWS_DEFAULT_REGION is not set",
                "PENSTOCK_DYNAMODB_ENDPOINT: expected http://host:port, found `localhost:8000`",
                "PENSTOCK_S3_ENDPOINT: expected http://host:port, found `localhost`",
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: expected both or neither",
            ]
        );
    }

    #[test]
    fn keys_are_both_services_and_never_printed() {
        let deployment = read(&[
            ("PENSTOCK_TABLE", "t"),
            ("AWS_DEFAULT_REGION", "r"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "hidden-one"),
            ("AWS_SESSION_TOKEN", "hidden-two"),
        ])
        .unwrap();
        assert!(deployment.catalog.keys.is_some());
        assert_eq!(deployment.catalog.keys, deployment.storage.keys);
        let printed = format!("{deployment:?}");
        assert!(!printed.contains("hidden"), "{printed}");
    }
}
