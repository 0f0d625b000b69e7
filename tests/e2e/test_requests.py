"""What a commit costs, counted where it passes: one transaction, one query and two single items of DynamoDB, one PUT a file."""

import collections
import contextlib
import random

import tutorial
from proxy import Proxy

BATCHES = 3


def test_a_commit_takes_one_transaction_one_query_and_one_put(durable_services, start, functions):
    seed = random.randrange(1 << 16)
    with contextlib.ExitStack() as stack:
        dynamodb = stack.enter_context(Proxy(int(durable_services.dynamodb.rpartition(":")[2])))
        s3 = stack.enter_context(Proxy(int(durable_services.s3.rpartition(":")[2])))
        # Functions are processes, and each has connections of its own: those that carry commits are of `load`.
        server = start("up", "--kafka", durable_services.kafka, "--s3-endpoint", s3.url, "--dynamodb-endpoint", dynamodb.url,
                       "--bucket", f"requests-{seed}", "--table", f"requests-{seed}", "--functions", str(functions), env=durable_services.env)
        server.sql("CREATE DATABASE lab")
        server.sql(tutorial.CREATE_TABLE, "lab")
        server.sql('CREATE ROUTINE LOAD lab.j ON site_clicks PROPERTIES ("format"="json", "max_batch_interval"="5") FROM KAFKA '
                   f'("kafka_broker_list"="{durable_services.kafka}","kafka_topic"="requests-{seed}","property.kafka_default_offsets"="OFFSET_BEGINNING")', "lab")
        for batch in range(BATCHES):
            tutorial.publish(server, f"requests-{seed}", range(batch * 3, batch * 3 + 3))
            server.until("SELECT count(*) n FROM site_clicks", lambda rows, n=batch * 3 + 3: rows[0]["n"] == n, 60, "lab")
        [job] = server.sql("SHOW ROUTINE LOAD", "lab")
        commits = tutorial.column(job, "Statistic")["committedTaskNum"]
    carried = [request for request in dynamodb.requests if request.target == "TransactWriteItems" and '"commit#' in request.body]
    assert len(carried) == commits >= BATCHES
    of_load = {request.connection for request in carried}
    counts = collections.Counter(request.target for request in dynamodb.requests if request.connection in of_load)
    assert (counts["TransactWriteItems"], counts["Query"]) == (commits, commits), counts
    # Table and volume, as they may have changed; and once a process the job's definition, which never does.
    assert counts["GetItem"] == 2 * commits + len(of_load) and len(counts) == 3, counts
    puts = [request.path for request in s3.requests if request.method == "PUT" and request.path.endswith(".parquet")]
    assert len(puts) == len(set(puts)) == commits, puts
    others = [request for request in s3.requests if "/table/" in request.path and request.method not in ("PUT", "GET")]
    assert others == []
