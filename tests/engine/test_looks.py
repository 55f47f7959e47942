"""Keys that differ: mended and looked at again, in flight told apart from wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset
from windlass.domain.results import Snapshot, Writer
from windlass.engine.activities.looks import Looks, Rest
from windlass.engine.activities.moment import Patience
from windlass.engine.retry import LOOK_PAUSES, WRITERS_LIMIT
from windlass.ports import Source

ATTEMPT = Attempt("c", "g/settle", 1)
PAUSES = (timedelta(0),) * 3
Deed = Callable[["Servers"], None]


@dataclass
class Servers:
    """A source and a target of rows `{key: hash}`; `before_look` happens before each look."""

    source: dict[str, int] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    mends: bool = True
    before_look: Deed = lambda _: None
    applied: list[tuple[list[str], list[str], bool]] = field(default_factory=list)

    def rows_of_keys(self, _live: Any, _piece: Any, _pairs: Any, keys: pa.Table, _a: Any) -> Any:
        self.before_look(self)
        found = [(k, self.live[k]) for k in keys["k"].to_pylist() if k in self.live]
        return pa.table({"k": [k for k, _ in found], "hash": [h for _, h in found]})

    def lookup(self, _piece: Any, _pairs: Any, keys: pa.Table, _attempt: Any) -> pa.Table:
        found = [(k, self.source[k]) for k in keys["k"].to_pylist() if k in self.source]
        columns = {"k": [k for k, _ in found], "hash": [h for _, h in found]}
        out = pa.array([None] * len(found), pa.string())
        inside = pa.array([True] * len(found), pa.bool_())
        return pa.table({**columns, "excluded": out, "inside": inside})

    def read_keys(self, _piece: Any, _pairs: Any, keys: pa.Table, _attempt: Any) -> pa.Table:
        return keys

    def apply(
        self, _l: Any, _p: Any, _c: Any, _plan: Any, put: Any, gone: Any, _a: Any, **more: Any
    ) -> None:
        puts = sorted(put["k"].to_pylist()) if put is not None else []
        takes = sorted(gone["k"].to_pylist()) if gone is not None else []
        self.applied.append((puts, takes, more["exact"]))
        if self.mends or more["exact"]:
            self.live |= {k: self.source[k] for k in puts if k in self.source}
            self.live = {k: h for k, h in self.live.items() if k not in takes}

    def settle(self, *keys: str, mends: bool = True) -> Rest:
        desk = SimpleNamespace(source=self, target=self)
        spec = SimpleNamespace(key=("k",), name="t")
        job = SimpleNamespace(spec=spec, piece=None, plan=SimpleNamespace(columns=()), live=None)
        one = Looks(cast(Any, desk), cast(Any, job), ATTEMPT, lambda _: None, mends=mends)
        return replace(one, pauses=PAUSES).settle(pa.table({"k": list(keys)}))


def test_equal_keys_are_looked_at_once_and_left_alone() -> None:
    servers = Servers({"a": 1}, {"a": 1})
    assert servers.settle("a", "gone from both") == Rest()
    assert servers.applied == []


def test_what_differs_is_put_right_and_looked_at_again() -> None:
    servers = Servers({"a": 2, "b": 1}, {"a": 1, "c": 1})
    assert servers.settle("a", "b", "c") == Rest()
    assert servers.applied == [(["a", "b"], ["c"], False)]
    assert servers.live == servers.source


def test_a_row_that_a_first_try_does_not_put_right_takes_force() -> None:
    servers = Servers({"a": 1}, {"a": 99}, mends=False)
    assert servers.settle("a") == Rest()
    assert servers.applied == [(["a"], [], False), (["a"], [], True)]


def test_a_key_that_never_rests_is_in_flight_and_loses_nothing_at_the_last_look() -> None:
    def change(servers: Servers) -> None:
        servers.source["a"] += 1
        servers.live["gone"] = servers.source["a"]

    servers = Servers({"a": 1}, {"a": 0}, before_look=change)
    assert servers.settle("a", "gone") == Rest(in_flight=2)
    assert servers.applied[-1] == (["a"], [], False)
    assert "gone" in servers.live, "nothing is taken away after the last look"


def test_what_others_put_back_unchanged_each_time_is_wrong_rather_than_in_flight() -> None:
    def put_back(servers: Servers) -> None:
        servers.live["gone"] = 7

    servers = Servers({}, {}, before_look=put_back)
    assert servers.settle("gone") == Rest(stable=1, example="gone")


def test_a_key_that_stays_different_is_no_key_in_flight() -> None:
    class Stuck(Servers):
        def apply(self, *_: Any, **__: Any) -> None:
            """Nothing helps."""

    assert Stuck({"a": 1}, {"a": 2}).settle("a") == Rest(stable=1, example="a")


def test_where_rows_cannot_be_replaced_alone_none_is_touched() -> None:
    servers = Servers({"a": 1}, {"a": 2})
    assert servers.settle("a", mends=False) == Rest(stable=1, example="a")
    assert servers.applied == []


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Holding:
    """A source whose open writers are these, one list a look."""

    def __init__(self, *looks: list[Writer]) -> None:
        self.looks, self.held = list(looks), 0

    def hold(self, _attempt: Attempt, _dataset: Dataset) -> Any:
        self.held += 1
        writers = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        snapshot = Snapshot("s", NOW, NOW, "session", tuple(writers), NOW)
        return _Held(snapshot)


@dataclass
class _Held:
    snapshot: Snapshot

    def __enter__(self) -> "_Held":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to let go."""


def writer(name: str, minutes: float | None) -> Writer:
    since = None if minutes is None else NOW + timedelta(minutes=minutes)
    return Writer(name, since, "app")


def look(source: Holding, patience: Patience) -> tuple[Writer, ...]:
    held = patience.moment(
        cast(Source, source), ATTEMPT, cast(Dataset, None), NOW.isoformat(), lambda _: None
    )
    with held as found:
        return found.open


def test_old_writers_are_waited_for_and_young_ones_are_not() -> None:
    source = Holding([writer("old", -1)], [writer("young", 1)])
    assert look(source, Patience(5)) == ()
    assert source.held == 2


def test_a_hidden_writer_counts_when_it_was_there_at_first() -> None:
    source = Holding([writer("a", None)], [writer("b", None)])
    assert look(source, Patience(5)) == ()
    assert source.held == 2


@pytest.mark.parametrize("again", [1, 3])
def test_who_outlasts_the_limit_is_named_and_waited_for_once(again: int) -> None:
    stays, patience = writer("stays", -1), Patience(0)
    for _ in range(again):
        source = Holding([stays])
        assert look(source, patience) == (stays,)
        assert source.held == 1
    waiting = Patience(60)
    waiting.give_up([stays])
    assert look(Holding([stays]), waiting) == (stays,)


def test_the_pauses_add_up_to_what_the_docs_say() -> None:
    assert 12 <= sum(one.total_seconds() for one in LOOK_PAUSES) < 13
    assert WRITERS_LIMIT.total_seconds() == 60
