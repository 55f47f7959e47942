"""Comparing a slice of the source with what is live: digests first, keys only where they differ.

Equal rows cost one pass on each side. The target goes first: its counts per step say where the
rows are, so that the source's slower pass is cut into parts of about equal work, each in a
session of its own on the one snapshot. Only a step that differs is looked at again: cut in time
where time tells its rows apart, else by a hash of the key, until its keys fit into memory.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.window import Interval
from windlass.ports import Pulse, Source, Target
from windlass.verify.buckets import KeyBucket
from windlass.verify.keys import KeyDiff, diff, gather

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Sizes:
    """How much is looked at at once.

    `steps` of a range in the first pass, and at most of a step that is cut again, then into steps
    of some `step_rows`; `key_rows` of a differing step are compared key by key; `buckets` of keys
    at most, where time does not tell rows apart. The source's pass is cut into parts of some
    `part_rows`, but into no more than `parts`: where no index serves, each part scans the table.
    """

    steps: int = 256
    step_rows: int = 10_000
    key_rows: int = 50_000
    buckets: int = 4_096
    part_rows: int = 250_000
    parts: int = 16


USUAL = Sizes()


@dataclass(frozen=True)
class Difference:
    """Rows that differ, by key: those of one step, or of one bucket of keys in it."""

    interval: Interval
    keys: KeyDiff


@dataclass(frozen=True)
class Part:
    """A stretch of time that was digested on both sides, and whether every step was equal."""

    interval: Interval
    source_rows: int
    target_rows: int
    equal: bool


@dataclass(frozen=True)
class Comparison:
    """What was counted on both sides, and the steps that differ."""

    source_rows: int
    target_rows: int
    differences: Sequence[Difference] = field(default_factory=tuple)

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same rows."""
        return not self.differences


@dataclass(frozen=True)
class _Spot:
    """Rows that differ: of a step of time, or of one bucket of keys in it. `dense`: cutting the
    time once more left most rows together."""

    piece: Slice
    rows: int
    dense: bool = False
    bucket: KeyBucket | None = None

    @property
    def by_time(self) -> bool:
        """Whether cutting the time can tell the rows apart."""
        return not self.dense and self.piece.interval.duration > timedelta(microseconds=1)


