//! One load of fixed records, for valgrind to count: `instructions BENCH`. Only `measured` is counted; see `instructions`
//! beside `README.md`.

use std::hint::black_box;

use penstock_benchmarks::job::{self, Extras};
use penstock_benchmarks::{Data, Format, Shape};

/// Bytes of the events: enough that what is done once does not count.
const EVENT_BYTES: usize = 1 << 20;

fn main() {
    let bench = std::env::args().nth(1).expect("a bench");
    let (format, shape) = match bench.as_str() {
        "together/json/events" => (Format::Json, Shape::Events),
        "together/json/wide" => (Format::Json, Shape::Wide),
        other => panic!("no bench `{other}`"),
    };
    let data = Data::new(format, shape, 1, EVENT_BYTES);
    let plan = job::plan(format, shape, &Extras::default());
    let facts = job::facts(None);
    measured(&mut || {
        let event = job::read_event(black_box(&data.event));
        black_box(job::file(&plan.load(&job::batch(&event), &facts)));
    });
}

#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    run();
}
