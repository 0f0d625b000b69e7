//! Writes the data of every format and shape, and what Python needs to know of them.

use std::fs;
use std::path::PathBuf;

use penstock_benchmarks::{Data, EVENT_BYTES, Format, Shape};
use serde_json::json;

fn main() {
    let mut seed = 1;
    let mut out = PathBuf::from("data");
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().expect("a value behind each option");
        match argument.as_str() {
            "--seed" => seed = value.parse().expect("a number behind --seed"),
            "--out" => out = value.into(),
            other => panic!("no option {other}: --seed NUMBER, --out FOLDER"),
        }
    }
    fs::create_dir_all(&out).expect("a folder");
    let mut cases = Vec::new();
    for format in Format::ALL {
        for shape in Shape::ALL.into_iter().filter(|shape| shape.has(format)) {
            let data = Data::new(format, shape, seed, EVENT_BYTES);
            let name = format!("{}-{}", format.name(), shape.name());
            let file = format!("{name}.{}", data.extension());
            fs::write(out.join(format!("{name}.event.json")), &data.event).expect("a file");
            fs::write(out.join(&file), data.file()).expect("a file");
            if let Some(schema) = &data.schema {
                fs::write(out.join(format!("{name}.avsc")), schema).expect("a file");
            }
            let columns: Vec<_> = shape
                .columns()
                .into_iter()
                .map(|column| json!({"name": column.name, "type": column.sql, "path": column.path, "required": column.required}))
                .collect();
            cases.push(json!({
                "name": name, "format": format.name(), "shape": shape.name(), "file": file,
                "rows": data.rows(), "record_bytes": data.record_bytes(), "event_bytes": data.event.len(),
                "columns": columns, "fields": shape.fields(),
            }));
            println!("{name}: {} records of {} bytes", data.rows(), data.record_bytes() / data.rows());
        }
    }
    let index = json!({"seed": seed, "cases": cases});
    fs::write(out.join("index.json"), serde_json::to_vec_pretty(&index).expect("JSON")).expect("a file");
}
