"""Live rows of a slice held against staged ones, on the server, by key.

Everything is one grouping by the typed key columns over live and staging together: it spills to
disk when it has to, and no key ever leaves the server that nobody asked for.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from windlass.domain.results import Removed
from windlass.target.client import Server, fill
from windlass.target.names import quoted
from windlass.target.settings import HEAVY
from windlass.target.slices import View

if TYPE_CHECKING:
    import pyarrow as pa

_LIVE = "SELECT $key, toUInt8(1) AS __live, $content AS __content FROM $table $final WHERE $inside"
_STAGED = "SELECT $key, toUInt8(0) AS __live, $content AS __content FROM $table WHERE $visible"
_KEYS = """
SELECT $key, countIf(__live = 1) AS __lives, countIf(__live = 0) AS __stages,
       sumIf(toUInt128(__content), __live = 1) AS __live_sum,
       sumIf(toUInt128(__content), __live = 0) AS __staged_sum
FROM ($both) GROUP BY $key
"""
_BEFORE = """
SELECT sum(__lives), countIf(__lives > 0 AND __stages = 0),
       sumIf(__lives - 1, __lives > 1)
FROM ($keys)
"""
_GONE_TEXTS = (
    "SELECT $texts FROM (SELECT $key FROM ($keys) WHERE __lives > 0 AND __stages = 0) AS k"
)
_ATTRIBUTED = """
SELECT excluded, count()
FROM (SELECT $key, min(excluded) AS excluded FROM $excluded_table GROUP BY $key)
WHERE ($key) IN (SELECT $key FROM ($gone))
GROUP BY excluded
"""
_UNKNOWN = "SELECT $key FROM ($gone) $but_excluded LIMIT $limit"
_DIFFERING = """
SELECT $texts, multiIf(__stages = 0, 'live', __lives = 0, 'staged', 'both') AS side
FROM (
  SELECT $key, __lives, __stages FROM ($keys)
  WHERE __lives != __stages OR __live_sum != __staged_sum
  LIMIT $limit
) AS k
"""


def removed(
    server: Server, view: View, staged: Sequence[str], excluded: str | None, tag: str
) -> Removed:
    """What publishing the staged tables would take away from the slice."""
    raw = int(server.value(f"SELECT count() FROM {view.table} WHERE {view.inside}", tag))
    if not raw:
        return Removed(0, 0, 0)
    counts = server.rows(fill(_BEFORE, keys=_keys(view, staged)), tag, settings=HEAVY)
    before, gone, duplicates = (int(number or 0) for number in counts[0])
    attributed = _attributed(server, view, staged, excluded, tag) if gone else {}
    return Removed(
        before=before,
        raw=raw,
        gone=gone,
        attributed=attributed,
        duplicates=duplicates,
        unexplained=gone - sum(attributed.values()),
    )


def gone_keys(
    server: Server, view: View, staged: Sequence[str], excluded: str | None, limit: int, tag: str
) -> "pa.Table":
    """Keys in canonical text of live rows that neither staging nor `excluded` has."""
    but = f"WHERE ({view.key}) NOT IN (SELECT {view.key} FROM {excluded})" if excluded else ""
    statement = fill(
        _UNKNOWN, key=view.key, gone=_gone_texts(view, staged), but_excluded=but, limit=limit
    )
    return server.arrow(statement, tag, settings=HEAVY)


def differing(
    server: Server, view: View, staged: Sequence[str], limit: int, tag: str
) -> "pa.Table":
    """Keys whose live row is not the staged one, with the `side` that has it."""
    statement = fill(
        _DIFFERING, texts=view.key_texts, key=view.key, keys=_keys(view, staged), limit=limit
    )
    return server.arrow(statement, tag, settings=HEAVY)


def _keys(view: View, staged: Sequence[str]) -> str:
    shared = {"key": view.key, "content": view.content}
    live = fill(_LIVE, table=view.table, final=view.final, inside=view.inside, **shared)
    sides = [fill(_STAGED, table=table, visible=view.visible, **shared) for table in staged]
    return fill(_KEYS, key=view.key, both=" UNION ALL ".join([live, *sides]))


def _gone_texts(view: View, staged: Sequence[str]) -> str:
    return fill(_GONE_TEXTS, texts=view.key_texts, key=view.key, keys=_keys(view, staged))


def _attributed(
    server: Server, view: View, staged: Sequence[str], excluded: str | None, tag: str
) -> dict[str, int]:
    if excluded is None:
        return {}
    statement = fill(
        _ATTRIBUTED,
        key=quoted(view.piece.table.key),
        excluded_table=excluded,
        gone=_gone_texts(view, staged),
    )
    return {str(name): int(rows) for name, rows in server.rows(statement, tag, settings=HEAVY)}