@dataclass(frozen=True)
class Comparer:
    """Both sides of one table of one tenant, and the attempt that asks.

    `sessions` read the source at once; they need a snapshot that they share, without one there is
    only one at a time.
    """

    source: Source
    target: Target
    live: TargetTable
    pairs: Sequence[ColumnPair]
    attempt: Attempt
    snapshot: str | None
    pulse: Pulse
    sessions: int = 1
    sizes: Sizes = USUAL

    def compare(self, piece: Slice) -> Comparison:
        """Digest both sides in steps; bisect those that differ down to keys."""
        parts: list[Part] = []
        found: list[Difference] = []
        self.scan(piece, [piece.interval], parts.append, found.append)
        found.sort(key=lambda one: one.interval)
        return Comparison(
            sum(p.source_rows for p in parts), sum(p.target_rows for p in parts), found
        )

    def scan(
        self,
        piece: Slice,
        ranges: Sequence[Interval],
        on_part: Callable[[Part], None],
        on_difference: Callable[[Difference], None],
    ) -> None:
        """Compare those ranges of the slice. Both are called from several threads: `on_difference`
        for each step that differs, `on_part` after all of a part's."""
        total = sum((one.duration for one in ranges), timedelta())
        pool = ThreadPoolExecutor(self.sessions if self.snapshot else 1, "compare")
        try:
            jobs = [
                pool.submit(self._part, piece, part, on_part, on_difference)
                for one in ranges
                for part in self._parts(piece, one, self._share(one.duration / total))
            ]
            for job in as_completed(jobs):
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _share(self, of_whole: float) -> int:
        return max(1, round(self.sizes.steps * of_whole))

    def _parts(self, piece: Slice, whole: Interval, count: int) -> Iterator[dict[Interval, Digest]]:
        """The target's digests by step, in parts of about equal work for the source."""
        steps = even_steps(whole, count)
        digests = self._target(replace(piece, interval=whole), steps)
        rows = sum(one.rows for one in digests)
        parts = (
            min(self.sizes.parts, math.ceil(rows / self.sizes.part_rows)) if self.snapshot else 1
        )
        part: dict[Interval, Digest] = {}
        for step, digest in zip(steps, digests, strict=True):
            part[step] = digest
            if parts > 1 and sum(one.rows for one in part.values()) * parts >= rows:
                yield part
                part = {}
        if part:
            yield part

    def _part(
        self,
        piece: Slice,
        target: dict[Interval, Digest],
        on_part: Callable[[Part], None],
        on_difference: Callable[[Difference], None],
    ) -> None:
        steps = list(target)
        whole = Interval(steps[0].start, steps[-1].end)
        source = self._source(replace(piece, interval=whole), steps)
        differing = [
            _Spot(replace(piece, interval=step), max(one.rows, other.rows))
            for (step, other), one in zip(target.items(), source, strict=True)
            if one != other
        ]
        for spot in differing:
            for found in self._into(spot):
                on_difference(found)
        rows = sum(d.rows for d in source), sum(d.rows for d in target.values())
        on_part(Part(whole, *rows, not differing))

    def _into(self, spot: _Spot) -> Iterator[Difference]:
        """The keys that differ, from the smallest steps or buckets that hold some."""
        if spot.rows <= self.sizes.key_rows or spot.bucket:  # those of a bucket have to be few
            keys = self._keys(spot)
            if keys:
                yield Difference(spot.piece.interval, keys)
            return
        for inner in self._cut_time(spot) if spot.by_time else self._cut_keys(spot):
            yield from self._into(inner)

    def _cut_time(self, spot: _Spot) -> list[_Spot]:
        count = max(2, min(self.sizes.steps, math.ceil(spot.rows / self.sizes.step_rows)))
        steps = even_steps(spot.piece.interval, count)
        target, source = self._target(spot.piece, steps), self._source(spot.piece, steps)
        return [
            _Spot(replace(spot.piece, interval=step), rows, dense=2 * rows > spot.rows)
            for step, one, other in zip(steps, source, target, strict=True)
            if one != other
            for rows in [max(one.rows, other.rows)]
        ]

    def _cut_keys(self, spot: _Spot) -> list[_Spot]:
        of = max(2, min(self.sizes.buckets, math.ceil(spot.rows / self.sizes.step_rows)))
        asked = (spot.piece, self.pairs)
        target = self.target.digest_by_key(self.live, *asked, of, self.attempt)
        self.pulse(0)
        source = self.source.digest_by_key(*asked, self.attempt, self.snapshot, of)
        self.pulse(0)
        return [
            _Spot(spot.piece, max(one.rows, other.rows), bucket=KeyBucket(number, of))
            for number, (one, other) in enumerate(zip(source, target, strict=True))
            if one != other
        ]

    def _keys(self, spot: _Spot) -> KeyDiff | None:
        """The differing keys; None where the second look finds none (without a snapshot, rows
        may change between two looks)."""
        only = (spot.bucket.number, spot.bucket.of) if spot.bucket else None
        key = spot.piece.table.key
        target = self.target.rows_by_hash(self.live, spot.piece, self.pairs, self.attempt, only)
        self.pulse(0)
        source = self._source_rows(spot.piece, only, target)
        found = diff(source, target, key)
        return found if found.rows else None

    def _source_rows(
        self, piece: Slice, only: tuple[int, int] | None, target: "pa.Table"
    ) -> "pa.Table":
        asked = (piece, self.pairs, self.attempt, self.snapshot, only)
        with self.source.stream_by_hash(*asked) as batches:
            return gather(self._felt(batches), target, piece.table.key)

    def _felt(self, batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
        for batch in batches:
            self.pulse(batch.num_rows)
            yield batch

    def _source(self, piece: Slice, steps: Sequence[Interval]) -> list[Digest]:
        found = self.source.digest(piece, self.pairs, self.attempt, self.snapshot, steps)
        self.pulse(0)
        return found

    def _target(self, piece: Slice, steps: Sequence[Interval]) -> list[Digest]:
        found = self.target.digest(self.live, piece, self.pairs, steps, self.attempt)
        self.pulse(0)
        return found


def even_steps(whole: Interval, count: int) -> list[Interval]:
    """At most `count` equal steps, on whole microseconds."""
    step = whole.duration / count
    return list(whole.split(whole.start + step * i for i in range(1, count)))
