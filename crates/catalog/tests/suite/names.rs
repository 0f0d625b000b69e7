//! Claims on databases, tables, volumes, ids and items of other versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use penstock_catalog::database::Created;
use penstock_catalog::error::CatalogError;
use penstock_catalog::store::{Action, Condition, Key, Store, Value, Write};
use penstock_kernel::ids::DatabaseId;
use penstock_storage::Volume;

use super::sample::{self, DATABASE, NOW_MS, catalog};

type Held = Arc<dyn Store>;

/// How many were created among those that raced.
fn created<T>(outcomes: &[Created<T>]) -> usize {
    outcomes.iter().filter(|outcome| matches!(outcome, Created::New(_))).count()
}

fn either<T>(outcome: Created<T>) -> T {
    match outcome {
        Created::New(it) | Created::Exists(it) => it,
    }
}

pub(crate) async fn ids_begin_at_10001_and_never_repeat(store: Held) {
    let (catalog, _) = catalog(store);
    let first = either(catalog.create_database("first", None).await.unwrap());
    assert_eq!(first.id, DatabaseId(10_001));
    let creators: Vec<_> = (0..6)
        .map(|n| {
            let catalog = catalog.clone();
            tokio::spawn(async move { either(catalog.create_database(&format!("d{n}"), None).await.unwrap()).id })
        })
        .collect();
    let mut ids = BTreeSet::from([first.id]);
    for creator in creators {
        ids.insert(creator.await.unwrap());
    }
    assert_eq!(ids.len(), 7);
}

pub(crate) async fn of_racing_creators_of_a_database_one_wins(store: Held) {
    let (catalog, _) = catalog(store);
    let creators: Vec<_> = (0..6)
        .map(|_| {
            let catalog = catalog.clone();
            tokio::spawn(async move { catalog.create_database("d", None).await.unwrap() })
        })
        .collect();
    let mut outcomes = Vec::new();
    for creator in creators {
        outcomes.push(creator.await.unwrap());
    }
    assert_eq!(created(&outcomes), 1);
    let ids: BTreeSet<_> = outcomes.into_iter().map(|outcome| either(outcome).id).collect();
    assert_eq!(ids.len(), 1);
}

pub(crate) async fn databases_are_listed_by_name_and_case_counts(store: Held) {
    let (catalog, _) = catalog(store);
    for name in ["b", "a", "B"] {
        assert_eq!(created(&[catalog.create_database(name, None).await.unwrap()]), 1);
    }
    let names: Vec<String> = catalog.databases().await.unwrap().into_iter().map(|database| database.name).collect();
    assert_eq!(names, ["B", "a", "b"]);
    assert_eq!(catalog.database("A").await.unwrap(), None);
}

pub(crate) async fn database_is_kept_as_created(store: Held) {
    let (catalog, _) = catalog(store);
    let Created::New(made) = catalog.create_database("d", Some("v")).await.unwrap() else { panic!() };
    assert_eq!((made.volume.as_deref(), made.created_at_ms), (Some("v"), NOW_MS));
    assert_eq!(catalog.database("d").await.unwrap(), Some(made.clone()));
    assert_eq!(catalog.create_database("d", None).await.unwrap(), Created::Exists(made));
}

pub(crate) async fn dropped_database_comes_back_under_another_id(store: Held) {
    let (catalog, _) = catalog(store);
    let first = either(catalog.create_database("d", None).await.unwrap());
    assert!(catalog.drop_database("d").await.unwrap());
    assert!(!catalog.drop_database("d").await.unwrap());
    assert_eq!(catalog.databases().await.unwrap(), []);
    let second = catalog.create_database("d", None).await.unwrap();
    assert_eq!(created(std::slice::from_ref(&second)), 1);
    assert_ne!(either(second).id, first.id);
}

pub(crate) async fn of_racing_creators_of_a_table_one_wins(store: Held) {
    let (catalog, _) = catalog(store);
    let creators: Vec<_> = (0..6)
        .map(|_| {
            let catalog = catalog.clone();
            tokio::spawn(async move { catalog.create_table(sample::table(DATABASE, "t")).await.unwrap() })
        })
        .collect();
    let mut outcomes = Vec::new();
    for creator in creators {
        outcomes.push(creator.await.unwrap());
    }
    assert_eq!(created(&outcomes), 1);
    assert_eq!(catalog.tables(DATABASE).await.unwrap().len(), 1);
}

pub(crate) async fn table_is_found_by_name_and_by_id(store: Held) {
    let (catalog, _) = catalog(store);
    let Created::New(made) = catalog.create_table(sample::table(DATABASE, "t")).await.unwrap() else { panic!() };
    assert_eq!(catalog.table(DATABASE, "t").await.unwrap(), Some(made.clone()));
    assert_eq!(catalog.table_by_id(made.id).await.unwrap(), Some(made.clone()));
    assert_eq!(catalog.table(DATABASE, "T").await.unwrap(), None);
    assert_eq!(catalog.create_table(sample::table(DATABASE, "t")).await.unwrap(), Created::Exists(made));
}

