"""Rebuilt days, per tenant: in a line, and as a calendar."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from windlass.cli.show.common import Column, count, iso, table
from windlass.domain.record import HistoryEntry
from windlass.domain.states import Verdict
from windlass.domain.window import Interval

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

DAY = timedelta(days=1)
WEEKS = 53
"""Columns of a calendar; earlier days are in the JSON."""
SHADES = "░▒▓█"
MARKS = {"mismatch": ("!", "red"), "unverified": ("?", "yellow"), "undone": ("u", "yellow")}
PARTLY, NEVER = "~", "·"
WORST = ("undone", "mismatch", "unverified", "verified")


@dataclass(frozen=True)
class Day:
    """What holds of a day: how it was last rebuilt, by whom, when. `whole` False: only a part of
    it ever was. `rows` are those of the windows, shared out by time."""

    day: date
    verdict: str
    campaign: str
    at: datetime
    rows: int
    rows_per_second: float
    whole: bool


@dataclass(frozen=True)
class TenantHistory:
    """One tenant's windows, the latest first, and its days in order."""

    cluster: str
    customer: str
    profile: str
    database: str
    entries: tuple[HistoryEntry, ...]
    days: tuple[Day, ...]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.customer}/{self.profile}"

    @property
    def verdict(self) -> str:
        """The worst of its days."""
        found = {day.verdict for day in self.days}
        return next(one for one in WORST if one in found)

    @property
    def rate(self) -> float:
        """Rows a second over all of its windows."""
        seconds = sum(one.seconds for one in self.entries)
        return sum(one.rows for one in self.entries) / seconds if seconds > 0 else 0.0


def by_tenant(entries: Iterable[HistoryEntry]) -> list[TenantHistory]:
    """Per tenant, in order of their names."""
    found: dict[tuple[str, str, str, str], list[HistoryEntry]] = defaultdict(list)
    for one in entries:
        found[one.cluster, one.customer, one.profile, one.database].append(one)
    return [TenantHistory(*key, tuple(mine), _days(mine)) for key, mine in sorted(found.items())]


def _days(entries: Sequence[HistoryEntry]) -> tuple[Day, ...]:
    over: dict[date, list[HistoryEntry]] = defaultdict(list)
    for one in entries:
        day = one.interval.start.astimezone(UTC).date()
        while _midnight(day) < one.interval.end:
            over[day].append(one)
            day += DAY
    return tuple(_day(day, over[day]) for day in sorted(over))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _day(day: date, entries: Sequence[HistoryEntry]) -> Day:
    """The latest windows that cover the day together; what lies beneath them is history."""
    left = [Interval(_midnight(day), _midnight(day) + DAY)]
    used: list[tuple[HistoryEntry, timedelta]] = []
    for one in entries:
        rest = [piece for gap in left for piece in gap.minus([one.interval])]
        length = _length(left) - _length(rest)
        if length:
            used.append((one, length))
        left = rest
    verdicts = {_verdict(one) for one, _ in used}
    rows = sum(one.rows * (length / one.interval.duration) for one, length in used)
    latest = used[0][0]
    worst = next(v for v in WORST if v in verdicts)
    return Day(
        day, worst, latest.campaign, latest.ended_at, round(rows), latest.rows_per_second, not left
    )


def _length(pieces: Iterable[Interval]) -> timedelta:
    return sum((one.duration for one in pieces), timedelta())


def _verdict(one: HistoryEntry) -> str:
    return "undone" if one.undone else str(one.verdict or Verdict.UNVERIFIED)


def history_table(tenants: Iterable[TenantHistory]) -> "RenderableType":
    """A line per tenant."""
    columns = [
        Column("tenant"),
        Column("days", number=True),
        Column("from"),
        Column("to"),
        Column("last rebuilt (UTC)"),
        Column("by"),
        Column("verdict"),
        Column("rows/s", number=True),
    ]
    return table(columns, (_row(one) for one in tenants))


