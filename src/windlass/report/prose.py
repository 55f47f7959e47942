"""The sentences of a work log, written from facts."""

from collections.abc import Iterator

from windlass.domain.plan import Plan, TenantPlan
from windlass.domain.record import CampaignFacts
from windlass.domain.states import Mode, State, Verdict
from windlass.domain.words import volume
from windlass.report.coverage import coverage
from windlass.report.figures import Figures, green, worst
from windlass.report.words import (
    clock,
    duration,
    half_open,
    listed,
    moment,
    number,
    plural,
    volume_class,
)

DEED = {
    Mode.REPLACE: ("Rebuilt", "Rebuilding"),
    Mode.APPEND: ("Appended to", "Appending to"),
    Mode.DELETE: ("Cleared", "Clearing"),
}


def headline(facts: CampaignFacts, tables: tuple[Figures, ...]) -> str:
    """How it ended, in one sentence; one more where it was undone since."""
    view, said = facts.status, _ended(facts, tables)
    if view.undone_at is None:
        return said
    windows = f"{view.windows_undone:,} of {plural(view.windows_total, 'window')}"
    return f"{said} Undone since: {windows} put back as before, {moment(view.undone_at)} UTC."


def _ended(facts: CampaignFacts, tables: tuple[Figures, ...]) -> str:
    view = facts.status
    if view.state is State.NOTHING_TO_DO:
        return "Nothing to do: source and target are both empty in the range."
    if green(facts, tables):
        return "Done and verified: every window equals the source."
    if view.state is State.DONE:
        return "Done, but not everything is verified."
    done = f"{view.windows_done:,} of {plural(view.windows_total, 'window')} done"
    said = {
        State.PARKED: "Parked: some of it needs the operator",
        State.CANCELLED: "Cancelled: what was published stays",
        State.UNKNOWN: "A cluster could not be asked: what it holds is unknown",
    }.get(view.state, f"The campaign is {view.state}")
    return f"{said}; {done}."


def progress(
    facts: CampaignFacts, tables: tuple[Figures, ...], wall: float | None
) -> tuple[str, ...]:
    """What happened, in a few lines."""
    return tuple(_progress(facts, tables, wall))


def _progress(
    facts: CampaignFacts, tables: tuple[Figures, ...], wall: float | None
) -> Iterator[str]:
    view, campaign = facts.status, facts.campaign
    done, doing = DEED[campaign.mode]
    deed = done if view.state.final else doing
    who = listed(f"`{pattern}`" for pattern in campaign.tenants)
    clusters = listed(f"`{name}`" for name in campaign.clusters)
    yield f"{deed} `{campaign.dataset}` for {who} on {clusters}, {half_open(campaign.interval)}"
    yield headline(facts, tables)
    loaded = [(t, sum(r.loaded for r in tables if r.table == t)) for t in _tables(facts)]
    if any(rows for _, rows in loaded):
        rows = " + ".join(f"{number(rows)}" for _, rows in loaded if rows)
        rate = f" ({number(view.rows_per_second)} rows/s)" if wall else ""
        windows = plural(view.windows_done, "window")
        yield f"{rows} rows loaded in {windows}, {duration(wall)}{rate}"
    kept = sum(one.bytes for one in facts.undo if not one.why_not and not one.undone)
    if kept:
        yield (
            f"What it replaced is kept for `windlass undo`: at most {volume(kept)} on disk, less "
            "as long as live still shares it"
        )
    unexplained = sum(row.unexplained for row in tables)
    if unexplained:
        yield f"**{number(unexplained)} removed rows are unexplained**: see Results"
    yield from _proven(tables)


def _proven(tables: tuple[Figures, ...]) -> Iterator[str]:
    """Up to when the verdict speaks, and why it is not what one would wish."""
    moments = [row.exact_as_of for row in tables if row.exact_as_of]
    if moments:
        yield f"Exact as of {min(moments):%Y-%m-%d %H:%M:%S} UTC, by the source's clock"
    moving = sum(row.in_flight for row in tables)
    if moving:
        yield f"{plural(moving, 'row')} changed while being compared: the newest is on its way"
    yield from dict.fromkeys(f"**{row.verdict}** {why}" for row in tables for why in row.reasons)


