"""Whether live still has the very parts that were staged: then their rows need not be read again.

A part never changes, and replacing a partition links the staged parts' files. What was proven of
staging is true of live while its partitions consist of parts with the same hashes. Which of their
rows readers see is another question, since a row in any other partition may hide one: it is
counted, which reads keys, versions and times alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.domain.attempt import Staging
from windlass.domain.schema import TargetTable
from windlass.domain.window import Interval
from windlass.target import digest
from windlass.target.client import fill
from windlass.target.names import literal, staging_name
from windlass.target.settings import LONG_STATEMENT
from windlass.target.staging import StagingArea

_STAGED = "database = $staging AND table IN ($tables)"
_LIVE = "(database = $database AND table = $table)"
_PARTS = f"""
SELECT {_LIVE} AS live, name, (partition_id, hash_of_all_files), rows FROM system.parts
WHERE active AND (({_STAGED}) OR ({_LIVE} AND (
    startsWith(name, 'patch-') OR partition_id IN
    (SELECT partition_id FROM system.parts WHERE active AND {_STAGED}))))
ORDER BY 3, 2
"""

_Part = tuple[str, tuple[str, str], int]
"""A part's name; its partition and the hash of its files; its rows."""


@dataclass(frozen=True)
class _Parts:
    """The active parts of staging, and those that live has in the same partitions."""

    staged: tuple[_Part, ...]
    live: tuple[_Part, ...]

    @property
    def same(self) -> bool:
        """Whether live has what was staged, and nothing beside it. A patch part is no such part."""
        return [hashed for _, hashed, _ in self.staged] == [hashed for _, hashed, _ in self.live]

    @property
    def rows(self) -> int:
        """Staged rows, also those that another one hides."""
        return sum(rows for _, _, rows in self.staged)


def rows_as_staged(
    area: StagingArea,
    live: TargetTable,
    time: str,
    steps: Sequence[Interval],
    rows: Sequence[Staging],
    tag: str,
) -> list[int] | None:
    """See ports.Target.rows_as_staged."""
    if not rows:
        return None
    before = _parts(area, live, rows, tag)
    if not before.same:
        return None
    counts = digest.count(area.server, live, time, steps, tag)
    if sum(counts) != before.rows or _parts(area, live, rows, tag) != before:
        return None
    return counts


def _parts(area: StagingArea, live: TargetTable, rows: Sequence[Staging], tag: str) -> _Parts:
    statement = fill(
        _PARTS,
        staging=literal(area.database),
        tables=", ".join(literal(staging_name(one)) for one in rows),
        database=literal(live.database),
        table=literal(live.name),
    )
    staged, there = list[_Part](), list[_Part]()
    found = area.server.rows(statement, tag, settings=LONG_STATEMENT)
    for is_live, name, (partition, hashed), count in found:
        side = there if is_live else staged
        side.append((str(name), (str(partition), str(hashed)), int(count)))
    return _Parts(tuple(staged), tuple(there))
