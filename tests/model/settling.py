"""The last activity: catch up, judge, sweep."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from tests.model.deeds import PASSES, Attempt
from tests.model.shape import Row

Judging = Generator[str, None, str]
"""Ends with verified, mismatch, unverified or again."""


@dataclass(frozen=True)
class Order:
    """What is settled: the loads' tables, the snapshot's horizon and rows; `final`: no other load
    follows; `before` live rows of the range before publish."""

    loads: Sequence[str]
    horizon: int
    staged: Sequence[Row]
    final: bool
    before: int


def settle(act: Attempt, order: Order) -> Judging:
    """Bring the range to rest and say what is proven; sweep unless it has to be loaded again."""
    verdict = yield from _judge(act, order)
    if verdict == "again" and not order.final:
        return "again"
    yield "retire"
    for subject in [s for s in act.books.numbers if s != act.subject]:
        act.books.numbers[subject] += act.design.asks
    yield "sweep"
    act.server.sweep("")
    return "unverified" if verdict == "again" else verdict


def _judge(act: Attempt, order: Order) -> Judging:
    live = _live(act)
    if act.shape.mode == "delete":
        return "verified" if not live else "mismatch"
    if act.shape.mode == "append":
        return "verified" if len(live) >= order.before else "mismatch"
    if not act.shape.replacing:
        return (yield from _judge_plain(act, order))
    early = _count(act)
    changed = act.design.catches_up and (yield from _catch_up(act, order))
    yield "count"
    count = early if act.design.counts_first and not changed else _count(act)
    if not _differing(act, order) and count == len(_live(act)):
        return "verified"
    return (yield from _mended(act))


def _judge_plain(act: Attempt, order: Order) -> Judging:
    early = _count(act)
    yield "changed"
    if act.origin.changed(order.horizon, act.shape.range):
        yield "compare"
        return "verified" if _equal(act) else "again"
    yield "count"
    count = early if act.design.counts_first else _count(act)
    same = not _differing(act, order) and count == len(_live(act))
    return "verified" if same else "again"


def _catch_up(act: Attempt, order: Order) -> Generator[str, None, bool]:
    since = order.horizon
    for _ in range(PASSES):
        yield "horizon"
        horizon = act.origin.horizon
        yield "changed"
        changed = act.origin.changed(since, act.shape.range)
        if not changed:
            return False
        yield from _mend(act, changed)
        since = horizon
    return True


def _mend(act: Attempt, keys: Mapping[int, bool]) -> Generator[str, None, None]:
    yield "read"
    rows = [row for row in act.origin.kept(act.shape.range) if row.key in keys]
    gone = [key for key, inside in keys.items() if not inside]
    whole = yield from act.make("whole")
    yield "upsert"
    missing = [row for row in rows if row not in act.server.live]
    act.server.insert_live(whole, missing)
    yield "note"
    going = [row for row in act.server.live if _inside(act, row) and row.key in gone]
    if not going:
        return
    visible = set(act.server.seen) & set(going)
    keys_going = {row.key for row in visible}
    hidden = [r for r in act.server.live if r.key in keys_going and not _inside(act, r)]
    yield "bury"
    act.server.remove(whole, hidden)
    yield "remove"
    act.server.remove(whole, going)


def _mended(act: Attempt) -> Judging:
    for _ in range(PASSES):
        yield "source"
        source = act.origin.kept(act.shape.range)
        yield "target"
        if _same(source, _live(act)):
            return "verified"
        have, want = {r.key: r for r in _live(act)}, {r.key: r for r in source}
        keys = {key: key in want for key in have.keys() | want.keys()}
        differing = {k: inside for k, inside in keys.items() if have.get(k) != want.get(k)}
        yield from _mend(act, differing)
    yield "source"
    return "verified" if _equal(act) else "mismatch"


def _inside(act: Attempt, row: Row) -> bool:
    return act.shape.range.holds(row.at)


def _live(act: Attempt) -> list[Row]:
    return act.shape.inside(act.server.seen)


def _count(act: Attempt) -> int:
    return len(act.origin.kept(act.shape.range))


def _same(left: Sequence[Row], right: Sequence[Row]) -> bool:
    return sorted(left, key=repr) == sorted(right, key=repr)


def _equal(act: Attempt) -> bool:
    return _same(act.origin.kept(act.shape.range), _live(act))


def _differing(act: Attempt, order: Order) -> bool:
    return not _same(order.staged, _live(act))
