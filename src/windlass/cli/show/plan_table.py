"""A plan for a person: what is there, what will go and why, in which windows, how it shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from windlass.cli.show.common import (
    Column,
    clock,
    count,
    duration,
    half_open,
    plural,
    styled,
    table,
)
from windlass.cli.show.plan import (
    alternative,
    estimate,
    kept_for,
    notes,
    path_words,
    paths_of,
    rows_to_load,
    stage_lines,
    standing,
    to_go,
    why_not,
    window_basis,
)
from windlass.cli.show.plan_order import order_lines
from windlass.cli.show.volume import per_day, volume_class
from windlass.domain.plan import HeldWindow, Plan, TablePlan, TenantPlan, WindowPlan
from windlass.domain.states import Mode
from windlass.domain.window import Interval
from windlass.planner import paths

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

NOT_ASKED = "not asked for"
SHOWN_WINDOWS = 12
"""Windows of a tenant that are listed; JSON has them all."""


def show_plan(
    out: "Console", plan: Plan, name: str, at_once: Mapping[str, int], *, stages: bool = False
) -> None:
    """Print the whole plan."""
    for part in _parts(plan, name, at_once):
        out.print(part)
    if stages:
        for tenant in plan.tenants:
            _print_stages(out, plan, tenant)


def _parts(plan: Plan, name: str, at_once: Mapping[str, int]) -> Iterator["RenderableType"]:
    request = plan.request
    clusters = ", ".join(c.cluster for c in plan.clusters)
    yield styled(f"Campaign {name}: {request.mode} {request.dataset.name} on {clusters}", "bold")
    yield styled(f"Range    {half_open(request.interval)}", "")
    if plan.tenants:
        yield _rows_table(plan)
        yield _work_table(plan)
        yield from order_lines(plan)
        yield from _windows(plan)
        yield from _publish_lines(plan)
        yield from _undo_lines(plan)
    yield from _held_lines(plan)
    yield from _note_lines(plan)
    yield from _left_out_lines(plan)
    yield from _failures(plan)
    yield from _idle_lines(plan)
    yield styled(f"World    {plan.world}: config, servers, tenants, columns and target DDL", "dim")
    yield _total(plan, at_once)


def _idle_lines(plan: Plan) -> Iterator["RenderableType"]:
    """Clusters that answered, and have nothing to do."""
    for cluster in plan.clusters:
        if not cluster.failure and not any(t.groups for t in cluster.tenants):
            found = f"{plural(len(cluster.tenants), 'tenant')} asked for"
            said = f"nothing to do  {cluster.cluster}: {found}, none with work in the range"
            yield styled(said, "dim")


def _rows_table(plan: Plan) -> "RenderableType":
    columns = [
        Column("tenant"),
        Column("table"),
        Column("live now", number=True),
        Column("to load", number=True),
        Column("to go", number=True),
        Column("why they go"),
    ]
    return table(columns, (row for t in plan.tenants for row in _tenant_rows(plan, t)))


def _tenant_rows(plan: Plan, tenant: TenantPlan) -> Iterator[tuple[object, ...]]:
    going = to_go(plan, tenant)
    shown = str(tenant.tenant)
    for name, rows in tenant.rows.items():
        load = 0 if plan.request.mode is Mode.DELETE or not tenant.groups else rows
        why = _why(plan, tenant, name, going.get(name, 0))
        yield shown, name, count(tenant.before.get(name)), count(load), count(going.get(name)), why
        shown = ""


def _why(plan: Plan, tenant: TenantPlan, name: str, going: int) -> object:
    """Exclusions by name with the rows that they keep out of the source, and the rest."""
    from rich.text import Text

    if not going:
        return ""
    if plan.request.mode is Mode.DELETE:
        return "mode delete: the range is cleared"
    named = [(e, rows[name]) for e, rows in tenant.excluded.items() if rows.get(name)]
    said = Text(", ".join(f"{rows:,} excluded by {exclusion}" for exclusion, rows in named))
    rest = going - sum(rows for _, rows in named)
    if rest > 0:
        style = "red" if rest > tenant.before[name] * plan.request.guard.max_unexplained else ""
        said.append(f"{'; ' if named else ''}{rest:,} that no exclusion explains", style)
    return said


def _work_table(plan: Plan) -> "RenderableType":
    columns = [
        Column("tenant"),
        Column("rows a day", number=True),
        Column("volume"),
        Column("windows", number=True),
        Column("groups", number=True),
        Column("estimate", number=True),
        Column("on what evidence"),
        Column("why windows of that size"),
    ]
    return table(columns, (_work_row(plan, tenant) for tenant in plan.tenants))


def _work_row(plan: Plan, tenant: TenantPlan) -> tuple[object, ...]:
    daily = per_day(sum(tenant.rows.values()), plan.request.interval)
    head = (str(tenant.tenant), count(daily), volume_class(daily))
    if not tenant.groups:
        said = {"held": "verified already", "nothing_to_do": "nothing to do"}[standing(tenant)]
        return *head, 0, 0, "-", "-", said
    return (
        *head,
        len(tenant.windows),
        len(tenant.groups),
        duration(tenant.estimate_seconds),
        tenant.estimate_basis,
        window_basis(plan, tenant),
    )


def _windows(plan: Plan) -> Iterator["RenderableType"]:
    columns = [
        Column("tenant"),
        Column("window from"),
        Column("to"),
        Column("rows", number=True),
        Column("expected", number=True),
    ]
    rows = [row for t in plan.tenants for row in _window_rows(t)]
    if rows:
        yield table(columns, rows)


def _window_rows(tenant: TenantPlan) -> Iterator[tuple[object, ...]]:
    shown = str(tenant.tenant)
    for window in tenant.windows[:SHOWN_WINDOWS]:
        span = window.interval
        yield shown, clock(span.start), clock(span.end), count(window.rows), _expected(window)
        shown = ""
    more = len(tenant.windows) - SHOWN_WINDOWS
    if more > 0:
        yield "", f"… {more:,} more (-o json has them all)", "", "", ""


def _expected(window: WindowPlan) -> str:
    """`40 s (31 s to 52 s)`: how long it should take, and the band."""
    band = window.expected
    if band is None:
        return "no history"
    low, high = (max(1.0, seconds) for seconds in (band.low, band.high))
    return f"{duration(max(1.0, band.seconds))} ({duration(low)} to {duration(high)})"


def _publish_lines(plan: Plan) -> Iterator["RenderableType"]:
    """Path and promise, once for all tables and tenants that share them."""
    about: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for tenant in plan.tenants:
        for planned in tenant.tables if tenant.groups else ():
            words = _publish_words(tenant, planned)
            about.setdefault(words, []).append((planned.table, str(tenant.tenant)))
    if about:
        yield styled("How it becomes visible", "bold")
    for (path, promise, why), places in about.items():
        names = ", ".join(dict.fromkeys(name for name, _ in places))
        tenants = len({who for _, who in places})
        of = f" of {plural(tenants, 'tenant')}" if len(plan.tenants) > 1 else ""
        yield styled(f"  {names}{of} by {path}\n    {promise}\n    because {why}", "")


def _undo_lines(plan: Plan) -> Iterator["RenderableType"]:
    """How much of it could be put back afterwards, and why the rest could not."""
    groups = [(tenant, group) for tenant in plan.tenants for group in tenant.groups]
    reasons = [why_not(tenant, group) for tenant, group in groups]
    if not groups:
        return
    can = sum(not why for why in reasons)
    yield styled(
        f"Undo     {can} of {plural(len(groups), 'publish group')} could be undone", "bold"
    )
    kept = sorted({kept_for(tenant) for tenant, _ in groups} - {""})
    if can:
        yield styled(
            f"  what they replace is kept for {' or '.join(kept)}: hard links, no room at first, "
            "at most its own size once live holds other parts",
            "",
        )
    for why in dict.fromkeys(filter(None, reasons)):
        yield styled(f"  {plural(reasons.count(why), 'group')} not: {why}", "")


def _publish_words(tenant: TenantPlan, planned: TablePlan) -> tuple[str, str, str]:
    used = paths_of(tenant, planned.table)
    promises = "\n    ".join(f"{path}: {paths.promise(path, planned.removal)}" for path in used)
    instead = alternative(tenant, planned)
    more = f"\n    to promise more: {instead}" if instead else ""
    return path_words(used), promises + more, planned.why


def _held_lines(plan: Plan) -> Iterator["RenderableType"]:
    for tenant in plan.tenants:
        for held, windows in _runs_of(tenant.held):
            word = "not done again" if held.holds else "done again"
            many = f"{plural(windows, 'window')} " if windows > 1 else ""
            yield styled(
                f"{word}  {tenant.tenant} {many}{half_open(held.interval)}, verified by "
                f"{held.campaign}: {held.reason}",
                "green" if held.holds else "yellow",
            )


def _runs_of(held: Sequence[HeldWindow]) -> list[tuple[HeldWindow, int]]:
    """Neighbours of one campaign and one reason as one, with how many windows it stands for."""
    runs: list[tuple[HeldWindow, int]] = []
    for one in sorted(held, key=lambda h: (h.campaign, h.interval)):
        last, windows = runs[-1] if runs else (None, 0)
        if last and _adjoin(last, one):
            joined = replace(last, interval=Interval(last.interval.start, one.interval.end))
            runs[-1] = (joined, windows + 1)
        else:
            runs.append((one, 1))
    return runs


def _adjoin(left: HeldWindow, right: HeldWindow) -> bool:
    same = (left.campaign, left.holds, left.reason) == (right.campaign, right.holds, right.reason)
    return same and left.interval.end == right.interval.start


def _note_lines(plan: Plan) -> Iterator["RenderableType"]:
    """Notes once each, with the tenants that they are about."""
    about: dict[str, list[str]] = {}
    for tenant in plan.tenants:
        for note in notes(tenant):
            about.setdefault(note, []).append(str(tenant.tenant))
    for note, tenants in about.items():
        of = tenants[0] if len(tenants) == 1 else plural(len(tenants), "tenant")
        yield styled(f"note  {of}: {note}", "")


def _left_out_lines(plan: Plan) -> Iterator["RenderableType"]:
    """Tenants found and left out, by reason; those nobody asked for only counted."""
    for cluster in plan.clusters:
        unasked = sum(one.reason == NOT_ASKED for one in cluster.skipped)
        for one in cluster.skipped:
            if one.reason != NOT_ASKED:
                who = f"{one.cluster}/{one.customer}/{one.profile}"
                yield styled(f"left out  {who}: {one.reason}", "")
        if unasked:
            more = plural(unasked, "more tenant")
            yield styled(f"left out  {more} of {cluster.cluster}: {NOT_ASKED}", "dim")


def _failures(plan: Plan) -> Iterator["RenderableType"]:
    for cluster in plan.clusters:
        if cluster.failure:
            yield styled(f"unknown  {cluster.cluster} could not be asked: {cluster.failure}", "red")


def _total(plan: Plan, at_once: Mapping[str, int]) -> "RenderableType":
    todo = sum(bool(tenant.groups) for tenant in plan.tenants)
    seconds = estimate(plan, at_once)
    took = f", about {duration(seconds)}" if seconds else ""
    verb, rows = "load", rows_to_load(plan)
    if plan.request.mode is Mode.DELETE:
        verb, rows = "clear", sum(sum(to_go(plan, tenant).values()) for tenant in plan.tenants)
    return styled(
        f"Total    {verb} {rows:,} rows in {plural(plan.total_windows, 'window')} of "
        f"{plural(todo, 'tenant')}{took}",
        "bold",
    )


def _print_stages(out: "Console", plan: Plan, tenant: TenantPlan) -> None:
    for number, group in enumerate(tenant.groups, 1):
        head = f"Group {number} of {len(tenant.groups)}, {tenant.tenant}"
        out.print(styled(f"{head}, {half_open(group.interval)}", "bold"))
        for step, said in enumerate(stage_lines(plan, tenant, group), 1):
            out.print(styled(f"  {step:>2}. {said}", ""))
