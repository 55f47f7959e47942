"""Edges of partitions in a ReplacingMergeTree with a version: insert what is missing, then take
away what is stale. Nothing is touched that is right already, so a repeat does nothing."""

import uuid
from datetime import datetime

from windlass.domain.attempt import Staging
from windlass.domain.schema import Removal
from windlass.target import times
from windlass.target.client import fill
from windlass.target.names import literal, quote
from windlass.target.publish.assemble import partitions
from windlass.target.publish.bury import bury
from windlass.target.publish.job import Facts, Job
from windlass.target.publish.rows import note, remove
from windlass.target.settings import HEAVY, ONE_BLOCK
from windlass.target.staging import columns_of, insertable

_BUCKET_ROWS = 8_000_000

_MISSING = """
INSERT INTO $delta ($columns) SELECT $columns FROM $staged
WHERE $inside AND $sort_hash % $buckets = $bucket AND ($sort_hash, $content) NOT IN (
  SELECT $sort_hash, $content FROM $live WHERE $inside AND $sort_hash % $buckets = $bucket
)
"""
_INSERT = """
INSERT INTO $live ($columns) SELECT $columns FROM $delta WHERE _partition_id = $id
"""
_CANDIDATES = """
SELECT $sort_key AS sort_key, $sort_hash AS sort_hash, $identity AS id, $version AS version,
       $tombstone AS tombstone
FROM $live
WHERE $inside AND $old_enough AND $sort_hash % $buckets = $bucket
AND ($sort_hash, $content) NOT IN (
  SELECT $sort_hash, $content FROM $staged WHERE $sort_hash % $buckets = $bucket
)
"""
_STALE = """
SELECT p.id AS id, s.there AS staged
FROM $candidates AS p
LEFT JOIN (
  SELECT $sort_key AS sort_key, max($version) AS best, toUInt8(1) AS there
  FROM $staged WHERE $sort_hash IN (SELECT sort_hash FROM $candidates) GROUP BY sort_key
) AS s ON p.sort_key = s.sort_key
WHERE if(s.there = 0, p.tombstone = 0, s.best <= p.version)
"""
_VISIBLE = "SELECT $identity FROM $live FINAL WHERE $inside"
_TOMBSTONES = """
INSERT INTO $live ($columns) SELECT $values FROM $live FINAL
WHERE $inside AND $identity IN (SELECT id FROM $stale WHERE staged = 0)
"""


def in_place(job: Job) -> Facts:
    """Publish the job's ranges. Returns `inserted`, `stale` and `buried` rows."""
    inserted = insert_missing(job)
    candidates, rows = _note_candidates(job)
    if rows:
        stale, rows = note(job, "stale", _stale(job, candidates))
    buried = take_out(job, stale) if rows else {}
    return {"inserted": inserted, "stale": rows, **buried}


def take_out(job: Job, stale: Staging) -> Facts:
    """Make the noted rows (`id`, and whether their sorting key is `staged`) vanish for readers
    with FINAL, and whatever they hide elsewhere with them."""
    buried = bury(job, stale)
    if job.removal is Removal.TOMBSTONE:
        _put_tombstones(job, stale)
        return buried
    _remove_hidden_first(job, stale)
    return buried


def insert_missing(job: Job) -> int:
    """Insert staged rows that live does not physically hold, one partition at a time."""
    delta = job.own("delta", uuid.uuid4().hex[:8])
    job.area.create(job.live, delta)
    buckets = job.value(_present(job)) // _BUCKET_ROWS + 1
    for bucket in range(buckets):
        job.run(_missing(job, delta, buckets, bucket), HEAVY)
    found = partitions(job, delta)
    for partition in sorted(found):
        insert_partition(job, delta, partition)
    job.area.drop(delta)
    return sum(found.values())


def _missing(job: Job, delta: Staging, buckets: int, bucket: int) -> str:
    return fill(
        _MISSING,
        delta=job.ref(delta),
        columns=columns_of(job.live),
        staged=job.ref(job.whole),
        inside=job.view.inside,
        sort_hash=job.view.sort_hash,
        content=job.view.content,
        live=job.view.table,
        buckets=buckets,
        bucket=bucket,
    )


