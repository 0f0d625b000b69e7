"""Hundreds of payloads, each between two good records: neighbours load, what is not JSON is one rejected row, nothing breaks."""

import base64
import json

import payloads
from conftest import run
from kafka import KafkaProducer

JOB = """CREATE TABLE t (id BIGINT NOT NULL);
CREATE ROUTINE LOAD j ON t PROPERTIES ("format" = "json", "max_error_number" = "1000000000")
FROM KAFKA ("kafka_broker_list" = "b:1", "kafka_topic" = "t");
"""


def preview(program, tmp_path, values):
    """The JSON lines that preview prints for these record values."""
    (tmp_path / "job.sql").write_text(JOB, encoding="utf-8")
    flags = []
    for i, value in enumerate(values):
        (tmp_path / f"r{i}").write_bytes(value)
        flags += ["--input", tmp_path / f"r{i}"]
    done = run([program, "preview", "--job", tmp_path / "job.sql", "--split", "file", *flags])
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def raw_of(rejected):
    return base64.b64decode(rejected["raw_base64"]) if "raw_base64" in rejected else rejected["raw"].encode()


def interleave(values):
    """Each value between two good records; ids from 1000."""
    out = [b'{"id":1000}']
    for i, value in enumerate(values):
        out += [value, b'{"id":%d}' % (1001 + i)]
    return out


def test_preview_rejects_exactly_what_is_not_json(program, tmp_path):
    bad = payloads.all_invalid()
    lines = preview(program, tmp_path, interleave(bad))
    rows = [line["row"]["id"] for line in lines if "row" in line]
    rejected = [line["rejected"] for line in lines if "rejected" in line]
    assert rows == list(range(1000, 1001 + len(bad)))
    assert [raw_of(one) for one in rejected] == bad
    assert [one["record"] for one in rejected] == list(range(1, 2 * len(bad), 2))
    assert all(one["reason"] for one in rejected)
    statistics = lines[-1]["statistics"]
    assert (statistics["loaded"], statistics["rejected"], statistics["total"]) == (len(bad) + 1, len(bad), 2 * len(bad) + 1)


def test_preview_loads_what_is_json(program, tmp_path):
    lines = preview(program, tmp_path, payloads.VALID)
    assert [line["row"] for line in lines[:-1]] == [{"id": 1}] * len(payloads.VALID)


def test_preview_gives_no_row_for_what_is_no_object(program, tmp_path):
    lines = preview(program, tmp_path, payloads.NO_ROW)
    assert [raw_of(line["rejected"]) for line in lines[:-1]] == payloads.NO_ROW


def test_a_job_loads_the_neighbours_of_every_payload(server):
    bad, valid, other = payloads.all_invalid(), payloads.VALID, payloads.NO_ROW + payloads.EMPTY
    values = interleave(bad + valid + other)
    server.sql("CREATE DATABASE hostile")
    server.sql("CREATE TABLE t (id BIGINT NOT NULL)", "hostile")
    producer = KafkaProducer(bootstrap_servers=server.kafka, max_request_size=20_000_000)
    sent = [producer.send("hostile", value, key=b"k") for value in values]
    for one in sent:
        one.get(60)
    producer.close()
    server.sql(JOB.split(";", 1)[1].replace('"b:1"', '"redpanda:29092"').replace('"t")', '"hostile", "property.kafka_default_offsets" = "OFFSET_BEGINNING")'), "hostile")
    good = len(bad) + len(valid) + len(other) + 1
    server.until("SELECT count(*) n FROM t", lambda rows: rows[0]["n"] >= good + len(valid), 180, "hostile")
    assert server.sql("SELECT count(*) n, count(DISTINCT id) d FROM t WHERE id >= 1000", "hostile") == [{"n": good, "d": good}]
    assert server.sql("SELECT count(*) n FROM t WHERE id = 1", "hostile") == [{"n": len(valid)}]
    row = server.sql("SHOW ROUTINE LOAD", "hostile")[0]
    assert row["State"] == "RUNNING"
    assert json.loads(row["Statistic"])["errorRows"] == len(bad) + len(payloads.NO_ROW)
    assert json.loads(row["Progress"]) == {"0": str(len(values) - 1)}
