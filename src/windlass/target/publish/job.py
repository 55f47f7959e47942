"""One publish of one table: what every path is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.plan import GroupTable, TablePlan
from windlass.domain.schema import Removal, TargetTable
from windlass.domain.window import Interval
from windlass.ports import Pulse
from windlass.target.client import NOTHING_MORE, Server, Settings
from windlass.target.kill import statement_tag
from windlass.target.slices import View
from windlass.target.staging import StagingArea
from windlass.target.watch import watched

Facts = dict[str, int | str]


@dataclass(frozen=True)
class Job:
    """`view` is the slice, `rows` the windows' staging, `whole` the attempt's own assembly of
    them, which every statement reads: dropping it is the fence. Rows with a version after
    `newer_than` came after the snapshot and stay."""

    area: StagingArea
    view: View
    plan: TablePlan
    group: GroupTable
    rows: Sequence[Staging]
    attempt: Attempt
    pulse: Pulse
    newer_than: datetime | None = None

    @property
    def server(self) -> Server:
        """The server that everything happens on."""
        return self.area.server

    @property
    def live(self) -> TargetTable:
        """The table that readers see."""
        return self.view.live

    @property
    def tag(self) -> str:
        """What each statement carries."""
        return self.attempt.tag

    @property
    def removal(self) -> Removal:
        """How single rows leave: what the server can do now, not more than it could then."""
        return self.live.removal

    @property
    def whole(self) -> Staging:
        """The assembly of all windows' staging, owned by this publish attempt."""
        return self.own("whole")

    @property
    def edges(self) -> list[Interval]:
        """What the whole partitions leave of the slice."""
        return self.view.piece.interval.minus(self.group.whole)

    def own(self, purpose: str, part: str = "all") -> Staging:
        """A staging table of this publish attempt."""
        return Staging(self.attempt, self.live.name, purpose, part)

    def ref(self, staging: Staging) -> str:
        """Its qualified, quoted name."""
        return self.area.ref(staging)

    def over(self, ranges: Sequence[Interval]) -> "Job":
        """The same job over other ranges of the slice."""
        return replace(self, view=replace(self.view, ranges=tuple(ranges)))

    @property
    def copied(self) -> bool:
        """Whether live copies itself to other replicas."""
        return copied(self.live)

    def unless_given_up(self, condition: str) -> str:
        """The condition, in a statement that fails once this attempt was given up."""
        return f"{condition} AND (SELECT count() FROM {self.ref(self.whole)}) >= 0"

    def fence(self) -> None:
        """StagingGoneError when this attempt was given up."""
        self.area.require([self.whole])

    def run(self, sql: str, settings: Settings = NOTHING_MORE) -> None:
        """One statement, under watch: it can be stopped, and is then proven dead."""
        tag = statement_tag(self.tag)
        self._watched(tag, lambda: self.server.run(sql, tag, settings))

    def value(self, sql: str, settings: Settings = NOTHING_MORE) -> int:
        """The one number that a SELECT gives, under watch."""
        tag, found = statement_tag(self.tag), list[int]()
        self._watched(
            tag, lambda: found.append(int(self.server.value(sql, tag, settings=settings) or 0))
        )
        return found[0]

    def _watched(self, tag: str, work: Callable[[], None]) -> None:
        watched(self.server, tag, work, self.pulse)


def copied(live: TargetTable) -> bool:
    """Whether the table copies itself to other replicas."""
    return live.engine.startswith(("Replicated", "Shared"))
