"""What the two databases say about their tables and columns."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class SourceColumn:
    """A column of a source relation; `type` is format_type's, such as `numeric(10,2)`."""

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True)
class TargetColumn:
    """A ClickHouse column; `default_kind` is '', DEFAULT, MATERIALIZED, ALIAS or EPHEMERAL."""

    name: str
    type: str
    default_kind: str = ""
    default_expression: str = ""


class Removal(StrEnum):
    """How single rows can leave a live table, the strongest first."""

    PATCH = "patch delete"
    TOMBSTONE = "tombstones"
    LIGHTWEIGHT = "lightweight delete"


@dataclass(frozen=True)
class TargetTable:
    """A live table as its server describes it.

    `engine` is the bare name (`ReplacingMergeTree`); `version` and `is_deleted` are the engine's
    arguments, where it has them; `partition_key` and `sorting_key` are the server's expressions
    ('' for none); `create_hash` changes with the DDL; `dependents` are materialized views that
    read the table; `removal` is the strongest way in which rows can be taken out one by one.
    """

    database: str
    name: str
    engine: str
    partition_key: str
    sorting_key: str
    columns: tuple[TargetColumn, ...]
    version: str | None = None
    is_deleted: str | None = None
    create_hash: str = ""
    dependents: tuple[str, ...] = ()
    removal: Removal = Removal.LIGHTWEIGHT
    projections: tuple[str, ...] = ()
    refusal: str = ""
    shards: "Shards | None" = None

    @property
    def replacing(self) -> bool:
        """Whether the engine keeps one row per sorting key (read with FINAL)."""
        return self.engine.endswith("ReplacingMergeTree")

    @property
    def final(self) -> str:
        """`FINAL` where counts are logical only with it, else ''."""
        return "FINAL" if self.replacing else ""

    def column(self, name: str) -> TargetColumn | None:
        """The column of that name, if there."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Shard:
    """One shard: its number and weight in the cluster, the host that all attempts use (the first
    of its replicas), and the local table there."""

    number: int
    weight: int
    host: str
    table: TargetTable


@dataclass(frozen=True)
class Shards:
    """What a Distributed table stands in front of. `key` is its sharding key ('' for none);
    `steady` says whether the key alone decides where a row belongs (`rand()` does not); `zone` is
    the time zone that the server evaluates it in; `dependents` are materialized views that read
    the Distributed table itself."""

    cluster: str
    key: str
    steady: bool
    zone: str
    members: tuple[Shard, ...]
    dependents: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnPair:
    """How one column travels from source to target, and how its value is written canonically.

    Templates hold `{c}` where the (quoted) column reference goes. `read` is what PostgreSQL
    selects (`{c}`, or `({c})::text` where the driver is not proven). `source_text`,
    `target_text` and `arrow_text` give the same text for the same value on PostgreSQL, on the
    ClickHouse column, and on the Arrow column as ClickHouse's engine reads it; all three give
    the text `N` for NULL. `target_value` and `arrow_value` are arguments of a hash that tell the
    same values apart, cheaper where a value need not become a text. `hazard` is a PostgreSQL
    condition, true for a value that the target cannot hold exactly ('' when there is none);
    `hazard_reason` explains it to an operator.
    """

    name: str
    source_type: str
    target_type: str
    read: str
    source_text: str
    target_text: str
    arrow_text: str
    hazard: str = ""
    hazard_reason: str = ""
    target_value: str = ""
    arrow_value: str = ""
