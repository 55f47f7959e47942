"""The desk looks at a live table once in a while, and never judges by an old look."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.world import HandClock, cluster, days, draft, group, plan, tenant
from windlass.domain.errors import PlanChangedError
from windlass.domain.schema import TargetTable
from windlass.engine.activities.desk import Desk, TableJob
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


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    opened = open_ledger(f"sqlite:///{tmp_path}/windlass.db", HandClock())
    opened.create_campaign(draft(), plan(cluster(tenant("acme", group(DATABASE, SPAN)))))
    yield opened
    opened.close()


def jobs(desk: Desk, *, fresh: bool = False) -> list[TableJob]:
    at = TenantRef(C, "voice-prod", DATABASE)
    return desk.jobs(GroupRef(at, desk.tenant(at).groups[0].id), SPAN, (), fresh=fresh)


def desk_over(ledger: SqlLedger, server: Described) -> Desk:
    nothing: Any = None
    target: Any = server
    return Desk("voice-prod", nothing, target, ledger, HandClock())


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
