"""Whole partitions: the server puts staging's in place of live's, one partition at a time."""

from windlass.domain.errors import PlanError, TransientError
from windlass.target.client import NOTHING_MORE, Settings, fill
from windlass.target.names import literal, staging_name
from windlass.target.publish.bury import bury
from windlass.target.publish.job import Facts, Job
from windlass.target.settings import FROM_NOTHING, LONG_STATEMENT
from windlass.target.times import within

_TRIES = 3
_JITTER = 2
"""Seconds by which two looks at the time of the server's start may differ."""

_LIVE = """
SELECT _partition_id, count(), countIf(NOT ifNull($whole, 0)) FROM $table
WHERE _partition_id IN (SELECT DISTINCT _partition_id FROM $table WHERE $whole)
   OR _partition_id IN (SELECT DISTINCT _partition_id FROM $staged WHERE $whole)
GROUP BY _partition_id
"""
_STAGED = """
SELECT _partition_id, count(), countIf(NOT ifNull($whole, 0)) FROM $staged
WHERE _partition_id IN (SELECT DISTINCT _partition_id FROM $staged WHERE $whole)
GROUP BY _partition_id
"""
_UNFIT = """
SELECT (SELECT count() FROM system.mutations
        WHERE database = $database AND table IN ($tables) AND NOT is_done)
     + (SELECT count() FROM system.parts
        WHERE database = $database AND table IN ($tables) AND active AND startsWith(name, 'patch-'))
"""
_REPLACE = "ALTER TABLE $live REPLACE PARTITION ID $id FROM $staged"
_DROP = "ALTER TABLE $live DROP PARTITION ID $id"
_STARTED = "SELECT toUnixTimestamp(now()) - toInt64(uptime())"
_COUNTS = f"""
SELECT _partition_id, count(), ({_STARTED}) FROM $live
WHERE _partition_id IN ($ids) GROUP BY _partition_id
"""


def swap(job: Job) -> Facts:
    """Swap every partition of the group's whole ranges; what staging does not have is dropped.

    PlanError: a partition holds rows that the range does not cover. Returns `swapped`,
    `dropped` (partitions) and `late_rows` (rows that writers added meanwhile).
    """
    staged = _staged(job)
    live = live_partitions(job)
    fit(job)
    buried = bury(job.over(job.group.whole))
    late = _swap_until_it_holds(job, staged)
    empty = sorted(live.keys() - staged.keys())
    for partition in empty:
        drop(job, partition)
    return {"swapped": len(staged), "dropped": len(empty), "late_rows": late, **buried}


def _staged(job: Job) -> dict[str, int]:
    """`{partition id: rows}` to be swapped in, each wholly inside the whole ranges."""
    statement = fill(_STAGED, staged=job.ref(job.whole), whole=_whole(job))
    found: dict[str, int] = {}
    for partition, rows, outside in job.server.rows(statement, job.tag):
        if outside:
            raise _uncovered(job, str(partition), int(outside), "staged")
        found[str(partition)] = int(rows)
    return found


def live_partitions(job: Job) -> dict[str, int]:
    """`{partition id: rows}` of live that are to go, each wholly inside the whole ranges."""
    statement = fill(_LIVE, table=job.view.table, staged=job.ref(job.whole), whole=_whole(job))
    found: dict[str, int] = {}
    for partition, rows, outside in job.server.rows(statement, job.tag):
        if outside:
            raise _uncovered(job, str(partition), int(outside), "live")
        found[str(partition)] = int(rows)
    return found


def _whole(job: Job) -> str:
    return within(job.live, job.view.time, job.group.whole)


def fit(job: Job) -> None:
    """A pending mutation or patch on staging would not travel with the parts."""
    tables = ", ".join(literal(staging_name(one)) for one in (job.whole, *job.rows))
    statement = fill(_UNFIT, database=literal(job.area.database), tables=tables)
    if job.value(statement, LONG_STATEMENT):
        raise TransientError(
            "staging is not at rest",
            where=job.ref(job.whole),
            why="a mutation or patch part on it is unfinished, and would not be swapped in",
            next_step="nothing: the next attempt stages afresh",
        )


def _swap_until_it_holds(job: Job, staged: dict[str, int]) -> int:
    """Swap until live holds what staging holds, however often the server restarts: a killed one
    may come back with old and new together. Returns rows that writers added since."""
    if not staged:
        return 0
    for _ in range(_TRIES):
        started = job.value(_STARTED)
        for partition in sorted(staged):
            _replace(job, partition)
        found, since = _counts(job, staged)
        short = [name for name, rows in staged.items() if found.get(name, 0) < rows]
        if not short and since <= started + _JITTER:
            return sum(found.values()) - sum(staged.values())
    raise TransientError(
        f"partitions {', '.join(short) or 'of live'} do not hold what was swapped in",
        where=job.view.table,
        why=f"after {_TRIES} swaps, or the server restarted during each of them",
        next_step="nothing: it is tried again",
    )


def _replace(job: Job, partition: str, settings: Settings = NOTHING_MORE) -> None:
    """One partition in one ALTER: two in one were seen half done."""
    whole = job.ref(job.whole)
    job.run(fill(_REPLACE, live=job.view.table, id=literal(partition), staged=whole), settings)


def drop(job: Job, partition: str) -> None:
    """Empty one partition of live: it is replaced by what the assembly has of it, nothing, so
    that the statement fails once the attempt was given up. Replicas have not been seen to agree
    on such a REPLACE: there the partition is dropped."""
    if job.copied:
        job.fence()
        job.run(fill(_DROP, live=job.view.table, id=literal(partition)))
        return
    _replace(job, partition, FROM_NOTHING)


def _counts(job: Job, staged: dict[str, int]) -> tuple[dict[str, int], int]:
    """Rows of these partitions of live; and the second at which the server that says so started,
    by its own clock."""
    ids = ", ".join(literal(name) for name in staged)
    rows = job.server.rows(fill(_COUNTS, live=job.view.table, ids=ids), job.tag)
    counts = {str(name): int(count) for name, count, _ in rows}
    return counts, max((int(since) for _, _, since in rows), default=0)


def _uncovered(job: Job, partition: str, rows: int, side: str) -> PlanError:
    return PlanError(
        f"partition {partition} cannot be swapped",
        where=job.view.table,
        why=f"it holds {rows} {side} rows whose time lies outside the range",
        next_step="plan again; if it stays so, choose a range that ends with the partition",
    )
