"""Windows that struggle: noticed, given room, cut again; each step told in the record."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from windlass.domain.plan import Expected
from windlass.domain.states import Health, Mode
from windlass.engine.payloads import CutOrder
from windlass.planner.struggle import (
    BY_ITSELF,
    PATIENCE,
    Finding,
    Seen,
    judge,
    piece_seconds,
)
from windlass.ports.health import AtWork, HealthLedger, Sight


@dataclass(frozen=True)
class Planned:
    """What the plan says of a window: how long it should take, and what its campaign does."""

    expected: Expected | None
    mode: Mode


@dataclass
class Case:
    """A window that is not as it should be: since when, and what was done about it."""

    since: datetime
    noticed: datetime | None = None
    health: Health = Health.HEALTHY


Cut = Callable[[str, CutOrder], None]
"""Orders a cut of that campaign's."""


class Warden:
    """Looks after one cluster's windows; remembers what it saw of them.

    `planned` tells what is known of a window beforehand, `cut` orders one; `patience` is how many
    seconds a window may struggle before it is cut.
    """

    def __init__(
        self,
        cluster: str,
        ledger: HealthLedger,
        planned: Callable[[Sight], Planned],
        cut: Cut,
        patience: float = PATIENCE,
    ) -> None:
        self._cluster, self._ledger = cluster, ledger
        self._planned, self._cut, self._patience = planned, cut, patience
        self._cases: dict[str, Case] = {}

    def look(self, work: AtWork, now: datetime, *, held: bool) -> tuple[str, ...]:
        """One look at all windows that are being loaded; `held`: they are all slowed down by us.
        Returns the databases whose windows struggle."""
        seen = {one.window: one for one in work.windows}
        for gone in [name for name in self._cases if name not in seen]:
            del self._cases[gone]
        for one in work.windows:
            self._one(one, now, held)
        self._well_again(work)
        ill = [o for o in work.windows if self._health(o) is Health.STRUGGLING]
        return tuple(sorted({one.database for one in ill}))

    def forget(self) -> None:
        """Another worker looks now."""
        self._cases.clear()

    def _health(self, one: Sight) -> Health:
        case = self._cases.get(one.window)
        return case.health if case else Health.HEALTHY

    def _one(self, one: Sight, now: datetime, held: bool) -> None:
        known = self._planned(one)
        finding = judge(_seen(one, known, now, held or self._paced(one)))
        if finding.health is Health.HEALTHY:
            self._recovered(one)
            return
        case = self._cases.setdefault(one.window, Case(now))
        if (now - case.since).total_seconds() < finding.after * self._patience:
            return
        if case.health is not finding.health:
            self._notice(one, case, finding, now)
        waited = (now - (case.noticed or now)).total_seconds()
        if finding.curable and known.mode is Mode.REPLACE and waited >= self._patience:
            self._recut(one, finding)

    def _paced(self, one: Sight) -> bool:
        return bool(self._ledger.paces(one.campaign, self._cluster, one.database))

    def _notice(self, one: Sight, case: Case, finding: Finding, now: datetime) -> None:
        case.health = finding.health
        case.noticed = now if finding.health is Health.STRUGGLING else None
        of = (one.campaign, self._cluster, one.database)
        self._ledger.set_health(*of, finding.health, f"{one.window}: {finding.reason}")
        then = ""
        if finding.health is Health.STRUGGLING:
            then = "; its tenant has one window at a time until that passes"
            then += f", and it is cut again in {self._patience:.0f} s" if finding.curable else ""
        self._tell(one, str(finding.health), finding.reason + then)

    def _recovered(self, one: Sight) -> None:
        case = self._cases.pop(one.window, None)
        if case and case.health is not Health.HEALTHY:
            rate = f"{one.recent:,.0f} rows/s" if one.recent else "it moves"
            self._tell(one, "recovered", f"{rate}, {one.rows:,} of {one.rows_planned:,} rows")

    def _recut(self, one: Sight, finding: Finding) -> None:
        into = piece_seconds(one.length, one.rows_planned, one.recent or 0.0)
        del self._cases[one.window]
        order = CutOrder(one.database, one.group, one.window, into, BY_ITSELF, finding.reason)
        self._cut(one.campaign, order)

    def _well_again(self, work: AtWork) -> None:
        """A tenant is as well as the worst of its windows."""
        ill = {(o.campaign, o.database) for o in work.windows if o.window in self._cases}
        shown = {(o.campaign, o.database) for o in work.windows if o.health is not Health.HEALTHY}
        for campaign, database in sorted(shown - ill):
            self._ledger.set_health(campaign, self._cluster, database, Health.HEALTHY)

    def _tell(self, one: Sight, kind: str, text: str) -> None:
        of = (one.campaign, self._cluster, one.database)
        self._ledger.event(*of, one.window, kind, text)


def _seen(one: Sight, known: Planned, now: datetime, held: bool) -> Seen:
    return Seen(
        one.rows_planned,
        one.rows,
        (one.seen_at - one.begun_at).total_seconds(),
        (now - one.seen_at).total_seconds(),
        one.attempts,
        one.recent,
        known.expected,
        held,
    )
