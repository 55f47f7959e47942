"""Which partitions hold only times of a range, as the server itself evaluates the expression.

The expression is evaluated on a grid from 1970 to 2149 (15 minutes apart, days for a Date): an
offset of any present time zone is a multiple of that. Beyond these years the server's own Date
wraps round; publishing counts the rows of each partition anyway and refuses such a one.

A partition is whole when none of its grid cells lies outside the range, its cells are
neighbours, and each cell begins and ends in it.

Those are millions of cells. Where the expression is made of calendar functions alone (a day, week,
month, year of the local time), a value that occurs far from the range and in it occurs everywhere
between the two as well: then the cells of the range and a margin around it tell all that the
others would. The margin is longer than any zone ever put its clocks back, twice.
"""

import re
from datetime import timedelta

from windlass.domain.errors import PlanError, UnrepresentableError, WindlassError
from windlass.domain.schema import TargetTable
from windlass.domain.window import Interval
from windlass.target.client import LOOKING, Server, fill
from windlass.target.ddl import plain_elements
from windlass.target.names import quote
from windlass.target.times import EPOCH, TimeType, time_type

CELL = 900
_DAY = 86_400
_LAST = 65_535 * _DAY
_LAST_IN_32_BITS = 2**32 // _DAY * _DAY
"""Where `toUnixTimestamp` and `toDateTime` of a DateTime64 end: a partition expression with them
takes no later row, and raises when it is evaluated for one."""
_MARGIN = 3 * _DAY
_CALENDAR = (
    "toDate|toDate32|toYear|toYYYYMM|toYYYYMMDD|toMonday|toISOYear|toStartOfWeek|toStartOfMonth|"
    "toStartOfQuarter|toStartOfYear|toStartOfISOYear"
)
_STEADY = re.compile(rf"(?:{_CALENDAR})\((?P<inner>.+?)(?:, \d)?(?:, '[A-Za-z0-9_+/-]+')?\)")
"""A calendar function of one thing: its values grow with the local time and never come again."""
_STEADY_YEARS = Interval(EPOCH.replace(year=1971), EPOCH.replace(year=2100))
"""Years that no Date of these functions wraps round into."""
_AS_WRITERS_DO = {"date_time_overflow_behavior": "ignore"}

_WHOLE = """
SELECT min(__cell), max(__cell)
FROM (
  SELECT __cell, $key AS __first
  FROM (SELECT __cell, $first AS $time FROM (SELECT number + $from AS __cell FROM numbers($cells)))
) AS f
INNER JOIN (
  SELECT __cell, $key AS __last
  FROM (SELECT __cell, $last AS $time FROM (SELECT number + $from AS __cell FROM numbers($cells)))
) AS l USING (__cell)
WHERE tuple(__first) NOT IN (
  SELECT tuple($key) AS __p
  FROM (
    SELECT $first AS $time
    FROM (SELECT number + $domain_from AS __cell FROM numbers($domain_cells))
    WHERE __cell < $from OR __cell >= $from + $cells
  )
  WHERE __p IN (
    SELECT tuple($key)
    FROM (SELECT $first AS $time FROM (SELECT number + $from AS __cell FROM numbers($cells)))
  )
)
GROUP BY tuple(__first)
HAVING count() = max(__cell) - min(__cell) + 1 AND countIf(tuple(__first) != tuple(__last)) = 0
ORDER BY 1
SETTINGS join_algorithm = 'hash'
"""


