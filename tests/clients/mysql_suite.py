"""MySQL clients of Python, and the `mysql` program, against a running server: mysql_suite.py HOST PORT [PASSWORD].

One line a check, last the sum; status 1 if any failed. What is checked holds for any Penstock server: login, databases and
tables, values of every type as text and prepared, several statements, errors. It leaves no database behind.
"""

import datetime
import decimal
import os
import subprocess
import sys
import traceback

import mysql.connector
import pymysql
import pymysql.cursors
from pymysql.constants import CLIENT, FIELD_TYPE

HOST, PORT = sys.argv[1], int(sys.argv[2])
PASSWORD = sys.argv[3] if len(sys.argv) > 3 else ""
DATABASE = f"mysql_suite_{os.getpid()}"

# Every type that a query can answer: expression, value as text, value as a driver with types gives it.
TYPES = [
    ("CAST(-7 AS TINYINT)", -7),
    ("CAST(-300 AS SMALLINT)", -300),
    ("CAST(-70000 AS INT)", -70000),
    ("CAST(9223372036854775807 AS BIGINT)", 9223372036854775807),
    ("CAST('0.5' AS FLOAT)", 0.5),
    ("CAST('-2.25' AS DOUBLE)", -2.25),
    ("CAST(1.5 AS DECIMAL(10, 2))", decimal.Decimal("1.50")),
    ("'it''s'", "it's"),
    ("'ä😀'", "ä😀"),
    ("''", ""),
    ("CAST('2024-06-12' AS DATE)", datetime.date(2024, 6, 12)),
    ("CAST('2024-06-12 15:51:12' AS DATETIME)", datetime.datetime(2024, 6, 12, 15, 51, 12)),
    ("CAST('2024-06-12 15:51:12.25' AS DATETIME)", datetime.datetime(2024, 6, 12, 15, 51, 12, 250000)),
    ("TRUE", 1),
    ("NULL", None),
]

# Parameters of prepared statements, and what `SELECT ?` must give back: dates come as the text they stand for.
PARAMETERS = [
    (0, 0),
    (-5, -5),
    (2**62, 2**62),
    (True, 1),
    (2.5, 2.5),
    (-1e-7, -1e-7),
    (decimal.Decimal("1.5"), 1.5),
    ("plain", "plain"),
    ("it's \\ \"quoted\" `` -- /* ? */ ; \n\t", "it's \\ \"quoted\" `` -- /* ? */ ; \n\t"),
    ("ä😀", "ä😀"),
    ("", ""),
    ("x" * 100_000, "x" * 100_000),
    (datetime.date(2024, 6, 12), "2024-06-12"),
    (datetime.datetime(2024, 6, 12, 1, 2, 3, 4), "2024-06-12 01:02:03.000004"),
    (None, None),
]

checks = []


def check(function):
    checks.append(function)
    return function


def pymysql_connection(**options):
    return pymysql.connect(host=HOST, port=PORT, user="root", **({"password": PASSWORD} | options))


def connector_connection(**options):
    defaults = {"user": "root", "password": PASSWORD, "use_pure": True}
    return mysql.connector.connect(host=HOST, port=PORT, **(defaults | options))


