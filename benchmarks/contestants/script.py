"""Scripts of the kind that people write."""

import time
from collections.abc import Generator

import psycopg

from benchmarks.contestants.arena import Arena, Lap
from benchmarks.data import COLUMNS

FETCH = 50_000


def plain(arena: Arena) -> Lap:
    """A server-side cursor, fetchmany, client.insert."""
    names = COLUMNS.split(", ")
    with arena.landing("scripted") as table, arena.world.ch as client:
        started, rows = time.monotonic(), 0
        connecting = psycopg.connect(arena.world.endpoints.postgres)
        with connecting as connection, connection.cursor(name="script") as cursor:
            cursor.execute(arena.table.select(arena.share).encode())
            while found := cursor.fetchmany(FETCH):
                client.insert(table, found, column_names=names)
                rows += len(found)
        seconds = time.monotonic() - started
    return Lap(rows, seconds)


def copy_csv(arena: Arena) -> Lap:
    """What `psql -c "COPY … CSV" | curl --data-binary @-` does, without the two processes."""
    settings = {"date_time_input_format": "best_effort"}
    with arena.landing("copied") as table, arena.world.ch as client:
        started = time.monotonic()
        with psycopg.connect(arena.world.endpoints.postgres) as connection:
            rows = _csv(connection, arena.table.select())
            client.raw_insert(table, COLUMNS.split(", "), rows, settings, fmt="CSV")
        seconds = time.monotonic() - started
    return Lap(arena.table.rows, seconds)


def _csv(connection: psycopg.Connection, select: str) -> Generator[bytes, None, None]:
    """The rows as CSV, in pieces of about a mebibyte."""
    held = bytearray()
    with connection.cursor().copy(f"copy ({select}) to stdout (format csv)".encode()) as copy:
        for piece in copy:
            held += piece
            if len(held) >= 1 << 20:
                yield bytes(held)
                held.clear()
    yield bytes(held)
