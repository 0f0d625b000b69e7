//! The `penstock` program.

use std::process::ExitCode;

use clap::Parser;
use penstock::args::Cli;

/// Keeps the memory of a batch for the next one, as in the function `load`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    penstock::run(Cli::parse())
}
