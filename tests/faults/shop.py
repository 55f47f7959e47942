"""A tenant to rebuild, on real servers: a source that has moved on, a target that is behind.

Everything here is plain SQL of its own: what is expected is never asked of Windlass.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import clickhouse_connect
import psycopg
from clickhouse_connect.driver.client import Client

RANGE = ("2026-01-01", "2026-02-20")
"""January is a whole partition, February an edge."""

_SOURCE = """
create schema if not exists {s};
create table if not exists {s}.cards(
  card_id bigint primary key, customer text, profile text, kind text, amount numeric(12,2),
  note text, created_at timestamptz, updated_at timestamptz);
create table if not exists {s}.marks(
  mark_id bigint primary key, card_id bigint, value int, created_at timestamptz,
  updated_at timestamptz);
create index if not exists cards_at on {s}.cards(customer, created_at);
create index if not exists marks_of on {s}.marks(card_id);
truncate {s}.cards, {s}.marks;
insert into {s}.cards
select g, 'acme', 'voice', case when g % 11 = 0 then 'appeal' else 'plain' end, g * 1.25,
  'new ' || g % 5, timestamptz '2025-12-20 00:00+00' + g * interval '{step} seconds',
  timestamptz '2026-03-20 00:00+00' + g * interval '1 millisecond'
from generate_series(1, {rows}) g where {kept};
insert into {s}.marks
select card_id, card_id, (card_id % 100)::int, created_at, updated_at from {s}.cards;
analyze {s}.cards; analyze {s}.marks;
"""
_KEPT = {"replace": "g % 17 <> 0", "append": "true", "delete": "true"}
"""Which keys the source still has; the target has all of them."""

_TABLES = {
    "card": "card_id Int64, customer String, profile String, kind LowCardinality(String), "
    "amount Decimal(12,2), note String, created_at DateTime64(6, 'UTC'), "
    "updated_at DateTime64(6, 'UTC')",
    "mark": "mark_id Int64, card_id Int64, value Int32, created_at DateTime64(6, 'UTC'), "
    "updated_at DateTime64(6, 'UTC')",
}
_KEYS = {"card": "card_id", "mark": "mark_id"}
_OLD = {
    "card": "g, 'acme', 'voice', if(g % 11 = 0, 'appeal', 'plain'), g * 1.25, "
    "concat('old ', toString(g % 5)), {at}, {version}",
    "mark": "g, g, toInt32(g % 90), {at}, {version}",
}
_AT = "toDateTime64('2025-12-20 00:00:00', 6, 'UTC') + toIntervalSecond(g * {step})"
_VERSION = (
    "if(g % 23 = 0, toDateTime64('2026-04-01 00:00:00', 6, 'UTC'), "
    "toDateTime64('2026-03-01 00:00:00', 6, 'UTC') + toIntervalMillisecond(g))"
)
"""One row in 23 outranks the source's: it would win for ever if it stayed."""

_SEEN = {
    "card": "card_id, customer, profile, kind, toString(amount), note, "
    "toUnixTimestamp64Micro(created_at), toUnixTimestamp64Micro(updated_at)",
    "mark": "mark_id, card_id, value, toUnixTimestamp64Micro(created_at), "
    "toUnixTimestamp64Micro(updated_at)",
}
_MICROS = "(extract(epoch from x.{0}) * 1000000)::bigint"
_WANTED = {
    "card": "select x.card_id, x.customer, x.profile, x.kind, trim_scale(x.amount)::text, x.note, "
    f"{_MICROS.format('created_at')}, {_MICROS.format('updated_at')} from {{s}}.cards x "
    "where {inside} and x.kind is distinct from 'appeal' order by 1",
    "mark": f"select x.mark_id, x.card_id, x.value, {_MICROS.format('created_at')}, "
    f"{_MICROS.format('updated_at')} from {{s}}.marks x join {{s}}.cards c using (card_id) "
    "where {inside} and c.kind is distinct from 'appeal' order by 1",
}


@dataclass(frozen=True)
class Shape:
    """What the live tables are like. `exact_edges`: readers with FINAL are promised that they
    see nothing in between at the edges too."""

    name: str
    engine: str
    settings: str
    dataset: str
    exact_edges: bool

    @property
    def final(self) -> str:
        return "FINAL" if "Replacing" in self.engine else ""


_BLOCKS = " settings enable_block_number_column=1, enable_block_offset_column=1"
SHAPES = (
    Shape("patch", "ReplacingMergeTree(updated_at)", _BLOCKS, "cards", True),
    Shape("lightweight", "ReplacingMergeTree(updated_at)", "", "cards", False),
    Shape("plain", "MergeTree", "", "plain", False),
)


Row = tuple[Any, ...]
Rows = dict[str, list[Row]]


