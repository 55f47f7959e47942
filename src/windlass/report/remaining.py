"""What is left to do after a campaign, each with the command that does it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from windlass.domain.record import CampaignFacts, ClusterView, TenantView
from windlass.domain.states import Mode, State, Verdict
from windlass.report.figures import Figures
from windlass.report.words import plural, typed

AT_WORK = {State.QUEUED, State.RUNNING, State.PARTIAL, State.PAUSING, State.CANCELLING}


@dataclass(frozen=True)
class Todo:
    """What remains, and what to type next."""

    text: str
    command: str


def remaining(facts: CampaignFacts, tables: tuple[Figures, ...]) -> tuple[Todo, ...]:
    """In order of urgency: still at work, then what needs a person."""
    view = facts.status
    found: list[Todo] = []
    if view.state is State.PAUSED:
        found.append(Todo("the campaign is paused", f"windlass status {view.campaign}"))
    elif view.state in AT_WORK:
        left = plural(view.windows_total - view.windows_done, "window")
        found.append(Todo(f"{left} to go", f"windlass watch {view.campaign}"))
    for cluster in view.clusters:
        found.extend(_cluster(facts, cluster))
    found.extend(_unproven(facts, tables))
    found.extend(_undone(facts))
    return tuple(found)


def _cluster(facts: CampaignFacts, cluster: ClusterView) -> Iterator[Todo]:
    if cluster.state is State.UNKNOWN:
        text = f"{cluster.name}: discovery failed, what it holds is unknown: {cluster.note}"
        yield Todo(text, f"windlass doctor --cluster {cluster.name}")
    for tenant in cluster.tenants:
        yield from _tenant(facts, tenant)


def _tenant(facts: CampaignFacts, tenant: TenantView) -> Iterator[Todo]:
    parked = [w for w in tenant.windows if w.state is State.PARKED and not w.replaced]
    if parked or tenant.state is State.PARKED:
        notes = list(dict.fromkeys(w.note for w in parked if w.note)) or [tenant.note]
        text = f"{tenant.database}: {plural(len(parked), 'window')} parked: {'; '.join(notes)}"
        yield Todo(text, _again(facts, tenant))
    cut = [w for w in tenant.windows if w.state is State.CANCELLED and not w.replaced]
    if cut:
        text = f"{tenant.database}: {plural(len(cut), 'window')} cancelled before the end"
        yield Todo(text, facts.campaign.command or _again(facts, tenant))


def _undone(facts: CampaignFacts) -> Iterator[Todo]:
    """What was put back is as old as before."""
    for tenant in facts.status.tenants:
        windows = sum(w.undone_at is not None for w in tenant.windows if not w.replaced)
        if windows:
            text = f"{tenant.database}: {plural(windows, 'window')} undone"
            yield Todo(text, _again(facts, tenant))


def _again(facts: CampaignFacts, tenant: TenantView) -> str:
    """The campaign's command for this tenant alone."""
    mode = facts.campaign.mode
    return f"windlass run {_range(facts, tenant)}" + (
        f" --mode {mode}" if mode is not Mode.REPLACE else ""
    )


def _range(facts: CampaignFacts, tenant: TenantView) -> str:
    """`CLUSTERS TENANTS START END --dataset D`, as a shell takes it."""
    interval = facts.campaign.interval
    who = shlex.quote(f"{tenant.customer}/{tenant.profile}".rstrip("/"))
    span = f"{typed(interval.start)} {typed(interval.end)}"
    return f"{tenant.cluster} {who} {span} --dataset {facts.campaign.dataset}"


def _unproven(facts: CampaignFacts, tables: tuple[Figures, ...]) -> Iterator[Todo]:
    """Published, but not proven equal: compare with keys."""
    tenants = {(t.cluster, t.database): t for t in facts.status.tenants}
    bad: dict[tuple[str, str], list[Figures]] = {}
    for row in tables:
        if row.verdict is not Verdict.VERIFIED:
            bad.setdefault((row.cluster, row.database), []).append(row)
    for key, rows in bad.items():
        told = ", ".join(f"{row.table} {row.verdict}" for row in rows)
        asked = _range(facts, tenants[key])
        yield Todo(f"{key[1]}: {told}", f"windlass verify {asked} --keys 20")
