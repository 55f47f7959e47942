"""What a verification costs and how it ends, on real servers without a worker between."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.acceptance.conftest import Maker
from tests.acceptance.world import RANGE, World
from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.plan import Request
from windlass.domain.results import Digest, TableVerification
from windlass.domain.states import Verdict
from windlass.domain.window import Interval
from windlass.engine.activities.compare import Sizes
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.verify import Question, Verifier
from windlass.ledger import open_ledger
from windlass.settings import load
from windlass.source.postgres import PostgresSource
from windlass.target.clickhouse import ClickHouseTarget
from windlass.wiring import SystemClock

SMALL = Sizes(steps=16, step_rows=50, key_rows=100, part_rows=500, parts=8)
SPAN = Interval(*(datetime.fromisoformat(day).replace(tzinfo=UTC) for day in RANGE))


@dataclass
class Told(PostgresSource):
    """The source, which tells what it was asked; `before` runs before keys are looked up."""

    url: str
    digested: list[tuple[str, Interval, int]] = field(default_factory=list)
    bucketed: list[int] = field(default_factory=list)
    streamed: list[tuple[str, Interval, Any]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        super().__init__(self.url)

    def digest(
        self, piece: Slice, pairs: Any, attempt: Attempt, snapshot: str | None, steps: Any = ()
    ) -> list[Digest]:
        found = super().digest(piece, pairs, attempt, snapshot, steps)
        self.digested.append((piece.table.name, piece.interval, sum(d.rows for d in found)))
        return found

    def digest_by_key(self, *asked: Any) -> list[Digest]:
        self.bucketed.append(asked[-1])
        return super().digest_by_key(*asked)

    def stream_by_hash(
        self, piece: Slice, pairs: Any, attempt: Attempt, snapshot: Any, bucket: Any = None
    ) -> Any:
        self.streamed.append((piece.table.name, piece.interval, bucket))
        return super().stream_by_hash(piece, pairs, attempt, snapshot, bucket)

    def lookup(self, *asked: Any, **more: Any) -> Any:
        self.before()
        return super().lookup(*asked, **more)


@dataclass
class Bench:
    """A verifier's surroundings, in this process."""

    world: World
    source: Told
    desk: Desk
    request: Request

    def verify(
        self, pulse: Callable[[int], None] = lambda _: None, number: int = 1, **more: Any
    ) -> dict[str, TableVerification]:
        """The outcomes by table, under one request's id."""
        question = Question(self.request, **more)
        attempt = Attempt("", f"verify/{self.world.name}", number)
        verifier = Verifier(self.desk, question, self.world.name, attempt, pulse, SMALL)
        return {one.table: one for one in verifier.tables()}


@contextmanager
def bench(world: World) -> Iterator[Bench]:
    """On the world's own servers and ledger."""
    fleet = load(world.config)
    cluster = fleet.cluster(world.name)
    source = Told(cluster.source.url.get_secret_value())
    target = ClickHouseTarget(cluster.target.url.get_secret_value(), "windlass_staging")
    ledger = open_ledger(fleet.ledger_url)
    request = Request(fleet.dataset(), (world.name,), ("acme",), SPAN)
    try:
        yield Bench(world, source, Desk(world.name, source, target, ledger, SystemClock()), request)
    finally:
        target.close()
        ledger.close()


@pytest.fixture
def equal(make_world: Maker) -> Iterator[Bench]:
    """Source and target hold the same: nothing is excluded."""
    world = make_world(worker=False, rows=3000, engine="MergeTree", settings="")
    world.write_config(exclude="")
    with bench(world) as made:
        yield made


def keys(outcome: TableVerification) -> set[tuple[str, int]]:
    """(kind, card_id) of the named keys."""
    return {(one.kind, int(one.key["card_id"])) for one in outcome.keys}


def test_equal_rows_are_digested_once_and_never_fetched(equal: Bench) -> None:
    found = equal.verify()
    assert {one.verdict for one in found.values()} == {Verdict.VERIFIED}
    for table, outcome in found.items():
        asked = sorted(i for name, i, _ in equal.source.digested if name == table)
        assert len(asked) > 3
        assert sum(rows for name, _, rows in equal.source.digested if name == table) == (
            outcome.source_rows
        )
        assert (asked[0].start, asked[-1].end) == (SPAN.start, SPAN.end)
        assert all(a.end == b.start for a, b in pairwise(asked))
    assert equal.source.streamed == []


def test_only_what_differs_is_looked_at_again(equal: Bench) -> None:
    world = equal.world
    world.pg(f"update {world.name}.cards set note = 'x' where card_id = 2000")
    world.ch.command(f"delete from {world.db}.card where card_id = 1000")
    card = equal.verify()["card"]
    assert keys(card) == {("different", 2000), ("missing", 1000)}
    assert [one.columns for one in card.keys if one.kind == "different"] == [("note",)]
    total = sum(rows for name, _, rows in equal.source.digested if name == "card")
    assert card.source_rows <= total < 1.3 * card.source_rows
    assert len(equal.source.streamed) == 2


