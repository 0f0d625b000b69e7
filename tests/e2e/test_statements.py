"""Every statement through the MySQL protocol: the cases of tests/data/statements, and what needs records."""

import json
import pathlib
import re

import pymysql
import pytest
import tutorial
from tutorial import CREATE_TABLE

CASES = pathlib.Path(__file__).parent.parent / "data" / "statements"


def cases(path):
    """(statement, expectations) of a file."""
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip()):
        lines = block.splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("=>"))
        yield "\n".join(lines[:first]), [line[2:].strip() for line in lines[first:]]


def matches(cells, pattern):
    wanted = [part.strip() for part in pattern.split("|")]
    shown = ["NULL" if cell is None else str(cell) for cell in cells]
    return len(wanted) == len(shown) and all(re.fullmatch(pattern_of(want), cell, re.S) for want, cell in zip(wanted, shown))


def pattern_of(want):
    """`*` is any text, six of them a masked secret."""
    return re.escape(want.replace("******", "\0")).replace(re.escape("*"), ".*").replace("\0", re.escape("******"))


def check(statement, expectations, cursor):
    titles, rows, error = [], [], None
    try:
        cursor.execute(statement)
        titles, rows = [column[0] for column in cursor.description or []], cursor.fetchall()
    except pymysql.err.MySQLError as raised:
        error = raised.args
    ordered = iter(rows)
    for expectation in expectations:
        kind, _, rest = expectation.partition(" ")
        rest = rest.strip()
        if kind == "error":
            number, _, text = rest.partition(" ")
            assert error and error[0] == int(number) and text in error[1], (statement, expectation, error or rows)
            continue
        assert error is None, (statement, error)
        if kind == "ok":
            assert not titles, (statement, rows)
        elif kind == "columns":
            assert titles == rest.split(", "), (statement, titles)
        elif kind == "rows":
            assert len(rows) == int(rest), (statement, rows)
        elif kind == "row":
            row = next(ordered, None)
            assert row is not None and matches(row, rest), (statement, expectation, row)
        elif kind == "some":
            assert any(matches(row, rest) for row in rows), (statement, expectation, rows)
        else:
            raise AssertionError(f"what is `=> {expectation}`?")
    if any(expectation.startswith("row ") for expectation in expectations):
        assert next(ordered, None) is None, (statement, "more rows than expected", rows)


@pytest.mark.parametrize("path", sorted(CASES.glob("*.txt")), ids=lambda path: path.stem)
def test_statements_answer_as_their_file_says(server, path):
    connection = pymysql.connect(host="127.0.0.1", port=server.ports["mysql"], user="root", password=server.password, autocommit=True)
    try:
        with connection.cursor() as cursor:
            for statement, expectations in cases(path):
                check(statement, expectations, cursor)
    finally:
        connection.close()


JOB = '''CREATE ROUTINE LOAD lab.j ON site_clicks PROPERTIES ("format" = "json", "max_batch_interval" = "5")
FROM KAFKA ("kafka_broker_list" = "redpanda:29092", "kafka_topic" = "%s", "kafka_partitions" = "0", "kafka_offsets" = "OFFSET_BEGINNING")'''


@pytest.fixture
def lab(server):
    server.sql("CREATE DATABASE lab")
    server.sql(CREATE_TABLE, "lab")
    return server


def count(server, rows, seconds=60):
    server.until("SELECT count(*) n FROM site_clicks", lambda found: found[0]["n"] == rows, seconds, "lab")


def test_a_running_job_goes_back_and_forward_to_the_very_offset(lab):
    tutorial.publish(lab, "moved", range(10))
    lab.sql(JOB % "moved")
    count(lab, 10)
    lab.sql('ALTER ROUTINE LOAD FOR lab.j FROM KAFKA ("kafka_partitions" = "0", "kafka_offsets" = "6")')
    count(lab, 14)
    uids = [row["uid"] for row in lab.sql("SELECT uid FROM site_clicks ORDER BY uid", "lab")]
    assert uids == sorted([*range(10), *range(6, 10)])
    lab.sql('ALTER ROUTINE LOAD FOR lab.j FROM KAFKA ("kafka_partitions" = "0", "kafka_offsets" = "OFFSET_BEGINNING")')
    count(lab, 24)
    lab.sql("PAUSE ROUTINE LOAD FOR lab.j")
    tutorial.publish(lab, "moved", range(10, 20))
    lab.sql('ALTER ROUTINE LOAD FOR lab.j FROM KAFKA ("kafka_partitions" = "0", "kafka_offsets" = "17")')
    lab.sql("RESUME ROUTINE LOAD FOR lab.j")
    count(lab, 27)
    tutorial.publish(lab, "moved", range(20, 21))
    count(lab, 28)
    assert lab.sql("SHOW ROUTINE LOAD", "lab")[0]["State"] == "RUNNING"
    versions = lab.sql("SHOW ROUTINE LOAD VERSIONS FOR lab.j")
    assert [json.loads(row["BeginOffsets"]) for row in versions] == [{"0": "0"}, {"0": "6"}, {"0": "0"}, {"0": "17"}]
    assert [json.loads(row["EndOffsetsBefore"]) for row in versions] == [{}, {"0": "10"}, {"0": "10"}, {"0": "10"}]


def test_preview_shows_what_would_become_of_records_and_loads_nothing(lab):
    tutorial.publish(lab, "seen", range(12))
    shown = lab.sql(("PREVIEW " + JOB % "seen") + " LIMIT 3")
    assert [row["outcome"] for row in shown] == ["row", "row", "row", "total"]
    assert [row["offset"] for row in shown[:3]] == ["9", "10", "11"]
    assert json.loads(shown[0]["row"])["uid"] == 9
    assert shown[3]["reason"] == "records 3, rows 3: loaded 3, rejected 0, unselected 0"
    assert lab.sql("SHOW ALL ROUTINE LOAD", "lab") == []
    assert lab.sql("SELECT count(*) n FROM site_clicks", "lab") == [{"n": 0}]


def test_a_table_in_a_volume_of_its_own_loads_and_is_read(server):
    server.sql('''CREATE STORAGE VOLUME mine TYPE = S3 LOCATIONS = ("s3://another-bucket/deep/")
        PROPERTIES ("enabled" = "true", "aws.s3.endpoint" = "minio:9000", "aws.s3.access_key" = "a", "aws.s3.secret_key" = "b")''')
    server.sql('CREATE DATABASE lab PROPERTIES ("storage_volume" = "mine")')
    server.sql(CREATE_TABLE, "lab")
    tutorial.publish(server, "elsewhere", range(5))
    server.sql(JOB % "elsewhere")
    count(server, 5)
    files = [path for path in pathlib.Path(f"{server.data}").rglob("another-bucket/deep/table/**/*.parquet")]
    assert files
