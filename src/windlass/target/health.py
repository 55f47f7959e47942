"""How ClickHouse fares: one short statement a question, each from a system table in memory."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from windlass.domain.errors import UnreachableError, WindlassError
from windlass.domain.health import Reading
from windlass.target.client import Server
from windlass.target.meter import Meter

TAG = "windlass/look/health"

Tables = Sequence[tuple[str, str]]

_OURS = "(has({names:Array(Tuple(String, String))}, (database, table)) OR database = {ours:String})"
_DATABASES = "database IN {databases:Array(String)}"
# Of staging only what rows are inserted into: what is assembled or kept has others' parts attached,
# as many as there are windows, and no insert waits for their merges.
_PARTS = f"""
SELECT count() AS parts, concat(database, '.', table, ' partition ', partition) FROM system.parts
WHERE active AND {_DATABASES} AND {_OURS}
AND (database != {{ours:String}} OR position(table, '_rows_') > 0)
GROUP BY database, table, partition ORDER BY parts DESC, 2 LIMIT 1
"""
_MUTATIONS = f"""
SELECT count(), any(concat(database, '.', table)) FROM system.mutations
WHERE NOT is_done AND {_DATABASES} AND {_OURS}
"""
_DELAY = f"""
SELECT absolute_delay, concat(database, '.', table) FROM system.replicas
WHERE {_DATABASES} AND {_OURS} ORDER BY 1 DESC LIMIT 1
"""
_MERGES = "SELECT count(), '' FROM system.merges"
_MEMORY = """
SELECT used / most, '' FROM
(SELECT (SELECT value FROM system.metrics WHERE metric = 'MemoryTracking') AS used,
    (SELECT toUInt64(value) FROM system.server_settings WHERE name = 'max_server_memory_usage')
    AS most) WHERE most > 0
"""
_QUESTIONS = {
    "clickhouse_parts": _PARTS,
    "clickhouse_mutations": _MUTATIONS,
    "clickhouse_replica_delay": _DELAY,
    "clickhouse_merges": _MERGES,
    "clickhouse_memory": _MEMORY,
}


def readings(server: Server, staging: str, meter: Meter, tables: Tables) -> list[Reading]:
    """See ports.HealthyTarget. What an older server, or one that does not let us look, does not
    tell is left out. UnreachableError: it does not answer."""
    names = [tuple(one) for one in tables]
    params = {
        "names": names or [("", "")],
        "ours": staging,
        "databases": sorted({staging, *(database for database, _ in tables)}),
    }
    asked = (_ask(server, name, sql, params) for name, sql in _QUESTIONS.items())
    found = [one for one in asked if one is not None]
    slowest = meter.slowest()
    return found + ([Reading("clickhouse_insert", slowest)] if slowest is not None else [])


def _ask(server: Server, name: str, sql: str, params: Mapping[str, Any]) -> Reading | None:
    try:
        rows = server.quick.rows(sql, TAG, params)
    except UnreachableError:
        raise
    except WindlassError:
        return None
    return Reading(name, float(rows[0][0]), str(rows[0][1])) if rows else None


def worst_of(asked: Sequence[Callable[[], list[Reading]]]) -> list[Reading]:
    """Of several servers, each reading is the worst one's."""
    found: dict[str, Reading] = {}
    for ask in asked:
        for one in ask():
            known = found.get(one.name)
            found[one.name] = one if known is None or one.value > known.value else known
    return list(found.values())
