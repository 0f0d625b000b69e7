//! The function's settings: read once, from names and values, all problems told together.

use penstock_catalog::deployment::Deployment;
use penstock_catalog::settings::{SettingsReader, WrongSettings};

use crate::mapping::lambda::{LambdaSettings, SourceAccess};

/// Settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the catalog and the objects are.
    pub deployment: Deployment,
    /// `PENSTOCK_BUCKET`: the bucket of the builtin storage volume, with a path behind it if wanted.
    pub bucket: String,
    /// `PENSTOCK_LOAD_FUNCTION`, `PENSTOCK_LAMBDA_ENDPOINT`, `PENSTOCK_KAFKA_CLUSTER_ARN` and `PENSTOCK_SOURCE_ACCESS`;
    /// region and keys are the deployment's.
    pub lambda: LambdaSettings,
    /// `PENSTOCK_MAINTAIN_FUNCTION`: name or ARN of the maintain function; without it, CHECK TABLE is refused.
    pub maintain_function: Option<String>,
}

impl Config {
    /// Takes the settings from `lookup`, which gives the value of a name; an empty value counts as none.
    ///
    /// # Errors
    /// [`WrongSettings`] with every problem.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, WrongSettings> {
        let mut reader = SettingsReader::new(lookup);
        let deployment = Deployment::read(&mut reader);
        let bucket = reader.required(&["PENSTOCK_BUCKET"]);
        let lambda = LambdaSettings {
            endpoint: reader.endpoint("PENSTOCK_LAMBDA_ENDPOINT"),
            region: deployment.storage.region.clone(),
            keys: deployment.storage.keys.clone(),
            load_function: reader.required(&["PENSTOCK_LOAD_FUNCTION"]),
            cluster_arn: reader.optional("PENSTOCK_KAFKA_CLUSTER_ARN"),
            source_access: source_access(&mut reader),
        };
        let maintain_function = reader.optional("PENSTOCK_MAINTAIN_FUNCTION");
        reader.finish(Self { deployment, bucket, lambda, maintain_function })
    }
}

/// `TYPE=URI` items with commas between; an item without `=` is a type that needs no URI.
fn source_access<L: Fn(&str) -> Option<String>>(reader: &mut SettingsReader<L>) -> Vec<SourceAccess> {
    let found = reader.optional("PENSTOCK_SOURCE_ACCESS").unwrap_or_default();
    let mut access = Vec::new();
    for item in found.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let (kind, uri) = item.split_once('=').unwrap_or((item, ""));
        match SourceAccess::new(kind.trim(), uri.trim()) {
            Some(known) => access.push(known),
            None => reader.problem(format!(
                "PENSTOCK_SOURCE_ACCESS: expected an item such as VPC_SUBNET=subnet:subnet-1, found `{item}`"
            )),
        }
    }
    access
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, WrongSettings> {
        let find = |name: &str| pairs.iter().find(|(key, _)| *key == name);
        Config::read(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    const LEAST: [(&str, &str); 4] = [
        ("PENSTOCK_TABLE", "penstock"),
        ("PENSTOCK_BUCKET", "starrocks"),
        ("PENSTOCK_LOAD_FUNCTION", "load"),
        ("AWS_REGION", "eu-west-1"),
    ];

    #[test]
    fn least_settings_are_table_bucket_load_and_region() {
        let config = read(&LEAST).unwrap();
        assert_eq!((config.deployment.catalog.table.as_str(), config.bucket.as_str()), ("penstock", "starrocks"));
        assert_eq!(config.lambda.load_function, "load");
        assert_eq!(config.lambda.cluster_arn, None);
        assert!(config.lambda.source_access.is_empty());
    }

    #[test]
    fn source_access_is_a_list() {
        let mut pairs = LEAST.to_vec();
        pairs
            .push(("PENSTOCK_SOURCE_ACCESS", "VPC_SUBNET=subnet:subnet-1, SASL_SCRAM_512_AUTH=arn:aws:x:y=z,IAM_AUTH"));
        let config = read(&pairs).unwrap();
        let access = &config.lambda.source_access;
        assert_eq!(access.len(), 3);
        assert_eq!(access[1].uri, "arn:aws:x:y=z");
        assert_eq!(access[2].kind.as_str(), "IAM_AUTH");
    }

    #[test]
    fn all_problems_are_told_together() {
        let wrong = read(&[
            ("PENSTOCK_LAMBDA_ENDPOINT", "localhost:1"),
            ("PENSTOCK_SOURCE_ACCESS", "VPC=1"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
        ])
        .unwrap_err();
        assert_eq!(wrong.problems.len(), 7, "{wrong}");
        assert!(!wrong.to_string().contains("hush"));
    }
}
