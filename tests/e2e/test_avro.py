"""Avro through a schema registry, written by confluent-kafka's own serializer, and held against what it was given."""

import datetime
import decimal
import http.server
import json
import struct
import threading
import uuid

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext
from conftest import run

UTC = datetime.timezone.utc

FIRST = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "long"},
    {"name": "item", "type": ["null", "string"]},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "clock", "type": {"type": "long", "logicalType": "time-micros"}},
    {"name": "ref", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "props", "type": {"type": "map", "values": ["null", "long", "string"]}},
]}
# Another order of fields, one gone, one new, one of another type.
SECOND = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["PAID", "SENT"]}},
    {"name": "note", "type": {"type": "record", "name": "Note", "fields": [{"name": "text", "type": "string"}, {"name": "stars", "type": ["null", "int"]}]}},
    {"name": "id", "type": "int"},
    {"name": "price", "type": {"type": "fixed", "name": "Money", "size": 6, "logicalType": "decimal", "precision": 12, "scale": 3}},
    {"name": "item", "type": "string"},
]}

TABLE = """CREATE TABLE orders (id BIGINT NOT NULL, item VARCHAR(50), price DECIMAL(12, 3), day DATE, at DATETIME, clock VARCHAR(20), ref VARCHAR(36),
                                state VARCHAR(10), tags JSON, props JSON, note JSON)"""

JOB = """CREATE ROUTINE LOAD {name} ON orders PROPERTIES ("format" = "avro", "max_error_number" = "1000"{more})
FROM KAFKA ("kafka_broker_list" = "{kafka}", "kafka_topic" = "{topic}", "property.kafka_default_offsets" = "OFFSET_BEGINNING",
            "confluent.schema.registry.url" = "{registry}")"""


def first(i):
    return {"id": i, "item": None if i % 3 == 0 else f"item {i}", "price": decimal.Decimal(i) / 4, "day": datetime.date(2024, 2, 28) + datetime.timedelta(days=i),
            "at": datetime.datetime(2024, 2, 29, 12, 0, 0, 123000, tzinfo=UTC) + datetime.timedelta(hours=i), "clock": datetime.time(1, 2, 3, 456),
            "ref": str(uuid.UUID(int=i)), "state": "PAID" if i % 2 else "NEW", "tags": [f"t{n}" for n in range(i % 4)], "props": {"n": i, "s": "é\"", "none": None}}


def second(i):
    return {"state": "SENT", "note": {"text": f"say \"{i}\"", "stars": i if i % 2 else None}, "id": i, "price": decimal.Decimal(-i) / 8, "item": f"second {i}"}


class Shop:
    """A topic, a registry client and serializers by schema."""

    def __init__(self, server, topic="orders"):
        self.server, self.topic = server, topic
        self.client = SchemaRegistryClient({"url": server.registry})
        self.producer = Producer({"bootstrap.servers": server.kafka})
        self.serializers = {}

    def bytes(self, schema, value):
        text = json.dumps(schema)
        if text not in self.serializers:
            self.serializers[text] = AvroSerializer(self.client, text)
        return self.serializers[text](value, SerializationContext(self.topic, MessageField.VALUE))

    def send(self, *values):
        for value in values:
            self.producer.produce(self.topic, value=value)
        assert self.producer.flush(30) == 0

    def create(self, name="loading", registry=None, more=""):
        self.server.sql("CREATE DATABASE shop")
        self.server.sql(TABLE, "shop")
        self.server.sql(JOB.format(name=name, topic=self.topic, kafka=self.server.kafka, registry=registry or self.server.registry, more=more), "shop")

    def counts(self, name="loading"):
        return json.loads(self.server.sql(f"SHOW ROUTINE LOAD FOR {name}", "shop")[0]["Statistic"])

    def until_rows(self, count, seconds=40):
        self.server.until("SELECT count(*) n FROM orders", lambda rows: rows[0]["n"] == count, seconds, "shop")


