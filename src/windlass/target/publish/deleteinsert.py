"""Edges without a version to go by: delete the range, insert it anew. Readers see a gap."""

import time

from windlass.domain.errors import TransientError
from windlass.target.client import fill
from windlass.target.publish.bury import bury
from windlass.target.publish.inplace import insert_partition
from windlass.target.publish.job import Facts, Job
from windlass.target.publish.rows import remove_range

_TRIES = 3

_STAGED = "SELECT _partition_id, count() FROM $staged WHERE $inside GROUP BY _partition_id"


def delete_and_insert(job: Job) -> Facts:
    """Publish the job's ranges; a repeat begins with the delete again. Returns `deleted` and
    `inserted` rows, `gap_ms`, and `late_rows` that others wrote meanwhile."""
    staged = _staged(job)
    buried = bury(job)
    before = count_inside(job)
    begun = time.monotonic()
    clear(job)
    for partition in sorted(staged):
        insert_partition(job, job.whole, partition)
    gap = round((time.monotonic() - begun) * 1000)
    after, wanted = count_inside(job), sum(staged.values())
    if after < wanted:
        raise _short(job, after, wanted)
    facts: Facts = {"deleted": before, "inserted": wanted, "gap_ms": gap}
    return {**facts, "late_rows": after - wanted, **buried}


def clear(job: Job) -> None:
    """Delete the job's ranges until none of their rows is left. TransientError: others write
    faster than rows go."""
    for _ in range(_TRIES):
        remove_range(job, job.view.inside)
        if not count_inside(job):
            return
    raise TransientError(
        "rows of the range keep coming while it is cleared",
        where=job.view.table,
        why=f"{count_inside(job)} rows were there after {_TRIES} deletes",
        next_step="pause what writes to this range, then run it again",
    )


def count_inside(job: Job) -> int:
    """Physical live rows of the job's ranges."""
    return job.value(f"SELECT count() FROM {job.view.table} WHERE {job.view.inside}")


def _staged(job: Job) -> dict[str, int]:
    """`{partition id: rows}` of the assembly inside the job's ranges."""
    statement = fill(_STAGED, staged=job.ref(job.whole), inside=job.view.inside)
    return {str(name): int(rows) for name, rows in job.server.rows(statement, job.tag)}


def _short(job: Job, found: int, wanted: int) -> TransientError:
    return TransientError(
        "the range does not hold what was inserted",
        where=job.view.table,
        why=f"{found} rows instead of {wanted}",
        next_step="nothing: it is tried again, from the delete",
    )
