"""Putting the windows' staging together into one table that this publish attempt owns."""

from dataclasses import dataclass

from windlass.domain.attempt import Staging
from windlass.domain.errors import TransientError
from windlass.target.client import fill
from windlass.target.publish.job import Job

_PARTITIONS = "SELECT _partition_id, count() FROM $table GROUP BY _partition_id"
_ATTACH = "ALTER TABLE $whole ATTACH PARTITION ALL FROM $window"


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
    expected: dict[str, int] = {}
    for window in job.rows:
        for partition, rows in partitions(job, window).items():
            expected[partition] = expected.get(partition, 0) + rows
        job.run(fill(_ATTACH, whole=job.ref(job.whole), window=job.ref(window)))
    found = partitions(job, job.whole)
    if found != expected:
        raise _torn(job, expected, found)
    return Assembled(found)


def partitions(job: Job, staging: Staging) -> dict[str, int]:
    """`{partition id: rows}` of a staging table."""
    rows = job.server.rows(fill(_PARTITIONS, table=job.ref(staging)), job.tag)
    return {str(partition): int(count) for partition, count in rows}


def _torn(job: Job, expected: dict[str, int], found: dict[str, int]) -> TransientError:
    differ = {p for p in expected.keys() | found.keys() if expected.get(p) != found.get(p)}
    return TransientError(
        "the windows' staging does not add up",
        where=job.ref(job.whole),
        why=f"rows differ in partitions {', '.join(sorted(differ))}: staging changed meanwhile",
        next_step="nothing: the next attempt assembles afresh",
    )