@pytest.fixture
def shop(server):
    return Shop(server)


def test_schemas_change_within_a_topic_and_logical_types_convert(shop):
    values = [shop.bytes(FIRST, first(i)) if i % 2 else shop.bytes(SECOND, second(i)) for i in range(20)]
    shop.send(*values)
    shop.create()
    shop.until_rows(20)
    rows = shop.server.sql("SELECT * FROM orders ORDER BY id", "shop")
    for i, row in enumerate(rows):
        if i % 2 == 0:
            given = second(i)
            assert (row["id"], row["item"], row["state"], row["price"]) == (i, given["item"], "SENT", given["price"])
            assert json.loads(row["note"]) == given["note"]
            assert row["day"] is None and row["tags"] is None
            continue
        given = first(i)
        assert (row["id"], row["item"], row["state"], row["ref"]) == (i, given["item"], given["state"], given["ref"])
        assert row["price"] == given["price"]
        assert row["day"] == given["day"]
        assert row["at"] == given["at"].replace(tzinfo=None)
        assert row["clock"] == "01:02:03.000456"
        assert json.loads(row["tags"]) == given["tags"]
        assert json.loads(row["props"]) == given["props"]
        assert row["note"] is None
    assert shop.counts()["errorRows"] == 0


def test_preview_reads_records_by_the_schemas_of_the_registry(shop):
    shop.send(shop.bytes(FIRST, first(1)), b"\x00\x00\x00\x27\x0f\x02", shop.bytes(SECOND, second(3)))
    shop.create()
    shown = shop.server.sql("PREVIEW ROUTINE LOAD FOR loading", "shop")
    assert [row["outcome"] for row in shown] == ["row", "rejected", "row", "total"]
    assert [json.loads(shown[at]["row"])["id"] for at in (0, 2)] == [1, 3]
    assert "9999" in shown[1]["reason"]


def test_what_cannot_be_read_is_a_rejected_row_and_its_neighbours_load(shop):
    good = shop.bytes(FIRST, first(1))
    bad = [b"\x00\x00\x00\x27\x0f\x02", b'{"id": 1}', b"\xc3\x01" + b"x" * 10, b"Obj\x01\x04", b"\x00\x00", good[:-3], good + b"\x00", b"\x00" * 200]
    shop.send(*[value for one in bad for value in (good, one)], good)
    shop.create()
    shop.until_rows(len(bad) + 1)
    counts = shop.counts()
    assert (counts["loadedRows"], counts["errorRows"], counts["totalRows"]) == (len(bad) + 1, len(bad), 2 * len(bad) + 1)
    row = shop.server.sql("SHOW ROUTINE LOAD FOR loading", "shop")[0]
    assert row["State"] == "RUNNING"
    assert json.loads(row["DataSourceProperties"])["confluent.schema.registry.url"] == shop.server.registry


def test_paths_lead_into_records_and_the_zone_is_the_jobs(shop):
    shop.send(shop.bytes(FIRST, first(1)), shop.bytes(SECOND, second(3)))
    shop.server.sql("CREATE DATABASE shop")
    shop.server.sql("CREATE TABLE orders (id BIGINT NOT NULL, n BIGINT, tag VARCHAR(9), at DATETIME, stars INT, whole JSON)", "shop")
    paths = json.dumps(["$.id", "$.props.n", "$.tags[0]", "$.at", "$.note.stars", "$"])
    job = JOB.format(name="loading", topic=shop.topic, kafka=shop.server.kafka, registry=shop.server.registry, more=', "timezone" = "Asia/Shanghai", "jsonpaths" = ' + json.dumps(paths))
    shop.server.sql(job, "shop")
    shop.until_rows(2)
    one, two = shop.server.sql("SELECT * FROM orders ORDER BY id", "shop")
    assert (one["n"], one["tag"], one["stars"]) == (1, "t0", None)
    assert one["at"] == datetime.datetime(2024, 2, 29, 21, 0, 0, 123000)
    assert json.loads(one["whole"])["at"] == "2024-02-29 21:00:00.123000"
    assert (two["id"], two["n"], two["stars"]) == (3, None, 3)


