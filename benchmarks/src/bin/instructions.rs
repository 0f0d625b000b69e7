//! One load of fixed records, for valgrind to count: `instructions STEP/FORMAT/SHAPE`. Only `measured` is counted; see
//! `instructions` beside `README.md`. Steps are those of the benches: `envelope`, `convert`, `encode`, `together`.

use std::hint::black_box;

use penstock_benchmarks::job::{self, Extras};
use penstock_benchmarks::{Data, Format, Shape};

/// Bytes of the events: enough that what is done once does not count.
const EVENT_BYTES: usize = 1 << 20;

fn main() {
    let bench = std::env::args().nth(1).expect("a bench");
    let parts: Vec<&str> = bench.split('/').collect();
    let [step, format, shape] = parts.as_slice() else { panic!("expected STEP/FORMAT/SHAPE, found `{bench}`") };
    let format = Format::ALL.into_iter().find(|known| known.name() == *format).expect("a format");
    let shape = Shape::ALL.into_iter().find(|known| known.name() == *shape).expect("a shape");
    let data = Data::new(format, shape, 1, EVENT_BYTES);
    let plan = job::plan(format, shape, &Extras { strict: shape == Shape::Messy, ..Extras::default() });
    let facts = job::facts(data.schema.as_deref());
    let event = job::read_event(&data.event);
    let batch = job::batch(&event);
    let loaded = plan.load(&batch, &facts);
    println!("{} records of {} bytes", data.rows(), data.record_bytes());
    match *step {
        "envelope" => measured(&mut || {
            black_box(job::read_event(black_box(&data.event)));
        }),
        "convert" => measured(&mut || {
            black_box(plan.load(&job::batch(&event), &facts));
        }),
        "encode" => measured(&mut || {
            black_box(job::file(&loaded));
        }),
        "together" => measured(&mut || {
            let event = job::read_event(black_box(&data.event));
            black_box(job::file(&plan.load(&job::batch(&event), &facts)));
        }),
        other => panic!("no step `{other}`"),
    }
}

#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    run();
}
