"""Killed at any moment and started again on the same data: every record once."""

import random

import pytest
import tutorial
from confluent_kafka import Producer

RECORDS, KILLS = 60_000, 3
EACH_ONCE = "SELECT count(*) n, count(DISTINCT k) d, min(k) a, max(k) b FROM keyed"


@pytest.mark.parametrize("where", ["embedded", "services"])
def test_every_key_is_there_once_after_kills(where, start, request):
    services = request.getfixturevalue("services") if where == "services" else None
    server = start("up", *(services.flags() if services else ()), env=services.env if services else None)
    server.sql("CREATE DATABASE kills")
    server.sql("CREATE TABLE keyed (k bigint NOT NULL, v string) DISTRIBUTED BY HASH(k)", "kills")
    server.sql(f'CREATE ROUTINE LOAD kills.keyed_job ON keyed PROPERTIES ("format"="json", "max_batch_interval"="5") FROM KAFKA ("kafka_broker_list"="{tutorial.broker_of(server)}",'
               '"kafka_topic"="keyed","property.kafka_default_offsets"="OFFSET_BEGINNING")', "kills")
    producer = Producer({"bootstrap.servers": server.kafka, "enable.idempotence": True, "linger.ms": 5, "message.timeout.ms": 120000})
    acknowledged = []
    seed = random.randrange(1 << 32)
    print("seed", seed)
    moments = set(random.Random(seed).sample(range(RECORDS // 10, RECORDS), KILLS))
    for key in range(RECORDS):
        if key in moments:
            server.kill()
            server.start()
        while True:
            try:
                producer.produce("keyed", b'{"k":%d,"v":"value %d"}' % (key, key), callback=lambda error, _: acknowledged.append(error))
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    assert producer.flush(120) == 0
    assert acknowledged == [None] * RECORDS
    want = {"n": RECORDS, "d": RECORDS, "a": 0, "b": RECORDS - 1}
    server.until(EACH_ONCE, lambda rows: rows[0] == want, 180, "kills")
    server.kill()
    server.start()
    assert server.sql(EACH_ONCE, "kills") == [want]


def test_jobs_of_an_outside_catalog_go_on_without_the_data_folder(start, durable_services):
    """Another process, another folder: the catalog alone says which jobs there are."""
    services = durable_services
    first = start("up", *services.flags(), env=services.env)
    first.sql("CREATE DATABASE moved")
    first.sql(tutorial.CREATE_TABLE, "moved")
    first.sql(tutorial.CREATE_ROUTINE_LOAD % ("moved", services.kafka, "moved"), "moved")
    tutorial.publish(first, "moved", range(5))
    first.until("SELECT count(*) n FROM site_clicks", lambda rows: rows[0]["n"] == 5, 60, "moved")
    first.stop()
    second = start("up", *services.flags(), env=services.env)
    tutorial.publish(second, "moved", range(5, 10))
    second.until("SELECT count(*) n, count(DISTINCT uid) d FROM site_clicks", lambda rows: rows[0] == {"n": 10, "d": 10}, 60, "moved")
