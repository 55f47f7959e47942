"""The engine's side of undo over a real target and a real ledger: kept once, undone once, swept."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path as File
from typing import Any, cast

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from tests.ledger.world import HandClock
from tests.target.bench import Bench, ignore, span
from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.errors import NotKeptError, StagingGoneError, WindlassError
from windlass.domain.plan import (
    ClusterPlan,
    GroupPlan,
    GroupTable,
    Plan,
    Request,
    TenantPlan,
    WindowPlan,
)
from windlass.domain.record import CampaignDraft
from windlass.domain.results import Digest
from windlass.domain.schema import TargetTable
from windlass.domain.states import Path, Verdict
from windlass.domain.tenant import Tenant
from windlass.domain.undo import KeptTable, UndoOrder
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.keep import Keeper
from windlass.engine.activities.tidy import Tidy
from windlass.engine.activities.undo import UndoActivities
from windlass.engine.payloads import GroupRef, TenantRef
from windlass.engine.payloads.orders import UndoInput, UndoStep
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger
from windlass.ports import Pulse, Source
from windlass.target.clickhouse import ClickHouseTarget

FEB = span("2026-02-01", "2026-03-01")
ALL = "k, x, toString(t), toString(v)"
ORDER = UndoOrder("order-1", "jo@desk", "wrong range")
C = "items-feb-2026"


class NoSource:
    """A source on which nothing of ours ever runs."""

    def running(self, attempt: Attempt) -> int:
        return 0

    def kill(self, *attempts: Attempt) -> int:
        return 0


class Target(ClickHouseTarget):
    """The real one, where something can be made to happen around a step."""

    def __init__(self, real: ClickHouseTarget, owner: str) -> None:
        self._server, self._area = real._server, real._area
        self._area.owner = owner
        self.after_keep: Callable[[], None] = lambda: None
        self.after_restore: Callable[[], None] = lambda: None

    def keep(
        self, live: TargetTable, piece: Slice, group: GroupTable, attempt: Attempt, pulse: Pulse
    ) -> KeptTable:
        found = super().keep(live, piece, group, attempt, pulse)
        self.after_keep()
        return found

    def restore(
        self,
        live: TargetTable,
        piece: Slice,
        group: GroupTable,
        kept: KeptTable,
        attempt: Attempt,
        pulse: Pulse,
    ) -> Mapping[str, int]:
        found = super().restore(live, piece, group, kept, attempt, pulse)
        self.after_restore()
        return found


class Killed(Exception):
    """The worker died here."""


@dataclass
class Undoing:
    """A campaign of one group over February of the bench's table, in a ledger of its own."""

    bench: Bench
    target: Target
    ledger: SqlLedger
    clock: HandClock
    desk: Desk

    @property
    def group(self) -> str:
        return f"{C}/{self.bench.database}/group-{FEB}"

    @property
    def window(self) -> str:
        return f"{C}/{self.bench.database}/{FEB}"

    @property
    def ref(self) -> GroupRef:
        return GroupRef(self.tenant, self.group)

    @property
    def tenant(self) -> TenantRef:
        return TenantRef(C, "voice-prod", self.bench.database)

    def keep(self, attempt: Attempt | None = None, *, tries: int = 1) -> None:
        """As the publish activity does before it publishes."""
        jobs = self.desk.jobs(self.ref, FEB, ())
        one = attempt or self.begin()
        env = ActivityEnvironment()
        env.info = replace(env.info, attempt=tries)
        env.run(Keeper(self.desk).before, self.ref, jobs, one, ignore)

    def begin(self) -> Attempt:
        return Attempt(C, self.group, self.ledger.begin_attempt(C, self.group))

    def publish(self, *rows: tuple[Any, ...], settle: bool = True) -> None:
        """Mark, swap, settle."""
        attempt = self.begin()
        self.ledger.step_begin(self.group, attempt.number, self.bench.table, "publish")
        self.bench.publish(Path.SWAP, FEB, self.bench.stage(*rows))
        if settle:
            jobs = self.desk.jobs(self.ref, FEB, ())
            Keeper(self.desk).after(self.ref, jobs, {}, attempt, ignore)
            self.ledger.group_done(self.group, [], Verdict.VERIFIED, len(rows))

    def undo(self, order: UndoOrder = ORDER) -> str:
        """As the workflow does."""
        activities, env = UndoActivities(self.desk), ActivityEnvironment()
        env.run(
            activities.check, UndoInput(self.tenant, self.ledger.ledger_id(), (self.group,), order)
        )
        return ActivityEnvironment().run(activities.undo, UndoStep(self.tenant, self.group, order))

    def kept(self) -> list[str]:
        """Kept tables of this campaign on the server."""
        found = self.target.leftovers()
        return [one.name for one in found if one.kept and one.subject == self.group]


