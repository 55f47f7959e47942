"""What the server says about a live table."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from windlass.domain.schema import Removal, TargetColumn, TargetTable
from windlass.target import ddl
from windlass.target.client import LOOKING, Server

PATCH_SINCE = (25, 8)
_BLOCK_COLUMNS = ("enable_block_number_column", "enable_block_offset_column")

_TABLE = """
SELECT engine, engine_full, create_table_query, partition_key, sorting_key,
       arrayZip(dependencies_database, dependencies_table) AS dependents
FROM system.tables WHERE database = {database:String} AND name = {table:String}
"""
_COLUMNS = """
SELECT name, type, default_kind, default_expression, compression_codec
FROM system.columns WHERE database = {database:String} AND table = {table:String}
ORDER BY position
"""
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

    @property
    def clauses(self) -> dict[str, str]:
        """The texts of PARTITION BY, PRIMARY KEY, ORDER BY, … that the table has."""
        return ddl.clauses(self.full)

    @property
    def settings(self) -> dict[str, str]:
        """The table's own settings, `{name: literal}`."""
        return ddl.settings(self.clauses.get("SETTINGS", ""))


def read(server: Server, database: str, table: str, tag: str = LOOKING) -> Ddl | None:
    """The table's DDL out of the catalog; None where there is no such table."""
    params = {"database": database, "table": table}
    found = server.rows(_TABLE, tag, params)
    if not found:
        return None
    engine, full, create, partition_key, sorting_key, dependents = found[0]
    return Ddl(
        engine=engine,
        full=full,
        create=create,
        partition_key=partition_key,
        sorting_key=sorting_key,
        dependents=tuple(f"{owner}.{name}" for owner, name in dependents),
        columns=tuple(
            Column(TargetColumn(name, kind, default, expression), codec)
            for name, kind, default, expression, codec in server.rows(_COLUMNS, tag, params)
        ),
    )


def describe(server: Server, database: str, table: str, tag: str = LOOKING) -> TargetTable | None:
    """The live table as the domain sees it."""
    found = read(server, database, table, tag)
    if found is None:
        return None
    version, is_deleted = _replacing_columns(found)
    projections = tuple(ddl.projection_names(found.create))
    return TargetTable(
        database=database,
        name=table,
        engine=found.engine,
        partition_key=found.partition_key,
        sorting_key=found.sorting_key,
        columns=tuple(one.column for one in found.columns),
        version=version,
        is_deleted=is_deleted,
        create_hash=create_hash(found),
        dependents=found.dependents,
        removal=_removal(server, found, projections, is_deleted, tag),
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
    server: Server, table: Ddl, projections: Sequence[str], is_deleted: str | None, tag: str
) -> Removal:
    if not projections and _patches(server, table, tag):
        return Removal.PATCH
    return Removal.TOMBSTONE if is_deleted else Removal.LIGHTWEIGHT


def _patches(server: Server, table: Ddl, tag: str) -> bool:
    """Whether a patch delete is possible: both block columns on, for this table or for all."""
    if server.version < PATCH_SINCE:
        return False
    inherited = dict(server.rows(_DEFAULTS, tag, {"names": list(_BLOCK_COLUMNS)}))
    effective = inherited | table.settings
    return all(effective.get(name) in {"1", "true"} for name in _BLOCK_COLUMNS)
