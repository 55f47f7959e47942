"""Time ranges: half-open, in UTC, and the readable ids made from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise


@dataclass(frozen=True, order=True)
class Interval:
    """A half-open range `[start, end)` of UTC instants; never empty."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("an interval needs instants with a zone")
        if not self.start < self.end:
            raise ValueError(f"an interval needs start < end, not {self.start} .. {self.end}")

    def contains(self, instant: datetime) -> bool:
        """Whether the instant lies inside; `end` does not."""
        return self.start <= instant < self.end

    def covers(self, other: "Interval") -> bool:
        """Whether every instant of the other lies inside."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: "Interval") -> bool:
        """Whether the two share an instant; touching ends do not."""
        return self.start < other.end and other.start < self.end

    def split(self, cuts: Iterable[datetime]) -> Iterator["Interval"]:
        """The pieces between those cuts that lie strictly inside, in order."""
        inside = sorted({cut for cut in cuts if self.start < cut < self.end})
        edges = [self.start, *inside, self.end]
        for start, end in pairwise(edges):
            yield Interval(start, end)

    def minus(self, others: Iterable["Interval"]) -> list["Interval"]:
        """What is left of this after the others are taken out, in order."""
        left, at = [], self.start
        for other in sorted(others):
            if other.end <= at or other.start >= self.end:
                continue
            if other.start > at:
                left.append(Interval(at, other.start))
            at = max(at, other.end)
        return [*left, Interval(at, self.end)] if at < self.end else left

    @property
    def duration(self) -> timedelta:
        """Length in time."""
        return self.end - self.start

    def __str__(self) -> str:
        return f"{compact(self.start)}-{compact(self.end)}"


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same in order, with what touches or overlaps made one."""
    found: list[Interval] = []
    for one in sorted(intervals):
        if found and one.start <= found[-1].end:
            found[-1] = Interval(found[-1].start, max(found[-1].end, one.end))
        else:
            found.append(one)
    return found


def edges_of(steps: Iterable[Interval]) -> list[datetime]:
    """Where the steps begin and end, each instant once, in order."""
    return sorted({edge for step in steps for edge in (step.start, step.end)})


def compact(instant: datetime) -> str:
    """`20260101` for a midnight, else `20260101T0500` down to the precision that is needed."""
    utc = instant.astimezone(UTC)
    if utc.microsecond:
        return utc.strftime("%Y%m%dT%H%M%S.%f")
    if utc.second:
        return utc.strftime("%Y%m%dT%H%M%S")
    return utc.strftime("%Y%m%dT%H%M") if utc.hour or utc.minute else utc.strftime("%Y%m%d")