def parameters(facts: CampaignFacts) -> tuple[tuple[str, str], ...]:
    """What was asked, by whom and why."""
    campaign, plan = facts.campaign, facts.plan
    days = campaign.interval.duration.total_seconds() / 86400
    daily = sum(sum(t.rows.values()) for t in plan.tenants) / days
    guard = f"{campaign.guard.max_unexplained:.2%} of the rows before"
    rows = [
        ("Campaign", f"`{campaign.name}`"),
        ("Cluster", listed(campaign.clusters)),
        ("Customer IDs", listed((f"`{one}`" for one in campaign.tenants), 40)),
        ("Date range", half_open(campaign.interval)),
        ("Dataset", f"{campaign.dataset} (definition {campaign.definition_hash})"),
        ("Mode", str(campaign.mode)),
        ("Volume", f"{volume_class(daily).capitalize()} ({number(daily)} rows a day, all tables)"),
        ("Windows", _how_cut(facts)),
        (
            "Removal without explanation",
            "accepted" if campaign.guard.accept else f"at most {guard}",
        ),
        ("Reason", campaign.reason or "none given"),
        ("Started by", campaign.who),
        ("Ledger", facts.ledger_id),
    ]
    rows[-3:-3] = _who_first(plan)
    if campaign.guard.expected:
        told = ", ".join(f"{t} {n:,}" for t, n in campaign.guard.expected.items())
        rows.insert(-3, ("Removal announced", told))
    return tuple(rows)


def _who_first(plan: Plan) -> Iterator[tuple[str, str]]:
    request = plan.request
    if request.canary:
        yield "Canaries", listed(f"`{one}`" for one in request.canary)
    if request.priority:
        yield "Priority", listed(f"`{one}` {place}" for one, place in request.priority)
    yield "World", plan.world


def steps(facts: CampaignFacts, tables: tuple[Figures, ...]) -> tuple[str, ...]:
    """What was done, in order, as somebody would have written it down."""
    return tuple(_steps(facts, tables))


def _steps(facts: CampaignFacts, tables: tuple[Figures, ...]) -> Iterator[str]:
    plan, view = facts.plan, facts.status
    found = plural(len(plan.tenants), "tenant")
    left = f", {len(view.skipped):,} left out (see below)" if view.skipped else ""
    yield f"Planned from the source's own counts: {found} found{left}"
    idle = [t.tenant.database for t in plan.tenants if not t.groups and not t.held]
    if idle:
        names = listed(f"`{name}`" for name in idle)
        had = "database" if len(idle) == 1 else "databases"
        yield f"{names} {had} had 0 rows, in source and target: nothing to do"
    for tenant in plan.tenants:
        yield from _held(tenant)
    yield from _excluded(facts)
    removed = [row for row in tables if row.removed]
    if removed:
        yield "Took the range's rows out:\n" + "\n".join(
            f"`{r.database}.{r.table}`: {number(r.removed)} rows removed" for r in removed
        )
    if view.windows_done:
        windows = f"{view.windows_done:,} of {plural(view.windows_total, 'window')}"
        yield f"Loaded, verified and published {windows} from one snapshot of the source each group"
    yield from _published(tables)


def _held(tenant: TenantPlan) -> Iterator[str]:
    ranges = [f"{half_open(held.interval)} ({held.campaign})" for held in tenant.held if held.holds]
    if ranges:
        yield f"Left as verified before in `{tenant.tenant.database}`: {listed(ranges)}"
    stale = [f"{half_open(h.interval)}: {h.reason}" for h in tenant.held if not h.holds]
    if stale:
        yield f"Done again in `{tenant.tenant.database}`: {listed(stale)}"


