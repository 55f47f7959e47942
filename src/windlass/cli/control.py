"""Orders as the backend carries them out: the record, the workflows, and who has to begin again."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from windlass.domain.orders import Change, LimitChange, Order, Verb
from windlass.domain.record import Scope, WindowView
from windlass.domain.states import State, Verdict
from windlass.ports import CheckOperator, ControlOperator, LedgerReader, LedgerWriter

if TYPE_CHECKING:
    from windlass.domain.plan import Guard
    from windlass.engine.payloads import CutOrder, News
    from windlass.settings import Fleet

T = TypeVar("T")


class OperatorLedger(LedgerReader, LedgerWriter, CheckOperator, ControlOperator, Protocol):
    """What operators read and write."""


class HasFleet(Protocol):
    """What the orders below need of a backend."""

    @property
    def fleet(self) -> "Fleet":
        """The config file."""
        ...

    @property
    def ledger(self) -> OperatorLedger:
        """The record."""
        ...


class Ordering:
    """The backend's side of live control."""

    def order(self: HasFleet, order: Order, guard: "Guard | None" = None) -> list[Change]:
        """Write it down with who and why, and tell the workflows; a change per scope. `guard` is
        what may be removed from now on. RefusedError: it changes nothing."""
        from windlass.engine.payloads import News

        def write() -> list[Change]:
            changes = ledger.order(order)
            if guard is not None:
                ledger.set_guard(order.campaign, guard)
            return changes

        ledger, retry = self.ledger, order.verb is Verb.RETRY
        again = _tenants(ledger, order) if retry else {}
        names = sorted(again) if retry else _clusters(ledger, order.campaign, order.scopes)
        news = {name: News(again=tuple(again.get(name, ()))) for name in names}
        changes, silent = told(self, order.campaign, news, write, begin=retry)
        if order.verb is Verb.CANCEL:
            for change in changes:
                if change.scope.cluster in silent and change.after is State.CANCELLING:
                    _close(ledger, change.scope)
        return changes

    def limit(
        self: HasFleet,
        scopes: Sequence[Scope],
        limits: Mapping[str, int | None],
        who: str,
        why: str,
    ) -> list[LimitChange]:
        """Set limits, and tell the workflows; loads look into the record by themselves."""
        from windlass.engine.payloads import News

        ledger, campaign = self.ledger, scopes[0].campaign
        news = {name: News() for name in _clusters(ledger, campaign, scopes)}
        return told(self, campaign, news, lambda: ledger.limit(scopes, limits, who, why))[0]

    def split(self: HasFleet, campaign: str, cuts: "Mapping[str, Sequence[CutOrder]]") -> None:
        """Have groups cut again, `{cluster: cuts}`: on the worker, after what is in flight of
        them is proven dead."""
        from windlass.engine.payloads import News

        def write() -> None:
            for cluster, mine in cuts.items():
                for cut in mine:
                    scope = Scope(campaign, cluster, cut.database, cut.window)
                    before = cut.window or cut.group
                    self.ledger.action(scope, "split", cut.who, cut.why, before, "smaller windows")

        news: dict[str, News] = {}
        for cluster, mine in cuts.items():
            again = tuple(dict.fromkeys(cut.database for cut in mine))
            news[cluster] = News(again, tuple(mine))
        told(self, campaign, news, write, begin=True)


def told(
    backend: HasFleet,
    campaign: str,
    news: "Mapping[str, News]",
    write: Callable[[], T],
    *,
    begin: bool = False,
) -> tuple[T, list[str]]:
    """Written and told; the clusters where nothing runs."""
    from windlass.cli.temporal_orders import ordered

    ledger = backend.ledger.ledger_id()
    return asyncio.run(ordered(backend.fleet, ledger, campaign, news, write, begin=begin))


def _clusters(ledger: OperatorLedger, campaign: str, scopes: Sequence[Scope]) -> Sequence[str]:
    """The clusters that the scopes lie on; all of the campaign's for the campaign itself."""
    if any(not scope.cluster for scope in scopes):
        clusters = ledger.status(campaign).clusters
        return [one.name for one in clusters if one.state is not State.UNKNOWN]
    return sorted({scope.cluster for scope in scopes})


def _tenants(ledger: OperatorLedger, order: Order) -> Mapping[str, Sequence[str]]:
    """`{cluster: databases}` of the scopes' tenants that have something to try again."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in ledger.status(order.campaign, windows=True).tenants:
        worth = any(_worth(w) for w in one.windows if not w.replaced)
        if worth and any(_in(scope, one.cluster, one.database) for scope in order.scopes):
            found[one.cluster].append(one.database)
    return found


def _worth(window: WindowView) -> bool:
    """Parked, or published without being verified."""
    unproven = window.verdict in {Verdict.MISMATCH, Verdict.UNVERIFIED}
    return window.state is State.PARKED or (unproven and window.undone_at is None)


def _in(scope: Scope, cluster: str, database: str) -> bool:
    return scope.cluster in {"", cluster} and scope.database in {"", database}


def _close(ledger: OperatorLedger, scope: Scope) -> None:
    """No workflow of the campaign runs there: nothing is in flight that had to be proven dead."""
    if scope.window:
        ledger.group_cancelled(ledger.window(scope.window).group)
    else:
        ledger.move(scope, State.CANCELLED, "its workflow had already ended")
