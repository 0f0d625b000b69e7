//! `penstock sql`: a small SQL client, so that no other is needed.
//!
//! It speaks the MySQL protocol, so it works with any MySQL server too; what it shows follows the `mysql` client. It has
//! no variables, pager or completion: who wants these has the `mysql` client.

pub mod answer;
mod connect;
mod format;
mod prompt;
mod script;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::screen;

/// `penstock sql`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without -e, statements are read from the prompt, or from standard input if that is no terminal.
A statement ends with `;`, or with `\\G` for one column a line. A script stops at its first error,
with status 1.

Examples:
  penstock sql                                          a prompt
  penstock sql -e 'SHOW ROUTINE LOAD FROM quickstart\\G'
  penstock sql -D quickstart -e 'SELECT * FROM site_clicks' --format csv > clicks.csv
  penstock sql < setup.sql")]
pub struct SqlArgs {
    /// Run this instead of reading statements; may be given several times
    #[arg(short = 'e', long = "execute", value_name = "SQL")]
    pub execute: Vec<String>,
    /// Name or address of the server
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port of the server
    #[arg(short = 'P', long, default_value_t = 9030)]
    pub port: u16,
    /// User
    #[arg(short = 'u', long, default_value = "root")]
    pub user: String,
    /// Password of the user
    #[arg(long, env = "PENSTOCK_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Database to begin with
    #[arg(short = 'D', long, value_name = "NAME")]
    pub database: Option<String>,
    /// How results are written [default: table in a terminal, else tsv]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A box, as the `mysql` client draws it
    Table,
    /// One line a column
    Vertical,
    /// Titles, then rows, quoted where needed; NULL is nothing, an empty text is ""
    Csv,
    /// An array of objects a result
    Json,
    /// Titles, then rows, separated by tabs, as of `mysql --batch`
    Tsv,
}

/// Runs the client; fails with status 1 if the server cannot be reached or a script's statement is refused.
pub async fn run(args: SqlArgs) -> ExitCode {
    let format = args.format.unwrap_or(if io::stdout().is_terminal() { Format::Table } else { Format::Tsv });
    let mut connection = match connect::connect(&args).await {
        Ok(connection) => connection,
        Err(error) => {
            screen::error(&error);
            return ExitCode::FAILURE;
        }
    };
    let done = if !args.execute.is_empty() {
        script::run(&mut connection, &args.execute, format).await
    } else if io::stdin().is_terminal() {
        prompt::run(connection, &args, format).await
    } else {
        match io::read_to_string(io::stdin()) {
            Ok(text) => script::run(&mut connection, &[text], format).await,
            Err(error) => {
                screen::error(&error);
                return ExitCode::FAILURE;
            }
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