@dataclass
class Shop:
    """One tenant acme/voice. `schema` is the source's, `database` the target's."""

    postgres: str
    clickhouse: str
    name: str
    shape: Shape
    mode: str = "replace"
    rows: int = 1200

    @property
    def database(self) -> str:
        return f"{self.name}_{self.shape.dataset}_acme_voice"

    @property
    def step(self) -> int:
        """Seconds between two rows: they fill 80 days."""
        return 80 * 86400 // self.rows

    def ch(self) -> Client:
        """The target, as any client sees it."""
        return clickhouse_connect.get_client(dsn=self.clickhouse, autogenerate_session_id=False)

    def pg(self, sql: str) -> list[Row]:
        """Run SQL in the source."""
        with psycopg.connect(self.postgres, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def build(self) -> None:
        """Fill both sides anew."""
        kept = _KEPT[self.mode]
        self.pg(_SOURCE.format(s=self.name, rows=self.rows, step=self.step, kept=kept))
        client = self.ch()
        client.command(f"create database if not exists {self.database}")
        for table in _TABLES:
            self._fill(client, table)
        client.close()

    def _fill(self, client: Client, table: str) -> None:
        name = f"{self.database}.{table}"
        client.command(f"drop table if exists {name} sync")
        client.command(
            f"create table {name} ({_TABLES[table]}) engine = {self.shape.engine} "
            f"partition by toYYYYMM(created_at) order by {_KEYS[table]}{self.shape.settings}"
        )
        old = _OLD[table].format(at=_AT.format(step=self.step), version=_VERSION)
        some = " where g % 3 <> 1" if self.mode == "append" else ""
        client.command(
            f"insert into {name} select {old} from (select toInt64(number + 1) as g "
            f"from numbers({self.rows})){some}"
        )

    def live(self) -> Rows:
        """What readers see, row by row, sorted by key."""
        client = self.ch()
        found = {}
        for table, columns in _SEEN.items():
            sql = f"select {columns} from {self.database}.{table} {self.shape.final} order by all"
            found[table] = [tuple(row) for row in client.query(sql).result_rows]
        client.close()
        return found

    def wanted(self, before: Rows) -> Rows:
        """What readers must see afterwards, given what they saw before."""
        return {table: sorted(self._wanted(table, before[table])) for table in _TABLES}

    def _wanted(self, table: str, before: Sequence[Row]) -> list[Row]:
        inside = f"x.created_at >= '{RANGE[0]}Z' and x.created_at < '{RANGE[1]}Z'"
        outside = [row for row in before if not _inside(row)]
        if self.mode == "delete":
            return outside
        fresh = self.pg(_WANTED[table].format(s=self.name, inside=inside))
        if self.mode == "append":
            return [*before, *fresh] if not self.shape.final else _merged(before, fresh)
        return [*outside, *fresh]

    def drop(self) -> None:
        """Take it all away again."""
        self.pg(f"drop schema if exists {self.name} cascade")
        client = self.ch()
        for database in (f"{self.name}_{d}_acme_voice" for d in ("cards", "plain")):
            client.command(f"drop database if exists {database}")
        client.command(f"drop database if exists {self.name}_staging")
        client.close()


def _at(row: Row) -> int:
    """The row's time: the last but one of what is seen of it."""
    return int(row[-2])


def _micros(day: str) -> int:
    from datetime import UTC, datetime

    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000


_FROM, _TO = (_micros(day) for day in RANGE)


def _inside(row: Row) -> bool:
    return _FROM <= _at(row) < _TO


def _merged(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """What FINAL makes of both: the highest version of each key, the later one where equal."""
    best: dict[int, Row] = {}
    for row in (*old, *new):
        if row[0] not in best or row[-1] >= best[row[0]][-1]:
            best[row[0]] = row
    return list(best.values())


def differences(found: Rows, wanted: Rows) -> dict[str, int]:
    """`lost`, `doubled`, `other` rows, over both tables."""
    told = {"lost": 0, "doubled": 0, "other": 0}
    for table, rows in wanted.items():
        have, want = _counted(found[table]), _counted(rows)
        keys = {row[0] for row in want}
        for row, count in want.items():
            told["lost"] += max(0, count - have.get(row, 0))
        for row, count in have.items():
            more = count - want.get(row, 0)
            told["doubled" if row in want or row[0] in keys else "other"] += max(0, more)
    return told


def _counted(rows: Sequence[Row]) -> dict[Row, int]:
    counted: dict[Row, int] = {}
    for row in rows:
        counted[row] = counted.get(row, 0) + 1
    return counted


State = tuple[int, int]
"""Rows, and the sum of their CRC32: what a reader's loop asks for, and Python can say too."""

Bucket = tuple[str, int, int]
"""A table and a stretch of time in microseconds."""


def state_of(rows: Sequence[Row], bucket: Bucket) -> State:
    """What a reader would see of the bucket, were these the rows."""
    inside = [row for row in rows if bucket[1] <= _at(row) < bucket[2]]
    return len(inside), sum(zlib.crc32("|".join(map(str, row)).encode()) for row in inside)


def look_sql(shop: Shop, buckets: Sequence[Bucket]) -> str:
    """One statement per look: a row `number, rows, sum` for each bucket."""
    looks = []
    for number, (table, start, end) in enumerate(buckets):
        text = f"concatWithSeparator('|', {', '.join(map(_text, _SEEN[table].split(', ')))})"
        at = "toUnixTimestamp64Micro(created_at)"
        looks.append(
            f"select {number} as n, count() as rows, sum(CRC32({text})) as crc "
            f"from {shop.database}.{table} {shop.shape.final} "
            f"where {at} >= {start} and {at} < {end}"
        )
    return f"select * from ({' union all '.join(looks)}) order by n"


def _text(column: str) -> str:
    return f"toString({column})"


def allowed_states(
    bucket: Bucket, old: Rows, new: Rows, *, swap: bool, shape: Shape
) -> set[State] | None:
    """Old and new; at an edge that is rewritten in place also old with the new on top. None
    where nothing is promised."""
    table = bucket[0]
    states = [old[table], new[table]]
    if not swap:
        if not shape.exact_edges:
            return None
        states.append(_merged(old[table], new[table]))
    return {state_of(rows, bucket) for rows in states}
