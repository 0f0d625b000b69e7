"""`penstock quickstart`: what a newcomer runs first."""

import re
import signal
import socket
import subprocess
import time

import pytest
from conftest import run
from penstock import Penstock, free_port


def ports():
    return [word for part in Penstock.REPLACED_BY for word in (f"--{part}-port", str(free_port()))]


def test_quickstart_exit_replays_the_tutorial_and_says_so(program):
    done = run([program, "quickstart", "--exit", *ports()])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 rows in set" in done.stdout and "10 rows in set" in done.stdout
    assert re.search(r"^ +State: RUNNING$", done.stdout, re.M)
    assert "\x1b[" not in done.stdout, "plain text where no terminal reads"


def test_quickstart_with_records_counts_each_once(program):
    done = run([program, "quickstart", "--exit", "--records", "20000", *ports()])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40000" in done.stdout and re.search(r"rows/s", done.stdout)


def test_a_busy_port_is_named_with_its_flag(program):
    for part in Penstock.REPLACED_BY:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            flags = ports()
            flags[flags.index(f"--{part}-port") + 1] = port
            done = run([program, "up", *flags])
        assert done.returncode != 0
        lines = [line for line in done.stderr.splitlines() if "error" in line]
        assert len(lines) == 1 and port in lines[0] and f"--{part}-port" in lines[0], done.stderr


@pytest.mark.alone
def test_ready_within_two_seconds_and_gone_within_three(start):
    server = start("up")
    assert server.ready_after < 2
    assert server.stop(3) == 0


def test_a_second_process_on_the_same_data_is_refused(start, program):
    server = start("up")
    done = run([program, "up", "--data", server.data, *ports()])
    assert done.returncode != 0 and str(server.data) in done.stderr and "in use" in done.stderr


def test_another_address_demands_a_password(program):
    done = run([program, "up", "--bind", "0.0.0.0", *ports()])
    assert done.returncode != 0 and "--password" in done.stderr


@pytest.mark.alone
def test_interrupting_the_wait_of_quickstart_ends_it(program):
    process = subprocess.Popen([program, "quickstart", *ports()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if "SHOW ROUTINE LOAD" in line:
            break
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=5)
    assert time.monotonic() - began < 3


def test_help_teaches(program):
    for command in ("quickstart", "up", "sql", "preview"):
        done = run([program, command, "--help"])
        assert done.returncode == 0 and "--" in done.stdout and "Example" in done.stdout, command
