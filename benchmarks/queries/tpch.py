"""TPC-H: data made by tpchgen-cli, loaded through CSV routine loads, 22 queries beside DuckDB on the very same files.

    tpch.py [--scale 0.1] [--runs 5] [--queries 1,6,...] [--keep FOLDER] [--threads 2] [--out FILE]

`--keep` keeps what was loaded, and loads nothing if it is there. Both are asked in turn and give their rows to Python.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

from laptop import Laptop, duck, lines_as_messages, program
from measure import Report, difference, in_turn

HERE = pathlib.Path(__file__).resolve().parent
TABLES = ["region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"]
CSV = '"format" = "csv", "enclose" = "\\"", "strict_mode" = "true"'


def query(number, scale):
    return (HERE / "tpch" / f"q{number:02}.sql").read_text(encoding="utf-8").replace("{fraction}", f"{0.0001 / scale:.10f}")


def fill(laptop, scale):
    """Loads all tables; per table rows, bytes of CSV and seconds."""
    laptop.sql("CREATE DATABASE tpch")
    laptop.sql("USE tpch")
    for statement in (HERE / "tpch" / "tables.sql").read_text(encoding="utf-8").split(";"):
        if statement.strip():
            laptop.sql(statement)
    loaded = {}
    with tempfile.TemporaryDirectory(prefix="tpch-") as folder:
        subprocess.run([pathlib.Path(sys.executable).parent / "tpchgen-cli", "csv", "-s", str(scale), "-q", "--output-dir", folder], check=True)
        for table in TABLES:
            path = pathlib.Path(folder) / f"{table}.csv"
            with open(path, "rb") as file:
                rows = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1
            seconds = laptop.load("tpch", table, lines_as_messages(path), rows, CSV, 'COLUMNS TERMINATED BY ","')
            loaded[table] = {"rows": rows, "csv_bytes": path.stat().st_size, "seconds": round(seconds, 2)}
            print(f"  {table:9} {rows:9} rows {path.stat().st_size / 1e6:7.1f} MB in {seconds:6.1f} s", flush=True)
    return loaded


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--queries", default=",".join(map(str, range(1, 23))))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep")
    parser.add_argument("--out")
    options = parser.parse_args()
    report = Report(options.out, scale=options.scale, runs=options.runs)
    with Laptop(program(), options.keep) as laptop:
        if not laptop.has("tpch"):
            report.put(loaded=fill(laptop, options.scale))
            laptop.settled([f"tpch.{table}" for table in TABLES])
        laptop.sql("USE tpch")
        laptop.quick.database = "tpch"
        report.put(files={table: len(laptop.files(f"tpch.{table}")) for table in TABLES})
        print("  files:", report.content["files"], flush=True)
        other = duck(laptop, [f"tpch.{table}" for table in TABLES], options.threads)
        results, wrong = {}, 0
        for number in map(int, options.queries.split(",")):
            text = query(number, options.scale)
            try:
                medians, rows = in_turn({"penstock": lambda: laptop.rows(text), "duckdb": lambda: other.execute(text).fetchall()}, options.runs)
                differs = difference(rows["penstock"], rows["duckdb"])
                results[f"q{number:02}"] = {**medians, "rows": differs or f"equal ({len(rows['duckdb'])} rows)"}
                wrong += differs is not None
                print(f"  q{number:02} {medians['penstock']:9.1f} ms, DuckDB {medians['duckdb']:9.1f} ms, x{medians['penstock'] / medians['duckdb']:5.2f}  {results[f'q{number:02}']['rows']}", flush=True)
            except Exception as error:  # noqa: BLE001
                wrong += 1
                results[f"q{number:02}"] = {"fails": str(error)[:500]}
                print(f"  q{number:02} fails: {str(error)[:500]}", flush=True)
            report.put(queries=results)
        sums = {name: round(sum(of[name] for of in results.values() if name in of), 1) for name in ("penstock", "duckdb")}
        report.put(sum_of_medians_ms=sums, ratio=round(sums["penstock"] / max(sums["duckdb"], 1e-9), 3))
        print(f"  sum {sums['penstock']:.1f} ms, DuckDB {sums['duckdb']:.1f} ms, x{report.content['ratio']}; {wrong} of {len(results)} fail or differ", flush=True)
        sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
