"""The fleet demo's report: what the ledger and the servers say of the run, in the work log's
tables. Pure: nothing is in it that is not in the facts it is given."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from windlass.domain.record import CampaignFacts, Event, TenantView, WindowView
from windlass.domain.states import State, Verdict
from windlass.localstack.fleet.scenario import (
    BASELINES,
    CLUSTERS,
    DAYS,
    STEADY,
    STRUGGLED,
    Customer,
)
from windlass.localstack.fleet.timetable import Kind
from windlass.localstack.fleet.troubles import Happening

ANSWERS: Mapping[Kind, tuple[str, ...]] = {
    Kind.THROTTLE: ("slow", "struggling", "split", "not split", "recovered"),
    Kind.PARTS: ("throttled", "throttle ended"),
    Kind.KILL: ("retry", "parked"),
    Kind.STOP: ("retry", "parked"),
    Kind.CUT: ("retry", "parked"),
    Kind.CLIENT: (),
}
"""Kinds of the ledger's events that answer a trouble."""
_LAG = timedelta(seconds=45)
"""How long after a trouble its answer may come: heartbeats are waited for, pauses made."""
_SHOWN = 4


@dataclass(frozen=True)
class Ending:
    """What the run as a whole came to: exit code of `watch` by campaign, tables that differ by
    an independent count, and whether rows outside the range are as they were."""

    scale: float
    seed: int
    wall_seconds: float
    watched: Mapping[str, int]
    differing: tuple[str, ...]
    outside_untouched: bool
    restarts: Mapping[str, int]


def report(
    everybody: Sequence[Customer],
    facts: Sequence[CampaignFacts],
    happenings: Sequence[Happening],
    ending: Ending,
) -> dict[str, Any]:
    """The report as JSON."""
    tenants = [(one, t) for one in facts for t in one.status.tenants]
    windows = [w for _, t in tenants for w in t.windows if not w.replaced]
    made = {
        "scale": ending.scale,
        "seed": ending.seed,
        "wall_seconds": round(ending.wall_seconds, 1),
        "source_rows": sum(one.rows for one in everybody),
        "rows_loaded": sum(one.status.rows_loaded for one in facts),
        "windows": len(windows),
        "windows_verified": sum(w.verdict is Verdict.VERIFIED for w in windows),
        "campaigns": [_campaign(one, ending) for one in facts],
        "clusters": [_cluster(name, tenants) for name in CLUSTERS],
        "tenants": [_tenant(t) for _, t in tenants],
        "struggling": [_struggling(name, everybody, tenants) for name in STRUGGLED],
        "steady": _steady(tenants),
        "baselines": [_baseline(name, everybody) for name in BASELINES],
        "troubles": [_trouble(one, facts) for one in happenings],
        "workers_started": dict(ending.restarts),
        "differing": list(ending.differing),
        "outside_untouched": ending.outside_untouched,
    }
    return made | {"green": _green(made, facts, everybody)}


def _green(made: Mapping[str, Any], facts: Sequence[CampaignFacts], every: Sequence[Any]) -> bool:
    ended = all(one.status.state is State.DONE for one in facts)
    whole = len({(t["cluster"], t["customer"]) for t in made["tenants"]}) == len(every)
    verified = made["windows"] == made["windows_verified"] > 0
    exact = not made["differing"] and made["outside_untouched"]
    return ended and whole and verified and exact and bool(made["steady"]["untouched"])


def _campaign(facts: CampaignFacts, ending: Ending) -> dict[str, Any]:
    view = facts.status
    return {
        "name": view.campaign,
        "command": facts.campaign.command,
        "state": str(view.state),
        "verdict": None if view.verdict is None else str(view.verdict),
        "rows_loaded": view.rows_loaded,
        "windows_total": view.windows_total,
        "seconds": _seconds(view.started_at, view.ended_at),
        "watch_exit": ending.watched.get(view.campaign),
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 1) if start and end else None


Tenants = Sequence[tuple[CampaignFacts, TenantView]]


def _cluster(name: str, tenants: Tenants) -> dict[str, Any]:
    mine = [t for _, t in tenants if t.cluster == name]
    longest = max(mine, key=lambda t: _seconds(t.started_at, t.ended_at) or 0.0, default=None)
    return {
        "name": name,
        "customers": len(mine),
        "done": sum(t.state is State.DONE for t in mine),
        "rows_loaded": sum(t.rows_loaded for t in mine),
        "windows": sum(t.windows_total for t in mine),
        "longest": longest.customer if longest else None,
        "longest_seconds": _seconds(longest.started_at, longest.ended_at) if longest else None,
    }


def _tenant(tenant: TenantView) -> dict[str, Any]:
    return {
        "cluster": tenant.cluster,
        "customer": tenant.customer,
        "state": str(tenant.state),
        "rows_loaded": tenant.rows_loaded,
        "windows_total": tenant.windows_total,
        "windows_done": tenant.windows_done,
        "attempts": tenant.attempts,
        "cuts": sum(w.replaced for w in tenant.windows),
        "seconds": _seconds(tenant.started_at, tenant.ended_at),
    }


