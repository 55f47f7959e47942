"""Comparing a slice of the source with what is live: digests first, keys only where they differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.window import Interval
from windlass.ports import Pulse, Source, Target
from windlass.verify.keys import KeyDiff, diff

if TYPE_CHECKING:
    import pyarrow as pa

STEPS = 64
KEY_ROWS = 200_000
"""A differing step of at most that many rows is compared key by key."""


@dataclass(frozen=True)
class Difference:
    """One step that differs, with its keys."""

    interval: Interval
    keys: KeyDiff
    target_rows: "pa.Table"


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
class Comparer:
    """Both sides of one table of one tenant, and the attempt that asks."""

    source: Source
    target: Target
    live: TargetTable
    pairs: Sequence[ColumnPair]
    attempt: Attempt
    snapshot: str | None
    pulse: Pulse

    def compare(self, piece: Slice) -> Comparison:
        """Digest both sides in steps; bisect those that differ down to keys."""
        steps = even_steps(piece.interval, STEPS)
        source, target = self._digests(piece, steps)
        found = [
            d
            for step, one, other in zip(steps, source, target, strict=True)
            if one != other
            for d in self._into(replace(piece, interval=step), max(one.rows, other.rows))
        ]
        return Comparison(sum(d.rows for d in source), sum(d.rows for d in target), found)

    def _digests(
        self, piece: Slice, steps: Sequence[Interval]
    ) -> tuple[list[Digest], list[Digest]]:
        source = self.source.digest(piece, self.pairs, self.attempt, self.snapshot, steps)
        self.pulse(0)
        target = self.target.digest(self.live, piece, self.pairs, steps)
        self.pulse(0)
        return source, target

    def _into(self, piece: Slice, rows: int) -> Sequence[Difference]:
        """The differing steps within one that differs."""
        steps = even_steps(piece.interval, 16)
        if rows > KEY_ROWS and len(steps) > 1:
            source, target = self._digests(piece, steps)
            return [
                d
                for step, one, other in zip(steps, source, target, strict=True)
                if one != other
                for d in self._into(replace(piece, interval=step), max(one.rows, other.rows))
            ]
        source_rows = self.source.rows_by_hash(piece, self.pairs, self.attempt, self.snapshot)
        self.pulse(0)
        target_rows = self.target.rows_by_hash(self.live, piece, self.pairs)
        self.pulse(0)
        keys = diff(source_rows, target_rows, piece.table.key)
        return [Difference(piece.interval, keys, target_rows)]


def even_steps(whole: Interval, count: int) -> list[Interval]:
    """At most `count` equal steps, on whole microseconds."""
    step = whole.duration / count
    return list(whole.split(whole.start + step * i for i in range(1, count)))
