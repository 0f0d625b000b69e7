//! The quick way against the slow one: of a batch, the first record of a schema goes through the stages one by one, and those
//! after it go straight into columns. Alone, each is a first one.

use apache_avro::types::Value;
use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::loaded::Loaded;
use penstock_kernel::plan::Plan;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use crate::encode::{binary, framed};
use crate::laws::{Shape, facts, schema, shape, value};
use crate::support::{batch, job, table};

/// The column that such a value is meant for; `fields` says which fields of a record it leaves out.
fn natural(shape: &Shape, fields: &mut impl Iterator<Item = bool>) -> String {
    match shape {
        Shape::Boolean => "BOOLEAN".to_owned(),
        Shape::Int => "INT".to_owned(),
        Shape::Long => "BIGINT".to_owned(),
        Shape::Float => "FLOAT".to_owned(),
        Shape::Double => "DOUBLE".to_owned(),
        Shape::Bytes | Shape::Fixed(_) => "VARBINARY(30)".to_owned(),
        Shape::Null | Shape::Text | Shape::Enum(_) => "VARCHAR(30)".to_owned(),
        Shape::Optional(inner) => natural(inner, fields),
        Shape::Array(inner) => format!("ARRAY<{}>", natural(inner, fields)),
        Shape::Map(inner) => format!("MAP<VARCHAR(30),{}>", natural(inner, fields)),
        Shape::Record(inner) => {
            let columns = inner.iter().enumerate().map(|(place, shape)| (place, natural(shape, fields)));
            let mut columns: Vec<String> = columns.map(|(place, of)| format!("f{place} {of}")).collect();
            columns.retain(|_| fields.next() != Some(false));
            columns.push("unknown BIGINT".to_owned());
            if fields.next() == Some(false) {
                columns.reverse();
            }
            format!("STRUCT<{}>", columns.join(","))
        }
    }
}

const OTHERS: [&str; 12] = [
    "TINYINT",
    "INT",
    "BIGINT",
    "LARGEINT",
    "DOUBLE",
    "DECIMAL(20,2)",
    "VARCHAR(3)",
    "DATETIME",
    "JSON",
    "ARRAY<INT>",
    "MAP<INT,DOUBLE>",
    "STRUCT<f1 FLOAT,f0 VARCHAR(2)>",
];

/// Numbers of all kinds in place of those that print exactly.
fn spread(value: &mut Value, bits: &mut impl Iterator<Item = u64>) {
    match value {
        Value::Double(number) => *number = bits.next().map_or(*number, f64::from_bits),
        Value::Float(number) => *number = bits.next().map_or(*number, |bits| f64::from_bits(bits) as f32),
        Value::Array(items) => items.iter_mut().for_each(|item| spread(item, bits)),
        Value::Map(entries) => entries.values_mut().for_each(|entry| spread(entry, bits)),
        Value::Record(fields) => fields.iter_mut().for_each(|(_, field)| spread(field, bits)),
        Value::Union(_, inner) => spread(inner, bits),
        _ => {}
    }
}

/// Spoils a message, so that some of what comes after is not what the schema says.
type Spoil = Option<(Index, u8, Index)>;

fn spoiled(mut message: Vec<u8>, spoil: &Spoil) -> Vec<u8> {
    if let Some((place, byte, cut)) = spoil {
        let place = place.index(message.len());
        message[place] = *byte;
        message.truncate(message.len() - cut.index(message.len()) / 4);
    }
    message
}

#[derive(Debug)]
struct Case {
    schema: String,
    columns: Vec<String>,
    messages: Vec<Vec<u8>>,
}

/// The bits of a number, or of what is none.
fn number() -> impl Strategy<Value = u64> {
    let strange = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.1, 5e-324, f64::MAX];
    prop_oneof![any::<u64>(), select(strange.map(f64::to_bits).to_vec())]
}

fn case() -> impl Strategy<Value = Case> {
    let other = || prop_oneof![3 => Just(None), 1 => select(OTHERS.to_vec()).prop_map(Some)];
    let record = vec(shape(), 1..5).prop_map(Shape::Record);
    record.prop_flat_map(move |record| {
        let values = vec((value(&record), any::<Spoil>(), prop::bool::weighted(0.7)), 2..6);
        let choices = (vec(any::<bool>(), 20), vec(other(), 5), vec(any::<bool>(), 5), vec(number(), 0..9));
        (Just(record), values, choices).prop_map(|(record, values, (fields, others, nullable, bits))| {
            let Shape::Record(shapes) = &record else { unreachable!("a record") };
            let text = json!({"type": "record", "name": "top", "fields": [
                {"name": "in", "type": schema(&record, &mut 0)}, {"name": "k", "type": "long"}]})
            .to_string();
            let mut fields = fields.into_iter();
            let mut columns = vec!["k BIGINT".to_owned()];
            for (place, shape) in shapes.iter().enumerate() {
                let of = others[place].map_or_else(|| natural(shape, &mut fields), str::to_owned);
                columns.push(format!("c{place} {of}{}", if nullable[place] { "" } else { " NOT NULL" }));
            }
            let parsed = apache_avro::Schema::parse_str(&text).unwrap();
            let mut bits = bits.into_iter().cycle().take(200);
            let messages = values.into_iter().map(|((mut inner, _), spoil, sound)| {
                spread(&mut inner, &mut bits);
                let value = Value::Record(vec![("in".to_owned(), inner), ("k".to_owned(), Value::Long(7))]);
                let message = framed(1, &binary(&parsed, value));
                if sound { message } else { spoiled(message, &spoil) }
            });
            Case { messages: messages.collect(), schema: text, columns }
        })
    })
}

/// All rows in one; `None` for none.
fn all_rows(loaded: &[Loaded]) -> Option<RecordBatch> {
    let tables: Vec<&RecordBatch> = loaded.iter().flat_map(|loaded| &loaded.tables).map(|(_, rows)| rows).collect();
    let schema = tables.first()?.schema();
    Some(concat_batches(&schema, tables).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn records_of_a_schema_load_as_each_does_alone(case in case(), strict in select(vec!["true", "false"])) {
        let paths: Vec<String> = (1..case.columns.len()).map(|place| format!("\"$.in.f{}\"", place - 1)).collect();
        let paths = format!("[\"$.k\",{}]", paths.join(","));
        let columns: Vec<&str> = case.columns.iter().map(String::as_str).collect();
        let job = job(None, [("format", "avro"), ("jsonpaths", paths.as_str()), ("strict_mode", strict)]);
        let plan = Plan::compile(&job, &table(&columns), &NoExpressions).unwrap();
        let facts = facts(&case.schema);
        let messages: Vec<&[u8]> = case.messages.iter().map(Vec::as_slice).collect();
        let together = plan.load(&batch(&messages), &facts);
        let alone: Vec<Loaded> = messages.iter().map(|message| plan.load(&batch(&[message]), &facts)).collect();
        prop_assert_eq!(all_rows(std::slice::from_ref(&together)), all_rows(&alone));
        let reasons = |loaded: &Loaded| loaded.rejected.iter().map(|row| (row.reason, row.column, row.raw)).collect::<Vec<_>>();
        prop_assert_eq!(reasons(&together), alone.iter().flat_map(reasons).collect::<Vec<_>>());
    }
}