def _row(one: TenantHistory) -> tuple[object, ...]:
    latest = one.entries[0]
    return (
        str(one),
        len(one.days),
        one.days[0].day,
        one.days[-1].day,
        f"{latest.ended_at:%Y-%m-%d %H:%M}",
        latest.campaign,
        one.verdict,
        count(one.rate),
    )


def tenant_json(one: TenantHistory, *, days: bool) -> dict[str, Any]:
    """One tenant, with `days` every day of it."""
    latest = one.entries[0]
    shown: dict[str, Any] = {
        "cluster": one.cluster,
        "customer": one.customer,
        "profile": one.profile,
        "database": one.database,
        "days_rebuilt": len(one.days),
        "first_day": one.days[0].day.isoformat(),
        "last_day": one.days[-1].day.isoformat(),
        "last_at": iso(latest.ended_at),
        "campaign": latest.campaign,
        "campaigns": list(dict.fromkeys(entry.campaign for entry in one.entries)),
        "verdict": one.verdict,
        "windows": len(one.entries),
        "rows_per_second": one.rate,
    }
    return shown | ({"days": [_day_json(day) for day in one.days]} if days else {})


def _day_json(day: Day) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "verdict": day.verdict,
        "whole": day.whole,
        "campaign": day.campaign,
        "at": iso(day.at),
        "rows": day.rows,
        "rows_per_second": day.rows_per_second,
    }


def calendar(one: TenantHistory) -> "RenderableType":
    """Weeks from left to right, days from Monday down; a mark per day."""
    from rich.text import Text

    last = one.days[-1].day
    first = max(one.days[0].day, last - WEEKS * DAY + DAY)
    monday = first - first.weekday() * DAY
    weeks = [monday + n * 7 * DAY for n in range((last - monday).days // 7 + 1)]
    known = {day.day: day for day in one.days}
    cuts = _quartiles([d.rows for d in one.days if d.verdict == "verified"])
    said = Text(f"{one}\n", style="bold")
    said.append(f"     {_months(weeks)}\n", style="dim")
    for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        said.append(f"{name}  ", style="dim")
        for week in weeks:
            day = week + number * DAY
            said.append_text(_cell(known.get(day), cuts) if first <= day <= last else Text("  "))
        said.append("\n")
    return said.append(_legend(known, cuts), style="dim")


def _months(weeks: Sequence[date]) -> str:
    """The month's name over the first week that ends in it."""
    line = [" "] * (2 * len(weeks) + 4)
    free = 0
    for place, week in enumerate(one + 6 * DAY for one in weeks):
        fresh = place == 0 or week.month != (week - 7 * DAY).month
        if fresh and 2 * place >= free:
            line[2 * place : 2 * place + 3] = f"{week:%b}"
            free = 2 * place + 4
    return "".join(line).rstrip()


def _cell(day: Day | None, cuts: Sequence[int]) -> "Text":
    from rich.text import Text

    if day is None:
        return Text(f"{NEVER} ", style="dim")
    if day.verdict in MARKS:
        mark, style = MARKS[day.verdict]
        return Text(f"{mark} ", style=style)
    mark = SHADES[sum(day.rows > cut for cut in cuts)] if day.whole else PARTLY
    return Text(f"{mark} ", style="green")


def _quartiles(rows: Sequence[int]) -> list[int]:
    """Three edges that part the days into four shades."""
    found = sorted(rows) or [0]
    return [found[(len(found) - 1) * n // 4] for n in (1, 2, 3)]


def _legend(known: Mapping[date, Day], cuts: Sequence[int]) -> str:
    said = [f"verified, rows a day: {SHADES[0]} up to {cuts[0]:,}, {SHADES[-1]} above {cuts[2]:,}"]
    verdicts = {day.verdict for day in known.values()}
    said += [f"{mark} {name}" for name, (mark, _) in MARKS.items() if name in verdicts]
    said += [f"{PARTLY} a part of the day"] if any(not d.whole for d in known.values()) else []
    return "; ".join([*said, f"{NEVER} never"])
