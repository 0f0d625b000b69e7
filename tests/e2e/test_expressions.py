"""COLUMNS with expressions and WHERE, from Kafka to a query."""

import json

from kafka import KafkaProducer

JOB = '''CREATE ROUTINE LOAD shop.orders_job ON orders
COLUMNS (id, ms, ts = from_unixtime(ms DIV 1000), price, cents = price * 100, tags, first_tag = split(tags, ',')[1], paid = if(paid_text = '1', true, false), paid_text),
WHERE cents >= 100 AND first_tag != 'test'
PROPERTIES ("format" = "json", "max_batch_interval" = "5", "timezone" = "Asia/Shanghai", "max_error_number" = "100")
FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "orders", "property.kafka_default_offsets" = "OFFSET_BEGINNING")'''


def test_a_job_computes_columns_and_leaves_rows_out(server):
    server.sql("CREATE DATABASE shop")
    server.sql("CREATE TABLE orders (id BIGINT NOT NULL, ts DATETIME NOT NULL, cents BIGINT, first_tag VARCHAR(5), paid BOOLEAN)", "shop")
    records = [
        {"id": 1, "ms": 1700000000123, "price": "1.25", "tags": "a,b", "paid_text": True},
        {"id": 2, "ms": 1700000000123, "price": 0.5, "tags": "a"},
        {"id": 3, "ms": 1700000000123, "price": 9, "tags": "test"},
        {"id": 4, "ms": "soon", "price": 9, "tags": "c"},
        {"id": 5, "ms": 0, "price": 2, "tags": "too long,b"},
        {"id": 6, "ms": 0, "price": 2, "tags": "b", "paid_text": "no"},
    ]
    producer = KafkaProducer(bootstrap_servers=server.kafka)
    for record in records:
        producer.send("orders", json.dumps(record).encode(), partition=0).get(30)
    producer.close()
    server.sql(JOB, "shop")
    _, [job] = server.until("SHOW ROUTINE LOAD", lambda rows: json.loads(rows[0]["Statistic"])["totalRows"] == 6, 60, "shop")
    statistic = json.loads(job["Statistic"])
    assert (statistic["loadedRows"], statistic["unselectedRows"], statistic["errorRows"]) == (2, 2, 2)
    rows = server.sql("SELECT id, ts, cents, first_tag, paid FROM orders ORDER BY id", "shop")
    assert [[str(cell) for cell in row.values()] for row in rows] == [
        ["1", "2023-11-15 06:13:20", "125", "a", "1"],
        ["6", "1970-01-01 08:00:00", "200", "b", "0"],
    ]


def test_a_wrong_expression_is_refused_with_position_and_hint(server):
    server.sql("CREATE DATABASE shop")
    server.sql("CREATE TABLE orders (id BIGINT, price DOUBLE)", "shop")
    job = 'CREATE ROUTINE LOAD shop.j ON orders %s PROPERTIES ("format" = "json") FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "t")'
    code, message = server.refused(job % "COLUMNS (id, price = 1 + pirce)")
    assert code == 1064 and "unknown column `pirce` at character 5" in message
    code, message = server.refused(job % "WHERE pirce > 1")
    assert "unknown column in where statement. the column 'pirce' in where clause must be in the target table." in message and "price" in message
