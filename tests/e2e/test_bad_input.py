"""Wrong statements, definitions and services: one clear message each, and nothing lost."""

import json
import signal

import pytest
import tutorial
from penstock import free_port
from tutorial import CREATE_TABLE

JOB = 'CREATE ROUTINE LOAD lab.%s ON site_clicks PROPERTIES (%s) FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "t", "property.kafka_default_offsets" = "OFFSET_BEGINNING")'


@pytest.fixture
def lab(server):
    server.sql("CREATE DATABASE lab")
    server.sql(CREATE_TABLE, "lab")
    return server


@pytest.mark.parametrize("statement, number, words", [
    ("SELECT * FROM nowhere.t", 5501, ["nowhere"]),
    ("SELECT * FROM lab.nothing", 5502, ["nothing"]),
    ("SELECT nothing FROM lab.site_clicks", 1064, ["nothing"]),
    ("SELEC 1", 1064, ["SELEC", "line 1"]),
    ("CREATE TABLE lab.t (id BIGINT,, v INT)", 1064, ["line 1", "column"]),
    ("CREATE DATABASE lab", 1007, ["lab"]),
    ("DROP DATABASE nowhere", 1008, ["nowhere"]),
    ("CREATE TABLE lab.site_clicks (id BIGINT)", 1050, ["site_clicks"]),
    ("DROP TABLE lab.nothing", 5502, ["nothing"]),
    ("PAUSE ROUTINE LOAD FOR lab.nothing", 1064, ["There is not operable routine load job with name nothing"]),
    ("SHOW ROUTINE LOAD FOR lab.nothing", 1064, ["There is no running job named nothing in db lab"]),
    (JOB % ("j", '"max_eror_number" = "1"'), 1064, ["max_eror_number is invalid property", "max_error_number"]),
    (JOB % ("j", '"max_error_number" = "-1"'), 1064, ["max_error_number should >= 0"]),
    (JOB % ("j", '"max_filter_ratio" = "2"'), 1064, ["max_filter_ratio", "between 0.0 and 1.0"]),
    (JOB % ("j", '"format" = "xml"'), 1064, ["Format type is invalid", "xml"]),
    (JOB % ("j", '"format" = "json", "jsonpaths" = "no json"'), 1064, ["jsonpaths"]),
    (JOB % ("j", '"format" = "json", "jsonpaths" = "[\\"$.a[\\"]"'), 1064, ["$.a["]),
    (JOB % ("not-a-name", '"format" = "json"'), 1064, []),
    ((JOB % ("j", '"format" = "json"')).replace("kafka_topic", "kafka_topik"), 1064, ["kafka_topik"]),
    ((JOB % ("j", '"format" = "json"')).replace("site_clicks", "nothing"), 5502, ["nothing"]),
])
def test_a_wrong_statement_gets_one_clear_message(lab, statement, number, words):
    code, message = lab.refused(statement)
    assert code == number, message
    assert all(word in message for word in words), message


def test_without_a_database_a_table_is_not_guessed(lab):
    assert lab.refused("SELECT * FROM site_clicks")[0] == 1046
    assert lab.refused("SHOW ROUTINE LOAD")[0] == 1046


def test_a_broker_that_does_not_answer_is_shown_and_healed(start):
    broker = free_port()
    server = start("up", "--broker-alias", f"later:9092=127.0.0.1:{broker}")
    server.sql("CREATE DATABASE lab")
    server.sql(CREATE_TABLE, "lab")
    server.sql((JOB % ("j", '"format" = "json", "max_batch_interval" = "5"')).replace("redpanda:29092", "later:9092"), "lab")
    server.until("SHOW ROUTINE LOAD", lambda rows: rows[0]["OtherMsg"] or rows[0]["ReasonOfStateChanged"], 90, "lab")
    second = start("up", kafka_port=broker)
    tutorial.publish(second, "t", range(3))
    server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 3, 90, "lab")


def test_a_store_that_stops_answering_loses_nothing(start, services):
    """S3 is frozen while records arrive: nothing is acknowledged, and every row is there once it answers again."""
    server = start("up", *services.flags(), env=services.env)
    server.sql("CREATE DATABASE lab")
    server.sql(CREATE_TABLE, "lab")
    job = (JOB % ("frozen", '"format" = "json", "max_batch_interval" = "5"')).replace("redpanda:29092", services.kafka).replace('"t"', '"frozen"')
    server.sql(job, "lab")
    tutorial.publish(server, "frozen", range(5))
    server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 5, 90, "lab")
    localstack = services.processes["s3"]
    localstack.send_signal(signal.SIGSTOP)
    try:
        tutorial.publish(server, "frozen", range(5, 10))
        server.until("SHOW ROUTINE LOAD", lambda rows: rows[0]["OtherMsg"], 90, "lab")
        assert json.loads(server.sql("SHOW ROUTINE LOAD", "lab")[0]["Progress"]) == {"0": "4"}
    finally:
        localstack.send_signal(signal.SIGCONT)
    server.until("SELECT count(*) n, count(DISTINCT uid) d FROM site_clicks", lambda rows: rows[0] == {"n": 10, "d": 10}, 90, "lab")
