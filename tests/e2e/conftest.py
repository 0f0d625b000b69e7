"""What the end-to-end tests stand on: the built program, and real services from packages, on free ports of loopback."""

import os
import pathlib
import random
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

from penstock import Penstock  # noqa: E402
from services import Services  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--program", required=True, help="the built penstock")
    parser.addoption("--functions", required=True, help="the folder with the built load, admin, query and maintain")
    parser.addoption("--cache", required=True, help="the folder that tests/install filled")
    parser.addoption("--catalog-suite", help="the built test `dynamodb_local` of penstock-catalog")
    parser.addoption("--records", type=int, help="the long form of the test that kills processes: so many records")
    parser.addoption("--kills", type=int, help="the long form of the test that kills the embedded broker: so many kills")
    parser.addoption("--minio", help="the program `minio`, to be the S3 that is killed; S3Proxy without it")
    parser.addoption("--seed", type=int, help="what tests of faults draw from; random without it, and printed")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures time, so nothing else may run beside it")


# First, since xdist reads the groups in its own.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests mostly wait for batches, so they run side by side; those over real services share one set of them."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if "durable_services" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("durable_services"))
        elif "services" in item.fixturenames or (callspec and "services" in callspec.params.values()):
            item.add_marker(pytest.mark.xdist_group("services"))


@pytest.fixture(scope="session")
def cache(pytestconfig):
    return pathlib.Path(pytestconfig.getoption("--cache")).resolve()


@pytest.fixture(scope="session")
def program(pytestconfig):
    return pathlib.Path(pytestconfig.getoption("--program")).resolve()


@pytest.fixture(scope="session")
def functions(pytestconfig):
    return pathlib.Path(pytestconfig.getoption("--functions")).resolve()


@pytest.fixture(scope="session")
def started_services(cache, tmp_path_factory):
    with Services(cache, tmp_path_factory.mktemp("services")) as started:
        yield started


@pytest.fixture(scope="session")
def started_durable_services(cache, tmp_path_factory, pytestconfig):
    with Services(cache, tmp_path_factory.mktemp("durable"), durable=True, minio=pytestconfig.getoption("--minio")) as started:
        yield started


@pytest.fixture
def services(started_services):
    """Apache Kafka, DynamoDB Local and LocalStack's S3, with a catalog and a bucket for the test."""
    return started_services.for_a_test()


@pytest.fixture
def durable_services(started_durable_services):
    """Another set, of those that may be killed, with a catalog and a bucket for the test."""
    return started_durable_services.for_a_test()


@pytest.fixture
def seed(pytestconfig):
    """What a test of faults draws from."""
    asked = pytestconfig.getoption("--seed")
    drawn = random.randrange(1 << 32) if asked is None else asked
    print("seed", drawn)
    return drawn


@pytest.fixture
def start(program, tmp_path):
    """Starts servers, each with a data folder of its own unless one is given, and stops what is left at the end."""
    started = []

    def begin(command="up", *flags, data=None, env=None, kafka_port=None):
        server = Penstock(program, command, data or tmp_path / f"data{len(started)}", flags, env, kafka_port)
        started.append(server)
        server.start()
        return server

    yield begin
    for server in started:
        server.kill()


@pytest.fixture
def server(start):
    return start("up")


DEPLOYMENTS = ("embedded", "functions", "services")


@pytest.fixture(params=DEPLOYMENTS)
def deployment(request, start):
    """The same server three ways: all embedded; with built Lambda binaries; over real Kafka, S3 and DynamoDB."""
    if request.param == "embedded":
        return start("up")
    if request.param == "functions":
        return start("up", "--functions", str(request.getfixturevalue("functions")))
    services = request.getfixturevalue("services")
    return start("up", *services.flags(), env=services.env)


def run(argv, **kwargs):
    """Runs a program to its end and returns what it did; never longer than two minutes."""
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=kwargs.pop("timeout", 120),
                          env={**os.environ, **kwargs.pop("env", {})}, **kwargs)