def _excluded(facts: CampaignFacts) -> Iterator[str]:
    totals: dict[tuple[str, str], int] = {}
    for tenant in facts.plan.tenants:
        for name, tables in tenant.excluded.items():
            for table, rows in tables.items():
                totals[name, table] = totals.get((name, table), 0) + rows
    for (name, table), rows in totals.items():
        if rows:
            yield f"Exclusion `{name}` kept {number(rows)} rows of `{table}` out of the load"


def _published(tables: tuple[Figures, ...]) -> Iterator[str]:
    by_path: dict[str, list[str]] = {}
    for row in tables:
        if row.path:
            by_path.setdefault(row.path, []).append(f"`{row.database}.{row.table}`")
    for path, names in by_path.items():
        yield f"Published by {path}: {listed(names)}"


def timings(facts: CampaignFacts, wall: float | None) -> tuple[tuple[str, str], ...]:
    """When, how long, how fast; all in UTC."""
    view = facts.status
    estimate = sum(t.estimate_seconds or 0 for t in facts.plan.tenants)
    rows = [
        ("Created", moment(view.created_at)),
        ("Started", moment(view.started_at)),
        ("Ended", moment(view.ended_at)),
        ("Wall time", f"{duration(wall)} ({clock(view.started_at)} – {clock(view.ended_at)} UTC)"),
        ("Rows loaded", number(view.rows_loaded)),
        ("Rate", f"{number(view.rows_per_second)} rows/s"),
    ]
    if estimate:
        rows.append(("Planned", duration(estimate)))
    return (*rows, *_against_plan(facts))


def _against_plan(facts: CampaignFacts) -> Iterator[tuple[str, str]]:
    """Whether loading the windows took as long as history let expect."""
    planned = {w.id: w.expected for t in facts.plan.tenants for w in t.windows}
    took = [
        ((one.loaded_at - one.started_at).total_seconds(), planned.get(one.id))
        for tenant in facts.status.tenants
        for one in tenant.windows
        if one.loaded_at and one.started_at and not one.replaced
    ]
    judged = [(seconds, band) for seconds, band in took if band is not None]
    if took and not judged:
        yield "As expected", "no history before this campaign"
    if judged:
        inside = sum(band.low <= seconds <= band.high for seconds, band in judged)
        whole = plural(len(judged), "window")
        yield "As expected", f"{number(inside)} of {whole} loaded in the time that history says"
        actual = duration(sum(seconds for seconds, _ in judged))
        likely, low, high = (
            duration(sum(getattr(band, name) for _, band in judged))
            for name in ("seconds", "low", "high")
        )
        yield "Loading, summed", f"{actual}, expected {likely} ({low} to {high})"


def checks(facts: CampaignFacts, tables: tuple[Figures, ...]) -> tuple[tuple[bool, str], ...]:
    """The log's closing list."""
    view = facts.status
    every = view.windows_done == view.windows_total
    proven = worst(row.verdict for row in tables) is Verdict.VERIFIED
    unexplained = sum(row.unexplained for row in tables)
    told = coverage(view)
    return (
        (
            told.complete,
            f"{number(told.accounted)} of {plural(told.found, 'tenant')} that discovery found "
            "accounted for"
            + (f"; unknown: {listed(told.unknown_clusters)}" if told.unknown_clusters else ""),
        ),
        (every, f"{view.windows_done:,} of {plural(view.windows_total, 'window')} published"),
        (proven and every and not view.undone_at, "Every window equals the source, row by row"),
        (not unexplained, f"{number(unexplained)} removed rows unexplained"),
    )


def _how_cut(facts: CampaignFacts) -> str:
    request, view = facts.plan.request, facts.status
    how = f"{request.parts} parts" if request.parts else request.window
    return f"{number(view.windows_total)} ({how})"


def _tables(facts: CampaignFacts) -> list[str]:
    return [table.name for table in facts.plan.request.dataset.tables]
