"""Tables that are partitioned: rows in their parts, rows that none accepts, and parts that are emptied while a job runs."""

import json

import pytest
from kafka import KafkaProducer

JOB = """CREATE ROUTINE LOAD lab.%s ON %s %s PROPERTIES ("format" = "json", "max_error_number" = "1000", "max_batch_interval" = "5")
FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "%s", "property.kafka_default_offsets" = "OFFSET_BEGINNING")"""


@pytest.fixture
def lab(server):
    server.sql("CREATE DATABASE lab")
    return server


def produced(server, topic, rows):
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    for row in rows:
        producer.send(topic, json.dumps(row).encode())
    producer.flush()
    producer.close()


def partitions(server, table):
    return {row["PartitionName"]: int(row["RowCount"]) for row in server.sql(f"SHOW PARTITIONS FROM lab.{table}")}


def loaded(server, table, rows):
    server.until(f"SELECT COUNT(*) AS n FROM {table}", lambda found: int(found[0]["n"]) == rows, 60, "lab")


def test_rows_go_into_their_ranges_and_others_are_rejected(lab):
    lab.sql("""CREATE TABLE orders (id BIGINT, day DATE) PARTITION BY RANGE(day) (PARTITION old VALUES LESS THAN ("2024-01-01"),
               START ("2024-01-01") END ("2024-03-01") EVERY (INTERVAL 1 MONTH)) DISTRIBUTED BY HASH(id)""", "lab")
    days = ["2023-12-31", "2024-01-01", "2024-01-31", "2024-02-29", "2024-03-01", None]
    produced(lab, "orders", [{"id": number, "day": day} for number, day in enumerate(days)])
    lab.sql(JOB % ("j", "orders", "", "orders"))
    loaded(lab, "orders", 5)
    assert partitions(lab, "orders") == {"old": 2, "p202401": 2, "p202402": 1}
    assert json.loads(lab.sql("SHOW ROUTINE LOAD FOR j", "lab")[0]["Statistic"])["errorRows"] == 1
    found = lab.sql("SELECT id FROM orders WHERE day >= '2024-01-01' AND day < '2024-02-01' ORDER BY id", "lab")
    assert [int(row["id"]) for row in found] == [1, 2]
    shown = lab.sql("SHOW CREATE TABLE orders", "lab")[0]["Create Table"]
    lab.sql(shown.replace("`orders`", "`again`"), "lab")
    assert lab.sql("SHOW CREATE TABLE again", "lab")[0]["Create Table"].replace("`again`", "`orders`") == shown

    lab.sql('ALTER TABLE orders ADD PARTITION march VALUES LESS THAN ("2024-04-01")', "lab")
    lab.sql("TRUNCATE TABLE orders PARTITION (old)", "lab")
    lab.sql("ALTER TABLE orders DROP PARTITION p202402", "lab")
    produced(lab, "orders", [{"id": 9, "day": "2024-03-05"}, {"id": 10, "day": "2000-01-01"}])
    loaded(lab, "orders", 4)
    assert partitions(lab, "orders") == {"old": 1, "p202401": 2, "march": 1}
    found = lab.sql("SELECT id FROM orders ORDER BY id", "lab")
    assert [int(row["id"]) for row in found] == [1, 2, 9, 10]


def test_automatic_partitions_come_with_their_rows(lab):
    lab.sql("CREATE TABLE events (id BIGINT, at DATETIME, city VARCHAR(50)) PARTITION BY date_trunc('day', at), city", "lab")
    assert partitions(lab, "events") == {}
    rows = [{"id": number, "at": f"2024-01-0{1 + number % 2} 10:00:00", "city": ["la", "ny", None][number % 3]} for number in range(60)]
    produced(lab, "events", rows)
    lab.sql(JOB % ("j", "events", "", "events"))
    loaded(lab, "events", 60)
    assert partitions(lab, "events") == {f"p2024010{day}_{city}": 10 for day in (1, 2) for city in ("la", "ny", "NULL")}
    lab.sql("TRUNCATE TABLE events", "lab")
    assert lab.sql("SELECT COUNT(*) AS n FROM events", "lab")[0]["n"] == 0


def test_a_job_held_to_a_partition_rejects_other_rows(lab):
    lab.sql("CREATE TABLE shops (id BIGINT, city VARCHAR(50)) PARTITION BY LIST(city) (PARTITION west VALUES IN ('la', 'sf'), PARTITION east VALUES IN ('ny'))", "lab")
    produced(lab, "shops", [{"id": 1, "city": "la"}, {"id": 2, "city": "ny"}, {"id": 3, "city": "sf"}])
    code, message = lab.refused(JOB % ("j", "shops", "PARTITION (north)", "shops"))
    assert code == 1064 and "Partition north does not exist" in message
    lab.sql(JOB % ("j", "shops", "PARTITION (west)", "shops"))
    loaded(lab, "shops", 2)
    assert partitions(lab, "shops") == {"west": 2, "east": 0}
