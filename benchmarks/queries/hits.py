"""Page views as ClickBench asks about them, filters over few and many files, and rows out to a client; beside DuckDB on the same files.

    hits.py [--rows 1000000] [--files 1,100,10000] [--runs 5] [--keep FOLDER] [--threads 2] [--out FILE]

The views are made from a seed, and loaded through CSV routine loads. A table of N files has N partitions of ten rows each.
"""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import duckdb
from laptop import Laptop, duck, lines_as_messages, program
from measure import Report, difference, in_turn, timed

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = """watch_id BIGINT NOT NULL, event_time DATETIME NOT NULL, event_date DATE NOT NULL, counter_id INT NOT NULL, client_ip INT NOT NULL, region_id INT NOT NULL,
  user_id BIGINT NOT NULL, url STRING NOT NULL, referer STRING NOT NULL, is_refresh TINYINT NOT NULL, resolution_width SMALLINT NOT NULL,
  mobile_phone_model VARCHAR(50) NOT NULL, search_engine_id SMALLINT NOT NULL, search_phrase VARCHAR(200) NOT NULL, adv_engine_id SMALLINT NOT NULL"""
# h(k): a number that only the seed, the row and `k` decide. Few values are frequent, many are rare.
VIEWS = """COPY (WITH r AS (SELECT i, (i * 13 % {rows}) * 31 * 86400 // {rows} AS second FROM range({rows}) t(i))
SELECT {h1} % 9223372036854775807 AS watch_id, strftime(TIMESTAMP '2013-07-01' + to_seconds(second), '%Y-%m-%d %H:%M:%S') AS event_time,
  strftime(TIMESTAMP '2013-07-01' + to_seconds(second), '%Y-%m-%d') AS event_date, CAST(1 + floor(pow(({h2} % 10000) / 10000.0, 4) * 6000) AS INT) + CASE WHEN {h2} % 7 = 0 THEN 61 - CAST(floor(pow(({h2} % 10000) / 10000.0, 4) * 6000) AS INT) ELSE 0 END AS counter_id,
  {h3} % 200000 AS client_ip, CAST(floor(pow(({h4} % 10000) / 10000.0, 3) * 5000) AS INT) AS region_id,
  CASE WHEN {h5} % 100000 = 0 THEN 435090932899640449 ELSE {h5} % ({rows} // 6 + 1) * 7919 + 1000000007 END AS user_id,
  'http://' || ['google.com', 'example.org', 'shop.example', 'news.example', 'video.example'][1 + CAST(floor(pow(({h6} % 1000) / 1000.0, 0.3) * 5) AS INT)] || '/p/' || CAST(floor(pow(({h7} % 100000) / 100000.0, 3) * 90000) AS INT) AS url,
  CASE WHEN {h8} % 3 = 0 THEN '' ELSE 'http://ref.example/' || {h8} % 5000 END AS referer, CASE WHEN {h9} % 8 = 0 THEN 1 ELSE 0 END AS is_refresh,
  [1024, 1280, 1366, 1440, 1600, 1920, 360][1 + {h10} % 7] AS resolution_width, CASE WHEN {h11} % 20 = 0 THEN 'phone ' || {h11} % 60 ELSE '' END AS mobile_phone_model,
  CASE WHEN {h12} % 5 = 0 THEN {h12} % 40 ELSE 0 END AS search_engine_id, CASE WHEN {h12} % 5 = 0 THEN 'phrase ' || CAST(floor(pow(({h13} % 100000) / 100000.0, 2) * 40000) AS INT) ELSE '' END AS search_phrase,
  CASE WHEN {h14} % 50 = 0 THEN 1 + {h14} % 17 ELSE 0 END AS adv_engine_id
FROM r ORDER BY second) TO '{path}' (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '')"""
# Bytes that pad a message, so that a batch (6 MB with all that is around them) has fewer partitions than get files of their own.
PADDING = b"x" * 26_000
ROWS_OF_A_FILE = 10


def views(path, rows, seed):
    hashes = {f"h{k}": f"CAST(hash(i * 31 + {k} + {seed * 1_000_003}) >> 1 AS BIGINT)" for k in range(1, 15)}
    duckdb.connect().execute(VIEWS.format(rows=rows, path=path, **hashes))


