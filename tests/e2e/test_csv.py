"""CSV records and metadata through a job: what a user of Kafka sends is what a client of MySQL reads."""

import json

from kafka import KafkaProducer

TABLE = """CREATE TABLE visits (id BIGINT NOT NULL, name VARCHAR(8), paid DECIMAL(8,2), seen DATETIME, k VARCHAR(32), p INT, o BIGINT, ms BIGINT, h JSON)"""

JOB = """CREATE ROUTINE LOAD visits_csv ON visits
COLUMNS TERMINATED BY ";;", INCLUDE METADATA (KEY AS k, PARTITION AS p, OFFSET AS o, TIMESTAMP_MS AS ms, HEADERS AS h), COLUMNS (id, note, name, paid, seen)
PROPERTIES ("format" = "csv", "enclose" = "\\"", "escape" = "\\\\", "trim_space" = "true", "max_batch_interval" = "5", "max_error_number" = "1000", "strict_mode" = "true")
FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "visits", "property.kafka_default_offsets" = "OFFSET_BEGINNING")"""

GOOD = '1;; "a;;b\nc" ;;Ann;;1.005;;2024-01-02 03:04:05\n2;;\\N;;\\N;;\\N;;\\N\n'
# Too few fields, no UTF-8, no number, too long, and a quote that does not close.
BAD = [b"3;;x", b"4;;x;;\xff;;1;;\\N", b"five;;x;;n;;1;;\\N", b"6;;x;;a long name;;1;;\\N", b'7;;"x;;n;;1;;\\N\n8;;x;;n;;1;;\\N']


def send(server, records):
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    for value, key, headers in records:
        producer.send("visits", value, key=key, headers=headers, timestamp_ms=1_718_217_035_111, partition=0).get(60)
    producer.close()


def test_csv_rows_load_with_metadata_and_bad_rows_are_rejected_by_themselves(server):
    server.sql("CREATE DATABASE shop")
    server.sql(TABLE, "shop")
    records = [(GOOD.encode(), b"key \xc3\xa9", [("trace", b"t-1"), ("trace", b"t-2")])]
    records += [(b"10;;x;;before;;1;;\\N\n" + bad, None, []) for bad in BAD]
    records.append((b"\n9;;x;;last;;2;;\\N\n\n", b"end", []))
    send(server, records)
    server.sql(JOB, "shop")
    server.until("SELECT count(*) n FROM visits WHERE id = 9", lambda rows: rows[0]["n"] == 1, 90, "shop")

    rows = server.sql("SELECT * FROM visits WHERE id < 10 ORDER BY id", "shop")
    shown = [(row["id"], row["name"], row["paid"] and str(row["paid"]), row["seen"] and str(row["seen"]), row["k"], row["p"], row["o"], row["ms"]) for row in rows]
    assert shown == [
        (1, "Ann", "1.01", "2024-01-02 03:04:05", "key é", 0, 0, 1_718_217_035_111),
        (2, None, None, None, "key é", 0, 0, 1_718_217_035_111),
        (9, "last", "2.00", None, "end", 0, 6, 1_718_217_035_111),
    ]
    assert [json.loads(row["h"]) for row in rows] == [{"trace": "t-2"}, {"trace": "t-2"}, {}]
    assert server.sql("SELECT count(*) n FROM visits WHERE id = 10 AND k IS NULL", "shop") == [{"n": len(BAD)}]
    job = server.sql("SHOW ROUTINE LOAD", "shop")[0]
    assert (job["State"], json.loads(job["Statistic"])["errorRows"]) == ("RUNNING", len(BAD))
    created = server.sql("SHOW CREATE ROUTINE LOAD visits_csv", "shop")[0]
    assert "INCLUDE METADATA" in str(created) and "HEADERS AS" in str(created)


def test_an_unparsable_record_pauses_a_job_that_asks_for_it(server):
    server.sql("CREATE DATABASE strictly")
    server.sql("CREATE TABLE t (id BIGINT NOT NULL)", "strictly")
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    for value in (b'{"id":1}', b"no json", b'{"id":2}'):
        producer.send("strictly", value, partition=0).get(60)
    producer.close()
    job = """CREATE ROUTINE LOAD j ON t PROPERTIES ("format" = "json", "max_batch_interval" = "5", "max_error_number" = "10", "pause_on_fatal_parse_error" = "true")
    FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "strictly", "property.kafka_default_offsets" = "OFFSET_BEGINNING")"""
    server.sql(job, "strictly")
    _, rows = server.until("SHOW ROUTINE LOAD", lambda rows: rows[0]["State"] == "PAUSED", 90, "strictly")
    reason = rows[0]["ReasonOfStateChanged"]
    assert all(word in reason for word in ("errCode = 5611", "parse error", "offset: 1", "pause_on_fatal_parse_error")), reason
    assert server.sql("SELECT count(*) n FROM t", "strictly") == [{"n": 0}]
    server.sql('ALTER ROUTINE LOAD FOR j PROPERTIES ("pause_on_fatal_parse_error" = "false")', "strictly")
    server.sql("RESUME ROUTINE LOAD FOR j", "strictly")
    server.until("SELECT count(*) n FROM t", lambda rows: rows[0]["n"] == 2, 90, "strictly")
