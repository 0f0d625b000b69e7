//! JSON values into Avro's binary encoding by the reference implementation, `apache-avro`.

use std::cell::RefCell;
use std::collections::HashMap;

use apache_avro::schema::Schema;
use apache_avro::types::Value;

/// A record in the Confluent wire format.
pub(crate) fn framed(id: u32, data: &[u8]) -> Vec<u8> {
    [&[0], &id.to_be_bytes()[..], data].concat()
}

/// The encoding of a value that the reference takes for one of `schema`.
pub(crate) fn binary(schema: &Schema, value: Value) -> Vec<u8> {
    apache_avro::to_avro_datum(schema, value).expect("a value of the schema")
}

/// A JSON value as one of `schema`: a union's branch is named, as in `{"string": "x"}`, unless it is null; bytes are
/// `"0x..."`; numbers of logical types are the numbers that they are.
pub(crate) fn value(schema: &Schema, json: &serde_json::Value) -> Value {
    of(schema, json, &Names::default())
}

/// Named types met so far.
type Names = RefCell<HashMap<String, Schema>>;

fn of(schema: &Schema, json: &serde_json::Value, names: &Names) -> Value {
    if let Some(name) = schema.name() {
        match schema {
            Schema::Ref { name } => {
                let known = names.borrow().get(&name.fullname(None)).cloned();
                return of(&known.expect("a name defined before"), json, names);
            }
            _ => names.borrow_mut().insert(name.fullname(None), schema.clone()),
        };
    }
    if let Schema::Decimal(decimal) = schema
        && let Some(name) = decimal.inner.name()
    {
        names.borrow_mut().insert(name.fullname(None), schema.clone());
    }
    let long = || json.as_i64().expect("a whole number");
    let int = || i32::try_from(long()).expect("32 bits");
    let bytes = || crate::support::hex(json.as_str().and_then(|text| text.strip_prefix("0x")).expect("0x and digits"));
    match schema {
        Schema::Null => Value::Null,
        Schema::Boolean => Value::Boolean(json.as_bool().expect("a boolean")),
        Schema::Int => Value::Int(int()),
        Schema::Long => Value::Long(long()),
        Schema::Float => Value::Float(json.as_f64().expect("a number") as f32),
        Schema::Double => Value::Double(json.as_f64().expect("a number")),
        Schema::Bytes => Value::Bytes(bytes()),
        Schema::Fixed(fixed) => Value::Fixed(fixed.size, bytes()),
        Schema::String => Value::String(json.as_str().expect("a text").to_owned()),
        Schema::Enum(known) => {
            let symbol = json.as_str().expect("a symbol");
            let place = known.symbols.iter().position(|known| known == symbol).expect("a symbol of the enum");
            Value::Enum(place as u32, symbol.to_owned())
        }
        Schema::Array(array) => {
            Value::Array(json.as_array().expect("an array").iter().map(|item| of(&array.items, item, names)).collect())
        }
        Schema::Map(map) => {
            let members = json.as_object().expect("an object").iter();
            Value::Map(members.map(|(key, inner)| (key.clone(), of(&map.types, inner, names))).collect())
        }
        Schema::Union(union) => {
            let name = |schema: &Schema| match schema {
                Schema::Record(record) => record.name.name.clone(),
                Schema::Enum(known) => known.name.name.clone(),
                Schema::Fixed(fixed) => fixed.name.name.clone(),
                Schema::Ref { name } => name.name.clone(),
                other => format!("{:?}", apache_avro::schema::SchemaKind::from(other)).to_lowercase(),
            };
            let (wanted, inner) = match json {
                serde_json::Value::Null => ("null", json),
                serde_json::Value::Object(members) if members.len() == 1 => {
                    members.iter().next().map(|(key, inner)| (key.as_str(), inner)).expect("a member")
                }
                _ => panic!("a union's value names its branch: {json}"),
            };
            let branches = union.variants();
            let place = branches.iter().position(|branch| name(branch) == wanted).expect("a branch of the union");
            Value::Union(place as u32, Box::new(of(&branches[place], inner, names)))
        }
        Schema::Record(record) => {
            let fields = record.fields.iter();
            Value::Record(
                fields
                    .map(|field| {
                        let inner = json.get(&field.name).unwrap_or_else(|| panic!("no field {}", field.name));
                        (field.name.clone(), of(&field.schema, inner, names))
                    })
                    .collect(),
            )
        }
        Schema::Date => Value::Date(int()),
        Schema::TimeMillis => Value::TimeMillis(int()),
        Schema::TimeMicros => Value::TimeMicros(long()),
        Schema::TimestampMillis => Value::TimestampMillis(long()),
        Schema::TimestampMicros => Value::TimestampMicros(long()),
        Schema::TimestampNanos => Value::TimestampNanos(long()),
        Schema::LocalTimestampMillis => Value::LocalTimestampMillis(long()),
        Schema::LocalTimestampMicros => Value::LocalTimestampMicros(long()),
        Schema::LocalTimestampNanos => Value::LocalTimestampNanos(long()),
        Schema::Decimal(_) => Value::Decimal(bytes().into()),
        other => panic!("no value of {other:?} here"),
    }
}