def fill_views(laptop, rows, seed):
    laptop.sql(f"CREATE TABLE hits ({COLUMNS})")
    with tempfile.TemporaryDirectory(prefix="hits-") as folder:
        path = pathlib.Path(folder) / "hits.tsv"
        views(path, rows, seed)
        seconds = laptop.load("web", "hits", lines_as_messages(path, header=False), rows, '"format" = "csv", "strict_mode" = "true"')
        return {"rows": rows, "bytes": path.stat().st_size, "seconds": round(seconds, 2)}


def fill_files(laptop, files):
    """A table with a partition, and so a file, for each message."""
    table = f"files_{files}"
    laptop.sql(f"CREATE TABLE {table} (part INT NOT NULL, id BIGINT NOT NULL, amount DECIMAL(12,2) NOT NULL, name VARCHAR(20)) PARTITION BY part")
    line = lambda part, row: b"%d\t%d\t%d.%02d\tname %d\t" % (part, row, row % 977, row % 100, row * 7919 % 100_003)
    ids = lambda part: range(part * ROWS_OF_A_FILE, (part + 1) * ROWS_OF_A_FILE)
    messages = (b"\n".join(line(part, row) for row in ids(part)) + PADDING for part in range(files))
    clauses = "COLUMNS (part, id, amount, name, padding)"
    seconds = laptop.load("web", table, messages, files * ROWS_OF_A_FILE, '"format" = "csv", "strict_mode" = "true"', clauses)
    return {"rows": files * ROWS_OF_A_FILE, "seconds": round(seconds, 2)}


ANSWERED = re.compile(r"query answered .*?files=(\d+) pruned=(\d+) requests=(\d+) bytes=(\d+)")


def last_query(laptop):
    """What the server logged of the last query: files read and pruned, requests, bytes."""
    end = time.monotonic() + 2
    while not (found := ANSWERED.findall(laptop.server.said())) and time.monotonic() < end:
        time.sleep(0.05)
    return dict(zip(("files", "pruned", "requests", "bytes"), map(int, found[-1]))) if found else None


def beside(laptop, other, text, runs, theirs=None):
    try:
        medians, rows = in_turn({"penstock": lambda: laptop.rows(text), "duckdb": lambda: other.execute(theirs or text).fetchall()}, runs)
    except Exception as error:  # noqa: BLE001
        print(f"  fails: {text}: {error}", flush=True)
        return {"sql": text, "fails": str(error)[:500]}
    differs = difference(rows["penstock"], rows["duckdb"])
    result = {"sql": text, **medians, "rows": differs or f"equal ({len(rows['duckdb'])} rows)", "reads": last_query(laptop)}
    print(f"  {medians['penstock']:9.2f} ms, DuckDB {medians['duckdb']:9.2f} ms, x{medians['penstock'] / medians['duckdb']:6.2f}  {result['rows']:24} {text[:90]}", flush=True)
    return result


FETCH = """import sys, time
began = time.perf_counter()
if sys.argv[1] != "duckdb":
    at = {"host": "127.0.0.1", "port": int(sys.argv[2]), "user": "root", "database": "web"}
    if sys.argv[1] == "pymysql":
        import pymysql
        connection = pymysql.connect(**at)
    else:
        import mysql.connector
        connection = mysql.connector.connect(**at, use_pure=False, raw=sys.argv[1] == "connector_raw")
    cursor = connection.cursor()
    began = time.perf_counter()
    cursor.execute("SELECT * FROM hits")
    rows = cursor.fetchall()
else:
    import duckdb
    connection = duckdb.connect(config={"threads": int(sys.argv[2])})
    connection.execute("SET enable_progress_bar = false")
    files = sys.argv[3:]
    began = time.perf_counter()
    rows = connection.execute("SELECT * FROM read_parquet(?)", [files]).fetchall()
print(len(rows), time.perf_counter() - began)
"""


