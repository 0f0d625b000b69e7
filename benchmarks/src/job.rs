//! The table and the job that load a shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_event::{Event, HeaderWish, kafka};
use penstock_kernel::batch::Batch;
use penstock_kernel::encode::{EncodedFile, WriterOptions, encode};
use penstock_kernel::expression::Expressions;
use penstock_kernel::facts::{AvroSchema, Facts, SchemaFact, Schemas};
use penstock_kernel::ids::{DatabaseId, JobId, SchemaId, TableId};
use penstock_kernel::job::{ColumnItem, JobDefinition, KafkaSource, LoadClauses};
use penstock_kernel::loaded::Loaded;
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::plan::Plan;
use penstock_kernel::property::JobProperties;
use penstock_kernel::table::{Column, ColumnType, Distribution, KeyKind, STRING_BYTES, StructField, TableDefinition};

use crate::data::{Data, SCHEMA_ID, TOPIC};
use crate::shape::{Format, Shape};

#[cfg(feature = "expressions")]
const EXPRESSIONS: &dyn Expressions = &penstock_expressions::StarRocks;
#[cfg(not(feature = "expressions"))]
const EXPRESSIONS: &dyn Expressions = &penstock_kernel::expression::NoExpressions;

/// What a job does beyond copying fields.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// `strict_mode`.
    pub strict: bool,
    /// WHERE.
    pub filter: Option<&'static str>,
    /// Columns that are computed, each with its expression; their field gets another name.
    pub computed: &'static [(&'static str, &'static str)],
}

/// The table of a shape.
pub fn table(shape: Shape) -> TableDefinition {
    let columns: Vec<Column> = (1..)
        .zip(shape.columns())
        .map(|(id, column)| Column {
            id,
            name: column.name,
            column_type: column_type(column.sql),
            nullable: !column.required,
            default: None,
            comment: None,
        })
        .collect();
    TableDefinition {
        id: TableId(2),
        database: DatabaseId(1),
        name: "t".to_owned(),
        key_columns: columns.iter().take(1).map(|column| column.name.clone()).collect(),
        columns,
        key_kind: KeyKind::Duplicate,
        partitioning: Partitioning::None,
        distribution: Distribution { hash_columns: Vec::new(), buckets: None },
        comment: None,
        properties: BTreeMap::new(),
        volume: "builtin_storage_volume".to_owned(),
        created_at_ms: 0,
    }
}

/// The job that loads a shape. Those with levels say where their columns are; others leave that to the names.
pub fn job(format: Format, shape: Shape, extras: &Extras) -> JobDefinition {
    let columns = shape.columns();
    let has_paths = columns.iter().any(|column| column.path != column.name);
    let paths: Vec<String> = columns.iter().map(|column| format!("\"$.{}\"", column.path)).collect();
    let jsonpaths = format!("[{}]", paths.join(","));
    let mut properties = vec![("format", format.name()), ("strict_mode", if extras.strict { "true" } else { "false" })];
    if has_paths {
        properties.push(("jsonpaths", &jsonpaths));
    }
    let fields: Vec<String> = match format {
        Format::Csv => shape.fields(),
        _ => columns.into_iter().map(|column| column.name).collect(),
    };
    let is_computed = |name: &str| extras.computed.iter().any(|(column, _)| *column == name);
    let plain = |name: String| ColumnItem::Plain(if is_computed(&name) { format!("raw_{name}") } else { name });
    let assigned = extras.computed.iter().map(|(name, expression)| ColumnItem::Assignment {
        name: (*name).to_owned(),
        expression: (*expression).to_owned(),
    });
    // With paths or delimited text, names are free; with keys they are the keys.
    let named = format == Format::Csv || has_paths || !extras.computed.is_empty();
    if !has_paths && !extras.computed.is_empty() && format != Format::Csv {
        properties.push(("jsonpaths", &jsonpaths));
    }
    JobDefinition {
        id: JobId(3),
        version: 1,
        name: "j".to_owned(),
        database: DatabaseId(1),
        table: TableId(2),
        clauses: LoadClauses {
            columns: named.then(|| fields.into_iter().map(plain).chain(assigned).collect()),
            column_separator: (format == Format::Csv).then(|| ",".to_owned()),
            filter: extras.filter.map(str::to_owned),
            ..LoadClauses::default()
        },
        properties: JobProperties::from_pairs(properties).expect("properties that are right"),
        source: KafkaSource {
            brokers: vec!["localhost:9092".to_owned()],
            topic: TOPIC.to_owned(),
            pinned: None,
            default_start: None,
            registry: None,
            custom: BTreeMap::new(),
        },
    }
}

