//! What one writes with the crates as they are: `arrow-json`, `arrow-csv` or `apache-avro`, then `parquet`; file to file.
//!
//! `stock FORMAT SHAPE FOLDER OUT`. Columns have the types of Penstock's tables, the writer its codec and level and otherwise
//! its defaults.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apache_avro::types::Value;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder, StringBuilder,
    StructBuilder, TimestampMicrosecondBuilder, make_builder,
};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use penstock_benchmarks::shape::ColumnSpec;
use penstock_benchmarks::{Format, Shape, job, worker};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [format, shape, folder, out] = arguments.as_slice() else {
        panic!("expected FORMAT SHAPE FOLDER OUT");
    };
    let format = Format::ALL.into_iter().find(|known| known.name() == format).expect("a format");
    let shape = Shape::ALL.into_iter().find(|known| known.name() == shape).expect("a shape");
    let extension = match format {
        Format::Json => "ndjson",
        Format::Csv => "csv",
        Format::Avro => "avro",
    };
    let stock = Stock {
        input: Path::new(folder).join(format!("{}-{}.{extension}", format.name(), shape.name())),
        out: out.into(),
        columns: shape.columns(),
        fields: shape.fields(),
    };
    worker::serve(|| match format {
        Format::Json => stock.json(),
        Format::Csv => stock.csv(),
        Format::Avro => stock.avro(),
    });
}

struct Stock {
    input: PathBuf,
    out: PathBuf,
    columns: Vec<ColumnSpec>,
    fields: Vec<String>,
}

/// Rows of a batch.
const BATCH: usize = 8192;

fn arrow_type(column: &ColumnSpec) -> DataType {
    job::column_type(column.sql).arrow()
}

impl Stock {
    fn schema(&self) -> SchemaRef {
        let field = |column: &ColumnSpec| Field::new(&column.name, arrow_type(column), true);
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    fn writer(&self) -> ArrowWriter<File> {
        let level = ZstdLevel::try_new(1).expect("a level");
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        let file = File::create(&self.out).expect("a file");
        ArrowWriter::try_new(file, self.schema(), Some(properties)).expect("a schema")
    }

    fn json(&self) {
        let paths: Vec<(Vec<&str>, DataType)> =
            self.columns.iter().map(|column| (column.path.split('.').collect(), arrow_type(column))).collect();
        let schema = Arc::new(Schema::new(tree(&paths)));
        let file = BufReader::with_capacity(1 << 20, File::open(&self.input).expect("a file"));
        let reader = arrow_json::ReaderBuilder::new(schema).with_batch_size(BATCH).build(file).expect("a reader");
        let mut writer = self.writer();
        for batch in reader {
            let batch = batch.expect("rows");
            let columns = paths.iter().map(|(path, _)| at(&batch, path)).collect();
            let flat = RecordBatch::try_new(self.schema(), columns).expect("columns");
            writer.write(&flat).expect("a file");
        }
        writer.close().expect("a file");
    }

    fn csv(&self) {
        let field = |name: &String| {
            let column = self.columns.iter().find(|column| column.path == *name);
            Field::new(name, column.map_or(DataType::Utf8, arrow_type), true)
        };
        let schema = Arc::new(Schema::new(self.fields.iter().map(field).collect::<Vec<_>>()));
        let wanted = self.columns.iter().filter_map(|column| self.fields.iter().position(|name| *name == column.path));
        let reader = arrow_csv::ReaderBuilder::new(schema)
            .with_batch_size(BATCH)
            .with_projection(wanted.collect())
            .build(File::open(&self.input).expect("a file"))
            .expect("a reader");
        let mut writer = self.writer();
        for batch in reader {
            let batch = batch.expect("rows");
            let batch = RecordBatch::try_new(self.schema(), batch.columns().to_vec()).expect("columns");
            writer.write(&batch).expect("a file");
        }
        writer.close().expect("a file");
    }

    fn avro(&self) {
        let bytes = fs::read(&self.input).expect("a file");
        let reader = apache_avro::Reader::new(bytes.as_slice()).expect("a container");
        let schema = self.schema();
        let builder = |column: &ColumnSpec| make_builder(&arrow_type(column), BATCH);
        let mut builders: Vec<Box<dyn ArrayBuilder>> = self.columns.iter().map(builder).collect();
        let paths: Vec<Vec<&str>> = self.columns.iter().map(|column| column.path.split('.').collect()).collect();
        let mut writer = self.writer();
        let mut rows = 0;
        let mut write = |builders: &mut [Box<dyn ArrayBuilder>]| {
            let columns = builders.iter_mut().map(|builder| builder.finish()).collect();
            writer.write(&RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns")).expect("a file");
        };
        for record in reader {
            let record = record.expect("a record");
            for ((path, builder), field) in paths.iter().zip(&mut builders).zip(schema.fields()) {
                append(builder.as_mut(), field.data_type(), member(&record, path));
            }
            rows += 1;
            if rows % BATCH == 0 {
                write(&mut builders);
            }
        }
        write(&mut builders);
        writer.close().expect("a file");
    }
}

/// Fields in which each path leads to its type.
fn tree(paths: &[(Vec<&str>, DataType)]) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for (path, _) in paths {
        let name = path[0];
        if fields.iter().any(|field| field.name() == name) {
            continue;
        }
        let below: Vec<(Vec<&str>, DataType)> = paths
            .iter()
            .filter(|(other, _)| other[0] == name)
            .map(|(other, data_type)| (other[1..].to_vec(), data_type.clone()))
            .collect();
        let data_type = match below.as_slice() {
            [(rest, data_type)] if rest.is_empty() => data_type.clone(),
            below => DataType::Struct(Fields::from(tree(below))),
        };
        fields.push(Field::new(name, data_type, true));
    }
    fields
}

/// The column that a path leads to; NULL where one of the objects above it is.
fn at(batch: &RecordBatch, path: &[&str]) -> ArrayRef {
    let mut column = Arc::clone(batch.column_by_name(path[0]).expect("a column"));
    for name in &path[1..] {
        let parent = column.as_struct();
        let child = Arc::clone(parent.column_by_name(name).expect("a field"));
        column = match parent.nulls() {
            Some(nulls) if nulls.null_count() > 0 => {
                let data = child.to_data().into_builder();
                let joined = child.nulls();
                let joined = arrow_buffer::NullBuffer::union(Some(nulls), joined);
                arrow_array::make_array(data.nulls(joined).build().expect("as long"))
            }
            _ => child,
        };
    }
    column
}

fn member<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    let mut value = value;
    for name in path {
        value = match value {
            Value::Record(fields) => {
                fields.iter().find(|(field, _)| field == name).map_or(&Value::Null, |(_, value)| value)
            }
            _ => &Value::Null,
        };
    }
    value
}

