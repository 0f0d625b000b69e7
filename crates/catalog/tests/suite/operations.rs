//! Claims on the operations of a store.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_catalog::error::CatalogError;
use penstock_catalog::store::{
    Action, Condition, Item, Key, MAX_TRANSACTION_WRITES, Store, Value, Write, WriteOutcome,
};

type Held = Arc<dyn Store>;

fn key(sk: &str) -> Key {
    Key::new("p", sk)
}

fn item(n: i64) -> Item {
    Item::from([("n".to_owned(), Value::Number(n))])
}

fn put(sk: &str, condition: Condition, n: i64) -> Write {
    Write { key: key(sk), condition, action: Action::Put(item(n)) }
}

fn is(n: i64) -> Condition {
    Condition::Equals(vec![("n".to_owned(), Value::Number(n))])
}

fn failed(index: usize, stored: Option<Item>) -> WriteOutcome {
    WriteOutcome::ConditionFailed { index, stored }
}

async fn held(store: &Held, sk: &str) -> Option<Item> {
    store.get(&key(sk)).await.unwrap()
}

async fn write(store: &Held, write: Write) -> WriteOutcome {
    store.write(write).await.unwrap()
}

pub(crate) async fn absent_item_is_none(store: Held) {
    assert_eq!(held(&store, "a").await, None);
}

pub(crate) async fn put_item_is_read_back_whole(store: Held) {
    let item = Item::from([
        ("text".to_owned(), Value::Text("Zürich \u{1f6b0} \"quoted\" #1".to_owned())),
        ("empty".to_owned(), Value::Text(String::new())),
        ("least".to_owned(), Value::Number(i64::MIN)),
        ("most".to_owned(), Value::Number(i64::MAX)),
        ("bytes".to_owned(), Value::Bytes(vec![0, 255, 10])),
    ]);
    let key = Key::new("p#ü", "s#\u{1f6b0}");
    let put = Write { key: key.clone(), condition: Condition::Always, action: Action::Put(item.clone()) };
    assert_eq!(write(&store, put).await, WriteOutcome::Done);
    assert_eq!(store.get(&key).await.unwrap(), Some(item.clone()));
    assert_eq!(store.query("p#ü", "s#").await.unwrap(), [(key, item)]);
}

pub(crate) async fn second_put_if_absent_fails_and_shows_the_first(store: Held) {
    assert_eq!(write(&store, put("a", Condition::Absent, 1)).await, WriteOutcome::Done);
    assert_eq!(write(&store, put("a", Condition::Absent, 2)).await, failed(0, Some(item(1))));
    assert_eq!(held(&store, "a").await, Some(item(1)));
}

pub(crate) async fn equality_with_an_absent_item_fails_and_shows_none(store: Held) {
    assert_eq!(write(&store, put("a", is(1), 2)).await, failed(0, None));
    assert_eq!(held(&store, "a").await, None);
}

