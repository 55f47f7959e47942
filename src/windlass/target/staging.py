"""Staging tables: made afresh, loaded by one stream, dropped by attempt."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.chunks import chunked
from windlass.domain.errors import PlanChangedError, StagingGoneError, WindlassError
from windlass.domain.schema import TargetTable
from windlass.domain.undo import mark
from windlass.ports import Pulse
from windlass.target import describe
from windlass.target.arrowstream import ArrowBody
from windlass.target.client import Server, fill
from windlass.target.errors import TableThereError
from windlass.target.kill import statement_tag
from windlass.target.meter import Meter
from windlass.target.names import literal, quote, quoted, staging_name
from windlass.target.settings import DROP_OWN, LONG_STATEMENT
from windlass.target.watch import Moved, watched

if TYPE_CHECKING:
    import pyarrow as pa

_NOT_COPIED = {
    "allow_experimental_replacing_merge_with_cleanup",
    "min_age_to_force_merge_seconds",
    "non_replicated_deduplication_window",
    "replicated_deduplication_window",
    "table_readonly",
}
"""Settings of live that staging must not have: deduplication could swallow rows; cleanup and
merges are work for nothing."""

_BLOCK_COLUMNS = ("enable_block_number_column", "enable_block_offset_column")
"""Off in staging, whatever live or the server's default says: two windows' merged parts hold the
same numbers, and once they lie in one live partition a patch delete takes the wrong rows too
(seen on 25.8 and 26.1: 300 rows too many of 3,000)."""

_DROPPED_AT_ONCE = 50
"""Tables of one statement: most of its time is its way there and back."""

_REMEMBERED = 256
"""Staging tables whose columns are known without asking."""

_SHAPE = ("PARTITION BY", "PRIMARY KEY", "ORDER BY")
"""What REPLACE PARTITION wants to be the same in both tables."""

_CREATE = """
CREATE TABLE $table ($columns) ENGINE = MergeTree
$shape
SETTINGS $settings
COMMENT $comment
"""
_KNOWN = "SELECT name FROM system.merge_tree_settings WHERE name IN {names:Array(String)}"
_OURS = """
SELECT name FROM system.tables
WHERE database = {database:String} AND substring(name, 1, 17) IN ($tokens)
"""
_THERE = """
SELECT count() FROM system.tables
WHERE database = {database:String} AND name IN {names:Array(String)}
"""


class StagingArea:
    """The staging database of one server; `owner` as in ClickHouseTarget."""

    def __init__(self, server: Server, database: str, owner: str = "") -> None:
        self.server, self.database, self.owner = server, database, owner
        self.meter = Meter()
        self._made = False
        self._off: list[str] | None = None
        self._ddls: dict[tuple[str, str, str], describe.Ddl] = {}
        self._like: dict[str, TargetTable] = {}

    def ref(self, staging: Staging) -> str:
        """The staging table, qualified and quoted."""
        return f"{quote(self.database)}.{quote(staging_name(staging))}"

    def create(self, live: TargetTable, staging: Staging) -> None:
        """The table afresh, for live's rows. PlanChangedError: live is gone, or its DDL is
        another than was planned."""
        ddl = self.ddl(live, staging.attempt.tag)
        self._remember(staging, live)
        self._replace(
            staging,
            columns=", ".join(column_ddl(one) for one in ddl.columns),
            shape=" ".join(f"{name} {ddl.clauses[name]}" for name in _SHAPE if name in ddl.clauses),
            settings=", ".join([*_settings(ddl), *self._without_block_columns()]),
        )

    def ddl(self, live: TargetTable, tag: str) -> describe.Ddl:
        """The catalog's DDL of exactly that live table; looked up once. PlanChangedError: it is
        gone, or another by now."""
        key = (live.database, live.name, live.create_hash)
        if key not in self._ddls:
            found = describe.read(self.server, live.database, live.name, tag)
            if found is None or describe.create_hash(found) != live.create_hash:
                raise _live_changed(live, there=found is not None)
            self._ddls[key] = found
        return self._ddls[key]

    def _without_block_columns(self) -> list[str]:
        if self._off is None:
            known = self.server.rows(_KNOWN, params={"names": list(_BLOCK_COLUMNS)})
            self._off = [f"{name} = 0" for (name,) in known]
        return self._off

    def _remember(self, staging: Staging, live: TargetTable) -> None:
        name = staging_name(staging)
        if len(self._like) >= _REMEMBERED:
            self._like.pop(next(iter(self._like)), None)
        self._like[name] = replace(live, database=self.database, name=name, engine="MergeTree")

    def describe(self, staging: Staging) -> TargetTable:
        """The staging table as the domain sees a table; the server is asked where another
        process made it."""
        name = staging_name(staging)
        if name in self._like:
            return self._like[name]
        found = describe.describe(self.server, self.database, name, staging.attempt.tag)
        if found is None:
            raise gone(self.database, [name])
        return found

    def create_keys(self, staging: Staging, columns: Sequence[str]) -> None:
        """A table of String columns, for keys in canonical text."""
        self.create_plain(staging, ", ".join(f"{quote(name)} String" for name in columns))

    def create_plain(self, staging: Staging, columns: str) -> None:
        """A table without order, of these column definitions."""
        self._replace(
            staging,
            columns=columns,
            shape="ORDER BY tuple()",
            settings="index_granularity = 8192",
        )

    def _replace(self, staging: Staging, **parts: str) -> None:
        """Names of attempts are used once: only where one works on is there a table to replace."""
        tag, table = staging.attempt.tag, self.ref(staging)
        self.ensure_database(tag)
        comment = mark(staging.attempt, datetime.now(UTC), self.owner)
        statement = fill(_CREATE, table=table, comment=literal(comment), **parts)
        try:
            self.server.run(statement, tag)
        except TableThereError:
            self.drop(staging)
            self.server.run(statement, tag)

    def ensure_database(self, tag: str) -> None:
        """Create the staging database where it is missing."""
        if self._made:
            return
        params = {"name": self.database}
        known = "SELECT count() FROM system.databases WHERE name = {name:String}"
        if not self.server.value(known, tag, params):
            self.server.run(f"CREATE DATABASE IF NOT EXISTS {quote(self.database)}", tag)
        self._made = True

    def insert(self, staging: Staging, batches: Iterable["pa.RecordBatch"], pulse: Pulse) -> None:
        """Stream the batches in with one INSERT. StagingGoneError: the table was dropped."""
        moved = Moved()
        body = ArrowBody(batches, moved, self.server.version)
        tag = statement_tag(staging.attempt.tag)

        def work() -> None:
            try:
                columns = body.begin()
                if columns:
                    # Closed, or a block of a statement that was killed would be on its way for
                    # as long as somebody holds the error: health would call that a slow insert.
                    with closing(self.meter.passing(body.stream())) as blocks:
                        self.server.send(self.ref(staging), columns, blocks, tag)
                    body.answered()
            except BaseException:
                if body.failure is not None:
                    raise body.failure from None
                raise

        watched(self.server, tag, work, pulse, moved, body.stop)

    def require(self, stagings: Sequence[Staging]) -> None:
        """StagingGoneError unless all of them are there."""
        names = sorted({staging_name(one) for one in stagings})
        if not names:
            return
        params = {"database": self.database, "names": names}
        there = int(self.server.value(_THERE, stagings[0].attempt.tag, params))
        if there < len(names):
            raise gone(self.database, names)

    def drop(self, staging: Staging) -> None:
        """The table is not needed any more."""
        self.server.run(
            f"DROP TABLE IF EXISTS {self.ref(staging)} SYNC", staging.attempt.tag, DROP_OWN
        )

    def sweep(self, *attempts: Attempt) -> int:
        """Drop every staging table of the attempts; returns how many there were."""
        if not attempts:
            return 0
        tag = attempts[0].tag
        tokens = ", ".join(literal(f"{attempt.token}_") for attempt in attempts)
        asked, params = fill(_OURS, tokens=tokens), {"database": self.database}
        found = self.server.rows(asked, tag, params, LONG_STATEMENT)
        names = [f"{quote(self.database)}.{quote(str(row[0]))}" for row in found]
        for some in chunked(names, _DROPPED_AT_ONCE):
            self.server.run(f"DROP TABLE IF EXISTS {', '.join(some)} SYNC", tag, DROP_OWN)
        return len(names)


def column_ddl(one: describe.Column) -> str:
    """A column's definition as live has it."""
    column = one.column
    default = f"{column.default_kind} {column.default_expression}" if column.default_kind else ""
    return " ".join(part for part in (quote(column.name), column.type, default, one.codec) if part)


