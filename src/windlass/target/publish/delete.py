"""Clearing a range: whole partitions are dropped, the rows at the edges deleted."""

from windlass.domain.errors import TransientError
from windlass.target.publish.bury import bury
from windlass.target.publish.deleteinsert import clear, count_inside
from windlass.target.publish.job import Facts, Job
from windlass.target.publish.swap import drop, live_partitions


def delete(job: Job) -> Facts:
    """Clear the slice. Returns `dropped` (partitions) and `deleted` (rows at the edges)."""
    facts: Facts = {**bury(job)}
    if job.group.whole:
        partitions = sorted(live_partitions(job))
        for partition in partitions:
            drop(job, partition)
        facts["dropped"] = len(partitions)
    if job.edges:
        edges = job.over(job.edges)
        facts["deleted"] = count_inside(edges)
        if facts["deleted"]:
            clear(edges)
    if left := count_inside(job):
        raise TransientError(
            "the range is not empty",
            where=job.view.table,
            why=f"{left} rows were written while it was cleared",
            next_step="nothing: it is tried again",
        )
    return facts
