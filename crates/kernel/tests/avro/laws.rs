//! Laws of reading Avro, over generated schemas and values that the reference implementation encodes.

use std::sync::Arc;

use apache_avro::types::Value;
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::{AvroSchema, Facts, SchemaFact, Schemas};
use penstock_kernel::ids::SchemaId;
use penstock_kernel::loaded::Loaded;
use penstock_kernel::plan::Plan;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::encode::{binary, framed};
use crate::support::{NOW_MS, batch, job, rows, table};

/// A type, without names yet.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(usize),
    Enum(usize),
    Array(Box<Shape>),
    Map(Box<Shape>),
    Record(Vec<Shape>),
    Optional(Box<Shape>),
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        Just(Shape::Null),
        Just(Shape::Boolean),
        Just(Shape::Int),
        Just(Shape::Long),
        Just(Shape::Float),
        Just(Shape::Double),
        Just(Shape::Bytes),
        Just(Shape::Text),
        (0_usize..5).prop_map(Shape::Fixed),
        (1_usize..70).prop_map(Shape::Enum),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let optional = |shape: Shape| match shape {
            Shape::Null | Shape::Optional(_) => shape,
            other => Shape::Optional(Box::new(other)),
        };
        prop_oneof![
            inner.clone().prop_map(|inner| Shape::Array(Box::new(inner))),
            inner.clone().prop_map(|inner| Shape::Map(Box::new(inner))),
            inner.clone().prop_map(optional),
            vec(inner, 0..5).prop_map(Shape::Record),
        ]
    })
}

/// The schema's text; `names` counts the types that need a name.
pub(crate) fn schema(shape: &Shape, names: &mut usize) -> Json {
    let mut name = || {
        *names += 1;
        format!("n{names}")
    };
    match shape {
        Shape::Null => json!("null"),
        Shape::Boolean => json!("boolean"),
        Shape::Int => json!("int"),
        Shape::Long => json!("long"),
        Shape::Float => json!("float"),
        Shape::Double => json!("double"),
        Shape::Bytes => json!("bytes"),
        Shape::Text => json!("string"),
        Shape::Fixed(size) => json!({"type": "fixed", "name": name(), "size": size}),
        Shape::Enum(count) => {
            let symbols: Vec<String> = (0..*count).map(symbol).collect();
            json!({"type": "enum", "name": name(), "symbols": symbols})
        }
        Shape::Array(inner) => json!({"type": "array", "items": schema(inner, names)}),
        Shape::Map(inner) => json!({"type": "map", "values": schema(inner, names)}),
        Shape::Optional(inner) => json!(["null", schema(inner, names)]),
        Shape::Record(fields) => {
            let name = name();
            let fields: Vec<Json> = fields
                .iter()
                .enumerate()
                .map(|(place, inner)| json!({"name": field(place), "type": schema(inner, names)}))
                .collect();
            json!({"type": "record", "name": name, "fields": fields})
        }
    }
}

fn symbol(place: usize) -> String {
    format!("S{place}")
}

fn field(place: usize) -> String {
    format!("f{place}")
}

/// A value for the reference, and as we print it.
pub(crate) fn value(shape: &Shape) -> BoxedStrategy<(Value, Json)> {
    let latin = |bytes: &[u8]| Json::String(bytes.iter().map(|byte| char::from(*byte)).collect());
    match shape {
        Shape::Null => Just((Value::Null, Json::Null)).boxed(),
        Shape::Boolean => any::<bool>().prop_map(|flag| (Value::Boolean(flag), json!(flag))).boxed(),
        Shape::Int => any::<i32>().prop_map(|number| (Value::Int(number), json!(number))).boxed(),
        Shape::Long => any::<i64>().prop_map(|number| (Value::Long(number), json!(number))).boxed(),
        // Eighths, which every parser reads exactly.
        Shape::Float => any::<i16>()
            .prop_map(|eighths| f32::from(eighths) / 8.0)
            .prop_map(|number| (Value::Float(number), json!(number)))
            .boxed(),
        Shape::Double => any::<i32>()
            .prop_map(|eighths| f64::from(eighths) / 8.0)
            .prop_map(|number| (Value::Double(number), json!(number)))
            .boxed(),
        Shape::Bytes => {
            vec(any::<u8>(), 0..20).prop_map(move |bytes| (Value::Bytes(bytes.clone()), latin(&bytes))).boxed()
        }
        Shape::Fixed(size) => {
            let size = *size;
            vec(any::<u8>(), size).prop_map(move |bytes| (Value::Fixed(size, bytes.clone()), latin(&bytes))).boxed()
        }
        Shape::Text => any::<String>().prop_map(|text| (Value::String(text.clone()), json!(text))).boxed(),
        Shape::Enum(count) => {
            (0..*count).prop_map(|place| (Value::Enum(place as u32, symbol(place)), json!(symbol(place)))).boxed()
        }
        Shape::Array(inner) => vec(value(inner), 0..5)
            .prop_map(|items| {
                let (values, printed): (Vec<Value>, Vec<Json>) = items.into_iter().unzip();
                (Value::Array(values), Json::Array(printed))
            })
            .boxed(),
        Shape::Map(inner) => btree_map(any::<String>(), value(inner), 0..5)
            .prop_map(|entries| {
                let values = entries.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect();
                let printed = entries.into_iter().map(|(key, (_, printed))| (key, printed)).collect();
                (Value::Map(values), Json::Object(printed))
            })
            .boxed(),
        Shape::Optional(inner) => prop_oneof![
            Just((Value::Union(0, Box::new(Value::Null)), Json::Null)),
            value(inner).prop_map(|(value, printed)| (Value::Union(1, Box::new(value)), printed)),
        ]
        .boxed(),
        Shape::Record(fields) => {
            let values: Vec<_> = fields.iter().map(value).collect();
            values
                .prop_map(|values| {
                    let named = || values.iter().enumerate();
                    let record = named().map(|(place, (value, _))| (field(place), value.clone())).collect();
                    let printed = named().map(|(place, (_, printed))| (field(place), printed.clone())).collect();
                    (Value::Record(record), Json::Object(printed))
                })
                .boxed()
        }
    }
}

