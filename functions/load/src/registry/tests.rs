//! The client against a registry that answers as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Status and body of each answer, by path; the last one of a path is given again and again.
type Script = BTreeMap<&'static str, VecDeque<(u16, String)>>;

struct Fake {
    url: String,
    /// Heads of the requests, in order.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, heads) = (Arc::new(Mutex::new(script)), Arc::clone(&asked));
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let (script, heads) = (Arc::clone(&script), Arc::clone(&heads));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(socket.read_u8().await.unwrap());
                    }
                    let head = String::from_utf8(head).unwrap();
                    let path = head.split(' ').nth(1).unwrap().to_owned();
                    heads.lock().unwrap().push(head);
                    let (status, body) = {
                        let mut script = script.lock().unwrap();
                        match script.get_mut(path.as_str()) {
                            Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
                            Some(answers) => answers.front().cloned().unwrap(),
                            None => (404, "{\"error_code\":40403,\"message\":\"Schema not found\"}".to_owned()),
                        }
                    };
                    let location = if status == 302 { format!("location: {body}\r\n") } else { String::new() };
                    let answer = format!(
                        "HTTP/1.1 {status} x\r\nconnection: close\r\n{location}content-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = socket.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { url, asked }
    }

    fn registry(&self) -> SchemaRegistry {
        SchemaRegistry::parse(&self.url.replace("http://", "http://key:hidden@")).unwrap()
    }

    fn requests(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn script(answers: &[(&'static str, &[(u16, &str)])]) -> Script {
    let owned = |(status, body): &(u16, &str)| (*status, (*body).to_owned());
    answers.iter().map(|(path, answers)| (*path, answers.iter().map(owned).collect())).collect()
}

fn client() -> Registry {
    Registry::new(RegistrySettings {
        pause: Duration::from_millis(1),
        timeout: Duration::from_secs(5),
        max_answer_bytes: 2_000,
        max_fetched: 3,
        ..RegistrySettings::default()
    })
}

fn found(schema: &str, references: &str) -> String {
    format!("{{\"schema\":{},\"references\":[{references}]}}", serde_json::Value::String(schema.to_owned()))
}

async fn one(client: &Registry, fake: &Fake, id: u32) -> Result<SchemaFact, RegistryError> {
    let schemas = client.schemas(&fake.registry(), &[SchemaId(id)]).await?;
    Ok(schemas.get(SchemaId(id)).cloned().expect("an answer"))
}

fn unusable(fact: &SchemaFact) -> &str {
    match fact {
        SchemaFact::Unusable(why) => why,
        SchemaFact::Avro(_) => panic!("it is usable"),
    }
}

#[tokio::test]
async fn a_schema_is_fetched_once_with_credentials() {
    let fake = Fake::start(script(&[("/schemas/ids/7", &[(200, &found("\"int\"", ""))])])).await;
    let client = client();
    for _ in 0..3 {
        assert!(matches!(one(&client, &fake, 7).await.unwrap(), SchemaFact::Avro(_)));
    }
    assert_eq!(fake.requests(), 1);
    let head = fake.asked.lock().unwrap()[0].clone();
    assert!(head.to_lowercase().contains("authorization: basic a2v5omhpzgrlbg=="), "{head}");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let busy = [(503, "{}"), (429, "{}"), (200, "{\"schema\":\"\\\"int\\\"\"}")];
    let fake = Fake::start(script(&[
        ("/schemas/ids/1", &busy),
        ("/schemas/ids/2", &[(500, "{\"error_code\":50001,\"message\":\"no disk\"}")]),
        ("/schemas/ids/3", &[(401, "{\"error_code\":401,\"message\":\"who?\"}")]),
        ("/schemas/ids/4", &[(404, "<html>nothing here</html>")]),
        ("/schemas/ids/5", &[(200, "hello")]),
    ]))
    .await;
    let client = client();
    assert!(matches!(one(&client, &fake, 1).await.unwrap(), SchemaFact::Avro(_)));
    assert_eq!(fake.requests(), 3);
    let error = one(&client, &fake, 2).await.unwrap_err();
    assert!(error.may_pass() && error.to_string().contains("tried 4 times: no disk"), "{error}");
    assert_eq!(fake.requests(), 7);
    for (id, words) in [(3, "status 401: who?"), (4, "status 404"), (5, "no schema")] {
        let error = one(&client, &fake, id).await.unwrap_err();
        assert!(!error.may_pass() && error.to_string().contains(words), "{error}");
        assert!(!one_line(&error).contains("hidden"), "{error}");
    }
    assert_eq!(fake.requests(), 10);
}

#[tokio::test]
async fn what_is_wrong_with_a_schema_is_a_fact() {
    let long = format!("{{\"schema\":\"{}\"}}", "x".repeat(3_000));
    let fake = Fake::start(script(&[
        ("/schemas/ids/2", &[(200, "{\"schema\":\"{}\",\"schemaType\":\"JSON\"}")]),
        ("/schemas/ids/3", &[(200, &found("\"nope\"", ""))]),
        ("/schemas/ids/4", &[(200, &long)]),
    ]))
    .await;
    let client = client();
    for (id, expected) in [
        (1, "does not exist in the registry"),
        (2, "is a schema of type JSON, expected AVRO"),
        (3, "is no schema that records can be read with: schema: type `nope` is not defined"),
    ] {
        assert_eq!(unusable(&one(&client, &fake, id).await.unwrap()), expected);
    }
    let asked = fake.requests();
    one(&client, &fake, 1).await.unwrap();
    assert_eq!(fake.requests(), asked, "an unknown id is not asked for again at once");
    assert!(matches!(one(&client, &fake, 4).await, Err(RegistryError::Long { .. })));
}

#[tokio::test]
async fn types_of_other_schemas_are_found_each_once() {
    let a = found(
        "{\"type\":\"record\",\"name\":\"a\",\"fields\":[{\"name\":\"b\",\"type\":\"b\"},{\"name\":\"c\",\"type\":\"c\"}]}",
        "{\"name\":\"b\",\"subject\":\"b/x\",\"version\":2},{\"name\":\"c\",\"subject\":\"c\",\"version\":1}",
    );
    let b = found(
        "{\"type\":\"record\",\"name\":\"b\",\"fields\":[{\"name\":\"c\",\"type\":\"c\"}]}",
        "{\"name\":\"c\",\"subject\":\"c\",\"version\":1}",
    );
    let c = found("{\"type\":\"fixed\",\"name\":\"c\",\"size\":3}", "");
    let itself = found("\"int\"", "{\"name\":\"d\",\"subject\":\"d\",\"version\":1}");
    let fake = Fake::start(script(&[
        ("/schemas/ids/1", &[(200, &a)]),
        ("/subjects/b%2Fx/versions/2", &[(200, &b)]),
        ("/subjects/c/versions/1", &[(200, &c)]),
        ("/schemas/ids/2", &[(200, &itself)]),
        ("/subjects/d/versions/1", &[(200, &itself)]),
    ]))
    .await;
    let client = client();
    assert!(matches!(one(&client, &fake, 1).await.unwrap(), SchemaFact::Avro(_)));
    assert_eq!(fake.requests(), 3);
    let fact = one(&client, &fake, 2).await.unwrap();
    assert_eq!(unusable(&fact), "uses version 1 of the subject `d`, which uses itself");
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let other = Fake::start(script(&[("/schemas/ids/1", &[(200, &found("\"int\"", ""))])])).await;
    let away = format!("{}/schemas/ids/1", other.url);
    let fake = Fake::start(script(&[
        ("/schemas/ids/1", &[(302, &away)]),
        ("/schemas/ids/2", &[(302, "/schemas/ids/3")]),
        ("/schemas/ids/3", &[(200, &found("\"int\"", ""))]),
    ]))
    .await;
    let client = client();
    assert!(matches!(one(&client, &fake, 1).await, Err(RegistryError::Refused { status: 302, .. })));
    assert_eq!(other.requests(), 0);
    assert!(matches!(one(&client, &fake, 2).await.unwrap(), SchemaFact::Avro(_)));
}

#[tokio::test]
async fn a_batch_of_made_up_ids_ends() {
    let fake = Fake::start(Script::new()).await;
    let ids: Vec<SchemaId> = (1..=1_000).map(SchemaId).collect();
    let schemas = client().schemas(&fake.registry(), &ids).await.unwrap();
    assert_eq!(fake.requests(), 3);
    let last = schemas.get(SchemaId(1_000)).expect("an answer");
    assert_eq!(unusable(last), "is one of more than 3 unknown ones in a batch");
}

#[tokio::test]
async fn nobody_there_is_told_with_the_address() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let registry = SchemaRegistry::parse(&format!("http://{free}")).unwrap();
    let error = client().schemas(&registry, &[SchemaId(1)]).await.unwrap_err();
    assert!(error.may_pass());
    assert!(error.to_string().contains(&free.to_string()), "{error}");
}