def _find(name: str, tenants: Tenants) -> tuple[CampaignFacts, TenantView] | None:
    return next(((f, t) for f, t in tenants if t.customer == name), None)


def _struggling(name: str, everybody: Sequence[Customer], tenants: Tenants) -> dict[str, Any]:
    customer, found = next(one for one in everybody if one.name == name), _find(name, tenants)
    made: dict[str, Any] = {
        "customer": name,
        "cluster": customer.cluster,
        "scorecards": customer.scorecards,
        "scores": customer.scores,
        "scorecards_a_day": round(customer.scorecards / DAYS),
    }
    if found is None:
        return made
    facts, tenant = found
    told = [e for e in facts.events if e.database == customer.database]
    made["attempts"] = max((w.attempts for w in tenant.windows), default=0)
    made["cuts"] = [e.text for e in told if e.kind == "split"]
    made["noticed"] = [e.text for e in told if e.kind == "struggling"]
    made["pieces"] = [_piece(w) for w in tenant.windows if w.parent and not w.replaced]
    made["windows_done"], made["windows_total"] = tenant.windows_done, tenant.windows_total
    return made


def _piece(window: WindowView) -> dict[str, Any]:
    length = window.interval.duration.total_seconds() / 86_400
    return {"id": window.id, "days": round(length, 2), "parent": window.parent}


def _steady(tenants: Tenants) -> dict[str, Any]:
    """The long one that must not be touched."""
    found = _find(STEADY, tenants)
    if found is None:
        return {"customer": STEADY, "untouched": False}
    facts, tenant = found
    database = tenant.database
    touched = [e.text for e in facts.events if e.database == database and e.kind in _TOUCHED]
    touched += [f"{a.verb} by {a.who}" for a in facts.actions if a.scope.database == database]
    touched += [w.id for w in tenant.windows if w.replaced or w.state is State.CANCELLED]
    return {
        "customer": STEADY,
        "windows": len(tenant.windows),
        "attempts": tenant.attempts,
        "seconds": _seconds(tenant.started_at, tenant.ended_at),
        "rows_loaded": tenant.rows_loaded,
        "touched": touched,
        "untouched": not touched and tenant.state is State.DONE,
    }


_TOUCHED = ("split", "not split", "cancelled", "struggling")


def _baseline(name: str, everybody: Sequence[Customer]) -> dict[str, Any]:
    here = next((one for one in everybody if one.name == name), None)
    return {
        "customer": name,
        "log_scorecards_a_day": BASELINES[name],
        "here": round(here.scorecards / DAYS) if here else None,
    }


def _trouble(one: Happening, facts: Sequence[CampaignFacts]) -> dict[str, Any]:
    answers = list(_answers(one, facts)) if one.struck else []
    return {
        "kind": str(one.trouble.kind),
        "where": one.trouble.where,
        "cluster": one.cluster,
        "at": _clock(one.at or (answers[0].at if answers else None)),
        "struck": one.struck,
        "what": one.did,
        "answers": [f"{_clock(e.at)} {e.kind}: {e.text}" for e in answers],
    }


def _answers(one: Happening, facts: Sequence[CampaignFacts]) -> Iterator[Event]:
    """What the ledger has on it: of that tenant, else of that cluster at that time."""
    kinds = ANSWERS[one.trouble.kind]
    events = sorted((e for f in facts for e in f.events if e.kind in kinds), key=lambda e: e.at)
    if one.trouble.kind is Kind.THROTTLE:
        yield from (e for e in events if e.database == one.database)
    elif one.at:
        last = (one.until or one.at) + _LAG
        yield from (e for e in events if e.cluster == one.cluster and one.at <= e.at <= last)


def _clock(instant: datetime | None) -> str:
    return f"{instant.astimezone(UTC):%H:%M:%S}" if instant else ""


def markdown(made: Mapping[str, Any], day: datetime) -> str:
    """The work log that nobody had to write."""
    parts = (_head, _clusters, _open, _struggled, _sizes, _client, _troubles, _proof)
    lines = [f"# Project Log - {day:%Y-%m-%d}", ""]
    for part in parts:
        lines += [*part(made), ""]
    return "\n".join(lines)


def _head(made: Mapping[str, Any]) -> Iterator[str]:
    minutes = f"{made['wall_seconds'] / 60:.1f} minutes"
    yield "## Progress"
    yield ""
    yield f"- {made['rows_loaded']:,} rows of {len(made['tenants'])} customers in {minutes}, by "
    yield f"  nobody: {made['windows_verified']:,} of {made['windows']:,} windows verified"
    yield f"- Scale {made['scale']:g} of the log's volumes, seed {made['seed']}"
    for one in made["campaigns"]:
        yield f"- `{one['command']}`: {one['state']}, {one['verdict']}, {one['seconds']} s"


def _clusters(made: Mapping[str, Any]) -> Iterator[str]:
    yield "## Backfill Verification Results"
    yield ""
    yield "| Cluster | Customers | Backfill Status | Notes |"
    yield "|---------|-----------|-----------------|-------|"
    for one in made["clusters"]:
        status = f"{one['done']}/{one['customers']} complete" if one["customers"] else "N/A"
        yield f"| {one['name']} | {one['customers']} | {status} | {_note(one)} |"


