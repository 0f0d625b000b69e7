//! What a person reads: colour and progress in a terminal, plain lines anywhere else.

use std::error::Error;
use std::io::IsTerminal;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use penstock_kernel::error_chain::one_line;

/// Style of headings.
pub const HEADING: Style = AnsiColor::Cyan.on_default().bold();
/// Style of what went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Style of errors.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Style of what matters less.
pub const DIM: Style = Style::new().dimmed();

/// Prints an error and its causes on standard error, one line.
pub fn error(error: &dyn Error) {
    let text = one_line(error);
    anstream::eprintln!("{BAD}error{BAD:#}: {text}");
}

/// Prints a heading.
pub fn heading(text: &str) {
    anstream::println!("{HEADING}{text}{HEADING:#}");
}

/// Prints a line of what is served: what, where, and a remark.
pub fn served(what: &str, address: &str, remark: &str) {
    anstream::println!("  {GOOD}✔{GOOD:#} {what:<24} {address:<24} {DIM}{remark}{DIM:#}");
}

/// Prints a statement as the `mysql` client's user sees it typed: prompt, then continuation lines.
pub fn statement(text: &str) {
    for (number, line) in text.lines().enumerate() {
        let prompt = if number == 0 { "mysql> " } else { "    -> " };
        anstream::println!("{DIM}{prompt}{DIM:#}{HEADING}{line}{HEADING:#}");
    }
}

/// A wait with progress: a bar or spinner in a terminal; elsewhere one line at its start, and nothing more.
#[derive(Debug)]
pub struct Wait {
    bar: ProgressBar,
}

impl Wait {
    /// Begins to wait for `total` of something.
    pub fn begin(what: &str, total: u64) -> Self {
        let bar = ProgressBar::new(total);
        if std::io::stderr().is_terminal() {
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {msg} {wide_bar} {human_pos}/{human_len} {elapsed}")
            {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
        } else {
            anstream::println!("{what} ...");
        }
        Self { bar }
    }

    /// Shows how far it is.
    pub fn at(&self, position: u64) {
        self.bar.set_position(position);
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
