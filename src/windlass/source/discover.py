"""What the source has: columns and their types, tenants, names that were meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from windlass.domain.dataset import Dataset, TableSpec
from windlass.domain.errors import PlanError
from windlass.domain.schema import SourceColumn
from windlass.source.judge import is_query, table_name
from windlass.source.quote import text_array
from windlass.source.relation import missing, query_sql, relation_sql
from windlass.source.session import Connection, Server, rows, run


def relation_columns(connection: Connection, relation: str) -> tuple[SourceColumn, ...]:
    """The columns of a table or SELECT, in order, as the server describes its result."""
    cursor = run(connection, f"SELECT * FROM {relation_sql(relation)} AS t LIMIT 0")
    result = cursor.pgresult
    if result is None or cursor.description is None:
        return ()
    described = [
        (column.name, result.ftype(n), result.fmod(n), result.ftable(n), result.ftablecol(n))
        for n, column in enumerate(cursor.description)
    ]
    return tuple(_typed(connection, described, is_query(relation)))


def _typed(
    connection: Connection, described: list[tuple[Any, ...]], query: bool
) -> Iterable[SourceColumn]:
    """Add type names and nullability; an outer join makes any column of a SELECT nullable."""
    columns = ", ".join(
        f"{text_array([str(one[field]) for one in described])}::bigint[]" for field in (1, 2, 3, 4)
    )
    found = rows(
        connection,
        "SELECT format_type(d.type::oid, d.mod::int), coalesce(a.attnotnull, FALSE) "
        f"FROM unnest({columns}) WITH ORDINALITY AS d(type, mod, rel, att, n) "
        "LEFT JOIN pg_attribute a ON a.attrelid = d.rel::oid AND a.attnum = d.att ORDER BY d.n",
    )
    for (name, *_), (kind, not_null) in zip(described, found, strict=True):
        yield SourceColumn(name, kind, nullable=query or not not_null)


def check_columns(table: TableSpec, columns: Iterable[SourceColumn], where: str) -> None:
    """PlanError when the config names columns that the relation lacks."""
    have = [column.name for column in columns]
    lacking = missing(table, set(have))
    if lacking:
        raise PlanError(
            f"{table.relation} has no column {', '.join(lacking)}",
            where=where,
            why=f"dataset table {table.name} names {'it' if len(lacking) == 1 else 'them'}",
            next_step=_meant(lacking[0], have) or f"name one of: {', '.join(have)}",
        )


def _meant(name: str, have: Iterable[str]) -> str:
    folded = {one.lower(): one for one in have}
    close = get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(folded[one] for one in close)}?" if close else ""


def no_such_table(server: Server, connection: Connection, relation: str) -> PlanError:
    """The error for a table that is not there, with the names that come close."""
    found = rows(
        connection,
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')",
    )
    name = ".".join(table_name(relation))
    have = [full for (full,) in found]
    bare = {full.partition(".")[2]: full for full in have}
    hint = _meant(name, have) or (f"did you mean {bare[name]}?" if name in bare else "")
    return PlanError(
        f"there is no table {relation}",
        where=server.place,
        why="names are taken as written, upper and lower case told apart",
        next_step=hint or "correct `from` in the fleet file, then: windlass doctor",
    )


def tenant_pairs(connection: Connection, tenants_query: str) -> list[tuple[str, str]]:
    """(customer, profile) pairs, distinct and sorted; a NULL in either belongs to nobody."""
    query = query_sql(tenants_query)
    cursor = run(connection, f"SELECT * FROM (\n{query}\n) AS q LIMIT 0")
    width = len(cursor.description or ())
    if not width:
        raise PlanError("the tenants query returns no column", next_step="select customer, profile")
    names = "(customer, profile)" if width > 1 else "(customer)"
    profile = "q.profile::text" if width > 1 else "''"
    found = rows(
        connection, f"SELECT DISTINCT q.customer::text, {profile} FROM (\n{query}\n) AS q{names}"
    )
    return sorted((one, two) for one, two in found if one is not None and two is not None)


def time_owner(dataset: Dataset, table: TableSpec) -> TableSpec:
    """The table, itself or an ancestor, whose own column is the table's time."""
    owner = table
    while owner.time_from_parent and owner.target_time == table.target_time:
        parent = dataset.parent_of(owner)
        if parent is None:
            raise PlanError(f"table {table.name} takes its time from a parent it does not have")
        owner = parent
    return owner
