//! Penstock as a peer: a Kafka event, which Lambda hands over in memory, its envelope read, its records loaded, to a Parquet
//! file.
//!
//! `penstock FORMAT SHAPE FOLDER OUT [STEP]`:
//!
//! | step | is |
//! | --- | --- |
//! | none | all of it |
//! | `strict` | all of it in strict mode |
//! | `values` | all but envelope and base64 |
//! | `envelope` | envelope and base64 |
//! | `types` | the same by `aws_lambda_events` and base64 |

use std::fs;
use std::hint::black_box;
use std::path::Path;

use aws_lambda_events::kafka::KafkaEvent;
use penstock_benchmarks::job::{self, Extras};
use penstock_benchmarks::{Format, Shape, worker};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [format, shape, folder, out, rest @ ..] = arguments.as_slice() else {
        panic!("expected FORMAT SHAPE FOLDER OUT [STEP]");
    };
    let format = Format::ALL.into_iter().find(|known| known.name() == format).expect("a format");
    let shape = Shape::ALL.into_iter().find(|known| known.name() == shape).expect("a shape");
    let name = format!("{}-{}", format.name(), shape.name());
    let input = Path::new(folder).join(format!("{name}.event.json"));
    let schema = fs::read_to_string(Path::new(folder).join(format!("{name}.avsc"))).ok();
    let facts = job::facts(schema.as_deref());
    let strict = shape == Shape::Messy || rest.first().is_some_and(|step| step == "strict");
    let plan = job::plan(format, shape, &Extras { strict, ..Extras::default() });
    let payload = fs::read(&input).expect("an event");
    match rest.first().map(String::as_str) {
        None | Some("strict") => worker::serve(|| {
            let event = job::read_event(&payload);
            let loaded = plan.load(&job::batch(&event), &facts);
            fs::write(out, job::file(&loaded).bytes).expect("a file");
        }),
        Some("values") => {
            let event = job::read_event(&payload);
            worker::serve(|| {
                let loaded = plan.load(&job::batch(&event), &facts);
                fs::write(out, job::file(&loaded).bytes).expect("a file");
            });
        }
        Some("envelope") => worker::serve(|| {
            black_box(job::read_event(black_box(&payload)));
        }),
        Some("types") => worker::serve(|| {
            let event: KafkaEvent = serde_json::from_slice(black_box(&payload)).expect("an event");
            let decode = |text: &Option<String>| {
                text.as_ref().map(|text| base64_simd::STANDARD.decode_to_vec(text).expect("base64"))
            };
            let records: Vec<_> =
                event.records.values().flatten().map(|record| (decode(&record.key), decode(&record.value))).collect();
            black_box(records);
        }),
        Some(other) => panic!("no step `{other}`"),
    }
}
