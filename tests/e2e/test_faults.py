"""Processes killed and networks cut under a steady producer, one after the other: every key once, and all of it provable.

The long form: `--records 1000000 --seed 7` goes on at random until so many are produced; docs/faults.md has the command.
"""

import contextlib
import itertools
import json
import os
import pathlib
import random
import signal

from confluent_kafka import Producer
from ordeal import COUNT, PATIENCE_SECONDS, Steady, Watching, define, prove, wait
from proxy import Proxy, port_of

RATE, LONG_RATE = 700, 4_000
VICTIMS = ("runner", "function", "kafka", "s3", "dynamodb")
NETWORKS = [(which, kind, amount) for which in ("dynamodb", "s3", "kafka") for kind, amount in (("cut", 0.5), ("refuse", 1), ("drop", 1), ("delay", 0.3))]


class Parts:
    """A server over services, each behind a proxy, whose functions are processes."""

    def __init__(self, services, start, functions, seed, stack):
        self.services = services
        self.proxies = {
            "kafka": stack.enter_context(Proxy(services.kafka_inner, services.kafka_outer, seed)),
            "dynamodb": stack.enter_context(Proxy(port_of(services.dynamodb), seed=seed + 1)),
            "s3": stack.enter_context(Proxy(port_of(services.s3), seed=seed + 2)),
        }
        self.kafka = f"127.0.0.1:{services.kafka_outer}"
        flags = services.flags(s3=self.proxies["s3"].url, dynamodb=self.proxies["dynamodb"].url)
        self.server = start("up", *flags, "--functions", str(functions), env=services.env)

    def kill(self, victim):
        """Kills it and has it run again; a service, once somebody has missed it."""
        if victim == "runner":
            self.server.kill()
            self.server.start()
        elif victim == "function":
            wait(lambda: self.processes_of("load"), "the function runs")
            killed = self.processes_of("load")
            for process in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            wait(lambda: self.processes_of("load") - killed, "the function runs again")
        else:
            missed = self.proxies[victim].unreached
            if victim == "dynamodb":
                # No answer passes that it may lose, as AWS's would not; what it does meanwhile stays unanswered, done or not.
                with self.proxies[victim].misbehaving("drop", 1):
                    self.services.settle_dynamodb()
                    self.services.kill(victim)
            else:
                self.services.kill(victim)
            wait(lambda: self.proxies[victim].unreached > missed, f"somebody misses {victim}")
            self.services.start(victim)

    def processes_of(self, function):
        """Those of this server: not what an earlier one left behind."""
        found = set()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
                if parent == self.server.process.pid and f"{function}/bootstrap".encode() in (folder / "cmdline").read_bytes():
                    found.add(int(folder.name))
        return found

    def misbehave(self, which, kind, amount, more):
        """From the first bytes that meet it until `more()` returns; how many did."""
        with self.proxies[which].misbehaving(kind, amount) as met:
            wait(met, f"something of {which} meets `{kind}`")
            more()
            return met()


def test_every_key_is_there_once_after_each_process_was_killed(durable_services, start, functions, seed, pytestconfig, tmp_path):
    asked = pytestconfig.getoption("--records")
    rate = LONG_RATE if asked else RATE
    chance = random.Random(seed)
    killed = []
    with contextlib.ExitStack() as stack:
        parts = Parts(durable_services, start, functions, seed, stack)
        define(parts.server, "kills", parts.kafka, "kills")
        producer = stack.enter_context(Steady(durable_services.kafka, "kills", rate))
        watching = stack.enter_context(Watching(parts.server, "kills"))
        parts.server.until(COUNT, lambda rows: rows[0]["n"], PATIENCE_SECONDS, "kills")
        for victim in (chance.choice(VICTIMS) for _ in itertools.count()) if asked else chance.sample(VICTIMS, len(VICTIMS)):
            if asked and producer.produced >= asked:
                break
            producer.go_on(chance.randrange(1, 2 * rate))
            parts.kill(victim)
            killed.append(victim)
            if asked:
                parts.misbehave(*chance.choice(NETWORKS), lambda: producer.go_on(rate))
        records = producer.finish(asked or 0)
        print(f"{len(killed)} kills while {records} records were produced:", {victim: killed.count(victim) for victim in VICTIMS})
        prove(parts.server, "kills", records, durable_services.s3, tmp_path / "files")
        print(f"{watching.answers} queries were answered, {watching.refused} were not")


