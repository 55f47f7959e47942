"""Looking at single keys again, until source and target say the same of them.

A look asks the target first and the source after it: what others write to the target was
committed at the source before, so a row that is ahead of the source is wrong, never early. No row
is taken away without another look at its key: what came meanwhile would go with it unseen.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt
from windlass.engine.activities.desk import Desk, TableJob
from windlass.engine.retry import BEAT, LOOK_PAUSES
from windlass.ports import Pulse

if TYPE_CHECKING:
    import pyarrow as pa

AT_ONCE = 50_000
"""Keys in one look at both servers."""

Key = tuple[str, ...]
Hashes = tuple[int, ...]


@dataclass(frozen=True)
class State:
    """What both sides hold of one key: its rows' hashes, none where there is no row."""

    source: Hashes
    live: Hashes


States = Mapping[Key, State]
"""Only keys whose sides differ."""


@dataclass(frozen=True)
class Rest:
    """Keys that still differ: `in_flight` were seen to change between the last two looks,
    `stable` were not; `example` is one of the stable ones."""

    in_flight: int = 0
    stable: int = 0
    example: str = ""


@dataclass(frozen=True)
class Looks:
    """Settles the keys of one table. `mends`: what differs may be put right, row by row."""

    desk: Desk
    job: TableJob
    attempt: Attempt
    pulse: Pulse
    mends: bool
    pauses: Sequence[timedelta] = LOOK_PAUSES

    def settle(self, keys: "pa.Table") -> Rest:
        """Look, mend, look again, as often as there are pauses."""
        before: States = {}
        for pause in self.pauses if self.mends else self.pauses[:-1]:
            now = self._differing(keys)
            if not now:
                return Rest()
            self._mend(now, before)
            before, keys = now, self._table(now)
            self._wait(pause.total_seconds())
        return self._last(before, keys)

    def _last(self, before: States, keys: "pa.Table") -> Rest:
        """What differs now has no look after it: rows may only come, none may be taken away."""
        now = self._differing(keys)
        if self.mends:
            self._apply([key for key, state in now.items() if state.source], [], exact=False)
        stable = [key for key, state in now.items() if state == before.get(key)]
        example = ", ".join(stable[0]) if stable else ""
        return Rest(len(now) - len(stable), len(stable), example)

    def _mend(self, now: States, before: States) -> None:
        """A key that a first try did not put right, and that did not change, is wrong in a way
        that needs force: a higher version than the source ever gave."""
        if not self.mends:
            return
        put = [key for key, state in now.items() if state.source]
        stuck = [key for key in put if now[key] == before.get(key)]
        gone = [key for key, state in now.items() if not state.source]
        self._apply(sorted(set(put) - set(stuck)), gone, exact=False)
        self._apply(stuck, [], exact=True)

    def _apply(self, put: Sequence[Key], gone: Sequence[Key], *, exact: bool) -> None:
        """Put the source's present rows of these keys in place, take the gone ones out."""
        if not put and not gone:
            return
        job, pairs = self.job, self.job.plan.columns
        rows = None
        if put:
            asked = self._table(put)
            rows = self.desk.source.read_keys(job.piece, pairs, asked, self.attempt)
            self.pulse(rows.num_rows)
        remove = self._table(gone) if gone else None
        self.desk.target.apply(
            job.live,
            job.piece,
            pairs,
            job.plan,
            rows,
            remove,
            self.attempt,
            exact=exact,
            pulse=self.pulse,
        )
        self.pulse(0)

    def _differing(self, keys: "pa.Table") -> States:
        found: dict[Key, State] = {}
        for start in range(0, keys.num_rows, AT_ONCE):
            found |= self._look(keys.slice(start, AT_ONCE))
        return found

    def _look(self, keys: "pa.Table") -> dict[Key, State]:
        job, pairs = self.job, self.job.plan.columns
        live = self.desk.target.rows_of_keys(job.live, job.piece, pairs, keys, self.attempt)
        self.pulse(0)
        found = self.desk.source.lookup(job.piece, pairs, keys, self.attempt)
        self.pulse(0)
        return differing(job.spec.key, kept(found), live)

    def _table(self, keys: "Sequence[Key] | States") -> "pa.Table":
        """Keys as Arrow."""
        import pyarrow as pa

        columns = list(zip(*keys, strict=True)) or [() for _ in self.job.spec.key]
        named = zip(self.job.spec.key, columns, strict=True)
        return pa.table({name: pa.array(list(texts), pa.string()) for name, texts in named})

    def _wait(self, seconds: float) -> None:
        """A pause in which cancellation is still heard."""
        wait(seconds, self.pulse)


def wait(seconds: float, pulse: Pulse) -> None:
    """Wait that long, showing life with every beat."""
    pause = threading.Event()
    while seconds > 0:
        pulse(0)
        pause.wait(min(seconds, BEAT.total_seconds()))
        seconds -= BEAT.total_seconds()


def kept(found: "pa.Table") -> "pa.Table":
    """The rows of a lookup that belong to the slice and are not excluded."""
    import pyarrow.compute as pc

    inside = pc.fill_null(found["inside"], False)
    return found.filter(pc.and_(inside, pc.is_null(found["excluded"])))


def distinct(tables: "Sequence[pa.Table]", names: Sequence[str]) -> "pa.Table":
    """The keys of all tables, once each."""
    import pyarrow as pa

    # The two servers' answers differ in what may be null; keys never are.
    schema = pa.schema([(name, pa.string()) for name in names])
    every = pa.concat_tables([table.select(list(names)).cast(schema) for table in tables])
    return every.group_by(schema.names).aggregate([])


def differing(key: Sequence[str], source: "pa.Table", live: "pa.Table") -> dict[Key, State]:
    """The keys whose rows are not the same on both sides, as often as they are there."""
    here, there = _by_key(key, source), _by_key(key, live)
    both = ((one, State(here.get(one, ()), there.get(one, ()))) for one in here.keys() | there)
    return {one: state for one, state in both if state.source != state.live}


def _by_key(key: Sequence[str], rows: "pa.Table") -> dict[Key, Hashes]:
    found: dict[Key, list[int]] = defaultdict(list)
    for one, number in zip(_keys(key, rows), rows["hash"].to_pylist(), strict=True):
        found[one].append(number)
    return {one: tuple(sorted(numbers)) for one, numbers in found.items()}


def _keys(key: Sequence[str], rows: "pa.Table") -> Iterator[Key]:
    return zip(*(rows[name].to_pylist() for name in key), strict=True)
