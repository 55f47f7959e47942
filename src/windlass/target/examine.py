"""What an operator should know of a live table before anything runs: rows that its TTL will take
again, and rows that a policy hides from us."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from windlass.domain.errors import AccessError, PlanError, WindlassError
from windlass.domain.schema import TargetTable
from windlass.domain.window import Interval
from windlass.target import ddl
from windlass.target.client import LOOKING, Server, fill
from windlass.target.describe import read
from windlass.target.names import live_ref, quote
from windlass.target.times import EPOCH, time_type

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
SELECT short_name, ifNull(select_filter, '') FROM system.row_policies
WHERE database IN ({database:String}, '') AND table IN ({table:String}, '')
AND (apply_to_all AND NOT has(apply_to_except, currentUser()) OR has(apply_to_list, currentUser())
     OR hasAny(apply_to_list, arrayMap(r -> toString(r), currentRoles())))
AND ifNull(select_filter, '1') NOT IN ('1', 'true', '')
"""
_PHYSICAL = """
SELECT sum(rows) FROM system.parts WHERE active AND database = {database:String}
AND table = {table:String} AND NOT startsWith(name, 'patch-')
"""


def examine(server: Server, live: TargetTable, time: str, within: Interval) -> list[str]:
    """Lines for the plan. PlanError: a row policy hides rows of the table from this user, which
    would look deleted."""
    hidden = list(_hidden(server, live))
    found = read(server, live.database, live.name)
    ttls = ddl.expiries(found.full, found.create) if found else []
    return [*hidden, *_expired(server, live, time, within, ttls)]


def _hidden(server: Server, live: TargetTable) -> Iterator[str]:
    policies = _policies(server, live)
    if policies == []:
        return
    rows = _hidden_rows(server, live)
    if rows:
        raise PlanError(
            f"a row policy hides {rows:,} rows from this user",
            where=f"{server.address}, {live.database}.{live.name}",
            why=f"policy {', '.join(policies or ['unknown'])}: hidden rows look like rows that are "
            "not there, so they would be left, or doubled",
            next_step=f"CREATE ROW POLICY windlass ON {live_ref(live)} USING 1 TO "
            f"{quote(server.address.user)}",
        )
    for policy in policies or ():
        yield f"row policy {policy} applies to this user; it hides no row now, but may later"


def _policies(server: Server, live: TargetTable) -> list[str] | None:
    """The policies with a filter that apply to us; None where we may not know."""
    params = {"database": live.database, "table": live.name}
    try:
        return [f"{name} ({what})" for name, what in server.rows(_POLICIES, params=params)]
    except AccessError:
        return None


def _hidden_rows(server: Server, live: TargetTable) -> int:
    """Rows that the parts hold and a SELECT does not give, deleted ones counted on both sides;
    looked at a few times, since others write meanwhile."""
    params = {"database": live.database, "table": live.name}
    found = []
    for _ in range(_LOOKS):
        before = int(server.value(_PHYSICAL, params=params) or 0)
        seen = int(
            server.value(
                f"SELECT count() FROM {live_ref(live)}",
                settings={"apply_deleted_mask": "0", "apply_patch_parts": "0"},
            )
        )
        after = int(server.value(_PHYSICAL, params=params) or 0)
        found.append(max(0, min(before, after) - seen))
        if not found[-1]:
            return 0
    return min(found)


def _expired(
    server: Server, live: TargetTable, time: str, within: Interval, ttls: Sequence[ddl.Expiry]
) -> Iterator[str]:
    for ttl in ttls:
        what = f"the values of {ttl.column}" if ttl.column else "rows"
        try:
            until = _expired_until(server, live, time, within, ttl.expression)
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
    server: Server, live: TargetTable, time: str, within: Interval, ttl: str
) -> str | None:
    """The last instant of the range, on a grid, whose rows the TTL takes; None: it takes none."""
    kind = time_type(live, time)
    column = live.column(time)
    first = max((within.start - EPOCH) // timedelta(seconds=1), kind.first)
    last = min((within.end - EPOCH) // timedelta(seconds=1), kind.last)
    step = max(1, (last - first) // _STEPS)
    value = "toDate32(toDateTime64(__at, 0, 'UTC'), 'UTC')"
    if kind.name not in {"Date", "Date32"}:
        value = "toDateTime64(toDecimal64(__at, 0), 0, 'UTC')"
    statement = fill(
        _EXPIRED,
        time_value=f"CAST({value} AS {column.type if column else kind.text})",
        time=quote(time),
        start=first,
        step=step,
        steps=max(1, (last - first) // step),
        ttl=f"({ttl})",
    )
    rows, until = server.rows(statement, LOOKING)[0]
    return f"{EPOCH + timedelta(seconds=int(until)):%Y-%m-%d %H:%M} UTC" if rows else None
