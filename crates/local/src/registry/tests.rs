//! What is registered, and what is kept of it; the REST API is proven by Confluent's own client, end to end.

use super::answer::ApiError;
use super::state::{Reference, Registered, Schema, SchemaType, Which};

fn avro(text: &str) -> Schema {
    Schema { schema: text.to_owned(), schema_type: SchemaType::Avro, references: Vec::new() }
}

#[test]
fn a_schema_has_one_id_wherever_it_is_registered() {
    let folder = tempfile::tempdir().unwrap();
    let mut registered = Registered::open(&folder.path().join("schemas.json")).unwrap();
    assert_eq!(registered.register("a", avro("\"int\"")).unwrap(), (1, 1));
    assert_eq!(registered.register("a", avro("{\"type\": \"long\"}")).unwrap(), (2, 2));
    assert_eq!(registered.register("a", avro("{ \"type\":\"long\" }")).unwrap(), (2, 2));
    assert_eq!(registered.register("b", avro("\"int\"")).unwrap(), (1, 1));
    assert_eq!(registered.uses(1), [("a", 1), ("b", 1)]);
    assert_eq!(registered.lookup("a", &avro("\"int\""), false).unwrap().version, 1);
    assert_eq!(registered.version("a", Which::Latest, false).unwrap().id, 2);
}

#[test]
fn what_is_deleted_keeps_its_id_and_never_gives_it_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schemas.json");
    let mut registered = Registered::open(&file).unwrap();
    registered.register("a", avro("\"int\"")).unwrap();
    assert!(matches!(registered.delete("a", None, true), Err(ApiError::Deletion(40_405, _))));
    assert_eq!(registered.delete("a", None, false).unwrap(), [1]);
    assert_eq!(registered.versions("a", false), Err(ApiError::Subject("a".to_owned())));
    assert_eq!(registered.subjects(true), ["a"]);
    assert_eq!(registered.register("a", avro("\"int\"")).unwrap(), (1, 2));
    assert_eq!(registered.delete("a", Some(Which::Number(1)), true).unwrap(), [1]);
    let again = Registered::open(&file).unwrap();
    assert!(again.schema(1).is_some());
    assert_eq!(again.versions("a", true).unwrap().len(), 1);
}

#[test]
fn a_schema_is_checked_with_what_it_refers_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut registered = Registered::open(&folder.path().join("schemas.json")).unwrap();
    let uses = |version| Schema {
        schema: "{\"type\": \"array\", \"items\": \"x.id\"}".to_owned(),
        schema_type: SchemaType::Avro,
        references: vec![Reference { name: "x.id".to_owned(), subject: "id".to_owned(), version }],
    };
    assert!(matches!(registered.register("list", uses(1)), Err(ApiError::InvalidSchema(_))));
    registered.register("id", avro("{\"type\": \"fixed\", \"name\": \"x.id\", \"size\": 2}")).unwrap();
    assert_eq!(registered.register("list", uses(1)).unwrap(), (2, 1));
    assert_eq!(registered.used_by("id", 1), [2]);
    assert!(matches!(registered.delete("id", None, false), Err(ApiError::Referenced(_))));
    assert!(matches!(registered.register("bad", avro("\"nope\"")), Err(ApiError::InvalidSchema(_))));
}

#[test]
fn a_damaged_file_keeps_the_registry_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schemas.json");
    std::fs::write(&file, "{").unwrap();
    assert!(Registered::open(&file).is_err());
}
