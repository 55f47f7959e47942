"""Windows that struggle: noticed, given room and smaller blocks, cut again; each step told in the
record, with what was seen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from windlass.domain.blocks import BYTES, USUAL
from windlass.domain.plan import Expected
from windlass.domain.record import Scope
from windlass.domain.states import Health, Mode
from windlass.domain.words import duration, volume
from windlass.engine.payloads import CutOrder
from windlass.planner.struggle import (
    BY_ITSELF,
    PATIENCE,
    SMALLER,
    Finding,
    Seen,
    cures,
    judge,
    piece_seconds,
)
from windlass.ports.health import AtWork, HealthLedger, Sight

CARRIED_OUT = 60.0
"""Seconds that a cut may take: what is in flight is killed and proven dead before it."""


@dataclass(frozen=True)
class Planned:
    """What the plan says of a window: how long it should take, and what its campaign does."""

    expected: Expected | None
    mode: Mode


@dataclass(frozen=True)
class Care:
    """What tenants get whose windows struggle: `spared` databases one window at a time, `blocks`
    by how much smaller blocks than usual."""

    spared: tuple[str, ...] = ()
    blocks: tuple[tuple[str, int], ...] = ()


@dataclass
class Case:
    """A window that is not as it should be: since when, since when it is known to struggle, and
    when a cut was ordered last, which takes a while to be carried out."""

    since: datetime
    noticed: datetime | None = None
    cut_at: datetime | None = None
    health: Health = Health.HEALTHY


@dataclass
class Chart:
    """What was seen of the windows and done for them. Smaller blocks outlast the case: a window
    that recovers with them keeps them until it is loaded."""

    cases: dict[str, Case] = field(default_factory=dict)
    cured: dict[str, int] = field(default_factory=dict)

    def only(self, windows: set[str]) -> None:
        """Forget all others."""
        self.cases = {name: one for name, one in self.cases.items() if name in windows}
        self.cured = {name: one for name, one in self.cured.items() if name in windows}

    def health(self, window: str) -> Health:
        """How it fares."""
        case = self.cases.get(window)
        return case.health if case else Health.HEALTHY

    def divisor(self, window: str) -> int:
        """By how much smaller its blocks are."""
        return int(SMALLER ** self.cured.get(window, 0))


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
        self._chart = Chart()

    def look(self, work: AtWork, now: datetime, *, held: bool) -> Care:
        """One look at all windows that are being loaded; `held`: they are all slowed down by us.
        Returns what the tenants get whose windows struggle."""
        self._chart.only({one.window for one in work.windows})
        for one in work.windows:
            self._one(one, now, held)
        self._well_again(work)
        return self._care(work)

    def _care(self, work: AtWork) -> Care:
        health = self._chart.health
        ill = {o.database for o in work.windows if health(o.window) is Health.STRUGGLING}
        sizes: dict[str, int] = {}
        for one in work.windows:
            size = max(sizes.get(one.database, USUAL), self._chart.divisor(one.window))
            sizes[one.database] = size
        smaller = ((name, size) for name, size in sorted(sizes.items()) if size > USUAL)
        return Care(tuple(sorted(ill)), tuple(smaller))

    def forget(self) -> None:
        """Another worker looks now."""
        self._chart = Chart()

    def _one(self, one: Sight, now: datetime, held: bool) -> None:
        known = self._planned(one)
        finding = judge(_seen(one, known, now, held or self._paced(one)))
        if finding.health is Health.HEALTHY:
            self._recovered(one)
            return
        case = self._chart.cases.setdefault(one.window, Case(now))
        if (now - case.since).total_seconds() < finding.after * self._patience:
            return
        if case.health is not finding.health:
            self._notice(one, case, finding, now)
        if finding.health is Health.STRUGGLING:
            self._treat(one, case, finding, known, now)

    def _paced(self, one: Sight) -> bool:
        return bool(self._ledger.paces(one.campaign, self._cluster, one.database))

    def _notice(self, one: Sight, case: Case, finding: Finding, now: datetime) -> None:
        case.health = finding.health
        case.noticed = now if finding.health is Health.STRUGGLING else None
        of = (one.campaign, self._cluster, one.database)
        self._ledger.set_health(*of, finding.health, f"{one.window}: {finding.reason}")
        self._tell(one, str(finding.health), finding.reason)
        if case.noticed:
            ends = ("as many windows at once as its limits allow", "one window at a time")
            self._did(one, "back off", finding, *ends)

    def _treat(
        self, one: Sight, case: Case, finding: Finding, known: Planned, now: datetime
    ) -> None:
        """Smaller blocks first, which disturb nothing; then smaller windows."""
        again = max(self._patience, CARRIED_OUT)
        if case.cut_at and (now - case.cut_at).total_seconds() < again:
            return
        waited = (now - (case.noticed or now)).total_seconds()
        before = volume(BYTES // self._chart.divisor(one.window))
        due = cures(finding, waited, self._patience)
        if due > self._chart.cured.get(one.window, 0):
            self._chart.cured[one.window] = due
            after = volume(BYTES // self._chart.divisor(one.window))
            ends = (f"blocks of {before}", f"blocks of {after}")
            self._did(one, "smaller blocks", finding, *ends)
        if finding.curable and known.mode is Mode.REPLACE and waited >= self._patience:
            case.cut_at = now
            self._recut(one, finding)

    def _recovered(self, one: Sight) -> None:
        case = self._chart.cases.pop(one.window, None)
        if case and case.health is not Health.HEALTHY:
            rate = f"{one.recent:,.0f} rows/s" if one.recent else "it moves"
            self._tell(one, "recovered", f"{rate}, {one.rows:,} of {one.rows_planned:,} rows")

    def _recut(self, one: Sight, finding: Finding) -> None:
        into = piece_seconds(one.length, one.rows_planned, one.recent or 0.0)
        ends = (f"a window of {duration(one.length)}", f"windows of {duration(into)}")
        self._did(one, "cut", finding, *ends)
        order = CutOrder(one.database, one.group, one.window, into, BY_ITSELF, finding.reason)
        self._cut(one.campaign, order)

    def _well_again(self, work: AtWork) -> None:
        """A tenant is as well as the worst of its windows."""
        cases = self._chart.cases
        ill = {(o.campaign, o.database) for o in work.windows if o.window in cases}
        shown = {(o.campaign, o.database) for o in work.windows if o.health is not Health.HEALTHY}
        for campaign, database in sorted(shown - ill):
            self._ledger.set_health(campaign, self._cluster, database, Health.HEALTHY)

    def _tell(self, one: Sight, kind: str, text: str) -> None:
        of = (one.campaign, self._cluster, one.database)
        self._ledger.event(*of, one.window, kind, text)

    def _did(self, one: Sight, verb: str, finding: Finding, before: str, after: str) -> None:
        scope = Scope(one.campaign, self._cluster, one.database, one.window)
        self._ledger.action(scope, verb, BY_ITSELF, finding.reason, before, after)


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
