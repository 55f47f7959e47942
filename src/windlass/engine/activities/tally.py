"""What a comparison found, added up while several sessions find it, in bounded memory."""

import threading
from collections import Counter
from collections.abc import Mapping

from windlass.engine.activities.compare import Difference, Part
from windlass.verify.keys import KeyDiff

KEPT = 10_000
"""Differing keys that are kept, to be looked at again and named; more are only counted."""


class Tally:
    """Rows on both sides, and the rows that differ: kept by key, or beyond KEPT counted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.source_rows = self.target_rows = 0
        self.kept: list[Difference] = []
        self._keys = 0
        self.beyond: Counter[str] = Counter()
        self.beyond_attributed: Counter[str] = Counter()

    def part(self, part: Part) -> None:
        """A part was compared."""
        with self._lock:
            self.source_rows += part.source_rows
            self.target_rows += part.target_rows

    def difference(self, found: Difference) -> None:
        """A step differs."""
        with self._lock:
            if self._keys + found.keys.rows > KEPT and self._keys:
                self.beyond += kinds(found.keys)
                self.beyond_attributed += Counter(found.keys.attributed_counts())
                return
            self._keys += found.keys.rows
            self.kept.append(found)

    def in_order(self) -> list[Difference]:
        """The kept differences by time."""
        return sorted(self.kept, key=lambda one: one.interval)


def kinds(keys: KeyDiff) -> Counter[str]:
    """`{kind: rows}`: missing, extra (those with a known reason too), different."""
    extra = keys.extra.num_rows + keys.attributed.num_rows + keys.duplicates
    return Counter(missing=keys.missing.num_rows, extra=extra, different=keys.different.num_rows)


def merged(first: Mapping[str, int], *more: Mapping[str, int]) -> dict[str, int]:
    """The sums by name, those that are 0 left out."""
    total: Counter[str] = Counter(first)
    for one in more:
        total += Counter(one)
    return {name: rows for name, rows in total.items() if rows}
