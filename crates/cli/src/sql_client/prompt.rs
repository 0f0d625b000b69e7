//! Statements typed at a prompt: line editing, history, statements over several lines.

mod typed;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use penstock_sql::split::PieceEnd;
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};

use self::typed::{Entered, Typed};
use super::answer::{Answer, ask};
use super::connect::{connect, described};
use super::format::Rows;
use super::{Format, SqlArgs};
use crate::screen::{self, BAD, DIM};
use crate::table::{self, Style};

const PROMPT: &str = "penstock> ";
const CONTINUED: &str = "      -> ";

const HELP: &str = "\
A statement ends with `;`, or with `\\G` to show one column a line. It may go over several lines.
  help, ?         this text
  clear, \\c       forget what is typed so far (Ctrl-C, too)
  quit, exit, \\q  leave (Ctrl-D, too)
Ctrl-C while a statement runs ends the statement.

  SHOW DATABASES;  SHOW TABLES;  DESC <table>;  SHOW CREATE TABLE <table>\\G
  SHOW ALL ROUTINE LOAD\\G   jobs, what they loaded, and why one stopped
  SELECT ... FROM <table>;   what was loaded
";

/// A prompt that was left, or could not be opened.
pub(super) async fn run(connection: Conn, args: &SqlArgs, format: Format) -> bool {
    let config = Config::builder().history_ignore_space(true).build();
    let mut editor = match DefaultEditor::with_config(config) {
        Ok(editor) => editor,
        Err(error) => {
            screen::error(&error);
            return false;
        }
    };
    let history = history_file();
    if let Some(history) = &history {
        // There is none at first.
        let _ = editor.load_history(history);
    }
    let (major, minor, patch) = connection.server_version();
    anstream::println!(
        "{DIM}Connected to {}:{}, MySQL protocol {major}.{minor}.{patch}. A statement ends with `;` or `\\G`; `help` tells \
         more.{DIM:#}\n",
        args.host,
        args.port
    );
    let mut session = Session { connection: Some(connection), args, format };
    let mut typed = Typed::default();
    loop {
        let prompt = if typed.is_empty() { PROMPT } else { CONTINUED };
        // Reading keys blocks; nothing else waits for this thread.
        let line = tokio::task::block_in_place(|| editor.readline(prompt));
        let entered = match line {
            Ok(line) => typed.enter(&line),
            Err(ReadlineError::Interrupted) => {
                typed.clear();
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => {
                screen::error(&error);
                return false;
            }
        };
        match entered {
            Entered::Nothing => {}
            Entered::Quit => break,
            Entered::Help => anstream::println!("{HELP}"),
            Entered::Statements(statements) => {
                for (sql, end) in statements {
                    remember(&mut editor, &sql, end);
                    session.show(&sql, end).await;
                }
            }
        }
    }
    if let Some(history) = &history {
        // A history that cannot be kept is no reason to complain at the end.
        let _ = editor.save_history(history);
    }
    anstream::println!("Bye");
    true
}

/// Keeps a statement for the arrow keys, unless it seems to hold a secret: the history is a file.
fn remember(editor: &mut DefaultEditor, sql: &str, end: PieceEnd) {
    let lower = sql.to_lowercase();
    if ["secret", "password", "access_key"].iter().any(|word| lower.contains(word)) {
        return;
    }
    let end = if end == PieceEnd::Vertical { "\\G" } else { ";" };
    // Without a history, the prompt works all the same.
    let _ = editor.add_history_entry(format!("{sql}{end}"));
}

fn history_file() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".penstock_history"))
}

/// What a prompt talks to.
struct Session<'a> {
    /// `None` after the server was lost.
    connection: Option<Conn>,
    args: &'a SqlArgs,
    format: Format,
}

impl Session<'_> {
    /// Asks a statement and shows what comes back, be it an error.
    async fn show(&mut self, sql: &str, end: PieceEnd) {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match connect(self.args).await {
                Ok(connection) => connection,
                Err(error) => return screen::error(&error),
            },
        };
        let began = Instant::now();
        match self.interruptible(&mut connection, sql).await {
            Ok(answer) => {
                if let Err(error) = self.write(&answer, end, began) {
                    screen::error(&error);
                }
            }
            Err(Error::Server(error)) => anstream::eprintln!("{BAD}{}{BAD:#}\n", described(&error)),
            Err(error) => {
                screen::error(&error);
                anstream::eprintln!("The connection is lost; the next statement tries to connect again.\n");
                return;
            }
        }
        self.connection = Some(connection);
    }

    fn write(&self, answer: &Answer, end: PieceEnd, began: Instant) -> io::Result<()> {
        let rows = match self.format {
            Format::Csv => Rows::Csv,
            Format::Json => Rows::Json,
            Format::Tsv => Rows::Tsv,
            Format::Table | Format::Vertical => {
                let vertical = self.format == Format::Vertical || end == PieceEnd::Vertical;
                let style = if vertical { Style::Vertical } else { Style::Table };
                return writeln!(io::stdout(), "{}", table::draw_answer(answer, style, began.elapsed()));
            }
        };
        let mut out = io::stdout().lock();
        if let Some(result) = &answer.rows {
            rows.begin(&mut out, &result.columns)?;
            for (index, row) in result.rows.iter().enumerate() {
                rows.row(&mut out, index, row, &result.columns)?;
            }
            rows.end(&mut out, result.rows.len())?;
        }
        out.flush()
    }

    /// Asks; Ctrl-C tells the server, over another connection, to end the statement.
    async fn interruptible(&self, connection: &mut Conn, sql: &str) -> Result<Answer, Error> {
        let number = connection.id();
        let mut asking = std::pin::pin!(ask(connection, sql));
        loop {
            tokio::select! {
                answer = &mut asking => return answer,
                Ok(()) = tokio::signal::ctrl_c() => {
                    anstream::eprintln!("Ctrl-C: ending the statement ...");
                    match connect(self.args).await {
                        Ok(mut other) => other.query_drop(format!("KILL QUERY {number}")).await?,
                        Err(error) => screen::error(&error),
                    }
                }
            }
        }
    }
}
