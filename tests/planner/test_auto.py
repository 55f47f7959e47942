"""What `--window auto` gives an operator: few windows, and undo wherever partitions are whole."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from windlass.domain.dataset import Dataset, TableSpec, TenantColumns
from windlass.domain.plan import Request, TenantPlan
from windlass.domain.results import Bucket, SliceCount
from windlass.domain.schema import TargetTable
from windlass.domain.states import Mode, Path
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval
from windlass.planner.build import TableFacts, tenant_plan
from windlass.planner.undo import why_no_undo

DAY = timedelta(days=1)
TABLE = TableSpec("score", "app.scores", "t", ("k",), "v", tenant=TenantColumns("c"))


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def planned(
    whole: Interval, partitions: list[Interval], *, rows: int = 500, **request: Any
) -> TenantPlan:
    """A plan of one table with so many rows a day, of which these partitions lie in the range."""
    live = TargetTable("acme", "score", "ReplacingMergeTree", "p", "k", (), version="v")
    days = -(-whole.duration // DAY)
    facts = TableFacts(
        spec=TABLE,
        live=live,
        columns=(),
        left_out=(),
        whole=tuple(partitions),
        count=SliceCount(rows * days),
        before=rows * days,
        null_time=0,
    )
    buckets = [
        Bucket(Interval(start, start + timedelta(hours=1)), {"score": rows})
        for start in (whole.start + n * DAY for n in range(days))
    ]
    asked = Request(Dataset("d", (TABLE,)), ("c",), ("acme",), whole, **request)
    return tenant_plan(asked, Tenant("c", "acme", "", "acme"), [facts], buckets)


def ranges(plan: TenantPlan) -> list[str]:
    return [str(group.interval) for group in plan.groups]


JANUARY, FEBRUARY = Interval(at(1, 1), at(2, 1)), Interval(at(2, 1), at(3, 1))


def test_a_whole_month_is_undone_by_itself_whatever_hangs_over() -> None:
    plan = planned(Interval(at(1, 1), at(2, 20)), [JANUARY])
    assert ranges(plan) == ["20260101-20260201", "20260201-20260220"]
    assert [why_no_undo(group) == "" for group in plan.groups] == [True, False]
    assert [group.tables[0].path for group in plan.groups] == [Path.SWAP, Path.IN_PLACE]


def test_both_edges_stand_alone() -> None:
    plan = planned(Interval(at(1, 10), at(3, 20)), [FEBRUARY])
    assert ranges(plan) == ["20260110-20260201", "20260201-20260301", "20260301-20260320"]


def test_many_small_partitions_stay_one_group() -> None:
    """A small tenant whose table is partitioned by day: three groups, not fifty."""
    days = [Interval(at(1, 1) + n * DAY, at(1, 1) + (n + 1) * DAY) for n in range(1, 50)]
    plan = planned(Interval(at(1, 1, 6), at(2, 19, 18)), days[:48])
    assert len(plan.groups) == 3
    assert [why_no_undo(group) == "" for group in plan.groups] == [False, True, False]
    assert len(planned(Interval(at(1, 2), at(2, 19)), days[:48]).groups) == 1


def test_where_nothing_is_whole_nothing_is_cut() -> None:
    assert len(planned(Interval(at(1, 5), at(2, 20)), []).groups) == 1


def test_append_publishes_by_rows_and_is_not_cut() -> None:
    plan = planned(Interval(at(1, 1), at(2, 20)), [JANUARY], mode=Mode.APPEND)
    assert len(plan.windows) == 1


@pytest.mark.parametrize(
    ("request_", "cuts"),
    [({"window": "none"}, 1), ({"window": "30d"}, 2), ({"parts": 1}, 1), ({"parts": 2}, 2)],
)
def test_windows_that_were_asked_for_keep_their_edges(request_: dict[str, Any], cuts: int) -> None:
    plan = planned(Interval(at(1, 1), at(2, 20)), [JANUARY], **request_)
    assert len(plan.windows) == cuts
    assert at(2, 1) not in {window.interval.start for window in plan.windows}


def test_large_tenants_get_windows_of_equal_volume_on_either_side() -> None:
    plan = planned(Interval(at(1, 1), at(2, 20)), [JANUARY], rows=100_000)
    sizes = [window.rows for window in plan.windows]
    assert at(2, 1) in {window.interval.start for window in plan.windows}
    assert max(sizes) < 1.4 * min(sizes)
