"""An embedded `penstock up` with tables that routine loads fill, and DuckDB over the very files that its catalog names."""

import os
import pathlib
import shutil
import sys
import tempfile
import time

import confluent_kafka
import duckdb
import mysql.connector
import pymysql

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "e2e"))
from penstock import Penstock  # noqa: E402

# A message of a CSV job may hold many rows: one as large as producers batch them by default.
MESSAGE_BYTES = 16_384
BUCKET = "s3://penstock/"


class Laptop:
    """Keeps what it loaded in `keep` (filled once, read by later runs), or in a folder that goes with it."""

    def __init__(self, program, keep=None, flags=()):
        self.folder = pathlib.Path(keep or tempfile.mkdtemp(prefix="penstock-bench-")).resolve()
        self.temporary = keep is None
        self.folder.mkdir(parents=True, exist_ok=True)
        self.server = Penstock(program, "up", self.folder / "data", ["--kafka-partitions", "2", *flags])

    def __enter__(self):
        self.server.start()
        self.connection = pymysql.connect(host="127.0.0.1", port=self.server.ports["mysql"], user="root", autocommit=True, read_timeout=600)
        # Decodes rows in C, as DuckDB does; PyMySQL does so in Python, which takes longer than many a query.
        self.quick = mysql.connector.connect(host="127.0.0.1", port=self.server.ports["mysql"], user="root", use_pure=False)
        return self

    def __exit__(self, *_):
        self.quick.close()
        self.connection.close()
        try:
            self.server.stop(60)
        except Exception:
            self.server.kill()
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text):
        with self.connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall()

    def rows(self, text):
        """Of a query, by the quickest client that Python has."""
        with self.quick.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall()

    def has(self, database):
        return (database,) in self.sql("SHOW DATABASES")

    def load(self, database, table, messages, rows, properties='"format" = "csv"', clauses=""):
        """Sends the messages to a topic of its own, has a job load them, and ends the job; seconds from the first message on."""
        topic = f"{database}-{table}"
        self.sql(f"USE {database}")
        self.sql(
            f'CREATE ROUTINE LOAD {database}.{table}_load ON {table} {clauses} PROPERTIES ({properties}, "max_batch_interval" = "5") '
            f'FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "{topic}", "property.kafka_default_offsets" = "OFFSET_BEGINNING")'
        )
        producer = confluent_kafka.Producer(
            {"bootstrap.servers": self.server.kafka, "linger.ms": 20, "batch.size": 1_000_000, "message.max.bytes": 2_000_000, "queue.buffering.max.kbytes": 65_536}
        )
        began = time.monotonic()
        failed = []
        delivered = lambda error, _: failed.append(error) if error else None
        for number, message in enumerate(messages):
            while True:
                try:
                    producer.produce(topic, message, partition=number % 2, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        producer.flush(300)
        if failed:
            raise SystemExit(f"{len(failed)} messages were not delivered: {failed[0]}")
        found = 0
        while time.monotonic() - began < 3600:
            found = self.sql(f"SELECT count(*) FROM {table}")[0][0]
            if found >= rows:
                break
            time.sleep(0.2)
        seconds = time.monotonic() - began
        if found != rows:
            raise SystemExit(f"{table} has {found} rows, expected {rows}; SHOW ROUTINE LOAD: {self.sql(f'SHOW ROUTINE LOAD FOR {database}.{table}_load')}")
        self.sql(f"STOP ROUTINE LOAD FOR {database}.{table}_load")
        return seconds

    def files(self, table):
        """Paths of the files that a reader of the table sees now."""
        objects = self.folder / "data" / "objects" / "penstock"
        return [str(objects / row[0].removeprefix(BUCKET)) for row in self.sql(f"SHOW FILES FROM {table}")]

    def settled(self, tables, seconds=600):
        """Waits until no table's files change any more: maintenance has merged what it wants to."""
        end, before, since = time.monotonic() + seconds, None, time.monotonic()
        while time.monotonic() < end:
            now = [self.files(table) for table in tables]
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > 45:
                return
            time.sleep(1)


def duck(laptop, tables, threads):
    """DuckDB with a view over each table's files."""
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("SET enable_progress_bar = false")
    for table in tables:
        connection.execute(f"CREATE VIEW {table.split('.')[-1]} AS SELECT * FROM read_parquet({laptop.files(table)!r})")
    return connection


def lines_as_messages(path, header=True, size=MESSAGE_BYTES):
    """The file's lines, as many in a message as fit."""
    with open(path, "rb") as file:
        if header:
            file.readline()
        rest = b""
        while block := file.read(size):
            block = rest + block
            end = block.rfind(b"\n") + 1
            rest = block[end:]
            if end:
                yield block[:end]
        if rest:
            yield rest


def program():
    """The release build of penstock: PENSTOCK, or where cargo puts it."""
    target = os.environ.get("CARGO_TARGET_DIR", pathlib.Path(__file__).resolve().parents[2] / "target")
    path = pathlib.Path(os.environ.get("PENSTOCK", pathlib.Path(target) / "release" / "penstock"))
    if not path.exists():
        raise SystemExit(f"there is no {path}: `cargo build --release -p penstock` in the project's folder, or say PENSTOCK=...")
    return path
