//! A peer as a process: each line that it is sent is one run, each answer the nanoseconds that it took, by the clock and of
//! the processor.
//!
//! Whoever compares asks one after another in turn, so that all of them meet the same noise.

use std::io::{BufRead, Write};
use std::time::Instant;

/// Serves runs until the input ends.
pub fn serve(mut run: impl FnMut()) {
    // The first run finds cold caches and unmapped memory.
    run();
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready").and_then(|()| out.flush()).expect("somebody reads");
    for line in std::io::stdin().lock().lines() {
        line.expect("lines");
        let (began, began_cpu) = (Instant::now(), processor_ns());
        run();
        let (wall, cpu) = (began.elapsed().as_nanos(), processor_ns() - began_cpu);
        writeln!(out, "{wall} {cpu}").and_then(|()| out.flush()).expect("somebody reads");
    }
}

fn processor_ns() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}
