"""What a model's world is made of: rows, partitions, and what a reader sees of them.

Instants are whole numbers; a real world multiplies them by days.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

LAST = 40
"""All instants lie in `[0, LAST)`."""


@dataclass(frozen=True)
class Row:
    """A row of the source or of the target. `out`: an exclusion keeps it out (source only)."""

    key: int
    at: int
    text: int
    version: int
    out: bool = False

    @property
    def kept(self) -> "Row":
        """The row as the target would hold it."""
        return Row(self.key, self.at, self.text, self.version)


@dataclass(frozen=True)
class Span:
    """`[start, end)`."""

    start: int
    end: int

    def holds(self, at: int) -> bool:
        """Whether the instant lies inside."""
        return self.start <= at < self.end


@dataclass(frozen=True)
class Cutting:
    """How a table is partitioned. `days` 0: not by time alone, so that no partition is whole."""

    name: str
    of: Callable[[Row], int]
    days: int


CUTTINGS: Mapping[str, Cutting] = {
    "ten": Cutting("ten", lambda row: row.at // 10, 10),
    "four": Cutting("four", lambda row: row.at // 4, 4),
    "none": Cutting("none", lambda row: 0, 0),
    "key": Cutting("key", lambda row: row.key % 2, 0),
}


@dataclass(frozen=True)
class Shape:
    """One table, one range, its windows. `replacing`: ReplacingMergeTree with a version, ordered
    by the key; else a plain MergeTree. `mode` is replace, append or delete; `patches`: rows are
    deleted by patch (the real engine's block number columns)."""

    cutting: str
    replacing: bool
    range: Span
    cuts: tuple[int, ...] = ()
    mode: str = "replace"
    patches: bool = True

    @property
    def windows(self) -> tuple[Span, ...]:
        """The range cut up."""
        inside = sorted({cut for cut in self.cuts if self.range.start < cut < self.range.end})
        edges = [self.range.start, *inside, self.range.end]
        return tuple(Span(*pair) for pair in pairwise(edges))

    @property
    def whole(self) -> tuple[Span, ...]:
        """The partitions that lie wholly in the range."""
        days = CUTTINGS[self.cutting].days
        if not days:
            return ()
        spans = [Span(start, start + days) for start in range(0, LAST, days)]
        return tuple(s for s in spans if self.range.start <= s.start and s.end <= self.range.end)

    def partition(self, row: Row) -> int:
        """Where the row lies."""
        return CUTTINGS[self.cutting].of(row)

    def in_whole(self, row: Row) -> bool:
        """Whether the row lies in a partition that is swapped."""
        return any(span.holds(row.at) for span in self.whole)

    def inside(self, rows: Iterable[Row]) -> list[Row]:
        """Rows of the range."""
        return [row for row in rows if self.range.holds(row.at)]

    def seen(self, rows: Sequence[Row]) -> list[Row]:
        """What a reader sees (with FINAL where it replaces), in order."""
        if not self.replacing:
            return sorted(rows, key=_order)
        best: dict[int, Row] = {}
        for row in rows:
            if row.key not in best or best[row.key].version <= row.version:
                best[row.key] = row
        return sorted(best.values(), key=_order)


def _order(row: Row) -> tuple[int, ...]:
    return (row.key, row.at, row.version, row.text)
