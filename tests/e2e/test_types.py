"""ARRAY, MAP, STRUCT and VARBINARY: from a record through a job to what a client sees, and to a file that others read."""

import json

import tutorial
from conftest import run
from kafka import KafkaProducer

TABLE = """CREATE TABLE t (k INT NOT NULL, numbers ARRAY<INT>, counts MAP<INT, STRUCT<a STRING, b: DECIMAL(6,2)>>,
 place STRUCT<`x y` DOUBLE, tags ARRAY<VARCHAR(5)>>, bytes VARBINARY, prices ARRAY<DECIMAL(9,3)>)"""
PATHS = '["$.k", "$.n", "$.c", "$[\'p\']", "$.b", "$.items[?@.p > 1].p"]'
RECORD = {
    "k": 1,
    "n": [1, None, "x"],
    "c": {"7": {"a": 'say "hi"', "b": 1.005}},
    "p": {"x y": 0.5, "tags": ["ok", "too long"]},
    "b": "ab",
    "items": [{"p": 0.5}, {"p": 12.25}, {"p": 3}],
}


def job(name, broker):
    paths = PATHS.replace('"', '\\"')
    return (f'CREATE ROUTINE LOAD {name} ON t PROPERTIES ("format" = "json", "jsonpaths" = "{paths}", "max_batch_interval" = "5") '
            f'FROM KAFKA ("kafka_broker_list" = "{broker}", "kafka_topic" = "types", "property.kafka_default_offsets" = "OFFSET_BEGINNING")')


def test_preview_prints_them_as_json(program, tmp_path):
    (tmp_path / "job.sql").write_text(f"{TABLE};\n{job('j', 'b:1')};", encoding="utf-8")
    (tmp_path / "record").write_text(json.dumps(RECORD), encoding="utf-8")
    done = run([program, "preview", "--job", tmp_path / "job.sql", "--split", "file", "--input", tmp_path / "record"])
    assert done.returncode == 0, done.stderr[-2000:]
    row = json.loads(done.stdout.splitlines()[0])["row"]
    assert row == {
        "k": 1,
        "numbers": [1, None, None],
        "counts": {"7": {"a": 'say "hi"', "b": 1.01}},
        "place": {"x y": 0.5, "tags": ["ok", None]},
        "bytes": "YWI=",
        "prices": [12.25, 3.0],
    }


def test_a_client_sees_them_as_starrocks_prints_them(server):
    server.sql("CREATE DATABASE lab")
    server.sql(TABLE, "lab")
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    producer.send("types", json.dumps(RECORD).encode())
    producer.flush()
    server.sql(job("lab.j", tutorial.broker_of(server)), "lab")
    server.until("SELECT count(*) n FROM t", lambda rows: rows[0]["n"] == 1, 60, "lab")
    assert server.sql("SELECT numbers, counts, place, bytes, prices FROM t", "lab") == [{
        "numbers": "[1,null,null]",
        "counts": '{7:{"a":"say \\"hi\\"","b":1.01}}',
        "place": '{"x y":0.5,"tags":["ok",null]}',
        "bytes": b"ab",
        "prices": "[12.250,3.000]",
    }]
    types = [row["Type"] for row in server.sql("DESC t", "lab")]
    assert types == [
        "int", "array<int(11)>", "map<int(11),struct<a varchar(65533), b decimal(6, 2)>>",
        "struct<`x y` double, tags array<varchar(5)>>", "varbinary", "array<decimal(9, 3)>",
    ]
    created = server.sql("SHOW CREATE TABLE t", "lab")[0]["Create Table"]
    server.sql("DROP TABLE t", "lab")
    server.sql(created, "lab")
    assert [row["Type"] for row in server.sql("DESC t", "lab")] == types


def test_a_list_that_no_column_holds_is_refused_with_its_place(server):
    server.sql("CREATE DATABASE lab")
    server.sql("CREATE TABLE t (k INT)", "lab")
    statement = ('CREATE ROUTINE LOAD lab.%s ON t PROPERTIES ("format" = "json", "jsonpaths" = "[\\"%s\\"]") '
                 'FROM KAFKA ("kafka_broker_list" = "b:1", "kafka_topic" = "x")')
    assert "selects a list, which column `k` of type int cannot hold" in str(server.refused(statement % ("a", "$..k"), "lab"))
    assert "character 4" in str(server.refused(statement % ("b", "$[?count(@.k)]"), "lab"))


def test_a_table_of_4096_columns_with_names_and_comments_loads(server):
    """Its definition, the job's and the statistics of its file all lie in items of the catalog, which are 400 KiB at most."""
    names = [f"a_column_with_a_rather_long_name_{number:04}" for number in range(4096)]
    columns = ", ".join(f"{name} VARCHAR(64) NOT NULL COMMENT 'what it says of itself: {name}'" for name in names)
    server.sql("CREATE DATABASE lab")
    server.sql(f"CREATE TABLE wide ({columns})", "lab")
    paths = json.dumps([f"$.{name}" for name in names])
    server.sql(f"""CREATE ROUTINE LOAD j ON wide COLUMNS ({", ".join(names)})
                   PROPERTIES ('format' = 'json', 'jsonpaths' = '{paths}', 'max_batch_interval' = '5')
                   FROM KAFKA ('kafka_broker_list' = '{tutorial.broker_of(server)}', 'kafka_topic' = 'wide',
                               'property.kafka_default_offsets' = 'OFFSET_BEGINNING')""", "lab")
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    producer.send("wide", json.dumps({name: name[-4:] for name in names}).encode())
    producer.flush()
    server.until("SELECT count(*) n FROM wide", lambda rows: rows[0]["n"] == 1, 60, "lab")
    assert server.sql(f"SELECT {names[0]} a, {names[4095]} z FROM wide", "lab") == [{"a": "0000", "z": "4095"}]
    assert len(server.sql("DESC wide", "lab")) == 4096
    assert server.refused(f"CREATE TABLE wider ({columns}, z INT)", "lab")[0] == 1064
