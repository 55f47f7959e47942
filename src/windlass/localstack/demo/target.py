"""Fills the demo's ClickHouse with what an earlier unfiltered append left, and fingerprints it."""

from typing import TYPE_CHECKING

from windlass.domain.errors import RefusedError
from windlass.localstack.demo import story
from windlass.localstack.demo.source import Progress, Seeded, seeded, silent, statements

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_MARK = "windlass demo"
# Asynchronous inserts would answer before the rows are counted.
_INSERT = {"async_insert": 0}


def seed_target(
    clickhouse_url: str,
    postgres_url: str,
    scale: float,
    seed: int = story.SEED,
    progress: Progress = silent,
) -> None:
    """Drop the demo's databases and make them anew, each row identical to the source's.

    The rows come from the generator that filled the source, which is why the source must be
    complete and of the same scale and seed. Raises RefusedError when it is not, or when a
    database of the demo's names exists that no demo made.
    """
    _require_source(postgres_url, Seeded(scale, seed))
    with connect(clickhouse_url) as client:
        _recreate(client)
        _load(client, scale, seed, progress)
    progress("target ready")


def fingerprints(clickhouse_url: str) -> dict[str, str]:
    """`{"database.table": "<rows>:<sum of hashes>"}` over all rows that the demo must not touch.

    These are the rows outside the range, and for customers other than the demo's all rows; each
    stored row counts, superseded versions too. A table that appears or goes shows as well.
    """
    with connect(clickhouse_url) as client:
        found = client.query(
            "select database, name from system.tables where database in {names:Array(String)} "
            "order by database, name",
            parameters={"names": list(story.databases())},
        )
        return {f"{db}.{table}": _fingerprint(client, db, table) for db, table in found.result_rows}


def connect(clickhouse_url: str) -> "Client":
    """A ClickHouse client for this URL; use it as a context manager."""
    import clickhouse_connect

    return clickhouse_connect.get_client(
        dsn=clickhouse_url,
        secure=clickhouse_url.startswith("https:"),
        autogenerate_session_id=False,
    )


def _require_source(postgres_url: str, wanted: Seeded) -> None:
    held = seeded(postgres_url)
    if held != wanted:
        has = f"scale {held.scale}, seed {held.seed}" if held else "no complete demo"
        raise RefusedError(
            f"the source holds {has}, not scale {wanted.scale}, seed {wanted.seed}",
            where="the demo's PostgreSQL",
            why="source and target must start out with the same rows",
            next_step="windlass demo --down, then windlass demo",
        )


def _recreate(client: "Client") -> None:
    """All databases of the demo, empty; checked as a whole before the first one is dropped."""
    from clickhouse_connect.driver.binding import quote_identifier

    _refuse_foreign_databases(client)
    for database in story.databases():
        name = quote_identifier(database)
        client.command(f"drop database if exists {name} sync")
        client.command(f"create database {name} comment '{_MARK}'")
        for statement in statements("target_tables.sql").split(";"):
            if statement.strip():
                client.command(statement.format(database=name))


def _refuse_foreign_databases(client: "Client") -> None:
    found = client.query(
        "select name from system.databases where name in {names:Array(String)} "
        "and comment != {mark:String} order by name",
        parameters={"names": list(story.databases()), "mark": _MARK},
    )
    if found.result_rows:
        raise RefusedError(
            f"{', '.join(row[0] for row in found.result_rows)} exist already "
            "and were not made by the demo",
            where=f"ClickHouse {client.uri}",
            why="the demo drops and recreates these databases",
            next_step="windlass demo --dir with an empty directory",
        )


def _load(client: "Client", scale: float, seed: int, progress: Progress) -> None:
    from windlass.localstack.demo import generate

    done = 0
    for batch in generate.ahead(generate.batches(scale, seed)):
        for table, rows in (("scorecard", batch.scorecards), ("score", batch.scores)):
            client.insert_arrow(table, rows, database=batch.database, settings=_INSERT)
            done += rows.num_rows
        progress(f"target: {done:,} of {story.total_rows(scale):,} rows")


def _fingerprint(client: "Client", database: str, table: str) -> str:
    from clickhouse_connect.driver.binding import quote_identifier

    where, bounds = "1", {}
    if story.databases()[database][0] in story.CUSTOMERS and table in story.TABLES:
        where = (
            "created_at < {start:DateTime64(6,'UTC')} or created_at >= {end:DateTime64(6,'UTC')}"
        )
        bounds = {"start": story.RANGE.start, "end": story.RANGE.end}
    # The tuple keeps rows with a NULL in the sum: a Nullable hash would be left out.
    rows = client.query(
        f"select count(), toString(sum(toInt128(sipHash64(tuple(*))))) "
        f"from {quote_identifier(database)}.{quote_identifier(table)} where {where}",
        parameters=bounds,
    ).result_rows
    return f"{rows[0][0]}:{rows[0][1]}"
