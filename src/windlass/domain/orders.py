"""What operators order while a campaign runs, as it is written down and carried out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from windlass.domain.record import Scope
from windlass.domain.states import State


class Verb(StrEnum):
    """An order about something that has a state."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"


LIMITS = ("windows", "windows_per_tenant", "rows_per_second")
"""What `windlass limit` sets."""


@dataclass(frozen=True)
class Order:
    """One operator's word about parts of one campaign. `who` is user@host. An order about a
    window is about its publish group: what becomes visible together stands and goes together."""

    verb: Verb
    campaign: str
    scopes: tuple[Scope, ...]
    who: str
    why: str = ""


@dataclass(frozen=True)
class Change:
    """What an order did to one part: its state before and after; `left` says why it was left as
    it is ('' it was not)."""

    scope: Scope
    before: State
    after: State
    left: str = ""


@dataclass(frozen=True)
class LimitChange:
    """The limits of one part before and after; empty: none."""

    scope: Scope
    before: Mapping[str, int]
    after: Mapping[str, int]


@dataclass(frozen=True)
class TenantWord:
    """What stands ordered about one tenant: it is paused or cancelled as a whole, groups of it
    are (`held`, `dropped`), or it has limits of its own."""

    database: str
    paused: bool = False
    cancelled: bool = False
    held: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterOrders:
    """What stands ordered on one cluster of a campaign; tenants that nothing is ordered about
    are not named. `healthy` is how many windows at once the servers' health allows (None: it
    holds nothing back), `spared` which databases get one window at a time while they struggle.
    `wants` are the campaigns at work on the cluster, each with its own limit of windows (None:
    none). `canaries` are databases of canary tenants there; until those of every cluster are
    verified (`gated`) no other tenant begins."""

    paused: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    tenants: tuple[TenantWord, ...] = ()
    healthy: int | None = None
    spared: tuple[str, ...] = ()
    wants: Mapping[str, int | None] = field(default_factory=dict)
    canaries: tuple[str, ...] = ()
    gated: bool = False

    def of(self, database: str) -> TenantWord:
        """The tenant's; its limits are those that count for it."""
        return next((t for t in self.tenants if t.database == database), TenantWord(database))
