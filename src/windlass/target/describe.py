"""What the server says about a live table."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from windlass.domain.chunks import chunked
from windlass.domain.errors import TransientError
from windlass.domain.schema import Removal, TargetColumn, TargetTable
from windlass.target import ddl
from windlass.target.client import LOOKING, Server

PATCH_SINCE = (25, 8)
_BLOCK_COLUMNS = ("enable_block_number_column", "enable_block_offset_column")

_TABLES = """
SELECT database, name, engine, engine_full, create_table_query, partition_key, sorting_key,
       arrayZip(dependencies_database, dependencies_table) AS dependents
FROM system.tables
WHERE database IN {databases:Array(String)} AND name IN {tables:Array(String)}
"""
_COLUMNS = """
SELECT database, table, name, type, default_kind, default_expression, compression_codec
FROM system.columns
WHERE database IN {databases:Array(String)} AND table IN {tables:Array(String)}
ORDER BY position
"""
_AT_ONCE = 200
"""Databases that one statement asks about: their names travel in its URL."""
_DEFAULTS = "SELECT name, value FROM system.merge_tree_settings WHERE name IN {names:Array(String)}"


@dataclass(frozen=True)
class Column:
    """A column of the catalog, with what a staging table needs to repeat it."""

    column: TargetColumn
    codec: str


@dataclass(frozen=True)
class Ddl:
    """A live table as the catalog has it; `full` is the engine with all its clauses."""

    engine: str
    full: str
    create: str
    partition_key: str
    sorting_key: str
    dependents: tuple[str, ...]
    columns: tuple[Column, ...]

    @cached_property
    def clauses(self) -> dict[str, str]:
        """The texts of PARTITION BY, PRIMARY KEY, ORDER BY, … that the table has."""
        return ddl.clauses(self.full)

    @cached_property
    def settings(self) -> dict[str, str]:
        """The table's own settings, `{name: literal}`."""
        return ddl.settings(self.clauses.get("SETTINGS", ""))


Name = tuple[str, str]
"""Database and table."""


def read(server: Server, database: str, table: str, tag: str = LOOKING) -> Ddl | None:
    """The table's DDL out of the catalog; None where there is no such table."""
    return read_all(server, [database], [table], tag).get((database, table))


def read_all(
    server: Server, databases: Sequence[str], tables: Sequence[str], tag: str = LOOKING
) -> dict[Name, Ddl]:
    """The DDL of those of the tables that the databases have."""
    found: dict[Name, Ddl] = {}
    for some in chunked(databases, _AT_ONCE):
        params = {"databases": list(some), "tables": list(tables)}
        rows = server.rows(_TABLES, tag, params)
        columns: dict[Name, list[Column]] = defaultdict(list)
        for database, table, *rest in server.rows(_COLUMNS, tag, params) if rows else ():
            columns[database, table].append(_column(*rest))
        _refuse_half_read(server, [(row[0], row[1]) for row in rows], columns)
        found |= {(row[0], row[1]): _ddl(columns[row[0], row[1]], *row[2:]) for row in rows}
    return found


def _refuse_half_read(
    server: Server, tables: Sequence[Name], columns: Mapping[Name, Sequence[Column]]
) -> None:
    """No table is without columns; but one that is locked is left out of system.columns, and a
    statement that is killed at the right moment answers with no rows (seen on 26.9: a worker that
    had stood still read on what the next attempt killed, and kept it as the table's DDL)."""
    for database, table in tables:
        if not columns.get((database, table)):
            raise TransientError(
                f"the catalog lists no columns of {database}.{table}",
                where=str(server.address),
                why="the table is locked, or the statement was killed",
                next_step="nothing: it is asked again",
            )


def _column(name: str, kind: str, default: str, expression: str, codec: str) -> Column:
    return Column(TargetColumn(name, kind, default, expression), codec)


def _ddl(
    columns: Sequence[Column],
    engine: str,
    full: str,
    create: str,
    partition_key: str,
    sorting_key: str,
    dependents: Sequence[Name],
) -> Ddl:
    views = tuple(f"{owner}.{name}" for owner, name in dependents)
    return Ddl(engine, full, create, partition_key, sorting_key, views, tuple(columns))


def describe(server: Server, database: str, table: str, tag: str = LOOKING) -> TargetTable | None:
    """The live table as the domain sees it."""
    return describe_all(server, [database], [table], tag).get((database, table))


def describe_all(
    server: Server, databases: Sequence[str], tables: Sequence[str], tag: str = LOOKING
) -> dict[Name, TargetTable]:
    """Those of the tables that the databases have."""
    found = read_all(server, databases, tables, tag)
    inherited = _inherited(server, tag) if found else {}
    return {name: _described(name, ddl_, inherited) for name, ddl_ in found.items()}


def _described(name: Name, found: Ddl, inherited: Mapping[str, str]) -> TargetTable:
    version, is_deleted = _replacing_columns(found)
    some = "PROJECTION" in found.create.upper()
    projections = tuple(ddl.projection_names(found.create)) if some else ()
    return TargetTable(
        database=name[0],
        name=name[1],
        engine=found.engine,
        partition_key=found.partition_key,
        sorting_key=found.sorting_key,
        columns=tuple(one.column for one in found.columns),
        version=version,
        is_deleted=is_deleted,
        create_hash=create_hash(found),
        dependents=found.dependents,
        removal=_removal(found, projections, is_deleted, inherited),
        projections=projections,
    )


def create_hash(table: Ddl) -> str:
    """16 hex digits that change with the table's CREATE statement."""
    return hashlib.sha256(table.create.encode()).hexdigest()[:16]


def _replacing_columns(table: Ddl) -> tuple[str | None, str | None]:
    if not table.engine.endswith("ReplacingMergeTree"):
        return None, None
    version, is_deleted = (*ddl.engine_arguments(table.full), None, None)[:2]
    return version, is_deleted


def _removal(
    table: Ddl, projections: Sequence[str], is_deleted: str | None, inherited: Mapping[str, str]
) -> Removal:
    effective = {**inherited, **table.settings} if inherited else {}
    # Both block columns on, for this table or for all.
    if not projections and all(effective.get(name) in {"1", "true"} for name in _BLOCK_COLUMNS):
        return Removal.PATCH
    return Removal.TOMBSTONE if is_deleted else Removal.LIGHTWEIGHT


def _inherited(server: Server, tag: str) -> Mapping[str, str]:
    """What the server gives tables of the settings that patch deletes need; nothing where it is
    too old for them."""
    if server.version < PATCH_SINCE:
        return {}
    params = {"names": list(_BLOCK_COLUMNS)}
    return server.remembered(_DEFAULTS, lambda: dict(server.rows(_DEFAULTS, tag, params)))
