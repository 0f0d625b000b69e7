//! The steps of a load, apart and together, named `{step}/{format}/{shape}/{rows}`: one 6 MiB Kafka event of each.
//!
//! | step | from | to |
//! | --- | --- | --- |
//! | envelope | the event's JSON | records, base64 decoded |
//! | decode | records | source fields, of which none is taken |
//! | convert | records | columns: decoding and conversion |
//! | encode | columns | a Parquet file and its statistics |
//! | together | the event's JSON | a Parquet file |
//!
//! Throughput is of the records' own bytes, also of the envelope.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use penstock_benchmarks::job::{self, Extras};
use penstock_benchmarks::{Data, EVENT_BYTES, Format, Shape};
use penstock_kernel::encode::{WriterOptions, encode};

fn main() {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    for format in Format::ALL {
        for shape in Shape::ALL.into_iter().filter(|shape| shape.has(format)) {
            steps(&mut criterion, format, shape, seed);
        }
    }
    variants(&mut criterion, seed);
    criterion.final_summary();
}

fn steps(criterion: &mut Criterion, format: Format, shape: Shape, seed: u64) {
    let data = Data::new(format, shape, seed, EVENT_BYTES);
    let facts = job::facts(data.schema.as_deref());
    let plan = job::plan(format, shape, &Extras { strict: shape == Shape::Messy, ..Extras::default() });
    let event = job::read_event(&data.event);
    let batch = job::batch(&event);
    let loaded = plan.load(&batch, &facts);
    let (_, rows) = &loaded.tables[0];
    let name = format!("{}/{}/{}", format.name(), shape.name(), data.rows());
    let mut group = |step: &str, run: &mut dyn FnMut()| {
        let mut group = criterion.benchmark_group(step);
        group.throughput(Throughput::Bytes(data.record_bytes() as u64));
        group.bench_function(BenchmarkId::from_parameter(&name), |bencher| bencher.iter(&mut *run));
        group.finish();
    };
    group("envelope", &mut || {
        black_box(job::read_event(black_box(&data.event)));
    });
    let nothing = job::plan_of_nothing(format, shape);
    group("decode", &mut || {
        black_box(nothing.load(black_box(&batch), &facts));
    });
    group("convert", &mut || {
        black_box(plan.load(black_box(&batch), &facts));
    });
    group("encode", &mut || {
        black_box(encode(black_box(rows), &WriterOptions::default()).expect("a file"));
    });
    group("together", &mut || {
        let event = job::read_event(black_box(&data.event));
        black_box(job::file(&plan.load(&job::batch(&event), &facts)));
    });
}

/// What each extra costs, on the events.
fn variants(criterion: &mut Criterion, seed: u64) {
    let plain = Data::new(Format::Json, Shape::Events, seed, EVENT_BYTES);
    let messy = Data::new(Format::Json, Shape::Messy, seed, EVENT_BYTES);
    for (name, shape, data, extras) in job::variants(&plain, &messy) {
        let plan = job::plan(Format::Json, shape, &extras);
        let facts = job::facts(None);
        let mut group = criterion.benchmark_group("variants");
        group.throughput(Throughput::Bytes(data.record_bytes() as u64));
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| {
                let event = job::read_event(black_box(&data.event));
                black_box(job::file(&plan.load(&job::batch(&event), &facts)));
            });
        });
        group.finish();
    }
}
