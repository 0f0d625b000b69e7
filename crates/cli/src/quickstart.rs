//! `penstock quickstart`: everything on this machine, the tutorial replayed through real protocols, then serving.
//!
//! Statements go through the MySQL gateway and records through the Kafka protocol, as a user's would: what works here
//! works from another shell.

mod produce;
mod session;
mod tutorial;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use penstock_sql::result::{Cell, ResultSet};

use crate::args::QuickstartArgs;
use crate::screen;
use crate::server::{Server, ServerSettings};
use crate::up;
use session::Session;

/// Records of a round when none are asked for.
const RECORDS: u64 = 5;
/// Rows up to which they are shown rather than counted.
const SHOWN_ROWS: u64 = 50;
/// How long a round may take before it is given up: the batch interval, and what the records themselves need.
const PATIENCE: Duration = Duration::from_secs(60);
/// Records that even a slow machine loads in a second.
const SLOW_RECORDS_PER_SECOND: u64 = 1_000;

/// Runs the tutorial, and serves until Ctrl-C unless told to exit.
pub async fn run(args: QuickstartArgs) -> ExitCode {
    crate::log::init("warn");
    let server = match up::start(ServerSettings::embedded(&args.server)).await {
        Ok(server) => server,
        Err(code) => return code,
    };
    let told = tokio::select! {
        told = replay(&server, args.records) => told,
        () = up::interrupted() => {
            server.shutdown().await;
            return ExitCode::SUCCESS;
        }
    };
    if let Err(error) = &told {
        screen::error(error);
    }
    if args.exit {
        server.shutdown().await;
        return if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    goodbye(&server);
    up::serve(server).await
}

/// A step did not give what the tutorial says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuickstartError {
    /// The gateway refused a statement, or cannot be reached.
    #[error("`{statement}` failed")]
    Statement {
        /// Its first line.
        statement: String,
        /// What the gateway said.
        #[source]
        source: Box<mysql_async::Error>,
    },
    /// The broker did not take a record.
    #[error("cannot produce to topic `{topic}`")]
    Produce {
        /// The topic.
        topic: &'static str,
        /// What the Kafka client said.
        #[source]
        source: rdkafka::error::KafkaError,
    },
    /// The answer is another than the tutorial's.
    #[error("{what}: expected {expected}, found {found}")]
    Different {
        /// What was asked.
        what: String,
        /// What the tutorial says.
        expected: String,
        /// What was answered.
        found: String,
    },
}

fn expect(what: &str, expected: impl ToString, found: impl ToString) -> Result<(), QuickstartError> {
    let (expected, found) = (expected.to_string(), found.to_string());
    if expected == found { Ok(()) } else { Err(QuickstartError::Different { what: what.to_owned(), expected, found }) }
}

async fn replay(server: &Server, records: Option<u64>) -> Result<(), QuickstartError> {
    anstream::println!();
    let mut session = Session::connect(server).await?;
    screen::heading("Where data will lie");
    let volumes = session.show(tutorial::SHOW_VOLUMES).await?;
    expect("storage volumes", "builtin_storage_volume", text_at(&volumes, 0, "Storage Volume"))?;
    let volume = session.show(tutorial::DESC_VOLUME).await?;
    expect("IsDefault", "true", text_at(&volume, 0, "IsDefault"))?;

    let had = if session.has_database(tutorial::DATABASE).await? {
        screen::heading("The tutorial's table and job are there from an earlier start");
        session.show(tutorial::USE).await?;
        session.count().await?
    } else {
        screen::heading("A database and a table");
        session.show(tutorial::CREATE_DATABASE).await?;
        session.show(tutorial::USE).await?;
        session.show(tutorial::CREATE_TABLE).await?;
        0
    };

    let round = records.unwrap_or(RECORDS);
    let began = Instant::now();
    screen::heading(&format!("Publish {round} records to the topic {}", tutorial::TOPIC));
    produce::round(server, had, round).await?;
    if had == 0 {
        screen::heading("A routine load job");
        session.show(tutorial::CREATE_ROUTINE_LOAD).await?;
    }
    let job = session.show(tutorial::SHOW_JOB).await?;
    expect("Name", "clicks", text_at(&job, 0, "Name"))?;
    session.wait_for(had + round, patience(round)).await?;
    let first = began.elapsed();
    let job = session.settled(had + round).await?;
    expect("State", "RUNNING", text_at(&job, 0, "State"))?;
    expect("errorRows", "0", json_at(&job, "Statistic", "errorRows"))?;
    expect("loadedRows", had + round, json_at(&job, "Statistic", "loadedRows"))?;
    expect("Progress of partition 0", had + round - 1, json_at(&job, "Progress", "0"))?;
    rows(&mut session, had + round).await?;

    screen::heading("Publish as many again");
    let again = Instant::now();
    produce::round(server, had + round, round).await?;
    session.wait_for(had + 2 * round, patience(round)).await?;
    let second = again.elapsed();
    rows(&mut session, had + 2 * round).await?;
    if records.is_some() {
        summary(server, &[(round, first), (round, second)]).await;
    }
    Ok(())
}

