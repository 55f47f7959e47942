"""Cutting a range into windows: by volume, by length, into parts, or not at all."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from windlass.domain.results import Bucket
from windlass.domain.window import Interval

WINDOW_ROWS = 1_000_000
"""Rows that `auto` aims at per window: some seconds of work, so that a retry costs little."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Volumes:
    """A histogram to be asked often: starts of its steps, and the rows of all tables before each
    of them, the total last."""

    starts: Sequence[datetime]
    sums: Sequence[int]

    @classmethod
    def of(cls, buckets: Sequence[Bucket]) -> "Volumes":
        """Out of buckets in order of time."""
        sums = list(accumulate((b.volume for b in buckets), initial=0))
        return cls([b.interval.start for b in buckets], sums)

    def before(self, instant: datetime) -> int:
        """Rows of the steps that begin before the instant."""
        return self.sums[bisect_left(self.starts, instant)]

    def inside(self, piece: Interval) -> int:
        """Rows of the steps that begin in that piece (exact when its edges lie on steps)."""
        return self.before(piece.end) - self.before(piece.start)

    def nearest(self, goal: float) -> datetime:
        """The start of a step before which about `goal` rows lie."""
        at = bisect_left(self.sums, goal, hi=len(self.starts) - 1)
        near = [at - 1, at] if at else [at]
        return self.starts[min(near, key=lambda n: abs(self.sums[n] - goal))]


def fixed(whole: Interval, length: timedelta) -> list[Interval]:
    """Windows of that length from the start on; the last may be shorter."""
    count = -((whole.start - whole.end) // length)
    return list(whole.split(whole.start + i * length for i in range(1, count)))


def parts(whole: Interval, count: int) -> list[Interval]:
    """Equal slices, on whole days where the range has enough of them."""
    grain = DAY if whole.duration % DAY == timedelta(0) and whole.duration >= count * DAY else None
    return list(whole.split(_slice_end(whole, i, count, grain) for i in range(1, count)))


def _slice_end(whole: Interval, i: int, count: int, grain: timedelta | None) -> datetime:
    offset = whole.duration * i / count
    return whole.start + (round(offset / grain) * grain if grain else offset)


def by_volume(
    whole: Interval, buckets: Sequence[Bucket], bounds: Sequence[datetime], target: int
) -> list[Interval]:
    """Windows of about equal volume, none much over `target` rows where buckets allow it.

    `bounds` are partition boundaries: a window ends on one where that costs nothing, so that
    each partition can be published by itself. Segments between boundaries that hold less than a
    window are joined.
    """
    volumes = Volumes.of(buckets)
    total = volumes.inside(whole)
    if not total:
        return [whole]
    per_window = total / max(1, round(total / target))
    cuts: list[datetime] = []
    for segment in _segments(whole, volumes, bounds, per_window):
        cuts += [segment.end, *_inner_cuts(segment, volumes, per_window)]
    return list(whole.split(cuts))


def _segments(
    whole: Interval, volumes: Volumes, bounds: Sequence[datetime], per_window: float
) -> list[Interval]:
    """Runs of whole partitions, joined while they fit into one window."""
    joined: list[tuple[Interval, int]] = []
    for piece in whole.split(bounds):
        volume = volumes.inside(piece)
        if joined and joined[-1][1] + volume <= per_window * 1.1:
            before, held = joined.pop()
            joined.append((Interval(before.start, piece.end), held + volume))
        else:
            joined.append((piece, volume))
    return [interval for interval, _ in joined]


def _inner_cuts(segment: Interval, volumes: Volumes, per_window: float) -> list[datetime]:
    """Bucket starts that split the segment's volume evenly."""
    volume, before = volumes.inside(segment), volumes.before(segment.start)
    count = max(1, round(volume / per_window))
    cuts = (volumes.nearest(before + volume * i / count) for i in range(1, count))
    return [cut for cut in cuts if segment.contains(cut)]


def buckets(
    whole: Interval, step: timedelta, tables: Mapping[str, Mapping[datetime, int]]
) -> list[Bucket]:
    """A histogram out of `{table: {start of a step: rows}}`, in order of time."""
    starts = sorted({start for steps in tables.values() for start in steps})
    return [
        Bucket(
            Interval(start, min(start + step, whole.end)),
            {name: steps[start] for name, steps in tables.items() if start in steps},
        )
        for start in starts
    ]


def step_for(whole: Interval) -> timedelta:
    """The histogram's step: at most 2,400 of them, hours or divisors of a day."""
    for minutes in (5, 15, 60, 180, 360, 720, 1440):
        if whole.duration <= 2400 * timedelta(minutes=minutes):
            return timedelta(minutes=minutes)
    return DAY * -(-whole.duration // (2400 * DAY))