def insertable(live: TargetTable) -> list[str]:
    """The columns that rows are inserted into; the server computes the others."""
    return [c.name for c in live.columns if c.default_kind in {"", "DEFAULT"}]


def columns_of(live: TargetTable) -> str:
    """These columns, quoted."""
    return quoted(insertable(live))


def gone(database: str, names: Sequence[str]) -> StagingGoneError:
    """The fence has fallen."""
    return StagingGoneError(
        "the attempt's staging is gone",
        where=f"{database}: {', '.join(names)}",
        why="it was dropped: this attempt was given up, another may be at work",
        next_step="nothing: the next attempt stages afresh",
    )


def _settings(ddl: describe.Ddl) -> list[str]:
    never = {*_NOT_COPIED, *_BLOCK_COLUMNS}
    kept = {name: value for name, value in ddl.settings.items() if name not in never}
    return [f"{name} = {value}" for name, value in kept.items()] or ["index_granularity = 8192"]


def _live_changed(live: TargetTable, *, there: bool) -> WindlassError:
    return PlanChangedError(
        "the live table is another than was planned for" if there else "the live table is gone",
        where=f"target table {live.database}.{live.name}",
        why="its CREATE TABLE has changed since" if there else "it was there when it was planned",
        next_step="plan again" if there else "create it, then plan again",
    )