@pytest.fixture
def undoing(bench: Bench, tmp_path: File) -> Iterator[Undoing]:
    bench.create(partition="toDate(t)")
    bench.put((9, "january", "2026-01-31T23:59:59.999999", "2026-02-04"))
    bench.put((1, "older", "2026-02-03", "2026-02-01"), (2, "stale", "2026-02-04", "2026-02-04"))
    bench.put((1, "old", "2026-02-03", "2026-02-03"), (3, "third", "2026-02-28", "2026-02-04"))
    clock = HandClock()
    ledger = open_ledger(f"sqlite:///{tmp_path}/windlass.db", clock)
    target = Target(bench.target, ledger.ledger_id())
    ledger.create_campaign(CampaignDraft(C, C, "jo@desk"), plan(bench))
    source = cast(Source, NoSource())
    desk = Desk("voice-prod", source, target, ledger, clock, timedelta(days=7))
    made = Undoing(bench, target, ledger, clock, desk)
    yield made
    for found in target.leftovers():
        if found.subject.startswith(f"{C}/{bench.database}/"):
            target.drop_leftover(found)
    ledger.close()


def plan(bench: Bench) -> Plan:
    piece = bench.piece(FEB)
    whole = tuple(bench.target.whole_ranges(bench.live, bench.time, FEB) or ())
    tenant = Tenant("voice-prod", "acme", "", bench.database)
    window = WindowPlan(f"{bench.database}/{FEB}", FEB, 2)
    tables = (GroupTable(bench.table, Path.SWAP, whole),)
    group = GroupPlan(f"{bench.database}/group-{FEB}", (window,), tables)
    one = TenantPlan(tenant, {}, {}, {}, {}, (bench.plan(Path.IN_PLACE),), (group,))
    request = Request(piece.dataset, ("voice-prod",), ("acme",), FEB)
    return Plan(request, (ClusterPlan("voice-prod", (one,)),), "world", HandClock().now())


NEW = ((1, "new", "2026-02-03", "2026-02-05"), (5, "five", "2026-02-09", "2026-02-09"))


def test_a_repeat_never_keeps_what_the_first_try_published(undoing: Undoing) -> None:
    seen = undoing.bench.seen(ALL)
    undoing.keep()
    first = undoing.ledger.kept(undoing.group)
    undoing.publish(*NEW, settle=False)
    undoing.keep()
    assert undoing.ledger.kept(undoing.group) == first
    undoing.publish(*NEW)
    assert undoing.undo().startswith("items: 3 partitions put back, 1 dropped")
    assert undoing.bench.seen(ALL) == seen


def test_a_try_killed_between_keep_and_record_is_followed_by_an_exact_one(
    undoing: Undoing,
) -> None:
    def die() -> None:
        raise Killed

    undoing.target.after_keep = die
    with pytest.raises(Killed):
        undoing.keep()
    assert undoing.ledger.kept(undoing.group) == []
    undoing.target.after_keep = lambda: None
    undoing.keep()
    (record,) = undoing.ledger.kept(undoing.group)
    assert sum(one.rows for one in record.kept.before.values()) == 3
    assert len(undoing.kept()) == 2
    orphans = {one.name for one in Tidy(undoing.desk).orphans()} & set(undoing.kept())
    assert orphans == set(undoing.kept()) - {record.kept.name}


