//! The `penstock` program.

use std::process::ExitCode;

use clap::Parser;
use penstock::args::Cli;

/// Batches of rows come and go: an allocator that keeps their pages saves asking the system for them again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    penstock::run(Cli::parse())
}
