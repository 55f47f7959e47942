"""Live control: what operators order while a campaign runs, and how the engine hears of it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from windlass.domain.orders import Change, ClusterOrders, LimitChange, Order
from windlass.domain.plan import GroupPlan, Plan
from windlass.domain.record import Note, Scope


class ControlLedger(Protocol):
    """What the engine reads of orders, and writes when they are carried out."""

    def plan_version(self, campaign: str) -> int:
        """Grows whenever `campaign_plan` changes (cut again, another guard). Cheap."""
        ...

    def cancelling(
        self, campaign: str, cluster: str, database: str = "", subject: str = ""
    ) -> bool:
        """Whether an operator has asked to cancel the campaign's share, the tenant, or the
        publish group that the attempt at `subject` belongs to (cheap: asked every second)."""
        ...

    def orders(self, campaign: str, cluster: str) -> ClusterOrders:
        """What stands ordered there."""
        ...

    def paces(self, campaign: str, cluster: str, database: str) -> Mapping[str, int]:
        """Rows a second that operators allow: `{scope: ceiling}` of each scope that sets one, the
        campaign's first (cheap: asked every second)."""
        ...

    def blocks(self, cluster: str, database: str) -> int:
        """By how much smaller than usual the blocks are in which the tenant's rows travel: 1 as
        large as ever, more while its windows struggle (cheap: asked every second)."""
        ...

    def group_rests(self, group: str) -> None:
        """Nothing of the group is in flight any more: where a pause stands over it, its begun
        windows are paused. Without one nothing changes."""
        ...

    def group_cancelled(self, group: str) -> None:
        """Nothing of the group is left on any server: its unfinished windows are cancelled."""
        ...

    def todo(self, campaign: str, cluster: str, database: str) -> list[str]:
        """Ids of the tenant's publish groups that have a window still to do (queued, running,
        paused), in order of time."""
        ...

    def recut(
        self,
        campaign: str,
        cluster: str,
        database: str,
        groups: Mapping[str, Sequence[GroupPlan]],
        why: str,
    ) -> None:
        """Put new groups in the place of old ones (by id). Old windows are kept, cancelled and
        marked as replaced; new ones name the window that they were cut from. `campaign_plan` has
        the new ones from then."""
        ...


class ControlOperator(Protocol):
    """What operators order. Each call is one transaction: all of it is written down, with who,
    why, from and to, or nothing is."""

    def campaign_plan(self, campaign: str) -> Plan:
        """The plan that the campaign follows now."""
        ...

    def rate(self, cluster: str, database: str) -> tuple[float, str] | None:
        """(rows per second, basis) from finished windows; None without history."""
        ...

    def notes_on(self, cluster: str, database: str, limit: int = 50) -> list[Note]:
        """What operators wrote down about that tenant in any campaign, the latest first."""
        ...

    def order(self, order: Order) -> list[Change]:
        """Carry it out in the record, a change per scope. RefusedError where it changes nothing;
        UsageError where a scope does not exist."""
        ...

    def group_cancelled(self, group: str) -> None:
        """Nothing of the group is left on any server: its unfinished windows are cancelled."""
        ...

    def limit(
        self, scopes: Sequence[Scope], limits: Mapping[str, int | None], who: str, why: str
    ) -> list[LimitChange]:
        """Set the limits of each scope, over those set before; None lifts one."""
        ...