fn append(builder: &mut dyn ArrayBuilder, data_type: &DataType, value: &Value) {
    let any = builder.as_any_mut();
    match (data_type, value) {
        (DataType::Int64, Value::Long(number)) => {
            any.downcast_mut::<Int64Builder>().expect("its builder").append_value(*number);
        }
        (DataType::Int32, Value::Long(number)) => {
            any.downcast_mut::<Int32Builder>().expect("its builder").append_option(i32::try_from(*number).ok());
        }
        (DataType::Float64, Value::Double(number)) => {
            any.downcast_mut::<Float64Builder>().expect("its builder").append_value(*number);
        }
        (DataType::Boolean, Value::Boolean(flag)) => {
            any.downcast_mut::<BooleanBuilder>().expect("its builder").append_value(*flag);
        }
        (DataType::Utf8, Value::String(text)) => {
            any.downcast_mut::<StringBuilder>().expect("its builder").append_value(text);
        }
        (DataType::Timestamp(TimeUnit::Microsecond, None), Value::LocalTimestampMillis(millis)) => {
            any.downcast_mut::<TimestampMicrosecondBuilder>().expect("its builder").append_value(*millis * 1000);
        }
        (DataType::List(entry), Value::Array(values)) => {
            let list = any.downcast_mut::<ListBuilder<Box<dyn ArrayBuilder>>>().expect("its builder");
            for value in values {
                append(list.values().as_mut(), entry.data_type(), value);
            }
            list.append(true);
        }
        (DataType::Struct(fields), record @ Value::Record(_)) => {
            let structs = any.downcast_mut::<StructBuilder>().expect("its builder");
            for (field, builder) in fields.iter().zip(structs.field_builders_mut()) {
                append(builder.as_mut(), field.data_type(), member(record, &[field.name()]));
            }
            structs.append(true);
        }
        (data_type, value) => panic!("{value:?} is no {data_type}"),
    }
}
