"""The columns of a case in each peer's words."""


def fields_of(struct):
    """Names and types of `STRUCT<a T,b U>`."""
    return [field.strip().split(" ", 1) for field in struct[len("STRUCT<") : -1].split(",")]


def tree(columns, leaf, struct):
    """Members in which each column's path leads to `leaf(type)`; objects are `struct({name: type})`."""
    members = {}
    for column in columns:
        at = members
        *above, last = column["path"].split(".")
        for name in above:
            at = at.setdefault(name, {})
        at[last] = column["type"]

    def built(members):
        return {name: struct(built(inner)) if isinstance(inner, dict) else leaf(inner) for name, inner in members.items()}

    return built(members)


def duckdb_type(sql):
    if sql.startswith("ARRAY<"):
        return duckdb_type(sql[len("ARRAY<") : -1]) + "[]"
    if sql.startswith("STRUCT<"):
        return "STRUCT(" + ", ".join(f'"{name}" {duckdb_type(inner)}' for name, inner in fields_of(sql)) + ")"
    return {"STRING": "VARCHAR", "DATETIME": "TIMESTAMP", "INT": "INTEGER"}.get(sql, sql)


def chdb_type(sql):
    if sql.startswith("ARRAY<"):
        return f"Array({chdb_type(sql[len('ARRAY<') : -1])})"
    if sql.startswith("STRUCT<"):
        return "Tuple(" + ", ".join(f"{name} {chdb_type(inner)}" for name, inner in fields_of(sql)) + ")"
    names = {
        "BIGINT": "Int64",
        "INT": "Int32",
        "DOUBLE": "Float64",
        "STRING": "String",
        "BOOLEAN": "Bool",
        "DATETIME": "DateTime64(6)",
    }
    return f"Nullable({names[sql]})"


def arrow_type(sql):
    import pyarrow as pa

    if sql.startswith("ARRAY<"):
        return pa.list_(arrow_type(sql[len("ARRAY<") : -1]))
    if sql.startswith("STRUCT<"):
        return pa.struct([(name, arrow_type(inner)) for name, inner in fields_of(sql)])
    return {
        "BIGINT": pa.int64(),
        "INT": pa.int32(),
        "DOUBLE": pa.float64(),
        "STRING": pa.string(),
        "BOOLEAN": pa.bool_(),
        "DATETIME": pa.timestamp("us"),
    }[sql]


def polars_type(sql):
    import polars as pl

    if sql.startswith("ARRAY<"):
        return pl.List(polars_type(sql[len("ARRAY<") : -1]))
    if sql.startswith("STRUCT<"):
        return pl.Struct({name: polars_type(inner) for name, inner in fields_of(sql)})
    # Its readers take no moments from text: a cast follows.
    return {
        "BIGINT": pl.Int64,
        "INT": pl.Int32,
        "DOUBLE": pl.Float64,
        "STRING": pl.String,
        "BOOLEAN": pl.Boolean,
        "DATETIME": pl.String,
    }[sql]