def test_every_key_is_there_once_after_each_network_misbehaved(durable_services, start, functions, seed, tmp_path):
    with contextlib.ExitStack() as stack:
        parts = Parts(durable_services, start, functions, seed, stack)
        define(parts.server, "networks", parts.kafka, "networks")
        producer = stack.enter_context(Steady(durable_services.kafka, "networks", RATE))
        watching = stack.enter_context(Watching(parts.server, "networks"))
        parts.server.until(COUNT, lambda rows: rows[0]["n"], PATIENCE_SECONDS, "networks")
        order = random.Random(seed).sample(NETWORKS, len(NETWORKS))
        print({(which, kind): parts.misbehave(which, kind, amount, lambda: producer.go_on(RATE // 2)) for which, kind, amount in order})
        prove(parts.server, "networks", producer.finish(), durable_services.s3, tmp_path / "files")
        print(f"{watching.answers} queries were answered, {watching.refused} were not")


def test_two_servers_that_run_the_same_job_load_each_key_once(durable_services, start, tmp_path):
    """Started twice by mistake on one catalog: both deliver everything, and one of them is killed while they do."""
    services = durable_services
    with Proxy(port_of(services.dynamodb)) as of_first, Proxy(port_of(services.dynamodb)) as of_second:
        first = start("up", *services.flags(dynamodb=of_first.url), env=services.env)
        define(first, "twice", services.kafka, "twice")
        # A server begins with the jobs that the catalog has when it starts.
        second = start("up", *services.flags(dynamodb=of_second.url), env=services.env)
        with Steady(services.kafka, "twice", RATE) as producer, Watching(second, "twice"):
            wait(lambda: committed_by(of_first) and committed_by(of_second), "both servers commit")
            first.kill()
            before = committed_by(of_first)
            first.start()
            wait(lambda: committed_by(of_first) > before, "the killed one commits again")
            prove(second, "twice", producer.finish(), services.s3, tmp_path / "files")


def committed_by(proxy):
    """How many commits were tried."""
    return sum(request.target == "TransactWriteItems" and '"commit#' in request.body for request in proxy.requests)


def test_records_of_aborted_transactions_never_appear_and_coverage_says_so(durable_services, start, tmp_path):
    topic, each, transactions = "transactions", 300, 12
    server = start("up", *durable_services.flags(), env=durable_services.env)
    define(server, "transactions", durable_services.kafka, topic)
    producer = Producer({"bootstrap.servers": durable_services.kafka, "transactional.id": topic, "linger.ms": 5, "log_level": 0})
    producer.init_transactions(120)
    key = 0
    for transaction in range(transactions):
        producer.begin_transaction()
        aborted = transaction % 2 == 1
        for number in range(each):
            # What is aborted has keys of its own, which nobody may ever see.
            value = {"k": -1 - key - number if aborted else key + number, "v": "aborted" if aborted else "committed"}
            producer.produce(topic, json.dumps(value).encode(), key=str(number).encode())
        assert producer.flush(120) == 0
        if aborted:
            producer.abort_transaction(120)
        else:
            producer.commit_transaction(120)
            key += each
    prove(server, "transactions", key, durable_services.s3, tmp_path / "files")
    # What comes after the last record that was loaded, here the last transaction, is counted with the next one.
    covered = server.sql("SHOW ROUTINE LOAD COVERAGE FOR transactions.keyed_job")
    assert sum(int(row["SkippedOffsets"]) for row in covered) >= each * (transactions // 2 - 1), covered
    assert all("transaction" in (row["SkipReasons"] or "") for row in covered), covered