def mysql_program(*arguments, password=PASSWORD, stdin=""):
    """Status, standard output and standard error of the `mysql` program."""
    environment = dict(os.environ, MYSQL_PWD=password, LC_ALL="C.UTF-8")
    command = ["mysql", f"-h{HOST}", f"-P{PORT}", "-uroot", "--protocol=tcp", "--default-character-set=utf8mb4"]
    done = subprocess.run(
        [*command, *arguments], input=stdin, env=environment, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def rows(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def same(found, expected):
    if found != expected:
        raise AssertionError(f"expected {expected!r:.200}, found {found!r:.200}")


def refused(action, *codes):
    """The message of the error that `action` must raise with one of `codes`."""
    try:
        action()
    except (pymysql.MySQLError, mysql.connector.Error) as error:
        code = error.errno if isinstance(error, mysql.connector.Error) else error.args[0]
        if code not in codes:
            raise AssertionError(f"expected error {codes}, found {error}") from error
        return str(error)
    raise AssertionError(f"expected error {codes}, found none")


@check
def pymysql_logs_in_with_the_right_password_only():
    pymysql_connection().close()
    refused(lambda: pymysql_connection(password="wrong " + PASSWORD), 1045)
    refused(lambda: pymysql.connect(host=HOST, port=PORT, user="nobody", password=PASSWORD), 1045)


@check
def pymysql_is_told_that_a_database_is_unknown():
    message = refused(lambda: pymysql_connection(database="no_such_database"), 1049, 5501)
    assert "unknown database" in message.lower(), message


@check
def pymysql_pings_and_commits():
    with pymysql_connection(autocommit=False) as connection:
        connection.ping()
        connection.begin()
        connection.commit()
        connection.rollback()
        connection.autocommit(True)
        assert connection.get_autocommit()
        same(rows(connection, "SELECT 1"), ((1,),))


@check
def databases_and_tables_come_and_go():
    with pymysql_connection() as connection:
        refused(lambda: rows(connection, "SHOW TABLES"), 1046)
        rows(connection, f"CREATE DATABASE {DATABASE}")
        refused(lambda: rows(connection, f"CREATE DATABASE {DATABASE}"), 1007)
        assert (DATABASE,) in rows(connection, "SHOW DATABASES")
        refused(lambda: rows(connection, "USE no_such_database"), 1049, 5501)
        connection.select_db(DATABASE)
        same(rows(connection, "SELECT DATABASE()"), ((DATABASE,),))
        table = "CREATE TABLE t (id BIGINT NOT NULL, name STRING, price DECIMAL(10, 2)) DISTRIBUTED BY HASH(id)"
        rows(connection, table)
        refused(lambda: rows(connection, table), 1050)
        same(rows(connection, "SHOW TABLES"), (("t",),))
        same([row[0] for row in rows(connection, "SHOW COLUMNS FROM t")], ["id", "name", "price"])
        refused(lambda: rows(connection, "SELECT 1 FROM no_such_table"), 1146, 5502)
        rows(connection, "DROP TABLE t")
        refused(lambda: rows(connection, "DROP TABLE t"), 1051, 5502)
        rows(connection, f"DROP DATABASE {DATABASE}")
        refused(lambda: rows(connection, f"DROP DATABASE {DATABASE}"), 1008)


@check
def errors_leave_the_connection_usable():
    with pymysql_connection() as connection:
        for statement in ["this is no statement", "SELECT FROM WHERE", "CREATE TABLE", "SET time_zone ="]:
            refused(lambda statement=statement: rows(connection, statement), 1064)
        refused(lambda: rows(connection, "SET time_zone = 'Mars/Base'"), 1298)
        refused(lambda: rows(connection, "SELECT @@no_such_variable"), 1193)
        refused(lambda: rows(connection, "  "), 1065)
        same(rows(connection, "SELECT 1"), ((1,),))


@check
def pymysql_reads_every_type_as_text():
    with pymysql_connection() as connection:
        for expression, expected in TYPES:
            ((found,),) = rows(connection, f"SELECT {expression} AS v")
            same((expression, found, type(found)), (expression, expected, type(expected)))


@check
def columns_are_described():
    with pymysql_connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 AS a, 'x' AS b, CAST(1.5 AS DECIMAL(10, 2)) AS c, CAST('2024-06-12' AS DATE) AS d, "
            "CAST('1' AS DOUBLE) AS e, TRUE AS f"
        )
        same([column[0] for column in cursor.description], ["a", "b", "c", "d", "e", "f"])
        kinds = [column[1] for column in cursor.description]
        same(kinds[1:], [
            FIELD_TYPE.VAR_STRING, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.DATE, FIELD_TYPE.DOUBLE, FIELD_TYPE.TINY,
        ])
        same(cursor.description[2][5], 2)


@check
def pymysql_escapes_what_comes_back_unchanged():
    with pymysql_connection() as connection:
        for text in ["it's", "\\", "\\'", '"', "ä😀", "a\nb\tc\rd", "%s ?", "`", "--", "", "\0", "\x1a"]:
            same(rows(connection, "SELECT %s", (text,)), ((text,),))
        same(rows(connection, "SELECT %s, %s, %s", (5, None, 2.5)), ((5, None, 2.5),))


@check
def several_statements_answer_in_order():
    with pymysql_connection(client_flag=CLIENT.MULTI_STATEMENTS) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1; SET @a = 2; SELECT @a; SELECT 'a;b'")
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
        same([set_of_rows for set_of_rows in found if set_of_rows], [((1,),), ((2,),), (("a;b",),)])
    with pymysql_connection(client_flag=CLIENT.MULTI_STATEMENTS) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1; this is no statement; SELECT 3")
        refused(cursor.nextset, 1064)
        same(rows(connection, "SELECT 4"), ((4,),))


@check
def several_statements_are_refused_unless_asked_for():
    with pymysql_connection() as connection:
        refused(lambda: rows(connection, "SELECT 1; SELECT 2"), 1064)
        same(rows(connection, "SELECT 1;"), ((1,),))


@check
def pymysql_reads_without_buffer():
    with pymysql_connection() as connection, connection.cursor(pymysql.cursors.SSDictCursor) as cursor:
        cursor.execute("SELECT 1 AS a, 'x' AS b")
        same(cursor.fetchone(), {"a": 1, "b": "x"})
        same(cursor.fetchone(), None)


@check
def a_session_keeps_its_variables():
    with pymysql_connection(init_command="SET time_zone = '+08:00'", sql_mode="ANSI") as connection:
        same(rows(connection, "SELECT @@time_zone, @@session.sql_mode"), (("+08:00", "ANSI"),))
        same(rows(connection, "SHOW VARIABLES LIKE 'time\\_zone'"), (("time_zone", "+08:00"),))
        same(rows(connection, "SHOW WARNINGS"), ())
        ((number,),) = rows(connection, "SELECT CONNECTION_ID()")
        same(number, connection.thread_id())
        assert number in [row[0] for row in rows(connection, "SHOW PROCESSLIST")]


@check
def kill_ends_another_connection():
    with pymysql_connection() as killer:
        victim = pymysql_connection()
        killer.kill(victim.thread_id())
        refused(lambda: (rows(victim, "SELECT 1"), rows(victim, "SELECT 1")), 2006, 2013)
        refused(lambda: killer.kill(4_000_000_000), 1094)


@check
def connector_logs_in_with_the_right_password_only():
    connection = connector_connection()
    assert connection.is_connected()
    connection.close()
    refused(lambda: connector_connection(password="wrong " + PASSWORD), 1045)


@check
def connector_logs_in_the_old_way_too():
    connection = connector_connection(auth_plugin="mysql_native_password")
    same(rows(connection, "SELECT 1"), [(1,)])
    connection.close()


@check
def connector_reads_every_type_as_text_and_prepared():
    connection = connector_connection()
    for prepared in (False, True):
        cursor = connection.cursor(prepared=prepared)
        for expression, expected in TYPES:
            cursor.execute(f"SELECT {expression} AS v")
            ((found,),) = cursor.fetchall()
            same((prepared, expression, found), (prepared, expression, expected))
        cursor.close()
    connection.close()


@check
def parameters_of_every_type_come_back():
    connection = connector_connection()
    for value, expected in PARAMETERS:
        cursor = connection.cursor(prepared=True)
        cursor.execute("SELECT ? AS v", (value,))
        ((found,),) = cursor.fetchall()
        same((value, found), (value, expected))
        cursor.close()
    connection.close()


@check
def bytes_come_back():
    connection = connector_connection()
    cursor = connection.cursor(prepared=True)
    for value in [b"\xff\x00\xfe", bytes(range(256))]:
        cursor.execute("SELECT ? AS v", (value,))
        ((found,),) = cursor.fetchall()
        same(bytes(found), value)
    connection.close()


@check
def a_prepared_statement_runs_many_times():
    connection = connector_connection()
    cursor = connection.cursor(prepared=True)
    for number in range(50):
        cursor.execute("SELECT ? + 1 AS n, ? AS t", (number, f"t{number}"))
        same(cursor.fetchall(), [(number + 1, f"t{number}")])
    cursor.close()
    connection.close()


@check
def a_prepared_statement_reads_a_table_and_its_errors():
    connection = connector_connection()
    rows(connection, f"CREATE DATABASE {DATABASE}")
    try:
        connection.database = DATABASE
        rows(connection, "CREATE TABLE t (id BIGINT, name STRING) DISTRIBUTED BY HASH(id)")
        cursor = connection.cursor(prepared=True)
        cursor.execute("SELECT id, name FROM t WHERE id = ? AND name = ? LIMIT ?", (1, "it's", 10))
        same(cursor.fetchall(), [])
        refused(lambda: cursor.execute("SELECT id FROM no_such_table WHERE id = ?", (1,)), 1146, 5502)
        cursor.close()
        same(rows(connection, "SELECT 1"), [(1,)])
    finally:
        rows(connection, f"DROP DATABASE {DATABASE} FORCE")
        connection.close()


@check
def connector_resets_and_changes_user():
    connection = connector_connection()
    rows(connection, "SET @a = 1")
    connection.cmd_reset_connection()
    same(rows(connection, "SELECT @a"), [(None,)])
    connection.cmd_change_user("root", PASSWORD)
    same(rows(connection, "SELECT 1"), [(1,)])
    refused(lambda: connection.cmd_change_user("root", "wrong " + PASSWORD), 1045)


@check
def mysql_program_draws_results():
    status, out, error = mysql_program("-t", "-e", "SELECT 1 AS a, 'naïve' AS b")
    same((status, error), (0, ""))
    same(out, "+------+--------+\n| a    | b      |\n+------+--------+\n|    1 | naïve  |\n+------+--------+\n")


@check
def mysql_program_draws_one_column_a_line():
    status, out, _ = mysql_program("-e", "SELECT 1 AS first, NULL AS b\\G")
    same((status, out), (0, f"{'*' * 27} 1. row {'*' * 27}\nfirst: 1\n    b: NULL\n"))


@check
def mysql_program_runs_a_script():
    script = f"""
        CREATE DATABASE {DATABASE}; -- a comment; with a semicolon
        USE {DATABASE};
        /*!40101 SET NAMES utf8mb4 */;
        CREATE TABLE t (id BIGINT, name STRING COMMENT "it's; one") DISTRIBUTED BY HASH(id);
        SHOW TABLES;
        SELECT DATABASE();
        DROP DATABASE {DATABASE} FORCE;
    """
    status, out, error = mysql_program("-B", "-N", stdin=script)
    same((status, out, error), (0, f"t\n{DATABASE}\n", ""))


@check
def mysql_program_shows_errors():
    status, _, error = mysql_program("-e", "USE no_such_database")
    assert status == 1 and "ERROR 5501 (42000)" in error and "nknown database" in error, error
    status, _, error = mysql_program("no_such_database", "-e", "SELECT 1")
    assert status == 1 and "nknown database" in error, error
    status, _, error = mysql_program("-e", "SELECT 1", password="wrong " + PASSWORD)
    assert status == 1 and "ERROR 1045 (28000): Access denied for user 'root'" in error, error


@check
def mysql_program_completes_names_of_a_database():
    mysql_program("-e", f"CREATE DATABASE {DATABASE}; CREATE TABLE {DATABASE}.t (id BIGINT) DISTRIBUTED BY HASH(id)")
    try:
        status, out, error = mysql_program("--auto-rehash", "-B", "-N", DATABASE, "-e", "SELECT 1; SHOW TABLES")
        same((status, out.splitlines()[:2], error), (0, ["1", "t"], ""))
    finally:
        mysql_program("-e", f"DROP DATABASE {DATABASE} FORCE")


def main():
    failed = 0
    for function in checks:
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok      {name}", flush=True)
        except Exception as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)
            line = [frame.lineno for frame in where if frame.filename == __file__][-1]
            print(f"FAILED  {name}: {type(error).__name__} at line {line}: {error}", flush=True)
    try:
        with pymysql_connection() as connection:
            rows(connection, f"DROP DATABASE IF EXISTS {DATABASE} FORCE")
    except pymysql.MySQLError as error:
        failed += 1
        print(f"FAILED  cleaning up: {error}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
