//! The gateway as a client of the MySQL protocol meets it, on a real socket.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod fake;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fake::Fake;
use mysql_async::prelude::*;
use mysql_async::{Conn, Error, OptsBuilder, Row, Value};
use penstock_gateway::{Gateway, GatewaySettings, Secret};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A gateway that runs until it is stopped or dropped.
struct Running {
    address: SocketAddr,
    fake: Arc<Fake>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

async fn start_with(change: impl FnOnce(&mut GatewaySettings)) -> Running {
    let mut settings = GatewaySettings::new("0.1.0");
    change(&mut settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let fake = Arc::new(Fake::default());
    let (stop, stopped) = oneshot::channel();
    let functions: Arc<Fake> = Arc::clone(&fake);
    let serving = tokio::spawn(Gateway::serve(listener, functions, settings, async {
        let _ = stopped.await;
    }));
    Running { address, fake, stop: Some(stop), serving }
}

async fn start() -> Running {
    start_with(|_| {}).await
}

impl Running {
    fn options(&self) -> OptsBuilder {
        OptsBuilder::default()
            .ip_or_hostname(self.address.ip().to_string())
            .tcp_port(self.address.port())
            .user(Some("root"))
            .prefer_socket(false)
    }

    async fn client(&self) -> Conn {
        Conn::new(self.options()).await.unwrap()
    }

    async fn raw(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A socket whose next packet is a command.
    async fn logged_in(&self) -> TcpStream {
        let mut stream = self.raw().await;
        packet(&mut stream).await;
        // What a client of the protocol 4.1 can do, and nothing more; then reserved bytes, user and empty proof.
        let mut login = vec![0x00, 0x82, 0x00, 0x00];
        login.extend([0; 28]);
        login.extend(b"root\0\0");
        let length = u8::try_from(login.len()).unwrap();
        stream.write_all(&[&[length, 0, 0, 1], login.as_slice()].concat()).await.unwrap();
        assert!(packet(&mut stream).await.starts_with(&[0]));
        stream
    }
}

/// Code and state of an answer that is an error.
fn refused<T: std::fmt::Debug>(answer: Result<T, Error>) -> (u16, String) {
    match answer.unwrap_err() {
        Error::Server(error) => (error.code, error.state),
        other => panic!("{other}"),
    }
}

/// The next packet's payload.
async fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await.unwrap();
    let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut payload).await.unwrap();
    payload
}

/// Everything until the server closes.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // A reset is a close, too.
    let _ = stream.read_to_end(&mut rest).await;
    rest
}

#[tokio::test]
async fn only_the_right_password_of_root_logs_in() {
    let running = start_with(|settings| settings.password = Some(Secret::new("s3cret"))).await;
    assert!(Conn::new(running.options().pass(Some("s3cret"))).await.is_ok());
    for (user, password) in [("root", Some("wrong")), ("root", None), ("admin", Some("s3cret"))] {
        let login = Conn::new(running.options().user(Some(user)).pass(password)).await;
        assert_eq!(refused(login), (1045, "28000".to_owned()), "{user} {password:?}");
    }
}

#[tokio::test]
async fn without_a_password_root_logs_in_without_one() {
    let running = start().await;
    running.client().await;
    assert_eq!(refused(Conn::new(running.options().pass(Some("any"))).await).0, 1045);
}

#[tokio::test]
async fn the_salt_differs_between_connections() {
    let running = start().await;
    let first = packet(&mut running.raw().await).await;
    let second = packet(&mut running.raw().await).await;
    let salt = |greeting: &[u8]| {
        let version = greeting.iter().position(|byte| *byte == 0).unwrap();
        greeting[version + 5..version + 13].to_vec()
    };
    assert_ne!(salt(&first), salt(&second));
}

