"""Putting the windows' staging together into one table that this publish attempt owns."""

from dataclasses import dataclass

from windlass.domain.attempt import Staging
from windlass.domain.chunks import chunked
from windlass.domain.errors import TransientError
from windlass.target.client import fill
from windlass.target.names import literal, staging_name
from windlass.target.publish.job import Job
from windlass.target.settings import LONG_STATEMENT

_PARTITIONS = "SELECT _partition_id, count() FROM $table GROUP BY _partition_id"
_STAGED = """
SELECT partition_id, sum(rows) FROM system.parts
WHERE active AND database = $database AND table IN ($tables) GROUP BY partition_id
"""
_ATTACH = "ATTACH PARTITION ALL FROM"
_AT_ONCE = 50
"""Windows of one ALTER: most of a statement's time is its way there and back."""


@dataclass(frozen=True)
class Assembled:
    """`{partition id: rows}` of the assembly."""

    partitions: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows in all."""
        return sum(self.partitions.values())


def assemble(job: Job) -> Assembled:
    """Make the attempt's assembly afresh out of the windows' staging (hard links, no copying).
    StagingGoneError: a window's staging is gone. TransientError: the counts do not add up."""
    job.area.create(job.live, job.whole)
    expected = _staged(job)
    for some in chunked(job.rows, _AT_ONCE):
        attached = ", ".join(f"{_ATTACH} {job.ref(window)}" for window in some)
        job.run(f"ALTER TABLE {job.ref(job.whole)} {attached}")
    found = partitions(job, job.whole)
    if found != expected:
        raise _torn(job, expected, found)
    return Assembled(found)


def partitions(job: Job, staging: Staging) -> dict[str, int]:
    """`{partition id: rows}` of a staging table."""
    rows = job.server.rows(fill(_PARTITIONS, table=job.ref(staging)), job.tag)
    return {str(partition): int(count) for partition, count in rows}


def _staged(job: Job) -> dict[str, int]:
    """The same of all windows together, in one look, however many they are: by their parts, of
    which no row was ever deleted. A window that is gone is found out when it is attached."""
    if not job.rows:
        return {}
    statement = fill(
        _STAGED,
        database=literal(job.area.database),
        tables=", ".join(literal(staging_name(one)) for one in job.rows),
    )
    rows = job.server.rows(statement, job.tag, settings=LONG_STATEMENT)
    return {str(partition): int(count) for partition, count in rows}


def _torn(job: Job, expected: dict[str, int], found: dict[str, int]) -> TransientError:
    differ = {p for p in expected.keys() | found.keys() if expected.get(p) != found.get(p)}
    return TransientError(
        "the windows' staging does not add up",
        where=job.ref(job.whole),
        why=f"rows differ in partitions {', '.join(sorted(differ))}: staging changed meanwhile",
        next_step="nothing: the next attempt assembles afresh",
    )
