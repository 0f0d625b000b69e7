//! What the Kafka client on this machine can do of a job's security properties.
//!
//! librdkafka is built with nothing but a C compiler, hence without OpenSSL: plain text, and SASL PLAIN over it. A job that
//! needs TLS, SCRAM or IAM says so when it is created, not when its first record fails to come.

use std::collections::BTreeMap;

use penstock_kernel::security::{Mechanism, Security};

/// Refuses what needs TLS, OpenSSL or AWS; the message says what would do.
pub fn check(custom: &BTreeMap<String, String>) -> Result<(), String> {
    let security = Security::of(custom).map_err(|error| error.to_string())?;
    if security.mechanism == Some(Mechanism::AwsMskIam) {
        return Err("property.sasl.mechanism: AWS_MSK_IAM works where AWS Lambda polls, not on this machine".to_owned());
    }
    if security.encrypts() {
        return Err(
            "property.security.protocol: the Kafka client on this machine is built without TLS: expected plaintext \
                    or sasl_plaintext; deployed to AWS the job may use ssl and sasl_ssl"
                .to_owned(),
        );
    }
    match security.mechanism {
        None => Ok(()),
        Some(Mechanism::Plain) if security.get("sasl.password").is_some() => Ok(()),
        Some(Mechanism::Plain) => {
            Err("property.sasl.password is required: there is no Secrets Manager on this machine".to_owned())
        }
        Some(_) => {
            Err("property.sasl.mechanism: the Kafka client on this machine is built without OpenSSL: expected PLAIN"
                .to_owned())
        }
    }
}

/// The settings that the Kafka client gets: without those that only AWS understands, and in the client's spelling.
pub(super) fn client_settings(custom: &BTreeMap<String, String>) -> impl Iterator<Item = (String, &String)> {
    custom.iter().filter(|(name, _)| !name.starts_with("aws.")).map(|(name, value)| {
        let name = if name == "sasl.mechanism" { "sasl.mechanisms" } else { name };
        (name.to_owned(), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    const SECRET: (&str, &str) = ("aws.secret.arn", "arn:aws:secretsmanager:r:1:secret:s");

    #[test]
    fn what_the_client_cannot_do_is_refused_with_what_would_do() {
        let user = [("sasl.username", "u"), ("sasl.password", "hush")];
        for (pairs, text) in [
            (vec![("security.protocol", "ssl")], "built without TLS"),
            ([[("security.protocol", "sasl_ssl"), ("sasl.mechanism", "PLAIN")], user].concat(), "built without TLS"),
            (
                [[("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "SCRAM-SHA-256")], user].concat(),
                "expected PLAIN",
            ),
            (vec![("sasl.mechanism", "AWS_MSK_IAM")], "AWS_MSK_IAM works where AWS Lambda polls"),
            (
                vec![("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "PLAIN"), SECRET],
                "property.sasl.password is required",
            ),
        ] {
            let error = check(&custom(&pairs)).expect_err(text);
            assert!(error.contains(text) && !error.contains("hush"), "{error}");
        }
        check(&custom(&[("security.protocol", "PLAINTEXT")])).unwrap();
        let plain = [[("security.protocol", "sasl_plaintext"), ("sasl.mechanism", "plain")], user].concat();
        check(&custom(&plain)).unwrap();
    }

    #[test]
    fn what_only_aws_understands_is_kept_from_the_client() {
        let custom = custom(&[SECRET, ("sasl.mechanism", "PLAIN"), ("client.id", "c")]);
        let names: Vec<String> = client_settings(&custom).map(|(name, _)| name).collect();
        assert_eq!(names, ["client.id", "sasl.mechanisms"]);
    }
}
