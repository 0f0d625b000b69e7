//! `penstock-simulation simulate`: plays seeds, tells progress and speed, and makes what breaks small.

use std::io::{IsTerminal as _, Write as _};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use penstock_simulation::growth::grow;
use penstock_simulation::play::Counts;
use penstock_simulation::{Bug, Played, Schedule, all_cores, first_broken, play_seed, shrink};

/// A third of a play is the system handing out pages otherwise: each page of a Parquet file is compressed in a context of
/// its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "penstock-simulation", about = "Plays Penstock's handlers against services that misbehave")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play seeds until one breaks an invariant
    Simulate(Simulate),
    /// Plant each bug in turn, and see that it is found within so many seeds
    Bugs {
        /// Seeds for each bug
        #[arg(long, default_value_t = 1000)]
        seeds: u64,
        /// Plays at a time [default: the number of cores]
        #[arg(long)]
        threads: Option<NonZeroUsize>,
    },
    /// Load batch after batch with nothing going wrong, and tell what each costs as the table grows
    Growth {
        /// Commits, one a virtual second
        #[arg(long, default_value_t = 100_000)]
        commits: u64,
    },
}

#[derive(Args)]
struct Simulate {
    /// How many seeds
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// This seed alone
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Plant this bug
    #[arg(long)]
    bug: Option<Bug>,
    /// Print what happens, event by event, one seed after the other
    #[arg(long)]
    trace: bool,
    /// Plays at a time [default: the number of cores]
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

fn main() -> ExitCode {
    let sound = match Cli::parse().command {
        Command::Simulate(options) => simulate(&options),
        Command::Bugs { seeds, threads } => bugs(seeds, threads.unwrap_or_else(all_cores)),
        Command::Growth { commits } => growth(commits),
    };
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn simulate(options: &Simulate) -> bool {
    let (from, count) = match options.seed {
        Some(seed) => (seed, 1),
        None => (options.from, options.seeds),
    };
    let seeds = from..from.saturating_add(count);
    let mut progress = Progress::new(count);
    let broken = if options.trace {
        seeds.into_iter().find(|seed| {
            let (schedule, played) = play_seed(*seed, options.bug, true);
            println!("{schedule}\n{}", played.trace);
            progress.played(played.counts);
            played.violation.is_some()
        })
    } else {
        let threads = options.threads.unwrap_or_else(all_cores);
        first_broken(seeds, options.bug, threads, |counts| progress.played(counts))
    };
    match broken {
        Some(seed) => {
            progress.clear();
            // The same again: now it is known which seed is worth keeping.
            let (schedule, played) = play_seed(seed, options.bug, false);
            report(&schedule, &played, options.bug);
            false
        }
        None => {
            progress.finish("no invariant broke");
            true
        }
    }
}

fn bugs(seeds: u64, threads: NonZeroUsize) -> bool {
    let mut all = true;
    for bug in Bug::ALL {
        let found = first_broken(0..seeds, Some(bug), threads, |_| {});
        let found = found.and_then(|seed| Some((seed, play_seed(seed, Some(bug), false).1.violation?)));
        match found {
            Some((seed, violation)) => println!("{bug}: found by seed {seed}: {}", violation.invariant),
            None => {
                all = false;
                println!("{bug}: NOT found in {seeds} seeds");
            }
        }
    }
    all
}

fn growth(commits: u64) -> bool {
    println!("{:>9} {:>10} {:>13} {:>10} {:>6}", "commits", "load, us", "maintain, us", "plan, us", "files");
    let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
    let grown = grow(commits, |at| {
        let (load, maintain, plan) = (micros(at.load), micros(at.maintain), micros(at.plan));
        println!("{:>9} {load:>10.1} {maintain:>13.1} {plan:>10.1} {:>6}", at.commits, at.files);
    });
    grown.inspect_err(|error| eprintln!("error: {error}")).is_ok()
}

/// Prints what broke, and the least that breaks it.
fn report(schedule: &Schedule, played: &Played, bug: Option<Bug>) {
    let Some(violation) = &played.violation else { return };
    let planted = bug.map(|bug| format!(" --bug {bug}")).unwrap_or_default();
    println!("seed {} breaks an invariant\n  {violation}", schedule.seed);
    println!("again: penstock-simulation simulate --seed {}{planted} --trace\n", schedule.seed);
    let small = shrink(schedule, &played.faults, bug, violation);
    println!(
        "the least that breaks it: {} of {} steps, {} of {} faults\n",
        small.schedule.steps.len(),
        schedule.steps.len(),
        small.faults.len(),
        played.faults.len()
    );
    print!("{}", small.schedule);
    for fault in &small.faults {
        println!("{fault}");
    }
    println!("\n  {}", small.violation);
}

/// Tells how far it has come: in place on a terminal, now and then elsewhere.
struct Progress {
    began: Instant,
    told: Instant,
    count: u64,
    done: u64,
    commits: u64,
    faults: u64,
    events: u64,
    rows: u64,
}

impl Progress {
    fn new(count: u64) -> Self {
        let began = Instant::now();
        Self { began, told: began, count, done: 0, commits: 0, faults: 0, events: 0, rows: 0 }
    }

    fn played(&mut self, counts: Counts) {
        self.done += 1;
        self.commits += counts.commits;
        self.faults += counts.faults;
        self.events += counts.events;
        self.rows += counts.rows;
        let terminal = std::io::stderr().is_terminal();
        let interval = if terminal { Duration::from_millis(200) } else { Duration::from_secs(10) };
        if self.told.elapsed() >= interval {
            self.told = Instant::now();
            let end = if terminal { "\r" } else { "\n" };
            eprint!("{} of {} seeds, {:.0} a second{end}", self.done, self.count, self.speed());
            // A terminal that does not take it misses nothing else.
            let _ = std::io::stderr().flush();
        }
    }

    fn speed(&self) -> f64 {
        self.done as f64 / self.began.elapsed().as_secs_f64().max(1e-9)
    }

    fn clear(&self) {
        if std::io::stderr().is_terminal() {
            eprint!("\r\x1b[K");
        }
    }

    fn finish(&self, outcome: &str) {
        self.clear();
        println!(
            "{outcome}: {} seeds in {:.1} s, {:.0} a second; {} events, {} faults, {} commits, {} rows",
            self.done,
            self.began.elapsed().as_secs_f64(),
            self.speed(),
            self.events,
            self.faults,
            self.commits,
            self.rows
        );
    }
}
