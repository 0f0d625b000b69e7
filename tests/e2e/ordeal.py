"""A steady producer of keyed records, a reader that never stops, and the proof that each record was loaded once."""

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
COUNT = "SELECT count(*) n FROM keyed"
# Far more than anything here takes on a slow machine: what takes as long will never happen.
PATIENCE_SECONDS = 300


def wait(until, what, seconds=PATIENCE_SECONDS):
    """Until `until()` is true; fails with `what` otherwise."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def define(server, database, broker_of_job, topic):
    """A table `keyed`, a topic with source partitions, and a job `keyed_job` between them."""
    admin = AdminClient({"bootstrap.servers": server.kafka})
    admin.create_topics([NewTopic(topic, SOURCE_PARTITIONS, 1)])[topic].result(60)
    server.sql(f"CREATE DATABASE {database}")
    server.sql("CREATE TABLE keyed (k bigint NOT NULL, v string) DISTRIBUTED BY HASH(k)", database)
    server.sql(f'CREATE ROUTINE LOAD {database}.keyed_job ON keyed PROPERTIES ("format"="json", "max_batch_interval"="5") FROM KAFKA '
               f'("kafka_broker_list"="{broker_of_job}","kafka_topic"="{topic}","property.kafka_default_offsets"="OFFSET_BEGINNING")', database)


class Steady:
    """Produces the keys 0, 1, 2 ... from a thread of its own, `rate` a second with acks from all, until it is told to finish. Of
    the keys [0, produced) the broker has answered for `acknowledged`."""

    def __init__(self, brokers, topic, rate, pad=0):
        self.brokers, self.topic, self.rate, self.pad = brokers, topic, rate, b"x" * pad
        self.produced, self.acknowledged, self.least, self.failed = 0, 0, 0, []
        self.finishing, self.left = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.began = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.left.set()
        self.thread.join(30)

    def work(self):
        producer = Producer({"bootstrap.servers": self.brokers, "acks": "all", "enable.idempotence": True, "linger.ms": 20, "log_level": 0,
                             "message.timeout.ms": 2000 * PATIENCE_SECONDS, "queue.buffering.max.messages": 500_000, "reconnect.backoff.max.ms": 500})
        while not self.left.is_set():
            last = self.finishing.is_set()
            due = max(self.produced, self.least) if last else int((time.monotonic() - self.began) * self.rate)
            self.produce(producer, due)
            producer.poll(0.01)
            if last and self.produced == due and not producer.flush(0.2):
                return

    def produce(self, producer, due):
        for key in range(self.produced, due):
            try:
                producer.produce(self.topic, b'{"k":%d,"v":"value %d%s"}' % (key, key, self.pad), b"%d" % key, on_delivery=self.answered)
            except BufferError:
                return
            self.produced = key + 1

    def answered(self, error, _):
        if error is None:
            self.acknowledged += 1
        else:
            self.failed.append(str(error))

    def go_on(self, records):
        """Until the broker has answered for so many more records."""
        wanted = self.acknowledged + records
        wait(lambda: self.acknowledged >= wanted or self.failed or not self.thread.is_alive(), f"{wanted} records are acknowledged")
        assert self.acknowledged >= wanted, self.failed[:3]

    def finish(self, least=0):
        """Ends, once `least` records are produced, and all are acknowledged; how many that were."""
        self.least = least
        self.finishing.set()
        self.thread.join(PATIENCE_SECONDS)
        assert not self.failed, self.failed[:3]
        assert self.acknowledged == self.produced >= least, (self.acknowledged, self.produced, least)
        return self.produced


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
        self.thread.join(PATIENCE_SECONDS)
        assert kind or (self.answers and not self.wrong), (self.answers, self.wrong[:3])

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


def prove(server, database, records, s3, folder=None):
    """Each of the keys [0, records) is there once: says SELECT, COVERAGE, CHECK TABLE, and DuckDB from the files. `s3` is as
    for `duckdb_reads`."""
    want = {"n": records, "d": records, "a": 0, "b": records - 1}
    server.until(EACH_ONCE, lambda rows: rows[0] == want, PATIENCE_SECONDS, database)
    covered = server.sql(f"SHOW ROUTINE LOAD COVERAGE FOR {database}.keyed_job")
    assert len(covered) == SOURCE_PARTITIONS and {row["Coverage"] for row in covered} == {"complete"}, covered
    assert sum(int(row["LoadedRows"]) for row in covered) == records, covered
    *_, checked = server.sql(f"CHECK TABLE {database}.keyed")
    assert checked["Status"] == "ok" and f"{records} rows" in checked["Message"], checked
    assert duckdb_reads(server.sql(f"SHOW FILES FROM {database}.keyed"), s3, folder) == (records, records, 0, records - 1)


def duckdb_reads(files, s3, folder):
    """(rows, distinct keys, least, greatest) of the Parquet files that the catalog names, as another engine reads them.
    `s3` is the folder where the embedded one keeps objects, or an endpoint, whose files are copied into `folder`."""
    places = [urllib.parse.urlparse(file["File"]) for file in files]
    if isinstance(s3, pathlib.Path):
        local = [str(s3 / place.netloc / place.path.lstrip("/")) for place in places]
    else:
        client = boto3.client("s3", endpoint_url=s3, aws_access_key_id="testtest", aws_secret_access_key="testtest", region_name="us-east-1",
                              config=Config(s3={"addressing_style": "path"}, response_checksum_validation="when_required"))
        folder.mkdir(parents=True, exist_ok=True)
        local = [str(folder / f"{number}.parquet") for number in range(len(places))]
        for place, path in zip(places, local, strict=True):
            client.download_file(place.netloc, place.path.lstrip("/"), path)
    with duckdb.connect() as connection:
        return connection.execute("SELECT count(*), count(DISTINCT k), min(k), max(k) FROM read_parquet($1)", [local]).fetchone()
