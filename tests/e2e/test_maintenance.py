"""Tables are kept in order while they are loaded and read, and what they hold can be proved."""

import json
import time

from kafka import KafkaProducer
from tutorial import CREATE_TABLE, broker_of

JOB = """CREATE ROUTINE LOAD lab.clicks ON site_clicks
PROPERTIES ("format" = "json", "max_batch_interval" = "5")
FROM KAFKA ("kafka_broker_list" = "%s", "kafka_topic" = "maintained", "property.kafka_default_offsets" = "OFFSET_BEGINNING")"""


def test_small_files_are_merged_and_every_offset_is_accounted_for(deployment):
    server = deployment
    server.sql("CREATE DATABASE lab")
    server.sql(CREATE_TABLE, "lab")
    server.sql(JOB % broker_of(server), "lab")
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    sent = 0
    count = "SELECT count(*) n, count(DISTINCT uid) d FROM lab.site_clicks"

    def send(records):
        nonlocal sent
        for _ in range(records):
            producer.send("maintained", json.dumps({"uid": sent, "site": f"s{sent % 7}", "vtime": 0}).encode())
            sent += 1
        producer.flush(30)

    deadline = time.monotonic() + 180
    while True:
        send(50)
        server.until(count, lambda rows: rows[0]["n"] == sent, 90)
        assert server.sql(count) == [{"n": sent, "d": sent}]
        [kept] = server.sql("SHOW MAINTENANCE FROM lab")
        if kept["LastDone"] and "merged" in kept["LastDone"]:
            break
        assert time.monotonic() < deadline, kept
        time.sleep(1)
    assert kept["Failure"] is None and int(kept["FilesAfter"]) < int(kept["FilesBefore"])
    send(10)
    server.until(count, lambda rows: rows[0]["n"] == sent, 90)
    files = server.sql("SHOW FILES FROM lab.site_clicks")
    assert sum(int(file["Rows"]) for file in files) == sent and any(file["Sorted"] == "YES" for file in files)
    [coverage] = server.sql("SHOW ROUTINE LOAD COVERAGE FOR lab.clicks")
    assert (coverage["Coverage"], coverage["Ranges"], coverage["LoadedRows"]) == ("complete", f"[0, {sent})", str(sent))
    cost = {row["Item"]: row for row in server.sql("EXPLAIN COST FOR ROUTINE LOAD lab.clicks")}
    assert cost["record values"]["Note"].startswith(f"{coverage['Commits']} batches of "), cost
    assert cost["S3 PUT requests"]["PerDay"] == cost["Lambda requests"]["PerDay"], "a file a batch"
    small, full = (float(cost[item]["DollarsPerTB"]) for item in ("total", "if every event was full"))
    assert "dominate" in cost["total"]["Note"] and small > 5, "small batches are dear"
    assert 1 < full < small, "what a byte takes was measured on a busy machine, so no more can be said of it"
    [checked] = server.sql("CHECK TABLE lab.site_clicks")
    assert checked["Status"] == "ok" and f"{sent} rows" in checked["Message"], checked
    server.sql("TRUNCATE TABLE lab.site_clicks")
    assert server.sql(count) == [{"n": 0, "d": 0}]