def test_a_zombie_that_keeps_late_changes_nothing(undoing: Undoing) -> None:
    """It sleeps after the look into the ledger; meanwhile another try keeps and publishes."""
    seen, zombie = undoing.bench.seen(ALL), undoing.begin()

    def meanwhile() -> None:
        undoing.target.after_keep = lambda: None
        undoing.keep()
        undoing.publish(*NEW)

    undoing.target.after_keep = meanwhile
    with pytest.raises(StagingGoneError, match="overtaken"):
        undoing.keep(zombie)
    undoing.undo()
    assert undoing.bench.seen(ALL) == seen


def test_what_a_publish_had_begun_before_is_not_kept_as_old(undoing: Undoing) -> None:
    undoing.publish(*NEW, settle=False)
    undoing.keep()
    (record,) = undoing.ledger.kept(undoing.group)
    assert "publishing had begun" in record.why_not
    assert undoing.kept() == []
    with pytest.raises(ApplicationError, match="cannot be undone"):
        undoing.undo()


def test_what_cannot_be_kept_is_said_and_the_publish_goes_on(undoing: Undoing) -> None:
    def fail() -> None:
        raise NotKeptError("what is replaced is not kept", why="a mutation is unfinished")

    undoing.target.after_keep = fail
    undoing.keep()
    (record,) = undoing.ledger.kept(undoing.group)
    assert record.why_not == "a mutation is unfinished"
    assert [one.kind for one in undoing.ledger.events(C)] == ["no undo"]


def test_undo_is_refused_where_live_changed_and_nothing_is_touched(undoing: Undoing) -> None:
    undoing.keep()
    undoing.publish(*NEW)
    undoing.bench.put((5, "by hand", "2026-02-09", "2026-02-10"))
    changed = undoing.bench.seen(ALL)
    with pytest.raises(ApplicationError, match="live changed") as caught:
        undoing.undo()
    assert "1 rows now, 1 when the campaign had published, others" in str(caught.value)
    assert undoing.bench.seen(ALL) == changed
    assert undoing.ledger.undo(undoing.group) is None
    undoing.undo(replace(ORDER, force=True))
    assert undoing.bench.seen() == [(1, "old"), (2, "stale"), (3, "third"), (9, "january")]


def test_a_publish_that_never_settled_wants_force(undoing: Undoing) -> None:
    seen = undoing.bench.seen(ALL)
    undoing.keep()
    undoing.publish(*NEW, settle=False)
    with pytest.raises(ApplicationError, match="live changed"):
        undoing.undo()
    undoing.undo(replace(ORDER, force=True))
    assert undoing.bench.seen(ALL) == seen


def test_an_undo_killed_before_its_record_is_finished_by_the_next(undoing: Undoing) -> None:
    seen = undoing.bench.seen(ALL)
    undoing.keep()
    undoing.publish(*NEW)

    def die() -> None:
        undoing.target.after_restore = lambda: None
        raise Killed

    undoing.target.after_restore = die
    with pytest.raises(Killed):
        undoing.undo()
    begun = undoing.ledger.undo(undoing.group)
    assert begun is not None
    assert begun.ended_at is None
    undoing.clock.turn(8 * 86400)
    assert Tidy(undoing.desk).expire() == 0  # an undo at work keeps what it needs
    undoing.undo(replace(ORDER, id="order-2"))
    assert undoing.bench.seen(ALL) == seen
    assert undoing.kept() == []
    assert undoing.undo().startswith("undone already")


def test_a_table_made_anew_is_not_overwritten(undoing: Undoing) -> None:
    undoing.keep()
    undoing.publish(*NEW)
    undoing.bench.create(partition="toDate(t)", extra=", more UInt8 DEFAULT 1")
    with pytest.raises(ApplicationError, match="definition"):
        undoing.undo()


