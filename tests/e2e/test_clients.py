"""The client suites, against ours and, unchanged, against the real thing."""

import sys

import pytest
from conftest import HERE, run

SUITES = HERE.parent / "clients"


def passes(argv, **kwargs):
    done = run(argv, **kwargs)
    assert done.returncode == 0, "\n".join(line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("ok "))[-6000:]


@pytest.mark.alone
def test_kafka_clients_work_with_the_embedded_broker(server):
    passes([sys.executable, SUITES / "kafka_suite.py", server.kafka], timeout=400)


@pytest.mark.alone
def test_kafka_clients_find_apache_kafka_the_same(services):
    passes([sys.executable, SUITES / "kafka_suite.py", services.kafka], timeout=400)


def test_mysql_clients_work_with_the_gateway(server):
    passes([sys.executable, SUITES / "mysql_suite.py", "127.0.0.1", server.ports["mysql"]])


def test_mysql_clients_work_with_a_password(start):
    server = start("up", "--password", "s3cret")
    passes([sys.executable, SUITES / "mysql_suite.py", "127.0.0.1", server.ports["mysql"], "s3cret"])


def test_mysql2_works_with_the_gateway(server, cache):
    # Node finds packages beside the script, so the script is run from where they are.
    suite = cache / "node" / "mysql2_suite.mjs"
    suite.write_text((SUITES / "mysql2_suite.mjs").read_text(encoding="utf-8"), encoding="utf-8")
    passes(["node", suite, "127.0.0.1", server.ports["mysql"]])
