"""Cutting a range into windows: by volume, by length, into parts, or not at all."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from windlass.domain.results import Bucket
from windlass.domain.window import Interval

WINDOW_ROWS = 1_000_000
"""Rows that `auto` aims at per window: some seconds of work, so that a retry costs little."""

DAY = timedelta(days=1)


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
    total = sum(bucket.volume for bucket in buckets)
    if not total:
        return [whole]
    per_window = total / max(1, round(total / target))
    cuts: list[datetime] = []
    for segment in _segments(whole, buckets, bounds, per_window):
        cuts += [segment.end, *_inner_cuts(segment, buckets, per_window)]
    return list(whole.split(cuts))


def _segments(
    whole: Interval, buckets: Sequence[Bucket], bounds: Sequence[datetime], per_window: float
) -> list[Interval]:
    """Runs of whole partitions, joined while they fit into one window."""
    joined: list[tuple[Interval, int]] = []
    for piece in whole.split(bounds):
        volume = _volume(piece, buckets)
        if joined and joined[-1][1] + volume <= per_window * 1.1:
            before, held = joined.pop()
            joined.append((Interval(before.start, piece.end), held + volume))
        else:
            joined.append((piece, volume))
    return [interval for interval, _ in joined]


def _volume(piece: Interval, buckets: Sequence[Bucket]) -> int:
    return sum(b.volume for b in buckets if piece.contains(b.interval.start))


def _inner_cuts(segment: Interval, buckets: Sequence[Bucket], per_window: float) -> list[datetime]:
    """Bucket starts that split the segment's volume evenly."""
    inside = [b for b in buckets if segment.contains(b.interval.start)]
    volumes = list(accumulate((b.volume for b in inside), initial=0))
    count = max(1, round(volumes[-1] / per_window))
    starts = [(b.interval.start, at) for b, at in zip(inside, volumes, strict=False)]
    goals = [volumes[-1] * i / count for i in range(1, count)]
    return [_nearest(starts, goal) for goal in goals]


def _nearest(starts: Sequence[tuple[datetime, int]], goal: float) -> datetime:
    """The bucket start before which about `goal` rows lie."""
    _, instant = min((abs(at - goal), start) for start, at in starts)
    return instant


def rows_in(piece: Interval, buckets: Sequence[Bucket]) -> int:
    """Rows of all tables in that piece, by the bucket's start (exact when cuts lie on steps)."""
    return _volume(piece, buckets)


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
