"""The typed stages of one publish group. The engine runs them, the CLI explains them."""

from collections.abc import Iterator
from dataclasses import dataclass

from windlass.domain.plan import GroupPlan, TenantPlan, WindowPlan
from windlass.domain.states import Mode, Path


@dataclass(frozen=True)
class TakeSnapshot:
    """Open the one source snapshot that every reader of the group imports."""


@dataclass(frozen=True)
class LoadWindow:
    """Stream one window into its own staging, count it and compare fingerprints."""

    window: WindowPlan


@dataclass(frozen=True)
class GuardRemoval:
    """Count what is live, and hold what would go against the exclusions that explain it."""


@dataclass(frozen=True)
class Publish:
    """Make the group visible, table by table."""


@dataclass(frozen=True)
class Settle:
    """Catch up with rows changed meanwhile, compare live with staging and source, drop the
    staging of every attempt, record."""


Stage = TakeSnapshot | LoadWindow | GuardRemoval | Publish | Settle


def stages(group: GroupPlan, mode: Mode) -> tuple[Stage, ...]:
    """All stages of a group's life, in order; loads share the snapshot and may overlap."""
    snapshot = () if mode is Mode.DELETE else (TakeSnapshot(),)
    loads = tuple(LoadWindow(window) for window in group.windows)
    return (*snapshot, *loads, GuardRemoval(), Publish(), Settle())


def explain(tenant: TenantPlan, group: GroupPlan, mode: Mode) -> Iterator[str]:
    """One line per stage, in an operator's words."""
    for stage in stages(group, mode):
        yield _line(stage, tenant, group)


def _line(stage: Stage, tenant: TenantPlan, group: GroupPlan) -> str:
    match stage:
        case TakeSnapshot():
            return "snapshot: one repeatable read for all tables of the group"
        case LoadWindow(window):
            return f"load: [{window.interval.start} .. {window.interval.end}), {window.rows:,} rows"
        case GuardRemoval():
            return "guard: rows that would go are held against the exclusions"
        case Publish():
            return "publish: " + "; ".join(_table_line(tenant, group))
        case Settle():
            return "settle: catch up, compare live with staging and source, sweep, record"


def _table_line(tenant: TenantPlan, group: GroupPlan) -> Iterator[str]:
    for table in group.tables:
        edge = tenant.table(table.table).edge_path
        covered = sum((one.duration for one in table.whole), start=group.interval.duration * 0)
        mixed = table.path is Path.SWAP and covered < group.interval.duration
        yield f"{table.table} by {table.path}" + (f", edges {edge}" if mixed else "")