#[tokio::test]
async fn a_database_named_at_login_is_used_or_refused() {
    let running = start().await;
    running.client().await.query_drop("CREATE DATABASE shop").await.unwrap();
    let mut client = Conn::new(running.options().db_name(Some("shop"))).await.unwrap();
    let database: Option<String> = client.query_first("SELECT DATABASE()").await.unwrap();
    assert_eq!(database.as_deref(), Some("shop"));
    assert_eq!(refused(Conn::new(running.options().db_name(Some("none"))).await).0, 5501);
}

#[tokio::test]
async fn statements_carry_the_session_to_the_functions() {
    let running = start().await;
    let mut client = running.client().await;
    for sql in ["CREATE DATABASE shop", "USE shop", "SET time_zone = '+08:00'", "SELECT 1"] {
        client.query_drop(sql).await.unwrap();
    }
    let seen = running.fake.seen.lock().unwrap().clone();
    let last = seen.last().unwrap();
    assert_eq!(last.sql, "SELECT 1");
    assert_eq!(last.session.database.as_deref(), Some("shop"));
    assert_eq!((last.session.time_zone.as_str(), last.session.user.as_str()), ("+08:00", "root"));
    assert!(seen.iter().all(|request| !request.sql.contains("SET")), "SET concerns the connection only");
}

#[tokio::test]
async fn text_and_prepared_statements_answer_the_same_values() {
    let running = start().await;
    let mut client = running.client().await;
    let sql = "SELECT 7 AS a, CAST(-3 AS TINYINT) AS b, CAST(0.5 AS FLOAT) AS c, 1.25 AS d, 'ä''\\\\' AS e, NULL AS f, \
               CAST('2024-06-12' AS DATE) AS g, CAST('2024-06-12 15:51:12.25' AS DATETIME) AS h, \
               CAST(1.5 AS DECIMAL(10, 2)) AS i, TRUE AS j, X'00FF' AS k, 18446744073709551615 AS l";
    let text: Row = client.query_first(sql).await.unwrap().unwrap();
    let binary: Row = client.exec_first(sql, ()).await.unwrap().unwrap();
    assert_eq!(
        binary.unwrap(),
        [
            Value::Int(7),
            Value::Int(-3),
            Value::Float(0.5),
            Value::Double(1.25),
            Value::Bytes("ä'\\".as_bytes().to_vec()),
            Value::NULL,
            Value::Date(2024, 6, 12, 0, 0, 0, 0),
            Value::Date(2024, 6, 12, 15, 51, 12, 250_000),
            Value::Bytes(b"1.50".to_vec()),
            Value::Int(1),
            Value::Bytes(vec![0, 0xff]),
            Value::UInt(u64::MAX),
        ]
    );
    let texts: Vec<Option<Vec<u8>>> = text
        .unwrap()
        .into_iter()
        .map(|value| match value {
            Value::Bytes(bytes) => Some(bytes),
            Value::NULL => None,
            other => panic!("{other:?}"),
        })
        .collect();
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(
        texts,
        [
            bytes("7"),
            bytes("-3"),
            bytes("0.5"),
            bytes("1.25"),
            bytes("ä'\\"),
            None,
            bytes("2024-06-12"),
            bytes("2024-06-12 15:51:12.25"),
            bytes("1.50"),
            bytes("1"),
            Some(vec![0, 0xff]),
            bytes("18446744073709551615"),
        ]
    );
}

