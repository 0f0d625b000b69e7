"""A penstock server as a process of its own, and the clients that speak to it."""

import itertools
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

import pymysql

READY_SECONDS = 60
FIRST_PORT, WORKERS = 10_000, 8


def server_ports():
    """Endless. Below the ports that the system gives to clients, else a connection may take that of a server which is killed and
    started again; and tests that run side by side have a range each."""
    clients_from = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    each = ((clients_from if clients_from > FIRST_PORT + 1000 else 32_768) - FIRST_PORT) // WORKERS
    first = FIRST_PORT + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS * each
    begin = random.randrange(each)
    return (first + (begin + number) % each for number in itertools.count())


PORTS = server_ports()


def free_port():
    for port in PORTS:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Penstock:
    """`flags` may name outside services; the parts that they replace get no port."""

    REPLACED_BY = {"kafka": ("--kafka",), "s3": ("--s3-endpoint", "--aws-endpoint"), "dynamodb": ("--dynamodb-endpoint", "--aws-endpoint"), "registry": ("--registry-url",),
                   "mysql": ()}

    def __init__(self, program, command, data, flags=(), env=None, kafka_port=None):
        self.program, self.command, self.data, self.flags = program, command, data, list(flags)
        self.env = {**os.environ, **(env or {})}
        self.ports = {part: free_port() for part, by in self.REPLACED_BY.items() if not any(flag in self.flags for flag in by)}
        if kafka_port:
            self.ports["kafka"] = kafka_port
        self.kafka = self.flags[self.flags.index("--kafka") + 1] if "--kafka" in self.flags else f"127.0.0.1:{self.ports['kafka']}"
        self.registry = self.flags[self.flags.index("--registry-url") + 1] if "--registry-url" in self.flags else f"http://127.0.0.1:{self.ports['registry']}"
        self.password = self.flags[self.flags.index("--password") + 1] if "--password" in self.flags else ""
        self.process = None

    @property
    def argv(self):
        ports = [word for part, port in self.ports.items() for word in (f"--{part}-port", str(port))]
        return [str(self.program), self.command, "--data", str(self.data), *ports, *map(str, self.flags)]

    def start(self):
        self.log = open(f"{self.data}.log", "ab")
        began = time.monotonic()
        self.process = subprocess.Popen(self.argv, stdout=self.log, stderr=self.log, env=self.env)
        while time.monotonic() - began < READY_SECONDS:
            try:
                self.sql("SELECT 1")
                self.ready_after = time.monotonic() - began
                return self
            except pymysql.err.OperationalError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        raise AssertionError("the server does not answer:\n" + self.said()[-3000:])

    def said(self):
        with open(f"{self.data}.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def connect(self, database=None, **options):
        return pymysql.connect(host="127.0.0.1", port=self.ports["mysql"], user="root", password=self.password, database=database,
                               autocommit=True, connect_timeout=5, read_timeout=60, cursorclass=pymysql.cursors.DictCursor, **options)

    def sql(self, text, database=None):
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def refused(self, text, database=None):
        """The (number, message) with which a statement is refused."""
        try:
            answer = self.sql(text, database)
        except pymysql.err.MySQLError as error:
            return error.args[0], error.args[1]
        raise AssertionError(f"`{text}` is accepted: {answer}")

    def until(self, text, wanted, seconds, database=None):
        """Asks again and again until `wanted(rows)`; how long that took, and the rows."""
        began = time.monotonic()
        answer = None
        while time.monotonic() - began < seconds:
            try:
                answer = self.sql(text, database)
                if wanted(answer):
                    return time.monotonic() - began, answer
            except pymysql.err.MySQLError as error:
                answer = error
            time.sleep(0.1)
        raise AssertionError(f"after {seconds} s `{text}` gives {str(answer)[:2000]}\n{self.said()[-3000:]}")

    def mysql(self, text, *options):
        """What the mysql client prints for a script on its standard input, and its exit status."""
        argv = ["mysql", f"-P{self.ports['mysql']}", "-h127.0.0.1", "-uroot", "--protocol=tcp", *options]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Ends it as a power cut would: no chance to tidy up."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def stop(self, seconds=3):
        """Ctrl-C; the exit status, within `seconds`."""
        self.signal(signal.SIGINT)
        return self.process.wait(seconds)