def test_rows_of_one_microsecond_are_told_apart_by_key(equal: Bench) -> None:
    world = equal.world
    world.pg(
        f"insert into {world.name}.cards select g, 'acme', 'voice', 'plain', 1, 1, 'same time', "
        "timestamptz '2026-01-15Z', timestamptz '2026-02-21Z' from generate_series(10001, 13000) g"
    )
    world.ch.command(
        f"insert into {world.db}.card select number + 10001, 'acme', 'voice', 'plain', 1, 1, "
        "'same time', toDateTime64('2026-01-15', 6, 'UTC'), toDateTime64('2026-02-21', 6, 'UTC') "
        "from numbers(3000)"
    )
    assert equal.verify()["card"].verdict is Verdict.VERIFIED
    with bench(replace(world)) as again:
        world.ch.command(f"delete from {world.db}.card where card_id in (10002, 12999)")
        world.ch.command(
            f"insert into {world.db}.card select * replace (card_id + 9997 as card_id) from "
            f"{world.db}.card c where c.card_id = 10003"
        )
        card = by_another_name(again).verify()["card"]
    assert keys(card) == {("missing", 10002), ("missing", 12999), ("extra", 20000)}
    assert len(again.source.bucketed) == 1
    fetched = [bucket for _, _, bucket in again.source.streamed]
    assert 1 <= len(fetched) <= 3
    assert all(bucket and bucket[1] == again.source.bucketed[0] for bucket in fetched)


def by_another_name(made: Bench) -> Bench:
    """A question of its own: nothing is known of it yet."""
    made.world = replace(made.world, name=f"{made.world.name}-2")
    return made


def test_what_is_equal_at_the_second_look_was_in_flight(equal: Bench) -> None:
    world = equal.world
    old = "timestamptz '2026-02-21Z'"
    change = f"update {world.name}.cards set updated_at = {old}, note = "
    world.pg(f"{change} 'on its way' where card_id = 700; {change} 'lost' where card_id = 701")

    def arrive() -> None:
        world.ch.command(
            f"alter table {world.db}.card update note = 'on its way', "
            "updated_at = toDateTime64('2026-02-21', 6, 'UTC') where card_id = 700 "
            "settings mutations_sync = 2"
        )

    equal.source.before = arrive
    card = equal.verify()["card"]
    assert (card.different, card.in_flight, card.verdict) == (1, 1, Verdict.MISMATCH)
    assert {(int(one.key["card_id"]), one.in_flight) for one in card.keys} == {
        (700, True),
        (701, False),
    }


def test_what_the_source_changed_since_the_horizon_is_in_flight(equal: Bench) -> None:
    world = equal.world
    world.pg(f"update {world.name}.cards set note = 'new', updated_at = now() where card_id = 700")
    world.pg(f"delete from {world.name}.marks where mark_id = 2101")
    found = equal.verify()
    card, mark = found["card"], found["mark"]
    assert (card.different, card.in_flight, card.verdict) == (0, 1, Verdict.VERIFIED)
    assert (mark.extra, mark.in_flight, mark.verdict) == (1, 0, Verdict.MISMATCH)
    assert mark.keys[0].reason == "the source has no such row"


class DiedError(Exception):
    """The worker was killed."""


def test_who_takes_a_dead_worker_over_goes_on_from_there(equal: Bench) -> None:
    recorded: Sequence[Any] = ()

    def die(_rows: int) -> None:
        nonlocal recorded
        recorded = equal.desk.ledger.equal_parts(equal.world.name, equal.world.db, "card")
        if len(recorded) >= 2:
            raise DiedError

    with pytest.raises(DiedError):
        equal.verify(pulse=die, sessions=1)
    known = equal.desk.ledger.equal_parts(equal.world.name, equal.world.db, "card")
    equal.source.digested.clear()
    found = equal.verify(number=2)
    card, mark = found["card"], found["mark"]
    assert card.verdict is mark.verdict is Verdict.VERIFIED
    again = [interval for name, interval, _ in equal.source.digested if name == "card"]
    assert again
    assert not any(part.interval.overlaps(interval) for part in known for interval in again)
    ((rows,),) = equal.world.pg(
        f"select count(*) from {equal.world.name}.cards where created_at >= '{RANGE[0]}Z' "
        f"and created_at < '{RANGE[1]}Z'"
    )
    assert card.source_rows == card.target_rows == rows
    assert (len(card.snapshots), len(mark.snapshots)) == (2, 1)
    equal.source.digested.clear()
    assert equal.verify(number=3) == found
    assert equal.source.digested == []


def test_a_sample_looks_at_its_steps_alone_and_the_seed_repeats_it(equal: Bench) -> None:
    found = equal.verify(sample=0.1, seed="abc")
    card = found["card"]
    assert (card.sampled, card.steps) == (20, 200)
    assert 0 < card.source_rows < 0.3 * 3000
    drawn = {i for name, i, _ in equal.source.digested if name == "card"}
    with bench(equal.world) as again:
        same = by_another_name(again).verify(sample=0.1, seed="abc")["card"]
        assert {i for name, i, _ in again.source.digested if name == "card"} == drawn
        assert same.source_rows == card.source_rows
        again.source.digested.clear()
        by_another_name(again).verify(sample=0.1, seed="abd")
        assert {i for name, i, _ in again.source.digested if name == "card"} != drawn


def test_a_table_that_cannot_be_compared_is_a_finding_and_the_other_goes_on(equal: Bench) -> None:
    world = equal.world
    world.ch.command(f"alter table {world.db}.card add column odd Tuple(Int32, Int32)")
    found = equal.verify()
    assert found["card"].verdict is Verdict.UNVERIFIED
    assert "odd" in found["card"].finding
    assert found["mark"].verdict is Verdict.VERIFIED
    world.ch.command(f"drop table {world.db}.mark sync")
    with bench(world) as again:
        gone = by_another_name(again).verify()["mark"]
    assert (gone.verdict, gone.source_rows) == (Verdict.UNVERIFIED, 0)
    assert "does not exist" in gone.finding
