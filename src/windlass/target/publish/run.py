"""Which path each part of a publish takes."""

from windlass.domain.states import Path
from windlass.target.publish.append import append
from windlass.target.publish.assemble import assemble
from windlass.target.publish.delete import delete
from windlass.target.publish.deleteinsert import delete_and_insert
from windlass.target.publish.inplace import in_place
from windlass.target.publish.job import Facts, Job
from windlass.target.publish.supersede import supersede
from windlass.target.publish.swap import swap

_EDGES = {Path.IN_PLACE: in_place, Path.DELETE_AND_INSERT: delete_and_insert}


def publish(job: Job) -> Facts:
    """Make the job's staging visible; returns facts for the record, `path` among them."""
    supersede(job.server, job.attempt)
    if job.group.path is Path.APPEND:
        return {"path": str(Path.APPEND), **append(job)}
    assembled = assemble(job)
    facts: Facts = {"path": str(job.group.path), "staged": assembled.rows}
    if job.group.path is Path.DELETE:
        return facts | delete(job)
    if job.group.whole:
        facts |= swap(job)
    if job.edges:
        edge = _edge_path(job)
        facts |= {"edge_path": str(edge), **_EDGES[edge](job.over(job.edges))}
    return facts


def _edge_path(job: Job) -> Path:
    """The group's own path when it has no whole partitions, else the plan's path for edges."""
    return job.plan.edge_path if job.group.path is Path.SWAP else job.group.path