/// A schema's text, a record of it as the reference encodes it, and as we print it. Its last field is `k`, a long.
fn record() -> impl Strategy<Value = (String, Vec<u8>, Json)> {
    let inner = vec(shape(), 0..5).prop_map(Shape::Record);
    inner.prop_flat_map(|inner| (Just(inner.clone()), value(&inner), any::<i64>())).prop_map(
        |(shape, (inner, printed), last)| {
            let mut names = 0;
            let text = json!({"type": "record", "name": "top", "fields": [
                {"name": "in", "type": schema(&shape, &mut names)}, {"name": "k", "type": "long"}]})
            .to_string();
            let value = Value::Record(vec![("in".to_owned(), inner), ("k".to_owned(), Value::Long(last))]);
            let parsed = apache_avro::Schema::parse_str(&text).unwrap();
            (text, framed(1, &binary(&parsed, value)), json!({"in": printed, "k": last}))
        },
    )
}

fn plan(paths: &str, columns: &[&str]) -> Plan {
    let job = job(None, [("format", "avro"), ("jsonpaths", paths)]);
    Plan::compile(&job, &table(columns), &NoExpressions).unwrap()
}

pub(crate) fn facts(text: &str) -> Facts {
    let mut schemas = Schemas::default();
    schemas.insert(SchemaId(1), SchemaFact::Avro(Arc::new(AvroSchema::parse(text, &[]).unwrap())));
    Facts::at(NOW_MS).with_schemas(schemas)
}

