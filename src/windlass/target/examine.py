"""What an operator should know of a live table before anything runs: rows that its TTL will take
again, and rows that a policy hides from us."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache, partial

from windlass.domain.chunks import chunked
from windlass.domain.errors import AccessError, PlanError, WindlassError
from windlass.domain.schema import TargetTable
from windlass.domain.window import Interval
from windlass.target import ddl
from windlass.target.client import LOOKING, Server, fill
from windlass.target.describe import Ddl, read_all
from windlass.target.names import live_ref, quote
from windlass.target.times import EPOCH, TimeType, time_type

_STEPS = 2_000
_LOOKS = 3

_EXPIRED = """
SELECT count(), max(__at) FROM (
  SELECT __at, $time_value AS $time FROM (
    SELECT toInt64($start) + number * $step AS __at FROM numbers($steps)
  )
)
WHERE toDateTime64($ttl, 0, 'UTC') <= toDateTime64(now(), 0, 'UTC')
"""
_POLICIES = """
SELECT database, table, short_name, ifNull(select_filter, '') FROM system.row_policies
WHERE (apply_to_all AND NOT has(apply_to_except, currentUser()) OR has(apply_to_list, currentUser())
     OR hasAny(apply_to_list, arrayMap(r -> toString(r), currentRoles())))
AND ifNull(select_filter, '1') NOT IN ('1', 'true', '')
"""
_PHYSICAL = """
SELECT database, table, sum(rows) FROM system.parts
WHERE active AND database IN {databases:Array(String)} AND table IN {tables:Array(String)}
AND NOT startsWith(name, 'patch-') GROUP BY database, table
"""
_SEEN = "SELECT {number}, count() FROM {ref}"
_WITH_DELETED = {"apply_deleted_mask": "0", "apply_patch_parts": "0"}
_AT_ONCE = 100

Look = Callable[[TimeType, str, str, str], str | None]
"""Asks up to when a TTL has passed: the time's type, as text, its name, and the TTL."""
Examined = tuple[TargetTable, str]
"""A live table, and its time column."""


def examine(server: Server, tables: Sequence[Examined], within: Interval) -> list[list[str]]:
    """Lines for the plan, for each table. PlanError: a row policy hides rows of one from this
    user, which would look deleted."""
    if not tables:
        return []
    lives = [live for live, _ in tables]
    hidden = _hidden(server, lives)
    created = read_all(server, *_names(lives))
    look = lru_cache(maxsize=None)(partial(_expired_until, server, within=within))
    return [
        [*hints, *_expired(look, live, time, created.get((live.database, live.name)))]
        for (live, time), hints in zip(tables, hidden, strict=True)
    ]


def _names(lives: Sequence[TargetTable]) -> tuple[list[str], list[str]]:
    return sorted({one.database for one in lives}), sorted({one.name for one in lives})


def _hidden(server: Server, lives: Sequence[TargetTable]) -> list[list[str]]:
    """What is to be said of policies, for each table."""
    policies = _policies(server)
    named = [_applying(policies, live) for live in lives]
    suspected = [live for live, some in zip(lives, named, strict=True) if some or policies is None]
    for some in chunked(suspected, _AT_ONCE):
        for live in _with_hidden_rows(server, some):
            _refuse_hidden(server, live, _applying(policies, live))
    return [
        [f"row policy {one} applies to this user; it hides no row now, but may later" for one in of]
        for of in named
    ]


def _policies(server: Server) -> list[tuple[str, str, str]] | None:
    """(database, table, policy) of those with a filter that apply to us; None where we may not
    know."""
    try:
        found = server.rows(_POLICIES)
    except AccessError:
        return None
    return [(database, table, f"{name} ({what})") for database, table, name, what in found]


def _applying(policies: list[tuple[str, str, str]] | None, live: TargetTable) -> list[str]:
    return [
        policy
        for database, table, policy in policies or ()
        if database in {live.database, ""} and table in {live.name, ""}
    ]


