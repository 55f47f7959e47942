"""The data that the suite makes: a table like `app.scores`, by SQL that makes rows from numbers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 59
"""January and February: two partitions of the target."""

COLUMNS = (
    "score_id, scorecard_id, customer_id, criterion_id, kind, numeric_value, weight, confidence, "
    "ai_scored, created_at, updated_at"
)

_SOURCE = """
create schema if not exists bench;
drop table if exists bench.{name};
create table bench.{name} (
  score_id uuid not null, scorecard_id uuid not null, customer_id text not null,
  criterion_id text not null, kind text not null, numeric_value double precision,
  weight double precision not null, confidence double precision not null,
  ai_scored boolean not null, created_at timestamptz not null, updated_at timestamptz not null);
insert into bench.{name}
select md5('score' || g)::uuid, md5('card' || g / 9)::uuid, {customer}, 'criterion-' || g % 23,
  (array['yes_no', 'scale', 'text', 'number'])[1 + g % 4],
  case when g % 11 = 0 then null else (g % 7919) / 10.0 end, 1 + (g % 5) / 4.0,
  (g % 10007) / 10007.0, g % 3 = 0, timestamptz '{start}' + {seconds} * interval '1 second' *
  (g::float8 / {rows}), timestamptz '2026-03-01 00:00+00' + g * interval '1 millisecond'
from generate_series(0, {rows} - 1) g;
vacuum (freeze, analyze) bench.{name};
alter table bench.{name} add primary key (score_id);
create index on bench.{name} (customer_id, created_at);
create index on bench.{name} (updated_at)
"""

_TARGET = """
create table {table} (
  score_id UUID, scorecard_id UUID, customer_id LowCardinality(String),
  criterion_id LowCardinality(String), kind LowCardinality(String),
  numeric_value Nullable(Float64), weight Float64, confidence Float64, ai_scored Bool,
  created_at DateTime64(6, 'UTC'), updated_at DateTime64(6, 'UTC'))
engine = {engine} partition by {partition} order by score_id
settings enable_block_number_column = 1, enable_block_offset_column = 1
"""


@dataclass(frozen=True)
class Table:
    """`bench.<name>` in PostgreSQL, `<name>_acme.score` in ClickHouse, and the dataset `<name>`.

    Its rows lie evenly over `days` (from `START`) or, with `filled`, over the first `filled` of
    them, with nothing in the rest. With more `tenants` than one the rows are shared out evenly, and
    each has a database of its own.
    """

    name: str
    rows: int
    days: int = DAYS
    filled: timedelta | None = None
    partition: str = "toYYYYMM(created_at)"
    tenants: int = 1

    @property
    def customers(self) -> list[str]:
        """The tenants by name."""
        return ["acme"] if self.tenants == 1 else [f"t{n}" for n in range(self.tenants)]

    @property
    def databases(self) -> list[str]:
        """The tenants' ClickHouse databases."""
        return [f"{self.name}_{customer}" for customer in self.customers]

    @property
    def relation(self) -> str:
        """The source table."""
        return f"bench.{self.name}"

    @property
    def database(self) -> str:
        """The first tenant's ClickHouse database."""
        return self.databases[0]

    @property
    def live(self) -> str:
        """The table that readers read."""
        return f"{self.database}.score"

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The whole range, half open."""
        return START, START + timedelta(days=self.days)

    def source_sql(self) -> list[str]:
        """Statements that make and index the source table."""
        seconds = (self.filled or timedelta(days=self.days)).total_seconds()
        customer = "'acme'" if self.tenants == 1 else f"'t' || g % {self.tenants}"
        facts = {
            "name": self.name,
            "rows": self.rows,
            "seconds": seconds,
            "start": START,
            "customer": customer,
        }
        return [text for text in _SOURCE.format(**facts).split(";") if text.strip()]

    def target_sql(self, table: str = "", engine: str = "ReplacingMergeTree(updated_at)") -> str:
        """The statement that makes the target table, or another one like it."""
        return _TARGET.format(table=table or self.live, engine=engine, partition=self.partition)

    def select(self, share: float = 1.0) -> str:
        """All rows, or those of the first part of the range."""
        return f"select {COLUMNS} from {self.relation} where {self.condition(share)}"

    def condition(self, share: float) -> str:
        """What is true of the rows of that part; of all rows `true`, which costs nothing."""
        until = START + share * (self.span[1] - START)
        return "true" if share >= 1 else f"created_at < '{until.isoformat()}'"

    def dataset(self) -> dict[str, object]:
        """The dataset's entry in the fleet file."""
        score = {
            "from": self.relation,
            "tenant": {"customer": "customer_id"},
            "time": "created_at",
            "key": ["score_id"],
            "version": "updated_at",
        }
        tenants = {"list": self.customers}
        database = f"{self.name}_{{customer}}"
        return {"tenants": tenants, "database": database, "tables": {"score": score}}
