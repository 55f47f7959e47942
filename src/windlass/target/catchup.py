"""Catch-up: rows that changed while a publish ran. Few at a time, and safe to repeat."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.plan import GroupTable, TablePlan
from windlass.ports import Pulse
from windlass.target.client import fill
from windlass.target.names import quoted
from windlass.target.publish.inplace import insert_missing, take_out
from windlass.target.publish.job import Job
from windlass.target.publish.rows import note
from windlass.target.settings import HEAVY
from windlass.target.slices import View
from windlass.target.staging import StagingArea

if TYPE_CHECKING:
    import pyarrow as pa

_MOVED = """
SELECT p.id AS id, toUInt8(0) AS staged
FROM (
  SELECT $key, $sort_hash AS sort_hash, $identity AS id, $version AS version
  FROM $live WHERE $inside AND ($key) IN (SELECT $key FROM $upserts)
) AS p
INNER JOIN (
  SELECT $key, groupUniqArray($sort_hash) AS sort_hashes, max($version) AS version
  FROM $upserts GROUP BY $key
) AS u USING ($key)
WHERE NOT has(u.sort_hashes, p.sort_hash) AND p.version <= u.version
"""
_CHANGED = """
SELECT p.id AS id, toUInt8(0) AS staged
FROM (
  SELECT $key, $identity AS id, $content AS content,
         count() OVER (PARTITION BY $key) AS lives
  FROM $live WHERE $inside AND ($key) IN (SELECT $key FROM $upserts)
) AS p
INNER JOIN (
  SELECT $key, groupUniqArray($content) AS contents, count() AS stages
  FROM $upserts GROUP BY $key
) AS u USING ($key)
WHERE NOT has(u.contents, p.content) OR p.lives != u.stages
"""
_OTHERS = """
SELECT p.id AS id, toUInt8(has(u.sort_hashes, p.sort_hash)) AS staged
FROM (
  SELECT $key, $sort_hash AS sort_hash, $identity AS id, $content AS content
  FROM $live WHERE $inside AND ($key) IN (SELECT $key FROM $upserts)
) AS p
INNER JOIN (
  SELECT $key, groupUniqArray($sort_hash) AS sort_hashes, groupUniqArray($content) AS contents
  FROM $upserts GROUP BY $key
) AS u USING ($key)
WHERE NOT has(u.contents, p.content)
"""
_STAGED_KEYS = """
SELECT $texts FROM ($staged) AS k WHERE tuple($texts_only) IN (SELECT tuple($names) FROM $asked)
"""
_REMOVED = "SELECT $identity AS id, toUInt8(0) AS staged FROM $live WHERE $inside AND $going"


def apply(
    area: StagingArea,
    view: View,
    plan: TablePlan,
    upsert: "pa.Table | None",
    remove: "pa.Table | None",
    attempt: Attempt,
    *,
    exact: bool = False,
    pulse: Pulse = lambda _rows: None,
) -> None:
    """Put the upserts in place of what has their keys, and take the removed keys out of the
    slice; `exact` leaves nothing else of the put keys, whatever its version. Without a version,
    readers see replaced rows missing for a moment."""
    group = GroupTable(plan.table, plan.edge_path, ())
    job = Job(area, view, plan, group, (), attempt, pulse)
    area.create(view.live, job.whole)
    pulse(0)
    if upsert is not None and upsert.num_rows:
        area.insert(job.whole, upsert.to_batches(), job.pulse)
        _upsert(job, exact=exact)
    if remove is not None and remove.num_rows:
        _remove(job, remove)


def staged_keys(
    area: StagingArea, view: View, staged: Sequence[str], keys: "pa.Table", attempt: Attempt
) -> "pa.Table":
    """Those of the keys that the staged tables have, once for each row."""
    asked = Staging(attempt, view.live.name, "asked")
    _note_keys(area, view, asked, keys)
    selects = [f"SELECT * FROM {table} WHERE {view.visible}" for table in staged]
    statement = fill(
        _STAGED_KEYS,
        texts=view.key_texts,
        staged=" UNION ALL ".join(selects),
        texts_only=view.key_texts_of("k"),
        names=quoted(view.piece.table.key),
        asked=area.ref(asked),
    )
    return area.server.arrow(statement, attempt.tag, settings=HEAVY)


def _note_keys(area: StagingArea, view: View, table: Staging, keys: "pa.Table") -> None:
    names = list(view.piece.table.key)
    area.create_keys(table, names)
    area.insert(table, keys.select(names).to_batches(), lambda _rows: None)


def _upsert(job: Job, *, exact: bool) -> None:
    versioned = job.live.replacing and job.live.version is not None
    if versioned:
        insert_missing(job)
    find = _CHANGED if not versioned else _OTHERS if exact else _MOVED
    stale, rows = note(job, "stale", _statement(job, find))
    if rows:
        take_out(job, stale)
    if not versioned:
        insert_missing(job)


def _remove(job: Job, keys: "pa.Table") -> None:
    table = job.own("keys")
    _note_keys(job.area, job.view, table, keys)
    names = quoted(job.view.piece.table.key)
    going = f"{job.view.key_text_tuple} IN (SELECT tuple({names}) FROM {job.ref(table)})"
    stale, rows = note(job, "stale", _statement(job, _REMOVED, going=going))
    if rows:
        take_out(job, stale)


def _statement(job: Job, template: str, going: str = "1") -> str:
    return fill(
        template,
        key=job.view.key,
        sort_hash=job.view.sort_hash,
        identity=job.view.identity,
        version=job.view.version,
        content=job.view.content,
        live=job.view.table,
        inside=job.view.inside,
        upserts=_upserts(job),
        going=going,
    )


def _upserts(job: Job) -> str:
    return job.ref(job.whole)
