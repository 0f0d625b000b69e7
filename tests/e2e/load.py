"""Keeps an embedded server under a steady load, and tells what became of memory, lag, files and answers.

usage: load.py --program target/release/penstock [--rate 50000] [--seconds 300] [--data DIR]

Exit status 1 if a bound does not hold. docs/faults.md has the figures of a run.
"""

import argparse
import pathlib
import sys
import tempfile
import threading
import time

import pymysql
from ordeal import COUNT, EACH_ONCE, PATIENCE_SECONDS, Steady, define
from penstock import Penstock

MOST_MB = 600


class Figures:
    """What was seen. `lag_s` is how long after the last record was acknowledged its row could be read."""

    def __init__(self):
        self.produced, self.seconds, self.lag_s = 0, 0.0, 0.0
        self.memory_mb, self.answers_ms, self.refused, self.files, self.most_behind = [], [], [], [], 0

    def __str__(self):
        answers = sorted(self.answers_ms)
        quarter = max(1, len(self.memory_mb) // 4)
        return "\n".join([
            f"produced            {self.produced} records in {self.seconds:.1f} s: {self.produced / self.seconds:.0f} a second",
            f"memory              {self.memory_mb[0]:.0f} MB at the start, {max(self.memory_mb[:quarter]):.0f} MB at most in the first quarter, "
            f"{max(self.memory_mb[-quarter:]):.0f} MB in the last, {max(self.memory_mb):.0f} MB in all",
            f"behind              {self.most_behind} records at most; 0 after {self.lag_s:.1f} s",
            f"files               {max(self.files)} at most, {self.files[-1]} at the end",
            f"SELECT COUNT(*)     {len(answers)} answers, {len(self.refused)} refused; median {answers[len(answers) // 2]:.0f} ms, longest {answers[-1]:.0f} ms",
        ])


def resident_mb(process):
    for line in pathlib.Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def load(server, rate, seconds):
    """Produces `rate` records a second for `seconds`, and waits until all can be read, each once."""
    figures, left = Figures(), threading.Event()
    define(server, "steady", server.kafka, "steady")
    with Steady(server.kafka, "steady", rate) as producer:
        watch = threading.Thread(target=observe, args=(server, producer, figures, left), daemon=True)
        watch.start()
        time.sleep(seconds)
        figures.produced = producer.finish(rate * seconds)
        figures.seconds = time.monotonic() - producer.began
    figures.lag_s, _ = server.until(COUNT, lambda rows: rows[0]["n"] == figures.produced, PATIENCE_SECONDS, "steady")
    left.set()
    watch.join(PATIENCE_SECONDS)
    each_once(server, figures.produced)
    return figures


def each_once(server, records):
    found = server.sql(EACH_ONCE, "steady")
    assert found == [{"n": records, "d": records, "a": 0, "b": records - 1}], found


def observe(server, producer, figures, left):
    while not left.is_set():
        began = time.monotonic()
        try:
            [row] = server.sql(COUNT, "steady")
            figures.answers_ms.append((time.monotonic() - began) * 1000)
            figures.most_behind = max(figures.most_behind, producer.acknowledged - row["n"])
            figures.files.append(len(server.sql("SHOW FILES FROM keyed", "steady")))
        except (pymysql.err.MySQLError, OSError) as error:
            figures.refused.append(str(error))
        figures.memory_mb.append(resident_mb(server.process.pid))
        left.wait(0.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--data")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Penstock(asked.program, "up", pathlib.Path(asked.data or folder) / "data")
        server.start()
        try:
            figures = load(server, asked.rate, asked.seconds)
            print(figures, flush=True)
            server.kill()
            kept_gb = sum(path.stat().st_size for path in server.data.glob("broker/**/*.log")) / 1e9
            server.start()
            print(f"start after kill -9 {server.ready_after:.2f} s, with {kept_gb:.2f} GB in the broker's log")
            each_once(server, figures.produced)
        finally:
            server.kill()
    return 0 if not figures.refused and max(figures.memory_mb) < MOST_MB else 1


if __name__ == "__main__":
    sys.exit(main())
