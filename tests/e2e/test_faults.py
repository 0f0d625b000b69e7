"""Processes killed and networks cut under a steady producer, one after the other: every key once, and all of it provable.

The long variant: `--records 1000000 --seed 7` kills at random until all are produced; see docs/faults.md.
"""

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import time

from confluent_kafka import Producer
from ordeal import Steady, Watching, define, prove
from proxy import Proxy

SETTLED = 1.5
RATE, LONG_RATE = 700, 4_000


class Parts:
    """A server over services, each behind a proxy."""

    def __init__(self, services, start, functions, seed, stack):
        self.services = services
        port = lambda url: int(url.rpartition(":")[2])  # noqa: E731
        self.proxies = {
            "kafka": stack.enter_context(Proxy(services.kafka_inner, services.kafka_outer, seed)),
            "dynamodb": stack.enter_context(Proxy(port(services.dynamodb), seed=seed + 1)),
            "s3": stack.enter_context(Proxy(port(services.s3), seed=seed + 2)),
        }
        self.kafka = f"127.0.0.1:{services.kafka_outer}"
        flags = ["--kafka", services.kafka, "--s3-endpoint", self.proxies["s3"].url, "--dynamodb-endpoint", self.proxies["dynamodb"].url,
                 "--bucket", f"faults-{seed}", "--table", f"faults-{seed}"]
        self.server = start("up", *flags, "--functions", str(functions), env=services.env)

    def kill(self, victim):
        if victim == "runner":
            self.server.kill()
            self.server.start()
        elif victim == "function":
            # It starts again by itself.
            for process in self.processes_of("load"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        else:
            self.services.kill(victim)
            time.sleep(SETTLED)
            self.services.start(victim)

    def processes_of(self, function):
        found = subprocess.run(["pgrep", "-P", str(self.server.process.pid), "-f", f"{function}/bootstrap"], capture_output=True, text=True, check=False)
        return [int(word) for word in found.stdout.split()]

    def misbehave(self, which, kind, amount, seconds, most=15):
        """For `seconds` after the first byte that meets it; how many do."""
        with self.proxies[which].misbehaving(kind, amount) as met:
            deadline = time.monotonic() + most
            while not met() and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(seconds)
            return met()


VICTIMS = ("runner", "function", "kafka", "s3", "dynamodb")
NETWORKS = [(which, kind, amount) for which in ("dynamodb", "s3", "kafka") for kind, amount in (("cut", 0.5), ("refuse", 1), ("drop", 1), ("delay", 0.3))]


def test_every_key_is_there_once_after_each_process_was_killed(durable_services, start, functions, pytestconfig, tmp_path):
    asked = pytestconfig.getoption("--records")
    seed = pytestconfig.getoption("--seed") or random.randrange(1 << 16)
    records, rate = (asked, LONG_RATE) if asked else (20_000, RATE)
    chance = random.Random(seed)
    print("seed", seed)
    killed = []
    with contextlib.ExitStack() as stack:
        parts = Parts(durable_services, start, functions, seed, stack)
        define(parts.server, "kills", parts.kafka, "kills")
        producer = stack.enter_context(Steady(parts.services.kafka, "kills", records, rate))
        watching = stack.enter_context(Watching(parts.server, "kills"))
        # A long run goes on as long as there are records, and adds the network's faults.
        for victim in chance.sample(VICTIMS, len(VICTIMS)) if not asked else (chance.choice(VICTIMS) for _ in itertools.count()):
            time.sleep(SETTLED + chance.random() * (3 if asked else 1))
            if producer.produced >= records:
                break
            parts.kill(victim)
            killed.append(victim)
            if asked:
                parts.misbehave(*chance.choice(NETWORKS), seconds=1)
        produced_under_faults = producer.produced
        assert parts.processes_of("load"), "the function did not start again"
        producer.finish(180)
        print(f"{len(killed)} kills while {produced_under_faults} of {records} records were produced:", {victim: killed.count(victim) for victim in VICTIMS})
        began = time.monotonic()
        prove(parts.server, "kills", records, durable_services.s3, tmp_path / "files", 600 if asked else 90)
        print(f"proved {time.monotonic() - began:.1f} s after the last record; {watching.answers} queries were answered, {watching.refused} were not")


def test_every_key_is_there_once_after_each_network_misbehaved(services, start, functions, pytestconfig, tmp_path):
    seed = pytestconfig.getoption("--seed") or random.randrange(1 << 16)
    print("seed", seed)
    records = 12_000
    with contextlib.ExitStack() as stack:
        parts = Parts(services, start, functions, seed, stack)
        topic = f"networks-{seed}"
        define(parts.server, "networks", parts.kafka, topic)
        producer = stack.enter_context(Steady(services.kafka, topic, records, RATE))
        watching = stack.enter_context(Watching(parts.server, "networks"))
        parts.server.until("SELECT count(*) n FROM keyed", lambda rows: rows[0]["n"], 60, "networks")
        order = random.Random(seed).sample(NETWORKS, len(NETWORKS))
        met = {(which, kind): parts.misbehave(which, kind, amount, seconds=0.8) for which, kind, amount in order}
        print(met)
        assert all(met.values()), met
        producer.finish(60)
        prove(parts.server, "networks", records, services.s3, tmp_path / "files", 90)
        print(f"{watching.answers} queries were answered, {watching.refused} were not")


def test_two_servers_that_run_the_same_job_load_each_key_once(durable_services, start, tmp_path):
    """Started twice by mistake on one catalog: both deliver everything, and one of them is killed while they do."""
    seed = random.randrange(1 << 16)
    records, topic = 8_000, f"twice-{seed}"
    flags = [*durable_services.flags(), "--bucket", f"twice-{seed}", "--table", f"twice-{seed}"]
    first = start("up", *flags, env=durable_services.env)
    define(first, "twice", durable_services.kafka, topic)
    second = start("up", *flags, env=durable_services.env)
    with Steady(durable_services.kafka, topic, records, RATE) as producer, Watching(second, "twice"):
        second.until("SELECT count(*) n FROM keyed", lambda rows: rows[0]["n"] > records // 2, 90, "twice")
        first.kill()
        first.start()
        producer.finish(60)
        prove(second, "twice", records, durable_services.s3, tmp_path / "files", 90)
    assert first.sql("SELECT count(*) n FROM keyed", "twice") == [{"n": records}]


def test_records_of_aborted_transactions_never_appear_and_coverage_says_so(durable_services, start, tmp_path):
    seed = random.randrange(1 << 16)
    topic, each, transactions = f"transactions-{seed}", 300, 12
    server = start("up", *durable_services.flags(), "--bucket", f"transactions-{seed}", "--table", f"transactions-{seed}", env=durable_services.env)
    define(server, "transactions", durable_services.kafka, topic)
    producer = Producer({"bootstrap.servers": durable_services.kafka, "transactional.id": topic, "linger.ms": 5})
    producer.init_transactions(60)
    key = 0
    for transaction in range(transactions):
        producer.begin_transaction()
        aborted = transaction % 2 == 1
        for number in range(each):
            # What is aborted has keys of its own, which nobody may ever see.
            value = {"k": -1 - key - number if aborted else key + number, "v": "aborted" if aborted else "committed"}
            producer.produce(topic, json.dumps(value).encode(), key=str(number).encode())
        assert producer.flush(60) == 0
        if aborted:
            producer.abort_transaction(60)
        else:
            producer.commit_transaction(60)
            key += each
    prove(server, "transactions", key, durable_services.s3, tmp_path / "files", 90)
    # Until the next record comes, the last transaction's markers are not asked for.
    covered = server.sql("SHOW ROUTINE LOAD COVERAGE FOR transactions.keyed_job")
    assert sum(int(row["SkippedOffsets"]) for row in covered) >= each * (transactions // 2 - 1), covered
    assert any("transaction" in (row["SkipReasons"] or "") for row in covered), covered