fn unreadable(loaded: &Loaded) -> Vec<String> {
    loaded.rejected.iter().filter(|row| row.index.is_none()).map(|row| row.reason.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_record_is_read_as_the_reference_wrote_it((text, message, printed) in record()) {
        let plan = plan(r#"["$", "$.in", "$.k"]"#, &["j JSON", "i JSON", "k BIGINT"]);
        let loaded = plan.load(&batch(&[&message]), &facts(&text));
        prop_assert_eq!(unreadable(&loaded), Vec::<String>::new());
        let rows = rows(&loaded);
        let column = |place: usize| rows[0][place].as_deref().map(|text| serde_json::from_str::<Json>(text).unwrap());
        prop_assert_eq!(column(0), Some(printed.clone()));
        prop_assert_eq!(column(1), Some(printed["in"].clone()));
        prop_assert_eq!(column(2), Some(printed["k"].clone()));
    }

    #[test]
    fn what_is_passed_over_is_as_long_as_what_is_read((text, message, printed) in record()) {
        let loaded = plan(r#"["$.k"]"#, &["k BIGINT"]).load(&batch(&[&message]), &facts(&text));
        prop_assert_eq!(rows(&loaded), vec![vec![Some(printed["k"].to_string())]]);
    }

    /// No bytes panic, each record is one row or one rejected row, and which one does not depend on what is wanted.
    #[test]
    fn spoiled_records_are_rejected_alike_by_every_job(
        (text, message, _) in record(),
        spoil in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        tail in vec(any::<u8>(), 0..4),
    ) {
        let mut message = message;
        for (place, byte) in spoil {
            let place = place.index(message.len());
            message[place] = byte;
        }
        message.truncate(message.len() - cut.index(message.len()) / 4);
        message.extend(tail);
        let facts = facts(&text);
        let all = plan(r#"["$", "$.in.f0", "$.in.f1[1]", "$.in.f2.a", "$.in.*"]"#,
            &["j JSON", "a VARCHAR(100)", "b JSON", "c BIGINT", "d VARCHAR(9)"]).load(&batch(&[&message]), &facts);
        let none = plan(r#"["$.no"]"#, &["k BIGINT"]).load(&batch(&[&message]), &facts);
        prop_assert_eq!(unreadable(&all), unreadable(&none));
        for loaded in [&all, &none] {
            let statistics = &loaded.statistics;
            prop_assert_eq!(statistics.total, 1);
            prop_assert_eq!(statistics.total, statistics.loaded + statistics.rejected);
        }
    }

    #[test]
    fn no_text_of_a_schema_panics(text in "[\\PC]{0,80}", pieces in vec(prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"type\"", "\"record\"", "\"fields\"", "\"name\"", "\"r\"", "\"int\"", "\"array\"",
        "\"items\"", "\"map\"", "\"enum\"", "\"symbols\"", "\"fixed\"", "\"size\"", "-1", "1e99", "null",
    ]), 0..40)) {
        let _ = AvroSchema::parse(&text, &[]);
        let _ = AvroSchema::parse(&pieces.concat(), &[&text]);
    }
}

/// Two batches are their concatenation, whatever schemas their records have.
#[test]
fn each_record_is_read_by_its_own_schema() {
    let first = r#"{"type": "record", "name": "r", "fields": [{"name": "k", "type": "int"}]}"#;
    let second = r#"{"type": "record", "name": "r", "fields": [{"name": "x", "type": "string"}, {"name": "k", "type": "string"}]}"#;
    let mut schemas = Schemas::default();
    for (id, text) in [(3, first), (9, second)] {
        schemas.insert(SchemaId(id), SchemaFact::Avro(Arc::new(AvroSchema::parse(text, &[]).unwrap())));
    }
    let job = job(None, [("format", "avro")]);
    let plan = Plan::compile(&job, &table(&["k BIGINT", "x VARCHAR(9)"]), &NoExpressions).unwrap();
    let (a, b) = (framed(3, &[2]), framed(9, &[2, b'y', 4, b'1', b'0']));
    let batch = batch(&[&b, &a, &b, &a, b"junk"]);
    assert_eq!(plan.schemas_needed(&batch), [SchemaId(3), SchemaId(9)]);
    let loaded = plan.load(&batch, &Facts::at(NOW_MS).with_schemas(schemas));
    let row = |k: &str, x: Option<&str>| vec![Some(k.to_owned()), x.map(str::to_owned)];
    assert_eq!(rows(&loaded), [row("10", Some("y")), row("1", None), row("10", Some("y")), row("1", None)]);
    assert_eq!(loaded.rejected.len(), 1);
}

/// A list of records, each inside the one before.
#[test]
fn a_recursive_schema_is_read_to_a_limit() {
    let text = r#"{"type": "record", "name": "node", "fields": [{"name": "k", "type": "long"},
        {"name": "next", "type": ["null", "node"]}]}"#;
    let message = |levels: usize| {
        let data: Vec<u8> = std::iter::repeat_n([2, 2], levels - 1).flatten().chain([2, 0]).collect();
        framed(1, &data)
    };
    let plan = plan(r#"["$.k", "$"]"#, &["k BIGINT", "j JSON"]);
    let (deep, deeper) = (message(128), message(129));
    let loaded = plan.load(&batch(&[&deep, &deeper]), &facts(text));
    assert_eq!(loaded.statistics.loaded, 1);
    assert_eq!(unreadable(&loaded), ["parse error. nested deeper than 128 levels at byte 261"]);
}

/// What a batch prints may be far longer than what it received; Arrow's arrays end at 2 GiB.
#[test]
fn a_short_record_may_have_a_long_text() {
    let long = "f".repeat(5_000);
    let text = format!(
        r#"{{"type": "record", "name": "r", "fields": [{{"name": "a", "type": {{"type": "array", "items":
        {{"type": "record", "name": "i", "fields": [{{"name": "{long}", "type": "boolean"}}]}}}}}}]}}"#
    );
    let record = |items: usize| {
        let count = (items as u64) * 2;
        let mut data = Vec::new();
        let mut rest = count;
        while rest >= 0x80 {
            data.push((rest as u8) | 0x80);
            rest >>= 7;
        }
        data.push(rest as u8);
        data.extend(std::iter::repeat_n(1, items));
        data.push(0);
        framed(1, &data)
    };
    let (fits, too_long) = (record(1_000), record(10_000));
    let loaded = plan(r#"["$.a"]"#, &["j JSON"]).load(&batch(&[&fits, &too_long]), &facts(&text));
    let rows = rows(&loaded);
    assert_eq!(rows[0][0].as_ref().map(String::len), Some(1_000 * (5_000 + 9) + 1_001));
    assert_eq!(rows[1][0], None);
}
