"""Superseded versions outside the range, which would come back when their successor goes.

FINAL hides an older version of a key wherever it lies. When the range loses the version that is
seen, an older one in another partition would rise for the readers: rows outside the range would
change. So the hidden ones of keys that go are taken away first; nobody sees that happen.
"""

from windlass.domain.attempt import Staging
from windlass.target.client import fill
from windlass.target.ddl import plain_elements
from windlass.target.publish.job import Facts, Job
from windlass.target.publish.rows import note, remove
from windlass.target.settings import HEAVY

_OUTSIDE = """
SELECT $identity AS id FROM $live WHERE NOT ifNull($inside, 0) AND $sort_hash IN ($keys)
"""
_PERHAPS = """
SELECT $sort_hash FROM $live WHERE $inside
AND ($sort_hash, $version) NOT IN (SELECT $sort_hash, $version FROM $staged)
"""
_SURELY = """
SELECT p.h FROM (
  SELECT $sort_hash AS h, $version AS v FROM $live FINAL
  WHERE $inside AND ($sort_hash, $version) NOT IN (SELECT $sort_hash, $version FROM $staged)
) AS p
LEFT JOIN (
  SELECT $sort_hash AS h, max($version) AS best, toUInt8(1) AS there FROM $staged GROUP BY h
) AS s ON p.h = s.h
WHERE s.there = 0 OR s.best < p.v
"""
_NOTED = "SELECT id.1 FROM $noted"
_NOTED_SEEN = """
SELECT $sort_hash FROM $live FINAL WHERE $inside
AND $sort_hash IN (SELECT id.1 FROM $noted) AND $identity IN (SELECT id FROM $noted)
"""


def bury(job: Job, noted: Staging | None = None) -> Facts:
    """Take away what nobody sees and the publish of these ranges would lay bare. `noted` has the
    `id` of each live row that will go; without it, those go that outrank the row of their
    sorting key in the assembly, or have none there. Returns `buried`, the rows taken."""
    if not job.live.replacing or not _can_hide(job):
        return {}
    perhaps = _keys(job, noted, _NOTED if noted else _PERHAPS)
    if not job.value(f"SELECT count() FROM ({_outside(job, perhaps)})", HEAVY):
        return {}
    surely = _keys(job, noted, _NOTED_SEEN if noted else _SURELY)
    ids, rows = note(job, "buried", _outside(job, surely))
    if not rows:
        return {}
    remove(job, ids, f"NOT ifNull({job.view.inside}, 0)")
    return {"buried": rows}


def _can_hide(job: Job) -> bool:
    """Where the time itself is an element of the sorting key, no key has two times; and where
    live has no row outside, nothing is hidden there, nor by what has no row inside."""
    if job.view.time in plain_elements(job.live.sorting_key):
        return False
    inside = f"ifNull({job.view.inside}, 0)"
    sides = (
        f"SELECT count() FROM {job.view.table} WHERE {one}" for one in (inside, f"NOT {inside}")
    )
    return all(job.value(side) > 0 for side in sides)


def _keys(job: Job, noted: Staging | None, template: str) -> str:
    """Hashes of the sorting keys that go: without FINAL of more than really do, but fast."""
    return fill(
        template,
        sort_hash=job.view.sort_hash,
        identity=job.view.identity,
        version=job.view.version,
        live=job.view.table,
        inside=job.view.inside,
        staged=job.ref(job.whole),
        noted=job.ref(noted) if noted else "",
    )


def _outside(job: Job, keys: str) -> str:
    return fill(
        _OUTSIDE,
        identity=job.view.identity,
        live=job.view.table,
        inside=job.view.inside,
        sort_hash=job.view.sort_hash,
        keys=keys,
    )
