"""Cutting again, and sharing out: pure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.ledger.world import days, group, tenant
from windlass.domain.errors import RefusedError, UsageError
from windlass.domain.states import Mode
from windlass.engine.activities.cutting import cut
from windlass.engine.activities.pace import LOADING, Ceilings, Pace, Paces
from windlass.planner.shares import shares

DATABASE = "acme_voice"


def test_pieces_that_a_partition_binds_stay_together() -> None:
    whole = group(DATABASE, days(0, 10), rows=1000)
    (made,) = cut(tenant("acme", whole), whole, Mode.REPLACE, into=timedelta(days=3))
    assert [w.interval for w in made.windows] == [
        days(0, 3),
        days(3, 6),
        days(6, 9),
        days(9, 10),
    ]
    assert [w.rows for w in made.windows] == [300, 300, 300, 100]
    assert made.id == whole.id


def test_pieces_end_where_partitions_do() -> None:
    whole = group(DATABASE, days(0, 10), rows=1000)
    parts = (days(0, 4), days(4, 10))
    whole = replace(whole, tables=tuple(replace(t, whole=parts) for t in whole.tables))
    made = cut(tenant("acme", whole), whole, Mode.REPLACE, into=timedelta(days=5))
    assert [[w.interval for w in one.windows] for one in made] == [
        [days(0, 4)],
        [days(4, 5), days(5, 10)],
    ]


def test_one_window_is_cut_and_its_neighbours_stay() -> None:
    whole = group(DATABASE, days(0, 5), days(5, 10), rows=600)
    target = whole.windows[1].id
    (made,) = cut(tenant("acme", whole), whole, Mode.REPLACE, window=target, rate=0.5)
    assert made.windows[0] == whole.windows[0]
    assert sum(w.rows for w in made.windows[1:]) == 600
    assert len(made.windows) == 3


@pytest.mark.parametrize("into", [timedelta(days=10), timedelta(seconds=30), timedelta(days=30)])
def test_what_changes_nothing_or_is_too_small_is_refused(into: timedelta) -> None:
    whole = group(DATABASE, days(0, 10))
    with pytest.raises(RefusedError):
        cut(tenant("acme", whole), whole, Mode.REPLACE, into=into)


def test_more_pieces_than_become_visible_together_are_refused() -> None:
    whole = group(DATABASE, days(0, 10), days(10, 20), days(20, 30))
    whole = replace(whole, tables=tuple(replace(t, whole=(days(0, 30),)) for t in whole.tables))
    with pytest.raises(UsageError, match="2,880 windows") as refused:
        cut(tenant("acme", whole), whole, Mode.REPLACE, into=timedelta(minutes=15))
    assert refused.value.next_step == "give a longer --into"


@pytest.mark.parametrize(
    ("caps", "total", "given"),
    [
        ({"a": 2, "b": 2}, 8, {"a": 2, "b": 2}),
        ({"a": 2, "b": 2, "c": 2}, 4, {"a": 2, "b": 1, "c": 1}),
        ({"a": 6, "b": 1}, 4, {"a": 3, "b": 1}),
        ({"a": 2, "b": 2}, 1, {"a": 1, "b": 0}),
        ({}, 3, {}),
    ],
)
def test_a_small_tenant_never_waits_behind_a_huge_one(
    caps: dict[str, int], total: int, given: dict[str, int]
) -> None:
    assert shares(caps, total) == given


class Wall:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += seconds


def test_an_operators_ceiling_holds_and_is_lifted_while_a_load_waits() -> None:
    wall, told = Wall(), {"c": 10}
    paces = Paces(Pace(None), lambda rate: Pace(rate, wall.now, wall.pause))
    token = LOADING.set(Ceilings(lambda: dict(told), wall.now))
    try:
        paces.read(100, lambda: None)
        assert wall.at == pytest.approx(10, abs=0.5)

        def lift() -> None:
            if wall.at > 15:
                told.clear()

        paces.read(10_000, lift)
        assert wall.at < 17, "a thousand seconds were owed, and let off"
    finally:
        LOADING.reset(token)