/// The compiled job of a shape.
pub fn plan(format: Format, shape: Shape, extras: &Extras) -> Plan {
    Plan::compile(&job(format, shape, extras), &table(shape), EXPRESSIONS).expect("a job that is right")
}

/// A job that takes no field: what remains is decoding.
pub fn plan_of_nothing(format: Format, shape: Shape) -> Plan {
    let mut table = table(shape);
    table.columns.iter_mut().for_each(|column| {
        column.nullable = true;
        column.name = format!("no_{}", column.name);
    });
    let mut job = job(format, shape, &Extras::default());
    if format == Format::Json {
        job.clauses.columns = None;
        job.properties = JobProperties::from_pairs([("format", format.name())]).expect("properties that are right");
    }
    Plan::compile(&job, &table, EXPRESSIONS).expect("a job that is right")
}

/// Jobs over events that do more than copy, by name; the plain case is the first.
pub fn variants<'d>(plain: &'d Data, messy: &'d Data) -> Vec<(&'static str, Shape, &'d Data, Extras)> {
    let events = |extras| (Shape::Events, plain, extras);
    let named = |name, (shape, data, extras)| (name, shape, data, extras);
    let mut variants = vec![
        named("plain", events(Extras::default())),
        named("strict", events(Extras { strict: true, ..Extras::default() })),
        named("bad rows", (Shape::Messy, messy, Extras { strict: true, ..Extras::default() })),
    ];
    if cfg!(feature = "expressions") {
        let filter = Some("price > 1000000 AND channel != 'Baidu'");
        variants.push(named("where", events(Extras { filter, ..Extras::default() })));
        let computed = &[("price", "raw_price * 89 / 100"), ("channel", "upper(raw_channel)")];
        variants.push(named("expressions", events(Extras { computed, ..Extras::default() })));
    }
    variants
}

/// What loading the data takes to know.
pub fn facts(schema: Option<&str>) -> Facts {
    let mut schemas = Schemas::default();
    if let Some(schema) = schema {
        let schema = AvroSchema::parse(schema, &[]).expect("a schema that is right");
        schemas.insert(SchemaId(SCHEMA_ID), SchemaFact::Avro(Arc::new(schema)));
    }
    Facts::at(1_718_215_200_000).with_schemas(schemas)
}

/// The records of an event.
pub fn read_event(json: &[u8]) -> Event {
    kafka::read(json, HeaderWish::Skip).expect("an event that is right")
}

/// The batch of an event.
pub fn batch(event: &Event) -> Batch<'_> {
    Batch { topic: event.topic().to_owned(), records: event.records().collect() }
}

/// The one file of what was loaded.
pub fn file(loaded: &Loaded) -> EncodedFile {
    let (_, rows) = loaded.tables.first().expect("rows");
    encode(rows, &WriterOptions::default()).expect("rows that can be written")
}

/// A column's type by its text in SQL.
pub fn column_type(text: &str) -> ColumnType {
    let text = text.trim();
    if let Some((name, inner)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        return match name {
            "ARRAY" => ColumnType::Array(Box::new(column_type(inner))),
            "STRUCT" => ColumnType::Struct(
                inner
                    .split(',')
                    .map(|field| {
                        let (name, text) = field.trim().split_once(' ').expect("a type behind the name");
                        StructField { name: name.to_owned(), column_type: column_type(text) }
                    })
                    .collect(),
            ),
            other => panic!("no type {other}"),
        };
    }
    match text {
        "BOOLEAN" => ColumnType::Boolean,
        "INT" => ColumnType::Int,
        "BIGINT" => ColumnType::BigInt,
        "DOUBLE" => ColumnType::Double,
        "STRING" => ColumnType::Varchar(STRING_BYTES),
        "DATETIME" => ColumnType::DateTime,
        other => panic!("no type {other}"),
    }
}
