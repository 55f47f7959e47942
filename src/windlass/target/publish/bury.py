"""Superseded versions outside the range, which would come back when their successor goes.

FINAL hides an older version of a key wherever it lies. When the range loses the version that is
seen, an older one in another partition would rise for the readers: rows outside the range would
change. So the hidden ones of keys that go are taken away first; nobody sees that happen.
"""

from windlass.target.client import fill
from windlass.target.describe import plain_elements
from windlass.target.publish.job import Facts, Job
from windlass.target.publish.rows import note, remove
from windlass.target.settings import HEAVY

_HIDDEN = """
SELECT $identity AS id FROM $table
WHERE NOT ifNull($inside, 0) AND $sort_hash IN (
  SELECT $sort_hash FROM $table FINAL WHERE $inside AND $going
)
"""


def bury(job: Job, going: str = "") -> Facts:
    """Take away what nobody sees and the publish of these ranges would lay bare. `going` is the
    condition of the live rows that will go: those that the assembly lacks, unless told. Returns
    `buried`, the rows taken."""
    if not job.live.replacing or not _can_hide(job):
        return {}
    select = fill(
        _HIDDEN,
        identity=job.view.identity,
        table=job.view.table,
        inside=job.view.inside,
        sort_hash=job.view.sort_hash,
        going=going or _not_staged(job),
    )
    if not job.value(f"SELECT count() FROM ({select})", HEAVY):
        return {}
    ids, rows = note(job, "buried", select)
    remove(job, ids, f"NOT ifNull({job.view.inside}, 0)")
    return {"buried": rows}


def _can_hide(job: Job) -> bool:
    """Where the time itself is an element of the sorting key, no key has two times."""
    return job.view.time not in plain_elements(job.live.sorting_key)


def _not_staged(job: Job) -> str:
    sort_hash = job.view.sort_hash
    return f"{sort_hash} NOT IN (SELECT {sort_hash} FROM {job.ref(job.whole)})"
