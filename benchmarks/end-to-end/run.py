"""Kafka to committed rows, beside straightforward programs: record bytes per second of processor time, and by the clock.

    run.py [--megabytes 300] [--brokers apache,embedded] [--cache ~/.cache/penstock] [--straightforward PROGRAM] [--core 1] [--runs 3] [--out FILE]

The records (JSON, 1 kB) are in the topic before anybody reads. Each reader is a process on one core; the broker has the
other cores, but for the embedded one, which is in Penstock's process. Penstock writes to its S3 by HTTP, and commits files
and offsets to its DynamoDB, both in its process, too; the others write files and commit offsets to Kafka.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import confluent_kafka
import duckdb
from confluent_kafka.admin import AdminClient, NewTopic

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "queries"))
from laptop import Laptop, duck, program  # noqa: E402
from measure import Report  # noqa: E402
from services import Services  # noqa: E402

PARTITIONS = 2
TABLE = "CREATE TABLE orders (id BIGINT NOT NULL, at DATETIME NOT NULL, customer BIGINT, price DOUBLE, paid BOOLEAN, city VARCHAR(40), agent VARCHAR(200), note STRING)"
JOB = """CREATE ROUTINE LOAD bench.orders_load ON orders PROPERTIES ("format" = "json", "max_batch_interval" = "5")
FROM KAFKA ("kafka_broker_list" = "{broker}", "kafka_topic" = "orders", "property.kafka_default_offsets" = "OFFSET_BEGINNING")"""
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def records(count, seed):
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 11))) for _ in range(5000)]
    cities = [word.title() for word in words[:200]]
    for number in range(count):
        note = " ".join(chance.choices(words, k=94))
        yield json.dumps({
            "id": number, "at": f"2024-05-{1 + number % 28:02} {number % 24:02}:{number % 60:02}:{number % 59:02}", "customer": chance.getrandbits(40), "price": chance.randrange(10**7) / 100,
            "paid": number % 3 == 0, "city": cities[chance.getrandbits(7)], "agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/" + str(number % 120),
            "note": note,
        }).encode()[:4000]  # fmt: skip


def produce(broker, values):
    """Fills the topic; records and bytes."""
    # Kept until it has answered: one that nobody holds is taken down.
    admin = AdminClient({"bootstrap.servers": broker})
    admin.create_topics([NewTopic("orders", PARTITIONS, 1)])["orders"].result(30)
    producer = confluent_kafka.Producer({"bootstrap.servers": broker, "linger.ms": 50, "batch.size": 1_000_000, "compression.type": "none", "queue.buffering.max.kbytes": 131_072})
    count = size = 0
    for value in values:
        while True:
            try:
                producer.produce("orders", value, partition=count % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
        count, size = count + 1, size + len(value)
        if count % 1000 == 0:
            producer.poll(0)
    if producer.flush(300):
        raise SystemExit("records were not delivered")
    return count, size


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def pin(pid, core):
    subprocess.run(["taskset", "-acp", str(core), str(pid)], check=True, stdout=subprocess.DEVNULL)


def penstock(laptop, broker, count, options):
    """Seconds of the processor until all is committed, and by the clock until 95 % are: the end waits for its window."""
    pid = laptop.server.process.pid
    pin(pid, options.core)
    laptop.sql("CREATE DATABASE bench")
    laptop.sql("USE bench")
    laptop.sql(TABLE)
    before, began, most = cpu_seconds(pid), time.monotonic(), None
    laptop.sql(JOB.format(broker=broker))
    while True:
        found = laptop.sql("SELECT count(*) FROM orders")[0][0]
        if most is None and found >= count * 0.95:
            most = (time.monotonic() - began) * count / found
        if found >= count:
            break
        if time.monotonic() - began > 600:
            raise SystemExit(f"{found} of {count} rows after ten minutes: {laptop.sql('SHOW ROUTINE LOAD')}")
        time.sleep(0.25)
    taken = cpu_seconds(pid) - before
    sums = duck(laptop, ["bench.orders"], 1).execute("SELECT count(*), sum(id), sum(customer), sum(length(note)) FROM orders").fetchone()
    laptop.sql("STOP ROUTINE LOAD FOR bench.orders_load")
    laptop.sql("DROP DATABASE bench FORCE")
    return taken, most, sums


def other(command, broker, count, core):
    """The same of a program that says `seconds-of-processor seconds` and leaves Parquet files in a folder."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        done = subprocess.run(["taskset", "-c", str(core), *command, broker, "orders", str(count), folder], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        cpu, wall = map(float, done.stdout.split()[-2:])
        sums = duckdb.connect().execute("SELECT count(*), sum(id), sum(customer), sum(length(note)) FROM read_parquet(?)", [f"{folder}/*.parquet"]).fetchone()
    return cpu, wall, sums


def measured(broker_name, broker, laptop, job_broker, count, size, options):
    readers = {"penstock": lambda: penstock(laptop, job_broker, count, options), "python": lambda: other([sys.executable, str(HERE / "straightforward.py")], broker, count, options.core)}
    if options.straightforward:
        readers["rust"] = lambda: other([options.straightforward], broker, count, options.core)
    results, expected = {name: [] for name in readers}, None
    for _ in range(options.runs):
        for name, read in readers.items():
            *times, sums = read()
            expected = expected or sums
            if sums != expected:
                raise SystemExit(f"{name} loaded {sums}, expected {expected}")
            results[name].append(times)
    medians = {name: [statistics.median(column) for column in zip(*of)] for name, of in results.items()}
    answer = {}
    for name, (cpu, wall) in medians.items():
        answer[name] = {"cpu_s": round(cpu, 3), "wall_s": round(wall, 3), "mb_per_cpu_s": round(size / cpu / 1e6, 1), "mb_per_s": round(size / wall / 1e6, 1), "runs": results[name]}
        print(f"  {broker_name:9} {name:9} {size / cpu / 1e6:7.1f} MB per second of processor, {size / wall / 1e6:7.1f} MB/s by the clock", flush=True)
    return {"records": count, "bytes": size, **answer}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--brokers", default="apache,embedded")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/penstock"))
    parser.add_argument("--straightforward")
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out")
    options = parser.parse_args()
    report = Report(options.out, runs=options.runs, seed=options.seed)
    brokers = {}
    for name in options.brokers.split(","):
        values = records(options.megabytes * 1000, options.seed)
        if name == "apache":
            with tempfile.TemporaryDirectory(prefix="penstock-bench-") as work:
                services = Services(pathlib.Path(options.cache), pathlib.Path(work))
                try:
                    services.start_kafka()
                    count, size = produce(services.kafka, values)
                    with Laptop(program(), flags=["--kafka", services.kafka]) as laptop:
                        brokers[name] = measured(name, services.kafka, laptop, services.kafka, count, size, options)
                finally:
                    services.__exit__()
        else:
            with Laptop(program()) as laptop:
                count, size = produce(laptop.server.kafka, values)
                brokers[name] = measured(name, laptop.server.kafka, laptop, laptop.server.kafka, count, size, options)
        report.put(brokers=brokers)


if __name__ == "__main__":
    main()
