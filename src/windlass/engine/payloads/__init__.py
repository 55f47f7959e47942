"""What travels through workflow history: ids and small counts. Never rows, never secrets."""

from collections.abc import Mapping
from dataclasses import dataclass

from windlass.domain.undo import Prints


@dataclass(frozen=True)
class ErrandInput:
    """A question for the cluster's worker; its text and answer live in the ledger of that id.
    `again`: a server that fails for a moment is asked again, not only a worker that died."""

    request: str
    ledger: str
    again: bool = False


@dataclass(frozen=True)
class CheckInput:
    """A run of a scheduled verification, kept in the ledger of that id."""

    schedule: str
    cluster: str
    ledger: str


@dataclass(frozen=True)
class Standing:
    """What stands ordered about one tenant: groups that are paused (`held`) or cancelled
    (`dropped`), and how many windows at once it may have (0: as many as any)."""

    database: str
    paused: bool = False
    cancelled: bool = False
    held: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    windows: int = 0


@dataclass(frozen=True)
class CampaignOrders:
    """What operators want of a campaign's share on its cluster now. `windows` and the others are
    numbers at once; tenants that nothing is ordered about are not named. While it is `gated`,
    only those in `canaries` begin."""

    windows: int
    windows_per_tenant: int
    tenants_at_once: int
    paused: bool = False
    tenants: tuple[Standing, ...] = ()
    canaries: tuple[str, ...] = ()
    gated: bool = False

    def waits(self, database: str) -> bool:
        """Whether that tenant does not begin before canaries are verified."""
        return self.gated and database not in self.canaries

    def of(self, database: str) -> Standing:
        """What stands ordered about that tenant."""
        return next((t for t in self.tenants if t.database == database), Standing(database))


@dataclass(frozen=True)
class CampaignOrder:
    """What the campaign workflow needs to start its tenants. No `orders`: an older worker's.
    `order` has every database of the cluster in the order in which they get slots (empty: first
    come, first served)."""

    dataset: str
    databases: tuple[str, ...]
    tenants_at_once: int
    windows_per_tenant: int
    orders: CampaignOrders | None = None
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class TenantRef:
    """One tenant of one campaign."""

    campaign: str
    cluster: str
    database: str


@dataclass(frozen=True)
class CutOrder:
    """Cut windows of a group again: one of them, or all (''), into pieces of that length (0: as
    the rate that was seen says)."""

    database: str
    group: str
    window: str
    into_seconds: float
    who: str
    why: str


@dataclass(frozen=True)
class News:
    """Word to a campaign's workflow that something was ordered: what stands is in the ledger.
    `again` are tenants that have something to do anew."""

    again: tuple[str, ...] = ()
    cuts: tuple[CutOrder, ...] = ()


@dataclass(frozen=True)
class CampaignInput:
    """One campaign on one cluster, as the ledger of that id has it. `news` was not heard before
    it continued as new; after so many `events` of history it does, and its tenants do (0: as
    many as the workflows think best)."""

    campaign: str
    cluster: str
    ledger: str
    news: tuple[News, ...] = ()
    events: int = 0


@dataclass(frozen=True)
class TenantOrders:
    """Word to a tenant's workflow: windows at once, whether it stands still, groups that do
    (`held`) or are to end (`dropped`), and, once, cuts to make or new groups to look up."""

    windows: int
    paused: bool = False
    held: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    cuts: tuple[CutOrder, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class TenantInput:
    """A tenant's work from group number `next_group` on, some windows at a time; `events` as of
    its campaign."""

    tenant: TenantRef
    windows_in_flight: int
    next_group: int = 0
    orders: TenantOrders | None = None
    events: int = 0


@dataclass(frozen=True)
class GroupOrder:
    """A publish group by its ids; `snapshot` False: the mode reads nothing; `once`: publishing
    adds rows, so what it has begun with is never loaded anew."""

    id: str
    windows: tuple[str, ...]
    snapshot: bool
    once: bool = False


@dataclass(frozen=True)
class TenantOrder:
    """The groups of a tenant, in order; `left`: only those that are still to do, so that no
    number of an earlier run counts."""

    groups: tuple[GroupOrder, ...]
    left: bool = False


@dataclass(frozen=True)
class GroupRef:
    """One publish group of one tenant."""

    tenant: TenantRef
    group: str


@dataclass(frozen=True)
class CutInput:
    """Cut a group of that tenant again; nothing of it is in flight."""

    tenant: TenantRef
    cut: CutOrder


@dataclass(frozen=True)
class HoldInput:
    """Hold a snapshot for this group; `token` tells tries apart."""

    group: GroupRef
    token: str


@dataclass(frozen=True)
class SnapshotRef:
    """An exported snapshot by its id ('' for none), the horizon from which rows may have changed
    without being in it, and when it was taken (RFC 3339)."""

    id: str = ""
    horizon: str = ""
    taken_at: str = ""


@dataclass(frozen=True)
class SnapshotReady:
    """The holder's word that the snapshot stands."""

    token: str
    snapshot: SnapshotRef


@dataclass(frozen=True)
class LoadInput:
    """Load one window from that snapshot."""

    group: GroupRef
    window: str
    snapshot: SnapshotRef


@dataclass(frozen=True)
class Read:
    """What was read for one table: rows, their fingerprint, and their highest version as text
    (None: no version, or not known)."""

    table: str
    rows: int
    sum: str
    version: str | None = None


@dataclass(frozen=True)
class Load:
    """A staged window: the attempt whose staging holds it, and what was read into it."""

    window: str
    attempt: int
    reads: tuple[Read, ...] = ()

    def stages(self, table: str) -> bool:
        """Whether it has a staging table for that one: without rows there is none."""
        return all(read.rows for read in self.reads if read.table == table)


@dataclass(frozen=True)
class GroupWork:
    """A group with its verified loads, from that snapshot; `final`: no other load follows. Once
    it is published, `expected` is how live should look, by table, where that is known."""

    group: GroupRef
    loads: tuple[Load, ...]
    snapshot: SnapshotRef
    final: bool = False
    expected: Mapping[str, Prints] | None = None


@dataclass(frozen=True)
class Settled:
    """How a group ended: its verdict, or `again` when the source changed under a table that
    cannot be caught up row by row."""

    verdict: str
    again: bool


@dataclass(frozen=True)
class Trouble:
    """Why a group (or, without one, the tenant) cannot go on, in the operator's words."""

    tenant: TenantRef
    group: str
    kind: str
    text: str
