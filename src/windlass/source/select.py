"""The SELECTs: a table's rows with their ancestors, tenant, exclusions and time.

In every scope `t` is the row itself and `parent` what it takes from its parent:

    FROM app.scores AS t
    JOIN (SELECT t."scorecard_id" AS "on_0", <credit> AS "excluded", … FROM app.scorecards AS t
          WHERE <tenant>) AS parent ON t."scorecard_id" = parent."on_0"

A parent found twice must not double its children. Where the linked columns hold the parent's key
it cannot be; otherwise one parent is picked: a kept one before an excluded one, then the earliest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.domain.dataset import Dataset, ParentLink, Slice, TableSpec
from windlass.domain.schema import ColumnPair
from windlass.domain.tenant import Tenant
from windlass.source.quote import ident, literal
from windlass.source.relation import predicate_sql, relation_sql

_AT = 'parent."at"'


@dataclass(frozen=True)
class Scope:
    """The rows of a table as SQL: what follows FROM, and expressions that are valid there.

    `tenant` says whether the row is the tenant's, `excluded` is the credited exclusion's name or
    NULL, `kept` whether no exclusion holds.
    """

    source: str
    tenant: str
    excluded: str
    kept: str


def ref(table: TableSpec, column: str) -> str:
    """The column as SQL; the time that comes from the parent is found there."""
    if table.time_from_parent and column == table.target_time:
        return _AT
    return f"t.{ident(column)}"


def fill(template: str, table: TableSpec, column: str) -> str:
    """A pair's template with the column in place of `{c}`; other braces stay."""
    return template.replace("{c}", ref(table, column))


def of_tenant(dataset: Dataset, table: TableSpec, tenant: Tenant) -> Scope:
    """The tenant's rows, excluded ones too: for counting and crediting."""
    return _Builder(dataset, tenant, any_tenant=False, kept_only=False).scope(table)


def kept_rows(dataset: Dataset, table: TableSpec, tenant: Tenant) -> Scope:
    """The tenant's kept rows only: the ancestors' exclusions filter where indexes can help."""
    return _Builder(dataset, tenant, any_tenant=False, kept_only=True).scope(table)


def of_anyone(dataset: Dataset, table: TableSpec, tenant: Tenant) -> Scope:
    """All rows, orphans too; `tenant` tells which are the tenant's: for a few keys only."""
    return _Builder(dataset, tenant, any_tenant=True, kept_only=False).scope(table)


