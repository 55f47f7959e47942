"""A survey's look at both servers: all in order, and held windows proven whatever it takes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset, Slice, TableSpec, TenantColumns
from windlass.domain.errors import PlanError
from windlass.domain.results import Evidence, SliceCount, Tally
from windlass.domain.schema import TargetTable
from windlass.domain.states import Mode
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.looker import Held, Looker, TableJob, TenantJob, still_held
from windlass.ports import Ask, Census, HeldCounts, HeldRecord

START = datetime(2026, 1, 1, tzinfo=UTC)
RANGE = Interval(START, START + timedelta(days=50))
MARK = Interval(START, START + timedelta(days=10))
SPEC = TableSpec("score", "app.scores", "t", ("k",), tenant=TenantColumns("c"))
DATA = Dataset("d", (SPEC, replace(SPEC, name="card")))


@dataclass
class Servers:
    """Both servers: each tenant's rows are its number; marks hold a tenth."""

    evidence: Evidence = Evidence.COUNTED
    foreign: str = ""
    counted_alone: list[Interval] = field(default_factory=list)
    asked_whole: list[str] = field(default_factory=list)

    @contextmanager
    def counting(self, attempt: Attempt) -> Iterator["Servers"]:
        yield self

    def tallies(
        self, slices: Sequence[Slice], step: timedelta, marks: Sequence[Interval], seconds: float
    ) -> list[Tally]:
        rows = int(slices[0].tenant.customer)
        exact = self.evidence is Evidence.COUNTED
        of_marks = tuple(SliceCount(rows // 10, max_version="v") for _ in marks) if exact else ()
        return [Tally(SliceCount(rows), {}, of_marks, evidence=self.evidence) for _ in slices]

    def count(self, piece: Slice, pairs: object, attempt: Attempt, snapshot: None) -> SliceCount:
        self.counted_alone.append(piece.interval)
        return SliceCount(int(piece.tenant.customer) // 10, max_version="v")

    def census(self, asks: Sequence[Ask], attempt: Attempt) -> list[Census]:
        return [self._census(ask) for ask in asks]

    def _census(self, ask: Ask) -> Census:
        rows = int(ask.live.database)
        return [rows, *(rows // 10 for _ in ask.marks)], int(ask.live.database == self.foreign)

    def examine(
        self, tables: Sequence[tuple[TargetTable, str]], within: Interval
    ) -> list[list[str]]:
        return [[f"{live.database}.{live.name}"] for live, _ in tables]

    def whole_ranges(self, live: TargetTable, time: str, within: Interval) -> list[Interval]:
        self.asked_whole.append(live.partition_key)
        return []


def job(customer: int, held: Mapping[str, HeldCounts] | None = None, void: str = "") -> TenantJob:
    tenant = Tenant("c", str(customer), "", str(customer))
    tables = tuple(
        TableJob(
            Slice(DATA, spec, tenant, RANGE),
            TargetTable(str(customer), spec.name, "MergeTree", "toYYYYMM(t)", "k", ()),
            (),
            (),
        )
        for spec in DATA.tables
    )
    record = HeldRecord("before", MARK, "definition", held or {})
    return TenantJob(tenant, tables, (Held(record, void),) if held else ())


def looker(servers: Servers) -> Looker:
    desk = cast(Desk, SimpleNamespace(source=servers, target=servers))
    return Looker(desk, Attempt("", "plan/x", 1), lambda _: None, Mode.REPLACE)


HOLDS = {name: HeldCounts(7, "v", 7) for name in ("score", "card")}


def test_every_table_gets_its_own_figures_though_many_are_asked_at_once() -> None:
    servers = Servers()
    found = looker(servers).look([job(n) for n in range(1, 8)])
    assert [[s.tally.count.kept for s in of] for of in found] == [[n, n] for n in range(1, 8)]
    assert [[s.before for s in of] for of in found] == [[n, n] for n in range(1, 8)]
    hints = [hint for of in found for s in of for hint in s.found]
    assert hints == [f"{n}.{name}" for n in range(1, 8) for name in ("score", "card")]
    assert len(servers.asked_whole) <= 2, "tables that are partitioned alike are asked about once"


@pytest.mark.parametrize("evidence", list(Evidence))
def test_held_windows_are_proven_by_counts_never_by_estimates(evidence: Evidence) -> None:
    servers, one = Servers(evidence), job(70, HOLDS)
    (seen,) = looker(servers).look([one])
    assert [held.holds for held in still_held(one, seen)] == [True]
    assert servers.counted_alone == ([] if evidence is Evidence.COUNTED else [MARK, MARK])


@pytest.mark.parametrize(
    ("customer", "counts", "why"),
    [
        (80, HeldCounts(7, "v", 8), "the source of score changed since"),
        (70, HeldCounts(7, "w", 7), "the source of score changed since"),
        (70, HeldCounts(7, "v", 6), "live score holds 7 rows, 6 then"),
    ],
)
def test_what_changed_holds_no_more(customer: int, counts: HeldCounts, why: str) -> None:
    one = job(customer, HOLDS | {"score": counts})
    (seen,) = looker(Servers()).look([one])
    (held,) = still_held(one, seen)
    assert (held.holds, held.reason) == (False, why)


def test_what_cannot_hold_is_not_counted() -> None:
    servers, one = Servers(Evidence.SAMPLED), job(70, HOLDS, "undone since")
    (seen,) = looker(servers).look([one])
    (held,) = still_held(one, seen)
    assert (held.holds, held.reason, servers.counted_alone) == (False, "undone since", [])


def test_rows_of_another_tenant_refuse_the_plan() -> None:
    with pytest.raises(PlanError, match="1 live rows in the range belong to another tenant"):
        looker(Servers(foreign="3")).look([job(n) for n in range(1, 5)])


def test_nobody_is_looked_at() -> None:
    assert looker(Servers()).look([]) == []
