"""Rejected rows are a table; REPLAY moves those that fit after an ALTER, exactly once."""

import json

from kafka import KafkaProducer
from tutorial import CREATE_TABLE, broker_of

JOB = """CREATE ROUTINE LOAD lab.clicks ON site_clicks
PROPERTIES ("format" = "json", "strict_mode" = "true", "max_error_number" = "1000", "max_batch_interval" = "5")
FROM KAFKA ("kafka_broker_list" = "%s", "kafka_topic" = "rejected", "property.kafka_default_offsets" = "OFFSET_BEGINNING")"""
BAD, GOOD = 7, 20


def values():
    good = [{"uid": n, "site": f"s{n}", "vtime": n} for n in range(GOOD)]
    bad = [{"uid": 1000 + n, "site": f"s{n}", "vtime": "never"} for n in range(BAD)]
    return good[:9] + bad + good[9:]


def test_rejected_rows_are_replayed_once(deployment):
    server = deployment
    server.sql("CREATE DATABASE lab")
    server.sql(CREATE_TABLE.replace("NOT NULL", "NULL"), "lab")
    server.sql(JOB % broker_of(server), "lab")
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    for value in values():
        producer.send("rejected", json.dumps(value).encode())
    producer.flush(30)
    count = "SELECT count(*) n FROM lab.site_clicks"
    rejected = "SELECT count(*) n FROM lab.clicks$rejected"
    server.until(count, lambda rows: rows[0]["n"] == GOOD, 90)
    server.until(rejected, lambda rows: rows[0]["n"] == BAD, 30)
    by_column = server.sql("SELECT `column` c, count(*) n FROM lab.`clicks$rejected` GROUP BY `column`")
    assert by_column == [{"c": "vtime", "n": BAD}]
    tracking = server.sql("SHOW ROUTINE LOAD", "lab")[0]["TrackingSQL"]
    logs = "\n".join(row["tracking_log"] for row in server.sql(tracking))
    assert logs.count("Error: ") == BAD and "never" in logs

    assert server.sql("REPLAY REJECTED ROWS FOR lab.clicks")[0]["Rejected"] == str(BAD)
    server.sql("PAUSE ROUTINE LOAD FOR lab.clicks")
    server.sql('ALTER ROUTINE LOAD FOR lab.clicks PROPERTIES ("strict_mode" = "false")')
    one = server.sql("REPLAY REJECTED ROWS FOR lab.clicks WHERE raw_text LIKE '%1003%'")[0]
    assert (one["Replayed"], one["Loaded"], one["Finished"]) == ("1", "1", "YES")
    rest = server.sql("REPLAY REJECTED ROWS FOR lab.clicks")[0]
    assert (rest["Replayed"], rest["Loaded"], rest["Rejected"]) == (str(BAD - 1), str(BAD - 1), "0")
    again = server.sql("REPLAY REJECTED ROWS FOR lab.clicks")[0]
    assert (again["Replayed"], again["Loaded"]) == ("0", "0")
    assert server.sql(rejected)[0]["n"] == 0
    assert server.sql("SELECT count(*) n, count(DISTINCT uid) d FROM lab.site_clicks") == [{"n": GOOD + BAD, "d": GOOD + BAD}]
    statistic = json.loads(server.sql("SHOW ROUTINE LOAD", "lab")[0]["Statistic"])
    assert (statistic["loadedRows"], statistic["errorRows"], statistic["totalRows"]) == (GOOD + BAD, 0, GOOD + BAD)
    server.sql("STOP ROUTINE LOAD FOR lab.clicks")
    assert server.refused("REPLAY REJECTED ROWS FOR lab.clicks")[0] == 1064
    assert server.sql(rejected)[0]["n"] == 0