def fetch(laptop, threads, runs):
    """All rows of `hits` to a Python process of its own; the server's memory before and at most."""
    status = pathlib.Path(f"/proc/{laptop.server.process.pid}/status")
    memory = lambda key: int(re.search(rf"{key}:\s+(\d+) kB", status.read_text()).group(1))
    pathlib.Path(f"/proc/{laptop.server.process.pid}/clear_refs").write_text("5")
    before = memory("VmRSS")
    python = [sys.executable, "-c", FETCH]
    # MySQL's connector for Python is C up to the rows' bytes, and Python where they become values; PyMySQL is Python throughout.
    clients = {name: [*python, name, str(laptop.server.ports["mysql"])] for name in ("connector_raw", "connector", "pymysql")}
    commands = {**clients, "duckdb": [*python, "duckdb", str(threads), *laptop.files("web.hits")]}
    # The mysql client decodes nothing: what the server and the wire take.
    times = {name: [] for name in commands} | {"mysql_client": []}
    for _ in range(runs):
        for name, command in commands.items():
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            times[name].append(float(said[1]) * 1e3)
        command = ["mysql", f"-P{laptop.server.ports['mysql']}", "-h127.0.0.1", "-uroot", "--protocol=tcp", "--quick", "-N", "-e", "SELECT * FROM web.hits"]
        times["mysql_client"].append(timed(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True))[0] * 1e3)
    result = {name: round(statistics.median(of), 1) for name, of in times.items()}
    result |= {"rows": int(said[0]), "resident_before_kib": before, "resident_peak_kib": memory("VmHWM")}
    print(f"  SELECT * of {result['rows']} rows: {result}", flush=True)
    return result


def small(laptop, count):
    """Milliseconds of small queries over one connection: half and 99 % are done by."""
    results = {}
    for name, text in (("one row by a filter", "SELECT url FROM hits WHERE watch_id = 1"), ("ten rows of a small table", "SELECT * FROM files_1"), ("no table", "SELECT 1")):
        times = sorted(timed(lambda: laptop.sql(text))[0] * 1e3 for _ in range(count))
        results[name] = {"p50_ms": round(times[count // 2], 2), "p99_ms": round(times[count * 99 // 100], 2)}
        print(f"  {name}: p50 {results[name]['p50_ms']} ms, p99 {results[name]['p99_ms']} ms", flush=True)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", default="1,100,10000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep")
    parser.add_argument("--out")
    options = parser.parse_args()
    report = Report(options.out, rows=options.rows, runs=options.runs, seed=options.seed)
    counts = [int(count) for count in options.files.split(",")]
    tables = ["hits", *(f"files_{count}" for count in counts)]
    with Laptop(program(), options.keep) as laptop:
        if not laptop.has("web"):
            laptop.sql("CREATE DATABASE web")
            laptop.sql("USE web")
            loaded = {"hits": fill_views(laptop, options.rows, options.seed)}
            for count in counts:
                loaded[f"files_{count}"] = fill_files(laptop, count)
            print("  loaded:", loaded, flush=True)
            report.put(loaded=loaded)
            laptop.settled([f"web.{table}" for table in tables])
        laptop.sql("USE web")
        laptop.quick.database = "web"
        report.put(files={table: len(laptop.files(f"web.{table}")) for table in tables})
        print("  files:", report.content["files"], flush=True)
        other = duck(laptop, [f"web.{table}" for table in tables], options.threads)
        queries = [line for line in (HERE / "hits.sql").read_text(encoding="utf-8").replace(";\n", "\n").split("\n") if line]
        results = []
        for text in queries:
            results.append(beside(laptop, other, text, options.runs))
            report.put(hits=results)
        sums = {name: round(sum(one[name] for one in results if name in one), 1) for name in ("penstock", "duckdb")}
        report.put(hits_sum_of_medians_ms=sums)
        print("  sum", sums, flush=True)
        filters = {}
        for count in counts:
            middle = count * ROWS_OF_A_FILE // 2
            filters[f"files_{count}"] = [
                beside(laptop, other, text.replace("{t}", f"files_{count}"), options.runs)
                for text in (
                    "SELECT count(*) FROM {t}", "SELECT min(id), max(id) FROM {t}", "SELECT min(part), max(amount) FROM {t}",
                    f"SELECT * FROM {{t}} WHERE id = {middle}", f"SELECT sum(amount), count(*) FROM {{t}} WHERE id BETWEEN {middle} AND {middle + 95}",
                    "SELECT count(*), sum(amount) FROM {t} WHERE name = 'name 7919'",
                )
            ]  # fmt: skip
            report.put(filters=filters)
        report.put(small=small(laptop, 200))
        report.put(fetch=fetch(laptop, options.threads, min(options.runs, 5)))
        every = results + [one for of in filters.values() for one in of]
        wrong = [one for one in every if not one.get("rows", "").startswith("equal")]
        print(f"  {len(wrong)} of {len(every)} fail or differ", flush=True)
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
