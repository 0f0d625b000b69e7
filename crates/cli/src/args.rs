//! What can be said on the command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use penstock_kernel::ids::SchemaId;
use penstock_kernel::registry::SchemaRegistry;

use crate::sql_client::SqlArgs;

/// Routine Load without a cluster: SQL-defined jobs move Kafka topics into tables of Parquet on S3, exactly once.
#[derive(Debug, Parser)]
#[command(name = "penstock", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything on this machine, replay the tutorial, then serve until Ctrl-C
    Quickstart(QuickstartArgs),
    /// Serve: Kafka, S3, DynamoDB, a schema registry and the MySQL gateway, each embedded unless given
    Up(Box<UpArgs>),
    /// Talk SQL to a server
    Sql(SqlArgs),
    /// Load records from files with a job's definition, offline, and print what becomes of them
    Preview(PreviewArgs),
}

/// `penstock quickstart`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  penstock quickstart                        the tutorial, then serve
  penstock quickstart --exit                 the tutorial only; status 0 if every step gave what it says
  penstock quickstart --records 200000       the same with 200,000 records a round, and how fast that was
  penstock quickstart --data ./penstock      keep what was loaded for the next start")]
pub struct QuickstartArgs {
    /// Stop after the tutorial; status 0 only if every step gave what the tutorial says
    #[arg(long)]
    pub exit: bool,
    /// Records to produce in each of the two rounds, instead of the tutorial's five
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub records: Option<u64>,
    /// What to serve.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// `penstock up`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  penstock up                                                        everything embedded, data in a temporary directory
  penstock up --data ./penstock                                      the same, kept between starts
  penstock up --kafka localhost:19092 --aws-endpoint http://localhost:4566   Redpanda and LocalStack
  penstock up --kafka b-1.example:9092 --region eu-west-1 --bucket my-bucket --table penstock --aws   S3 and DynamoDB of AWS")]
pub struct UpArgs {
    /// Brokers to read instead of the embedded one
    #[arg(long, value_name = "HOST:PORT")]
    pub kafka: Option<String>,
    /// Endpoint of both S3 and DynamoDB (LocalStack)
    #[arg(long, value_name = "URL", conflicts_with_all = ["s3_endpoint", "dynamodb_endpoint", "aws"])]
    pub aws_endpoint: Option<String>,
    /// S3 to use instead of the embedded one
    #[arg(long, value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// DynamoDB to use instead of the embedded one
    #[arg(long, value_name = "URL")]
    pub dynamodb_endpoint: Option<String>,
    /// Schema registry that jobs name; without it, one is embedded
    #[arg(long, value_name = "URL", value_parser = SchemaRegistry::parse)]
    pub registry_url: Option<SchemaRegistry>,
    /// Use S3 and DynamoDB of AWS, with the credentials of the environment
    #[arg(long, conflicts_with_all = ["s3_endpoint", "dynamodb_endpoint"])]
    pub aws: bool,
    /// Bucket for data files; made if it does not exist
    #[arg(long, default_value = "penstock")]
    pub bucket: String,
    /// DynamoDB table for the catalog; made if it does not exist
    #[arg(long, default_value = "penstock")]
    pub table: String,
    /// AWS region
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    pub region: String,
    /// What to serve.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// What `quickstart` and `up` have in common.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Keep broker log, objects, catalog and progress here between starts; without it, in a temporary directory
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address of the MySQL gateway; one that others can reach demands a password. Kafka, S3, DynamoDB and the
    /// schema registry, which ask nobody for one, stay on loopback
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub bind: IpAddr,
    /// Port of the embedded Kafka broker
    #[arg(long, default_value_t = 9092, value_name = "PORT")]
    pub kafka_port: u16,
    /// Port of the embedded S3
    #[arg(long, default_value_t = 9000, value_name = "PORT")]
    pub s3_port: u16,
    /// Port of the embedded DynamoDB
    #[arg(long, default_value_t = 8000, value_name = "PORT")]
    pub dynamodb_port: u16,
    /// Port of the embedded schema registry
    #[arg(long, default_value_t = 8081, value_name = "PORT")]
    pub registry_port: u16,
    /// Port of the MySQL gateway
    #[arg(long, default_value_t = 9030, value_name = "PORT")]
    pub mysql_port: u16,
    /// Password of the user `root`; none is needed on loopback
    #[arg(long, env = "PENSTOCK_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Reach a broker that a job names under another address: `redpanda:29092=127.0.0.1:9092`. That very alias holds
    /// by itself while the embedded broker serves. May be given several times
    #[arg(long, value_name = "NAME:PORT=HOST:PORT", value_parser = broker_alias)]
    pub broker_alias: Vec<BrokerAlias>,
    /// Source partitions of topics that the embedded broker creates by itself
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub kafka_partitions: i32,
    /// Run the built Lambda binaries in this folder behind the Runtime API, instead of their handlers in this process
    #[arg(long, value_name = "DIR")]
    pub functions: Option<PathBuf>,
}

/// `penstock preview`.
#[derive(Debug, Args)]
#[command(after_help = "\
Prints one JSON line a row: {\"row\": {...}} or {\"rejected\": {\"record\": N, \"reason\": ..., \"column\": ..., \"raw\": ...}},
and last {\"statistics\": {...}}. Records are numbered from 0. Bytes that are not UTF-8 are shown as \"raw_base64\".

Example:
  penstock preview --job job.sql --input records.ndjson
  penstock preview --job job.sql --split file --input message-1.json --input message-2.json
  penstock preview --job job.sql --split file --schema 7=click.avsc --input message-1.avro")]
pub struct PreviewArgs {
    /// File with one CREATE TABLE and one CREATE ROUTINE LOAD
    #[arg(long, value_name = "FILE.sql")]
    pub job: PathBuf,
    /// File with records; `-` for standard input. May be given several times
    #[arg(long, value_name = "FILE", required = true)]
    pub input: Vec<PathBuf>,
    /// What one record is
    #[arg(long, value_enum, default_value_t = Split::Line)]
    pub split: Split,
    /// Schema of records in Avro whose header has this id. May be given several times
    #[arg(long, value_name = "ID=FILE", value_parser = schema_file)]
    pub schema: Vec<SchemaFile>,
}

/// A schema in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// Its id.
    pub id: SchemaId,
    /// Where its text is.
    pub path: PathBuf,
}

fn schema_file(text: &str) -> Result<SchemaFile, String> {
    match text.split_once('=') {
        Some((id, path)) if !path.is_empty() => {
            let id = id.parse().map_err(|_| format!("expected a schema id, a number, found `{id}`"))?;
            Ok(SchemaFile { id: SchemaId(id), path: path.into() })
        }
        _ => Err("expected ID=FILE, such as 7=click.avsc".to_owned()),
    }
}

/// How input files are cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Split {
    /// Each line
    Line,
    /// Each file
    File,
}

/// A broker address that means another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerAlias {
    /// As jobs name it.
    pub name: String,
    /// Where it is.
    pub address: String,
}

fn broker_alias(text: &str) -> Result<BrokerAlias, String> {
    let is_address =
        |part: &str| part.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    match text.split_once('=') {
        Some((name, address)) if is_address(name) && is_address(address) => {
            Ok(BrokerAlias { name: name.to_owned(), address: address.to_owned() })
        }
        _ => Err("expected NAME:PORT=HOST:PORT, such as redpanda:29092=127.0.0.1:9092".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_alias_maps_an_address_to_an_address() {
        assert_eq!(
            broker_alias("redpanda:29092=127.0.0.1:9092"),
            Ok(BrokerAlias { name: "redpanda:29092".to_owned(), address: "127.0.0.1:9092".to_owned() })
        );
        for wrong in ["", "redpanda", "redpanda=127.0.0.1:9092", "redpanda:29092=127.0.0.1", "redpanda:x=a:1", ":1=a:1"]
        {
            assert!(broker_alias(wrong).is_err(), "{wrong}");
        }
    }
}
