"""Penstock beside what a user would pick instead: the same records, file to Parquet, one core.

    run.py --data FOLDER --programs FOLDER [--cases NAME,...] [--peers NAME,...] [--runs 11] [--out FILE]

Every peer of a case is a process, pinned to one core, and all are asked in turn, so that ratios are of one run and meet the
same noise. Each peer's file is read back with DuckDB and compared, row by row, with DuckDB's reading of the records.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import duckdb
from worker import duckdb_select

PEERS = ["penstock", "penstock-values", "penstock-envelope", "penstock-types", "penstock-strict", "stock", "duckdb", "polars", "pyarrow", "chdb"]
HERE = os.path.dirname(os.path.abspath(__file__))


class Peer:
    def __init__(self, name, case, data, programs, out, core):
        self.name, self.out, self.times, self.cpu_times = name, out, [], []
        if name.startswith("penstock") or name == "stock":
            program, *rest = name.split("-")
            command = [os.path.join(programs, program), case["format"], case["shape"], data, out, *rest]
        else:
            command = [sys.executable, os.path.join(HERE, "worker.py"), name, case["name"], data, out]
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ready(self):
        """`None`, or why the peer cannot do the case."""
        answer = self.process.stdout.readline().strip()
        if answer == "ready":
            return None
        if not answer:
            lines = self.process.stderr.read().strip().splitlines()
            answer = next((line for line in lines if "panicked" not in line and "note:" not in line), "ended")[:200]
        return answer.removeprefix("cannot: ")

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        wall, cpu = self.process.stdout.readline().split()
        self.times.append(int(wall))
        self.cpu_times.append(int(cpu))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def compared(case, data, out):
    """`equal`, or how many rows differ from DuckDB's reading. Avro it cannot read: the record's JSON twin is what it reads."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    reference = dict(case)
    if case["format"] == "avro":
        reference.update(format="json", file=f"json-{case['shape']}.ndjson")
    path = os.path.join(data, reference["file"])
    connection.execute(f"CREATE TABLE expected AS SELECT row_number() OVER () AS row, * FROM ({duckdb_select(reference, path)})")
    names = [column["name"] for column in case["columns"]]
    # A type of another unit or zone is another's taste; the value is compared.
    wanted = {row[0]: row[1] for row in connection.execute("DESCRIBE expected").fetchall()}
    found = connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{out}')").fetchall()
    numbers = {row[0] for row in found if row[1] == "BIGINT" and wanted.get(row[0]) == "TIMESTAMP"}
    # Some keep a moment as the number that Avro has for it.
    read = lambda name: f'epoch_ms("{name}")' if name in numbers else f'"{name}"'
    taken = ", ".join(f'CAST({read(name)} AS {wanted[name]}) AS "{name}"' for name in names)
    connection.execute(f"CREATE TABLE found AS SELECT file_row_number + 1 AS row, {taken} FROM read_parquet('{out}', file_row_number = true)")
    rows, expected = (connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("found", "expected"))
    if case["format"] == "avro":
        # Records of other formats take other bytes, so an event holds more or fewer of them.
        least = min(rows, expected)
        connection.execute(f"DELETE FROM found WHERE row > {least}")
        connection.execute(f"DELETE FROM expected WHERE row > {least}")
        rows = expected = least
    if rows != expected:
        return f"{rows} rows, expected {expected}"
    differs = " OR ".join(f'f."{name}" IS DISTINCT FROM e."{name}"' for name in names)
    different = connection.execute(f"SELECT count(*) FROM found f JOIN expected e USING (row) WHERE {differs}").fetchone()[0]
    return f"equal ({rows} rows)" if different == 0 else f"{different} of {rows} rows differ"


def measure(case, options, folder):
    results = {}
    peers = []
    for name in options.peers:
        peer = Peer(name, case, options.data, options.programs, os.path.join(folder, f"{name}.parquet"), options.core)
        reason = peer.ready()
        if reason is None:
            peers.append(peer)
        else:
            peer.end()
            results[name] = {"cannot": reason}
    for _ in range(options.runs):
        for peer in peers:
            peer.run()
    for peer in peers:
        peer.end()
        seconds = statistics.median(peer.times) / 1e9
        results[peer.name] = {
            "median_ms": round(seconds * 1e3, 3),
            "median_cpu_ms": round(statistics.median(peer.cpu_times) / 1e6, 3),
            "fastest_ms": round(min(peer.times) / 1e6, 3),
            "record_mb_s": round(case["record_bytes"] / seconds / 1e6, 1),
        }
        if os.path.exists(peer.out):
            results[peer.name]["file_bytes"] = os.path.getsize(peer.out)
            results[peer.name]["rows"] = compared(case, options.data, peer.out)
    return results


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def table(case, results):
    ours = results.get("penstock", {})
    lines = [f"\n{case['name']}: {case['rows']} records, {case['record_bytes']} bytes"]
    for name, result in results.items():
        if "cannot" in result:
            lines.append(f"  {name:16} cannot: {result['cannot']}")
            continue
        ratio = result["median_ms"] / ours["median_ms"] if "median_ms" in ours else float("nan")
        cpu_ratio = result["median_cpu_ms"] / ours["median_cpu_ms"] if "median_ms" in ours else float("nan")
        lines.append(
            f"  {name:16} {result['record_mb_s']:8.1f} MB/s  x{ratio:5.2f} (cpu x{cpu_ratio:5.2f})  {result.get('file_bytes', ''):>9} bytes  {result.get('rows', '')}"
        )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--cases", default="")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--core", type=int, default=1)
    parser.add_argument("--out")
    options = parser.parse_args()
    options.peers = options.peers.split(",")
    with open(os.path.join(options.data, "index.json")) as file:
        index = json.load(file)
    wanted = options.cases.split(",") if options.cases else [case["name"] for case in index["cases"]]
    report = {
        "machine": machine(), "command": " ".join(map(os.path.basename, sys.argv)), "date": time.strftime("%Y-%m-%d"), "seed": index["seed"],
        "runs": options.runs, "cases": {},
    }  # fmt: skip
    for case in index["cases"]:
        if case["name"] in wanted:
            with tempfile.TemporaryDirectory() as folder:
                results = measure(case, options, folder)
            report["cases"][case["name"]] = {"records": case["rows"], "record_bytes": case["record_bytes"], "peers": results}
            print(table(case, results), flush=True)
            if options.out:
                with open(options.out, "w") as file:
                    json.dump(report, file, indent=1)
                    file.write("\n")


if __name__ == "__main__":
    main()
