"""What a commit costs, counted where it passes: one transaction and one query of DynamoDB, one PUT a file; a process reads three items more, two of them each minute."""

import collections
import shlex
import time

import tutorial
from ordeal import PATIENCE_SECONDS
from proxy import Proxy, port_of

BATCHES = 2


def through(folder, functions, **environment):
    """A folder of functions in which `load` has other settings, and the file that gets a line for each process of it."""
    started = folder / "started"
    for name in ("admin", "query", "maintain"):
        (folder / name).symlink_to(functions / name)
    (folder / "load").mkdir()
    script = folder / "load" / "bootstrap"
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
    script.write_text(f"#!/bin/sh\necho >>{shlex.quote(str(started))}\n{settings} exec {shlex.quote(str(functions / 'load' / 'bootstrap'))}\n", encoding="utf-8")
    script.chmod(0o755)
    return started


def test_a_commit_takes_one_transaction_one_query_and_one_put(durable_services, start, functions, tmp_path):
    services, topic = durable_services, "requests"
    with Proxy(port_of(services.dynamodb)) as dynamodb, Proxy(port_of(services.s3)) as s3:
        folder = tmp_path / "functions"
        folder.mkdir()
        began = time.monotonic()
        started = through(folder, functions, PENSTOCK_DYNAMODB_ENDPOINT=dynamodb.url, PENSTOCK_S3_ENDPOINT=s3.url)
        server = start("up", *services.flags(), "--functions", str(folder), env=services.env)
        server.sql("CREATE DATABASE lab")
        server.sql(tutorial.CREATE_TABLE, "lab")
        server.sql('CREATE ROUTINE LOAD lab.j ON site_clicks PROPERTIES ("format"="json", "max_batch_interval"="5") FROM KAFKA '
                   f'("kafka_broker_list"="{services.kafka}","kafka_topic"="{topic}","property.kafka_default_offsets"="OFFSET_BEGINNING")', "lab")
        for batch in range(BATCHES):
            tutorial.publish(server, topic, range(batch * 3, batch * 3 + 3))
            server.until("SELECT count(*) n FROM site_clicks", lambda rows, n=batch * 3 + 3: rows[0]["n"] == n, PATIENCE_SECONDS, "lab")
        [job] = server.sql("SHOW ROUTINE LOAD", "lab")
        minutes = int((time.monotonic() - began) / 60)
        commits = tutorial.column(job, "Statistic")["committedTaskNum"]
        processes = len(started.read_text().splitlines())
        assert commits >= BATCHES
        # Table and volume, kept for a minute, and the job's definition, which never changes.
        counts = collections.Counter(request.target for request in dynamodb.requests)
        single = counts.pop("GetItem")
        assert counts == {"TransactWriteItems": commits, "Query": commits}, counts
        assert 0 < single <= processes * (3 + 2 * minutes), (single, commits, processes)
        assert [request.method for request in s3.requests] == ["PUT"] * commits, s3.requests
        assert len({request.path for request in s3.requests}) == commits
