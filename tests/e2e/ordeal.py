"""A steady producer of keyed records, and the proof that each of them was loaded once."""

import pathlib
import threading
import time
import urllib.parse

import boto3
import duckdb
import pymysql
from botocore.config import Config
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

SOURCE_PARTITIONS = 3
EACH_ONCE = "SELECT count(*) n, count(DISTINCT k) d, min(k) a, max(k) b FROM keyed"


def define(server, database, broker_of_job, topic, interval=5):
    """A table `keyed`, a topic with source partitions, and a job `keyed_job` between them."""
    admin = AdminClient({"bootstrap.servers": server.kafka})
    admin.create_topics([NewTopic(topic, SOURCE_PARTITIONS, 1)])[topic].result(30)
    server.sql(f"CREATE DATABASE {database}")
    server.sql("CREATE TABLE keyed (k bigint NOT NULL, v string) DISTRIBUTED BY HASH(k)", database)
    server.sql(f'CREATE ROUTINE LOAD {database}.keyed_job ON keyed PROPERTIES ("format"="json", "max_batch_interval"="{interval}") FROM KAFKA '
               f'("kafka_broker_list"="{broker_of_job}","kafka_topic"="{topic}","property.kafka_default_offsets"="OFFSET_BEGINNING")', database)


class Steady:
    """Produces the keys [0, records) from a thread of its own, `rate` a second, with acks from all. `acknowledged` is how
    many of them the broker has answered for; `hurry` drops the rate."""

    def __init__(self, brokers, topic, records, rate, pad=0):
        self.brokers, self.topic, self.records, self.rate, self.pad = brokers, topic, records, rate, "x" * pad
        self.acknowledged, self.failed, self.produced = 0, [], 0
        self.hurrying, self.left = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.left.set()
        self.thread.join(30)

    def work(self):
        producer = Producer({"bootstrap.servers": self.brokers, "acks": "all", "enable.idempotence": True, "linger.ms": 20,
                             "message.timeout.ms": 300_000, "queue.buffering.max.messages": 200_000, "reconnect.backoff.max.ms": 500})
        began = time.monotonic()
        while self.produced < self.records and not self.left.is_set():
            due = self.records if self.hurrying.is_set() else min(self.records, int((time.monotonic() - began) * self.rate))
            while self.produced < due:
                try:
                    value = b'{"k":%d,"v":"value %d%s"}' % (self.produced, self.produced, self.pad.encode())
                    producer.produce(self.topic, value, key=b"%d" % self.produced, on_delivery=self.answered)
                    self.produced += 1
                except BufferError:
                    break
                producer.poll(0)
            producer.poll(0.01)
        while len(producer) and not self.left.is_set():
            producer.flush(0.2)

    def answered(self, error, _):
        if error is None:
            self.acknowledged += 1
        else:
            self.failed.append(str(error))

    def finish(self, seconds):
        """Produces the rest as fast as it goes; all of it is acknowledged then."""
        self.hurrying.set()
        self.thread.join(seconds)
        assert not self.failed, self.failed[:3]
        assert self.acknowledged == self.records, (self.acknowledged, self.records)


class Watching:
    """Asks all the time. A reader may be refused while something is broken, but what it is answered is never a row twice,
    nor fewer rows than before."""

    def __init__(self, server, database):
        self.server, self.database, self.answers, self.refused, self.wrong = server, database, 0, 0, []
        self.left = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.left.set()
        self.thread.join(70)
        assert kind or not self.wrong, self.wrong[:3]

    def work(self):
        seen = 0
        while not self.left.wait(0.2):
            try:
                [row] = self.server.sql("SELECT count(k) n, count(DISTINCT k) d FROM keyed", self.database)
            except (pymysql.err.MySQLError, OSError):
                self.refused += 1
                continue
            self.answers += 1
            if row["n"] != row["d"] or row["n"] < seen:
                self.wrong.append((row, seen))
            seen = row["n"]


def prove(server, database, records, s3, folder, seconds=180):
    """Each of the keys [0, records) is there once: says SELECT, COVERAGE, CHECK TABLE, and DuckDB from the files."""
    want = {"n": records, "d": records, "a": 0, "b": records - 1}
    server.until(EACH_ONCE, lambda rows: rows[0] == want, seconds, database)
    covered = server.sql(f"SHOW ROUTINE LOAD COVERAGE FOR {database}.keyed_job")
    assert {row["Coverage"] for row in covered} == {"complete"}, covered
    assert sum(int(row["LoadedRows"]) for row in covered) == records, covered
    *_, checked = server.sql(f"CHECK TABLE {database}.keyed")
    assert checked["Status"] == "ok" and f"{records} rows" in checked["Message"], checked
    assert duckdb_reads(server.sql(f"SHOW FILES FROM {database}.keyed"), s3, folder) == (records, records, 0, records - 1)
    assert server.sql(EACH_ONCE, database) == [want]


def duckdb_reads(files, s3, folder):
    """(rows, distinct keys, least, greatest) of the Parquet files that the catalog names, as another engine reads them.
    `s3` is an endpoint, or the folder where the embedded one keeps objects."""
    places = [urllib.parse.urlparse(file["File"]) for file in files]
    if isinstance(s3, pathlib.Path):
        local = [str(s3 / place.netloc / place.path.lstrip("/")) for place in places]
    else:
        client = boto3.client("s3", endpoint_url=s3, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1",
                              config=Config(s3={"addressing_style": "path"}, response_checksum_validation="when_required"))
        folder.mkdir(parents=True, exist_ok=True)
        local = [str(folder / f"{number}.parquet") for number in range(len(places))]
        for place, path in zip(places, local, strict=True):
            client.download_file(place.netloc, place.path.lstrip("/"), path)
    with duckdb.connect() as connection:
        return connection.execute("SELECT count(*), count(DISTINCT k), min(k), max(k) FROM read_parquet($1)", [local]).fetchone()
