"""Datasets: the tables rebuilt together from one source snapshot, as the config defines them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval


@dataclass(frozen=True)
class Exclusion:
    """A named source filter. A row is kept when `(predicate) IS NOT TRUE`; alias `t` in it."""

    name: str
    predicate: str


@dataclass(frozen=True)
class ParentLink:
    """A child's way to its parent: the parent's table name and (child column, parent column)s."""

    table: str
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TenantColumns:
    """The source columns that hold customer and profile (`profile` None: one profile, '')."""

    customer: str
    profile: str | None = None


@dataclass(frozen=True)
class TableSpec:
    """One table of a dataset.

    `relation` is a (schema-qualified) table name or one SELECT; `time` is an own column, or
    `parent.<column>` when the target carries the parent's; `key` names a row in both worlds.
    Either `tenant` or `parent` is set. `exclusions` are in config order: the first is credited.
    """

    name: str
    relation: str
    time: str
    key: tuple[str, ...]
    version: str | None = None
    tenant: TenantColumns | None = None
    parent: ParentLink | None = None
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def time_from_parent(self) -> bool:
        """Whether the source takes the time from the parent row."""
        return self.time.startswith("parent.")

    @property
    def target_time(self) -> str:
        """The time column's name in the target."""
        return self.time.removeprefix("parent.")


@dataclass(frozen=True)
class Dataset:
    """Tables that are rebuilt together; parents stand before their children.

    Tenants come from `tenants_query` (first two columns) or from `tenants_list`.
    """

    name: str
    tables: tuple[TableSpec, ...]
    database: str = "{customer}_{profile}"
    tenants_query: str | None = None
    tenants_list: tuple[tuple[str, str], ...] = ()

    def table(self, name: str) -> TableSpec:
        """The table of that name; KeyError where there is none."""
        return {table.name: table for table in self.tables}[name]

    def parent_of(self, table: TableSpec) -> TableSpec | None:
        """The table that this one inherits tenant and exclusions from."""
        return self.table(table.parent.table) if table.parent else None

    def lineage(self, table: TableSpec) -> tuple[TableSpec, ...]:
        """The table's ancestors from the root down, the table itself last."""
        parent = self.parent_of(table)
        return (*self.lineage(parent), table) if parent else (table,)

    def exclusions_of(self, table: TableSpec) -> tuple[Exclusion, ...]:
        """All exclusions that keep rows out of this table, the ancestors' first."""
        return tuple(e for member in self.lineage(table) for e in member.exclusions)

    def root(self, table: TableSpec) -> TableSpec:
        """The ancestor that has the tenant columns."""
        return self.lineage(table)[0]

    def definition_hash(self) -> str:
        """16 hex digits that change with anything that changes what a rebuild yields."""
        return digest_of(asdict(self))


@dataclass(frozen=True)
class Slice:
    """The rows of one table that belong to one tenant and interval."""

    dataset: Dataset
    table: TableSpec
    tenant: Tenant
    interval: Interval


def digest_of(value: Any) -> str:  # noqa: ANN401 - any JSON-able value
    """16 hex digits of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
