//! Texts that are schemas, and texts that are none.

use super::*;

fn problem(text: &str) -> String {
    AvroSchema::parse(text, &[]).expect_err(text).to_string()
}

#[test]
fn a_text_that_is_no_schema_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "schema: no JSON, line 1 column 0: EOF while parsing a value"),
        ("7", "schema: expected a type, found `7`"),
        ("\"point\"", "schema: type `point` is not defined"),
        ("[]", "schema: expected a union with a branch, found `[]`"),
        ("[\"null\", [\"int\"]]", "schema: a union cannot hold a union"),
        ("{}", "schema: expected a `type`, found none"),
        ("{\"type\": \"array\"}", "schema: expected `items`, found none"),
        ("{\"type\": \"map\"}", "schema: expected `values`, found none"),
        ("{\"type\": \"fixed\", \"name\": \"f\", \"size\": -1}", "schema: expected a `size` of 0 or more, found `-1`"),
        ("{\"type\": \"enum\", \"name\": \"e\"}", "schema: expected an array of `symbols`, found none"),
        ("{\"type\": \"record\", \"fields\": []}", "schema: expected a `name`, found none"),
        (
            "{\"type\": \"record\", \"name\": \"r\", \"fields\": [{\"name\": \"a\", \"type\": {\"type\": \"record\", \
             \"name\": \"s\", \"fields\": [{\"name\": \"b\", \"type\": \"nope\"}]}}]}",
            "schema, `a.b`: type `nope` is not defined",
        ),
        (
            "{\"type\": \"record\", \"name\": \"r\", \"fields\": [{\"name\": \"a\", \"type\": \"int\"}, {\"name\": \
             \"a\", \"type\": \"int\"}]}",
            "schema: `a` is defined twice",
        ),
        (
            "{\"type\": \"record\", \"name\": \"r\", \"fields\": [{\"name\": \"a\", \"type\": \"r\"}]}",
            "schema: the record contains itself, so no value of it ends",
        ),
    ] {
        assert_eq!(problem(text), expected, "{text}");
    }
}

#[test]
fn names_are_looked_up_in_their_namespace() {
    let text = "{\"type\": \"record\", \"name\": \"a.b.r\", \"fields\": [
        {\"name\": \"e\", \"type\": {\"type\": \"enum\", \"name\": \"e\", \"symbols\": [\"A\"]}},
        {\"name\": \"f\", \"type\": \"e\"}, {\"name\": \"g\", \"type\": [\"null\", \"a.b.e\"]},
        {\"name\": \"h\", \"type\": {\"type\": \"e\"}}]}";
    let schema = AvroSchema::parse(text, &[]).unwrap();
    let Type::Record(fields) = schema.node(schema.root()) else { panic!("no record") };
    assert_eq!(schema.node(fields[1].node), &Type::Enum(vec!["A".into()]));
    assert_eq!(fields[1].node, fields[0].node);
    assert_eq!(fields[3].node, fields[0].node);
}

#[test]
fn references_define_names() {
    let reference = "{\"type\": \"fixed\", \"name\": \"x.id\", \"size\": 2}";
    let text = "{\"type\": \"record\", \"name\": \"r\", \"fields\": [{\"name\": \"a\", \"type\": \"x.id\"}]}";
    let schema = AvroSchema::parse(text, &[reference]).unwrap();
    let Type::Record(fields) = schema.node(schema.root()) else { panic!("no record") };
    assert_eq!(schema.node(fields[0].node), &Type::Fixed(2));
    assert!(AvroSchema::parse(text, &[]).is_err());
}

#[test]
fn a_text_nested_without_end_is_refused() {
    let deep = format!("{}\"int\"{}", "{\"type\":".repeat(5_000), "}".repeat(5_000));
    assert!(problem(&deep).contains("recursion limit exceeded"));
    let mut fields = String::from("{\"type\": \"record\", \"name\": \"r0\", \"fields\": []}");
    let mut references = Vec::new();
    for level in 1..400 {
        references.push(fields);
        fields = format!(
            "{{\"type\": \"record\", \"name\": \"r{level}\", \"fields\": [{{\"name\": \"a\", \"type\": \"r{}\"}}]}}",
            level - 1
        );
    }
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    // Each level is known by the time that the next one needs it, so a chain of names is no depth here.
    AvroSchema::parse(&fields, &references).unwrap();
}

#[test]
fn values_without_bytes_are_known() {
    let text = "{\"type\": \"record\", \"name\": \"r\", \"fields\": [{\"name\": \"a\", \"type\": \"null\"},
        {\"name\": \"b\", \"type\": {\"type\": \"fixed\", \"name\": \"f\", \"size\": 0}},
        {\"name\": \"c\", \"type\": {\"type\": \"record\", \"name\": \"s\", \"fields\": []}},
        {\"name\": \"d\", \"type\": [\"null\"]}]}";
    let schema = AvroSchema::parse(text, &[]).unwrap();
    let Type::Record(fields) = schema.node(schema.root()) else { panic!("no record") };
    let empty: Vec<bool> = fields.iter().map(|field| schema.is_empty(field.node)).collect();
    assert_eq!(empty, [true, true, true, false]);
    assert!(!schema.is_empty(schema.root()));
}
