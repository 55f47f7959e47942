"""A dlt pipeline from PostgreSQL to ClickHouse over HTTP; prints the seconds that it ran.

Run by the tools' own Python, as a program. dlt's ClickHouse destination needs the native protocol,
which the local stack does not have; this is dlt's own way to add a destination: a function that
gets each file of the load, here Parquet.
"""

import os
import sys
import time
from pathlib import Path

import clickhouse_connect
import dlt
import sqlalchemy
from dlt.sources.sql_database import sql_table

POSTGRES = os.environ["BENCH_PG"].replace("postgresql://", "postgresql+psycopg://", 1)
COLUMNS = os.environ["BENCH_COLUMNS"].split(", ")


@dlt.destination(  # type: ignore[untyped-decorator]
    batch_size=0,
    loader_file_format="parquet",
    name="clickhouse_http",
    naming_convention="direct",
    skip_dlt_columns_and_tables=True,
)
def clickhouse(path: str, table: object) -> None:
    """Send one file."""
    del table
    connecting = clickhouse_connect.get_client(dsn=os.environ["BENCH_CH"])
    with connecting as client, Path(path).open("rb") as file:
        client.raw_insert(os.environ["BENCH_TABLE"], COLUMNS, file, fmt="Parquet")


def main() -> None:
    """Run it once."""
    schema, name = os.environ["BENCH_SOURCE"].split(".")
    where = sqlalchemy.text(os.environ["BENCH_WHERE"])
    rows = sql_table(
        POSTGRES,
        table=name,
        schema=schema,
        backend="pyarrow",
        chunk_size=100_000,
        reflection_level="full",
        query_adapter_callback=lambda query, _table: query.where(where),
    )
    pipeline = dlt.pipeline("bench", destination=clickhouse, dev_mode=True)
    started = time.monotonic()
    pipeline.run(rows).raise_on_failed_jobs()
    sys.stdout.write(f"\n{time.monotonic() - started}\n")


if __name__ == "__main__":
    main()
