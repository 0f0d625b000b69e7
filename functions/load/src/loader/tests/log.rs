//! What an invocation says while it works.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use super::world::{Delivery, World};

thread_local! {
    /// What this thread's test has logged, while it listens.
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes to the lines of the thread that logs. One subscriber serves all tests: whether a place in the code logs at
/// all is remembered for the whole process, so that a subscriber of one thread may never be asked.
struct OwnLines;

impl io::Write for OwnLines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.as_mut().map(|lines| lines.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The JSON log lines of loading `event`.
async fn lines_of(world: &World, event: &[u8]) -> Vec<serde_json::Value> {
    static SUBSCRIBE: Once = Once::new();
    SUBSCRIBE.call_once(|| {
        let subscriber = tracing_subscriber::fmt().json().with_writer(|| OwnLines).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    LINES.set(Some(Vec::new()));
    let _ = world.load(event).await;
    let text = String::from_utf8(LINES.take().unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn batch_is_one_line_with_ranges_and_counts() {
    let world = World::new().await;
    let lines = lines_of(&world, &Delivery::of(0, 3..5).and(2, 0..1).json()).await;
    let [line] = lines.as_slice() else { panic!("one line, found {lines:?}") };
    let fields = &line["fields"];
    assert_eq!(line["level"], "INFO");
    assert_eq!(fields["job"], world.job.0);
    assert_eq!(fields["ranges"], "0:[3,5) 2:[0,1)");
    assert_eq!((&fields["records"], &fields["loaded"]), (&3.into(), &3.into()));
    assert!(fields["milliseconds"].is_u64() && fields["file_bytes"].is_u64());
}

#[tokio::test]
async fn no_line_holds_bytes_of_a_record() {
    let world = World::new().await;
    let secret = b"{\"place\":\"hush-hush\",\"site\":\"hush-hush\"}";
    let lines = lines_of(&world, &Delivery::default().record(0, 0, secret).json()).await;
    // The batch, and the job that it pauses.
    assert_eq!(lines.len(), 2, "{lines:?}");
    let broken = br#"{"records":{"x":[{"topic":"clicks","partition":0,"offset":1,"value":"hush-hush"}]}}"#;
    let more = lines_of(&world, broken).await;
    assert_eq!(more.len(), 1, "{more:?}");
    for line in lines.iter().chain(&more) {
        assert!(!line.to_string().contains("hush"), "{line}");
    }
}

#[tokio::test]
async fn failure_is_one_line_with_its_kind_and_causes() {
    let world = World::with_properties(&[("jsonpaths", "[\"$.x[\"]")]).await;
    let lines = lines_of(&world, &Delivery::of(0, 0..1).json()).await;
    let failed: Vec<_> = lines.iter().filter(|line| line["fields"]["kind"] == "WrongDefinition").collect();
    let [line] = failed.as_slice() else { panic!("one failure, found {lines:?}") };
    let message = line["fields"]["message"].as_str().unwrap();
    assert!(message.contains("cannot work as defined: "), "{message}");
}
