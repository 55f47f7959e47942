"""What must hold while a group lives, looked at from outside: rows of the source's history
against physical rows of live. Nothing of Windlass takes part in the comparison."""

from collections import Counter
from collections.abc import Iterable

from tests.model.shape import Row
from tests.model.worlds import World
from windlass.domain.states import State, allowed


class Watchman:
    """Remembers what was, and judges what is."""

    def __init__(self, world: World) -> None:
        self.world, self.shape = world, world.shape
        self._outside = self._seen_outside()
        self._states = world.states()
        self._moment = 0
        self._staged: list[Row] = []
        self._old: list[Row] | None = None
        self._first: list[Row] = self._inside()
        self._foreign = 0
        self._torn = False

    # what happened

    def snapshot(self) -> None:
        """A snapshot was taken."""
        self._staged = self.world.origin.kept(self.shape.range)

    def publishing(self) -> None:
        """A publish attempt begins; what is live then is the old state."""
        if self._old is None:
            self._old, self._torn = self._inside(), False

    def published(self) -> None:
        """It ended well: the promise was kept."""
        self._old = None

    def settling(self) -> None:
        """A settle attempt begins: from here on the source's states count."""
        self._moment = max(0, len(self.world.origin.history) - 1)
        self._old = None

    def ingested(self, row: Row) -> None:
        """Others wrote: old and new are not all that can be seen any more."""
        self._outside = self._seen_outside()
        self._torn = True
        self._foreign += 1

    def crashed(self) -> None:
        """A half-done REPLACE is seen until it is repeated."""
        self._torn = True
        self._outside = self._seen_outside()

    def settled(self, verdict: str) -> None:
        """The group ended: what is verified must be so."""
        if verdict != "verified":
            return
        if self.shape.mode == "replace":
            self._equals_a_source_state()
        elif self.shape.mode == "append":
            self._holds_all_once()

    # what must hold

    def look(self) -> None:
        """After every step."""
        self._outside_unchanged()
        self._old_or_new()
        self._states_by_table()

    def at_rest(self, verdict: str) -> None:
        """Nothing moves any more."""
        if verdict in {"cancelled", "parked"}:
            return
        honest = verdict == "unverified" and not self.shape.replacing
        refilled = self.shape.mode == "delete" and self._foreign > 0
        assert verdict == "verified" or honest or refilled or self._blocked(), verdict
        if self.shape.mode == "delete" and not self._foreign:
            assert self._inside() == []

    def _blocked(self) -> bool:
        """A live row outside the range, which nobody may touch, outranks what the source holds
        inside: FINAL will never show that one, and a mismatch is the honest verdict."""
        outside = {r.key: r.version for r in self._seen_outside()}
        source = self.world.origin.kept(self.shape.range)
        return self.shape.replacing and any(outside.get(r.key, 0) >= r.version for r in source)

    def _inside(self) -> list[Row]:
        return self.shape.inside(self.shape.seen(self.world.live()))

    def _seen_outside(self) -> list[Row]:
        seen = self.shape.seen(self.world.live())
        return [row for row in seen if not self.shape.range.holds(row.at)]

    def _outside_unchanged(self) -> None:
        """A row outside may only be hidden, by a later version of it inside the range."""
        now, inside = self._seen_outside(), {row.key for row in self._inside()}
        if not self.shape.replacing:
            assert Counter(now) == Counter(self._outside)
            return
        assert set(now) <= set(self._outside), "a row outside appeared"
        lost = {row.key for row in self._outside} - {row.key for row in now}
        assert lost <= inside, f"rows outside vanished: {lost - inside}"
        self._outside = now

    def _old_or_new(self) -> None:
        if self._old is None or self._torn or self.shape.mode != "replace":
            return
        now = self._inside()
        for part in {self.shape.partition(row) for row in (*now, *self._old, *self._staged)}:
            self._partition_old_or_new(part, now, self._old)

    def _partition_old_or_new(self, part: int, now: list[Row], old: list[Row]) -> None:
        """Where partitions are swapped all at once; elsewhere key by key."""
        swapped = [self._of(part, rows, edge=False) for rows in (now, old, self._staged)]
        if not self.shape.replacing:
            assert swapped[0] in swapped[1:], f"partition {part} is neither old nor new"
            return
        was, new = _by_key(old), _by_key(self._staged)
        for key, row in _by_key(now).items():
            assert row in {was.get(key), new.get(key)}, f"{row} is neither old nor new"
        lost = (was.keys() & new.keys()) - _by_key(now).keys()
        assert self.shape.whole or not lost, f"{lost} cannot be seen"

    def _of(self, part: int, rows: Iterable[Row], *, edge: bool) -> Counter[Row]:
        return Counter(
            row
            for row in rows
            if self.shape.partition(row) == part and self.shape.in_whole(row) is not edge
        )

    def _states_by_table(self) -> None:
        now = self.world.states()
        for before, after in zip(self._states, now, strict=True):
            assert _reachable(State(before), State(after)), f"{before} -> {after}"
        self._states = now

    def _equals_a_source_state(self) -> None:
        """Key by key what the source held at some moment since the settling began."""
        now = self._inside()
        doubled = [key for key, n in Counter(row.key for row in now).items() if n > 1]
        assert not doubled, f"keys doubled: {doubled}"
        live, origin = _by_key(now), self.world.origin
        keys = {key for image in origin.history for key in image} | live.keys()
        for key in keys:
            values = list(origin.values(key, self.shape.range, self._moment))
            assert live.get(key) in values, f"{key}: live {live.get(key)}, source {values}"

    def _holds_all_once(self) -> None:
        if self.shape.replacing or self._foreign:
            keys = {row.key for row in self._inside()}
            assert {row.key for row in self._staged} <= keys | {r.key for r in self._outside}
            return
        assert Counter(self._inside()) == Counter(self._first) + Counter(self._staged)


def _by_key(rows: Iterable[Row]) -> dict[int, Row]:
    return {row.key: row for row in rows}


def _reachable(before: State, after: State) -> bool:
    """In at most three moves."""
    near = {before}
    for _ in range(3):
        near |= {state for state in State if any(allowed(one, state) for one in near)}
    return after in near and (not before.final or before is after or before is State.PARKED)
