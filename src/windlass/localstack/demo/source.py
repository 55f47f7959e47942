"""Fills the demo's PostgreSQL: rows by binary COPY out of Arrow, keys and indexes afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING

from windlass.domain.errors import RefusedError
from windlass.localstack.demo import story

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

Progress = Callable[[str], None]


def silent(_message: str) -> None:
    """The progress callback of a caller who does not want to hear any."""


@dataclass(frozen=True)
class Seeded:
    """How the source was made: the scale of the counts and the seed of the random streams."""

    scale: float
    seed: int


def seed_source(
    postgres_url: str, scale: float, seed: int = story.SEED, progress: Progress = silent
) -> None:
    """Drop the demo's tables in schema `app` and make them anew, with all rows at this scale.

    Interrupted at any point, `seeded_scale` says None and the next call starts over. Raises
    RefusedError when `app` holds tables of these names that no demo made.
    """
    import psycopg

    story.expected(scale)  # a bad scale must fail before anything is dropped
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        _refuse_foreign_tables(connection)
        connection.execute(statements("marker.sql").encode())
        connection.execute("delete from windlass_demo.seed")
        connection.execute("insert into windlass_demo.seed values (%s, %s, false)", (scale, seed))
        connection.execute(statements("source_tables.sql").encode())
        _load(postgres_url, scale, seed, progress)
        _index(connection, progress)
        connection.execute("update windlass_demo.seed set complete = true")
    progress("source ready")


def seeded_scale(postgres_url: str) -> float | None:
    """The scale of the demo that this PostgreSQL holds in full, or None."""
    found = seeded(postgres_url)
    return found.scale if found else None


def seeded(postgres_url: str) -> Seeded | None:
    """How this PostgreSQL was seeded, or None when it was not, or not to the end."""
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        if not _exists(connection, "windlass_demo.seed"):
            return None
        row = connection.execute(
            "select scale, seed from windlass_demo.seed where complete"
        ).fetchone()
    return Seeded(row[0], row[1]) if row else None


def statements(name: str) -> str:
    """The text of one SQL file of the demo."""
    return (resources.files("windlass.localstack.demo") / "sql" / name).read_text("utf-8")


def _load(postgres_url: str, scale: float, seed: int, progress: Progress) -> None:
    import adbc_driver_postgresql.dbapi as adbc

    from windlass.localstack.demo import generate

    done = 0
    with adbc.connect(postgres_url) as connection, connection.cursor() as cursor:
        for batch in generate.ahead(generate.batches(scale, seed)):
            for table, rows in (("scorecards", batch.scorecards), ("scores", batch.scores)):
                cursor.adbc_ingest(table, _sent(rows), mode="append", db_schema_name="app")
                done += rows.num_rows
            progress(f"source: {done:,} of {story.total_rows(scale):,} rows")
        connection.commit()


def _sent(rows: "pa.Table") -> "pa.Table":
    """The rows as every build of the driver writes them: uuids and numerics as the bytes that
    PostgreSQL takes for them."""
    import pyarrow as pa

    columns = [_bytes(column) for column in rows.columns]
    return pa.Table.from_arrays(columns, names=rows.schema.names)


def _bytes(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow as pa

    if column.type == pa.binary(16):
        return column.cast(pa.binary())
    return _numerics(column) if pa.types.is_decimal(column.type) else column


def _numerics(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow as pa
    import pyarrow.compute as pc
    from psycopg.types.numeric import DecimalBinaryDumper

    dumper, distinct = DecimalBinaryDumper(Decimal), column.unique()
    written = [bytes(dumper.dump(value) or b"") for value in distinct.to_pylist()]
    return pa.array(written, pa.binary()).take(pc.index_in(column, distinct))


def _index(connection: "psycopg.Connection", progress: Progress) -> None:
    # Frozen right away: otherwise the first reader of the demo pays for the hint bits.
    connection.execute("set maintenance_work_mem = '256MB'")
    progress("source: statistics")
    connection.execute("vacuum (freeze, analyze) app.scorecards, app.scores, app.scorecard_scores")
    progress("source: keys and indexes")
    connection.execute(statements("source_indexes.sql").encode())


def _refuse_foreign_tables(connection: "psycopg.Connection") -> None:
    if _exists(connection, "windlass_demo.seed"):
        return
    names = ("app.scorecards", "app.scores", "app.scorecard_scores")
    found = [name for name in names if _exists(connection, name)]
    if found:
        raise RefusedError(
            f"{', '.join(found)} exist already and were not made by the demo",
            where=f"PostgreSQL {connection.info.host}, database {connection.info.dbname}",
            why="the demo drops and recreates these tables",
            next_step="windlass demo --dir with an empty directory",
        )


def _exists(connection: "psycopg.Connection", table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", (table,)).fetchone()
    return bool(row and row[0])
