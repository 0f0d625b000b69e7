//! A job's security properties as Lambda's source access configurations.
//!
//! Pollers take user names, passwords and certificates from Secrets Manager only, so a job names the secret. What Lambda
//! cannot do is refused before anything is stored.

use aws_sdk_lambda::types::SourceAccessType;
use penstock_kernel::security::{Mechanism, Protocol, Security};

use super::SourceAccess;
use crate::mapping::{CLUSTER_ARN, MappingError, MappingSpec};

/// The configurations of a mapping: those that the job asks for, over the deployment's.
///
/// | job | configuration |
/// | --- | --- |
/// | `SCRAM-SHA-512`, `SCRAM-SHA-256`, `PLAIN` and a secret | `SASL_SCRAM_512_AUTH`, `SASL_SCRAM_256_AUTH`, `BASIC_AUTH` |
/// | `ssl` and a secret | `CLIENT_CERTIFICATE_TLS_AUTH` |
/// | `AWS_MSK_IAM` | none on an MSK cluster, whose default it is; else `IAM_AUTH` |
/// | `aws.ca.secret.arn` | `SERVER_ROOT_CA_CERTIFICATE` |
/// | `aws.vpc.*` | `VPC_SUBNET`, `VPC_SECURITY_GROUP` |
///
/// # Errors
/// [`MappingError::Refused`]
pub(super) fn of(
    spec: &MappingSpec,
    deployed: &[SourceAccess],
    deployed_cluster: bool,
) -> Result<Vec<SourceAccess>, MappingError> {
    let refused = |message: String| Err(MappingError::Refused { message });
    let security = Security::of(&spec.custom).map_err(|error| MappingError::Refused { message: error.to_string() })?;
    let cluster = deployed_cluster || security.get(CLUSTER_ARN).is_some();
    if let Some(key) = spec.custom.keys().find(|key| penstock_kernel::security::is_secret(key)) {
        return refused(format!(
            "property.{key} is no setting of AWS Lambda, which takes secrets from Secrets Manager: give property.aws.secret.arn instead"
        ));
    }
    let kind = match (security.mechanism, security.protocol) {
        (Some(Mechanism::ScramSha512), _) => Some("SASL_SCRAM_512_AUTH"),
        (Some(Mechanism::ScramSha256), _) if !cluster => Some("SASL_SCRAM_256_AUTH"),
        (Some(Mechanism::Plain), _) if !cluster => Some("BASIC_AUTH"),
        (Some(Mechanism::ScramSha256 | Mechanism::Plain), _) => {
            return refused("Amazon MSK knows SCRAM-SHA-512, AWS_MSK_IAM and client certificates only".to_owned());
        }
        (Some(Mechanism::OauthBearer | Mechanism::Gssapi), _) => {
            return refused(
                "property.sasl.mechanism: AWS Lambda takes PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or AWS_MSK_IAM"
                    .to_owned(),
            );
        }
        (Some(Mechanism::AwsMskIam), _) if cluster => None,
        (Some(Mechanism::AwsMskIam), _) => Some("IAM_AUTH"),
        (None, Some(Protocol::Ssl)) if security.get("aws.secret.arn").is_some() => Some("CLIENT_CERTIFICATE_TLS_AUTH"),
        (None, _) => None,
    };
    if security.protocol == Some(Protocol::SaslPlaintext) {
        return refused(
            "property.security.protocol: AWS Lambda encrypts where it says who it is: use sasl_ssl".to_owned(),
        );
    }
    for (key, what) in [
        ("ssl.ca.location", "aws.ca.secret.arn"),
        ("ssl.certificate.location", "aws.secret.arn"),
        ("ssl.keystore.location", "aws.secret.arn"),
    ] {
        if security.get(key).is_some() {
            return refused(format!(
                "property.{key} names a file, which AWS Lambda does not have: give property.{what}"
            ));
        }
    }
    let mut access = Vec::new();
    let known = |kind: &str, uri: String| {
        SourceAccess::new(kind, &uri)
            .ok_or_else(|| MappingError::Refused { message: format!("this version does not know {kind}") })
    };
    match kind {
        Some("IAM_AUTH") => access.push(known("IAM_AUTH", String::new())?),
        Some(kind) => match security.get("aws.secret.arn") {
            Some(arn) => access.push(known(kind, arn.to_owned())?),
            None => {
                return refused(
                    "property.aws.secret.arn is required: AWS Lambda takes user and password from Secrets Manager"
                        .to_owned(),
                );
            }
        },
        None => {}
    }
    if let Some(arn) = security.get("aws.ca.secret.arn") {
        if cluster {
            return refused("property.aws.ca.secret.arn: Amazon MSK has no authority of its own".to_owned());
        }
        access.push(known("SERVER_ROOT_CA_CERTIFICATE", arn.to_owned())?);
    }
    for (key, kind, lead) in [
        ("aws.vpc.subnets", "VPC_SUBNET", "subnet:"),
        ("aws.vpc.security.groups", "VPC_SECURITY_GROUP", "security_group:"),
    ] {
        for id in security.get(key).into_iter().flat_map(|ids| ids.split(',')) {
            access.push(known(kind, format!("{lead}{}", id.trim()))?);
        }
    }
    let is_network =
        |one: &SourceAccess| matches!(one.kind, SourceAccessType::VpcSubnet | SourceAccessType::VpcSecurityGroup);
    let (network, authenticates) = (access.iter().any(is_network), access.iter().any(|one| !is_network(one)));
    let stated = security.protocol.is_some() || security.mechanism.is_some();
    let kept = deployed.iter().filter(|one| if is_network(one) { !network } else { !authenticates && !stated });
    access.extend(kept.cloned());
    Ok(access)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::MappingStart;
    use penstock_kernel::ids::JobId;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:1:secret:kafka";

    fn access(pairs: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let deployed = [
            SourceAccess::new("VPC_SUBNET", "subnet:subnet-9").unwrap(),
            SourceAccess::new("VPC_SECURITY_GROUP", "security_group:sg-9").unwrap(),
            SourceAccess::new("BASIC_AUTH", "deployed").unwrap(),
        ];
        let spec = MappingSpec {
            job: JobId(1),
            group_id: "g".to_owned(),
            brokers: vec!["b:9096".to_owned()],
            topic: "t".to_owned(),
            start: MappingStart::TrimHorizon,
            batch_size: 1,
            window_seconds: 1,
            concurrency: 1,
            custom: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        };
        let access = of(&spec, &deployed, false).map_err(|error| error.to_string())?;
        Ok(access.iter().map(|one| format!("{}={}", one.kind.as_str(), one.uri)).collect())
    }

    const NETWORK: [&str; 2] = ["VPC_SUBNET=subnet:subnet-9", "VPC_SECURITY_GROUP=security_group:sg-9"];

    #[test]
    fn table_of_configurations_holds() {
        let sasl = |mechanism: &'static str| {
            vec![("security.protocol", "sasl_ssl"), ("sasl.mechanism", mechanism), ("aws.secret.arn", SECRET)]
        };
        for (pairs, expected) in [
            (sasl("SCRAM-SHA-512"), vec![format!("SASL_SCRAM_512_AUTH={SECRET}")]),
            (sasl("scram-sha-256"), vec![format!("SASL_SCRAM_256_AUTH={SECRET}")]),
            (sasl("PLAIN"), vec![format!("BASIC_AUTH={SECRET}")]),
            (
                vec![("security.protocol", "SSL"), ("aws.secret.arn", SECRET), ("aws.ca.secret.arn", SECRET)],
                vec![format!("CLIENT_CERTIFICATE_TLS_AUTH={SECRET}"), format!("SERVER_ROOT_CA_CERTIFICATE={SECRET}")],
            ),
            (vec![("security.protocol", "plaintext")], vec![]),
            (vec![("sasl.mechanism", "AWS_MSK_IAM"), ("aws.msk.cluster.arn", "arn:aws:kafka:r:1:cluster/c")], vec![]),
            (vec![("sasl.mechanism", "AWS_MSK_IAM")], vec!["IAM_AUTH=".to_owned()]),
        ] {
            let expected: Vec<String> = expected.into_iter().chain(NETWORK.map(str::to_owned)).collect();
            assert_eq!(access(&pairs), Ok(expected), "{pairs:?}");
        }
        let network = [("aws.vpc.subnets", "subnet-1, subnet-2"), ("aws.vpc.security.groups", "sg-1")];
        let expected = [
            "VPC_SUBNET=subnet:subnet-1",
            "VPC_SUBNET=subnet:subnet-2",
            "VPC_SECURITY_GROUP=security_group:sg-1",
            "BASIC_AUTH=deployed",
        ];
        assert_eq!(access(&network), Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_lambda_cannot_do_is_refused() {
        for (pairs, text) in [
            (
                vec![
                    ("security.protocol", "sasl_ssl"),
                    ("sasl.mechanism", "PLAIN"),
                    ("sasl.username", "u"),
                    ("sasl.password", "hush"),
                ],
                "property.sasl.password is no setting of AWS Lambda",
            ),
            (vec![("security.protocol", "sasl_ssl"), ("sasl.mechanism", "GSSAPI")], "AWS Lambda takes PLAIN"),
            (
                vec![("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "PLAIN"), ("aws.secret.arn", SECRET)],
                "use sasl_ssl",
            ),
            (vec![("security.protocol", "ssl"), ("ssl.ca.location", "FILE:ca.pem")], "give property.aws.ca.secret.arn"),
            (
                vec![
                    ("security.protocol", "sasl_ssl"),
                    ("sasl.mechanism", "PLAIN"),
                    ("aws.secret.arn", SECRET),
                    ("aws.msk.cluster.arn", "arn:aws:kafka:r:1:cluster/c"),
                ],
                "Amazon MSK knows SCRAM-SHA-512",
            ),
        ] {
            let error = access(&pairs).expect_err(text);
            assert!(error.contains(text) && !error.contains("hush"), "{error}");
        }
    }
}
