"""Mode append: staged partitions move into live. What has moved is not in staging any more, so a
repeat moves only the rest.

A server that is killed while it moves can keep parts on both sides (seen: 1 of 50 kills). So when
it was started after the staging was made, rows that live already holds are not moved again.

The server moves nothing from a plain table into a Replicated one. There the rows that live lacks
are inserted, then staging's partition is dropped: a repeat finds them in live.
"""

from windlass.domain.attempt import Staging
from windlass.target.client import fill
from windlass.target.names import literal, staging_name
from windlass.target.publish.assemble import partitions
from windlass.target.publish.job import Facts, Job
from windlass.target.settings import HEAVY, ONE_BLOCK
from windlass.target.staging import columns_of

_MOVE = "ALTER TABLE $window MOVE PARTITION ID $id TO TABLE $live"
_RESTARTED = """
SELECT count() FROM system.tables WHERE database = $database AND name = $name
AND toUnixTimestamp(metadata_modification_time) <= toUnixTimestamp(now()) - toInt64(uptime()) + 1
"""
_THERE = """
SELECT count() FROM $live WHERE _partition_id = $id
AND $content IN (SELECT $content FROM $window WHERE _partition_id = $id)
"""
_REST = """
INSERT INTO $live ($columns)
SELECT $columns FROM (
  SELECT *, $content AS __content, row_number() OVER (PARTITION BY __content) AS __nth
  FROM $window WHERE _partition_id = $id
) AS s
LEFT JOIN (
  SELECT $content AS __content, count() AS __there FROM $live WHERE _partition_id = $id
  GROUP BY __content
) AS l ON s.__content = l.__content
WHERE s.__nth > l.__there
"""
_DROP = "ALTER TABLE $window DROP PARTITION ID $id"


def append(job: Job) -> Facts:
    """Move every staged partition. Returns `moved` rows."""
    job.area.require(job.rows)
    moved = 0
    for window in job.rows:
        suspect = _restarted(job, window)
        for partition, rows in sorted(partitions(job, window).items()):
            if job.copied or (suspect and _there(job, window, partition)):
                _finish(job, window, partition)
            else:
                job.run(_statement(job, _MOVE, window, partition))
            moved += rows
    return {"moved": moved}


def _there(job: Job, window: Staging, partition: str) -> bool:
    """Whether live holds some of the partition's rows already."""
    return job.value(_statement(job, _THERE, window, partition), HEAVY) > 0


def _finish(job: Job, window: Staging, partition: str) -> None:
    """Bring over what a broken move left behind, then forget it."""
    job.run(_statement(job, _REST, window, partition), HEAVY | ONE_BLOCK)
    job.run(_statement(job, _DROP, window, partition))


def _restarted(job: Job, window: Staging) -> bool:
    """Whether the server was started since the staging was made."""
    database, name = literal(job.area.database), literal(staging_name(window))
    return bool(job.value(fill(_RESTARTED, database=database, name=name)))


def _statement(job: Job, template: str, window: Staging, partition: str) -> str:
    return fill(
        template,
        window=job.ref(window),
        id=literal(partition),
        live=job.view.table,
        content=job.view.content,
        columns=columns_of(job.live),
    )
