//! The `penstock` program.

use std::process::ExitCode;

use clap::Parser;
use penstock::args::Cli;

fn main() -> ExitCode {
    penstock::run(Cli::parse())
}
