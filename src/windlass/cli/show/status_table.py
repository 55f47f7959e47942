"""How a campaign stands, for a person."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from windlass.cli.show.common import (
    Column,
    clock,
    count,
    duration,
    half_open,
    styled,
    table,
)
from windlass.cli.show.status import Wanted, everybody
from windlass.domain.record import CampaignRecord, ClusterView, StatusView, TenantView, WindowView
from windlass.domain.states import Health, State, Verdict
from windlass.report.coverage import coverage, gaps

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

STYLES = {
    State.RUNNING: "cyan",
    State.PARTIAL: "cyan",
    State.DONE: "green",
    State.PARKED: "red",
    State.UNKNOWN: "red",
    State.CANCELLED: "yellow",
    State.CANCELLING: "yellow",
    State.PAUSED: "yellow",
    State.PAUSING: "yellow",
}
HEALTH = {Health.HEALTHY: "", Health.SLOW: "yellow", Health.STRUGGLING: "red"}
VERDICTS = {Verdict.VERIFIED: "green", Verdict.MISMATCH: "red", Verdict.UNVERIFIED: "yellow"}


def state_text(state: State, done: int = 0, total: int = 0) -> "Text":
    """The state in its colour; `partial` with how much of it."""
    from rich.text import Text

    share = f" {done}/{total}" if state is State.PARTIAL and total else ""
    return Text(f"{state}{share}".replace("_", " "), style=STYLES.get(state, ""))


def verdict_text(verdict: Verdict | str | None) -> "Text":
    """The verdict in its colour; `-` before there is one."""
    from rich.text import Text

    if not verdict:
        return Text("-")
    return Text(str(verdict), style=VERDICTS.get(Verdict(verdict), ""))


def status_parts(
    view: StatusView,
    *,
    tenants: bool = True,
    windows: bool = False,
    wanted: Wanted = everybody,
) -> Iterator["RenderableType"]:
    """Head, clusters, tenants and windows, as asked for."""
    yield headline(view)
    yield styled(f"{view.mode} {view.dataset} {half_open(view.interval)}", "")
    if view.note:
        yield styled(view.note, "yellow")
    if view.supersedes:
        yield styled(f"supersedes {view.supersedes}", "")
    if view.superseded_by:
        yield styled(f"superseded by {view.superseded_by}", "yellow")
    yield styled(str(coverage(view)), "")
    for gap in gaps(view):
        yield styled(f"not everybody is accounted for: {gap}", "red")
    yield _cluster_table(view.clusters)
    shown = [t for t in view.tenants if wanted(t)]
    if tenants and shown:
        yield tenant_table(shown)
    if windows:
        yield _window_table([w for t in shown for w in t.windows])


def headline(view: StatusView) -> "Text":
    """One line that explains itself: state, rows, rate, time left, and what holds it back."""
    from rich.text import Text

    said = Text(f"{view.campaign}  ", style="bold")
    said.append_text(state_text(view.state, view.windows_done, view.windows_total))
    said.append(
        f"  {view.windows_done}/{view.windows_total} windows, {view.rows_loaded:,} of "
        f"{view.rows_planned:,} rows, {view.rows_per_second:,.0f} rows/s"
    )
    if not view.state.final:
        said.append(f", {eta(view.eta_seconds)}")
        said.append(f", limited by {view.limited_by or '-'}")
    elif view.verdict:
        said.append(", ").append_text(verdict_text(view.verdict))
    if view.undone_at:
        many = f"{view.windows_undone}/{view.windows_total} windows"
        said.append(f", then undone: {many}, {view.undone_at:%Y-%m-%d %H:%M}", style="yellow")
    return said


def eta(seconds: float | None) -> str:
    """`2 h 05 min left`, or that it is not known yet."""
    return "time left: computing…" if seconds is None else f"{duration(seconds)} left"


def _cluster_table(clusters: Iterable[ClusterView]) -> "RenderableType":
    columns = [
        Column("cluster"),
        Column("state"),
        Column("tenants done", number=True),
        Column("limited by"),
        Column("note"),
    ]
    rows = (
        (
            one.name,
            state_text(one.state),
            f"{one.tenants_done}/{one.tenants_total}",
            one.limited_by or "-",
            one.note,
        )
        for one in clusters
    )
    return table(columns, rows)


def tenant_table(tenants: Iterable[TenantView]) -> "RenderableType":
    """One line per tenant; notes beneath, where a narrow terminal cannot cut the commands that
    they name in two."""
    from rich.console import Group

    shown = list(tenants)
    columns = [
        Column("tenant"),
        Column("state"),
        Column("windows", number=True),
        Column("rows", number=True),
        Column("attempts", number=True),
        Column("health"),
    ]
    notes = (styled(f"{_tenant_name(one)}: {one.note}\n", "") for one in shown if one.note)
    return Group(table(columns, (_tenant_row(one) for one in shown)), *notes)


def _tenant_name(tenant: TenantView) -> str:
    return f"{tenant.cluster}/{tenant.customer}/{tenant.profile}"


def _tenant_row(tenant: TenantView) -> tuple[object, ...]:
    from rich.text import Text

    return (
        _tenant_name(tenant),
        state_text(tenant.state, tenant.windows_done, tenant.windows_total),
        f"{tenant.windows_done}/{tenant.windows_total}",
        count(tenant.rows_loaded),
        tenant.attempts,
        Text(str(tenant.health), style=HEALTH[tenant.health]),
    )


def _window_table(windows: Iterable[WindowView]) -> "RenderableType":
    columns = [
        Column("window"),
        Column("state"),
        Column("verdict"),
        Column("attempts", number=True),
        Column("rows", number=True),
        Column("took", number=True),
        Column("cut from"),
        Column("note"),
    ]
    return table(columns, (_window_row(one) for one in windows))


def _window_row(window: WindowView) -> tuple[object, ...]:
    return (
        window.id,
        state_text(window.state),
        verdict_text(window.verdict),
        window.attempts,
        count(window.rows),
        "-" if window.seconds is None else duration(window.seconds),
        window.parent or "-",
        "replaced by smaller windows" if window.replaced and not window.note else window.note,
    )


def campaign_table(records: Iterable[CampaignRecord]) -> "RenderableType":
    """Campaigns in short."""
    columns = [
        Column("campaign"),
        Column("state"),
        Column("range (UTC)"),
        Column("created"),
        Column("by"),
        Column("reason"),
    ]
    return table(columns, (_campaign_row(one) for one in records))


def _campaign_row(record: CampaignRecord) -> tuple[object, ...]:
    span = f"[{clock(record.interval.start)}, {clock(record.interval.end)})"
    return (
        record.name,
        state_text(record.state),
        span,
        clock(record.created_at.replace(microsecond=0)),
        record.who,
        record.reason,
    )


def rate_of(tenant: TenantView, now: datetime) -> float:
    """A running tenant's rows a second since it started; 0 before."""
    if tenant.started_at is None:
        return 0.0
    took = ((tenant.ended_at or now) - tenant.started_at).total_seconds()
    return tenant.rows_loaded / took if took > 0 else 0.0
