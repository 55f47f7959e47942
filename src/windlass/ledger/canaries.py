"""Canary tenants: the rest of their campaign begins once every one of them is verified."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from windlass.domain.record import Scope
from windlass.domain.states import FINAL, State, Verdict
from windlass.ledger import tables as t
from windlass.ledger.journal import insert_event

SHOWN = 3
"""Canaries that are named where the rest waits for them."""
TOLD = (State.PARKED, State.CANCELLED, State.CANCELLING, State.PAUSED, State.PAUSING)
"""States that a person should hear of where others wait for it."""
AT_REST = {State.DONE, State.NOTHING_TO_DO}
_ENDED = {str(state) for state in FINAL}


@dataclass
class Canary:
    """One canary tenant that is not verified; `worst` is its worst verdict so far ('' none)."""

    scope: Scope
    name: str
    state: State
    windows: set[tuple[str, str]] = field(default_factory=set)

    @property
    def verified(self) -> bool:
        """Whether every window is; one that had nothing to do proves nothing, and holds nobody."""
        if not self.windows:
            return self.state in AT_REST
        return self.windows == {(str(State.DONE), str(Verdict.VERIFIED))}

    def __str__(self) -> str:
        """`acme/voice`, with what a person should know: `acme/voice (parked)`."""
        bad = [v for v in (Verdict.MISMATCH, Verdict.UNVERIFIED) if v in self._verdicts]
        told = [self.state] if self.state in TOLD else []
        why = next((str(one) for one in (*told, *bad)), "")
        return f"{self.name} ({why})" if why else self.name

    @property
    def _verdicts(self) -> set[str]:
        return {verdict for _, verdict in self.windows}


def open_canaries(connection: Connection, campaign: str) -> list[Canary]:
    """Those that are not verified, in order."""
    n, w = t.tenants.c, t.windows.c
    live = and_(
        w.campaign == n.campaign,
        w.cluster == n.cluster,
        w.database == n.database,
        w.replaced.is_(False),
    )
    query = (
        select(t.tenants, w.state.label("window_state"), w.verdict)
        .distinct()
        .join_from(t.tenants, t.windows, live, isouter=True)
        .where(n.campaign == campaign, n.canary.is_(True))
        .order_by(n.cluster, n.position)
    )
    many, found = None, dict[tuple[str, str], Canary]()
    for row in connection.execute(query).all():
        many = _several(connection, campaign) if many is None else many
        name = "/".join(p for p in (row.cluster * many, row.customer, row.profile) if p)
        scope = Scope(campaign, row.cluster, row.database)
        one = found.setdefault((row.cluster, row.database), Canary(scope, name, State(row.state)))
        if row.window_state is not None:
            one.windows.add((row.window_state, row.verdict or ""))
    return [one for one in found.values() if not one.verified]


def has_canaries(connection: Connection, campaigns: Iterable[str]) -> list[str]:
    """Those of the campaigns that have canaries."""
    n = t.tenants.c
    query = select(n.campaign).distinct().where(n.campaign.in_(campaigns), n.canary.is_(True))
    return list(connection.scalars(query.order_by(n.campaign)))


def canaries_on(connection: Connection, campaign: str, cluster: str) -> tuple[str, ...]:
    """The databases of the campaign's canaries on that cluster, in order."""
    n = t.tenants.c
    query = select(n.database).where(
        n.campaign == campaign, n.cluster == cluster, n.canary.is_(True)
    )
    return tuple(connection.scalars(query.order_by(n.position)))


def waiting_for(connection: Connection, campaign: str) -> str:
    """`waiting for canary acme/voice`; '' where every one is verified, or there is none."""
    names = [str(one) for one in open_canaries(connection, campaign)]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    word = "canary" if len(names) == 1 else "canaries"
    return f"waiting for {word} {', '.join(names[:SHOWN])}{more}" if names else ""


def tell_of(connection: Connection, tenant: Scope, now: datetime) -> None:
    """A group of that tenant has come to its end: where it is a canary, what follows from that."""
    n = t.tenants.c
    row = connection.execute(
        select(t.tenants).where(
            n.campaign == tenant.campaign,
            n.cluster == tenant.cluster,
            n.database == tenant.database,
            n.canary.is_(True),
        )
    ).first()
    if row is None or row.state not in _ENDED:
        return
    hold = waiting_for(connection, tenant.campaign)
    text = f"the rest is {hold}" if hold else "every canary is verified: the rest begins"
    insert_event(connection, tenant, "", "canary", text, now)


def _several(connection: Connection, campaign: str) -> bool:
    of = t.campaign_clusters.c
    query = select(func.count()).select_from(t.campaign_clusters).where(of.campaign == campaign)
    return (connection.scalar(query) or 0) > 1
