"""The tables that the source tests read, and shorthands for reading them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import (
    Dataset,
    Exclusion,
    ParentLink,
    Slice,
    TableSpec,
    TenantColumns,
)
from windlass.domain.schema import ColumnPair, SourceColumn, TargetColumn
from windlass.domain.tenant import Tenant
from windlass.source.postgres import PostgresSource
from windlass.verify.pairs import match

SECRET = "s3cr3t %/x@y"
"""A reader's password."""

TENANT = Tenant("test", "acme", "voice", "acme_voice")

APPEAL = Exclusion("appeal_requests", "t.scorecard_type = 'appeal_request'")
DRAFT = Exclusion("drafts", "t.draft")

CARD = TableSpec(
    name="scorecard",
    relation="app.scorecards",
    time="created_at",
    key=("scorecard_id",),
    version="updated_at",
    tenant=TenantColumns("customer_id", "profile_id"),
    exclusions=(APPEAL, DRAFT),
)
SCORE = TableSpec(
    name="score",
    relation="app.scores",
    time="created_at",
    key=("score_id",),
    version="updated_at",
    parent=ParentLink("scorecard", (("scorecard_id", "scorecard_id"),)),
)
NOTE = TableSpec(
    name="note",
    relation="app.notes",
    time="parent.created_at",
    key=("note_id",),
    parent=ParentLink("score", (("score_id", "score_id"),)),
    exclusions=(Exclusion("secret", "t.body LIKE '%secret%'"),),
)

SCHEMA = """
CREATE SCHEMA app;
CREATE TABLE app.scorecards (
    scorecard_id int PRIMARY KEY, customer_id text, profile_id text, scorecard_type text,
    draft bool, points numeric(10,2), created_at timestamptz, updated_at timestamptz NOT NULL);
CREATE TABLE app.scores (
    score_id bigint PRIMARY KEY, scorecard_id int, label text,
    created_at timestamptz, updated_at timestamptz NOT NULL);
CREATE TABLE app.notes (note_id uuid PRIMARY KEY, score_id bigint, body text);
"""

# acme/voice in January: 1 kept, 2 appeal, 3 draft, 4 both, 5 unknown type and draft (kept);
# 6 is February's, 7 globex's, 8 has no time, 9 is acme/chat's, 10 lies on the end of January.
CARDS = """
INSERT INTO app.scorecards VALUES
 (1, 'acme', 'voice', 'standard', false, 1.50, '2026-01-01 00:00Z', '2026-01-05Z'),
 (2, 'acme', 'voice', 'appeal_request', false, 2, '2026-01-02 10:00Z', '2026-01-06Z'),
 (3, 'acme', 'voice', 'standard', true, 3, '2026-01-02 11:00Z', '2026-01-07Z'),
 (4, 'acme', 'voice', 'appeal_request', true, 4, '2026-01-03 11:00Z', '2026-01-08Z'),
 (5, 'acme', 'voice', NULL, NULL, NULL, '2026-01-31 23:59:59.999999Z', '2026-02-09Z'),
 (6, 'acme', 'voice', 'standard', false, 6, '2026-02-03Z', '2026-02-03Z'),
 (7, 'globex', 'voice', 'standard', false, 7, '2026-01-03Z', '2026-01-03Z'),
 (8, 'acme', 'voice', 'standard', false, 8, NULL, '2026-01-03Z'),
 (9, 'acme', 'chat', 'standard', false, 9, '2026-01-03Z', '2026-01-03Z'),
 (10, 'acme', 'voice', 'standard', false, 10, '2026-02-01Z', '2026-02-01Z');
INSERT INTO app.scores
 SELECT s.scorecard_id * 10 + n, s.scorecard_id, 'label ' || n, s.created_at, s.updated_at
 FROM app.scorecards s, generate_series(0, 2) n;
INSERT INTO app.scores VALUES (999, 777, 'orphan', '2026-01-03Z', '2026-01-03Z');
INSERT INTO app.notes
 SELECT md5(score_id::text)::uuid, score_id, CASE WHEN score_id = 10 THEN 'a secret' ELSE 'open' END
 FROM app.scores;
"""


def dataset(*tables: TableSpec, **fields: Any) -> Dataset:
    """A dataset of these tables, or the usual three."""
    return Dataset("scorecards", tables or (CARD, SCORE, NOTE), **fields)


@dataclass(frozen=True)
class Db:
    """One test's database."""

    url: str

    def fill(self) -> None:
        """Make and fill the usual tables."""
        self.execute(SCHEMA + CARDS)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run statements as superuser; the last one's rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement))
            return cursor.fetchall() if cursor.description else []

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A session to play another client with."""
        return psycopg.connect(self.url)

    def reader(self, *grants: str) -> str:
        """The URL of a new role without rights but these (`{role}` in them is its name)."""
        role = f"reader_{self.name}"
        self.execute(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
        for grant in grants:
            self.execute(grant.replace("{role}", role))
        return make_conninfo(self.url, user=role, password=SECRET)

    @property
    def name(self) -> str:
        """The database's name."""
        return str(conninfo_to_dict(self.url)["dbname"])


_TARGET = {
    "integer": "Int32",
    "bigint": "Int64",
    "uuid": "UUID",
    "boolean": "Bool",
    "numeric(10,2)": "Decimal(10, 2)",
    "timestamp with time zone": "DateTime64(6, 'UTC')",
    "timestamp without time zone": "DateTime64(6, 'UTC')",
    "date": "Date32",
    "double precision": "Float64",
    "bytea": "String",
}


def pairs_of(columns: Iterable[SourceColumn]) -> tuple[ColumnPair, ...]:
    """The proven pairs into a nullable target with the natural types."""
    have = list(columns)
    target = [TargetColumn(c.name, f"Nullable({_TARGET.get(c.type, 'String')})") for c in have]
    matched = match(have, target)
    assert not matched.refusals
    return matched.pairs


def pairs_for(source: PostgresSource, piece: Slice) -> tuple[ColumnPair, ...]:
    """The pairs of a slice's table."""
    return pairs_of(source.columns(piece.table, piece.dataset))


def read(
    source: PostgresSource, piece: Slice, attempt: Attempt, snapshot: str | None = None
) -> pa.Table:
    """Everything that `read` streams."""
    with source.read(piece, pairs_for(source, piece), attempt, snapshot) as batches:
        return pa.Table.from_batches(list(batches))


def hashes(
    source: PostgresSource, piece: Slice, pairs: Sequence[ColumnPair], attempt: Attempt
) -> pa.Table:
    """Keys, hash and credited exclusion of all rows of the slice."""
    with source.stream_by_hash(piece, pairs, attempt, None) as batches:
        return pa.Table.from_batches(batches)


def ids(table: pa.Table, column: str) -> list[Any]:
    """A column's values, sorted."""
    return sorted(table.column(column).to_pylist())


def keys(**columns: list[str]) -> pa.Table:
    """Keys as canonical text."""
    return pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()})
