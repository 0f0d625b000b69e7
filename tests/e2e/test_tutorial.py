"""The tutorial, in each deployment, with the clients that its reader has."""

import json
import re

import pytest
import tutorial
from tutorial import CREATE_ROUTINE_LOAD, CREATE_TABLE, SHOW_COLUMNS, STATISTIC, column


@pytest.mark.parametrize("database", ["quickstart", "other_name"])
def test_the_tutorial_loads_five_rows_then_ten(deployment, database):
    server, topic = deployment, f"test2_{database}"
    assert server.sql("SHOW STORAGE VOLUMES;") == [{"Storage Volume": "builtin_storage_volume"}]
    server.sql(f"CREATE DATABASE {database};")
    server.sql(CREATE_TABLE, database)
    size = tutorial.publish(server, topic, range(5))
    server.sql(CREATE_ROUTINE_LOAD % (database, tutorial.broker_of(server), topic), database)

    at_once = server.sql("SHOW ROUTINE LOAD", database)[0]
    assert list(at_once)[: len(SHOW_COLUMNS)] == SHOW_COLUMNS
    assert at_once["State"] in ("NEED_SCHEDULE", "RUNNING")
    assert column(at_once, "Statistic") == dict.fromkeys(STATISTIC, 0) | {"taskExecuteTimeMs": 1}
    assert column(at_once, "Progress") in ({"0": "OFFSET_BEGINNING"}, {"0": "OFFSET_ZERO"})
    assert column(at_once, "TimestampProgress") == {}

    server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 5, 60, database)
    _, shown = server.until("SHOW ROUTINE LOAD", lambda rows: column(rows[0], "LatestSourcePosition") == {"0": "5"}, 30, database)
    row = shown[0]
    statistic = column(row, "Statistic")
    assert list(statistic)[: len(STATISTIC)] == STATISTIC
    assert {name: statistic[name] for name in ("receivedBytes", "errorRows", "loadedRows", "totalRows", "unselectedRows", "abortedTaskNum")} == {
        "receivedBytes": size, "errorRows": 0, "loadedRows": 5, "totalRows": 5, "unselectedRows": 0, "abortedTaskNum": 0}
    assert statistic["committedTaskNum"] >= 1 and statistic["taskExecuteTimeMs"] >= 1
    assert row["State"] == "RUNNING" and row["CurrentTaskNum"] == "1"
    assert column(row, "Progress") == {"0": "4"}
    assert re.fullmatch(r"\d{13}", column(row, "TimestampProgress")["0"])
    assert column(row, "DataSourceProperties") == {"topic": topic, "currentKafkaPartitions": "0", "brokerList": tutorial.broker_of(server)}
    assert re.fullmatch(r"clicks_[0-9a-f-]{36}", column(row, "CustomProperties")["group.id"])
    properties = column(row, "JobProperties")
    assert all(isinstance(value, str) for value in properties.values())
    assert properties["jsonpaths"] == '["$.uid","$.site","$.vtime"]' and properties["format"] == "json" and properties["maxBatchIntervalS"] == "10"

    tutorial.publish(server, topic, range(100, 105))
    server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 10, 40, database)
    rows = server.sql("SELECT * FROM site_clicks ORDER BY uid", database)
    assert [row["uid"] for row in rows] == [*range(5), *range(100, 105)]
    assert rows[0] == {"uid": 0, "site": "https://docs.starrocks.io/", "vtime": 1718034793}


@pytest.mark.alone
def test_a_record_is_a_row_within_the_batch_interval_and_two_seconds(server):
    server.sql("CREATE DATABASE timed")
    server.sql(CREATE_TABLE, "timed")
    tutorial.publish(server, "timed", range(5))
    server.sql(CREATE_ROUTINE_LOAD % ("timed", "redpanda:29092", "timed"), "timed")
    server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 5, 60, "timed")
    tutorial.publish(server, "timed", range(5, 10))
    took, _ = server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 10, 60, "timed")
    assert took < 12


def test_the_mysql_client_shows_what_the_tutorial_shows(server):
    status, out = server.mysql("SHOW STORAGE VOLUMES;\nDESC STORAGE VOLUME builtin_storage_volume\\G\n", "--table")
    assert status == 0, out
    assert "| Storage Volume         |" in out and "| builtin_storage_volume |" in out
    shown = dict(re.findall(r"^ *(\w+): (.*)$", out, re.M))
    assert shown["Type"] == "S3" and shown["IsDefault"] == "true" and shown["Enabled"] == "true"
    assert shown["Location"].startswith("s3://")
    params = json.loads(shown["Params"])
    assert params["aws.s3.access_key"] == "******" and params["aws.s3.secret_key"] == "******"

    script = f"CREATE DATABASE quickstart;\nUSE quickstart;\n{CREATE_TABLE}\n" + CREATE_ROUTINE_LOAD % ("quickstart", "redpanda:29092", "test2")
    status, out = server.mysql(f"{script}\nSHOW ROUTINE LOAD\\G\nSHOW TABLES;\nDESC site_clicks;\nSHOW CREATE TABLE site_clicks;\n", "--table")
    assert status == 0, out
    assert re.search(r"^ +Name: clicks$", out, re.M) and re.search(r"^LatestSourcePosition: \{\}$", out, re.M)
    assert "| Tables_in_quickstart |" in out
    assert re.search(r"\| uid +\| bigint +\| NO +\|", out), out
    assert "varchar(65533)" in out and "DISTRIBUTED BY HASH(`uid`)" in out


def test_a_job_created_before_its_topic_loads_once_the_topic_is_there(deployment):
    server, topic = deployment, "not_there_yet"
    server.sql("CREATE DATABASE early")
    server.sql(CREATE_TABLE, "early")
    server.sql(CREATE_ROUTINE_LOAD % ("early", tutorial.broker_of(server), topic), "early")
    assert server.sql("SELECT count(*) n FROM site_clicks", "early") == [{"n": 0}]
    tutorial.publish(server, topic, range(7))
    server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 7, 60, "early")
    assert server.sql("SHOW ROUTINE LOAD", "early")[0]["State"] == "RUNNING"


def test_pause_holds_records_back_and_resume_loads_each_once(deployment):
    server, topic = deployment, "paused"
    server.sql("CREATE DATABASE steering")
    server.sql(CREATE_TABLE, "steering")
    server.sql((CREATE_ROUTINE_LOAD % ("steering", tutorial.broker_of(server), topic)).replace("PROPERTIES\n(", 'PROPERTIES\n(\n    "max_batch_interval" = "5",'), "steering")
    tutorial.publish(server, topic, range(10))
    server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 10, 60, "steering")
    server.sql("PAUSE ROUTINE LOAD FOR steering.clicks")
    row = server.sql("SHOW ROUTINE LOAD FOR steering.clicks")[0]
    assert row["State"] == "PAUSED" and row["PauseTime"] and "errCode = 100" in row["ReasonOfStateChanged"] and row["CurrentTaskNum"] == "0"
    tutorial.publish(server, topic, range(10, 20))
    assert server.sql("SELECT count(*) n FROM site_clicks", "steering") == [{"n": 10}]
    server.sql("RESUME ROUTINE LOAD FOR steering.clicks")
    server.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 20, 60, "steering")
    assert [row["uid"] for row in server.sql("SELECT uid FROM site_clicks ORDER BY uid", "steering")] == list(range(20))
    server.sql("STOP ROUTINE LOAD FOR steering.clicks")
    assert server.sql("SHOW ROUTINE LOAD FROM steering") == []
    assert [row["State"] for row in server.sql("SHOW ALL ROUTINE LOAD FROM steering")] == ["STOPPED"]
