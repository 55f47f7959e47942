"""Instants and ranges as conditions on a live time column, exact for its type."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from windlass.domain.errors import PlanError
from windlass.domain.schema import TargetTable
from windlass.domain.window import Interval, joined
from windlass.target.names import quote

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_WRAPPER = re.compile(r"^(?:Nullable|LowCardinality)\((.*)\)$", re.DOTALL)
_TYPE = re.compile(r"^(DateTime64|DateTime32|DateTime|Date32|Date)(?:\(\s*(\d)?.*\))?$", re.DOTALL)
_DAY = 86_400


@dataclass(frozen=True)
class TimeType:
    """A column type that holds instants: units (ticks) a second, and the first and last second
    that the server computes with. A Date counts as the midnight that begins it, in UTC."""

    text: str
    name: str
    digits: int
    first: int
    last: int

    @property
    def tick(self) -> int:
        """Microseconds between neighbouring values; 1 when they are closer than that."""
        if self.name.startswith("Date") and not self.name.startswith("DateTime"):
            return _DAY * 1_000_000
        return max(1, int(10 ** (6 - self.digits)))

    def constant(self, instant: datetime) -> str:
        """The first value at or after the instant, as SQL of exactly this kind of type."""
        micros = -(-((instant - EPOCH) // _MICRO) // self.tick) * self.tick
        micros = min(max(micros, self.first * 1_000_000), self.last * 1_000_000)
        value = EPOCH + timedelta(microseconds=micros)
        match self.name:
            case "Date" | "Date32":
                return f"to{self.name}('{value:%Y-%m-%d}')"
            case "DateTime" | "DateTime32":
                return f"toDateTime('{value:%Y-%m-%d %H:%M:%S}', 'UTC')"
        fraction = f".{value:%f}".ljust(10, "0")[: self.digits + 1] if self.digits else ""
        return f"toDateTime64('{value:%Y-%m-%d %H:%M:%S}{fraction}', {self.digits}, 'UTC')"

    def micros(self, column: str) -> str:
        """The (quoted, not NULL) column's instant in microseconds since 1970, rounded down."""
        match self.name:
            case "Date" | "Date32":
                return f"toInt64({column}) * {_DAY * 1_000_000}"
            case "DateTime" | "DateTime32":
                return f"toInt64(toUnixTimestamp({column})) * 1000000"
        return f"toUnixTimestamp64Micro({column})"


_LIMITS = {
    "DateTime64": (-2_208_988_800, 10_413_791_999),
    "DateTime": (0, 4_294_967_295),
    "DateTime32": (0, 4_294_967_295),
    "Date32": (-2_208_988_800, 10_413_705_600),
    "Date": (0, 65_535 * _DAY),
}
_NANO_LIMITS = (-2_208_988_800, 9_223_372_035)


def parse(text: str) -> TimeType | None:
    """The time type in a column type's text, Nullable and LowCardinality taken off."""
    inner = text.strip()
    while wrapped := _WRAPPER.match(inner):
        inner = wrapped.group(1).strip()
    match = _TYPE.match(inner)
    if not match:
        return None
    name, digits = match.group(1), int(match.group(2) or 3)
    if name != "DateTime64":
        digits = 0
    first, last = _NANO_LIMITS if digits == 9 else _LIMITS[name]
    return TimeType(inner, name, digits, first, last)


def time_type(live: TargetTable, time: str) -> TimeType:
    """The type of the live table's time column. PlanError: no such column, or not a time."""
    column = live.column(time)
    found = parse(column.type) if column else None
    if found:
        return found
    raise PlanError(
        f"column {time} is no time column" if column else f"column {time} is missing",
        where=f"target table {live.database}.{live.name}",
        why=f"its type is {column.type}" if column else "the range is cut by it",
        next_step="set `time:` to a Date or DateTime column that source and target both have",
    )


def within(live: TargetTable, time: str, ranges: Sequence[Interval]) -> str:
    """The condition `the row's time lies in one of the ranges`; `0` for no range."""
    kind, column = time_type(live, time), quote(time)
    pieces = [
        f"({column} >= {kind.constant(one.start)} AND {column} < {kind.constant(one.end)})"
        for one in joined(ranges)
    ]
    return f"({' OR '.join(pieces)})" if pieces else "0"
