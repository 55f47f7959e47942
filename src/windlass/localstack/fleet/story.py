"""The fleet demo's report: what the ledger and the servers say of the run. Pure: nothing is in it
that is not in the facts it is given."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    Kind.THROTTLE: ("slow", "struggling", "split", "recovered"),
    Kind.PARTS: ("throttled", "throttle ended"),
    Kind.KILL: ("retry", "parked"),
    Kind.STOP: ("retry", "parked"),
    Kind.CUT: ("retry", "parked"),
    Kind.CLIENT: (),
}
"""Kinds of the ledger's events that answer a trouble."""
_LAG = timedelta(seconds=30)
"""How long after a trouble its answer may come: heartbeats are waited for, pauses made."""
_EASED = timedelta(seconds=120)
"""The same for what comes back step by step."""


@dataclass(frozen=True)
class Ending:
    """What the run as a whole came to: exit code of `watch` by campaign, tables that differ by
    an independent count, and whether rows outside the range are as they were."""

    scale: float
    seed: int
    wall_seconds: float
    stage_seconds: float
    watched: Mapping[str, int]
    differing: tuple[str, ...]
    outside_untouched: bool
    restarts: Mapping[str, int]


@dataclass(frozen=True, order=True)
class Answer:
    """What the record has on a trouble, on one line."""

    at: datetime
    text: str


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
        "stage_seconds": round(ending.stage_seconds, 1),
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
        "troubles": [_trouble(one, happenings, facts, ending) for one in happenings],
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
        "attempts": max((w.attempts for w in tenant.windows), default=0),
        "cuts": sum(w.replaced for w in tenant.windows),
        "seconds": _seconds(tenant.started_at, tenant.ended_at),
    }


def _find(name: str, tenants: Tenants) -> tuple[CampaignFacts, TenantView] | None:
    return next(((f, t) for f, t in tenants if t.customer == name), None)


def _struggling(name: str, everybody: Sequence[Customer], tenants: Tenants) -> dict[str, Any]:
    customer, found = next(one for one in everybody if one.name == name), _find(name, tenants)
    made: dict[str, Any] = {"customer": name, "cluster": customer.cluster}
    if found is None:
        return made
    facts, tenant = found
    made |= _counted(facts, customer.database)
    told = [e for e in facts.events if e.database == customer.database]
    made["attempts"] = max((w.attempts for w in tenant.windows), default=0)
    made["cuts"] = [e.text for e in told if e.kind == "split"]
    made["noticed"] = [e.text for e in told if e.kind == "struggling"]
    made["pieces"] = [_piece(w) for w in tenant.windows if w.parent and not w.replaced]
    made["windows_done"], made["windows_total"] = tenant.windows_done, tenant.windows_total
    return made


def _counted(facts: CampaignFacts, database: str) -> dict[str, int]:
    """Rows at the source, as the plan counted them, those that are kept out included."""
    plan = next(p for p in facts.plan.tenants if p.tenant.database == database)
    out = {t: sum(tables.get(t, 0) for tables in plan.excluded.values()) for t in plan.rows}
    cards, scores = (plan.rows[t] + out[t] for t in ("scorecard", "score"))
    return {"scorecards": cards, "scores": scores, "scorecards_a_day": round(cards / DAYS)}


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


def _trouble(
    one: Happening,
    all_of_them: Sequence[Happening],
    facts: Sequence[CampaignFacts],
    ending: Ending,
) -> dict[str, Any]:
    last = _last(one, all_of_them)
    answers = _once(_answers(one, last, facts, ending)) if one.struck else []
    first = answers[0].at if answers else None
    return {
        "kind": str(one.trouble.kind),
        "where": one.trouble.where,
        "cluster": one.cluster,
        "at": _clock(one.at or first),
        "struck": one.struck,
        "what": one.did,
        "answers": [f"{_clock(each.at)} {each.text}" for each in answers],
    }


def _last(one: Happening, all_of_them: Sequence[Happening]) -> datetime:
    """Until when its answers may come: at the latest until the cluster's next trouble that is
    answered in the same way."""
    began = one.at or datetime.max.replace(tzinfo=UTC)
    if one.at is None:
        return began
    kinds, lag = ANSWERS[one.trouble.kind], _EASED if one.trouble.kind is Kind.PARTS else _LAG
    others = [o for o in all_of_them if o.cluster == one.cluster and o is not one and o.at]
    later = [o.at for o in others if o.at and o.at > began and ANSWERS[o.trouble.kind] == kinds]
    return min([(one.until or began) + lag, *later])


def _once(answers: Iterable[Answer]) -> list[Answer]:
    """In order of time; what two campaigns have word for word, once."""
    found: dict[str, Answer] = {}
    for one in sorted(answers):
        found.setdefault(one.text, one)
    return list(found.values())


def _answers(
    one: Happening, last: datetime, facts: Sequence[CampaignFacts], ending: Ending
) -> Iterator[Answer]:
    """Events and actions of that tenant, else of that cluster at that time; of a client, how its
    campaign ended."""
    if one.trouble.kind is Kind.CLIENT:
        yield from (_survived(f, ending) for f in facts if f.campaign.name == one.trouble.where)
    for event in (e for f in facts for e in f.events if _about(one, last, e)):
        yield Answer(event.at, f"{event.kind}: {_line(event.text)}")
    for action in (a for f in facts for a in f.actions):
        if one.trouble.kind is Kind.THROTTLE and action.scope.database == one.database:
            ends = f"{action.before} -> {action.after}" if action.after else ""
            yield Answer(action.at, f"{action.verb} by {action.who}: {_line(ends)}")


def _about(one: Happening, last: datetime, event: Event) -> bool:
    if event.kind not in ANSWERS[one.trouble.kind]:
        return False
    if one.trouble.kind is Kind.THROTTLE:
        return event.database == one.database
    return event.cluster == one.cluster and one.at is not None and one.at <= event.at <= last


def _survived(facts: CampaignFacts, ending: Ending) -> Answer:
    view = facts.status
    text = f"{view.state}, {view.verdict}, {view.rows_loaded:,} rows; "
    watched = ending.watched.get(view.campaign)
    at = view.ended_at or view.created_at
    return Answer(at, f"{text}windlass watch took it up again: exit code {watched}")


def _line(text: str) -> str:
    """An error without what to type next, on one line."""
    said = (
        " ".join(line.split()) for line in text.splitlines() if not line.strip().startswith("next:")
    )
    return "; ".join(said)


def _clock(instant: datetime | None) -> str:
    return f"{instant.astimezone(UTC):%H:%M:%S}" if instant else ""