def whole_ranges(
    server: Server,
    live: TargetTable,
    time: str,
    within: Interval,
    tag: str = LOOKING,
    *,
    everywhere: bool = False,
) -> list[Interval] | None:
    """The ranges inside `within`, one per partition, whose partitions hold no other time; None
    when the partition depends on more than the time. `everywhere`: look at all cells, also where
    a margin tells as much."""
    if live.partition_key in {"", "tuple()"}:
        return []
    kind = time_type(live, time)
    size = _DAY if kind.tick == _DAY * 1_000_000 else CELL
    for last in (_LAST, _LAST_IN_32_BITS):
        domain = _domain(size, kind, last)
        cells = _inside(within, size, domain)
        if not cells:
            return []
        if not everywhere and is_steady(live.partition_key, time) and _STEADY_YEARS.covers(within):
            domain = _around(cells, domain, _MARGIN // size)
        statement = fill(_WHOLE, **_parts(live, time, kind, size, cells, domain))
        try:
            found = server.rows(statement, tag, settings=_AS_WRITERS_DO)
        except UnrepresentableError:
            continue
        except WindlassError as error:
            if "UNKNOWN_IDENTIFIER" in error.why:
                return None
            raise
        return [_interval(int(first), int(last) + 1, size) for first, last in found]
    return []


def _parts(
    live: TargetTable, time: str, kind: TimeType, size: int, cells: range, domain: range
) -> dict[str, str | int]:
    type_text = _type_text(live, time)
    return {
        "key": f"({live.partition_key})",
        "time": quote(time),
        "first": f"CAST({_value('__cell', size, kind)} AS {type_text})",
        "last": f"CAST({_last(size, kind)} AS {type_text})",
        "from": cells.start,
        "cells": len(cells),
        "domain_from": domain.start,
        "domain_cells": len(domain),
    }


def _type_text(live: TargetTable, time: str) -> str:
    column = live.column(time)
    if column is None:
        raise PlanError(f"column {time} is missing", where=f"{live.database}.{live.name}")
    return column.type


def _value(cell: str, size: int, kind: TimeType) -> str:
    """The first value of a cell, as a number or decimal that CAST takes for this type."""
    seconds = f"toInt64({cell}) * {size}"
    match kind.name:
        case "Date" | "Date32":
            return f"toInt32({cell})"
        case "DateTime" | "DateTime32":
            return f"toUInt32({seconds})"
    return f"toDecimal128({seconds}, {kind.digits})"


def _last(size: int, kind: TimeType) -> str:
    """The last value of a cell."""
    if kind.name in {"Date", "Date32"}:
        return _value("__cell", size, kind)
    if kind.name != "DateTime64":
        return f"toUInt32(toInt64(__cell) * {size} + {size - 1})"
    tick = f"toDecimal128('{10**-kind.digits:.{kind.digits}f}', {kind.digits})"
    return f"toDecimal128(toInt64(__cell + 1) * {size}, {kind.digits}) - {tick}"


def _inside(within: Interval, size: int, domain: range) -> range:
    """The cells that lie wholly inside, and inside what the type can hold."""
    step = timedelta(seconds=size)
    first, last = -(-(within.start - EPOCH) // step), (within.end - EPOCH) // step
    return range(max(first, domain.start), min(last, domain.stop))


def _domain(size: int, kind: TimeType, last: int) -> range:
    """All cells of the grid up to that second."""
    return range(-(-max(kind.first, 0) // size), min(kind.last, last) // size)


def _around(cells: range, domain: range, margin: int) -> range:
    return range(max(domain.start, cells.start - margin), min(domain.stop, cells.stop + margin))


def keeps_keys(live: TargetTable, time: str) -> bool:
    """Whether a row and its successor, having one sorting key, always lie in one partition."""
    if live.partition_key in {"", "tuple()"}:
        return True
    return is_steady(live.partition_key, time) and time in plain_elements(live.sorting_key)


def is_steady(key: str, time: str) -> bool:
    """Whether the partition expression is a calendar function of the time, or a tuple of some."""
    inner = key[1:-1] if key.startswith("(") else key
    items = re.split(r", (?=[a-zA-Z0-9]+\()", inner)
    return all(_is_calendar(item, {time, quote(time)}) for item in items)


def _is_calendar(item: str, names: set[str]) -> bool:
    found = _STEADY.fullmatch(item)
    return found is not None and (found["inner"] in names or _is_calendar(found["inner"], names))


def _interval(first: int, end: int, size: int) -> Interval:
    return Interval(EPOCH + timedelta(seconds=first * size), EPOCH + timedelta(seconds=end * size))