def insert_partition(job: Job, source: Staging, partition: str) -> None:
    """One partition of a table of the attempt into live, in one INSERT."""
    statement = fill(
        _INSERT,
        live=job.view.table,
        columns=columns_of(job.live),
        delta=job.ref(source),
        id=literal(partition),
    )
    job.run(statement, ONE_BLOCK)


def _present(job: Job) -> str:
    return f"SELECT count() FROM {job.view.table} WHERE {job.view.inside}"


def _note_candidates(job: Job) -> tuple[Staging, int]:
    """Note live rows that staging does not have just so: stale, or merely superseded."""
    buckets = job.value(f"SELECT count() FROM {job.ref(job.whole)}") // _BUCKET_ROWS + 1
    parts = [_candidates(job, buckets, bucket) for bucket in range(buckets)]
    return note(job, "candidates", *parts)


def _candidates(job: Job, buckets: int, bucket: int) -> str:
    return fill(
        _CANDIDATES,
        sort_key=job.view.sort_key,
        sort_hash=job.view.sort_hash,
        identity=job.view.identity,
        version=job.view.version,
        content=job.view.content,
        tombstone=quote(job.live.is_deleted) if job.live.is_deleted else "toUInt8(0)",
        live=job.view.table,
        inside=job.view.inside,
        old_enough=_old_enough(job, job.newer_than),
        staged=job.ref(job.whole),
        buckets=buckets,
        bucket=bucket,
    )


def _stale(job: Job, candidates: Staging) -> str:
    statement = fill(
        _STALE,
        candidates=job.ref(candidates),
        sort_key=job.view.sort_key,
        sort_hash=job.view.sort_hash,
        version=job.view.version,
        staged=job.ref(job.whole),
    )
    if job.removal is not Removal.TOMBSTONE:
        return statement
    return f"SELECT * FROM ({statement}) WHERE staged = 1 OR id IN ({_visible(job)})"


def _visible(job: Job) -> str:
    """The identities of what readers with FINAL see of the ranges."""
    return fill(_VISIBLE, identity=job.view.identity, live=job.view.table, inside=job.view.inside)


def _old_enough(job: Job, newer_than: datetime | None) -> str:
    """Rows with a later version came after the snapshot: they stay for the catch-up. A version
    that is no time says nothing about that."""
    column = job.live.column(job.live.version or "")
    kind = times.parse(column.type) if column else None
    if newer_than is None or column is None or kind is None:
        return "1"
    return f"NOT ifNull({quote(column.name)} > {kind.constant(newer_than)}, 0)"


def _remove_hidden_first(job: Job, stale: Staging) -> None:
    """A patch delete is one step. Else what FINAL hides goes first, so that no old version rises
    while its successor is being deleted."""
    if job.live.replacing and job.removal is not Removal.PATCH:
        hidden, rows = note(
            job,
            "hidden",
            f"SELECT id FROM {job.ref(stale)} WHERE id NOT IN ({_visible(job)})",
        )
        if rows:
            remove(job, hidden, job.view.inside)
    remove(job, stale, job.view.inside)


def _put_tombstones(job: Job, stale: Staging) -> None:
    """Keys that staging lacks get a tombstone at the very version that is seen; versions that
    outrank the staged row must go physically."""
    values = ["1" if name == job.live.is_deleted else quote(name) for name in insertable(job.live)]
    statement = fill(
        _TOMBSTONES,
        live=job.view.table,
        columns=columns_of(job.live),
        values=", ".join(values),
        inside=job.view.inside,
        identity=job.view.identity,
        stale=job.ref(stale),
    )
    job.run(statement, HEAVY | ONE_BLOCK)
    select = f"SELECT id FROM {job.ref(stale)} WHERE staged = 1"
    outranking, rows = note(job, "outranking", select)
    if rows:
        _remove_hidden_first(job, outranking)