@dataclass(frozen=True)
class _Builder:
    dataset: Dataset
    tenant: Tenant
    any_tenant: bool
    kept_only: bool

    def scope(self, table: TableSpec) -> Scope:
        relation = f"{relation_sql(table.relation)} AS t"
        kept = " AND ".join(f"{predicate_sql(e)} IS NOT TRUE" for e in table.exclusions)
        if table.parent is None:
            return Scope(relation, self._owner(table), credit(table), kept or "TRUE")
        return Scope(
            source=f"{relation}{self._join(table, table.parent)}",
            tenant='coalesce(parent."inside", FALSE)' if self.any_tenant else "TRUE",
            excluded=credit(table) if self.kept_only else credit(table, 'parent."excluded"'),
            kept=kept or "TRUE",
        )

    def _owner(self, table: TableSpec) -> str:
        """An untyped literal takes the column's type, so that its index serves."""
        assert table.tenant is not None
        parts = [f"t.{ident(table.tenant.customer)} = {literal(self.tenant.customer)}"]
        if table.tenant.profile is not None:
            parts.append(f"t.{ident(table.tenant.profile)} = {literal(self.tenant.profile)}")
        return " AND ".join(parts)

    def _join(self, table: TableSpec, link: ParentLink) -> str:
        parent = self.dataset.table(link.table)
        expose = table.target_time if table.time_from_parent else None
        if self._unique(parent, link):
            on = " AND ".join(_equals(n, child) for n, (child, _) in enumerate(link.on))
            how = "LEFT JOIN" if self.any_tenant else "JOIN"
            return f"\n{how} ({self._parents(parent, link, expose)}) AS parent ON {on}"
        return self._one_of(parent, link, expose)

    def _one_of(self, parent: TableSpec, link: ParentLink, expose: str | None) -> str:
        """One parent for each row: looked up row by row where rows are few, else picked first."""
        width = len(link.on)
        if not self.any_tenant:
            inner = self._parents(parent, link, expose, distinct=True)
            on = " AND ".join(_equals(n, child) for n, (child, _) in enumerate(link.on))
            order = _order(width, expose, self.kept_only)
            return f"\nJOIN ({inner} ORDER BY {order}) AS parent ON {on}"
        columns = ", ".join(f't.{ident(c)} AS "c_{n}"' for n, (c, _) in enumerate(link.on))
        same = " AND ".join(f't.{ident(p)} = link."c_{n}"' for n, (_, p) in enumerate(link.on))
        inner = self._parents(parent, link, expose, also=same)
        first = f'{inner} ORDER BY "inside" DESC, {_order(0, expose, self.kept_only)} LIMIT 1'
        return (
            f"\nCROSS JOIN LATERAL (SELECT {columns}) AS link"
            f"\nLEFT JOIN LATERAL ({first}) AS parent ON TRUE"
        )

    def _unique(self, parent: TableSpec, link: ParentLink) -> bool:
        known = {column for _, column in link.on}
        if parent.tenant is not None and not self.any_tenant:
            known |= {parent.tenant.customer, parent.tenant.profile or parent.tenant.customer}
        return known >= set(parent.key)

    def _parents(
        self,
        parent: TableSpec,
        link: ParentLink,
        expose: str | None,
        *,
        distinct: bool = False,
        also: str = "",
    ) -> str:
        scope = self.scope(parent)
        where = [also] if also else []
        where += [] if self.any_tenant else [scope.tenant]
        where += [scope.kept] if self.kept_only else []
        width = ", ".join(str(n + 1) for n in range(len(link.on)))
        head = f"DISTINCT ON ({width}) " if distinct else ""
        items = ", ".join(self._items(parent, link, expose, scope))
        tail = f" WHERE {' AND '.join(where)}" if where else ""
        return f"SELECT {head}{items} FROM {scope.source}{tail}"

    def _items(
        self, parent: TableSpec, link: ParentLink, expose: str | None, scope: Scope
    ) -> list[str]:
        items = [f't.{ident(column)} AS "on_{n}"' for n, (_, column) in enumerate(link.on)]
        items += [] if self.kept_only else [f'{scope.excluded} AS "excluded"']
        items += [f'coalesce(({scope.tenant}), FALSE) AS "inside"'] if self.any_tenant else []
        items += [f'{ref(parent, expose)} AS "at"'] if expose else []
        return items


def _equals(n: int, child: str) -> str:
    return f't.{ident(child)} = parent."on_{n}"'


def _order(width: int, expose: str | None, kept_only: bool) -> str:
    parts = [str(n + 1) for n in range(width)]
    parts += [] if kept_only else ['"excluded" NULLS FIRST']
    parts += ['"at"'] if expose else []
    return ", ".join(parts)


def credit(table: TableSpec, inherited: str = "") -> str:
    """The name of the exclusion that keeps the row out: the ancestors' first, then the first in
    config order; NULL for a kept row."""
    whens = " ".join(
        f"WHEN {predicate_sql(e)} IS TRUE THEN {literal(e.name)}" for e in table.exclusions
    )
    own = f"CASE {whens} END" if whens else "NULL"
    return f"coalesce({inherited}, {own})::text" if inherited else f"({own})::text"


def select_kept(piece: Slice, pairs: Sequence[ColumnPair], within: str, also: str = "TRUE") -> str:
    """The kept rows of the slice, columns named and ordered as `pairs`; `within` is the
    condition on time, `also` a further one."""
    table = piece.table
    scope = kept_rows(piece.dataset, table, piece.tenant)
    items = ", ".join(f"{fill(p.read, table, p.name)} AS {ident(p.name)}" for p in pairs)
    where = f"({scope.tenant}) AND ({within}) AND ({scope.kept}) AND ({also})"
    return f"SELECT {items} FROM {scope.source}\nWHERE {where}"