pub(crate) async fn equality_compares_every_attribute(store: Held) {
    let stored = Item::from([
        ("n".to_owned(), Value::Number(1)),
        ("t".to_owned(), Value::Text("x".to_owned())),
        ("b".to_owned(), Value::Bytes(vec![7])),
    ]);
    let put = |expected: Vec<(&str, Value)>| Write {
        key: key("a"),
        condition: Condition::Equals(expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        action: Action::Put(stored.clone()),
    };
    let first = Write { key: key("a"), condition: Condition::Absent, action: Action::Put(stored.clone()) };
    assert_eq!(write(&store, first).await, WriteOutcome::Done);
    let (n, t, b) = (Value::Number(1), Value::Text("x".to_owned()), Value::Bytes(vec![7]));
    assert_eq!(write(&store, put(vec![("n", n.clone()), ("t", t.clone()), ("b", b)])).await, WriteOutcome::Done);
    for wrong in [
        vec![("n", n.clone()), ("t", Value::Text("y".to_owned()))],
        vec![("n", Value::Number(2)), ("t", t)],
        vec![("n", Value::Text("1".to_owned()))],
        vec![("absent", n)],
        vec![("b", Value::Bytes(vec![7, 7]))],
    ] {
        assert_eq!(write(&store, put(wrong.clone())).await, failed(0, Some(stored.clone())), "{wrong:?}");
    }
}

pub(crate) async fn equality_without_attributes_asks_for_existence(store: Held) {
    let exists = Condition::Equals(Vec::new());
    assert_eq!(write(&store, put("a", exists.clone(), 1)).await, failed(0, None));
    write(&store, put("a", Condition::Absent, 1)).await;
    assert_eq!(write(&store, put("a", exists, 2)).await, WriteOutcome::Done);
}

pub(crate) async fn put_replaces_the_whole_item(store: Held) {
    let wide = Item::from([("n".to_owned(), Value::Number(1)), ("more".to_owned(), Value::Number(2))]);
    write(&store, Write { key: key("a"), condition: Condition::Always, action: Action::Put(wide) }).await;
    write(&store, put("a", Condition::Always, 3)).await;
    assert_eq!(held(&store, "a").await, Some(item(3)));
}

pub(crate) async fn delete_obeys_its_condition(store: Held) {
    write(&store, put("a", Condition::Absent, 1)).await;
    let delete = |condition| Write { key: key("a"), condition, action: Action::Delete };
    assert_eq!(write(&store, delete(is(2))).await, failed(0, Some(item(1))));
    assert_eq!(held(&store, "a").await, Some(item(1)));
    assert_eq!(write(&store, delete(is(1))).await, WriteOutcome::Done);
    assert_eq!(held(&store, "a").await, None);
}

pub(crate) async fn delete_of_absent_item_is_done(store: Held) {
    let delete = Write { key: key("a"), condition: Condition::Always, action: Action::Delete };
    assert_eq!(write(&store, delete).await, WriteOutcome::Done);
}

pub(crate) async fn check_outside_a_transaction_is_refused(store: Held) {
    let check = Write { key: key("a"), condition: Condition::Absent, action: Action::Check };
    assert!(matches!(store.write(check).await, Err(CatalogError::Refused { operation: "write", .. })));
}

pub(crate) async fn query_is_ascending_and_keeps_to_its_prefix(store: Held) {
    for sk in ["job#2", "job#10", "job#1", "jobs", "job", "a", "job$", "z"] {
        write(&store, put(sk, Condition::Absent, 1)).await;
    }
    let other = Write { key: Key::new("p2", "job#3"), condition: Condition::Absent, action: Action::Put(item(1)) };
    write(&store, other).await;
    let found: Vec<String> = store.query("p", "job#").await.unwrap().into_iter().map(|(key, _)| key.sk).collect();
    assert_eq!(found, ["job#1", "job#10", "job#2"]);
}

pub(crate) async fn query_without_prefix_finds_all_of_the_partition_key(store: Held) {
    for sk in ["b", "a"] {
        write(&store, put(sk, Condition::Absent, 1)).await;
    }
    assert_eq!(store.query("p", "").await.unwrap(), [(key("a"), item(1)), (key("b"), item(1))]);
    assert_eq!(store.query("q", "").await.unwrap(), []);
}

pub(crate) async fn query_of_many_megabytes_is_complete(store: Held) {
    let mut expected = BTreeMap::new();
    for n in 0..25 {
        let key = key(&format!("big#{n:03}"));
        let item = Item::from([("text".to_owned(), Value::Text(format!("{n}{}", "x".repeat(150_000))))]);
        expected.insert(key.clone(), item.clone());
        write(&store, Write { key, condition: Condition::Absent, action: Action::Put(item) }).await;
    }
    let found = store.query("p", "big#").await.unwrap();
    assert_eq!(found.len(), expected.len());
    assert!(found.into_iter().eq(expected));
}

pub(crate) async fn transaction_of_hundred_writes_takes_place(store: Held) {
    let writes: Vec<Write> = (0..100).map(|n| put(&format!("{n:03}"), Condition::Absent, n)).collect();
    assert_eq!(writes.len(), MAX_TRANSACTION_WRITES);
    assert_eq!(store.transact("t", writes).await.unwrap(), WriteOutcome::Done);
    let found = store.query("p", "").await.unwrap();
    assert!(found.into_iter().map(|(_, item)| item).eq((0..100).map(item)));
}

pub(crate) async fn failed_condition_undoes_the_transaction_and_is_named(store: Held) {
    write(&store, put("c", Condition::Absent, 7)).await;
    let writes =
        vec![put("a", Condition::Absent, 1), put("b", Condition::Always, 1), put("c", is(6), 1), put("d", is(6), 1)];
    assert_eq!(store.transact("t", writes).await.unwrap(), failed(2, Some(item(7))));
    assert_eq!(store.query("p", "").await.unwrap(), [(key("c"), item(7))]);
    let writes = vec![put("a", Condition::Absent, 1), put("d", is(6), 1)];
    assert_eq!(store.transact("u", writes).await.unwrap(), failed(1, None));
    assert_eq!(held(&store, "a").await, None);
}

pub(crate) async fn check_holds_back_a_transaction_and_writes_nothing(store: Held) {
    write(&store, put("fence", Condition::Absent, 1)).await;
    let check = |condition| Write { key: key("fence"), condition, action: Action::Check };
    let delete = Write { key: key("fence2"), condition: Condition::Always, action: Action::Delete };
    let writes = vec![put("a", Condition::Absent, 1), check(is(1)), delete];
    assert_eq!(store.transact("t", writes).await.unwrap(), WriteOutcome::Done);
    assert_eq!(held(&store, "fence").await, Some(item(1)));
    let writes = vec![put("b", Condition::Absent, 1), check(is(2))];
    assert_eq!(store.transact("u", writes).await.unwrap(), failed(1, Some(item(1))));
    assert_eq!(held(&store, "b").await, None);
}

pub(crate) async fn check_without_condition_holds(store: Held) {
    let check = |sk| Write { key: key(sk), condition: Condition::Always, action: Action::Check };
    let writes = vec![put("a", Condition::Absent, 1), check("absent")];
    assert_eq!(store.transact("t", writes).await.unwrap(), WriteOutcome::Done);
    assert_eq!(store.transact("u", vec![check("a")]).await.unwrap(), WriteOutcome::Done);
}

pub(crate) async fn item_of_380_kilobytes_is_stored(store: Held) {
    let item = Item::from([("body".to_owned(), Value::Text("x".repeat(380_000)))]);
    let put = Write { key: key("a"), condition: Condition::Absent, action: Action::Put(item.clone()) };
    assert_eq!(store.transact("t", vec![put]).await.unwrap(), WriteOutcome::Done);
    assert_eq!(held(&store, "a").await, Some(item));
}

pub(crate) async fn repeated_token_with_same_writes_is_done_and_does_nothing(store: Held) {
    let writes = vec![put("a", Condition::Absent, 1), put("b", Condition::Always, 1)];
    assert_eq!(store.transact("t", writes.clone()).await.unwrap(), WriteOutcome::Done);
    write(&store, put("b", Condition::Always, 2)).await;
    assert_eq!(store.transact("t", writes).await.unwrap(), WriteOutcome::Done);
    assert_eq!(held(&store, "b").await, Some(item(2)));
}

pub(crate) async fn repeated_token_with_other_writes_is_refused(store: Held) {
    assert_eq!(store.transact("t", vec![put("a", Condition::Absent, 1)]).await.unwrap(), WriteOutcome::Done);
    let other = store.transact("t", vec![put("b", Condition::Absent, 1)]).await;
    assert!(matches!(other, Err(CatalogError::Refused { operation: "transact", .. })), "{other:?}");
    assert_eq!(held(&store, "b").await, None);
}

pub(crate) async fn transaction_out_of_bounds_is_refused(store: Held) {
    let one = || vec![put("a", Condition::Always, 1)];
    let many = (0..101).map(|n| put(&n.to_string(), Condition::Always, 1)).collect();
    let twice = vec![put("a", Condition::Always, 1), put("a", Condition::Always, 2)];
    let long = "x".repeat(37);
    for (token, writes) in [("", one()), (long.as_str(), one()), ("t", Vec::new()), ("t", many), ("t", twice)] {
        let refused = store.transact(token, writes).await;
        assert!(matches!(refused, Err(CatalogError::Refused { operation: "transact", .. })), "{refused:?}");
    }
    assert_eq!(store.transact(&"x".repeat(36), one()).await.unwrap(), WriteOutcome::Done);
}

pub(crate) async fn of_racing_creators_one_wins(store: Held) {
    let creators = (0..8).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let writes = vec![put("name", Condition::Absent, n), put(&format!("of {n}"), Condition::Absent, n)];
            store.transact(&format!("t{n}"), writes).await.unwrap()
        })
    });
    let mut outcomes = Vec::new();
    for creator in creators.collect::<Vec<_>>() {
        outcomes.push(creator.await.unwrap());
    }
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == WriteOutcome::Done).count(), 1, "{outcomes:?}");
    assert_eq!(store.query("p", "of ").await.unwrap().len(), 1);
}

pub(crate) async fn racing_increments_lose_none(store: Held) {
    write(&store, put("n", Condition::Absent, 0)).await;
    let writers = (0..4).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for round in 0..5 {
                for attempt in 0.. {
                    let Some(Value::Number(n)) = held(&store, "n").await.unwrap().remove("n") else { unreachable!() };
                    let token = format!("{writer}-{round}-{attempt}");
                    if store.transact(&token, vec![put("n", is(n), n + 1)]).await.unwrap() == WriteOutcome::Done {
                        break;
                    }
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(held(&store, "n").await, Some(item(20)));
}
