"""What waits for a person, and what to type about it."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from windlass.domain.record import StatusView, TenantView
from windlass.domain.states import Health, Mode, State, Verdict

UNPROVEN = {Verdict.MISMATCH, Verdict.UNVERIFIED}


@dataclass(frozen=True)
class Need:
    """One thing that waits. `cluster` and `database` are '' where it is about a whole; `next` is
    a command line."""

    campaign: str
    cluster: str
    database: str
    state: str
    why: str
    next: str


def needs(view: StatusView) -> list[Need]:
    """What of the campaign waits for a person; `view` carries windows."""
    name = view.campaign
    found = [
        Need(name, c.name, "", str(c.state), c.note, f"windlass doctor --cluster {c.name}")
        for c in view.clusters
        if c.state is State.UNKNOWN and view.state is not State.CANCELLED
    ]
    if view.state is State.PAUSED:
        found.append(Need(name, "", "", "paused", view.note, f"windlass resume {name}"))
    for tenant in view.tenants:
        found += _tenant(view, tenant)
    return found


def needs_json(found: list[Need]) -> list[dict[str, Any]]:
    """As `status --needs-me -o json` lists them."""
    return [{k: v or None for k, v in asdict(one).items()} for one in found]


def _tenant(view: StatusView, tenant: TenantView) -> Iterator[Need]:
    name, who = view.campaign, shlex.quote(f"{tenant.cluster}/{tenant.customer}/{tenant.profile}")
    live = [w for w in tenant.windows if not w.replaced]

    def need(state: str, why: str, command: str) -> Need:
        return Need(name, tenant.cluster, tenant.database, state, why, command)

    parked = [w for w in live if w.state is State.PARKED]
    if parked or tenant.state is State.PARKED:
        why = next((w.note for w in parked if w.note), tenant.note).partition("\n")[0]
        yield need("parked", why, f"windlass retry {name} --tenant {who}")
    uncut = view.mode is Mode.APPEND
    if uncut and tenant.health is Health.STRUGGLING and not tenant.state.final:
        slow = [w.id for w in live if w.state is State.RUNNING]
        what = f"windlass why {slow[0]}" if slow else f"windlass status {name} --windows"
        yield need("struggling", tenant.note, what)
    if tenant.state is State.PAUSED and view.state is not State.PAUSED:
        yield need("paused", tenant.note, f"windlass resume {name} --tenant {who}")
    unproven = {str(w.verdict) for w in live if w.verdict in UNPROVEN and w.undone_at is None}
    held = tenant.canary and not view.state.final
    if unproven and held:
        why = f"a canary: the rest waits for it. windlass report {name} shows what differs"
        yield need(", ".join(sorted(unproven)), why, f"windlass retry {name} --tenant {who}")
    elif unproven:
        yield need(", ".join(sorted(unproven)), tenant.note, f"windlass report {name}")
    if held and any(w.state is State.CANCELLED for w in live):
        why = "a canary that was cancelled is never verified, and the rest waits for it: cancel "
        why += "the campaign, and run it again with another canary"
        yield need("cancelled", why, f"windlass cancel {name}")
