"""Fills the fleet demo's sources and targets, and proves at the end what they hold."""

from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from windlass.localstack.fleet.scenario import CLUSTERS, RANGE, Customer

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Progress = Callable[[str], None]
Held = tuple[int, int]
"""Rows, and the sum of their values: what both servers can say of a tenant's table."""

_CARDS = "select count(*), coalesce(sum(score), 0) from app.scorecards c where {kept}"
_SCORES = (
    "select count(*), coalesce(sum(s.value), 0) from app.scores s "
    "join app.scorecards c using (scorecard_id) where {kept}"
)
_KEPT = (
    "c.customer_id = %s and c.scorecard_type <> 'appeal_request' and "
    f"c.created_at >= '{RANGE[0]}Z' and c.created_at < '{RANGE[1]}Z'"
)
_LIVE = (
    "select count(), sum({value}) from {database}.{table} final "
    f"where created_at >= '{RANGE[0]}' and created_at < '{RANGE[1]}'"
)
_OUTSIDE = (
    "select count(), toString(sum(toInt128(sipHash64(tuple(*))))) from {database}.{table} final "
    f"where created_at < '{RANGE[0]}' or created_at >= '{RANGE[1]}'"
)
TABLES = {"scorecard": "score", "score": "value"}
"""Each target table with the column whose sum is compared."""


def database_of(cluster: str) -> str:
    """The name of the cluster's database on the one PostgreSQL."""
    return cluster.replace("-", "_")


def source_url(postgres: str, cluster: str) -> str:
    """The URL of the cluster's own database."""
    return urlunsplit(urlsplit(postgres)._replace(path=f"/{database_of(cluster)}"))


def seed_sources(postgres: str, everybody: Sequence[Customer], progress: Progress) -> None:
    """A database for each cluster, its rows made by the server itself."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(postgres, autocommit=True) as connection:
        for cluster in CLUSTERS:
            name = sql.Identifier(database_of(cluster))
            connection.execute(sql.SQL("create database {}").format(name))
    for cluster in CLUSTERS:
        mine = [one for one in everybody if one.cluster == cluster]
        _seed_source(source_url(postgres, cluster), mine)
        progress(f"source of {cluster}: {sum(one.rows for one in mine):,} rows")


def _seed_source(url: str, mine: Sequence[Customer]) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _statements("source.sql"):
            connection.execute(statement.encode())
        copying = connection.cursor()
        with copying.copy("copy app.customers from stdin") as copy:
            for one in mine:
                copy.write_row((one.name, one.profile, one.scorecards, one.scores, one.first))
        connection.execute("set maintenance_work_mem = '256MB'")
        for statement in _statements("source_rows.sql"):
            connection.execute(statement.encode())


def _statements(name: str) -> Iterable[str]:
    text = (resources.files("windlass.localstack.fleet") / "sql" / name).read_text("utf-8")
    return [one for one in text.split(";") if one.strip()]


def seed_target(clickhouse: str, mine: Sequence[Customer]) -> None:
    """A database for each customer, with what earlier appends left in it."""
    with connect(clickhouse) as client:
        for one in mine:
            client.command(f"create database {one.database}")
            for statement in (*_statements("target_tables.sql"), *_statements("target_rows.sql")):
                text = statement.replace("{database}", one.database)
                client.command(text, parameters=_parameters(one) if "{first" in text else None)


def _parameters(one: Customer) -> dict[str, str | int]:
    return {
        "first": one.first,
        "cards": one.scorecards,
        "scores": one.scores,
        "name": one.name,
        "profile": one.profile,
    }


def connect(clickhouse: str) -> "Client":
    """A client for this URL; use it as a context manager."""
    import clickhouse_connect

    return clickhouse_connect.get_client(dsn=clickhouse, autogenerate_session_id=False)


def outside(clickhouse: str, mine: Sequence[Customer]) -> dict[str, str]:
    """`{"database.table": fingerprint}` of the rows outside the range, which must not change."""
    with connect(clickhouse) as client:
        return {
            f"{one.database}.{table}": _fingerprint(client, one, table)
            for one in mine
            for table in TABLES
        }


def _fingerprint(client: "Client", one: Customer, table: str) -> str:
    rows = client.query(_OUTSIDE.format(database=one.database, table=table)).result_rows
    return f"{rows[0][0]}:{rows[0][1]}"


def differing(postgres: str, clickhouse: str, mine: Sequence[Customer]) -> list[str]:
    """Tables of which source and target do not tell the same rows and sum, in words; asked by
    queries of this module's own, for nothing of the engine's may be the judge of itself."""
    import psycopg

    found = []
    with psycopg.connect(postgres) as source, connect(clickhouse) as target:
        for one in mine:
            asked = {"scorecard": _CARDS, "score": _SCORES}
            for table, value in TABLES.items():
                query = asked[table].format(kept=_KEPT).encode()
                row = source.execute(query, (one.name,)).fetchone()
                wanted = (int(row[0]), int(row[1])) if row else (0, 0)
                text = _LIVE.format(database=one.database, table=table, value=value)
                held = tuple(int(n) for n in target.query(text).result_rows[0])
                if held != wanted:
                    found.append(f"{one.database}.{table}: source {wanted}, target {held}")
    return found
