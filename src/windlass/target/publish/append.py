"""Mode append: staged partitions move into live. What has moved is not in staging any more, so a
repeat moves only the rest."""

from windlass.domain.attempt import Staging
from windlass.target.client import fill
from windlass.target.names import literal
from windlass.target.publish.assemble import partitions
from windlass.target.publish.job import Facts, Job

_MOVE = "ALTER TABLE $window MOVE PARTITION ID $id TO TABLE $live"
_SINCE = """
SELECT toUnixTimestamp(now()) - toInt64(uptime()) >
       (SELECT toUnixTimestamp(metadata_modification_time) FROM system.tables
        WHERE database = $database AND name = $table)
"""


def append(job: Job) -> Facts:
    """Move every staged partition. Returns `moved` rows."""
    job.area.require(job.rows)
    moved = 0
    for window in job.rows:
        for partition, rows in sorted(partitions(job, window).items()):
            _move(job, window, partition)
            moved += rows
    return {"moved": moved}


def _move(job: Job, window: Staging, partition: str) -> None:
    job.run(fill(_MOVE, window=job.ref(window), id=literal(partition), live=job.view.table))
