use std::sync::Arc;

use async_trait::async_trait;
use penstock_sql::request::{SqlRequest, SqlResponse};
use penstock_sql::result::{Cell, CellType};

use super::*;
use crate::functions::{Functions, QueryRows};
use crate::settings::GatewaySettings;

struct NoFunctions;

#[async_trait]
impl Functions for NoFunctions {
    async fn admin(&self, _: SqlRequest) -> Result<SqlResponse, SqlError> {
        unreachable!("the connection answers by itself")
    }

    async fn query(&self, _: SqlRequest) -> Result<QueryRows, SqlError> {
        unreachable!("the connection answers by itself")
    }
}

fn server() -> Server {
    Server::new(Arc::new(NoFunctions), GatewaySettings::new("0.1.0"))
}

fn session() -> Session {
    let variables = variable::Variables::new(&GatewaySettings::new("0.1.0"));
    Session::new(7, "root".to_owned(), "127.0.0.1".to_owned(), variables)
}

fn rows(sql: &str, session: &mut Session) -> ResultSet {
    match answer(sql, session, &server()) {
        Ok(Some(Answer::Rows(result))) => result,
        other => panic!("{sql}: {other:?}"),
    }
}

/// The only row, as text.
fn one(sql: &str, session: &mut Session) -> Vec<String> {
    let result = rows(sql, session);
    assert_eq!(result.rows.len(), 1, "{sql}");
    let text = |(cell, column): (&Cell, &penstock_sql::result::ResultColumn)| {
        crate::text::of(cell, column.cell_type)
            .map_or("NULL".to_owned(), |text| String::from_utf8_lossy(&text).into_owned())
    };
    result.rows[0].iter().zip(&result.columns).map(text).collect()
}

fn done(sql: &str, session: &mut Session) {
    assert!(matches!(answer(sql, session, &server()), Ok(Some(Answer::Done))), "{sql}");
}

#[test]
fn what_the_mysql_client_asks_when_it_connects_is_answered() {
    let mut session = session();
    assert_eq!(one("select @@version_comment limit 1", &mut session), ["Penstock 0.1.0"]);
    assert_eq!(one("SELECT DATABASE()", &mut session), ["NULL"]);
    session.database = Some("shop".to_owned());
    assert_eq!(one("SELECT DATABASE()", &mut session), ["shop"]);
    assert_eq!(one("select USER()", &mut session), ["root@127.0.0.1"]);
    assert_eq!(one("select CONNECTION_ID(), VERSION()", &mut session), ["7", "8.0.33-penstock-0.1.0"]);
}

#[test]
fn connector_j_gets_each_variable_under_its_alias_and_as_a_number_where_it_is_one() {
    let sql = "/* mysql-connector-j-9.4.0 */SELECT  @@session.auto_increment_increment AS auto_increment_increment, \
         @@character_set_client AS character_set_client, @@character_set_connection AS character_set_connection, \
         @@character_set_results AS character_set_results, @@character_set_server AS character_set_server, \
         @@collation_server AS collation_server, @@collation_connection AS collation_connection, \
         @@init_connect AS init_connect, @@interactive_timeout AS interactive_timeout, @@license AS license, \
         @@lower_case_table_names AS lower_case_table_names, @@max_allowed_packet AS max_allowed_packet, \
         @@net_write_timeout AS net_write_timeout, @@performance_schema AS performance_schema, \
         @@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone, \
         @@transaction_isolation AS transaction_isolation, @@wait_timeout AS wait_timeout";
    let result = rows(sql, &mut session());
    assert_eq!(result.columns.len(), 19);
    assert_eq!(result.columns[0].name, "auto_increment_increment");
    assert_eq!(result.columns[0].cell_type, CellType::BigInt);
    assert_eq!(result.columns[1].cell_type, CellType::Varchar);
    assert_eq!(result.rows[0][0], Cell::Integer(1));
}

#[test]
fn titles_are_the_expressions_as_written() {
    let result = rows("SELECT @@session.autocommit, @@GLOBAL . sql_mode m, 'x' 'y'", &mut session());
    let titles: Vec<&str> = result.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(titles, ["@@session.autocommit", "m", "y"]);
}

