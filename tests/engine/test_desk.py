"""The desk looks at a live table once in a while, and never judges by an old look."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from tests.ledger.world import HandClock, cluster, days, draft, group, plan, tenant
from windlass.domain.errors import PlanChangedError
from windlass.domain.record import Scope
from windlass.domain.schema import TargetTable
from windlass.domain.states import State
from windlass.domain.window import Interval
from windlass.engine.activities.books import BookActivities
from windlass.engine.activities.desk import KILLED_AT_ONCE, SWEPT_AT_ONCE, Desk, TableJob
from windlass.engine.payloads import GroupRef, TenantRef
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger

C, DATABASE = "acme-jan-feb-2026", "acme_voice"
SPAN = days(0, 10)


@dataclass
class Described:
    """What a server would describe, and how often it was asked."""

    create_hash: str
    asked: list[Sequence[str]] = field(default_factory=list)

    def describe_all(
        self, databases: Sequence[str], names: Sequence[str]
    ) -> dict[tuple[str, str], TargetTable]:
        self.asked.append(names)
        return {
            (database, name): TargetTable(
                database, name, "ReplacingMergeTree", "", "", (), create_hash=self.create_hash
            )
            for database in databases
            for name in names
        }


@dataclass
class Empty:
    """A server with nothing of ours, and how much it was asked at a time between signs of life,
    which are zeros."""

    seen: list[int] = field(default_factory=list)

    def sweep(self, *asked: object) -> int:
        self.seen.append(len(asked))
        return 0

    kill = sweep

    def beat(self, *_: object) -> None:
        self.seen.append(0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    opened = open_ledger(f"sqlite:///{tmp_path}/windlass.db", HandClock())
    opened.create_campaign(draft(), plan(cluster(tenant("acme", group(DATABASE, SPAN)))))
    yield opened
    opened.close()


WINDOWS = KILLED_AT_ONCE + 1
SWEPT = [0, SWEPT_AT_ONCE] * (KILLED_AT_ONCE // SWEPT_AT_ONCE) + [0, 1]


def a_group_of_many_windows(ledger: SqlLedger) -> str:
    """Every window of it was tried."""
    length = SPAN.duration / WINDOWS
    edges = [SPAN.start + n * length for n in range(WINDOWS + 1)]
    many = group(DATABASE, *(Interval(*both) for both in pairwise(edges)))
    ledger.move(Scope(C), State.CANCELLING)
    ledger.cluster_closed(C, "voice-prod")
    ledger.create_campaign(draft("many"), plan(cluster(tenant("acme", many))))
    (planned,) = ledger.campaign_plan("many").tenants[0].groups
    for window in planned.windows:
        ledger.begin_attempt("many", window.id)
    return planned.id


def jobs(desk: Desk, *, fresh: bool = False) -> list[TableJob]:
    at = TenantRef(C, "voice-prod", DATABASE)
    return desk.jobs(GroupRef(at, desk.tenant(at).groups[0].id), SPAN, (), fresh=fresh)


def desk_over(ledger: SqlLedger, server: Described | Empty) -> Desk:
    both: Any = server
    return Desk("voice-prod", both, both, ledger, HandClock())


def test_a_table_is_described_once_for_many_windows_and_again_before_publish(
    ledger: SqlLedger,
) -> None:
    server = Described("abc")
    desk = desk_over(ledger, server)
    assert [job.live.create_hash for job in jobs(desk) + jobs(desk)] == ["abc"] * 4
    assert len(server.asked) == 1
    jobs(desk, fresh=True)
    assert len(server.asked) == 2


def test_a_table_changed_before_the_plan_is_not_judged_by_an_older_look(
    ledger: SqlLedger,
) -> None:
    server = Described("older")
    desk = desk_over(ledger, server)
    with pytest.raises(PlanChangedError):
        jobs(desk)
    server.create_hash = "abc"
    assert [job.live.create_hash for job in jobs(desk)] == ["abc", "abc"]


def test_a_table_changed_since_the_plan_is_refused(ledger: SqlLedger) -> None:
    with pytest.raises(PlanChangedError, match="changed its definition since the plan"):
        jobs(desk_over(ledger, Described("newer")))


def test_a_group_of_many_windows_is_swept_with_signs_of_life_between(ledger: SqlLedger) -> None:
    """Without them Temporal takes the silence for death, and another try begins beside it."""
    name, server = a_group_of_many_windows(ledger), Empty()
    life = ActivityEnvironment()
    life.on_heartbeat = server.beat
    life.run(desk_over(ledger, server).sweep_group, name)
    assert server.seen == SWEPT


def test_a_tenant_of_many_windows_is_cancelled_many_at_once(ledger: SqlLedger) -> None:
    """Each of them alone would be minutes in which the operator waits."""
    a_group_of_many_windows(ledger)
    server, life = Empty(), ActivityEnvironment()
    life.on_heartbeat = server.beat
    books = BookActivities(desk_over(ledger, server), 8, 2)
    life.run(books.close_cancelled, TenantRef("many", "voice-prod", DATABASE))
    killed = [0, KILLED_AT_ONCE, KILLED_AT_ONCE, 0, 1, 1]
    assert server.seen == killed + SWEPT, "on both servers, then swept"
