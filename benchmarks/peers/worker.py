"""A peer as a process: `worker.py PEER CASE FOLDER OUT`. Each line that it is sent is one run, file to file; each answer the
nanoseconds that it took, by the clock and of the processor. Answers `cannot: ...` and ends if the peer cannot do the case at all."""

import json
import os
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

from columns import arrow_type, chdb_type, duckdb_type, polars_type, tree  # noqa: E402


def duckdb_select(case, path):
    """How DuckDB reads the case's file."""
    columns = case["columns"]
    if case["format"] == "json":
        struct = lambda members: "STRUCT(" + ", ".join(f'"{name}" {inner}' for name, inner in members.items()) + ")"
        spec = ", ".join(f"'{name}': '{inner}'" for name, inner in tree(columns, duckdb_type, struct).items())
        ignore = ", ignore_errors = true" if case["shape"] == "messy" else ""
        source = f"read_json('{path}', format = 'newline_delimited', columns = {{{spec}}}{ignore})"
    elif case["format"] == "csv":
        types = {column["path"]: duckdb_type(column["type"]) for column in columns}
        spec = ", ".join(f"'{name}': '{types.get(name, 'VARCHAR')}'" for name in case["fields"])
        ignore = ", ignore_errors = true" if case["shape"] == "messy" else ""
        source = (
            f"read_csv('{path}', auto_detect = false, header = false, delim = ',', quote = '', escape = '', "
            f"columns = {{{spec}}}{ignore})"
        )
    else:
        raise NotImplementedError("its Avro reader is an extension that no package registry has")
    quoted = lambda dotted: ".".join(f'"{name}"' for name in dotted.split("."))
    taken = ", ".join(f"{quoted(column['path'])} AS \"{column['name']}\"" for column in columns)
    required = [f'"{column["path"]}" IS NOT NULL' for column in columns if column["required"]]
    return f"SELECT {taken} FROM {source}" + (" WHERE " + " AND ".join(required) if required else "")


def duckdb(case, path, out):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    statement = f"COPY ({duckdb_select(case, path)}) TO '{out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    return lambda: connection.execute(statement).fetchall()


def chdb(case, path, out):
    from chdb import session

    columns = case["columns"]
    if case["format"] == "json":
        struct = lambda members: "Tuple(" + ", ".join(f"{name} {inner}" for name, inner in members.items()) + ")"
        spec = ", ".join(f"`{name}` {inner}" for name, inner in tree(columns, chdb_type, struct).items())
        source = f"file('{path}', 'JSONEachRow', '{spec}')"
    elif case["format"] == "csv":
        types = {column["path"]: chdb_type(column["type"]) for column in columns}
        spec = ", ".join(f"`{name}` {types.get(name, 'String')}" for name in case["fields"])
        source = f"file('{path}', 'CSV', '{spec}')"
    else:
        source = f"file('{path}', 'Avro')"
    quoted = lambda dotted: ".".join(f"`{name}`" for name in dotted.split("."))
    taken = ", ".join(f"{quoted(column['path'])} AS `{column['name']}`" for column in columns)
    settings = (
        "max_threads = 1, max_insert_threads = 1, max_parsing_threads = 1, output_format_parquet_compression_method = 'zstd', "
        "output_format_compression_level = 1, input_format_skip_unknown_fields = 1, engine_file_truncate_on_insert = 1, "
        "output_format_parquet_parallel_encoding = 0, input_format_parallel_parsing = 0"
    )
    errors = ", input_format_allow_errors_ratio = 1" if case["shape"] == "messy" else ""
    statement = f"INSERT INTO FUNCTION file('{out}', 'Parquet') SELECT {taken} FROM {source} SETTINGS {settings}{errors}"
    connection = session.Session()
    return lambda: connection.query(statement)


def polars(case, path, out):
    import polars as pl

    columns = case["columns"]
    moment = lambda expression: expression.str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="us")

    def taken(column):
        first, *rest = column["path"].split(".")
        expression = pl.col(first)
        for name in rest:
            expression = expression.struct.field(name)
        if column["type"] == "DATETIME" and case["format"] != "avro":
            expression = moment(expression)
        return expression.alias(column["name"])

    def run():
        if case["format"] == "json":
            frame = pl.scan_ndjson(path, schema=tree(columns, polars_type, pl.Struct), infer_schema_length=None)
        elif case["format"] == "csv":
            types = {column["path"]: polars_type(column["type"]) for column in columns}
            schema = {name: types.get(name, pl.String) for name in case["fields"]}
            frame = pl.scan_csv(path, has_header=False, schema=schema, quote_char=None)
        else:
            frame = pl.read_avro(path).lazy()
        frame.select([taken(column) for column in columns]).sink_parquet(out, compression="zstd", compression_level=1)

    return run


def pyarrow(case, path, out):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.json
    import pyarrow.parquet

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    columns = case["columns"]

    def run():
        if case["format"] == "json":
            schema = pa.schema(list(tree(columns, arrow_type, lambda inner: pa.struct(list(inner.items()))).items()))
            table = pa.json.read_json(
                path,
                read_options=pa.json.ReadOptions(use_threads=False, block_size=16 << 20),
                parse_options=pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
            )
        elif case["format"] == "csv":
            table = pa.csv.read_csv(
                path,
                read_options=pa.csv.ReadOptions(use_threads=False, column_names=case["fields"], block_size=16 << 20),
                parse_options=pa.csv.ParseOptions(quote_char=False),
                convert_options=pa.csv.ConvertOptions(
                    include_columns=[column["path"] for column in columns],
                    column_types={column["path"]: arrow_type(column["type"]) for column in columns},
                ),
            )
        else:
            raise NotImplementedError("it reads no Avro")
        arrays = []
        for column in columns:
            first, *rest = column["path"].split(".")
            array = table[first]
            arrays.append(pc.struct_field(array, rest) if rest else array)
        flat = pa.Table.from_arrays(arrays, names=[column["name"] for column in columns])
        pa.parquet.write_table(flat, out, compression="zstd", compression_level=1, store_schema=False)

    return run


def main():
    peer, name, folder, out = sys.argv[1:]
    with open(os.path.join(folder, "index.json")) as file:
        case = next(case for case in json.load(file)["cases"] if case["name"] == name)
    try:
        run = {"duckdb": duckdb, "chdb": chdb, "polars": polars, "pyarrow": pyarrow}[peer](
            case, os.path.abspath(os.path.join(folder, case["file"])), os.path.abspath(out)
        )
        run()
    except Exception as error:
        print("cannot:", str(error).strip().splitlines()[0][:200], flush=True)
        return
    print("ready", flush=True)
    for _ in sys.stdin:
        began, began_cpu = time.perf_counter_ns(), time.process_time_ns()
        run()
        print(time.perf_counter_ns() - began, time.process_time_ns() - began_cpu, flush=True)


if __name__ == "__main__":
    main()
