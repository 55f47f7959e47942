"""Tables of ours in the staging database, found by their mark; and statements of ours at work."""

from windlass.domain.undo import Leftover, leftover
from windlass.target.client import LOOKING, Server, fill
from windlass.target.names import quote
from windlass.target.settings import DROP_OWN
from windlass.target.staging import StagingArea

_TABLES = """
SELECT name, comment, toUInt64(ifNull(total_rows, 0)), toUInt64(ifNull(total_bytes, 0))
FROM system.tables
WHERE database = {database:String} AND startsWith(comment, 'windlass/') $one
ORDER BY name
"""
_STATEMENTS = """
SELECT $comment, toFloat64(elapsed) FROM system.processes
WHERE startsWith($comment, 'windlass/') AND position($comment, '#') > 0
"""


def leftovers(area: StagingArea, name: str = "") -> list[Leftover]:
    """All of them, or the one of that name. A table without our mark is none, whatever it is
    called: the mark is a comment that names an attempt, and a name with that attempt's token."""
    statement = fill(_TABLES, one="AND name = {name:String}" if name else "")
    params = {"database": area.database} | ({"name": name} if name else {})
    found = (
        leftover(str(table), str(comment), int(rows), int(size))
        for table, comment, rows, size in area.server.rows(statement, LOOKING, params)
    )
    return [one for one in found if one is not None]


def drop(area: StagingArea, found: Leftover) -> bool:
    """Drop it unless its mark has changed since; whether it was there."""
    now = leftovers(area, found.name)
    if [(one.subject, one.number, one.made_at) for one in now] != [
        (found.subject, found.number, found.made_at)
    ]:
        return False
    table = f"{quote(area.database)}.{quote(found.name)}"
    area.server.run(f"DROP TABLE IF EXISTS {table} SYNC", LOOKING, DROP_OWN)
    return True


def statements(server: Server) -> list[tuple[str, float]]:
    """(tag, seconds) of attempts' statements that the server lists."""
    rows = server.rows(fill(_STATEMENTS, comment="Settings['log_comment']"))
    return [(str(tag), float(seconds)) for tag, seconds in rows]
