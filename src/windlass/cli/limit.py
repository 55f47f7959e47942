"""`windlass limit`: fewer windows at once, or fewer rows a second, while it runs."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from windlass.cli.command import command
from windlass.cli.options import ReasonOption
from windlass.cli.scopes import Campaign, ClusterOption, TenantOption, chosen
from windlass.cli.session import Session
from windlass.cli.show.common import Column, console, print_json, table
from windlass.domain.errors import UsageError
from windlass.domain.orders import LIMITS, LimitChange
from windlass.domain.record import Scope

NONE = "none"
MOST = 10**12


@command(
    "windlass limit fleet-jan-2026 windows=3",
    "windlass limit fleet-jan-2026 --cluster voice-prod rows_per_second=50000 windows=4",
    "windlass limit fleet-jan-2026 --tenant acme/voice rows_per_second=none",
)
def app(
    session: Session,
    campaign: Campaign,
    limits: Annotated[
        list[str], typer.Argument(metavar="LIMIT=N …", help=f"{', '.join(LIMITS)}; none lifts it.")
    ],
    cluster: ClusterOption = None,
    tenant: TenantOption = None,
    reason: ReasonOption = "",
) -> int:
    """Limit a campaign, a cluster's share, or tenants of it, at once and until it is lifted.

    windows: at once on each cluster (of a tenant: of that tenant); windows_per_tenant: of each
    tenant; rows_per_second: read by each worker process. The fleet file's limits are the most
    that can be had. Windows in flight are left to end; slower reading begins with the next batch.
    """
    wanted = dict(_limit(text) for text in limits)
    view = session.backend.ledger.status(campaign)
    scopes = chosen(session, view, cluster, tenant, None)
    for note in _beyond(session, scopes, [c.name for c in view.clusters], wanted):
        session.say(note)
    changes = session.backend.limit(scopes, wanted, session.who(), reason)
    if session.as_json:
        print_json({"campaign": view.campaign, "changes": [_json(one) for one in changes]})
        return 0
    columns = [Column("part"), Column("limits before"), Column("limits now")]
    console().print(
        table(columns, ((str(c.scope), _text(c.before), _text(c.after)) for c in changes))
    )
    return 0


def _limit(text: str) -> tuple[str, int | None]:
    name, _, number = text.partition("=")
    if name not in LIMITS:
        near = get_close_matches(name, LIMITS, 1)
        raise UsageError(
            f"there is no limit {name!r}",
            next_step=f"did you mean {near[0]}?" if near else f"there are: {', '.join(LIMITS)}",
        )
    if number == NONE:
        return name, None
    digits = number.replace(",", "").replace("_", "")
    if not digits.isdecimal() or not 1 <= int(digits) <= MOST:
        raise UsageError(
            f"{text!r} makes no sense",
            next_step=f"write {name}=8, or {name}={NONE} to lift it; windlass pause stops it all",
        )
    return name, int(digits)


def _beyond(
    session: Session,
    scopes: Sequence[Scope],
    all_clusters: Sequence[str],
    wanted: Mapping[str, int | None],
) -> list[str]:
    """What the fleet file does not allow: it is the most that can be had."""
    names = {s.cluster for s in scopes} if all(s.cluster for s in scopes) else set(all_clusters)
    notes = []
    for name in sorted(names & set(session.backend.fleet.clusters)):
        config = session.backend.fleet.cluster(name).limits
        most = {"windows": config.windows, "windows_per_tenant": config.windows}
        if config.rows_per_second:
            most["rows_per_second"] = config.rows_per_second
        for limit, value in wanted.items():
            if value is not None and value > most.get(limit, MOST):
                notes.append(f"{name}: the fleet file allows {most[limit]:,} {limit}: that holds")
    return notes


def _text(limits: Mapping[str, int]) -> str:
    return " ".join(f"{name}={value:,}" for name, value in sorted(limits.items())) or "-"


def _json(change: LimitChange) -> dict[str, Any]:
    return {
        "cluster": change.scope.cluster or None,
        "database": change.scope.database or None,
        "from": dict(change.before),
        "to": dict(change.after),
    }
