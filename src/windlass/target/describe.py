"""What the server says about a live table."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from windlass.domain.schema import Removal, TargetColumn, TargetTable
from windlass.target.client import LOOKING, Server

PATCH_SINCE = (25, 8)
_BLOCK_COLUMNS = ("enable_block_number_column", "enable_block_offset_column")

_NAMES = ("name", "quoted")

_TABLE = """
SELECT engine, engine_full, create_table_query, partition_key, sorting_key, primary_key,
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
class Token:
    """A word of DDL: `name` for bare words, `quoted` for quoted identifiers, `string`, or the
    sign itself."""

    kind: str
    text: str


@dataclass(frozen=True)
class Column:
    """A column of the catalog, with what a staging table needs to repeat it."""

    column: TargetColumn
    codec: str


@dataclass(frozen=True)
class Ddl:
    """A live table as the catalog has it. `settings` are the table's own, as literals."""

    engine: str
    arguments: tuple[str, ...]
    settings: Mapping[str, str]
    create: str
    partition_key: str
    sorting_key: str
    primary_key: str
    dependents: tuple[str, ...]
    columns: tuple[Column, ...]


def read(server: Server, database: str, table: str, tag: str = LOOKING) -> Ddl | None:
    """The table's DDL out of the catalog; None where there is no such table."""
    params = {"database": database, "table": table}
    found = server.rows(_TABLE, tag, params)
    if not found:
        return None
    engine, full, create, partition_key, sorting_key, primary_key, dependents = found[0]
    words = list(tokens(full))
    return Ddl(
        engine=engine,
        arguments=engine_arguments(words),
        settings=table_settings(words),
        create=create,
        partition_key=partition_key,
        sorting_key=sorting_key,
        primary_key=primary_key,
        dependents=tuple(f"{owner}.{name}" for owner, name in dependents),
        columns=tuple(
            Column(TargetColumn(name, kind, default, expression), codec)
            for name, kind, default, expression, codec in server.rows(_COLUMNS, tag, params)
        ),
    )


def describe(server: Server, database: str, table: str, tag: str = LOOKING) -> TargetTable | None:
    """The live table as the domain sees it."""
    ddl = read(server, database, table, tag)
    if ddl is None:
        return None
    version, is_deleted = _replacing_columns(ddl)
    projections = tuple(projection_names(ddl.create))
    return TargetTable(
        database=database,
        name=table,
        engine=ddl.engine,
        partition_key=ddl.partition_key,
        sorting_key=ddl.sorting_key,
        columns=tuple(one.column for one in ddl.columns),
        version=version,
        is_deleted=is_deleted,
        create_hash=create_hash(ddl),
        dependents=ddl.dependents,
        removal=_removal(server, ddl, projections, is_deleted, tag),
        projections=projections,
    )


def create_hash(ddl: Ddl) -> str:
    """16 hex digits that change with the table's CREATE statement."""
    return hashlib.sha256(ddl.create.encode()).hexdigest()[:16]


def _replacing_columns(ddl: Ddl) -> tuple[str | None, str | None]:
    if not ddl.engine.endswith("ReplacingMergeTree"):
        return None, None
    version, is_deleted = (*ddl.arguments, None, None)[:2]
    return version, is_deleted


def _removal(
    server: Server, ddl: Ddl, projections: Sequence[str], is_deleted: str | None, tag: str
) -> Removal:
    if not projections and _patches(server, ddl, tag):
        return Removal.PATCH
    return Removal.TOMBSTONE if is_deleted else Removal.LIGHTWEIGHT


def _patches(server: Server, ddl: Ddl, tag: str) -> bool:
    """Whether a patch delete is possible: both block columns on, for this table or for all."""
    if server.version < PATCH_SINCE:
        return False
    inherited = dict(server.rows(_DEFAULTS, tag, {"names": list(_BLOCK_COLUMNS)}))
    return all(ddl.settings.get(n, inherited.get(n, "0")) in {"1", "true"} for n in _BLOCK_COLUMNS)


def tokens(ddl: str) -> Iterator[Token]:
    """The words of DDL text, quoting and comments understood."""
    import sqlglot

    kinds = {"STRING": "string", "IDENTIFIER": "quoted", "NUMBER": "number"}
    for token in sqlglot.tokenize(ddl, read="clickhouse"):
        sign = not (token.text[:1].isalpha() or token.text[:1] == "_")
        bare = token.text if sign else "name"
        yield Token(kinds.get(token.token_type.name, bare), token.text)


def engine_arguments(words: Sequence[Token]) -> tuple[str, ...]:
    """The column names among the engine's arguments; a Replicated engine's path and replica
    are string literals and left out."""
    if len(words) < 2 or words[1].kind != "(":
        return ()
    names, depth = [], 0
    for word in words[1:]:
        depth += {"(": 1, ")": -1}.get(word.kind, 0)
        if depth == 0:
            break
        if depth == 1 and word.kind in {"name", "quoted"}:
            names.append(word.text)
    return tuple(names)


def plain_elements(key: str) -> set[str]:
    """The elements of a sorting key that are nothing but a column."""
    elements: list[list[Token]] = [[]]
    depth = 0
    for word in tokens(key):
        depth += {"(": 1, ")": -1}.get(word.kind, 0)
        if word.kind == "," and depth == 0:
            elements.append([])
        else:
            elements[-1].append(word)
    return {one[0].text for one in elements if len(one) == 1 and one[0].kind in _NAMES}


def table_settings(words: Sequence[Token]) -> dict[str, str]:
    """The table's own settings behind the last SETTINGS, `{name: value}`, strings unquoted."""
    start = _clause(words, "SETTINGS")
    found: dict[str, str] = {}
    if start is None:
        return found
    rest = list(words[start + 1 :])
    for at, word in enumerate(rest):
        if word.kind == "=" and 0 < at < len(rest) - 1:
            found[rest[at - 1].text] = rest[at + 1].text
    return found


def _clause(words: Sequence[Token], name: str) -> int | None:
    """Where a clause of the engine begins: outside parentheses, not quoted."""
    depth = 0
    for at, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word.kind, 0)
        if depth == 0 and word.kind == "name" and word.text.upper() == name:
            return at
    return None


def projection_names(create: str) -> Iterator[str]:
    """The projections in a CREATE TABLE; a column of that name stands there quoted."""
    words = list(tokens(create))
    depth = 0
    for at, word in enumerate(words[:-1]):
        depth += {"(": 1, ")": -1}.get(word.kind, 0)
        if depth == 1 and word.kind == "name" and word.text.upper() == "PROJECTION":
            yield words[at + 1].text