#[test]
fn set_is_remembered_in_all_its_spellings() {
    let mut session = session();
    for (sql, variable, value) in [
        ("SET NAMES latin1 COLLATE latin1_bin", "@@collation_connection", "latin1_bin"),
        ("set names 'utf8mb4'", "@@character_set_results", "utf8mb4"),
        ("SET CHARACTER SET utf8", "@@character_set_client", "utf8"),
        ("SET character_set_results = NULL", "@@character_set_results", "NULL"),
        ("SET autocommit=0", "@@autocommit", "0"),
        ("SET @@session.autocommit = ON", "@@session.autocommit", "1"),
        ("SET SESSION sql_mode='ANSI', query_timeout = 10", "@@sql_mode", "ANSI"),
        ("SET sql_mode=CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')", "@@sql_mode", "ANSI,STRICT_TRANS_TABLES"),
        ("SET sql_mode=(REPLACE(@@sql_mode, 'ANSI,', ''))", "@@sql_mode", "STRICT_TRANS_TABLES"),
        ("SET sql_mode = DEFAULT", "@@sql_mode", "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES"),
        ("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "@@tx_isolation", "REPEATABLE-READ"),
        ("SET TRANSACTION READ ONLY", "@@transaction_read_only", "1"),
        ("SET time_zone = '+8:00'", "@@time_zone", "+08:00"),
        ("SET @old = @@time_zone, @n := 5", "@old", "+08:00"),
        ("SET @`n` = -5", "@n", "-5"),
        ("SET global max_execution_time = 9", "@@global.max_execution_time", "9"),
    ] {
        done(sql, &mut session);
        assert_eq!(one(&format!("SELECT {variable}"), &mut session), [value], "{sql}");
    }
    assert_eq!(session.context().time_zone, "+08:00");
}

#[test]
fn wrong_settings_are_refused() {
    let mut session = session();
    for (sql, code) in [
        ("SET nonsense = 1", error_code::UNKNOWN_VARIABLE),
        ("SELECT @@nonsense", error_code::UNKNOWN_VARIABLE),
        ("SET time_zone = 'Mars'", code::TIME_ZONE),
        ("SET version = '9'", error_code::READ_ONLY),
        ("SET autocommit", code::PARSE),
        ("SET autocommit = 1 2", code::PARSE),
        ("SET sql_mode = (SELECT 1)", code::PARSE),
        ("SET PASSWORD = 'x'", code::PARSE),
        ("SET", code::PARSE),
        ("KILL x", code::PARSE),
        ("KILL 99", error_code::UNKNOWN_CONNECTION),
    ] {
        assert_eq!(answer(sql, &mut session, &server()).unwrap_err().code, code, "{sql}");
    }
}

#[test]
fn the_status_follows_transactions_and_autocommit() {
    let mut session = session();
    assert_eq!(session.status(), 2);
    done("BEGIN", &mut session);
    assert_eq!(session.status(), 3);
    done("COMMIT", &mut session);
    done("SET autocommit = 0", &mut session);
    assert_eq!(session.status(), 0);
    done("START TRANSACTION READ ONLY", &mut session);
    session.reset();
    assert_eq!(session.status(), 2);
}

#[test]
fn shows_have_their_columns() {
    let mut session = session();
    for (sql, columns, rows_expected) in [
        ("SHOW VARIABLES LIKE 'lower_case_%'", 2, 2),
        ("SHOW GLOBAL VARIABLES WHERE Variable_name = 'sql_mode'", 2, 1),
        ("SHOW SESSION STATUS LIKE 'Ssl_cipher'", 2, 1),
        ("SHOW WARNINGS LIMIT 5", 3, 0),
        ("SHOW COUNT(*) WARNINGS", 1, 1),
        ("SHOW ENGINES", 6, 1),
        ("SHOW STORAGE ENGINES", 6, 1),
        ("SHOW CHARACTER SET LIKE 'utf8%'", 4, 1),
        ("SHOW COLLATION WHERE Charset = 'utf8mb4'", 7, 4),
        ("SHOW PLUGINS", 5, 2),
        ("SHOW FULL PROCESSLIST", 8, 0),
        ("SHOW GRANTS FOR CURRENT_USER()", 1, 1),
        ("SHOW TRIGGERS FROM `a` LIKE 'b'", 11, 0),
        ("SHOW PROCEDURE STATUS WHERE Db='a'", 11, 0),
        ("SHOW EVENTS", 15, 0),
    ] {
        let result = rows(sql, &mut session);
        assert_eq!((result.columns.len(), result.rows.len()), (columns, rows_expected), "{sql}");
    }
}

#[test]
fn the_last_error_is_shown_as_a_warning() {
    let mut session = session();
    session.last_error = Some(SqlError::new(code::UNKNOWN_TABLE, "unknown table `t`"));
    assert_eq!(one("SHOW WARNINGS", &mut session), ["Error", "5502", "unknown table `t`"]);
    assert_eq!(one("SHOW COUNT(*) ERRORS", &mut session), ["1"]);
}

#[test]
fn what_is_more_than_the_session_goes_on_to_a_function() {
    let mut session = session();
    for sql in [
        "SELECT @@autocommit + 1",
        "SELECT upper(DATABASE())",
        "SELECT 1 UNION SELECT @@autocommit",
        "SELECT @@autocommit WHERE 1 = 0",
        "SHOW MASTER STATUS",
        "SHOW VARIABLES LIKE 'a' nonsense",
        "PREPARE s FROM 'select 1'",
        "HELP 'x'",
    ] {
        assert!(matches!(answer(sql, &mut session, &server()), Ok(None)), "{sql}");
    }
}

#[test]
fn deep_nesting_ends() {
    let sql = format!("SELECT {}@@autocommit", "(".repeat(100_000));
    assert!(matches!(answer(&sql, &mut session(), &server()), Ok(None)));
}
