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


def test_rows_of_a_large_record_are_chosen_and_replayed_once(server):
    rows = 20_000
    server.sql("CREATE DATABASE lab")
    server.sql(CREATE_TABLE.replace("NOT NULL", "NULL"), "lab")
    job = JOB.replace('"format" = "json"', '"format" = "json", "strip_outer_array" = "true"').replace('"1000"', '"1000000"')
    server.sql(job % broker_of(server), "lab")
    producer = KafkaProducer(bootstrap_servers=server.kafka, max_request_size=4 << 20)
    array = [{"uid": n, "site": f"s{n % 10}", "vtime": "never"} for n in range(rows)]
    producer.send("rejected", json.dumps(array).encode(), key=b"k" * 300)
    producer.flush(30)
    rejected = "SELECT count(*) n, count(DISTINCT `index`) d, count(`key`) k FROM lab.clicks$rejected"
    server.until(rejected, lambda found: found == [{"n": rows, "d": rows, "k": 1}], 90)
    server.sql('ALTER ROUTINE LOAD FOR lab.clicks PROPERTIES ("strict_mode" = "false")')
    some = server.sql("REPLAY REJECTED ROWS FOR lab.clicks WHERE `index` < 100 OR (`index` BETWEEN 500 AND 599 AND NOT raw_text LIKE '%\"s3\"%')")[0]
    assert (some["Replayed"], some["Loaded"], some["Finished"]) == ("190", "190", "YES")
    assert server.sql(rejected) == [{"n": rows - 190, "d": rows - 190, "k": 1}]
    rest = server.sql("REPLAY REJECTED ROWS FOR lab.clicks")[0]
    assert (rest["Loaded"], rest["Rejected"], rest["Finished"]) == (str(rows - 190), "0", "YES")
    assert server.sql("SELECT count(*) n, count(DISTINCT uid) d FROM lab.site_clicks") == [{"n": rows, "d": rows}]
    assert server.sql(rejected) == [{"n": 0, "d": 0, "k": 0}]
    assert server.refused("REPLAY REJECTED ROWS FOR lab.clicks WHERE uid = 1")[0] == 1064


def test_information_schema_tells_of_jobs_loads_and_partitions(server):
    server.sql("CREATE DATABASE lab")
    server.sql("CREATE TABLE days (d DATE, n BIGINT NOT NULL) PARTITION BY date_trunc('day', d)", "lab")
    server.sql((JOB % broker_of(server)).replace("site_clicks", "days").replace('"true"', '"false"'), "lab")
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    for n in range(6):
        producer.send("rejected", json.dumps({"d": f"2024-06-0{n % 3 + 1}", "n": n if n else None}).encode())
    producer.flush(30)
    server.until("SELECT count(*) n FROM lab.days", lambda rows: rows[0]["n"] == 5, 90)
    [job] = server.sql("SELECT ID, STATE, STATISTICS, TRACKING_SQL FROM information_schema.routine_load_jobs WHERE NAME = 'clicks' LIMIT 1")
    assert job["STATE"] == "RUNNING" and json.loads(job["STATISTICS"])["errorRows"] == 1
    loads = """SELECT j.NAME, t.TABLE_ROWS, sum(l.SINK_ROWS) sink, sum(l.FILTERED_ROWS) filtered, count(DISTINCT g.LABEL) logs
        FROM information_schema.routine_load_jobs j
        JOIN information_schema.loads l ON l.JOB_ID = j.ID
        JOIN information_schema.tables t ON t.TABLE_SCHEMA = j.DB_NAME AND t.TABLE_NAME = j.TABLE_NAME
        LEFT JOIN information_schema.load_tracking_logs g ON g.JOB_ID = j.ID AND g.LABEL = l.LABEL
        WHERE g.JOB_ID = %s OR g.JOB_ID IS NULL
        GROUP BY j.NAME, t.TABLE_ROWS"""
    refused = server.refused(loads % job["ID"])
    assert "job_id" in refused[1]
    loads = loads.replace("information_schema.load_tracking_logs g", f"(SELECT * FROM information_schema.load_tracking_logs WHERE job_id = {job['ID']}) g")
    [row] = server.sql(loads % job["ID"])
    assert [str(cell) for cell in row.values()] == ["clicks", "5", "5", "1", "1"]
    parts = server.sql("SELECT PARTITION_NAME, ROW_COUNT FROM information_schema.partitions_meta WHERE DB_NAME = 'lab' ORDER BY 1 LIMIT 2")
    assert parts == [{"PARTITION_NAME": "p20240601", "ROW_COUNT": 1}, {"PARTITION_NAME": "p20240602", "ROW_COUNT": 2}]
    columns = server.sql("SELECT count(*) n FROM information_schema.columns WHERE TABLE_SCHEMA = 'lab' AND TABLE_NAME = 'days'")
    assert columns == [{"n": 2}]
    assert server.sql("SELECT SCHEMA_NAME FROM information_schema.schemata WHERE SCHEMA_NAME LIKE 'la%'") == [{"SCHEMA_NAME": "lab"}]