/// Selects the rows, or counts them where there are many.
async fn rows(session: &mut Session, expected: u64) -> Result<(), QuickstartError> {
    if expected <= SHOWN_ROWS {
        let shown = session.show(tutorial::SELECT).await?;
        expect("rows of site_clicks", expected, shown.rows.len())
    } else {
        let counted = session.show(tutorial::COUNT).await?;
        let cells = counted.rows.first().map(Vec::as_slice).unwrap_or_default();
        expect("COUNT(*)", expected, cells.first().map(cell_text).unwrap_or_default())?;
        expect("COUNT(DISTINCT uid)", expected, cells.get(1).map(cell_text).unwrap_or_default())
    }
}

fn patience(records: u64) -> Duration {
    PATIENCE + Duration::from_secs(records / SLOW_RECORDS_PER_SECOND)
}

/// Says how fast the rounds were, and what lies in the bucket now.
async fn summary(server: &Server, rounds: &[(u64, Duration)]) {
    screen::heading("How fast that was");
    for (number, (records, took)) in rounds.iter().enumerate() {
        let per_second = u128::from(*records) * 1000 / took.as_millis().max(1);
        anstream::println!(
            "  round {}: {records} records produced and loaded in {:.2} s: {per_second} rows/s end to end",
            number + 1,
            took.as_secs_f64()
        );
    }
    match server.files(tutorial::DATABASE, "site_clicks").await {
        Ok((files, bytes)) => anstream::println!("  {files} files, {bytes} bytes of Parquet"),
        Err(error) => screen::error(&error),
    }
    anstream::println!();
}

fn goodbye(server: &Server) {
    let addresses = server.addresses();
    let kafka = &addresses.kafka;
    let (host, port) = addresses.mysql.rsplit_once(':').unwrap_or((&addresses.mysql, "9030"));
    screen::heading("Go on from another shell");
    anstream::println!("  mysql -P{port} -h{host} -uroot --prompt=\"Penstock > \" quickstart");
    anstream::println!("  penstock sql --port {port} --database quickstart");
    anstream::println!(
        "  pip install kafka-python && python3 -c 'from kafka import KafkaProducer; p = KafkaProducer(bootstrap_servers=\"{kafka}\"); \\"
    );
    anstream::println!(
        "    p.send(\"test2\", b\"{{\\\"uid\\\": 1, \\\"site\\\": \\\"https://example.org/\\\", \\\"vtime\\\": 1718034793}}\"); p.flush()'"
    );
    anstream::println!("  kcat -b {kafka} -t test2 -C -e");
    anstream::println!(
        "  AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} AWS_DEFAULT_REGION={} aws --endpoint-url {} s3 ls --recursive {}",
        addresses.s3_access_key,
        addresses.s3_secret_key,
        addresses.region,
        addresses.s3,
        addresses.location
    );
    anstream::println!(
        "\nServing. Ctrl-C ends it{}.",
        if server.keeps_data() { "" } else { ", and removes what was loaded (keep it with --data DIR)" }
    );
}

fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(value) => value.to_string(),
        Cell::Unsigned(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Text(value) => value.clone(),
        Cell::Binary(value) => String::from_utf8_lossy(value).into_owned(),
    }
}

/// The text in a row's column; empty if there is none.
fn text_at(result: &ResultSet, row: usize, column: &str) -> String {
    let index = result.columns.iter().position(|c| c.name == column);
    let cell = index.and_then(|index| result.rows.get(row)?.get(index));
    cell.map(cell_text).unwrap_or_default()
}

/// A member of the JSON object in the first row's column, as text; empty if there is none.
fn json_at(result: &ResultSet, column: &str, member: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(&text_at(result, 0, column)).unwrap_or_default();
    match object.get(member) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}