class Down(http.server.BaseHTTPRequestHandler):
    """A registry that is out of order, then in order again."""

    status, schema, asked, credentials = 503, {}, 0, None

    def do_GET(self):
        Down.asked += 1
        Down.credentials = self.headers.get("Authorization")
        body = json.dumps(Down.schema if Down.status == 200 else {"error_code": 50001, "message": "not now"}).encode()
        self.send_response(Down.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_a_registry_that_is_down_makes_the_batch_wait_and_loses_nothing(shop):
    registry = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Down)
    threading.Thread(target=registry.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{registry.server_port}"
    Down.schema = {"schema": json.dumps(FIRST)}
    data = shop.bytes(FIRST, first(1))[5:]
    shop.send(struct.pack(">bI", 0, 77) + data)
    shop.create(registry=f"http://key:s3cret@{host}")
    _, rows = shop.server.until("SHOW ROUTINE LOAD FOR loading", lambda rows: "schema registry" in (rows[0]["OtherMsg"] or ""), 60, "shop")
    assert "503" in rows[0]["OtherMsg"] and "not now" in rows[0]["OtherMsg"]
    assert rows[0]["State"] in ("RUNNING", "NEED_SCHEDULE")
    shown = str(rows[0]) + str(shop.server.sql("SHOW CREATE ROUTINE LOAD loading", "shop")) + shop.server.said()
    assert "s3cret" not in shown and host in shown
    assert shop.server.sql("SELECT count(*) n FROM orders", "shop") == [{"n": 0}]
    Down.status = 200
    shop.until_rows(1, 90)
    assert Down.credentials == "Basic a2V5OnMzY3JldA=="
    asked = Down.asked
    shop.send(*[struct.pack(">bI", 0, 77) + data] * 3)
    shop.until_rows(4)
    assert Down.asked == asked, "a schema is fetched once"
    registry.shutdown()


def test_the_registry_speaks_the_clients_language_and_keeps_its_schemas(start):
    server = start("up")
    client = SchemaRegistryClient({"url": server.registry})
    assert client.get_subjects() == []
    schema = Schema(json.dumps(FIRST), "AVRO")
    number = client.register_schema("orders-value", schema)
    assert client.register_schema("other/subject", Schema(json.dumps(FIRST, indent=2), "AVRO")) == number
    later = client.register_schema("orders-value", Schema(json.dumps(SECOND), "AVRO"))
    document = client.register_schema("documents", Schema('{"type": "object"}', "JSON"))
    assert len({number, later, document}) == 3
    assert json.loads(client.get_schema(number).schema_str) == FIRST
    assert client.get_schema(document).schema_type == "JSON"
    assert client.get_versions("orders-value") == [1, 2]
    latest = client.get_latest_version("orders-value")
    assert (latest.version, latest.schema_id) == (2, later)
    assert client.lookup_schema("orders-value", schema).version == 1
    assert sorted(client.get_subjects()) == ["documents", "orders-value", "other/subject"]
    assert client.test_compatibility("orders-value", Schema(json.dumps(SECOND), "AVRO"))
    client.set_compatibility("orders-value", "FULL")
    assert client.get_compatibility("orders-value") == "FULL"
    for call, code in [
        (lambda: client.get_schema(999), 40403),
        (lambda: client.get_versions("nothing"), 40401),
        (lambda: client.get_version("orders-value", 9), 40402),
        (lambda: client.register_schema("bad", Schema('{"type": "nope"}', "AVRO")), 42201),
        (lambda: client.lookup_schema("documents", schema), 40403),
    ]:
        with pytest.raises(SchemaRegistryError) as refused:
            call()
        assert refused.value.error_code == code
    value = AvroSerializer(client, json.dumps(SECOND))(second(5), SerializationContext("orders", MessageField.VALUE))
    assert AvroDeserializer(client)(value, SerializationContext("orders", MessageField.VALUE)) == second(5)
    assert client.delete_subject("documents") == [1]
    assert sorted(client.get_subjects()) == ["orders-value", "other/subject"]
    assert server.stop() == 0
    again = start("up", data=server.data)
    client = SchemaRegistryClient({"url": again.registry})
    assert sorted(client.get_subjects()) == ["orders-value", "other/subject"]
    assert json.loads(client.get_schema(later).schema_str) == SECOND
    assert client.register_schema("new", Schema('"string"', "AVRO")) == document + 1


def test_types_of_other_subjects_are_found(shop):
    money = {"type": "record", "name": "Price", "namespace": "shop", "fields": [{"name": "amount", "type": "long"}]}
    order = {"type": "record", "name": "Ref", "namespace": "shop", "fields": [{"name": "id", "type": "long"}, {"name": "note", "type": "shop.Price"}]}
    shop.client.register_schema("price", Schema(json.dumps(money), "AVRO"))
    from confluent_kafka.schema_registry import SchemaReference
    number = shop.client.register_schema("ref", Schema(json.dumps(order), "AVRO", [SchemaReference("shop.Price", "price", 1)]))
    shop.send(struct.pack(">bI", 0, number) + b"\x0e\x54")
    shop.create()
    shop.until_rows(1)
    row = shop.server.sql("SELECT id, note FROM orders", "shop")[0]
    assert (row["id"], json.loads(row["note"])) == (7, {"amount": 42})


@pytest.mark.parametrize("property, words", [
    ("", ["confluent.schema.registry.url", "avro"]),
    (', "confluent.schema.registry.url" = "localhost:8081"', ["http://"]),
    (', "confluent.schema.registry.url" = "http://k:hidden@"', ["confluent.schema.registry.url"]),
    (', "confluent.schema.registry.url" = "http://a", "confluent.schema.registry.ssl.truststore" = "x"', ["truststore", "not supported"]),
])
def test_a_job_without_a_usable_registry_is_refused(server, property, words):
    server.sql("CREATE DATABASE shop")
    server.sql(TABLE, "shop")
    number, message = server.refused(f"""CREATE ROUTINE LOAD j ON orders PROPERTIES ("format" = "avro")
        FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "t"{property})""", "shop")
    assert number == 1064
    assert all(word in message for word in words) and "hidden" not in message, message


def test_preview_takes_schemas_from_files(program, tmp_path):
    (tmp_path / "job.sql").write_text(TABLE + ";" + JOB.format(name="j", topic="t", kafka="b:1", registry="http://localhost:8081", more=""), encoding="utf-8")
    (tmp_path / "first.avsc").write_text(json.dumps(FIRST), encoding="utf-8")
    flags = []
    for i, number in enumerate((7, 8)):
        with open(tmp_path / f"m{i}", "wb") as out:
            out.write(struct.pack(">bI", 0, number))
            fastavro.schemaless_writer(out, fastavro.parse_schema(FIRST), first(1))
        flags += ["--input", tmp_path / f"m{i}"]
    done = run([program, "preview", "--job", tmp_path / "job.sql", "--split", "file", "--schema", f"7={tmp_path / 'first.avsc'}", *flags])
    assert done.returncode == 0, done.stderr
    row, rejected, statistics = [json.loads(line) for line in done.stdout.splitlines()]
    assert (row["row"]["id"], row["row"]["price"], row["row"]["day"]) == (1, "0.250", "2024-02-29")
    assert rejected["rejected"]["reason"] == "parse error. schema id 8 is not known"
    assert statistics["statistics"]["loaded"] == 1