def _note(one: Mapping[str, Any]) -> str:
    if not one["customers"]:
        return "No data in range"
    longest = f"{one['longest']} took {one['longest_seconds']} s"
    return f"{one['rows_loaded']:,} rows in {one['windows']} windows; {longest}"


def _open(made: Mapping[str, Any]) -> Iterator[str]:
    """The complete ones in a row, the others each."""
    for cluster in made["clusters"]:
        mine = [t for t in made["tenants"] if t["cluster"] == cluster["name"]]
        plain = [t for t in mine if t["state"] == "done" and not t["cuts"] and t["attempts"] <= 1]
        told = [t for t in mine if t not in plain]
        if not mine:
            continue
        yield f"### {cluster['name']} ({cluster['done']}/{cluster['customers']} complete)"
        yield ""
        yield "| Customer | Status | Notes |"
        yield "|----------|--------|-------|"
        if plain:
            some = ", ".join(t["customer"] for t in plain[:6]) + (", …" if len(plain) > 6 else "")
            yield f"| {len(plain)} customers | Complete | at the first attempt: {some} |"
        for one in told:
            windows = f"{one['windows_done']}/{one['windows_total']} windows"
            notes = f"{windows}, attempts {one['attempts']}, cut {one['cuts']} times"
            yield f"| {one['customer']} | {one['state']} | {notes}, {one['seconds']} s |"
        yield ""
    steady = made["steady"]
    figures = f"{steady.get('windows')} window, attempt {steady.get('attempts')}"
    judged = "left alone" if steady["untouched"] else "TOUCHED"
    yield f"{steady['customer']}: {figures}, {steady.get('seconds')} s, {judged}."


def _struggled(made: Mapping[str, Any]) -> Iterator[str]:
    yield "## Struggling Workflows — Analysis and Resolution"
    yield ""
    yield "| Customer | Cluster | Scorecards | Scores | Attempts | Action |"
    yield "|----------|---------|------------|--------|----------|--------|"
    for one in made["struggling"]:
        figures = f"{one['scorecards']:,} | {one['scores']:,} | {one.get('attempts', 0)}"
        action = "; ".join(one.get("cuts", [])) or "none"
        yield f"| {one['customer']} | {one['cluster']} | {figures} | {action} |"


def _sizes(made: Mapping[str, Any]) -> Iterator[str]:
    yield "### Window Size Selection"
    yield ""
    yield "Compared against known baselines:"
    for one in made["baselines"]:
        here = f"{one['here']:,} here, 1-day windows" if one["here"] else "of another fleet"
        log = f"{one['log_scorecards_a_day']:,} scorecards a day in the log"
        yield f"- {one['customer']} ({log}; {here})"
    yield ""
    yield "Selected from the rate that was seen:"
    for one in made["struggling"]:
        days = sorted({piece["days"] for piece in one.get("pieces", [])})
        lengths = ", ".join(f"{length:g}" for length in days) or "51"
        count = len(one.get("pieces", []))
        daily = f"{one['scorecards_a_day']:,} scorecards a day"
        yield f"- {one['customer']} ({daily}) → {count} windows of {lengths} days"


def _client(made: Mapping[str, Any]) -> Iterator[str]:
    yield "### The client that went away"
    yield ""
    for one in made["troubles"]:
        if one["kind"] == Kind.CLIENT:
            ended = next((c for c in made["campaigns"] if c["name"] == one["where"]), None)
            yield f"- {one['at']} {one['what']}"
            if ended:
                rows = f"{ended['rows_loaded']:,} rows"
                yield f"- `windlass watch {one['where']}` took it up again, and ended with exit"
                yield f"  code {ended['watch_exit']}: {ended['state']}, {rows}"


def _troubles(made: Mapping[str, Any]) -> Iterator[str]:
    yield "## Troubles, and how each was overcome"
    yield ""
    yield "| At | Trouble | Where | What it did | What the ledger says |"
    yield "|----|---------|-------|-------------|----------------------|"
    for one in made["troubles"]:
        shown = one["answers"][:_SHOWN]
        more = len(one["answers"]) - len(shown)
        said = "<br>".join([*shown, *([f"and {more} more"] if more > 0 else [])]) or "—"
        place = one["where"] + (f" ({one['cluster']})" if one["cluster"] else "")
        yield f"| {one['at'] or '—'} | {one['kind']} | {place} | {one['what']} | {said} |"


def _proof(made: Mapping[str, Any]) -> Iterator[str]:
    yield "## Proof"
    yield ""
    yield f"- Windows verified: {made['windows_verified']:,} of {made['windows']:,}"
    differing = ", ".join(made["differing"]) or "none"
    yield f"- Tables that differ between source and target in rows or sums: {differing}"
    yield f"- Rows outside the range untouched: {'yes' if made['outside_untouched'] else 'NO'}"
    starts = ", ".join(f"{name} {count}" for name, count in made["workers_started"].items())
    yield f"- Worker processes started: {starts}"