def test_retention_drops_what_is_older_and_keeps_what_is_younger(undoing: Undoing) -> None:
    undoing.keep()
    undoing.publish(*NEW)
    tidy = Tidy(undoing.desk)
    undoing.clock.turn(7 * 86400 - 60)
    assert tidy.expire() == 0
    assert len(undoing.kept()) == 1
    level, what, _ = tidy.findings()[0]
    assert (level, "1 tables are kept for undo" in what) == ("ok", True)
    undoing.clock.turn(120)
    assert tidy.expire() == 1
    assert undoing.kept() == []
    with pytest.raises(ApplicationError, match="not kept, or not any more"):
        undoing.undo()


def test_a_group_still_at_work_keeps_what_it_replaced_for_however_long(undoing: Undoing) -> None:
    undoing.keep()
    undoing.clock.turn(30 * 86400)
    assert Tidy(undoing.desk).expire() == 0
    assert len(undoing.kept()) == 1


def test_orphans_are_those_of_nobody_alive_and_of_no_other_ledger(undoing: Undoing) -> None:
    tidy = Tidy(undoing.desk)

    def stage(subject: str, number: int, owner: str) -> str:
        undoing.target._area.owner = owner
        staging = Staging(Attempt(C, subject, number), undoing.bench.table)
        undoing.target.stage(undoing.bench.live, staging)
        return staging.name

    ours = undoing.ledger.ledger_id()
    for _ in range(2):
        undoing.ledger.begin_attempt(C, undoing.window)
    live = stage(undoing.window, 2, ours)
    dead = stage(undoing.window, 1, ours)
    gone = stage(f"{C}/{undoing.bench.database}/unknown", 1, ours)
    theirs = stage(f"{C}/{undoing.bench.database}/unknown", 2, "another-ledger")
    mine = {live, dead, gone, theirs}
    assert {one.name for one in tidy.orphans()} & mine == {dead, gone}
    assert {one.name for one in tidy.others()} & mine == {theirs}
    asked = [("table", live), ("table", dead), ("table", theirs), ("table", "items")]
    assert [one.name for one in tidy.clean(asked)] == [dead]
    undoing.ledger.group_done(undoing.group, [], Verdict.VERIFIED, 1)
    assert tidy.sweep(C) == 2
    assert {one.name for one in undoing.target.leftovers()} & mine == {theirs}


def test_errors_are_of_the_tree() -> None:
    assert issubclass(NotKeptError, WindlassError)


@pytest.mark.parametrize("as_staged", [True, False])
def test_what_was_staged_is_recorded_and_looked_at_again_where_live_is_more(
    undoing: Undoing, as_staged: bool
) -> None:
    bench, keeper = undoing.bench, Keeper(undoing.desk)
    undoing.keep()
    (job,) = undoing.desk.jobs(undoing.ref, FEB, ())
    job = replace(job, rows=(bench.stage(*NEW),))
    digests, expected = keeper.proofs(undoing.ref, job, undoing.begin(), ignore)
    assert [one.rows for one in digests] == [2]
    assert expected is not None
    bench.publish(Path.SWAP, FEB, *job.rows)
    bench.put((7, "late", "2026-02-11", "2026-02-12"))
    known = {bench.table: expected} if as_staged else {}
    keeper.after(undoing.ref, [job], known, undoing.begin(), ignore)
    (record,) = undoing.ledger.kept(undoing.group)
    assert record.after is not None
    assert sum(one.rows for one in record.after.values()) == (2 if as_staged else 3)


def test_nothing_is_recorded_of_a_table_that_was_not_kept(undoing: Undoing) -> None:
    (job,) = undoing.desk.jobs(undoing.ref, FEB, ())
    expected = {undoing.bench.table: {"20260203": Digest(1)}}
    Keeper(undoing.desk).after(undoing.ref, [job], expected, undoing.begin(), ignore)
    assert undoing.ledger.kept(undoing.group) == []


def test_without_undo_nobody_asks_how_live_will_look(undoing: Undoing) -> None:
    (job,) = undoing.desk.jobs(undoing.ref, FEB, ())
    job = replace(job, rows=(undoing.bench.stage(*NEW),))
    undoing.desk.undo_retention = timedelta(0)
    digests, expected = Keeper(undoing.desk).proofs(undoing.ref, job, undoing.begin(), ignore)
    assert [one.rows for one in digests] == [2]
    assert expected is None