def _refuse_hidden(server: Server, live: TargetTable, policies: Sequence[str]) -> None:
    rows = min(_missing(server, [live])[0] for _ in range(_LOOKS))
    if rows:
        raise PlanError(
            f"a row policy hides {rows:,} rows from this user",
            where=f"{server.address}, {live.database}.{live.name}",
            why=f"policy {', '.join(policies or ['unknown'])}: hidden rows look like rows that are "
            "not there, so they would be left, or doubled",
            next_step=f"CREATE ROW POLICY windlass ON {live_ref(live)} USING 1 TO "
            f"{quote(server.address.user)}",
        )


def _with_hidden_rows(server: Server, lives: Sequence[TargetTable]) -> list[TargetTable]:
    """Tables that seem to hold more than a SELECT gives, at a first look."""
    found = zip(lives, _missing(server, lives), strict=True)
    return [live for live, rows in found if rows]


def _missing(server: Server, lives: Sequence[TargetTable]) -> list[int]:
    """Rows that the parts hold and a SELECT does not give, deleted ones counted on both sides;
    others write meanwhile, so the parts are asked before and after."""
    before = _physical(server, lives)
    counts = " UNION ALL ".join(
        _SEEN.format(number=n, ref=live_ref(live)) for n, live in enumerate(lives)
    )
    seen = {int(n): int(rows) for n, rows in server.rows(counts, settings=_WITH_DELETED)}
    if all(had <= seen[n] for n, had in enumerate(before)):
        return [0] * len(lives)
    after = _physical(server, lives)
    return [max(0, min(before[n], after[n]) - seen[n]) for n in range(len(lives))]


def _physical(server: Server, lives: Sequence[TargetTable]) -> list[int]:
    databases, tables = _names(lives)
    params = {"databases": databases, "tables": tables}
    found = {(d, t): int(rows) for d, t, rows in server.rows(_PHYSICAL, params=params)}
    return [found.get((live.database, live.name), 0) for live in lives]


def _expired(look: Look, live: TargetTable, time: str, created: Ddl | None) -> Iterator[str]:
    column, kind = live.column(time), time_type(live, time)
    if created is None or "TTL" not in created.create.upper():
        return
    for ttl in ddl.expiries(created.full, created.create):
        what = f"the values of {ttl.column}" if ttl.column else "rows"
        try:
            until = look(kind, column.type if column else kind.text, time, ttl.expression)
        except WindlassError:
            yield (
                f"TTL {ttl.expression} depends on more than {time}: where it has passed, merges "
                f"take {what} again, and the verdict is then a mismatch"
            )
            continue
        if until is not None:
            yield (
                f"TTL {ttl.expression}{ttl.condition} has passed for times up to {until}: merges "
                f"take {what} of these times again, and the verdict is then a mismatch; begin "
                "the range later, or lengthen the TTL first"
            )


def _expired_until(
    server: Server, kind: TimeType, type_text: str, time: str, ttl: str, *, within: Interval
) -> str | None:
    """The last instant of the range, on a grid, whose rows the TTL takes; None: it takes none."""
    first = max((within.start - EPOCH) // timedelta(seconds=1), kind.first)
    last = min((within.end - EPOCH) // timedelta(seconds=1), kind.last)
    step = max(1, (last - first) // _STEPS)
    value = "toDate32(toDateTime64(__at, 0, 'UTC'), 'UTC')"
    if kind.name not in {"Date", "Date32"}:
        value = "toDateTime64(toDecimal64(__at, 0), 0, 'UTC')"
    statement = fill(
        _EXPIRED,
        time_value=f"CAST({value} AS {type_text})",
        time=quote(time),
        start=first,
        step=step,
        steps=max(1, (last - first) // step),
        ttl=f"({ttl})",
    )
    rows, until = server.rows(statement, LOOKING)[0]
    return f"{EPOCH + timedelta(seconds=int(until)):%Y-%m-%d %H:%M} UTC" if rows else None
