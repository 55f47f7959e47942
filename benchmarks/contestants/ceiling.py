"""How fast the rows come out of PostgreSQL at all, going nowhere."""

import time

import psycopg

from benchmarks.contestants.arena import Arena, Lap


def adbc(arena: Arena) -> Lap:
    """Arrow batches out of binary COPY, dropped."""
    import adbc_driver_postgresql.dbapi

    started, rows = time.monotonic(), 0
    connecting = adbc_driver_postgresql.dbapi.connect(arena.world.endpoints.postgres)
    with connecting as connection, connection.cursor() as cursor:
        cursor.execute(arena.table.select())
        for batch in cursor.fetch_record_batch():
            rows += batch.num_rows
    return Lap(arena.check(rows), time.monotonic() - started)


def psycopg_(arena: Arena) -> Lap:
    """The bytes of binary COPY, dropped."""
    started = time.monotonic()
    with psycopg.connect(arena.world.endpoints.postgres) as connection:
        cursor = connection.cursor()
        with cursor.copy(
            f"copy ({arena.table.select()}) to stdout (format binary)".encode()
        ) as copy:
            for _ in copy:
                pass
        rows = cursor.rowcount
    return Lap(arena.check(rows), time.monotonic() - started)