pub(crate) async fn tables_are_listed_by_name_within_their_database(store: Held) {
    let (catalog, _) = catalog(store);
    let other = DatabaseId(10);
    for (database, name) in [(DATABASE, "b"), (other, "c"), (DATABASE, "a")] {
        catalog.create_table(sample::table(database, name)).await.unwrap();
    }
    let names = |tables: Vec<penstock_kernel::table::TableDefinition>| -> Vec<String> {
        tables.into_iter().map(|table| table.name).collect()
    };
    assert_eq!(names(catalog.tables(DATABASE).await.unwrap()), ["a", "b"]);
    assert_eq!(names(catalog.tables(other).await.unwrap()), ["c"]);
}

pub(crate) async fn dropped_table_is_gone_and_comes_back_under_another_id(store: Held) {
    let (catalog, _) = catalog(store);
    let made = either(catalog.create_table(sample::table(DATABASE, "t")).await.unwrap());
    assert_eq!(catalog.drop_table(DATABASE, "t").await.unwrap(), Some(made.clone()));
    assert_eq!(catalog.drop_table(DATABASE, "t").await.unwrap(), None);
    assert_eq!(catalog.table_by_id(made.id).await.unwrap(), None);
    assert_eq!(catalog.table(DATABASE, "t").await.unwrap(), None);
    let Created::New(again) = catalog.create_table(sample::table(DATABASE, "t")).await.unwrap() else { panic!() };
    assert_ne!(again.id, made.id);
}

pub(crate) async fn names_may_hold_separators(store: Held) {
    let (catalog, _) = catalog(store);
    for name in ["a", "a#b", "#", "ä/日本"] {
        assert_eq!(created(&[catalog.create_database(name, None).await.unwrap()]), 1, "{name}");
        assert_eq!(catalog.database(name).await.unwrap().unwrap().name, name);
    }
    assert_eq!(catalog.databases().await.unwrap().len(), 4);
}

fn volume(name: &str, comment: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        location: "s3://b".to_owned(),
        properties: BTreeMap::from([("aws.s3.region".to_owned(), "us-east-1".to_owned())]),
        enabled: true,
        comment: comment.to_owned(),
    }
}

pub(crate) async fn first_volume_becomes_the_default_and_stays_it(store: Held) {
    let (catalog, _) = catalog(store);
    assert_eq!(catalog.default_volume().await.unwrap(), None);
    catalog.put_volume(&volume("b", "")).await.unwrap();
    catalog.put_volume(&volume("a", "")).await.unwrap();
    assert_eq!(catalog.default_volume().await.unwrap().as_deref(), Some("b"));
    assert_eq!(catalog.volumes().await.unwrap(), [volume("a", ""), volume("b", "")]);
}

pub(crate) async fn volume_is_replaced_under_its_name(store: Held) {
    let (catalog, _) = catalog(store);
    assert_eq!(catalog.volume("v").await.unwrap(), None);
    catalog.put_volume(&volume("v", "old")).await.unwrap();
    catalog.put_volume(&volume("v", "new")).await.unwrap();
    assert_eq!(catalog.volume("v").await.unwrap(), Some(volume("v", "new")));
    assert_eq!(catalog.volumes().await.unwrap().len(), 1);
}

/// Stores a database's item after `spoil` changed it, and says what reading it gives.
async fn spoilt(store: Held, spoil: impl FnOnce(&mut penstock_catalog::store::Item)) -> String {
    let (catalog, _) = catalog(Arc::clone(&store));
    catalog.create_database("d", None).await.unwrap();
    let key = Key::new("catalog", "database#d");
    let mut item = store.get(&key).await.unwrap().unwrap();
    spoil(&mut item);
    store.write(Write { key, condition: Condition::Always, action: Action::Put(item) }).await.unwrap();
    match catalog.database("d").await {
        Err(error @ CatalogError::Unreadable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn item_of_a_newer_format_asks_for_an_upgrade(store: Held) {
    let message = spoilt(store, |item| {
        item.insert("format".to_owned(), Value::Number(2));
        item.insert("body".to_owned(), Value::Text("not even JSON".to_owned()));
    });
    let message = message.await;
    assert!(message.contains("`catalog/database#d`") && message.contains("found 2"), "{message}");
    assert!(message.contains("hint: upgrade"), "{message}");
}

pub(crate) async fn damaged_item_is_named(store: Held) {
    let message = spoilt(store, |item| {
        item.insert("body".to_owned(), Value::Text("{".to_owned()));
    });
    let message = message.await;
    assert!(message.contains("`catalog/database#d`"), "{message}");
}