#[tokio::test]
async fn parameters_of_every_type_come_back() {
    let running = start().await;
    let mut client = running.client().await;
    let long = "x".repeat(20 << 20);
    for value in [
        Value::NULL,
        Value::Int(-5),
        Value::UInt(u64::MAX),
        Value::Double(-2.5),
        Value::Bytes(b"it's \\ \"quoted\" \0 -- /* ? */".to_vec()),
        Value::Bytes("ä😀".as_bytes().to_vec()),
        Value::Bytes(vec![0xff, 0xfe]),
        Value::Bytes(long.into_bytes()),
    ] {
        let row: Row = client.exec_first("SELECT ?", (value.clone(),)).await.unwrap().unwrap();
        assert!(row.unwrap() == [value.clone()], "{:.80}", format!("{value:?}"));
    }
    let row: Row = client
        .exec_first("SELECT ?, ?", (Value::Date(2024, 6, 12, 1, 2, 3, 4), Value::Time(true, 1, 2, 3, 4, 5)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.unwrap(), [Value::from("2024-06-12 01:02:03.000004"), Value::from("-26:03:04.000005")]);
}

#[tokio::test]
async fn statements_longer_than_a_packet_are_read_and_answered_whole() {
    let running = start().await;
    let mut client = running.client().await;
    let long = "y".repeat((16 << 20) + 5);
    let found: Option<String> = client.query_first(format!("SELECT '{long}'")).await.unwrap();
    assert!(found.as_ref() == Some(&long));
}

#[tokio::test]
async fn several_statements_answer_in_order_until_one_fails() {
    let running = start().await;
    let mut client = running.client().await;
    let mut answers = client.query_iter("SELECT 1; SET @a = 2; SELECT @a; SELECT FROM; SELECT 4").await.unwrap();
    assert_eq!(answers.collect::<i64>().await.unwrap(), [1]);
    assert!(answers.collect::<i64>().await.unwrap().is_empty());
    assert_eq!(answers.collect::<i64>().await.unwrap(), [2]);
    assert_eq!(refused(answers.collect::<i64>().await).0, 1064);
    drop(answers);
    let alive: Option<i64> = client.query_first("SELECT 5").await.unwrap();
    assert_eq!(alive, Some(5));
    assert!(running.fake.seen.lock().unwrap().iter().all(|request| request.sql != "SELECT 4"));
}

#[tokio::test]
async fn errors_carry_code_state_and_hint() {
    let running = start().await;
    let mut client = running.client().await;
    client.query_drop("CREATE DATABASE shop").await.unwrap();
    for (sql, code, state) in [
        ("USE none", 5501, "42000"),
        ("CREATE DATABASE shop", 1007, "HY000"),
        ("DROP DATABASE none", 1008, "HY000"),
        ("SHOW TABLES", 1046, "3D000"),
        ("SELECT 1 FROM none", 5502, "42000"),
        ("SELECT @@none", 1193, "HY000"),
        ("SELECT 1 AS unreachable", 1205, "HY000"),
        ("  ; -- nothing", 1065, "42000"),
    ] {
        assert_eq!(refused(client.query_drop(sql).await), (code, state.to_owned()), "{sql}");
    }
    match client.query_drop("nonsense of the user").await.unwrap_err() {
        Error::Server(error) => {
            assert_eq!(error.message, "expected a statement, found something else\nhint: see the documentation");
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn many_rows_stream_and_an_error_amid_them_ends_the_result_only() {
    let running = start().await;
    let mut client = running.client().await;
    let numbers: Vec<i64> = client.query("SELECT 1 FROM numbers LIMIT 100000").await.unwrap();
    assert!(numbers.into_iter().eq(0..100_000));
    let numbers: Vec<i64> = client.exec("SELECT 1 FROM numbers LIMIT ?", (2500,)).await.unwrap();
    assert_eq!(numbers.len(), 2500);
    assert_eq!(refused(client.query::<i64, _>("SELECT 1 FROM numbers FAILS LIMIT 5000").await).0, 1105);
    let alive: Option<i64> = client.query_first("SELECT 5").await.unwrap();
    assert_eq!(alive, Some(5));
}

#[tokio::test]
async fn a_connection_is_reset_and_its_user_changed() {
    let running = start_with(|settings| settings.password = Some(Secret::new("s3cret"))).await;
    let mut client = Conn::new(running.options().pass(Some("s3cret"))).await.unwrap();
    client.query_drop("SET @a = 1, time_zone = '+01:00'").await.unwrap();
    assert!(client.reset().await.unwrap());
    let found: Option<(Option<i64>, String)> = client.query_first("SELECT @a, @@time_zone").await.unwrap();
    assert_eq!(found, Some((None, "Etc/UTC".to_owned())));
    client.change_user(mysql_async::ChangeUserOpts::default()).await.unwrap();
    let wrong = mysql_async::ChangeUserOpts::default().with_pass(Some("wrong".to_owned()));
    assert_eq!(refused(client.change_user(wrong).await).0, 1045);
}

#[tokio::test]
async fn kill_ends_a_statement_or_a_connection() {
    let running = start().await;
    let (mut worker, mut killer) = (running.client().await, running.client().await);
    let number = worker.id();
    let sleeping = tokio::spawn(async move { (worker.query_drop("SELECT SLEEP").await, worker) });
    loop {
        let processes: Vec<Row> = killer.query("SHOW PROCESSLIST").await.unwrap();
        let info = processes.iter().find(|row| row.get::<u32, _>("Id") == Some(number)).unwrap();
        if info.get::<Option<String>, _>("Info").unwrap().as_deref() == Some("SELECT SLEEP") {
            break;
        }
    }
    // It is listed before it waits for its function: tell it until it hears.
    let mut sleeping = std::pin::pin!(sleeping);
    let (ended, mut worker) = loop {
        killer.query_drop(format!("KILL QUERY {number}")).await.unwrap();
        tokio::select! {
            ended = &mut sleeping => break ended.unwrap(),
            () = tokio::task::yield_now() => {}
        }
    };
    assert_eq!(refused(ended), (1317, "70100".to_owned()));
    let alive: Option<i64> = worker.query_first("SELECT 5").await.unwrap();
    assert_eq!(alive, Some(5));
    killer.query_drop(format!("KILL {number}")).await.unwrap();
    assert!(worker.query_drop("SELECT SLEEP").await.is_err());
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so_and_room_is_freed() {
    let running = start_with(|settings| settings.limits.connections = 1).await;
    let only = running.client().await;
    let refusal = packet(&mut running.raw().await).await;
    assert_eq!(refusal, b"\xff\x10\x04Too many connections");
    only.disconnect().await.unwrap();
    loop {
        if Conn::new(running.options()).await.is_ok() {
            break;
        }
    }
}

#[tokio::test]
async fn hostile_packets_close_their_connection_only() {
    let running = start_with(|settings| settings.limits.packet_bytes = 1 << 20).await;
    let mut patient = running.client().await;
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\xff\xff\xff\x01",
        b"\x01\x00\x00\x07x",
        b"\x00\x00\x00\x01",
        b"\x04\x00\x00\x01\xff\xff\xff\xff",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"",
    ] {
        let mut stream = running.raw().await;
        packet(&mut stream).await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        until_closed(&mut stream).await;
    }
    // Logged in: an oversized packet, a wrong sequence, an execution of nothing, an unknown command.
    for bytes in
        [&b"\x01\x00\x10\x00"[..], b"\x01\x00\x00\x05\x0e", b"\x03\x00\x00\x00\x17\x01\x00", b"\x00\x00\x00\x00"]
    {
        let mut stream = running.logged_in().await;
        stream.write_all(bytes).await.unwrap();
        let said = until_closed(&mut stream).await;
        assert_eq!(said.get(4), Some(&0xff), "{bytes:?}: {said:?}");
    }
    let alive: Option<i64> = patient.query_first("SELECT 5").await.unwrap();
    assert_eq!(alive, Some(5));
}

#[tokio::test]
async fn who_does_not_log_in_or_says_nothing_is_disconnected() {
    let running = start_with(|settings| {
        settings.limits.login = Duration::from_millis(50);
        settings.limits.idle = Duration::from_millis(50);
    })
    .await;
    let mut silent = running.raw().await;
    packet(&mut silent).await;
    assert_eq!(until_closed(&mut silent).await.get(4), Some(&0xff));
    let mut idle = running.logged_in().await;
    assert_eq!(until_closed(&mut idle).await.get(4), Some(&0xff));
}

#[tokio::test]
async fn a_stop_ends_idle_clients_and_the_gateway() {
    let mut running = start().await;
    let mut idle = running.client().await;
    let mut busy = running.client().await;
    let busy = tokio::spawn(async move { busy.query_drop("SELECT SLEEP").await });
    while running.fake.seen.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    running.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(3), running.serving).await.unwrap().unwrap();
    assert!(idle.ping().await.is_err());
    assert!(busy.await.unwrap().is_err());
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_statement() {
    let running = start().await;
    let mut leaving = running.client().await;
    let number = leaving.id();
    let statement = tokio::spawn(async move { leaving.query_drop("SELECT SLEEP").await });
    while running.fake.seen.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    statement.abort();
    let mut watcher = running.client().await;
    loop {
        let processes: Vec<Row> = watcher.query("SHOW PROCESSLIST").await.unwrap();
        if processes.iter().all(|row| row.get::<u32, _>("Id") != Some(number)) {
            break;
        }
    }
}

/// Sends a command, as the first packet of an exchange.
async fn command(stream: &mut TcpStream, payload: &[u8]) {
    let length = u8::try_from(payload.len()).unwrap();
    stream.write_all(&[&[length, 0, 0, 0], payload].concat()).await.unwrap();
}

/// Packets up to an EOF: how many came before it, and the status that it tells.
async fn rows_and_status(stream: &mut TcpStream) -> (usize, u16) {
    let mut rows = 0;
    loop {
        let packet = packet(stream).await;
        match packet.as_slice() {
            [0xfe, _, _, low, high] => return (rows, u16::from_le_bytes([*low, *high])),
            [0xff, ..] => panic!("{}", String::from_utf8_lossy(&packet)),
            _ => rows += 1,
        }
    }
}

#[tokio::test]
async fn a_cursor_is_fetched_piece_by_piece() {
    const OPEN: u16 = 2 | 64;
    const LAST: u16 = 2 | 128;
    let running = start().await;
    let mut stream = running.logged_in().await;
    for (number, sql, rows) in
        [(1_u8, "select 1 from numbers limit 5", 5), (2, "select 1 from numbers limit 0", 0), (3, "show databases", 1)]
    {
        command(&mut stream, &[b"\x16", sql.as_bytes()].concat()).await;
        assert!(packet(&mut stream).await.starts_with(&[0, number]));
        command(&mut stream, &[0x17, number, 0, 0, 0, 1, 1, 0, 0, 0]).await;
        // The number of columns and the only column; then nothing until it is fetched.
        assert_eq!(rows_and_status(&mut stream).await, (2, OPEN), "{sql}");
        let fetch = [0x1c, number, 0, 0, 0, 3, 0, 0, 0];
        let mut fetched = 0;
        loop {
            command(&mut stream, &fetch).await;
            let (piece, status) = rows_and_status(&mut stream).await;
            assert!(piece <= 3, "{sql}");
            fetched += piece;
            if status == LAST {
                break;
            }
            assert_eq!((piece, status), (3, OPEN), "{sql}");
        }
        assert_eq!(fetched, rows, "{sql}");
        command(&mut stream, &fetch).await;
        assert!(packet(&mut stream).await.starts_with(b"\xff\x8d\x05"), "{sql}: the last row closes the cursor");
    }
    command(&mut stream, b"\x17\x01\0\0\0\x01\x01\0\0\0").await;
    assert_eq!(rows_and_status(&mut stream).await, (2, OPEN));
    command(&mut stream, b"\x1a\x01\0\0\0").await;
    assert!(packet(&mut stream).await.starts_with(&[0]));
    command(&mut stream, b"\x1c\x01\0\0\0\x03\0\0\0").await;
    assert!(packet(&mut stream).await.starts_with(b"\xff\x8d\x05"), "a reset closes the cursor");
}
